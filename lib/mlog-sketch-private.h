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


#ifndef MLOG_SKETCH_PRIVATE_H
#define MLOG_SKETCH_PRIVATE_H 1

/* Private to mlog-sketch*.c: bytes of sketches.
 *
 * Numbers are little-endian.  All sketches begin with 8 bytes:
 *
 *     0  "MLS"
 *     3  kind, enum mlog_sketch_kind
 *     4  version, 1
 *     5  three bytes of the kind's own
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "openvswitch/compiler.h"

struct ofpbuf;

enum mlog_sketch_kind {
    MLOG_SKETCH_DISTINCT = 1,
    MLOG_SKETCH_QUANTILE = 2,
    MLOG_SKETCH_TOPK = 3,
};

void mlog_sketch_put_header(struct ofpbuf *, enum mlog_sketch_kind,
                            const uint8_t own[3]);
void mlog_sketch_put_u32(struct ofpbuf *, uint32_t);
void mlog_sketch_put_u64(struct ofpbuf *, uint64_t);

/* What is left to read.  Reading more sets 'error' and gives zeros. */
struct mlog_sketch_reader {
    const uint8_t *data;
    size_t size;                /* Total. */
    size_t at;
    char *error;                /* NULL, or to be freed. */
};

/* Checks the header. */
void mlog_sketch_reader_init(struct mlog_sketch_reader *, const void *data,
                             size_t size, enum mlog_sketch_kind,
                             uint8_t own[3]);
uint32_t mlog_sketch_get_u32(struct mlog_sketch_reader *);
uint64_t mlog_sketch_get_u64(struct mlog_sketch_reader *);
const uint8_t *mlog_sketch_get_bytes(struct mlog_sketch_reader *, size_t n);
static inline size_t
mlog_sketch_left(const struct mlog_sketch_reader *r)
{
    return r->size - r->at;
}

/* Unless there is an error already. */
void mlog_sketch_fail(struct mlog_sketch_reader *, const char *, ...)
    OVS_PRINTF_FORMAT(2, 3);

/* Checks that nothing is left, and returns the error or NULL. */
char *mlog_sketch_reader_finish(struct mlog_sketch_reader *);

#endif /* mlog-sketch-private.h */
