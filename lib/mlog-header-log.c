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

#include "mlog-segment.h"

#include "mlog-clock.h"
#include "mlog-flow-table.h"
#include "openvswitch/thread.h"
#include "openvswitch/util.h"
#include "openvswitch/vlog.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(mlog_header_log);

/* How it works
 * ============
 *
 * The digest thread appends to the open segment without a lock: rows and
 * flows beyond the published counts are invisible to readers.  Publishing is
 * a release store of 'n_rows', which pairs with the acquire in
 * mlog_segment_n_rows__().
 *
 * 'mutex' protects the list of segments, pins, gaps and statistics.  The
 * digest takes it a few times per pass, and when it opens a segment.
 *
 * A segment that expires leaves the list at once, so that no new reader finds
 * it.  It becomes a zombie: its memory and its references to flows are given
 * back when the last pin is gone, and a commit has been made that no longer
 * has the segment.  Always by the digest thread, which owns the flow table.
 *
 * Sealing puts another form of a segment into its place in the list.  The full
 * one becomes a zombie too, without references to flows: its successor has
 * taken them over, and is pinned by it. */

/* The log always has this many segments, whatever the budget. */
#define MIN_SEGMENTS 2

static uint64_t
monotonic_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * UINT64_C(1000000000) + ts.tv_nsec;
}

struct mlog_header_log *
mlog_header_log_create(struct mlog_flow_table *flows, struct mlog_store *store,
                       size_t budget)
{
    struct mlog_header_log *log = xzalloc(sizeof *log);

    log->flows = flows;
    log->store = store;
    log->next_seq = 1;
    log->builder = mlog_sealed_builder_create();
    ovs_mutex_init(&log->mutex);
    ovs_mutex_lock(&log->mutex);
    ovs_list_init(&log->snapshots);
    log->pin_bound = MLOG_PIN_BOUND_NS;
    log->stats.budget = budget;
    ovs_mutex_unlock(&log->mutex);
    return log;
}

/* There must be no snapshots any more. */
void
mlog_header_log_destroy(struct mlog_header_log *log)
{
    if (log) {
        struct mlog_log_segment *lists[] = {
            log->oldest, log->zombies, log->spare
        };

        for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
            while (lists[i]) {
                struct mlog_log_segment *next = lists[i]->next;

                mlog_segment_destroy__(lists[i], false);
                lists[i] = next;
            }
        }
        mlog_sealed_builder_destroy(log->builder);
        ovs_mutex_destroy(&log->mutex);
        free(log);
    }
}

/* Gaps. */

/* A gap that begins where the latest one ends (or within a tick of it), and
 * has the same reason, makes that one longer. */
static void
add_gap(struct mlog_header_log *log, const struct mlog_gap *gap)
    OVS_REQUIRES(log->mutex)
{
    struct mlog_gap *latest = log->n_gaps ? &log->gaps[log->n_gaps - 1] : NULL;

    if (latest && gap->reason == latest->reason
        && gap->from <= latest->to + MLOG_TICK_NS
        && gap->to >= latest->from) {
        latest->from = MIN(latest->from, gap->from);
        latest->to = MAX(latest->to, gap->to);
        latest->count += gap->count;
    } else {
        if (log->n_gaps >= MLOG_MAX_GAPS) {
            log->gaps[1].from = MIN(log->gaps[0].from, log->gaps[1].from);
            log->gaps[1].count += log->gaps[0].count;
            memmove(&log->gaps[0], &log->gaps[1],
                    (MLOG_MAX_GAPS - 1) * sizeof log->gaps[0]);
            log->n_gaps--;
        }
        log->gaps[log->n_gaps++] = *gap;
    }
    log->stats.n_lost[gap->reason] += gap->count;
}

void
mlog_header_log_add_gap(struct mlog_header_log *log,
                        const struct mlog_gap *gap)
{
    ovs_mutex_lock(&log->mutex);
    add_gap(log, gap);
    ovs_mutex_unlock(&log->mutex);
}

size_t
mlog_header_log_get_gaps(const struct mlog_header_log *log_,
                         struct mlog_gap gaps[MLOG_MAX_GAPS])
{
    struct mlog_header_log *log = CONST_CAST(struct mlog_header_log *, log_);
    size_t n;

    ovs_mutex_lock(&log->mutex);
    n = log->n_gaps;
    memcpy(gaps, log->gaps, n * sizeof *gaps);
    ovs_mutex_unlock(&log->mutex);
    return n;
}

