/*
 * What the server process costs, read from outside it.
 *
 * CPU time: the process's CPU clock, in nanoseconds, of all its threads, those that have ended and
 * io_uring's workers included. /proc/PID/stat gives the same sum in 10 ms ticks only; it is read
 * for its split into user and system time. The kernel's thread that polls for submissions
 * (IORING_SETUP_SQPOLL) is one of the process's threads, so its time is in that sum too; it is read
 * once more by itself, to tell what polling costs.
 *
 * System calls: the kernel's raw_syscalls:sys_enter tracepoint counted on every thread, which is
 * what `perf stat -e raw_syscalls:sys_enter -p PID` does. Counting costs the server CPU time, so it
 * must not be on while CPU time is measured.
 */
#ifndef BENCH_SERVER_METER_H
#define BENCH_SERVER_METER_H

#include <dirent.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "fail.h"

#define TRACEFS "/sys/kernel/tracing"

enum { THREADS_MAX = 4096 };

struct server_meter {
    pid_t pid;
    pid_t poller; /* the kernel's thread that polls for submissions; 0: there is none */
    clockid_t cpu_clock;
    int counters[THREADS_MAX]; /* perf events, one a thread; threads they start are counted too */
    unsigned counter_count;
};

struct server_cpu {
    uint64_t total_ns;
    uint64_t user_ticks;
    uint64_t system_ticks;
    uint64_t poller_ns; /* of total_ns */
};

static inline DIR *server_meter_tasks(const struct server_meter *meter) {
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/task", meter->pid);
    DIR *tasks = opendir(path);
    if (tasks == NULL) fail_errno(path);
    return tasks;
}

/* The first line of a file in the folder of a thread; false if it has just ended. */
static inline bool server_meter_task_line(const struct server_meter *meter, pid_t thread,
                                          const char *name, char *line, int size) {
    char path[96];
    snprintf(path, sizeof(path), "/proc/%d/task/%d/%s", meter->pid, thread, name);
    FILE *file = fopen(path, "r");
    if (file == NULL) return false;
    bool read = fgets(line, size, file) != NULL;
    fclose(file);
    return read;
}

static inline pid_t server_meter_find_poller(const struct server_meter *meter) {
    static const char prefix[] = "iou-sqp-";
    pid_t poller = 0;
    DIR *tasks = server_meter_tasks(meter);
    for (const struct dirent *entry; poller == 0 && (entry = readdir(tasks)) != NULL;) {
        char name[64];
        pid_t thread = (pid_t)atoi(entry->d_name);
        if (thread != 0 && server_meter_task_line(meter, thread, "comm", name, sizeof(name)) &&
            strncmp(name, prefix, sizeof(prefix) - 1) == 0)
            poller = thread;
    }
    closedir(tasks);
    return poller;
}

static inline void server_meter_open(struct server_meter *meter, pid_t pid) {
    meter->pid = pid;
    meter->counter_count = 0;
    int error = clock_getcpuclockid(pid, &meter->cpu_clock);
    if (error != 0) fail("CPU clock of process %d: %s", pid, strerror(error));
    meter->poller = server_meter_find_poller(meter);
}

static inline struct server_cpu server_meter_cpu(const struct server_meter *meter) {
    struct timespec time;
    if (clock_gettime(meter->cpu_clock, &time) < 0) fail_errno("CPU clock of the server");

    char path[64], line[1024];
    snprintf(path, sizeof(path), "/proc/%d/stat", meter->pid);
    FILE *file = fopen(path, "r");
    if (file == NULL || fgets(line, sizeof(line), file) == NULL) fail_errno(path);
    fclose(file);

    struct server_cpu cpu = {
        .total_ns = (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec,
    };
    /* Field 2, the command in parentheses, may hold anything: count from its end. */
    const char *rest = strrchr(line, ')');
    if (rest == NULL || sscanf(rest, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
                               &cpu.user_ticks, &cpu.system_ticks) != 2)
        fail("%s: not understood", path);
    if (meter->poller != 0 && (!server_meter_task_line(meter, meter->poller, "schedstat", line,
                                                       sizeof(line)) ||
                               sscanf(line, "%lu", &cpu.poller_ns) != 1))
        fail("the CPU time of the server's polling thread: not to be had");
    return cpu;
}

/* The tracepoint's number, or -1. Mounts tracefs if nobody has, as perf does. */
static inline long tracepoint_id(void) {
    static const char path[] = TRACEFS "/events/raw_syscalls/sys_enter/id";
    FILE *file = fopen(path, "r");
    if (file == NULL && mount("nodev", TRACEFS, "tracefs", 0, NULL) == 0) file = fopen(path, "r");
    if (file == NULL) return -1;
    long id;
    if (fscanf(file, "%ld", &id) != 1) id = -1;
    fclose(file);
    return id;
}

/* False, with the reason on stderr, where this user may not count the server's system calls. */
static inline bool server_meter_count_syscalls(struct server_meter *meter) {
    long id = tracepoint_id();
    if (id < 0) {
        fputs("system calls not counted: no access to " TRACEFS " (needs root)\n", stderr);
        return false;
    }
    struct perf_event_attr attributes = {.type = PERF_TYPE_TRACEPOINT,
                                         .size = sizeof(attributes),
                                         .config = (uint64_t)id,
                                         .inherit = 1};
    DIR *tasks = server_meter_tasks(meter);
    for (const struct dirent *entry; (entry = readdir(tasks)) != NULL;) {
        pid_t thread = (pid_t)atoi(entry->d_name);
        if (thread == 0) continue;
        if (meter->counter_count == THREADS_MAX) fail("server: more than %d threads", THREADS_MAX);
        int fd = (int)syscall(SYS_perf_event_open, &attributes, thread, -1, -1,
                              PERF_FLAG_FD_CLOEXEC);
        if (fd >= 0) {
            meter->counters[meter->counter_count++] = fd;
        } else if (errno != ESRCH) { /* ESRCH: that thread has just ended */
            fprintf(stderr, "system calls not counted: perf_event_open: %s\n", strerror(errno));
            closedir(tasks);
            return false;
        }
    }
    closedir(tasks);
    return true;
}

static inline uint64_t server_meter_syscalls(const struct server_meter *meter) {
    uint64_t sum = 0;
    for (unsigned i = 0; i < meter->counter_count; i++) {
        uint64_t count;
        if (read(meter->counters[i], &count, sizeof(count)) != sizeof(count))
            fail_errno("read of a perf event");
        sum += count;
    }
    return sum;
}

#endif
