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

#include "mlog-scan.h"

#include <errno.h>

#include "bitmap.h"
#include "mlog-archive-ports.h"
#include "mlog-archive.h"
#include "mlog-archiver.h"
#include "mlog-expr.h"
#include "mlog-flow-table.h"
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
 * On entering a segment there is a choice.  If the range has more rows than
 * the segment has distinct flows, the verdicts of all its flows are settled
 * first.  Then the segment may turn out to have no match at all and be
 * skipped, or to match as a whole, or to need no look at rows but for the
 * verdict; or so few of its rows are of flows that may match that a sealed
 * segment's postings lead to them.  Otherwise (a few rows out of a segment of
 * many flows) verdicts are settled as rows come by.
 *
 * Rows of a sealed segment are decoded a block at a time, and only if the
 * block's zones don't rule a match out.
 *
 * Selecting is branch-free: every row's index is written at the end of the
 * selection, whose length grows by the verdict.  Rows that need more than the
 * verdict of their flow are sorted out in a second pass over the selection,
 * which is still in the first-level cache. */

enum verdict {
    V_UNSET = 0,                /* Not evaluated yet; memory comes as this. */
    V_MAYBE = 1,
    V_TRUE = 2,
    V_FALSE = 3,
};

/* Rows per batch, and, where rows need neither be selected nor decoded, of a
 * larger one. */
#define BATCH_ROWS MLOG_SEALED_BLOCK_ROWS
#define BATCH_LARGE 16384

/* Postings are used if they lead to at most one row in so many. */
#define POSTINGS_RATIO 8

enum segment_mode {
    SEGMENT_ALL,                /* Every row matches. */
    SEGMENT_NONE,
    SEGMENT_BY_FLOW,            /* The flow's verdict decides. */
    SEGMENT_MIXED,              /* Verdicts may be missing, or V_MAYBE. */
};

struct mlog_scan {
    const struct mlog_snapshot *snapshot;
    struct mlog_range range;
    struct mlog_budget budget;
    int error;
    size_t n_expired, n_unreadable;
    struct mlog_scan_stats stats;

    uint8_t *verdicts;          /* enum verdict, by flow index. */

    /* The archive comes first. */
    size_t next_file;           /* Index in the snapshot's list. */
    struct mlog_archive_data *data;     /* Of the current segment, or NULL. */
    struct mlog_segment loaded;         /* The current segment, then. */
    struct mlog_archive_port_map *ports;

    /* The current segment. */
    size_t next_segment;        /* Its index plus 1... */
    bool entered;               /* ...if this. */
    uint64_t serial;            /* Grows from segment to segment. */
    const struct mlog_segment *segment;
    enum segment_mode mode;
    uint32_t pos, end;          /* Rows that are still to be seen. */
    uint8_t *local;             /* enum verdict, by local number. */
    size_t allocated_local;
    bool by_postings;           /* Then 'pos' and 'end' count these: */
    uint32_t *postings;         /* Room for MLOG_SEGMENT_ROWS. */

    struct mlog_row rows[BATCH_ROWS];   /* Decoded. */
    uint32_t numbers[BATCH_ROWS];
    uint32_t selection[BATCH_ROWS];
};

/* Narrows 'range' to the times for which its expression can be true. */
static void
narrow_range(struct mlog_range *range)
{
    uint64_t min, max;

    mlog_expr_time_range(range->expr, &min, &max);
    range->since = MAX(range->since, min);
    range->until = MIN(range->until, max);
}

struct mlog_scan *
mlog_scan_create(const struct mlog_snapshot *snapshot,
                 const struct mlog_range *range,
                 const struct mlog_budget *budget)
{
    struct mlog_scan *scan = xmalloc(sizeof *scan);

    memset(scan, 0, offsetof(struct mlog_scan, rows));
    scan->snapshot = snapshot;
    scan->range = *range;
    scan->budget = *budget;
    if (range->expr && mlog_expr_is_everything(range->expr)) {
        scan->range.expr = NULL;
    }
    if (scan->range.expr) {
        narrow_range(&scan->range);

        /* A large calloc() is of untouched zero pages: what is not looked at
         * costs nothing. */
        scan->verdicts = xcalloc(mlog_flow_table_limit(snapshot->flows) + 1,
                                 sizeof *scan->verdicts);
    }
    return scan;
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
        free(scan->verdicts);
        free(scan->local);
        free(scan->postings);
        free(scan->ports);
        free(scan);
    }
}