/* Expiry. */

static size_t
memory_used(const struct mlog_header_log *log) OVS_REQUIRES(log->mutex)
{
    return log->stats.memory + mlog_flow_table_memory(log->flows);
}

static void
add_zombie(struct mlog_header_log *log, struct mlog_log_segment *segment)
    OVS_REQUIRES(log->mutex)
{
    segment->next = log->zombies;
    log->zombies = segment;
    segment->expired_at = monotonic_ns();
}

/* Takes 'segment' out of what statistics count as held. */
static void
uncount(struct mlog_header_log *log, const struct mlog_log_segment *segment)
    OVS_REQUIRES(log->mutex)
{
    log->stats.n_segments--;
    log->stats.memory -= segment->mapping.size;
    if (segment->public.sealed) {
        log->stats.n_sealed--;
        log->stats.n_sealed_rows -= mlog_segment_n_rows__(&segment->public);
        log->stats.sealed_memory -= segment->mapping.size;
    }
}

static void
count(struct mlog_header_log *log, const struct mlog_log_segment *segment)
    OVS_REQUIRES(log->mutex)
{
    log->stats.n_segments++;
    log->stats.memory += segment->mapping.size;
    if (segment->public.sealed) {
        log->stats.n_sealed++;
        log->stats.n_sealed_rows += mlog_segment_n_rows__(&segment->public);
        log->stats.sealed_memory += segment->mapping.size;
    }
}

static void
add_newest(struct mlog_header_log *log, struct mlog_log_segment *segment)
    OVS_REQUIRES(log->mutex)
{
    *(log->oldest ? &log->newest->next : &log->oldest) = segment;
    log->newest = segment;
    count(log, segment);
}

static void
expire_oldest(struct mlog_header_log *log) OVS_REQUIRES(log->mutex)
{
    struct mlog_log_segment *segment = log->oldest;
    uint32_t n_rows = mlog_segment_n_rows__(&segment->public);
    uint64_t until = n_rows ? mlog_segment_last_time__(&segment->public,
                                                       n_rows) : 0;

    log->oldest = segment->next;
    uncount(log, segment);
    if (segment->archived) {
        log->stats.n_archived += n_rows;
        until = 0;
    } else if (log->archiving) {
        add_gap(log, &(struct mlog_gap) {
            .from = segment->public.base_time,
            .to = until,
            .count = n_rows,
            .reason = MLOG_LOSS_ARCHIVE,
        });
    } else {
        log->stats.n_expired += n_rows;
    }
    log->stats.expired_until = MAX(log->stats.expired_until, until);
    segment->expired = true;
    add_zombie(log, segment);
}

static void
expire_over_budget(struct mlog_header_log *log) OVS_REQUIRES(log->mutex)
{
    while (log->stats.n_segments > MIN_SEGMENTS
           && memory_used(log) > log->stats.budget) {
        expire_oldest(log);
    }
}

const struct mlog_flow_table *
mlog_header_log_flows(const struct mlog_header_log *log)
{
    return log->flows;
}

void
mlog_header_log_set_budget(struct mlog_header_log *log, size_t bytes)
{
    ovs_mutex_lock(&log->mutex);
    log->stats.budget = bytes;
    expire_over_budget(log);
    ovs_mutex_unlock(&log->mutex);
}

void
mlog_header_log_set_pin_bound(struct mlog_header_log *log, uint64_t ns)
{
    ovs_mutex_lock(&log->mutex);
    log->pin_bound = ns;
    ovs_mutex_unlock(&log->mutex);
}

/* Appending. */

static void
publish_counts(struct mlog_header_log *log)
{
    if (log->open) {
        struct mlog_segment *open = &log->open->public;

        /* Releases, pair with the acquires in mlog_segment_n_flows__() and
         * mlog_segment_n_rows__(). */
        atomic_store_explicit(&open->n_flows, log->n_flows,
                              memory_order_release);
        atomic_store_explicit(&open->n_rows, log->n_rows,
                              memory_order_release);
    }
}

/* Opens a segment for times from 'time' on; the open one is full with that.
 * Returns false if there is no memory.
 *
 * What expires here is not reclaimed here: that might free the flow that the
 * caller is about to append a row of. */
