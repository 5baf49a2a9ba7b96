/*
 * What only JNI may do inside a JDK that was started without flags: open java.base's packages,
 * replace a static final field, and make compiled code forget its old value.
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

/*
 * A no-op retransformation: the class keeps its bytes, and code that was compiled against it is
 * thrown away with every static final field it had folded. Returns 0 or a jvmtiError.
 */
JNIEXPORT jint JNICALL Java_io_loomuring_jdk_JdkInternals_retransform(JNIEnv *env, jclass type,
                                                                     jclass target) {
    (void)type;
    JavaVM *vm;
    if ((*env)->GetJavaVM(env, &vm) != JNI_OK) {
        return JVMTI_ERROR_INTERNAL;
    }
    jvmtiEnv *jvmti;
    if ((*vm)->GetEnv(vm, (void **)&jvmti, JVMTI_VERSION_21) != JNI_OK) {
        return JVMTI_ERROR_UNSUPPORTED_VERSION;
    }
    jvmtiCapabilities capabilities = {.can_retransform_classes = 1};
    jvmtiError error = (*jvmti)->AddCapabilities(jvmti, &capabilities);
    if (error == JVMTI_ERROR_NONE) {
        error = (*jvmti)->RetransformClasses(jvmti, 1, &target);
    }
    (*jvmti)->DisposeEnvironment(jvmti);
    return (jint)error;
}
