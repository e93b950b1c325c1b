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
#include "mlog-sketch-topk.h"

#include <stdlib.h>
#include <string.h>

#include "mlog-sketch-private.h"
#include "openvswitch/ofpbuf.h"
#include "util.h"

/* Counters are found by hash, in chains, and hang in buckets, one for each
 * count that occurs.  Buckets are in a list in order of their counts, so that
 * a counter finds its next bucket in as many steps as it counts, and the least
 * counter, which is replaced when there is no room, is at hand.
 *
 * Merging (Agarwal and others, "Mergeable summaries", 2012): a value that only
 * one of the two has may have occurred in the other as often as that one's
 * bound.  The 'capacity' greatest sums are kept.  The counts that these take
 * from either side are no more than the greatest ones there, and so don't
 * exceed its total: hence the bound again. */

#define NONE UINT32_MAX
#define MIN_COUNTERS 4

struct mlog_topk_counter {
    struct mlog_value value;
    uint64_t error;
    uint32_t hash;
    uint32_t chain;             /* Next counter with that hash. */
    uint32_t bucket;
    uint32_t prev, next;        /* In the bucket, a ring. */
};

struct mlog_topk_bucket {
    uint64_t count;
    uint32_t first;             /* Counter. */
    uint32_t lower, higher;     /* Buckets; 'higher' also of free ones. */
};

