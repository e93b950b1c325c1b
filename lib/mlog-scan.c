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

#include "mlog-scan-private.h"

#include <errno.h>

#include "bitmap.h"
#include "mlog-archive-ports.h"
#include "mlog-archive.h"
#include "mlog-archiver.h"
#include "mlog-expr.h"
#include "mlog-flow-table.h"
#include "mlog-ports.h"
#include "openvswitch/util.h"
#include "openvswitch/vlog.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(mlog_scan);

/* How a scan saves work
 * =====================
 *
 * The expression is evaluated once per distinct flow and its verdict (no,
 * yes, depends on the row) kept, so that most rows cost a look at one byte.
 * Verdicts are kept twice: by the flow's index in the flow table, for all
 * segments (indexes are stable while the snapshot is held: an index is reused
 * only when no segment names it), and by its local number, for the current
 * segment.
 *
 * On entering a segment there is a choice.  If flows don't matter, none is
 * looked at.  If the range has more rows than the segment has distinct flows,
 * the verdicts of all its flows are settled first.  Then the segment may turn
 * out to have no match at all and be skipped, or to match as a whole, or to
 * need no look at rows but for the verdict; or so few of its rows are of flows
 * that may match that a sealed segment's postings lead to them.  Otherwise (a
 * few rows out of a segment of many flows) verdicts are settled as rows come
 * by.
 *
 * Rows are looked at by the block: see mlog-scan-rows.c. */

/* Postings are used if they lead to at most one row in so many. */
#define POSTINGS_RATIO 8

/* Narrows 'range' to the times for which its expression can be true. */
static void
narrow_range(struct mlog_range *range)
{
    uint64_t min, max;

    mlog_expr_time_range(range->expr, &min, &max);
    range->since = MAX(range->since, min);
    range->until = MIN(range->until, max);
}

/* Compiles the expression, once more if ports have come: the program knows
 * those that there were, but reading an archived segment may add some. */
static void
compile(struct mlog_scan *scan)
{
    size_t n_ports = mlog_ports_count();
    uint32_t generation = mlog_ports_generation();

    if (!scan->program || n_ports != scan->n_ports
        || generation != scan->ports_generation) {
        mlog_block_expr_destroy(scan->program);
        scan->program = mlog_block_expr_create(scan->range.expr);
        scan->n_ports = n_ports;
        scan->ports_generation = generation;
    }
}

struct mlog_scan *
mlog_scan_create(const struct mlog_snapshot *snapshot,
                 const struct mlog_range *range,
                 const struct mlog_budget *budget)
{
    struct mlog_scan *scan = xmalloc(sizeof *scan);

    memset(scan, 0, offsetof(struct mlog_scan, rows));
    scan->block.n_decoded = 0;
    scan->started = time_usec();
    scan->columns = MLOG_ALL_COLUMNS;
    scan->snapshot = snapshot;
    scan->range = *range;
    scan->budget = *budget;
    if (range->expr && mlog_expr_is_everything(range->expr)) {
        scan->range.expr = NULL;
    }
    if (scan->range.expr) {
        narrow_range(&scan->range);
        compile(scan);

        /* A large calloc() is of untouched zero pages: what is not looked at
         * costs nothing. */
        scan->verdicts = xcalloc(mlog_flow_table_limit(snapshot->flows) + 1,
                                 sizeof *scan->verdicts);
    }
    return scan;
}

void
mlog_scan_set_places(struct mlog_scan *scan, const struct mlog_place *from,
                     const struct mlog_place *before)
{
    scan->has_from = from != NULL;
    scan->has_before = before != NULL;
    if (from) {
        scan->from = *from;
    }
    if (before) {
        scan->before = *before;
    }
}

/* Narrows the range of rows of a segment to the places that are asked for. */
static void
clip_rows(const struct mlog_scan *scan, const struct mlog_archive_info *info,
          uint64_t first_row, uint32_t *start, uint32_t *end)
{
    if (scan->has_from || scan->has_before) {
        const struct mlog_place place
            = mlog_place_of_segment(scan->snapshot, info, first_row);

        mlog_place_clip(&place, scan->has_from ? &scan->from : NULL,
                        scan->has_before ? &scan->before : NULL, start, end);
    }
}

