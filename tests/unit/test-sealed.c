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

#include <criterion/criterion.h>
#include <signal.h>

#include "mlog-header-log.h"
#include "mlog-sealed-private.h"
#include "mlog-sealed.h"
#include "mlog-simd.h"
#include "random.h"
#include "util.h"

BUILD_ASSERT_DECL(MLOG_SEALED_ROWS_MAX == MLOG_SEGMENT_ROWS);

#define BASE UINT64_C(1769860800123456789)
#define N_MAX MLOG_SEALED_ROWS_MAX

static struct mlog_row rows[N_MAX];
static struct mlog_sealed_builder *builder;

/* Patterns.  Each sets 'rows' and returns the number of flows.
 * ========= */

/* Every bit that a row can have. */
static uint32_t
fill_random(uint32_t n)
{
    uint32_t n_flows = 1 + random_range(MIN(n, 10000));
    uint64_t time = random_range(1000);

    random_bytes(rows, n * sizeof *rows);
    for (uint32_t i = 0; i < n; i++) {
        rows[i].time_port = mlog_row_pack_time_port(time, rows[i].time_port);
        rows[i].flow = random_range(n_flows);
        time += random_range(200);
    }
    return n_flows;
}

/* As above, as far as packets go: 12 bits of flags, lengths of 16 bits. */
static uint32_t
fill_random_packets(uint32_t n)
{
    uint32_t n_flows = MIN(n, 10000);

    fill_random(n);
    for (uint32_t i = 0; i < n; i++) {
        rows[i].flow = random_range(n_flows);
        rows[i].tcp_flags &= 0xfff;
        rows[i].len_ttl &= 0xffffff;
    }
    return n_flows;
}

static uint32_t
fill_equal(uint32_t n)
{
    random_bytes(rows, sizeof *rows);
    rows[0].flow = 0;
    for (uint32_t i = 1; i < n; i++) {
        rows[i] = rows[0];
    }
    return 1;
}

/* Few packets per second: times that take all of 48 bits. */
static uint32_t
fill_slow(uint32_t n)
{
    uint64_t step = (UINT64_C(1) << 48) / n;
    uint32_t n_flows = fill_random(n);

    for (uint32_t i = 0; i < n; i++) {
        uint64_t time = step * i + (i == n - 1 ? 0 : random_uint64() % step);
        rows[i].time_port = mlog_row_pack_time_port(time, 1);
    }
    return n_flows;
}

/* Batches of packets of one time and port, far apart: by multiples of 2^32 ns,
 * so that times differ in their upper bits alone. */
static uint32_t
fill_slow_batches(uint32_t n)
{
    uint32_t n_flows = fill_random(n);
    uint64_t time = 0;
    uint16_t port = 0;

    for (uint32_t i = 0; i < n; i++) {
        rows[i].time_port = mlog_row_pack_time_port(time, port);
        if (!random_range(n / 1000 + 40)) {
            time += UINT64_C(1) << 32;
            port = random_range(UINT16_MAX);
        }
    }
    return n_flows;
}

/* Much as real traffic: batches, few values in most columns. */
static uint32_t
fill_tcp(uint32_t n)
{
    uint32_t n_flows = MIN(n, 10000);
    static const uint16_t lengths[] = { 66, 1514, 590, 54 };
    uint64_t time = 0;
    uint16_t port = 0;

    for (uint32_t i = 0; i < n; i++) {
        if (i % 32 == 0) {
            time += 3200 + random_range(300);
            port = random_range(3);
        }
        rows[i] = (struct mlog_row) {
            .time_port = mlog_row_pack_time_port(time, port),
            .flow = random_range(n_flows),
            .tcp_seq = random_uint32(),
            .tcp_ack = random_uint32(),
            .len_ttl = lengths[random_range(4)] << 8 | (57 + random_range(8)),
            .tcp_window = random_range(4) ? 502 : random_range(65536),
            .ip_id = random_uint32(),
            .tcp_flags = random_range(5) ? 0x10 : 0x18,
        };
    }
    return n_flows;
}

