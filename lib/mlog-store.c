/* Copyright (c) 2026 The MultiLog for Open vSwitch authors.
 *
 * Licensed under the Apache License, Version 2.0 (the "License");
 * you may not use this file except in compliance with the License.
 * You may obtain a copy of the License at:
 *
 *     http://www.apache.org/licenses/LICENSE-2.0
 *
 * Unless required by applicable law or agreed to in writing, software
 * distributed under the License is distributed on an "AS IS" BASIS,
 * WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
 * See the License for the specific language governing permissions and
 * limitations under the License.
 */


#include <config.h>

#include "mlog-store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "hash.h"
#include "lockfile.h"
#include "openvswitch/util.h"
#include "openvswitch/vlog.h"
#include "svec.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(mlog_store);

/* Files that go to hugetlbfs are called "multilog-ID-NAME" there, ID being
 * made from the path of the store's directory, so that several stores can
 * share one hugetlbfs. */

#define HUGETLBFS_MAGIC_NUMBER 0x958458f6
#define HUGE_PAGE_SIZE (2u << 20)
#define BAD_DIR "bad"

struct mlog_store {
    char *dir;                  /* NULL: volatile. */
    char *problem;
    char *huge_prefix;          /* "/mnt/huge/multilog-0123abcd-", or NULL. */
    struct lockfile *lock;
};

/* Opening. */

/* Returns, for the caller to free, where a hugetlbfs with pages of
 * HUGE_PAGE_SIZE bytes is mounted, or NULL. */
static char *
find_hugetlbfs(void)
{
    FILE *mounts = setmntent("/proc/self/mounts", "r");
    struct mntent *m;
    char *dir = NULL;

    while (mounts && !dir && (m = getmntent(mounts))) {
        struct statfs fs;

        if (!strcmp(m->mnt_type, "hugetlbfs") && !statfs(m->mnt_dir, &fs)
            && fs.f_bsize == HUGE_PAGE_SIZE
            && !access(m->mnt_dir, W_OK | X_OK)) {
            dir = xstrdup(m->mnt_dir);
        }
    }
    if (mounts) {
        endmntent(mounts);
    }
    return dir;
}

static int
make_directories(const char *dir)
{
    char *path = xstrdup(dir);

    for (char *p = strchr(path + 1, '/'); p; p = strchr(p + 1, '/')) {
        *p = '\0';
        mkdir(path, 0755);
        *p = '/';
    }
    free(path);
    return mkdir(dir, 0700) && errno != EEXIST ? errno : 0;
}

/* Returns NULL or what the problem is, for the caller to free. */
static char *
open_directory(struct mlog_store *store, const char *dir)
{
    int error = make_directories(dir);

    if (error) {
        return xasprintf("%s cannot be made (%s)", dir, ovs_strerror(error));
    }

    /* In a directory that everybody may write to, somebody else may have been
     * first. */
    struct stat st;
    if (lstat(dir, &st) || !S_ISDIR(st.st_mode) || st.st_uid != geteuid()) {
        return xasprintf("%s is not a directory of this user", dir);
    }

    char *file = xasprintf("%s/lock", dir);
    error = lockfile_lock(file, &store->lock);
    free(file);
    if (error) {
        return (error == EAGAIN || error == EACCES || error == EDEADLK
                ? xasprintf("%s is in use by another process", dir)
                : xasprintf("%s cannot be locked (%s)", dir,
                            ovs_strerror(error)));
    }
    store->dir = xstrdup(dir);
    return NULL;
}

struct mlog_store *
mlog_store_open(const char *dir)
{
    struct mlog_store *store = xzalloc(sizeof *store);

    if (dir) {
        store->problem = open_directory(store, dir);
    }
    if (store->dir) {
        char *huge = find_hugetlbfs();

        if (huge) {
            store->huge_prefix = xasprintf("%s/multilog-%08x-", huge,
                                           hash_string(dir, 0));
        }
        free(huge);
    }
    if (store->problem) {
        VLOG_WARN("%s; what is recorded will not survive this process",
                  store->problem);
    }
    return store;
}

void
mlog_store_close(struct mlog_store *store)
{
    if (store) {
        lockfile_unlock(store->lock);
        free(store->huge_prefix);
        free(store->problem);
        free(store->dir);
        free(store);
    }
}

bool
mlog_store_is_volatile(const struct mlog_store *store)
{
    return !store->dir;
}

