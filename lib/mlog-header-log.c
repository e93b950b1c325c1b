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

#include "mlog-header-log.h"

#include <sys/mman.h>

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
 * mlog_snapshot_take().
 *
 * 'mutex' protects the list of segments, pins, gaps and statistics.  The
 * digest takes it once per pass, and when it opens a segment.
 *
 * A segment that expires leaves the list at once, so that no new reader finds
 * it.  Its memory and its references to flows are given back when the last
 * pin is gone, always by the digest thread, which owns the flow table. */

#define SEGMENT_BYTES \
    (MLOG_SEGMENT_ROWS * (sizeof(struct mlog_row) + sizeof(uint32_t)))

/* The log always has this many segments, whatever the budget. */
#define MIN_SEGMENTS 2

/* Newest gaps kept one by one; older ones are merged into the oldest. */
#define MAX_GAPS 256

struct mlog_header_log {
    struct mlog_flow_table *flows;

    /* Digest thread. */
    struct mlog_segment *open;
    struct mlog_segment *spare; /* Its pages need no zeroing; or NULL. */
    uint32_t n_rows;            /* Appended to 'open', published or not. */
    uint32_t n_flows;

    struct ovs_mutex mutex;
    struct mlog_segment *oldest OVS_GUARDED;
    struct mlog_segment *expired OVS_GUARDED;   /* Waiting for their pins. */
    struct mlog_gap gaps[MAX_GAPS] OVS_GUARDED;
    size_t n_gaps OVS_GUARDED;
    struct mlog_header_log_stats stats OVS_GUARDED;
};

static struct mlog_segment *
segment_allocate(void)
{
    void *memory = mmap(NULL, SEGMENT_BYTES, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (memory == MAP_FAILED) {
        out_of_memory();
    }
    madvise(memory, SEGMENT_BYTES, MADV_HUGEPAGE);

    struct mlog_segment *segment = xzalloc(sizeof *segment);
    segment->rows = memory;
    segment->flows = (uint32_t *) (segment->rows + MLOG_SEGMENT_ROWS);
    return segment;
}

static struct mlog_segment *
segment_create(struct mlog_header_log *log, uint32_t seq, uint64_t base_time,
               uint64_t first_row)
{
    struct mlog_segment *segment = log->spare;

    log->spare = NULL;
    if (!segment) {
        segment = segment_allocate();
    }
    segment->seq = seq;
    segment->base_time = base_time;
    segment->first_row = first_row;
    segment->next = NULL;
    atomic_init(&segment->n_rows, 0);
    atomic_init(&segment->n_flows, 0);
    return segment;
}

static void
segment_destroy(struct mlog_segment *segment)
{
    munmap(segment->rows, SEGMENT_BYTES);
    free(segment);
}

/* For the digest thread, or whoever has pinned the segment. */
static uint32_t
segment_n_rows(const struct mlog_segment *segment_)
{
    struct mlog_segment *segment = CONST_CAST(struct mlog_segment *, segment_);
    uint32_t n;

    atomic_read_explicit(&segment->n_rows, &n, memory_order_acquire);
    return n;
}

static uint32_t
segment_n_flows(const struct mlog_segment *segment_)
{
    struct mlog_segment *segment = CONST_CAST(struct mlog_segment *, segment_);
    uint32_t n;

    atomic_read_explicit(&segment->n_flows, &n, memory_order_acquire);
    return n;
}

struct mlog_header_log *
mlog_header_log_create(struct mlog_flow_table *flows, size_t budget)
{
    struct mlog_header_log *log = xzalloc(sizeof *log);

    log->flows = flows;
    ovs_mutex_init(&log->mutex);
    ovs_mutex_lock(&log->mutex);
    log->stats.budget = budget;
    ovs_mutex_unlock(&log->mutex);
    return log;
}

/* There must be no snapshots any more. */
void
mlog_header_log_destroy(struct mlog_header_log *log)
{
    if (log) {
        struct mlog_segment *lists[] = {
            log->oldest, log->expired, log->spare
        };

        for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
            while (lists[i]) {
                struct mlog_segment *next = lists[i]->next;

                segment_destroy(lists[i]);
                lists[i] = next;
            }
        }
        ovs_mutex_destroy(&log->mutex);
        free(log);
    }
}

static void
publish_counts(struct mlog_header_log *log)
{
    if (log->open) {
        /* Releases, pair with the acquires in segment_n_flows() and
         * segment_n_rows(). */
        atomic_store_explicit(&log->open->n_flows, log->n_flows,
                              memory_order_release);
        atomic_store_explicit(&log->open->n_rows, log->n_rows,
                              memory_order_release);
    }
}

static size_t
memory_used(const struct mlog_header_log *log) OVS_REQUIRES(log->mutex)
{
    return log->stats.n_segments * SEGMENT_BYTES
           + mlog_flow_table_memory(log->flows);
}

