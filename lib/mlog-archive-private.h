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


#ifndef MLOG_ARCHIVE_PRIVATE_H
#define MLOG_ARCHIVE_PRIVATE_H 1

/* Private to mlog-archive.c, which opens and reads archives, and
 * mlog-archive-write.c. */

#include "mlog-archive.h"
#include "openvswitch/ofpbuf.h"
#include "ovs-atomic.h"
#include "ovs-thread.h"

/* What files share with their archive, and may outlive it. */
struct mlog_archive_origin {
    struct ovs_refcount ref_cnt;
    const struct mlog_archive_ops *ops;
    atomic_uint64_t read_errors;
};

struct mlog_archive_file {
    struct ovs_refcount ref_cnt;
    struct mlog_archive_origin *origin;
    char *path;
    const char *name;           /* The last part of 'path'. */
    struct mlog_archive_info *info;
};

struct mlog_archive {
    /* Constant. */
    struct mlog_archive_origin *origin;
    char *dir;
    bool read_only;
    int lock;                   /* File descriptor of 'dir', or -1. */

    /* The writer's. */
    struct mlog_archive_coder *coder;
    struct ofpbuf pending;      /* Encoded, not written; empty if none. */
    struct mlog_archive_info *pending_info;

    /* Guarded by 'mutex'.  'list' is replaced as a whole, by the writer alone,
     * who may therefore read it without the mutex. */
    struct ovs_mutex mutex;
    struct mlog_archive_list *list;
    uint64_t last_seq;      /* Ever. */
    struct mlog_archive_stats stats;
    struct mlog_archive_problem *problems;
    size_t n_problems;
    size_t allocated_problems;
};

#define MLOG_ARCHIVE_SUFFIX ".mlog"
#define MLOG_ARCHIVE_TMP ".tmp"
#define MLOG_ARCHIVE_BAD ".bad"
#define MLOG_ARCHIVE_MAX_PROBLEMS 1000

/* Returns a file with one reference; takes over 'path' and 'info'. */
struct mlog_archive_file *mlog_archive_file_create(
    struct mlog_archive_origin *, char *path, struct mlog_archive_info *info);

/* Returns a list of 'n' files, which the caller fills in. */
struct mlog_archive_list *mlog_archive_list_create(size_t n);

/* Makes 'list', which is taken over, the archive's. */
void mlog_archive_set_list(struct mlog_archive *, struct mlog_archive_list *);

void mlog_archive_add_problem(struct mlog_archive *, const char *name,
                              const char *message);

static inline uint64_t
mlog_archive_info_end(const struct mlog_archive_info *info)
{
    return info->n_rows ? info->max_time : info->base_time;
}

#endif /* mlog-archive-private.h */
