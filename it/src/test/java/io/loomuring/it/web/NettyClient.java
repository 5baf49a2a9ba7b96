package io.loomuring.it.web;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioDomainSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.codec.http.DefaultHttpRequest;
import io.netty.handler.codec.http.HttpClientCodec;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.stream.ChunkedWriteHandler;
import io.netty.handler.timeout.ReadTimeoutException;
import io.netty.util.concurrent.Future;
import io.netty.util.concurrent.GlobalEventExecutor;

import java.io.EOFException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;

import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;

/** An HTTP/1.1 client on Netty's NIO transport, which keeps its connections. */
@SuppressWarnings("FutureReturnValueIgnored") // a failure closes the channel, which is looked at
final class NettyClient implements WebClient {
    private static final int EVENT_LOOPS = 2;

    private final MultiThreadIoEventLoopGroup group =
            new MultiThreadIoEventLoopGroup(EVENT_LOOPS, NioIoHandler.newFactory());
    private final ChannelGroup connections = new DefaultChannelGroup(GlobalEventExecutor.INSTANCE);
    private final ConcurrentLinkedDeque<Channel> idle = new ConcurrentLinkedDeque<>();
    private final Bootstrap bootstrap;

    NettyClient(SocketAddress address, Wire wire) {
        bootstrap =
                new Bootstrap()
                        .group(group)
                        .channel(
                                wire == Wire.UNIX
                                        ? NioDomainSocketChannel.class
                                        : NioSocketChannel.class)
                        .remoteAddress(address)
                        .handler(
                                new ChannelInitializer<>() {
                                    @Override
                                    protected void initChannel(Channel channel) {
                                        initialise(channel, address, wire);
                                    }
                                });
    }

    private void initialise(Channel channel, SocketAddress address, Wire wire) {
        connections.add(channel);
        if (wire == Wire.TLS) {
            var inet = (InetSocketAddress) address;
            SSLEngine engine =
                    Tls.CONTEXT.createSSLEngine(inet.getAddress().getHostAddress(), inet.getPort());
            engine.setUseClientMode(true);
            SSLParameters parameters = engine.getSSLParameters();
            parameters.setEndpointIdentificationAlgorithm("HTTPS");
            engine.setSSLParameters(parameters);
            channel.pipeline().addLast(new SslHandler(engine));
        }
        channel.pipeline()
                .addLast(new HttpClientCodec())
                .addLast(new ChunkedWriteHandler())
                .addLast(new AnswerHandler());
    }

    @Override
    public Answer ask(Ask ask, Duration limit) throws Exception {
        Channel kept = idle.pollFirst();
        Channel channel = kept != null ? kept : bootstrap.connect().sync().channel();
        var answer = new CompletableFuture<Answer>();
        AnswerHandler handler = channel.pipeline().get(AnswerHandler.class);
        channel.eventLoop().execute(() -> handler.send(channel, ask, answer));
        Future<?> alarm =
                channel.eventLoop()
                        .schedule(
                                () -> {
                                    answer.completeExceptionally(ReadTimeoutException.INSTANCE);
                                    channel.close();
                                },
                                limit.toMillis(),
                                TimeUnit.MILLISECONDS);
        try {
            return answer.get();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof Exception cause) {
                throw cause;
            }
            throw e;
        } finally {
            alarm.cancel(false);
        }
    }

    @Override
    public void close() throws InterruptedException {
        // event loops that end forget a channel whose close waits for TLS, on the stock JDK too
        connections.close().sync();
        group.shutdownGracefully(0, 30, TimeUnit.SECONDS).sync();
    }

    private final class AnswerHandler extends SimpleChannelInboundHandler<HttpObject> {
        private CompletableFuture<Answer> answer; // null: none asked for
        private HttpResponse head;
        private Tally downloaded;

        void send(Channel channel, Ask ask, CompletableFuture<Answer> answer) {
            this.answer = answer;
            downloaded = new Tally();
            var request = new DefaultHttpRequest(HttpVersion.HTTP_1_1, HttpMethod.POST, ask.path());
            request.headers().set(HttpHeaderNames.HOST, "localhost");
            if (ask.upload().chunked()) {
                HttpUtil.setTransferEncodingChunked(request, true);
            } else {
                HttpUtil.setContentLength(request, ask.upload().length());
            }
            channel.write(request);
            channel.writeAndFlush(NettyServer.pieces(ask.upload()));
            if (!channel.isActive()) {
                fail(new EOFException("closed before the request"));
            }
        }

        @Override
        protected void channelRead0(ChannelHandlerContext context, HttpObject message) {
            if (message.decoderResult().isFailure()) {
                fail(message.decoderResult().cause());
                context.close();
                return;
            }
            if (message instanceof HttpResponse response) {
                head = response;
            }
            if (message instanceof HttpContent content) {
                for (ByteBuffer part : content.content().nioBuffers()) {
                    downloaded.add(part);
                }
                if (message instanceof LastHttpContent) {
                    complete(context.channel());
                }
            }
        }

        private void complete(Channel channel) {
            var result =
                    new Answer(
                            head.status().code(),
                            HttpUtil.getContentLength(head, -1L),
                            head.headers().get(Site.UPLOADED),
                            downloaded.toString(),
                            head.headers().get(Site.CONNECTION),
                            head.headers().get(Site.THREAD));
            CompletableFuture<Answer> asked = answer;
            answer = null;
            if (HttpUtil.isKeepAlive(head)) {
                idle.addFirst(channel);
            } else {
                channel.close();
            }
            asked.complete(result);
        }

        private void fail(Throwable cause) {
            if (answer != null) {
                answer.completeExceptionally(cause);
                answer = null;
            }
        }

        @Override
        public void channelInactive(ChannelHandlerContext context) {
            idle.remove(context.channel());
            fail(new EOFException("closed before the end of the answer"));
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            fail(cause);
            context.close();
        }
    }
}
