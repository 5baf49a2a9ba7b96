package io.loomuring.file;

import static io.loomuring.net.Attempt.start;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import static java.nio.file.StandardOpenOption.*;

import io.loomuring.net.Attempt;
import io.loomuring.net.Descriptors;
import io.loomuring.net.ThreadKind;
import io.loomuring.testing.Await;
import io.loomuring.testing.Libc;
import io.loomuring.testing.Pin;
import io.loomuring.testing.Seeds;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.ref.WeakReference;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.channels.NonReadableChannelException;
import java.nio.channels.NonWritableChannelException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystemException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.locks.LockSupport;

/** Reading, writing, opening; {@link FifoTest} has what waits for long. */
@Timeout(60) // seconds a test; interrupts it
class RingFileTest {
    private static final int BIG = 300_000; // more than the native memory that a heap buffer takes

    @TempDir Path folder;

    private Path file(byte[] content) throws IOException {
        return Files.write(folder.resolve("file"), content);
    }

    private static byte[] randomBytes(Random random, int count) {
        byte[] bytes = new byte[count];
        random.nextBytes(bytes);
        return bytes;
    }

    private static <T> T in(ThreadKind thread, Callable<T> body) throws Exception {
        return start(thread, body).get();
    }

    // ---- read and write ----

    @ParameterizedTest
    @MethodSource("io.loomuring.file.Kind#andThreads")
    void shouldReadWhatWasWrittenWithEveryKindOfBuffer(Kind kind, ThreadKind thread)
            throws Exception {
        Path path = folder.resolve("file");
        byte[] model = new byte[2 * BIG];
        Seeds.withRandom(random ->
                in(
                        thread,
                        () -> {
                            try (RingFile file = kind.open(path, READ, WRITE, CREATE_NEW)) {
                                assertThat(file.write(ByteBuffer.wrap(model), 0))
                                        .isEqualTo(model.length);
                                for (int i = 0; i < 60; i++) {
                                    int lengthMax = i % 3 == 0 ? BIG : 5_000;
                                    writeSome(file, random, model, random.nextInt(lengthMax));
                                    readSome(file, random, model, random.nextInt(1, lengthMax));
                                }
                                file.force(true);
                                file.force(false);
                                assertThat(file.size()).isEqualTo(model.length);
                            }
                            return null;
                        }));
        assertThat(path).hasBinaryContent(model);
    }

    private static void writeSome(RingFile file, Random random, byte[] model, int length)
            throws IOException {
        int position = random.nextInt(model.length - length);
        byte[] bytes = randomBytes(random, length);
        ByteBuffer src = buffer(random, bytes);
        assertThat(file.write(src, position)).isEqualTo(length);
        assertThat(src.hasRemaining()).isFalse();
        System.arraycopy(bytes, 0, model, position, length);
    }

    private static void readSome(RingFile file, Random random, byte[] model, int length)
            throws IOException {
        int position = random.nextInt(model.length - length);
        ByteBuffer dst = buffer(random, new byte[length]);
        int start = dst.position();
        assertThat(file.read(dst, position)).isEqualTo(length);
        assertThat(dst.hasRemaining()).isFalse();
        byte[] read = new byte[length];
        dst.get(start, read);
        assertThat(Arrays.equals(read, 0, length, model, position, position + length)).isTrue();
    }

    /** Of some kind, with the bytes as what remains. */
    private static ByteBuffer buffer(Random random, byte[] bytes) {
        int before = random.nextInt(10);
        int size = before + bytes.length + random.nextInt(10);
        ByteBuffer buffer =
                switch (random.nextInt(4)) {
                    case 0 -> ByteBuffer.allocateDirect(size);
                    case 1 -> ByteBuffer.allocateDirect(size + 7).slice(7, size);
                    case 2 -> ByteBuffer.allocate(size);
                    default -> ByteBuffer.allocate(size + 7).slice(7, size);
                };
        return buffer.put(before, bytes).limit(before + bytes.length).position(before);
    }

    @ParameterizedTest
    @MethodSource("io.loomuring.file.Kind#andThreads")
    void shouldWriteFromAReadOnlyBuffer(Kind kind, ThreadKind thread) throws Exception {
        Path path = folder.resolve("file");
        in(
                thread,
                () -> {
                    try (RingFile file = kind.open(path, WRITE, CREATE)) {
                        return file.write(ByteBuffer.wrap(new byte[] {1, 2}).asReadOnlyBuffer(), 0);
                    }
                });
        assertThat(path).hasBinaryContent(new byte[] {1, 2});
    }

