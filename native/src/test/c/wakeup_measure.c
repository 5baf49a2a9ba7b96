// How to wake a carrier that sleeps in io_uring_enter(min_complete 1): the figures of docs/decisions/002-wake-up.md.
//
// A sleeper with its ring and a waker, on the same core and on two. In each round the waker lets the sleeper fall
// asleep, wakes it and notes what the call took; the sleeper notes when it ran. Blocks of rounds of all mechanisms
// are interleaved. Not a test: it prints figures, and what the kernel does in the awkward cases.
#define _GNU_SOURCE
#include "ring.h"

#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/eventfd.h>

#define FUTEX2_SIZE_U32_PRIVATE (0x02 | 128)  // FUTEX2_SIZE_U32 | FUTEX2_PRIVATE of linux/futex.h, 6.7

enum mechanism {
    EVENTFD_POLL,        // multishot POLL_ADD, the counter is never read
    EVENTFD_READ,        // one-shot READ, armed again each time
    MSG_RING_AT_ONCE,    // the waker has a ring, and enters it for this
    MSG_RING_BATCHED,    // the waker has a ring, and enters it anyway: only the difference counts
    SEND_MSG_RING,       // io_uring_register(-1, IORING_REGISTER_SEND_MSG_RING): no ring of its own
    FUTEX_OPERATION,     // FUTEX_WAIT in the ring, armed again each time; FUTEX_WAKE
    SIGNAL,              // io_uring_enter ends with EINTR
    PLAIN_FUTEX,         // the sleeper sleeps in a futex, not in its ring: the reference
    MECHANISMS
};

static const char *const NAMES[MECHANISMS] = {
    "eventfd, multishot POLL_ADD", "eventfd, READ re-armed", "MSG_RING, entered at once", "MSG_RING, batched (added cost)",
    "REGISTER_SEND_MSG_RING", "FUTEX_WAIT operation", "signal (EINTR)", "sleeper in a futex",
};

enum { BLOCKS = 7, ROUNDS = 150, WAKE_USER_DATA = 77, NOT_THE_WAKE = 78 };

static struct {
    struct ring ring;        // the sleeper's
    enum mechanism mechanism;
    int cpu;
    int rounds;
    int event_fd;
    uint64_t counter;        // what EVENTFD_READ reads
    bool armed;              // until the final CQE
    _Atomic uint32_t futex;
    _Atomic int asleep;      // the round in which the sleeper is about to sleep
    _Atomic int wake_round;  // the round that the waker has woken
    _Atomic int64_t wake_started;
    pthread_t thread;
    double latencies[ROUNDS];
    double cpu_nanos;
    uint64_t cqes, sleeps;
} sleeper;

static struct ring waker_ring;

static void pin(int cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    sched_setaffinity(0, sizeof set, &set);
}

static void nap(int64_t nanos) {
    nanosleep(&(struct timespec){.tv_nsec = nanos}, NULL);
}

static void handle(int signal) {
    (void) signal;
}

// ---- the sleeper ----------------------------------------------------------------------------------------------

static void arm(void) {
    struct io_uring_sqe *sqe;
    if (sleeper.armed)
        return;
    switch (sleeper.mechanism) {
    case EVENTFD_POLL:
        sqe = ring_claim(&sleeper.ring);
        sqe->opcode = IORING_OP_POLL_ADD;
        sqe->fd = sleeper.event_fd;
        sqe->poll32_events = POLLIN;
        sqe->len = IORING_POLL_ADD_MULTI;
        break;
    case EVENTFD_READ:
        sqe = ring_claim(&sleeper.ring);
        sqe->opcode = IORING_OP_READ;
        sqe->fd = sleeper.event_fd;
        sqe->addr = (uint64_t) (uintptr_t) &sleeper.counter;
        sqe->len = sizeof sleeper.counter;
        break;
    case FUTEX_OPERATION:
        sqe = ring_claim(&sleeper.ring);
        sqe->opcode = IORING_OP_FUTEX_WAIT;
        sqe->fd = FUTEX2_SIZE_U32_PRIVATE;
        sqe->addr = (uint64_t) (uintptr_t) &sleeper.futex;
        sqe->off = 0;                    // addr2: the expected value
        sqe->addr3 = FUTEX_BITSET_MATCH_ANY;
        break;
    default:
        return;
    }
    sleeper.armed = true;
    sqe->user_data = WAKE_USER_DATA;
    ring_publish(&sleeper.ring);
}