static void
leave_segment(struct mlog_scan *scan)
{
    if (scan->entered) {
        mlog_snapshot_leave(scan->snapshot, scan->next_segment - 1);
        scan->entered = false;
    }
    mlog_archive_data_unref(scan->data);
    scan->data = NULL;
}

void
mlog_scan_destroy(struct mlog_scan *scan)
{
    if (scan) {
        leave_segment(scan);
        mlog_block_expr_destroy(scan->program);
        free(scan->verdicts);
        free(scan->local);
        free(scan->postings);
        free(scan->ports);
        free(scan);
    }
}

void
mlog_scan_set_columns(struct mlog_scan *scan, uint32_t columns)
{
    scan->columns = (columns | 1u << MLOG_COLUMN_FLOW
                     | 1u << MLOG_COLUMN_TIME);
}

int
mlog_scan_error(const struct mlog_scan *scan)
{
    return scan->error;
}

size_t
mlog_scan_n_expired(const struct mlog_scan *scan)
{
    return MAX(scan->n_expired, scan->n_expired_before);
}

size_t
mlog_scan_n_unreadable(const struct mlog_scan *scan)
{
    return MAX(scan->n_unreadable, scan->n_unreadable_before);
}

void
mlog_scan_get_stats(const struct mlog_scan *scan,
                    struct mlog_scan_stats *stats)
{
    *stats = scan->stats;
    stats->n_values = scan->block.n_decoded;
    stats->us = time_usec() - scan->started;
}

static bool
may_go_on(struct mlog_scan *scan)
{
    if (scan->stats.n_rows > scan->n_counted) {
        mlog_budget_count_rows(&scan->budget,
                               scan->stats.n_rows - scan->n_counted);
    }
    scan->n_counted = scan->stats.n_rows;
    scan->error = (scan->no_memory ? ENOMEM
                   : mlog_budget_check(&scan->budget));
    return !scan->error;
}

void
mlog_scan_set_memory(struct mlog_scan *scan, uint64_t bytes)
{
    if (bytes > scan->memory) {
        scan->no_memory |= !mlog_budget_take(&scan->budget,
                                             bytes - scan->memory);
        scan->memory = bytes;
    }
}

/* Verdicts. */

uint8_t
mlog_scan_settle__(struct mlog_scan *scan, uint32_t local)
{
    const uint32_t *flows = scan->segment->flows;
    uint8_t *verdict = flows ? &scan->verdicts[flows[local]]
                             : &scan->local[local];

    if (!*verdict) {
        *verdict = mlog_block_expr_flow(
            scan->program, mlog_segment_key(scan->snapshot->flows,
                                            scan->segment, local));
    }
    scan->local[local] = *verdict;
    return *verdict;
}

static void
forget_local(struct mlog_scan *scan, uint32_t n_flows)
{
    if (n_flows > scan->allocated_local) {
        free(scan->local);
        scan->local = xmalloc(n_flows);
        scan->allocated_local = n_flows;
    }
    memset(scan->local, MLOG_FLOW_UNSET, n_flows);
}

/* Settles flows 'start' ... 'start' + 'n' - 1 of the current segment, at most
 * SETTLE of them.  What isn't known yet is listed first, so that the keys, of
 * which each is somewhere else in memory, are fetched while others are
 * evaluated. */
enum { SETTLE = 1024, SETTLE_AHEAD = 12 };

static void
settle_flows(struct mlog_scan *scan, uint32_t start, uint32_t n)
{
    const struct mlog_flow_table *table = scan->snapshot->flows;
    const struct mlog_segment *segment = scan->segment;
    uint8_t *local = &scan->local[start];
    uint32_t list[SETTLE];
    uint32_t n_unset = 0;

    for (uint32_t i = 0; i < n; i++) {
        if (segment->flows) {
            local[i] = scan->verdicts[segment->flows[start + i]];
        }
        list[n_unset] = start + i;
        n_unset += local[i] == MLOG_FLOW_UNSET;
    }
    for (uint32_t i = 0; i < n_unset; i++) {
        if (i + SETTLE_AHEAD < n_unset) {
            OVS_PREFETCH(mlog_segment_key(table, segment,
                                          list[i + SETTLE_AHEAD]));
        }
        mlog_scan_settle__(scan, list[i]);
    }
}

