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
#include "mlog-archive-private.h"

#include <errno.h>
#include <inttypes.h>

#include "util.h"

/* Appending. */

static bool
is_pending(const struct mlog_archive *archive)
{
    return archive->pending_info != NULL;
}

static void
drop_pending(struct mlog_archive *archive)
{
    mlog_archive_info_destroy(archive->pending_info);
    archive->pending_info = NULL;
    ofpbuf_clear(&archive->pending);
}

/* The mutex is for the statistics. */
static void
count_written(struct mlog_archive *archive, int error)
{
    const struct mlog_archive_info *info = archive->pending_info;

    ovs_mutex_lock(&archive->mutex);
    if (error) {
        archive->stats.write_errors++;
        archive->stats.pending_records = info->n_rows;
    } else {
        struct mlog_archive_dropped *appended = &archive->stats.appended;

        archive->stats.pending_records = 0;
        appended->files++;
        appended->records += info->n_rows;
        appended->bytes += info->file_size;
        appended->until = MAX(appended->until, info->max_time);
    }
    ovs_mutex_unlock(&archive->mutex);
}

/* Puts the pending file into place.  If the last step fails, then the file is
 * there but might not survive a crash: it is taken back, so that what is said
 * to be written and what is found later are the same. */
static int
write_pending(struct mlog_archive *archive, const char *path)
{
    const struct mlog_archive_ops *ops = archive->origin->ops;
    char *tmp = xasprintf("%s%s", path, MLOG_ARCHIVE_TMP);
    int error = mlog_archive_write_file(ops, tmp, archive->pending.data,
                                        archive->pending.size);

    if (error == EEXIST && !ops->unlink(tmp)) {
        /* Left behind by an attempt that could not clean up. */
        error = mlog_archive_write_file(ops, tmp, archive->pending.data,
                                        archive->pending.size);
    }
    if (!error && ops->rename(tmp, path)) {
        error = errno;
        ops->unlink(tmp);
    } else if (!error) {
        error = mlog_archive_sync_dir(ops, archive->dir);
        if (error) {
            ops->unlink(path);
        }
    }
    free(tmp);
    return error;
}

static void
announce(struct mlog_archive *archive, char *path)
{
    const struct mlog_archive_list *old = archive->list;
    struct mlog_archive_list *list = mlog_archive_list_create(old->n + 1);

    for (size_t i = 0; i < old->n; i++) {
        list->files[i] = mlog_archive_file_ref(old->files[i]);
    }
    list->files[old->n] = mlog_archive_file_create(archive->origin, path,
                                                   archive->pending_info);
    archive->pending_info = NULL;
    mlog_archive_set_list(archive, list);
}

int
mlog_archive_retry(struct mlog_archive *archive)
{
    char *path;
    int error;

    if (!is_pending(archive)) {
        return 0;
    }
    path = xasprintf("%s/%020"PRIu64"%s", archive->dir,
                     archive->pending_info->seq, MLOG_ARCHIVE_SUFFIX);
    error = write_pending(archive, path);
    count_written(archive, error);
    if (error) {
        free(path);
    } else {
        announce(archive, path);
        drop_pending(archive);
    }
    return error;
}

/* The encoder's result is read back as a reader of the file would. */
static void
parse_pending(struct mlog_archive *archive)
{
    const struct ofpbuf *file = &archive->pending;
    const uint8_t *end = ofpbuf_tail(file);
    char *error;

    error = mlog_archive_info_parse(file->data, file->size,
                                    end - MLOG_ARCHIVE_TRAILER_SIZE,
                                    file->size, &archive->pending_info);
    ovs_assert(!error);
}

int
mlog_archive_append(struct mlog_archive *archive,
                    const struct mlog_archive_segment *segment)
{
    int error;

    ovs_assert(!archive->read_only);
    if (is_pending(archive)) {
        return EBUSY;
    } else if (segment->seq < mlog_archive_next_seq(archive)
               || segment->seq > MLOG_ARCHIVE_MAX_SEQ) {
        return EINVAL;
    }
    error = mlog_archive_encode(archive->coder, segment, &archive->pending);
    if (error) {
        return error;
    }
    parse_pending(archive);
    return mlog_archive_retry(archive);
}

uint64_t
mlog_archive_give_up(struct mlog_archive *archive)
{
    uint64_t n = 0;

    if (is_pending(archive)) {
        n = archive->pending_info->n_rows;
        drop_pending(archive);
        ovs_mutex_lock(&archive->mutex);
        archive->stats.lost_records += n;
        archive->stats.pending_records = 0;
        ovs_mutex_unlock(&archive->mutex);
    }
    return n;
}

/* Dropping. */

