/*
 * For it/bin/ktls-vm, preloaded into User-Mode Linux before 6.13. That one keeps 2,696 bytes of a
 * process's extended registers, which is all but the tiles of AMX. Where the processor has those, the
 * host takes a set of registers back (PTRACE_SETREGSET, x86's xstateregs_set) only with them, by
 * EFAULT. So what is short is filled up: the header of the set says which parts are in use, and tiles
 * are not, since a process must ask for them.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <elf.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

enum { SET_MAX = 1 << 16 }; /* bytes */

typedef long ptrace_call(enum __ptrace_request, ...);

__attribute__((visibility("default"))) long ptrace(enum __ptrace_request request, ...) {
    static ptrace_call *next;
    static char set[SET_MAX];

    va_list arguments;
    va_start(arguments, request);
    long pid = va_arg(arguments, long);
    void *address = va_arg(arguments, void *);
    void *data = va_arg(arguments, void *);
    va_end(arguments);

    if (!next) {
        next = (ptrace_call *)dlsym(RTLD_NEXT, "ptrace");
    }
    if (request == PTRACE_SETREGSET && address == (void *)NT_X86_XSTATE) {
        const struct iovec *given = data;
        struct iovec whole = {set, sizeof set};
        if (next(PTRACE_GETREGSET, pid, address, &whole) == 0 && given->iov_len < whole.iov_len) {
            memset(set, 0, whole.iov_len);
            memcpy(set, given->iov_base, given->iov_len);
            return next(request, pid, address, &whole);
        }
    }
    return next(request, pid, address, data);
}
