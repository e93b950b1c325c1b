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

#include "mlog-formula.h"
#include "mlog-query-join.h"
#include "mlog-record-table.h"
#include "openvswitch/json.h"
#include "util.h"

#define MAX_FORMULAS 16
#define MAX_COLUMNS (6 + 2 * MLOG_QUERY_MAX_AGGREGATES + MAX_FORMULAS)

/* Columns
 * =======
 *
 * Besides the key, a row has numbers: those that are always there, aggregates
 * and formulas.  A formula may name every column before it, and other
 * aggregates, which then are computed but not shown. */

enum column_type {
    COLUMN_COUNT,
    COLUMN_BYTES,
    COLUMN_DIFFERENCE,
    COLUMN_RATIO,
    COLUMN_AGGREGATE,
    COLUMN_FORMULA,
};

struct column {
    enum column_type type;
    enum mlog_side side;
    size_t i;                   /* Of an aggregate or a formula. */
    bool shown;
    char *name;
};

struct join_call {
    struct mlog_ask *ask;
    struct mlog_call *call;
    struct mlog_join_spec spec;
    struct column columns[MAX_COLUMNS];
    size_t n_columns;
    struct mlog_formula *formulas[MAX_FORMULAS];
    size_t n_formulas;
    struct mlog_formula *having;        /* Or NULL. */
    struct mlog_formula *by;
    struct mlog_join *join;
};

static struct column *
add_column(struct join_call *jc, enum column_type type, enum mlog_side side,
           size_t i, bool shown, char *name)
{
    struct column *column = &jc->columns[jc->n_columns++];

    ovs_assert(jc->n_columns <= MAX_COLUMNS);
    *column = (struct column) { type, side, i, shown, name };
    return column;
}

static void
add_fixed_columns(struct join_call *jc)
{
    add_column(jc, COLUMN_COUNT, MLOG_LEFT, 0, true, xstrdup("l.count"));
    add_column(jc, COLUMN_BYTES, MLOG_LEFT, 0, true, xstrdup("l.bytes"));
    add_column(jc, COLUMN_COUNT, MLOG_RIGHT, 0, true, xstrdup("r.count"));
    add_column(jc, COLUMN_BYTES, MLOG_RIGHT, 0, true, xstrdup("r.bytes"));
    add_column(jc, COLUMN_DIFFERENCE, MLOG_LEFT, 0, true,
               xstrdup("difference"));
    add_column(jc, COLUMN_RATIO, MLOG_LEFT, 0, true, xstrdup("ratio"));
}

static const struct column *
find_column(const struct join_call *jc, const char *start, size_t length)
{
    for (size_t i = 0; i < jc->n_columns; i++) {
        const char *name = jc->columns[i].name;

        if (strlen(name) == length && !memcmp(name, start, length)) {
            return &jc->columns[i];
        }
    }
    return NULL;
}

/* "l.sum(pkt_len)", for the caller to free. */
static char *
column_name(enum mlog_side side, const struct mlog_query_aggregate *aggregate)
{
    struct ds name = DS_EMPTY_INITIALIZER;

    ds_put_cstr(&name, side ? "r." : "l.");
    mlog_query_aggregate_format(aggregate, &name);
    return ds_steal_cstr(&name);
}

/* Finds or adds what [start, start + length), a part of 'word', names.
 * Returns NULL after setting the call's error. */
static const struct column *
parse_column(struct join_call *jc, const char *word, const char *start,
             size_t length)
{
    enum mlog_side side = length && *start == 'l' ? MLOG_LEFT : MLOG_RIGHT;
    const struct column *column = find_column(jc, start, length);
    struct mlog_query_aggregate aggregate;
    char *name;
    size_t *n;

    if (column) {
        return column;
    } else if (length < 3 || start[1] != '.'
               || (start[0] != 'l' && start[0] != 'r')) {
        mlog_call_error(jc->call, word, start, "there is no such column; "
                        "there are l.count, l.bytes, r.count, r.bytes, "
                        "difference, ratio, and functions such as "
                        "l.sum(pkt_len)");
        return NULL;
    } else if (!mlog_call_parse_aggregate(jc->call, word, start + 2,
                                          length - 2, &aggregate)) {
        return NULL;
    }
    name = column_name(side, &aggregate);
    column = find_column(jc, name, strlen(name));
    if (column) {
        free(name);
        return column;
    }
    n = &jc->spec.n_aggregates[side];
    if (*n >= MLOG_QUERY_MAX_AGGREGATES) {
        free(name);
        mlog_call_error(jc->call, word, start, "too many aggregates; at most "
                        "%d per side are possible",
                        MLOG_QUERY_MAX_AGGREGATES);
        return NULL;
    }
    jc->spec.aggregates[side][*n] = aggregate;
    return add_column(jc, COLUMN_AGGREGATE, side, (*n)++, false, name);
}