/* Each packet is a flow of its own. */
static uint32_t
fill_one_packet_flows(uint32_t n)
{
    fill_tcp(n);
    for (uint32_t i = 0; i < n; i++) {
        rows[i].flow = i;
    }
    return n;
}

/* Some flows have no rows. */
static uint32_t
fill_empty_flows(uint32_t n)
{
    fill_tcp(n);
    for (uint32_t i = 0; i < n; i++) {
        rows[i].flow = n - 1 - (i & ~7u);
    }
    return n;
}

static const struct pattern {
    const char *name;
    uint32_t (*fill)(uint32_t n);
} patterns[] = {
    { "random", fill_random },
    { "random packets", fill_random_packets },
    { "equal", fill_equal },
    { "slow", fill_slow },
    { "slow batches", fill_slow_batches },
    { "tcp", fill_tcp },
    { "one-packet flows", fill_one_packet_flows },
    { "empty flows", fill_empty_flows },
};

static const uint32_t sizes[] = {
    1, 2, 31, 32, 33, 1000, 1023, 1024, 1025, 2048, 5000
};

/* Builds, and opens a copy that ends where its memory ends. */
static void
seal(struct mlog_sealed *s, uint32_t n_rows, uint32_t n_flows)
{
    char *error;

    if (!builder) {
        builder = mlog_sealed_builder_create();
    }
    size_t size = mlog_sealed_build(builder, rows, n_rows, n_flows, BASE);
    cr_assert_neq(size, 0);
    cr_assert_leq(size, mlog_sealed_max_size(n_rows, n_flows));
    void *image = xmemdup(mlog_sealed_builder_image(builder), size);
    cr_assert(mlog_sealed_open(s, image, size, true, &error), "%s", error);
    cr_assert_eq(s->size, size);
    cr_assert_eq(s->n_rows, n_rows);
    cr_assert_eq(s->n_flows, n_flows);
    cr_assert_eq(s->base_time, BASE);
}

static void
unseal(struct mlog_sealed *s)
{
    free(CONST_CAST(uint8_t *, s->image));
}

/* Calls 'check' for each pattern, size and level of vector instructions. */
static void
for_each(void (*check)(const struct mlog_sealed *, const char *name))
{
    enum mlog_simd best = mlog_simd();

    for (size_t i = 0; i < ARRAY_SIZE(patterns); i++) {
        for (size_t j = 0; j < ARRAY_SIZE(sizes); j++) {
            for (int level = MLOG_SIMD_NONE; level <= (int) best; level++) {
                struct mlog_sealed s;

                mlog_simd_limit(level);
                seal(&s, sizes[j], patterns[i].fill(sizes[j]));
                check(&s, patterns[i].name);
                unseal(&s);
            }
        }
    }
}

static void
random_part(uint32_t all, uint32_t *start, uint32_t *n)
{
    *start = random_range(all);
    *n = random_range(all - *start + 1);
}

/* What is read.
 * ============= */

static void
check_rows(const struct mlog_sealed *s, const char *name)
{
    struct mlog_row *out = xmalloc(s->n_rows * sizeof *out);

    mlog_sealed_rows(s, 0, s->n_rows, out);
    cr_assert(!memcmp(out, rows, s->n_rows * sizeof *out), "%s", name);
    for (int i = 0; i < 10; i++) {
        uint32_t start, n;

        random_part(s->n_rows, &start, &n);
        mlog_sealed_rows(s, start, n, out);
        cr_assert(!memcmp(out, rows + start, n * sizeof *out), "%s", name);
    }
    free(out);
}

Test(sealed, rows_come_back_bit_for_bit)
{
    for_each(check_rows);
}

Test(sealed, a_whole_segment_comes_back_bit_for_bit)
{
    for (size_t i = 0; i < ARRAY_SIZE(patterns); i++) {
        struct mlog_sealed s;

        seal(&s, N_MAX, patterns[i].fill(N_MAX));
        check_rows(&s, patterns[i].name);
        unseal(&s);
    }
}

