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


#ifndef MLOG_ARCHIVE_IO_H
#define MLOG_ARCHIVE_IO_H 1

/* Reading and writing of whole files, with errors
 * ===============================================
 *
 * All that the archive does with files goes through a table of functions, so
 * that tests can let any of them fail.
 *
 * Functions return 0 or a positive errno, if nothing else is said.
 *
 * Thread-safety: all functions may be called from any thread at any time. */

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* As the system calls of these names do: -1 and errno on failure. */
struct mlog_archive_ops {
    int (*open)(const char *path, int flags, mode_t mode);
    int (*close)(int fd);
    ssize_t (*write)(int fd, const void *, size_t);
    ssize_t (*pread)(int fd, void *, size_t, off_t);
    int (*fsync)(int fd);
    int (*rename)(const char *from, const char *to);
    int (*unlink)(const char *path);

    /* Stores the length of the file, which must be a regular one (else
     * EINVAL). */
    int (*size)(int fd, uint64_t *size);
};

/* The system's. */
extern const struct mlog_archive_ops mlog_archive_system_ops;

/* Makes a new file 'path' of the 'n' bytes 'data', which are on the disk when
 * it returns 0.  Otherwise there is no such file, unless it cannot be removed
 * either.  Goes on after EINTR and short writes. */
int mlog_archive_write_file(const struct mlog_archive_ops *, const char *path,
                            const void *data, size_t n);

/* Makes sure that what has been renamed and removed in 'dir' stays so. */
int mlog_archive_sync_dir(const struct mlog_archive_ops *, const char *dir);

/* Opens 'path' for reading, if it is a regular file.  Returns the file
 * descriptor, or a negative errno. */
int mlog_archive_open_file(const struct mlog_archive_ops *, const char *path,
                           uint64_t *size);

/* Reads the 'n' bytes at 'offset'.  ENODATA if the file ends before. */
int mlog_archive_read(const struct mlog_archive_ops *, int fd, void *data,
                      size_t n, uint64_t offset);

#endif /* mlog-archive-io.h */
