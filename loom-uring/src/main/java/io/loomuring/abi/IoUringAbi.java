package io.loomuring.abi;

/**
 * {@code linux/io_uring.h}: constants, and the offsets and sizes of its structures in bytes.
 *
 * <p>Names are the header's; an offset is {@code STRUCT_FIELD}, a size {@code SIZEOF_STRUCT}. A
 * test compares every one of them with what the C compiler says.
 */
public final class IoUringAbi {
    private IoUringAbi() {}

    // struct io_uring_params
    public static final int SIZEOF_IO_URING_PARAMS = 120;
    public static final int PARAMS_SQ_ENTRIES = 0;
    public static final int PARAMS_CQ_ENTRIES = 4;
    public static final int PARAMS_FLAGS = 8;
    public static final int PARAMS_SQ_THREAD_IDLE = 16;
    public static final int PARAMS_FEATURES = 20;
    public static final int PARAMS_WQ_FD = 24;
    public static final int PARAMS_SQ_OFF = 40;
    public static final int PARAMS_CQ_OFF = 80;

    // struct io_sqring_offsets
    public static final int SQ_OFF_HEAD = 0;
    public static final int SQ_OFF_TAIL = 4;
    public static final int SQ_OFF_RING_MASK = 8;
    public static final int SQ_OFF_RING_ENTRIES = 12;
    public static final int SQ_OFF_FLAGS = 16;
    public static final int SQ_OFF_DROPPED = 20;
    public static final int SQ_OFF_ARRAY = 24;

    // struct io_cqring_offsets
    public static final int CQ_OFF_HEAD = 0;
    public static final int CQ_OFF_TAIL = 4;
    public static final int CQ_OFF_RING_MASK = 8;
    public static final int CQ_OFF_RING_ENTRIES = 12;
    public static final int CQ_OFF_OVERFLOW = 16;
    public static final int CQ_OFF_CQES = 20;

    // mmap offsets of the ring's descriptor
    public static final long IORING_OFF_SQ_RING = 0L;
    public static final long IORING_OFF_SQES = 0x10000000L;

    // struct io_uring_sqe
    public static final int SIZEOF_IO_URING_SQE = 64;
    public static final int SQE_OPCODE = 0;
    public static final int SQE_FLAGS = 1;
    public static final int SQE_IOPRIO = 2;
    public static final int SQE_FD = 4;
    public static final int SQE_OFF = 8;
    public static final int SQE_ADDR = 16;
    public static final int SQE_LEN = 24;
    public static final int SQE_OP_FLAGS = 28;
    public static final int SQE_USER_DATA = 32;
    public static final int SQE_BUF_GROUP = 40;

    // struct io_uring_cqe
    public static final int SIZEOF_IO_URING_CQE = 16;
    public static final int CQE_USER_DATA = 0;
    public static final int CQE_RES = 8;
    public static final int CQE_FLAGS = 12;

    // io_uring_setup flags
    public static final int IORING_SETUP_SQPOLL = 1 << 1;
    public static final int IORING_SETUP_CQSIZE = 1 << 3;
    public static final int IORING_SETUP_CLAMP = 1 << 4;
    public static final int IORING_SETUP_ATTACH_WQ = 1 << 5;
    public static final int IORING_SETUP_SUBMIT_ALL = 1 << 7;
    public static final int IORING_SETUP_COOP_TASKRUN = 1 << 8;
    public static final int IORING_SETUP_TASKRUN_FLAG = 1 << 9;
    public static final int IORING_SETUP_SINGLE_ISSUER = 1 << 12;
    public static final int IORING_SETUP_DEFER_TASKRUN = 1 << 13;

    // io_uring_params.features
    public static final int IORING_FEAT_SINGLE_MMAP = 1;
    public static final int IORING_FEAT_NODROP = 1 << 1;
    public static final int IORING_FEAT_FAST_POLL = 1 << 5;
    public static final int IORING_FEAT_EXT_ARG = 1 << 8;
    public static final int IORING_FEAT_CQE_SKIP = 1 << 11;

    // sq_ring->flags
    public static final int IORING_SQ_NEED_WAKEUP = 1;
    public static final int IORING_SQ_CQ_OVERFLOW = 1 << 1;
    public static final int IORING_SQ_TASKRUN = 1 << 2;

    // io_uring_enter flags, and struct io_uring_getevents_arg of IORING_ENTER_EXT_ARG
    public static final int IORING_ENTER_GETEVENTS = 1;
    public static final int IORING_ENTER_SQ_WAKEUP = 1 << 1;
    public static final int IORING_ENTER_SQ_WAIT = 1 << 2;
    public static final int IORING_ENTER_EXT_ARG = 1 << 3;
    public static final int SIZEOF_IO_URING_GETEVENTS_ARG = 24;
    public static final int GETEVENTS_ARG_TS = 16;
    public static final int SIZEOF_KERNEL_TIMESPEC = 16;

    // opcodes
    public static final int IORING_OP_NOP = 0;
    public static final int IORING_OP_FSYNC = 3;
    public static final int IORING_OP_POLL_ADD = 6;
    public static final int IORING_OP_SENDMSG = 9;
    public static final int IORING_OP_RECVMSG = 10;
    public static final int IORING_OP_ACCEPT = 13;
    public static final int IORING_OP_ASYNC_CANCEL = 14;
    public static final int IORING_OP_CONNECT = 16;
    public static final int IORING_OP_OPENAT = 18;
    public static final int IORING_OP_CLOSE = 19;
    public static final int IORING_OP_STATX = 21;
    public static final int IORING_OP_READ = 22;
    public static final int IORING_OP_WRITE = 23;
    public static final int IORING_OP_SEND = 26;
    public static final int IORING_OP_RECV = 27;
    public static final int IORING_OP_SENDMSG_ZC = 48;

    // sqe->flags
    public static final int IOSQE_BUFFER_SELECT = 1 << 5;

    // sqe->fsync_flags
    public static final int IORING_FSYNC_DATASYNC = 1;

    // sqe->len of POLL_ADD
    public static final int IORING_POLL_ADD_MULTI = 1;

    // cqe->flags
    public static final int IORING_CQE_F_BUFFER = 1;
    public static final int IORING_CQE_F_MORE = 1 << 1;
    public static final int IORING_CQE_BUFFER_SHIFT = 16;

    // io_uring_register
    public static final int IORING_REGISTER_PROBE = 8;
    public static final int IORING_REGISTER_IOWQ_MAX_WORKERS = 19;
    public static final int IORING_REGISTER_PBUF_RING = 22;
    public static final int IORING_UNREGISTER_PBUF_RING = 23;

    // struct io_uring_probe, struct io_uring_probe_op
    public static final int SIZEOF_IO_URING_PROBE = 16;
    public static final int PROBE_LAST_OP = 0;
    public static final int SIZEOF_IO_URING_PROBE_OP = 8;
    public static final int PROBE_OP_FLAGS = 2;
    public static final int IO_URING_OP_SUPPORTED = 1;

    // struct io_uring_buf_reg, struct io_uring_buf; the ring's tail lies over bufs[0].resv
    public static final int SIZEOF_IO_URING_BUF_REG = 40;
    public static final int BUF_REG_RING_ADDR = 0;
    public static final int BUF_REG_RING_ENTRIES = 8;
    public static final int BUF_REG_BGID = 12;
    public static final int SIZEOF_IO_URING_BUF = 16;
    public static final int BUF_ADDR = 0;
    public static final int BUF_LEN = 8;
    public static final int BUF_BID = 12;
    public static final int BUF_RING_TAIL = 14;
}
