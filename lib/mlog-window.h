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


#ifndef MLOG_WINDOW_H
#define MLOG_WINDOW_H 1

/* Sketches of a window that moves
 * ===============================
 *
 * What a group of an aggregate has if its function is distinct, a percentile,
 * or topk.  Like other aggregates' windows, these consist of panes and cover
 * the newest pane and the 'n_slots' - 1 before it; values that are older are
 * taken out again.  See mlog-sketch.h for sketches that only grow.
 *
 *   distinct     A set of hashes, each with the pane in which it was last
 *                seen.  Exact up to MLOG_WINDOW_DISTINCT_MAX values in the
 *                window (while memory allows).  Beyond that, only the hashes
 *                that begin with so many zero bits are kept, and stand for 2,
 *                4, 8... values each.  The standard error is then about 1.2 /
 *                sqrt(MLOG_WINDOW_DISTINCT_MAX), 1.5 %.  When the number falls
 *                by 2**n, it takes n panes until it is as accurate again;
 *                mlog_window_distinct_error() knows.
 *
 *   percentiles  The buckets of mlog-sketch-quantile.h, and for each pane how
 *                many values it has in which bucket, so that the values of a
 *                pane that leaves can be subtracted.  Relative error below
 *                MLOG_QUANTILE_ERROR, always.
 *
 *   topk         A sketch for each pane, merged when one asks.
 *
 * Memory is allocated as they grow, in the name of the group table; if that
 * doesn't allow for more, 'distinct' becomes less accurate, and the others
 * don't take the value.
 *
 * Adding takes constant time on average.
 *
 * Thread-safety
 * =============
 *
 * None. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mlog-sketch-topk.h"

struct mlog_group_table;

#define MLOG_WINDOW_DISTINCT_MAX 6144

/* Distinct values. */

/* Returns NULL if there is no memory, unless 'force'. */
struct mlog_window_distinct *
mlog_window_distinct_create(struct mlog_group_table *, unsigned int n_slots,
                            uint64_t pane, bool force);
void mlog_window_distinct_destroy(struct mlog_window_distinct *,
                                  struct mlog_group_table *);

/* Makes 'pane', which doesn't decrease, the newest. */
void mlog_window_distinct_advance(struct mlog_window_distinct *,
                                  struct mlog_group_table *, uint64_t pane);

/* Adds a value with that hash to the newest pane. */
void mlog_window_distinct_add(struct mlog_window_distinct *,
                              struct mlog_group_table *, uint64_t hash);
uint64_t mlog_window_distinct_count(const struct mlog_window_distinct *);

/* The relative standard error of the count; 0 if it is exact. */
double mlog_window_distinct_error(const struct mlog_window_distinct *);

/* Percentiles. */

struct mlog_window_quantile *
mlog_window_quantile_create(struct mlog_group_table *, unsigned int n_slots,
                            uint64_t pane, bool force);
void mlog_window_quantile_destroy(struct mlog_window_quantile *,
                                  struct mlog_group_table *);
void mlog_window_quantile_advance(struct mlog_window_quantile *,
                                  struct mlog_group_table *, uint64_t pane);

/* Adds 'value' 'n' times.  Returns false if there is no memory. */
bool mlog_window_quantile_add(struct mlog_window_quantile *,
                              struct mlog_group_table *, uint64_t value,
                              uint64_t n);

/* The value that 'millionths' of the values don't exceed.  Returns false if
 * there are no values. */
bool mlog_window_quantile_get(const struct mlog_window_quantile *,
                              uint32_t millionths, uint64_t *value);

/* The most frequent values. */

struct mlog_window_topk *
mlog_window_topk_create(struct mlog_group_table *, unsigned int n_slots,
                        uint64_t pane, uint32_t capacity, bool force);
void mlog_window_topk_destroy(struct mlog_window_topk *,
                              struct mlog_group_table *);
void mlog_window_topk_advance(struct mlog_window_topk *,
                              struct mlog_group_table *, uint64_t pane);

/* Adds 'value' 'n' times.  Returns false if there is no memory. */
bool mlog_window_topk_add(struct mlog_window_topk *,
                          struct mlog_group_table *,
                          const struct mlog_value *, uint64_t n);

/* Initialises 'topk' as the sketch of the whole window. */
void mlog_window_topk_get(const struct mlog_window_topk *,
                          struct mlog_topk *topk);

#endif /* mlog-window.h */
