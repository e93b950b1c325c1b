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


#ifndef MLOG_ARCHIVER_H
#define MLOG_ARCHIVER_H 1

/* What is done with full segments, in the background: they are sealed
 * (mlog-header-log.h) and, if there is an archive (mlog-archive.h), archived,
 * oldest first.
 *
 * A segment that cannot be written is tried again every MLOG_ARCHIVE_RETRY_MS
 * until it is written or expires; if it expires, its records are lost, and
 * counted.  Nothing else waits for that.
 *
 * Thread-safety
 * =============
 *
 * A thread of its own does the work.  The functions may be called from any
 * other thread, one that may wait: for a file to be written. */

#include <stdbool.h>
#include <stdint.h>

#include "mlog-archive.h"

struct mlog_header_log;
struct mlog_state;

#define MLOG_ARCHIVE_RETRY_MS 1000

/* Goes on with the archive that the settings in the state name. */
struct mlog_archiver *mlog_archiver_create(struct mlog_header_log *,
                                           struct mlog_state *);
void mlog_archiver_destroy(struct mlog_archiver *);

/* Archives to directory 'dir' from now on; NULL: not any more.  Returns NULL,
 * or an error message, for the caller to free, and changes nothing. */
char *mlog_archiver_set_dir(struct mlog_archiver *, const char *dir)
    OVS_WARN_UNUSED_RESULT;

/* What to keep: at most so many bytes, and what is not older; 0: no limit. */
void mlog_archiver_set_retention(struct mlog_archiver *, uint64_t max_bytes,
                                 uint64_t max_age);

/* Waits until all the segments that are full now are sealed and archived, or
 * 'timeout_ms' has passed.  Returns 0, ETIMEDOUT, or the error that keeps
 * segments from being written. */
int mlog_archiver_flush(struct mlog_archiver *, unsigned int timeout_ms);

/* Drops what has only records from before 'time', or (with 'seq') one file. */
int mlog_archiver_drop_before(struct mlog_archiver *, uint64_t time,
                              struct mlog_archive_dropped *);
int mlog_archiver_drop(struct mlog_archiver *, uint64_t seq,
                       struct mlog_archive_dropped *);

/* Returns the files there are, for the caller to unreference, or NULL if there
 * is no archive. */
struct mlog_archive_list *mlog_archiver_get_list(struct mlog_archiver *);

struct mlog_archiver_status {
    char *dir;                  /* For the caller to free; NULL: no archive. */
    uint64_t max_bytes;
    uint64_t max_age;           /* ns. */
    int error;                  /* Of the latest attempt to write, or 0. */
    struct mlog_archive_stats stats;
    struct mlog_archive_problem *problems;      /* For the caller to free. */
    size_t n_problems;
};
void mlog_archiver_get_status(struct mlog_archiver *,
                              struct mlog_archiver_status *);
void mlog_archiver_status_destroy(struct mlog_archiver_status *);

/* True if 'file' has records that were captured in 'life' (mlog-state.h) as
 * number 'oldest_row' or later: then the header log has them as well. */
bool mlog_archiver_is_held(const struct mlog_archive_info *,
                           const char *life, uint64_t oldest_row);

#endif /* mlog-archiver.h */