/* Makes a list of the files of the archive without 'gone'. */
static void
forget_files(struct mlog_archive *archive, const bool *gone)
{
    const struct mlog_archive_list *old = archive->list;
    struct mlog_archive_list *list = mlog_archive_list_create(old->n);

    list->n = 0;
    for (size_t i = 0; i < old->n; i++) {
        if (!gone[i]) {
            list->files[list->n++] = mlog_archive_file_ref(old->files[i]);
        }
    }
    mlog_archive_set_list(archive, list);
}

static void
add_dropped(struct mlog_archive_dropped *sum,
            const struct mlog_archive_info *info)
{
    sum->files++;
    sum->records += info->n_rows;
    sum->bytes += info->file_size;
    sum->until = MAX(sum->until, info->max_time);
}

/* Drops the files of which 'doomed' is true.  A file that somebody else has
 * removed is gone, too. */
static int
drop_files(struct mlog_archive *archive, const bool *doomed,
           struct mlog_archive_dropped *dropped)
{
    const struct mlog_archive_list *list = archive->list;
    const struct mlog_archive_ops *ops = archive->origin->ops;
    bool *gone = xcalloc(list->n, sizeof *gone);
    struct mlog_archive_dropped sum = { .files = 0 };
    int error = 0;

    ovs_assert(!archive->read_only);
    for (size_t i = 0; i < list->n && !error; i++) {
        if (!doomed[i]) {
            continue;
        } else if (ops->unlink(list->files[i]->path) && errno != ENOENT) {
            error = errno;
        } else {
            gone[i] = true;
            add_dropped(&sum, list->files[i]->info);
        }
    }
    if (sum.files) {
        struct mlog_archive_dropped *total = &archive->stats.dropped;

        forget_files(archive, gone);
        ovs_mutex_lock(&archive->mutex);
        total->files += sum.files;
        total->records += sum.records;
        total->bytes += sum.bytes;
        total->until = MAX(total->until, sum.until);
        ovs_mutex_unlock(&archive->mutex);
        dropped->files += sum.files;
        dropped->records += sum.records;
        dropped->bytes += sum.bytes;
        dropped->until = MAX(dropped->until, sum.until);
    }
    free(gone);
    return error;
}

int
mlog_archive_drop(struct mlog_archive *archive, uint64_t seq,
                  struct mlog_archive_dropped *dropped)
{
    const struct mlog_archive_list *list = archive->list;
    bool *doomed = xcalloc(list->n, sizeof *doomed);
    bool found = false;
    int error;

    for (size_t i = 0; i < list->n; i++) {
        doomed[i] = list->files[i]->info->seq == seq;
        found |= doomed[i];
    }
    error = found ? drop_files(archive, doomed, dropped) : ENOENT;
    free(doomed);
    return error;
}

int
mlog_archive_drop_before(struct mlog_archive *archive, uint64_t time,
                         struct mlog_archive_dropped *dropped)
{
    const struct mlog_archive_list *list = archive->list;
    bool *doomed = xcalloc(list->n, sizeof *doomed);
    int error;

    for (size_t i = 0; i < list->n; i++) {
        doomed[i] = mlog_archive_info_end(list->files[i]->info) < time;
    }
    error = drop_files(archive, doomed, dropped);
    free(doomed);
    return error;
}

int
mlog_archive_retain(struct mlog_archive *archive, uint64_t max_bytes,
                    uint64_t max_age, uint64_t now,
                    struct mlog_archive_dropped *dropped)
{
    const struct mlog_archive_list *list = archive->list;
    bool *doomed = xcalloc(list->n, sizeof *doomed);
    uint64_t oldest = max_age && max_age < now ? now - max_age : 0;
    uint64_t bytes = 0;
    int error;

    for (size_t i = list->n; i-- > 0;) {
        const struct mlog_archive_info *info = list->files[i]->info;

        bytes += info->file_size;
        doomed[i] = ((max_bytes && bytes > max_bytes)
                     || mlog_archive_info_end(info) < oldest);
    }
    error = drop_files(archive, doomed, dropped);
    free(doomed);
    return error;
}

int
mlog_archive_set_aside(struct mlog_archive *archive,
                       const struct mlog_archive_file *file,
                       const char *message)
{
    const struct mlog_archive_list *list = archive->list;
    bool *gone = xcalloc(list->n, sizeof *gone);
    char *bad = xasprintf("%s%s", file->path, MLOG_ARCHIVE_BAD);
    int error = 0;

    ovs_assert(!archive->read_only);
    if (archive->origin->ops->rename(file->path, bad) && errno != ENOENT) {
        error = errno;
    } else {
        for (size_t i = 0; i < list->n; i++) {
            gone[i] = list->files[i] == file;
        }
        mlog_archive_add_problem(archive, file->name, message);
        ovs_mutex_lock(&archive->mutex);
        archive->stats.lost_records += file->info->n_rows;
        ovs_mutex_unlock(&archive->mutex);
        forget_files(archive, gone);
    }
    free(bad);
    free(gone);
    return error;
}
