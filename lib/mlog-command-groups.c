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
#include "openvswitch/json.h"
#include "util.h"

#define DEFAULT_TOP_FLOWS 20
#define DEFAULT_BUCKETS 10000
#define DEFAULT_DISTINCT 1000
#define MIN_BUCKET_NS 1000

/* Groups and aggregates. */

/* Appends "10.0.0.1 (50), 10.0.0.2 (20)". */
static void
put_items(struct mlog_table *table, const struct mlog_field *field,
          const struct mlog_query_item items[], size_t n)
{
    struct ds text = DS_EMPTY_INITIALIZER;

    for (size_t i = 0; i < n; i++) {
        ds_put_cstr(&text, i ? ", " : "");
        mlog_field_format(field, &items[i].value, &text);
        ds_put_format(&text, " (%"PRIu64")", items[i].count);
    }
    mlog_table_put_string(table, n ? ds_cstr(&text) : NULL);
    ds_destroy(&text);
}

static struct json *
items_to_json(const struct mlog_field *field,
              const struct mlog_query_item items[], size_t n)
{
    struct json *array = json_array_create_empty();

    for (size_t i = 0; i < n; i++) {
        struct json *item = json_object_create();

        json_object_put(item, "value",
                        mlog_field_to_json(field, &items[i].value));
        json_object_put(item, "count", json_integer_create(items[i].count));
        if (items[i].error) {
            json_object_put(item, "error",
                            json_integer_create(items[i].error));
        }
        json_array_add(array, item);
    }
    return array;
}

static void
put_top_values(struct mlog_table *table, enum mlog_format format,
               const struct mlog_groups *groups, uint32_t id, size_t i,
               const struct mlog_query_aggregate *aggregate)
{
    struct mlog_query_item *items = xmalloc(aggregate->param * sizeof *items);
    size_t n = mlog_groups_top_values(groups, id, i, items);

    if (format == MLOG_FORMAT_TABLE) {
        put_items(table, aggregate->field, items, n);
    } else {
        struct json *json = items_to_json(aggregate->field, items, n);

        mlog_table_put_json(table, json);
        json_destroy(json);
    }
    free(items);
}

static void
put_real(struct mlog_table *table, const struct mlog_groups *groups,
         uint32_t id, size_t i)
{
    double real;

    if (mlog_groups_real(groups, id, i, &real)) {
        mlog_table_put_real(table, real);
    } else {
        mlog_table_put_absent(table);
    }
}

void
mlog_ask_put_aggregate(struct mlog_table *table, enum mlog_format format,
                       const struct mlog_groups *groups, uint32_t id,
                       size_t i, const struct mlog_query_aggregate *aggregate)
{
    struct mlog_value value;
    uint64_t n;

    switch (aggregate->func) {
    case MLOG_QF_COUNT:
    case MLOG_QF_SUM:
    case MLOG_QF_DISTINCT:
        mlog_groups_aggregate(groups, id, i, &value, &n);
        mlog_table_put_u64(table, value.lo);
        break;
    case MLOG_QF_AVG:
    case MLOG_QF_RATE:
    case MLOG_QF_STDDEV:
        put_real(table, groups, id, i);
        break;
    case MLOG_QF_MIN:
    case MLOG_QF_MAX:
    case MLOG_QF_PERCENTILE:
        if (mlog_groups_aggregate(groups, id, i, &value, &n)) {
            mlog_table_put_field(table, aggregate->field, &value);
        } else {
            mlog_table_put_absent(table);
        }
        break;
    case MLOG_QF_TOPK:
        put_top_values(table, format, groups, id, i, aggregate);
        break;
    }
}

/* The greatest error of aggregate 'i' in the groups 'ids', and how many of
 * these have one. */
static size_t
greatest_error(const struct mlog_groups *groups, size_t i,
               const uint32_t *ids, size_t n, double *greatest)
{
    size_t n_errors = 0;

    *greatest = 0;
    for (size_t j = 0; j < n; j++) {
        double error = mlog_groups_error(groups, ids[j], i);

        n_errors += error > 0;
        *greatest = MAX(*greatest, error);
    }
    return n_errors;
}

static void
note_estimate(struct mlog_document *doc,
              const struct mlog_query_aggregate *aggregate, const char *name,
              size_t n, double error)
{
    const char *of = (aggregate->func == MLOG_QF_DISTINCT
                      ? "with a standard error of %.2g %%"
                      : aggregate->func == MLOG_QF_PERCENTILE
                      ? "to within %.2g %%"
                      : "values with up to %.2g %% of the records may be "
                      "missing");
    char *text = xasprintf(of, error * 100);

    mlog_document_note(doc, "%s is estimated in %"PRIuSIZE" groups, %s", name,
                       n, text);
    free(text);
}

