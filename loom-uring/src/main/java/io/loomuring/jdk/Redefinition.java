package io.loomuring.jdk;

import static java.lang.classfile.ClassFile.ACC_FINAL;
import static java.lang.classfile.ClassFile.ACC_PUBLIC;
import static java.lang.classfile.ClassFile.ACC_STATIC;
import static java.lang.classfile.ClassFile.ACC_SYNTHETIC;

import io.loomuring.jdk.JdkInternals.UnsupportedJdkException;

import java.io.IOException;
import java.io.InputStream;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassTransform;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.CodeElement;
import java.lang.classfile.CodeModel;
import java.lang.classfile.CodeTransform;
import java.lang.classfile.MethodModel;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;
import java.lang.invoke.MethodHandles;
import java.lang.reflect.Method;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Class files of the JDK with some methods edited, and bridges: classes of {@code java.base} with
 * static fields, since redefined methods can't see our classes.
 */
final class Redefinition {
    private Redefinition() {}

    /**
     * A class of the JDK's.
     *
     * @throws UnsupportedJdkException if there is none
     */
    static Class<?> find(String name) throws UnsupportedJdkException {
        try {
            return Class.forName(name, false, null);
        } catch (ClassNotFoundException e) {
            throw new UnsupportedJdkException(name + " does not exist in this JDK", e);
        }
    }

    /**
     * The method of that name and those parameters.
     *
     * @throws UnsupportedJdkException if there is none, or it returns something else
     */
    static Method checkMethod(
            Class<?> holder, Class<?> returns, String name, Class<?>... parameters)
            throws UnsupportedJdkException {
        String method = holder.getName() + "." + name;
        try {
            Method found = holder.getDeclaredMethod(name, parameters);
            if (found.getReturnType() != returns) {
                throw new UnsupportedJdkException(method + " does not return " + returns, null);
            }
            return found;
        } catch (NoSuchMethodException e) {
            throw new UnsupportedJdkException(method + " does not exist in this JDK", e);
        }
    }

    /**
     * Checks that there is a field of that name and type.
     *
     * @throws UnsupportedJdkException if not
     */
    static void checkField(Class<?> holder, Class<?> type, String name)
            throws UnsupportedJdkException {
        String field = holder.getName() + "." + name;
        try {
            if (holder.getDeclaredField(name).getType() != type) {
                throw new UnsupportedJdkException(field + " is no " + type.getSimpleName(), null);
            }
        } catch (NoSuchFieldException e) {
            throw new UnsupportedJdkException(field + " does not exist in this JDK", e);
        }
    }

    /** The JDK's own class file with another body for one method. */
    static byte[] withBody(
            Class<?> type, String name, MethodTypeDesc descriptor, Consumer<CodeBuilder> body)
            throws IOException {
        return edited(
                type,
                ClassTransform.transformingMethods(
                        method -> is(method, name, descriptor),
                        (builder, element) -> {
                            if (element instanceof CodeModel) {
                                builder.withCode(body);
                            } else {
                                builder.with(element);
                            }
                        }));
    }

    /** Code to run first in a method. */
    record Prologue(String method, MethodTypeDesc descriptor, Consumer<CodeBuilder> code) {
        private ClassTransform asTransform() {
            var transform =
                    new CodeTransform() {
                        @Override
                        public void atStart(CodeBuilder builder) {
                            code.accept(builder);
                        }

                        @Override
                        public void accept(CodeBuilder builder, CodeElement element) {
                            builder.with(element);
                        }
                    };
            return ClassTransform.transformingMethodBodies(
                    candidate -> is(candidate, method, descriptor), transform);
        }
    }

    /** The JDK's own class file with code in front of that of some methods. */
    static byte[] withPrologues(Class<?> type, Prologue... prologues) throws IOException {
        ClassTransform all = ClassTransform.ACCEPT_ALL;
        for (Prologue prologue : prologues) {
            all = all.andThen(prologue.asTransform());
        }
        return edited(type, all);
    }

    private static byte[] edited(Class<?> type, ClassTransform edit) throws IOException {
        String file = type.getName().replace('.', '/') + ".class";
        byte[] original;
        try (InputStream in = type.getModule().getResourceAsStream(file)) {
            if (in == null) {
                throw new IOException("no " + file);
            }
            original = in.readAllBytes();
        }
        var classFile = ClassFile.of();
        return classFile.transformClass(classFile.parse(original), edit);
    }

    private static boolean is(MethodModel method, String name, MethodTypeDesc descriptor) {
        return method.methodName().equalsString(name)
                && method.methodTypeSymbol().equals(descriptor);
    }

    /** Defines a class of package {@code sun.nio.ch}, and sets its static fields. */
    static <T> void defineBridge(ClassDesc bridge, Class<T> type, Map<String, T> fields)
            throws ReflectiveOperationException {
        byte[] bytes =
                ClassFile.of()
                        .build(
                                bridge,
                                builder -> {
                                    builder.withFlags(ACC_PUBLIC | ACC_FINAL | ACC_SYNTHETIC);
                                    for (String name : fields.keySet()) {
                                        builder.withField(
                                                name,
                                                ClassDesc.of(type.getName()),
                                                ACC_PUBLIC | ACC_STATIC);
                                    }
                                });
        var lookup = MethodHandles.privateLookupIn(sun.nio.ch.IOUtil.class, MethodHandles.lookup());
        Class<?> defined = lookup.defineClass(bytes);
        for (var field : fields.entrySet()) {
            lookup.findStaticVarHandle(defined, field.getKey(), type).setVolatile(field.getValue());
        }
    }
}
