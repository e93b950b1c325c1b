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
#include "mlog-archive-codec.h"

#include <zstd.h>

#include "crc32c.h"
#include "openvswitch/ofpbuf.h"
#include "util.h"

/* Why planes: the high bytes of numbers that are predicted well are few and
 * alike, their low bytes are noise.  Kept apart, the former compress, and zstd
 * notices soon that the latter don't and copies them.  Why codes: a number's
 * length, or the number itself if it is short, is what repeats; an entropy
 * coder over single bytes does well with it. */

#define CODE_LONG 248           /* The first code of a number in planes. */
#define MAX_BYTES 8

struct mlog_archive_coder {
    int level;
    ZSTD_CCtx *cctx;            /* Created when first needed. */
    ZSTD_DCtx *dctx;
    uint8_t *raw;               /* A column before or after zstd. */
    size_t allocated_raw;
};

uint32_t
mlog_archive_crc(const void *data, size_t n)
{
    return ntohl(crc32c(data, n));
}

/* Recency. */

void
mlog_recency_init(struct mlog_recency *r)
{
    memset(r, 0xff, sizeof *r);
    r->next = 0;
}

/* Moves 'value', which is at 'rank' or was pushed out from there, to the
 * front. */
static void
recency_touch(struct mlog_recency *r, size_t rank, uint32_t value)
{
    memmove(&r->recent[1], &r->recent[0], rank * sizeof r->recent[0]);
    r->recent[0] = value;
}

uint64_t
mlog_recency_encode(struct mlog_recency *r, uint32_t value)
{
    for (size_t i = 0; i < MLOG_RECENT; i++) {
        if (r->recent[i] == value) {
            recency_touch(r, i, value);
            return i;
        }
    }
    recency_touch(r, MLOG_RECENT - 1, value);
    if (value == r->next) {
        r->next++;
        return MLOG_RECENT;
    }
    return MLOG_RECENT + 1 + (uint64_t) value;
}

bool
mlog_recency_decode(struct mlog_recency *r, uint64_t code, uint32_t limit,
                    uint32_t *valuep)
{
    size_t rank = MIN(code, MLOG_RECENT - 1);
    uint64_t value = (code < MLOG_RECENT ? r->recent[code]
                      : code == MLOG_RECENT ? r->next
                      : code - (MLOG_RECENT + 1));

    if (value >= limit) {
        return false;
    }
    r->next += code == MLOG_RECENT;
    recency_touch(r, rank, value);
    *valuep = value;
    return true;
}

/* The coder. */

struct mlog_archive_coder *
mlog_archive_coder_create(int level)
{
    struct mlog_archive_coder *coder = xzalloc(sizeof *coder);

    coder->level = level;
    return coder;
}

void
mlog_archive_coder_destroy(struct mlog_archive_coder *coder)
{
    if (coder) {
        ZSTD_freeCCtx(coder->cctx);
        ZSTD_freeDCtx(coder->dctx);
        free(coder->raw);
        free(coder);
    }
}

static uint8_t *
get_raw(struct mlog_archive_coder *coder, size_t n)
{
    if (coder->allocated_raw < n) {
        free(coder->raw);
        coder->raw = xmalloc(n);
        coder->allocated_raw = n;
    }
    return coder->raw;
}

/* Columns. */

/* Sets 'planes[k]' to where the bytes k of the long numbers of a column are,
 * whose first code is at 'raw'.  Returns the length of the column. */
static size_t
find_planes(uint8_t *raw, size_t n, uint8_t *planes[MAX_BYTES])
{
    uint32_t counts[256] = { 0 };
    size_t lengths[MAX_BYTES];
    uint8_t *p = raw + n;

    for (size_t i = 0; i < n; i++) {
        counts[raw[i]]++;
    }
    lengths[MAX_BYTES - 1] = counts[CODE_LONG + MAX_BYTES - 1];
    for (int k = MAX_BYTES - 2; k >= 0; k--) {
        lengths[k] = lengths[k + 1] + counts[CODE_LONG + k];
    }
    for (int k = MAX_BYTES - 1; k >= 0; k--) {
        planes[k] = p;
        p += lengths[k];
    }
    return p - raw;
}