/* Values. */

static bool
is_number(const struct mlog_query_aggregate *aggregate)
{
    switch (aggregate->func) {
    case MLOG_QF_COUNT:
    case MLOG_QF_SUM:
    case MLOG_QF_AVG:
    case MLOG_QF_RATE:
    case MLOG_QF_STDDEV:
    case MLOG_QF_DISTINCT:
    case MLOG_QF_PERCENTILE:
        return true;
    case MLOG_QF_MIN:
    case MLOG_QF_MAX:
        return (aggregate->field->type == MLOG_FT_DECIMAL
                || aggregate->field->type == MLOG_FT_TIME);
    case MLOG_QF_TOPK:
        return false;
    }
    OVS_NOT_REACHED();
}

static const struct mlog_query_group *
get_group(const struct join_call *jc, const struct mlog_join_row *row,
          enum mlog_side side)
{
    static const struct mlog_query_group none;

    return (row->groups[side] == MLOG_JOIN_NONE ? &none
            : mlog_groups_get(jc->join->groups[side], row->groups[side]));
}

/* Whether a function of no records is 0, rather than absent. */
static bool
is_zero_of_none(const struct mlog_query_aggregate *aggregate)
{
    return (aggregate->func == MLOG_QF_COUNT
            || aggregate->func == MLOG_QF_SUM
            || aggregate->func == MLOG_QF_RATE
            || aggregate->func == MLOG_QF_DISTINCT);
}

static bool
get_aggregate(const struct join_call *jc, const struct mlog_join_row *row,
              const struct column *column, long double *number)
{
    const struct mlog_query_aggregate *aggregate
        = &jc->spec.aggregates[column->side][column->i];
    const struct mlog_groups *groups = jc->join->groups[column->side];
    uint32_t id = row->groups[column->side];
    struct mlog_value value;
    bool present;
    double real;
    uint64_t n;

    *number = 0;
    if (id == MLOG_JOIN_NONE) {
        return is_zero_of_none(aggregate);
    } else if (aggregate->func == MLOG_QF_AVG
               || aggregate->func == MLOG_QF_RATE
               || aggregate->func == MLOG_QF_STDDEV) {
        present = mlog_groups_real(groups, id, column->i, &real);
        *number = present ? real : 0;
    } else {
        present = mlog_groups_aggregate(groups, id, column->i, &value, &n);
        *number = value.lo;
    }
    return present;
}

struct cell_aux {
    const struct join_call *jc;
    const struct mlog_join_row *row;
};

static bool
get_number(const void *aux_, size_t index, long double *number)
{
    const struct cell_aux *aux = aux_;
    const struct join_call *jc = aux->jc;
    const struct column *column = &jc->columns[index];
    const struct mlog_query_group *l = get_group(jc, aux->row, MLOG_LEFT);
    const struct mlog_query_group *r = get_group(jc, aux->row, MLOG_RIGHT);

    switch (column->type) {
    case COLUMN_COUNT:
        *number = (column->side ? r : l)->count;
        return true;
    case COLUMN_BYTES:
        *number = (column->side ? r : l)->bytes;
        return true;
    case COLUMN_DIFFERENCE:
        *number = (long double) l->count - r->count;
        return true;
    case COLUMN_RATIO:
        *number = r->count ? (long double) l->count / r->count : 0;
        return r->count > 0;
    case COLUMN_AGGREGATE:
        return get_aggregate(jc, aux->row, column, number);
    case COLUMN_FORMULA:
        return mlog_formula_eval(jc->formulas[column->i], get_number, aux,
                                 number);
    }
    OVS_NOT_REACHED();
}

