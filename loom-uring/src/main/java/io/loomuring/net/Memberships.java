package io.loomuring.net;

import io.loomuring.jdk.SunDatagrams;
import io.loomuring.jdk.SunDatagrams.Membership;

import java.io.IOException;
import java.net.Inet4Address;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.nio.channels.MembershipKey;
import java.nio.channels.MulticastChannel;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * The multicast groups that a datagram socket is a member of. They are the kernel's, and end with
 * the descriptor; the keys are guarded by the socket's {@code stateLock}.
 */
final class Memberships {
    private final MulticastChannel channel;
    private final UdpSocket socket;
    private final List<Key> keys = new ArrayList<>(0);

    Memberships(MulticastChannel channel, UdpSocket socket) {
        this.channel = channel;
        this.socket = socket;
    }

    /**
     * As {@code DatagramChannel.join}: the key that there is, or a new one.
     *
     * @param source null for any
     */
    MembershipKey join(InetAddress group, NetworkInterface interf, InetAddress source)
            throws IOException {
        checkGroup(group);
        if (source != null) {
            checkSource(source, group);
        }
        synchronized (socket.stateLock) {
            socket.ensureOpen();
            MembershipKey present = find(group, interf, source);
            if (present != null) {
                return present;
            }
            int number =
                    group instanceof Inet4Address
                            ? SunDatagrams.inet4Address(interf)
                            : SunDatagrams.index(interf);
            var key = new Key(group, interf, number, source);
            key.change(Membership.JOIN, source);
            keys.add(key);
            return key;
        }
    }

    private void checkGroup(InetAddress group) {
        if (!group.isMulticastAddress()) {
            throw new IllegalArgumentException("Group not a multicast address");
        }
        if (group instanceof Inet6Address && !socket.isIPv6()) {
            throw new IllegalArgumentException("Only IPv6 sockets can join IPv6 multicast group");
        }
    }

    private static void checkSource(InetAddress source, InetAddress group) {
        if (source.isAnyLocalAddress()) {
            throw new IllegalArgumentException("Source address is a wildcard address");
        }
        if (source.isMulticastAddress()) {
            throw new IllegalArgumentException("Source address is multicast address");
        }
        if (source.getClass() != group.getClass()) {
            throw new IllegalArgumentException("Source address is different type to group");
        }
    }

    /**
     * The key of a membership, or null.
     *
     * @param source null for any
     * @throws IllegalStateException if there is one of the other kind
     */
    MembershipKey find(InetAddress group, NetworkInterface interf, InetAddress source) {
        synchronized (socket.stateLock) {
            for (Key key : keys) {
                if (!key.group.equals(group) || !key.interf.equals(interf)) {
                    continue;
                }
                if (source == null) {
                    if (key.source == null) {
                        return key;
                    }
                    throw new IllegalStateException("Already a member to receive all packets");
                }
                if (key.source == null) {
                    throw new IllegalStateException("Already have source-specific membership");
                }
                if (key.source.equals(source)) {
                    return key;
                }
            }
            return null;
        }
    }

    /** The socket is closed. */
    void invalidateAll() {
        assert Thread.holdsLock(socket.stateLock);
        keys.forEach(key -> key.valid = false);
        keys.clear();
    }

    private final class Key extends MembershipKey {
        private final InetAddress group;
        private final NetworkInterface interf;
        private final int number; // of the interface, as the kernel has been told
        private final InetAddress source;
        private volatile boolean valid = true; // stateLock to change
        private final Set<InetAddress> blocked = new HashSet<>(0); // guarded by stateLock

        Key(InetAddress group, NetworkInterface interf, int number, InetAddress source) {
            this.group = group;
            this.interf = interf;
            this.number = number;
            this.source = source;
        }

        private void change(Membership change, InetAddress from) throws IOException {
            assert Thread.holdsLock(socket.stateLock);
            if (!change.change(socket.fd, group, number, from)) {
                throw new UnsupportedOperationException();
            }
        }

        /** A change that only takes back another one. */
        private void undo(Membership change, InetAddress from) {
            try {
                change(change, from);
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        }

        @Override
        public boolean isValid() {
            return valid;
        }

        @Override
        public void drop() {
            synchronized (socket.stateLock) {
                if (valid) {
                    undo(Membership.DROP, source);
                    valid = false;
                    keys.remove(this);
                }
            }
        }

        @Override
        public MembershipKey block(InetAddress from) throws IOException {
            if (source != null) {
                throw new IllegalStateException("key is source-specific");
            }
            synchronized (socket.stateLock) {
                if (!blocked.contains(from)) {
                    ensureValid();
                    checkSource(from, group);
                    change(Membership.BLOCK, from);
                    blocked.add(from);
                }
            }
            return this;
        }

        @Override
        public MembershipKey unblock(InetAddress from) {
            synchronized (socket.stateLock) {
                if (!blocked.contains(from)) {
                    throw new IllegalStateException("not blocked");
                }
                ensureValid();
                undo(Membership.UNBLOCK, from);
                blocked.remove(from);
            }
            return this;
        }

        private void ensureValid() {
            if (!valid) {
                throw new IllegalStateException("key is no longer valid");
            }
        }

        @Override
        public MulticastChannel channel() {
            return channel;
        }

        @Override
        public InetAddress group() {
            return group;
        }

        @Override
        public NetworkInterface networkInterface() {
            return interf;
        }

        @Override
        public InetAddress sourceAddress() {
            return source;
        }

        @Override
        public String toString() {
            return "<"
                    + group.getHostAddress()
                    + ","
                    + interf.getName()
                    + (source == null ? "" : "," + source.getHostAddress())
                    + ">";
        }
    }
}