    @ParameterizedTest
    @MethodSource("io.loomuring.file.Kind#andThreads")
    void shouldReadLessAtTheEndAndThenSaySo(Kind kind, ThreadKind thread) throws Exception {
        Path path = file(new byte[BIG]);
        in(
                thread,
                () -> {
                    try (RingFile file = kind.open(path)) {
                        for (boolean direct : new boolean[] {true, false}) {
                            ByteBuffer dst =
                                    direct
                                            ? ByteBuffer.allocateDirect(BIG)
                                            : ByteBuffer.allocate(BIG);
                            assertThat(file.read(dst, BIG - 10)).isEqualTo(10);
                            assertThat(dst.position()).isEqualTo(10);
                            assertThat(file.read(dst, BIG)).isEqualTo(-1);
                            assertThat(file.read(dst, Long.MAX_VALUE / 2)).isEqualTo(-1);
                            assertThat(dst.position()).isEqualTo(10);
                            assertThat(file.read(dst.limit(10), 0)).isZero();
                        }
                        return null;
                    }
                });
    }

    @ParameterizedTest
    @MethodSource("io.loomuring.file.Kind#andThreads")
    void shouldReadAndWriteBehindFourGigabytes(Kind kind, ThreadKind thread) throws Exception {
        Path path = folder.resolve("file");
        long position = 5L << 30;
        in(
                thread,
                () -> {
                    try (RingFile file = kind.open(path, READ, WRITE, CREATE, SPARSE)) {
                        file.write(ByteBuffer.wrap(new byte[] {7, 8, 9}), position);
                        assertThat(file.size()).isEqualTo(position + 3);
                        ByteBuffer dst = ByteBuffer.allocate(4);
                        assertThat(file.read(dst, position - 1)).isEqualTo(4);
                        assertThat(dst.array()).containsExactly(0, 7, 8, 9);
                        return null;
                    }
                });
    }

    @ParameterizedTest
    @MethodSource("io.loomuring.file.Kind#andThreads")
    void shouldReadWhatIsNotInMemory(Kind kind, ThreadKind thread) throws Exception {
        byte[] content = randomBytes(new Random(1), BIG);
        Path path = file(content);
        byte[] read =
                in(
                        thread,
                        () -> {
                            try (RingFile file = kind.open(path)) {
                                ByteBuffer dst = ByteBuffer.allocate(BIG);
                                for (int i = 0; i < 2; i++) {
                                    forgetCached(path);
                                    assertThat(file.read(dst.clear(), 0)).isEqualTo(BIG);
                                    assertThat(dst.array()).isEqualTo(content);
                                }
                                return dst.array();
                            }
                        });
        assertThat(read).isEqualTo(content);
    }

    private static void forgetCached(Path path) throws IOException {
        try (FileChannel channel = FileChannel.open(path, READ, WRITE)) {
            channel.force(true);
            Libc.posix_fadvise(Descriptors.of(path), 0, 0, Libc.POSIX_FADV_DONTNEED);
        }
    }

    @ParameterizedTest
    @MethodSource("io.loomuring.file.Kind#andThreads")
    void shouldAppendWhateverThePosition(Kind kind, ThreadKind thread) throws Exception {
        Path path = file(new byte[] {1, 2});
        in(
                thread,
                () -> {
                    try (RingFile file = kind.open(path, APPEND)) {
                        file.write(ByteBuffer.wrap(new byte[] {3}), 0);
                        return file.write(ByteBuffer.wrap(new byte[] {4}), 0);
                    }
                });
        assertThat(path).hasBinaryContent(new byte[] {1, 2, 3, 4});
    }