static bool
open_segment(struct mlog_header_log *log, uint64_t time)
{
    struct mlog_log_segment *full = log->open;
    uint64_t first_row = (full ? full->public.first_row + log->n_rows
                          : log->next_row);

    ovs_mutex_lock(&log->mutex);
    struct mlog_log_segment *spare = log->spare;
    log->spare = NULL;
    ovs_mutex_unlock(&log->mutex);

    struct mlog_log_segment *open = mlog_segment_create__(
        log->store, spare, log->next_seq, time, first_row);

    ovs_mutex_lock(&log->mutex);
    if (open) {
        if (full) {
            publish_counts(log);
            mlog_segment_finish__(full);
        }
        add_newest(log, open);
        log->open = open;
        log->next_seq++;
        log->n_rows = log->n_flows = 0;
        expire_over_budget(log);
    } else if (log->stats.n_segments > MIN_SEGMENTS) {
        /* Less than the budget is to be had. */
        expire_oldest(log);
    }
    ovs_mutex_unlock(&log->mutex);
    return open != NULL;
}

static bool
fits(const struct mlog_header_log *log, uint64_t time)
{
    return (log->open && log->n_rows < MLOG_SEGMENT_ROWS
            && !((time - log->open->public.base_time) >> MLOG_ROW_TIME_BITS));
}

struct mlog_row *
mlog_header_log_append(struct mlog_header_log *log, uint64_t time,
                       uint32_t flow_index, uint64_t *ns_after_base,
                       uint32_t *local)
{
    if (OVS_UNLIKELY(!fits(log, time)) && !open_segment(log, time)) {
        return NULL;
    }

    struct mlog_segment *segment = &log->open->public;
    struct mlog_flow *flow = CONST_CAST(
        struct mlog_flow *, mlog_flow_table_get(log->flows, flow_index));
    if (OVS_UNLIKELY(flow->last_segment != segment->seq)) {
        flow->last_segment = segment->seq;
        flow->refs++;
        flow->local = log->n_flows;
        segment->flows[log->n_flows++] = flow_index;
    }

    struct mlog_row *row = &segment->rows[log->n_rows++];
    *ns_after_base = time - segment->base_time;
    *local = flow->local;
    return row;
}

void
mlog_header_log_close_segment(struct mlog_header_log *log)
{
    if (log->open) {
        log->next_row = log->open->public.first_row + log->n_rows;
        publish_counts(log);
        mlog_segment_finish__(log->open);
        log->open = NULL;
        log->n_rows = log->n_flows = 0;
    }
}

void
mlog_header_log_publish(struct mlog_header_log *log, uint64_t time)
{
    publish_counts(log);
    ovs_mutex_lock(&log->mutex);
    log->stats.published = time;
    ovs_mutex_unlock(&log->mutex);
}

/* Commits and reclaiming. */

void
mlog_header_log_fill_commit(struct mlog_header_log *log,
                            struct mlog_commit *commit)
{
    commit->open_seq = log->open ? log->open->public.seq : log->next_seq;
    commit->first_row = (log->open ? log->open->public.first_row
                         : log->next_row);
    commit->n_rows = log->n_rows;
    commit->n_flows = log->n_flows;

    ovs_mutex_lock(&log->mutex);
    commit->oldest_seq = log->oldest ? log->oldest->public.seq : 0;
    commit->n_expired = log->stats.n_expired;
    commit->n_archived = log->stats.n_archived;
    commit->expired_until = log->stats.expired_until;
    memcpy(commit->n_lost, log->stats.n_lost, sizeof commit->n_lost);
    memcpy(commit->gaps, log->gaps, log->n_gaps * sizeof *log->gaps);
    commit->n_gaps = log->n_gaps;
    ovs_mutex_unlock(&log->mutex);
}

/* Tries to take 'segment' away from all its readers; true if that is done. */
static bool
revoke(struct mlog_header_log *log, struct mlog_log_segment *segment)
    OVS_REQUIRES(log->mutex)
{
    struct mlog_snapshot *snapshot;
    bool done = true;

    LIST_FOR_EACH (snapshot, node, &log->snapshots) {
        for (size_t i = 0; i < snapshot->n_segments; i++) {
            struct mlog_snapshot_segment *s = &snapshot->segments[i];
            uint32_t n_readers;
            bool revoked;

            atomic_read_relaxed(&s->revoked, &revoked);
            if (s->segment != &segment->public) {
                continue;
            }
            if (!revoked) {
                atomic_store_explicit(&s->revoked, true,
                                      memory_order_seq_cst);
                segment->n_pins--;
            }
            atomic_read_explicit(&s->n_readers, &n_readers,
                                 memory_order_seq_cst);
            done = done && !n_readers;
        }
    }
    return done;
}

