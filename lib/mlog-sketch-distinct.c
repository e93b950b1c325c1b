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
#include "mlog-sketch-distinct.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "mlog-sketch-private.h"
#include "openvswitch/ofpbuf.h"
#include "util.h"

/* At first a set of hashes: open addressing, linear probing, at most three
 * quarters full, by a hash's low bits.  When the next doubling would take more
 * memory than registers do, it is replaced by those.  A register is chosen by
 * a hash's upper bits, and has the greatest rank of the hashes that chose it:
 * the number of leading zeros of the rest, and 1.
 *
 * Estimation is Ertl's ("New cardinality estimation algorithms for HyperLogLog
 * sketches", 2017), which is unbiased from the first value on and needs no
 * tables of corrections.
 *
 * A set that was received may have hashes that were chosen so as to collide.
 * It is small enough for that not to matter. */

#define MIN_SLOTS 16

static uint32_t
max_slots(unsigned int precision)
{
    return (1u << precision) / sizeof(uint64_t);
}

static bool
is_full(const struct mlog_distinct *d)
{
    return d->n >= d->n_slots / 4 * 3;
}

uint32_t
mlog_distinct_limit(unsigned int precision)
{
    return max_slots(precision) / 4 * 3;
}

/* Life cycle. */

void
mlog_distinct_init(struct mlog_distinct *d, unsigned int precision,
                   const struct mlog_sketch_seed *seed)
{
    ovs_assert(precision >= MLOG_DISTINCT_MIN_PRECISION
               && precision <= MLOG_DISTINCT_MAX_PRECISION);
    *d = (struct mlog_distinct) {
        .precision = precision,
        .seed_tag = mlog_sketch_seed_tag(seed),
        .seed = *seed,
    };
}

void
mlog_distinct_destroy(struct mlog_distinct *d)
{
    if (d) {
        mlog_distinct_clear(d);
    }
}

void
mlog_distinct_clear(struct mlog_distinct *d)
{
    if (d->estimates) {
        free(d->registers);
    } else {
        free(d->slots);
    }
    d->slots = NULL;
    d->n = d->n_slots = 0;
    d->estimates = false;
}

/* Adding. */

/* Returns false if 'hash' is there already. */
static bool
put_slot(uint64_t *slots, uint32_t n_slots, uint64_t hash)
{
    uint32_t i = hash & (n_slots - 1);

    for (; slots[i]; i = (i + 1) & (n_slots - 1)) {
        if (slots[i] == hash) {
            return false;
        }
    }
    slots[i] = hash;
    return true;
}

static void
put_register(uint8_t *registers, unsigned int precision, uint64_t hash)
{
    uint8_t *reg = &registers[hash >> (64 - precision)];
    uint64_t rest = hash << precision | UINT64_C(1) << (precision - 1);
    uint8_t rank = raw_clz64(rest) + 1;

    *reg = MAX(*reg, rank);
}

static void
switch_to_registers(struct mlog_distinct *d)
{
    uint8_t *registers = xzalloc(1u << d->precision);

    for (uint32_t i = 0; i < d->n_slots; i++) {
        if (d->slots[i]) {
            put_register(registers, d->precision, d->slots[i]);
        }
    }
    free(d->slots);
    d->registers = registers;
    d->estimates = true;
    d->n = d->n_slots = 0;
}

static void
resize_slots(struct mlog_distinct *d, uint32_t n_slots)
{
    uint64_t *slots = xcalloc(n_slots, sizeof *slots);

    for (uint32_t i = 0; i < d->n_slots; i++) {
        if (d->slots[i]) {
            put_slot(slots, n_slots, d->slots[i]);
        }
    }
    free(d->slots);
    d->slots = slots;
    d->n_slots = n_slots;
}

