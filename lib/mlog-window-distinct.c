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

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "mlog-aggregate.h"
#include "mlog-group-table.h"
#include "util.h"

/* How it works
 * ============
 *
 * An entry is the upper 58 bits of a hash and the lower 6 of the number of the
 * pane in which it was last seen.  Open addressing, linear probing, at most
 * three quarters full.  Entries whose pane has left the window stay until the
 * next rebuild(), which is when there is no room, or before 6 bits could mean
 * two panes: an entry's pane is the one in
 *
 *     base - n_slots + 1 ... base - n_slots + 64
 *
 * with these bits, where 'base' is the pane of the latest rebuild; 'head'
 * stays below the last one of these.
 *
 * 'counts' has how many entries were last seen in each pane, so the count
 * needs no look at entries, and a pane leaves at once.
 *
 * Sampling
 * --------
 *
 * This is adaptive sampling (Wegman; Flajolet 1990), with a level for each
 * pane: its entries are the values last seen in it whose hashes begin with at
 * least 'level' zero bits, so each stands for 2**level values.  When entries
 * are too many, panes of the lowest level go one level up, and lose half of
 * their entries, until an eighth of the room is free.  A new pane starts one
 * level below its predecessor, so levels fall when there is less to count.  So
 * the newest pane's level is not above that of any other that has entries, and
 * a value that is in the sample of another one belongs to its sample, too. */

#define MIN_ENTRIES 8
#define MAX_ENTRIES 8192
BUILD_ASSERT_DECL(MAX_ENTRIES / 4 * 3 == MLOG_WINDOW_DISTINCT_MAX);

#define PANE_MASK 63
#define N_PANES (PANE_MASK + 1)
#define MAX_SLOTS (MLOG_MAX_PANES + 1)
BUILD_ASSERT_DECL(MAX_SLOTS < N_PANES - 1);

struct mlog_window_distinct {
    uint64_t *entries;
    uint32_t n;                 /* Entries that are in use. */
    uint32_t mask;              /* Number of entries, less 1. */
    uint64_t base;
    uint64_t head;              /* Newest pane. */
    uint64_t total;             /* Of counts[i] << levels[i]. */
    uint8_t n_slots;
    uint8_t levels[MAX_SLOTS];  /* By pane % n_slots. */
    uint32_t counts[MAX_SLOTS];
};

/* Entries. */

static uint64_t
entry_pane(const struct mlog_window_distinct *w, uint64_t entry)
{
    uint64_t first = w->base - w->n_slots + 1;

    return first + ((entry - first) & PANE_MASK);
}

/* Whether a pane counts when 'pane' is the newest one. */
static bool
is_live(const struct mlog_window_distinct *w, uint64_t of_entry, uint64_t pane)
{
    return pane - of_entry < w->n_slots;
}

static unsigned int
hash_level(uint64_t hash)
{
    return raw_clz64(hash);
}

/* Returns where 'hash' is, or else where it would be. */
static uint64_t *
find(uint64_t *entries, uint32_t mask, uint64_t hash)
{
    uint32_t i = hash / N_PANES & mask;

    while (entries[i] && (entries[i] ^ hash) > PANE_MASK) {
        i = (i + 1) & mask;
    }
    return &entries[i];
}

static bool
is_full(const struct mlog_window_distinct *w)
{
    return w->n >= (w->mask + 1) / 4 * 3;
}

static uint32_t
count_live(const struct mlog_window_distinct *w)
{
    uint32_t n = 0;

    for (size_t i = 0; i < w->n_slots; i++) {
        n += w->counts[i];
    }
    return n;
}

/* Counts 'n' more entries in 'pane', or fewer. */
static void
count(struct mlog_window_distinct *w, uint64_t pane, int n)
{
    size_t slot = pane % w->n_slots;

    w->counts[slot] += n;
    w->total += (uint64_t) n << w->levels[slot];
}

/* Makes 'n_entries' of what is in the window when 'pane' is the newest, has
 * the level of its pane, and counts it. */
static void
rebuild(struct mlog_window_distinct *w, uint64_t pane, uint32_t n_entries)
{
    uint64_t *old = w->entries;
    uint32_t n_old = w->mask + 1;
    uint64_t *entries = xcalloc(n_entries, sizeof *entries);

    memset(w->counts, 0, sizeof w->counts);
    w->n = 0;
    w->total = 0;
    for (uint32_t i = 0; i < n_old; i++) {
        uint64_t of_entry = entry_pane(w, old[i]);

        if (old[i] && is_live(w, of_entry, pane)
            && hash_level(old[i]) >= w->levels[of_entry % w->n_slots]) {
            *find(entries, n_entries - 1, old[i]) = old[i];
            count(w, of_entry, 1);
            w->n++;
        }
    }
    free(old);
    w->entries = entries;
    w->mask = n_entries - 1;
    w->base = w->head = pane;
}

/* Changes how much memory is spoken for.  Returns false if it can't. */
static bool
charge(struct mlog_group_table *table, uint32_t n_old, uint32_t n_new)
{
    if (n_new > n_old) {
        return mlog_group_table_charge(table, (size_t) (n_new - n_old)
                                              * sizeof(uint64_t), false);
    }
    mlog_group_table_uncharge(table, (size_t) (n_old - n_new)
                                     * sizeof(uint64_t));
    return true;
}

