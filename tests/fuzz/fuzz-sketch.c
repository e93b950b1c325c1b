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


/* Fuzzes the deserialisation of sketches.
 *
 * The first byte says which kind of sketch, and how many values it has; the
 * following ones, 3 at a time, which bytes of its serialised form to change,
 * and how.  Then the input as it is.  What is accepted is used, merged, and
 * has to be the same bytes when it is serialised again.
 *
 * With libFuzzer:  clang -fsanitize=fuzzer,address,undefined ...
 * Stand-alone:     fuzz-sketch [FILE...], or without arguments random changes
 *                  for a second or two. */

#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "mlog-sketch-distinct.h"
#include "mlog-sketch-quantile.h"
#include "mlog-sketch-topk.h"
#include "openvswitch/ofpbuf.h"
#include "util.h"

#define MAX_CAPACITY 64
#define PRECISION 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct mlog_sketch_seed seed = { { 1, 2 } };

static void
check_same(struct ofpbuf *again, const void *data, size_t size)
{
    ovs_assert(again->size == size && !memcmp(again->data, data, size));
    ofpbuf_uninit(again);
}

static bool
read_distinct(const void *data, size_t size, char **error)
{
    struct mlog_distinct d, other;
    struct ofpbuf again;
    bool ok = mlog_distinct_deserialise(&d, data, size, &seed, error);

    if (ok) {
        ofpbuf_init(&again, 0);
        mlog_distinct_serialise(&d, &again);
        check_same(&again, data, size);
        mlog_distinct_init(&other, d.precision, &seed);
        mlog_distinct_add_hash(&other, 1);
        ovs_assert(mlog_distinct_merge(&other, &d));
        mlog_distinct_add_hash(&d, 1);
        ovs_assert(mlog_distinct_count(&other) == mlog_distinct_count(&d));
        mlog_distinct_destroy(&other);
    }
    mlog_distinct_destroy(&d);
    return ok;
}

static bool
read_quantile(const void *data, size_t size, char **error)
{
    struct mlog_quantile q, other;
    struct ofpbuf again;
    bool ok = mlog_quantile_deserialise(&q, data, size, error);

    if (ok) {
        uint64_t a, b;

        ofpbuf_init(&again, 0);
        mlog_quantile_serialise(&q, &again);
        check_same(&again, data, size);
        mlog_quantile_init(&other);
        mlog_quantile_add(&other, 1000, 1);
        mlog_quantile_merge(&other, &q);
        mlog_quantile_add(&q, 1000, 1);
        ovs_assert(mlog_quantile_get(&q, 990000, &a));
        ovs_assert(mlog_quantile_get(&other, 990000, &b));
        ovs_assert(a == b);
        mlog_quantile_destroy(&other);
    }
    mlog_quantile_destroy(&q);
    return ok;
}

static bool
read_topk(const void *data, size_t size, char **error)
{
    struct mlog_topk_item items[MAX_CAPACITY];
    struct mlog_topk t, other;
    struct ofpbuf again;
    bool ok = mlog_topk_deserialise(&t, data, size, MAX_CAPACITY, error);

    if (ok) {
        struct mlog_value value = { .lo = 123 };

        ofpbuf_init(&again, 0);
        mlog_topk_serialise(&t, &again);
        check_same(&again, data, size);
        mlog_topk_init(&other, 3);
        mlog_topk_add(&other, &value, 1);
        mlog_topk_merge(&other, &t);
        mlog_topk_add(&t, &value, UINT64_MAX / 2);
        mlog_topk_merge(&t, &other);
        ovs_assert(mlog_topk_get(&t, MAX_CAPACITY, items) == t.n);
        ovs_assert(mlog_topk_bound(&t) <= items[t.n - 1].count);
        mlog_topk_destroy(&other);
    }
    mlog_topk_destroy(&t);
    return ok;
}

static void
read_all(const uint8_t *data, size_t size)
{
    char *errors[3] = { NULL };

    /* A block of its own, for the address sanitizer. */
    uint8_t *copy = size ? xmemdup(data, size) : NULL;
    int n = (read_distinct(copy, size, &errors[0])
             + read_quantile(copy, size, &errors[1])
             + read_topk(copy, size, &errors[2]));

    ovs_assert(n <= 1);
    for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
        free(errors[i]);
    }
    free(copy);
}

static void
make_sketch(uint8_t what, struct ofpbuf *b)
{
    uint32_t n = (what >> 2) * (what >> 2);
    struct mlog_distinct d;
    struct mlog_quantile q;
    struct mlog_topk t;

    mlog_distinct_init(&d, PRECISION, &seed);
    mlog_quantile_init(&q);
    mlog_topk_init(&t, 40);
    for (uint32_t i = 0; i < n; i++) {
        struct mlog_value value = { .lo = i * i };

        mlog_distinct_add(&d, &value);
        mlog_quantile_add(&q, i * i, 1);
        mlog_topk_add(&t, &value, i % 5 + 1);
    }
    switch (what & 3) {
    case 0: mlog_distinct_serialise(&d, b); break;
    case 1: mlog_quantile_serialise(&q, b); break;
    default: mlog_topk_serialise(&t, b); break;
    }
    mlog_distinct_destroy(&d);
    mlog_quantile_destroy(&q);
    mlog_topk_destroy(&t);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ofpbuf b;

    read_all(data, size);
    if (size) {
        ofpbuf_init(&b, 0);
        make_sketch(data[0], &b);
        for (size_t i = 1; i + 3 <= size; i += 3) {
            size_t at = (data[i] | data[i + 1] << 8) % b.size;

            ((uint8_t *) b.data)[at] ^= data[i + 2];
        }
        read_all(b.data, b.size);
        read_all(b.data, b.size * data[0] / 256);
        ofpbuf_uninit(&b);
    }
    return 0;
}

#ifndef MLOG_LIBFUZZER
static void
fuzz_file(const char *name)
{
    static uint8_t data[1 << 16];
    FILE *file = fopen(name, "rb");

    if (!file) {
        ovs_fatal(errno, "%s", name);
    }
    LLVMFuzzerTestOneInput(data, fread(data, 1, sizeof data, file));
    fclose(file);
}

static void
fuzz_random(int n)
{
    uint8_t data[1 + 3 * 8];

    while (n--) {
        for (size_t i = 0; i < sizeof data; i++) {
            data[i] = rand() >> 8;
        }
        for (size_t i = 2; i < sizeof data; i += 3) {
            data[i] &= rand() & 1 ? 0 : 0xff;   /* Early bytes, too. */
        }
        LLVMFuzzerTestOneInput(data, 1 + 3 * (rand() % 9));
    }
}

int
main(int argc, char *argv[])
{
    set_program_name(argv[0]);
    for (int i = 1; i < argc; i++) {
        fuzz_file(argv[i]);
    }
    if (argc < 2) {
        fuzz_random(20000);
    }
    return 0;
}
#endif