/* Says which functions were not computed exactly. */
static void
put_estimates(struct mlog_document *doc, const struct mlog_groups *groups,
              const struct mlog_group_spec *spec, const uint32_t *ids,
              size_t n)
{
    struct json *estimated = NULL;

    for (size_t i = 0; i < spec->n_aggregates; i++) {
        double error;
        size_t n_errors = greatest_error(groups, i, ids, n, &error);

        if (n_errors) {
            struct ds name = DS_EMPTY_INITIALIZER;
            struct json *json = json_object_create();

            mlog_query_aggregate_format(&spec->aggregates[i], &name);
            json_object_put(json, "groups", json_integer_create(n_errors));
            json_object_put(json, "error", json_real_create(error));
            estimated = estimated ? estimated : json_object_create();
            json_object_put(estimated, ds_cstr(&name), json);
            note_estimate(doc, &spec->aggregates[i], ds_cstr(&name), n_errors,
                          error);
            ds_destroy(&name);
        }
    }
    if (estimated) {
        mlog_document_put_json(doc, "estimated", estimated);
    }
}

/* Says what rates refer to. */
static void
put_seconds(struct mlog_document *doc, const struct mlog_groups *groups,
            const struct mlog_group_spec *spec)
{
    for (size_t i = 0; i < spec->n_aggregates; i++) {
        if (spec->aggregates[i].func == MLOG_QF_RATE) {
            mlog_document_put_json(
                doc, "seconds", json_real_create(mlog_groups_seconds(groups)));
            return;
        }
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

/* What is asked for and how it is to be shown. */
struct group_query {
    struct mlog_group_spec spec;
    struct mlog_groups_key keys[MLOG_QUERY_MAX_FIELDS];
    size_t n_keys;
    struct mlog_having having[MLOG_QUERY_MAX_HAVING];
    size_t n_having;
    uint64_t top;
    const char *what;           /* "groups": name of the table. */
    const char *count_name;
    bool distinct;              /* Fields alone. */

    struct mlog_groups *groups;
    uint32_t *ids;              /* In order. */
    size_t n;                   /* Of them. */
    size_t skip;                /* Shown on earlier pages. */
};

/* Number of groups after those that 'n_shown' were shown of on this page. */
static size_t
n_left(const struct group_query *q, size_t n_shown)
{
    return q->n - MIN(q->n, q->skip + n_shown);
}

static void
add_group_columns(struct mlog_table *table, const struct group_query *q)
{
    const struct mlog_group_spec *spec = &q->spec;

    if (spec->bucket) {
        mlog_table_add_column(table, "bucket", false);
    }
    mlog_record_add_columns(table, spec->fields, spec->n_fields);
    if (!q->distinct) {
        mlog_table_add_column(table, "count", true);
        mlog_table_add_column(table, "bytes", true);
        add_aggregate_columns(table, spec);
    }
}

void
mlog_ask_put_bucket(struct mlog_table *table, uint64_t start)
{
    struct ds text = DS_EMPTY_INITIALIZER;

    mlog_time_format(start, &text);
    mlog_table_put_string(table, ds_cstr(&text));
    ds_destroy(&text);
}

static void
put_group(const struct group_query *q, enum mlog_format format, uint32_t id,
          struct mlog_table *table)
{
    const struct mlog_query_group *group = mlog_groups_get(q->groups, id);
    const struct mlog_group_spec *spec = &q->spec;

    if (spec->bucket) {
        mlog_ask_put_bucket(table, mlog_groups_bucket(q->groups, id));
    }
    for (size_t i = 0; i < spec->n_fields; i++) {
        struct mlog_value value;

        if (mlog_groups_field(q->groups, id, i, &value)) {
            mlog_table_put_field(table, spec->fields[i], &value);
        } else {
            mlog_table_put_absent(table);
        }
    }
    if (q->distinct) {
        return;
    }
    mlog_table_put_u64(table, group->count);
    mlog_table_put_u64(table, group->bytes);
    for (size_t i = 0; i < spec->n_aggregates; i++) {
        mlog_ask_put_aggregate(table, format, q->groups, id, i,
                               &spec->aggregates[i]);
    }
}

/* What the groups that follow have together. */
static void
put_other(struct mlog_document *doc, const struct group_query *q,
          size_t n_shown)
{
    struct json *other = json_object_create();
    uint64_t count = 0, bytes = 0;

    for (size_t i = q->skip + n_shown; i < q->n; i++) {
        const struct mlog_query_group *group = mlog_groups_get(q->groups,
                                                               q->ids[i]);

        count += group->count;
        bytes += group->bytes;
    }
    json_object_put(other, q->count_name, json_integer_create(count));
    json_object_put(other, "bytes", json_integer_create(bytes));
    mlog_document_put_json(doc, "other", other);
    mlog_document_note(doc, "%"PRIuSIZE" more %s with %"PRIu64" records, "
                       "%"PRIu64" bytes are not shown; see --%s",
                       n_left(q, n_shown), q->what, count, bytes,
                       q->distinct ? "limit" : "top");
}

/* What is common to groups and flows, 'n_shown' of which found room. */
static void
put_groups_end(struct mlog_ask *ask, const struct group_query *q,
               size_t n_shown)
{
    const struct mlog_query_totals *totals = mlog_groups_totals(q->groups);
    struct mlog_document *doc = &ask->call->doc;
    char *n_name = xasprintf("n_%s", q->what);

    mlog_document_put_u64(doc, n_name, q->n);
    free(n_name);
    if (q->spec.bucket) {
        mlog_document_put_u64(doc, "bucket_ns", q->spec.bucket);
    }
    mlog_document_put_bool(doc, "truncated", n_left(q, n_shown) > 0);
    mlog_ask_put_summary(ask, q->what, n_shown, q->n, totals);
    if (ask->has_cursor) {
        mlog_document_put_u64(doc, "skipped", q->skip);
        mlog_ask_put_meanwhile(ask, ask->range.since);
    }
    if (n_left(q, n_shown)) {
        struct mlog_cursor cursor = {
            .kind = MLOG_CURSOR_SKIP, .done = q->skip + n_shown,
        };

        put_other(doc, q, n_shown);
        mlog_ask_put_next(ask, &cursor);
    }
    put_seconds(doc, q->groups, &q->spec);
    put_estimates(doc, q->groups, &q->spec, q->ids + q->skip, n_shown);
    mlog_ask_put_coverage(ask, totals);
}

static void
show_groups(struct mlog_ask *ask, struct group_query *q)
{
    struct mlog_document *doc = &ask->call->doc;
    struct mlog_table *table = mlog_document_table(doc, q->what);
    size_t n = MIN(n_left(q, 0), q->top);
    size_t n_shown;

    add_group_columns(table, q);
    for (n_shown = 0; n_shown < n; n_shown++) {
        if (mlog_table_is_full(table, MLOG_REPLY_MAX)) {
            break;
        }
        put_group(q, doc->format, q->ids[q->skip + n_shown], table);
    }
    put_groups_end(ask, q, n_shown);
}

/* Runs the query and puts the groups into their order. */
static bool
run_group_query(struct mlog_ask *ask, struct group_query *q)
{
    ask->kind = MLOG_CURSOR_SKIP;
    ask->output = q->what;
    if (!mlog_ask_start(ask)
        || !mlog_call_query_error(
            ask->call, mlog_query_groups(&ask->snapshot, &ask->range,
                                         &ask->budget, &q->spec,
                                         &q->groups))) {
        return false;
    }
    q->ids = mlog_groups_order(q->groups, q->keys, q->n_keys, q->having,
                               q->n_having, &q->n);
    q->skip = ask->has_cursor ? MIN(ask->cursor.done, q->n) : 0;
    mlog_ask_done(ask);
    return true;
}

static void
finish_group_query(struct group_query *q)
{
    mlog_groups_destroy(q->groups);
    free(q->ids);
}

/* Gets --by: one key, in descending order, or with '-' in ascending order. */
static bool
get_by(struct mlog_call *call, struct group_query *q)
{
    const char *word = call->options[MLOG_OPT_BY];

    if (word) {
        bool minus = *word == '-';

        q->n_keys = 1;
        q->keys[0].ascending = minus;
        return mlog_call_parse_key(call, "--by", word, word + minus,
                                   strlen(word + minus), &q->spec,
                                   &q->keys[0].by);
    }
    return true;
}

/* Gets --order-by: keys, in ascending order, or with '-' in descending
 * order. */
static bool
get_order_by(struct mlog_call *call, struct group_query *q)
{
    const char *word = call->options[MLOG_OPT_ORDER_BY];
    const char *p = word;

    q->n_keys = word ? 0 : q->n_keys;
    while (p) {
        bool minus = *p == '-';
        size_t length = minus + strcspn(p + minus, ",(");

        length += p[length] == '(' ? strcspn(p + length, ")") : 0;
        length += p[length] == ')';
        if (q->n_keys >= ARRAY_SIZE(q->keys)) {
            return mlog_call_error(call, word, p, "--order-by: at most %d "
                                   "keys are possible",
                                   MLOG_QUERY_MAX_FIELDS);
        }
        q->keys[q->n_keys].ascending = !minus;
        if (!mlog_call_parse_key(call, "--order-by", word, p + minus,
                                 length - minus, &q->spec,
                                 &q->keys[q->n_keys].by)) {
            return false;
        }
        q->n_keys++;
        if (p[length] && p[length] != ',') {
            return mlog_call_error(call, word, p + length, "--order-by: "
                                   "expected ',' or the end here");
        }
        p = p[length] ? p + length + 1 : NULL;
    }
    return true;
}

bool
mlog_ask_get_bucket(struct mlog_call *call, uint64_t *bucket)
{
    const char *word = call->options[MLOG_OPT_BUCKET];

    return (mlog_call_get_duration(call, MLOG_OPT_BUCKET, bucket)
            && (!word || *bucket >= MIN_BUCKET_NS
                || mlog_call_error(call, word, word, "--bucket: must be at "
                                   "least 1us")));
}

/* Says what is shown and in which order, unless the user does. */
static void
set_defaults(const struct mlog_call *call, struct group_query *q)
{
    q->top = MLOG_ASK_DEFAULT_TOP;
    q->what = "groups";
    q->count_name = "count";
    if (mlog_call_has(call, MLOG_OPT_BUCKET)) {
        q->top = DEFAULT_BUCKETS;
        q->what = "buckets";
    } else if (mlog_call_has(call, MLOG_OPT_DISTINCT)) {
        q->top = DEFAULT_DISTINCT;
        q->what = "distinct";
        q->distinct = true;
    } else {
        q->keys[0].by = MLOG_GROUPS_BY_COUNT;
        q->n_keys = 1;
    }
}

static bool
parse_group_query(struct mlog_call *call, struct group_query *q)
{
    enum mlog_option fields = (mlog_call_has(call, MLOG_OPT_DISTINCT)
                               ? MLOG_OPT_DISTINCT : MLOG_OPT_GROUP_BY);
    enum mlog_option limit = (mlog_call_has(call, MLOG_OPT_LIMIT)
                              ? MLOG_OPT_LIMIT : MLOG_OPT_TOP);

    set_defaults(call, q);
    return (mlog_call_get_fields(call, fields, MLOG_QUERY_MAX_FIELDS,
                                 q->spec.fields, &q->spec.n_fields)
            && mlog_ask_get_bucket(call, &q->spec.bucket)
            && mlog_call_get_aggregates(call, MLOG_OPT_AGGREGATE,
                                        q->spec.aggregates,
                                        &q->spec.n_aggregates)
            && mlog_call_get_u64(call, limit, 1, MLOG_ASK_MAX_SHOWN, &q->top)
            && get_by(call, q)
            && get_order_by(call, q)
            && mlog_call_get_having(call, &q->spec, q->having,
                                    &q->n_having));
}

void
mlog_ask_groups(struct mlog_ask *ask)
{
    struct group_query q = { .n_keys = 0 };

    if (parse_group_query(ask->call, &q) && run_group_query(ask, &q)) {
        show_groups(ask, &q);
    }
    finish_group_query(&q);
}

/* Counts without groups: one row, or in JSON members of the document. */

static struct json *
aggregate_to_json(const struct mlog_groups *groups, size_t i,
                  const struct mlog_query_aggregate *aggregate)
{
    struct mlog_query_item *items;
    struct mlog_value value;
    struct json *json;
    double real;
    uint64_t n;

    switch (aggregate->func) {
    case MLOG_QF_COUNT:
    case MLOG_QF_SUM:
    case MLOG_QF_DISTINCT:
        OVS_NOT_REACHED();
    case MLOG_QF_AVG:
    case MLOG_QF_RATE:
    case MLOG_QF_STDDEV:
        return (mlog_groups_real(groups, 0, i, &real)
                ? json_real_create(real) : NULL);
    case MLOG_QF_MIN:
    case MLOG_QF_MAX:
    case MLOG_QF_PERCENTILE:
        return (mlog_groups_aggregate(groups, 0, i, &value, &n)
                ? mlog_field_to_json(aggregate->field, &value) : NULL);
    case MLOG_QF_TOPK:
        items = xmalloc(aggregate->param * sizeof *items);
        n = mlog_groups_top_values(groups, 0, i, items);
        json = items_to_json(aggregate->field, items, n);
        free(items);
        return json;
    }
    OVS_NOT_REACHED();
}

static void
put_json_aggregate(struct mlog_document *doc, const struct mlog_groups *groups,
                   size_t i, const struct mlog_query_aggregate *aggregate)
{
    struct ds name = DS_EMPTY_INITIALIZER;

    mlog_query_aggregate_format(aggregate, &name);
    if (aggregate->func == MLOG_QF_COUNT || aggregate->func == MLOG_QF_SUM
        || aggregate->func == MLOG_QF_DISTINCT) {
        struct mlog_value value;
        uint64_t n;

        mlog_groups_aggregate(groups, 0, i, &value, &n);
        mlog_document_put_u64(doc, ds_cstr(&name), value.lo);
    } else {
        struct json *json = aggregate_to_json(groups, i, aggregate);

        if (json) {
            mlog_document_put_json(doc, ds_cstr(&name), json);
        }
    }
    ds_destroy(&name);
}

static void
show_totals(struct mlog_ask *ask, const struct mlog_groups *groups,
            const struct mlog_group_spec *spec,
            const struct mlog_query_totals *totals)
{
    struct mlog_document *doc = &ask->call->doc;

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
            mlog_ask_put_aggregate(table, doc->format, groups, 0, i,
                                   &spec->aggregates[i]);
        }
    }
    if (groups) {
        const uint32_t only = 0;

        put_seconds(doc, groups, spec);
        put_estimates(doc, groups, spec, &only, 1);
    }
    mlog_ask_put_coverage(ask, totals);
}

