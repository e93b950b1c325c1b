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

#include "mlog-command-call.h"

#include <errno.h>

#include "mlog-record-table.h"
#include "multilog.h"
#include "openvswitch/json.h"
#include "util.h"

#define DEFAULT_LIMIT 100
#define DEFAULT_TOP 100
#define DEFAULT_TOP_FLOWS 20
#define MAX_SHOWN 1000000

/* What all queries have. */
struct query {
    struct mlog_call *call;
    struct mlog_expr *expr;
    struct mlog_range range;
    struct mlog_budget budget;
    struct mlog_snapshot snapshot;
    bool stale;                 /* The cut is older than the query. */
};

static bool
query_parse_expr(struct query *query)
{
    struct mlog_call *call = query->call;
    struct mlog_error error = MLOG_ERROR_INITIALIZER;
    const char *text = call->n_args ? call->args[0] : "";

    query->expr = mlog_expr_parse(text, &error);
    if (!query->expr) {
        return mlog_call_take_error(call, text, &error);
    }
    return true;
}

/* Everything that the user may have got wrong is known before the digest is
 * troubled for a cut, save for times, which may be relative to it. */
static bool
query_start(struct query *query)
{
    struct mlog_call *call = query->call;

    if (mlog_call_failed(call)
        || !query_parse_expr(query)
        || !mlog_call_get_budget(call, &query->budget)) {
        return false;
    }
    query->stale = multilog_snapshot_take(call->ml, &query->snapshot) != 0;
    if (!mlog_call_get_range(call, query->snapshot.cut, &query->range)) {
        return false;
    }
    query->range.expr = query->expr;
    return true;
}

static void
query_finish(struct query *query)
{
    if (query->snapshot.log) {
        multilog_snapshot_release(&query->snapshot);
    }
    mlog_expr_unref(query->expr);
}

/* Says what was covered, and what is missing. */
static void
put_coverage(const struct query *query,
             const struct mlog_query_totals *totals)
{
    struct mlog_document *doc = &query->call->doc;

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
    if (query->range.since) {
        mlog_document_put_time(doc, "since", query->range.since);
    }
    if (query->range.until != UINT64_MAX) {
        mlog_document_put_time(doc, "until", query->range.until);
    }
    mlog_document_put_time(doc, "cut", query->snapshot.cut);
    if (query->stale) {
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

        mlog_time_format(query->snapshot.expired_until, &time);
        mlog_document_note(doc, "records up to %s have expired, to stay "
                           "within the memory budget", ds_cstr(&time));
        ds_destroy(&time);
    }
}

