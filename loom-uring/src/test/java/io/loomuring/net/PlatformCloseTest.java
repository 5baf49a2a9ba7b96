package io.loomuring.net;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomuring.testing.Running;
import io.loomuring.testing.Seeds;
import io.loomuring.testing.SocketPair;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * Close against system calls of platform threads that end by themselves at the same moment: close
 * puts another socket in the descriptor's place to get a thread out, and must hit nobody else's.
 */
@Timeout(120) // seconds a test; interrupts it
class PlatformCloseTest {
    private static final int ROUNDS = 1_000;
    private static final int BYSTANDERS = 2;
    private static final int SPINS_MAX = 20_000;

    private volatile boolean done;

    @Test
    void shouldNotTouchADescriptorThatHasReusedTheNumber() {
        Seeds.withRandom(random -> {
            List<Running<Void>> bystanders = new ArrayList<>();
            int[] outcomes = new int[2];
            try (ServerSocketChannel listener = Provider.OURS.listener()) {
                for (int i = 0; i < BYSTANDERS; i++) {
                    bystanders.add(Running.onPlatform(this::openAndCheck));
                }
                for (int round = 0; round < ROUNDS; round++) {
                    outcomes[raceOnce(listener, random) ? 1 : 0]++;
                }
            } finally {
                done = true;
            }
            Running.allEnd(bystanders);
            assertThat(outcomes[0]).as("calls ended by close").isPositive();
            assertThat(outcomes[1]).as("calls that ended before").isPositive();
        });
    }

    /** Returns whether the read got its data. */
    private static boolean raceOnce(ServerSocketChannel listener, Random random) throws Exception {
        SocketChannel peer = Provider.OURS.socket();
        peer.connect(listener.getLocalAddress());
        SocketChannel channel = listener.accept();
        Running<Integer> reader =
                Running.onPlatform(() -> {
                    try {
                        return channel.read(ByteBuffer.allocate(1));
                    } catch (ClosedChannelException e) {
                        return -1;
                    }
                });
        // the second direction is done with last: so its end closes the descriptor
        Running<Boolean> sender =
                Running.onPlatform(() -> {
                    try {
                        return channel.write(ByteBuffer.allocate(random.nextInt(100_000))) > 0;
                    } catch (ClosedChannelException e) {
                        return false;
                    }
                });
        int spins = random.nextInt(SPINS_MAX);
        Running<Void> other =
                Running.onPlatform(() -> {
                    peer.write(ByteBuffer.allocate(1));
                    drain(peer);
                });
        for (int i = 0; i < spins; i++) {
            Thread.onSpinWait();
        }
        channel.close();
        boolean got = reader.result() == 1;
        sender.result();
        other.result();
        peer.close();
        return got;
    }

    private static void drain(SocketChannel channel) {
        ByteBuffer dst = ByteBuffer.allocate(1 << 16);
        try {
            while (channel.read(dst.clear()) >= 0) {}
        } catch (IOException e) {
            // a reset ends it as well
        }
    }

    /** Opens descriptors all the time: any number that becomes free is soon one of these. */
    private void openAndCheck() {
        for (long token = 1; !done; token++) {
            var pairs = new SocketPair[4];
            for (int i = 0; i < pairs.length; i++) {
                pairs[i] = SocketPair.open();
                pairs[i].peerSendsLong(token);
            }
            for (SocketPair pair : pairs) {
                assertThat(pair.drain()).as("bytes that arrived at a stranger").isEqualTo(8);
                pair.close();
            }
        }
    }
}
