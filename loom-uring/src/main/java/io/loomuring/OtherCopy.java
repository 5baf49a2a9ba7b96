package io.loomuring;

import io.loomuring.carrier.CarrierGroup;
import io.loomuring.jdk.JdkInternals;
import io.loomuring.jdk.JdkInternals.UnsupportedJdkException;
import io.loomuring.observe.Counters;

import java.lang.reflect.Method;
import java.nio.channels.spi.SelectorProvider;
import java.util.Map;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.ThreadFactory;

/**
 * This library, loaded by another class loader, which carries the JVM already: an agent's, say, and
 * the application has the jar too. There is one default scheduler; whoever comes second passes on
 * what it is asked.
 */
final class OtherCopy {
    private final ClassLoader loader;

    private OtherCopy(ClassLoader loader) {
        this.loader = loader;
    }

    /** Null if there is none. */
    static OtherCopy find() throws UnsupportedJdkException {
        ForkJoinPool scheduler = JdkInternals.schedulerOfAnotherCopy(CarrierGroup.class.getName());
        return scheduler == null ? null : new OtherCopy(scheduler.getClass().getClassLoader());
    }

    SelectorProvider provider() {
        try {
            return (SelectorProvider)
                    loader.loadClass(UringSelectorProvider.class.getName())
                            .getConstructor()
                            .newInstance();
        } catch (ReflectiveOperationException e) {
            throw differs(e);
        }
    }

    ThreadFactory threadFactory() {
        return (ThreadFactory) call("threadFactory");
    }

    /** As far as both versions count the same things. */
    Counters counters() {
        Object theirs = call("counters");
        try {
            var counters = new Counters();
            Map<?, ?> values = (Map<?, ?>) theirs.getClass().getMethod("toMap").invoke(theirs);
            for (String name : counters.toMap().keySet()) {
                if (values.get(name) instanceof Long value) {
                    Counters.class.getField(name).setLong(counters, value);
                }
            }
            return counters;
        } catch (ReflectiveOperationException e) {
            throw differs(e);
        }
    }

    private Object call(String name) {
        try {
            Method method = loader.loadClass(LoomUring.class.getName()).getMethod(name);
            return method.invoke(null);
        } catch (ReflectiveOperationException e) {
            throw differs(e);
        }
    }

    private IllegalStateException differs(ReflectiveOperationException cause) {
        return new IllegalStateException(
                "loom-uring: the copy that carries this JVM, of "
                        + loader
                        + ", is of another version",
                cause);
    }
}
