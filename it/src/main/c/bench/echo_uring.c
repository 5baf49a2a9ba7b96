/*
 * The floor that the other servers are compared with: an echo server on raw io_uring.
 *
 * One thread, one ring, one io_uring_enter a turn. Each connection has one operation in flight:
 *
 *     ACCEPT -> RECV -> SEND -> (all sent? RECV : SEND the rest) ... -> end of stream: close
 *
 * Listens on a free port of the loopback interface, prints "PORT n", and runs until its standard
 * input ends or a signal ends it.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "fail.h"
#include "ring.h"

enum { SQ_ENTRIES = 4096, CQ_ENTRIES = 16384, BACKLOG = 4096, BUFFER_BYTES = 16384 };

/* What a completion is about; with the descriptor it makes up the user_data. */
enum operation { ACCEPT, RECV, SEND, STDIN };

struct connection {
    unsigned received;
    unsigned sent;
    char buffer[BUFFER_BYTES];
};

static struct ring ring;
static struct connection **connections; /* by descriptor */
static unsigned descriptors_max;
static char stdin_buffer[256];

static uint64_t user_data(int fd, enum operation operation) {
    return (uint64_t)fd << 2 | operation;
}

static void start_accept(int listener) {
    struct io_uring_sqe *sqe = ring_claim(&ring);
    prep_accept(sqe, listener, SOCK_CLOEXEC);
    sqe->user_data = user_data(listener, ACCEPT);
}

static void start_recv(int fd) {
    struct io_uring_sqe *sqe = ring_claim(&ring);
    prep_recv(sqe, fd, connections[fd]->buffer, BUFFER_BYTES);
    sqe->user_data = user_data(fd, RECV);
}

static void start_send(int fd) {
    struct connection *connection = connections[fd];
    struct io_uring_sqe *sqe = ring_claim(&ring);
    prep_send(sqe, fd, connection->buffer + connection->sent,
              connection->received - connection->sent, MSG_NOSIGNAL);
    sqe->user_data = user_data(fd, SEND);
}

static void start_stdin_read(void) {
    struct io_uring_sqe *sqe = ring_claim(&ring);
    prep_read(sqe, STDIN_FILENO, stdin_buffer, sizeof(stdin_buffer));
    sqe->user_data = user_data(STDIN_FILENO, STDIN);
}

static void close_connection(int fd) {
    free(connections[fd]);
    connections[fd] = NULL;
    close(fd);
}

static bool gone(int result) {
    return result == 0 || result == -ECONNRESET || result == -EPIPE;
}

static void on_accept(int listener, int result) {
    if (result < 0) fail("accept: %s", strerror(-result));
    if ((unsigned)result >= descriptors_max) fail("descriptor %d out of range", result);
    int on = 1;
    if (setsockopt(result, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0)
        fail_errno("TCP_NODELAY");
    connections[result] = malloc(sizeof(struct connection));
    if (connections[result] == NULL) fail_errno("malloc");
    start_recv(result);
    start_accept(listener);
}

static void on_recv(int fd, int result) {
    if (gone(result)) {
        close_connection(fd);
    } else if (result < 0) {
        fail("recv: %s", strerror(-result));
    } else {
        connections[fd]->received = (unsigned)result;
        connections[fd]->sent = 0;
        start_send(fd);
    }
}

static void on_send(int fd, int result) {
    if (gone(result)) {
        close_connection(fd);
    } else if (result < 0) {
        fail("send: %s", strerror(-result));
    } else {
        connections[fd]->sent += (unsigned)result;
        if (connections[fd]->sent < connections[fd]->received) {
            start_send(fd);
        } else {
            start_recv(fd);
        }
    }
}

static void on_stdin(int result) {
    if (result <= 0) exit(0);
    start_stdin_read();
}

static void complete(const struct io_uring_cqe *cqe) {
    int fd = (int)(cqe->user_data >> 2);
    switch ((enum operation)(cqe->user_data & 3)) {
        case ACCEPT: on_accept(fd, cqe->res); break;
        case RECV: on_recv(fd, cqe->res); break;
        case SEND: on_send(fd, cqe->res); break;
        case STDIN: on_stdin(cqe->res); break;
    }
}

static void allocate_connections(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0) fail_errno("getrlimit");
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0) fail_errno("setrlimit");
    descriptors_max = limit.rlim_cur < 65536 ? (unsigned)limit.rlim_cur : 65536;
    connections = calloc(descriptors_max, sizeof(*connections));
    if (connections == NULL) fail_errno("calloc");
}

static int listen_on_loopback(void) {
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0) fail_errno("socket");
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    if (bind(listener, (struct sockaddr *)&address, length) < 0) fail_errno("bind");
    if (listen(listener, BACKLOG) < 0) fail_errno("listen");
    if (getsockname(listener, (struct sockaddr *)&address, &length) < 0) fail_errno("getsockname");
    printf("PORT %u\n", ntohs(address.sin_port));
    fflush(stdout);
    return listener;
}

static unsigned parse_flags(const char *name) {
    if (strcmp(name, "coop") == 0) return IORING_SETUP_COOP_TASKRUN | IORING_SETUP_SINGLE_ISSUER;
    if (strcmp(name, "defer") == 0) return IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_SINGLE_ISSUER;
    if (strcmp(name, "none") == 0) return 0;
    fail("--flags: coop, defer or none, not %s", name);
}

int main(int argc, char **argv) {
    unsigned flags = parse_flags("coop");
    static const struct option options[] = {{"flags", required_argument, NULL, 'f'}, {0}};
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option != 'f') fail("usage: %s [--flags coop|defer|none]", argv[0]);
        flags = parse_flags(optarg);
    }

    allocate_connections();
    ring_open(&ring, SQ_ENTRIES, CQ_ENTRIES, flags);
    start_stdin_read();
    start_accept(listen_on_loopback());
    for (;;) {
        ring_turn(&ring, NULL);
        for (const struct io_uring_cqe *cqe; (cqe = ring_peek(&ring)) != NULL; ring_seen(&ring))
            complete(cqe);
    }
}
