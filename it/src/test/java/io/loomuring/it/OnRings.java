package io.loomuring.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loomuring.LoomUring;
import io.loomuring.observe.Counters;

import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterClassTemplateInvocationCallback;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.BeforeClassTemplateInvocationCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Around a class of tests that runs under the agent: the rings carried it, with each of its
 * parameters, which it proves by the number of their operations; no carrier met an internal error;
 * no completion came for an operation that had ended; and after each test descriptors and ring
 * slots are back to what they were.
 */
final class OnRings
        implements BeforeAllCallback,
                BeforeClassTemplateInvocationCallback,
                BeforeEachCallback,
                AfterEachCallback,
                AfterClassTemplateInvocationCallback,
                AfterAllCallback {
    private static final Duration SETTLE = Duration.ofSeconds(20);
    private static final String INTERNAL_ERROR = "loom-uring: internal error";

    private final PrintStream originalErrors = System.err;
    private final ByteArrayOutputStream errors = new ByteArrayOutputStream();
    private Counters before;
    private long operationsBefore; // the tests with the same parameters of the class
    private Map<Integer, String> descriptorsBefore; // a test
    private int slotsBefore;

    @Override
    public void beforeAll(ExtensionContext context) throws Exception {
        openWhatTheJdkOpensOnce();
        System.setErr(new PrintStream(new Tee(), true, StandardCharsets.UTF_8));
        before = LoomUring.counters();
    }

    @Override
    public void beforeClassTemplateInvocation(ExtensionContext context) {
        operationsBefore = LoomUring.counters().operations;
    }

    @Override
    public void beforeEach(ExtensionContext context) {
        descriptorsBefore = Descriptors.ofThisProcessButCarriers();
        slotsBefore = RingSlots.inUse();
    }

    @Override
    public void afterEach(ExtensionContext context) {
        if (context.getExecutionException().isPresent()) {
            return; // what it left open says nothing
        }
        Descriptors.awaitNoMoreThan(descriptorsBefore);
        Patience.await(
                () -> RingSlots.inUse() + " ring slots in use, before: " + slotsBefore,
                SETTLE,
                () -> RingSlots.inUse() <= slotsBefore);
    }

    /** The JDK's own channels have pollers and more, made at first use and kept for ever. */
    private static void openWhatTheJdkOpensOnce() throws InterruptedException {
        var failure = new AtomicReference<IOException>();
        Runnable use =
                () -> {
                    try (var socket = new DatagramSocket(0, InetAddress.getLoopbackAddress())) {
                        socket.setSoTimeout(200); // long enough to get as far as to wait
                        var packet = new DatagramPacket(new byte[1], 1);
                        assertThatThrownBy(() -> socket.receive(packet))
                                .isInstanceOf(SocketTimeoutException.class);
                    } catch (IOException e) {
                        failure.set(e);
                    }
                };
        Thread.ofVirtual().start(use).join();
        assertThat(failure.get()).isNull();
    }

    @Override
    public void afterAll(ExtensionContext context) {
        System.setErr(originalErrors);
        Counters after = LoomUring.counters();
        checkOperations(context, after.operations - before.operations);
        System.out.println("  " + after.toMap());
        assertThat(after.staleCompletions).as("stale completions").isZero();
        assertThat(errors.toString(StandardCharsets.UTF_8)).doesNotContain(INTERNAL_ERROR);
    }

    @Override
    public void afterClassTemplateInvocation(ExtensionContext context) {
        checkOperations(context, LoomUring.counters().operations - operationsBefore);
    }

    private static void checkOperations(ExtensionContext context, long operations) {
        System.out.println(context.getDisplayName() + ": ring operations: " + operations);
        assertThat(operations).as("ring operations").isPositive();
    }

    /** Keeps a copy of what goes to the error stream. */
    private final class Tee extends OutputStream {
        @Override
        public void write(int b) {
            originalErrors.write(b);
            synchronized (errors) {
                errors.write(b);
            }
        }

        @Override
        public void write(byte[] bytes, int offset, int length) {
            originalErrors.write(bytes, offset, length);
            errors.write(bytes, offset, length);
        }
    }
}
