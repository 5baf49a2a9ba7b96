// A raw io_uring instance for the C tests and measurements: setup, claim, publish, enter, reap.
//
// No liburing: the tests show what the Java side does with the same memory. Nothing here locks; who may call
// what and when is the business of the caller (see owner_word_stress.c).
#ifndef LOOMURING_TEST_RING_H
#define LOOMURING_TEST_RING_H

#include <errno.h>
#include <linux/io_uring.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

// Newer than the 6.1 header, under upstream's names. (Enumerators upstream: a macro of the same value hides them.)
#define IORING_OP_FUTEX_WAIT 51              // 6.7
#define IORING_REGISTER_SEND_MSG_RING 31     // 6.13
#ifndef IORING_NOP_INJECT_RESULT
#define IORING_NOP_INJECT_RESULT (1U << 0)   // 6.11, in sqe->nop_flags
#endif

struct ring {
    int fd;
    uint32_t flags;
    uint32_t sq_entries, sq_mask, cq_entries, cq_mask;
    _Atomic uint32_t *sq_head;      // written by the kernel
    _Atomic uint32_t *sq_tail;      // written by the owner
    _Atomic uint32_t *sq_flags;     // written by the kernel
    _Atomic uint32_t *sq_dropped;   // written by the kernel
    _Atomic uint32_t *cq_head;      // written by the owner
    _Atomic uint32_t *cq_tail;      // written by the kernel
    _Atomic uint32_t *cq_overflow;  // written by the kernel
    struct io_uring_sqe *sqes;
    struct io_uring_cqe *cqes;
    void *rings;
    size_t rings_bytes, sqes_bytes;
};

static inline long sys_io_uring_enter(int fd, unsigned to_submit, unsigned min_complete, unsigned flags,
                                      const void *arg, size_t arg_bytes) {
    long result = syscall(__NR_io_uring_enter, fd, to_submit, min_complete, flags, arg, arg_bytes);
    return result < 0 ? -errno : result;
}

// Returns 0 or -errno. cq_entries 0 leaves the size of the completion queue to the kernel (twice the SQ's).
static inline int ring_open(struct ring *ring, unsigned entries, unsigned cq_entries, unsigned flags) {
    struct io_uring_params params = {0};
    params.flags = flags | (cq_entries ? IORING_SETUP_CQSIZE : 0U);
    params.cq_entries = cq_entries;
    long fd = syscall(__NR_io_uring_setup, entries, &params);
    if (fd < 0)
        return -errno;
    size_t sq_bytes = params.sq_off.array + params.sq_entries * sizeof(uint32_t);
    size_t cq_bytes = params.cq_off.cqes + params.cq_entries * sizeof(struct io_uring_cqe);
    *ring = (struct ring){.fd = (int) fd, .flags = params.flags};
    ring->rings_bytes = sq_bytes > cq_bytes ? sq_bytes : cq_bytes;
    ring->sqes_bytes = params.sq_entries * sizeof(struct io_uring_sqe);
    ring->rings = mmap(NULL, ring->rings_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring->fd,
                       IORING_OFF_SQ_RING);
    ring->sqes = mmap(NULL, ring->sqes_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring->fd,
                      IORING_OFF_SQES);
    if (ring->rings == MAP_FAILED || (void *) ring->sqes == MAP_FAILED)
        return -errno;
    char *base = ring->rings;
    ring->sq_entries = params.sq_entries;
    ring->cq_entries = params.cq_entries;
    ring->sq_mask = *(uint32_t *) (base + params.sq_off.ring_mask);
    ring->cq_mask = *(uint32_t *) (base + params.cq_off.ring_mask);
    ring->sq_head = (_Atomic uint32_t *) (base + params.sq_off.head);
    ring->sq_tail = (_Atomic uint32_t *) (base + params.sq_off.tail);
    ring->sq_flags = (_Atomic uint32_t *) (base + params.sq_off.flags);
    ring->sq_dropped = (_Atomic uint32_t *) (base + params.sq_off.dropped);
    ring->cq_head = (_Atomic uint32_t *) (base + params.cq_off.head);
    ring->cq_tail = (_Atomic uint32_t *) (base + params.cq_off.tail);
    ring->cq_overflow = (_Atomic uint32_t *) (base + params.cq_off.overflow);
    ring->cqes = (struct io_uring_cqe *) (base + params.cq_off.cqes);
    uint32_t *array = (uint32_t *) (base + params.sq_off.array);
    for (uint32_t i = 0; i < ring->sq_entries; i++)
        array[i] = i;  // the SQ array stays the identity: entry i is always SQE i
    return 0;
}

static inline void ring_close(struct ring *ring) {
    munmap(ring->sqes, ring->sqes_bytes);
    munmap(ring->rings, ring->rings_bytes);
    close(ring->fd);
}

// Published and not yet taken by the kernel.
static inline uint32_t ring_pending(const struct ring *ring) {
    return atomic_load_explicit(ring->sq_tail, memory_order_relaxed)
            - atomic_load_explicit(ring->sq_head, memory_order_acquire);
}

// The next free SQE, zeroed, or NULL when the SQ is full. Nothing is visible to the kernel before ring_publish.
static inline struct io_uring_sqe *ring_claim(struct ring *ring) {
    if (ring_pending(ring) == ring->sq_entries)
        return NULL;
    uint32_t tail = atomic_load_explicit(ring->sq_tail, memory_order_relaxed);
    struct io_uring_sqe *sqe = &ring->sqes[tail & ring->sq_mask];
    memset(sqe, 0, sizeof *sqe);
    return sqe;
}

static inline void ring_publish(struct ring *ring) {
    uint32_t tail = atomic_load_explicit(ring->sq_tail, memory_order_relaxed);
    // release: the kernel that sees the tail sees the SQE
    atomic_store_explicit(ring->sq_tail, tail + 1, memory_order_release);
}

static inline long ring_enter(struct ring *ring, unsigned to_submit, unsigned min_complete, unsigned flags) {
    return sys_io_uring_enter(ring->fd, to_submit, min_complete, flags, NULL, 0);
}

static inline long ring_enter_timed(struct ring *ring, unsigned to_submit, unsigned min_complete, unsigned flags,
                                    int64_t timeout_nanos) {
    struct __kernel_timespec timeout = {timeout_nanos / 1000000000, timeout_nanos % 1000000000};
    struct io_uring_getevents_arg arg = {.ts = (uint64_t) (uintptr_t) &timeout};
    return sys_io_uring_enter(ring->fd, to_submit, min_complete, flags | IORING_ENTER_EXT_ARG, &arg, sizeof arg);
}

// The oldest completion, or NULL. It stays valid until ring_consume.
static inline struct io_uring_cqe *ring_peek(struct ring *ring) {
    uint32_t head = atomic_load_explicit(ring->cq_head, memory_order_relaxed);
    // acquire: who sees the tail sees the CQE
    if (head == atomic_load_explicit(ring->cq_tail, memory_order_acquire))
        return NULL;
    return &ring->cqes[head & ring->cq_mask];
}

static inline void ring_consume(struct ring *ring) {
    uint32_t head = atomic_load_explicit(ring->cq_head, memory_order_relaxed);
    // release: the kernel that sees the head may overwrite the CQE
    atomic_store_explicit(ring->cq_head, head + 1, memory_order_release);
}

static inline int64_t clock_nanos(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static inline void cpu_relax(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static inline int compare_doubles(const void *left, const void *right) {
    double a = *(const double *) left, b = *(const double *) right;
    return (a > b) - (a < b);
}

#endif
