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

#include "mlog-archiver.h"

#include <errno.h>
#include <unistd.h>

#include "latch.h"
#include "mlog-archive-ports.h"
#include "mlog-clock.h"
#include "mlog-header-log.h"
#include "mlog-state.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "ovs-thread.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(mlog_archiver);

/* How often the thread looks whether there is a full segment.  The digest
 * doesn't wake it: that would be one system call more for it, and a segment
 * may wait. */
#define INTERVAL_MS 20

#define RETAIN_INTERVAL_MS 1000

struct mlog_archiver {
    struct mlog_header_log *log;
    struct mlog_state *state;
    struct latch exit;
    pthread_t thread;

    /* Held by whoever writes to the archive, or replaces it.  'archive' is
     * read under 'mutex' or 'write_mutex', changed under both. */
    struct ovs_mutex write_mutex;
    const struct mlog_segment *waiting OVS_GUARDED;     /* For a retry. */
    long long int next_try OVS_GUARDED;
    long long int next_retain OVS_GUARDED;

    struct ovs_mutex mutex;     /* Taken after write_mutex. */
    struct mlog_archive *archive;       /* Or NULL. */
    int error OVS_GUARDED;
    uint64_t n_steps OVS_GUARDED;       /* Rounds that found nothing to do. */
};

bool
mlog_archiver_is_held(const struct mlog_archive_info *info, const char *life,
                      uint64_t oldest_row)
{
    return info->first_row >= oldest_row && !strcmp(info->boot, life);
}

/* Dropping. */

/* Tells the header log of records that only the archive had. */
static void
account_for_dropped(struct mlog_archiver *a, struct mlog_archive_list *before)
{
    struct mlog_archive_list *after = mlog_archive_get_list(a->archive);
    uint64_t oldest_row = mlog_header_log_oldest_row(a->log);
    const char *life = mlog_state_life(a->state);
    uint64_t n = 0, until = 0;
    size_t j = 0;

    for (size_t i = 0; i < before->n; i++) {
        const struct mlog_archive_info *info
            = mlog_archive_file_info(before->files[i]);

        if (j < after->n && after->files[j] == before->files[i]) {
            j++;
        } else if (!strcmp(info->boot, life)
                   && !mlog_archiver_is_held(info, life, oldest_row)) {
            n += info->n_rows;
            until = MAX(until, info->max_time);
        }
    }
    if (n) {
        mlog_header_log_dropped(a->log, n, until);
    }
    mlog_archive_list_unref(before);
    mlog_archive_list_unref(after);
}

static void
retain(struct mlog_archiver *a) OVS_REQUIRES(a->write_mutex)
{
    struct mlog_archive_dropped dropped = { 0 };
    struct mlog_settings settings = mlog_state_get_settings(a->state);

    if (settings.archive_max_bytes || settings.archive_max_age) {
        struct mlog_archive_list *before = mlog_archive_get_list(a->archive);
        int error = mlog_archive_retain(
            a->archive, settings.archive_max_bytes, settings.archive_max_age,
            mlog_clock_system(), &dropped);

        if (error) {
            VLOG_WARN("%s: an old file cannot be removed (%s)",
                      mlog_archive_dir(a->archive), ovs_strerror(error));
        }
        account_for_dropped(a, before);
    }
}

static int
drop(struct mlog_archiver *a, uint64_t seq, uint64_t time,
     struct mlog_archive_dropped *dropped)
{
    int error = ENOENT;

    ovs_mutex_lock(&a->write_mutex);
    if (a->archive) {
        struct mlog_archive_list *before = mlog_archive_get_list(a->archive);

        error = (time ? mlog_archive_drop_before(a->archive, time, dropped)
                 : mlog_archive_drop(a->archive, seq, dropped));
        account_for_dropped(a, before);
    }
    ovs_mutex_unlock(&a->write_mutex);
    return error;
}

