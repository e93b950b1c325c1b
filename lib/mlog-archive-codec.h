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


#ifndef MLOG_ARCHIVE_CODEC_H
#define MLOG_ARCHIVE_CODEC_H 1

/* Columns of numbers as bytes
 * ===========================
 *
 * Private to mlog-archive-*.c.  What an archived segment is made of: a column
 * is an array of numbers, most of them small because something has predicted
 * them (zigzag of the difference, the rank of a recent value), and a section
 * is how its bytes lie in the file.
 *
 *   column    n code bytes, then the planes 7 to 0 of the longer numbers
 *             code < 248:   the number itself
 *             code 247 + k: its k low bytes are in the planes 0 to k - 1
 *   section   the column's bytes compressed with zstd, or as they are if that
 *             is no shorter, or nothing if all the numbers are zero
 *
 * Everything that is read may be hostile: nothing is read or written beyond
 * what the caller gives, and memory is bounded by the number of values.
 *
 * Thread-safety: a coder belongs to one thread at a time. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ofpbuf;

/* Numbers of 'bits' bits (up to 63), which wrap around, as small numbers if
 * they are small or just below zero. */
static inline uint64_t
mlog_zigzag(uint64_t difference, unsigned int bits)
{
    int64_t s = (int64_t) (difference << (64 - bits)) >> (64 - bits);

    return (uint64_t) s << 1 ^ -(uint64_t) (s < 0);
}

static inline uint64_t
mlog_unzigzag(uint64_t zigzag)
{
    return zigzag >> 1 ^ -(zigzag & 1);
}

/* Numbers as ranks among the recent ones.
 *
 *   0...15   the rank of a number that was among the last 16 different ones
 *   16       the number of different ones so far, if they were numbered in
 *            the order in which they came
 *   17 + v   v */
#define MLOG_RECENT 16

struct mlog_recency {
    uint32_t recent[MLOG_RECENT];       /* Newest first; UINT32_MAX: none. */
    uint32_t next;                      /* What rank 16 stands for. */
};

void mlog_recency_init(struct mlog_recency *);

/* 'value' must be less than UINT32_MAX. */
uint64_t mlog_recency_encode(struct mlog_recency *, uint32_t value);

/* The inverse.  False if 'code' stands for no number below 'limit'. */
bool mlog_recency_decode(struct mlog_recency *, uint64_t code, uint32_t limit,
                         uint32_t *value);

/* Sections. */

struct mlog_archive_section {
    uint32_t size;              /* In the file. */
    uint32_t raw_size;          /* Decompressed; 0: all numbers are zero. */
    uint32_t crc;               /* CRC-32C of what is in the file. */
};

/* Returns the CRC-32C of 'n' bytes. */
uint32_t mlog_archive_crc(const void *, size_t n);

struct mlog_archive_coder;

/* 'level' is zstd's, and only matters for encoding. */
struct mlog_archive_coder *mlog_archive_coder_create(int level);
void mlog_archive_coder_destroy(struct mlog_archive_coder *);

/* Appends the column of the 'n' numbers 'values' to 'file' and describes it
 * in '*section'. */
void mlog_archive_put_column(struct mlog_archive_coder *,
                             const uint64_t *values, size_t n,
                             struct ofpbuf *file,
                             struct mlog_archive_section *section);

/* Decodes the column that 'section' describes, whose bytes are 'data', into
 * 'values'.  Returns NULL, or what is wrong with it. */
const char *mlog_archive_get_column(struct mlog_archive_coder *,
                                    const struct mlog_archive_section *,
                                    const uint8_t *data,
                                    uint64_t *values, size_t n);

/* The largest 'raw_size' of a column of 'n' numbers. */
#define MLOG_COLUMN_MAX(N) ((uint64_t) (N) * 9)

#endif /* mlog-archive-codec.h */
