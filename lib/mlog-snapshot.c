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

#include "mlog-flow-table.h"
#include "util.h"

/* Taking a segment away from its readers
 * ======================================
 *
 * A reader that enters a segment increments its 'n_readers' and then looks at
 * 'revoked'.  Whoever takes the segment away sets 'revoked' and then looks at
 * 'n_readers'.  All four are sequentially consistent, so at least one of the
 * two sees the other: either the reader finds the segment revoked, or it is
 * found reading, and the segment stays until it has left. */

/* Returns the first of 'n' rows whose time is 'time' or later. */
static uint32_t
raw_lower_bound(const struct mlog_row *rows, uint32_t n, uint64_t time)
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

/* Returns the first of the first 'n' rows of 'segment' that is not before
 * 'time', ns since the epoch. */
static uint32_t
lower_bound(const struct mlog_segment *segment, uint32_t n, uint64_t time)
{
    if (time <= segment->base_time) {
        return 0;
    }
    return (segment->sealed
            ? MIN(n, mlog_sealed_lower_bound(segment->sealed, time))
            : raw_lower_bound(segment->rows, n, time - segment->base_time));
}

/* Returns how many rows of 'segment' have a time up to 'cut'.  A segment that
 * filled up in the middle of a pass has later ones. */
static uint32_t
rows_until(const struct mlog_segment *segment, uint64_t cut)
{
    uint32_t n = mlog_segment_n_rows__(segment);

    return (!n || segment->sealed
            || mlog_segment_last_time__(segment, n) <= cut
            ? n : lower_bound(segment, n, cut + 1));
}

void
mlog_snapshot_take(struct mlog_header_log *log, struct mlog_snapshot *snapshot)
{
    struct mlog_log_segment *segment;

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
        s->segment = &segment->public;
        s->n_rows = rows_until(&segment->public, snapshot->cut);
        s->n_flows = mlog_segment_n_flows__(&segment->public);
        atomic_init(&s->n_readers, 0);
        atomic_init(&s->revoked, false);
    }
    snapshot->oldest_row = (log->oldest ? log->oldest->public.first_row
                            : UINT64_MAX);
    ovs_list_push_back(&log->snapshots, &snapshot->node);
    ovs_mutex_unlock(&log->mutex);
}

void
mlog_snapshot_release(struct mlog_snapshot *snapshot)
{
    struct mlog_header_log *log = snapshot->log;

    if (log) {
        ovs_mutex_lock(&log->mutex);
        for (size_t i = 0; i < snapshot->n_segments; i++) {
            struct mlog_snapshot_segment *s = &snapshot->segments[i];
            bool revoked;

            atomic_read_relaxed(&s->revoked, &revoked);
            if (!revoked) {
                CONTAINER_OF(s->segment, struct mlog_log_segment,
                             public)->n_pins--;
            }
        }
        ovs_list_remove(&snapshot->node);
        ovs_mutex_unlock(&log->mutex);
        free(snapshot->segments);
        free(snapshot->gaps);
        snapshot->log = NULL;
    }
}

bool
mlog_snapshot_enter(const struct mlog_snapshot *snapshot, size_t i)
{
    struct mlog_snapshot_segment *s = &snapshot->segments[i];
    uint32_t old;
    bool revoked;

    atomic_add_explicit(&s->n_readers, 1, &old, memory_order_seq_cst);
    atomic_read_explicit(&s->revoked, &revoked, memory_order_seq_cst);
    if (OVS_UNLIKELY(revoked)) {
        mlog_snapshot_leave(snapshot, i);
    }
    return !revoked;
}

void
mlog_snapshot_leave(const struct mlog_snapshot *snapshot, size_t i)
{
    uint32_t old;

    atomic_sub_explicit(&snapshot->segments[i].n_readers, 1, &old,
                        memory_order_release);
}

static bool
touches(const struct mlog_gap *gap, uint64_t since, uint64_t until)
{
    return gap->to >= since && gap->from <= until;
}

uint64_t
mlog_snapshot_gaps(const struct mlog_snapshot *snapshot, uint64_t since,
                   uint64_t until)
{
    uint64_t n = 0;

    for (size_t i = 0; i < snapshot->n_gaps; i++) {
        if (touches(&snapshot->gaps[i], since, until)) {
            n += snapshot->gaps[i].count;
        }
    }
    return n;
}

bool
mlog_snapshot_has_outage(const struct mlog_snapshot *snapshot, uint64_t since,
                         uint64_t until)
{
    for (size_t i = 0; i < snapshot->n_gaps; i++) {
        if (snapshot->gaps[i].reason == MLOG_LOSS_OUTAGE
            && touches(&snapshot->gaps[i], since, until)) {
            return true;
        }
    }
    return false;
}

void
mlog_snapshot_range(const struct mlog_snapshot *snapshot, size_t i,
                    uint64_t since, uint64_t until,
                    uint32_t *start, uint32_t *end)
{
    const struct mlog_snapshot_segment *s = &snapshot->segments[i];

    mlog_segment_range(s->segment, s->n_rows, since, until, start, end);
}

void
mlog_segment_range(const struct mlog_segment *segment, uint32_t n_rows,
                   uint64_t since, uint64_t until,
                   uint32_t *start, uint32_t *end)
{
    *start = lower_bound(segment, n_rows, since);
    *end = (until == UINT64_MAX ? n_rows
            : lower_bound(segment, n_rows, until + 1));
    *end = MAX(*start, *end);
}

const struct mlog_flow_key *
mlog_segment_key(const struct mlog_flow_table *flows,
                 const struct mlog_segment *segment, uint32_t local)
{
    return (segment->flows
            ? &mlog_flow_table_get(flows, segment->flows[local])->key
            : &segment->keys[local]);
}

void
mlog_segment_rows(const struct mlog_segment *segment, uint32_t start,
                  uint32_t n, struct mlog_row rows[])
{
    if (segment->sealed) {
        mlog_sealed_rows(segment->sealed, start, n, rows);
    } else {
        memcpy(rows, &segment->rows[start], n * sizeof *rows);
    }
}

void
mlog_snapshot_record(const struct mlog_snapshot *snapshot, size_t i,
                     uint32_t row, struct mlog_row *storage,
                     struct mlog_record *record)
{
    const struct mlog_segment *segment = snapshot->segments[i].segment;

    mlog_segment_rows(segment, row, 1, storage);
    *record = (struct mlog_record) {
        .key = mlog_segment_key(snapshot->flows, segment, storage->flow),
        .row = storage,
        .time = segment->base_time + mlog_row_time(storage),
    };
}
