package io.loomuring.net;

import static io.loomuring.abi.Errno.*;
import static io.loomuring.abi.TlsAbi.*;

import static java.util.concurrent.TimeUnit.MILLISECONDS;

import io.loomuring.abi.Memory;
import io.loomuring.abi.Native;
import io.loomuring.carrier.Scratch;
import io.loomuring.jdk.SunNet;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;

/**
 * TLS in the kernel, of a connected socket of ours: Linux' Documentation/networking/tls.rst. The
 * handshake is somebody else's, who brings the keys of one direction or of both. From then on what
 * the socket's own streams write is sealed, and {@link #read} gives what was opened.
 *
 * <p>Once {@linkplain #attach attached} it is for the connection's whole life. A direction is used
 * by one thread at a time, as the socket's streams are; interrupts, timeouts and close do to it
 * what they do to those.
 */
public final class KernelTls {
    /** What the kernel can seal with. Sizes in bytes. */
    public enum Cipher {
        AES_GCM_128(
                TLS_CIPHER_AES_GCM_128,
                TLS_CIPHER_AES_GCM_128_IV_SIZE,
                TLS_CIPHER_AES_GCM_128_KEY_SIZE,
                TLS_CIPHER_AES_GCM_128_SALT_SIZE,
                SIZEOF_TLS12_CRYPTO_INFO_AES_GCM_128),
        AES_GCM_256(
                TLS_CIPHER_AES_GCM_256,
                TLS_CIPHER_AES_GCM_256_IV_SIZE,
                TLS_CIPHER_AES_GCM_256_KEY_SIZE,
                TLS_CIPHER_AES_GCM_256_SALT_SIZE,
                SIZEOF_TLS12_CRYPTO_INFO_AES_GCM_256),
        CHACHA20_POLY1305(
                TLS_CIPHER_CHACHA20_POLY1305,
                TLS_CIPHER_CHACHA20_POLY1305_IV_SIZE,
                TLS_CIPHER_CHACHA20_POLY1305_KEY_SIZE,
                TLS_CIPHER_CHACHA20_POLY1305_SALT_SIZE,
                SIZEOF_TLS12_CRYPTO_INFO_CHACHA20_POLY1305);

        private final int type;
        private final int ivSize;
        private final int keySize;
        private final int saltSize;
        private final int infoSize;

        Cipher(int type, int ivSize, int keySize, int saltSize, int infoSize) {
            this.type = type;
            this.ivSize = ivSize;
            this.keySize = keySize;
            this.saltSize = saltSize;
            this.infoSize = infoSize;
        }
    }

    /** A direction of the connection. */
    public enum Direction {
        SEND(TLS_TX),
        RECEIVE(TLS_RX);

        private final int option;

        Direction(int option) {
            this.option = option;
        }
    }

    /**
     * A record that was received.
     *
     * @param type of RFC 8446 5.1, or {@code -errno} if it can't be had
     */
    public record TypedRecord(int type, ByteBuffer content) {}

    private final Socket socket;
    private final StreamSocket stream;

    private KernelTls(Socket socket, StreamSocket stream) {
        this.socket = socket;
        this.stream = stream;
    }

    private static final class Availability {
        static final boolean AVAILABLE = Native.lu_has_upper_layer("tls") == 1;
    }

    private record Settings(boolean allowed, boolean zeroCopy, boolean noPad) {}

    private static volatile Settings settings = new Settings(false, false, false);

    /**
     * Allows it, once there are sockets of ours.
     *
     * @param zeroCopy files that are sent are promised not to change ({@code TLS_TX_ZEROCOPY_RO})
     * @param noPad peers are promised not to pad records ({@code TLS_RX_EXPECT_NO_PAD})
     */
    public static void use(boolean allowed, boolean zeroCopy, boolean noPad) {
        settings = new Settings(allowed, zeroCopy, noPad);
    }

    /** Whether it may be used: there are sockets of ours, and nobody switched it off. */
    public static boolean isAllowed() {
        return settings.allowed;
    }

    /** Whether the kernel can do it, too: asked once. */
    public static boolean isAvailable() {
        return settings.allowed && Availability.AVAILABLE;
    }

    /** Null: the socket is none of ours, or not in blocking mode. */
    public static KernelTls of(Socket socket) {
        StreamSocket stream =
                socket instanceof ChannelSocket adaptor
                        ? adaptor.stream()
                        : SunNet.implOf(socket) instanceof UringSocketImpl impl
                                ? impl.connection()
                                : null;
        return stream != null && stream.blocking ? new KernelTls(socket, stream) : null;
    }

    /** Whether a receive failed because of a record, not of the connection. */
    static boolean isAboutRecord(int n) {
        return n == -EIO || n == -EBADMSG || n == -EMSGSIZE || n == -EINVAL || n == -EKEYEXPIRED;
    }

    /**
     * Puts TLS on top of TCP; nothing changes yet.
     *
     * @return 0 or {@code -errno}
     */
    public int attach() throws IOException {
        byte[] name = {'t', 'l', 's'};
        Scratch scratch = Scratch.take();
        try {
            scratch.buffer.put(0, name);
            return stream.setOption(SOL_TCP, TCP_ULP, scratch.address, name.length);
        } finally {
            scratch.release();
        }
    }