    @ParameterizedTest
    @MethodSource("io.loomuring.file.Kind#andThreads")
    void shouldServeManyThreadsAtATime(Kind kind, ThreadKind thread) throws Exception {
        byte[] content = randomBytes(new Random(1), BIG);
        Path path = file(content);
        int threads = 100;
        int part = BIG / threads;
        try (RingFile file = kind.open(path, READ, WRITE)) {
            List<Attempt<byte[]>> attempts = new ArrayList<>();
            for (int i = 0; i < threads; i++) {
                int position = i * part;
                attempts.add(
                        start(
                                thread,
                                () -> {
                                    ByteBuffer dst = ByteBuffer.allocate(part);
                                    for (int round = 0; round < 20; round++) {
                                        file.read(dst.clear(), position);
                                        file.write(dst.flip(), position);
                                        file.size();
                                    }
                                    return dst.array();
                                }));
            }
            for (int i = 0; i < threads; i++) {
                assertThat(attempts.get(i).get())
                        .isEqualTo(Arrays.copyOfRange(content, i * part, (i + 1) * part));
            }
        }
        assertThat(path).hasBinaryContent(content);
    }

    @ParameterizedTest
    @EnumSource
    void shouldReadAllBytes(ThreadKind thread) throws Exception {
        var random = new Random(1);
        for (int size : new int[] {0, 1, 200, 8191, 8192, 8193, 16384, BIG}) {
            byte[] content = randomBytes(random, size);
            Path path = file(content);
            assertThat(in(thread, () -> RingFile.readAllBytes(path))).isEqualTo(content);
        }
        byte[] proc = in(thread, () -> RingFile.readAllBytes(Path.of("/proc/filesystems")));
        assertThat(proc).isEqualTo(Files.readAllBytes(Path.of("/proc/filesystems")));
    }

    @ParameterizedTest
    @EnumSource
    void shouldReadAPinnedThreadsFile(Pin pin) throws Exception {
        byte[] content = randomBytes(new Random(1), BIG);
        Path path = file(content);
        forgetCached(path);
        assertThat(in(ThreadKind.VIRTUAL, () -> pin.call(() -> RingFile.readAllBytes(path))))
                .isEqualTo(content);
    }

    // ---- status ----

    @ParameterizedTest
    @EnumSource
    void shouldSayAFilesStatusAsTheJdkDoes(ThreadKind thread) throws Exception {
        Path file = file(new byte[BIG]);
        Instant modified = Instant.ofEpochSecond(7, 5_000);
        Files.setLastModifiedTime(file, FileTime.from(modified));
        Path link = Files.createSymbolicLink(folder.resolve("link"), file);
        Path fifo = Fifo.create(folder, "fifo");
        for (Path path : List.of(file, folder, link, fifo, Path.of("/dev/null"))) {
            assertThat(in(thread, () -> RingFile.status(path))).isEqualTo(JdkFile.statusOf(path));
        }
        assertThat(JdkFile.statusOf(file).size()).isEqualTo(BIG);
        assertThat(JdkFile.statusOf(file).modified()).isEqualTo(modified);
    }

    @ParameterizedTest
    @EnumSource
    void shouldHaveAnotherStatusOnceTheFileHasChanged(ThreadKind thread) throws Exception {
        Path path = file(new byte[] {1});
        FileTime written = Files.getLastModifiedTime(path);
        RingFile.Status first = in(thread, () -> RingFile.status(path));
        assertThat(in(thread, () -> RingFile.status(path))).isEqualTo(first);

        Path other = Files.write(folder.resolve("other"), new byte[] {2});
        Files.setLastModifiedTime(other, written);
        Files.move(other, path, StandardCopyOption.REPLACE_EXISTING);
        RingFile.Status replaced = in(thread, () -> RingFile.status(path));
        assertThat(replaced.inode()).isNotEqualTo(first.inode());

        Files.setPosixFilePermissions(path, Set.of());
        RingFile.Status closed = in(thread, () -> RingFile.status(path));
        assertThat(closed.mode()).isEqualTo(replaced.mode() & ~0777);
        assertThat(closed.changed()).isAfterOrEqualTo(replaced.changed());
    }

