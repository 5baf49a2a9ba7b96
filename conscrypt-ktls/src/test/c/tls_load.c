/*
 * The load on a TLS echo server: N connections, on each one message of 64 bytes outstanding. The
 * connections take turns: the answer of one is awaited, then its next message is sent, so that the
 * server always has those of the others to do. Each answer must be the message, byte for byte, and no
 * two messages of a connection are alike.
 *
 *   tls_load PORT FIRST-BYTE CONNECTIONS WARM-UP-SECONDS SECONDS
 *
 * Prints "measuring" after the warm-up, and the number of answers since then at the end. Any error
 * ends the program with status 1.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdint.h>
#include <sys/socket.h>
#include <time.h>

#include "fail.h"

enum { MESSAGE = 64, CONNECTIONS_MAX = 1024, SILENCE_SECONDS_MAX = 10 };

struct connection {
    SSL *ssl;
    uint64_t sequence;
    char message[MESSAGE];
};

static uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void fail_ssl(const char *what) {
    fail("%s: %s", what, ERR_error_string(ERR_get_error(), NULL));
}

static void send_message(struct connection *connection, const void *bytes, int count) {
    if (SSL_write(connection->ssl, bytes, count) != count) fail_ssl("SSL_write");
}

static void send_next(struct connection *connection) {
    connection->sequence++;
    memcpy(connection->message, &connection->sequence, sizeof connection->sequence);
    send_message(connection, connection->message, MESSAGE);
}

static void await_answer(struct connection *connection) {
    char answer[MESSAGE];
    for (int received = 0; received < MESSAGE;) {
        int count = SSL_read(connection->ssl, answer + received, MESSAGE - received);
        if (count <= 0) fail_ssl("SSL_read");
        received += count;
    }
    if (memcmp(answer, connection->message, MESSAGE) != 0) fail("the answer is another");
}

static void open_connection(struct connection *connection, SSL_CTX *context, uint16_t port,
                            char first) {
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval patience = {.tv_sec = SILENCE_SECONDS_MAX};
    int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) fail_errno("socket");
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) fail_errno("connect");
    if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0) fail_errno("TCP_NODELAY");
    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) != 0) {
        fail_errno("SO_RCVTIMEO");
    }
    connection->ssl = SSL_new(context);
    if (connection->ssl == NULL || SSL_set_fd(connection->ssl, fd) != 1) fail_ssl("SSL_new");
    if (SSL_connect(connection->ssl) != 1) fail_ssl("SSL_connect");
    send_message(connection, &first, 1);
}

/* Turns until so many seconds have gone by; the number of answers. */
static uint64_t run(struct connection *connections, unsigned count, double seconds) {
    uint64_t end = now_ns() + (uint64_t)(seconds * 1e9);
    uint64_t answers = 0;
    while (now_ns() < end) {
        for (unsigned i = 0; i < count; i++) {
            await_answer(&connections[i]);
            send_next(&connections[i]);
        }
        answers += count;
    }
    return answers;
}

static double number(const char *text, double max) {
    char *end;
    double value = strtod(text, &end);
    if (*end != '\0' || value < 0 || value > max) fail("not a number up to %.0f: %s", max, text);
    return value;
}

int main(int argc, char **argv) {
    if (argc != 6) fail("usage: tls_load PORT FIRST-BYTE CONNECTIONS WARM-UP-SECONDS SECONDS");
    uint16_t port = (uint16_t)number(argv[1], UINT16_MAX);
    char first = (char)number(argv[2], INT8_MAX);
    unsigned count = (unsigned)number(argv[3], CONNECTIONS_MAX);
    double warm_up = number(argv[4], 3600);
    double seconds = number(argv[5], 3600);
    SSL_CTX *context = SSL_CTX_new(TLS_client_method()); /* verifies nothing: it is the load */
    if (context == NULL || SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) != 1) {
        fail_ssl("SSL_CTX_new");
    }
    static struct connection connections[CONNECTIONS_MAX];
    for (unsigned i = 0; i < count; i++) open_connection(&connections[i], context, port, first);
    for (unsigned i = 0; i < count; i++) send_next(&connections[i]);
    run(connections, count, warm_up);
    puts("measuring");
    fflush(stdout);
    printf("%llu\n", (unsigned long long)run(connections, count, seconds));
    return 0;
}
