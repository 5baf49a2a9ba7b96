package io.loomuring.tls;

import java.io.File;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

import javax.net.ssl.SSLSocket;

/** A process with both ends of a connection in the kernel, that asks it what was promised to it. */
final class KernelPromises {
    private KernelPromises() {}

    private static final int SOL_TLS = 282;
    private static final int TLS_TX_ZEROCOPY_RO = 3;
    private static final int TLS_RX_EXPECT_NO_PAD = 4;

    @SuppressWarnings("restricted") // a test may
    private static final MethodHandle GETSOCKOPT =
            Linker.nativeLinker()
                    .downcallHandle(
                            Linker.nativeLinker().defaultLookup().find("getsockopt").orElseThrow(),
                            FunctionDescriptor.of(
                                    ValueLayout.JAVA_INT,
                                    ValueLayout.JAVA_INT,
                                    ValueLayout.JAVA_INT,
                                    ValueLayout.JAVA_INT,
                                    ValueLayout.ADDRESS,
                                    ValueLayout.ADDRESS));

    /** A protocol. */
    public static void main(String[] arguments) throws Throwable {
        try (var pair =
                TlsPair.of(TlsProvider.OURS.context(""), TlsProvider.OURS.context("server"))) {
            pair.client.setEnabledProtocols(new String[] {arguments[0]});
            pair.shakeHands();
            for (int i = 0; i < 2; i++) {
                pair.client.getOutputStream().write(i);
                pair.server.getOutputStream().write(pair.server.getInputStream().read());
                pair.client.getInputStream().read();
            }
            for (SSLSocket socket : new SSLSocket[] {pair.client, pair.server}) {
                System.out.println(
                        "by " + Ktls.sending(socket).get() + " " + Ktls.receiving(socket).get());
            }
            System.out.println("zero copy: " + promised(TLS_TX_ZEROCOPY_RO));
            System.out.println("no pad: " + promised(TLS_RX_EXPECT_NO_PAD));
        }
    }

    /** Of how many sockets the kernel says so: no descriptor but those two has TLS. */
    private static int promised(int option) throws Throwable {
        int count = 0;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment value = arena.allocate(ValueLayout.JAVA_INT);
            MemorySegment length = arena.allocate(ValueLayout.JAVA_INT);
            for (String descriptor : new File("/proc/self/fd").list()) {
                length.set(ValueLayout.JAVA_INT, 0, Integer.BYTES);
                int rc =
                        (int)
                                GETSOCKOPT.invokeExact(
                                        Integer.parseInt(descriptor),
                                        SOL_TLS,
                                        option,
                                        value,
                                        length);
                count += rc == 0 ? value.get(ValueLayout.JAVA_INT, 0) : 0;
            }
        }
        return count;
    }
}
