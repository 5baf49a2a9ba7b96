package io.loomuring.it.soak;

import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32C;

/** A name server whose every name exists: its address follows from the name, and lives for 0 s. */
final class DnsServer implements AutoCloseable {
    private static final int HEADER = 12;
    private static final int TYPE_A = 1;

    private final DatagramSocket socket;
    private volatile boolean silent;

    /** Serves until it is closed. */
    DnsServer(InetSocketAddress at) throws IOException {
        socket = new DatagramSocket(at);
        Thread.ofVirtual().name("dns").start(this::serve);
    }

    /** Whether it hears and says nothing. */
    void silent(boolean deaf) {
        silent = deaf;
    }

    /** Nobody is there any more: the kernel says so to who asks. */
    @Override
    public void close() {
        socket.close();
    }

    /** 10.x.y.z by the name's checksum. */
    static String addressOf(String name) {
        byte[] address = address(name);
        return "%d.%d.%d.%d"
                .formatted(address[0], address[1] & 0xff, address[2] & 0xff, address[3] & 0xff);
    }

    private static byte[] address(String name) {
        var crc = new CRC32C();
        crc.update(name.getBytes(StandardCharsets.US_ASCII));
        return ByteBuffer.allocate(4)
                .putInt((10 << 24) | ((int) crc.getValue() & 0xff_ffff))
                .array();
    }

    private void serve() {
        byte[] buffer = new byte[512];
        while (!socket.isClosed()) {
            try {
                var packet = new DatagramPacket(buffer, buffer.length);
                socket.receive(packet);
                if (!silent) {
                    packet.setData(answer(buffer, packet.getLength()));
                    socket.send(packet);
                }
            } catch (IOException e) {
                // closed, or somebody's port is closed
            }
        }
    }

    /** The question again, and the name's address where that was asked for. */
    private static byte[] answer(byte[] bytes, int length) {
        ByteBuffer query = ByteBuffer.wrap(bytes, 0, length);
        var name = new StringBuilder();
        query.position(HEADER);
        for (int size = query.get(); size > 0; size = query.get()) {
            byte[] label = new byte[size];
            query.get(label);
            name.append(name.isEmpty() ? "" : ".")
                    .append(new String(label, StandardCharsets.US_ASCII));
        }
        int type = query.getShort();
        int end = query.position() + 2; // the class
        ByteBuffer answer = ByteBuffer.allocate(end + 16).put(bytes, 0, end);
        answer.put(2, (byte) (query.get(2) | 0x80)).put(3, (byte) 0x80); // QR, RA, no error
        answer.putShort(6, (short) (type == TYPE_A ? 1 : 0)).putInt(8, 0); // no other records
        if (type == TYPE_A) {
            answer.putShort((short) (0xc000 | HEADER)).putShort((short) TYPE_A).putShort((short) 1);
            answer.putInt(0).putShort((short) 4).put(address(name.toString()));
        }
        byte[] whole = new byte[answer.position()];
        answer.flip().get(whole);
        return whole;
    }
}
