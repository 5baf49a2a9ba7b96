package io.loomuring.dns;

import io.loomuring.dns.LookupException.Reason;
import io.loomuring.dns.Server.Connection;

import org.xbill.DNS.DClass;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.SimpleResolver;
import org.xbill.DNS.WireParseException;
import org.xbill.DNS.io.IoClientFactory;
import org.xbill.DNS.io.TcpIoClient;
import org.xbill.DNS.io.UdpIoClient;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.Inet4Address;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.net.StandardProtocolFamily;
import java.nio.channels.DatagramChannel;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;

/**
 * One question to one server. dnsjava's {@link SimpleResolver} builds, parses and checks messages
 * and goes on to TCP; this is its transport, over plain blocking sockets.
 *
 * <p>{@link #start} sends, {@link #await} blocks for the answer: a thread can have several in
 * flight and needs no other thread to wait for them.
 *
 * <pre>
 *   start -> sendAndReceiveUdp -> SENT      await -> receive, checked -> parsed -> DONE
 *                                                                     \-> TC: sendAndReceiveTcp
 *                                                                         -> SENT, and so on
 * </pre>
 *
 * <p>Of one thread.
 */
final class Exchange implements IoClientFactory, UdpIoClient, TcpIoClient, AutoCloseable {
    /**
     * How to ask.
     *
     * @param tcp by TCP only
     * @param trustAd with the AD flag
     * @param randomCase with the letters' case at random, which the answer must repeat
     * @param edns with an OPT record
     */
    record Style(boolean tcp, boolean trustAd, boolean randomCase, boolean edns) {
        Style withoutEdns() {
            return new Style(tcp, trustAd, randomCase, false);
        }
    }

    /** What comes without fragments on every path, as agreed on at DNS flag day 2020. */
    private static final int UDP_PAYLOAD = 1232;

    /** Some servers send more than they were asked to. */
    private static final int UDP_BUFFER = 4096;

    private final Server server;
    private final Question question;
    private final Style style;
    private final long deadlineNanos;
    private final Counters counters;

    private CompletableFuture<Message> reply;
    private CompletableFuture<byte[]> wire; // the answer that reply waits for
    private byte[] sent;
    private DatagramSocket udp; // null unless SENT by UDP
    private Connection tcp; // null unless SENT by TCP
    private boolean holdsPermit;
    private boolean interrupted;
    private int rcode;

    Exchange(Server server, Question question, Style style, long deadlineNanos, Counters counters) {
        this.server = server;
        this.question = question;
        this.style = style;
        this.deadlineNanos = deadlineNanos;
        this.counters = counters;
    }

    /** Sends. What goes wrong shows in {@link #await}. */
    void start() {
        if (!acquirePermit()) {
            reply = CompletableFuture.failedFuture(new SocketTimeoutException());
            return;
        }
        Name name = style.randomCase() ? RandomCase.of(question.name()) : question.name();
        var query = new Message(RandomBits.next16());
        query.getHeader().setFlag(Flags.RD);
        query.addRecord(Record.newRecord(name, question.type(), DClass.IN), Section.QUESTION);
        if (style.trustAd()) {
            query.getHeader().setFlag(Flags.AD);
        }
        var resolver = new SimpleResolver(server.address);
        resolver.setEDNS(style.edns() ? 0 : -1, UDP_PAYLOAD, 0, List.of());
        resolver.setTCP(style.tcp());
        resolver.setTimeout(Duration.ofMillis(remainingMillis()));
        resolver.setIoClientFactory(this);
        reply = resolver.sendAsync(query, Runnable::run).toCompletableFuture();
    }

