package io.loomuring.file;

import static io.loomuring.net.Attempt.start;

import static org.assertj.core.api.Assertions.assertThat;

import static java.nio.file.StandardOpenOption.*;

import io.loomuring.net.Attempt;
import io.loomuring.net.Descriptors;
import io.loomuring.net.ThreadKind;
import io.loomuring.testing.Await;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;

/** Files that can make a thread wait for ever. */
@Timeout(60) // seconds a test; interrupts it
class FifoTest {
    private static final int BIG = 300_000; // several times what a pipe holds

    @TempDir Path folder;

    @BeforeAll
    static void fewCarriers() {
        System.setProperty("loomuring.carriers", "2"); // before the first thread of ThreadKind
    }

    /** The JDK's would keep a virtual thread's carrier. */
    static Stream<Arguments> kindsAndThreads() {
        return Kind.andThreads()
                .filter(c -> c.get()[0] == Kind.OURS || c.get()[1] == ThreadKind.PLATFORM);
    }

    private static ByteBuffer buffer(boolean direct, int size) {
        return direct ? ByteBuffer.allocateDirect(size) : ByteBuffer.allocate(size);
    }

    // ---- reading and writing ----

    @ParameterizedTest
    @MethodSource("kindsAndThreads")
    void shouldReadWhatComesUntilTheWriterCloses(Kind kind, ThreadKind thread) throws Exception {
        Path path = Fifo.create(folder, "fifo");
        for (boolean direct : new boolean[] {true, false}) {
            var reading =
                    start(
                                    thread,
                                    () -> {
                                        ByteBuffer all = ByteBuffer.allocate(2 * BIG);
                                        try (RingFile file = kind.open(path)) {
                                            ByteBuffer dst = buffer(direct, 100_000);
                                            while (file.read(dst, 0) >= 0) {
                                                all.put(dst.flip());
                                                dst.clear();
                                            }
                                            assertThat(file.read(dst, 0)).isEqualTo(-1);
                                        }
                                        return all.flip();
                                    })
                            .awaitBlocked();
            byte[] sent = new byte[BIG];
            new Random(1).nextBytes(sent);
            try (FileChannel writer = FileChannel.open(path, WRITE)) {
                writer.write(ByteBuffer.wrap(sent));
            }
            assertThat(reading.get()).isEqualTo(ByteBuffer.wrap(sent));
        }
    }

    @ParameterizedTest
    @MethodSource("kindsAndThreads")
    void shouldWriteAllOnceThereIsAReader(Kind kind, ThreadKind thread) throws Exception {
        Path path = Fifo.create(folder, "fifo");
        byte[] sent = new byte[BIG];
        new Random(1).nextBytes(sent);
        for (boolean direct : new boolean[] {true, false}) {
            var writing =
                    start(
                                    thread,
                                    () -> {
                                        try (RingFile file = kind.open(path, WRITE)) {
                                            return file.write(
                                                    buffer(direct, BIG).put(sent).flip(), 1 << 20);
                                        }
                                    })
                            .awaitBlocked();
            try (FileChannel reader = FileChannel.open(path, READ)) {
                ByteBuffer dst = ByteBuffer.allocate(BIG);
                while (dst.hasRemaining() && reader.read(dst) >= 0) {
                    // until all is there
                }
                assertThat(dst.array()).isEqualTo(sent);
            }
            assertThat(writing.get()).isEqualTo(BIG);
        }
    }

