package io.loomuring.abi;

import static io.loomuring.abi.SocketAbi.*;

/**
 * A {@code struct msghdr} for one datagram, in {@link #SIZE} bytes of native memory that start at
 * zero and are aligned to 8:
 *
 * <pre>
 *     0               IOV              NAME                SIZE
 *     | struct msghdr | struct iovec   | struct sockaddr_storage
 * </pre>
 */
public final class Message {
    private Message() {}

    private static final int IOV = SIZEOF_MSGHDR;
    private static final int NAME = IOV + SIZEOF_IOVEC;

    /** Bytes that it takes. */
    public static final int SIZE = NAME + SIZEOF_SOCKADDR_STORAGE;

    /** Ties the parts together, once. */
    public static void init(long message) {
        Memory.putLong(message + MSGHDR_NAME, message + NAME);
        Memory.putLong(message + MSGHDR_IOV, message + IOV);
        Memory.putLong(message + MSGHDR_IOVLEN, 1);
    }

    /** Says where the content is, or is to go. */
    public static void data(long message, long address, int length) {
        Memory.putLong(message + IOV + IOVEC_BASE, address);
        Memory.putLong(message + IOV + IOVEC_LEN, length);
    }

    /** Where the address is. */
    public static long name(long message) {
        return message + NAME;
    }

    /** Bytes of the address: of one to send to; or how much room there is for a sender's. */
    public static void nameLength(long message, int length) {
        Memory.putInt(message + MSGHDR_NAMELEN, length);
    }

    /** Bytes of the address that the kernel has written. */
    public static int nameLength(long message) {
        return Memory.getInt(message + MSGHDR_NAMELEN);
    }
}
