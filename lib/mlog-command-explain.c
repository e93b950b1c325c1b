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

#include "mlog-command-query.h"

#include "mlog-archive.h"
#include "mlog-archiver.h"
#include "openvswitch/json.h"
#include "timeval.h"
#include "util.h"

/* --explain: what a query does, and what it took. */

/* The terms of an expression, and what serves each. */
struct plan {
    struct json *terms;         /* Array. */
    struct mlog_document *doc;
    bool bisects;               /* The expression narrows the range of time. */
};

/* A line for people. */
static void OVS_PRINTF_FORMAT(2, 3)
put_line(struct mlog_document *doc, const char *format, ...)
{
    va_list args;
    char *text;

    va_start(args, format);
    text = xvasprintf(format, args);
    va_end(args);
    if (doc->format == MLOG_FORMAT_CSV) {
        mlog_document_note(doc, "%s", text);
    } else {
        mlog_document_summary(doc, "%s", text);
    }
    free(text);
}

/* How the rows are found for which a term is true. */
static const char *
term_index(const struct plan *plan, const struct mlog_field *field,
           enum mlog_field_scope scope, bool plain)
{
    if (scope == MLOG_SCOPE_FLOW) {
        return "flow table and postings";
    } else if (field && field->id == MLOG_F_TIME && plan->bisects) {
        return "bisection";
    } else if (field && plain && mlog_scan_has_zones(field->id)) {
        return "zone maps, then rows";
    }
    return "rows";
}

static void
put_term(const char *text, const struct mlog_field *field,
         enum mlog_field_scope scope, bool plain, void *plan_)
{
    struct plan *plan = plan_;
    const char *by = term_index(plan, field, scope, plain);
    struct json *term = json_object_create();

    json_object_put_string(term, "term", text);
    json_object_put_string(term, "by", by);
    json_array_add(plan->terms, term);
    put_line(plan->doc, "plan: %s: by %s", text, by);
}

/* How many segments have records of the time that was asked for. */
struct extent {
    size_t open, sealed, archived;
    uint64_t n_rows;
};

static void
add_segment(const struct mlog_ask *ask, size_t i, struct extent *extent)
{
    const struct mlog_snapshot *snapshot = &ask->snapshot;
    uint64_t since, until;
    uint32_t start, end;

    if (mlog_snapshot_enter(snapshot, i)) {
        mlog_expr_time_range(ask->expr, &since, &until);
        mlog_snapshot_range(snapshot, i, MAX(since, ask->range.since),
                            MIN(until, ask->range.until), &start, &end);
        if (start < end) {
            extent->sealed += snapshot->segments[i].segment->sealed != NULL;
            extent->open += !snapshot->segments[i].segment->sealed;
            extent->n_rows += end - start;
        }
        mlog_snapshot_leave(snapshot, i);
    }
}

static void
get_extent(const struct mlog_ask *ask, struct extent *extent)
{
    const struct mlog_snapshot *snapshot = &ask->snapshot;
    const struct mlog_archive_list *list = snapshot->archive;

    *extent = (struct extent) { .n_rows = 0 };
    for (size_t i = 0; list && i < list->n; i++) {
        const struct mlog_archive_info *info
            = mlog_archive_file_info(list->files[i]);

        if (info->n_rows && info->max_time >= ask->range.since
            && info->min_time <= ask->range.until
            && !mlog_archiver_is_held(info, snapshot->archive_life,
                                      snapshot->oldest_row)) {
            extent->archived++;
            extent->n_rows += info->n_rows;
        }
    }
    for (size_t i = 0; i < snapshot->n_segments; i++) {
        add_segment(ask, i, extent);
    }
}

static struct json *
make_plan(const struct mlog_ask *ask, struct mlog_document *doc)
{
    struct plan plan = { json_array_create_empty(), doc, false };
    struct json *json = json_object_create();
    struct json *segments = json_object_create();
    struct ds text = DS_EMPTY_INITIALIZER;
    struct extent extent;
    uint64_t min, max;

    mlog_expr_format(ask->expr, &text);
    mlog_expr_time_range(ask->expr, &min, &max);
    plan.bisects = min > 0 || max < UINT64_MAX;
    get_extent(ask, &extent);
    put_line(doc, "plan: %s from %"PRIu64" records at most: %"PRIuSIZE
             " segments as they are, %"PRIuSIZE" sealed, %"PRIuSIZE
             " archived", ask->output, extent.n_rows, extent.open,
             extent.sealed, extent.archived);
    mlog_expr_for_each_term(ask->expr, put_term, &plan);
    json_object_put_string(json, "output", ask->output);
    json_object_put_string(json, "expression", ds_cstr(&text));
    json_object_put(json, "terms", plan.terms);
    json_object_put(json, "records", json_integer_create(extent.n_rows));
    json_object_put(segments, "open", json_integer_create(extent.open));
    json_object_put(segments, "sealed", json_integer_create(extent.sealed));
    json_object_put(segments, "archived",
                    json_integer_create(extent.archived));
    json_object_put(json, "segments", segments);
    ds_destroy(&text);
    return json;
}

static void
put_number(struct json *object, const char *name, uint64_t number)
{
    json_object_put(object, name, json_integer_create(number));
}

static struct json *
make_segments(const struct mlog_scan_stats *stats)
{
    struct json *json = json_object_create();

    put_number(json, "considered", stats->n_segments);
    put_number(json, "skipped", stats->n_skipped);
    put_number(json, "by_postings", stats->n_by_postings);
    put_number(json, "from_archive", stats->n_loaded);
    return json;
}

static struct json *
make_rows(const struct mlog_scan_stats *stats)
{
    struct json *json = json_object_create();

    put_number(json, "examined", stats->n_rows);
    put_number(json, "decoded", stats->n_rows_decoded);
    put_number(json, "values_decoded", stats->n_values);
    put_number(json, "blocks", stats->n_blocks);
    put_number(json, "blocks_skipped", stats->n_blocks_skipped);
    return json;
}

static struct json *
make_times(const struct mlog_ask *ask, long long int now)
{
    struct json *json = json_object_create();

    put_number(json, "cut", ask->cut_at - ask->started);
    put_number(json, "query", ask->done_at - ask->cut_at);
    put_number(json, "answer", now - ask->done_at);
    return json;
}

void
mlog_ask_explain(const struct mlog_ask *ask,
                 const struct mlog_query_totals *totals)
{
    struct mlog_document *doc = &ask->call->doc;
    struct json *json;

    if (!ask->explains) {
        return;
    }
    json = json_object_create();
    json_object_put(json, "plan", make_plan(ask, doc));
    if (totals) {
        const struct mlog_scan_stats *stats = &totals->scan;
        long long int now = time_usec();

        put_line(doc, "took: %"PRIuSIZE" segments, %"PRIuSIZE" skipped, %"
                 PRIuSIZE" by postings, %"PRIuSIZE" loaded from the archive; "
                 "%"PRIu64" rows examined, %"PRIu64" of %"PRIu64" blocks "
                 "skipped by zone maps", stats->n_segments, stats->n_skipped,
                 stats->n_by_postings, stats->n_loaded, stats->n_rows,
                 stats->n_blocks_skipped, stats->n_blocks);
        put_line(doc, "time: %lld us for the cut, %lld us for the query, "
                 "%lld us for the answer", ask->cut_at - ask->started,
                 ask->done_at - ask->cut_at, now - ask->done_at);
        json_object_put(json, "segments", make_segments(stats));
        json_object_put(json, "rows", make_rows(stats));
        json_object_put(json, "time_us", make_times(ask, now));
    }
    mlog_document_put_json(doc, "explain", json);
}
