/*
 * Prints "NAME VALUE" for every constant of io.loomuring.abi (IoUringAbi, SocketAbi, TlsAbi, FileAbi, Errno) as the
 * C compiler sees it; AbiTest compares the two. A constant added there needs its line here.
 *
 * A definition that the headers of Debian 12 (6.1) lack is added below under upstream's name.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/io_uring.h>
#include <linux/time_types.h>
#include <linux/tls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>

#define VALUE(name) printf("%s %lld\n", #name, (long long)(name))
#define SIZE(name, type) printf("SIZEOF_%s %zu\n", #name, sizeof(type))
#define OFFSET(name, type, field) printf("%s %zu\n", #name, offsetof(type, field))

static void io_uring_structures(void) {
    SIZE(IO_URING_PARAMS, struct io_uring_params);
    OFFSET(PARAMS_SQ_ENTRIES, struct io_uring_params, sq_entries);
    OFFSET(PARAMS_CQ_ENTRIES, struct io_uring_params, cq_entries);
    OFFSET(PARAMS_FLAGS, struct io_uring_params, flags);
    OFFSET(PARAMS_SQ_THREAD_IDLE, struct io_uring_params, sq_thread_idle);
    OFFSET(PARAMS_FEATURES, struct io_uring_params, features);
    OFFSET(PARAMS_WQ_FD, struct io_uring_params, wq_fd);
    OFFSET(PARAMS_SQ_OFF, struct io_uring_params, sq_off);
    OFFSET(PARAMS_CQ_OFF, struct io_uring_params, cq_off);

    OFFSET(SQ_OFF_HEAD, struct io_sqring_offsets, head);
    OFFSET(SQ_OFF_TAIL, struct io_sqring_offsets, tail);
    OFFSET(SQ_OFF_RING_MASK, struct io_sqring_offsets, ring_mask);
    OFFSET(SQ_OFF_RING_ENTRIES, struct io_sqring_offsets, ring_entries);
    OFFSET(SQ_OFF_FLAGS, struct io_sqring_offsets, flags);
    OFFSET(SQ_OFF_DROPPED, struct io_sqring_offsets, dropped);
    OFFSET(SQ_OFF_ARRAY, struct io_sqring_offsets, array);

    OFFSET(CQ_OFF_HEAD, struct io_cqring_offsets, head);
    OFFSET(CQ_OFF_TAIL, struct io_cqring_offsets, tail);
    OFFSET(CQ_OFF_RING_MASK, struct io_cqring_offsets, ring_mask);
    OFFSET(CQ_OFF_RING_ENTRIES, struct io_cqring_offsets, ring_entries);
    OFFSET(CQ_OFF_OVERFLOW, struct io_cqring_offsets, overflow);
    OFFSET(CQ_OFF_CQES, struct io_cqring_offsets, cqes);

    SIZE(IO_URING_SQE, struct io_uring_sqe);
    OFFSET(SQE_OPCODE, struct io_uring_sqe, opcode);
    OFFSET(SQE_FLAGS, struct io_uring_sqe, flags);
    OFFSET(SQE_IOPRIO, struct io_uring_sqe, ioprio);
    OFFSET(SQE_FD, struct io_uring_sqe, fd);
    OFFSET(SQE_OFF, struct io_uring_sqe, off);
    OFFSET(SQE_ADDR, struct io_uring_sqe, addr);
    OFFSET(SQE_LEN, struct io_uring_sqe, len);
    OFFSET(SQE_OP_FLAGS, struct io_uring_sqe, rw_flags); /* the first of a union of flags */
    OFFSET(SQE_USER_DATA, struct io_uring_sqe, user_data);
    OFFSET(SQE_BUF_GROUP, struct io_uring_sqe, buf_group);

    SIZE(IO_URING_CQE, struct io_uring_cqe);
    OFFSET(CQE_USER_DATA, struct io_uring_cqe, user_data);
    OFFSET(CQE_RES, struct io_uring_cqe, res);
    OFFSET(CQE_FLAGS, struct io_uring_cqe, flags);

    SIZE(IO_URING_GETEVENTS_ARG, struct io_uring_getevents_arg);
    OFFSET(GETEVENTS_ARG_TS, struct io_uring_getevents_arg, ts);
    SIZE(KERNEL_TIMESPEC, struct __kernel_timespec);

    SIZE(IO_URING_PROBE, struct io_uring_probe);
    OFFSET(PROBE_LAST_OP, struct io_uring_probe, last_op);
    SIZE(IO_URING_PROBE_OP, struct io_uring_probe_op);
    OFFSET(PROBE_OP_FLAGS, struct io_uring_probe_op, flags);

    SIZE(IO_URING_BUF_REG, struct io_uring_buf_reg);
    OFFSET(BUF_REG_RING_ADDR, struct io_uring_buf_reg, ring_addr);
    OFFSET(BUF_REG_RING_ENTRIES, struct io_uring_buf_reg, ring_entries);
    OFFSET(BUF_REG_BGID, struct io_uring_buf_reg, bgid);
    SIZE(IO_URING_BUF, struct io_uring_buf);
    OFFSET(BUF_ADDR, struct io_uring_buf, addr);
    OFFSET(BUF_LEN, struct io_uring_buf, len);
    OFFSET(BUF_BID, struct io_uring_buf, bid);
    OFFSET(BUF_RING_TAIL, struct io_uring_buf_ring, tail);
}