/* Parsing. */

struct resolve_aux {
    struct join_call *jc;
    const char *word;           /* The option's value... */
    const char *text;           /* ...as far as this formula is before... */
    const char *copy;           /* ...this copy, which is being parsed. */
};

/* The call's own error comes first, so the message that is returned after one
 * doesn't matter. */
static char *
resolve(void *aux_, const char *start, size_t length, size_t *index)
{
    struct resolve_aux *aux = aux_;
    struct join_call *jc = aux->jc;
    const char *at = aux->text + (start - aux->copy);
    const struct column *column = parse_column(jc, aux->word, at, length);

    if (!column) {
        return xstrdup("");
    } else if (column->type == COLUMN_AGGREGATE
               && !is_number(&jc->spec.aggregates[column->side]
                             [column->i])) {
        return xasprintf("%s is not a number", column->name);
    }
    *index = column - jc->columns;
    return NULL;
}

/* Parses a formula, 'length' bytes at 'start' within 'word'. */
static struct mlog_formula *
parse_formula(struct join_call *jc, const char *word, const char *start,
              size_t length, enum mlog_formula_type type)
{
    struct mlog_error error = MLOG_ERROR_INITIALIZER;
    char *copy = xmemdup0(start, length);
    struct resolve_aux aux = { jc, word, start, copy };
    struct mlog_formula *formula = mlog_formula_parse(copy, type, resolve,
                                                      &aux, &error);

    if (!formula) {
        mlog_call_error(jc->call, word, start + MAX(error.column, 1) - 1,
                        "%s", error.message);
    }
    mlog_error_clear(&error);
    free(copy);
    return formula;
}

static bool
parse_option_formula(struct join_call *jc, enum mlog_option option,
                     enum mlog_formula_type type,
                     struct mlog_formula **formula)
{
    const char *word = jc->call->options[option];

    if (word) {
        *formula = parse_formula(jc, word, word, strlen(word), type);
    }
    return !mlog_call_failed(jc->call);
}

/* Length of the first part of a list at 'p', up to a comma that is not in
 * parentheses. */
static size_t
list_part(const char *p)
{
    int depth = 0;
    size_t i;

    for (i = 0; p[i] && (p[i] != ',' || depth > 0); i++) {
        depth += p[i] == '(' ? 1 : p[i] == ')' ? -1 : 0;
    }
    return i;
}

