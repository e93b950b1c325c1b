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

#include "mlog-group-table.h"
#include "util.h"

/* A sketch for each pane that has values.  Their bounds are parts of what each
 * has, so that of the merged one is the same part of the whole. */

struct mlog_window_topk {
    uint64_t head;              /* Newest pane. */
    uint32_t capacity;
    uint32_t n_slots;
    struct mlog_topk *panes[];  /* By pane % n_slots; NULL if empty. */
};

struct mlog_window_topk *
mlog_window_topk_create(struct mlog_group_table *table, unsigned int n_slots,
                        uint64_t pane, uint32_t capacity, bool force)
{
    struct mlog_window_topk *w;
    size_t size = sizeof *w + n_slots * sizeof w->panes[0];

    if (!mlog_group_table_charge(table, size, force)) {
        return NULL;
    }
    w = xzalloc(size);
    w->head = pane;
    w->capacity = capacity;
    w->n_slots = n_slots;
    return w;
}

static size_t
topk_size(const struct mlog_topk *topk)
{
    return sizeof *topk + mlog_topk_memory(topk);
}

static void
free_pane(struct mlog_window_topk *w, struct mlog_group_table *table,
          uint64_t pane)
{
    struct mlog_topk **topkp = &w->panes[pane % w->n_slots];

    if (*topkp) {
        mlog_group_table_uncharge(table, topk_size(*topkp));
        mlog_topk_destroy(*topkp);
        free(*topkp);
        *topkp = NULL;
    }
}

void
mlog_window_topk_destroy(struct mlog_window_topk *w,
                         struct mlog_group_table *table)
{
    if (w) {
        for (uint32_t i = 0; i < w->n_slots; i++) {
            free_pane(w, table, i);
        }
        mlog_group_table_uncharge(table, (sizeof *w + w->n_slots
                                          * sizeof w->panes[0]));
        free(w);
    }
}

void
mlog_window_topk_advance(struct mlog_window_topk *w,
                         struct mlog_group_table *table, uint64_t pane)
{
    for (uint64_t n = MIN(pane - MIN(pane, w->head), w->n_slots); n-- > 0; ) {
        free_pane(w, table, pane - n);
    }
    w->head = MAX(w->head, pane);
}

/* What a sketch will need is known once it has it: the budget may be exceeded
 * by as much as one sketch grows at a time. */
bool
mlog_window_topk_add(struct mlog_window_topk *w,
                     struct mlog_group_table *table,
                     const struct mlog_value *value, uint64_t n)
{
    struct mlog_topk **topkp = &w->panes[w->head % w->n_slots];

    if (!mlog_group_table_charge(table, 0, false)) {
        return false;
    }
    if (!*topkp) {
        *topkp = xmalloc(sizeof **topkp);
        mlog_topk_init(*topkp, w->capacity);
        mlog_group_table_charge(table, topk_size(*topkp), true);
    }

    size_t before = topk_size(*topkp);
    mlog_topk_add(*topkp, value, n);
    mlog_group_table_charge(table, topk_size(*topkp) - before, true);
    return true;
}

void
mlog_window_topk_get(const struct mlog_window_topk *w, struct mlog_topk *topk)
{
    mlog_topk_init(topk, w->capacity);
    for (uint32_t i = 0; i < w->n_slots; i++) {
        if (w->panes[i]) {
            mlog_topk_merge(topk, w->panes[i]);
        }
    }
}
