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

#ifndef MLOG_SEALED_H
#define MLOG_SEALED_H 1

/* Sealed segments
 * ===============
 *
 * A segment of the header log that is full doesn't change any more.  Its rows
 * are kept as an image: one block of memory that holds all of them, column by
 * column, in as few bits as they need, with minima and maxima that tell what
 * need not be looked at, and for each flow the list of its rows.  What is read
 * from an image is, bit for bit, what it was built from.
 *
 * Within a segment, flows are numbered 0 ... n_flows - 1, and 'flow' of a
 * row is such a number.  Which flow of the flow table it stands for is kept
 * by the user.
 *
 * An image has no pointers and may lie in a file, be copied and be mapped
 * anywhere, at a multiple of 8 bytes (64 is best).
 *
 * The image, version 1
 * ====================
 *
 *     0  header, 384 bytes
 *   384  blocks of array 0, 24 bytes each
 *     .  ...
 *     .  blocks of array 13
 *     .  payloads of the blocks, each at a multiple of 64 bytes
 *  size
 *
 * Numbers are in the byte order of the host; that of another kind of host
 * shows in the magic number.  Bytes that are not described are zero.
 *
 * Header:
 *
 *   offset  0  magic      u64  MLOG_SEALED_MAGIC
 *   offset  8  version    u32  MLOG_SEALED_VERSION
 *   offset 12  checksum   u32  mlog_checksum() of bytes 16 ... size - 1
 *   offset 16  size       u64  of the image in bytes, a multiple of 64
 *   offset 24  base_time  u64  nanoseconds since the epoch, UTC; < 2^63
 *   offset 32  n_rows     u32  1 ... MLOG_SEALED_ROWS_MAX
 *   offset 36  n_flows    u32  1 ... n_rows
 *   offset 40  block_rows u32  MLOG_SEALED_BLOCK_ROWS
 *   offset 44  n_arrays   u32  14
 *   offset 48  arrays          14 of 24 bytes:
 *                offset  0  min, max   u64  of all of its values
 *                offset 16  blocks     u32  where its blocks begin
 *                offset 20  n          u32  number of its values
 *
 * Arrays 0 ... 11 are the columns, in the order of enum mlog_row_column, with
 * n_rows values.  Array 12 has n_flows + 1 offsets in array 13, which has the
 * n_rows postings: the rows of flow f, ascending, are its values offset[f] ...
 * offset[f + 1] - 1.
 *
 * Block, of MLOG_SEALED_BLOCK_ROWS values, but for the last one of an array,
 * which has what remains:
 *
 *   offset  0  min, max   u64  of its values
 *   offset 16  payload    u32  where its payload begins; 0 if it has none
 *   offset 20  encoding   u8   0 packed, 1 ramp, 2 dictionary, 3 runs
 *   offset 21  width      u8   in bits
 *   offset 22  extra      u16  as said below
 *
 * "Packed" is as mlog-bitpack.h has it.  Only time may be wider than 32 bits.
 * Encodings:
 *
 *   packed      value i is min + packed[i].  What is beyond 32 bits is packed
 *               by itself, after the lower 32 bits of all.  Without payload
 *               if all are equal, for then the width is 0.
 *   ramp        value i is min - extra + i + packed[i].
 *   dictionary  value i is dictionary[packed[i]]; width 1 ... 4.
 *                 payload +  0  dictionary, u32 per value, room for 16
 *                 payload + 64  packed
 *   runs        'extra' runs of equal values.  Those of run k are min +
 *               run[k], the first one value start[k] of the block.
 *                 run[]    u16, u32 or u64 each, what 'width' bits fit into
 *                 start[]  u16 each
 *
 * Of those that are possible, a block has the encoding that takes least
 * memory; but runs, which are slower to read, only if they take at most half
 * of what packed would.
 *
 * Who is trusted
 * ==============
 *
 * Nobody.  mlog_sealed_open() looks at everything that later determines where
 * memory is read.  After that, whatever the payloads are, no function here
 * reads outside the image, the flows that they return are less than n_flows,
 * the rows less than n_rows, and all other values no larger than what struct
 * mlog_row has room for.  The image has to remain as it is while it is in
 * use.
 *
 * Thread-safety
 * =============
 *
 * An image and a struct mlog_sealed may be read by any number of threads at
 * once.  A builder belongs to one thread at a time. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mlog-columns.h"
#include "mlog-record.h"

struct mlog_sealed_array;
struct mlog_sealed_block;

#define MLOG_SEALED_MAGIC UINT64_C(0x4c414553474f4c4d)  /* "MLOGSEAL" */
#define MLOG_SEALED_VERSION 1
#define MLOG_SEALED_ROWS_MAX (UINT32_C(1) << 18)
#define MLOG_SEALED_BLOCK_ROWS 1024

#define MLOG_SEALED_N_ARRAYS (MLOG_N_COLUMNS + 2)