/* Whether 'hash' is in the set. */
static bool
has_hash(const struct mlog_distinct *d, uint64_t hash)
{
    uint32_t mask = d->n_slots - 1;

    for (uint32_t i = hash & mask; d->slots[i]; i = (i + 1) & mask) {
        if (d->slots[i] == hash) {
            return true;
        }
    }
    return false;
}

void
mlog_distinct_add_hash(struct mlog_distinct *d, uint64_t hash)
{
    hash += !hash;
    if (!d->estimates && is_full(d)) {
        if (d->n_slots && has_hash(d, hash)) {
            return;
        } else if (d->n_slots < max_slots(d->precision)) {
            resize_slots(d, MAX(MIN_SLOTS, d->n_slots * 2));
        } else {
            switch_to_registers(d);
        }
    }
    if (d->estimates) {
        put_register(d->registers, d->precision, hash);
    } else {
        d->n += put_slot(d->slots, d->n_slots, hash);
    }
}

bool
mlog_distinct_merge(struct mlog_distinct *dst, const struct mlog_distinct *src)
{
    if (dst->precision != src->precision || dst->seed_tag != src->seed_tag) {
        return false;
    }
    if (!src->estimates) {
        for (uint32_t i = 0; i < src->n_slots; i++) {
            if (src->slots[i]) {
                mlog_distinct_add_hash(dst, src->slots[i]);
            }
        }
        return true;
    }
    if (!dst->estimates) {
        switch_to_registers(dst);
    }

    uint32_t n = 1u << dst->precision;
    for (uint32_t i = 0; i < n; i++) {
        dst->registers[i] = MAX(dst->registers[i], src->registers[i]);
    }
    return true;
}

/* Estimating. */

/* x + the sum over k >= 1 of x**(2**k) * 2**(k - 1), 0 <= x < 1. */
static double
sigma(double x)
{
    double y = 1, z = x, last;

    do {
        x *= x;
        last = z;
        z += x * y;
        y += y;
    } while (z != last);
    return z;
}

/* (1 - x - the sum over k >= 1 of (1 - x**(2**-k))**2 * 2**-k) / 3. */
static double
tau(double x)
{
    double y = 1, z = 1 - x, last;

    if (x == 0 || x == 1) {
        return 0;
    }
    do {
        x = sqrt(x);
        last = z;
        y *= 0.5;
        z -= (1 - x) * (1 - x) * y;
    } while (z != last);
    return z / 3;
}

static uint64_t
estimate(const struct mlog_distinct *d)
{
    unsigned int max_rank = 64 - d->precision;
    uint32_t n = 1u << d->precision;
    uint32_t ranks[64] = { 0 };
    double m = n;

    for (uint32_t i = 0; i < n; i++) {
        ranks[d->registers[i]]++;
    }
    if (ranks[0] == n) {
        return 0;
    }

    double z = m * tau(1 - ranks[max_rank + 1] / m);
    for (unsigned int k = max_rank; k > 0; k--) {
        z = 0.5 * (z + ranks[k]);
    }
    z += m * sigma(ranks[0] / m);

    double count = m * m / (2 * M_LN2 * z) + 0.5;
    return count < 0x1p64 ? count : UINT64_MAX;
}

uint64_t
mlog_distinct_count(const struct mlog_distinct *d)
{
    return d->estimates ? estimate(d) : d->n;
}

double
mlog_distinct_error(const struct mlog_distinct *d)
{
    return d->estimates ? 1.04 / sqrt(1u << d->precision) : 0;
}

size_t
mlog_distinct_memory(const struct mlog_distinct *d)
{
    return (d->estimates ? (size_t) 1 << d->precision
            : d->n_slots * sizeof *d->slots);
}

/* Bytes.
 *
 *     0  header; its own: precision, 1 if there are registers, 0
 *     8  u32  tag of the seed
 *    12  u32  number of hashes, 0 if there are registers
 *    16  u64  each hash, ascending; or u8 each register */

