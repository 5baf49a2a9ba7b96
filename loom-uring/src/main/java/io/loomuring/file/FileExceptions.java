package io.loomuring.file;

import static io.loomuring.abi.Errno.*;

import io.loomuring.abi.Errno;

import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Set;

/**
 * The one place where a {@code -errno} of a file becomes an exception, with the JDK's types and
 * words ({@code sun.nio.fs.UnixException}).
 */
final class FileExceptions {
    private FileExceptions() {}

    /** A file that can't be opened. */
    static FileSystemException open(Path path, OpenMode mode, int result) {
        String file = path.toString();
        return switch (-result) {
            case EACCES -> new AccessDeniedException(file);
            case ENOENT -> new NoSuchFileException(file);
            case EEXIST -> new FileAlreadyExistsException(file);
            case EISDIR ->
                    mode.createsNew() ? new FileAlreadyExistsException(file) : io(path, result);
            case ELOOP ->
                    failed(
                            file,
                            Errno.message(result)
                                    + (mode.followsLinks()
                                            ? " or unable to access attributes of symbolic link"
                                            : " (NOFOLLOW_LINKS specified)"));
            case EMFILE ->
                    failed(
                            file,
                            Errno.message(result) + " (close some, or raise the limit: ulimit -n)");
            default -> io(path, result);
        };
    }

    /** A file whose status can't be had. */
    static FileSystemException status(Path path, int result) {
        return result == -ENOTDIR
                ? new NoSuchFileException(path.toString())
                : open(path, OpenMode.of(Set.of()), result);
    }

    /** A failed call on an open file. */
    static FileSystemException io(Path path, int result) {
        assert result < 0 && result != -ECANCELED : result;
        return failed(path.toString(), Errno.message(result));
    }

    private static FileSystemException failed(String file, String reason) {
        return new FileSystemException(file, null, reason);
    }
}