/* Parses "NAME=FORMULA" or "FORMULA", which is its own name. */
static bool
parse_compute(struct join_call *jc, const char *word, const char *start,
              size_t length)
{
    size_t name = strspn(start, "abcdefghijklmnopqrstuvwxyz"
                         "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
    bool named = name && start[name] == '=' && start[name + 1] != '=';
    const char *formula = named ? start + name + 1 : start;

    if (!named) {
        formula += strspn(formula, " ");
        length -= formula - start;
        start = formula;
        name = length;
    }
    if (find_column(jc, start, name)) {
        return mlog_call_error(jc->call, word, start, "there is a column of "
                               "that name already");
    } else if (jc->n_formulas >= MAX_FORMULAS) {
        return mlog_call_error(jc->call, word, start, "too many formulas; at "
                               "most %d are possible", MAX_FORMULAS);
    }
    jc->formulas[jc->n_formulas] = parse_formula(
        jc, word, formula, length - (formula - start), MLOG_FORMULA_NUMBER);
    if (!jc->formulas[jc->n_formulas]) {
        return false;
    }
    add_column(jc, COLUMN_FORMULA, MLOG_LEFT, jc->n_formulas++, true,
               xmemdup0(start, name));
    return true;
}

static bool
parse_computes(struct join_call *jc)
{
    const char *word = jc->call->options[MLOG_OPT_COMPUTE];

    for (const char *p = word; p; ) {
        size_t length = list_part(p);

        if (!parse_compute(jc, word, p, length)) {
            return false;
        }
        p = p[length] ? p + length + 1 : NULL;
    }
    return true;
}

static bool
parse_aggregates(struct join_call *jc)
{
    const char *word = jc->call->options[MLOG_OPT_AGGREGATE];

    for (const char *p = word; p; ) {
        size_t length = list_part(p);
        const struct column *column = parse_column(jc, word, p, length);

        if (!column) {
            return false;
        } else if (column->type == COLUMN_AGGREGATE && column->shown) {
            return mlog_call_error(jc->call, word, p, "the same aggregate is "
                                   "there twice");
        }
        jc->columns[column - jc->columns].shown = true;
        p = p[length] ? p + length + 1 : NULL;
    }
    return true;
}

static bool
parse_kind(struct join_call *jc)
{
    static const char *const kinds[] = {
        [MLOG_JOIN_INNER] = "inner",
        [MLOG_JOIN_LEFT] = "left",
        [MLOG_JOIN_OUTER] = "outer",
        [MLOG_JOIN_ANTI] = "anti",
    };
    const char *kind = jc->call->options[MLOG_OPT_KIND];

    for (size_t i = 0; kind && i < ARRAY_SIZE(kinds); i++) {
        if (!strcmp(kind, kinds[i])) {
            jc->spec.kind = i;
            return true;
        }
    }
    return !kind || mlog_call_error(jc->call, kind, kind, "--kind: needs "
                                    "inner, left, outer or anti");
}

static bool
parse(struct join_call *jc, uint64_t *top)
{
    struct mlog_call *call = jc->call;

    if (mlog_call_has(call, MLOG_OPT_FIELDS)) {
        return mlog_call_error(call, NULL, NULL, "--fields is for pairs of "
                               "records, see --within");
    }
    add_fixed_columns(jc);
    return (parse_kind(jc)
            && mlog_ask_get_bucket(call, &jc->spec.bucket)
            && parse_aggregates(jc)
            && parse_computes(jc)
            && parse_option_formula(jc, MLOG_OPT_HAVING,
                                    MLOG_FORMULA_CONDITION, &jc->having)
            && parse_option_formula(jc, MLOG_OPT_BY, MLOG_FORMULA_NUMBER,
                                    &jc->by)
            && mlog_call_get_u64(call, MLOG_OPT_TOP, 1, MLOG_ASK_MAX_SHOWN,
                                 top));
}

/* Choosing and ordering rows. */

static void
filter_rows(struct join_call *jc)
{
    struct mlog_join *join = jc->join;
    size_t n = 0;

    for (size_t i = 0; jc->having && i < join->n_rows; i++) {
        const struct cell_aux aux = { jc, &join->rows[i] };
        long double value;

        if (mlog_formula_eval(jc->having, get_number, &aux, &value)
            && value) {
            join->rows[n++] = join->rows[i];
        }
    }
    join->n_rows = jc->having ? n : join->n_rows;
}

struct ranked {
    long double rank;           /* The greatest first... */
    bool absent;                /* ...and those without last. */
    uint64_t count;             /* Of equal ones the greatest first. */
    const struct mlog_join_row *row;
    const struct mlog_join *join;
};

static int
compare_ranked(const void *a_, const void *b_)
{
    const struct ranked *a = a_;
    const struct ranked *b = b_;
    int cmp = (a->absent != b->absent ? a->absent - b->absent
               : a->rank != b->rank ? (a->rank > b->rank ? -1 : 1)
               : a->count != b->count ? (a->count > b->count ? -1 : 1)
               : 0);

    /* By the bucket last. */
    for (size_t i = 0; !cmp && i <= a->join->spec.keys.n; i++) {
        struct mlog_value ka = mlog_join_key(a->join, a->row, i);
        struct mlog_value kb = mlog_join_key(b->join, b->row, i);

        cmp = mlog_value_compare(&ka, &kb);
    }
    return cmp;
}

/* Returns all rows in order, for the caller to free. */
static struct ranked *
rank_rows(const struct join_call *jc)
{
    const struct mlog_join *join = jc->join;
    struct ranked *ranked = xcalloc(join->n_rows + 1, sizeof *ranked);

    for (size_t i = 0; i < join->n_rows; i++) {
        struct ranked *r = &ranked[i];
        const struct cell_aux aux = { jc, &join->rows[i] };

        r->row = aux.row;
        r->join = join;
        r->count = get_group(jc, aux.row, MLOG_RIGHT)->count;
        if (jc->by) {
            r->absent = !mlog_formula_eval(jc->by, get_number, &aux,
                                           &r->rank);
            r->rank = r->absent ? 0 : r->rank;
        } else if (jc->spec.bucket) {
            r->rank = -(long double) mlog_join_bucket(join, r->row);
            r->count = get_group(jc, aux.row, MLOG_LEFT)->count;
        } else {
            r->rank = get_group(jc, aux.row, MLOG_LEFT)->count;
        }
    }
    qsort(ranked, join->n_rows, sizeof *ranked, compare_ranked);
    return ranked;
}

/* Showing. */

static void
add_columns(const struct join_call *jc, struct mlog_table *table)
{
    if (jc->spec.bucket) {
        mlog_table_add_column(table, "bucket", false);
    }
    mlog_record_add_columns(table, jc->spec.keys.left, jc->spec.keys.n);
    for (size_t i = 0; i < jc->n_columns; i++) {
        if (jc->columns[i].shown) {
            mlog_table_add_column(table, jc->columns[i].name, true);
        }
    }
}

static void
put_aggregate(const struct join_call *jc, const struct mlog_join_row *row,
              const struct column *column, struct mlog_table *table)
{
    const struct mlog_query_aggregate *aggregate
        = &jc->spec.aggregates[column->side][column->i];
    uint32_t id = row->groups[column->side];

    if (id != MLOG_JOIN_NONE) {
        mlog_ask_put_aggregate(table, jc->call->format,
                               jc->join->groups[column->side], id, column->i,
                               aggregate);
    } else if (is_zero_of_none(aggregate)) {
        mlog_table_put_u64(table, 0);
    } else {
        mlog_table_put_absent(table);
    }
}

static void
put_column(const struct join_call *jc, const struct mlog_join_row *row,
           size_t i, struct mlog_table *table)
{
    const struct column *column = &jc->columns[i];
    const struct cell_aux aux = { jc, row };
    long double number;

    switch (column->type) {
    case COLUMN_COUNT:
        mlog_table_put_u64(table, get_group(jc, row, column->side)->count);
        break;
    case COLUMN_BYTES:
        mlog_table_put_u64(table, get_group(jc, row, column->side)->bytes);
        break;
    case COLUMN_AGGREGATE:
        put_aggregate(jc, row, column, table);
        break;
    case COLUMN_DIFFERENCE:
    case COLUMN_RATIO:
    case COLUMN_FORMULA:
        if (get_number(&aux, i, &number)) {
            mlog_table_put_real(table, number);
        } else {
            mlog_table_put_absent(table);
        }
        break;
    }
}

static void
put_row(const struct join_call *jc, const struct mlog_join_row *row,
        struct mlog_table *table)
{
    const struct mlog_join_keys *keys = &jc->spec.keys;

    if (jc->spec.bucket) {
        mlog_ask_put_bucket(table, mlog_join_bucket(jc->join, row));
    }
    for (size_t i = 0; i < keys->n; i++) {
        struct mlog_value value = mlog_join_key(jc->join, row, i);

        mlog_table_put_field(table, mlog_join_key_field(keys->left[i],
                                                        keys->right[i]),
                             &value);
    }
    for (size_t i = 0; i < jc->n_columns; i++) {
        if (jc->columns[i].shown) {
            put_column(jc, row, i, table);
        }
    }
}

static struct mlog_query_totals
put_side(struct join_call *jc, enum mlog_side side)
{
    const struct mlog_query_totals *totals
        = mlog_groups_totals(jc->join->groups[side]);
    struct json *object = json_object_create();

    json_object_put(object, "count", json_integer_create(totals->count));
    json_object_put(object, "bytes", json_integer_create(totals->bytes));
    json_object_put(object, "groups",
                    json_integer_create(jc->join->n_groups[side]));
    mlog_document_put_json(&jc->call->doc, side ? "right" : "left", object);
    return *totals;
}

/* The greatest error of a column in what is joined. */
static double
get_error(const struct join_call *jc, const struct column *column)
{
    double greatest = 0;

    for (size_t i = 0; i < jc->join->n_rows; i++) {
        uint32_t id = jc->join->rows[i].groups[column->side];

        if (id != MLOG_JOIN_NONE) {
            double error = mlog_groups_error(
                jc->join->groups[column->side], id, column->i);

            greatest = MAX(greatest, error);
        }
    }
    return greatest;
}

/* Says which functions were not computed exactly. */
static void
put_estimates(struct join_call *jc)
{
    struct mlog_document *doc = &jc->call->doc;
    struct json *estimated = NULL;

    for (size_t i = 0; i < jc->n_columns; i++) {
        const struct column *column = &jc->columns[i];
        double error = (column->type == COLUMN_AGGREGATE
                        ? get_error(jc, column) : 0);

        if (error > 0) {
            struct json *json = json_object_create();

            json_object_put(json, "error", json_real_create(error));
            estimated = estimated ? estimated : json_object_create();
            json_object_put(estimated, column->name, json);
            mlog_document_note(doc, "%s is estimated in some groups, to "
                               "within %.2g %%", column->name, error * 100);
        }
    }
    if (estimated) {
        mlog_document_put_json(doc, "estimated", estimated);
    }
}

/* Both sides are of the same range, so what is missing of one is missing of
 * the other, save for what a scan could not read. */
static void
put_end(struct join_call *jc, size_t shown)
{
    struct mlog_document *doc = &jc->call->doc;
    size_t n = jc->join->n_rows;
    struct mlog_query_totals totals = put_side(jc, MLOG_LEFT);
    struct mlog_query_totals right = put_side(jc, MLOG_RIGHT);

    totals.count += right.count;
    totals.bytes += right.bytes;
    totals.n_revoked += right.n_revoked;
    totals.n_unreadable = MAX(totals.n_unreadable, right.n_unreadable);
    mlog_document_put_u64(doc, "n_groups", n);
    if (jc->spec.bucket) {
        mlog_document_put_u64(doc, "bucket_ns", jc->spec.bucket);
    }
    mlog_document_put_bool(doc, "truncated", shown < n);
    mlog_ask_put_summary(jc->ask, "groups", shown, n, &totals);
    if (shown < n) {
        mlog_document_note(doc, "%"PRIuSIZE" more groups are not shown; see "
                           "--top", n - shown);
    }
    put_estimates(jc);
    mlog_ask_put_coverage(jc->ask, &totals);
}

static void
show(struct join_call *jc, size_t top)
{
    struct mlog_table *table = mlog_document_table(&jc->call->doc, "groups");
    struct ranked *ranked;
    size_t n, i;

    filter_rows(jc);
    ranked = rank_rows(jc);
    n = MIN(top, jc->join->n_rows);
    add_columns(jc, table);
    for (i = 0; i < n && !mlog_table_is_full(table, MLOG_REPLY_MAX); i++) {
        put_row(jc, ranked[i].row, table);
    }
    free(ranked);
    put_end(jc, i);
}

static bool
check_error(struct mlog_call *call, int error, enum mlog_side side)
{
    if (error == E2BIG) {
        return mlog_call_error(call, NULL, NULL, "too many groups on the %s "
                               "side: more than %d, or than fit into "
                               "%"PRIu64" MiB; narrow the query with --last, "
                               "--since or an expression, or join on fewer "
                               "fields", side ? "right" : "left",
                               MLOG_QUERY_MAX_GROUPS,
                               MLOG_QUERY_MAX_MEMORY >> 20);
    }
    return mlog_call_query_error(call, error);
}

static void
run_groups(struct mlog_ask *ask, const struct mlog_expr *right,
           const struct mlog_join_keys *keys)
{
    struct join_call jc = {
        .ask = ask, .call = ask->call, .spec = { .keys = *keys },
    };
    uint64_t top = MLOG_ASK_DEFAULT_TOP;
    enum mlog_side side;
    int error;

    if (parse(&jc, &top) && mlog_ask_start(ask)) {
        jc.spec.exprs[MLOG_LEFT] = ask->expr;
        jc.spec.exprs[MLOG_RIGHT] = right;
        error = mlog_query_join(&ask->snapshot, &ask->range, &ask->budget,
                                &jc.spec, &jc.join, &side);
        if (check_error(jc.call, error, side)) {
            show(&jc, top);
        }
    }
    mlog_join_destroy(jc.join);
    for (size_t i = 0; i < jc.n_formulas; i++) {
        mlog_formula_destroy(jc.formulas[i]);
    }
    mlog_formula_destroy(jc.having);
    mlog_formula_destroy(jc.by);
    for (size_t i = 0; i < jc.n_columns; i++) {
        free(jc.columns[i].name);
    }
}

/* Keys. */

static bool
add_key(struct mlog_call *call, const char *word, const char *at,
        const struct mlog_field *left, const struct mlog_field *right,
        struct mlog_join_keys *keys)
{
    char *message = mlog_join_check_fields(left, right);

    if (message) {
        return mlog_call_take_message(call, word, at, message);
    } else if (keys->n >= MLOG_QUERY_MAX_FIELDS) {
        return mlog_call_error(call, word, at, "too many fields; at most %d "
                               "are possible here", MLOG_QUERY_MAX_FIELDS);
    }
    for (size_t i = 0; i < keys->n; i++) {
        if (keys->left[i] == left || keys->right[i] == right) {
            return mlog_call_error(call, word, at, "field '%s' is there twice "
                                   "on one side", keys->left[i] == left
                                   ? left->name : right->name);
        }
    }
    keys->left[keys->n] = left;
    keys->right[keys->n++] = right;
    return true;
}

/* "flow": packets of one direction of a conversation; "reverse": those of the
 * other. */
static bool
add_flow_keys(struct mlog_call *call, const char *word, const char *at,
              bool reverse, struct mlog_join_keys *keys)
{
    static const enum mlog_field_id ids[][2] = {
        { MLOG_F_L3_SRC, MLOG_F_L3_DST },
        { MLOG_F_L3_DST, MLOG_F_L3_SRC },
        { MLOG_F_NW_PROTO, MLOG_F_NW_PROTO },
        { MLOG_F_TP_SRC, MLOG_F_TP_DST },
        { MLOG_F_TP_DST, MLOG_F_TP_SRC },
    };

    for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
        if (!add_key(call, word, at, mlog_field_get_by_id(ids[i][0]),
                     mlog_field_get_by_id(ids[i][reverse]), keys)) {
            return false;
        }
    }
    return true;
}

