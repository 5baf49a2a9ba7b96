package io.loomuring.it.program;

import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassTransform;
import java.lang.instrument.ClassFileTransformer;
import java.lang.instrument.Instrumentation;
import java.lang.instrument.UnmodifiableClassException;
import java.security.ProtectionDomain;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * An agent as others are: it writes every class anew, those of the JDK that are loaded already as
 * well, and prints at the end how many of which.
 */
public final class TransformingAgent {
    private TransformingAgent() {}

    private static final List<String> LOADED =
            List.of("java.lang.Thread", "java.lang.VirtualThread", "java.net.", "sun.nio.ch.");

    public static void premain(String arguments, Instrumentation instrumentation)
            throws UnmodifiableClassException {
        Set<String> names = ConcurrentHashMap.newKeySet();
        instrumentation.addTransformer(new Rewriter(names), true);
        Class<?>[] loaded =
                Arrays.stream(instrumentation.getAllLoadedClasses())
                        .filter(instrumentation::isModifiableClass)
                        .filter(type -> LOADED.stream().anyMatch(type.getName()::startsWith))
                        .toArray(Class<?>[]::new);
        instrumentation.retransformClasses(loaded);
        Runtime.getRuntime()
                .addShutdownHook(
                        new Thread(() -> {
                            print("VirtualThread", "java/lang/VirtualThread", names);
                            print("probe", "io/loomuring/it/program/SwitchProbe", names);
                            print("group", "io/loomuring/carrier/CarrierGroup", names);
                        }));
    }

    private static void print(String what, String name, Set<String> names) {
        System.out.println(what + "=" + (names.contains(name) ? "rewritten" : "as it was"));
    }

    private record Rewriter(Set<String> names) implements ClassFileTransformer {
        @Override
        public byte[] transform(
                Module module,
                ClassLoader loader,
                String name,
                Class<?> redefined,
                ProtectionDomain domain,
                byte[] bytes) {
            if (name == null || name.contains("/classfile/")) {
                return null; // what it works with itself
            }
            ClassFile classFile = ClassFile.of();
            byte[] rewritten =
                    classFile.transformClass(classFile.parse(bytes), ClassTransform.ACCEPT_ALL);
            names.add(name);
            return rewritten;
        }
    }
}