static void
put_summary(const struct query *query, const char *what, size_t n_shown,
            size_t n, const struct mlog_query_totals *totals)
{
    struct mlog_document *doc = &query->call->doc;
    struct ds cut = DS_EMPTY_INITIALIZER;

    mlog_time_format(query->snapshot.cut, &cut);
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
show_rows(struct query *query, const struct mlog_query_rows *rows,
          bool oldest, const struct mlog_field *const fields[], size_t n)
{
    struct mlog_document *doc = &query->call->doc;
    struct mlog_table *table = mlog_document_table(doc, "rows");
    size_t n_shown;

    mlog_record_add_columns(table, fields, n);
    if (!mlog_call_has(query->call, MLOG_OPT_FIELDS)) {
        mlog_table_hide_empty(table);
    }
    n_shown = put_rows(rows, oldest, fields, n, table);
    doc->reverse = !oldest;

    mlog_document_put_u64(doc, "shown", n_shown);
    mlog_document_put_bool(doc, "truncated", n_shown < rows->totals.count);
    put_summary(query, NULL, n_shown, 0, &rows->totals);
    if (n_shown < rows->n) {
        mlog_document_note(doc, "the reply was cut at %u MiB",
                           MLOG_REPLY_MAX >> 20);
    } else if (n_shown < rows->totals.count) {
        mlog_document_note(doc, "%"PRIu64" %s records are not shown; see "
                           "--limit", rows->totals.count - n_shown,
                           oldest ? "newer" : "older");
    }
    put_coverage(query, &rows->totals);
}

static void
run_rows(struct query *query)
{
    struct mlog_call *call = query->call;
    const struct mlog_field *fields[MLOG_N_FIELDS];
    bool oldest = mlog_call_has(call, MLOG_OPT_OLDEST);
    uint64_t limit = DEFAULT_LIMIT;
    struct mlog_query_rows rows;
    size_t n = 0;

    if (get_row_fields(call, fields, &n)
        && mlog_call_get_u64(call, MLOG_OPT_LIMIT, 1, MAX_SHOWN, &limit)
        && query_start(query)
        && mlog_call_query_error(
            call, mlog_query_rows(&query->snapshot, &query->range,
                                  &query->budget, limit, oldest, &rows))) {
        show_rows(query, &rows, oldest, fields, n);
        mlog_query_rows_destroy(&rows);
    }
}

/* Groups and aggregates. */

static void
put_aggregate(struct mlog_table *table, const struct mlog_groups *groups,
              uint32_t id, size_t i,
              const struct mlog_query_aggregate *aggregate)
{
    struct mlog_value value;
    uint64_t n;

    if (!mlog_groups_aggregate(groups, id, i, &value, &n)) {
        mlog_table_put_absent(table);
        return;
    }
    switch (aggregate->func) {
    case MLOG_QF_COUNT:
    case MLOG_QF_SUM:
        mlog_table_put_u64(table, value.lo);
        break;
    case MLOG_QF_AVG:
        mlog_table_put_real(table, (double) value.lo / n);
        break;
    case MLOG_QF_MIN:
    case MLOG_QF_MAX:
        mlog_table_put_field(table, aggregate->field, &value);
        break;
    }
}

static void
add_aggregate_columns(struct mlog_table *table,
                      const struct mlog_group_spec *spec)
{
    for (size_t i = 0; i < spec->n_aggregates; i++) {
        struct ds name = DS_EMPTY_INITIALIZER;

        mlog_query_aggregate_format(&spec->aggregates[i], &name);
        mlog_table_add_column(table, ds_cstr(&name), true);
        ds_destroy(&name);
    }
}

static void
put_group(const struct mlog_groups *groups,
          const struct mlog_group_spec *spec, uint32_t id,
          struct mlog_table *table)
{
    const struct mlog_query_group *group = mlog_groups_get(groups, id);

    for (size_t i = 0; i < spec->n_fields; i++) {
        struct mlog_value value;

        if (mlog_groups_field(groups, id, i, &value)) {
            mlog_table_put_field(table, spec->fields[i], &value);
        } else {
            mlog_table_put_absent(table);
        }
    }
    mlog_table_put_u64(table, group->count);
    mlog_table_put_u64(table, group->bytes);
    for (size_t i = 0; i < spec->n_aggregates; i++) {
        put_aggregate(table, groups, id, i, &spec->aggregates[i]);
    }
}

/* What is common to groups and flows: 'ids' are those to be shown, of which
 * 'n_shown' found room. */
static void
put_groups_end(struct query *query, const struct mlog_groups *groups,
               const uint32_t *ids, size_t n_shown, const char *what,
               const char *count_name)
{
    const struct mlog_query_totals *totals = mlog_groups_totals(groups);
    struct mlog_document *doc = &query->call->doc;
    size_t n = mlog_groups_count(groups);
    uint64_t count = totals->count;
    uint64_t bytes = totals->bytes;
    char *n_name = xasprintf("n_%s", what);

    for (size_t i = 0; i < n_shown; i++) {
        const struct mlog_query_group *group = mlog_groups_get(groups, ids[i]);

        count -= group->count;
        bytes -= group->bytes;
    }
    mlog_document_put_u64(doc, n_name, n);
    free(n_name);
    mlog_document_put_bool(doc, "truncated", n_shown < n);
    put_summary(query, what, n_shown, n, totals);
    if (n_shown < n) {
        struct json *other = json_object_create();

        json_object_put(other, count_name, json_integer_create(count));
        json_object_put(other, "bytes", json_integer_create(bytes));
        mlog_document_put_json(doc, "other", other);
        mlog_document_note(doc, "%"PRIuSIZE" more %s with %"PRIu64" records, "
                           "%"PRIu64" bytes are not shown; see --top",
                           n - n_shown, what, count, bytes);
    }
    put_coverage(query, totals);
}

static void
show_groups(struct query *query, const struct mlog_groups *groups,
            const struct mlog_group_spec *spec, int by, size_t top)
{
    struct mlog_table *table = mlog_document_table(&query->call->doc,
                                                   "groups");
    size_t n = MIN(mlog_groups_count(groups), top);
    uint32_t *ids = mlog_groups_top(groups, by, n);
    size_t n_shown;

    mlog_record_add_columns(table, spec->fields, spec->n_fields);
    mlog_table_add_column(table, "count", true);
    mlog_table_add_column(table, "bytes", true);
    add_aggregate_columns(table, spec);
    for (n_shown = 0; n_shown < n; n_shown++) {
        if (mlog_table_is_full(table, MLOG_REPLY_MAX)) {
            break;
        }
        put_group(groups, spec, ids[n_shown], table);
    }
    put_groups_end(query, groups, ids, n_shown, "groups", "count");
    free(ids);
}

/* Sets '*by' from --by: count, bytes, or one of the aggregates. */
static bool
get_by(struct mlog_call *call, const struct mlog_group_spec *spec, int *by)
{
    const char *key = call->options[MLOG_OPT_BY];
    struct ds message = DS_EMPTY_INITIALIZER;

    *by = MLOG_GROUPS_BY_COUNT;
    if (!key || !strcmp(key, "count")) {
        return true;
    } else if (!strcmp(key, "bytes")) {
        *by = MLOG_GROUPS_BY_BYTES;
        return true;
    }

    ds_put_cstr(&message, "--by: ");
    mlog_put_quoted(&message, key);
    ds_put_cstr(&message, " is not shown; what is: count, bytes");
    for (size_t i = 0; i < spec->n_aggregates; i++) {
        struct ds name = DS_EMPTY_INITIALIZER;
        bool found;

        mlog_query_aggregate_format(&spec->aggregates[i], &name);
        found = !strcmp(ds_cstr(&name), key);
        ds_put_format(&message, ", %s", ds_cstr(&name));
        ds_destroy(&name);
        if (found) {
            *by = i;
            ds_destroy(&message);
            return true;
        }
    }
    return mlog_call_take_message(call, key, key, ds_steal_cstr(&message));
}

static void
run_groups(struct query *query)
{
    struct mlog_call *call = query->call;
    struct mlog_group_spec spec = { .n_fields = 0 };
    struct mlog_groups *groups;
    uint64_t top = DEFAULT_TOP;
    int by;

    if (mlog_call_get_fields(call, MLOG_OPT_GROUP_BY, MLOG_QUERY_MAX_FIELDS,
                             spec.fields, &spec.n_fields)
        && mlog_call_get_aggregates(call, MLOG_OPT_AGGREGATE, spec.aggregates,
                                    &spec.n_aggregates)
        && mlog_call_get_u64(call, MLOG_OPT_TOP, 1, MAX_SHOWN, &top)
        && get_by(call, &spec, &by)
        && query_start(query)
        && mlog_call_query_error(
            call, mlog_query_groups(&query->snapshot, &query->range,
                                    &query->budget, &spec, &groups))) {
        show_groups(query, groups, &spec, by, top);
        mlog_groups_destroy(groups);
    }
}

/* Counts without groups: one row, or in JSON members of the document. */

static void
put_json_aggregate(struct mlog_document *doc, const struct mlog_groups *groups,
                   size_t i, const struct mlog_query_aggregate *aggregate)
{
    struct ds name = DS_EMPTY_INITIALIZER;
    struct mlog_value value;
    uint64_t n;

    mlog_query_aggregate_format(aggregate, &name);
    if (mlog_groups_aggregate(groups, 0, i, &value, &n)) {
        switch (aggregate->func) {
        case MLOG_QF_COUNT:
        case MLOG_QF_SUM:
            mlog_document_put_u64(doc, ds_cstr(&name), value.lo);
            break;
        case MLOG_QF_AVG:
            mlog_document_put_json(doc, ds_cstr(&name),
                                   json_real_create((double) value.lo / n));
            break;
        case MLOG_QF_MIN:
        case MLOG_QF_MAX:
            mlog_document_put_json(doc, ds_cstr(&name),
                                   mlog_field_to_json(aggregate->field,
                                                      &value));
            break;
        }
    }
    ds_destroy(&name);
}

static void
show_totals(struct query *query, const struct mlog_groups *groups,
            const struct mlog_group_spec *spec,
            const struct mlog_query_totals *totals)
{
    struct mlog_document *doc = &query->call->doc;

    if (doc->format == MLOG_FORMAT_JSON) {
        for (size_t i = 0; i < spec->n_aggregates; i++) {
            put_json_aggregate(doc, groups, i, &spec->aggregates[i]);
        }
    } else {
        struct mlog_table *table = mlog_document_table(doc, "totals");

        mlog_table_add_column(table, "count", true);
        mlog_table_add_column(table, "bytes", true);
        add_aggregate_columns(table, spec);
        mlog_table_put_u64(table, totals->count);
        mlog_table_put_u64(table, totals->bytes);
        for (size_t i = 0; i < spec->n_aggregates; i++) {
            put_aggregate(table, groups, 0, i, &spec->aggregates[i]);
        }
    }
    put_coverage(query, totals);
}

static void
run_totals(struct query *query)
{
    struct mlog_call *call = query->call;
    struct mlog_group_spec spec = { .n_fields = 0 };
    struct mlog_query_totals totals;
    struct mlog_groups *groups = NULL;
    int error;

    if (!mlog_call_get_aggregates(call, MLOG_OPT_AGGREGATE, spec.aggregates,
                                  &spec.n_aggregates)
        || !query_start(query)) {
        return;
    }
    if (spec.n_aggregates) {
        error = mlog_query_groups(&query->snapshot, &query->range,
                                  &query->budget, &spec, &groups);
        totals = (groups ? *mlog_groups_totals(groups)
                  : (struct mlog_query_totals) { .count = 0 });
    } else {
        error = mlog_query_count(&query->snapshot, &query->range,
                                 &query->budget, &totals);
    }
    if (mlog_call_query_error(call, error)) {
        show_totals(query, groups, &spec, &totals);
    }
    mlog_groups_destroy(groups);
}

/* Flows. */

static const enum mlog_field_id flow_table_fields[] = {
    MLOG_F_FLOW_ID, MLOG_F_IN_PORT_NAME, MLOG_F_VLAN_VID,
    MLOG_F_INNER_VLAN_VID, MLOG_F_DL_TYPE, MLOG_F_NW_PROTO, MLOG_F_L3_SRC,
    MLOG_F_L3_DST, MLOG_F_TP_SRC, MLOG_F_TP_DST, MLOG_F_ICMP_TYPE,
    MLOG_F_ICMP_CODE, MLOG_F_ICMPV6_TYPE, MLOG_F_ICMPV6_CODE, MLOG_F_ARP_OP,
    MLOG_F_ARP_SPA, MLOG_F_ARP_TPA,
};

static const enum mlog_field_id flow_data_fields[] = {
    MLOG_F_FLOW_ID, MLOG_F_IN_PORT, MLOG_F_IN_PORT_NAME, MLOG_F_VLAN_VID,
    MLOG_F_INNER_VLAN_VID, MLOG_F_DL_TYPE, MLOG_F_NW_PROTO, MLOG_F_NW_SRC,
    MLOG_F_NW_DST, MLOG_F_IPV6_SRC, MLOG_F_IPV6_DST, MLOG_F_TP_SRC,
    MLOG_F_TP_DST, MLOG_F_ICMP_TYPE, MLOG_F_ICMP_CODE, MLOG_F_ICMPV6_TYPE,
    MLOG_F_ICMPV6_CODE, MLOG_F_ARP_OP, MLOG_F_ARP_SPA, MLOG_F_ARP_TPA,
};

static void
put_flow(const struct mlog_groups *groups, uint32_t id,
         const struct mlog_field *const fields[], size_t n,
         struct mlog_table *table)
{
    const struct mlog_query_group *group = mlog_groups_get(groups, id);
    struct mlog_flow_key key;
    struct mlog_record record;

    mlog_groups_flow(groups, id, &key, &record);
    mlog_record_put(table, &record, fields, n);
    mlog_table_put_u64(table, group->count);
    mlog_table_put_u64(table, group->bytes);
    mlog_table_put_time(table, group->first);
    mlog_table_put_time(table, group->last);
}

static void
show_flows(struct query *query, const struct mlog_groups *groups, int by,
           size_t top)
{
    struct mlog_document *doc = &query->call->doc;
    struct mlog_table *table = mlog_document_table(doc, "flows");
    const struct mlog_field *fields[MLOG_N_FIELDS];
    size_t n = MIN(mlog_groups_count(groups), top);
    uint32_t *ids = mlog_groups_top(groups, by, n);
    size_t n_fields, n_shown;

    if (doc->format == MLOG_FORMAT_TABLE) {
        n_fields = mlog_record_use_fields(
            flow_table_fields, ARRAY_SIZE(flow_table_fields), fields);
    } else {
        n_fields = mlog_record_use_fields(
            flow_data_fields, ARRAY_SIZE(flow_data_fields), fields);
    }
    mlog_record_add_columns(table, fields, n_fields);
    mlog_table_add_column(table, "packets", true);
    mlog_table_add_column(table, "bytes", true);
    mlog_table_add_column(table, "first", false);
    mlog_table_add_column(table, "last", false);
    mlog_table_hide_empty(table);
    for (n_shown = 0; n_shown < n; n_shown++) {
        if (mlog_table_is_full(table, MLOG_REPLY_MAX)) {
            break;
        }
        put_flow(groups, ids[n_shown], fields, n_fields, table);
    }
    put_groups_end(query, groups, ids, n_shown, "flows", "packets");
    free(ids);
}

static bool
get_flows_by(struct mlog_call *call, int *by)
{
    const char *key = call->options[MLOG_OPT_BY];

    *by = MLOG_GROUPS_BY_BYTES;
    if (key && !strcmp(key, "packets")) {
        *by = MLOG_GROUPS_BY_COUNT;
    } else if (key && strcmp(key, "bytes")) {
        return mlog_call_error(call, key, key,
                               "--by: needs \"bytes\" or \"packets\"");
    }
    return true;
}

static void
run_flows(struct query *query)
{
    struct mlog_call *call = query->call;
    struct mlog_group_spec spec = { .by_flow = true };
    struct mlog_groups *groups;
    uint64_t top = DEFAULT_TOP_FLOWS;
    int by;

    if (mlog_call_get_u64(call, MLOG_OPT_TOP, 1, MAX_SHOWN, &top)
        && get_flows_by(call, &by)
        && query_start(query)
        && mlog_call_query_error(
            call, mlog_query_groups(&query->snapshot, &query->range,
                                    &query->budget, &spec, &groups))) {
        show_flows(query, groups, by, top);
        mlog_groups_destroy(groups);
    }
}

/* Commands. */

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
        { MLOG_OPT_COUNT, MLOG_OPT_FIELDS,
          "--fields is for records, not for --count" },
        { MLOG_OPT_COUNT, MLOG_OPT_LIMIT,
          "--limit is for records, not for --count" },
        { MLOG_OPT_COUNT, MLOG_OPT_OLDEST,
          "--oldest is for records, not for --count" },
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
    if (!mlog_call_has(call, MLOG_OPT_GROUP_BY)
        && (mlog_call_has(call, MLOG_OPT_TOP)
            || mlog_call_has(call, MLOG_OPT_BY))) {
        return mlog_call_error(call, NULL, NULL, "--top and --by need "
                               "--group-by");
    }
    return true;
}

void
mlog_command_query(struct mlog_call *call)
{
    struct query query = { .call = call };

    if (check_options(call)) {
        if (mlog_call_has(call, MLOG_OPT_GROUP_BY)) {
            run_groups(&query);
        } else if (mlog_call_has(call, MLOG_OPT_COUNT)
                   || mlog_call_has(call, MLOG_OPT_AGGREGATE)) {
            run_totals(&query);
        } else {
            run_rows(&query);
        }
    }
    query_finish(&query);
}

void
mlog_command_flows(struct mlog_call *call)
{
    struct query query = { .call = call };

    run_flows(&query);
    query_finish(&query);
}
