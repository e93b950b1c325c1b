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

#ifndef MLOG_GROUP_TABLE_H
#define MLOG_GROUP_TABLE_H 1

/* The groups of an aggregate
 * ==========================
 *
 * Finds a group by the values of its group-by fields.  A group's address does
 * not change, and its memory remains that of a group until 'epoch' changes,
 * so that whoever has remembered a group (mlog_group_ref) can tell that it is
 * another one now.
 *
 * Thread-safety
 * =============
 *
 * None, but for the budget that tables share. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mlog-fields.h"
#include "openvswitch/compiler.h"
#include "openvswitch/list.h"
#include "ovs-atomic.h"
#include "util.h"

/* Memory that several aggregates share for groups, bytes.  They may be at work
 * in different threads. */
struct mlog_group_budget {
    atomic_uint64_t used;
    uint64_t max;
};
void mlog_group_budget_init(struct mlog_group_budget *, uint64_t max);
uint64_t mlog_group_budget_used(const struct mlog_group_budget *);

/* A group.  The first cache line is what a record changes. */
struct mlog_group {
    uint64_t live;                  /* Bitmap: slots that have records. */
    uint64_t open;                  /* The number of the newest pane. */
    unsigned __int128 total;        /* Of the panes' numbers or sums. */
    uint64_t head;                  /* Newest pane taken account of. */
    uint64_t newest;                /* Time of the newest record, ns. */
    uint64_t seen;                  /* Time of the first record of the newest
                                     * tick with records, ns. */
    uint32_t serial;                /* Changes when the group is freed. */
    uint32_t hash;

    struct ovs_list bucket;         /* In a list of the aggregate. */
    struct ovs_list incidents;      /* Of struct mlog_incident. */
    uint64_t created;               /* Time of the first record, ns. */
    uint64_t logged;                /* Newest position in 'log'; 0 = none. */
    uint64_t n;                     /* Total of records, for averages. */
    uint32_t index;                 /* In the table; next free one's. */
    bool is_other;
    uint8_t present;                /* Bit i: value i is not absent. */

    /* 'n_keys' values of struct mlog_value, then the panes: one or two
     * arrays of 'n_slots' numbers. */
    uint64_t data[];
};
BUILD_ASSERT_DECL(offsetof(struct mlog_group, bucket) == 64);
BUILD_ASSERT_DECL(offsetof(struct mlog_group, data) == 128);

/* A remembered group, 0 if none: its address, divided by the size of a cache
 * line, and the low bits of its serial number.  When these have all been used,
 * the table's 'epoch' changes. */
typedef uint64_t mlog_group_ref;

#define MLOG_SERIAL_BITS 22
#define MLOG_SERIAL_MASK ((1u << MLOG_SERIAL_BITS) - 1)

static inline mlog_group_ref
mlog_group_ref_create(const struct mlog_group *group)
{
    uint64_t line = (uintptr_t) group / CACHE_LINE_SIZE;

    return (line >> (64 - MLOG_SERIAL_BITS) ? 0
            : line << MLOG_SERIAL_BITS | (group->serial & MLOG_SERIAL_MASK));
}

/* The group, perhaps another one meanwhile, or NULL. */
static inline struct mlog_group *
mlog_group_ref_peek(mlog_group_ref ref)
{
    return (struct mlog_group *) (uintptr_t) ((ref >> MLOG_SERIAL_BITS)
                                              * CACHE_LINE_SIZE);
}

/* The group, or NULL if it is gone. */
static inline struct mlog_group *
mlog_group_ref_get(mlog_group_ref ref)
{
    struct mlog_group *group = mlog_group_ref_peek(ref);

    return (OVS_LIKELY(group)
            && !((group->serial ^ ref) & MLOG_SERIAL_MASK) ? group : NULL);
}

static inline struct mlog_value *
mlog_group_values(const struct mlog_group *group)
{
    return CONST_CAST(struct mlog_value *,
                      (const struct mlog_value *) group->data);
}

struct mlog_group_entry {
    uint32_t hash;
    uint32_t index;                 /* UINT32_MAX: free. */
};

struct mlog_group_table {
    struct mlog_group_entry *entries;
    uint32_t mask;                  /* Number of entries less 1. */
    uint32_t n;                     /* Groups. */
    uint32_t free;                  /* First free group, or UINT32_MAX. */
    uint32_t n_slabs;
    uint32_t allocated_slabs;
    char **slabs;
    size_t n_keys;
    size_t group_size;              /* A multiple of CACHE_LINE_SIZE. */
    struct mlog_group_budget *budget;
    size_t memory;                  /* Bytes, as the budget has it. */
    uint32_t epoch;                 /* With another one, refs are invalid. */
};

/* Groups have 'n_keys' values and 'n_numbers' numbers of panes. */
void mlog_group_table_init(struct mlog_group_table *, size_t n_keys,
                           size_t n_numbers, struct mlog_group_budget *);
void mlog_group_table_destroy(struct mlog_group_table *);

/* Counts 'size' bytes that a group needs besides towards the budget.  Returns
 * false if that doesn't allow for them, unless 'force'. */
bool mlog_group_table_charge(struct mlog_group_table *, size_t size,
                             bool force);
void mlog_group_table_uncharge(struct mlog_group_table *, size_t size);

/* A group that is not in the table but freed with mlog_group_free_single(),
 * all zero. */
struct mlog_group *mlog_group_alloc_single(struct mlog_group_table *);
void mlog_group_free_single(struct mlog_group_table *, struct mlog_group *);

/* Returns NULL if there is none. */
struct mlog_group *mlog_group_table_find(const struct mlog_group_table *,
                                         uint32_t hash, uint8_t present,
                                         const struct mlog_value values[]);

/* Returns a group whose values and other members but 'serial', 'hash' and
 * 'index' the caller sets, or NULL if memory has run out. */
struct mlog_group *mlog_group_table_insert(struct mlog_group_table *,
                                           uint32_t hash);
void mlog_group_table_remove(struct mlog_group_table *, struct mlog_group *);

/* Frees memory if the table is empty and had many groups. */
void mlog_group_table_shrink(struct mlog_group_table *);

/* Iterates over all groups; the body must not insert or remove. */
#define MLOG_GROUP_TABLE_FOR_EACH(GROUP, TABLE)                         \
    for (uint32_t I__ = 0;                                              \
         ((GROUP) = mlog_group_table_next__(TABLE, &I__)) != NULL; )
struct mlog_group *mlog_group_table_next__(const struct mlog_group_table *,
                                           uint32_t *);

#endif /* mlog-group-table.h */
