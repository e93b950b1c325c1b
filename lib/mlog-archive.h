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


#ifndef MLOG_ARCHIVE_H
#define MLOG_ARCHIVE_H 1

/* The archive
 * ===========
 *
 * A directory of archived segments (mlog-archive-file.h), one file each, named
 * after the segment's sequence number, which grows from file to file.
 *
 *   00000000000000000042.mlog        a segment
 *   00000000000000000043.mlog.tmp    one that is being written; after a crash
 *                                    it is removed
 *   00000000000000000041.mlog.bad    a damaged one, set aside
 *
 * A segment is announced, that is, readers see it, when it is on the disk:
 * written, synchronized, renamed, and the directory synchronized too.
 *
 * Readers
 * =======
 *
 * A reader takes the list of files, which doesn't change any more, and loads
 * those that it wants.  What it has loaded stays until it drops its reference,
 * whatever becomes of the file.  A file of the list may be dropped before the
 * reader loads it; then loading fails with ENOENT.
 *
 * Errors
 * ======
 *
 * Damaged and foreign files are reported as problems, never fatal, and never
 * touched but for a damaged one's name.  In a read-only archive nothing at all
 * is changed.
 *
 * Thread-safety
 * =============
 *
 *                              writer   readers
 *   append, retry, give up       x
 *   drop, retain, set aside      x
 *   list, load, verify           x         x
 *   statistics, problems         x         x
 *
 * One thread at a time is the writer; any number of threads may read at the
 * same time.  A mutex is held for a few instructions, never across a system
 * call, so neither waits for the other's files.  Between processes, a lock on
 * the directory sees to it that there is one writer. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mlog-archive-file.h"
#include "mlog-archive-io.h"
#include "ovs-atomic.h"

struct mlog_archive;
struct mlog_archive_file;

#define MLOG_ARCHIVE_MAX_SEQ (UINT64_MAX / 2)

struct mlog_archive_options {
    const struct mlog_archive_ops *ops;     /* NULL: the system's. */
    int level;                  /* Of zstd; 0: MLOG_ARCHIVE_LEVEL. */
    bool read_only;
};

/* Opens the archive in 'dir', which is made if it doesn't exist (but not its
 * parents, and not if read-only).  Reads the index of each file.  Returns NULL
 * and stores the archive in '*archivep', or returns an error message for the
 * caller to free and stores NULL. */
char *mlog_archive_open(const char *dir, const struct mlog_archive_options *,
                        struct mlog_archive **archivep)
    OVS_WARN_UNUSED_RESULT;

/* No other thread may use the archive any more; lists, files and data that
 * are still referenced stay usable. */
void mlog_archive_close(struct mlog_archive *);

const char *mlog_archive_dir(const struct mlog_archive *);

/* The least sequence number that the next segment may have. */
uint64_t mlog_archive_next_seq(const struct mlog_archive *);

/* Writing. */

/* Appends 'segment', whose 'seq' must be at least mlog_archive_next_seq().
 * Returns 0 if it is on the disk, or an errno:
 *
 *   EINVAL, E2BIG   the segment cannot be archived (see
 *                   mlog_archive_encode()); nothing is kept of it
 *   EBUSY           an earlier one is waiting for retry or give up
 *   ENOSPC, EIO...  it could not be written.  Nothing of it is on the disk,
 *                   but the archive keeps it, encoded, until one of: */
int mlog_archive_append(struct mlog_archive *,
                        const struct mlog_archive_segment *segment)
    OVS_WARN_UNUSED_RESULT;

/* Tries once more.  Returns 0 or an errno as above; 0 if nothing waits. */
int mlog_archive_retry(struct mlog_archive *) OVS_WARN_UNUSED_RESULT;

/* Forgets it, and counts its records as lost.  Returns their number. */
uint64_t mlog_archive_give_up(struct mlog_archive *);

/* Dropping. */

struct mlog_archive_dropped {
    uint64_t files;
    uint64_t records;
    uint64_t bytes;
    uint64_t until;             /* Time of the newest record, ns; or 0. */
};

/* Each removes files, oldest first, adds them to '*dropped', and returns 0 or,
 * if one could not be removed, an errno; that file stays. */

/* The file of segment 'seq'; ENOENT if there is none. */
int mlog_archive_drop(struct mlog_archive *, uint64_t seq,
                      struct mlog_archive_dropped *dropped);

/* All files that have only records from before 'time'. */
int mlog_archive_drop_before(struct mlog_archive *, uint64_t time,
                             struct mlog_archive_dropped *dropped);

