package io.loomuring.it.soak;

import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassTransform;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.CodeElement;
import java.lang.classfile.CodeTransform;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.lang.instrument.ClassFileTransformer;
import java.lang.instrument.Instrumentation;
import java.security.ProtectionDomain;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * An agent that has the rings forget one completion, the so manieth as its argument says: for a
 * test that must notice. It comes before ours, and changes {@code Ring.complete}.
 */
public final class DroppingAgent {
    private DroppingAgent() {}

    private static final String RING = "io/loomuring/ring/Ring";
    private static final String COMPLETE = "complete";

    private static final AtomicInteger LEFT = new AtomicInteger();

    /** Called by the JVM at start. */
    public static void premain(String count, Instrumentation instrumentation) {
        LEFT.set(Integer.parseInt(count));
        instrumentation.addTransformer(new Changer());
    }

    /** Called by each completion, when the class has been changed. */
    public static boolean drops() {
        boolean drops = LEFT.decrementAndGet() == 0;
        if (drops) {
            System.err.println("dropped a completion");
        }
        return drops;
    }

    private static final class Changer implements ClassFileTransformer {
        @Override
        public byte[] transform(
                Module module,
                ClassLoader loader,
                String name,
                Class<?> redefined,
                ProtectionDomain domain,
                byte[] bytes) {
            if (!RING.equals(name)) {
                return null;
            }
            ClassFile classFile = ClassFile.of();
            return classFile.transformClass(
                    classFile.parse(bytes),
                    ClassTransform.transformingMethodBodies(
                            method -> method.methodName().equalsString(COMPLETE),
                            CodeTransform.ofStateful(Prefix::new)));
        }
    }

    /** Before all else: {@code if (DroppingAgent.drops()) return;}. */
    private static final class Prefix implements CodeTransform {
        @Override
        public void atStart(CodeBuilder code) {
            code.invokestatic(
                            ClassDesc.of(DroppingAgent.class.getName()),
                            "drops",
                            MethodTypeDesc.of(ConstantDescs.CD_boolean))
                    .ifThen(CodeBuilder::return_);
        }

        @Override
        public void accept(CodeBuilder code, CodeElement element) {
            code.with(element);
        }
    }
}