/* Writes the column of 'values' to 'raw'.  Returns its length, which is 0 if
 * they are all zero. */
static size_t
encode_column(const uint64_t *values, size_t n, uint8_t *raw)
{
    uint8_t *planes[MAX_BYTES];
    uint64_t all = 0;
    size_t length;

    for (size_t i = 0; i < n; i++) {
        uint64_t v = values[i];

        all |= v;
        raw[i] = v < CODE_LONG ? v : CODE_LONG + (63 - clz64(v)) / 8;
    }
    if (!all) {
        return 0;
    }
    length = find_planes(raw, n, planes);
    for (size_t i = 0; i < n; i++) {
        uint64_t v = values[i];

        for (int k = 0; k <= raw[i] - CODE_LONG; k++) {
            *planes[k]++ = v >> 8 * k;
        }
    }
    return length;
}

static bool
decode_column(uint8_t *raw, size_t length, uint64_t *values, size_t n)
{
    uint8_t *planes[MAX_BYTES];

    if (length < n || find_planes(raw, n, planes) != length) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        uint64_t v = raw[i];

        if (v >= CODE_LONG) {
            int last = v - CODE_LONG;

            v = 0;
            for (int k = 0; k <= last; k++) {
                v |= (uint64_t) *planes[k]++ << 8 * k;
            }
        }
        values[i] = v;
    }
    return true;
}

/* Sections. */

/* Appends 'n' bytes, compressed if that makes them fewer. */
static void
put_compressed(struct mlog_archive_coder *coder, const uint8_t *raw, size_t n,
               struct ofpbuf *file)
{
    size_t size;

    if (!coder->cctx) {
        coder->cctx = ZSTD_createCCtx();
        if (!coder->cctx) {
            out_of_memory();
        }
    }
    ofpbuf_prealloc_tailroom(file, n);
    size = ZSTD_compressCCtx(coder->cctx, ofpbuf_tail(file), n, raw, n,
                             coder->level);
    if (ZSTD_isError(size) || size >= n) {
        ofpbuf_put(file, raw, n);
    } else {
        file->size += size;
    }
}

void
mlog_archive_put_column(struct mlog_archive_coder *coder,
                        const uint64_t *values, size_t n, struct ofpbuf *file,
                        struct mlog_archive_section *section)
{
    uint8_t *raw = get_raw(coder, MLOG_COLUMN_MAX(n));
    size_t raw_size = encode_column(values, n, raw);
    size_t start = file->size;

    if (raw_size) {
        put_compressed(coder, raw, raw_size, file);
    }
    section->size = file->size - start;
    section->raw_size = raw_size;
    section->crc = mlog_archive_crc((uint8_t *) file->data + start,
                                    section->size);
}

static bool
get_compressed(struct mlog_archive_coder *coder, const uint8_t *data,
               size_t size, uint8_t *raw, size_t raw_size)
{
    if (size == raw_size) {
        memcpy(raw, data, size);
        return true;
    }
    if (!coder->dctx) {
        coder->dctx = ZSTD_createDCtx();
        if (!coder->dctx) {
            out_of_memory();
        }
    }
    return ZSTD_decompressDCtx(coder->dctx, raw, raw_size, data, size)
           == raw_size;
}

const char *
mlog_archive_get_column(struct mlog_archive_coder *coder,
                        const struct mlog_archive_section *section,
                        const uint8_t *data, uint64_t *values, size_t n)
{
    size_t raw_size = section->raw_size;
    uint8_t *raw;

    if (mlog_archive_crc(data, section->size) != section->crc) {
        return "wrong checksum";
    } else if (!raw_size) {
        memset(values, 0, n * sizeof *values);
        return section->size ? "wrong size" : NULL;
    } else if (raw_size > MLOG_COLUMN_MAX(n) || section->size > raw_size) {
        return "wrong size";
    }
    raw = get_raw(coder, raw_size);
    if (!get_compressed(coder, data, section->size, raw, raw_size)) {
        return "does not decompress";
    }
    return (decode_column(raw, raw_size, values, n) ? NULL
            : "wrong number of values");
}
