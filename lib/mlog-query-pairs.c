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

#include "mlog-query-pairs.h"

#include <errno.h>

#include "hash.h"
#include "mlog-expr.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/hmap.h"
#include "openvswitch/list.h"
#include "random.h"
#include "util.h"

/* One scan, in the order of the log, over what matches either expression.  A
 * left record waits with others of its key until a right one with that key
 * comes, which is the nearest for all of them, or until it has waited for too
 * long.  As records come in order of time, those that have waited longest are
 * at the heads of both lists that they are in.
 *
 * Nothing here takes longer the more records wait. */

struct key {
    struct hmap_node node;
    struct ovs_list waiting;    /* Of struct waiting, the oldest first. */
    struct mlog_value values[];
};

struct waiting {
    struct ovs_list by_key;
    struct ovs_list by_time;
    struct key *key;
    uint64_t serial;
    struct mlog_query_row row;
};

struct run {
    const struct mlog_pairs_spec *spec;
    uint64_t until;             /* For the left side, ns. */
    struct mlog_pairs *result;
    struct hmap keys;           /* Of struct key, those with records. */
    struct ovs_list by_time;    /* Of struct waiting, the oldest first. */
    uint32_t seed;
    size_t memory;              /* Of keys and waiting records, bytes. */
    size_t allocated_latencies;
    size_t allocated_pairs;
    long double sum;            /* Of latencies. */
};

/* The pairs to be kept are a heap, the one to be dropped next at its root. */

static bool
is_before(const struct run *run, const struct mlog_pair *a,
          const struct mlog_pair *b)
{
    return (run->spec->newest ? a->serial < b->serial
            : a->latency != b->latency ? a->latency < b->latency
            : a->serial > b->serial);
}

static void
sift_down(const struct run *run, struct mlog_pair *pairs, size_t n, size_t i)
{
    for (;;) {
        size_t least = i;

        for (size_t child = 2 * i + 1; child <= 2 * i + 2; child++) {
            if (child < n && is_before(run, &pairs[child], &pairs[least])) {
                least = child;
            }
        }
        if (least == i) {
            return;
        }
        struct mlog_pair pair = pairs[i];
        pairs[i] = pairs[least];
        pairs[least] = pair;
        i = least;
    }
}

static void
sift_up(const struct run *run, struct mlog_pair *pairs, size_t i)
{
    while (i && is_before(run, &pairs[i], &pairs[(i - 1) / 2])) {
        struct mlog_pair pair = pairs[i];

        pairs[i] = pairs[(i - 1) / 2];
        pairs[(i - 1) / 2] = pair;
        i = (i - 1) / 2;
    }
}

static void
keep_pair(struct run *run, const struct mlog_pair *pair)
{
    struct mlog_pairs *result = run->result;

    if (result->n_kept < run->spec->top) {
        if (result->n_kept >= run->allocated_pairs) {
            result->pairs = x2nrealloc(result->pairs, &run->allocated_pairs,
                                       sizeof *result->pairs);
        }
        result->pairs[result->n_kept] = *pair;
        sift_up(run, result->pairs, result->n_kept++);
    } else if (result->n_kept && is_before(run, &result->pairs[0], pair)) {
        result->pairs[0] = *pair;
        sift_down(run, result->pairs, result->n_kept, 0);
    }
}

/* Sorts the pairs: the one that would be dropped next is last. */
static void
sort_pairs(struct run *run)
{
    struct mlog_pair *pairs = run->result->pairs;

    for (size_t n = run->result->n_kept; n > 1; n--) {
        struct mlog_pair pair = pairs[0];

        pairs[0] = pairs[n - 1];
        pairs[n - 1] = pair;
        sift_down(run, pairs, n - 1, 0);
    }
}

/* Keys. */

static bool
get_key(const struct run *run, enum mlog_side side,
        const struct mlog_record *record, struct mlog_value key[])
{
    const struct mlog_join_keys *keys = &run->spec->keys;
    const struct mlog_field *const *own = side ? keys->right : keys->left;
    const struct mlog_field *const *other = side ? keys->left : keys->right;

    for (size_t i = 0; i < keys->n; i++) {
        if (!mlog_field_get(own[i], record, &key[i])) {
            return false;
        }
        mlog_join_normalise(own[i], other[i], &key[i]);
    }
    return true;
}

static size_t
values_size(const struct run *run)
{
    return run->spec->keys.n * sizeof(struct mlog_value);
}

static uint32_t
hash_values(const struct run *run, const struct mlog_value values[])
{
    return hash_bytes(values, values_size(run), run->seed);
}

