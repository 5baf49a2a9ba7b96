package io.loomuring;

import io.loomuring.jdk.JdkInternals;
import io.loomuring.jdk.JdkInternals.UnsupportedJdkException;

import java.lang.instrument.Instrumentation;
import java.util.Map;
import java.util.Set;

/** {@code -javaagent:loom-uring.jar}: installs before the application's {@code main}. */
public final class Agent {
    private Agent() {}

    /** Called by the JVM at start. */
    public static void premain(String arguments, Instrumentation instrumentation) {
        try {
            enableNativeAccess(instrumentation);
            LoomUring.install();
        } catch (IllegalStateException | IllegalArgumentException e) {
            // without this the JVM would start, or bury the one line under a stack trace
            System.err.println(e.getMessage());
            Runtime.getRuntime().halt(1);
        }
    }

    /** Called by the JVM when attached to a running one. */
    public static void agentmain(String arguments, Instrumentation instrumentation) {
        premain(arguments, instrumentation);
    }

    /** An agent may open packages without native code, and so load native code unwarned. */
    private static void enableNativeAccess(Instrumentation instrumentation) {
        Module base = Object.class.getModule();
        instrumentation.redefineModule(
                base,
                Set.of(),
                Map.of(),
                Map.of("java.lang", Set.of(Agent.class.getModule())),
                Set.of(),
                Map.of());
        try {
            JdkInternals.enableNativeAccess();
        } catch (UnsupportedJdkException e) {
            // the JVM then prints its warning about native code, and all else works
        }
    }
}
