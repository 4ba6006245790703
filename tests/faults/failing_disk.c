/* A disk that fails: preloaded, it counts what a process does to the files below one folder and lets it fail. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OPEN = 1, CREATE = 2, WRITE = 4, SYNC = 8, NAME = 16 };

static char root[PATH_MAX];
static unsigned counted;
static long count, first;
static int number, persistent, armed;

/* Operations of the kinds in `kinds` fail with `error` from the `from`-th on, or that one alone; 0: none does. */
void disk_fails(const char *below, unsigned kinds, int error, long from, int on_and_on) {
    strncpy(root, below, sizeof root - 1);
    counted = kinds, number = error, first = from, persistent = on_and_on, count = 0, armed = 1;
}

/* The disk is sound again; how many operations it counted. */
long disk_is_sound(void) {
    armed = 0;
    return count;
}

static int inside(const char *path) {
    size_t length = strlen(root);
    return !strncmp(path, root, length) && (path[length] == '/' || !path[length]);
}

static int fails(unsigned kind, const char *path) {
    if (!armed || !(counted & kind) || !inside(path)) return 0;
    ++count;
    if (!first || count < first || (count > first && !persistent)) return 0;
    errno = number;
    return 1;
}

static int fails_fd(unsigned kind, int fd) {
    char link[64], path[PATH_MAX];
    if (!armed || !(counted & kind)) return 0;
    int before = errno;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, sizeof path - 1);
    errno = before;
    if (size < 0) return 0;
    path[size] = 0;
    return fails(kind, path);
}

static int fails_at(unsigned kind, int fd, const char *path) {
    return *path == '/' || fd == AT_FDCWD ? fails(kind, path) : fails_fd(kind, fd);
}

static unsigned opening(int flags) { return (flags & O_ACCMODE) != O_RDONLY || flags & O_CREAT ? CREATE : OPEN; }

#define REAL(type, name, ...) \
    static type (*real)(__VA_ARGS__); \
    if (!real) real = (type (*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name)

#define OPENS(name) \
    int name(const char *path, int flags, ...) { \
        REAL(int, name, const char *, int, ...); \
        va_list more; \
        va_start(more, flags); \
        mode_t mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(more, mode_t) : 0; \
        va_end(more); \
        return fails(opening(flags), path) ? -1 : real(path, flags, mode); \
    }
OPENS(open)
OPENS(open64)

#define OPENS_AT(name) \
    int name(int fd, const char *path, int flags, ...) { \
        REAL(int, name, int, const char *, int, ...); \
        va_list more; \
        va_start(more, flags); \
        mode_t mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(more, mode_t) : 0; \
        va_end(more); \
        return fails_at(opening(flags), fd, path) ? -1 : real(fd, path, flags, mode); \
    }
OPENS_AT(openat)
OPENS_AT(openat64)

#define OPENS_STREAM(name) \
    FILE *name(const char *path, const char *mode) { \
        REAL(FILE *, name, const char *, const char *); \
        return fails(*mode == 'r' && !strchr(mode, '+') ? OPEN : CREATE, path) ? NULL : real(path, mode); \
    }
OPENS_STREAM(fopen)
OPENS_STREAM(fopen64)

#define FD_CALL(type, name, kind, parameters, arguments) \
    type name parameters { \
        static type (*real) parameters; \
        if (!real) real = (type (*) parameters)dlsym(RTLD_NEXT, #name); \
        return fails_fd(kind, fd) ? -1 : real arguments; \
    }
FD_CALL(ssize_t, write, WRITE, (int fd, const void *data, size_t size), (fd, data, size))
FD_CALL(ssize_t, pwrite, WRITE, (int fd, const void *data, size_t size, off_t at), (fd, data, size, at))
FD_CALL(ssize_t, pwrite64, WRITE, (int fd, const void *data, size_t size, off64_t at), (fd, data, size, at))
FD_CALL(int, ftruncate, WRITE, (int fd, off_t size), (fd, size))
FD_CALL(int, ftruncate64, WRITE, (int fd, off64_t size), (fd, size))
FD_CALL(int, fsync, SYNC, (int fd), (fd))
FD_CALL(int, fdatasync, SYNC, (int fd), (fd))
FD_CALL(int, unlinkat, NAME, (int fd, const char *path, int flags), (fd, path, flags))

size_t fwrite(const void *data, size_t size, size_t times, FILE *stream) {
    REAL(size_t, fwrite, const void *, size_t, size_t, FILE *);
    return fails_fd(WRITE, fileno(stream)) ? 0 : real(data, size, times, stream);
}

#define PATH_CALL(name, parameters, arguments) \
    int name parameters { \
        static int (*real) parameters; \
        if (!real) real = (int (*) parameters)dlsym(RTLD_NEXT, #name); \
        return fails(NAME, path) ? -1 : real arguments; \
    }
PATH_CALL(mkdir, (const char *path, mode_t mode), (path, mode))
PATH_CALL(rename, (const char *path, const char *to), (path, to))
PATH_CALL(unlink, (const char *path), (path))
PATH_CALL(rmdir, (const char *path), (path))
