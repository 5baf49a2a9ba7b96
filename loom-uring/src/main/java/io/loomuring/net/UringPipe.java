package io.loomuring.net;

import io.loomuring.jdk.SunNet;

import java.io.FileDescriptor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Pipe;
import java.nio.channels.spi.SelectorProvider;

/** A {@link Pipe} of two channels over a {@link PipeEnd} each, which selectors accept. */
public final class UringPipe extends Pipe {
    private final Source source;
    private final Sink sink;

    private UringPipe(SelectorProvider provider) throws IOException {
        FileDescriptor[] ends = SunNet.pipe();
        source = new Source(provider, ends[0]);
        sink = new Sink(provider, ends[1]);
    }

    /** A new pipe. */
    public static Pipe open(SelectorProvider provider) throws IOException {
        return new UringPipe(provider);
    }

    @Override
    public SourceChannel source() {
        return source;
    }

    @Override
    public SinkChannel sink() {
        return sink;
    }

    private static final class Source extends SourceChannel implements SelectableHost {
        private final PipeEnd end;

        Source(SelectorProvider provider, FileDescriptor fd) {
            super(provider);
            end = new PipeEnd(this, fd);
        }

        @Override
        public int read(ByteBuffer dst) throws IOException {
            return end.read(dst);
        }

        @Override
        public long read(ByteBuffer[] dsts) throws IOException {
            return end.read(dsts, 0, dsts.length);
        }

        @Override
        public long read(ByteBuffer[] dsts, int offset, int length) throws IOException {
            return end.read(dsts, offset, length);
        }

        @Override
        protected void implConfigureBlocking(boolean block) throws IOException {
            end.configureBlocking(block);
        }

        @Override
        protected void implCloseSelectableChannel() {
            end.close();
        }

        @Override
        public Endpoint endpoint() {
            return end;
        }
    }

    private static final class Sink extends SinkChannel implements SelectableHost {
        private final PipeEnd end;

        Sink(SelectorProvider provider, FileDescriptor fd) {
            super(provider);
            end = new PipeEnd(this, fd);
        }

        @Override
        public int write(ByteBuffer src) throws IOException {
            return end.write(src);
        }

        @Override
        public long write(ByteBuffer[] srcs) throws IOException {
            return end.write(srcs, 0, srcs.length);
        }

        @Override
        public long write(ByteBuffer[] srcs, int offset, int length) throws IOException {
            return end.write(srcs, offset, length);
        }

        @Override
        protected void implConfigureBlocking(boolean block) throws IOException {
            end.configureBlocking(block);
        }

        @Override
        protected void implCloseSelectableChannel() {
            end.close();
        }

        @Override
        public Endpoint endpoint() {
            return end;
        }
    }
}
