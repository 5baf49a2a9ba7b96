package io.loomuring.it.program;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.nio.file.StandardOpenOption.CREATE_NEW;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;

import io.loomuring.file.RingFile;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Threads that write a file each, named by a number in a folder, and read it again; prints the
 * class of the files, and how many threads found what they had written. Arguments: the folder, how
 * many threads.
 */
public final class FileProbe {
    private FileProbe() {}

    private static int right; // guarded by the class

    public static void main(String[] arguments) throws Exception {
        Path folder = Path.of(arguments[0]);
        int threads = Integer.parseInt(arguments[1]);
        List<Thread> all = new ArrayList<>();
        for (int i = 0; i < threads; i++) {
            Path path = folder.resolve("file" + i);
            Runnable body = () -> use(path);
            all.add(
                    i % 10 == 9
                            ? Thread.ofPlatform().start(body)
                            : Thread.startVirtualThread(body));
        }
        for (Thread thread : all) {
            thread.join();
        }
        try (RingFile file = RingFile.open(folder.resolve("file0"))) {
            System.out.println("kind=" + file.getClass().getSimpleName());
        }
        synchronized (FileProbe.class) {
            System.out.println("right=" + right);
        }
    }

    private static void use(Path path) {
        byte[] name = path.toString().getBytes(UTF_8);
        try (RingFile file = RingFile.open(path, READ, WRITE, CREATE_NEW)) {
            file.write(ByteBuffer.wrap(name), 0);
            file.force(false);
            ByteBuffer dst = ByteBuffer.allocateDirect(name.length + 1);
            boolean same =
                    file.read(dst, 0) == name.length
                            && dst.flip().equals(ByteBuffer.wrap(name))
                            && file.size() == name.length;
            synchronized (FileProbe.class) {
                right += same ? 1 : 0;
            }
        } catch (IOException e) {
            System.out.println(e);
        }
    }
}