int
mlog_scan_error(const struct mlog_scan *scan)
{
    return scan->error;
}

size_t
mlog_scan_n_expired(const struct mlog_scan *scan)
{
    return scan->n_expired;
}

size_t
mlog_scan_n_unreadable(const struct mlog_scan *scan)
{
    return scan->n_unreadable;
}

void
mlog_scan_get_stats(const struct mlog_scan *scan,
                    struct mlog_scan_stats *stats)
{
    *stats = scan->stats;
}

static bool
may_go_on(struct mlog_scan *scan)
{
    bool cancel = false;

    if (scan->budget.cancel) {
        atomic_read_relaxed(CONST_CAST(atomic_bool *, scan->budget.cancel),
                            &cancel);
    }
    if (cancel) {
        scan->error = ECANCELED;
    } else if (scan->budget.deadline != LLONG_MAX
               && time_msec() > scan->budget.deadline) {
        scan->error = ETIMEDOUT;
    }
    return !scan->error;
}

/* Verdicts. */

static enum verdict
evaluate(const struct mlog_scan *scan, uint32_t local)
{
    struct mlog_record record = {
        .key = mlog_segment_key(scan->snapshot->flows, scan->segment, local)
    };

    switch (mlog_expr_eval_flow(scan->range.expr, &record)) {
    case MLOG_FALSE:
        return V_FALSE;
    case MLOG_TRUE:
        return V_TRUE;
    case MLOG_MAYBE:
        break;
    }
    return V_MAYBE;
}

