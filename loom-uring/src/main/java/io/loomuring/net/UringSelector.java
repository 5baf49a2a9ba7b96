package io.loomuring.net;

import static io.loomuring.abi.SocketAbi.*;

import io.loomuring.abi.Memory;
import io.loomuring.abi.Native;
import io.loomuring.abi.Shim;
import io.loomuring.carrier.CarrierIo;
import io.loomuring.jdk.SunNet;
import io.loomuring.ring.Op;

import sun.nio.ch.SelChImpl;
import sun.nio.ch.SelectionKeyImpl;
import sun.nio.ch.SelectorImpl;

import java.io.IOException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.spi.AbstractSelector;
import java.nio.channels.spi.SelectorProvider;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.function.Consumer;

/**
 * A {@link Selector} over an epoll descriptor. A platform thread waits for it in {@code
 * epoll_wait(2)}, a virtual thread in a ring ({@link CarrierIo#epollWait}), so that it holds no
 * carrier. It takes the JDK's channels as well as ours.
 *
 * <p>{@link SelectorImpl} has the key sets, the cancelled keys and the locks: one thread at a time
 * selects, under the lock that is this object. Others register, change interests and cancel
 * meanwhile, which waits in a queue for the next select; they wake the thread that selects by an
 * eventfd. The eventfd is edge-triggered: it never needs to be read.
 *
 * <p>A key has a slot while epoll has its descriptor, that is while it has an interest. The
 * kernel's events name the slot.
 */
public final class UringSelector extends SelectorImpl {
    /** Taken from the kernel at a time. */
    private static final int EVENTS_MAX = 1024;

    /** The eventfd's slot, which has no key. */
    private static final int WAKEUP = 0;

    private final int epollFd;
    private final int eventFd;
    private final long events; // address of EVENTS_MAX of struct epoll_event
    private final Op op = new Op(waiting -> waiting.cancel(Op.INTERRUPT)); // of a virtual thread
    private final Slots slots = new Slots(); // guarded by this

    /** Keys whose interest epoll may not know yet. */
    private final ArrayDeque<SelectionKeyImpl> changed = new ArrayDeque<>(); // guarded by itself

    private final Object wakeupLock = new Object();

    /** Whether the eventfd was signalled and no select has seen it; for ever once closed. */
    private boolean woken; // guarded by wakeupLock

    private UringSelector(SelectorProvider provider) throws IOException {
        super(provider);
        epollFd = Native.lu_epoll_create();
        eventFd = epollFd < 0 ? epollFd : Native.lu_eventfd();
        events =
                eventFd < 0
                        ? eventFd
                        : Native.lu_map_anonymous((long) EVENTS_MAX * SIZEOF_EPOLL_EVENT);
        int n =
                events < 0
                        ? (int) events
                        : Shim.epollCtl(epollFd, EPOLL_CTL_ADD, eventFd, EPOLLIN | EPOLLET, WAKEUP);
        if (n < 0) {
            releaseAll();
            throw IoExceptions.io(n);
        }
    }

    /** A selector that takes any channel of the JDK's and ours. */
    public static AbstractSelector open(SelectorProvider provider) throws IOException {
        return new UringSelector(provider);
    }

    // ---- select ----

    @Override
    protected int doSelect(Consumer<SelectionKey> action, long timeoutMillis) throws IOException {
        assert Thread.holdsLock(this);
        processDeregisterQueue();
        processChanges();
        int n = await((int) Math.min(timeoutMillis, Integer.MAX_VALUE));
        if (n < 0) {
            throw IoExceptions.io(n);
        }
        acknowledgeWakeup(n);
        processDeregisterQueue();
        return processEvents(n, action);
    }

    private int await(int timeoutMillis) {
        if (Thread.currentThread().isVirtual()) {
            return awaitInRing(timeoutMillis);
        }
        boolean blocking = timeoutMillis != 0;
        begin(blocking); // from now on an interrupt is a wake-up
        try {
            return CarrierIo.epollWait(op, epollFd, events, EVENTS_MAX, timeoutMillis);
        } finally {
            end(blocking);
        }
    }

    private int awaitInRing(int timeoutMillis) {
        boolean claimed = op.tryClaim();
        assert claimed : op; // nobody else selects
        try {
            return CarrierIo.epollWait(op, epollFd, events, EVENTS_MAX, timeoutMillis);
        } finally {
            op.release();
        }
    }

