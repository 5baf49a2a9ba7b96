// The owner word of a ring: a stress test of the protocol, its broken twins, and the measurement behind it.
//
//   owner_word_stress --quick                    the rule, then each broken twin in a child that must fail
//   owner_word_stress --seconds N [--seed S]     the rule alone
//   owner_word_stress --broken=NAME              one twin, in this process: expected to exit with 1
//   owner_word_stress --measure                  the figures of docs/decisions/001-owner-word.md
//
// One ring, one word. The carrier is the thread whose ring it is; a rescuer is any other thread.
//
//             take (CAS, acquire)              take (CAS, acquire)
//   FILLING <--------------------- OUTSIDE ---------------------> ENTERING      the carrier
//      |  \________________________  ^  ^ ________________________/  ^
//      |       give (release)        |  |      give (release)        |
//      +-------------------------------------------------------------+          SQ full: no gap in between
//                                    |
//             take (CAS, acquire)    |    give (release)
//   RESCUED <------------------------+------------------------> OUTSIDE         a rescuer, which never waits
//
// FILLING   claim, fill and publish of an SQE, and the operation's fields
// ENTERING  io_uring_enter, asleep in it or not, and the reaping that follows
// RESCUED   a rescuer does the same in the carrier's stead: drains the inbox into SQEs, submits, reaps
//
// Everything in struct bench below is plain memory: the word alone publishes it from one holder to the next, and
// ThreadSanitizer agrees (it sees none of the kernel's accesses, and no edge but the word's).
#define _GNU_SOURCE
#include "ring.h"

#include <inttypes.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/wait.h>

// ---- the protocol ---------------------------------------------------------------------------------------------

enum owner { OUTSIDE, FILLING, ENTERING, RESCUED };

enum twin {
    RULE_KEPT,
    NO_OWNER_CHECK,         // the rescuer takes the ring whatever the word says
    NO_RESCUER_CAS,         // the rescuer checks, then stores
    NO_CARRIER_CAS,         // the carrier checks, then stores
    TAKE_ENTERING,          // the rescuer takes the ring of a carrier asleep in io_uring_enter, too
    RELEASE_EARLY_FILL,     // the carrier gives the word back before it publishes the SQE
    RELEASE_EARLY_REAP,     // the carrier gives the word back before it reaps
    RELEASE_EARLY_RESCUE,   // the rescuer gives the word back before it reaps
    TWIN_COUNT
};

static const char *const TWIN_NAMES[TWIN_COUNT] = {
    "none", "no-owner-check", "no-cas", "no-carrier-cas", "take-entering",
    "release-early-fill", "release-early-reap", "release-early-rescue",
};

static enum twin broken = RULE_KEPT;  // written before the threads start

// A thread may be stopped anywhere: this is where the test stops it.
struct random { uint64_t state; };

static uint64_t random_next(struct random *random) {
    random->state ^= random->state << 13;
    random->state ^= random->state >> 7;
    random->state ^= random->state << 17;
    return random->state * 0x2545F4914F6CDD1DULL;
}

static uint32_t random_below(struct random *random, uint32_t bound) {
    return (uint32_t) ((random_next(random) >> 32) * bound >> 32);
}

static void spin_nanos(int64_t nanos) {
    int64_t until = clock_nanos(CLOCK_MONOTONIC) + nanos;
    while (clock_nanos(CLOCK_MONOTONIC) < until)
        cpu_relax();
}

static void stopped_here(struct random *random) {
    uint32_t dice = random_below(random, 512);
    if (dice < 8)
        spin_nanos(random_below(random, 3000));
    else if (dice < 14)
        sched_yield();
    else if (dice == 14)
        nanosleep(&(struct timespec){.tv_nsec = 1000 + random_below(random, 60000)}, NULL);
}

// Only the carrier calls this. It waits while a rescuer holds the ring: for one enter and one reap.
static uint64_t carrier_take(_Atomic int *word, enum owner state, struct random *random) {
    uint64_t waits = 0;
    for (;;) {
        int seen = OUTSIDE;
        if (broken == NO_CARRIER_CAS) {
            seen = atomic_load_explicit(word, memory_order_acquire);
            stopped_here(random);
            if (seen != RESCUED) {
                atomic_store_explicit(word, (int) state, memory_order_relaxed);
                return waits;
            }
        } else if (atomic_compare_exchange_weak_explicit(word, &seen, (int) state,
                                                         memory_order_acquire, memory_order_relaxed)) {
            return waits;  // acquire: what the last rescuer did to the ring and the operations is ours to see
        }
        if (++waits < 100)
            cpu_relax();
        else
            sched_yield();
    }
}

// Only a rescuer calls this. It never waits: a ring that is not OUTSIDE is in better hands.
static bool rescuer_take(_Atomic int *word, struct random *random) {
    int seen = atomic_load_explicit(word, memory_order_relaxed);
    switch (broken) {
    case NO_OWNER_CHECK:
        return true;
    case NO_RESCUER_CAS:
        if (seen != OUTSIDE)
            return false;
        stopped_here(random);
        atomic_store_explicit(word, RESCUED, memory_order_relaxed);
        return true;
    case TAKE_ENTERING:
        if (seen != ENTERING)
            seen = OUTSIDE;
        break;
    default:
        if (seen != OUTSIDE)
            return false;
    }
    return atomic_compare_exchange_strong_explicit(word, &seen, RESCUED,
                                                   memory_order_acquire, memory_order_relaxed);
}

// release: the next holder sees all that this one did
static void give(_Atomic int *word) {
    atomic_store_explicit(word, OUTSIDE, memory_order_release);
}

// ---- the test bench -------------------------------------------------------------------------------------------

enum { SLOTS = 96, PAIRS = 8, RESCUERS = 2, SQ_ENTRIES = 8, CQ_ENTRIES = 16, MESSAGE_BYTES_MAX = 64 };