static void sleep_once(void) {
    sleeper.sleeps++;
    if (sleeper.mechanism == PLAIN_FUTEX) {
        syscall(SYS_futex, &sleeper.futex, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
        return;
    }
    long result = ring_enter(&sleeper.ring, ring_pending(&sleeper.ring), 1, IORING_ENTER_GETEVENTS);
    if (result < 0 && result != -EINTR)
        fprintf(stderr, "enter: %s\n", strerror((int) -result));
}

static void reap(void) {
    struct io_uring_cqe *cqe;
    while ((cqe = ring_peek(&sleeper.ring)) != NULL) {
        sleeper.cqes++;
        if (cqe->res < 0 && cqe->res != -EAGAIN)  // EAGAIN: the futex had changed before the operation looked
            fprintf(stderr, "%s: %s\n", NAMES[sleeper.mechanism], strerror(-cqe->res));
        if (!(cqe->flags & IORING_CQE_F_MORE))
            sleeper.armed = false;
        ring_consume(&sleeper.ring);
    }
}

static void *sleeper_main(void *argument) {
    (void) argument;
    pin(sleeper.cpu);
    ring_open(&sleeper.ring, 64, 512, IORING_SETUP_COOP_TASKRUN);
    sleeper.armed = false;
    int64_t cpu_start = clock_nanos(CLOCK_THREAD_CPUTIME_ID);
    for (int round = 1; round <= sleeper.rounds; round++) {
        int64_t now = 0;
        for (bool woken = false; !woken;) {
            atomic_store(&sleeper.futex, 0);
            arm();
            atomic_store(&sleeper.asleep, round);
            if (atomic_load(&sleeper.wake_round) < round)  // the futex may have been set before it was cleared here
                sleep_once();
            now = clock_nanos(CLOCK_MONOTONIC);
            woken = atomic_load(&sleeper.wake_round) >= round;
            reap();
        }
        sleeper.latencies[round - 1] = (double) (now - atomic_load(&sleeper.wake_started)) / 1000;
    }
    sleeper.cpu_nanos = (double) (clock_nanos(CLOCK_THREAD_CPUTIME_ID) - cpu_start) / sleeper.rounds;
    atomic_store(&sleeper.asleep, sleeper.rounds + 1);
    return NULL;
}

// ---- the waker ------------------------------------------------------------------------------------------------

static void prepare_msg_ring(struct io_uring_sqe *sqe) {
    sqe->opcode = IORING_OP_MSG_RING;
    sqe->fd = sleeper.ring.fd;
    sqe->addr = IORING_MSG_DATA;
    sqe->off = WAKE_USER_DATA;
}

static void enter_waker_ring(bool with_nop, bool with_message) {
    struct io_uring_sqe *sqe;
    if (with_nop) {
        sqe = ring_claim(&waker_ring);
        sqe->opcode = IORING_OP_NOP;
        ring_publish(&waker_ring);
    }
    if (with_message) {
        sqe = ring_claim(&waker_ring);
        prepare_msg_ring(sqe);
        sqe->flags = IOSQE_CQE_SKIP_SUCCESS;
        ring_publish(&waker_ring);
    }
    ring_enter(&waker_ring, ring_pending(&waker_ring), 0, IORING_ENTER_GETEVENTS);
    while (ring_peek(&waker_ring) != NULL)
        ring_consume(&waker_ring);
}

static void wake(enum mechanism mechanism) {
    static const uint64_t ONE = 1;
    struct io_uring_sqe message = {0};
    long result = 0;
    switch (mechanism) {
    case EVENTFD_POLL:
    case EVENTFD_READ:
        result = write(sleeper.event_fd, &ONE, sizeof ONE);
        break;
    case MSG_RING_AT_ONCE:
        enter_waker_ring(false, true);
        break;
    case MSG_RING_BATCHED:
        enter_waker_ring(true, true);
        break;
    case SEND_MSG_RING:
        prepare_msg_ring(&message);
        result = syscall(__NR_io_uring_register, -1, IORING_REGISTER_SEND_MSG_RING, &message, 1);
        break;
    case FUTEX_OPERATION:
    case PLAIN_FUTEX:
        atomic_store(&sleeper.futex, 1);
        result = syscall(SYS_futex, &sleeper.futex, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
        break;
    case SIGNAL:
        result = pthread_kill(sleeper.thread, SIGURG);
        break;
    default:
        break;
    }
    if (result < 0)
        perror(NAMES[mechanism]);
}

struct figures {
    double call_nanos, latency_micros, latency_p99_micros, sleeper_cpu_nanos, cqes;
};

static void start_sleeper(enum mechanism mechanism, int cpu, int rounds) {
    sleeper.mechanism = mechanism;
    sleeper.cpu = cpu;
    sleeper.rounds = rounds;
    sleeper.event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    sleeper.cqes = sleeper.sleeps = 0;
    atomic_store(&sleeper.asleep, 0);
    atomic_store(&sleeper.wake_round, 0);
    pthread_create(&sleeper.thread, NULL, sleeper_main, NULL);
}

static void await_asleep(int round) {
    while (atomic_load(&sleeper.asleep) < round)
        nap(20000);
    nap(60000);
}

static void stop_sleeper(void) {
    pthread_join(sleeper.thread, NULL);
    ring_close(&sleeper.ring);
    close(sleeper.event_fd);
}

static struct figures measure_block(enum mechanism mechanism, int cpu) {
    double calls[ROUNDS];
    start_sleeper(mechanism, cpu, ROUNDS);
    for (int round = 1; round <= ROUNDS; round++) {
        await_asleep(round);
        double enter_alone = 0;
        if (mechanism == MSG_RING_BATCHED) {
            int64_t start = clock_nanos(CLOCK_MONOTONIC);
            enter_waker_ring(true, false);
            enter_alone = (double) (clock_nanos(CLOCK_MONOTONIC) - start);
        }
        int64_t start = clock_nanos(CLOCK_MONOTONIC);
        atomic_store(&sleeper.wake_started, start);
        atomic_store(&sleeper.wake_round, round);
        wake(mechanism);
        calls[round - 1] = (double) (clock_nanos(CLOCK_MONOTONIC) - start) - enter_alone;
    }
    stop_sleeper();
    qsort(calls, ROUNDS, sizeof *calls, compare_doubles);
    qsort(sleeper.latencies, ROUNDS, sizeof *sleeper.latencies, compare_doubles);
    return (struct figures){calls[ROUNDS / 2], sleeper.latencies[ROUNDS / 2], sleeper.latencies[ROUNDS * 99 / 100],
                            sleeper.cpu_nanos, (double) sleeper.cqes / ROUNDS};
}

static double median(double *values, int count) {
    qsort(values, (size_t) count, sizeof *values, compare_doubles);
    return values[count / 2];
}

static void print_table(int cpu, const char *placement) {
    static struct figures all[MECHANISMS][BLOCKS];
    for (int block = 0; block < BLOCKS; block++)
        for (int i = 0; i < MECHANISMS; i++) {
            int mechanism = (i + block) % MECHANISMS;
            all[mechanism][block] = measure_block((enum mechanism) mechanism, cpu);
        }
    printf("sleeper on the %s core as the waker; %d blocks of %d wakes, interleaved\n", placement, BLOCKS, ROUNDS);
    printf("%-31s %22s %24s %8s %14s %9s\n", "", "waker's call, ns", "wake to running, us", "p99, us", "sleeper's CPU,",
           "CQEs");
    printf("%-31s %11s %10s %12s %11s %8s %14s %9s\n", "", "lowest", "median", "lowest", "median", "median",
           "ns a wake", "a wake");
    for (int i = 0; i < MECHANISMS; i++) {
        double calls[BLOCKS], latencies[BLOCKS], tails[BLOCKS], cpu_nanos[BLOCKS];
        for (int block = 0; block < BLOCKS; block++) {
            calls[block] = all[i][block].call_nanos;
            latencies[block] = all[i][block].latency_micros;
            tails[block] = all[i][block].latency_p99_micros;
            cpu_nanos[block] = all[i][block].sleeper_cpu_nanos;
        }
        double call = median(calls, BLOCKS), latency = median(latencies, BLOCKS);
        printf("%-31s %11.0f %10.0f %12.1f %11.1f %8.1f %14.0f %9.2f\n", NAMES[i], calls[0], call, latencies[0], latency,
               median(tails, BLOCKS), median(cpu_nanos, BLOCKS), all[i][0].cqes);
    }
}

// ---- the awkward cases ----------------------------------------------------------------------------------------

static void measure_coalescing(int cpu, const char *placement) {
    enum { WAKES = 100, TIMES = 15 };
    printf("%d wakes without a pause, sleeper on the %s core\n", WAKES, placement);
    for (int i = 0; i < MECHANISMS; i++) {
        if (i == MSG_RING_BATCHED)
            continue;
        start_sleeper((enum mechanism) i, cpu, TIMES);
        double totals[TIMES];
        for (int round = 1; round <= TIMES; round++) {
            await_asleep(round);
            int64_t start = clock_nanos(CLOCK_MONOTONIC);
            atomic_store(&sleeper.wake_started, start);
            atomic_store(&sleeper.wake_round, round);
            for (int n = 0; n < (round < TIMES ? WAKES : 1); n++)  // the last wake ends the sleeper: no more after it
                wake((enum mechanism) i);
            totals[round - 1] = (double) (clock_nanos(CLOCK_MONOTONIC) - start) / WAKES;
        }
        stop_sleeper();
        printf("  %-31s waker %6.0f ns a wake; %5.1f CQEs and %5.1f sleeps a burst\n", NAMES[i],
               median(totals, TIMES - 1), (double) sleeper.cqes / (TIMES - 1), (double) sleeper.sleeps / TIMES);
    }
}

// The CQ is full when the eventfd is written: the multishot poll ends. Is the wake-up lost?
static void show_poll_at_cq_overflow(void) {
    static const uint64_t ONE = 1;
    ring_open(&sleeper.ring, 2, 2, IORING_SETUP_COOP_TASKRUN);
    sleeper.mechanism = EVENTFD_POLL;
    sleeper.event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    sleeper.armed = false;
    arm();
    ring_enter(&sleeper.ring, 1, 0, 0);
    for (int i = 0; i < 2; i++) {
        struct io_uring_sqe *sqe = ring_claim(&sleeper.ring);
        sqe->opcode = IORING_OP_NOP;
        sqe->user_data = NOT_THE_WAKE;
        ring_publish(&sleeper.ring);
    }
    ring_enter(&sleeper.ring, 2, 0, 0);
    for (int i = 0; i < 3; i++)
        if (write(sleeper.event_fd, &ONE, sizeof ONE) < 0)
            perror("write");
    printf("multishot poll, three writes while the CQ (2 entries) is full:\n");
    for (int round = 0; round < 4; round++) {
        long result = ring_enter_timed(&sleeper.ring, ring_pending(&sleeper.ring), 1, IORING_ENTER_GETEVENTS, 100000000);
        printf("  enter: %ld%s; CQEs:", result, atomic_load(sleeper.ring.sq_flags) & IORING_SQ_CQ_OVERFLOW
                       ? ", IORING_SQ_CQ_OVERFLOW" : "");
        struct io_uring_cqe *cqe;
        while ((cqe = ring_peek(&sleeper.ring)) != NULL) {
            bool is_poll = cqe->user_data == WAKE_USER_DATA;
            printf(" %s%s", is_poll ? "poll" : "nop", is_poll && !(cqe->flags & IORING_CQE_F_MORE) ? " (final)" : "");
            if (is_poll && !(cqe->flags & IORING_CQE_F_MORE))
                sleeper.armed = false;
            ring_consume(&sleeper.ring);
        }
        if (!sleeper.armed) {
            printf(" -> armed again");
            arm();
        }
        printf("\n");
    }
    ring_close(&sleeper.ring);
    close(sleeper.event_fd);
}

static void show_eventfd_saturation(void) {
    static const uint64_t ONE = 1, LARGEST = UINT64_MAX - 1;
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (write(fd, &LARGEST, sizeof LARGEST) < 0)
        perror("write");
    long result = write(fd, &ONE, sizeof ONE);
    printf("eventfd at its largest value: write gives %s\n", result < 0 ? strerror(errno) : "no error");
    close(fd);
}

int main(void) {
    struct sigaction action = {.sa_handler = handle};
    sigaction(SIGURG, &action, NULL);
    int error = ring_open(&waker_ring, 64, 0, IORING_SETUP_COOP_TASKRUN);
    if (error < 0) {
        printf("no io_uring here: %s\n", strerror(-error));
        return 77;
    }
    pin(1);
    print_table(0, "other");
    print_table(1, "same");
    measure_coalescing(0, "other");
    measure_coalescing(1, "same");
    show_poll_at_cq_overflow();
    show_eventfd_saturation();
    return 0;
}
