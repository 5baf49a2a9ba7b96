package io.loomuring.ring;

import static io.loomuring.abi.IoUringAbi.*;

import io.loomuring.abi.Errno;

import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The operation of one direction of one descriptor, reused for the descriptor's whole life: nothing
 * is allocated per I/O. It doubles as that direction's lock.
 *
 * <pre>
 *            tryClaim            submit (home ring)              final CQE
 *     FREE -----------> CLAIMED --------------------> SUBMITTED -----------> CLAIMED
 *      | <------------- | | ^                           |                     ^
 *      |     release    | | | cancelled before          | cancel              |
 *      |                | | +-------- HANDED            +-> CANCELLING -------+
 *      |                | |             ^  |
 *      |                | +-------------+  +-- submit --> SUBMITTED
 *      |                |   hand over (threads that have no ring)
 *      +-> RETIRED      |
 *        tryRetire      +-- cancel: stays CLAIMED, the next submission is refused
 * </pre>
 *
 * Buffer, descriptor and slot belong to the kernel in SUBMITTED and CANCELLING, that is until the
 * final CQE. The word also counts the submissions (the life) and keeps the reason of a cancel,
 * sticky until {@link #release}: a canceller that was overtaken by completion and reuse fails its
 * compare-and-set and cancels nothing.
 *
 * <p>Fields that describe the operation are written by the claimer before submission and read by
 * the ring's owner after it; {@link #result} travels back the same way. The word publishes both.
 */
public final class Op {
    /** Told on the waiting thread; see {@link #interrupted}. */
    @FunctionalInterface
    public interface Owner {
        /**
         * The waiting thread found its interrupt status set while {@code op} is in flight. Either
         * ends the descriptor, which cancels the operation, or does nothing. The thread then waits
         * for the final CQE all the same.
         */
        void interrupted(Op op);
    }

    // States, in the word's lowest bits
    private static final int FREE = 0;
    private static final int CLAIMED = 1; // by a thread; nothing in flight
    private static final int HANDED = 2; // on its way to a ring, through a carrier's inbox
    private static final int SUBMITTED = 3; // the kernel's
    private static final int CANCELLING = 4; // the kernel's, a cancel request under way
    private static final int RETIRED = 5; // for ever: the descriptor is closed or about to be
    private static final int STATE_MASK = 7;

    // Reasons of a cancel, in the next two bits; 0 is none
    public static final int CLOSE = 1;
    public static final int INTERRUPT = 2;
    public static final int DEADLINE = 3;
    private static final int REASON_SHIFT = 3;
    private static final int REASON_MASK = 3 << REASON_SHIFT;

    // One submission
    private static final long LIFE = 1L << 5;

    private final AtomicLong word = new AtomicLong(FREE);
    private final Owner owner;

    // The SQE to be, in the order of struct io_uring_sqe; written by the claimer
    int opcode;
    int sqeFlags;
    int fd;
    long off;
    long addr;
    int len;
    int opFlags;

    // Where recvSelect puts what arrived; null for every other operation
    ByteBuffer dst;
    int dstPosition;

    private Thread waiter; // written by the claimer before submission

    // Of the current life; written by the home ring's owner before SUBMITTED publishes them
    private Ring home;
    private long userData;

    private int result; // written by the home ring's owner before CLAIMED publishes it

    public Op(Owner owner) {
        this.owner = owner;
    }

    // ---- the claimer's side ----

    /** FREE to CLAIMED. False: another thread holds it, or it is retired. Full fence. */
    public boolean tryClaim() {
        long w = word.get();
        return (w & STATE_MASK) == FREE && word.compareAndSet(w, w + CLAIMED);
    }

    /** CLAIMED to FREE, forgetting a cancel. Full fence. */
    public void release() {
        long w = word.get();
        assert (w & STATE_MASK) == CLAIMED : this;
        // a cancel that slips in between is for a claim that has ended: nothing to lose
        word.set(w & ~(long) (STATE_MASK | REASON_MASK));
    }

    /** FREE to RETIRED: true for the one caller who did it. Full fence. */
    public boolean tryRetire() {
        long w = word.get();
        return (w & STATE_MASK) == FREE && word.compareAndSet(w, w + RETIRED);
    }

    public boolean isRetired() {
        return (word.get() & STATE_MASK) == RETIRED;
    }

    /** Why the current claim was cancelled: {@link #CLOSE} and so on, or 0. */
    public int cancelReason() {
        return (int) (word.get() & REASON_MASK) >>> REASON_SHIFT;
    }

    /** Whether the operation is with the kernel or on its way. False sees the result. */
    public boolean inFlight() {
        int state = (int) (word.getAcquire() & STATE_MASK);
        return state == SUBMITTED || state == CANCELLING || state == HANDED;
    }

    /** The final CQE's res: {@code >= 0} or {@code -errno}. */
    public int result() {
        assert !inFlight() : this;
        return result;
    }

    public Owner owner() {
        return owner;
    }

    /** Makes the calling thread the one that the completion makes runnable. */
    public void waitOn(Thread thread) {
        assert (word.get() & STATE_MASK) == CLAIMED : this;
        waiter = thread;
    }

    /**
     * Any thread: asks that the current claim's operation end soon. In flight, it is cancelled on
     * its home ring; about to be submitted, it is refused with {@code -ECANCELED}. The final CQE
     * still comes, and may carry a result all the same.
     *
     * @param reason {@link #CLOSE}, {@link #INTERRUPT} or {@link #DEADLINE}; the first one stays
     * @return false if the operation was free or retired: nothing to cancel
     */
    public boolean cancel(int reason) {
        assert reason > 0 && reason <= DEADLINE;
        while (true) {
            long w = word.get();
            int state = (int) (w & STATE_MASK);
            if (state == FREE || state == RETIRED) {
                return false;
            }
            if ((w & REASON_MASK) != 0) {
                return true;
            }
            long cancelled = w | ((long) reason << REASON_SHIFT);
            if (state != SUBMITTED) {
                if (word.compareAndSet(w, cancelled)) {
                    return true;
                }
                continue;
            }
            // read before the exchange, which fails if this life has ended since
            var request = new Cancel(home, userData);
            if (word.compareAndSet(w, cancelled - SUBMITTED + CANCELLING)) {
                request.home.cancelSink().accept(request);
                return true;
            }
        }
    }

    /**
     * A request for the owner of {@code home}: cancel {@code userData} if it is still in flight.
     */
    public record Cancel(Ring home, long userData) {}

    // ---- the ring's side ----

    /** CLAIMED to HANDED, by a thread that has no ring; false if cancelled before. */
    public boolean handOver() {
        long w = word.get();
        return (w & (STATE_MASK | REASON_MASK)) == CLAIMED
                && word.compareAndSet(w, w - CLAIMED + HANDED);
    }

    /**
     * CLAIMED or HANDED to SUBMITTED, by the ring's owner, before the SQE is published; false if
     * cancelled before: then it is CLAIMED, {@code -ECANCELED} its result, and a waiter that handed
     * it over must be woken.
     */
    boolean submitted(Ring ring, long newUserData) {
        home = ring;
        userData = newUserData;
        while (true) {
            long w = word.get();
            int state = (int) (w & STATE_MASK);
            assert state == CLAIMED || state == HANDED : this;
            if ((w & REASON_MASK) != 0) {
                result = -Errno.ECANCELED;
                if (word.compareAndSet(w, w - state + CLAIMED)) {
                    return false;
                }
            } else if (word.compareAndSet(w, w - state + SUBMITTED + LIFE)) {
                return true;
            }
        }
    }

    /** CLAIMED or HANDED, never submitted: the operation ends with an error of the ring's own. */
    Thread refused(int error) {
        result = error;
        Thread thread = waiter;
        while (true) {
            long w = word.get();
            if (word.compareAndSet(w, (w & ~(long) STATE_MASK) + CLAIMED)) {
                return thread;
            }
        }
    }

    /** The final CQE: ours again. Returns the thread to make runnable. */
    Thread completed(int res) {
        result = res;
        Thread thread = waiter; // the claimer may go on as soon as the word says so
        while (true) {
            long w = word.get();
            int state = (int) (w & STATE_MASK);
            assert state == SUBMITTED || state == CANCELLING : this;
            if (word.compareAndSet(w, w - state + CLAIMED)) {
                return thread;
            }
        }
    }

    Thread waiter() {
        return waiter;
    }

    // ---- one method for each operation, arguments in liburing's order ----

    private void prep(int opcode, int fd, long addr, int len, long off, int opFlags) {
        this.opcode = opcode;
        this.sqeFlags = 0;
        this.fd = fd;
        this.addr = addr;
        this.len = len;
        this.off = off;
        this.opFlags = opFlags;
        this.dst = null;
    }

    public void prepNop() {
        prep(IORING_OP_NOP, -1, 0, 0, 0, 0);
    }

    /** {@code recv(2)} into native memory. */
    public void prepRecv(int fd, long address, int length, int flags) {
        prep(IORING_OP_RECV, fd, address, length, 0, flags);
    }

    /**
     * {@code recv(2)} that takes a provided buffer of the home ring when data arrives, whose
     * content is then at {@code position} of {@code buffer}, a heap buffer. At most {@link
     * BufferRing#BUFFER_SIZE} bytes; {@code -ENOBUFS} when every provided buffer is in use.
     */
    public void prepRecvSelect(int fd, ByteBuffer buffer, int position, int length) {
        prep(IORING_OP_RECV, fd, 0, Math.min(length, BufferRing.BUFFER_SIZE), 0, 0);
        sqeFlags = IOSQE_BUFFER_SELECT;
        dst = buffer;
        dstPosition = position;
    }

    /** {@code send(2)} from native memory. */
    public void prepSend(int fd, long address, int length, int flags) {
        prep(IORING_OP_SEND, fd, address, length, 0, flags);
    }

    /** {@code recvmsg(2)}; {@code msghdr} is the address of a {@code struct msghdr}. */
    public void prepRecvmsg(int fd, long msghdr, int flags) {
        prep(IORING_OP_RECVMSG, fd, msghdr, 1, 0, flags);
    }

    /** {@code sendmsg(2)}; {@code msghdr} is the address of a {@code struct msghdr}. */
    public void prepSendmsg(int fd, long msghdr, int flags) {
        prep(IORING_OP_SENDMSG, fd, msghdr, 1, 0, flags);
    }

    /** {@code accept4(2)}; {@code addrlen} is the address of a {@code socklen_t}. */
    public void prepAccept(int fd, long sockaddr, long addrlen, int flags) {
        prep(IORING_OP_ACCEPT, fd, sockaddr, 0, addrlen, flags);
    }

    public void prepConnect(int fd, long sockaddr, int addrlen) {
        prep(IORING_OP_CONNECT, fd, sockaddr, 0, addrlen, 0);
    }

    /** One-shot {@code poll(2)}; the result is {@code revents}. */
    public void prepPollAdd(int fd, int events) {
        prep(IORING_OP_POLL_ADD, fd, 0, 0, 0, events);
    }

    @Override
    public String toString() {
        long w = word.get();
        return "Op[state="
                + (w & STATE_MASK)
                + ", cancelReason="
                + ((w & REASON_MASK) >>> REASON_SHIFT)
                + ", life="
                + w / LIFE
                + ", opcode="
                + opcode
                + ", fd="
                + fd
                + "]";
    }
}