static void
check_select(const struct mlog_sealed *s, const char *name)
{
    uint32_t *numbers = xmalloc(s->n_rows * sizeof *numbers);
    struct mlog_row *out = xmalloc(s->n_rows * sizeof *out);

    /* Ascending, closer and closer, and then in no order. */
    for (uint32_t sparse = 100; sparse; sparse /= 3) {
        uint32_t n = 0;

        for (uint32_t i = 0; i < s->n_rows; i++) {
            if (!random_range(sparse)) {
                numbers[n++] = sparse == 1 ? random_range(s->n_rows) : i;
            }
        }
        mlog_sealed_select(s, numbers, n, out);
        for (uint32_t i = 0; i < n; i++) {
            cr_assert(!memcmp(&out[i], &rows[numbers[i]], sizeof *out),
                      "%s", name);
        }
    }
    free(numbers);
    free(out);
}

Test(sealed, selected_rows_come_back_bit_for_bit)
{
    for_each(check_select);
}

static void
check_columns(const struct mlog_sealed *s, const char *name)
{
    uint32_t *values = xmalloc(s->n_rows * sizeof *values);
    uint64_t *times = xmalloc(s->n_rows * sizeof *times);

    for (int i = 0; i < 5; i++) {
        uint32_t start = 0, n = s->n_rows;

        if (i) {
            random_part(s->n_rows, &start, &n);
        }
        mlog_sealed_times(s, start, n, times);
        for (uint32_t j = 0; j < n; j++) {
            cr_assert_eq(times[j], mlog_row_time(&rows[start + j]), "%s",
                         name);
        }
        for (int c = MLOG_COLUMN_TIME + 1; c < MLOG_N_COLUMNS; c++) {
            mlog_sealed_column(s, c, start, n, values);
            for (uint32_t j = 0; j < n; j++) {
                cr_assert_eq(values[j], mlog_row_column(&rows[start + j], c),
                             "%s, %s", name, mlog_column_defs[c].name);
            }
        }
    }
    free(values);
    free(times);
}

Test(sealed, columns_are_those_of_the_rows)
{
    for_each(check_columns);
}

static void
check_zone(const struct mlog_sealed *s, uint32_t block, uint32_t start,
           uint32_t end)
{
    for (int c = 0; c < MLOG_N_COLUMNS; c++) {
        uint64_t min = UINT64_MAX, max = 0, zone_min, zone_max;

        for (uint32_t i = start; i < end; i++) {
            min = MIN(min, mlog_row_column(&rows[i], c));
            max = MAX(max, mlog_row_column(&rows[i], c));
        }
        mlog_sealed_zone(s, c, block, &zone_min, &zone_max);
        cr_assert_eq(zone_min, min);
        cr_assert_eq(zone_max, max);
    }
}

static void
check_zones(const struct mlog_sealed *s, const char *name OVS_UNUSED)
{
    const uint32_t size = MLOG_SEALED_BLOCK_ROWS;

    check_zone(s, MLOG_SEALED_ALL, 0, s->n_rows);
    for (uint32_t i = 0; i < mlog_sealed_n_blocks(s); i++) {
        check_zone(s, i, i * size, MIN((i + 1) * size, s->n_rows));
    }
}

Test(sealed, zones_are_exact)
{
    for_each(check_zones);
}

