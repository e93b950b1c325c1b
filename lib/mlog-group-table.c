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
#include "mlog-group-table.h"

#include <string.h>

/* Open addressing with linear probing, at most three quarters full, on small
 * entries: that a group is not there, which is what a flood of new values
 * asks most, is usually known from one cache line.  Removal moves later
 * entries back, so there are no tombstones.
 *
 * Groups are carved from slabs and addressed by number; the free ones are
 * chained by their 'index'.  'serial' outlives a group. */

#define SLAB_GROUPS 32
#define MIN_ENTRIES 64
#define NONE UINT32_MAX

void
mlog_group_budget_init(struct mlog_group_budget *budget, uint64_t max)
{
    atomic_init(&budget->used, 0);
    budget->max = max;
}

uint64_t
mlog_group_budget_used(const struct mlog_group_budget *budget_)
{
    struct mlog_group_budget *budget = CONST_CAST(struct mlog_group_budget *,
                                                  budget_);
    uint64_t used;

    atomic_read_relaxed(&budget->used, &used);
    return used;
}

/* Tables may together be refused what one of them alone could have, but never
 * get more than there is. */
bool
mlog_group_table_charge(struct mlog_group_table *table, size_t size,
                        bool force)
{
    struct mlog_group_budget *budget = table->budget;
    uint64_t old;

    atomic_add_relaxed(&budget->used, size, &old);
    if (old + size > budget->max && !force) {
        atomic_sub_relaxed(&budget->used, size, &old);
        return false;
    }
    table->memory += size;
    return true;
}

void
mlog_group_table_uncharge(struct mlog_group_table *table, size_t size)
{
    uint64_t old;

    table->memory -= size;
    atomic_sub_relaxed(&table->budget->used, size, &old);
}

static struct mlog_group *
get_group(const struct mlog_group_table *table, uint32_t index)
{
    return ALIGNED_CAST(struct mlog_group *,
                        table->slabs[index / SLAB_GROUPS]
                        + index % SLAB_GROUPS * table->group_size);
}

/* Entries. */

static void
init_entries(struct mlog_group_table *table, uint32_t n)
{
    table->entries = xmalloc(n * sizeof *table->entries);
    memset(table->entries, 0xff, n * sizeof *table->entries);
    table->mask = n - 1;
}

static void
put_entry(struct mlog_group_table *table, uint32_t hash, uint32_t index)
{
    uint32_t i = hash & table->mask;

    while (table->entries[i].index != NONE) {
        i = (i + 1) & table->mask;
    }
    table->entries[i] = (struct mlog_group_entry) { hash, index };
}

/* Makes room for one more entry.  Returns false if memory has run out. */
static bool
grow_entries(struct mlog_group_table *table)
{
    struct mlog_group_entry *old = table->entries;
    uint32_t n_old = table->mask + 1;

    if (table->n + 1 <= n_old / 4 * 3) {
        return true;
    } else if (!mlog_group_table_charge(table, n_old * sizeof *old,
                                        false)) {
        return false;
    }
    init_entries(table, n_old * 2);
    for (uint32_t i = 0; i < n_old; i++) {
        if (old[i].index != NONE) {
            put_entry(table, old[i].hash, old[i].index);
        }
    }
    free(old);
    return true;
}

/* Frees entry 'hole' and moves entries that come after it in its run and may
 * stand there back, one after the other. */
static void
remove_entry(struct mlog_group_table *table, uint32_t hole)
{
    struct mlog_group_entry *entries = table->entries;

    for (uint32_t i = hole; ; ) {
        i = (i + 1) & table->mask;
        if (entries[i].index == NONE) {
            break;
        }

        uint32_t distance = (i - entries[i].hash) & table->mask;
        if (distance >= ((i - hole) & table->mask)) {
            entries[hole] = entries[i];
            hole = i;
        }
    }
    entries[hole].index = NONE;
}

/* Slabs. */

static bool
grow_slabs(struct mlog_group_table *table)
{
    size_t size = SLAB_GROUPS * table->group_size;

    if (!mlog_group_table_charge(table, size, false)) {
        return false;
    }
    if (table->n_slabs >= table->allocated_slabs) {
        table->allocated_slabs = MAX(8, table->allocated_slabs * 2);
        table->slabs = xrealloc(table->slabs, (table->allocated_slabs
                                               * sizeof *table->slabs));
    }
    table->slabs[table->n_slabs] = xmalloc_cacheline(size);
    for (uint32_t i = SLAB_GROUPS; i-- > 0; ) {
        uint32_t index = table->n_slabs * SLAB_GROUPS + i;
        struct mlog_group *group = get_group(table, index);

        group->serial = 0;
        group->index = table->free;
        table->free = index;
    }
    table->n_slabs++;
    return true;
}

