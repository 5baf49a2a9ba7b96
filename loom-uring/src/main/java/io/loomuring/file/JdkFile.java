package io.loomuring.file;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.FileTime;
import java.util.Map;
import java.util.Set;

/** Where there are no rings: the JDK's channel of the file. */
final class JdkFile extends RingFile {
    private final FileChannel channel;
    private final boolean stream; // has no positions

    private JdkFile(FileChannel channel, OpenMode mode) {
        super(mode);
        this.channel = channel;
        stream = !hasPosition(channel);
    }

    static RingFile open(
            Path path,
            OpenMode mode,
            Set<? extends OpenOption> options,
            FileAttribute<?>... attributes)
            throws IOException {
        return new JdkFile(FileChannel.open(path, options, attributes), mode);
    }

    static Status statusOf(Path path) throws IOException {
        Map<String, Object> attributes =
                Files.readAttributes(path, "unix:dev,ino,mode,size,lastModifiedTime,ctime");
        return new Status(
                (long) attributes.get("dev"),
                (long) attributes.get("ino"),
                (int) attributes.get("mode"),
                (long) attributes.get("size"),
                ((FileTime) attributes.get("lastModifiedTime")).toInstant(),
                ((FileTime) attributes.get("ctime")).toInstant());
    }

    private static boolean hasPosition(FileChannel channel) {
        try {
            channel.position();
            return true;
        } catch (IOException e) { // ESPIPE
            return false;
        }
    }

    @Override
    public long size() throws IOException {
        return channel.size();
    }

    @Override
    int implRead(ByteBuffer dst, long position) throws IOException {
        return stream ? channel.read(dst) : channel.read(dst, position);
    }

    @Override
    int implWrite(ByteBuffer src, long position) throws IOException {
        return stream ? channel.write(src) : channel.write(src, position);
    }

    @Override
    public void force(boolean metaData) throws IOException {
        channel.force(metaData);
    }

    @Override
    public boolean isOpen() {
        return channel.isOpen();
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
