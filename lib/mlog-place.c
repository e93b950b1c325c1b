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

#include "mlog-place.h"

#include <string.h>

#include "hash.h"
#include "mlog-archive-file.h"
#include "mlog-header-log.h"
#include "util.h"

/* Of rows of different lives, only that of memory can be the later one, or
 * that with the greater sequence number: an archive has segments of its own
 * life after all others, for it numbers what it appends beyond what is
 * there. */

static uint64_t
hash_life(const char *life)
{
    size_t n = strlen(life);

    return ((uint64_t) hash_bytes(life, n, 0x5eed) << 32
            | hash_bytes(life, n, 0xcafe));
}

struct mlog_place
mlog_place_of_segment(const struct mlog_snapshot *snapshot,
                      const struct mlog_archive_info *info,
                      uint64_t first_row)
{
    const char *life = info ? info->boot : snapshot->archive_life;

    return (struct mlog_place) {
        .life = hash_life(life ? life : ""),
        .seq = info ? info->seq : MLOG_PLACE_MEMORY,
        .row = first_row,
    };
}

static int
compare_numbers(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

int
mlog_place_compare(const struct mlog_place *a, const struct mlog_place *b)
{
    return (a->life == b->life ? compare_numbers(a->row, b->row)
            : compare_numbers(a->seq, b->seq));
}

/* Returns how many rows of 'segment' are before 'place', 'max' at most. */
static uint32_t
rows_before(const struct mlog_place *segment, const struct mlog_place *place,
            uint32_t max)
{
    if (segment->life != place->life) {
        return mlog_place_compare(segment, place) < 0 ? max : 0;
    }
    return (place->row <= segment->row ? 0
            : MIN(place->row - segment->row, max));
}

void
mlog_place_clip(const struct mlog_place *segment,
                const struct mlog_place *from,
                const struct mlog_place *before,
                uint32_t *start, uint32_t *end)
{
    if (before) {
        *end = rows_before(segment, before, *end);
    }
    if (from) {
        *start = MAX(*start, rows_before(segment, from, *end));
    }
    *start = MIN(*start, *end);
}