enum kind { NOP, RECEIVE, SEND };

// FREE -> IN_FLIGHT (SQE filled) -> FREE (its CQE, the only one, was reaped)
struct slot {
    bool in_flight;
    enum kind kind;
    uint32_t generation;
    int32_t expected;  // the result that the CQE must carry
    int pair;
};

// IDLE -> RECEIVING (receive in flight) -> EXCHANGING (send in flight, or done) -> IDLE (both done)
struct pair {
    int fds[2];
    bool receiving, sending, sent;
    uint32_t turn;
    unsigned char inbound[MESSAGE_BYTES_MAX], outbound[MESSAGE_BYTES_MAX];
};

struct bench {
    // guarded by word
    struct ring ring;
    struct slot slots[SLOTS];
    int free_slots[SLOTS];
    int free_count;
    struct pair pairs[PAIRS];
    uint64_t issued, completed;
    int lone_receives;  // in flight, and no send on its way: they won't complete by themselves
    uint64_t sq_full, cq_overflows, carrier_reaped, rescuer_reaped, rescuer_submitted, rescuer_issued, sleeps;
    // end of guarded
    bool nop_returns_length;
    _Alignas(64) _Atomic int word;
    _Alignas(64) atomic_bool stop;
    atomic_bool finishing;
    uint64_t carrier_waits;            // the carrier's
    _Atomic uint64_t rescues;
    uint64_t seed;
};

static _Noreturn void fail(const struct bench *bench, const char *format, ...) {
    va_list args;
    va_start(args, format);
    char message[256];
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    printf("  broken=%s seed=%" PRIu64 ": %s\n", TWIN_NAMES[broken], bench->seed, message);
    fflush(stdout);
    _exit(1);
}

static size_t message_bytes(uint32_t turn) {
    return 1 + turn % MESSAGE_BYTES_MAX;
}

static void write_message(unsigned char *message, uint32_t turn) {
    for (size_t i = 0; i < message_bytes(turn); i++)
        message[i] = (unsigned char) (turn * 31 + i);
}

static enum kind next_kind(struct bench *bench, struct random *random, int *pair_index, bool finish_only) {
    *pair_index = (int) random_below(random, PAIRS);
    struct pair *pair = &bench->pairs[*pair_index];
    if (pair->receiving && !pair->sending && !pair->sent)
        return SEND;
    if (!finish_only && !pair->receiving && !pair->sending && random_below(random, 3) == 0)
        return RECEIVE;
    return NOP;
}

// Claims, fills and publishes one SQE. Needs the word. Returns false when the SQ or the slots are full.
static bool issue(struct bench *bench, struct random *random, bool finish_only) {
    if (bench->free_count == 0)
        return false;
    struct io_uring_sqe *sqe = ring_claim(&bench->ring);
    if (sqe == NULL) {
        bench->sq_full++;
        return false;
    }
    int index = bench->free_slots[--bench->free_count];
    struct slot *slot = &bench->slots[index];
    if (slot->in_flight)
        fail(bench, "slot %d was handed out while in flight", index);
    int pair_index;
    slot->kind = next_kind(bench, random, &pair_index, finish_only);
    slot->pair = pair_index;
    slot->in_flight = true;
    slot->generation++;
    stopped_here(random);
    struct pair *pair = &bench->pairs[pair_index];
    switch (slot->kind) {
    case NOP:
        sqe->opcode = IORING_OP_NOP;
        if (bench->nop_returns_length) {
            slot->expected = (int32_t) (random_next(random) >> 40);
            sqe->rw_flags = IORING_NOP_INJECT_RESULT;
            sqe->len = (uint32_t) slot->expected;
        } else {
            slot->expected = 0;
        }
        break;
    case RECEIVE:
        pair->turn++;
        pair->receiving = true;
        bench->lone_receives++;
        memset(pair->inbound, 0, sizeof pair->inbound);
        slot->expected = (int32_t) message_bytes(pair->turn);
        sqe->opcode = IORING_OP_RECV;
        sqe->fd = pair->fds[0];
        sqe->addr = (uint64_t) (uintptr_t) pair->inbound;
        stopped_here(random);
        sqe->len = sizeof pair->inbound;
        break;
    case SEND:
        pair->sending = true;
        bench->lone_receives--;
        write_message(pair->outbound, pair->turn);
        slot->expected = (int32_t) message_bytes(pair->turn);
        sqe->opcode = IORING_OP_SEND;
        sqe->fd = pair->fds[1];
        sqe->addr = (uint64_t) (uintptr_t) pair->outbound;
        stopped_here(random);
        sqe->len = (uint32_t) message_bytes(pair->turn);
        break;
    }
    stopped_here(random);
    sqe->user_data = (uint64_t) slot->generation << 32 | (uint32_t) index;
    bench->issued++;
    if (broken == RELEASE_EARLY_FILL) {
        give(&bench->word);
        stopped_here(random);
    }
    ring_publish(&bench->ring);
    return true;
}