/* Life cycle. */

static void
init_empty(struct mlog_group_table *table)
{
    init_entries(table, MIN_ENTRIES);
    table->n = 0;
    table->free = NONE;
    table->n_slabs = table->allocated_slabs = 0;
    table->slabs = NULL;
}

static void
free_all(struct mlog_group_table *table)
{
    for (uint32_t i = 0; i < table->n_slabs; i++) {
        free_cacheline(table->slabs[i]);
    }
    mlog_group_table_uncharge(
        table, table->n_slabs * SLAB_GROUPS * table->group_size
               + (table->mask + 1 - MIN_ENTRIES) * sizeof *table->entries);
    free(table->slabs);
    free(table->entries);
}

void
mlog_group_table_init(struct mlog_group_table *table, size_t n_keys,
                      size_t n_numbers, struct mlog_group_budget *budget)
{
    table->n_keys = n_keys;
    table->group_size = ROUND_UP(
        offsetof(struct mlog_group, data)
        + n_keys * sizeof(struct mlog_value) + n_numbers * sizeof(uint64_t),
        CACHE_LINE_SIZE);
    table->budget = budget;
    table->memory = 0;
    table->epoch = 0;
    init_empty(table);
}

void
mlog_group_table_destroy(struct mlog_group_table *table)
{
    free_all(table);
}

void
mlog_group_table_shrink(struct mlog_group_table *table)
{
    if (!table->n && table->n_slabs > 1) {
        free_all(table);
        init_empty(table);
        table->epoch++;
    }
}

struct mlog_group *
mlog_group_alloc_single(struct mlog_group_table *table)
{
    mlog_group_table_charge(table, table->group_size, true);
    return xzalloc_cacheline(table->group_size);
}

void
mlog_group_free_single(struct mlog_group_table *table,
                       struct mlog_group *group)
{
    if (group) {
        mlog_group_table_uncharge(table, table->group_size);
        free_cacheline(group);
    }
}

/* Groups. */

struct mlog_group *
mlog_group_table_find(const struct mlog_group_table *table, uint32_t hash,
                      uint8_t present, const struct mlog_value values[])
{
    size_t size = table->n_keys * sizeof *values;

    for (uint32_t i = hash & table->mask; table->entries[i].index != NONE;
         i = (i + 1) & table->mask) {
        if (table->entries[i].hash == hash) {
            struct mlog_group *group = get_group(table,
                                                 table->entries[i].index);

            if (!memcmp(mlog_group_values(group), values, size)
                && group->present == present) {
                return group;
            }
        }
    }
    return NULL;
}

struct mlog_group *
mlog_group_table_insert(struct mlog_group_table *table, uint32_t hash)
{
    if (!grow_entries(table)
        || (table->free == NONE && !grow_slabs(table))) {
        return NULL;
    }

    uint32_t index = table->free;
    struct mlog_group *group = get_group(table, index);
    table->free = group->index;
    if (table->free != NONE) {
        struct mlog_group *next = get_group(table, table->free);

        OVS_PREFETCH_WRITE(next);
        OVS_PREFETCH_WRITE(&next->bucket);
    }
    group->hash = hash;
    group->index = index;
    put_entry(table, hash, index);
    table->n++;
    return group;
}

void
mlog_group_table_remove(struct mlog_group_table *table,
                        struct mlog_group *group)
{
    uint32_t i = group->hash & table->mask;
    uint32_t index = group->index;

    while (table->entries[i].index != index) {
        i = (i + 1) & table->mask;
    }
    remove_entry(table, i);
    table->n--;
    if (!(++group->serial & MLOG_SERIAL_MASK)) {
        table->epoch++;
    }
    group->index = table->free;
    table->free = index;
}

struct mlog_group *
mlog_group_table_next__(const struct mlog_group_table *table, uint32_t *i)
{
    while (*i <= table->mask) {
        uint32_t index = table->entries[(*i)++].index;

        if (index != NONE) {
            return get_group(table, index);
        }
    }
    return NULL;
}