static uint64_t
add_saturating(uint64_t a, uint64_t b)
{
    uint64_t sum;

    return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

static uint64_t
get_count(const struct mlog_topk *t, uint32_t counter)
{
    return t->buckets[t->counters[counter].bucket].count;
}

/* Life cycle. */

void
mlog_topk_init(struct mlog_topk *t, uint32_t capacity)
{
    ovs_assert(capacity > 0 && capacity <= MLOG_TOPK_MAX_CAPACITY);
    *t = (struct mlog_topk) {
        .capacity = capacity, .lowest = NONE, .free_bucket = NONE,
    };
}

void
mlog_topk_destroy(struct mlog_topk *t)
{
    if (t) {
        free(t->counters);
        free(t->buckets);
        free(t->heads);
    }
}

void
mlog_topk_clear(struct mlog_topk *t)
{
    uint32_t capacity = t->capacity;

    mlog_topk_destroy(t);
    mlog_topk_init(t, capacity);
}

/* Finding. */

static uint32_t
hash_value(const struct mlog_value *value)
{
    return mlog_sketch_hash(mlog_sketch_local_seed(), value);
}

static uint32_t
find(const struct mlog_topk *t, const struct mlog_value *value, uint32_t hash)
{
    if (!t->n) {
        return NONE;
    }

    uint32_t i = t->heads[hash & t->mask];
    while (i != NONE && (t->counters[i].hash != hash
                         || !mlog_value_equal(&t->counters[i].value, value))) {
        i = t->counters[i].chain;
    }
    return i;
}

static void
chain_insert(struct mlog_topk *t, uint32_t i)
{
    uint32_t *head = &t->heads[t->counters[i].hash & t->mask];

    t->counters[i].chain = *head;
    *head = i;
}

static void
chain_remove(struct mlog_topk *t, uint32_t i)
{
    uint32_t *p = &t->heads[t->counters[i].hash & t->mask];

    while (*p != i) {
        p = &t->counters[*p].chain;
    }
    *p = t->counters[i].chain;
}

/* Buckets. */

/* Returns a bucket for 'count' between 'lower' and 'higher'. */
static uint32_t
insert_bucket(struct mlog_topk *t, uint64_t count, uint32_t lower,
              uint32_t higher)
{
    uint32_t b = t->free_bucket;

    t->free_bucket = t->buckets[b].higher;
    t->buckets[b] = (struct mlog_topk_bucket) {
        .count = count, .first = NONE, .lower = lower, .higher = higher,
    };
    if (lower != NONE) {
        t->buckets[lower].higher = b;
    } else {
        t->lowest = b;
    }
    if (higher != NONE) {
        t->buckets[higher].lower = b;
    }
    return b;
}

static void
free_bucket(struct mlog_topk *t, uint32_t b)
{
    struct mlog_topk_bucket *bucket = &t->buckets[b];

    if (bucket->lower != NONE) {
        t->buckets[bucket->lower].higher = bucket->higher;
    } else {
        t->lowest = bucket->higher;
    }
    if (bucket->higher != NONE) {
        t->buckets[bucket->higher].lower = bucket->lower;
    }
    bucket->higher = t->free_bucket;
    t->free_bucket = b;
}

/* Puts counter 'i' into the bucket for 'count', which is after 'lower', or
 * wherever if that is NONE. */
static void
attach(struct mlog_topk *t, uint32_t i, uint64_t count, uint32_t lower)
{
    uint32_t b = lower == NONE ? t->lowest : t->buckets[lower].higher;

    while (b != NONE && t->buckets[b].count < count) {
        lower = b;
        b = t->buckets[b].higher;
    }
    if (b == NONE || t->buckets[b].count > count) {
        b = insert_bucket(t, count, lower, b);
    }

    struct mlog_topk_bucket *bucket = &t->buckets[b];
    struct mlog_topk_counter *c = &t->counters[i];
    c->bucket = b;
    if (bucket->first == NONE) {
        c->prev = c->next = bucket->first = i;
    } else {
        c->next = bucket->first;
        c->prev = t->counters[c->next].prev;
        t->counters[c->prev].next = i;
        t->counters[c->next].prev = i;
    }
}

static void
detach(struct mlog_topk *t, uint32_t i)
{
    struct mlog_topk_counter *c = &t->counters[i];
    struct mlog_topk_bucket *bucket = &t->buckets[c->bucket];

    if (c->next == i) {
        bucket->first = NONE;
    } else {
        t->counters[c->prev].next = c->next;
        t->counters[c->next].prev = c->prev;
        if (bucket->first == i) {
            bucket->first = c->next;
        }
    }
}

/* Adding. */

static void
grow(struct mlog_topk *t)
{
    uint32_t old = t->allocated;
    uint32_t n = MIN(t->capacity, MAX(MIN_COUNTERS, old * 2));
    uint32_t n_heads = MAX(MIN_COUNTERS, ROUND_UP_POW2(n));

    t->allocated = n;
    t->counters = xrealloc(t->counters, n * sizeof *t->counters);

    /* One more, for when a counter has its new bucket already. */
    t->buckets = xrealloc(t->buckets, (n + 1) * sizeof *t->buckets);
    for (uint32_t i = old ? old + 1 : 0; i <= n; i++) {
        t->buckets[i].higher = t->free_bucket;
        t->free_bucket = i;
    }

    free(t->heads);
    t->heads = xmalloc(n_heads * sizeof *t->heads);
    memset(t->heads, 0xff, n_heads * sizeof *t->heads);
    t->mask = n_heads - 1;
    for (uint32_t i = 0; i < t->n; i++) {
        chain_insert(t, i);
    }
}

/* Adds a value that isn't there; there is room. */
static void
insert(struct mlog_topk *t, const struct mlog_topk_item *item, uint32_t hash)
{
    if (t->n >= t->allocated) {
        grow(t);
    }

    uint32_t i = t->n++;
    t->counters[i].value = item->value;
    t->counters[i].error = item->error;
    t->counters[i].hash = hash;
    chain_insert(t, i);
    attach(t, i, item->count, NONE);
}

/* Counts 'n' more with counter 'i'. */
static void
advance(struct mlog_topk *t, uint32_t i, uint64_t n)
{
    uint32_t old = t->counters[i].bucket;
    uint64_t count = add_saturating(t->buckets[old].count, n);

    if (count == t->buckets[old].count) {
        return;
    }
    detach(t, i);
    attach(t, i, count, old);
    if (t->buckets[old].first == NONE) {
        free_bucket(t, old);
    }
}

/* Has the least counter count for another value. */
static uint32_t
replace_least(struct mlog_topk *t, const struct mlog_value *value,
              uint32_t hash)
{
    uint32_t i = t->buckets[t->lowest].first;

    chain_remove(t, i);
    t->counters[i].value = *value;
    t->counters[i].error = t->buckets[t->lowest].count;
    t->counters[i].hash = hash;
    chain_insert(t, i);
    return i;
}

void
mlog_topk_add(struct mlog_topk *t, const struct mlog_value *value, uint64_t n)
{
    uint32_t hash = hash_value(value);
    uint32_t i = find(t, value, hash);

    if (!n) {
        return;
    }
    t->total = add_saturating(t->total, n);
    if (i != NONE) {
        advance(t, i, n);
    } else if (t->n < t->capacity) {
        insert(t, &(struct mlog_topk_item) { .value = *value, .count = n },
               hash);
    } else {
        advance(t, replace_least(t, value, hash), n);
    }
}

/* Answers. */

static int
compare_items(const void *a_, const void *b_)
{
    const struct mlog_topk_item *a = a_;
    const struct mlog_topk_item *b = b_;

    return (a->count != b->count ? (a->count > b->count ? -1 : 1)
            : mlog_value_compare(&a->value, &b->value));
}

static struct mlog_topk_item
get_item(const struct mlog_topk *t, uint32_t i)
{
    return (struct mlog_topk_item) {
        .value = t->counters[i].value,
        .count = get_count(t, i),
        .error = t->counters[i].error,
    };
}

size_t
mlog_topk_get(const struct mlog_topk *t, size_t k,
              struct mlog_topk_item items[])
{
    struct mlog_topk_item *all = xmalloc(MAX(t->n, 1) * sizeof *all);
    size_t n = MIN(k, t->n);

    for (uint32_t i = 0; i < t->n; i++) {
        all[i] = get_item(t, i);
    }
    qsort(all, t->n, sizeof *all, compare_items);
    memcpy(items, all, n * sizeof *items);
    free(all);
    return n;
}

uint64_t
mlog_topk_bound(const struct mlog_topk *t)
{
    return t->n == t->capacity ? t->buckets[t->lowest].count : 0;
}

size_t
mlog_topk_memory(const struct mlog_topk *t)
{
    return (!t->allocated ? 0
            : t->allocated * sizeof *t->counters
              + (t->allocated + 1) * sizeof *t->buckets
              + (t->mask + 1) * sizeof *t->heads);
}

/* Merging. */

/* Replaces what 't' has by the 'n' items, which are in order. */
static void
set_items(struct mlog_topk *t, const struct mlog_topk_item items[], size_t n)
{
    uint64_t total = t->total;

    mlog_topk_clear(t);
    t->total = total;
    for (size_t i = 0; i < MIN(n, t->capacity); i++) {
        insert(t, &items[i], hash_value(&items[i].value));
    }
}

void
mlog_topk_merge(struct mlog_topk *dst, const struct mlog_topk *src)
{
    uint64_t dst_bound = mlog_topk_bound(dst);
    uint64_t src_bound = mlog_topk_bound(src);
    struct mlog_topk_item *items;
    size_t n = 0;

    if (!src->n) {
        return;
    }
    items = xmalloc((dst->n + src->n) * sizeof *items);
    for (uint32_t i = 0; i < dst->n; i++) {
        const struct mlog_topk_counter *c = &dst->counters[i];
        uint32_t other = find(src, &c->value, c->hash);

        items[n] = get_item(dst, i);
        items[n].count = add_saturating(
            items[n].count, other != NONE ? get_count(src, other) : src_bound);
        items[n].error = add_saturating(
            items[n].error, (other != NONE ? src->counters[other].error
                             : src_bound));
        n++;
    }
    for (uint32_t i = 0; i < src->n; i++) {
        const struct mlog_topk_counter *c = &src->counters[i];

        if (find(dst, &c->value, c->hash) == NONE) {
            items[n] = get_item(src, i);
            items[n].count = add_saturating(items[n].count, dst_bound);
            items[n].error = add_saturating(items[n].error, dst_bound);
            n++;
        }
    }
    qsort(items, n, sizeof *items, compare_items);
    dst->total = add_saturating(dst->total, src->total);
    set_items(dst, items, n);
    free(items);
}

/* Bytes.
 *
 *     0  header; its own: 0, 0, 0
 *     8  u32  capacity
 *    12  u32  number of values
 *    16  u64  total
 *    24  values, greatest count first: u64 lower half, u64 upper half,
 *        u64 count, u64 error */

#define ITEM_SIZE 32

void
mlog_topk_serialise(const struct mlog_topk *t, struct ofpbuf *b)
{
    static const uint8_t own[3];
    struct mlog_topk_item *items = xmalloc(MAX(t->n, 1) * sizeof *items);

    mlog_topk_get(t, t->n, items);
    mlog_sketch_put_header(b, MLOG_SKETCH_TOPK, own);
    mlog_sketch_put_u32(b, t->capacity);
    mlog_sketch_put_u32(b, t->n);
    mlog_sketch_put_u64(b, t->total);
    for (uint32_t i = 0; i < t->n; i++) {
        mlog_sketch_put_u64(b, items[i].value.lo);
        mlog_sketch_put_u64(b, items[i].value.hi);
        mlog_sketch_put_u64(b, items[i].count);
        mlog_sketch_put_u64(b, items[i].error);
    }
    free(items);
}

static void
read_items(struct mlog_topk *t, struct mlog_sketch_reader *r, uint32_t n)
{
    struct mlog_topk_item item, last = { .count = 0 };
    uint64_t sum = 0;

    for (uint32_t i = 0; i < n; i++) {
        item.value.lo = mlog_sketch_get_u64(r);
        item.value.hi = mlog_sketch_get_u64(r);
        item.count = mlog_sketch_get_u64(r);
        item.error = mlog_sketch_get_u64(r);

        uint32_t hash = hash_value(&item.value);
        if (item.error >= item.count) {
            mlog_sketch_fail(r, "error of value %"PRIu32" is too large", i);
        } else if (i && compare_items(&last, &item) >= 0) {
            mlog_sketch_fail(r, "value %"PRIu32" is not in order", i);
        } else if (find(t, &item.value, hash) != NONE) {
            mlog_sketch_fail(r, "value %"PRIu32" is there twice", i);
        } else if (__builtin_add_overflow(sum, item.count, &sum)
                   || sum > t->total) {
            mlog_sketch_fail(r, "counts exceed the total");
        }
        if (r->error) {
            return;
        }
        insert(t, &item, hash);
        last = item;
    }
}

bool
mlog_topk_deserialise(struct mlog_topk *t, const void *data, size_t size,
                      uint32_t max_capacity, char **errorp)
{
    struct mlog_sketch_reader r;
    uint8_t own[3];

    mlog_sketch_reader_init(&r, data, size, MLOG_SKETCH_TOPK, own);
    uint32_t capacity = mlog_sketch_get_u32(&r);
    uint32_t n = mlog_sketch_get_u32(&r);
    uint64_t total = mlog_sketch_get_u64(&r);
    if (own[0] || own[1] || own[2] || !capacity || n > capacity
        || capacity > MIN(max_capacity, MLOG_TOPK_MAX_CAPACITY)) {
        mlog_sketch_fail(&r, "parameters of the sketch are invalid");
    } else if ((size_t) n * ITEM_SIZE != mlog_sketch_left(&r)) {
        mlog_sketch_fail(&r, "sketch of %"PRIu32" values has the wrong size",
                         n);
    }

    mlog_topk_init(t, r.error ? 1 : capacity);
    if (!r.error) {
        t->total = total;
        read_items(t, &r, n);
    }
    *errorp = mlog_sketch_reader_finish(&r);
    if (*errorp) {
        mlog_topk_clear(t);
    }
    return !*errorp;
}
