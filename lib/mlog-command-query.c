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

#include "mlog-record-table.h"
#include "util.h"

#define DEFAULT_LIMIT 100

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

/* The range of rows that a page is about, and how. */
struct row_query {
    const struct mlog_field *fields[MLOG_N_FIELDS];
    size_t n_fields;
    struct mlog_rows_key keys[MLOG_QUERY_MAX_FIELDS];
    size_t n_keys;              /* 0: in the order of time. */
    uint64_t limit;
    bool oldest;
    uint64_t done;              /* Shown on earlier pages. */
    struct mlog_query_rows rows;
};

/* What of the first page's totals holds on each. */
static void
set_totals(const struct mlog_ask *ask, struct row_query *q)
{
    if (ask->has_cursor && !ask->follows) {
        q->rows.totals.count = ask->cursor.count;
        q->rows.totals.bytes = ask->cursor.bytes;
    }
}

/* The row after which to go on. */
static const struct mlog_query_row *
last_shown(const struct row_query *q, size_t n_shown)
{
    return &q->rows.rows[q->oldest ? n_shown - 1 : q->rows.n - n_shown];
}

static void
put_next_page(struct mlog_ask *ask, const struct row_query *q, size_t n_shown)
{
    struct mlog_cursor cursor = {
        .kind = ask->kind,
        .done = q->done + n_shown,
        .count = q->rows.totals.count,
        .bytes = q->rows.totals.bytes,
    };

    if (!q->n_keys) {
        cursor.place = last_shown(q, n_shown)->place;
        cursor.time = last_shown(q, n_shown)->time;
    } else if (cursor.done >= MLOG_QUERY_MAX_SORTED) {
        return;
    }
    mlog_ask_put_next(ask, &cursor);
}

/* The cursor for what comes next: after the last row shown, or if these were
 * all, after the cut. */
static void
put_since(struct mlog_ask *ask, const struct row_query *q, size_t n_shown,
          bool all)
{
    struct mlog_cursor cursor = {
        .kind = MLOG_CURSOR_SINCE_TIME, .time = ask->snapshot.cut,
    };

    if (!all) {
        cursor.kind = MLOG_CURSOR_SINCE_PLACE;
        cursor.place = last_shown(q, n_shown)->place;
        cursor.time = last_shown(q, n_shown)->time;
    }
    mlog_ask_put_next(ask, &cursor);
}

/* Says what of the answer isn't on this page. */
static void
put_rest(struct mlog_ask *ask, const struct row_query *q, size_t n_shown,
         bool more)
{
    struct mlog_document *doc = &ask->call->doc;
    uint64_t count = q->rows.totals.count;
    uint64_t done = q->done + n_shown;

    if (n_shown < q->rows.n) {
        mlog_document_note(doc, "the reply was cut at %u MiB",
                           MLOG_REPLY_MAX >> 20);
    } else if (more && !ask->follows) {
        mlog_document_note(doc, "%"PRIu64" %s records are not shown; see "
                           "--limit", count - MIN(done, count),
                           q->n_keys ? "more" : q->oldest ? "newer"
                           : "older");
    }
    if (ask->has_cursor && !ask->follows) {
        mlog_document_put_u64(doc, "skipped", q->done);
        if (!more && done < count) {
            mlog_document_put_u64(doc, "missing", count - done);
            mlog_document_note(doc, "%"PRIu64" records that the first page "
                               "counted have expired since", count - done);
        }
    }
}

static void
show_rows(struct mlog_ask *ask, struct row_query *q)
{
    struct mlog_document *doc = &ask->call->doc;
    struct mlog_table *table = mlog_document_table(doc, "rows");
    bool more;
    size_t n_shown;

    mlog_record_add_columns(table, q->fields, q->n_fields);
    if (!mlog_call_has(ask->call, MLOG_OPT_FIELDS)) {
        mlog_table_hide_empty(table);
    }
    n_shown = put_rows(&q->rows, q->oldest, q->fields, q->n_fields, table);
    doc->reverse = !q->oldest;
    more = q->rows.more || n_shown < q->rows.n;

    mlog_document_put_u64(doc, "shown", n_shown);
    mlog_document_put_bool(doc, "truncated", more);
    mlog_ask_put_summary(ask, NULL, n_shown, 0, &q->rows.totals);
    put_rest(ask, q, n_shown, more);
    if (ask->follows) {
        put_since(ask, q, n_shown, !more);
    } else {
        mlog_ask_put_meanwhile(ask, q->oldest && !q->n_keys
                                    ? ask->cursor.time : ask->range.since);
        if (more) {
            put_next_page(ask, q, n_shown);
        }
    }
    mlog_ask_put_coverage(ask, &q->rows.totals);
}