int
mlog_archiver_drop_before(struct mlog_archiver *a, uint64_t time,
                          struct mlog_archive_dropped *dropped)
{
    return drop(a, 0, MAX(time, 1), dropped);
}

int
mlog_archiver_drop(struct mlog_archiver *a, uint64_t seq,
                   struct mlog_archive_dropped *dropped)
{
    return drop(a, seq, 0, dropped);
}

/* Archiving. */

static size_t
segment_gaps(struct mlog_archiver *a, uint64_t from, uint64_t to,
             struct mlog_gap gaps[MLOG_MAX_GAPS])
{
    size_t n = mlog_header_log_get_gaps(a->log, gaps);
    size_t n_left = 0;

    for (size_t i = 0; i < n; i++) {
        if (gaps[i].from >= from && gaps[i].to <= to) {
            gaps[n_left++] = gaps[i];
        }
    }
    return n_left;
}

/* Appends 'segment', which is sealed and pinned. */
static int
append(struct mlog_archiver *a, const struct mlog_segment *segment)
    OVS_REQUIRES(a->write_mutex)
{
    const struct mlog_sealed *sealed = segment->sealed;
    struct mlog_row *rows = xmalloc(sealed->n_rows * sizeof *rows);
    struct mlog_flow_key *keys = xmalloc(sealed->n_flows * sizeof *keys);
    struct mlog_gap *gaps = xmalloc(MLOG_MAX_GAPS * sizeof *gaps);
    struct mlog_archive_segment s = {
        .seq = mlog_archive_next_seq(a->archive),
        .first_row = segment->first_row,
        .base_time = segment->base_time,
        .rows = rows,
        .n_rows = sealed->n_rows,
        .keys = keys,
        .n_flows = sealed->n_flows,
        .gaps = gaps,
        .host = "",
        .boot = mlog_state_life(a->state),
    };
    char host[256] = "";

    mlog_sealed_rows(sealed, 0, s.n_rows, rows);
    for (uint32_t i = 0; i < s.n_flows; i++) {
        keys[i] = *mlog_segment_key(mlog_header_log_flows(a->log), segment, i);
    }

    struct mlog_archive_port *ports = mlog_archive_used_ports(
        rows, s.n_rows, keys, s.n_flows, &s.n_ports);
    s.ports = ports;
    s.n_gaps = segment_gaps(a, s.base_time, s.base_time
                            + mlog_row_time(&rows[s.n_rows - 1]), gaps);
    gethostname(host, sizeof host - 1);
    s.host = host;

    int error = mlog_archive_append(a->archive, &s);
    free(ports);
    free(gaps);
    free(keys);
    free(rows);
    return error;
}

static void
set_error(struct mlog_archiver *a, int error) OVS_EXCLUDED(a->mutex)
{
    ovs_mutex_lock(&a->mutex);
    if (error != a->error) {
        const char *dir = mlog_archive_dir(a->archive);

        if (error) {
            VLOG_WARN("%s: segments cannot be archived (%s); this is tried "
                      "again until they expire", dir, ovs_strerror(error));
        } else {
            VLOG_INFO("%s: segments can be archived again", dir);
        }
        a->error = error;
    }
    ovs_mutex_unlock(&a->mutex);
}

/* Tries 'segment', or tries it once more.  Unless it is to be tried again, it
 * is given back. */
static void
try_segment(struct mlog_archiver *a, const struct mlog_segment *segment,
            bool again) OVS_REQUIRES(a->write_mutex)
{
    int error = again ? mlog_archive_retry(a->archive) : append(a, segment);
    bool hopeless = error == EINVAL || error == E2BIG || error == EBUSY;

    if (error && !hopeless) {
        a->waiting = segment;
        a->next_try = time_msec() + MLOG_ARCHIVE_RETRY_MS;
    } else {
        a->waiting = NULL;
        mlog_header_log_archived(a->log, segment, !error);
    }
    set_error(a, error);
}

