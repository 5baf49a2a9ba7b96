/*
 * What only JNI may do inside a JDK that was started without flags: open java.base's packages,
 * replace a static final field, make compiled code forget its old value, and redefine classes.
 * io.loomuring.jdk.JdkInternals is the one caller.
 */
#include <jni.h>
#include <jvmti.h>
#include <stddef.h>

/* Calls module.implAdd{Exports,Opens}ToAllUnnamed(package): JNI knows no module walls. */
JNIEXPORT void JNICALL Java_io_loomuring_jdk_JdkInternals_openToAllUnnamed(JNIEnv *env,
                                                                          jclass type,
                                                                          jobject module,
                                                                          jstring package) {
    (void)type;
    jclass module_class = (*env)->GetObjectClass(env, module);
    jmethodID add_opens =
        (*env)->GetMethodID(env, module_class, "implAddOpensToAllUnnamed", "(Ljava/lang/String;)V");
    if (add_opens == NULL) {
        return; /* NoSuchMethodError is pending */
    }
    (*env)->CallVoidMethod(env, module, add_opens, package);
}

JNIEXPORT jobject JNICALL Java_io_loomuring_jdk_JdkInternals_staticField(JNIEnv *env, jclass type,
                                                                        jclass holder,
                                                                        jstring name,
                                                                        jstring signature,
                                                                        jboolean set,
                                                                        jobject value) {
    (void)type;
    const char *name_chars = (*env)->GetStringUTFChars(env, name, NULL);
    if (name_chars == NULL) {
        return NULL;
    }
    const char *signature_chars = (*env)->GetStringUTFChars(env, signature, NULL);
    if (signature_chars == NULL) {
        (*env)->ReleaseStringUTFChars(env, name, name_chars);
        return NULL;
    }
    jobject old = NULL;
    /* runs the holder's static initialiser, so that it can't overwrite the new value later */
    jfieldID field = (*env)->GetStaticFieldID(env, holder, name_chars, signature_chars);
    if (field != NULL) {
        old = (*env)->GetStaticObjectField(env, holder, field);
        if (set) {
            (*env)->SetStaticObjectField(env, holder, field, value);
        }
    }
    (*env)->ReleaseStringUTFChars(env, signature, signature_chars);
    (*env)->ReleaseStringUTFChars(env, name, name_chars);
    return old;
}

static jvmtiEnv *jvmti_with(JNIEnv *env, jvmtiCapabilities capabilities, jvmtiError *error) {
    JavaVM *vm;
    jvmtiEnv *jvmti;
    if ((*env)->GetJavaVM(env, &vm) != JNI_OK) {
        *error = JVMTI_ERROR_INTERNAL;
        return NULL;
    }
    if ((*vm)->GetEnv(vm, (void **)&jvmti, JVMTI_VERSION_21) != JNI_OK) {
        *error = JVMTI_ERROR_UNSUPPORTED_VERSION;
        return NULL;
    }
    *error = (*jvmti)->AddCapabilities(jvmti, &capabilities);
    if (*error != JVMTI_ERROR_NONE) {
        (*jvmti)->DisposeEnvironment(jvmti);
        return NULL;
    }
    return jvmti;
}

/*
 * A no-op retransformation: the class keeps its bytes, and code that was compiled against it is
 * thrown away with every static final field it had folded. Returns 0 or a jvmtiError.
 */
JNIEXPORT jint JNICALL Java_io_loomuring_jdk_JdkInternals_retransform(JNIEnv *env, jclass type,
                                                                     jclass target) {
    (void)type;
    jvmtiError error;
    jvmtiEnv *jvmti =
        jvmti_with(env, (jvmtiCapabilities){.can_retransform_classes = 1}, &error);
    if (jvmti != NULL) {
        error = (*jvmti)->RetransformClasses(jvmti, 1, &target);
        (*jvmti)->DisposeEnvironment(jvmti);
    }
    return (jint)error;
}

#define REDEFINED_MAX 8

/* Gives classes the methods of other class files, all or none. Returns 0 or a jvmtiError. */
JNIEXPORT jint JNICALL Java_io_loomuring_jdk_JdkInternals_redefine0(JNIEnv *env, jclass type,
                                                                   jobjectArray targets,
                                                                   jobjectArray class_files) {
    (void)type;
    jsize count = (*env)->GetArrayLength(env, targets);
    if (count > REDEFINED_MAX) {
        return JVMTI_ERROR_ILLEGAL_ARGUMENT;
    }
    jvmtiError error;
    jvmtiEnv *jvmti = jvmti_with(env, (jvmtiCapabilities){.can_redefine_classes = 1}, &error);
    if (jvmti == NULL) {
        return (jint)error;
    }
    jvmtiClassDefinition definitions[REDEFINED_MAX] = {0};
    jobject files[REDEFINED_MAX];
    for (jsize i = 0; i < count; i++) {
        files[i] = (*env)->GetObjectArrayElement(env, class_files, i);
        definitions[i].klass = (*env)->GetObjectArrayElement(env, targets, i);
        definitions[i].class_byte_count = (*env)->GetArrayLength(env, files[i]);
        definitions[i].class_bytes =
            (unsigned char *)(*env)->GetByteArrayElements(env, files[i], NULL);
        if (definitions[i].class_bytes == NULL) {
            error = JVMTI_ERROR_OUT_OF_MEMORY; /* OutOfMemoryError is pending */
        }
    }
    if (error == JVMTI_ERROR_NONE) {
        error = (*jvmti)->RedefineClasses(jvmti, count, definitions);
    }
    for (jsize i = 0; i < count; i++) {
        if (definitions[i].class_bytes != NULL) {
            (*env)->ReleaseByteArrayElements(env, files[i], (jbyte *)definitions[i].class_bytes,
                                             JNI_ABORT);
        }
    }
    (*jvmti)->DisposeEnvironment(jvmti);
    return (jint)error;
}