    @ParameterizedTest
    @MethodSource("kindsAndThreads")
    void shouldFailWhenTheReaderHasLeft(Kind kind, ThreadKind thread) throws Exception {
        Path path = Fifo.create(folder, "fifo");
        FileChannel reader = Fifo.peer(path);
        try (RingFile file = kind.open(path, WRITE)) {
            reader.close();
            assertThat(start(thread, () -> file.write(ByteBuffer.allocate(1), 0)).failure())
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("Broken pipe");
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldServeSeveralReadersOfOneFile(ThreadKind thread) throws Exception {
        Path path = Fifo.create(folder, "fifo");
        try (FileChannel writer = Fifo.peer(path);
                RingFile file = Kind.OURS.open(path)) {
            List<Attempt<Integer>> readers = new ArrayList<>();
            for (int i = 0; i < 10; i++) {
                readers.add(
                        start(thread, () -> file.read(ByteBuffer.allocate(1), 0)).awaitBlocked());
            }
            writer.write(ByteBuffer.allocate(readers.size()));
            for (Attempt<Integer> reader : readers) {
                assertThat(reader.get()).isEqualTo(1);
            }
        }
    }

    // ---- interrupt and close ----

    @ParameterizedTest
    @MethodSource("kindsAndThreads")
    void shouldCloseWhenAWaitingThreadIsInterrupted(Kind kind, ThreadKind thread) throws Exception {
        Path path = Fifo.create(folder, "fifo");
        for (boolean write : new boolean[] {false, true}) {
            FileChannel peer = Fifo.peer(path);
            RingFile file = kind.open(path, write ? WRITE : READ);
            var attempt = start(thread, () -> transfer(file, write)).awaitBlocked();
            var other = start(thread, () -> transfer(file, write)).awaitBlocked();
            attempt.thread().interrupt();
            assertThat(attempt.failure()).isExactlyInstanceOf(ClosedByInterruptException.class);
            assertThat(attempt.endedInterrupted()).isTrue();
            assertThat(other.failure()).isExactlyInstanceOf(AsynchronousCloseException.class);
            assertThat(other.endedInterrupted()).isFalse();
            assertThat(file.isOpen()).isFalse();
            peer.close();
            Await.until("closed", () -> Descriptors.of(path) < 0);
        }
    }

    private static int transfer(RingFile file, boolean write) throws IOException {
        return write
                ? file.write(ByteBuffer.allocate(BIG), 0)
                : file.read(ByteBuffer.allocate(BIG), 0);
    }

    @ParameterizedTest
    @MethodSource("kindsAndThreads")
    void shouldCloseAtOnceWhenInterruptedBefore(Kind kind, ThreadKind thread) throws Exception {
        Path path = Files.write(folder.resolve("file"), new byte[1]);
        RingFile file = kind.open(path);
        var attempt =
                start(
                        thread,
                        () -> {
                            Thread.currentThread().interrupt();
                            return transfer(file, false);
                        });
        assertThat(attempt.failure()).isExactlyInstanceOf(ClosedByInterruptException.class);
        assertThat(attempt.endedInterrupted()).isTrue();
        assertThat(file.isOpen()).isFalse();
        Await.until("closed", () -> Descriptors.of(path) < 0);
    }

    @ParameterizedTest
    @MethodSource("kindsAndThreads")
    void shouldFailAWaitingThreadWhenAnotherCloses(Kind kind, ThreadKind thread) throws Exception {
        Path path = Fifo.create(folder, "fifo");
        for (boolean write : new boolean[] {false, true}) {
            try (FileChannel peer = Fifo.peer(path)) {
                RingFile file = kind.open(path, write ? WRITE : READ);
                // the first writer fills the pipe
                var first = start(thread, () -> transfer(file, write)).awaitBlocked();
                var second = start(thread, () -> transfer(file, write)).awaitBlocked();
                file.close();
                assertThat(Descriptors.open(path.toString())).hasSize(1); // the peer's
                assertThat(file.isOpen()).isFalse();
                assertThat(second.failure()).isExactlyInstanceOf(AsynchronousCloseException.class);
                if (write) {
                    assertThat(first.get()).isBetween(1, BIG - 1);
                } else {
                    assertThat(first.failure())
                            .isExactlyInstanceOf(AsynchronousCloseException.class);
                }
                assertThat(first.endedInterrupted()).isFalse();
                assertThat(start(thread, () -> transfer(file, write)).failure())
                        .isExactlyInstanceOf(ClosedChannelException.class);
                assertThat(peer.isOpen()).isTrue();
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldFailToOpenWhenInterruptedWhileItWaitsForAReader(ThreadKind thread) throws Exception {
        Path path = Fifo.create(folder, "fifo");
        var attempt = start(thread, () -> Kind.OURS.open(path, WRITE)).awaitBlocked();
        attempt.thread().interrupt();
        assertThat(attempt.failure()).isExactlyInstanceOf(ClosedByInterruptException.class);
        assertThat(attempt.endedInterrupted()).isTrue();
        assertThat(Descriptors.of(path)).isNegative();
    }

    // ---- the others ----

    /** A ring has four workers for what waits: none may be kept by what can wait for ever. */
    @Test
    void shouldNotStarveOtherFilesWhenManyFifosWait() throws Exception {
        int fifos = 64;
        List<Path> paths = new ArrayList<>();
        List<Attempt<Integer>> waiting = new ArrayList<>();
        for (int i = 0; i < fifos; i++) {
            Path path = Fifo.create(folder, "fifo" + i);
            paths.add(path);
            boolean write = i % 2 == 0;
            waiting.add(
                    start(
                            ThreadKind.VIRTUAL,
                            () -> {
                                // CREATE makes a ring open in a worker at once
                                try (RingFile file =
                                        write
                                                ? Kind.OURS.open(path, WRITE, CREATE)
                                                : Kind.OURS.open(path, READ)) {
                                    return transferOne(file, write);
                                }
                            }));
        }
        for (Attempt<Integer> attempt : waiting) {
            attempt.awaitBlocked();
        }
        for (int i = 0; i < 20; i++) {
            Path path = folder.resolve("file" + i);
            assertThat(start(ThreadKind.VIRTUAL, () -> useWorkers(path)).get()).isEqualTo(3);
        }
        assertThat(waiting).noneMatch(Attempt::isDone);
        for (int i = 0; i < fifos; i++) {
            try (FileChannel peer = Fifo.peer(paths.get(i))) {
                peer.write(ByteBuffer.allocate(1));
                assertThat(waiting.get(i).get()).isEqualTo(1);
            }
        }
    }

    private static int transferOne(RingFile file, boolean write) throws IOException {
        return write ? file.write(ByteBuffer.allocate(1), 0) : file.read(ByteBuffer.allocate(1), 0);
    }

    /** Creating, statx and fsync go to a worker. */
    private static long useWorkers(Path path) throws IOException {
        try (RingFile file = Kind.OURS.open(path, WRITE, CREATE_NEW)) {
            file.write(ByteBuffer.wrap(new byte[] {1, 2, 3}), 0);
            file.force(true);
            return file.size();
        }
    }

    @Test
    void shouldHoldNoCarrierWhenAThousandThreadsWait() throws Exception {
        int threads = 1_000;
        Path path = Fifo.create(folder, "fifo");
        try (FileChannel writer = Fifo.peer(path)) {
            List<Attempt<Integer>> waiting = new ArrayList<>();
            for (int i = 0; i < threads; i++) {
                waiting.add(
                        start(
                                ThreadKind.VIRTUAL,
                                () -> {
                                    try (RingFile file = Kind.OURS.open(path)) {
                                        return file.read(ByteBuffer.allocate(1), 0);
                                    }
                                }));
            }
            for (Attempt<Integer> attempt : waiting) {
                attempt.awaitBlocked();
            }
            // two carriers: each of them is free for another thread
            assertThat(start(ThreadKind.VIRTUAL, () -> useWorkers(folder.resolve("a"))).get())
                    .isEqualTo(3);
            assertThat(start(ThreadKind.VIRTUAL, () -> useWorkers(folder.resolve("b"))).get())
                    .isEqualTo(3);
            assertThat(waiting).noneMatch(Attempt::isDone);
            writer.write(ByteBuffer.allocate(threads));
            for (Attempt<Integer> attempt : waiting) {
                assertThat(attempt.get()).isEqualTo(1);
            }
        }
    }
}