static void complete(struct bench *bench, const struct io_uring_cqe *cqe) {
    uint32_t index = (uint32_t) cqe->user_data, generation = (uint32_t) (cqe->user_data >> 32);
    if (index >= SLOTS)
        fail(bench, "CQE of no slot: user_data %" PRIx64, (uint64_t) cqe->user_data);
    struct slot *slot = &bench->slots[index];
    if (generation != slot->generation)
        fail(bench, "slot %u: CQE of generation %u, the slot is at %u", index, generation, slot->generation);
    if (!slot->in_flight)
        fail(bench, "slot %u, generation %u: completed twice", index, generation);
    if (cqe->res != slot->expected)
        fail(bench, "slot %u: kind %d, result %d, expected %d", index, (int) slot->kind, cqe->res, slot->expected);
    struct pair *pair = &bench->pairs[slot->pair];
    if (slot->kind == RECEIVE) {
        unsigned char expected[MESSAGE_BYTES_MAX];
        write_message(expected, pair->turn);
        if (memcmp(pair->inbound, expected, message_bytes(pair->turn)) != 0)
            fail(bench, "pair %d, turn %u: wrong bytes", slot->pair, pair->turn);
        pair->receiving = false;
    } else if (slot->kind == SEND) {
        pair->sending = false;
        pair->sent = true;
    }
    if (pair->sent && !pair->receiving)
        pair->sent = false;
    slot->in_flight = false;
    if (bench->free_count == SLOTS)
        fail(bench, "more slots free than there are");
    bench->free_slots[bench->free_count++] = (int) index;
    bench->completed++;
}

// Needs the word. Leaves completions behind on purpose: the tiny CQ overflows.
static uint64_t reap(struct bench *bench, struct random *random) {
    uint32_t limit = random_below(random, 4) == 0 ? random_below(random, 6) : CQ_ENTRIES;
    uint64_t reaped = 0;
    struct io_uring_cqe *cqe;
    while (reaped < limit && (cqe = ring_peek(&bench->ring)) != NULL) {
        complete(bench, cqe);
        stopped_here(random);
        ring_consume(&bench->ring);
        reaped++;
    }
    return reaped;
}

// Needs the word. Submits all that is published; EBUSY and EAGAIN mean "reap first", EINTR means "again".
static uint64_t enter(struct bench *bench, unsigned min_complete, int64_t timeout_nanos) {
    uint32_t pending = ring_pending(&bench->ring);
    if (atomic_load_explicit(bench->ring.sq_flags, memory_order_relaxed) & IORING_SQ_CQ_OVERFLOW)
        bench->cq_overflows++;
    long result = min_complete == 0
            ? ring_enter(&bench->ring, pending, 0, IORING_ENTER_GETEVENTS)
            : ring_enter_timed(&bench->ring, pending, min_complete, IORING_ENTER_GETEVENTS, timeout_nanos);
    if (result == -ETIME)
        fail(bench, "the carrier slept %d ms with %" PRIu64 " operations in flight: one was lost",
             (int) (timeout_nanos / 1000000), bench->issued - bench->completed);
    if (result < 0 && result != -EBUSY && result != -EAGAIN && result != -EINTR)
        fail(bench, "io_uring_enter: %s", strerror((int) -result));
    return result < 0 ? 0 : (uint64_t) result;
}

static void *rescuer_main(void *argument) {
    struct bench *bench = argument;
    struct random random = {bench->seed * 7919 + (uint64_t) (uintptr_t) pthread_self()};
    while (!atomic_load_explicit(&bench->stop, memory_order_relaxed)) {
        uint32_t dice = random_below(&random, 64);
        if (dice == 0)
            nanosleep(&(struct timespec){.tv_nsec = 20000}, NULL);
        else if (dice < 16)
            sched_yield();
        else
            spin_nanos(random_below(&random, 4000));
        if (!rescuer_take(&bench->word, &random))
            continue;
        bool finishing = atomic_load_explicit(&bench->finishing, memory_order_relaxed);
        for (uint32_t n = finishing ? 0 : random_below(&random, 3); n > 0; n--)  // the inbox: cancels, really
            if (issue(bench, &random, true))
                bench->rescuer_issued++;
        stopped_here(&random);
        bench->rescuer_submitted += enter(bench, 0, 0);
        stopped_here(&random);
        if (broken == RELEASE_EARLY_RESCUE) {
            give(&bench->word);
            stopped_here(&random);
            reap(bench, &random);
        } else {
            bench->rescuer_reaped += reap(bench, &random);
            give(&bench->word);
        }
        atomic_fetch_add_explicit(&bench->rescues, 1, memory_order_relaxed);
    }
    return NULL;
}

// A virtual thread fills one SQE; when the SQ is full, FILLING becomes ENTERING with no gap.
static void carrier_fill(struct bench *bench, struct random *random, bool finish_only) {
    bench->carrier_waits += carrier_take(&bench->word, FILLING, random);
    if (!issue(bench, random, finish_only)) {
        if (broken == RULE_KEPT)  // in a twin the word may be somebody else's by now
            atomic_store_explicit(&bench->word, ENTERING, memory_order_relaxed);
        enter(bench, 0, 0);
        bench->carrier_reaped += reap(bench, random);
    }
    give(&bench->word);
}

// The end of the turn. What decides whether to sleep is read inside ENTERING: a rescuer may have changed it before.
static void carrier_enter(struct bench *bench, struct random *random, int64_t sleep_max_nanos) {
    bench->carrier_waits += carrier_take(&bench->word, ENTERING, random);
    stopped_here(random);
    uint64_t in_flight = bench->issued - bench->completed;
    bool sleeps = in_flight > (uint64_t) bench->lone_receives && random_below(random, 2) == 0;
    bench->sleeps += sleeps;
    enter(bench, sleeps, sleep_max_nanos);
    stopped_here(random);
    if (broken == RELEASE_EARLY_REAP)
        give(&bench->word);
    bench->carrier_reaped += reap(bench, random);
    give(&bench->word);
}

static bool probe_nop_result(struct ring *ring) {
    struct io_uring_sqe *sqe = ring_claim(ring);
    sqe->opcode = IORING_OP_NOP;
    sqe->rw_flags = IORING_NOP_INJECT_RESULT;
    sqe->len = 4711;
    ring_publish(ring);
    ring_enter(ring, 1, 1, IORING_ENTER_GETEVENTS);
    bool supported = ring_peek(ring)->res == 4711;
    ring_consume(ring);
    return supported;
}

