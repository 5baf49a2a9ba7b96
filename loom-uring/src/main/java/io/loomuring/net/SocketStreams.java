package io.loomuring.net;

import static java.util.concurrent.TimeUnit.MILLISECONDS;

import io.loomuring.jdk.SunNet;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.SocketChannel;
import java.util.function.IntSupplier;

/** A {@link StreamSocket} as a pair of streams. Closing either closes the channel in front. */
final class SocketStreams {
    private SocketStreams() {}

    /** A stream that reads one byte as it reads an array. */
    abstract static class ArrayInput extends InputStream {
        @Override
        public final int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) > 0 ? one[0] & 0xff : StreamSocket.EOF;
        }

        @Override
        public abstract int read(byte[] bytes, int offset, int length) throws IOException;
    }

    /** A stream that writes one byte as it writes an array. */
    abstract static class ArrayOutput extends OutputStream {
        @Override
        public final void write(int b) throws IOException {
            write(new byte[] {(byte) b}, 0, 1);
        }

        @Override
        public abstract void write(byte[] bytes, int offset, int length) throws IOException;
    }

    /** Safe for use by several threads, as all of the socket is; each read is one of the socket. */
    static final class Input extends ArrayInput {
        private final StreamSocket stream;
        private final SocketChannel channel;
        private final IntSupplier timeoutMillis;

        /**
         * @param timeoutMillis the timeout of the reads to come, 0 for none
         */
        Input(StreamSocket stream, SocketChannel channel, IntSupplier timeoutMillis) {
            this.stream = stream;
            this.channel = channel;
            this.timeoutMillis = timeoutMillis;
        }

        @Override
        public int read(byte[] bytes, int offset, int length) throws IOException {
            int timeout = timeoutMillis.getAsInt();
            long timeoutNanos = MILLISECONDS.toNanos(timeout);
            if (!SunNet.readEventEnabled()) {
                return stream.read(bytes, offset, length, timeoutNanos);
            }
            long start = SunNet.readEventStart();
            int n = stream.read(bytes, offset, length, timeoutNanos);
            SunNet.readEvent(start, n, stream.remoteAddress(), timeout);
            return n;
        }

        @Override
        public int available() throws IOException {
            return stream.available();
        }

        @Override
        public void close() throws IOException {
            channel.close();
        }
    }

    /**
     * Safe for use by several threads, as all of the socket is; each write is one of the socket.
     */
    static final class Output extends ArrayOutput {
        private final StreamSocket stream;
        private final SocketChannel channel;

        Output(StreamSocket stream, SocketChannel channel) {
            this.stream = stream;
            this.channel = channel;
        }

        SocketChannel channel() {
            return channel;
        }

        @Override
        public void write(byte[] bytes, int offset, int length) throws IOException {
            if (!SunNet.writeEventEnabled()) {
                stream.writeFully(bytes, offset, length);
                return;
            }
            long start = SunNet.writeEventStart();
            stream.writeFully(bytes, offset, length);
            SunNet.writeEvent(start, length, stream.remoteAddress());
        }

        @Override
        public void close() throws IOException {
            channel.close();
        }
    }
}