/* Building
 * ========
 *
 * The builder has all the memory that it takes, some 12 MB, and keeps it for
 * the next one. */

struct mlog_sealed_builder *mlog_sealed_builder_create(void);
void mlog_sealed_builder_destroy(struct mlog_sealed_builder *);

/* Makes an image of the 'n_rows' rows, of which there is at least one.  Their
 * times are nanoseconds after 'base_time'.  Returns its size in bytes, or 0 if
 * something is not as it should be: times ascending, flows less than
 * 'n_flows', which is at most 'n_rows', and 'base_time' less than 2^63. */
size_t mlog_sealed_build(struct mlog_sealed_builder *,
                         const struct mlog_row *rows, uint32_t n_rows,
                         uint32_t n_flows, uint64_t base_time);

/* The image that mlog_sealed_build() made last, valid until its next call. */
const void *mlog_sealed_builder_image(const struct mlog_sealed_builder *);

/* An upper bound of the size of any image of so many rows and flows. */
size_t mlog_sealed_max_size(uint32_t n_rows, uint32_t n_flows);

/* Reading
 * ======= */

/* A view of an image.  Read-only; valid as long as the image is. */
struct mlog_sealed {
    const uint8_t *image;
    size_t size;                /* Of the image, in bytes. */
    uint64_t base_time;
    uint32_t n_rows;
    uint32_t n_flows;
    const struct mlog_sealed_array *arrays;
    const struct mlog_sealed_block *blocks[MLOG_SEALED_N_ARRAYS];
};

/* Makes '*s' a view of the image at 'image'; there are 'size' bytes, which may
 * be more than the image has.  The checksum is compared if 'checksum' says so,
 * which takes most of the time.  Returns true if the image can be read.
 * Otherwise returns false and in '*error' what is wrong with it, to be
 * freed by the caller. */
bool mlog_sealed_open(struct mlog_sealed *s, const void *image, size_t size,
                      bool checksum, char **error);

/* In all of the following functions, ranges and indexes have to be within what
 * there is; otherwise they abort. */

/* Stores rows 'start' and the 'n' - 1 after it to 'rows'. */
void mlog_sealed_rows(const struct mlog_sealed *, uint32_t start, uint32_t n,
                      struct mlog_row *rows);

/* Stores the rows with the 'n' numbers at 'numbers' to 'rows'.  Numbers that
 * ascend are faster, if there are many. */
void mlog_sealed_select(const struct mlog_sealed *, const uint32_t *numbers,
                        uint32_t n, struct mlog_row *rows);

/* The same, but only the columns that are bits of 'which', 1 <<
 * MLOG_COLUMN_...; the others are zero in the rows. */
void mlog_sealed_rows_of(const struct mlog_sealed *, uint32_t which,
                         uint32_t start, uint32_t n, struct mlog_row *rows);
void mlog_sealed_select_of(const struct mlog_sealed *, uint32_t which,
                           const uint32_t *numbers, uint32_t n,
                           struct mlog_row *rows);

/* Stores of the same rows one column.  The second function is for time, as
 * nanoseconds after 'base_time', the first for all the others. */
void mlog_sealed_column(const struct mlog_sealed *, enum mlog_row_column,
                        uint32_t start, uint32_t n, uint32_t *values);
void mlog_sealed_times(const struct mlog_sealed *, uint32_t start, uint32_t n,
                       uint64_t *times);

/* Returns the number of the first row with a time of 'time', nanoseconds since
 * the epoch, or later, n_rows if there is none.  O(log n). */
uint32_t mlog_sealed_lower_bound(const struct mlog_sealed *, uint64_t time);

/* Sets '*min' and '*max' to the least and the greatest value of a column, in
 * the rows of one block, from row 'block' * MLOG_SEALED_BLOCK_ROWS on, or in
 * the whole segment. */
#define MLOG_SEALED_ALL UINT32_MAX
void mlog_sealed_zone(const struct mlog_sealed *, enum mlog_row_column,
                      uint32_t block, uint64_t *min, uint64_t *max);

static inline uint32_t
mlog_sealed_n_blocks(const struct mlog_sealed *s)
{
    return (s->n_rows + MLOG_SEALED_BLOCK_ROWS - 1) / MLOG_SEALED_BLOCK_ROWS;
}

/* The postings of 'flow', that is the ascending numbers of its rows.
 *
 * The first function returns how many they are; the second stores up to 'n' of
 * them, from number 'first' on, and returns how many; the third returns how
 * many of them are less than 'row'. */
uint32_t mlog_sealed_n_postings(const struct mlog_sealed *, uint32_t flow);
uint32_t mlog_sealed_postings(const struct mlog_sealed *, uint32_t flow,
                              uint32_t first, uint32_t n, uint32_t *rows);
uint32_t mlog_sealed_postings_before(const struct mlog_sealed *,
                                     uint32_t flow, uint32_t row);

#endif /* mlog-sealed.h */