/* Gets --order-by, which is of fields. */
static bool
get_keys(struct mlog_call *call, struct row_query *q)
{
    const char *word = call->options[MLOG_OPT_ORDER_BY];
    const char *p = word;

    while (p) {
        bool minus = *p == '-';
        size_t length = strcspn(p, ",");
        struct mlog_rows_key *key = &q->keys[q->n_keys];

        if (q->n_keys >= MLOG_QUERY_MAX_FIELDS) {
            return mlog_call_error(call, word, p, "--order-by: at most %d "
                                   "fields are possible",
                                   MLOG_QUERY_MAX_FIELDS);
        }
        key->descending = minus;
        key->field = mlog_call_parse_field(call, word, p + minus,
                                           length - minus);
        if (!key->field) {
            return false;
        }
        q->n_keys++;
        p = p[length] ? p + length + 1 : NULL;
    }
    return true;
}

static bool
parse_row_query(struct mlog_ask *ask, struct row_query *q)
{
    struct mlog_call *call = ask->call;

    q->limit = DEFAULT_LIMIT;
    q->oldest = (mlog_call_has(call, MLOG_OPT_OLDEST)
                 || mlog_call_has(call, MLOG_OPT_SINCE_CURSOR)
                 || mlog_call_has(call, MLOG_OPT_ORDER_BY));
    if (!get_row_fields(call, q->fields, &q->n_fields)
        || !mlog_call_get_u64(call, MLOG_OPT_LIMIT, 1, MLOG_ASK_MAX_SHOWN,
                              &q->limit)
        || !get_keys(call, q)) {
        return false;
    }
    ask->kind = (q->n_keys ? MLOG_CURSOR_SKIP
                 : q->oldest ? MLOG_CURSOR_OLDEST
                 : MLOG_CURSOR_NEWEST);
    ask->output = q->n_keys ? "records in an order" : "records";
    return true;
}

/* Returns 0 or an errno value. */
static int
query_page(struct mlog_ask *ask, struct row_query *q)
{
    bool has_place = ask->has_cursor
                     && ask->cursor.kind != MLOG_CURSOR_SINCE_TIME;
    struct mlog_place after = ask->cursor.place;
    struct mlog_range covered = ask->range;
    int error;

    after.row++;
    error = mlog_query_page(&ask->snapshot, &ask->range, &ask->budget,
                            q->limit, q->oldest, has_place ? &after : NULL,
                            has_place ? &ask->cursor.place : NULL, &q->rows);
    if (!error && ask->follows && has_place) {
        covered.since = MAX(covered.since, ask->cursor.time);
        mlog_query_get_missing(&ask->snapshot, &covered, &q->rows.totals);
    }
    return error;
}

static int
query_sorted(struct mlog_ask *ask, struct row_query *q)
{
    q->limit = MIN(q->limit, MLOG_QUERY_MAX_SORTED - q->done);
    return mlog_query_sorted(&ask->snapshot, &ask->range, &ask->budget,
                             q->keys, q->n_keys, q->done, q->limit, &q->rows);
}

static void
run_rows(struct mlog_ask *ask)
{
    struct row_query q = { .n_keys = 0 };
    int error;

    if (!parse_row_query(ask, &q) || !mlog_ask_start(ask)) {
        return;
    }
    q.done = ask->follows ? 0 : ask->cursor.done;
    if (q.n_keys && q.done >= MLOG_QUERY_MAX_SORTED) {
        mlog_call_error(ask->call, NULL, NULL, "--cursor: no more than %d "
                        "records can be put into an order",
                        MLOG_QUERY_MAX_SORTED);
        return;
    }
    error = (q.n_keys ? query_sorted(ask, &q)
             : ask->has_cursor || ask->follows ? query_page(ask, &q)
             : mlog_query_rows(&ask->snapshot, &ask->range, &ask->budget,
                               q.limit, q.oldest, &q.rows));
    mlog_ask_done(ask);
    if (mlog_call_query_error(ask->call, error)) {
        set_totals(ask, &q);
        show_rows(ask, &q);
        mlog_query_rows_destroy(&q.rows);
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
        { MLOG_OPT_CURSOR, MLOG_OPT_SINCE_CURSOR,
          "--cursor cannot be combined with --since-cursor" },
        { MLOG_OPT_CURSOR, MLOG_OPT_COUNT,
          "--cursor is for answers that have a next page; --count has none" },
        { MLOG_OPT_SINCE_CURSOR, MLOG_OPT_COUNT,
          "--since-cursor is for records, not for --count" },
        { MLOG_OPT_SINCE_CURSOR, MLOG_OPT_AGGREGATE,
          "--since-cursor is for records, not for --aggregate" },
        { MLOG_OPT_SINCE_CURSOR, MLOG_OPT_OLDEST,
          "--since-cursor shows the oldest records first anyway" },
        { MLOG_OPT_SINCE_CURSOR, MLOG_OPT_ORDER_BY,
          "--since-cursor is for records in the order of time, not for "
          "--order-by" },
        { MLOG_OPT_SINCE_CURSOR, MLOG_OPT_GROUP_BY,
          "--since-cursor is for records, not for groups" },
        { MLOG_OPT_SINCE_CURSOR, MLOG_OPT_BUCKET,
          "--since-cursor is for records, not for buckets" },
        { MLOG_OPT_SINCE_CURSOR, MLOG_OPT_DISTINCT,
          "--since-cursor is for records, not for --distinct" },
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