static void
expire_oldest(struct mlog_header_log *log) OVS_REQUIRES(log->mutex)
{
    struct mlog_segment *segment = log->oldest;
    uint32_t n_rows = segment_n_rows(segment);

    log->oldest = segment->next;
    log->stats.n_segments--;
    log->stats.n_expired += n_rows;
    if (n_rows) {
        log->stats.expired_until = segment->base_time
            + mlog_row_time(&segment->rows[n_rows - 1]);
    }
    segment->next = log->expired;
    log->expired = segment;
}

/* Seals the open segment and opens another one, for times from 'time' on.
 *
 * What expires here is not reclaimed here: that might free the flow that the
 * caller is about to append a row of. */
static void
open_segment(struct mlog_header_log *log, uint64_t time)
{
    struct mlog_segment *sealed = log->open;
    uint32_t seq = sealed ? sealed->seq + 1 : 1;
    uint64_t first_row = sealed ? sealed->first_row + log->n_rows : 0;

    publish_counts(log);
    log->open = segment_create(log, seq, time, first_row);
    log->n_rows = log->n_flows = 0;

    ovs_mutex_lock(&log->mutex);
    if (sealed) {
        sealed->next = log->open;
    } else {
        log->oldest = log->open;
    }
    log->stats.n_segments++;
    while (log->stats.n_segments > MIN_SEGMENTS
           && memory_used(log) > log->stats.budget) {
        expire_oldest(log);
    }
    ovs_mutex_unlock(&log->mutex);
}

static bool
fits(const struct mlog_header_log *log, uint64_t time)
{
    return (log->open && log->n_rows < MLOG_SEGMENT_ROWS
            && !((time - log->open->base_time) >> MLOG_ROW_TIME_BITS));
}

struct mlog_row *
mlog_header_log_append(struct mlog_header_log *log, uint64_t time,
                       uint32_t flow_index, uint64_t *ns_after_base)
{
    if (OVS_UNLIKELY(!fits(log, time))) {
        open_segment(log, time);
    }

    struct mlog_segment *segment = log->open;
    struct mlog_flow *flow = CONST_CAST(
        struct mlog_flow *, mlog_flow_table_get(log->flows, flow_index));
    if (OVS_UNLIKELY(flow->last_segment != segment->seq)) {
        flow->last_segment = segment->seq;
        flow->refs++;
        segment->flows[log->n_flows++] = flow_index;
    }

    struct mlog_row *row = &segment->rows[log->n_rows++];
    *ns_after_base = time - segment->base_time;
    return row;
}

void
mlog_header_log_publish(struct mlog_header_log *log, uint64_t time)
{
    publish_counts(log);
    ovs_mutex_lock(&log->mutex);
    log->stats.published = time;
    ovs_mutex_unlock(&log->mutex);
}

/* A gap that begins where the latest one ends (or within a tick of it) makes
 * that one longer. */
void
mlog_header_log_add_gap(struct mlog_header_log *log,
                        const struct mlog_gap *gap)
{
    ovs_mutex_lock(&log->mutex);
    struct mlog_gap *latest = log->n_gaps ? &log->gaps[log->n_gaps - 1] : NULL;
    if (latest && gap->from <= latest->to + MLOG_TICK_NS) {
        latest->to = MAX(latest->to, gap->to);
        latest->count += gap->count;
    } else {
        if (log->n_gaps >= MAX_GAPS) {
            log->gaps[1].from = log->gaps[0].from;
            log->gaps[1].count += log->gaps[0].count;
            memmove(&log->gaps[0], &log->gaps[1],
                    (MAX_GAPS - 1) * sizeof log->gaps[0]);
            log->n_gaps--;
        }
        log->gaps[log->n_gaps++] = *gap;
    }
    log->stats.n_lost += gap->count;
    ovs_mutex_unlock(&log->mutex);
}

/* Gives back what 'segment' holds.  One segment's memory is kept for the next
 * to be opened: a log that is full needs no new pages. */
static void
segment_release(struct mlog_header_log *log, struct mlog_segment *segment)
{
    uint32_t n_flows = segment_n_flows(segment);

    for (uint32_t i = 0; i < n_flows; i++) {
        mlog_flow_table_unref(log->flows, segment->flows[i]);
    }
    if (!log->spare) {
        segment->next = NULL;
        log->spare = segment;
    } else {
        segment_destroy(segment);
    }
}

void
mlog_header_log_reclaim(struct mlog_header_log *log)
{
    struct mlog_segment *unpinned = NULL;

    ovs_mutex_lock(&log->mutex);
    struct mlog_segment **p = &log->expired;
    while (*p) {
        struct mlog_segment *segment = *p;

        if (segment->n_pins) {
            p = &segment->next;
        } else {
            *p = segment->next;
            segment->next = unpinned;
            unpinned = segment;
        }
    }
    ovs_mutex_unlock(&log->mutex);

    while (unpinned) {
        struct mlog_segment *next = unpinned->next;

        segment_release(log, unpinned);
        unpinned = next;
    }
}