const char *
mlog_store_dir(const struct mlog_store *store)
{
    return store->dir;
}

const char *
mlog_store_problem(const struct mlog_store *store)
{
    return store->problem;
}

/* Mapping. */

static char *
ordinary_path(const struct mlog_store *store, const char *name)
{
    return xasprintf("%s/%s", store->dir, name);
}

static char *
huge_path(const struct mlog_store *store, const char *name)
{
    return (store->huge_prefix
            ? xasprintf("%s%s", store->huge_prefix, name) : NULL);
}

static bool
is_huge(int fd)
{
    struct statfs fs;

    return !fstatfs(fd, &fs) && fs.f_type == HUGETLBFS_MAGIC_NUMBER;
}

/* Maps 'size' bytes of 'fd', at an address that large pages can begin at. */
static int
map_file(int fd, size_t size, struct mlog_mapping *mapping)
{
    size_t area = size + HUGE_PAGE_SIZE;
    char *start = mmap(NULL, area, PROT_NONE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (start == MAP_FAILED) {
        return errno;
    }

    char *data = (char *) ROUND_UP((uintptr_t) start, HUGE_PAGE_SIZE);
    char *end = data + ROUND_UP(size, get_page_size());
    if (mmap(data, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd,
             0) == MAP_FAILED) {
        int error = errno;

        munmap(start, area);
        return error;
    }
    if (data > start) {
        munmap(start, data - start);
    }
    if (start + area > end) {
        munmap(end, start + area - end);
    }
    *mapping = (struct mlog_mapping) { data, size, is_huge(fd) };
    if (!mapping->huge) {
        madvise(data, size, MADV_HUGEPAGE);
    }
    return 0;
}

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

/* Makes 'fd' 'size' bytes long and maps it, with all its memory there: what is
 * not reserved and can't be had when it is touched kills the process.  Large
 * pages can only be had by way of the mapping; old systems can't do that. */
static int
reserve_and_map(int fd, size_t size, struct mlog_mapping *mapping)
{
    int error = (ftruncate(fd, size) ? errno : map_file(fd, size, mapping));

    if (!error && madvise(mapping->data, size, MADV_POPULATE_WRITE)) {
        error = errno == EINVAL && !fallocate(fd, 0, 0, size) ? 0 : ENOSPC;
        if (error) {
            mlog_store_unmap(mapping);
        }
    }
    return error;
}

static int
map_anonymous(size_t size, bool huge, struct mlog_mapping *mapping)
{
    int flags = MAP_PRIVATE | MAP_ANONYMOUS;
    void *data = MAP_FAILED;

    if (huge && !(size % HUGE_PAGE_SIZE)) {
        data = mmap(NULL, size, PROT_READ | PROT_WRITE,
                    flags | MAP_HUGETLB | MAP_POPULATE, -1, 0);
    }
    *mapping = (struct mlog_mapping) { data, size, data != MAP_FAILED };
    if (data == MAP_FAILED) {
        mapping->data = mmap(NULL, size, PROT_READ | PROT_WRITE,
                             flags | MAP_NORESERVE, -1, 0);
        if (mapping->data == MAP_FAILED) {
            mapping->data = NULL;
            return errno;
        }
        madvise(mapping->data, size, MADV_HUGEPAGE);
    }
    return 0;
}

static int
create_at(const char *path, size_t size, struct mlog_mapping *mapping)
{
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    int error;

    if (fd < 0) {
        return errno;
    }
    if (is_huge(fd)) {
        size = ROUND_UP(size, HUGE_PAGE_SIZE);
    }
    error = reserve_and_map(fd, size, mapping);
    close(fd);
    if (error) {
        unlink(path);
    }
    return error;
}

int
mlog_store_create(struct mlog_store *store, const char *name, size_t size,
                  bool huge, struct mlog_mapping *mapping)
{
    *mapping = (struct mlog_mapping) { NULL, 0, false };
    size = ROUND_UP(size, get_page_size());
    if (!store->dir) {
        return map_anonymous(size, huge, mapping);
    }

    char *path = huge_path(store, name);
    int error = huge && path ? create_at(path, size, mapping) : ENOENT;
    free(path);
    if (error) {
        path = ordinary_path(store, name);
        error = create_at(path, size, mapping);
        free(path);
    }
    return error;
}

static int
load_at(const char *path, struct mlog_mapping *mapping)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    struct stat st;
    int error;

    if (fd < 0) {
        return errno;
    }
    error = (fstat(fd, &st) ? errno
             : !S_ISREG(st.st_mode) || !st.st_size ? EINVAL
             : map_file(fd, st.st_size, mapping));
    close(fd);
    return error;
}

