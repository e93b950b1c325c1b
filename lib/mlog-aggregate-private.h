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


#ifndef MLOG_AGGREGATE_PRIVATE_H
#define MLOG_AGGREGATE_PRIVATE_H 1

/* Private to mlog-aggregate.c; groups of aggregates that are 'sketched', in
 * mlog-aggregate-sketch.c. */

#include "mlog-aggregate.h"

/* Gives 'group' a sketch.  Returns false if memory has run out, which it
 * doesn't with 'force'. */
bool mlog_aggregate_sketch_init__(struct mlog_aggregate *,
                                  struct mlog_group *, bool force);
void mlog_aggregate_sketch_free__(struct mlog_aggregate *,
                                  struct mlog_group *);

/* Moves the group's sketch to the aggregate's pane. */
void mlog_aggregate_sketch_advance__(const struct mlog_aggregate *,
                                     struct mlog_group *);

/* Adds 'n' records with 'value', and sets the group's 'total': the number of
 * values or of records. */
void mlog_aggregate_sketch_add__(struct mlog_aggregate *, struct mlog_group *,
                                 const struct mlog_value *value, uint64_t n);
struct mlog_result
mlog_aggregate_sketch_value__(const struct mlog_aggregate *,
                              const struct mlog_group *);

#endif /* mlog-aggregate-private.h */
