/*
 * The shim's functions, each called as JNA and JNI call it: io.loomuring.abi.Native and Shim say
 * what they promise. JNI's are called without a JVM, since none of them uses its environment.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <jni.h>
#include <linux/io_uring.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SKIPPED 77
#define NO_FD 1000000 /* above any limit; -1 has a meaning of its own to io_uring_register */

int lu_io_uring_setup(int entries, int64_t params);
int lu_io_uring_register(int fd, int opcode, int64_t arg, int count);
int64_t lu_map_ring(int fd, int64_t length, int64_t offset);
int64_t lu_map_anonymous(int64_t length);
int lu_unmap(int64_t address, int64_t length);
int lu_eventfd(void);
int lu_epoll_create(void);
int lu_close(int fd);
const char *lu_strerror(int error);

#define SHIM(type, name, ...) \
    type Java_io_loomuring_abi_Shim_##name(JNIEnv *env, jclass class, ##__VA_ARGS__)
SHIM(jint, enter, jint fd, jint to_submit, jint min_complete, jint flags, jlong arg, jint size);
SHIM(jint, recv, jint fd, jlong address, jint length, jint flags);
SHIM(jint, send, jint fd, jlong address, jint length, jint flags);
SHIM(jint, recvmsg, jint fd, jlong msghdr, jint flags);
SHIM(jint, sendmsg, jint fd, jlong msghdr, jint flags);
SHIM(jint, poll, jint fd, jint events, jint timeout_millis);
SHIM(jint, epollCtl, jint epoll_fd, jint op, jint fd, jint events, jint data);
SHIM(jint, epollWait, jint epoll_fd, jlong events, jint events_max, jint timeout_millis);
SHIM(jint, accept, jint fd, jlong sockaddr, jlong addrlen, jint flags);
SHIM(jint, close, jint fd);
SHIM(jint, closeOnExec, jint fd);
SHIM(jint, signal, jint event_fd);
SHIM(void, yieldCpu);
#define CALL(name, ...) Java_io_loomuring_abi_Shim_##name(NULL, NULL, ##__VA_ARGS__)

/* ---- checks ---- */

#define EXPECT(condition) expect(condition, #condition, __func__, __LINE__)
#define EXPECT_RESULT(expected, call) expect_result(expected, call, #call, __func__, __LINE__)

static void expect(bool holds, const char *condition, const char *test, int line) {
    if (!holds) {
        fprintf(stderr, "%s, line %d: not so: %s\n", test, line, condition);
        exit(1);
    }
}

static void expect_result(int64_t expected, int64_t actual, const char *call, const char *test,
                          int line) {
    if (actual != expected) {
        fprintf(stderr, "%s, line %d: %s is %lld (%s), not %lld\n", test, line, call,
                (long long)actual, actual < 0 ? strerror((int)-actual) : "no error",
                (long long)expected);
        exit(1);
    }
}

static int64_t address(const void *pointer) { return (int64_t)(uintptr_t)pointer; }