/* Settles all the 'n_flows' flows of the current segment. */
static enum segment_mode
settle_segment(struct mlog_scan *scan, uint32_t n_flows)
{
    uint32_t n_true = 0, n_false = 0;

    for (uint32_t i = 0; i < n_flows; i += SETTLE) {
        settle_flows(scan, i, MIN(SETTLE, n_flows - i));
    }
    for (uint32_t i = 0; i < n_flows; i++) {
        enum mlog_flow_verdict verdict = mlog_flow_verdict(scan->local[i]);

        n_true += verdict == MLOG_FLOW_TRUE;
        n_false += verdict == MLOG_FLOW_FALSE;
    }
    scan->settled = true;
    scan->all_maybe = !n_true && !n_false;
    return (n_false == n_flows ? SEGMENT_NONE
            : n_true == n_flows ? SEGMENT_ALL
            : n_true + n_false == n_flows ? SEGMENT_BY_FLOW
            : SEGMENT_MIXED);
}

/* Forgets about the segment before. */
static void
start_plan(struct mlog_scan *scan)
{
    scan->by_postings = scan->settled = scan->all_maybe = false;
    scan->mode = scan->range.expr ? SEGMENT_MIXED : SEGMENT_ALL;
    scan->stats.n_segments++;
}

/* Zones. */

struct zone {
    const struct mlog_sealed *sealed;
    uint32_t block;
};

/* The column that has a field's values as they are. */
static bool
field_column(enum mlog_field_id id, enum mlog_row_column *column)
{
    switch ((int) id) {
    case MLOG_F_PKT_LEN:
        *column = MLOG_COLUMN_PKT_LEN;
        return true;
    case MLOG_F_NW_TTL:
        *column = MLOG_COLUMN_TTL;
        return true;
    case MLOG_F_TCP_SEQ:
        *column = MLOG_COLUMN_TCP_SEQ;
        return true;
    case MLOG_F_TCP_ACK:
        *column = MLOG_COLUMN_TCP_ACK;
        return true;
    case MLOG_F_TCP_WINDOW:
        *column = MLOG_COLUMN_TCP_WINDOW;
        return true;
    case MLOG_F_TCP_FLAGS:
        *column = MLOG_COLUMN_TCP_FLAGS;
        return true;
    case MLOG_F_IP_ID:
        *column = MLOG_COLUMN_IP_ID;
        return true;
    case MLOG_F_DROP_REASON:
        *column = MLOG_COLUMN_REASON;
        return true;
    default:
        return false;
    }
}

bool
mlog_scan_has_zones(enum mlog_field_id id)
{
    enum mlog_row_column column;

    return field_column(id, &column);
}

uint32_t
mlog_scan_field_columns(enum mlog_field_id id)
{
    uint32_t columns = 1u << MLOG_COLUMN_FLOW | 1u << MLOG_COLUMN_TIME;
    enum mlog_row_column column;

    if (field_column(id, &column)) {
        columns |= 1u << column;
    } else if (mlog_field_get_by_id(id)->scope == MLOG_SCOPE_ROW) {
        columns = MLOG_ALL_COLUMNS;
    }
    return columns;
}

static bool
get_zone(const void *zone_, enum mlog_field_id id, uint64_t *min,
         uint64_t *max)
{
    const struct zone *zone = zone_;
    enum mlog_row_column column;

    if (!field_column(id, &column)) {
        return false;
    }
    mlog_sealed_zone(zone->sealed, column, zone->block, min, max);
    return true;
}

static bool
zone_may_match(const struct mlog_scan *scan, uint32_t block)
{
    const struct zone zone = { scan->segment->sealed, block };

    return mlog_expr_may_match(scan->range.expr, get_zone, &zone);
}

/* Postings. */

/* Says whether postings pay: the flows that may match have few of the rows.
 * Sets '*n_flows' to the number of these flows, and '*flow' to one of them. */
static bool
are_few(const struct mlog_scan *scan, uint32_t *n_flows, uint32_t *flow)
{
    const struct mlog_sealed *sealed = scan->segment->sealed;
    uint32_t max = (scan->end - scan->pos) / POSTINGS_RATIO;
    uint32_t n = 0;

    *n_flows = 0;
    for (uint32_t i = 0; i < sealed->n_flows && n <= max; i++) {
        if (mlog_flow_verdict(scan->local[i]) != MLOG_FLOW_FALSE) {
            n += mlog_sealed_n_postings(sealed, i);
            *flow = i;
            *n_flows += 1;
        }
    }
    return n <= max;
}