    @ParameterizedTest
    @EnumSource
    void shouldFailToSayAStatusAsTheJdkDoes(ThreadKind thread) throws Exception {
        Path present = file(new byte[1]);
        Path loop = folder.resolve("loop");
        Files.createSymbolicLink(loop, loop);
        for (Path path :
                List.of(
                        folder.resolve("missing"),
                        present.resolve("file"),
                        loop,
                        folder.resolve("x".repeat(300)),
                        folder.resolve("x/".repeat(3_000)))) {
            Throwable expected = start(ThreadKind.PLATFORM, () -> JdkFile.statusOf(path)).failure();
            assertThat(start(thread, () -> RingFile.status(path)).failure())
                    .isExactlyInstanceOf(expected.getClass())
                    .hasMessage(expected.getMessage());
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldSayAPinnedThreadsFilesStatus(Pin pin) throws Exception {
        Path path = file(new byte[1]);
        assertThat(in(ThreadKind.VIRTUAL, () -> pin.call(() -> RingFile.status(path))))
                .isEqualTo(JdkFile.statusOf(path));
    }

    // ---- open ----

    /** What can't be opened, each with the exception's type as both say it. */
    private Map<String, Callable<RingFile>> failures(Kind kind) throws IOException {
        Path present = Files.write(folder.resolve("present"), new byte[1]);
        Path link = Files.createSymbolicLink(folder.resolve("link"), present);
        Path loop = folder.resolve("loop");
        Files.createSymbolicLink(loop, loop);
        Path readOnly = Path.of("/sys/kernel/uevent_seqnum"); // for root, too
        return Map.of(
                "missing", () -> kind.open(folder.resolve("missing")),
                "present", () -> kind.open(present, WRITE, CREATE_NEW),
                "folder is present", () -> kind.open(folder, WRITE, CREATE_NEW),
                "no folder", () -> kind.open(present.resolve("file")),
                "folder", () -> kind.open(folder, WRITE),
                "link", () -> kind.open(link, READ, LinkOption.NOFOLLOW_LINKS),
                "loop", () -> kind.open(loop),
                "read only", () -> kind.open(readOnly, WRITE),
                "long", () -> kind.open(folder.resolve("x/".repeat(3_000))),
                "long name", () -> kind.open(folder.resolve("x".repeat(300))));
    }

    @ParameterizedTest
    @EnumSource
    void shouldFailToOpenAsTheJdkDoes(ThreadKind thread) throws Exception {
        Map<String, Callable<RingFile>> theirs = failures(Kind.JDK);
        for (Path path : List.of("link", "loop").stream().map(folder::resolve).toList()) {
            Files.delete(path);
        }
        Map<String, Callable<RingFile>> ours = failures(Kind.OURS);
        for (String what : ours.keySet()) {
            Throwable expected = start(ThreadKind.PLATFORM, theirs.get(what)).failure();
            assertThat(start(thread, ours.get(what)).failure())
                    .as(what)
                    .isInstanceOf(expected.getClass())
                    .hasMessageEndingWith(expected.getMessage()); // the JDK's lacks a path once
        }
        assertThat(start(thread, ours.get("missing")).failure())
                .isExactlyInstanceOf(NoSuchFileException.class);
        assertThat(start(thread, ours.get("present")).failure())
                .isExactlyInstanceOf(FileAlreadyExistsException.class);
        assertThat(start(thread, ours.get("read only")).failure())
                .isExactlyInstanceOf(AccessDeniedException.class);
        assertThat(start(thread, ours.get("folder")).failure()).hasMessageContaining("directory");
    }

    @ParameterizedTest
    @MethodSource("io.loomuring.file.Kind#andThreads")
    void shouldSayWhatTheDiskSays(Kind kind, ThreadKind thread) throws Exception {
        try (RingFile full = kind.open(Path.of("/dev/full"), WRITE);
                RingFile directory = kind.open(folder)) {
            for (ByteBuffer one : List.of(ByteBuffer.allocate(1), ByteBuffer.allocateDirect(1))) {
                assertThat(start(thread, () -> full.write(one, 0)).failure())
                        .isInstanceOf(IOException.class)
                        .hasMessageContaining("No space left on device");
                assertThat(one.position()).isZero();
                assertThat(start(thread, () -> directory.read(one, 0)).failure())
                        .isInstanceOf(IOException.class)
                        .hasMessageContaining("Is a directory");
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldNameTheRemedyWhenThereIsNoDescriptorLeft(ThreadKind thread) throws Exception {
        Path path = file(new byte[1]);
        Callable<RingFile> open = () -> Kind.OURS.open(path);
        start(thread, () -> Kind.OURS.open(folder.resolve("missing"))).failure(); // loads classes
        start(thread, open).get().close();
        Throwable failure;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment before = arena.allocate(ValueLayout.JAVA_LONG, 2);
            MemorySegment none = arena.allocate(ValueLayout.JAVA_LONG, 2);
            Libc.prlimit(0, Libc.RLIMIT_NOFILE, 0, before.address());
            none.setAtIndex(ValueLayout.JAVA_LONG, 1, before.getAtIndex(ValueLayout.JAVA_LONG, 1));
            Libc.prlimit(0, Libc.RLIMIT_NOFILE, none.address(), 0);
            try {
                failure = start(thread, open).failure();
            } finally {
                Libc.prlimit(0, Libc.RLIMIT_NOFILE, before.address(), 0);
            }
        }
        assertThat(failure)
                .isExactlyInstanceOf(FileSystemException.class)
                .hasMessageContaining("Too many open files")
                .hasMessageContaining("ulimit -n");
        start(thread, open).get().close();
    }

    @ParameterizedTest
    @MethodSource("io.loomuring.file.Kind#andThreads")
    void shouldCreateWithPermissions(Kind kind, ThreadKind thread) throws Exception {
        Path path = folder.resolve("file");
        Set<PosixFilePermission> permissions = PosixFilePermissions.fromString("r-x--x---");
        in(
                thread,
                () -> {
                    kind.open(
                                    path,
                                    Set.<OpenOption>of(WRITE, CREATE_NEW),
                                    PosixFilePermissions.asFileAttribute(permissions))
                            .close();
                    return null;
                });
        assertThat(Files.getPosixFilePermissions(path)).isEqualTo(permissions);
    }

    @ParameterizedTest
    @MethodSource("io.loomuring.file.Kind#andThreads")
    void shouldTruncateIfOpenedToWrite(Kind kind, ThreadKind thread) throws Exception {
        Path path = file(new byte[9]);
        in(
                thread,
                () -> {
                    try (RingFile file = kind.open(path, READ, TRUNCATE_EXISTING, CREATE)) {
                        assertThat(file.size()).isEqualTo(9);
                    }
                    try (RingFile file = kind.open(path, WRITE, TRUNCATE_EXISTING, DSYNC)) {
                        assertThat(file.size()).isZero();
                    }
                    return null;
                });
    }

    @ParameterizedTest
    @EnumSource
    void shouldRefuseWhatMakesNoSense(Kind kind) throws Exception {
        Path path = file(new byte[1]);
        assertThatThrownBy(() -> kind.open(path, READ, APPEND))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> kind.open(path, APPEND, TRUNCATE_EXISTING))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> kind.open(path, DELETE_ON_CLOSE))
                .isInstanceOf(UnsupportedOperationException.class)
                .hasMessageContaining("DELETE_ON_CLOSE");
        ByteBuffer buffer = ByteBuffer.allocate(1);
        try (RingFile reader = kind.open(path);
                RingFile writer = kind.open(path, WRITE)) {
            assertThatThrownBy(() -> reader.write(buffer, 0))
                    .isInstanceOf(NonWritableChannelException.class);
            assertThatThrownBy(() -> writer.read(buffer, 0))
                    .isInstanceOf(NonReadableChannelException.class);
            assertThatThrownBy(() -> reader.read(buffer, -1))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> reader.read(buffer.asReadOnlyBuffer(), 0))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> reader.read(null, 0)).isInstanceOf(NullPointerException.class);
        }
    }