static void open_bench(struct bench *bench, uint32_t ring_flags, uint64_t seed) {
    memset(bench, 0, sizeof *bench);
    bench->seed = seed;
    int error = ring_open(&bench->ring, SQ_ENTRIES, CQ_ENTRIES, ring_flags);
    if (error < 0)
        fail(bench, "io_uring_setup: %s", strerror(-error));
    bench->nop_returns_length = probe_nop_result(&bench->ring);
    for (int i = 0; i < SLOTS; i++)
        bench->free_slots[bench->free_count++] = i;
    for (int i = 0; i < PAIRS; i++)
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, bench->pairs[i].fds) < 0)
            fail(bench, "socketpair: %s", strerror(errno));
}

static void close_bench(struct bench *bench) {
    for (int i = 0; i < PAIRS; i++) {
        close(bench->pairs[i].fds[0]);
        close(bench->pairs[i].fds[1]);
    }
    ring_close(&bench->ring);
}

// One turn: a batch of virtual threads that fill, now and then a hog among them, then, mostly, enter and reap.
static void carrier_turn(struct bench *bench, struct random *random, int64_t sleep_max_nanos) {
    for (uint32_t n = random_below(random, SQ_ENTRIES + 4); n > 0; n--) {
        carrier_fill(bench, random, false);
        stopped_here(random);
    }
    uint32_t dice = random_below(random, 64);
    if (dice < 12)
        spin_nanos(random_below(random, 50000));  // hogged: SQEs not submitted, CQEs not reaped
    else if (dice == 12)
        nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);  // blocked in native code
    if (dice < 48)
        carrier_enter(bench, random, sleep_max_nanos);
}

// Turns until nothing is in flight, every receive having got its send.
static void drain(struct bench *bench, struct random *random, int64_t time_max_nanos) {
    int64_t deadline = clock_nanos(CLOCK_MONOTONIC) + time_max_nanos;
    for (;;) {
        carrier_take(&bench->word, FILLING, random);
        bool done = bench->issued == bench->completed;
        bool lone = bench->lone_receives > 0;
        give(&bench->word);
        if (done)
            return;
        if (clock_nanos(CLOCK_MONOTONIC) > deadline)
            fail(bench, "operations were lost");
        if (lone)
            carrier_fill(bench, random, true);
        carrier_enter(bench, random, time_max_nanos);
    }
}

// With all threads but this one gone.
static void check_end(const struct bench *bench) {
    for (int i = 0; i < SLOTS; i++)
        if (bench->slots[i].in_flight)
            fail(bench, "slot %d never completed", i);
    if (bench->free_count != SLOTS)
        fail(bench, "%d slots free of %d", bench->free_count, (int) SLOTS);
    if (atomic_load(bench->ring.cq_head) != atomic_load(bench->ring.cq_tail))
        fail(bench, "completions left over");
    if (atomic_load(bench->ring.cq_overflow) != 0 || atomic_load(bench->ring.sq_dropped) != 0)
        fail(bench, "the kernel dropped something");
    printf("  broken=%s flags=0x%x seed=%" PRIu64 ": %" PRIu64 " operations; carrier: reaped %" PRIu64 ", slept %" PRIu64
           ", waited %" PRIu64 "; rescuers: %" PRIu64 " rescues, issued %" PRIu64 ", submitted %" PRIu64
           ", reaped %" PRIu64 "; SQ full %" PRIu64 ", CQ overflow %" PRIu64 "\n",
           TWIN_NAMES[broken], bench->ring.flags, bench->seed, bench->issued, bench->carrier_reaped, bench->sleeps,
           bench->carrier_waits, atomic_load(&bench->rescues), bench->rescuer_issued, bench->rescuer_submitted,
           bench->rescuer_reaped, bench->sq_full, bench->cq_overflows);
    if (bench->rescuer_submitted == 0 || bench->rescuer_reaped == 0 || bench->carrier_reaped == 0
            || bench->carrier_waits == 0 || bench->sq_full == 0 || bench->cq_overflows == 0 || bench->sleeps == 0)
        fail(bench, "one of the situations above never occurred: the run proves nothing");
}

static void stress(uint32_t ring_flags, int64_t nanos, uint64_t seed) {
    static struct bench bench;
    open_bench(&bench, ring_flags, seed);
    // a twin loses operations: let its carrier find that out soon
    int64_t sleep_max_nanos = broken == RULE_KEPT ? 10000000000 : 300000000;
    struct random random = {seed * 104729 + 1};
    pthread_t rescuers[RESCUERS];
    for (int i = 0; i < RESCUERS; i++)
        pthread_create(&rescuers[i], NULL, rescuer_main, &bench);
    int64_t until = clock_nanos(CLOCK_MONOTONIC) + nanos;
    while (clock_nanos(CLOCK_MONOTONIC) < until)
        carrier_turn(&bench, &random, sleep_max_nanos);
    // A thread that submitted must outlive its operations: the rescuers stop filling, and end when all is done.
    atomic_store_explicit(&bench.finishing, true, memory_order_relaxed);
    drain(&bench, &random, sleep_max_nanos);
    atomic_store_explicit(&bench.stop, true, memory_order_relaxed);
    for (int i = 0; i < RESCUERS; i++)
        pthread_join(rescuers[i], NULL);
    drain(&bench, &random, sleep_max_nanos);  // what a rescuer that hadn't noticed yet has filled: NOPs
    check_end(&bench);
    close_bench(&bench);
}

// ---- the measurement: what the word costs ---------------------------------------------------------------------

enum guard {
    UNPROTECTED,
    CAS,         // lock cmpxchg to take, release store to give: the rule above
    ASYMMETRIC,  // plain stores and a look at "rescue wanted"; the rescuer sets that, calls membarrier(2), then looks
    GUARDS
};