    /**
     * Gives the kernel a direction's keys, or the next ones in TLS 1.3 (Linux 6.14). Nothing of
     * them stays here.
     *
     * @param iv TLS 1.3 and ChaCha20: the static IV, 12 bytes. GCM of TLS 1.2: the fixed part of
     *     the nonce, 4 bytes; the rest is taken from the sequence number
     * @param sequence of the next record
     * @return 0, {@code -EBUSY} if the kernel can't change keys, or {@code -errno}
     */
    public int keys(
            Direction direction,
            boolean tls13,
            Cipher cipher,
            MemorySegment key,
            MemorySegment iv,
            long sequence)
            throws IOException {
        Scratch scratch = Scratch.take();
        var info = MemorySegment.ofBuffer(scratch.buffer).asSlice(0, cipher.infoSize);
        try {
            long at = scratch.address;
            Memory.putShort(
                    at + TLS_CRYPTO_INFO_VERSION,
                    (short) (tls13 ? TLS_1_3_VERSION : TLS_1_2_VERSION));
            Memory.putShort(at + TLS_CRYPTO_INFO_CIPHER_TYPE, (short) cipher.type);
            int ivAt = SIZEOF_TLS_CRYPTO_INFO;
            int keyAt = ivAt + cipher.ivSize;
            int saltAt = keyAt + cipher.keySize;
            int sequenceAt = saltAt + cipher.saltSize;
            putSequence(info, sequenceAt, sequence);
            info.asSlice(keyAt, cipher.keySize).copyFrom(key);
            info.asSlice(saltAt, cipher.saltSize).copyFrom(iv.asSlice(0, cipher.saltSize));
            if (iv.byteSize() > cipher.saltSize) {
                info.asSlice(ivAt, cipher.ivSize)
                        .copyFrom(iv.asSlice(cipher.saltSize, cipher.ivSize));
            } else {
                putSequence(info, ivAt, sequence); // as senders have it whom we take over from
            }
            int rc = stream.setOption(SOL_TLS, direction.option, at, cipher.infoSize);
            if (rc == 0) {
                promise(direction, tls13);
            }
            return rc;
        } finally {
            info.fill((byte) 0);
            scratch.release();
        }
    }

    private static void putSequence(MemorySegment info, int at, long sequence) {
        info.set(BIG_ENDIAN_LONG, at, sequence);
    }

    private static final ValueLayout.OfLong BIG_ENDIAN_LONG =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

    /** Only what a kernel or a device makes faster: whether it took it doesn't matter. */
    private void promise(Direction direction, boolean tls13) throws IOException {
        if (direction == Direction.SEND && settings.zeroCopy) {
            setSwitch(TLS_TX_ZEROCOPY_RO);
        } else if (direction == Direction.RECEIVE && settings.noPad && tls13) {
            setSwitch(TLS_RX_EXPECT_NO_PAD);
        }
    }

    private void setSwitch(int option) throws IOException {
        Scratch scratch = Scratch.take();
        try {
            Memory.putInt(scratch.address, 1);
            stream.setOption(SOL_TLS, option, scratch.address, Integer.BYTES);
        } finally {
            scratch.release();
        }
    }

    /**
     * Reads as the socket's own stream does, its timeout included.
     *
     * @return bytes of data; -1 at the stream's end; or {@code -errno} about the next record:
     *     {@code -EIO} if it is no data ({@link #takeRecord} gives it), {@code -EBADMSG} if it
     *     doesn't open, {@code -EMSGSIZE} if it is too long, {@code -EINVAL} if it is none, {@code
     *     -EKEYEXPIRED} if it waits for the peer's next keys
     */
    public int read(byte[] target, int offset, int length) throws IOException {
        try {
            long timeoutNanos = MILLISECONDS.toNanos(socket.getSoTimeout());
            return stream.readTls(target, offset, length, timeoutNanos);
        } catch (SocketTimeoutException e) {
            throw e;
        } catch (InterruptedIOException e) {
            throw interrupted(e);
        }
    }

    /** What {@code Socket}'s own streams do on a virtual thread that is interrupted. */
    private IOException interrupted(InterruptedIOException e) throws IOException {
        Thread thread = Thread.currentThread();
        if (!thread.isVirtual() || !thread.isInterrupted()) {
            return e;
        }
        socket.close();
        return new SocketException("Closed by interrupt");
    }

    /** Bytes of data that a read finds without waiting; by the one thread that reads. */
    public int available() throws IOException {
        return stream.availableTls();
    }

    /** The record that {@link #read} stopped at, or null if there is none yet. Never waits. */
    public TypedRecord takeRecord() throws IOException {
        return stream.takeTlsRecord();
    }

    /**
     * Sends a record of another type than data, behind all that was written.
     *
     * @param timeoutMillis how long to wait for room; at least 1
     * @return whether it went
     */
    public boolean send(int type, byte[] content, long timeoutMillis) throws IOException {
        try {
            return stream.sendTlsRecord(type, content, MILLISECONDS.toNanos(timeoutMillis));
        } catch (InterruptedIOException e) {
            throw interrupted(e);
        }
    }

    /**
     * Sends a part of a file: it goes through no memory of this process.
     *
     * @param count at most {@code Integer.MAX_VALUE}
     * @return bytes sent; 0 at the file's end; {@code -EINVAL} if it is no file that can be sent so
     */
    public long sendFile(FileChannel file, long position, int count) throws IOException {
        try {
            return stream.sendFile(file, position, count);
        } catch (InterruptedIOException e) {
            throw interrupted(e);
        }
    }
}
