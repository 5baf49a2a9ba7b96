/*
 * The load: N connections to a server, on each at most one request outstanding. The next one
 * follows at once (a closed loop) or, with --interval, when its time has come: then the
 * connections' turns are spread evenly over the interval.
 *
 * A request is sent and its answer awaited in one turn of the ring. An echo server's answer must be
 * the request, byte for byte, and no two requests of a connection are alike. With --http it is
 * always the same GET over HTTP/1.1, and the answer must be HttpServer's, byte for byte. Any error,
 * a wrong byte or ten seconds without an answer end the program with status 1.
 *
 * Phases: warm-up; the measured window, which ends by time or by number of requests; a window of
 * its own in which the server's system calls are counted. At the start of the measured window the
 * program prints "MEASURING", at the end one line of JSON. With --hold it then waits for the last
 * answers, prints "HOLDING" and keeps its connections, idle, until its standard input ends.
 *
 * The latency of a request runs from when it is queued for the next io_uring_enter to just after the
 * one that brings the end of its answer.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "fail.h"
#include "histogram.h"
#include "ring.h"
#include "server_meter.h"

enum { SQ_ENTRIES = 4096, CQ_ENTRIES = 16384, SILENCE_SECONDS_MAX = 10, STAMP_BYTES = 8 };

static char http_request[] = "GET /hello HTTP/1.1\r\n"
                             "Host: localhost\r\n"
                             "User-Agent: load\r\n"
                             "Accept: */*\r\n"
                             "\r\n";
static const char http_answer[] = "HTTP/1.1 200 OK\r\n"
                                  "Content-Type: text/plain\r\n"
                                  "Content-Length: 14\r\n"
                                  "\r\n"
                                  "Hello, world!\n";

enum operation { SEND, RECV };

struct settings {
    uint16_t port;
    pid_t server_pid;
    unsigned connections;
    bool http;
    unsigned request_bytes; /* of HTTP: as above */
    unsigned answer_bytes;
    double interval_seconds; /* between two requests of a connection; 0: the next follows at once */
    double warmup_seconds;
    double measured_seconds; /* 0: by measured_requests */
    uint64_t measured_requests;
    double syscall_seconds;
    bool hold;
};

struct connection {
    int fd;
    unsigned sent;
    unsigned received;
    bool outstanding; /* sent, not yet answered */
    uint64_t sequence;
    uint64_t sent_at;
    char *request;
    const char *expected;
    char *answer;
};

struct moment {
    uint64_t time_ns;
    uint64_t own_cpu_ns;
    uint64_t machine_cpu_ns;
    uint64_t requests;
    struct server_cpu server;
};

static struct settings settings = {.connections = 1, .request_bytes = 64};
static struct ring ring;
static struct connection *connections;
static struct server_meter server;
static struct histogram latencies;
static bool recording;
static bool draining;
static uint64_t requests;    /* answered, since the start */
static unsigned outstanding; /* sent, not yet answered */

/* With an interval: whose turn it is, and when. */
static uint64_t paced_turns;
static uint64_t paced_start_ns;
static uint64_t late_turns; /* whose connection still waited for its last answer */

static uint64_t clock_ns(clockid_t clock) {
    struct timespec time;
    if (clock_gettime(clock, &time) < 0) fail_errno("clock_gettime");
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static uint64_t now_ns(void) {
    return clock_ns(CLOCK_MONOTONIC);
}

/* What all cores have spent on anything, a hypervisor's theft included. */
static uint64_t machine_cpu_ns(void) {
    FILE *file = fopen("/proc/stat", "r");
    if (file == NULL) fail_errno("/proc/stat");
    uint64_t user, nice, system, irq, softirq, steal;
    if (fscanf(file, "cpu %lu %lu %lu %*u %*u %lu %lu %lu", &user, &nice, &system, &irq, &softirq,
               &steal) != 6)
        fail("/proc/stat: not understood");
    fclose(file);
    uint64_t ticks = user + nice + system + irq + softirq + steal;
    return ticks * (1000000000 / (uint64_t)sysconf(_SC_CLK_TCK));
}

static struct moment moment_now(void) {
    return (struct moment){.time_ns = now_ns(),
                           .own_cpu_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID),
                           .machine_cpu_ns = machine_cpu_ns(),
                           .requests = requests,
                           .server = server_meter_cpu(&server)};
}

