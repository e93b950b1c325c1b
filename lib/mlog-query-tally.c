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

#include "mlog-query-tally.h"

#include <stdlib.h>
#include <string.h>

#include "jhash.h"
#include "mlog-sketch-distinct.h"
#include "mlog-sketch-quantile.h"
#include "mlog-sketch-topk.h"
#include "random.h"
#include "util.h"

/* An exact tally is a hash table of values, with open addressing, at most
 * three quarters full.  Packets that follow each other often have the same
 * value, so the entry that was used last is looked at first.
 *
 * When it is to become sketches, what it has is added to them, the most
 * frequent values first: so topk begins with the right ones. */

#define MIN_SLOTS 4

/* While memory is short, tallies of fewer bytes grow nevertheless: sketches
 * would hardly take less. */
#define MIN_SKETCH_BYTES (64u << 10)

/* Counters of the topk sketch, per value that is wanted, and at least. */
#define TOP_FACTOR 10
#define TOP_MIN 1024

struct entry {
    struct mlog_value value;
    uint64_t n;                 /* 0: free. */
};

/* Those that 'uses' of the tally has. */
struct sketches {
    struct mlog_distinct distinct;
    struct mlog_quantile quantile;
    struct mlog_topk topk;
    size_t memory;              /* As counted in the pool. */
};

struct mlog_tally {
    struct mlog_tally_pool *pool;
    uint64_t n;                 /* Values. */
    struct entry *entries;
    uint32_t n_entries;         /* In use. */
    uint32_t mask;              /* Slots less one. */
    uint32_t last;              /* Slot that was used last. */
    uint32_t max_top;
    uint8_t uses;               /* enum mlog_tally_use. */
    bool sorted;                /* By value, without free slots. */
    struct sketches *sketches;  /* NULL: exact. */
};

void
mlog_tally_pool_init(struct mlog_tally_pool *pool, size_t max_exact)
{
    *pool = (struct mlog_tally_pool) {
        .max_exact = max_exact,
        .max_values = MLOG_TALLY_MAX_VALUES,
        .seed = random_uint32(),
    };
}

static struct entry *
allocate(struct mlog_tally *tally, uint32_t n_slots)
{
    tally->mask = n_slots - 1;
    tally->pool->memory += n_slots * sizeof(struct entry);
    return xcalloc(n_slots, sizeof(struct entry));
}

struct mlog_tally *
mlog_tally_create(struct mlog_tally_pool *pool, int uses, uint32_t max_top)
{
    struct mlog_tally *tally = xzalloc(sizeof *tally);

    tally->pool = pool;
    tally->uses = uses;
    tally->max_top = max_top;
    pool->memory += sizeof *tally;
    tally->entries = allocate(tally, MIN_SLOTS);
    return tally;
}

static void
sketches_destroy(struct sketches *s)
{
    if (s) {
        mlog_distinct_destroy(&s->distinct);
        mlog_quantile_destroy(&s->quantile);
        mlog_topk_destroy(&s->topk);
        free(s);
    }
}

void
mlog_tally_destroy(struct mlog_tally *tally)
{
    if (tally) {
        sketches_destroy(tally->sketches);
        free(tally->entries);
        free(tally);
    }
}

/* The table. */

static uint32_t
hash_value(const struct mlog_tally *tally, const struct mlog_value *value)
{
    BUILD_ASSERT(sizeof *value == 16);
    return jhash_words((const uint32_t *) value, 4, tally->pool->seed);
}

/* Returns the slot of 'value', or the free one where it belongs. */
static uint32_t
find_slot(const struct mlog_tally *tally, const struct mlog_value *value)
{
    uint32_t i = hash_value(tally, value) & tally->mask;

    while (tally->entries[i].n
           && !mlog_value_equal(&tally->entries[i].value, value)) {
        i = (i + 1) & tally->mask;
    }
    return i;
}