static void io_uring_constants(void) {
    VALUE(IORING_OFF_SQ_RING);
    VALUE(IORING_OFF_SQES);

    VALUE(IORING_SETUP_SQPOLL);
    VALUE(IORING_SETUP_CQSIZE);
    VALUE(IORING_SETUP_CLAMP);
    VALUE(IORING_SETUP_ATTACH_WQ);
    VALUE(IORING_SETUP_SUBMIT_ALL);
    VALUE(IORING_SETUP_COOP_TASKRUN);
    VALUE(IORING_SETUP_TASKRUN_FLAG);
    VALUE(IORING_SETUP_SINGLE_ISSUER);
    VALUE(IORING_SETUP_DEFER_TASKRUN);

    VALUE(IORING_FEAT_SINGLE_MMAP);
    VALUE(IORING_FEAT_NODROP);
    VALUE(IORING_FEAT_FAST_POLL);
    VALUE(IORING_FEAT_EXT_ARG);
    VALUE(IORING_FEAT_CQE_SKIP);

    VALUE(IORING_SQ_NEED_WAKEUP);
    VALUE(IORING_SQ_CQ_OVERFLOW);
    VALUE(IORING_SQ_TASKRUN);

    VALUE(IORING_ENTER_GETEVENTS);
    VALUE(IORING_ENTER_SQ_WAKEUP);
    VALUE(IORING_ENTER_SQ_WAIT);
    VALUE(IORING_ENTER_EXT_ARG);

    VALUE(IORING_OP_NOP);
    VALUE(IORING_OP_FSYNC);
    VALUE(IORING_OP_POLL_ADD);
    VALUE(IORING_OP_SENDMSG);
    VALUE(IORING_OP_RECVMSG);
    VALUE(IORING_OP_ACCEPT);
    VALUE(IORING_OP_ASYNC_CANCEL);
    VALUE(IORING_OP_CONNECT);
    VALUE(IORING_OP_OPENAT);
    VALUE(IORING_OP_CLOSE);
    VALUE(IORING_OP_STATX);
    VALUE(IORING_OP_READ);
    VALUE(IORING_OP_WRITE);
    VALUE(IORING_OP_SEND);
    VALUE(IORING_OP_RECV);
    VALUE(IORING_OP_SENDMSG_ZC);

    VALUE(IOSQE_BUFFER_SELECT);
    VALUE(IORING_FSYNC_DATASYNC);
    VALUE(IORING_POLL_ADD_MULTI);
    VALUE(IORING_CQE_F_BUFFER);
    VALUE(IORING_CQE_F_MORE);
    VALUE(IORING_CQE_BUFFER_SHIFT);

    VALUE(IORING_REGISTER_PROBE);
    VALUE(IORING_REGISTER_IOWQ_MAX_WORKERS);
    VALUE(IORING_REGISTER_PBUF_RING);
    VALUE(IORING_UNREGISTER_PBUF_RING);
    VALUE(IO_URING_OP_SUPPORTED);
}