/* ---- requests and answers ---- */

static uint64_t user_data(const struct connection *connection, enum operation operation) {
    return (uint64_t)(connection - connections) << 1 | operation;
}

/* Posts a completion only if it fails or is cut short: MSG_WAITALL sends all of it otherwise. */
static void start_send(struct connection *connection) {
    struct io_uring_sqe *sqe = ring_claim(&ring);
    prep_send(sqe, connection->fd, connection->request + connection->sent,
              settings.request_bytes - connection->sent, MSG_NOSIGNAL | MSG_WAITALL);
    sqe->flags = IOSQE_CQE_SKIP_SUCCESS;
    sqe->user_data = user_data(connection, SEND);
}

static void start_recv(struct connection *connection) {
    struct io_uring_sqe *sqe = ring_claim(&ring);
    prep_recv(sqe, connection->fd, connection->answer + connection->received,
              settings.answer_bytes - connection->received);
    sqe->ioprio = IORING_RECVSEND_POLL_FIRST; /* the answer cannot be there yet */
    sqe->user_data = user_data(connection, RECV);
}

static void start_request(struct connection *connection) {
    outstanding++;
    connection->outstanding = true;
    connection->sequence++;
    if (!settings.http) {
        unsigned size = settings.request_bytes;
        memcpy(connection->request, &connection->sequence, size < STAMP_BYTES ? size : STAMP_BYTES);
    }
    connection->sent = 0;
    connection->received = 0;
    connection->sent_at = now_ns();
    start_send(connection);
    start_recv(connection);
}

static void on_answer(struct connection *connection, uint64_t now) {
    if (memcmp(connection->expected, connection->answer, settings.answer_bytes) != 0)
        fail("connection %d: answer %lu is not as expected", connection->fd, connection->sequence);
    requests++;
    outstanding--;
    connection->outstanding = false;
    if (recording) histogram_record(&latencies, now - connection->sent_at);
    if (!draining && settings.interval_seconds == 0) start_request(connection);
}

static void on_recv(struct connection *connection, int result, uint64_t now) {
    if (result < 0) fail("recv: %s", strerror(-result));
    if (result == 0) fail("recv: the server closed a connection");
    connection->received += (unsigned)result;
    if (connection->received < settings.answer_bytes) {
        start_recv(connection);
    } else {
        on_answer(connection, now);
    }
}

static void on_send(struct connection *connection, int result) {
    if (result < 0) fail("send: %s", strerror(-result));
    connection->sent += (unsigned)result;
    start_send(connection);
}

static uint64_t paced_due_ns(void) {
    double intervals = (double)paced_turns / settings.connections;
    return paced_start_ns + (uint64_t)(intervals * settings.interval_seconds * 1e9);
}

/* Starts the requests that are due; returns the time until the next one. */
static struct __kernel_timespec start_paced_requests(void) {
    uint64_t now = now_ns();
    for (; paced_due_ns() <= now; paced_turns++) {
        struct connection *connection = &connections[paced_turns % settings.connections];
        if (!connection->outstanding) {
            start_request(connection);
        } else if (now - connection->sent_at < SILENCE_SECONDS_MAX * 1000000000ULL) {
            late_turns += recording;
        } else {
            fail("connection %d: no answer for %d seconds", connection->fd, SILENCE_SECONDS_MAX);
        }
    }
    uint64_t wait = paced_due_ns() - now;
    return (struct __kernel_timespec){.tv_sec = (long long)(wait / 1000000000),
                                      .tv_nsec = (long long)(wait % 1000000000)};
}