int
mlog_store_load(struct mlog_store *store, const char *name,
                struct mlog_mapping *mapping)
{
    *mapping = (struct mlog_mapping) { NULL, 0, false };
    if (!store->dir) {
        return ENOENT;
    }

    char *path = ordinary_path(store, name);
    int error = load_at(path, mapping);
    free(path);
    if (error == ENOENT && (path = huge_path(store, name))) {
        error = load_at(path, mapping);
        free(path);
    }
    return error;
}

void
mlog_store_unmap(struct mlog_mapping *mapping)
{
    if (mapping->data) {
        munmap(mapping->data, mapping->size);
        mapping->data = NULL;
    }
}

/* Files. */

void
mlog_store_rename(struct mlog_store *store, const char *from, const char *to)
{
    if (store->dir) {
        char *a = ordinary_path(store, from);
        char *b = ordinary_path(store, to);

        if (rename(a, b) && errno != ENOENT) {
            VLOG_WARN("%s cannot be renamed to %s (%s)", a, to,
                      ovs_strerror(errno));
        }
        free(b);
        free(a);
    }
}

void
mlog_store_remove(struct mlog_store *store, const char *name)
{
    if (store->dir) {
        char *ordinary = ordinary_path(store, name);
        char *huge = huge_path(store, name);

        if (unlink(ordinary) && errno == ENOENT && huge) {
            unlink(huge);
        }
        free(huge);
        free(ordinary);
    }
}

/* Adds to 'names' the regular files of 'dir' whose names begin with 'prefix',
 * without it. */
static void
list_directory(const char *dir, const char *prefix, struct svec *names)
{
    DIR *stream = opendir(dir);
    struct dirent *de;

    while (stream && (de = readdir(stream))) {
        if (de->d_name[0] != '.' && !strncmp(de->d_name, prefix,
                                             strlen(prefix))
            && (de->d_type == DT_REG || de->d_type == DT_UNKNOWN)) {
            svec_add(names, de->d_name + strlen(prefix));
        }
    }
    if (stream) {
        closedir(stream);
    }
}

static void
list_huge(const struct mlog_store *store, struct svec *names)
{
    if (store->huge_prefix) {
        char *dir = dir_name(store->huge_prefix);
        char *prefix = base_name(store->huge_prefix);

        list_directory(dir, prefix, names);
        free(prefix);
        free(dir);
    }
}

void
mlog_store_list(struct mlog_store *store, struct svec *names)
{
    if (store->dir) {
        list_directory(store->dir, "", names);
        list_huge(store, names);
    }
}

void
mlog_store_set_aside(struct mlog_store *store)
{
    struct svec names = SVEC_EMPTY_INITIALIZER;
    const char *name;
    size_t i;

    if (!store->dir) {
        return;
    }

    char *bad = ordinary_path(store, BAD_DIR);
    mkdir(bad, 0700);
    list_directory(bad, "", &names);
    SVEC_FOR_EACH (i, name, &names) {
        char *path = xasprintf("%s/%s", bad, name);

        unlink(path);
        free(path);
    }

    /* Huge pages are too scarce to be kept. */
    svec_clear(&names);
    list_huge(store, &names);
    SVEC_FOR_EACH (i, name, &names) {
        char *path = huge_path(store, name);

        unlink(path);
        free(path);
    }

    svec_clear(&names);
    list_directory(store->dir, "", &names);
    if (!names.n) {
        rmdir(bad);
    }
    SVEC_FOR_EACH (i, name, &names) {
        char *to = xasprintf(BAD_DIR "/%s", name);

        mlog_store_rename(store, name, to);
        free(to);
    }
    svec_destroy(&names);
    free(bad);
}

void
mlog_store_boot_id(char id[MLOG_BOOT_ID_SIZE])
{
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "r");

    memset(id, 0, MLOG_BOOT_ID_SIZE);
    if (file) {
        if (!fgets(id, MLOG_BOOT_ID_SIZE, file)) {
            id[0] = '\0';
        }
        id[strcspn(id, "\n")] = '\0';
        fclose(file);
    }
}