static const char *const GUARD_NAMES[GUARDS] = {"unprotected", "CAS", "asymmetric"};

static struct {
    _Alignas(64) _Atomic int word;
    _Alignas(64) _Atomic int rescue_wanted;
} guarded;

#define ALWAYS_INLINE static inline __attribute__((always_inline))

ALWAYS_INLINE void guard_take(enum guard guard, enum owner state) {
    if (guard == CAS) {
        int seen = OUTSIDE;
        while (!atomic_compare_exchange_weak_explicit(&guarded.word, &seen, (int) state,
                                                      memory_order_acquire, memory_order_relaxed)) {
            seen = OUTSIDE;
            sched_yield();
        }
    } else if (guard == ASYMMETRIC) {
        for (;;) {
            atomic_store_explicit(&guarded.word, (int) state, memory_order_relaxed);
            atomic_signal_fence(memory_order_seq_cst);  // the compiler only; the rescuer's membarrier does the rest
            if (!atomic_load_explicit(&guarded.rescue_wanted, memory_order_acquire))
                return;
            atomic_store_explicit(&guarded.word, OUTSIDE, memory_order_release);
            sched_yield();
        }
    }
}

ALWAYS_INLINE void guard_give(enum guard guard) {
    if (guard != UNPROTECTED)
        atomic_store_explicit(&guarded.word, OUTSIDE, memory_order_release);
}

ALWAYS_INLINE void fill(struct ring *ring, enum guard guard, int opcode, int fd, void *bytes, uint32_t length) {
    guard_take(guard, FILLING);
    struct io_uring_sqe *sqe = ring_claim(ring);
    sqe->opcode = (uint8_t) opcode;
    sqe->fd = fd;
    sqe->addr = (uint64_t) (uintptr_t) bytes;
    sqe->len = length;
    sqe->user_data = (uint64_t) (uintptr_t) bytes;
    ring_publish(ring);
    guard_give(guard);
}

ALWAYS_INLINE void enter_and_reap(struct ring *ring, enum guard guard, bool with_system_call) {
    guard_take(guard, ENTERING);
    if (with_system_call)
        ring_enter(ring, ring_pending(ring), 0, IORING_ENTER_GETEVENTS);
    while (ring_peek(ring) != NULL)
        ring_consume(ring);
    guard_give(guard);
}

enum { FILLS = 256, ECHO_SOCKETS = 16 };

ALWAYS_INLINE double nanos_per_fill(struct ring *ring, enum guard guard) {
    int64_t total = 0;
    for (int round = 0; round < 400; round++) {
        int64_t start = clock_nanos(CLOCK_MONOTONIC);
        for (int i = 0; i < FILLS; i++)
            fill(ring, guard, IORING_OP_NOP, -1, NULL, 0);
        total += clock_nanos(CLOCK_MONOTONIC) - start;
        enter_and_reap(ring, UNPROTECTED, true);
    }
    return (double) total / (400.0 * FILLS);
}

ALWAYS_INLINE double nanos_per_enter_bracket(struct ring *ring, enum guard guard) {
    int64_t start = clock_nanos(CLOCK_MONOTONIC);
    for (int i = 0; i < 200000; i++)
        enter_and_reap(ring, guard, false);
    return (double) (clock_nanos(CLOCK_MONOTONIC) - start) / 200000;
}

// A request is a send and a receive of 64 bytes. One enter for each batch of requests, or, if split, one
// after each of its operations.
ALWAYS_INLINE double nanos_per_request(struct ring *ring, enum guard guard, int sockets[][2], int batch, bool split) {
    static char outbound[64], inbound[ECHO_SOCKETS][64];
    enum { REQUESTS = 24000 };
    int64_t start = clock_nanos(CLOCK_THREAD_CPUTIME_ID);
    for (int done = 0; done < REQUESTS; done += batch) {
        for (int i = 0; i < batch; i++) {
            fill(ring, guard, IORING_OP_SEND, sockets[i][1], outbound, sizeof outbound);
            if (split)
                enter_and_reap(ring, guard, true);
            fill(ring, guard, IORING_OP_RECV, sockets[i][0], inbound[i], sizeof inbound[i]);
        }
        enter_and_reap(ring, guard, true);
    }
    return (double) (clock_nanos(CLOCK_THREAD_CPUTIME_ID) - start) / REQUESTS;
}

enum { FILL, BRACKET, ECHO_2, ECHO_1, ECHO_02, ECHO_006, FIGURES, ROUNDS = 11 };

static const char *const FIGURE_NAMES[FIGURES] = {
    "ns per fill", "ns per enter bracket (no system call)", "ns CPU per request, 2 enters a request",
    "ns CPU per request, 1 enter a request", "ns CPU per request, 0.25 enters a request",
    "ns CPU per request, 0.06 enters a request",
};

ALWAYS_INLINE void measure_guard(struct ring *ring, enum guard guard, int sockets[][2], double *figures) {
    figures[FILL] = nanos_per_fill(ring, guard);
    figures[BRACKET] = nanos_per_enter_bracket(ring, guard);
    figures[ECHO_2] = nanos_per_request(ring, guard, sockets, 1, true);
    figures[ECHO_1] = nanos_per_request(ring, guard, sockets, 1, false);
    figures[ECHO_02] = nanos_per_request(ring, guard, sockets, 4, false);
    figures[ECHO_006] = nanos_per_request(ring, guard, sockets, 16, false);
}

static long membarrier(int command) {
    return syscall(__NR_membarrier, command, 0, 0);
}