/* Raises the level of the panes that have the lowest one. */
static void
raise_level(struct mlog_window_distinct *w)
{
    unsigned int lowest = UINT8_MAX;

    for (size_t i = 0; i < w->n_slots; i++) {
        if (w->counts[i]) {
            lowest = MIN(lowest, w->levels[i]);
        }
    }
    for (size_t i = 0; i < w->n_slots; i++) {
        if (w->levels[i] == lowest) {
            w->levels[i]++;
        }
    }
}

static void
make_room(struct mlog_window_distinct *w, struct mlog_group_table *table)
{
    uint32_t n_entries = w->mask + 1;
    uint32_t max = n_entries * 21 / 32;

    if (count_live(w) > n_entries / 2 && n_entries < MAX_ENTRIES
        && charge(table, n_entries, n_entries * 2)) {
        rebuild(w, w->head, n_entries * 2);
        return;
    }
    rebuild(w, w->head, n_entries);
    while (w->n > max) {
        raise_level(w);
        rebuild(w, w->head, n_entries);
    }
}

/* Life cycle. */

struct mlog_window_distinct *
mlog_window_distinct_create(struct mlog_group_table *table,
                            unsigned int n_slots, uint64_t pane, bool force)
{
    struct mlog_window_distinct *w;
    size_t size = sizeof *w + MIN_ENTRIES * sizeof *w->entries;

    ovs_assert(n_slots <= MAX_SLOTS);
    if (!mlog_group_table_charge(table, size, force)) {
        return NULL;
    }
    w = xzalloc(sizeof *w);
    w->entries = xcalloc(MIN_ENTRIES, sizeof *w->entries);
    w->mask = MIN_ENTRIES - 1;
    w->n_slots = n_slots;
    w->base = w->head = pane;
    return w;
}

void
mlog_window_distinct_destroy(struct mlog_window_distinct *w,
                             struct mlog_group_table *table)
{
    if (w) {
        charge(table, w->mask + 1, 0);
        mlog_group_table_uncharge(table, sizeof *w);
        free(w->entries);
        free(w);
    }
}

/* Time. */

/* The panes after 'head' up to 'pane' begin: what had their slots is out. */
static void
begin_panes(struct mlog_window_distinct *w, uint64_t pane)
{
    uint64_t from = MAX(w->head + 1, pane - MIN(pane, w->n_slots - 1));
    unsigned int level = w->levels[w->head % w->n_slots];
    uint64_t skipped = from - (w->head + 1);

    level -= MIN(level, skipped);
    for (uint64_t p = from; p <= pane; p++) {
        size_t slot = p % w->n_slots;

        count(w, p, -(int) w->counts[slot]);
        level -= level > 0;
        w->levels[slot] = level;
    }
}

void
mlog_window_distinct_advance(struct mlog_window_distinct *w,
                             struct mlog_group_table *table, uint64_t pane)
{
    if (pane <= w->head) {
        return;
    }
    begin_panes(w, pane);
    if (pane - w->base >= N_PANES - w->n_slots) {
        uint32_t fit = ROUND_UP_POW2(count_live(w) * 2 + 1);
        uint32_t n_entries = MIN(w->mask + 1, MAX(fit, MIN_ENTRIES));

        charge(table, w->mask + 1, n_entries);
        rebuild(w, pane, n_entries);
    }
    w->head = pane;
}

/* Adding. */

/* The entry of a hash that is there.  If it doesn't reach the level of the
 * newest pane, it has left the window. */
static void
renew(struct mlog_window_distinct *w, uint64_t *entry)
{
    uint64_t of_entry = entry_pane(w, *entry);

    if (of_entry == w->head
        || hash_level(*entry) < w->levels[w->head % w->n_slots]) {
        return;
    }
    if (is_live(w, of_entry, w->head)) {
        count(w, of_entry, -1);
    }
    count(w, w->head, 1);
    *entry = (*entry & ~(uint64_t) PANE_MASK) | (w->head & PANE_MASK);
}

void
mlog_window_distinct_add(struct mlog_window_distinct *w,
                         struct mlog_group_table *table, uint64_t hash)
{
    hash &= ~(uint64_t) PANE_MASK;
    hash = hash ? hash : N_PANES;

    uint64_t *entry = find(w->entries, w->mask, hash);
    if (*entry) {
        renew(w, entry);
        return;
    }
    if (hash_level(hash) < w->levels[w->head % w->n_slots]) {
        return;
    }
    if (is_full(w)) {
        make_room(w, table);
        if (hash_level(hash) < w->levels[w->head % w->n_slots]) {
            return;
        }
        entry = find(w->entries, w->mask, hash);
    }
    *entry = hash | (w->head & PANE_MASK);
    w->n++;
    count(w, w->head, 1);
}

/* Answers. */

uint64_t
mlog_window_distinct_count(const struct mlog_window_distinct *w)
{
    return w->total;
}

/* Each of n values is in the sample with a probability of 2**-level. */
double
mlog_window_distinct_error(const struct mlog_window_distinct *w)
{
    double variance = 0;

    for (size_t i = 0; i < w->n_slots; i++) {
        double weight = UINT64_C(1) << w->levels[i];

        variance += w->counts[i] * weight * (weight - 1);
    }
    return variance ? sqrt(variance) / w->total : 0;
}