static int
compare_hashes(const void *a_, const void *b_)
{
    uint64_t a = *(const uint64_t *) a_, b = *(const uint64_t *) b_;

    return a < b ? -1 : a > b;
}

static void
put_hashes(const struct mlog_distinct *d, struct ofpbuf *b)
{
    uint64_t *hashes = xmalloc(d->n * sizeof *hashes);
    size_t n = 0;

    for (uint32_t i = 0; i < d->n_slots; i++) {
        if (d->slots[i]) {
            hashes[n++] = d->slots[i];
        }
    }
    qsort(hashes, n, sizeof *hashes, compare_hashes);
    for (size_t i = 0; i < n; i++) {
        mlog_sketch_put_u64(b, hashes[i]);
    }
    free(hashes);
}

void
mlog_distinct_serialise(const struct mlog_distinct *d, struct ofpbuf *b)
{
    const uint8_t own[3] = { d->precision, d->estimates, 0 };

    mlog_sketch_put_header(b, MLOG_SKETCH_DISTINCT, own);
    mlog_sketch_put_u32(b, d->seed_tag);
    mlog_sketch_put_u32(b, d->n);
    if (d->estimates) {
        ofpbuf_put(b, d->registers, (size_t) 1 << d->precision);
    } else if (d->n) {
        put_hashes(d, b);
    }
}

static void
get_registers(struct mlog_distinct *d, struct mlog_sketch_reader *r)
{
    size_t n = (size_t) 1 << d->precision;
    const uint8_t *registers = mlog_sketch_get_bytes(r, n);

    if (!registers) {
        return;
    }
    for (size_t i = 0; i < n; i++) {
        if (registers[i] > 64 - d->precision + 1) {
            mlog_sketch_fail(r, "register %"PRIuSIZE" is too large", i);
            return;
        }
    }
    d->registers = xmemdup(registers, n);
    d->estimates = true;
}

static void
get_hashes(struct mlog_distinct *d, struct mlog_sketch_reader *r, uint32_t n)
{
    uint64_t last = 0;

    if (n > mlog_distinct_limit(d->precision)
        || n * sizeof last > mlog_sketch_left(r)) {
        mlog_sketch_fail(r, "sketch can't have %"PRIu32" hashes", n);
        return;
    }
    for (uint32_t i = 0; i < n; i++) {
        uint64_t hash = mlog_sketch_get_u64(r);

        if (hash <= last) {
            mlog_sketch_fail(r, "hash %"PRIu32" is not in order", i);
            return;
        }
        mlog_distinct_add_hash(d, hash);
        last = hash;
    }
}

bool
mlog_distinct_deserialise(struct mlog_distinct *d, const void *data,
                          size_t size, const struct mlog_sketch_seed *seed,
                          char **errorp)
{
    struct mlog_sketch_reader r;
    uint8_t own[3];

    mlog_sketch_reader_init(&r, data, size, MLOG_SKETCH_DISTINCT, own);
    uint32_t tag = mlog_sketch_get_u32(&r);
    uint32_t n = mlog_sketch_get_u32(&r);
    if (own[0] < MLOG_DISTINCT_MIN_PRECISION
        || own[0] > MLOG_DISTINCT_MAX_PRECISION
        || own[1] > 1 || own[2] || (own[1] && n)) {
        mlog_sketch_fail(&r, "parameters of the sketch are invalid");
    }

    unsigned int precision = r.error ? MLOG_DISTINCT_PRECISION : own[0];
    mlog_distinct_init(d, precision, seed);
    if (tag != d->seed_tag) {
        mlog_sketch_fail(&r, "sketch was made with another seed");
    }
    if (!r.error && own[1]) {
        get_registers(d, &r);
    } else if (!r.error) {
        get_hashes(d, &r, n);
    }
    *errorp = mlog_sketch_reader_finish(&r);
    if (*errorp) {
        mlog_distinct_clear(d);
    }
    return !*errorp;
}