static void measure_cost(void) {
    struct ring ring;
    int sockets[ECHO_SOCKETS][2];
    ring_open(&ring, FILLS, 0, IORING_SETUP_COOP_TASKRUN);
    for (int i = 0; i < ECHO_SOCKETS; i++)
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets[i]) < 0)
            exit(1);
    static double figures[GUARDS][ROUNDS][FIGURES];
    for (int round = -1; round < ROUNDS; round++)
        for (int turn = 0; turn < GUARDS; turn++) {
            double warm_up[FIGURES];
            int guard = (turn + round + GUARDS) % GUARDS;
            double *to = round < 0 ? warm_up : figures[guard][round];
            if (guard == UNPROTECTED)
                measure_guard(&ring, UNPROTECTED, sockets, to);
            else if (guard == CAS)
                measure_guard(&ring, CAS, sockets, to);
            else
                measure_guard(&ring, ASYMMETRIC, sockets, to);
        }
    for (int figure = 0; figure < FIGURES; figure++) {
        printf("%s (%d rounds)\n", FIGURE_NAMES[figure], ROUNDS);
        for (int guard = 0; guard < GUARDS; guard++) {
            double sorted[ROUNDS];
            for (int round = 0; round < ROUNDS; round++)
                sorted[round] = figures[guard][round][figure];
            qsort(sorted, ROUNDS, sizeof *sorted, compare_doubles);
            printf("  %-12s lowest %8.1f  median %8.1f  highest %8.1f\n", GUARD_NAMES[guard], sorted[0],
                   sorted[ROUNDS / 2], sorted[ROUNDS - 1]);
        }
    }
    ring_close(&ring);
}

// ---- the measurement: how soon a rescuer gets the completions of a hogged carrier ------------------------------

enum hog { SPINNING, FUTEX };
enum kick { NO_KICK, MEMBARRIER, SIGNAL };

static const char *const HOG_NAMES[] = {"spins", "sleeps in a futex"};
static const char *const KICK_NAMES[] = {"none", "membarrier", "signal"};

static struct {
    struct ring ring;
    int sockets[2];
    enum hog hog;
    _Atomic int go;        // a futex: the round that the carrier is to arm
    _Atomic int armed;     // the round that it has armed
    bool carrier_submits;  // else it only publishes, and a rescuer submits
    char byte;
} hogged;

static void pin(int cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    sched_setaffinity(0, sizeof set, &set);
}

static void *hogged_carrier(void *argument) {
    (void) argument;
    pin(0);
    for (int round = 1;; round++) {
        int go;
        while ((go = atomic_load(&hogged.go)) < round && go >= 0)
            if (hogged.hog == FUTEX)
                syscall(SYS_futex, &hogged.go, FUTEX_WAIT_PRIVATE, go, NULL, NULL, 0);
        if (go < 0)
            return NULL;
        struct io_uring_sqe *sqe = ring_claim(&hogged.ring);
        sqe->opcode = IORING_OP_RECV;
        sqe->fd = hogged.sockets[0];
        sqe->addr = (uint64_t) (uintptr_t) &hogged.byte;
        sqe->len = 1;
        ring_publish(&hogged.ring);
        if (hogged.carrier_submits)
            ring_enter(&hogged.ring, 1, 0, 0);
        atomic_store(&hogged.armed, round);
    }
}

static void tell_carrier(int go) {
    atomic_store(&hogged.go, go);
    syscall(SYS_futex, &hogged.go, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void do_nothing(int signal) {
    (void) signal;
}

static void measure_rescue(uint32_t flags, enum hog hog, enum kick kick, bool carrier_submits) {
    enum { RESCUES = 61 };
    ring_open(&hogged.ring, 8, 0, flags);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, hogged.sockets) < 0)
        exit(1);
    hogged.hog = hog;
    hogged.carrier_submits = carrier_submits;
    atomic_store(&hogged.go, 0);
    atomic_store(&hogged.armed, 0);
    pthread_t carrier;
    pthread_create(&carrier, NULL, hogged_carrier, NULL);
    double delays[RESCUES];
    int flag_seen = 0;
    for (int round = 1; round <= RESCUES; round++) {
        tell_carrier(round);
        while (atomic_load(&hogged.armed) != round)
            cpu_relax();
        nanosleep(&(struct timespec){.tv_nsec = 500000 + round * 67000}, NULL);  // out of step with the tick
        if (!carrier_submits)
            ring_enter(&hogged.ring, 1, 0, IORING_ENTER_GETEVENTS);
        int64_t start = clock_nanos(CLOCK_MONOTONIC);
        if (write(hogged.sockets[1], "x", 1) != 1)
            exit(1);
        flag_seen += (atomic_load(hogged.ring.sq_flags) & IORING_SQ_TASKRUN) != 0;
        if (kick == MEMBARRIER)
            membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED);
        else if (kick == SIGNAL)
            pthread_kill(carrier, SIGURG);
        while (ring_peek(&hogged.ring) == NULL)
            ring_enter(&hogged.ring, 0, 0, IORING_ENTER_GETEVENTS);
        delays[round - 1] = (double) (clock_nanos(CLOCK_MONOTONIC) - start) / 1000;
        ring_consume(&hogged.ring);
    }
    tell_carrier(-1);
    pthread_join(carrier, NULL);
    qsort(delays, RESCUES, sizeof *delays, compare_doubles);
    printf("  flags 0x%03x, submitted by the %s, carrier %-17s kick %-10s: lowest %7.1f  median %7.1f  highest %7.1f us"
           "; IORING_SQ_TASKRUN seen %d of %d\n", flags, carrier_submits ? "carrier" : "rescuer", HOG_NAMES[hog],
           KICK_NAMES[kick], delays[0], delays[RESCUES / 2], delays[RESCUES - 1], flag_seen, RESCUES);
    ring_close(&hogged.ring);
    close(hogged.sockets[0]);
    close(hogged.sockets[1]);
}

static void *submit_and_exit(void *argument) {
    ring_enter(argument, 1, 0, 0);
    return NULL;
}

