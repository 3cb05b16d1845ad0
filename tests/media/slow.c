/* Preloaded, this is a file system that hangs: whoever opens a file named slow.* waits for good. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

typedef int (*opener)(const char *, int, mode_t);

static int open_or_hang(const char *name, const char *path, int flags, mode_t mode) {
    if (strstr(path, "/slow.")) {
        static const char opened[] = "a file that hangs was opened\n";
        (void)!write(2, opened, sizeof opened - 1);
        for (;;) pause();
    }
    return ((opener)dlsym(RTLD_NEXT, name))(path, flags, mode);
}

int open(const char *path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    return open_or_hang("open", path, flags, va_arg(rest, mode_t));
}

int open64(const char *path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    return open_or_hang("open64", path, flags, va_arg(rest, mode_t));
}