static void sockets(void) {
    VALUE(AF_UNIX);
    VALUE(AF_INET);
    VALUE(AF_INET6);
    VALUE(SOCK_CLOEXEC);
    VALUE(MSG_OOB);
    VALUE(MSG_PEEK);
    VALUE(MSG_DONTWAIT);
    VALUE(MSG_WAITALL);
    VALUE(MSG_NOSIGNAL);
    VALUE(POLLIN);
    VALUE(POLLOUT);
    VALUE(POLLERR);
    VALUE(POLLHUP);
    VALUE(POLLNVAL);
    VALUE(EPOLLIN);
    printf("EPOLLET %d\n", (int)EPOLLET); /* the sign bit of a Java int */
    VALUE(EPOLL_CTL_ADD);
    VALUE(EPOLL_CTL_DEL);
    VALUE(EPOLL_CTL_MOD);
    SIZE(EPOLL_EVENT, struct epoll_event);
    OFFSET(EPOLL_EVENT_EVENTS, struct epoll_event, events);
    OFFSET(EPOLL_EVENT_DATA, struct epoll_event, data);
    VALUE(IOV_MAX);

    SIZE(MSGHDR, struct msghdr);
    OFFSET(MSGHDR_NAME, struct msghdr, msg_name);
    OFFSET(MSGHDR_NAMELEN, struct msghdr, msg_namelen);
    OFFSET(MSGHDR_IOV, struct msghdr, msg_iov);
    OFFSET(MSGHDR_IOVLEN, struct msghdr, msg_iovlen);
    OFFSET(MSGHDR_CONTROL, struct msghdr, msg_control);
    OFFSET(MSGHDR_CONTROLLEN, struct msghdr, msg_controllen);
    SIZE(CMSGHDR, struct cmsghdr);
    OFFSET(CMSGHDR_LEN, struct cmsghdr, cmsg_len);
    OFFSET(CMSGHDR_LEVEL, struct cmsghdr, cmsg_level);
    OFFSET(CMSGHDR_TYPE, struct cmsghdr, cmsg_type);
    SIZE(IOVEC, struct iovec);
    OFFSET(IOVEC_BASE, struct iovec, iov_base);
    OFFSET(IOVEC_LEN, struct iovec, iov_len);

    SIZE(SOCKADDR_IN, struct sockaddr_in);
    OFFSET(SOCKADDR_IN_PORT, struct sockaddr_in, sin_port);
    OFFSET(SOCKADDR_IN_ADDR, struct sockaddr_in, sin_addr);
    SIZE(SOCKADDR_IN6, struct sockaddr_in6);
    OFFSET(SOCKADDR_IN6_PORT, struct sockaddr_in6, sin6_port);
    OFFSET(SOCKADDR_IN6_ADDR, struct sockaddr_in6, sin6_addr);
    OFFSET(SOCKADDR_IN6_SCOPE_ID, struct sockaddr_in6, sin6_scope_id);
    SIZE(SOCKADDR_UN, struct sockaddr_un);
    OFFSET(SOCKADDR_UN_PATH, struct sockaddr_un, sun_path);
    SIZE(SOCKADDR_STORAGE, struct sockaddr_storage);
}