static void measure_exit_of_submitter(void) {
    struct ring ring;
    int sockets[2];
    static char byte;
    ring_open(&ring, 8, 0, IORING_SETUP_COOP_TASKRUN);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) < 0)
        exit(1);
    fill(&ring, UNPROTECTED, IORING_OP_RECV, sockets[0], &byte, 1);
    pthread_t submitter;
    pthread_create(&submitter, NULL, submit_and_exit, &ring);
    pthread_join(submitter, NULL);
    for (int i = 0; i < 2; i++) {
        ring_enter_timed(&ring, 0, 1, IORING_ENTER_GETEVENTS, 300000000);
        struct io_uring_cqe *cqe = ring_peek(&ring);
        printf("  the thread that submitted a receive has exited; %s: %s\n", i ? "data arrived" : "no data yet",
               cqe == NULL ? "no completion" : cqe->res < 0 ? strerror(-cqe->res) : "received");
        if (write(sockets[1], "x", 1) != 1)
            exit(1);
    }
    char bytes[4];
    printf("  of the two bytes sent by now, %zd are left in the socket\n",
           recv(sockets[0], bytes, sizeof bytes, MSG_DONTWAIT));
    ring_close(&ring);
    close(sockets[0]);
    close(sockets[1]);
}

// IORING_SQ_TASKRUN is one bit for the ring, not one for each thread: a hogged carrier's is lost when a rescuer runs
// its own task work.
static void measure_shared_flag(void) {
    ring_open(&hogged.ring, 8, 0, IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG);
    int other[2];
    static char byte;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, hogged.sockets) < 0
            || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, other) < 0)
        exit(1);
    hogged.hog = SPINNING;
    hogged.carrier_submits = true;
    atomic_store(&hogged.go, 1);
    atomic_store(&hogged.armed, 0);
    pthread_t carrier;
    pthread_create(&carrier, NULL, hogged_carrier, NULL);
    enum { TIMES = 30 };
    int set = 0, lost = 0;
    for (int round = 1; round <= TIMES; round++) {
        tell_carrier(round);
        while (atomic_load(&hogged.armed) != round)
            cpu_relax();
        fill(&hogged.ring, UNPROTECTED, IORING_OP_RECV, other[0], &byte, 1);
        ring_enter(&hogged.ring, 1, 0, 0);
        if (write(hogged.sockets[1], "x", 1) != 1)
            exit(1);
        bool set_here = atomic_load(hogged.ring.sq_flags) & IORING_SQ_TASKRUN;
        if (write(other[1], "x", 1) != 1)
            exit(1);
        ring_enter(&hogged.ring, 0, 0, IORING_ENTER_GETEVENTS);
        uint32_t arrived = atomic_load(hogged.ring.cq_tail) - atomic_load(hogged.ring.cq_head);
        bool set_after = atomic_load(hogged.ring.sq_flags) & IORING_SQ_TASKRUN;
        if (set_here && arrived == 1) {
            set++;
            lost += !set_after;
        }
        for (int reaped = 0; reaped < 2;) {
            if (ring_peek(&hogged.ring) == NULL)
                continue;
            ring_consume(&hogged.ring);
            reaped++;
        }
    }
    tell_carrier(-1);
    pthread_join(carrier, NULL);
    printf("  IORING_SQ_TASKRUN while the carrier's task work waits: set %d times, of these cleared by a rescuer's own"
           " task work %d times\n", set, lost);
    ring_close(&hogged.ring);
    for (int i = 0; i < 2; i++) {
        close(other[i]);
        close(hogged.sockets[i]);
    }
}

// The carrier sleeps in io_uring_enter(min_complete 1) for an operation that a rescuer, asleep or busy, submitted.
static _Atomic int64_t sleeper_woke;

static void *sleeping_carrier(void *argument) {
    pin(0);
    ring_enter(argument, 0, 1, IORING_ENTER_GETEVENTS);
    atomic_store(&sleeper_woke, clock_nanos(CLOCK_MONOTONIC));
    return NULL;
}

static void *rescuer_that(void *argument) {
    pin(1);
    ring_enter(&hogged.ring, 1, 0, 0);
    atomic_store(&hogged.armed, 1);
    while (atomic_load(&hogged.go) == 0)
        if (argument != NULL)
            syscall(SYS_futex, &hogged.go, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
    return NULL;
}

static void measure_sleeper_behind_rescuer(enum hog rescuer_does) {
    enum { TIMES = 31 };
    double delays[TIMES];
    for (int i = 0; i < TIMES; i++) {
        ring_open(&hogged.ring, 8, 0, IORING_SETUP_COOP_TASKRUN);
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, hogged.sockets) < 0)
            exit(1);
        atomic_store(&hogged.go, 0);
        atomic_store(&hogged.armed, 0);
        atomic_store(&sleeper_woke, 0);
        fill(&hogged.ring, UNPROTECTED, IORING_OP_RECV, hogged.sockets[0], &hogged.byte, 1);
        pthread_t rescuer, carrier;
        pthread_create(&rescuer, NULL, rescuer_that, rescuer_does == FUTEX ? &hogged : NULL);
        while (atomic_load(&hogged.armed) == 0)
            sched_yield();
        pthread_create(&carrier, NULL, sleeping_carrier, &hogged.ring);
        pin(0);
        nanosleep(&(struct timespec){.tv_nsec = 2000000 + i * 131000}, NULL);
        int64_t start = clock_nanos(CLOCK_MONOTONIC);
        if (write(hogged.sockets[1], "x", 1) != 1)
            exit(1);
        pthread_join(carrier, NULL);
        delays[i] = (double) (atomic_load(&sleeper_woke) - start) / 1000;
        tell_carrier(1);
        pthread_join(rescuer, NULL);
        ring_close(&hogged.ring);
        close(hogged.sockets[0]);
        close(hogged.sockets[1]);
    }
    pin(1);
    qsort(delays, TIMES, sizeof *delays, compare_doubles);
    printf("  the carrier sleeps in its ring, the rescuer that submitted %s: lowest %7.1f  median %7.1f  highest %7.1f us\n",
           HOG_NAMES[rescuer_does], delays[0], delays[TIMES / 2], delays[TIMES - 1]);
}

