package io.loomuring.testing;

import io.loomuring.abi.Memory;

import java.lang.foreign.Arena;

/**
 * A kernel that refuses: system calls of the calling platform thread, and of threads that it starts
 * from then on, fail for good.
 */
public final class Seccomp {
    private Seccomp() {}

    // The same on every architecture
    public static final int IO_URING_SETUP = 425;
    public static final int IO_URING_ENTER = 426;
    public static final int IO_URING_REGISTER = 427;

    /** {@code eventfd2}. */
    public static final int EVENTFD = System.getProperty("os.arch").equals("amd64") ? 290 : 19;

    /** {@code epoll_create1}. */
    public static final int EPOLL_CREATE = System.getProperty("os.arch").equals("amd64") ? 291 : 20;

    public static final int EPOLL_CTL = System.getProperty("os.arch").equals("amd64") ? 233 : 21;

    // linux/prctl.h, linux/seccomp.h
    private static final int PR_SET_SECCOMP = 22;
    private static final int PR_SET_NO_NEW_PRIVS = 38;
    private static final int SECCOMP_MODE_FILTER = 2;
    private static final int SECCOMP_RET_ERRNO = 0x50000;
    private static final int SECCOMP_RET_ALLOW = 0x7fff0000;
    private static final int SECCOMP_DATA_NR = 0;
    private static final int SECCOMP_DATA_ARGS = 16; // 8 bytes each, the low half first

    // linux/filter.h
    private static final int LOAD = 0x20;
    private static final int SKIP_UNLESS_EQUAL = 0x15;
    private static final int SKIP_UNLESS_GREATER = 0x25;
    private static final int RETURN = 0x06;
    private static final int SIZEOF_SOCK_FILTER = 8;
    private static final int SIZEOF_SOCK_FPROG = 16;

    /** Makes a system call fail with an error. */
    public static void refuse(int call, int errno) {
        install(
                new int[][] {
                    {LOAD, 0, SECCOMP_DATA_NR},
                    {SKIP_UNLESS_EQUAL, 1, call},
                    {RETURN, 0, SECCOMP_RET_ERRNO | errno},
                    {RETURN, 0, SECCOMP_RET_ALLOW},
                });
    }

    /** Makes a system call fail with an error if an argument has a value. */
    public static void refuseIfEqual(int argument, int value, int call, int errno) {
        refuseIf(SKIP_UNLESS_EQUAL, argument, value, call, errno);
    }

    /** Makes a system call fail with an error if an argument is greater than a limit. */
    public static void refuseIfGreater(int argument, int limit, int call, int errno) {
        refuseIf(SKIP_UNLESS_GREATER, argument, limit, call, errno);
    }

    private static void refuseIf(int skipUnless, int argument, int value, int call, int errno) {
        install(
                new int[][] {
                    {LOAD, 0, SECCOMP_DATA_NR},
                    {SKIP_UNLESS_EQUAL, 3, call},
                    {LOAD, 0, SECCOMP_DATA_ARGS + argument * Long.BYTES},
                    {skipUnless, 1, value},
                    {RETURN, 0, SECCOMP_RET_ERRNO | errno},
                    {RETURN, 0, SECCOMP_RET_ALLOW},
                });
    }

    /** Each instruction: its code, how many it skips if it doesn't hold, its operand. */
    private static void install(int[][] program) {
        try (Arena arena = Arena.ofConfined()) {
            long filter = arena.allocate((long) program.length * SIZEOF_SOCK_FILTER, 8).address();
            for (int i = 0; i < program.length; i++) {
                long instruction = filter + (long) i * SIZEOF_SOCK_FILTER;
                Memory.putShort(instruction, (short) program[i][0]);
                Memory.putByte(instruction + 3, (byte) program[i][1]); // jf
                Memory.putInt(instruction + 4, program[i][2]);
            }
            long fprog = arena.allocate(SIZEOF_SOCK_FPROG, 8).address();
            Memory.putShort(fprog, (short) program.length);
            Memory.putLong(fprog + 8, filter);
            Libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
            Libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, fprog, 0, 0);
        }
    }
}
