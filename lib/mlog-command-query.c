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

#include <errno.h>

#include "mlog-record-table.h"
#include "multilog.h"
#include "openvswitch/json.h"
#include "util.h"

#define DEFAULT_LIMIT 100

static bool
parse_expr(struct mlog_ask *ask)
{
    struct mlog_call *call = ask->call;
    struct mlog_error error = MLOG_ERROR_INITIALIZER;
    const char *text = call->n_args ? call->args[0] : "";

    ask->expr = mlog_expr_parse(text, &error);
    if (!ask->expr) {
        return mlog_call_take_error(call, text, &error);
    }
    return true;
}

/* Everything that the user may have got wrong is known before the digest is
 * troubled for a cut, save for times, which may be relative to it. */
bool
mlog_ask_start(struct mlog_ask *ask)
{
    struct mlog_call *call = ask->call;

    if (mlog_call_failed(call)
        || !parse_expr(ask)
        || !mlog_call_get_budget(call, &ask->budget)) {
        return false;
    }
    ask->stale = multilog_snapshot_take(call->ml, &ask->snapshot) != 0;
    if (!mlog_call_get_range(call, ask->snapshot.cut, &ask->range)) {
        return false;
    }
    ask->range.expr = ask->expr;
    return true;
}

void
mlog_ask_finish(struct mlog_ask *ask)
{
    if (ask->snapshot.log) {
        multilog_snapshot_release(&ask->snapshot);
    }
    mlog_expr_unref(ask->expr);
}

/* Says what was covered, and what is missing. */
void
mlog_ask_put_coverage(const struct mlog_ask *ask,
             const struct mlog_query_totals *totals)
{
    struct mlog_document *doc = &ask->call->doc;

    mlog_document_put_u64(doc, "count", totals->count);
    mlog_document_put_u64(doc, "bytes", totals->bytes);
    mlog_document_put_u64(doc, "gaps", totals->gaps);
    mlog_document_put_bool(doc, "expired", totals->expired);
    if (totals->outage) {
        mlog_document_put_bool(doc, "outage", true);
    }
    if (totals->n_revoked || totals->n_unreadable) {
        mlog_document_put_bool(doc, "partial", true);
        mlog_document_put_u64(doc, "segments_expired", totals->n_revoked);
        mlog_document_put_u64(doc, "segments_unreadable",
                              totals->n_unreadable);
    }
    if (ask->range.since) {
        mlog_document_put_time(doc, "since", ask->range.since);
    }
    if (ask->range.until != UINT64_MAX) {
        mlog_document_put_time(doc, "until", ask->range.until);
    }
    mlog_document_put_time(doc, "cut", ask->snapshot.cut);
    if (ask->stale) {
        mlog_document_put_bool(doc, "stale", true);
        mlog_document_note(doc, "a datapath thread did not answer for a "
                           "second; its latest records are missing");
    }
    if (totals->gaps) {
        mlog_document_note(doc, "up to %"PRIu64" records of this range were "
                           "lost; see multilog/show", totals->gaps);
    }
    if (totals->n_revoked) {
        mlog_document_note(doc, "partial: %"PRIuSIZE" segments expired while "
                           "the query ran; ask again, for less",
                           totals->n_revoked);
    }
    if (totals->n_unreadable) {
        mlog_document_note(doc, "partial: %"PRIuSIZE" archived segments could "
                           "not be read; see multilog/archive verify",
                           totals->n_unreadable);
    }
    if (totals->outage) {
        mlog_document_note(doc, "nothing was recorded for a part of this "
                           "time, as ovs-vswitchd was not running");
    }
    if (totals->expired) {
        struct ds time = DS_EMPTY_INITIALIZER;

        mlog_time_format(ask->snapshot.expired_until, &time);
        mlog_document_note(doc, "records up to %s have expired, to stay "
                           "within the memory budget", ds_cstr(&time));
        ds_destroy(&time);
    }
}

void
mlog_ask_put_summary(const struct mlog_ask *ask, const char *what,
                     size_t n_shown, size_t n,
                     const struct mlog_query_totals *totals)
{
    struct mlog_document *doc = &ask->call->doc;
    struct ds cut = DS_EMPTY_INITIALIZER;

    mlog_time_format(ask->snapshot.cut, &cut);
    if (what) {
        mlog_document_summary(doc, "%"PRIuSIZE" of %"PRIuSIZE" %s shown, "
                              "%"PRIu64" records, %"PRIu64" bytes, at %s",
                              n_shown, n, what, totals->count, totals->bytes,
                              ds_cstr(&cut));
    } else {
        mlog_document_summary(doc, "%"PRIuSIZE" of %"PRIu64" records shown, "
                              "%"PRIu64" bytes, at %s", n_shown,
                              totals->count, totals->bytes, ds_cstr(&cut));
    }
    ds_destroy(&cut);
}