    private boolean acquirePermit() {
        while (!holdsPermit) {
            try {
                if (!server.permits.tryAcquire(remainingMillis(), TimeUnit.MILLISECONDS)) {
                    return false;
                }
                holdsPermit = true;
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        return true;
    }

    /** Waits for the answer, until the deadline at most, and closes. */
    Answer await() {
        try (this) {
            while (!reply.isDone()) {
                receive();
            }
            return Answer.of(question, reply.join(), server.toString());
        } catch (CompletionException e) {
            return failure(e.getCause());
        }
    }

    private Answer failure(Throwable cause) {
        String source = server.toString();
        return switch (cause) {
            case SocketTimeoutException _ -> Answer.failed(Reason.TIMEOUT, source);
            case WireParseException e ->
                    Answer.failed(Reason.BAD_ANSWER, source + ": " + e.getMessage());
            case ConnectException _ -> Answer.failed(Reason.UNREACHABLE, source);
            case IOException e -> Answer.failed(Reason.UNREACHABLE, source + ": " + e.getMessage());
            // dnsjava's parsers throw some of these for what is malformed
            case RuntimeException e -> Answer.failed(Reason.BAD_ANSWER, source + ": " + e);
            case Error e -> throw e;
            default -> throw new IllegalStateException(cause);
        };
    }

    /** Whether an interrupt of this thread got in the way; it was cleared. */
    boolean interrupted() {
        return interrupted;
    }

    private void receive() {
        CompletableFuture<byte[]> waiting = wire;
        byte[] answer;
        try {
            answer = udp != null ? receiveUdp() : receiveTcp();
        } catch (IOException | UncheckedIOException e) {
            noteInterrupt();
            closeUdp();
            closeTcp();
            waiting.completeExceptionally(e instanceof UncheckedIOException u ? u.getCause() : e);
            return;
        }
        rcode = AnswerCheck.rcode(answer);
        if (AnswerCheck.isTruncated(answer) && udp != null) {
            counters.truncated.increment();
        }
        closeUdp();
        // dnsjava goes on from here on this thread, and may call sendAndReceiveTcp
        waiting.complete(answer);
    }

    /** A virtual thread's interrupt closes the socket that it waits for. */
    private void noteInterrupt() {
        if (Thread.interrupted()) {
            interrupted = true;
        }
    }

    // ---- UDP ----

    @Override
    public CompletableFuture<byte[]> sendAndReceiveUdp(
            InetSocketAddress local,
            InetSocketAddress remote,
            Message query,
            byte[] data,
            int max,
            Duration timeout) {
        counters.queries.increment();
        sent = data;
        wire = new CompletableFuture<>();
        try {
            udp = socket(remote);
            // The kernel picks a port at random, and takes datagrams of the server alone.
            udp.connect(remote);
            udp.send(new DatagramPacket(data, data.length));
        } catch (IOException | UncheckedIOException e) {
            noteInterrupt();
            closeUdp();
            wire.completeExceptionally(e instanceof UncheckedIOException u ? u.getCause() : e);
        }
        return wire;
    }

    /**
     * Of the server's family, and not bound before it is connected: ten system calls less than a
     * {@code new DatagramSocket()}, which is for both families, bound, and may broadcast.
     */
    private static DatagramSocket socket(InetSocketAddress remote) throws IOException {
        DatagramChannel channel =
                remote.getAddress() instanceof Inet4Address
                        ? DatagramChannel.open(StandardProtocolFamily.INET)
                        : DatagramChannel.open();
        return channel.socket();
    }

    private byte[] receiveUdp() throws IOException {
        var packet = new DatagramPacket(new byte[UDP_BUFFER], UDP_BUFFER);
        while (true) {
            udp.setSoTimeout(remainingMillis());
            udp.receive(packet);
            byte[] answer = Arrays.copyOf(packet.getData(), packet.getLength());
            if (AnswerCheck.answers(answer, sent, style.randomCase())) {
                return answer;
            }
            counters.rejected.increment();
            if (deadlineNanos - System.nanoTime() <= 0) {
                throw new SocketTimeoutException();
            }
            packet.setLength(UDP_BUFFER);
        }
    }

    private void closeUdp() {
        if (udp != null) {
            udp.close();
            udp = null;
        }
    }

    // ---- TCP ----

    @Override
    public CompletableFuture<byte[]> sendAndReceiveTcp(
            InetSocketAddress local,
            InetSocketAddress remote,
            Message query,
            byte[] data,
            Duration timeout) {
        counters.queries.increment();
        counters.tcpQueries.increment();
        sent = data;
        wire = new CompletableFuture<>();
        try {
            sendTcp(true);
        } catch (IOException e) {
            noteInterrupt();
            closeTcp();
            wire.completeExceptionally(e);
        }
        return wire;
    }

    private void sendTcp(boolean mayReuse) throws IOException {
        tcp = server.connection(mayReuse, remainingMillis());
        byte[] framed = new byte[2 + sent.length];
        framed[0] = (byte) (sent.length >> 8);
        framed[1] = (byte) sent.length;
        System.arraycopy(sent, 0, framed, 2, sent.length);
        try {
            tcp.out.write(framed);
            tcp.out.flush();
        } catch (IOException e) {
            askAgainIfReused(e);
        }
    }

    private byte[] receiveTcp() throws IOException {
        while (true) {
            try {
                return readTcp();
            } catch (SocketTimeoutException e) {
                throw e;
            } catch (IOException e) {
                askAgainIfReused(e);
            }
        }
    }

    private byte[] readTcp() throws IOException {
        tcp.socket.setSoTimeout(remainingMillis());
        int length = tcp.in.readUnsignedShort();
        byte[] answer = new byte[length];
        int read = 0;
        while (read < length) {
            tcp.socket.setSoTimeout(remainingMillis());
            int n = tcp.in.read(answer, read, length - read);
            if (n < 0) {
                throw new WireParseException("the connection ended in the middle of an answer");
            }
            read += n;
            if (read < length && deadlineNanos - System.nanoTime() <= 0) {
                throw new SocketTimeoutException();
            }
        }
        if (!AnswerCheck.answers(answer, sent, style.randomCase())) {
            counters.rejected.increment();
            throw new WireParseException("another question's answer");
        }
        server.giveBack(tcp);
        tcp = null;
        return answer;
    }

    /** A server may close a connection at the moment in which it is used again. */
    private void askAgainIfReused(IOException e) throws IOException {
        noteInterrupt();
        boolean reused = tcp.reused;
        closeTcp();
        if (!reused || interrupted || e instanceof WireParseException) {
            throw e;
        }
        sendTcp(false);
    }

    private void closeTcp() {
        if (tcp != null) {
            tcp.close();
            tcp = null;
        }
    }

    // ---- both ----

    /** At least 1: what has arrived is read even when the time is over. */
    private int remainingMillis() {
        long millis = (deadlineNanos - System.nanoTime() + 999_999) / 1_000_000;
        return Math.clamp(millis, 1, Integer.MAX_VALUE);
    }

    @Override
    public UdpIoClient createOrGetUdpClient() {
        return this;
    }

    @Override
    public TcpIoClient createOrGetTcpClient() {
        return this;
    }

    /** Whether the server may not know EDNS, and should be asked without it (RFC 6891, 7). */
    boolean refusesEdns() {
        return style.edns() && (rcode == Rcode.FORMERR || rcode == Rcode.NOTIMP);
    }

    @Override
    public void close() {
        closeUdp();
        closeTcp();
        if (holdsPermit) {
            holdsPermit = false;
            server.permits.release();
        }
    }
}