    /** An action may throw, or close the selector: no event is looked at after that. */
    private int processEvents(int n, Consumer<SelectionKey> action) {
        int updated = 0;
        for (int i = 0; i < n; i++) {
            SelectionKeyImpl key = slots.get(slotOf(i));
            if (key != null) { // else it is the wake-up's, or of a key cancelled meanwhile
                int revents = Memory.getInt(event(i) + EPOLL_EVENT_EVENTS);
                updated += processReadyEvents(revents, key, action);
            }
        }
        return updated;
    }

    private int slotOf(int i) {
        return Memory.getInt(event(i) + EPOLL_EVENT_DATA);
    }

    private long event(int i) {
        return events + (long) i * SIZEOF_EPOLL_EVENT;
    }

    // ---- interests ----

    @Override
    protected void setEventOps(SelectionKeyImpl key) {
        synchronized (changed) {
            changed.addLast(key);
        }
    }

    private void processChanges() throws IOException {
        synchronized (changed) {
            SelectionKeyImpl key;
            while ((key = changed.peekFirst()) != null) {
                int n = key.isValid() ? update(key) : 0;
                changed.removeFirst();
                if (n < 0) {
                    changed.addLast(key); // the next select tries again, after all others
                    throw IoExceptions.io(n);
                }
            }
        }
    }

    /**
     * Tells epoll what a key waits for now. Returns 0 or {@code -errno}, and nothing is changed.
     */
    private int update(SelectionKeyImpl key) {
        var channel = (SelChImpl) key.channel();
        int before = SunNet.registeredEvents(key);
        int now = channel.translateInterestOps(key.nioInterestOps());
        if (now == before) {
            return 0;
        }
        if (now == 0) {
            implDereg(key);
            return 0;
        }
        int change = before == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
        int slot = before == 0 ? slots.take(key) : SunNet.index(key);
        int n = Shim.epollCtl(epollFd, change, channel.getFDVal(), now, slot);
        if (n == 0) {
            SunNet.index(key, slot);
            SunNet.registeredEvents(key, now);
        } else if (before == 0) {
            slots.free(slot);
        }
        return n;
    }

    /** A key's descriptor is open until its selectors have let go of it, ours and others. */
    @Override
    protected void implDereg(SelectionKeyImpl key) {
        assert Thread.holdsLock(this);
        if (SunNet.registeredEvents(key) != 0) {
            int fd = ((SelChImpl) key.channel()).getFDVal();
            Shim.epollCtl(epollFd, EPOLL_CTL_DEL, fd, 0, 0); // fails if epoll does not have it
            slots.free(SunNet.index(key));
            SunNet.registeredEvents(key, 0);
        }
    }

    /**
     * Keys by the numbers that epoll knows them by. A number that was freed is taken again by a
     * later select, so never while events are processed.
     */
    private static final class Slots {
        private SelectionKeyImpl[] keys = new SelectionKeyImpl[8];
        private int[] free = new int[8]; // a stack of numbers
        private int freed;
        private int used = WAKEUP + 1; // numbers from here on were never taken

        /** Null if it is not taken. */
        SelectionKeyImpl get(int slot) {
            return keys[slot];
        }

        int take(SelectionKeyImpl key) {
            int slot = freed > 0 ? free[--freed] : next();
            keys[slot] = key;
            return slot;
        }

        private int next() {
            if (used == keys.length) {
                free = Arrays.copyOf(free, 2 * used);
                keys = Arrays.copyOf(keys, 2 * used);
            }
            return used++;
        }

        void free(int slot) {
            assert keys[slot] != null : slot;
            keys[slot] = null;
            free[freed++] = slot;
        }
    }

    // ---- wake-up ----

    @Override
    public Selector wakeup() {
        synchronized (wakeupLock) { // so that close doesn't take the eventfd away in between
            if (!woken) {
                woken = true;
                Shim.signal(eventFd);
            }
        }
        return this;
    }

    /** Before anything that may throw: an edge comes once. */
    private void acknowledgeWakeup(int n) {
        for (int i = 0; i < n; i++) {
            if (slotOf(i) == WAKEUP) {
                synchronized (wakeupLock) {
                    woken = false;
                }
                return;
            }
        }
    }

    // ---- close ----

    /** Nobody selects, nor will. */
    @Override
    protected void implClose() {
        synchronized (wakeupLock) {
            woken = true;
        }
        releaseAll();
    }

    /** Each is negative if it was not to be had. */
    private void releaseAll() {
        if (events >= 0) {
            Native.lu_unmap(events, (long) EVENTS_MAX * SIZEOF_EPOLL_EVENT);
        }
        if (eventFd >= 0) {
            Shim.close(eventFd);
        }
        if (epollFd >= 0) {
            Shim.close(epollFd);
        }
    }
}
