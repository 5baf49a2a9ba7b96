package io.loomuring.it.bench.server;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.uring.IoUring;
import io.netty.channel.uring.IoUringBufferRingConfig;
import io.netty.channel.uring.IoUringChannelOption;
import io.netty.channel.uring.IoUringFixedBufferRingAllocator;
import io.netty.channel.uring.IoUringIoHandler;
import io.netty.channel.uring.IoUringIoHandlerConfig;
import io.netty.channel.uring.IoUringServerSocketChannel;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;

/**
 * An echo server on Netty's io_uring transport, as fast as Netty can be told to be: one event loop
 * for each core, multishot accept and receive, received data in a buffer ring.
 *
 * <p>It listens on a free port of the loopback interface, prints {@code PORT n} and runs until its
 * standard input ends.
 */
public final class NettyEchoServer {
    private static final int BACKLOG = 4096;
    private static final short BUFFER_GROUP = 1;
    private static final short BUFFERS = 1024;
    private static final int BUFFER_BYTES = 16 * 1024;

    private NettyEchoServer() {}

    public static void main(String[] args) throws IOException {
        IoUring.ensureAvailability();
        if (!IoUring.isRecvMultishotEnabled() || !IoUring.isRegisterBufferRingSupported()) {
            throw new IllegalStateException("no multishot receive into buffer rings here");
        }
        Channel listener =
                new ServerBootstrap()
                        .group(
                                new MultiThreadIoEventLoopGroup(
                                        Runtime.getRuntime().availableProcessors(),
                                        IoUringIoHandler.newFactory(handlerConfig())))
                        .channel(IoUringServerSocketChannel.class)
                        .option(ChannelOption.SO_BACKLOG, BACKLOG)
                        .childOption(ChannelOption.TCP_NODELAY, true)
                        .childOption(IoUringChannelOption.IO_URING_BUFFER_GROUP_ID, BUFFER_GROUP)
                        .childHandler(new EchoHandler())
                        .bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                        .syncUninterruptibly()
                        .channel();
        ServerControl.run(((InetSocketAddress) listener.localAddress()).getPort());
    }

    private static IoUringIoHandlerConfig handlerConfig() {
        return new IoUringIoHandlerConfig()
                .setBufferRingConfig(
                        IoUringBufferRingConfig.builder()
                                .bufferGroupId(BUFFER_GROUP)
                                .bufferRingSize(BUFFERS)
                                .batchSize(BUFFERS / 2)
                                .allocator(new IoUringFixedBufferRingAllocator(BUFFER_BYTES))
                                .build());
    }

    /** A void promise tells {@code exceptionCaught} of its failure: no future is looked at. */
    @ChannelHandler.Sharable
    @SuppressWarnings("FutureReturnValueIgnored")
    private static final class EchoHandler extends ChannelInboundHandlerAdapter {
        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            context.write(message, context.voidPromise());
        }

        @Override
        public void channelReadComplete(ChannelHandlerContext context) {
            context.flush();
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            System.err.println("connection lost: " + cause.getMessage());
            context.close();
        }
    }
}