/* Says whether readers have kept 'segment' for too long.  What was only sealed
 * is still held, so they may have it until that expires. */
static bool
is_overdue(const struct mlog_header_log *log,
           const struct mlog_log_segment *segment) OVS_REQUIRES(log->mutex)
{
    if (segment->successor) {
        segment = segment->successor;
    }
    return (segment->expired
            && monotonic_ns() - segment->expired_at > log->pin_bound);
}

/* Says whether 'segment' can go. */
static bool
is_free(struct mlog_header_log *log, struct mlog_log_segment *segment)
    OVS_REQUIRES(log->mutex)
{
    if (segment->expired && segment->public.seq >= log->committed_oldest) {
        return false;
    }
    if ((segment->n_pins || segment->revoked) && is_overdue(log, segment)) {
        /* Pins of the log itself, for a successor and for sealing, stay. */
        if (!segment->revoked) {
            segment->revoked = true;
            log->stats.n_revoked++;
        }
        return revoke(log, segment) && !segment->n_pins;
    }
    return !segment->n_pins;
}

static void
release(struct mlog_header_log *log, struct mlog_log_segment *segment)
{
    if (segment->successor) {
        ovs_mutex_lock(&log->mutex);
        segment->successor->n_pins--;
        ovs_mutex_unlock(&log->mutex);
    } else {
        uint32_t n_flows = mlog_segment_n_flows__(&segment->public);

        for (uint32_t i = 0; i < n_flows; i++) {
            mlog_flow_table_unref(log->flows, segment->public.flows[i]);
        }
    }

    /* The memory of one raw segment is kept for the next to be opened: a log
     * that is full needs no new pages. */
    bool keep = false;
    if (!segment->public.sealed) {
        ovs_mutex_lock(&log->mutex);
        keep = !log->spare;
        if (keep) {
            mlog_segment_make_spare__(segment);
            log->spare = segment;
        }
        ovs_mutex_unlock(&log->mutex);
    }
    if (!keep) {
        mlog_segment_destroy__(segment, true);
    }
}

static void
reclaim(struct mlog_header_log *log)
{
    struct mlog_log_segment *free_ones = NULL;

    ovs_mutex_lock(&log->mutex);
    log->stats.n_pinned = 0;
    struct mlog_log_segment **p = &log->zombies;
    while (*p) {
        struct mlog_log_segment *segment = *p;

        if (is_free(log, segment)) {
            *p = segment->next;
            segment->next = free_ones;
            free_ones = segment;
        } else {
            log->stats.n_pinned += segment->n_pins > 0;
            p = &segment->next;
        }
    }
    ovs_mutex_unlock(&log->mutex);

    while (free_ones) {
        struct mlog_log_segment *next = free_ones->next;

        release(log, free_ones);
        free_ones = next;
    }
}

void
mlog_header_log_committed(struct mlog_header_log *log,
                          const struct mlog_commit *commit)
{
    ovs_mutex_lock(&log->mutex);
    log->committed_open = commit->open_seq;
    log->committed_oldest = commit->oldest_seq;
    ovs_mutex_unlock(&log->mutex);
    reclaim(log);
}

/* Sealing. */

/* Returns the oldest full segment, pinned, or NULL.  One that isn't committed
 * yet might have to be shortened after a crash. */
static struct mlog_log_segment *
next_full(struct mlog_header_log *log)
{
    struct mlog_log_segment *segment;

    ovs_mutex_lock(&log->mutex);
    for (segment = log->oldest; segment && segment->public.sealed;
         segment = segment->next) {
        continue;
    }
    if (segment && segment->public.seq >= log->committed_open) {
        segment = NULL;
    }
    if (segment) {
        segment->n_pins++;
    }
    ovs_mutex_unlock(&log->mutex);
    return segment;
}

/* Puts 'sealed' into the place of 'full', if that is still in the list. */
static bool
replace(struct mlog_header_log *log, struct mlog_log_segment *full,
        struct mlog_log_segment *sealed) OVS_REQUIRES(log->mutex)
{
    struct mlog_log_segment **p = &log->oldest;

    while (*p && *p != full) {
        p = &(*p)->next;
    }
    if (!*p) {
        return false;
    }
    sealed->next = full->next;
    sealed->n_pins = 1;
    sealed->archived = full->archived;
    *p = sealed;
    if (log->newest == full) {
        log->newest = sealed;
    }
    full->successor = sealed;
    uncount(log, full);
    count(log, sealed);
    add_zombie(log, full);
    return true;
}