static bool
parse_key(struct mlog_call *call, const char *word, const char *start,
          size_t length, struct mlog_join_keys *keys)
{
    const char *equals = memchr(start, '=', length);
    const struct mlog_field *left, *right;

    if (length == 4 && !memcmp(start, "flow", 4)) {
        return add_flow_keys(call, word, start, false, keys);
    } else if (length == 7 && !memcmp(start, "reverse", 7)) {
        return add_flow_keys(call, word, start, true, keys);
    }
    left = mlog_call_parse_field(call, word, start,
                                 equals ? equals - start : length);
    right = (left && equals
             ? mlog_call_parse_field(call, word, equals + 1,
                                     start + length - equals - 1)
             : left);
    return left && right && add_key(call, word, start, left, right, keys);
}

static bool
parse_keys(struct mlog_call *call, struct mlog_join_keys *keys)
{
    const char *word = call->options[MLOG_OPT_ON];

    if (!word) {
        return mlog_call_error(call, NULL, NULL, "--on is missing: the fields "
                               "in which records of both sides must agree, "
                               "as in --on nw_src=nw_dst,tp_src");
    }
    for (const char *p = word; p; ) {
        size_t length = strcspn(p, ",");

        if (!parse_key(call, word, p, length, keys)) {
            return false;
        }
        p = p[length] ? p + length + 1 : NULL;
    }
    return true;
}

void
mlog_command_join(struct mlog_call *call)
{
    struct mlog_error error = MLOG_ERROR_INITIALIZER;
    struct mlog_expr *right = mlog_expr_parse(call->args[1], &error);
    struct mlog_join_keys keys = { .n = 0 };
    struct mlog_ask ask = { .call = call };

    if (!right) {
        mlog_call_take_error(call, call->args[1], &error);
        return;
    }
    right = mlog_call_add_pcap_filter(call, right);
    if (parse_keys(call, &keys)) {
        if (mlog_call_has(call, MLOG_OPT_WITHIN)) {
            mlog_ask_pairs(&ask, right, &keys);
        } else {
            run_groups(&ask, right, &keys);
        }
    }
    mlog_ask_finish(&ask);
    mlog_expr_unref(right);
}
