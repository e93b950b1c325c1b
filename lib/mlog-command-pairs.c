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

#include "mlog-query-pairs.h"
#include "mlog-record-table.h"
#include "openvswitch/json.h"
#include "util.h"

#define DEFAULT_TOP 20
#define MAX_FIELDS 32

/* A column of pairs besides key and times. */
struct pair_field {
    enum mlog_side side;
    const struct mlog_field *field;
};

struct pairs_call {
    struct mlog_ask *ask;
    struct mlog_call *call;
    struct mlog_pairs_spec spec;
    struct pair_field fields[MAX_FIELDS];
    size_t n_fields;
};

/* Parsing. */

static bool
get_fields(struct pairs_call *pc)
{
    const char *word = pc->call->options[MLOG_OPT_FIELDS];
    const char *p = word;

    while (p) {
        size_t length = strcspn(p, ",");
        struct pair_field *f = &pc->fields[pc->n_fields];

        if (length < 2 || p[1] != '.' || (p[0] != 'l' && p[0] != 'r')) {
            return mlog_call_error(pc->call, word, p, "--fields: needs l. or "
                                   "r. before the name of a field, for the "
                                   "left or the right record");
        } else if (pc->n_fields >= MAX_FIELDS) {
            return mlog_call_error(pc->call, word, p, "too many fields; at "
                                   "most %d are possible here", MAX_FIELDS);
        }
        f->side = p[0] == 'l' ? MLOG_LEFT : MLOG_RIGHT;
        f->field = mlog_call_parse_field(pc->call, word, p + 2, length - 2);
        if (!f->field) {
            return false;
        }
        pc->n_fields++;
        p = p[length] ? p + length + 1 : NULL;
    }
    return true;
}

static bool
get_by(struct pairs_call *pc)
{
    const char *by = pc->call->options[MLOG_OPT_BY];

    pc->spec.newest = by && !strcmp(by, "time");
    return (!by || pc->spec.newest || !strcmp(by, "latency")
            || mlog_call_error(pc->call, by, by,
                               "--by: needs \"latency\" or \"time\""));
}