static bool closes_on_exec(int fd) { return (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0; }

static void socket_pair(int fds[2]) { EXPECT(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0); }

static void close_both(const int fds[2]) {
    EXPECT_RESULT(0, lu_close(fds[0]));
    EXPECT_RESULT(0, lu_close(fds[1]));
}

static bool is_mapped(int64_t start, size_t length) {
    unsigned char *resident = malloc(length / (size_t)sysconf(_SC_PAGESIZE) + 1);
    int rc = mincore((void *)(uintptr_t)start, length, resident);
    bool unmapped = rc < 0 && errno == ENOMEM;
    free(resident);
    return !unmapped;
}

/* Whether a forked child has the mapping: its exit status tells. */
static bool is_inherited(int64_t start, size_t length) {
    pid_t child = fork();
    EXPECT(child >= 0);
    if (child == 0) {
        _exit(is_mapped(start, length) ? 1 : 0);
    }
    int status;
    EXPECT(waitpid(child, &status, 0) == child);
    EXPECT(WIFEXITED(status));
    return WEXITSTATUS(status) == 1;
}

/* ---- errors ---- */

static void should_return_negative_errno(void) {
    char byte = 0;
    EXPECT_RESULT(-EFAULT, lu_io_uring_setup(8, 0));
    EXPECT_RESULT(-EBADF, lu_io_uring_register(NO_FD, IORING_REGISTER_PROBE, 0, 0));
    EXPECT_RESULT(-EBADF, lu_map_ring(NO_FD, 4096, IORING_OFF_SQ_RING));
    EXPECT_RESULT(-EINVAL, lu_map_anonymous(0));
    EXPECT_RESULT(-EINVAL, lu_unmap(1, 4096));
    EXPECT_RESULT(-EBADF, lu_close(NO_FD));
    EXPECT_RESULT(-EBADF, CALL(enter, NO_FD, 0, 0, 0, 0, 0));
    EXPECT_RESULT(-EBADF, CALL(recv, NO_FD, address(&byte), 1, 0));
    EXPECT_RESULT(-EBADF, CALL(send, NO_FD, address(&byte), 1, 0));
    struct msghdr message = {0};
    EXPECT_RESULT(-EBADF, CALL(recvmsg, NO_FD, address(&message), 0));
    EXPECT_RESULT(-EBADF, CALL(sendmsg, NO_FD, address(&message), 0));
    struct epoll_event event;
    EXPECT_RESULT(-EBADF, CALL(epollCtl, NO_FD, EPOLL_CTL_ADD, 0, EPOLLIN, 0));
    EXPECT_RESULT(-EBADF, CALL(epollWait, NO_FD, address(&event), 1, 0));
    EXPECT_RESULT(-EBADF, CALL(accept, NO_FD, 0, 0, 0));
    EXPECT_RESULT(-EBADF, CALL(close, NO_FD));
    EXPECT_RESULT(-EBADF, CALL(closeOnExec, NO_FD));
    EXPECT_RESULT(-EBADF, CALL(signal, NO_FD));
}

static void should_name_errors(void) {
    EXPECT(strcmp(lu_strerror(EBADF), "Bad file descriptor") == 0);
}

/* ---- memory ---- */

static void should_map_zeroed_writable_memory(void) {
    const int64_t length = 3 * 4096;
    int64_t memory = lu_map_anonymous(length);
    EXPECT(memory > 0);
    unsigned char *bytes = (unsigned char *)(uintptr_t)memory;
    for (int64_t i = 0; i < length; i++) {
        EXPECT(bytes[i] == 0);
        bytes[i] = (unsigned char)i;
    }
    EXPECT_RESULT(0, lu_unmap(memory, length));
    EXPECT(!is_mapped(memory, (size_t)length));
}

static void should_hide_anonymous_memory_from_a_child(void) {
    const int64_t length = 4096;
    int64_t memory = lu_map_anonymous(length);
    EXPECT(memory > 0);
    EXPECT(is_mapped(memory, (size_t)length));
    EXPECT(!is_inherited(memory, (size_t)length));
    EXPECT_RESULT(0, lu_unmap(memory, length));
}

/* Else the tests above and below would pass whatever the shim does. */
static void should_see_what_a_child_inherits(void) {
    const size_t length = 4096;
    void *memory = mmap(NULL, length, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    EXPECT(memory != MAP_FAILED);
    EXPECT(is_inherited(address(memory), length));
    munmap(memory, length);
}

/* ---- eventfd ---- */

static void should_make_an_eventfd_that_neither_blocks_nor_leaks(void) {
    int event_fd = lu_eventfd();
    EXPECT(event_fd >= 0);
    EXPECT(closes_on_exec(event_fd));
    EXPECT(fcntl(event_fd, F_GETFL) & O_NONBLOCK);
    uint64_t count;
    EXPECT(read(event_fd, &count, sizeof count) < 0 && errno == EAGAIN);
    EXPECT_RESULT(0, CALL(close, event_fd));
}

static void should_add_one_for_each_signal(void) {
    int event_fd = lu_eventfd();
    EXPECT_RESULT(sizeof(uint64_t), CALL(signal, event_fd));
    EXPECT_RESULT(sizeof(uint64_t), CALL(signal, event_fd));
    uint64_t count;
    EXPECT_RESULT(sizeof count, read(event_fd, &count, sizeof count));
    EXPECT_RESULT(2, (int64_t)count);
    EXPECT_RESULT(0, lu_close(event_fd));
}

static void should_not_block_in_a_signal_when_the_counter_is_full(void) {
    int event_fd = lu_eventfd();
    uint64_t full = UINT64_MAX - 1;
    EXPECT_RESULT(sizeof full, write(event_fd, &full, sizeof full));
    EXPECT_RESULT(-EAGAIN, CALL(signal, event_fd));
    EXPECT_RESULT(0, lu_close(event_fd));
}

/* ---- sockets ---- */

static void should_send_and_receive(void) {
    int fds[2];
    socket_pair(fds);
    char received[8] = {0};
    EXPECT_RESULT(-EAGAIN, CALL(recv, fds[1], address(received), 8, MSG_DONTWAIT));
    EXPECT_RESULT(5, CALL(send, fds[0], address("hello"), 5, MSG_DONTWAIT));
    EXPECT_RESULT(5, CALL(recv, fds[1], address(received), 8, MSG_DONTWAIT));
    EXPECT(memcmp(received, "hello", 5) == 0);
    EXPECT_RESULT(0, lu_close(fds[0]));
    EXPECT_RESULT(0, CALL(recv, fds[1], address(received), 8, MSG_DONTWAIT)); /* end of file */
    EXPECT_RESULT(-EPIPE, CALL(send, fds[1], address("x"), 1, MSG_NOSIGNAL));
    EXPECT_RESULT(0, lu_close(fds[1]));
}

static void should_gather_and_scatter(void) {
    int fds[2];
    socket_pair(fds);
    struct iovec gathered[] = {{"hel", 3}, {"lo", 2}};
    struct msghdr sent = {.msg_iov = gathered, .msg_iovlen = 2};
    EXPECT_RESULT(5, CALL(sendmsg, fds[0], address(&sent), MSG_DONTWAIT));
    char first[2], second[8] = {0};
    struct iovec scattered[] = {{first, sizeof first}, {second, sizeof second}};
    struct msghdr received = {.msg_iov = scattered, .msg_iovlen = 2};
    EXPECT_RESULT(5, CALL(recvmsg, fds[1], address(&received), MSG_DONTWAIT));
    EXPECT(memcmp(first, "he", 2) == 0 && memcmp(second, "llo", 3) == 0);
    EXPECT_RESULT(-EAGAIN, CALL(recvmsg, fds[1], address(&received), MSG_DONTWAIT));
    close_both(fds);
}

static void should_poll_for_the_events_given(void) {
    int fds[2];
    socket_pair(fds);
    EXPECT_RESULT(0, CALL(poll, fds[0], POLLIN, 0));
    EXPECT_RESULT(0, CALL(poll, fds[0], POLLIN, 1));
    EXPECT_RESULT(POLLOUT, CALL(poll, fds[0], POLLIN | POLLOUT, -1));
    EXPECT_RESULT(1, CALL(send, fds[1], address("x"), 1, 0));
    EXPECT_RESULT(POLLIN, CALL(poll, fds[0], POLLIN, -1));
    EXPECT_RESULT(0, lu_close(fds[1]));
    EXPECT_RESULT(POLLIN | POLLHUP, CALL(poll, fds[0], POLLIN, -1));
    EXPECT_RESULT(0, lu_close(fds[0]));
    EXPECT_RESULT(POLLNVAL, CALL(poll, NO_FD, POLLIN, -1));
}

static void should_give_back_what_a_descriptor_was_added_with(void) {
    int epoll_fd = lu_epoll_create();
    EXPECT(epoll_fd >= 0);
    EXPECT(closes_on_exec(epoll_fd));
    int fds[2];
    socket_pair(fds);
    struct epoll_event events[2];
    EXPECT_RESULT(0, CALL(epollCtl, epoll_fd, EPOLL_CTL_ADD, fds[0], EPOLLIN, 4711));
    EXPECT_RESULT(-EEXIST, CALL(epollCtl, epoll_fd, EPOLL_CTL_ADD, fds[0], EPOLLIN, 4711));
    EXPECT_RESULT(0, CALL(epollWait, epoll_fd, address(events), 2, 0));
    EXPECT_RESULT(0, CALL(epollWait, epoll_fd, address(events), 2, 1));
    EXPECT_RESULT(1, CALL(send, fds[1], address("x"), 1, 0));
    for (int i = 0; i < 2; i++) { /* as long as nobody reads */
        EXPECT_RESULT(1, CALL(epollWait, epoll_fd, address(events), 2, -1));
        EXPECT(events[0].events == EPOLLIN && events[0].data.u64 == 4711);
    }
    EXPECT_RESULT(0, CALL(epollCtl, epoll_fd, EPOLL_CTL_MOD, fds[0], EPOLLOUT, 12));
    EXPECT_RESULT(1, CALL(epollWait, epoll_fd, address(events), 2, -1));
    EXPECT(events[0].events == EPOLLOUT && events[0].data.u64 == 12);
    EXPECT_RESULT(0, CALL(epollCtl, epoll_fd, EPOLL_CTL_DEL, fds[0], 0, 0));
    EXPECT_RESULT(0, CALL(epollWait, epoll_fd, address(events), 2, 0));
    close_both(fds);
    EXPECT_RESULT(0, lu_close(epoll_fd));
}

/* As a platform thread does: with no flag that forbids it. */
static void *send_later(void *fd) {
    struct timespec pause = {.tv_nsec = 5000000};
    nanosleep(&pause, NULL);
    EXPECT_RESULT(1, CALL(send, *(int *)fd, address("x"), 1, 0));
    return NULL;
}

static void should_block_until_data_arrives(void) {
    int fds[2];
    socket_pair(fds);
    pthread_t sender;
    EXPECT(pthread_create(&sender, NULL, send_later, &fds[1]) == 0);
    char received;
    EXPECT_RESULT(1, CALL(recv, fds[0], address(&received), 1, 0));
    EXPECT(pthread_join(sender, NULL) == 0);
    close_both(fds);
}

static void should_accept_with_the_flags_given(void) {
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof name;
    EXPECT(bind(listener, (struct sockaddr *)&name, length) == 0);
    EXPECT(listen(listener, 1) == 0);
    EXPECT(getsockname(listener, (struct sockaddr *)&name, &length) == 0);
    EXPECT_RESULT(-EAGAIN, CALL(accept, listener, 0, 0, SOCK_CLOEXEC));

    int client = socket(AF_INET, SOCK_STREAM, 0);
    EXPECT(connect(client, (struct sockaddr *)&name, sizeof name) == 0);
    struct sockaddr_in client_name, peer = {0};
    length = sizeof client_name;
    EXPECT(getsockname(client, (struct sockaddr *)&client_name, &length) == 0);

    struct pollfd waited = {.fd = listener, .events = POLLIN};
    EXPECT(poll(&waited, 1, 10000) == 1);
    socklen_t peer_length = sizeof peer;
    int accepted = CALL(accept, listener, address(&peer), address(&peer_length), SOCK_CLOEXEC);
    EXPECT(accepted >= 0);
    EXPECT(closes_on_exec(accepted));
    EXPECT(peer_length == sizeof peer);
    EXPECT(peer.sin_port == client_name.sin_port);
    EXPECT_RESULT(0, CALL(close, accepted));
    EXPECT_RESULT(0, CALL(close, client));
    EXPECT_RESULT(0, CALL(close, listener));
}

static void should_set_close_on_exec(void) {
    int fds[2];
    socket_pair(fds);
    EXPECT(!closes_on_exec(fds[0]));
    EXPECT_RESULT(0, CALL(closeOnExec, fds[0]));
    EXPECT(closes_on_exec(fds[0]));
    close_both(fds);
}

static void should_yield(void) { CALL(yieldCpu); }

/* ---- a ring ---- */

struct ring {
    int fd;
    struct io_uring_params params;
    int64_t queues, sqes;
    size_t queues_length, sqes_length;
};

static void open_ring(struct ring *ring) {
    *ring = (struct ring){0};
    ring->fd = lu_io_uring_setup(8, address(&ring->params));
    EXPECT(ring->fd >= 0);
    EXPECT(ring->params.features & IORING_FEAT_SINGLE_MMAP);
    ring->queues_length =
        ring->params.cq_off.cqes + ring->params.cq_entries * sizeof(struct io_uring_cqe);
    size_t array_end = ring->params.sq_off.array + ring->params.sq_entries * sizeof(uint32_t);
    if (array_end > ring->queues_length) {
        ring->queues_length = array_end;
    }
    ring->queues = lu_map_ring(ring->fd, (int64_t)ring->queues_length, IORING_OFF_SQ_RING);
    EXPECT(ring->queues > 0);
    ring->sqes_length = ring->params.sq_entries * sizeof(struct io_uring_sqe);
    ring->sqes = lu_map_ring(ring->fd, (int64_t)ring->sqes_length, IORING_OFF_SQES);
    EXPECT(ring->sqes > 0);
}

static void close_ring(struct ring *ring) {
    EXPECT_RESULT(0, lu_unmap(ring->sqes, (int64_t)ring->sqes_length));
    EXPECT_RESULT(0, lu_unmap(ring->queues, (int64_t)ring->queues_length));
    EXPECT_RESULT(0, lu_close(ring->fd));
}

static _Atomic uint32_t *word(const struct ring *ring, uint32_t offset) {
    return (_Atomic uint32_t *)(uintptr_t)(ring->queues + offset);
}

static void queue_nop(struct ring *ring, uint64_t user_data) {
    _Atomic uint32_t *tail = word(ring, ring->params.sq_off.tail);
    uint32_t index = *tail & (ring->params.sq_entries - 1);
    struct io_uring_sqe *sqe = (struct io_uring_sqe *)(uintptr_t)ring->sqes + index;
    *sqe = (struct io_uring_sqe){.opcode = IORING_OP_NOP, .user_data = user_data};
    *word(ring, ring->params.sq_off.array + index * (uint32_t)sizeof(uint32_t)) = index;
    atomic_fetch_add_explicit(tail, 1, memory_order_release);
}

static void should_complete_an_operation_in_mapped_memory(void) {
    struct ring ring;
    open_ring(&ring);
    queue_nop(&ring, 4711);
    EXPECT_RESULT(1, CALL(enter, ring.fd, 1, 1, IORING_ENTER_GETEVENTS, 0, 0));
    EXPECT_RESULT(1, *word(&ring, ring.params.cq_off.tail));
    struct io_uring_cqe *cqe =
        (struct io_uring_cqe *)(uintptr_t)(ring.queues + ring.params.cq_off.cqes);
    EXPECT(cqe->user_data == 4711 && cqe->res == 0);
    close_ring(&ring);
}

static void should_end_a_wait_at_its_timeout(void) {
    struct ring ring;
    open_ring(&ring);
    struct __kernel_timespec timeout = {.tv_nsec = 1000000};
    struct io_uring_getevents_arg arg = {.ts = (uint64_t)address(&timeout)};
    EXPECT_RESULT(-ETIME, CALL(enter, ring.fd, 0, 1, IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG,
                               address(&arg), sizeof arg));
    close_ring(&ring);
}

static void should_register_at_a_ring(void) {
    struct ring ring;
    open_ring(&ring);
    uint32_t workers[2] = {4, 4};
    EXPECT_RESULT(0, lu_io_uring_register(ring.fd, IORING_REGISTER_IOWQ_MAX_WORKERS,
                                          address(workers), 2));
    close_ring(&ring);
}

static void should_hide_a_ring_from_a_child(void) {
    struct ring ring;
    open_ring(&ring);
    EXPECT(closes_on_exec(ring.fd));
    EXPECT(!is_inherited(ring.queues, ring.queues_length));
    EXPECT(!is_inherited(ring.sqes, ring.sqes_length));
    close_ring(&ring);
}

/* ---- all of them ---- */

int main(void) {
    should_name_errors();
    should_map_zeroed_writable_memory();
    should_see_what_a_child_inherits();
    should_hide_anonymous_memory_from_a_child();
    should_make_an_eventfd_that_neither_blocks_nor_leaks();
    should_add_one_for_each_signal();
    should_not_block_in_a_signal_when_the_counter_is_full();
    should_send_and_receive();
    should_gather_and_scatter();
    should_poll_for_the_events_given();
    should_give_back_what_a_descriptor_was_added_with();
    should_block_until_data_arrives();
    should_accept_with_the_flags_given();
    should_set_close_on_exec();
    should_yield();

    struct io_uring_params params = {0};
    int probe = lu_io_uring_setup(1, address(&params));
    if (probe == -EPERM || probe == -ENOSYS) {
        printf("no io_uring here: %s\n", lu_strerror(-probe));
        return SKIPPED;
    }
    EXPECT_RESULT(0, lu_close(probe));
    should_return_negative_errno();
    should_complete_an_operation_in_mapped_memory();
    should_end_a_wait_at_its_timeout();
    should_register_at_a_ring();
    should_hide_a_ring_from_a_child();
    return 0;
}
