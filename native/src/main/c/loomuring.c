/*
 * The native shim of loom-uring: system calls that the JDK does not offer.
 *
 * Convention: a result is >= 0 or -errno. The lu_* functions are bound by JNA (cold), the
 * Java_io_loomuring_abi_Shim_* functions by JNI (hot); io.loomuring.abi documents both.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <jni.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

static inline void *pointer(int64_t address) { return (void *)(uintptr_t)address; }

static inline int64_t result(int64_t rc) { return rc < 0 ? -errno : rc; }

/* ---- cold, by JNA ---- */

EXPORT int lu_io_uring_setup(int entries, int64_t params) {
    return (int)result(syscall(SYS_io_uring_setup, entries, pointer(params)));
}

EXPORT int lu_io_uring_register(int fd, int opcode, int64_t arg, int count) {
    return (int)result(syscall(SYS_io_uring_register, fd, opcode, pointer(arg), count));
}

/* Memory that the kernel writes to must not be shared with, or copied for, a forked child. */
static int64_t map(int64_t length, int flags, int fd, int64_t offset) {
    void *address = mmap(NULL, (size_t)length, PROT_READ | PROT_WRITE, flags, fd, offset);
    if (address == MAP_FAILED) {
        return -errno;
    }
    if (madvise(address, (size_t)length, MADV_DONTFORK) < 0) {
        int error = errno;
        munmap(address, (size_t)length);
        return -error;
    }
    return (int64_t)(uintptr_t)address;
}

EXPORT int64_t lu_map_ring(int fd, int64_t length, int64_t offset) {
    return map(length, MAP_SHARED | MAP_POPULATE, fd, offset);
}

EXPORT int64_t lu_map_anonymous(int64_t length) {
    return map(length, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

EXPORT int lu_unmap(int64_t address, int64_t length) {
    return (int)result(munmap(pointer(address), (size_t)length));
}

EXPORT int lu_eventfd(void) { return (int)result(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)); }

EXPORT int lu_epoll_create(void) { return (int)result(epoll_create1(EPOLL_CLOEXEC)); }

EXPORT int lu_setsockopt(int fd, int level, int name, int64_t value, int length) {
    return (int)result(setsockopt(fd, level, name, pointer(value), (socklen_t)length));
}

EXPORT int lu_take_socket_error(int fd) {
    int error = 0;
    socklen_t length = sizeof error;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0 ? -errno : error;
}

/* A kernel that has it says so before it looks whether the socket is connected. */
EXPORT int lu_has_upper_layer(const char *name) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return -errno;
    }
    int rc = setsockopt(fd, IPPROTO_TCP, TCP_ULP, name, (socklen_t)strlen(name));
    int error = errno;
    close(fd);
    return rc == 0 || error == ENOTCONN ? 1 : -error;
}

EXPORT int lu_close(int fd) { return (int)result(close(fd)); }

EXPORT int lu_openat(int dir_fd, int64_t path, int flags, int mode) {
    return (int)result(openat(dir_fd, pointer(path), flags, (mode_t)mode));
}

EXPORT int lu_statx(int dir_fd, int64_t path, int flags, int mask, int64_t buffer) {
    return (int)result(statx(dir_fd, pointer(path), flags, (unsigned)mask, pointer(buffer)));
}

EXPORT int lu_fsync(int fd) { return (int)result(fsync(fd)); }

EXPORT int lu_fdatasync(int fd) { return (int)result(fdatasync(fd)); }

EXPORT int lu_gettid(void) { return (int)syscall(SYS_gettid); }

/* The third field of /proc/PID/stat: it follows the name, which is in parentheses and may hold any. */
EXPORT int lu_thread_state(int tid) {
    char path[64];
    char stat[256];
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", tid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return -errno;
    }
    ssize_t n = read(fd, stat, sizeof stat - 1);
    int error = errno;
    close(fd);
    if (n < 0) {
        return -error;
    }
    stat[n] = '\0';
    const char *name_end = strrchr(stat, ')');
    return name_end != NULL && name_end[1] == ' ' ? name_end[2] : -ENODATA;
}

