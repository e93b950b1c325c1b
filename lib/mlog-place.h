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

#ifndef MLOG_PLACE_H
#define MLOG_PLACE_H 1

/* Places of rows
 * ==============
 *
 * Where a row is among all rows that a scan goes through: a place stays the
 * same when the row's segment is sealed and when it is archived, and for as
 * long as the row exists.
 *
 * It is the number that the row was given in the life of its store
 * (mlog-state.h), counting from 0, and which life that was.  Archived segments
 * of other lives come before those of this one, in the order of their
 * sequence numbers, and all of them before what is in memory.
 *
 * Thread-safety: all functions may be called from any thread. */

#include <stdbool.h>
#include <stdint.h>

struct mlog_archive_info;
struct mlog_snapshot;

#define MLOG_PLACE_MEMORY UINT64_MAX

struct mlog_place {
    uint64_t life;              /* Hash of it. */
    uint64_t seq;               /* Of the archived segment, or
                                 * MLOG_PLACE_MEMORY. */
    uint64_t row;
};

/* The place of the row that a segment with 'first_row' begins with: one of
 * 'info', if that isn't NULL, or one that 'snapshot' has in memory. */
struct mlog_place mlog_place_of_segment(const struct mlog_snapshot *,
                                        const struct mlog_archive_info *info,
                                        uint64_t first_row);

/* Less than, equal to, or greater than 0. */
int mlog_place_compare(const struct mlog_place *, const struct mlog_place *);

/* Narrows the range of rows from '*start' to before '*end' of the segment that
 * begins at 'segment' to those from 'from' on and before 'before', either of
 * which may be NULL. */
void mlog_place_clip(const struct mlog_place *segment,
                     const struct mlog_place *from,
                     const struct mlog_place *before,
                     uint32_t *start, uint32_t *end);

#endif /* mlog-place.h */
