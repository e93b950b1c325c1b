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
#include "mlog-window.h"

#include <stdlib.h>
#include <string.h>

#include "mlog-group-table.h"
#include "mlog-sketch-quantile.h"
#include "util.h"

/* 'buckets' are those of the octaves between the first and the last that had
 * values, with how many values each has in the whole window.
 *
 * 'queue' is a ring of how many values each pane has in each bucket, oldest
 * pane first.  Positions in it count up, and wrap around after 2**32.  A
 * bucket knows its latest position, which is the newest pane's if what is
 * there says so. */

#define PER_OCTAVE MLOG_QUANTILE_PER_OCTAVE
#define MIN_QUEUE 8
#define MAX_QUEUE (1u << 24)

struct bucket {
    uint64_t count;
    uint32_t latest;            /* Position. */
};

struct item {
    uint32_t count;
    uint16_t bucket;
    uint16_t pane;              /* Its lower bits. */
};

struct mlog_window_quantile {
    struct bucket *buckets;
    struct item *queue;
    uint64_t total;
    uint64_t head;              /* Newest pane. */
    uint32_t mask;              /* Of positions. */
    uint32_t first, end;        /* Positions that are in use. */
    uint8_t n_slots;
    uint8_t first_octave;
    uint8_t n_octaves;
};

/* Life cycle. */

struct mlog_window_quantile *
mlog_window_quantile_create(struct mlog_group_table *table,
                            unsigned int n_slots, uint64_t pane, bool force)
{
    struct mlog_window_quantile *w;
    size_t size = sizeof *w + MIN_QUEUE * sizeof *w->queue;

    if (!mlog_group_table_charge(table, size, force)) {
        return NULL;
    }
    w = xzalloc(sizeof *w);
    w->queue = xmalloc(MIN_QUEUE * sizeof *w->queue);
    w->mask = MIN_QUEUE - 1;
    w->n_slots = n_slots;
    w->head = pane;
    return w;
}

static size_t
octaves_size(unsigned int n)
{
    return n * PER_OCTAVE * sizeof(struct bucket);
}

void
mlog_window_quantile_destroy(struct mlog_window_quantile *w,
                             struct mlog_group_table *table)
{
    if (w) {
        mlog_group_table_uncharge(
            table, (sizeof *w + octaves_size(w->n_octaves)
                    + ((size_t) w->mask + 1) * sizeof *w->queue));
        free(w->buckets);
        free(w->queue);
        free(w);
    }
}

/* Time. */

static struct bucket *
get_bucket(const struct mlog_window_quantile *w, unsigned int bucket)
{
    return &w->buckets[bucket - w->first_octave * PER_OCTAVE];
}

void
mlog_window_quantile_advance(struct mlog_window_quantile *w,
                             struct mlog_group_table *table OVS_UNUSED,
                             uint64_t pane)
{
    if (pane <= w->head) {
        return;
    }

    /* Items' panes are among the 'n_slots' up to 'head'. */
    uint64_t n = MIN(pane - w->head, w->n_slots);
    while (w->first != w->end) {
        const struct item *item = &w->queue[w->first & w->mask];
        uint16_t age = w->head - item->pane;

        if (age + n < w->n_slots) {
            break;
        }
        get_bucket(w, item->bucket)->count -= item->count;
        w->total -= item->count;
        w->first++;
    }
    w->head = pane;
}

/* Adding. */

/* Makes room for 'octave'. */
static bool
fit_octave(struct mlog_window_quantile *w, struct mlog_group_table *table,
           unsigned int octave)
{
    unsigned int old_n = w->n_octaves;
    unsigned int first = old_n ? MIN(w->first_octave, octave) : octave;
    unsigned int end = old_n ? w->first_octave + old_n : octave + 1;
    unsigned int n = MAX(end, octave + 1) - first;

    if (!mlog_group_table_charge(table, octaves_size(n - old_n), false)) {
        return false;
    }

    struct bucket *buckets = xzalloc(octaves_size(n));
    if (old_n) {
        memcpy(&buckets[(w->first_octave - first) * PER_OCTAVE], w->buckets,
               octaves_size(old_n));
    }
    free(w->buckets);
    w->buckets = buckets;
    w->first_octave = first;
    w->n_octaves = n;
    return true;
}

static bool
grow_queue(struct mlog_window_quantile *w, struct mlog_group_table *table)
{
    uint32_t n = w->mask + 1;

    if (n >= MAX_QUEUE
        || !mlog_group_table_charge(table, n * sizeof *w->queue, false)) {
        return false;
    }

    struct item *queue = xmalloc(2 * n * sizeof *queue);
    for (uint32_t i = w->first; i != w->end; i++) {
        queue[i & (2 * n - 1)] = w->queue[i & w->mask];
    }
    free(w->queue);
    w->queue = queue;
    w->mask = 2 * n - 1;
    return true;
}

/* Returns the newest pane's item of a bucket, or NULL if there is none. */
static struct item *
find_item(const struct mlog_window_quantile *w, const struct bucket *b,
          unsigned int bucket)
{
    uint32_t ago = w->end - b->latest;
    struct item *item = &w->queue[b->latest & w->mask];

    return (ago && ago <= w->end - w->first && item->bucket == bucket
            && item->pane == (uint16_t) w->head ? item : NULL);
}

static struct item *
add_item(struct mlog_window_quantile *w, struct mlog_group_table *table,
         struct bucket *b, unsigned int bucket)
{
    if (w->end - w->first > w->mask && !grow_queue(w, table)) {
        return NULL;
    }

    struct item *item = &w->queue[w->end & w->mask];
    *item = (struct item) { .bucket = bucket, .pane = w->head };
    b->latest = w->end++;
    return item;
}

bool
mlog_window_quantile_add(struct mlog_window_quantile *w,
                         struct mlog_group_table *table, uint64_t value,
                         uint64_t n)
{
    unsigned int bucket = mlog_quantile_bucket(value);
    unsigned int octave = bucket / PER_OCTAVE;

    if ((octave < w->first_octave
         || octave - w->first_octave >= w->n_octaves)
        && !fit_octave(w, table, octave)) {
        return false;
    }

    struct bucket *b = get_bucket(w, bucket);
    while (n) {
        struct item *item = find_item(w, b, bucket);

        if (!item || item->count == UINT32_MAX) {
            item = add_item(w, table, b, bucket);
            if (!item) {
                return false;
            }
        }

        uint64_t part = MIN(n, UINT32_MAX - item->count);
        item->count += part;
        b->count += part;
        w->total += part;
        n -= part;
    }
    return true;
}

/* Answers. */

/* From the end that is nearer. */
bool
mlog_window_quantile_get(const struct mlog_window_quantile *w,
                         uint32_t millionths, uint64_t *value)
{
    size_t n = w->n_octaves * PER_OCTAVE, i;

    if (!w->total) {
        return false;
    }

    uint64_t rank = mlog_quantile_rank(w->total, millionths);
    if (rank > w->total / 2) {
        uint64_t above = w->total - rank;

        for (i = n - 1; i > 0 && above >= w->buckets[i].count; i--) {
            above -= w->buckets[i].count;
        }
    } else {
        for (i = 0; i < n - 1 && rank > w->buckets[i].count; i++) {
            rank -= w->buckets[i].count;
        }
    }
    *value = mlog_quantile_bucket_value(w->first_octave * PER_OCTAVE + i);
    return true;
}