/* Rows. */

static bool
get_row_fields(struct mlog_call *call, const struct mlog_field *fields[],
               size_t *n)
{
    const char *option = call->options[MLOG_OPT_FIELDS];

    if (!option) {
        *n = mlog_record_default_fields(call->format, fields);
        return true;
    } else if (!strcmp(option, "all")) {
        *n = mlog_record_all_fields(fields);
        return true;
    }
    return mlog_call_get_fields(call, MLOG_OPT_FIELDS, MLOG_N_FIELDS, fields,
                                n);
}

/* Fills 'table' up to its size limit, starting with the rows that are
 * wanted most.  Returns the number of rows. */
static size_t
put_rows(const struct mlog_query_rows *rows, bool oldest,
         const struct mlog_field *const fields[], size_t n,
         struct mlog_table *table)
{
    for (size_t i = 0; i < rows->n; i++) {
        const struct mlog_record record = mlog_query_record(
            &rows->rows[oldest ? i : rows->n - 1 - i]);

        if (mlog_table_is_full(table, MLOG_REPLY_MAX)) {
            return i;
        }
        mlog_record_put(table, &record, fields, n);
    }
    return rows->n;
}

static void
show_rows(struct mlog_ask *ask, const struct mlog_query_rows *rows,
          bool oldest, const struct mlog_field *const fields[], size_t n)
{
    struct mlog_document *doc = &ask->call->doc;
    struct mlog_table *table = mlog_document_table(doc, "rows");
    size_t n_shown;

    mlog_record_add_columns(table, fields, n);
    if (!mlog_call_has(ask->call, MLOG_OPT_FIELDS)) {
        mlog_table_hide_empty(table);
    }
    n_shown = put_rows(rows, oldest, fields, n, table);
    doc->reverse = !oldest;

    mlog_document_put_u64(doc, "shown", n_shown);
    mlog_document_put_bool(doc, "truncated", n_shown < rows->totals.count);
    mlog_ask_put_summary(ask, NULL, n_shown, 0, &rows->totals);
    if (n_shown < rows->n) {
        mlog_document_note(doc, "the reply was cut at %u MiB",
                           MLOG_REPLY_MAX >> 20);
    } else if (n_shown < rows->totals.count) {
        mlog_document_note(doc, "%"PRIu64" %s records are not shown; see "
                           "--limit", rows->totals.count - n_shown,
                           oldest ? "newer" : "older");
    }
    mlog_ask_put_coverage(ask, &rows->totals);
}

static void
run_rows(struct mlog_ask *ask)
{
    struct mlog_call *call = ask->call;
    const struct mlog_field *fields[MLOG_N_FIELDS];
    bool oldest = mlog_call_has(call, MLOG_OPT_OLDEST);
    uint64_t limit = DEFAULT_LIMIT;
    struct mlog_query_rows rows;
    size_t n = 0;

    if (get_row_fields(call, fields, &n)
        && mlog_call_get_u64(call, MLOG_OPT_LIMIT, 1, MLOG_ASK_MAX_SHOWN,
                             &limit)
        && mlog_ask_start(ask)
        && mlog_call_query_error(
            call, mlog_query_rows(&ask->snapshot, &ask->range,
                                  &ask->budget, limit, oldest, &rows))) {
        show_rows(ask, &rows, oldest, fields, n);
        mlog_query_rows_destroy(&rows);
    }
}

/* Commands. */

static bool
has_groups(const struct mlog_call *call)
{
    return (mlog_call_has(call, MLOG_OPT_GROUP_BY)
            || mlog_call_has(call, MLOG_OPT_BUCKET)
            || mlog_call_has(call, MLOG_OPT_DISTINCT));
}