void
mlog_ask_totals(struct mlog_ask *ask)
{
    struct mlog_call *call = ask->call;
    struct mlog_group_spec spec = { .n_fields = 0 };
    struct mlog_query_totals totals;
    struct mlog_groups *groups = NULL;
    int error;

    if (!mlog_call_get_aggregates(call, MLOG_OPT_AGGREGATE, spec.aggregates,
                                  &spec.n_aggregates)) {
        return;
    }
    ask->output = spec.n_aggregates ? "functions of records" : "a count";
    if (!mlog_ask_start(ask)) {
        return;
    }
    if (spec.n_aggregates) {
        error = mlog_query_groups(&ask->snapshot, &ask->range,
                                  &ask->budget, &spec, &groups);
        totals = (groups ? *mlog_groups_totals(groups)
                  : (struct mlog_query_totals) { .count = 0 });
    } else {
        error = mlog_query_count(&ask->snapshot, &ask->range,
                                 &ask->budget, &totals);
    }
    mlog_ask_done(ask);
    if (mlog_call_query_error(call, error)) {
        show_totals(ask, groups, &spec, &totals);
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
show_flows(struct mlog_ask *ask, struct group_query *q)
{
    struct mlog_document *doc = &ask->call->doc;
    struct mlog_table *table = mlog_document_table(doc, q->what);
    const struct mlog_field *fields[MLOG_N_FIELDS];
    size_t n = MIN(n_left(q, 0), q->top);
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
        put_flow(q->groups, q->ids[q->skip + n_shown], fields, n_fields,
                 table);
    }
    put_groups_end(ask, q, n_shown);
}

static bool
get_flows_by(struct mlog_call *call, struct group_query *q)
{
    const char *word = call->options[MLOG_OPT_BY];
    bool minus = word && *word == '-';

    q->n_keys = 1;
    q->keys[0] = (struct mlog_groups_key) { MLOG_GROUPS_BY_BYTES, minus };
    if (word && !strcmp(word + minus, "packets")) {
        q->keys[0].by = MLOG_GROUPS_BY_COUNT;
    } else if (word && strcmp(word + minus, "bytes")) {
        return mlog_call_error(call, word, word + minus,
                               "--by: needs \"bytes\" or \"packets\"");
    }
    return true;
}

void
mlog_ask_flows(struct mlog_ask *ask)
{
    struct group_query q = {
        .spec = { .by_flow = true },
        .top = DEFAULT_TOP_FLOWS,
        .what = "flows",
        .count_name = "packets",
    };

    if (mlog_call_get_u64(ask->call, MLOG_OPT_TOP, 1, MLOG_ASK_MAX_SHOWN,
                          &q.top)
        && get_flows_by(ask->call, &q)
        && run_group_query(ask, &q)) {
        show_flows(ask, &q);
    }
    finish_group_query(&q);
}
