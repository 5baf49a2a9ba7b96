package io.loomuring.it.web;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.nio.NioServerDomainSocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.HttpChunkedInput;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.stream.ChunkedStream;
import io.netty.handler.stream.ChunkedWriteHandler;
import io.netty.handler.timeout.IdleStateEvent;
import io.netty.handler.timeout.IdleStateHandler;
import io.netty.util.concurrent.GlobalEventExecutor;

import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

import javax.net.ssl.SSLEngine;

/** An HTTP server on Netty's NIO transport; nothing in it blocks its event loops. */
@SuppressWarnings("FutureReturnValueIgnored") // a failure closes the channel, which is looked at
final class NettyServer implements WebServer {
    private static final int EVENT_LOOPS = 2;
    static final int PIECE_BYTES = 64 * 1024;

    /** The user event that ends a connection after its request, if it has one. */
    private static final Object STOP = new Object();

    private final MultiThreadIoEventLoopGroup group =
            new MultiThreadIoEventLoopGroup(EVENT_LOOPS, NioIoHandler.newFactory());
    private final ChannelGroup connections = new DefaultChannelGroup(GlobalEventExecutor.INSTANCE);
    private final Channel listener;

    NettyServer(Site site, Wire wire, Duration idleLimit) throws InterruptedException {
        listener =
                new ServerBootstrap()
                        .group(group)
                        .channel(
                                wire == Wire.UNIX
                                        ? NioServerDomainSocketChannel.class
                                        : NioServerSocketChannel.class)
                        .option(ChannelOption.SO_BACKLOG, ServerKind.BACKLOG)
                        .childHandler(
                                new ChannelInitializer<>() {
                                    @Override
                                    protected void initChannel(Channel channel) {
                                        initialise(channel, site, wire, idleLimit);
                                    }
                                })
                        .bind(ServerKind.freeAddress(wire))
                        .sync()
                        .channel();
    }

    private void initialise(Channel channel, Site site, Wire wire, Duration idleLimit) {
        connections.add(channel);
        if (wire != Wire.UNIX) { // which has no such option
            channel.config().setOption(ChannelOption.ALLOW_HALF_CLOSURE, true);
        }
        if (wire == Wire.TLS) {
            SSLEngine engine = Tls.CONTEXT.createSSLEngine();
            engine.setUseClientMode(false);
            channel.pipeline().addLast(new SslHandler(engine));
        }
        channel.pipeline()
                .addLast(new IdleStateHandler(0, 0, idleLimit.toMillis(), TimeUnit.MILLISECONDS))
                .addLast(new HttpServerCodec())
                .addLast(new ChunkedWriteHandler())
                .addLast(new SiteHandler(site));
    }

    @Override
    public SocketAddress address() {
        return listener.localAddress();
    }

    @Override
    public void stop(Duration patience) throws InterruptedException {
        if (group.isShuttingDown()) {
            return;
        }
        listener.close().sync();
        for (Channel connection : connections) {
            connection.pipeline().fireUserEventTriggered(STOP);
        }
        connections.newCloseFuture().await(patience.toMillis());
        connections.close().sync();
        group.shutdownGracefully(0, 30, TimeUnit.SECONDS).sync();
    }

    private static final class SiteHandler extends SimpleChannelInboundHandler<HttpObject> {
        private final Site site;
        private Site.Visit visit; // null: no request
        private boolean received; // all of the request
        private boolean keepAlive = true;

        SiteHandler(Site site) {
            this.site = site;
        }

        @Override
        protected void channelRead0(ChannelHandlerContext context, HttpObject message) {
            if (message.decoderResult().isFailure()) {
                context.close();
                return;
            }
            if (message instanceof HttpRequest request) {
                visit = site.visit(request.uri(), context.channel().id().asLongText());
                received = false;
                keepAlive &= HttpUtil.isKeepAlive(request);
            }
            if (message instanceof HttpContent content) {
                for (ByteBuffer part : content.content().nioBuffers()) {
                    visit.uploaded.add(part);
                }
                if (message instanceof LastHttpContent) {
                    received = true;
                    Site.Visit current = visit;
                    current.answerable()
                            .thenRunAsync(() -> answer(context, current), context.executor());
                }
            }
        }

        private void answer(ChannelHandlerContext context, Site.Visit current) {
            if (visit != current) {
                return; // the connection is gone
            }
            var head = new DefaultHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.OK);
            current.headers().forEach(head.headers()::set);
            if (current.download.chunked()) {
                HttpUtil.setTransferEncodingChunked(head, true);
            } else {
                HttpUtil.setContentLength(head, current.download.length());
            }
            HttpUtil.setKeepAlive(head, keepAlive);
            context.write(head);
            context.writeAndFlush(pieces(current.download))
                    .addListener(sent -> {
                        if (sent.isSuccess()) {
                            current.answered();
                        }
                        endVisit();
                        if (!sent.isSuccess() || !keepAlive) {
                            context.close();
                        }
                    });
        }

        private void endVisit() {
            if (visit != null) {
                visit.close();
                visit = null;
            }
        }

        @Override
        public void userEventTriggered(ChannelHandlerContext context, Object event) {
            if (event == STOP || event instanceof ChannelInputShutdownEvent) {
                keepAlive = false;
                if (visit == null || (event != STOP && !received)) {
                    context.close();
                }
            } else if (event instanceof IdleStateEvent && visit == null) {
                context.close();
            }
        }

        @Override
        public void channelInactive(ChannelHandlerContext context) {
            endVisit();
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            context.close(); // the client has gone
        }
    }

    /** A body as something to write. */
    static HttpChunkedInput pieces(Body body) {
        return new HttpChunkedInput(new ChunkedStream(new Content(body.length()), PIECE_BYTES));
    }
}