/* Refuses options that don't go together, rather than ignoring one. */
static bool
check_options(struct mlog_call *call)
{
    static const struct {
        enum mlog_option a, b;
        const char *message;
    } conflicts[] = {
        { MLOG_OPT_GROUP_BY, MLOG_OPT_COUNT,
          "--count cannot be combined with --group-by, whose groups have "
          "counts" },
        { MLOG_OPT_GROUP_BY, MLOG_OPT_FIELDS,
          "--fields cannot be combined with --group-by, which names the "
          "fields" },
        { MLOG_OPT_GROUP_BY, MLOG_OPT_LIMIT,
          "--limit is for records; use --top with --group-by" },
        { MLOG_OPT_GROUP_BY, MLOG_OPT_OLDEST,
          "--oldest is for records, not for groups" },
        { MLOG_OPT_BUCKET, MLOG_OPT_COUNT,
          "--count cannot be combined with --bucket, whose buckets have "
          "counts" },
        { MLOG_OPT_BUCKET, MLOG_OPT_FIELDS,
          "--fields is for records; use --group-by with --bucket" },
        { MLOG_OPT_BUCKET, MLOG_OPT_LIMIT,
          "--limit is for records; use --top with --bucket" },
        { MLOG_OPT_BUCKET, MLOG_OPT_OLDEST,
          "--oldest is for records, not for --bucket" },
        { MLOG_OPT_DISTINCT, MLOG_OPT_GROUP_BY,
          "--distinct cannot be combined with --group-by, whose groups are "
          "the distinct combinations" },
        { MLOG_OPT_DISTINCT, MLOG_OPT_BUCKET,
          "--distinct cannot be combined with --bucket; use --group-by with "
          "--bucket" },
        { MLOG_OPT_DISTINCT, MLOG_OPT_COUNT,
          "--distinct shows no counts; use --group-by, or --aggregate with "
          "distinct(FIELD)" },
        { MLOG_OPT_DISTINCT, MLOG_OPT_AGGREGATE,
          "--distinct shows fields alone; use --group-by with --aggregate" },
        { MLOG_OPT_DISTINCT, MLOG_OPT_FIELDS,
          "--fields is for records; --distinct names its fields itself" },
        { MLOG_OPT_DISTINCT, MLOG_OPT_OLDEST,
          "--oldest is for records, not for --distinct" },
        { MLOG_OPT_DISTINCT, MLOG_OPT_BY,
          "--by is for groups; use --order-by with --distinct" },
        { MLOG_OPT_DISTINCT, MLOG_OPT_TOP,
          "--top is for groups; use --limit with --distinct" },
        { MLOG_OPT_BY, MLOG_OPT_ORDER_BY,
          "--by cannot be combined with --order-by" },
        { MLOG_OPT_ORDER_BY, MLOG_OPT_OLDEST,
          "--oldest cannot be combined with --order-by" },
        { MLOG_OPT_COUNT, MLOG_OPT_FIELDS,
          "--fields is for records, not for --count" },
        { MLOG_OPT_COUNT, MLOG_OPT_LIMIT,
          "--limit is for records, not for --count" },
        { MLOG_OPT_COUNT, MLOG_OPT_OLDEST,
          "--oldest is for records, not for --count" },
        { MLOG_OPT_COUNT, MLOG_OPT_ORDER_BY,
          "--order-by is for records and groups, not for --count" },
        { MLOG_OPT_AGGREGATE, MLOG_OPT_FIELDS,
          "--fields is for records, not for --aggregate" },
        { MLOG_OPT_AGGREGATE, MLOG_OPT_LIMIT,
          "--limit is for records, not for --aggregate" },
        { MLOG_OPT_AGGREGATE, MLOG_OPT_OLDEST,
          "--oldest is for records, not for --aggregate" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(conflicts); i++) {
        if (mlog_call_has(call, conflicts[i].a)
            && mlog_call_has(call, conflicts[i].b)) {
            return mlog_call_error(call, NULL, NULL, "%s",
                                   conflicts[i].message);
        }
    }
    return (has_groups(call)
            || !(mlog_call_has(call, MLOG_OPT_TOP)
                 || mlog_call_has(call, MLOG_OPT_BY)
                 || mlog_call_has(call, MLOG_OPT_HAVING))
            || mlog_call_error(call, NULL, NULL, "--top, --by and --having "
                               "need --group-by or --bucket"));
}

void
mlog_command_query(struct mlog_call *call)
{
    struct mlog_ask ask = { .call = call };

    if (check_options(call)) {
        if (has_groups(call)) {
            mlog_ask_groups(&ask);
        } else if (mlog_call_has(call, MLOG_OPT_COUNT)
                   || mlog_call_has(call, MLOG_OPT_AGGREGATE)) {
            mlog_ask_totals(&ask);
        } else {
            run_rows(&ask);
        }
    }
    mlog_ask_finish(&ask);
}

void
mlog_command_flows(struct mlog_call *call)
{
    struct mlog_ask ask = { .call = call };

    mlog_ask_flows(&ask);
    mlog_ask_finish(&ask);
}
