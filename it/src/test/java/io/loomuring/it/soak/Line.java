package io.loomuring.it.soak;

import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.net.SocketOption;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;

/** A connection of either API, as bytes that come and go. */
interface Line extends Closeable {
    void write(byte[] bytes, int length) throws IOException;

    /**
     * Reads that many bytes.
     *
     * @throws EOFException if the connection ends before
     */
    void readFully(byte[] bytes, int length) throws IOException;

    /**
     * How long a read may wait, where the API knows that.
     *
     * @return whether it does; else the {@link Guard} sees to it
     */
    boolean setReadLimit(int millis) throws IOException;

    <T> void set(SocketOption<T> option, T value) throws IOException;

    /** Closes it so that the other side sees a reset. */
    default void abort() throws IOException {
        try {
            set(StandardSocketOptions.SO_LINGER, 0);
        } finally {
            close();
        }
    }

    /** A channel; its buffers on the heap, or direct. */
    static Line of(SocketChannel channel, boolean direct) {
        return new ChannelLine(channel, direct);
    }

    static Line of(Socket socket) throws IOException {
        return new SocketLine(socket, socket.getInputStream(), socket.getOutputStream());
    }

    record ChannelLine(SocketChannel channel, boolean direct) implements Line {
        @Override
        public void write(byte[] bytes, int length) throws IOException {
            ByteBuffer buffer =
                    direct
                            ? ByteBuffer.allocateDirect(length).put(bytes, 0, length).flip()
                            : ByteBuffer.wrap(bytes, 0, length);
            while (buffer.hasRemaining()) {
                channel.write(buffer);
            }
        }

        @Override
        public void readFully(byte[] bytes, int length) throws IOException {
            ByteBuffer buffer =
                    direct ? ByteBuffer.allocateDirect(length) : ByteBuffer.wrap(bytes, 0, length);
            while (buffer.hasRemaining()) {
                if (channel.read(buffer) < 0) {
                    throw new EOFException();
                }
            }
            if (direct) {
                buffer.flip().get(bytes, 0, length);
            }
        }

        @Override
        public boolean setReadLimit(int millis) {
            return false;
        }

        @Override
        public <T> void set(SocketOption<T> option, T value) throws IOException {
            channel.setOption(option, value);
        }

        @Override
        public void close() throws IOException {
            channel.close();
        }
    }

    record SocketLine(Socket socket, InputStream in, OutputStream out) implements Line {
        @Override
        public void write(byte[] bytes, int length) throws IOException {
            out.write(bytes, 0, length);
            out.flush();
        }

        @Override
        public void readFully(byte[] bytes, int length) throws IOException {
            if (in.readNBytes(bytes, 0, length) < length) {
                throw new EOFException();
            }
        }

        @Override
        public boolean setReadLimit(int millis) throws IOException {
            socket.setSoTimeout(millis);
            return true;
        }

        @Override
        public <T> void set(SocketOption<T> option, T value) throws IOException {
            socket.setOption(option, value);
        }

        @Override
        public void close() throws IOException {
            socket.close();
        }
    }
}
