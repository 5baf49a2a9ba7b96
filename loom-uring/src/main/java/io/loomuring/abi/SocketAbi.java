package io.loomuring.abi;

/**
 * {@code sys/socket.h}, {@code poll.h}, {@code sys/epoll.h}, {@code netinet/in.h}, {@code
 * sys/un.h}: constants, and offsets and sizes of structures in bytes. Names and the test are those
 * of {@link IoUringAbi}.
 */
public final class SocketAbi {
    private SocketAbi() {}

    public static final int AF_UNIX = 1;
    public static final int AF_INET = 2;
    public static final int AF_INET6 = 10;

    public static final int SOCK_CLOEXEC = 0x80000;

    public static final int MSG_OOB = 0x1;
    public static final int MSG_PEEK = 0x2;
    public static final int MSG_DONTWAIT = 0x40;
    public static final int MSG_WAITALL = 0x100;
    public static final int MSG_NOSIGNAL = 0x4000;

    public static final int POLLIN = 0x1;
    public static final int POLLOUT = 0x4;
    public static final int POLLERR = 0x8;
    public static final int POLLHUP = 0x10;
    public static final int POLLNVAL = 0x20;

    public static final int EPOLLIN = 0x1;
    public static final int EPOLLET = 1 << 31;
    public static final int EPOLL_CTL_ADD = 1;
    public static final int EPOLL_CTL_DEL = 2;
    public static final int EPOLL_CTL_MOD = 3;

    // struct epoll_event, which is packed on x86-64 alone
    private static final boolean EPOLL_PACKED = System.getProperty("os.arch").equals("amd64");
    public static final int SIZEOF_EPOLL_EVENT = EPOLL_PACKED ? 12 : 16;
    public static final int EPOLL_EVENT_EVENTS = 0;
    public static final int EPOLL_EVENT_DATA = EPOLL_PACKED ? 4 : 8;

    // limits.h
    public static final int IOV_MAX = 1024;

    // struct msghdr, struct iovec, struct cmsghdr
    public static final int SIZEOF_MSGHDR = 56;
    public static final int MSGHDR_NAME = 0;
    public static final int MSGHDR_NAMELEN = 8;
    public static final int MSGHDR_IOV = 16;
    public static final int MSGHDR_IOVLEN = 24;
    public static final int MSGHDR_CONTROL = 32;
    public static final int MSGHDR_CONTROLLEN = 40;
    public static final int SIZEOF_CMSGHDR = 16;
    public static final int CMSGHDR_LEN = 0;
    public static final int CMSGHDR_LEVEL = 8;
    public static final int CMSGHDR_TYPE = 12;
    public static final int SIZEOF_IOVEC = 16;
    public static final int IOVEC_BASE = 0;
    public static final int IOVEC_LEN = 8;

    // struct sockaddr_in, sockaddr_in6, sockaddr_un
    public static final int SIZEOF_SOCKADDR_IN = 16;
    public static final int SOCKADDR_IN_PORT = 2;
    public static final int SOCKADDR_IN_ADDR = 4;
    public static final int SIZEOF_SOCKADDR_IN6 = 28;
    public static final int SOCKADDR_IN6_PORT = 2;
    public static final int SOCKADDR_IN6_ADDR = 8;
    public static final int SOCKADDR_IN6_SCOPE_ID = 24;
    public static final int SIZEOF_SOCKADDR_UN = 110;
    public static final int SOCKADDR_UN_PATH = 2;
    public static final int SIZEOF_SOCKADDR_STORAGE = 128;
}
