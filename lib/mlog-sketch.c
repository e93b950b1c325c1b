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
#include "mlog-sketch.h"

#include <stdarg.h>
#include <string.h>

#include "entropy.h"
#include "mlog-sketch-private.h"
#include "openvswitch/ofpbuf.h"
#include "ovs-thread.h"
#include "random.h"
#include "util.h"

/* Hashing.
 *
 * SipHash (Aumasson, Bernstein, 2012) with one round per word and three at the
 * end. */

static inline uint64_t
rotate(uint64_t x, unsigned int n)
{
    return x << n | x >> (64 - n);
}

static inline void
sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[2] += v[3];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] = rotate(v[0], 32);

    v[2] += v[1];
    v[0] += v[3];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] = rotate(v[2], 32);
}

static inline void
sip_word(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    sip_round(v);
    v[0] ^= word;
}

uint64_t
mlog_sketch_hash(const struct mlog_sketch_seed *seed,
                 const struct mlog_value *value)
{
    uint64_t v[4] = {
        seed->key[0] ^ UINT64_C(0x736f6d6570736575),
        seed->key[1] ^ UINT64_C(0x646f72616e646f6d),
        seed->key[0] ^ UINT64_C(0x6c7967656e657261),
        seed->key[1] ^ UINT64_C(0x7465646279746573),
    };

    sip_word(v, value->lo);
    sip_word(v, value->hi);
    sip_word(v, UINT64_C(16) << 56);    /* The length. */
    v[2] ^= 0xff;
    sip_round(v);
    sip_round(v);
    sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* Seeds. */

void
mlog_sketch_seed_random(struct mlog_sketch_seed *seed)
{
    if (get_entropy(seed->key, sizeof seed->key)) {
        random_bytes(seed->key, sizeof seed->key);
    }
}

static struct ovsthread_once local_once = OVSTHREAD_ONCE_INITIALIZER;
static struct mlog_sketch_seed local_seed;

void
mlog_sketch_set_local_seed(const struct mlog_sketch_seed *seed)
{
    if (ovsthread_once_start(&local_once)) {
        local_seed = *seed;
        ovsthread_once_done(&local_once);
    }
}

const struct mlog_sketch_seed *
mlog_sketch_local_seed(void)
{
    if (ovsthread_once_start(&local_once)) {
        mlog_sketch_seed_random(&local_seed);
        ovsthread_once_done(&local_once);
    }
    return &local_seed;
}

uint32_t
mlog_sketch_seed_tag(const struct mlog_sketch_seed *seed)
{
    static const struct mlog_value value = { UINT64_MAX, UINT64_MAX };

    return mlog_sketch_hash(seed, &value) >> 32;
}

/* Writing. */

void
mlog_sketch_put_header(struct ofpbuf *b, enum mlog_sketch_kind kind,
                       const uint8_t own[3])
{
    const uint8_t header[8] = {
        'M', 'L', 'S', kind, 1, own[0], own[1], own[2],
    };

    ofpbuf_put(b, header, sizeof header);
}

static void
put_number(struct ofpbuf *b, uint64_t number, size_t n)
{
    uint8_t *p = ofpbuf_put_uninit(b, n);

    for (size_t i = 0; i < n; i++) {
        p[i] = number >> 8 * i;
    }
}

void
mlog_sketch_put_u32(struct ofpbuf *b, uint32_t number)
{
    put_number(b, number, sizeof number);
}

void
mlog_sketch_put_u64(struct ofpbuf *b, uint64_t number)
{
    put_number(b, number, sizeof number);
}

/* Reading. */

void
mlog_sketch_fail(struct mlog_sketch_reader *r, const char *format, ...)
{
    if (!r->error) {
        va_list args;

        va_start(args, format);
        r->error = xvasprintf(format, args);
        va_end(args);
    }
}

const uint8_t *
mlog_sketch_get_bytes(struct mlog_sketch_reader *r, size_t n)
{
    if (r->error || n > mlog_sketch_left(r)) {
        mlog_sketch_fail(r, "sketch ends too early, after %"PRIuSIZE" bytes",
                         r->size);
        return NULL;
    }
    r->at += n;
    return r->data + r->at - n;
}

static uint64_t
get_number(struct mlog_sketch_reader *r, size_t n)
{
    const uint8_t *p = mlog_sketch_get_bytes(r, n);
    uint64_t number = 0;

    for (size_t i = 0; p && i < n; i++) {
        number |= (uint64_t) p[i] << 8 * i;
    }
    return number;
}

uint32_t
mlog_sketch_get_u32(struct mlog_sketch_reader *r)
{
    return get_number(r, sizeof(uint32_t));
}

uint64_t
mlog_sketch_get_u64(struct mlog_sketch_reader *r)
{
    return get_number(r, sizeof(uint64_t));
}

void
mlog_sketch_reader_init(struct mlog_sketch_reader *r, const void *data,
                        size_t size, enum mlog_sketch_kind kind,
                        uint8_t own[3])
{
    *r = (struct mlog_sketch_reader) { .data = data, .size = size };
    memset(own, 0, 3);

    const uint8_t *header = mlog_sketch_get_bytes(r, 8);
    if (!header) {
        return;
    } else if (memcmp(header, "MLS", 3) || header[3] != kind) {
        mlog_sketch_fail(r, "not a sketch of the kind that is expected");
    } else if (header[4] != 1) {
        mlog_sketch_fail(r, "version %u of the sketch is unknown; version 1 "
                         "is known", header[4]);
    } else {
        memcpy(own, header + 5, 3);
    }
}

char *
mlog_sketch_reader_finish(struct mlog_sketch_reader *r)
{
    if (mlog_sketch_left(r)) {
        mlog_sketch_fail(r, "%"PRIuSIZE" bytes follow the sketch",
                         mlog_sketch_left(r));
    }
    return r->error;
}
