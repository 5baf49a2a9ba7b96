package io.loomuring.abi;

import static io.loomuring.abi.SocketAbi.*;
import static io.loomuring.abi.TlsAbi.*;

import java.nio.ByteBuffer;

/**
 * A {@code struct msghdr} for one TLS record and its type, which a control message has, in a block
 * of native memory that is aligned to 8:
 *
 * <pre>
 *     0               IOV            CONTROL                     CONTENT
 *     | struct msghdr | struct iovec | struct cmsghdr, the type  | content ...
 * </pre>
 */
public final class TlsMessage {
    private TlsMessage() {}

    private static final int IOV = SIZEOF_MSGHDR;
    private static final int CONTROL = IOV + SIZEOF_IOVEC;
    private static final int CONTROL_SPACE = SIZEOF_CMSGHDR + Long.BYTES; // CMSG_SPACE(1)
    private static final int CONTROL_LENGTH = SIZEOF_CMSGHDR + 1; // CMSG_LEN(1)
    private static final int CONTENT = CONTROL + CONTROL_SPACE;

    /** Content of a record at most, RFC 8446 5.1. */
    private static final int CONTENT_MAX = 1 << 14;

    private static final int APPLICATION_DATA = 23;

    /** For {@code recvmsg(2)} into a block of so many bytes. */
    public static void prepareReceive(long block, int size) {
        assert size >= CONTENT + CONTENT_MAX : size;
        prepare(block, CONTENT_MAX);
    }

    /**
     * For {@code sendmsg(2)}.
     *
     * @param buffer the same block
     */
    public static void prepareSend(long block, ByteBuffer buffer, int type, byte[] content) {
        prepare(block, content.length);
        Memory.putLong(block + CONTROL + CMSGHDR_LEN, CONTROL_LENGTH);
        Memory.putInt(block + CONTROL + CMSGHDR_LEVEL, SOL_TLS);
        Memory.putInt(block + CONTROL + CMSGHDR_TYPE, TLS_SET_RECORD_TYPE);
        Memory.putByte(block + CONTROL + SIZEOF_CMSGHDR, (byte) type);
        buffer.put(CONTENT, content);
    }

    private static void prepare(long block, int length) {
        Memory.putLong(block + MSGHDR_NAME, 0);
        Memory.putInt(block + MSGHDR_NAMELEN, 0);
        Memory.putLong(block + MSGHDR_IOV, block + IOV);
        Memory.putLong(block + MSGHDR_IOVLEN, 1);
        Memory.putLong(block + MSGHDR_CONTROL, block + CONTROL);
        Memory.putLong(block + MSGHDR_CONTROLLEN, CONTROL_SPACE);
        Memory.putLong(block + IOV + IOVEC_BASE, block + CONTENT);
        Memory.putLong(block + IOV + IOVEC_LEN, length);
    }

    /**
     * The type of what {@code recvmsg(2)} has received.
     *
     * @param received what it returned
     * @return the type, or {@code received} if it is an error
     */
    public static int type(long block, int received) {
        if (received < 0) {
            return received;
        }
        boolean typed =
                Memory.getLong(block + MSGHDR_CONTROLLEN) >= CONTROL_LENGTH
                        && Memory.getInt(block + CONTROL + CMSGHDR_LEVEL) == SOL_TLS
                        && Memory.getInt(block + CONTROL + CMSGHDR_TYPE) == TLS_GET_RECORD_TYPE;
        return typed ? Memory.getByte(block + CONTROL + SIZEOF_CMSGHDR) & 0xff : APPLICATION_DATA;
    }

    /**
     * The content of what was received; nothing of it stays in the block.
     *
     * @param buffer the block
     */
    public static ByteBuffer content(ByteBuffer buffer, int received) {
        byte[] content = new byte[Math.max(0, received)];
        buffer.get(CONTENT, content);
        for (int i = 0; i < content.length; i++) {
            buffer.put(CONTENT + i, (byte) 0);
        }
        return ByteBuffer.wrap(content);
    }
}
