/* A benchmark that goes on after an error measures something else: every error ends the program. */
#ifndef BENCH_FAIL_H
#define BENCH_FAIL_H

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__attribute__((noreturn, format(printf, 1, 2))) static inline void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(1);
}

__attribute__((noreturn)) static inline void fail_errno(const char *what) {
    fail("%s: %s", what, strerror(errno));
}

#endif
