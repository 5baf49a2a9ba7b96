package io.loomuring.file;

import static io.loomuring.abi.FileAbi.*;
import static io.loomuring.net.Attempt.start;

import static org.assertj.core.api.Assertions.assertThat;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.loomuring.abi.Memory;
import io.loomuring.abi.Shim;
import io.loomuring.carrier.CarrierIo;
import io.loomuring.carrier.Scratch;
import io.loomuring.net.Attempt;
import io.loomuring.net.ThreadKind;
import io.loomuring.ring.Op;
import io.loomuring.testing.Await;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.Pipe;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A disk that doesn't answer: every worker thread of every ring sits in a system call, and a
 * thousand threads wait behind them. An open of a FIFO that waits in a worker, as ours never does,
 * is as good as such a disk.
 */
@Timeout(60) // seconds a test; interrupts it
class StuckDiskTest {
    private static final int CARRIERS = 2;
    private static final int THREADS = 1_000;

    @TempDir Path folder;

    @BeforeAll
    static void fewCarriers() {
        System.setProperty("loomuring.carriers", Integer.toString(CARRIERS));
    }

    /** Sits in a worker, or in its queue, until the FIFO has a reader or somebody cancels. */
    private static final class Stuck {
        private final Op op = new Op(ignored -> {});
        private final Attempt<Integer> attempt;

        Stuck(Path fifo) {
            op.tryClaim();
            attempt = start(ThreadKind.VIRTUAL, () -> open(fifo));
        }

        /** 0, or the error. */
        private int open(Path fifo) {
            Scratch scratch = Scratch.take();
            byte[] path = fifo.toString().getBytes(UTF_8);
            scratch.buffer.put(0, path);
            Memory.putByte(scratch.address + path.length, (byte) 0);
            // CREATE makes a ring open in a worker at once
            int fd = CarrierIo.openat(op, AT_FDCWD, scratch.address, O_WRONLY | O_CREAT, 0600);
            scratch.release();
            return fd < 0 ? fd : Shim.close(fd);
        }
    }

    @Test
    void shouldCarryOnWithAllThatNeedsNoDisk() throws Exception {
        Path fifo = Fifo.create(folder, "fifo");
        Path cached = Files.write(folder.resolve("file"), new byte[] {1, 2, 3});
        List<Stuck> stuck = new ArrayList<>();
        for (int i = 0; i < THREADS; i++) {
            stuck.add(new Stuck(fifo));
        }
        for (Stuck one : stuck) {
            Await.until("in flight", () -> one.op.inFlight());
        }

        for (int i = 0; i < 10 * CARRIERS; i++) {
            start(ThreadKind.VIRTUAL, StuckDiskTest::exchange).get();
            assertThat(start(ThreadKind.VIRTUAL, () -> RingFile.readAllBytes(cached)).get())
                    .containsExactly(1, 2, 3);
        }
        assertThat(stuck).noneMatch(one -> one.attempt.isDone());

        // one that is in a worker, one that waits for a worker
        for (Stuck one : List.of(stuck.removeFirst(), stuck.removeLast())) {
            one.op.cancel(Op.CLOSE);
            assertThat(one.attempt.get()).isNegative();
        }
        assertThat(stuck).noneMatch(one -> one.attempt.isDone());

        try (FileChannel reader = Fifo.peer(fifo)) {
            for (Stuck one : stuck) {
                assertThat(one.attempt.get()).isZero();
            }
            assertThat(reader.isOpen()).isTrue();
        }
    }

    /** Something that waits, but not for the disk. */
    private static int exchange() throws Exception {
        Pipe pipe = Pipe.open();
        try (Pipe.SourceChannel source = pipe.source();
                Pipe.SinkChannel sink = pipe.sink()) {
            var reading =
                    start(ThreadKind.VIRTUAL, () -> source.read(ByteBuffer.allocate(1)))
                            .awaitBlocked();
            sink.write(ByteBuffer.allocate(1));
            return reading.get();
        }
    }
}