static void turn(void) {
    bool paced = settings.interval_seconds > 0 && !draining;
    struct __kernel_timespec wait = {.tv_sec = SILENCE_SECONDS_MAX};
    if (paced) wait = start_paced_requests();
    if (!ring_turn(&ring, &wait) && !paced) fail("no answer for %d seconds", SILENCE_SECONDS_MAX);
    uint64_t now = now_ns();
    for (const struct io_uring_cqe *cqe; (cqe = ring_peek(&ring)) != NULL; ring_seen(&ring)) {
        struct connection *connection = &connections[cqe->user_data >> 1];
        switch ((enum operation)(cqe->user_data & 1)) {
            case SEND: on_send(connection, cqe->res); break;
            case RECV: on_recv(connection, cqe->res, now); break;
        }
    }
}

static void run_for(double seconds) {
    uint64_t end = now_ns() + (uint64_t)(seconds * 1e9);
    while (now_ns() < end) turn();
}

static void run_requests(uint64_t count) {
    uint64_t end = requests + count;
    while (requests < end) turn();
}

/* So that no connection is closed with an answer on its way, which would reset it. */
static void drain(void) {
    draining = true;
    while (outstanding > 0) turn();
}

static void hold(void) {
    puts("HOLDING");
    fflush(stdout);
    char ignored[256];
    while (read(STDIN_FILENO, ignored, sizeof(ignored)) > 0) {
    }
}

/* ---- connections ---- */

static int connect_to_server(void) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) fail_errno("socket");
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(settings.port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) fail_errno("connect");
    int on = 1;
    if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0) fail_errno("TCP_NODELAY");
    return fd;
}

static void raise_descriptor_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0) fail_errno("getrlimit");
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0) fail_errno("setrlimit");
}

static char *echo_request(unsigned connection) {
    char *request = malloc(settings.request_bytes);
    if (request == NULL) fail_errno("malloc");
    for (unsigned i = 0; i < settings.request_bytes; i++)
        request[i] = (char)(connection * 31 + i * 7 + 1);
    return request;
}

static void open_connections(void) {
    raise_descriptor_limit();
    connections = calloc(settings.connections, sizeof(*connections));
    if (connections == NULL) fail_errno("calloc");
    for (unsigned i = 0; i < settings.connections; i++) {
        struct connection *connection = &connections[i];
        connection->fd = connect_to_server();
        connection->answer = calloc(1, settings.answer_bytes);
        if (connection->answer == NULL) fail_errno("calloc");
        if (settings.http) {
            connection->request = http_request;
            connection->expected = http_answer;
        } else {
            connection->request = echo_request(i);
            connection->expected = connection->request;
        }
    }
    if (settings.interval_seconds > 0) {
        paced_start_ns = now_ns();
    } else {
        for (unsigned i = 0; i < settings.connections; i++) start_request(&connections[i]);
    }
}

/* ---- the run ---- */

static void print_result(const struct moment *start, const struct moment *end,
                         uint64_t syscall_requests, int64_t syscalls) {
    printf("{\"requests\":%lu,\"requests_in_all\":%lu,\"nanoseconds\":%lu",
           end->requests - start->requests, requests, end->time_ns - start->time_ns);
    printf(",\"p50_ns\":%lu,\"p99_ns\":%lu,\"p999_ns\":%lu,\"max_ns\":%lu",
           histogram_quantile(&latencies, 0.5), histogram_quantile(&latencies, 0.99),
           histogram_quantile(&latencies, 0.999), latencies.max);
    printf(",\"client_cpu_ns\":%lu,\"server_cpu_ns\":%lu", end->own_cpu_ns - start->own_cpu_ns,
           end->server.total_ns - start->server.total_ns);
    printf(",\"server_poller_ns\":%lu,\"late\":%lu",
           end->server.poller_ns - start->server.poller_ns, late_turns);
    printf(",\"server_user_ticks\":%lu,\"server_system_ticks\":%lu",
           end->server.user_ticks - start->server.user_ticks,
           end->server.system_ticks - start->server.system_ticks);
    printf(",\"machine_cpu_ns\":%lu", end->machine_cpu_ns - start->machine_cpu_ns);
    if (syscalls >= 0)
        printf(",\"syscall_requests\":%lu,\"syscalls\":%ld", syscall_requests, syscalls);
    printf("}\n");
    fflush(stdout);
}

