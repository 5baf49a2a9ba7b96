package io.loomuring.dns.program;

import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.concurrent.DelayQueue;
import java.util.concurrent.Delayed;
import java.util.concurrent.TimeUnit;

/**
 * A name server that answers each question for A or AAAA after some time: {@code SlowServer ADDRESS
 * PORT MILLIS}. Ends with its standard input.
 */
public final class SlowServer {
    private SlowServer() {}

    private static final int HEADER = 12;
    private static final int AAAA = 28;

    private record Reply(DatagramPacket packet, long dueNanos) implements Delayed {
        @Override
        public long getDelay(TimeUnit unit) {
            return unit.convert(dueNanos - System.nanoTime(), TimeUnit.NANOSECONDS);
        }

        @Override
        public int compareTo(Delayed other) {
            return Long.compare(dueNanos, ((Reply) other).dueNanos);
        }
    }

    public static void main(String[] arguments) throws IOException {
        var address = InetAddress.ofLiteral(arguments[0]);
        long delayNanos = TimeUnit.MILLISECONDS.toNanos(Long.parseLong(arguments[2]));
        var socket =
                new DatagramSocket(new InetSocketAddress(address, Integer.parseInt(arguments[1])));
        socket.setReceiveBufferSize(8 << 20);
        var replies = new DelayQueue<Reply>();
        Thread.ofPlatform().daemon().start(() -> receive(socket, delayNanos, replies));
        Thread.ofPlatform().daemon().start(() -> send(socket, replies));
        System.out.println("ready");
        while (System.in.read() >= 0) {
            // until the end
        }
    }

    private static void receive(DatagramSocket socket, long delayNanos, DelayQueue<Reply> replies) {
        try {
            while (true) {
                var packet = new DatagramPacket(new byte[1500], 1500);
                socket.receive(packet);
                packet.setData(answer(packet.getData(), packet.getLength()));
                replies.add(new Reply(packet, System.nanoTime() + delayNanos));
            }
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void send(DatagramSocket socket, DelayQueue<Reply> replies) {
        try {
            while (true) {
                socket.send(replies.take().packet());
            }
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The question and one record, whose name points to the question's. */
    private static byte[] answer(byte[] query, int length) {
        int end = HEADER;
        while (end < length && query[end] != 0) {
            end += 1 + query[end];
        }
        int type = query[end + 2];
        end += 5;
        int dataLength = type == AAAA ? 16 : 4;
        byte[] answer = new byte[end + 12 + dataLength];
        System.arraycopy(query, 0, answer, 0, end);
        answer[2] |= (byte) 0x80; // QR
        answer[3] = (byte) 0x80; // RA, NOERROR
        answer[7] = 1; // one answer
        answer[8] = answer[9] = answer[10] = answer[11] = 0;
        answer[end] = (byte) 0xc0;
        answer[end + 1] = HEADER;
        answer[end + 3] = (byte) type;
        answer[end + 5] = 1; // IN
        answer[end + 9] = 60; // TTL
        answer[end + 11] = (byte) dataLength;
        answer[end + 12] = (byte) (type == AAAA ? 0xfd : 10);
        answer[answer.length - 1] = 1;
        return answer;
    }
}