/* What exceeds 'max_bytes', and what is older at 'now' than 'max_age' (ns).
 * Zero means no limit. */
int mlog_archive_retain(struct mlog_archive *, uint64_t max_bytes,
                        uint64_t max_age, uint64_t now,
                        struct mlog_archive_dropped *dropped);

/* Takes a damaged file out of the archive: renames it to *.bad and reports
 * 'message' as a problem. */
int mlog_archive_set_aside(struct mlog_archive *,
                           const struct mlog_archive_file *,
                           const char *message);

/* Reading. */

/* The files at one moment, ascending by sequence number. */
struct mlog_archive_list {
    struct ovs_refcount ref_cnt;
    size_t n;
    struct mlog_archive_file *files[];
};

struct mlog_archive_list *mlog_archive_get_list(const struct mlog_archive *);
void mlog_archive_list_unref(struct mlog_archive_list *);

struct mlog_archive_file *mlog_archive_file_ref(
    const struct mlog_archive_file *);
void mlog_archive_file_unref(struct mlog_archive_file *);
const struct mlog_archive_info *mlog_archive_file_info(
    const struct mlog_archive_file *);
const char *mlog_archive_file_name(const struct mlog_archive_file *);

/* A segment that was loaded.  While 'rows' is NULL, this is its loader's;
 * afterwards it is constant, and any thread may use it that has a
 * reference. */
struct mlog_archive_data {
    struct ovs_refcount ref_cnt;
    const struct mlog_archive_info *info;
    struct mlog_flow_key *keys;     /* 'info->n_flows'. */
    struct mlog_row *rows;          /* 'info->n_rows', or NULL. */

    struct mlog_archive_file *file; /* Private. */
    struct mlog_archive_coder *coder;
    uint8_t *bytes;
};

/* Reads 'file' and decodes the keys; mlog_archive_load_rows() then decodes the
 * rows too, which takes longer and isn't needed if no flow is of interest.
 * Each returns 0 or
 *
 *   ENOENT     the file was dropped
 *   EBADMSG    it is damaged
 *   EIO...     it could not be read
 *
 * On failure '*datap' is NULL, and '*message' is what is wrong, for the caller
 * to free.  'message' may be NULL.  After mlog_archive_load_rows() has failed,
 * the data has keys still, and no rows. */
int mlog_archive_load(const struct mlog_archive_file *,
                      struct mlog_archive_data **datap, char **message)
    OVS_WARN_UNUSED_RESULT;
int mlog_archive_load_rows(struct mlog_archive_data *, char **message)
    OVS_WARN_UNUSED_RESULT;

/* The same, but only the columns 'which': mlog_archive_decode_rows_of(). */
int mlog_archive_load_rows_of(struct mlog_archive_data *, uint32_t which,
                              char **message) OVS_WARN_UNUSED_RESULT;
struct mlog_archive_data *mlog_archive_data_ref(
    const struct mlog_archive_data *);
void mlog_archive_data_unref(struct mlog_archive_data *);

/* Reads and decodes all of 'file', its index included.  As
 * mlog_archive_load(). */
int mlog_archive_verify(const struct mlog_archive_file *, char **message)
    OVS_WARN_UNUSED_RESULT;

/* State. */

struct mlog_archive_stats {
    uint64_t files;             /* Now; likewise: */
    uint64_t records;
    uint64_t bytes;
    uint64_t oldest, newest;    /* Times of records, ns; 0 if none. */
    uint64_t pending_records;   /* Encoded, but not written. */

    /* Since the archive was opened. */
    struct mlog_archive_dropped appended, dropped;
    uint64_t lost_records;      /* Given up or set aside. */
    uint64_t write_errors;      /* Failed attempts. */
    uint64_t read_errors;
    uint64_t problems;
};

void mlog_archive_get_stats(const struct mlog_archive *,
                            struct mlog_archive_stats *);

/* A file that is not part of the archive though it is in its directory. */
struct mlog_archive_problem {
    char *name;
    char *message;
};

/* Returns, for the caller to free with mlog_archive_free_problems(), the
 * problems, oldest first, at most the first 1,000. */
struct mlog_archive_problem *mlog_archive_get_problems(
    const struct mlog_archive *, size_t *n);
void mlog_archive_free_problems(struct mlog_archive_problem *, size_t n);

/* Opens the file 'path', wherever it is and whatever it is called, for
 * mlog_archive_load() and mlog_archive_verify(). */
int mlog_archive_open_single(const char *path, struct mlog_archive_file **,
                             char **message) OVS_WARN_UNUSED_RESULT;

#endif /* mlog-archive.h */
