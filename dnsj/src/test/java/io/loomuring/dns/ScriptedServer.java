package io.loomuring.dns;

import org.xbill.DNS.DClass;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;

/** A name server on a loopback port, UDP and TCP, that does what a script says. */
final class ScriptedServer implements AutoCloseable {
    /** A question as it arrived. */
    record Asked(Message query, boolean tcp, SocketAddress from) {
        Name name() {
            return query.getQuestion().getName();
        }

        int type() {
            return query.getQuestion().getType();
        }

        /** A message that answers with these records, if they are of the question's type. */
        Message with(String... records) {
            Message answer = empty();
            for (String record : records) {
                add(answer, Section.ANSWER, record);
            }
            return answer;
        }

        /** What a server of these records alone says: NXDOMAIN where it has none of the name. */
        Message fromZone(String... records) {
            for (String record : records) {
                if (record(record).getName().equals(name())) {
                    return withMatching(records);
                }
            }
            return rcode(Rcode.NXDOMAIN);
        }

        /** The same, where the type asked for has records; else the SOA alone. */
        Message withMatching(String... records) {
            Message answer = empty();
            for (String text : records) {
                Record record = record(text);
                if (record.getName().equals(name()) && record.getType() == type()) {
                    answer.addRecord(record, Section.ANSWER);
                }
            }
            if (answer.getSection(Section.ANSWER).isEmpty()) {
                add(answer, Section.AUTHORITY, SOA);
            }
            return answer;
        }

        Message empty() {
            var answer = new Message(query.getHeader().getID());
            answer.getHeader().setFlag(Flags.QR);
            answer.getHeader().setFlag(Flags.RD);
            answer.getHeader().setFlag(Flags.RA);
            answer.addRecord(query.getQuestion(), Section.QUESTION);
            return answer;
        }

        Message rcode(int rcode) {
            Message answer = empty();
            answer.getHeader().setRcode(rcode);
            if (rcode == Rcode.NXDOMAIN) {
                add(answer, Section.AUTHORITY, SOA);
            }
            return answer;
        }
    }

    static final String SOA = "test. 60 SOA ns.test. admin.test. 1 3600 600 86400 30";

    /** What to send back, none or several, as bytes or messages. */
    interface Script {
        List<?> answer(Asked asked) throws Exception;
    }

    private final DatagramSocket udp;
    private final ServerSocket tcp;
    private final Set<Socket> connections = ConcurrentHashMap.newKeySet();
    private final List<Thread> servers;
    private volatile Script script;
    final List<Asked> asked = new CopyOnWriteArrayList<>();
    final AtomicInteger accepted = new AtomicInteger();

    ScriptedServer(Script script) {
        this.script = script;
        InetAddress loopback = InetAddress.ofLiteral("127.0.0.1");
        try {
            while (true) {
                var datagrams = new DatagramSocket(new InetSocketAddress(loopback, 0));
                ServerSocket streams;
                try {
                    streams = new ServerSocket(datagrams.getLocalPort(), 500, loopback);
                } catch (IOException e) {
                    datagrams.close(); // somebody else's port there: another
                    continue;
                }
                datagrams.setReceiveBufferSize(4 << 20);
                udp = datagrams;
                tcp = streams;
                break;
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        servers =
                List.of(
                        Thread.ofPlatform().daemon().start(this::serveUdp),
                        Thread.ofPlatform().daemon().start(this::serveTcp));
    }

    void script(Script next) {
        script = next;
    }

    InetSocketAddress address() {
        return (InetSocketAddress) udp.getLocalSocketAddress();
    }

    int port() {
        return udp.getLocalPort();
    }

    /** How often it was asked for this name and type. */
    long count(String name, int type) {
        Name wanted = name(name);
        return asked.stream().filter(a -> a.name().equals(wanted) && a.type() == type).count();
    }

    private void serveUdp() {
        byte[] buffer = new byte[65535];
        while (!udp.isClosed()) {
            var packet = new DatagramPacket(buffer, buffer.length);
            try {
                udp.receive(packet);
                byte[] data = Arrays.copyOf(packet.getData(), packet.getLength());
                SocketAddress from = packet.getSocketAddress();
                Thread.ofVirtual().start(() -> answerUdp(data, from));
            } catch (IOException e) {
                // closed, or somebody's port is closed
            }
        }
    }

    private void answerUdp(byte[] data, SocketAddress from) {
        try {
            for (byte[] answer : answers(new Asked(new Message(data), false, from))) {
                udp.send(new DatagramPacket(answer, answer.length, from));
            }
        } catch (Exception e) {
            if (!udp.isClosed()) {
                throw new IllegalStateException(e);
            }
        }
    }

    private void serveTcp() {
        while (!tcp.isClosed()) {
            try {
                Socket connection = tcp.accept();
                accepted.incrementAndGet();
                connections.add(connection);
                Thread.ofVirtual().start(() -> serve(connection));
            } catch (IOException e) {
                // closed
            }
        }
    }

    private void serve(Socket connection) {
        try (connection) {
            var in = new DataInputStream(connection.getInputStream());
            var out = new DataOutputStream(new BufferedOutputStream(connection.getOutputStream()));
            while (true) {
                byte[] data = new byte[in.readUnsignedShort()];
                in.readFully(data);
                var from = connection.getRemoteSocketAddress();
                for (byte[] answer : answers(new Asked(new Message(data), true, from))) {
                    out.writeShort(answer.length);
                    out.write(answer);
                    out.flush();
                }
            }
        } catch (Exception e) {
            // the connection has ended
        } finally {
            connections.remove(connection);
        }
    }

    /** Ends the connections that there are, as servers do with idle ones. */
    void dropConnections() throws IOException {
        for (Socket connection : connections) {
            connection.close();
        }
    }

    private List<byte[]> answers(Asked question) throws Exception {
        asked.add(question);
        var bytes = new ArrayList<byte[]>();
        for (Object answer : script.answer(question)) {
            bytes.add(answer instanceof Message m ? m.toWire() : (byte[]) answer);
        }
        return bytes;
    }

    // ---- for scripts ----

    static Record record(String text) {
        String[] parts = text.split(" ", 4);
        try {
            return Record.fromString(
                    name(parts[0]),
                    Type.value(parts[2]),
                    DClass.IN,
                    Long.parseLong(parts[1]),
                    parts[3],
                    Name.root);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static void add(Message message, int section, String record) {
        message.addRecord(record(record), section);
    }

    static Name name(String text) {
        return Name.fromConstantString(text.endsWith(".") ? text : text + '.');
    }

    @Override
    public void close() {
        udp.close();
        try {
            tcp.close();
            dropConnections();
            // a socket takes datagrams in until the system call that waits on it has returned
            for (Thread server : servers) {
                if (!server.join(Duration.ofSeconds(20))) {
                    throw new IllegalStateException(server + " does not end");
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