/* Appends the rows of flow 'local' to 'postings', of which there are 'n', and
 * returns how many there are then. */
static uint32_t
add_postings(struct mlog_scan *scan, uint32_t local, uint32_t n)
{
    const struct mlog_sealed *sealed = scan->segment->sealed;
    uint32_t first = mlog_sealed_postings_before(sealed, local, scan->pos);
    uint32_t end = mlog_sealed_postings_before(sealed, local, scan->end);

    /* An image that nobody vouches for may have them in any order. */
    end = MAX(first, MIN(end, first + MLOG_SEGMENT_ROWS - n));
    return n + mlog_sealed_postings(sealed, local, first, end - first,
                                    scan->postings + n);
}

static int
compare_rows(const void *a_, const void *b_)
{
    const uint32_t *a = a_, *b = b_;

    return *a < *b ? -1 : *a > *b;
}

/* Brings the 'n' postings in order: by way of a bitmap, unless they are so few
 * that looking through that takes longer. */
static uint32_t
sort_postings(struct mlog_scan *scan, uint32_t n)
{
    enum { FEW = 1000 };

    if (n <= FEW) {
        qsort(scan->postings, n, sizeof *scan->postings, compare_rows);
        return n;
    }

    unsigned long *marks = bitmap_allocate(MLOG_SEGMENT_ROWS);
    size_t row;

    for (uint32_t i = 0; i < n; i++) {
        bitmap_set1(marks, scan->postings[i]);
    }
    n = 0;
    BITMAP_FOR_EACH_1_RANGE (row, 0, MLOG_SEGMENT_ROWS, marks) {
        scan->postings[n++] = row;
    }
    bitmap_free(marks);
    return n;
}

/* Makes 'postings' the rows that may match, in their order, if they are few:
 * those of 'n_flows' flows, of which 'flow' is the last one. */
static void
collect_postings(struct mlog_scan *scan, uint32_t n_flows, uint32_t flow)
{
    uint32_t n = 0;

    if (!scan->postings) {
        scan->postings = xmalloc(MLOG_SEGMENT_ROWS * sizeof *scan->postings);
    }
    if (n_flows == 1) {
        n = add_postings(scan, flow, n);
    } else {
        for (uint32_t i = 0; i <= flow; i++) {
            if (mlog_flow_verdict(scan->local[i]) != MLOG_FLOW_FALSE) {
                n = add_postings(scan, i, n);
            }
        }
        n = sort_postings(scan, n);
    }
    scan->by_postings = true;
    scan->pos = 0;
    scan->end = n;
}

/* Segments. */

/* Prepares for the rows of the current segment.  Returns false if none can
 * match. */
static bool
plan_segment(struct mlog_scan *scan, const struct mlog_snapshot_segment *s)
{
    start_plan(scan);
    if (!scan->range.expr) {
        return true;
    }
    if (s->segment->sealed
        && !zone_may_match(scan, MLOG_SEALED_ALL)) {
        scan->stats.n_skipped++;
        return false;
    }
    if (mlog_block_expr_is_row_only(scan->program)) {
        return true;
    }

    forget_local(scan, s->n_flows);
    if (scan->end - scan->pos <= s->n_flows) {
        return true;
    }
    uint32_t n_flows, flow = 0;
    scan->mode = settle_segment(scan, s->n_flows);
    if (scan->mode == SEGMENT_NONE) {
        scan->stats.n_skipped++;
    } else if (s->segment->sealed && scan->mode != SEGMENT_ALL
               && are_few(scan, &n_flows, &flow)) {
        scan->stats.n_by_postings++;
        collect_postings(scan, n_flows, flow);
    }
    return scan->mode != SEGMENT_NONE && scan->pos < scan->end;
}

/* The archive. */

/* Finds the zone of an archived segment for a field; those of flows count
 * flows that lack the field as zero, too. */
