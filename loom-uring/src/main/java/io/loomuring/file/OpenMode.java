package io.loomuring.file;

import static io.loomuring.abi.FileAbi.*;

import java.nio.file.LinkOption;
import java.nio.file.OpenOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.util.Set;

/**
 * What options mean to {@code openat(2)}, with the JDK's rules of which go together ({@code
 * sun.nio.fs.UnixChannelFactory}).
 *
 * @param flags {@code O_...}
 */
record OpenMode(int flags) {
    private static final int ACCESS = O_WRONLY | O_RDWR;
    private static final int EVERYBODY_MAY_READ_AND_WRITE = 0666; // but for the umask

    static OpenMode of(Set<? extends OpenOption> options) {
        boolean read = options.contains(StandardOpenOption.READ);
        boolean append = options.contains(StandardOpenOption.APPEND);
        boolean write = append || options.contains(StandardOpenOption.WRITE);
        if (read && append) {
            throw new IllegalArgumentException("READ + APPEND not allowed");
        }
        if (append && options.contains(StandardOpenOption.TRUNCATE_EXISTING)) {
            throw new IllegalArgumentException("APPEND + TRUNCATE_EXISTING not allowed");
        }
        int flags = write ? (read ? O_RDWR : O_WRONLY) : O_RDONLY;
        for (OpenOption option : options) {
            int flag = flag(option);
            flags |= write || flag == O_SYNC || flag == O_DSYNC || flag == O_NOFOLLOW ? flag : 0;
        }
        return new OpenMode(flags);
    }

    private static int flag(OpenOption option) {
        return switch (option) {
            case StandardOpenOption standard ->
                    switch (standard) {
                        case READ, WRITE, SPARSE -> 0;
                        case APPEND -> O_APPEND;
                        case TRUNCATE_EXISTING -> O_TRUNC;
                        case CREATE -> O_CREAT;
                        case CREATE_NEW -> O_CREAT | O_EXCL;
                        case SYNC -> O_SYNC;
                        case DSYNC -> O_DSYNC;
                        case DELETE_ON_CLOSE -> throw notSupported(option);
                    };
            case LinkOption.NOFOLLOW_LINKS -> O_NOFOLLOW;
            default -> throw notSupported(option);
        };
    }

    private static UnsupportedOperationException notSupported(OpenOption option) {
        return new UnsupportedOperationException(option + " not supported");
    }

    boolean readable() {
        return (flags & ACCESS) != O_WRONLY;
    }

    boolean writable() {
        return (flags & ACCESS) != O_RDONLY;
    }

    /** Whether the file must not be there before. */
    boolean createsNew() {
        return (flags & O_EXCL) != 0;
    }

    boolean followsLinks() {
        return (flags & O_NOFOLLOW) == 0;
    }

    /** The mode of a file that is created, as {@code openat(2)} takes it. */
    static int permissions(FileAttribute<?>... attributes) {
        int mode = EVERYBODY_MAY_READ_AND_WRITE;
        for (FileAttribute<?> attribute : attributes) {
            if (!attribute.name().equals("posix:permissions")) {
                throw new UnsupportedOperationException(
                        "'" + attribute.name() + "' not supported as initial attribute");
            }
            mode = 0;
            for (Object permission : (Set<?>) attribute.value()) {
                mode |= bit((PosixFilePermission) permission);
            }
        }
        return mode;
    }

    private static int bit(PosixFilePermission permission) {
        return switch (permission) {
            case OWNER_READ -> 0400;
            case OWNER_WRITE -> 0200;
            case OWNER_EXECUTE -> 0100;
            case GROUP_READ -> 0040;
            case GROUP_WRITE -> 0020;
            case GROUP_EXECUTE -> 0010;
            case OTHERS_READ -> 0004;
            case OTHERS_WRITE -> 0002;
            case OTHERS_EXECUTE -> 0001;
        };
    }
}