static void run(void) {
    open_connections();
    run_for(settings.warmup_seconds);

    puts("MEASURING");
    fflush(stdout);
    recording = true;
    struct moment start = moment_now();
    if (settings.measured_requests > 0) {
        run_requests(settings.measured_requests);
    } else {
        run_for(settings.measured_seconds);
    }
    struct moment end = moment_now();
    recording = false;

    uint64_t syscall_requests = 0;
    int64_t syscalls = -1;
    if (settings.syscall_seconds > 0 && server_meter_count_syscalls(&server)) {
        uint64_t requests_before = requests;
        uint64_t syscalls_before = server_meter_syscalls(&server);
        run_for(settings.syscall_seconds);
        syscalls = (int64_t)(server_meter_syscalls(&server) - syscalls_before);
        syscall_requests = requests - requests_before;
    }
    print_result(&start, &end, syscall_requests, syscalls);
    drain();
    if (settings.hold) hold();
}

static void usage(void) {
    fail("usage: load --port N --server-pid N (--seconds S | --requests N) [--connections N]\n"
         "            [--message-bytes N | --http] [--interval S] [--warmup S]\n"
         "            [--syscall-seconds S] [--hold]");
}

static double parse_number(const char *text) {
    char *end;
    double number = strtod(text, &end);
    if (end == text || *end != '\0' || !(number >= 0) || number > 1e15)
        fail("not a number: %s", text);
    return number;
}

static void parse_settings(int argc, char **argv) {
    static const struct option options[] = {{"port", required_argument, NULL, 'p'},
                                            {"server-pid", required_argument, NULL, 'i'},
                                            {"connections", required_argument, NULL, 'c'},
                                            {"message-bytes", required_argument, NULL, 'm'},
                                            {"http", no_argument, NULL, 'h'},
                                            {"interval", required_argument, NULL, 'v'},
                                            {"hold", no_argument, NULL, 'o'},
                                            {"warmup", required_argument, NULL, 'w'},
                                            {"seconds", required_argument, NULL, 's'},
                                            {"requests", required_argument, NULL, 'r'},
                                            {"syscall-seconds", required_argument, NULL, 'y'},
                                            {0}};
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == '?') usage();
        double number = optarg == NULL ? 0 : parse_number(optarg);
        switch (option) {
            case 'p': settings.port = (uint16_t)number; break;
            case 'i': settings.server_pid = (pid_t)number; break;
            case 'c': settings.connections = (unsigned)number; break;
            case 'm': settings.request_bytes = (unsigned)number; break;
            case 'h': settings.http = true; break;
            case 'v': settings.interval_seconds = number; break;
            case 'o': settings.hold = true; break;
            case 'w': settings.warmup_seconds = number; break;
            case 's': settings.measured_seconds = number; break;
            case 'r': settings.measured_requests = (uint64_t)number; break;
            case 'y': settings.syscall_seconds = number; break;
        }
    }
    if (settings.http) settings.request_bytes = sizeof(http_request) - 1;
    settings.answer_bytes = settings.http ? sizeof(http_answer) - 1 : settings.request_bytes;
    bool by_time = settings.measured_seconds > 0, by_requests = settings.measured_requests > 0;
    if (optind < argc || settings.port == 0 || settings.server_pid == 0 || by_time == by_requests ||
        settings.connections == 0 || settings.request_bytes == 0)
        usage();
}

int main(int argc, char **argv) {
    parse_settings(argc, argv);
    server_meter_open(&server, settings.server_pid);
    ring_open(&ring, SQ_ENTRIES, CQ_ENTRIES,
              IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_SINGLE_ISSUER);
    run();
    return 0;
}
