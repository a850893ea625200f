/* Counts what a process changes in one directory, and kills it, or fills its disk, at one of these
 * points. Loaded before libc (LD_PRELOAD); test_crashes.py compiles, arms and asks it. A point is a
 * call that changes a file or a directory under the watched one, or waits until the disk has it. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[PATH_MAX];
static long count, stop_at;
static int full; /* 0: kill at the point; 1: from there on there is no space left */

void watch(const char *directory, long point, int no_space) {
    strncpy(root, directory, sizeof root - 1);
    count = 0;
    stop_at = point;
    full = no_space;
}

long points(void) { return count; }

static int inside(const char *path) {
    char here[PATH_MAX];
    if (!root[0] || !path) return 0;
    if (path[0] == '/') return !strncmp(path, root, strlen(root));
    return getcwd(here, sizeof here) && !strncmp(here, root, strlen(root));
}

static int behind(int descriptor, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t n = readlink(link, path, PATH_MAX - 1);
    if (n < 0) return 0;
    path[n] = 0;
    return inside(path);
}

/* 1: the call must fail with ENOSPC. Calls that need no space only count. */
static int point(int here, int needs_space) {
    if (!here) return 0;
    count++;
    if (!stop_at || count < stop_at) return 0;
    if (!full) raise(SIGKILL);
    if (needs_space) errno = ENOSPC;
    return needs_space;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define ON_FILE(type, name, parameters, arguments, descriptor, needs_space)                        \
    type name parameters {                                                                         \
        char path[PATH_MAX];                                                                       \
        if (root[0] && point(behind(descriptor, path), needs_space)) return -1;                    \
        return REAL(name) arguments;                                                               \
    }
#define ON_PATH(name, parameters, arguments, path, needs_space)                                    \
    int name parameters {                                                                          \
        if (point(inside(path), needs_space)) return -1;                                           \
        return REAL(name) arguments;                                                               \
    }
#define OPEN(name, before, arguments)                                                              \
    int name(before const char *path, int flags, ...) {                                            \
        va_list rest;                                                                              \
        va_start(rest, flags);                                                                     \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;                    \
        va_end(rest);                                                                              \
        if (flags & (O_CREAT | O_TRUNC) && point(inside(path), 1)) return -1;                      \
        return REAL(name) arguments;                                                               \
    }

ON_FILE(ssize_t, write, (int d, const void *b, size_t n), (d, b, n), d, 1)
ON_FILE(ssize_t, pwrite, (int d, const void *b, size_t n, off_t o), (d, b, n, o), d, 1)
ON_FILE(ssize_t, pwrite64, (int d, const void *b, size_t n, off64_t o), (d, b, n, o), d, 1)
ON_FILE(int, fsync, (int d), (d), d, 1)
ON_FILE(int, fdatasync, (int d), (d), d, 1)
ON_FILE(int, fchmod, (int d, mode_t m), (d, m), d, 0)
ON_FILE(int, ftruncate, (int d, off_t n), (d, n), d, 0)
ON_FILE(int, ftruncate64, (int d, off64_t n), (d, n), d, 0)
ON_PATH(rename, (const char *a, const char *b), (a, b), b, 0)
ON_PATH(link, (const char *a, const char *b), (a, b), b, 1)
ON_PATH(unlink, (const char *a), (a), a, 0)
ON_PATH(rmdir, (const char *a), (a), a, 0)
ON_PATH(mkdir, (const char *a, mode_t m), (a, m), a, 1)
ON_PATH(chmod, (const char *a, mode_t m), (a, m), a, 0)
OPEN(open, , (path, flags, mode))
OPEN(open64, , (path, flags, mode))
