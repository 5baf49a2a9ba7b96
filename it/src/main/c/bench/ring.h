/*
 * One io_uring instance on raw system calls: just what the benchmark's two programs need, in as
 * little code as a reader can check at a glance.
 *
 * A turn is always the same: claim SQEs, ring_turn() (one io_uring_enter that submits them all and
 * waits for a completion), then walk the CQEs with ring_peek() and ring_seen().
 */
#ifndef BENCH_RING_H
#define BENCH_RING_H

#include <errno.h>
#include <linux/io_uring.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "fail.h"

struct ring {
    int fd;

    struct io_uring_sqe *sqes;
    unsigned *sq_head; /* the kernel's: what it has taken */
    unsigned *sq_tail; /* ours: what it may take */
    unsigned sq_entries;
    unsigned sq_claimed; /* tail including claimed SQEs not yet published */

    struct io_uring_cqe *cqes;
    unsigned *cq_head; /* ours: what we have read */
    unsigned *cq_tail; /* the kernel's: what it has posted */
    unsigned cq_mask;
};

static inline void ring_open(struct ring *ring, unsigned entries, unsigned cq_entries,
                             unsigned flags) {
    struct io_uring_params params = {.flags = flags | IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP,
                                     .cq_entries = cq_entries};
    ring->fd = (int)syscall(SYS_io_uring_setup, entries, &params);
    if (ring->fd < 0) fail_errno("io_uring_setup");
    if (!(params.features & IORING_FEAT_SINGLE_MMAP)) fail("io_uring: kernel too old");
    if (!(params.features & IORING_FEAT_NODROP)) fail("io_uring: kernel too old");

    size_t sq_size = params.sq_off.array + params.sq_entries * sizeof(unsigned);
    size_t cq_size = params.cq_off.cqes + params.cq_entries * sizeof(struct io_uring_cqe);
    char *rings = mmap(NULL, sq_size > cq_size ? sq_size : cq_size, PROT_READ | PROT_WRITE,
                       MAP_SHARED | MAP_POPULATE, ring->fd, IORING_OFF_SQ_RING);
    if (rings == MAP_FAILED) fail_errno("mmap of the rings");
    ring->sqes = mmap(NULL, params.sq_entries * sizeof(struct io_uring_sqe), PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_POPULATE, ring->fd, IORING_OFF_SQES);
    if (ring->sqes == MAP_FAILED) fail_errno("mmap of the SQEs");

    ring->sq_head = (unsigned *)(rings + params.sq_off.head);
    ring->sq_tail = (unsigned *)(rings + params.sq_off.tail);
    ring->sq_entries = params.sq_entries;
    ring->sq_claimed = *ring->sq_tail;
    ring->cq_head = (unsigned *)(rings + params.cq_off.head);
    ring->cq_tail = (unsigned *)(rings + params.cq_off.tail);
    ring->cq_mask = params.cq_entries - 1;
    ring->cqes = (struct io_uring_cqe *)(rings + params.cq_off.cqes);

    /* The SQ array is an indirection that nobody here needs: make it the identity once. */
    unsigned *array = (unsigned *)(rings + params.sq_off.array);
    for (unsigned i = 0; i < params.sq_entries; i++) array[i] = i;
}

/*
 * Submits what was claimed; waits until min_complete completions are there, or, if a timeout is
 * given, until it has passed. Returns false on that timeout only.
 */
static inline bool ring_enter(struct ring *ring, unsigned min_complete,
                              const struct __kernel_timespec *timeout) {
    __atomic_store_n(ring->sq_tail, ring->sq_claimed, __ATOMIC_RELEASE);
    struct io_uring_getevents_arg arg = {.ts = (uint64_t)(uintptr_t)timeout};
    for (;;) {
        unsigned to_submit = ring->sq_claimed - __atomic_load_n(ring->sq_head, __ATOMIC_ACQUIRE);
        long result = syscall(SYS_io_uring_enter, ring->fd, to_submit, min_complete,
                              IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG, &arg, sizeof(arg));
        if (result >= 0) return true;
        if (errno == ETIME) return false;
        /* EBUSY: the CQ has overflowed; its completions must be read before more can be sent. */
        if (errno == EBUSY) return true;
        if (errno != EINTR) fail_errno("io_uring_enter");
    }
}

static inline bool ring_turn(struct ring *ring, const struct __kernel_timespec *timeout) {
    return ring_enter(ring, 1, timeout);
}

/* A cleared SQE to fill. When the queue is full, what is in it is submitted first. */
static inline struct io_uring_sqe *ring_claim(struct ring *ring) {
    while (ring->sq_claimed - __atomic_load_n(ring->sq_head, __ATOMIC_ACQUIRE) == ring->sq_entries)
        ring_enter(ring, 0, NULL);
    struct io_uring_sqe *sqe = &ring->sqes[ring->sq_claimed++ & (ring->sq_entries - 1)];
    memset(sqe, 0, sizeof(*sqe));
    return sqe;
}

/* The oldest completion not yet seen, or NULL. */
static inline const struct io_uring_cqe *ring_peek(const struct ring *ring) {
    unsigned head = *ring->cq_head;
    if (head == __atomic_load_n(ring->cq_tail, __ATOMIC_ACQUIRE)) return NULL;
    return &ring->cqes[head & ring->cq_mask];
}

static inline void ring_seen(struct ring *ring) {
    __atomic_store_n(ring->cq_head, *ring->cq_head + 1, __ATOMIC_RELEASE);
}

/* One prep function an operation, arguments in liburing's order. */

static inline void prep_recv(struct io_uring_sqe *sqe, int fd, void *buffer, unsigned length) {
    sqe->opcode = IORING_OP_RECV;
    sqe->fd = fd;
    sqe->addr = (uint64_t)(uintptr_t)buffer;
    sqe->len = length;
}

static inline void prep_send(struct io_uring_sqe *sqe, int fd, const void *buffer, unsigned length,
                             unsigned flags) {
    sqe->opcode = IORING_OP_SEND;
    sqe->fd = fd;
    sqe->addr = (uint64_t)(uintptr_t)buffer;
    sqe->len = length;
    sqe->msg_flags = flags;
}

static inline void prep_accept(struct io_uring_sqe *sqe, int fd, unsigned flags) {
    sqe->opcode = IORING_OP_ACCEPT;
    sqe->fd = fd;
    sqe->accept_flags = flags;
}

static inline void prep_read(struct io_uring_sqe *sqe, int fd, void *buffer, unsigned length) {
    sqe->opcode = IORING_OP_READ;
    sqe->fd = fd;
    sqe->addr = (uint64_t)(uintptr_t)buffer;
    sqe->len = length;
    sqe->off = (uint64_t)-1;
}

#endif