/* Archiving. */

static struct mlog_log_segment *
log_segment(const struct mlog_segment *segment)
{
    return CONTAINER_OF(CONST_CAST(struct mlog_segment *, segment),
                        struct mlog_log_segment, public);
}

void
mlog_header_log_set_archiving(struct mlog_header_log *log, bool archiving)
{
    ovs_mutex_lock(&log->mutex);
    log->archiving = archiving;
    ovs_mutex_unlock(&log->mutex);
}

const struct mlog_segment *
mlog_header_log_next_to_archive(struct mlog_header_log *log)
{
    struct mlog_log_segment *segment;

    ovs_mutex_lock(&log->mutex);
    for (segment = log->oldest; segment && segment->archived;
         segment = segment->next) {
        continue;
    }
    if (segment && segment->public.sealed) {
        segment->n_pins++;
    } else {
        segment = NULL;
    }
    ovs_mutex_unlock(&log->mutex);
    return segment ? &segment->public : NULL;
}

bool
mlog_header_log_is_expired(struct mlog_header_log *log,
                           const struct mlog_segment *segment)
{
    bool expired;

    ovs_mutex_lock(&log->mutex);
    expired = log_segment(segment)->expired;
    ovs_mutex_unlock(&log->mutex);
    return expired;
}

bool
mlog_header_log_archived(struct mlog_header_log *log,
                         const struct mlog_segment *segment, bool archived)
{
    struct mlog_log_segment *s = log_segment(segment);
    bool held;

    ovs_mutex_lock(&log->mutex);
    held = !s->expired;
    if (held) {
        s->archived = archived;
    }
    s->n_pins--;
    ovs_mutex_unlock(&log->mutex);
    return held;
}

void
mlog_header_log_mark_archived(struct mlog_header_log *log,
                              bool (*archived)(uint64_t first_row, void *aux),
                              void *aux)
{
    ovs_mutex_lock(&log->mutex);
    for (struct mlog_log_segment *segment = log->oldest; segment;
         segment = segment->next) {
        segment->archived = (segment != log->open
                             && archived(segment->public.first_row, aux));
    }
    ovs_mutex_unlock(&log->mutex);
}

void
mlog_header_log_dropped(struct mlog_header_log *log, uint64_t n,
                        uint64_t until)
{
    ovs_mutex_lock(&log->mutex);
    n = MIN(n, log->stats.n_archived);
    log->stats.n_archived -= n;
    log->stats.n_expired += n;
    log->stats.expired_until = MAX(log->stats.expired_until, until);
    ovs_mutex_unlock(&log->mutex);
}

uint64_t
mlog_header_log_oldest_row(const struct mlog_header_log *log_)
{
    struct mlog_header_log *log = CONST_CAST(struct mlog_header_log *, log_);
    uint64_t row;

    ovs_mutex_lock(&log->mutex);
    row = log->oldest ? log->oldest->public.first_row : UINT64_MAX;
    ovs_mutex_unlock(&log->mutex);
    return row;
}

bool
mlog_header_log_seal(struct mlog_header_log *log)
{
    struct mlog_log_segment *full = next_full(log);

    if (!full) {
        return false;
    }

    struct mlog_log_segment *sealed = mlog_segment_seal__(full, log->builder);
    ovs_mutex_lock(&log->mutex);
    full->n_pins--;
    bool replaced = sealed && replace(log, full, sealed);
    ovs_mutex_unlock(&log->mutex);
    if (!replaced) {
        mlog_segment_destroy__(sealed, true);
    }
    return sealed != NULL;
}

/* Recovery. */

static bool
recover_flows(struct mlog_header_log *log, struct mlog_log_segment *segment)
{
    uint32_t n = mlog_segment_n_flows__(&segment->public);

    for (uint32_t i = 0; i < n; i++) {
        struct mlog_flow *flow = mlog_flow_table_recover_ref(
            log->flows, segment->public.flows[i]);

        if (!flow || flow->last_segment == segment->public.seq) {
            /* No such flow, or twice in the list. */
            while (i-- > 0) {
                mlog_flow_table_unref(log->flows, segment->public.flows[i]);
            }
            return false;
        }
        flow->last_segment = segment->public.seq;
        flow->local = i;
    }
    return true;
}