static const struct mlog_archive_zone *
archive_zone(const struct mlog_archive_info *info, enum mlog_field_id id)
{
#define CASE(FIELD, ZONE) \
    case MLOG_F_##FIELD: return &info->zones[MLOG_ZONE_##ZONE]
    switch ((int) id) {
    CASE(PKT_LEN, PKT_LEN);
    CASE(TCP_FLAGS, TCP_FLAGS);
    CASE(NW_TTL, TTL);
    CASE(IP_ID, IP_ID);
    CASE(TCP_WINDOW, TCP_WINDOW);
    CASE(DROP_REASON, REASON);
    CASE(TCP_SEQ, TCP_SEQ);
    CASE(TCP_ACK, TCP_ACK);
    CASE(NW_SRC, NW_SRC);
    CASE(NW_DST, NW_DST);
    CASE(DL_TYPE, DL_TYPE);
    CASE(TP_SRC, TP_SRC);
    CASE(TCP_SRC, TP_SRC);
    CASE(UDP_SRC, TP_SRC);
    CASE(TP_DST, TP_DST);
    CASE(TCP_DST, TP_DST);
    CASE(UDP_DST, TP_DST);
    CASE(NW_PROTO, NW_PROTO);
    }
#undef CASE
    return NULL;
}

static bool
get_archive_zone(const void *info, enum mlog_field_id id, uint64_t *min,
                 uint64_t *max)
{
    const struct mlog_archive_zone *zone = archive_zone(info, id);

    if (zone) {
        *min = zone->min;
        *max = zone->max;
    }
    return zone != NULL;
}

/* Says whether a file has something of the range that the snapshot's segments
 * haven't. */
static bool
wants_file(const struct mlog_scan *scan, const struct mlog_archive_info *info)
{
    const struct mlog_snapshot *snapshot = scan->snapshot;
    uint32_t start = 0, end = info->n_rows;

    clip_rows(scan, info, info->first_row, &start, &end);
    return (start < end && info->max_time >= scan->range.since
            && info->min_time <= scan->range.until
            && !mlog_archiver_is_held(info, snapshot->archive_life,
                                      snapshot->oldest_row));
}

/* Counts 'file', which could not be loaded.  If it was dropped meanwhile, it
 * has expired. */
static void
count_failure(struct mlog_scan *scan, const struct mlog_archive_file *file,
              int error, char *message)
{
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(5, 5);

    if (error == ENOENT) {
        scan->n_expired++;
    } else {
        VLOG_WARN_RL(&rl, "%s: %s", mlog_archive_file_name(file),
                     message ? message : ovs_strerror(error));
        scan->n_unreadable++;
    }
    free(message);
}

/* Makes the keys of 'data' those of the current segment, with ports as this
 * process knows them. */
static void
use_keys(struct mlog_scan *scan)
{
    const struct mlog_archive_info *info = scan->data->info;

    if (!scan->ports) {
        scan->ports = xmalloc(sizeof *scan->ports);
    }
    mlog_archive_map_ports(info, scan->ports);
    if (scan->range.expr) {
        compile(scan);
    }
    mlog_archive_remap_keys(scan->ports, scan->data->keys, info->n_flows);
    scan->loaded = (struct mlog_segment) {
        .base_time = info->base_time,
        .first_row = info->first_row,
        .keys = scan->data->keys,
    };
    atomic_init(&scan->loaded.n_rows, info->n_rows);
    atomic_init(&scan->loaded.n_flows, info->n_flows);
    scan->segment = &scan->loaded;
}

/* Decides on what to do with the rows by the keys alone. */
static bool
plan_loaded(struct mlog_scan *scan)
{
    uint32_t n_flows = scan->data->info->n_flows;

    start_plan(scan);
    if (scan->range.expr && !mlog_block_expr_is_row_only(scan->program)) {
        forget_local(scan, n_flows);
        scan->mode = settle_segment(scan, n_flows);
    }
    scan->stats.n_skipped += scan->mode == SEGMENT_NONE;
    return scan->mode != SEGMENT_NONE;
}

/* Loads 'file' as the current segment.  Returns false if it has nothing. */
static bool
load_file(struct mlog_scan *scan, const struct mlog_archive_file *file)
{
    const struct mlog_archive_info *info = mlog_archive_file_info(file);
    char *message = NULL;
    int error;

    if (scan->range.expr && !mlog_expr_may_match(scan->range.expr,
                                                 get_archive_zone, info)) {
        scan->stats.n_segments++;
        scan->stats.n_skipped++;
        return false;
    }
    error = mlog_archive_load(file, &scan->data, &message);
    if (error) {
        count_failure(scan, file, error, message);
        return false;
    }
    use_keys(scan);
    if (!plan_loaded(scan)) {
        return false;
    }
    error = mlog_archive_load_rows_of(scan->data, mlog_scan_columns__(scan),
                                      &message);
    if (error) {
        count_failure(scan, file, error, message);
        return false;
    }

    uint32_t n_rows = scan->data->info->n_rows;
    mlog_archive_remap_rows(scan->ports, scan->data->rows, n_rows);
    scan->loaded.rows = scan->data->rows;
    scan->stats.n_loaded++;
    mlog_segment_range(&scan->loaded, n_rows, scan->range.since,
                       scan->range.until, &scan->pos, &scan->end);
    clip_rows(scan, scan->data->info, scan->loaded.first_row, &scan->pos,
              &scan->end);
    return scan->pos < scan->end;
}