static struct key *
find_key(const struct run *run, const struct mlog_value values[],
         uint32_t hash)
{
    struct key *key;

    HMAP_FOR_EACH_WITH_HASH (key, node, hash, &run->keys) {
        if (!memcmp(key->values, values, values_size(run))) {
            return key;
        }
    }
    return NULL;
}

static size_t
key_size(const struct run *run)
{
    return sizeof(struct key) + values_size(run);
}

static struct key *
create_key(struct run *run, const struct mlog_value values[], uint32_t hash)
{
    struct key *key = xmalloc(key_size(run));

    memcpy(key->values, values, values_size(run));
    ovs_list_init(&key->waiting);
    hmap_insert(&run->keys, &key->node, hash);
    run->memory += key_size(run);
    return key;
}

/* Waiting. */

static void
set_row(struct mlog_query_row *row, const struct mlog_record *record)
{
    row->row = *record->row;
    row->key = *record->key;
    row->time = record->time;
}

/* Returns 0 or E2BIG. */
static int
add_left(struct run *run, const struct mlog_record *record,
         const struct mlog_value values[])
{
    uint32_t hash = hash_values(run, values);
    struct waiting *w = xmalloc(sizeof *w);

    w->key = find_key(run, values, hash);
    if (!w->key) {
        w->key = create_key(run, values, hash);
    }
    set_row(&w->row, record);
    w->serial = run->result->n_left;
    ovs_list_push_back(&w->key->waiting, &w->by_key);
    ovs_list_push_back(&run->by_time, &w->by_time);
    run->memory += sizeof *w;
    return run->memory > MLOG_QUERY_MAX_MEMORY ? E2BIG : 0;
}

static void
remove_left(struct run *run, struct waiting *w)
{
    ovs_list_remove(&w->by_key);
    ovs_list_remove(&w->by_time);
    if (ovs_list_is_empty(&w->key->waiting)) {
        hmap_remove(&run->keys, &w->key->node);
        free(w->key);
        run->memory -= key_size(run);
    }
    free(w);
    run->memory -= sizeof *w;
}

/* Gives up on those whose time is over at 'now'; returns their number. */
static size_t
expire(struct run *run, uint64_t now)
{
    struct waiting *w;
    size_t n = 0;

    LIST_FOR_EACH_SAFE (w, by_time, &run->by_time) {
        if (now - w->row.time <= run->spec->within) {
            break;
        }
        remove_left(run, w);
        n++;
    }
    return n;
}

/* Returns 0 or E2BIG. */
static int
add_pair(struct run *run, const struct waiting *w,
         const struct mlog_record *right)
{
    struct mlog_pairs *result = run->result;
    struct mlog_pair pair = {
        .latency = right->time - w->row.time, .serial = w->serial
    };

    if (result->n >= MLOG_PAIRS_MAX) {
        return E2BIG;
    }
    if (result->n >= run->allocated_latencies) {
        result->latencies = x2nrealloc(result->latencies,
                                       &run->allocated_latencies,
                                       sizeof *result->latencies);
    }
    result->latencies[result->n++] = pair.latency;
    run->sum += pair.latency;
    pair.rows[MLOG_LEFT] = w->row;
    set_row(&pair.rows[MLOG_RIGHT], right);
    keep_pair(run, &pair);
    return 0;
}

static int
add_right(struct run *run, const struct mlog_record *record,
          const struct mlog_value values[])
{
    struct key *key = find_key(run, values, hash_values(run, values));
    int error = 0;

    if (key) {
        size_t n = ovs_list_size(&key->waiting);

        /* The last one takes 'key' with it. */
        while (n-- && !error) {
            struct waiting *w = CONTAINER_OF(ovs_list_front(&key->waiting),
                                             struct waiting, by_key);

            error = add_pair(run, w, record);
            remove_left(run, w);
        }
    }
    return error;
}

/* Scanning. */

static bool
matches(const struct mlog_expr *expr, const struct mlog_record *record)
{
    return !expr || mlog_expr_eval(expr, record);
}

/* The right side first: a record is not its own partner. */
static int
add_record(struct run *run, const struct mlog_record *record)
{
    const struct mlog_pairs_spec *spec = run->spec;
    struct mlog_pairs *result = run->result;
    struct mlog_value values[MLOG_QUERY_MAX_FIELDS];
    bool left = (record->time <= run->until
                 && matches(spec->exprs[MLOG_LEFT], record));
    bool right = matches(spec->exprs[MLOG_RIGHT], record);
    int error = 0;

    result->totals.count += left || right;
    result->totals.bytes += (left || right
                             ? mlog_row_pkt_len(record->row) : 0);
    result->n_unpaired += expire(run, record->time);
    if (right && get_key(run, MLOG_RIGHT, record, values)) {
        result->n_right++;
        error = add_right(run, record, values);
    }
    if (!error && left && get_key(run, MLOG_LEFT, record, values)) {
        result->n_left++;
        error = add_left(run, record, values);
    }
    return error;
}