static void
grow(struct mlog_tally *tally)
{
    struct entry *old = tally->entries;
    uint32_t n_slots = tally->mask + 1;

    tally->entries = allocate(tally, n_slots * 2);
    tally->pool->memory -= n_slots * sizeof *old;
    for (uint32_t i = 0; i < n_slots; i++) {
        if (old[i].n) {
            tally->entries[find_slot(tally, &old[i].value)] = old[i];
        }
    }
    free(old);
}

/* Sketches. */

static struct sketches *
sketches_create(uint32_t max_top)
{
    struct sketches *s = xzalloc(sizeof *s);
    uint32_t capacity = MAX(TOP_MIN, max_top * TOP_FACTOR);

    mlog_distinct_init(&s->distinct, MLOG_DISTINCT_PRECISION,
                       mlog_sketch_local_seed());
    mlog_quantile_init(&s->quantile);
    mlog_topk_init(&s->topk, MIN(capacity, MLOG_TOPK_MAX_CAPACITY));
    return s;
}

static void
add_to_sketches(struct mlog_tally *tally, const struct mlog_value *value,
                uint64_t n)
{
    struct sketches *s = tally->sketches;

    if (tally->uses & MLOG_TALLY_DISTINCT) {
        mlog_distinct_add(&s->distinct, value);
    }
    if (tally->uses & MLOG_TALLY_PERCENTILE) {
        mlog_quantile_add(&s->quantile, value->lo, n);
    }
    if (tally->uses & MLOG_TALLY_TOP) {
        mlog_topk_add(&s->topk, value, n);
    }
}

/* Accounts for the sketches' memory. */
static void
count_memory(struct mlog_tally *tally)
{
    struct sketches *s = tally->sketches;
    size_t memory = (sizeof *s + mlog_distinct_memory(&s->distinct)
                     + mlog_quantile_memory(&s->quantile)
                     + mlog_topk_memory(&s->topk));

    tally->pool->memory += memory - s->memory;
    s->memory = memory;
}

static int
compare_counts(const void *a_, const void *b_)
{
    const struct entry *a = a_;
    const struct entry *b = b_;

    return a->n > b->n ? -1 : a->n < b->n;
}

static void
convert(struct mlog_tally *tally)
{
    uint32_t n_slots = tally->mask + 1;

    tally->sketches = sketches_create(tally->max_top);
    qsort(tally->entries, n_slots, sizeof *tally->entries, compare_counts);
    for (uint32_t i = 0; i < tally->n_entries; i++) {
        add_to_sketches(tally, &tally->entries[i].value, tally->entries[i].n);
    }
    tally->pool->memory -= n_slots * sizeof *tally->entries;
    free(tally->entries);
    tally->entries = NULL;
    count_memory(tally);
}

/* Adding. */

/* Makes room after 'value' was added, or converts. */
static void
make_room(struct mlog_tally *tally, const struct mlog_value *value)
{
    const struct mlog_tally_pool *pool = tally->pool;
    size_t bytes = ((size_t) tally->mask + 1) * sizeof *tally->entries;

    if (tally->n_entries > pool->max_values
        || (pool->memory > pool->max_exact && bytes >= MIN_SKETCH_BYTES)) {
        convert(tally);
    } else if (tally->n_entries > (tally->mask + 1) / 4 * 3) {
        grow(tally);
        tally->last = find_slot(tally, value);
    }
}

static void
add_to_table(struct mlog_tally *tally, const struct mlog_value *value)
{
    uint32_t i = find_slot(tally, value);
    struct entry *entry = &tally->entries[i];

    tally->last = i;
    if (!entry->n++) {
        entry->value = *value;
        tally->n_entries++;
        make_room(tally, value);
    }
}

void
mlog_tally_add(struct mlog_tally *tally, const struct mlog_value *value)
{
    struct entry *last;

    ovs_assert(!tally->sorted);
    tally->n++;
    if (OVS_UNLIKELY(tally->sketches != NULL)) {
        add_to_sketches(tally, value, 1);
        if (!(tally->n % 1024)) {
            count_memory(tally);
        }
        return;
    }

    last = &tally->entries[tally->last];
    if (last->n && mlog_value_equal(&last->value, value)) {
        last->n++;
    } else {
        add_to_table(tally, value);
    }
}