/* Moves to the next archived segment with rows to look at. */
static bool
enter_archived(struct mlog_scan *scan)
{
    const struct mlog_archive_list *list = scan->snapshot->archive;

    while (list && scan->next_file < list->n && may_go_on(scan)) {
        const struct mlog_archive_file *file = list->files[scan->next_file++];

        leave_segment(scan);
        scan->pos = scan->end = 0;
        if (wants_file(scan, mlog_archive_file_info(file))
            && load_file(scan, file)) {
            return true;
        }
    }
    return false;
}

/* Moves to the next segment with rows to look at.  Returns false if there is
 * none. */
static bool
enter_segment(struct mlog_scan *scan)
{
    const struct mlog_snapshot *snapshot = scan->snapshot;

    scan->serial++;
    if (enter_archived(scan)) {
        return true;
    }
    for (;;) {
        leave_segment(scan);
        scan->pos = scan->end = 0;
        if (scan->next_segment >= snapshot->n_segments || !may_go_on(scan)) {
            return false;
        }

        size_t i = scan->next_segment++;
        if (!mlog_snapshot_enter(snapshot, i)) {
            scan->n_expired++;
            continue;
        }
        scan->entered = true;
        scan->segment = snapshot->segments[i].segment;
        mlog_snapshot_range(snapshot, i, scan->range.since,
                            scan->range.until, &scan->pos, &scan->end);
        clip_rows(scan, NULL, scan->segment->first_row, &scan->pos,
                  &scan->end);
        if (scan->pos < scan->end
            && plan_segment(scan, &snapshot->segments[i])) {
            return true;
        }
    }
}

static bool
is_at(const struct mlog_scan *scan, const struct mlog_scan_mark *mark)
{
    return (scan->next_file == mark->next_file
            && scan->next_segment == mark->next_segment);
}

/* Leaves out what is before the mark, if the scan was rewound to one in the
 * current segment. */
static void
resume(struct mlog_scan *scan)
{
    if (is_at(scan, &scan->mark)) {
        scan->pos = MAX(scan->pos, scan->mark.pos);
    }
}

/* Lets the segment be taken away, if it is wanted, and returns false then. */
static bool
renew_entry(struct mlog_scan *scan)
{
    if (scan->data) {
        return true;
    }
    leave_segment(scan);
    if (mlog_snapshot_enter(scan->snapshot, scan->next_segment - 1)) {
        scan->entered = true;
        return true;
    }
    scan->n_expired++;
    scan->pos = scan->end = 0;
    return false;
}

bool
mlog_scan_prepare__(struct mlog_scan *scan)
{
    if (!may_go_on(scan)) {
        return false;
    } else if (scan->pos < scan->end && renew_entry(scan)) {
        return true;
    }
    while (enter_segment(scan)) {
        resume(scan);
        if (scan->pos < scan->end) {
            return true;
        }
    }
    return false;
}

/* Marks. */

struct mlog_scan_mark
mlog_scan_mark__(const struct mlog_scan *scan)
{
    return (struct mlog_scan_mark) {
        .next_file = scan->next_file,
        .next_segment = scan->next_segment,
        .pos = scan->pos,
    };
}

void
mlog_scan_rewind__(struct mlog_scan *scan, const struct mlog_scan_mark *mark)
{
    leave_segment(scan);
    scan->pos = scan->end = 0;
    scan->mark = *mark;
    scan->next_file = mark->next_file;
    scan->next_segment = mark->next_segment;
    if (mark->next_segment) {
        scan->next_segment--;
    } else if (mark->next_file) {
        scan->next_file--;
    }

    /* What is found missing again is not missing twice. */
    scan->n_expired_before = scan->n_expired;
    scan->n_unreadable_before = scan->n_unreadable;
    scan->n_expired = scan->n_unreadable = 0;
}