/* An expression for what either side matches, or NULL if it would be too
 * long: then everything is looked at. */
static struct mlog_expr *
make_union(const struct mlog_pairs_spec *spec)
{
    struct mlog_error error = MLOG_ERROR_INITIALIZER;
    struct ds text = DS_EMPTY_INITIALIZER;
    struct mlog_expr *expr = NULL;

    if (spec->exprs[MLOG_LEFT] && spec->exprs[MLOG_RIGHT]
        && !mlog_expr_is_everything(spec->exprs[MLOG_LEFT])
        && !mlog_expr_is_everything(spec->exprs[MLOG_RIGHT])) {
        ds_put_char(&text, '(');
        mlog_expr_format(spec->exprs[MLOG_LEFT], &text);
        ds_put_cstr(&text, ") || (");
        mlog_expr_format(spec->exprs[MLOG_RIGHT], &text);
        ds_put_char(&text, ')');
        expr = mlog_expr_parse(ds_cstr(&text), &error);
    }
    mlog_error_clear(&error);
    ds_destroy(&text);
    return expr;
}

static int
scan(struct run *run, const struct mlog_snapshot *snapshot,
     const struct mlog_range *range, const struct mlog_budget *budget)
{
    struct mlog_scan *s = mlog_scan_create(snapshot, range, budget);
    struct mlog_batch batch;
    int error = 0;

    while (!error && mlog_scan_next(s, &batch)) {
        for (uint32_t i = 0; i < batch.n && !error; i++) {
            struct mlog_record record;

            mlog_batch_prefetch(&batch, i);
            mlog_batch_record(&batch, i, &record);
            error = add_record(run, &record);
        }
        mlog_scan_set_memory(s, run->memory);
    }
    run->result->totals.n_revoked = mlog_scan_n_expired(s);
    run->result->totals.n_unreadable = mlog_scan_n_unreadable(s);
    error = error ? error : mlog_scan_error(s);
    mlog_scan_destroy(s);
    return error;
}

/* Results. */

static int
compare_latencies(const void *a_, const void *b_)
{
    const uint64_t *a = a_;
    const uint64_t *b = b_;

    return *a < *b ? -1 : *a > *b;
}

static void
finish(struct run *run, uint64_t cut)
{
    struct mlog_pairs *result = run->result;

    result->n_unpaired += expire(run, cut);
    result->n_waiting = ovs_list_size(&run->by_time);
    if (result->n) {
        qsort(result->latencies, result->n, sizeof *result->latencies,
              compare_latencies);
        result->average = run->sum / result->n;
    }
    sort_pairs(run);
}

int
mlog_query_pairs(const struct mlog_snapshot *snapshot,
                 const struct mlog_range *range,
                 const struct mlog_budget *budget,
                 const struct mlog_pairs_spec *spec,
                 struct mlog_pairs **resultp)
{
    struct mlog_pairs *result = xzalloc(sizeof *result);
    struct run run = {
        .spec = spec, .until = range->until, .result = result,
        .seed = random_uint32(),
    };
    struct mlog_expr *expr = make_union(spec);
    struct mlog_range all = {
        .expr = expr, .since = range->since,
        .until = range->until + MIN(spec->within, UINT64_MAX - range->until),
    };
    struct waiting *w;
    int error;

    hmap_init(&run.keys);
    ovs_list_init(&run.by_time);
    mlog_query_get_missing(snapshot, &all, &result->totals);
    error = scan(&run, snapshot, &all, budget);
    if (!error) {
        finish(&run, snapshot->cut);
    }
    LIST_FOR_EACH_SAFE (w, by_time, &run.by_time) {
        remove_left(&run, w);
    }
    hmap_destroy(&run.keys);
    mlog_expr_unref(expr);
    if (error) {
        mlog_pairs_destroy(result);
        result = NULL;
    }
    *resultp = result;
    return error;
}

void
mlog_pairs_destroy(struct mlog_pairs *result)
{
    if (result) {
        free(result->latencies);
        free(result->pairs);
        free(result);
    }
}

uint64_t
mlog_pairs_percentile(const struct mlog_pairs *result, unsigned int percent)
{
    size_t rank = DIV_ROUND_UP(result->n * percent, 100);

    return result->latencies[rank ? rank - 1 : 0];
}