/* Counts the rows of 'segment' for their flows. */
static void
recover_counters(struct mlog_header_log *log,
                 const struct mlog_log_segment *segment)
{
    enum { N = 1024 };
    struct mlog_row rows[N];
    uint32_t n_rows = mlog_segment_n_rows__(&segment->public);

    for (uint32_t start = 0; start < n_rows; start += N) {
        uint32_t n = MIN(N, n_rows - start);

        mlog_segment_rows(&segment->public, start, n, rows);
        for (uint32_t i = 0; i < n; i++) {
            uint32_t index = segment->public.flows[rows[i].flow];

            struct mlog_flow *flow = CONST_CAST(
                struct mlog_flow *, mlog_flow_table_get(log->flows, index));
            uint64_t time = (segment->public.base_time
                             + mlog_row_time(&rows[i]));

            flow->first = flow->first ? flow->first : time;
            mlog_flow_count(flow, mlog_row_pkt_len(&rows[i]), time);
        }
    }
}

uint64_t
mlog_header_log_recover(struct mlog_header_log *log,
                        const struct mlog_commit *commit)
    OVS_NO_THREAD_SAFETY_ANALYSIS
{
    uint64_t n_rows = 0;

    mlog_segment_tidy__(log->store, commit);
    mlog_flow_table_recover(log->flows);
    for (uint32_t seq = commit->oldest_seq; seq && seq <= commit->open_seq;
         seq++) {
        bool open = seq == commit->open_seq;
        if (open && !commit->n_rows) {
            break;
        }

        struct mlog_log_segment *segment = mlog_segment_load__(
            log->store, seq, open, commit->n_rows, commit->n_flows);

        if (segment && recover_flows(log, segment)) {
            recover_counters(log, segment);
            add_newest(log, segment);
            n_rows += mlog_segment_n_rows__(&segment->public);
        } else {
            VLOG_WARN("segment %"PRIu32" is %s; its records are lost", seq,
                      segment ? "damaged" : "not there");
            mlog_segment_destroy__(segment, true);
            segment = NULL;
        }
        if (open) {
            log->open = segment;
        }
    }
    mlog_flow_table_recovered(log->flows);

    log->stats.n_expired = commit->n_expired;
    log->stats.n_archived = commit->n_archived;
    log->stats.expired_until = commit->expired_until;
    log->stats.published = commit->time;
    memcpy(log->stats.n_lost, commit->n_lost, sizeof log->stats.n_lost);
    memcpy(log->gaps, commit->gaps, commit->n_gaps * sizeof *log->gaps);
    log->n_gaps = commit->n_gaps;
    log->committed_open = commit->open_seq;
    log->committed_oldest = commit->oldest_seq;
    log->n_rows = log->open ? commit->n_rows : 0;
    log->n_flows = log->open ? commit->n_flows : 0;
    log->next_seq = commit->open_seq + (commit->n_rows > 0);
    log->next_row = commit->first_row + commit->n_rows;

    uint64_t n_lost = (log->next_row - commit->n_expired - commit->n_archived
                       - commit->n_lost[MLOG_LOSS_ARCHIVE]
                       - commit->n_lost[MLOG_LOSS_RECOVERY] - n_rows);
    if (n_lost) {
        add_gap(log, &(struct mlog_gap) {
            .from = commit->expired_until,
            .to = commit->time,
            .count = n_lost,
            .reason = MLOG_LOSS_RECOVERY,
        });
    }
    expire_over_budget(log);
    return n_rows;
}

/* Statistics. */

void
mlog_header_log_get_stats(const struct mlog_header_log *log_,
                          struct mlog_header_log_stats *stats)
{
    struct mlog_header_log *log = CONST_CAST(struct mlog_header_log *, log_);

    ovs_mutex_lock(&log->mutex);
    *stats = log->stats;
    for (const struct mlog_log_segment *segment = log->oldest; segment;
         segment = segment->next) {
        uint32_t n = mlog_segment_n_rows__(&segment->public);

        if (n) {
            if (!stats->oldest) {
                stats->oldest = segment->public.base_time;
            }
            stats->newest = mlog_segment_last_time__(&segment->public, n);
        }
        stats->n_rows += n;
    }
    stats->n_appended = stats->n_rows + stats->n_expired + stats->n_archived
                        + stats->n_lost[MLOG_LOSS_ARCHIVE]
                        + stats->n_lost[MLOG_LOSS_RECOVERY];
    ovs_mutex_unlock(&log->mutex);
}
