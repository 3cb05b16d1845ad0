/* For LD_PRELOAD: file systems that refuse. DISK_FAULTS holds words of the form
   CALL:ERRNO:ENDING, for example "flock:38: rename:18:out.jsonl": each call of CALL on a path with
   that ending fails with that error. CALL is flock, fsync, rename or pwrite. The path of a folder
   ends with a slash. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int ends_with(const char *path, const char *ending) {
    size_t have = strlen(path), want = strlen(ending);
    return have >= want && !strcmp(path + have - want, ending);
}

static int fails(const char *call, const char *path) {
    char faults[4096], *rest = faults, *word;
    const char *given = getenv("DISK_FAULTS");
    if (given == NULL) return 0;
    snprintf(faults, sizeof faults, "%s", given);
    while ((word = strsep(&rest, " ")) != NULL) {
        char *name = strsep(&word, ":"), *number = strsep(&word, ":");
        if (number == NULL || word == NULL || strcmp(name, call)) continue;
        if (!ends_with(path, word)) continue;
        errno = atoi(number);
        return 1;
    }
    return 0;
}

static int file_fails(const char *call, int file) {
    char link[64], path[PATH_MAX + 1];
    struct stat status;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length < 0) return 0;
    if (!fstat(file, &status) && S_ISDIR(status.st_mode)) path[length++] = '/';
    path[length] = 0;
    return fails(call, path);
}

#define REAL(type, name) ((type)dlsym(RTLD_NEXT, name))

int flock(int file, int operation) {
    if (file_fails("flock", file)) return -1;
    return REAL(int (*)(int, int), "flock")(file, operation);
}

int fsync(int file) {
    if (file_fails("fsync", file)) return -1;
    return REAL(int (*)(int), "fsync")(file);
}

int rename(const char *from, const char *to) {
    if (fails("rename", to)) return -1;
    return REAL(int (*)(const char *, const char *), "rename")(from, to);
}

ssize_t pwrite(int file, const void *bytes, size_t count, off_t offset) {
    if (file_fails("pwrite", file)) return -1;
    return REAL(ssize_t (*)(int, const void *, size_t, off_t), "pwrite")(file, bytes, count, offset);
}

ssize_t pwrite64(int file, const void *bytes, size_t count, off64_t offset) {
    if (file_fails("pwrite", file)) return -1;
    return REAL(ssize_t (*)(int, const void *, size_t, off64_t), "pwrite64")(
        file, bytes, count, offset);
}