static void
check_postings(const struct mlog_sealed *s, const char *name)
{
    uint32_t *out = xmalloc((s->n_rows + 1) * sizeof *out);
    uint32_t n_all = 0;

    for (uint32_t f = 0; f < s->n_flows; f++) {
        uint32_t n = mlog_sealed_n_postings(s, f);

        out[n] = 0xdeadbeef;
        cr_assert_eq(mlog_sealed_postings(s, f, 0, UINT32_MAX, out), n);
        cr_assert_eq(out[n], 0xdeadbeef);
        for (uint32_t i = 0; i < n; i++) {
            cr_assert_eq(rows[out[i]].flow, f, "%s", name);
            cr_assert(!i || out[i] > out[i - 1], "%s", name);
        }

        /* Part of them, and how many are before some row. */
        uint32_t first = random_range(n + 1), some[3];
        uint32_t m = mlog_sealed_postings(s, f, first, 3, some);
        cr_assert_eq(m, MIN(n - first, 3));
        cr_assert(!memcmp(some, out + first, m * sizeof *some));
        uint32_t row = random_range(s->n_rows + 1), before = 0;
        while (before < n && out[before] < row) {
            before++;
        }
        cr_assert_eq(mlog_sealed_postings_before(s, f, row), before);
        n_all += n;
    }

    /* All different, of the right flow, and as many as there are rows. */
    cr_assert_eq(n_all, s->n_rows, "%s", name);
    free(out);
}

Test(sealed, postings_are_the_rows_of_each_flow)
{
    for_each(check_postings);
}

static void
check_lower_bound(const struct mlog_sealed *s, const char *name)
{
    for (int i = 0; i < 100; i++) {
        uint32_t row = random_range(s->n_rows), expected = row;
        uint64_t time = BASE + mlog_row_time(&rows[row]);

        /* The first row of that time, and the first of a later one. */
        while (expected
               && BASE + mlog_row_time(&rows[expected - 1]) == time) {
            expected--;
        }
        cr_assert_eq(mlog_sealed_lower_bound(s, time), expected, "%s", name);
        for (expected = row; expected < s->n_rows; expected++) {
            if (BASE + mlog_row_time(&rows[expected]) > time) {
                break;
            }
        }
        cr_assert_eq(mlog_sealed_lower_bound(s, time + 1), expected, "%s",
                     name);
    }
    cr_assert_eq(mlog_sealed_lower_bound(s, 0), 0);
    cr_assert_eq(mlog_sealed_lower_bound(s, BASE), 0);
    cr_assert_eq(mlog_sealed_lower_bound(s, UINT64_MAX), s->n_rows);
}

Test(sealed, lower_bound_is_the_first_row_that_is_not_earlier)
{
    for_each(check_lower_bound);
}

/* How it is kept.
 * =============== */

/* Otherwise the tests above would test less than they seem to. */
Test(sealed, the_patterns_have_all_encodings)
{
    bool numbers[SEALED_RUNS + 1] = { false };
    bool narrow[SEALED_RUNS + 1] = { false };
    bool wide[SEALED_RUNS + 1] = { false };

    for (size_t i = 0; i < ARRAY_SIZE(patterns); i++) {
        struct mlog_sealed s;

        seal(&s, 5000, patterns[i].fill(5000));
        for (int c = 0; c < MLOG_N_COLUMNS; c++) {
            for (uint32_t j = 0; j < mlog_sealed_n_blocks(&s); j++) {
                const struct mlog_sealed_block *block = &s.blocks[c][j];

                if (c != MLOG_COLUMN_TIME) {
                    numbers[block->encoding] = true;
                } else if (block->width > 32) {
                    wide[block->encoding] = true;
                } else if (block->width) {
                    narrow[block->encoding] = true;
                }
            }
        }
        unseal(&s);
    }
    cr_assert(numbers[SEALED_PACKED] && numbers[SEALED_RAMP]
              && numbers[SEALED_DICTIONARY] && numbers[SEALED_RUNS]);
    cr_assert(narrow[SEALED_PACKED] && narrow[SEALED_RUNS]);
    cr_assert(wide[SEALED_PACKED] && wide[SEALED_RUNS]);
}