/* A segment that can't be written and has expired is lost already. */
static void
give_up_waiting(struct mlog_archiver *a) OVS_REQUIRES(a->write_mutex)
{
    mlog_archive_give_up(a->archive);
    mlog_header_log_archived(a->log, a->waiting, false);
    a->waiting = NULL;
}

/* Returns true if there was something to archive. */
static bool
archive_one(struct mlog_archiver *a) OVS_REQUIRES(a->write_mutex)
{
    const struct mlog_segment *segment;

    if (!a->archive) {
        return false;
    }
    if (a->waiting && mlog_header_log_is_expired(a->log, a->waiting)) {
        give_up_waiting(a);
    }
    if (a->waiting) {
        if (time_msec() >= a->next_try) {
            try_segment(a, a->waiting, true);
        }
        return a->waiting == NULL;
    }
    segment = mlog_header_log_next_to_archive(a->log);
    if (segment) {
        try_segment(a, segment, false);
    }
    if (time_msec() >= a->next_retain) {
        retain(a);
        a->next_retain = time_msec() + RETAIN_INTERVAL_MS;
    }
    return segment && !a->waiting;
}

static void *
archiver_main(void *a_)
{
    struct mlog_archiver *a = a_;

    while (!latch_is_set(&a->exit)) {
        bool busy = mlog_header_log_seal(a->log);

        ovs_mutex_lock(&a->write_mutex);
        busy = archive_one(a) || busy;
        ovs_mutex_unlock(&a->write_mutex);
        if (!busy) {
            ovs_mutex_lock(&a->mutex);
            a->n_steps++;
            ovs_mutex_unlock(&a->mutex);
            latch_wait(&a->exit);
            poll_timer_wait(INTERVAL_MS);
            poll_block();
        }
    }
    return NULL;
}

/* Settings. */

/* What an earlier process has archived of what is held needn't be archived
 * again. */
static bool
is_archived(uint64_t first_row, void *a_)
{
    struct mlog_archiver *a = a_;
    struct mlog_archive_list *list = mlog_archive_get_list(a->archive);
    bool found = false;

    for (size_t i = list->n; i > 0 && !found; i--) {
        const struct mlog_archive_info *info
            = mlog_archive_file_info(list->files[i - 1]);

        found = (info->first_row == first_row
                 && !strcmp(info->boot, mlog_state_life(a->state)));
    }
    mlog_archive_list_unref(list);
    return found;
}

static void
replace_archive(struct mlog_archiver *a, struct mlog_archive *archive,
                const char *dir) OVS_REQUIRES(a->write_mutex)
{
    struct mlog_settings *settings = mlog_state_begin_settings(a->state);
    struct mlog_archive *old = a->archive;

    ovs_strlcpy(settings->archive_dir, dir ? dir : "",
                sizeof settings->archive_dir);
    mlog_state_end_settings(a->state);
    if (a->waiting) {
        give_up_waiting(a);
    }
    ovs_mutex_lock(&a->mutex);
    a->archive = archive;
    a->error = 0;
    ovs_mutex_unlock(&a->mutex);
    mlog_archive_close(old);
    if (archive) {
        mlog_header_log_mark_archived(a->log, is_archived, a);
    }
    mlog_header_log_set_archiving(a->log, archive != NULL);
}

char *
mlog_archiver_set_dir(struct mlog_archiver *a, const char *dir)
{
    const struct mlog_archive_options options = { .ops = NULL };
    struct mlog_archive *archive = NULL;
    char *error = NULL;

    if (dir && (dir[0] != '/' || strlen(dir) >= MLOG_MAX_PATH)) {
        return xasprintf("the directory has to begin with a slash, and to be "
                         "shorter than %d bytes", MLOG_MAX_PATH);
    }
    ovs_mutex_lock(&a->write_mutex);
    if (!dir || !a->archive || strcmp(dir, mlog_archive_dir(a->archive))) {
        error = dir ? mlog_archive_open(dir, &options, &archive) : NULL;
        if (!error) {
            replace_archive(a, archive, dir);
        }
    }
    ovs_mutex_unlock(&a->write_mutex);
    return error;
}