static enum verdict
settle_flow(struct mlog_scan *scan, uint32_t local)
{
    const uint32_t *flows = scan->segment->flows;
    uint8_t *verdict = flows ? &scan->verdicts[flows[local]]
                             : &scan->local[local];

    if (!*verdict) {
        *verdict = evaluate(scan, local);
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
    memset(scan->local, V_UNSET, n_flows);
}

/* Settles all the 'n_flows' flows of the current segment. */
static enum segment_mode
settle_segment(struct mlog_scan *scan, uint32_t n_flows)
{
    uint32_t n[4] = { 0, 0, 0, 0 };

    for (uint32_t i = 0; i < n_flows; i++) {
        n[settle_flow(scan, i)]++;
    }
    return (n[V_FALSE] == n_flows ? SEGMENT_NONE
            : n[V_TRUE] == n_flows ? SEGMENT_ALL
            : n[V_MAYBE] ? SEGMENT_MIXED
            : SEGMENT_BY_FLOW);
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

/* Returns how many rows the flows have that may match, or UINT32_MAX if they
 * are too many for postings to pay. */
static uint32_t
count_candidates(const struct mlog_scan *scan, uint32_t n_flows)
{
    uint32_t max = (scan->end - scan->pos) / POSTINGS_RATIO;
    uint32_t n = 0;

    for (uint32_t i = 0; i < n_flows && n <= max; i++) {
        if (scan->local[i] != V_FALSE) {
            n += mlog_sealed_n_postings(scan->segment->sealed, i);
        }
    }
    return n <= max ? n : UINT32_MAX;
}

/* Sets 'marks' for the rows of flow 'local'. */
static void
mark_postings(struct mlog_scan *scan, uint32_t local, unsigned long *marks)
{
    const struct mlog_sealed *sealed = scan->segment->sealed;
    uint32_t first = mlog_sealed_postings_before(sealed, local, scan->pos);
    uint32_t n;

    while ((n = mlog_sealed_postings(sealed, local, first, BATCH_ROWS,
                                     scan->numbers))) {
        for (uint32_t i = 0; i < n; i++) {
            if (scan->numbers[i] >= scan->end) {
                return;
            }
            bitmap_set1(marks, scan->numbers[i]);
        }
        first += n;
    }
}

/* Makes 'postings' the rows that may match, in their order. */
static void
collect_postings(struct mlog_scan *scan, uint32_t n_flows)
{
    unsigned long *marks = bitmap_allocate(MLOG_SEGMENT_ROWS);
    uint32_t n = 0;
    size_t row;

    if (!scan->postings) {
        scan->postings = xmalloc(MLOG_SEGMENT_ROWS * sizeof *scan->postings);
    }
    for (uint32_t i = 0; i < n_flows; i++) {
        if (scan->local[i] != V_FALSE) {
            mark_postings(scan, i, marks);
        }
    }
    BITMAP_FOR_EACH_1_RANGE (row, scan->pos, scan->end, marks) {
        scan->postings[n++] = row;
    }
    bitmap_free(marks);
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
    scan->by_postings = false;
    scan->stats.n_segments++;
    if (!scan->range.expr) {
        scan->mode = SEGMENT_ALL;
        return true;
    }
    if (s->segment->sealed
        && !zone_may_match(scan, MLOG_SEALED_ALL)) {
        scan->stats.n_skipped++;
        return false;
    }

    forget_local(scan, s->n_flows);
    if (scan->end - scan->pos <= s->n_flows) {
        scan->mode = SEGMENT_MIXED;
        return true;
    }
    scan->mode = settle_segment(scan, s->n_flows);
    if (scan->mode == SEGMENT_NONE) {
        scan->stats.n_skipped++;
    } else if (s->segment->sealed && scan->mode != SEGMENT_ALL
               && count_candidates(scan, s->n_flows) != UINT32_MAX) {
        scan->stats.n_by_postings++;
        collect_postings(scan, s->n_flows);
    }
    return scan->mode != SEGMENT_NONE && scan->pos < scan->end;
}

/* The archive. */

/* Says whether a file has something of the range that the snapshot's segments
 * haven't. */
static bool
wants_file(const struct mlog_scan *scan, const struct mlog_archive_info *info)
{
    const struct mlog_snapshot *snapshot = scan->snapshot;

    return (info->n_rows && info->max_time >= scan->range.since
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

    scan->by_postings = false;
    scan->stats.n_segments++;
    scan->mode = SEGMENT_ALL;
    if (scan->range.expr) {
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
    char *message = NULL;
    int error = mlog_archive_load(file, &scan->data, &message);

    if (error) {
        count_failure(scan, file, error, message);
        return false;
    }
    use_keys(scan);
    if (!plan_loaded(scan)) {
        return false;
    }
    error = mlog_archive_load_rows(scan->data, &message);
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
        if (scan->pos < scan->end
            && plan_segment(scan, &snapshot->segments[i])) {
            return true;
        }
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

/* Makes sure that there are rows to be looked at.  Returns false at the end
 * or after an error. */
static bool
prepare(struct mlog_scan *scan)
{
    return (may_go_on(scan)
            && ((scan->pos < scan->end && renew_entry(scan))
                || enter_segment(scan)));
}

/* Batches. */

/* Puts the indexes of those of 'n' rows whose flow's verdict is not V_FALSE
 * into 'selection' and returns their number. */
static uint32_t
select_by_flow(const struct mlog_row *rows, const uint8_t *verdicts,
               uint32_t n, uint32_t *selection)
{
    uint32_t n_selected = 0;

    for (uint32_t i = 0; i < n; i++) {
        selection[n_selected] = i;
        n_selected += verdicts[rows[i].flow] != V_FALSE;
    }
    return n_selected;
}

void
mlog_batch_prefetch(const struct mlog_batch *batch, uint32_t i)
{
    if (i + MLOG_BATCH_AHEAD < batch->n) {
        const struct mlog_row *row = mlog_batch_row(batch,
                                                    i + MLOG_BATCH_AHEAD);

        OVS_PREFETCH(mlog_segment_key(batch->flows, batch->segment,
                                      row->flow));
    }
}

static bool
row_matches(struct mlog_scan *scan, const struct mlog_batch *batch,
            uint32_t i)
{
    uint32_t flow = mlog_batch_row(batch, i)->flow;
    enum verdict verdict = scan->local[flow];

    if (verdict == V_UNSET) {
        verdict = settle_flow(scan, flow);
    }
    if (verdict == V_MAYBE) {
        struct mlog_record record;

        mlog_batch_record(batch, i, &record);
        return mlog_expr_eval(scan->range.expr, &record);
    }
    return verdict == V_TRUE;
}

/* Keeps of the rows of 'batch', whose selection is the scan's, those that
 * match, and returns their number. */
static uint32_t
refine_selection(struct mlog_scan *scan, const struct mlog_batch *batch)
{
    uint32_t n_left = 0;

    for (uint32_t i = 0; i < batch->n; i++) {
        uint32_t row = scan->selection[i];

        mlog_batch_prefetch(batch, i);
        bool match = row_matches(scan, batch, i);
        scan->selection[n_left] = row;
        n_left += match;
    }
    return n_left;
}

/* Returns how many rows the next batch has, at most up to the end of a sealed
 * segment's block. */
static uint32_t
next_rows(const struct mlog_scan *scan)
{
    uint32_t max = (scan->by_postings ? BATCH_ROWS
                    : scan->segment->sealed
                    ? BATCH_ROWS - scan->pos % BATCH_ROWS
                    : scan->mode == SEGMENT_ALL ? BATCH_LARGE : BATCH_ROWS);

    return MIN(scan->end - scan->pos, max);
}

/* Returns the 'n' rows from 'pos' on, or NULL if none of them can match. */
static const struct mlog_row *
get_rows(struct mlog_scan *scan, uint32_t n)
{
    const struct mlog_sealed *sealed = scan->segment->sealed;

    if (!sealed) {
        return &scan->segment->rows[scan->pos];
    }
    if (scan->by_postings) {
        mlog_sealed_select(sealed, &scan->postings[scan->pos], n, scan->rows);
    } else if (scan->range.expr && scan->mode == SEGMENT_MIXED
               && !zone_may_match(scan, scan->pos / BATCH_ROWS)) {
        return NULL;
    } else {
        mlog_sealed_rows(sealed, scan->pos, n, scan->rows);
    }
    return scan->rows;
}

/* Fills in 'batch' from the current segment.  It may end up empty. */
static void
fill_batch(struct mlog_scan *scan, struct mlog_batch *batch)
{
    uint32_t n = next_rows(scan);

    *batch = (struct mlog_batch) {
        .rows = get_rows(scan, n),
        .segment = scan->segment,
        .flows = scan->snapshot->flows,
        .serial = scan->serial,
        .n = n,
    };
    scan->pos += n;
    if (!batch->rows) {
        batch->n = 0;
        return;
    }
    scan->stats.n_rows += n;
    if (scan->mode != SEGMENT_ALL) {
        batch->selection = scan->selection;
        batch->n = select_by_flow(batch->rows, scan->local, n,
                                  scan->selection);
        if (scan->mode == SEGMENT_MIXED) {
            batch->n = refine_selection(scan, batch);
        }
    }
}

bool
mlog_scan_next(struct mlog_scan *scan, struct mlog_batch *batch)
{
    while (prepare(scan)) {
        fill_batch(scan, batch);
        if (batch->n) {
            return true;
        }
    }
    return false;
}

/* Counting. */

/* Counts the next rows of a sealed segment all of whose verdicts are settled
 * and certain: two columns are all that takes. */
static void
count_columns(struct mlog_scan *scan, uint64_t *n_rows, uint64_t *n_bytes)
{
    const struct mlog_sealed *sealed = scan->segment->sealed;
    uint32_t n = next_rows(scan);
    uint32_t *lengths = scan->selection;
    uint32_t *flows = scan->numbers;
    uint64_t count = 0, bytes = 0;

    mlog_sealed_column(sealed, MLOG_COLUMN_PKT_LEN, scan->pos, n, lengths);
    if (scan->mode == SEGMENT_ALL) {
        for (uint32_t i = 0; i < n; i++) {
            bytes += lengths[i];
        }
        count = n;
    } else {
        mlog_sealed_column(sealed, MLOG_COLUMN_FLOW, scan->pos, n, flows);
        for (uint32_t i = 0; i < n; i++) {
            bool match = scan->local[flows[i]] == V_TRUE;

            count += match;
            bytes += match ? lengths[i] : 0;
        }
    }
    scan->pos += n;
    scan->stats.n_rows += n;
    *n_rows += count;
    *n_bytes += bytes;
}

void
mlog_scan_count(struct mlog_scan *scan, uint64_t *n_rows, uint64_t *n_bytes)
{
    struct mlog_batch batch;

    *n_rows = *n_bytes = 0;
    while (prepare(scan)) {
        if (scan->segment->sealed && scan->mode != SEGMENT_MIXED
            && !scan->by_postings) {
            count_columns(scan, n_rows, n_bytes);
            continue;
        }
        fill_batch(scan, &batch);
        *n_rows += batch.n;
        for (uint32_t i = 0; i < batch.n; i++) {
            *n_bytes += mlog_row_pkt_len(mlog_batch_row(&batch, i));
        }
    }
}
