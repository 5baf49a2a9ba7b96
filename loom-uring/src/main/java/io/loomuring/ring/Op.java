package io.loomuring.ring;

import static io.loomuring.abi.IoUringAbi.*;

import io.loomuring.abi.Errno;
import io.loomuring.abi.Shim;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * The operation of one direction of one descriptor, reused for the descriptor's whole life: nothing
 * is allocated per I/O. It doubles as that direction's lock.
 *
 * <pre>
 *            tryClaim              submit (home ring)
 *     FREE -----------> CLAIMED ---------------------> SUBMITTED
 *      | <------------- |  ^ ^ <----------------------    ^
 *      |     release    |  | |        final CQE           |
 *      |                |  | +---------- HANDED ----------+
 *      +-> RETIRED      |  |  refused    ^ |     submit (home ring)
 *        tryRetire      +--+-------------+ |
 *                          refused    hand over (threads that have no ring)
 *
 *               beginBlocking              cancel (any thread)
 *     CLAIMED ----------------> BLOCKED ----------------------> KICKING
 *        ^ <------------------- |  ^ <------------------------------+
 *                  endBlocking          the canceller is done
 * </pre>
 *
 * Buffer, descriptor and slot belong to the kernel in SUBMITTED, that is until the final CQE. The
 * word has one writer at a time: the claimer, then the ring's owner, then the claimer; only the
 * ways out of FREE and BLOCKED are contended. It also counts the claims.
 *
 * <p>In BLOCKED the claimer, a platform thread, sits in a system call. A canceller gets it out by
 * way of the descriptor's number ({@link Kicker}), and must not do so when the thread has left, the
 * descriptor is closed and its number is somebody else's. So it takes the word from BLOCKED to
 * KICKING for that time, and the thread can't leave before.
 *
 * <p>A cancel is a second word: the claim that it means, and the reason. It sticks until the claim
 * ends. Canceller and submitter each write their own word, then, past a full fence, read the
 * other's: so either the submission is refused with {@code -ECANCELED}, or the canceller sees
 * SUBMITTED and sends a request to the home ring, whose owner cancels what is still in flight of
 * that claim. The same holds for a system call and BLOCKED.
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

        /**
         * The operation goes on elsewhere, its request stays with the kernel ({@link Ring#moveOn})
         * and may write to the memory that it names until {@link #backFromKernel}. The owner is
         * kept reachable for so long. On the watchdog.
         */
        default void leftToKernel() {}

        /** The final CQE of a request that was left has come. On the ring's owner. */
        default void backFromKernel() {}

        /** Whether a request is left; any thread. Asked of those that accept alone. */
        default boolean isLeftToKernel() {
            return false;
        }
    }

    /** Gets threads out of system calls. */
    @FunctionalInterface
    public interface Kicker {
        /**
         * Makes a thread's blocking call on a descriptor end, and every later one end at once: the
         * descriptor is of no use afterwards, except that it can be closed. Never waits.
         *
         * @param thread the JDK's name for the native thread
         */
        void kick(int fd, long thread);
    }

    // States, in the word's lowest bits; above them the number of the claim
    private static final int FREE = 0;
    private static final int CLAIMED = 1; // by a thread; nothing in flight
    private static final int HANDED = 2; // on its way to a ring, through a carrier's inbox
    private static final int SUBMITTED = 3; // the kernel's
    private static final int RETIRED = 4; // for ever: the descriptor is closed or about to be
    private static final int BLOCKED = 5; // the claimer is in a system call
    private static final int KICKING = 6; // and a canceller gets it out
    private static final int STATE_MASK = 7;
    private static final int CLAIM_SHIFT = 3;

    // Reasons of a cancel, in the lowest bits of its word; above them the claim that it means
    public static final int CLOSE = 1;
    public static final int INTERRUPT = 2;
    public static final int DEADLINE = 3;
    private static final int REASON_MASK = 3;
    private static final int CANCELLED_CLAIM_SHIFT = 2;

    /** What an operation that takes a provided buffer can receive at most. */
    public static final int PROVIDED_BYTES = BufferRing.BUFFER_SIZE;

    private static final int SPINS_BEFORE_YIELD = 100;

    private static final VarHandle WORD;
    private static final VarHandle CANCELLED;

    static {
        try {
            var lookup = MethodHandles.lookup();
            WORD = lookup.findVarHandle(Op.class, "word", long.class);
            CANCELLED = lookup.findVarHandle(Op.class, "cancelled", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    // In the object itself: thousands of operations complete in turn, each one cold in the cache
    private volatile long word = FREE;
    private volatile long cancelled;
    private final Owner owner;

    // The SQE to be, in the order of struct io_uring_sqe; written by the claimer
    int opcode;
    int sqeFlags;
    int fd;
    long off;
    long addr;
    int len;
    int opFlags;

    // Where recvSelect puts what arrived; null for every other operation, and once it has ended
    byte[] dst;
    int dstOffset;

    private Thread waiter; // written by the claimer before submission

    private Ring home; // of the current submission; written by the submitter before SUBMITTED
    private long userData; // of the current submission; the home ring's owner's own

    private int result; // written by the home ring's owner before CLAIMED publishes it

    // Of the current system call, with fd and addr, which no SQE needs then
    private Kicker kicker; // written by the claimer before BLOCKED publishes it

    public Op(Owner owner) {
        this.owner = owner;
    }

    // ---- the claimer's side ----

    /** FREE to CLAIMED. False: another thread holds it, or it is retired. Full fence. */
    public boolean tryClaim() {
        long w = word;
        return (w & STATE_MASK) == FREE
                && WORD.compareAndSet(this, w, w + (1 << CLAIM_SHIFT) + CLAIMED - FREE);
    }

    /** CLAIMED to FREE, forgetting a cancel. Full fence. */
    public void release() {
        move(CLAIMED, FREE); // volatile: who marked the descriptor as closing is seen after it
    }

    /** FREE to RETIRED: true for the one caller who did it. Full fence. */
    public boolean tryRetire() {
        long w = word;
        return (w & STATE_MASK) == FREE && WORD.compareAndSet(this, w, w - FREE + RETIRED);
    }

    public boolean isRetired() {
        return (word & STATE_MASK) == RETIRED;
    }

    /** Why the current claim was cancelled: {@link #CLOSE} and so on, or 0. */
    public int cancelReason() {
        long c = cancelled;
        return c >>> CANCELLED_CLAIM_SHIFT == word >>> CLAIM_SHIFT ? (int) c & REASON_MASK : 0;
    }

    /** By the word's one writer. Full fence. */
    private void move(int from, int to) {
        long w = plainWord();
        assert (w & STATE_MASK) == from : this;
        word = w - from + to;
    }

    private long plainWord() {
        return (long) WORD.get(this);
    }

    private long acquireWord() {
        return (long) WORD.getAcquire(this);
    }

    private int state() {
        return (int) (acquireWord() & STATE_MASK);
    }

    /** Whether the claimer is in a system call. */
    public boolean isBlocked() {
        int state = state();
        return state == BLOCKED || state == KICKING;
    }

    /** Whether the operation is with the kernel or on its way. False sees the result. */
    public boolean inFlight() {
        int state = state();
        return state == SUBMITTED || state == HANDED;
    }

    /** The final CQE's res: {@code >= 0} or {@code -errno}. */
    public int result() {
        assert !inFlight() : this;
        return result;
    }

    /**
     * By the claimer: whether the operation ended only to be submitted again, as it is, to a ring
     * that somebody looks after ({@link Ring#moveOn}).
     */
    public boolean isToBeRepeated() {
        return result == -Errno.ECANCELED && !isCancelled();
    }

    public Owner owner() {
        return owner;
    }

    /**
     * CLAIMED to BLOCKED: the claimer is about to make a system call that may block. Full fence.
     *
     * @param thread the JDK's name for the calling native thread, for the kicker
     * @return false, and still CLAIMED, if the claim was cancelled
     */
    public boolean beginBlocking(Kicker newKicker, int newFd, long thread) {
        kicker = newKicker;
        fd = newFd;
        addr = thread;
        move(CLAIMED, BLOCKED);
        if (isCancelled()) {
            endBlocking(); // a canceller may have seen BLOCKED
            return false;
        }
        return true;
    }

    /** BLOCKED to CLAIMED, once no canceller uses the descriptor any more. Full fence. */
    public void endBlocking() {
        long claim = plainWord() & ~(long) STATE_MASK;
        int spins = 0;
        while (!WORD.compareAndSet(this, claim + BLOCKED, claim + CLAIMED)) {
            assert state() == KICKING || state() == BLOCKED : this;
            if (++spins < SPINS_BEFORE_YIELD) {
                Thread.onSpinWait();
            } else {
                Shim.yieldCpu();
            }
        }
    }

    /** A canceller that saw BLOCKED, in the word that is passed. */
    private void kick(long blocked) {
        long kicking = blocked - BLOCKED + KICKING;
        if (WORD.compareAndSet(this, blocked, kicking)) {
            try {
                kicker.kick(fd, addr);
            } finally {
                word = blocked;
            }
        }
    }

    /** Makes the calling thread the one that the completion makes runnable. */
    public void waitOn(Thread thread) {
        assert state() == CLAIMED : this;
        waiter = thread;
    }

    /**
     * Any thread: asks that the current claim's operation end soon. In flight, it is cancelled on
     * its home ring; about to be submitted, it is refused with {@code -ECANCELED}. The final CQE
     * still comes, and may carry a result all the same. A thread in a system call is got out, which
     * ends the descriptor's use: for {@link #CLOSE} only.
     *
     * @param reason {@link #CLOSE}, {@link #INTERRUPT} or {@link #DEADLINE}; the first one stays
     * @return false if the operation was free or retired: nothing to cancel
     */
    public boolean cancel(int reason) {
        assert reason > 0 && reason <= DEADLINE;
        while (true) {
            long w = word;
            int state = (int) (w & STATE_MASK);
            if (state == FREE || state == RETIRED) {
                return false;
            }
            long claim = w >>> CLAIM_SHIFT;
            long c = cancelled;
            if (c >>> CANCELLED_CLAIM_SHIFT >= claim) {
                return true; // by somebody else
            }
            var request = new Cancel(this, claim); // before anything is changed: it may throw
            if (CANCELLED.compareAndSet(this, c, claim << CANCELLED_CLAIM_SHIFT | reason)) {
                long now = word;
                if (now == (claim << CLAIM_SHIFT | SUBMITTED)) {
                    home.cancelSink().accept(request);
                } else if (now == (claim << CLAIM_SHIFT | BLOCKED)) {
                    assert reason == CLOSE : reason;
                    kick(now);
                }
                return true;
            }
        }
    }

    /** A request for the owner of the home ring: cancel what is in flight of this claim. */
    public record Cancel(Op op, long claim) {}

    // ---- the ring's side ----

    /** CLAIMED to HANDED, by a thread that has no ring. Full fence. */
    public void handOver() {
        move(CLAIMED, HANDED);
    }

    /** CLAIMED or HANDED to SUBMITTED, before the owner word's full fence. */
    void submitting(Ring ring) {
        home = ring;
        long w = plainWord();
        assert (w & STATE_MASK) == CLAIMED || (w & STATE_MASK) == HANDED : this;
        WORD.setRelease(this, (w & ~(long) STATE_MASK) + SUBMITTED);
    }

    /** By the word's writer: whether the current claim is cancelled, its submission refused. */
    public boolean isCancelled() {
        return cancelled >>> CANCELLED_CLAIM_SHIFT == plainWord() >>> CLAIM_SHIFT;
    }

    void userData(long newUserData) {
        userData = newUserData;
    }

    long userData() {
        return userData;
    }

    /** Whether the claim is the current one; on the home ring while in flight there. */
    boolean isClaim(long claim) {
        return acquireWord() >>> CLAIM_SHIFT == claim;
    }

    /**
     * The final CQE, or the refusal of a submission: ours again. Returns the thread to make
     * runnable.
     */
    Thread completed(int res) {
        assert state() == SUBMITTED : this;
        result = res;
        if (!isToBeRepeated()) {
            dst = null; // a parked connection must not keep its last array alive
        }
        Thread thread = waiter; // the claimer may go on as soon as the word says so
        WORD.setRelease(this, plainWord() - SUBMITTED + CLAIMED);
        return thread;
    }

    /** Whether it stands for a request that nobody waits for; see {@link OpTable#leave}. */
    boolean isLeft() {
        return (plainWord() & STATE_MASK) == FREE;
    }

    /**
     * Whether it is in flight and its request names no memory of a caller's: a buffer is chosen
     * when data is there, and an owner's is the owner's to keep.
     */
    boolean isMovable() {
        return !isLeft()
                && (opcode == IORING_OP_POLL_ADD
                        || opcode == IORING_OP_ACCEPT
                        || (sqeFlags & IOSQE_BUFFER_SELECT) != 0);
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
     * content is then at {@code offset} of {@code array}. At most {@link #PROVIDED_BYTES} bytes;
     * {@code -ENOBUFS} when every provided buffer is in use.
     */
    public void prepRecvSelect(int fd, byte[] array, int offset, int length) {
        prep(IORING_OP_RECV, fd, 0, Math.min(length, PROVIDED_BYTES), 0, 0);
        sqeFlags = IOSQE_BUFFER_SELECT;
        dst = array;
        dstOffset = offset;
    }

    /** {@code send(2)} from native memory. */
    public void prepSend(int fd, long address, int length, int flags) {
        prep(IORING_OP_SEND, fd, address, length, 0, flags);
    }

    /** {@code recvmsg(2)}; {@code msghdr} is the address of a {@code struct msghdr}. */
    public void prepRecvmsg(int fd, long msghdr, int flags) {
        prep(IORING_OP_RECVMSG, fd, msghdr, 1, 0, flags);
    }

    /**
     * {@code recvmsg(2)} that takes a provided buffer of the home ring when data arrives, as {@link
     * #prepRecvSelect} does. The length stands in the message's one {@code struct iovec}.
     */
    public void prepRecvmsgSelect(int fd, long msghdr, byte[] array, int offset) {
        prep(IORING_OP_RECVMSG, fd, msghdr, 1, 0, 0);
        sqeFlags = IOSQE_BUFFER_SELECT;
        dst = array;
        dstOffset = offset;
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

    /** One-shot {@code poll(2)}; the result has the events that came, errors among them. */
    public void prepPollAdd(int fd, int events) {
        prep(IORING_OP_POLL_ADD, fd, 0, 0, 0, events);
    }

    // ---- files ----

    /** {@code openat(2)}; {@code path} is the address of a NUL-terminated one. */
    public void prepOpenat(int dirFd, long path, int flags, int mode) {
        prep(IORING_OP_OPENAT, dirFd, path, mode, 0, flags);
    }

    public void prepClose(int fd) {
        prep(IORING_OP_CLOSE, fd, 0, 0, 0, 0);
    }

    /** {@code statx(2)}; {@code buffer} is the address of a {@code struct statx}. */
    public void prepStatx(int dirFd, long path, int flags, int mask, long buffer) {
        prep(IORING_OP_STATX, dirFd, path, mask, buffer, flags);
    }

    /** {@code pread(2)}. */
    public void prepRead(int fd, long address, int length, long position) {
        prep(IORING_OP_READ, fd, address, length, position, 0);
    }

    /** {@code pwrite(2)}. */
    public void prepWrite(int fd, long address, int length, long position) {
        prep(IORING_OP_WRITE, fd, address, length, position, 0);
    }

    /** {@code fsync(2)}, or {@code fdatasync(2)} with {@code IORING_FSYNC_DATASYNC}. */
    public void prepFsync(int fd, int flags) {
        prep(IORING_OP_FSYNC, fd, 0, 0, 0, flags);
    }

    @Override
    public String toString() {
        long w = word;
        return "Op[state="
                + (w & STATE_MASK)
                + ", claim="
                + (w >>> CLAIM_SHIFT)
                + ", cancelReason="
                + cancelReason()
                + ", opcode="
                + opcode
                + ", fd="
                + fd
                + "]";
    }
}
