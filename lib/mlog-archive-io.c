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
#include "mlog-archive-io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util.h"

static int
system_open(const char *path, int flags, mode_t mode)
{
    return open(path, flags, mode);
}

static int
system_size(int fd, uint64_t *size)
{
    struct stat s;

    if (fstat(fd, &s)) {
        return -1;
    } else if (!S_ISREG(s.st_mode)) {
        errno = EINVAL;
        return -1;
    }
    *size = s.st_size;
    return 0;
}

const struct mlog_archive_ops mlog_archive_system_ops = {
    .open = system_open,
    .close = close,
    .write = write,
    .pread = pread,
    .fsync = fsync,
    .rename = rename,
    .unlink = unlink,
    .size = system_size,
};

/* Opening isn't worth a retry but after a signal. */
static int
open_file(const struct mlog_archive_ops *ops, const char *path, int flags)
{
    int fd;

    do {
        fd = ops->open(path, flags | O_CLOEXEC, 0640);
    } while (fd < 0 && errno == EINTR);
    return fd < 0 ? -errno : fd;
}

static int
write_all(const struct mlog_archive_ops *ops, int fd, const uint8_t *data,
          size_t n)
{
    while (n) {
        ssize_t written = ops->write(fd, data, n);

        if (written > 0) {
            data += written;
            n -= written;
        } else if (!written) {
            return EIO;
        } else if (errno != EINTR) {
            return errno;
        }
    }
    return 0;
}

/* After fsync() has failed, a later one may succeed although the data never
 * got to the disk; so it is only repeated if it was interrupted. */
static int
sync_file(const struct mlog_archive_ops *ops, int fd)
{
    int retval;

    do {
        retval = ops->fsync(fd);
    } while (retval && errno == EINTR);
    return retval ? errno : 0;
}

int
mlog_archive_write_file(const struct mlog_archive_ops *ops, const char *path,
                        const void *data, size_t n)
{
    int fd = open_file(ops, path, O_WRONLY | O_CREAT | O_EXCL);
    int error;

    if (fd < 0) {
        return -fd;
    }
    error = write_all(ops, fd, data, n);
    error = error ? error : sync_file(ops, fd);
    if (ops->close(fd) && !error && errno != EINTR) {
        error = errno;
    }
    if (error) {
        ops->unlink(path);
    }
    return error;
}

int
mlog_archive_sync_dir(const struct mlog_archive_ops *ops, const char *dir)
{
    int fd = open_file(ops, dir, O_RDONLY | O_DIRECTORY);
    int error;

    if (fd < 0) {
        return -fd;
    }
    error = sync_file(ops, fd);
    ops->close(fd);
    return error;
}

/* O_NONBLOCK is for what isn't a regular file: opening must not wait. */
int
mlog_archive_open_file(const struct mlog_archive_ops *ops, const char *path,
                       uint64_t *size)
{
    int fd = open_file(ops, path, O_RDONLY | O_NONBLOCK);

    if (fd >= 0 && ops->size(fd, size)) {
        int error = errno;

        ops->close(fd);
        return -error;
    }
    return fd;
}

int
mlog_archive_read(const struct mlog_archive_ops *ops, int fd, void *data_,
                  size_t n, uint64_t offset)
{
    uint8_t *data = data_;

    while (n) {
        ssize_t got = ops->pread(fd, data, n, offset);

        if (got > 0) {
            data += got;
            offset += got;
            n -= got;
        } else if (!got) {
            return ENODATA;
        } else if (errno != EINTR) {
            return errno;
        }
    }
    return 0;
}