/* Postings included, but not 4 bytes per flow for the list of flows. */
Test(sealed, bytes_per_row_are_bounded)
{
    static const struct {
        uint32_t (*fill)(uint32_t n);
        double max;
    } cases[] = {
        { fill_random_packets, 28 },
        { fill_tcp, 19 },
        { fill_one_packet_flows, 28 },
        { fill_equal, 3 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct mlog_sealed s;

        seal(&s, N_MAX, cases[i].fill(N_MAX));
        cr_expect_leq((double) s.size / N_MAX, cases[i].max,
                      "case %"PRIuSIZE": %.2f", i, (double) s.size / N_MAX);
        unseal(&s);
    }
}

Test(sealed, vector_instructions_make_no_difference)
{
    enum mlog_simd best = mlog_simd();

    for (size_t i = 0; i < ARRAY_SIZE(patterns); i++) {
        struct mlog_sealed plain, vector;
        uint32_t n_flows = patterns[i].fill(5000);

        mlog_simd_limit(MLOG_SIMD_NONE);
        seal(&plain, 5000, n_flows);
        mlog_simd_limit(best);
        seal(&vector, 5000, n_flows);
        cr_assert_eq(plain.size, vector.size);
        cr_assert(!memcmp(plain.image, vector.image, plain.size));
        unseal(&plain);
        unseal(&vector);
    }
}

Test(sealed, an_image_does_not_depend_on_the_one_before)
{
    struct mlog_sealed_builder *fresh = mlog_sealed_builder_create();
    struct mlog_sealed s;

    seal(&s, N_MAX, fill_random(N_MAX));
    unseal(&s);
    uint32_t n_flows = fill_tcp(3000);
    seal(&s, 3000, n_flows);
    cr_assert_eq(mlog_sealed_build(fresh, rows, 3000, n_flows, BASE), s.size);
    cr_assert(!memcmp(mlog_sealed_builder_image(fresh), s.image, s.size));
    unseal(&s);
    mlog_sealed_builder_destroy(fresh);
    mlog_sealed_builder_destroy(NULL);
}

Test(sealed, rows_that_are_not_as_they_should_be_are_refused)
{
    struct mlog_sealed s;
    uint32_t n_flows = fill_tcp(3000);

    seal(&s, 3000, n_flows);
    unseal(&s);
    cr_expect_eq(mlog_sealed_build(builder, rows, 3000, 0, BASE), 0);
    cr_expect_eq(mlog_sealed_build(builder, rows, 3000, 3001, BASE), 0);
    cr_expect_eq(mlog_sealed_build(builder, rows, 3000, n_flows,
                                   UINT64_C(1) << 63), 0);

    /* A flow, in any block. */
    for (uint32_t i = 0; i < 3000; i += 999) {
        uint32_t flow = rows[i].flow;

        rows[i].flow = i % 2 ? n_flows : UINT32_MAX;
        cr_expect_eq(mlog_sealed_build(builder, rows, 3000, n_flows, BASE), 0);
        rows[i].flow = flow;
    }

    /* A time, within a block and between two. */
    static const uint32_t descents[] = { 1000, 1024, 2048, 2999 };
    for (size_t i = 0; i < ARRAY_SIZE(descents); i++) {
        uint64_t *time = &rows[descents[i]].time_port, saved = *time;

        *time = rows[descents[i] - 1].time_port - 0x10000;
        cr_expect_eq(mlog_sealed_build(builder, rows, 3000, n_flows, BASE), 0);
        *time = saved;
    }
    cr_expect_neq(mlog_sealed_build(builder, rows, 3000, n_flows, BASE), 0);
}

/* Damaged and hostile images.
 * =========================== */

Test(sealed, every_damaged_byte_is_noticed)
{
    struct mlog_sealed s, damaged;
    char *error;

    seal(&s, 1100, fill_tcp(1100));
    uint8_t *image = CONST_CAST(uint8_t *, s.image);
    for (size_t i = 0; i < s.size; i++) {
        uint8_t bit = 1 << random_range(8);

        image[i] ^= bit;
        cr_assert_not(mlog_sealed_open(&damaged, image, s.size, true, &error),
                      "byte %"PRIuSIZE, i);
        cr_assert_not_null(error);
        free(error);
        image[i] ^= bit;
    }
    unseal(&s);
}

Test(sealed, a_truncated_image_is_refused)
{
    struct mlog_sealed s, cut;
    char *error;

    seal(&s, 1100, fill_tcp(1100));
    for (size_t size = 0; size < s.size; size += 1 + random_range(16)) {
        void *image = xmemdup(s.image, size);

        cr_assert_not(mlog_sealed_open(&cut, image, size, random_range(2),
                                       &error));
        free(error);
        free(image);
    }

    /* Too many bytes are none of its business. */
    uint8_t *longer = xzalloc(s.size + 100);
    memcpy(longer, s.image, s.size);
    cr_assert(mlog_sealed_open(&cut, longer, s.size + 100, true, &error));
    cr_assert_eq(cut.size, s.size);
    free(longer);
    unseal(&s);
}

/* Opens the image of 's' after 'value' was stored at 'p', 'size' bytes in it,
 * without the checksum, and expects an error that begins with 'message'. */
static void
expect_refused(const struct mlog_sealed *s, const void *p, size_t size,
               uint64_t value, const char *message, const char *what)
{
    struct mlog_sealed bad;
    uint64_t saved;
    char *error;

    memcpy(&saved, p, size);
    memcpy(CONST_CAST(void *, p), &value, size);
    cr_expect_not(mlog_sealed_open(&bad, s->image, s->size, false, &error),
                  "%s", what);
    cr_expect(error && !strncmp(error, message, strlen(message)),
              "%s: %s", what, error ? error : "no error");
    free(error);
    memcpy(CONST_CAST(void *, p), &saved, size);
}
#define EXPECT_REFUSED(S, P, VALUE, MESSAGE) \
    expect_refused(S, P, sizeof *(P), VALUE, MESSAGE, #P " = " #VALUE)

static void
expect_header_checks(const struct mlog_sealed *s)
{
    const struct sealed_header *h = (const struct sealed_header *) s->image;

    EXPECT_REFUSED(s, &h->magic, h->magic + 1, "not a sealed segment");
    EXPECT_REFUSED(s, &h->version, 2, "version 2");
    EXPECT_REFUSED(s, &h->size, h->size + 64, "size");
    EXPECT_REFUSED(s, &h->size, h->size - 1, "size");
    EXPECT_REFUSED(s, &h->size, 64, "size");
    EXPECT_REFUSED(s, &h->size, UINT64_MAX - 63, "size");
    EXPECT_REFUSED(s, &h->base_time, UINT64_MAX, "header");
    EXPECT_REFUSED(s, &h->n_rows, 0, "header");
    EXPECT_REFUSED(s, &h->n_rows, N_MAX + 1, "header");
    EXPECT_REFUSED(s, &h->n_rows, h->n_rows + 1, "array 0");
    EXPECT_REFUSED(s, &h->n_flows, 0, "header");
    EXPECT_REFUSED(s, &h->n_flows, h->n_rows + 1, "header");
    EXPECT_REFUSED(s, &h->n_flows, h->n_flows - 1, "array ");
    EXPECT_REFUSED(s, &h->block_rows, 512, "header");
    EXPECT_REFUSED(s, &h->n_arrays, 15, "header");
    EXPECT_REFUSED(s, &h->arrays[3].n, 3, "array 3");
    EXPECT_REFUSED(s, &h->arrays[3].min, h->arrays[3].max + 1, "array 3");
    EXPECT_REFUSED(s, &h->arrays[3].max, 1u << 24, "array 3");
    EXPECT_REFUSED(s, &h->arrays[2].max, h->n_flows, "array 2");
    EXPECT_REFUSED(s, &h->arrays[12].max, h->n_rows + 1, "array 12");
    EXPECT_REFUSED(s, &h->arrays[13].max, h->n_rows, "array 13");
    EXPECT_REFUSED(s, &h->arrays[3].blocks, 385, "array 3");
    EXPECT_REFUSED(s, &h->arrays[3].blocks, h->size - 24, "array 3");
    EXPECT_REFUSED(s, &h->arrays[3].blocks, UINT32_MAX - 7, "array 3");
}

static void
expect_block_checks(const struct mlog_sealed *s)
{
    const struct mlog_sealed_block *time = s->blocks[MLOG_COLUMN_TIME];
    const struct mlog_sealed_block *seq = s->blocks[MLOG_COLUMN_TCP_SEQ];

    EXPECT_REFUSED(s, &seq[1].min, seq[1].max + 1, "block 1 of array 5");
    EXPECT_REFUSED(s, &seq[0].max, UINT64_MAX, "block 0 of array 5");
    EXPECT_REFUSED(s, &seq[0].payload, 1, "block 0 of array 5");
    EXPECT_REFUSED(s, &seq[0].payload, s->size, "block 0 of array 5");
    EXPECT_REFUSED(s, &seq[0].payload, UINT32_MAX - 63, "block 0");
    EXPECT_REFUSED(s, &seq[0].width, 33, "block 0 of array 5");
    EXPECT_REFUSED(s, &seq[0].extra, 1, "block 0 of array 5");
    EXPECT_REFUSED(s, &seq[0].encoding, SEALED_RUNS + 1, "block 0");
    EXPECT_REFUSED(s, &seq[0].encoding, SEALED_DICTIONARY, "block 0");
    EXPECT_REFUSED(s, &seq[0].encoding, SEALED_RUNS, "block 0");
    EXPECT_REFUSED(s, &time[0].encoding, SEALED_RAMP, "block 0 of array 0");
    EXPECT_REFUSED(s, &time[0].encoding, SEALED_DICTIONARY, "block 0");
    EXPECT_REFUSED(s, &time[0].width, 49, "block 0 of array 0");
    cr_assert_eq(time[0].encoding, SEALED_RUNS);
    EXPECT_REFUSED(s, &time[0].extra, 1025, "block 0 of array 0");
    EXPECT_REFUSED(s, &time[0].extra, 0, "block 0 of array 0");
}

Test(sealed, whatever_determines_what_is_read_is_checked)
{
    struct mlog_sealed s;
    char *error;

    seal(&s, 5000, fill_tcp(5000));
    expect_header_checks(&s);
    expect_block_checks(&s);

    uint8_t *odd = xmalloc(s.size + 4);
    memcpy(odd + 4, s.image, s.size);
    cr_expect_not(mlog_sealed_open(&s, odd + 4, s.size, false, &error));
    free(error);
    free(odd);
    cr_expect_not(mlog_sealed_open(&s, "", 0, false, &error));
    cr_expect_str_eq(error, "0 bytes are less than a header");
    free(error);
}

/* Reads all of it; what users take for indexes has to be usable as such. */
static void
read_all(const struct mlog_sealed *s)
{
    struct mlog_row *out = xmalloc(s->n_rows * sizeof *out);
    uint32_t *numbers = xmalloc(s->n_rows * sizeof *numbers);

    mlog_sealed_rows(s, 0, s->n_rows, out);
    for (uint32_t i = 0; i < s->n_rows; i++) {
        cr_assert_lt(out[i].flow, s->n_flows);
    }
    for (uint32_t f = 0; f < s->n_flows; f++) {
        uint32_t n = mlog_sealed_n_postings(s, f);

        cr_assert_leq(n, s->n_rows);
        cr_assert_eq(mlog_sealed_postings(s, f, 0, n, numbers), n);
        for (uint32_t i = 0; i < n; i++) {
            cr_assert_lt(numbers[i], s->n_rows);
        }
        mlog_sealed_select(s, numbers, n, out);
        cr_assert_leq(mlog_sealed_postings_before(s, f, 1000), n);
    }
    cr_assert_leq(mlog_sealed_lower_bound(s, BASE + random_uint32()),
                  s->n_rows);
    free(out);
    free(numbers);
}

/* Whatever is in the payloads of 's', each value is at most the maximum of its
 * block, which mlog_sealed_open() has checked. */
static void
check_maxima(const struct mlog_sealed *s, const char *name)
{
    struct mlog_row *out = xmalloc(s->n_rows * sizeof *out);
    uint32_t *values = xmalloc(s->n_rows * sizeof *values);
    uint64_t *times = xmalloc(s->n_rows * sizeof *times);
    struct mlog_row one;

    mlog_sealed_times(s, 0, s->n_rows, times);
    mlog_sealed_rows(s, 0, s->n_rows, out);
    for (int c = 0; c < MLOG_N_COLUMNS; c++) {
        if (c != MLOG_COLUMN_TIME) {
            mlog_sealed_column(s, c, 0, s->n_rows, values);
        }
        for (uint32_t i = 0; i < s->n_rows; i++) {
            uint64_t min, max;

            mlog_sealed_zone(s, c, i / MLOG_SEALED_BLOCK_ROWS, &min, &max);
            cr_assert_leq(c == MLOG_COLUMN_TIME ? times[i] : values[i], max,
                          "%s, %s", name, mlog_column_defs[c].name);
            cr_assert_leq(mlog_row_column(&out[i], c), max);
            if (i % 50 == 0) {
                mlog_sealed_select(s, &i, 1, &one);
                cr_assert_leq(mlog_row_column(&one, c), max);
            }
        }
    }
    free(out);
    free(values);
    free(times);
}

Test(sealed, garbage_does_not_exceed_the_maxima)
{
    for (int round = 0; round < 4 * ARRAY_SIZE(patterns); round++) {
        const struct pattern *p = &patterns[round / 4];
        struct mlog_sealed s;

        seal(&s, 1100, p->fill(1100));
        for (int a = 0; a < MLOG_SEALED_N_ARRAYS; a++) {
            for (uint32_t i = 0; i < sealed_n_blocks(s.arrays[a].n); i++) {
                const struct mlog_sealed_block *block = &s.blocks[a][i];
                uint8_t *payload = CONST_CAST(uint8_t *,
                                              s.image + block->payload);
                size_t n = sealed_payload_size(
                    block, sealed_block_n(s.arrays[a].n, i));

                if (n && round % 4 == 0) {
                    memset(payload, 0xff, n);
                } else if (n) {
                    random_bytes(payload, n);
                }
            }
        }
        check_maxima(&s, p->name);
        read_all(&s);
        unseal(&s);
    }
}

/* The address sanitizer, where it is on, sees what is read. */
Test(sealed, a_hostile_image_is_read_within_bounds)
{
    unsigned int n_opened = 0;

    for (int round = 0; round < 1500; round++) {
        const struct pattern *p = &patterns[round % ARRAY_SIZE(patterns)];
        struct mlog_sealed s, hostile;
        char *error;

        seal(&s, 1100, p->fill(1100));
        uint8_t *image = CONST_CAST(uint8_t *, s.image);
        for (int i = random_range(20); i >= 0; i--) {
            image[random_range(s.size)] = random_uint32();
        }
        if (mlog_sealed_open(&hostile, image, s.size, false, &error)) {
            read_all(&hostile);
            n_opened++;
        }
        free(error);
        unseal(&s);
    }
    cr_assert_gt(n_opened, 100);
}

/* Misuse.
 * ======= */

Test(sealed, reading_rows_that_there_are_not_aborts, .signal = SIGABRT)
{
    struct mlog_sealed s;

    seal(&s, 1000, fill_tcp(1000));
    mlog_sealed_rows(&s, 990, 11, rows);
}

Test(sealed, selecting_rows_that_there_are_not_aborts, .signal = SIGABRT)
{
    static const uint32_t numbers[] = { 996, 997, 998, 999, 1000 };
    struct mlog_sealed s;

    seal(&s, 1000, fill_tcp(1000));
    mlog_sealed_select(&s, numbers, ARRAY_SIZE(numbers), rows);
}

Test(sealed, reading_postings_of_no_flow_aborts, .signal = SIGABRT)
{
    struct mlog_sealed s;

    seal(&s, 1000, fill_equal(1000));
    mlog_sealed_n_postings(&s, 1);
}