void
mlog_header_log_set_budget(struct mlog_header_log *log, size_t bytes)
{
    ovs_mutex_lock(&log->mutex);
    log->stats.budget = bytes;
    while (log->stats.n_segments > MIN_SEGMENTS
           && memory_used(log) > log->stats.budget) {
        expire_oldest(log);
    }
    ovs_mutex_unlock(&log->mutex);
}

/* Returns the first of 'n' rows whose time is 'time' or later. */
static uint32_t
lower_bound(const struct mlog_row *rows, uint32_t n, uint64_t time)
{
    uint32_t low = 0;

    while (n > low) {
        uint32_t middle = low + (n - low) / 2;

        if (mlog_row_time(&rows[middle]) < time) {
            low = middle + 1;
        } else {
            n = middle;
        }
    }
    return low;
}

/* Returns how many rows of 'segment' have a time up to 'cut'.  A segment that
 * filled up in the middle of a pass has later ones. */
static uint32_t
rows_until(const struct mlog_segment *segment, uint64_t cut)
{
    uint32_t n = segment_n_rows(segment);

    if (!n || segment->base_time + mlog_row_time(&segment->rows[n - 1])
              <= cut) {
        return n;
    }
    return (cut < segment->base_time ? 0
            : lower_bound(segment->rows, n, cut - segment->base_time + 1));
}

void
mlog_snapshot_take(struct mlog_header_log *log, struct mlog_snapshot *snapshot)
{
    struct mlog_segment *segment;

    ovs_mutex_lock(&log->mutex);
    *snapshot = (struct mlog_snapshot) {
        .log = log,
        .flows = log->flows,
        .cut = log->stats.published,
        .segments = xcalloc(log->stats.n_segments + 1,
                            sizeof *snapshot->segments),
        .gaps = xmemdup(log->gaps, log->n_gaps * sizeof *log->gaps),
        .n_gaps = log->n_gaps,
        .n_expired = log->stats.n_expired,
        .expired_until = log->stats.expired_until,
    };
    for (segment = log->oldest; segment; segment = segment->next) {
        struct mlog_snapshot_segment *s
            = &snapshot->segments[snapshot->n_segments++];

        segment->n_pins++;
        s->segment = segment;
        s->n_rows = rows_until(segment, snapshot->cut);
        s->n_flows = segment_n_flows(segment);
    }
    ovs_mutex_unlock(&log->mutex);
}

void
mlog_snapshot_release(struct mlog_snapshot *snapshot)
{
    struct mlog_header_log *log = CONST_CAST(struct mlog_header_log *,
                                             snapshot->log);

    if (log) {
        ovs_mutex_lock(&log->mutex);
        for (size_t i = 0; i < snapshot->n_segments; i++) {
            CONST_CAST(struct mlog_segment *,
                       snapshot->segments[i].segment)->n_pins--;
        }
        ovs_mutex_unlock(&log->mutex);
        free(snapshot->segments);
        free(snapshot->gaps);
        snapshot->log = NULL;
    }
}

uint64_t
mlog_snapshot_gaps(const struct mlog_snapshot *snapshot, uint64_t since,
                   uint64_t until)
{
    uint64_t n = 0;

    for (size_t i = 0; i < snapshot->n_gaps; i++) {
        const struct mlog_gap *gap = &snapshot->gaps[i];

        if (gap->to >= since && gap->from <= until) {
            n += gap->count;
        }
    }
    return n;
}

void
mlog_snapshot_range(const struct mlog_snapshot *snapshot, size_t i,
                    uint64_t since, uint64_t until,
                    uint32_t *start, uint32_t *end)
{
    const struct mlog_snapshot_segment *s = &snapshot->segments[i];
    uint64_t base = s->segment->base_time;

    *start = (since > base
              ? lower_bound(s->segment->rows, s->n_rows, since - base) : 0);
    *end = (until < base ? 0
            : until - base == UINT64_MAX ? s->n_rows
            : lower_bound(s->segment->rows, s->n_rows, until - base + 1));
    *end = MAX(*start, *end);
}

void
mlog_header_log_get_stats(const struct mlog_header_log *log_,
                          struct mlog_header_log_stats *stats)
{
    struct mlog_header_log *log = CONST_CAST(struct mlog_header_log *, log_);

    ovs_mutex_lock(&log->mutex);
    *stats = log->stats;
    stats->memory = stats->n_segments * SEGMENT_BYTES;
    for (const struct mlog_segment *segment = log->oldest; segment;
         segment = segment->next) {
        uint32_t n = segment_n_rows(segment);

        if (n) {
            if (!stats->oldest) {
                stats->oldest = segment->base_time
                                + mlog_row_time(&segment->rows[0]);
            }
            stats->newest = segment->base_time
                            + mlog_row_time(&segment->rows[n - 1]);
        }
        stats->n_rows += n;
    }
    stats->n_appended = stats->n_rows + stats->n_expired;
    ovs_mutex_unlock(&log->mutex);
}
