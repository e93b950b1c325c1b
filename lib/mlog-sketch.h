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


#ifndef MLOG_SKETCH_H
#define MLOG_SKETCH_H 1

/* Sketches
 * ========
 *
 * Summaries of many values in little memory, each with a stated error:
 *
 *   struct mlog_distinct   how many distinct values    mlog-sketch-distinct.h
 *   struct mlog_quantile   percentiles                 mlog-sketch-quantile.h
 *   struct mlog_topk       the most frequent values    mlog-sketch-topk.h
 *
 * They have in common:
 *
 *   - Adding takes constant time.  They allocate memory only as they grow, up
 *     to a bound; an empty one has none but the structure itself.
 *
 *   - Sketches of two sets of values can be merged, which gives, within the
 *     same bounds, the sketch of the union: of threads, of segments, of hosts.
 *
 *   - Serialised, they are the same bytes on every machine.  Deserialising
 *     checks everything, so bytes may come from anybody; what they say may be
 *     false, of course.
 *
 * Those that hash take a seed, so that nobody who doesn't know it can choose
 * values that fool them.  Only sketches with the same seed can be merged.
 *
 * Thread-safety
 * =============
 *
 * None.  A sketch that nobody changes may be read by many threads. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mlog-fields.h"

struct ofpbuf;

struct mlog_sketch_seed {
    uint64_t key[2];
};

/* A seed of this process, drawn when it is first asked for.  Any thread. */
const struct mlog_sketch_seed *mlog_sketch_local_seed(void);

/* For tests, before it is first asked for. */
void mlog_sketch_set_local_seed(const struct mlog_sketch_seed *);

void mlog_sketch_seed_random(struct mlog_sketch_seed *);

/* SipHash-1-3 of the value: 64 bits that can't be told from random ones
 * without knowing the seed. */
uint64_t mlog_sketch_hash(const struct mlog_sketch_seed *,
                          const struct mlog_value *);

/* Tells seeds apart; says nothing else about them. */
uint32_t mlog_sketch_seed_tag(const struct mlog_sketch_seed *);

#endif /* mlog-sketch.h */