void
mlog_archiver_set_retention(struct mlog_archiver *a, uint64_t max_bytes,
                            uint64_t max_age)
{
    struct mlog_settings *settings = mlog_state_begin_settings(a->state);

    settings->archive_max_bytes = max_bytes;
    settings->archive_max_age = max_age;
    mlog_state_end_settings(a->state);
}

/* Two rounds without work after the call have seen all that was there. */
int
mlog_archiver_flush(struct mlog_archiver *a, unsigned int timeout_ms)
{
    long long int deadline = time_msec() + timeout_ms;
    uint64_t start, now;
    int error;

    ovs_mutex_lock(&a->mutex);
    start = a->n_steps;
    ovs_mutex_unlock(&a->mutex);
    do {
        usleep(5000);
        ovs_mutex_lock(&a->mutex);
        now = a->n_steps;
        error = a->error;
        ovs_mutex_unlock(&a->mutex);
    } while (now < start + 2 && !error && time_msec() < deadline);
    return error ? error : now < start + 2 ? ETIMEDOUT : 0;
}

/* State. */

struct mlog_archive_list *
mlog_archiver_get_list(struct mlog_archiver *a)
{
    struct mlog_archive_list *list;

    ovs_mutex_lock(&a->mutex);
    list = a->archive ? mlog_archive_get_list(a->archive) : NULL;
    ovs_mutex_unlock(&a->mutex);
    return list;
}

void
mlog_archiver_get_status(struct mlog_archiver *a,
                         struct mlog_archiver_status *status)
{
    struct mlog_settings settings = mlog_state_get_settings(a->state);

    memset(status, 0, sizeof *status);
    status->max_bytes = settings.archive_max_bytes;
    status->max_age = settings.archive_max_age;
    ovs_mutex_lock(&a->mutex);
    status->error = a->error;
    if (a->archive) {
        status->dir = xstrdup(mlog_archive_dir(a->archive));
        mlog_archive_get_stats(a->archive, &status->stats);
        status->problems = mlog_archive_get_problems(a->archive,
                                                     &status->n_problems);
    }
    ovs_mutex_unlock(&a->mutex);
}

void
mlog_archiver_status_destroy(struct mlog_archiver_status *status)
{
    free(status->dir);
    if (status->problems) {
        mlog_archive_free_problems(status->problems, status->n_problems);
    }
}

struct mlog_archiver *
mlog_archiver_create(struct mlog_header_log *log, struct mlog_state *state)
{
    struct mlog_settings settings = mlog_state_get_settings(state);
    struct mlog_archiver *a = xzalloc(sizeof *a);

    a->log = log;
    a->state = state;
    latch_init(&a->exit);
    ovs_mutex_init(&a->write_mutex);
    ovs_mutex_init(&a->mutex);
    if (settings.archive_dir[0]) {
        char *error = mlog_archiver_set_dir(a, settings.archive_dir);

        if (error) {
            VLOG_WARN("%s: there will be no archive: %s",
                      settings.archive_dir, error);
        }
        free(error);
    }
    a->thread = ovs_thread_create("mlog_archiver", archiver_main, a);
    return a;
}

void
mlog_archiver_destroy(struct mlog_archiver *a)
{
    if (a) {
        latch_set(&a->exit);
        xpthread_join(a->thread, NULL);
        latch_destroy(&a->exit);
        ovs_mutex_lock(&a->write_mutex);
        if (a->waiting) {
            give_up_waiting(a);
        }
        ovs_mutex_unlock(&a->write_mutex);
        mlog_archive_close(a->archive);
        ovs_mutex_destroy(&a->write_mutex);
        ovs_mutex_destroy(&a->mutex);
        free(a);
    }
}