static bool
check_options(struct mlog_call *call)
{
    static const struct {
        enum mlog_option option;
        const char *name;
    } bad[] = {
        { MLOG_OPT_KIND, "--kind" }, { MLOG_OPT_AGGREGATE, "--aggregate" },
        { MLOG_OPT_COMPUTE, "--compute" }, { MLOG_OPT_HAVING, "--having" },
        { MLOG_OPT_BUCKET, "--bucket" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        if (mlog_call_has(call, bad[i].option)) {
            return mlog_call_error(call, NULL, NULL, "%s is for groups, and "
                                   "cannot be combined with --within, which "
                                   "pairs records", bad[i].name);
        }
    }
    return true;
}

static bool
parse(struct pairs_call *pc)
{
    uint64_t top = DEFAULT_TOP;
    bool ok = (check_options(pc->call)
               && mlog_call_get_duration(pc->call, MLOG_OPT_WITHIN,
                                         &pc->spec.within)
               && mlog_call_get_u64(pc->call, MLOG_OPT_TOP, 1,
                                    MLOG_ASK_MAX_SHOWN, &top)
               && get_fields(pc)
               && get_by(pc));

    pc->spec.top = top;
    return ok;
}

/* Showing. */

static void
add_columns(const struct pairs_call *pc, struct mlog_table *table)
{
    const struct mlog_join_keys *keys = &pc->spec.keys;

    mlog_table_add_column(table, "l.time", false);
    mlog_table_add_column(table, "r.time", false);
    mlog_table_add_column(table, "latency_us", true);
    mlog_record_add_columns(table, keys->left, keys->n);
    for (size_t i = 0; i < pc->n_fields; i++) {
        const struct pair_field *f = &pc->fields[i];
        char *name = xasprintf("%c.%s", f->side ? 'r' : 'l', f->field->name);

        mlog_table_add_column(table, name, true);
        free(name);
    }
}

static void
put_pair(const struct pairs_call *pc, const struct mlog_pair *pair,
         struct mlog_table *table)
{
    const struct mlog_record records[2] = {
        mlog_query_record(&pair->rows[MLOG_LEFT]),
        mlog_query_record(&pair->rows[MLOG_RIGHT]),
    };

    mlog_table_put_time(table, records[MLOG_LEFT].time);
    mlog_table_put_time(table, records[MLOG_RIGHT].time);
    mlog_table_put_real(table, pair->latency / 1e3);
    mlog_record_put(table, &records[MLOG_LEFT], pc->spec.keys.left,
                    pc->spec.keys.n);
    for (size_t i = 0; i < pc->n_fields; i++) {
        mlog_record_put(table, &records[pc->fields[i].side],
                        &pc->fields[i].field, 1);
    }
}

static void
put_latencies(struct mlog_document *doc, const struct mlog_pairs *result)
{
    const struct { const char *name; double ns; } figures[] = {
        { "min", result->latencies[0] },
        { "avg", result->average },
        { "p50", mlog_pairs_percentile(result, 50) },
        { "p90", mlog_pairs_percentile(result, 90) },
        { "p99", mlog_pairs_percentile(result, 99) },
        { "max", result->latencies[result->n - 1] },
    };
    struct json *latency = json_object_create();
    struct ds text = DS_EMPTY_INITIALIZER;

    for (size_t i = 0; i < ARRAY_SIZE(figures); i++) {
        double us = figures[i].ns / 1e3;

        json_object_put(latency, figures[i].name, json_real_create(us));
        ds_put_format(&text, "%s%s %.3f", i ? ", " : "", figures[i].name, us);
    }
    mlog_document_put_json(doc, "latency_us", latency);
    mlog_document_note(doc, "latency in us: %s", ds_cstr(&text));
    ds_destroy(&text);
}

static void
put_end(struct pairs_call *pc, const struct mlog_pairs *result, size_t shown)
{
    struct mlog_document *doc = &pc->call->doc;

    mlog_document_put_u64(doc, "n_pairs", result->n);
    mlog_document_put_u64(doc, "n_left", result->n_left);
    mlog_document_put_u64(doc, "n_right", result->n_right);
    mlog_document_put_u64(doc, "n_unpaired", result->n_unpaired);
    mlog_document_put_u64(doc, "n_waiting", result->n_waiting);
    mlog_document_put_bool(doc, "truncated", shown < result->n);
    mlog_ask_put_summary(pc->ask, "pairs", shown, result->n, &result->totals);
    if (result->n) {
        put_latencies(doc, result);
    }
    if (shown < result->n) {
        mlog_document_note(doc, "%"PRIuSIZE" %s pairs are not shown; see "
                           "--top", result->n - shown,
                           pc->spec.newest ? "older" : "faster");
    }
    if (result->n_unpaired) {
        mlog_document_note(doc, "%"PRIu64" left records have no partner",
                           result->n_unpaired);
    }
    if (result->n_waiting) {
        mlog_document_note(doc, "%"PRIu64" left records may yet get a partner",
                           result->n_waiting);
    }
    mlog_ask_put_coverage(pc->ask, &result->totals);
}

static void
show(struct pairs_call *pc, const struct mlog_pairs *result)
{
    struct mlog_table *table = mlog_document_table(&pc->call->doc, "pairs");
    size_t i;

    add_columns(pc, table);
    for (i = 0; (i < result->n_kept
                 && !mlog_table_is_full(table, MLOG_REPLY_MAX)); i++) {
        put_pair(pc, &result->pairs[i], table);
    }
    put_end(pc, result, i);
}

static bool
check_error(struct mlog_call *call, int error)
{
    if (error == E2BIG) {
        return mlog_call_error(call, NULL, NULL, "too many pairs: more than "
                               "%"PRIu32", or more left records without a "
                               "partner at once than fit into %"PRIu64" MiB; "
                               "narrow the query with --last, --since or an "
                               "expression, or give a shorter --within",
                               MLOG_PAIRS_MAX, MLOG_QUERY_MAX_MEMORY >> 20);
    }
    return mlog_call_query_error(call, error);
}

void
mlog_ask_pairs(struct mlog_ask *ask, const struct mlog_expr *right,
               const struct mlog_join_keys *keys)
{
    struct pairs_call pc = {
        .ask = ask, .call = ask->call, .spec = { .keys = *keys },
    };
    struct mlog_pairs *result;

    if (parse(&pc) && mlog_ask_start(ask)) {
        pc.spec.exprs[MLOG_LEFT] = ask->expr;
        pc.spec.exprs[MLOG_RIGHT] = right;
        if (check_error(pc.call, mlog_query_pairs(&ask->snapshot, &ask->range,
                                                  &ask->budget, &pc.spec,
                                                  &result))) {
            show(&pc, result);
            mlog_pairs_destroy(result);
        }
    }
}