    @Test
    void shouldOpenWhatIsInAnotherFileSystem() throws Exception {
        Path zip = folder.resolve("file.zip");
        try (FileSystem files =
                FileSystems.newFileSystem(
                        URI.create("jar:" + zip.toUri()), Map.of("create", "true"))) {
            Path inside = files.getPath("/ü");
            Files.write(inside, new byte[] {1, 2, 3});
            assertThat(RingFile.readAllBytes(inside)).containsExactly(1, 2, 3);
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldFindRelativePathsAndOtherScripts(ThreadKind thread) throws Exception {
        Path path = Files.write(folder.resolve("über 山"), new byte[] {1, 2, 3});
        Path relative = Path.of("").toAbsolutePath().relativize(path.toRealPath());
        assertThat(in(thread, () -> RingFile.readAllBytes(path))).containsExactly(1, 2, 3);
        assertThat(in(thread, () -> RingFile.readAllBytes(relative))).containsExactly(1, 2, 3);
    }

    /** Another process may hold a lease, and has some time to give it up: that is no error. */
    @ParameterizedTest
    @EnumSource
    void shouldWaitForALease(ThreadKind thread) throws Exception {
        Path path = file(new byte[] {1});
        try (FileChannel holder = FileChannel.open(path, READ)) {
            int fd = Descriptors.of(path);
            Libc.fcntl(fd, Libc.F_SETSIG, Libc.SIGURG); // the default would end this process
            Libc.fcntl(fd, Libc.F_SETLEASE, Libc.F_RDLCK);
            var attempt = start(thread, () -> Kind.OURS.open(path, WRITE)).awaitBlocked();
            assertThat(attempt.isDone()).isFalse();
            Libc.fcntl(fd, Libc.F_SETLEASE, Libc.F_UNLCK);
            attempt.get().close();
            assertThat(holder.isOpen()).isTrue();
        }
    }

    // ---- close ----

    @ParameterizedTest
    @MethodSource("io.loomuring.file.Kind#andThreads")
    void shouldFailAfterClose(Kind kind, ThreadKind thread) throws Exception {
        Path path = file(new byte[1]);
        RingFile file = kind.open(path, READ, WRITE);
        assertThat(file.isOpen()).isTrue();
        assertThat(Descriptors.of(path)).isNotNegative();
        in(
                thread,
                () -> {
                    file.close();
                    file.close();
                    return null;
                });
        assertThat(file.isOpen()).isFalse();
        assertThat(Descriptors.of(path)).isNegative();
        ByteBuffer buffer = ByteBuffer.allocate(1);
        for (Callable<?> call :
                List.<Callable<?>>of(
                        () -> file.read(buffer, 0),
                        () -> file.write(buffer, 0),
                        file::size,
                        () -> {
                            file.force(true);
                            return null;
                        })) {
            assertThat(start(thread, call).failure())
                    .isExactlyInstanceOf(ClosedChannelException.class);
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldNotBeInheritedByPrograms(ThreadKind thread) throws Exception {
        Path path = file(new byte[1]);
        try (RingFile file = in(thread, () -> Kind.OURS.open(path))) {
            assertThat(Descriptors.isClosedOnExec(Descriptors.of(path))).isTrue();
            assertThat(file.isOpen()).isTrue();
        }
    }

    @ParameterizedTest
    @MethodSource("io.loomuring.file.Kind#andThreads")
    void shouldBeClosedWhenItIsDropped(Kind kind, ThreadKind thread) throws Exception {
        Path path = file(new byte[1]);
        var dropped = new ArrayList<WeakReference<RingFile>>();
        in(
                thread,
                () -> {
                    for (int i = 0; i < 10; i++) {
                        RingFile file = kind.open(path);
                        file.size();
                        dropped.add(new WeakReference<>(file));
                    }
                    return null;
                });
        Await.collected("files", dropped);
        Await.until("closed", () -> Descriptors.of(path) < 0);
    }

    /** Each attempt of a thread either succeeds or fails by the close; the descriptor goes once. */
    @ParameterizedTest
    @MethodSource("io.loomuring.file.Kind#andThreads")
    void shouldReadTheRightBytesOrFailWhileAnotherThreadCloses(Kind kind, ThreadKind thread)
            throws Exception {
        Path path = file(new byte[] {42});
        Path other = Files.write(folder.resolve("other"), new byte[] {0});
        for (int round = 0; round < 200; round++) {
            RingFile file = kind.open(path);
            List<Attempt<Integer>> attempts = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                boolean sized = i % 2 == 0;
                attempts.add(
                        start(
                                thread,
                                () -> {
                                    ByteBuffer dst = ByteBuffer.allocate(1);
                                    int calls = 0;
                                    try {
                                        while (true) {
                                            assertThat(file.read(dst.clear(), 0)).isEqualTo(1);
                                            assertThat(dst.get(0)).isEqualTo((byte) 42);
                                            if (sized) {
                                                assertThat(file.size()).isEqualTo(1);
                                            }
                                            calls++;
                                        }
                                    } catch (ClosedChannelException e) {
                                        return calls;
                                    }
                                }));
            }
            LockSupport.parkNanos(100_000L * (round % 3));
            file.close();
            // takes the number at once: whoever still used it would read the wrong byte
            try (FileChannel taker = FileChannel.open(other)) {
                for (Attempt<Integer> attempt : attempts) {
                    attempt.get();
                }
                assertThat(taker.isOpen()).isTrue();
            }
        }
        assertThat(Descriptors.of(path)).isNegative();
    }
}