/* The clock of a thread of this process: MAKE_THREAD_CPUCLOCK of the kernel's posix-timers.h. */
EXPORT int64_t lu_thread_cpu_nanos(int tid) {
    const clockid_t clock = (clockid_t)(~(unsigned)tid << 3 | 6);
    struct timespec time;
    if (clock_gettime(clock, &time) < 0) {
        return -errno;
    }
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

EXPORT const char *lu_strerror(int error) { return strerror(error); }

/* ---- hot, by JNI ---- */

JNIEXPORT jint JNICALL Java_io_loomuring_abi_Shim_enter(JNIEnv *env, jclass type, jint fd,
                                                        jint to_submit, jint min_complete,
                                                        jint flags, jlong arg, jint arg_size) {
    (void)env, (void)type;
    return (jint)result(syscall(SYS_io_uring_enter, fd, to_submit, min_complete, flags,
                                pointer(arg), (size_t)arg_size));
}

JNIEXPORT jint JNICALL Java_io_loomuring_abi_Shim_recv(JNIEnv *env, jclass type, jint fd,
                                                       jlong address, jint length, jint flags) {
    (void)env, (void)type;
    return (jint)result(recv(fd, pointer(address), (size_t)length, flags));
}

JNIEXPORT jint JNICALL Java_io_loomuring_abi_Shim_send(JNIEnv *env, jclass type, jint fd,
                                                       jlong address, jint length, jint flags) {
    (void)env, (void)type;
    return (jint)result(send(fd, pointer(address), (size_t)length, flags));
}

JNIEXPORT jint JNICALL Java_io_loomuring_abi_Shim_recvmsg(JNIEnv *env, jclass type, jint fd,
                                                          jlong msghdr, jint flags) {
    (void)env, (void)type;
    return (jint)result(recvmsg(fd, pointer(msghdr), flags));
}

JNIEXPORT jint JNICALL Java_io_loomuring_abi_Shim_sendmsg(JNIEnv *env, jclass type, jint fd,
                                                          jlong msghdr, jint flags) {
    (void)env, (void)type;
    return (jint)result(sendmsg(fd, pointer(msghdr), flags));
}

JNIEXPORT jint JNICALL Java_io_loomuring_abi_Shim_read(JNIEnv *env, jclass type, jint fd,
                                                       jlong address, jint length) {
    (void)env, (void)type;
    return (jint)result(read(fd, pointer(address), (size_t)length));
}

JNIEXPORT jint JNICALL Java_io_loomuring_abi_Shim_write(JNIEnv *env, jclass type, jint fd,
                                                        jlong address, jint length) {
    (void)env, (void)type;
    return (jint)result(write(fd, pointer(address), (size_t)length));
}

JNIEXPORT jint JNICALL Java_io_loomuring_abi_Shim_readv(JNIEnv *env, jclass type, jint fd,
                                                        jlong iov, jint count) {
    (void)env, (void)type;
    return (jint)result(readv(fd, pointer(iov), count));
}

JNIEXPORT jint JNICALL Java_io_loomuring_abi_Shim_writev(JNIEnv *env, jclass type, jint fd,
                                                         jlong iov, jint count) {
    (void)env, (void)type;
    return (jint)result(writev(fd, pointer(iov), count));
}

JNIEXPORT jint JNICALL Java_io_loomuring_abi_Shim_pread(JNIEnv *env, jclass type, jint fd,
                                                        jlong address, jint length,
                                                        jlong position) {
    (void)env, (void)type;
    return (jint)result(pread(fd, pointer(address), (size_t)length, position));
}

JNIEXPORT jint JNICALL Java_io_loomuring_abi_Shim_pwrite(JNIEnv *env, jclass type, jint fd,
                                                         jlong address, jint length,
                                                         jlong position) {
    (void)env, (void)type;
    return (jint)result(pwrite(fd, pointer(address), (size_t)length, position));
}

JNIEXPORT jlong JNICALL Java_io_loomuring_abi_Shim_position(JNIEnv *env, jclass type, jint fd) {
    (void)env, (void)type;
    return (jlong)result(lseek(fd, 0, SEEK_CUR));
}

static int64_t send_file(int fd, int file, int64_t position, int count) {
    off_t offset = position;
    return result(sendfile(fd, file, &offset, (size_t)count));
}

JNIEXPORT jint JNICALL Java_io_loomuring_abi_Shim_sendfile(JNIEnv *env, jclass type, jint fd,
                                                           jint file, jlong position,
                                                           jint count) {
    (void)env, (void)type;
    return (jint)send_file(fd, file, position, count);
}

/* sendfile(2) has no flags: the descriptor's mode decides, here for the time of the call. */
JNIEXPORT jint JNICALL Java_io_loomuring_abi_Shim_sendfileNow(JNIEnv *env, jclass type, jint fd,
                                                              jint file, jlong position,
                                                              jint count) {
    (void)env, (void)type;
    int on = 1;
    int off = 0;
    int64_t rc = result(ioctl(fd, FIONBIO, &on));
    if (rc == 0) {
        rc = send_file(fd, file, position, count);
        ioctl(fd, FIONBIO, &off);
    }
    return (jint)rc;
}

JNIEXPORT jint JNICALL Java_io_loomuring_abi_Shim_poll(JNIEnv *env, jclass type, jint fd,
                                                       jint events, jint timeout_millis) {
    (void)env, (void)type;
    struct pollfd waited = {.fd = fd, .events = (short)events};
    int64_t rc = result(poll(&waited, 1, timeout_millis));
    return rc > 0 ? waited.revents : (jint)rc;
}

JNIEXPORT jint JNICALL Java_io_loomuring_abi_Shim_epollCtl(JNIEnv *env, jclass type,
                                                           jint epoll_fd, jint op, jint fd,
                                                           jint events, jint data) {
    (void)env, (void)type;
    struct epoll_event event = {.events = (uint32_t)events, .data = {.u32 = (uint32_t)data}};
    return (jint)result(epoll_ctl(epoll_fd, op, fd, &event));
}

JNIEXPORT jint JNICALL Java_io_loomuring_abi_Shim_epollWait(JNIEnv *env, jclass type,
                                                            jint epoll_fd, jlong events,
                                                            jint events_max,
                                                            jint timeout_millis) {
    (void)env, (void)type;
    return (jint)result(epoll_wait(epoll_fd, pointer(events), events_max, timeout_millis));
}

JNIEXPORT jint JNICALL Java_io_loomuring_abi_Shim_accept(JNIEnv *env, jclass type, jint fd,
                                                         jlong sockaddr, jlong addrlen,
                                                         jint flags) {
    (void)env, (void)type;
    return (jint)result(accept4(fd, pointer(sockaddr), pointer(addrlen), flags));
}

JNIEXPORT jint JNICALL Java_io_loomuring_abi_Shim_close(JNIEnv *env, jclass type, jint fd) {
    (void)env, (void)type;
    return (jint)result(close(fd));
}

JNIEXPORT jint JNICALL Java_io_loomuring_abi_Shim_closeOnExec(JNIEnv *env, jclass type, jint fd) {
    (void)env, (void)type;
    return (jint)result(fcntl(fd, F_SETFD, FD_CLOEXEC));
}

JNIEXPORT jint JNICALL Java_io_loomuring_abi_Shim_signal(JNIEnv *env, jclass type, jint event_fd) {
    (void)env, (void)type;
    uint64_t one = 1;
    return (jint)result(write(event_fd, &one, sizeof one));
}

JNIEXPORT void JNICALL Java_io_loomuring_abi_Shim_yieldCpu(JNIEnv *env, jclass type) {
    (void)env, (void)type;
    sched_yield();
}