/* Results. */

static int
compare_entries(const void *a_, const void *b_)
{
    const struct entry *a = a_;
    const struct entry *b = b_;

    return mlog_value_compare(&a->value, &b->value);
}

static void
sort(struct mlog_tally *tally)
{
    if (!tally->sorted) {
        uint32_t n = 0;

        for (uint32_t i = 0; i <= tally->mask; i++) {
            if (tally->entries[i].n) {
                tally->entries[n++] = tally->entries[i];
            }
        }
        qsort(tally->entries, n, sizeof *tally->entries, compare_entries);
        tally->sorted = true;
    }
}

uint64_t
mlog_tally_distinct(struct mlog_tally *tally, double *error)
{
    const struct sketches *s = tally->sketches;

    *error = s ? mlog_distinct_error(&s->distinct) : 0;
    return s ? mlog_distinct_count(&s->distinct) : tally->n_entries;
}

bool
mlog_tally_percentile(struct mlog_tally *tally, uint32_t ppm,
                      uint64_t *value, double *error)
{
    uint64_t rank, n = 0;

    *error = 0;
    if (tally->sketches) {
        const struct mlog_quantile *quantile = &tally->sketches->quantile;

        *error = mlog_quantile_is_exact(quantile) ? 0 : MLOG_QUANTILE_ERROR;
        return mlog_quantile_get(quantile, ppm, value);
    } else if (!tally->n) {
        return false;
    }

    sort(tally);
    rank = mlog_quantile_rank(tally->n, ppm);
    for (uint32_t i = 0; i < tally->n_entries && n < rank; i++) {
        n += tally->entries[i].n;
        *value = tally->entries[i].value.lo;
    }
    return true;
}

/* True if 'a' comes before 'b'. */
static bool
is_before(const struct mlog_tally_item *a, const struct mlog_tally_item *b)
{
    return (a->count != b->count ? a->count > b->count
            : mlog_value_compare(&a->value, &b->value) < 0);
}

/* Puts 'item' into its place among the first 'max' of 'items', 'n' of which
 * are there.  Returns how many are there then. */
static size_t
insert_item(struct mlog_tally_item items[], size_t n, size_t max,
            const struct mlog_tally_item *item)
{
    size_t i;

    if (n >= max && !is_before(item, &items[max - 1])) {
        return n;
    }
    n += n < max;
    for (i = n - 1; i && is_before(item, &items[i - 1]); i--) {
        items[i] = items[i - 1];
    }
    items[i] = *item;
    return n;
}

static size_t
top_of_sketch(const struct mlog_tally *tally, size_t max,
              struct mlog_tally_item items[], double *error)
{
    const struct mlog_topk *topk = &tally->sketches->topk;
    struct mlog_topk_item *found = xmalloc(max * sizeof *found);
    size_t n = mlog_topk_get(topk, max, found);

    for (size_t i = 0; i < n; i++) {
        items[i] = (struct mlog_tally_item) {
            found[i].value, found[i].count, found[i].error
        };
    }
    free(found);
    *error = (double) mlog_topk_bound(topk) / tally->n;
    return n;
}

size_t
mlog_tally_top(struct mlog_tally *tally, size_t max,
               struct mlog_tally_item items[], double *error)
{
    size_t n = 0;

    *error = 0;
    if (tally->sketches) {
        return top_of_sketch(tally, max, items, error);
    }
    sort(tally);
    for (uint32_t i = 0; i < tally->n_entries; i++) {
        const struct mlog_tally_item item = {
            .value = tally->entries[i].value, .count = tally->entries[i].n,
        };

        n = insert_item(items, n, max, &item);
    }
    return n;
}
