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

/* Fuzzes the reader of sealed segments: images with any bytes changed.
 *
 * The first 8 bytes of the input determine an image; the others, 5 at a time,
 * which bytes of it to change, and how.  Few random bytes look like an image,
 * so this gets farther.  The checksum is not looked at.
 *
 * With libFuzzer:  clang -fsanitize=fuzzer,address,undefined ...
 * Stand-alone:     fuzz-sealed [FILE...], or without arguments random
 *                  changes for a second or two. */

#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "mlog-sealed.h"
#include "util.h"

#define MAX_ROWS 1100
#define MAX_FLOWS 30            /* Of which the postings are looked at. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct mlog_row rows[MAX_ROWS];

/* Sets 'rows'.  How wide columns are, and how often they change, comes from
 * the bytes of 'seed'. */
static uint32_t
make_rows(uint64_t seed, uint32_t *n_flows)
{
    uint32_t n = 1 + seed % MAX_ROWS;
    unsigned int repeat = 1 << (seed >> 16 & 7);
    unsigned int time_bits = seed >> 20 & 63;
    uint32_t mask = seed >> 32;
    uint64_t state = seed | 1, time = 0;

    *n_flows = 1 + (seed >> 24) % n;
    for (uint32_t i = 0; i < n; i++) {
        state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
        if (i % repeat == 0) {
            time += state >> 32 & ((UINT64_C(1) << time_bits % 37) - 1);
        }
        rows[i] = (struct mlog_row) {
            .time_port = mlog_row_pack_time_port(time, i / repeat & mask),
            .flow = mask & 1 ? i % *n_flows : (state >> 33) % *n_flows,
            .tcp_seq = state >> 32,
            .tcp_ack = state >> 32 & mask,
            .len_ttl = state >> 24 & mask,
            .tcp_window = (state >> 32) % 13 * 5000,
            .ip_id = state >> 40,
            .tcp_flags = state >> 32 & mask >> 8,
            .nw_tos = i / repeat,
            .reason = mask,
        };
    }
    return n;
}

/* Columns from the middle on are as in 'out', all the rows. */
static void
check_columns(const struct mlog_sealed *s, const struct mlog_row *out)
{
    static uint32_t values[MAX_ROWS];
    static uint64_t times[MAX_ROWS];
    const uint32_t middle = s->n_rows / 2;

    mlog_sealed_times(s, middle, s->n_rows - middle, times);
    for (uint32_t i = middle; i < s->n_rows; i++) {
        ovs_assert(times[i - middle] == mlog_row_time(&out[i]));
    }
    for (int c = MLOG_COLUMN_TIME + 1; c < MLOG_N_COLUMNS; c++) {
        mlog_sealed_column(s, c, middle, s->n_rows - middle, values);
        for (uint32_t i = middle; i < s->n_rows; i++) {
            ovs_assert(values[i - middle] == mlog_row_column(&out[i], c));
        }
    }
}

/* What users take for indexes has to be usable as such. */
static void
read_rows(const struct mlog_sealed *s, struct mlog_row *out)
{
    uint64_t min, max;

    mlog_sealed_rows(s, 0, s->n_rows, out);
    for (int c = 0; c < MLOG_N_COLUMNS; c++) {
        mlog_sealed_zone(s, c, MLOG_SEALED_ALL, &min, &max);
        ovs_assert(mlog_row_column(&out[s->n_rows - 1], c) <= max);
    }
    for (uint32_t i = 0; i < s->n_rows; i++) {
        ovs_assert(out[i].flow < s->n_flows);
    }
    for (int i = 0; i < 48; i++) {
        ovs_assert(mlog_sealed_lower_bound(s, UINT64_C(1) << i) <= s->n_rows);
    }
}

static void
read_postings(const struct mlog_sealed *s)
{
    static struct mlog_row selected[MAX_ROWS];
    static uint32_t numbers[MAX_ROWS];

    for (uint32_t f = 0; f < MIN(s->n_flows, MAX_FLOWS); f++) {
        uint32_t n = mlog_sealed_n_postings(s, f);

        ovs_assert(n <= s->n_rows);
        ovs_assert(mlog_sealed_postings(s, f, 0, n, numbers) == n);
        ovs_assert(mlog_sealed_postings_before(s, f, s->n_rows / 2) <= n);
        mlog_sealed_select(s, numbers, n, selected);
        for (uint32_t i = 0; i < n; i++) {
            ovs_assert(numbers[i] < s->n_rows);
        }
    }
}

/* Reads the image, and if it is what 'rows' became checks that. */
static void
read_image(const uint8_t *image, size_t size, bool genuine)
{
    static struct mlog_row out[MAX_ROWS];
    struct mlog_sealed s;
    char *error;

    if (mlog_sealed_open(&s, image, size, genuine, &error)) {
        ovs_assert(!error);
        if (s.n_rows <= MAX_ROWS) {
            read_rows(&s, out);
            read_postings(&s);
        }
    } else {
        ovs_assert(error && !genuine);
        free(error);
    }
    if (genuine) {
        ovs_assert(!memcmp(out, rows, s.n_rows * sizeof *rows));
        check_columns(&s, out);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct mlog_sealed_builder *builder;
    uint64_t seed = 0;
    uint32_t n_flows;

    memcpy(&seed, data, MIN(size, sizeof seed));
    uint32_t n = make_rows(seed, &n_flows);
    if (!builder) {
        builder = mlog_sealed_builder_create();
    }
    size_t image_size = mlog_sealed_build(builder, rows, n, n_flows, 1);
    ovs_assert(image_size && image_size <= mlog_sealed_max_size(n, n_flows));

    /* A block of its own, for the address sanitizer. */
    uint8_t *image = xmemdup(mlog_sealed_builder_image(builder), image_size);
    for (size_t i = sizeof seed; i + 5 <= size; i += 5) {
        uint32_t offset;

        /* Half of them go to the header and the first blocks. */
        memcpy(&offset, &data[i], sizeof offset);
        offset = offset & 1 ? offset >> 1 : (offset >> 1) % 1024;
        image[offset % image_size] ^= data[i + 4];
    }
    read_image(image, image_size, size <= sizeof seed);
    free(image);

    /* The input itself, and a part of the image. */
    image = xmemdup(data, size);
    read_image(image, size, false);
    free(image);
    image = xmemdup(mlog_sealed_builder_image(builder), seed % image_size);
    read_image(image, seed % image_size, false);
    free(image);
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
    uint8_t data[8 + 5 * 10];

    while (n--) {
        for (size_t i = 0; i < sizeof data; i++) {
            data[i] = rand() >> 8;
        }
        LLVMFuzzerTestOneInput(data, 8 + 5 * (rand() % 11));
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
        fuzz_random(10000);
    }
    return 0;
}
#endif