/* The parts of crypto_info follow each other in this order, without gaps. */
#define CIPHER(name, type) \
    VALUE(TLS_CIPHER_##name); \
    VALUE(TLS_CIPHER_##name##_IV_SIZE); \
    VALUE(TLS_CIPHER_##name##_KEY_SIZE); \
    VALUE(TLS_CIPHER_##name##_SALT_SIZE); \
    SIZE(TLS12_CRYPTO_INFO_##name, struct type); \
    _Static_assert(offsetof(struct type, iv) == sizeof(struct tls_crypto_info), #type); \
    _Static_assert( \
        offsetof(struct type, rec_seq) \
            == sizeof(struct tls_crypto_info) + TLS_CIPHER_##name##_IV_SIZE \
                   + TLS_CIPHER_##name##_KEY_SIZE + TLS_CIPHER_##name##_SALT_SIZE, \
        #type)

static void kernel_tls(void) {
    VALUE(SOL_TCP);
    VALUE(TCP_ULP);
    VALUE(SOL_TLS);
    VALUE(TLS_TX);
    VALUE(TLS_RX);
    VALUE(TLS_TX_ZEROCOPY_RO);
    VALUE(TLS_RX_EXPECT_NO_PAD);
    VALUE(TLS_SET_RECORD_TYPE);
    VALUE(TLS_GET_RECORD_TYPE);
    VALUE(TLS_1_2_VERSION);
    VALUE(TLS_1_3_VERSION);
    OFFSET(TLS_CRYPTO_INFO_VERSION, struct tls_crypto_info, version);
    OFFSET(TLS_CRYPTO_INFO_CIPHER_TYPE, struct tls_crypto_info, cipher_type);
    SIZE(TLS_CRYPTO_INFO, struct tls_crypto_info);
    CIPHER(AES_GCM_128, tls12_crypto_info_aes_gcm_128);
    CIPHER(AES_GCM_256, tls12_crypto_info_aes_gcm_256);
    CIPHER(CHACHA20_POLY1305, tls12_crypto_info_chacha20_poly1305);
}

static void files(void) {
    VALUE(O_RDONLY);
    VALUE(O_WRONLY);
    VALUE(O_RDWR);
    VALUE(O_CREAT);
    VALUE(O_EXCL);
    VALUE(O_TRUNC);
    VALUE(O_APPEND);
    VALUE(O_NONBLOCK);
    VALUE(O_DSYNC);
    VALUE(O_SYNC);
    VALUE(O_NOFOLLOW);
    VALUE(O_CLOEXEC);
    VALUE(AT_FDCWD);
    VALUE(AT_EMPTY_PATH);

    SIZE(STATX, struct statx);
    OFFSET(STATX_STX_MODE, struct statx, stx_mode);
    OFFSET(STATX_STX_INO, struct statx, stx_ino);
    OFFSET(STATX_STX_SIZE, struct statx, stx_size);
    OFFSET(STATX_STX_CTIME, struct statx, stx_ctime);
    OFFSET(STATX_STX_MTIME, struct statx, stx_mtime);
    OFFSET(STATX_STX_DEV_MAJOR, struct statx, stx_dev_major);
    OFFSET(STATX_STX_DEV_MINOR, struct statx, stx_dev_minor);
    OFFSET(STATX_TIMESTAMP_TV_NSEC, struct statx_timestamp, tv_nsec);
    VALUE(STATX_TYPE);
    VALUE(STATX_SIZE);
    VALUE(STATX_BASIC_STATS);
    VALUE(S_IFMT);
    VALUE(S_IFIFO);
    VALUE(PATH_MAX);
}

static void errors(void) {
    VALUE(EPERM);
    VALUE(ENOENT);
    VALUE(EINTR);
    VALUE(EIO);
    VALUE(ENXIO);
    VALUE(EBADF);
    VALUE(EAGAIN);
    VALUE(ENOMEM);
    VALUE(EACCES);
    VALUE(EBUSY);
    VALUE(EEXIST);
    VALUE(ENOTDIR);
    VALUE(EISDIR);
    VALUE(EINVAL);
    VALUE(ENFILE);
    VALUE(EMFILE);
    VALUE(ESPIPE);
    VALUE(EPIPE);
    VALUE(ENAMETOOLONG);
    VALUE(ENOSYS);
    VALUE(ELOOP);
    VALUE(ETIME);
    VALUE(EBADR);
    VALUE(EPROTO);
    VALUE(EBADMSG);
    VALUE(EMSGSIZE);
    VALUE(EADDRINUSE);
    VALUE(EADDRNOTAVAIL);
    VALUE(ENETUNREACH);
    VALUE(ECONNABORTED);
    VALUE(ECONNRESET);
    VALUE(ENOBUFS);
    VALUE(EISCONN);
    VALUE(ENOTCONN);
    VALUE(ETIMEDOUT);
    VALUE(ECONNREFUSED);
    VALUE(EHOSTUNREACH);
    VALUE(EALREADY);
    VALUE(EINPROGRESS);
    VALUE(ECANCELED);
    VALUE(EKEYEXPIRED);
}

int main(void) {
    io_uring_structures();
    io_uring_constants();
    sockets();
    kernel_tls();
    files();
    errors();
    return fflush(stdout) == 0 ? 0 : 1;
}