static int measure(void) {
    measure_cost();
    membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED);
    signal(SIGURG, do_nothing);
    pin(1);
    printf("a hogged carrier: from the arrival of the data to the CQE in the rescuer's hands\n");
    static const uint32_t FLAGS[] = {0, IORING_SETUP_COOP_TASKRUN, IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG};
    for (size_t i = 0; i < sizeof FLAGS / sizeof *FLAGS; i++)
        for (int kick = NO_KICK; kick <= SIGNAL; kick++)
            measure_rescue(FLAGS[i], SPINNING, (enum kick) kick, true);
    measure_rescue(IORING_SETUP_COOP_TASKRUN, FUTEX, NO_KICK, true);
    measure_rescue(IORING_SETUP_COOP_TASKRUN, SPINNING, NO_KICK, false);
    measure_exit_of_submitter();
    measure_shared_flag();
    measure_sleeper_behind_rescuer(FUTEX);
    measure_sleeper_behind_rescuer(SPINNING);
    pthread_t carrier;
    tell_carrier(0);
    hogged.hog = SPINNING;
    pthread_create(&carrier, NULL, hogged_carrier, NULL);
    nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    int64_t start = clock_nanos(CLOCK_MONOTONIC);
    for (int i = 0; i < 1000; i++)
        membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED);
    printf("  membarrier(PRIVATE_EXPEDITED) with the carrier spinning: %.1f us\n",
           (double) (clock_nanos(CLOCK_MONOTONIC) - start) / 1e6);
    tell_carrier(-1);
    pthread_join(carrier, NULL);
    return 0;
}

// ---- command line ---------------------------------------------------------------------------------------------

// Runs one variant in a child, since a twin may crash or hang. Returns true when it ends as it should.
static bool run_in_child(enum twin twin, uint32_t ring_flags, int64_t nanos, uint64_t seed) {
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        broken = twin;
        alarm(twin == RULE_KEPT ? 30 : 3);
        stress(ring_flags, nanos, seed);
        exit(0);
    }
    int status;
    waitpid(child, &status, 0);
    bool clean = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (WIFSIGNALED(status))
        printf("  broken=%s seed=%" PRIu64 ": signal %d\n", TWIN_NAMES[twin], seed, WTERMSIG(status));
    bool passed = clean == (twin == RULE_KEPT);
    printf("%s %s, flags 0x%x\n", passed ? "ok    " : "FAILED",
           twin == RULE_KEPT ? "every operation completes exactly once" : TWIN_NAMES[twin], ring_flags);
    return passed;
}

static int quick(uint64_t seed) {
    static const uint32_t FLAGS[] = {IORING_SETUP_COOP_TASKRUN, IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG, 0};
    int passed = 0, failed = 0;
    for (size_t i = 0; i < sizeof FLAGS / sizeof *FLAGS; i++)
        run_in_child(RULE_KEPT, FLAGS[i], 700000000, seed + i) ? passed++ : failed++;
    for (int twin = RULE_KEPT + 1; twin < TWIN_COUNT; twin++)
        run_in_child((enum twin) twin, IORING_SETUP_COOP_TASKRUN, 700000000, seed) ? passed++ : failed++;
    printf("%d passed, %d failed\n", passed, failed);
    return failed == 0 ? 0 : 1;
}

int main(int count, char **arguments) {
    uint64_t seed = (uint64_t) clock_nanos(CLOCK_REALTIME) / 1000 % 1000000007;
    int64_t seconds = 10;
    bool is_quick = false, is_measure = false;
    for (int i = 1; i < count; i++) {
        const char *argument = arguments[i];
        if (strcmp(argument, "--quick") == 0) {
            is_quick = true;
        } else if (strcmp(argument, "--measure") == 0) {
            is_measure = true;
        } else if (strcmp(argument, "--seconds") == 0 && i + 1 < count) {
            seconds = atoll(arguments[++i]);
        } else if (strcmp(argument, "--seed") == 0 && i + 1 < count) {
            seed = strtoull(arguments[++i], NULL, 10);
        } else if (strncmp(argument, "--broken=", 9) == 0) {
            for (int twin = RULE_KEPT + 1; twin < TWIN_COUNT; twin++)
                if (strcmp(argument + 9, TWIN_NAMES[twin]) == 0)
                    broken = (enum twin) twin;
            if (broken == RULE_KEPT) {
                fprintf(stderr, "no such twin: %s\n", argument + 9);
                return 2;
            }
        } else {
            fprintf(stderr, "usage: %s --quick | [--seconds N] [--seed S] [--broken=NAME] | --measure\n", arguments[0]);
            return 2;
        }
    }
    struct ring probe;
    int error = ring_open(&probe, 2, 0, IORING_SETUP_COOP_TASKRUN);
    if (error < 0) {
        printf("no io_uring here (%s): nothing was tested\n0 passed, 0 failed, 1 skipped\n", strerror(-error));
        return 77;  // not 0: a silent skip must never pass for success
    }
    ring_close(&probe);
    printf("seed %" PRIu64 "\n", seed);
    if (is_measure)
        return measure();
    if (is_quick)
        return quick(seed);
    stress(IORING_SETUP_COOP_TASKRUN, seconds * 1000000000, seed);
    printf("1 passed, 0 failed\n");
    return 0;
}
