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

#include "mlog-bitpack.h"

#include <string.h>

#include "mlog-simd.h"

/* One algorithm, twice
 * ====================
 *
 * Everything below is loops over the 32 lanes of a group, without branches and
 * with a constant number of rounds, which the compiler turns into vector
 * instructions: the same source compiled once for each level of mlog_simd(),
 * see DEFINE_LEVEL().
 * AVX-512 was measured to be no faster than AVX2.
 *
 * Shifts are by the same number of bits in all lanes, since number i / 32 of
 * each lane begins at bit i / 32 * width of it.  That is what the lanes are
 * for: with packed numbers one after the other, each would have a shift of its
 * own. */

#define LANES MLOG_LANES
#define FOR_EACH_LANE(L) for (uint32_t L = 0; L < LANES; L++)

static uint32_t
width_mask(uint32_t width)
{
    return width ? UINT32_MAX >> (32 - width) : 0;
}

static inline ALWAYS_INLINE void
unpack_groups(const struct mlog_packed *p, uint32_t group, uint32_t n_groups,
              uint32_t *restrict out)
{
    const uint32_t width = p->width;
    const uint32_t mask = width_mask(width);
    const uint32_t max = p->max;
    uint32_t bit = group * width;
    uint32_t base[LANES];

    FOR_EACH_LANE (l) {
        base[l] = p->base + p->slope * (group * LANES + l);
    }
    for (; n_groups--; bit += width, out += LANES) {
        const uint32_t *restrict word = p->words + bit / 32 * LANES;
        const uint32_t shift = bit % 32;

        if (!width) {
            FOR_EACH_LANE (l) {
                out[l] = MIN(base[l], max);
            }
        } else if (shift + width <= 32) {
            FOR_EACH_LANE (l) {
                uint32_t value = base[l] + (word[l] >> shift & mask);
                out[l] = MIN(value, max);
            }
        } else {
            const uint32_t up = 32 - shift;

            FOR_EACH_LANE (l) {
                uint32_t bits = word[l] >> shift | word[LANES + l] << up;
                uint32_t value = base[l] + (bits & mask);
                out[l] = MIN(value, max);
            }
        }
        FOR_EACH_LANE (l) {
            base[l] += p->slope * LANES;
        }
    }
}

/* Eight lanes at a time, so that the word that is being filled stays in
 * registers. */
static inline ALWAYS_INLINE void
pack_groups(const uint32_t *restrict values, uint32_t n_groups,
            uint32_t width, uint32_t base, uint32_t slope,
            uint32_t *restrict words)
{
    typedef uint32_t eight __attribute__((vector_size(32), aligned(4)));
    const uint32_t mask = width_mask(width);

    for (uint32_t lane = 0; lane < LANES; lane += 8) {
        const uint32_t first = base + slope * lane;
        const eight numbers = { 0, 1, 2, 3, 4, 5, 6, 7 };
        const uint32_t *in = values + lane;
        uint32_t *out = words + lane;
        eight from = numbers * slope + first;
        eight word = from - from;
        uint32_t shift = 0;

        for (uint32_t g = 0; g < n_groups; g++, in += LANES) {
            eight bits = (*(const eight *) in - from) & mask;

            word |= bits << shift;
            shift += width;
            if (shift >= 32) {
                *(eight *) out = word;
                out += LANES;
                shift -= 32;
                word = shift ? bits >> (width - shift) : from - from;
            }
            from += slope * LANES;
        }
        if (shift) {
            *(eight *) out = word;
        }
    }
}

/* Adds 'n' values to '*m', 'n' being a constant. */
static inline ALWAYS_INLINE void
measure(const uint32_t *values, const uint32_t n, struct mlog_pack_measure *m)
{
    uint32_t min = values[0], max = values[0], n_changes = 0;

    for (uint32_t i = 0; i < n; i++) {
        min = MIN(min, values[i]);
        max = MAX(max, values[i]);
        n_changes += values[i] != values[i + 1];
    }
    m->min = MIN(m->min, min);
    m->max = MAX(m->max, max);
    m->n_changes += n_changes;
}

static inline ALWAYS_INLINE void
measure_groups(const uint32_t *values, uint32_t n_groups,
               struct mlog_pack_measure *m)
{
    /* Many groups at a time, to keep the results of all lanes in registers and
     * to combine them rarely. */
    enum { MANY = 8 };

    *m = (struct mlog_pack_measure) { values[0], values[0], 0 };
    for (; n_groups >= MANY; n_groups -= MANY, values += MANY * LANES) {
        measure(values, MANY * LANES, m);
    }
    for (; n_groups--; values += LANES) {
        measure(values, LANES, m);
    }
}

static inline ALWAYS_INLINE void
measure_ramp_groups(const uint32_t *values, uint32_t n_groups, int32_t *min_,
                    int32_t *max_)
{
    int32_t min[LANES], max[LANES], from[LANES];

    FOR_EACH_LANE (l) {
        min[l] = max[l] = values[l] - l;
        from[l] = l;
    }
    for (; n_groups--; values += LANES) {
        FOR_EACH_LANE (l) {
            int32_t value = values[l] - from[l];

            min[l] = MIN(min[l], value);
            max[l] = MAX(max[l], value);
            from[l] += LANES;
        }
    }

    *min_ = min[0];
    *max_ = max[0];
    FOR_EACH_LANE (l) {
        *min_ = MIN(*min_, min[l]);
        *max_ = MAX(*max_, max[l]);
    }
}

/* Sets the code of each value that is 'value' to 'code'.  Returns the first
 * group in which a code is still UINT32_MAX, or n_groups. */
static inline ALWAYS_INLINE uint32_t
encode_groups(const uint32_t *restrict values, uint32_t n_groups,
              uint32_t value, uint32_t code, uint32_t *restrict codes)
{
    uint32_t first = n_groups;

    for (uint32_t g = n_groups; g-- > 0; ) {
        const uint32_t *v = values + g * LANES;
        uint32_t *c = codes + g * LANES;
        uint32_t all = 0;

        FOR_EACH_LANE (l) {
            c[l] = v[l] == value ? code : c[l];
            all |= c[l];
        }
        first = all == UINT32_MAX ? g : first;
    }
    return first;
}

static inline ALWAYS_INLINE void
find_changes(const uint32_t *values, uint32_t n_groups, uint32_t *changes)
{
    for (; n_groups--; values += LANES) {
        uint32_t bits = 0;

        FOR_EACH_LANE (l) {
            bits |= (uint32_t) (values[l] != values[l + 1]) << l;
        }
        *changes++ |= bits;
    }
}

static inline ALWAYS_INLINE uint64_t
split_groups(const uint64_t *restrict values, uint32_t n_groups,
             uint32_t *restrict low, uint32_t *restrict high)
{
    const uint64_t base = values[0];
    uint64_t differences = 0;

    for (; n_groups--; values += LANES, low += LANES, high += LANES) {
        FOR_EACH_LANE (l) {
            uint64_t value = values[l] - base;

            low[l] = value;
            high[l] = value >> 32;
            differences |= values[l + 1] - values[l];
        }
    }
    return differences;
}

/* The functions of one level of mlog_simd(). */
struct level {
    void (*unpack)(const struct mlog_packed *, uint32_t group,
                   uint32_t n_groups, uint32_t *out);
    void (*pack)(const uint32_t *values, uint32_t n_groups, uint32_t width,
                 uint32_t base, uint32_t slope, uint32_t *words);
    void (*measure)(const uint32_t *values, uint32_t n_groups,
                    struct mlog_pack_measure *);
    void (*measure_ramp)(const uint32_t *values, uint32_t n_groups,
                         int32_t *min, int32_t *max);
    void (*changes)(const uint32_t *values, uint32_t n_groups,
                    uint32_t *changes);
    uint32_t (*encode)(const uint32_t *values, uint32_t n_groups,
                       uint32_t value, uint32_t code, uint32_t *codes);
    uint64_t (*split)(const uint64_t *values, uint32_t n_groups,
                      uint32_t *low, uint32_t *high);
};

#define DEFINE_LEVEL(NAME, ATTRIBUTE)                                       \
    ATTRIBUTE static void                                                   \
    unpack_##NAME(const struct mlog_packed *p, uint32_t group,              \
                  uint32_t n_groups, uint32_t *out)                         \
    {                                                                       \
        unpack_groups(p, group, n_groups, out);                             \
    }                                                                       \
    ATTRIBUTE static void                                                   \
    pack_##NAME(const uint32_t *values, uint32_t n_groups, uint32_t width,  \
                uint32_t base, uint32_t slope, uint32_t *words)             \
    {                                                                       \
        pack_groups(values, n_groups, width, base, slope, words);           \
    }                                                                       \
    ATTRIBUTE static void                                                   \
    measure_##NAME(const uint32_t *values, uint32_t n_groups,               \
                   struct mlog_pack_measure *m)                             \
    {                                                                       \
        measure_groups(values, n_groups, m);                                \
    }                                                                       \
    ATTRIBUTE static void                                                   \
    measure_ramp_##NAME(const uint32_t *values, uint32_t n_groups,          \
                        int32_t *min, int32_t *max)                         \
    {                                                                       \
        measure_ramp_groups(values, n_groups, min, max);                    \
    }                                                                       \
    ATTRIBUTE static void                                                   \
    changes_##NAME(const uint32_t *values, uint32_t n_groups,               \
                   uint32_t *changes)                                       \
    {                                                                       \
        find_changes(values, n_groups, changes);                            \
    }                                                                       \
    ATTRIBUTE static uint32_t                                               \
    encode_##NAME(const uint32_t *values, uint32_t n_groups,                \
                  uint32_t value, uint32_t code, uint32_t *codes)           \
    {                                                                       \
        return encode_groups(values, n_groups, value, code, codes);         \
    }                                                                       \
    ATTRIBUTE static uint64_t                                               \
    split_##NAME(const uint64_t *values, uint32_t n_groups,                 \
                 uint32_t *low, uint32_t *high)                             \
    {                                                                       \
        return split_groups(values, n_groups, low, high);                   \
    }                                                                       \
    static const struct level level_##NAME = {                              \
        unpack_##NAME, pack_##NAME, measure_##NAME, measure_ramp_##NAME,    \
        changes_##NAME, encode_##NAME, split_##NAME                         \
    }

DEFINE_LEVEL(generic, );
#if defined(__x86_64__)
DEFINE_LEVEL(avx2, __attribute__((target("avx2,bmi2"))));
#endif

static const struct level *
level(void)
{
#if defined(__x86_64__)
    if (mlog_simd() >= MLOG_SIMD_AVX2) {
        return &level_avx2;
    }
#endif
    return &level_generic;
}

void
mlog_unpack(const struct mlog_packed *p, uint32_t start, uint32_t n,
            uint32_t *values)
{
    const struct level *l = level();

    /* Whole groups go straight to where they belong, the two at the ends by
     * way of a buffer. */
    while (n) {
        uint32_t lane = start % LANES;
        uint32_t done;

        if (lane || n < LANES) {
            uint32_t buffer[LANES];

            l->unpack(p, start / LANES, 1, buffer);
            done = MIN(n, LANES - lane);
            memcpy(values, buffer + lane, done * sizeof *values);
        } else {
            done = n / LANES * LANES;
            l->unpack(p, start / LANES, n / LANES, values);
        }
        values += done;
        start += done;
        n -= done;
    }
}

void
mlog_pack_pad(uint32_t *values, uint32_t n)
{
    for (uint32_t i = n; i < MLOG_PACK_ROOM(n); i++) {
        values[i] = values[n - 1];
    }
}

void
mlog_pack_measure(const uint32_t *values, uint32_t n,
                  struct mlog_pack_measure *m)
{
    const uint32_t end = ROUND_UP(n, LANES);

    level()->measure(values, end / LANES, m);

    /* The padding makes no change, but what follows a block may. */
    m->n_changes -= values[end - 1] != values[end];
}

void
mlog_pack_measure_ramp(const uint32_t *values, uint32_t n, int32_t *min,
                       int32_t *max)
{
    level()->measure_ramp(values, DIV_ROUND_UP(n, LANES), min, max);
}

void
mlog_pack_changes(const uint32_t *values, uint32_t n, uint32_t *changes)
{
    level()->changes(values, DIV_ROUND_UP(n, LANES), changes);
}

bool
mlog_pack_split(uint64_t *values, uint32_t n, uint32_t *low, uint32_t *high)
{
    const uint32_t end = ROUND_UP(n, LANES);

    for (uint32_t i = n; i <= end; i++) {
        values[i] = values[n - 1];
    }
    uint64_t differences = level()->split(values, end / LANES, low, high);
    low[end] = low[n - 1];
    high[end] = high[n - 1];

    /* Values are less than 2^63, so a negative difference is one that has the
     * highest bit. */
    return !(differences >> 63);
}

void
mlog_pack(const uint32_t *values, uint32_t n, uint32_t width, uint32_t base,
          uint32_t slope, uint32_t *words)
{
    if (width) {
        level()->pack(values, DIV_ROUND_UP(n, LANES), width, base, slope,
                      words);
    }
}

uint32_t
mlog_pack_dictionary(const uint32_t *values, uint32_t n,
                     uint32_t dictionary[MLOG_DICTIONARY_MAX],
                     uint32_t *codes)
{
    enum { SAMPLE = 1 };        /* Groups. */
    const struct level *l = level();
    uint32_t n_groups = DIV_ROUND_UP(n, LANES);
    uint32_t n_values = 0;

    /* If there are too many, the first group is usually enough to show it. */
    for (uint32_t groups = MIN(SAMPLE, n_groups); ; groups = n_groups) {
        uint32_t g = 0;

        memset(codes, 0xff, groups * LANES * sizeof *codes);
        for (uint32_t i = 0; i < n_values; i++) {
            g = l->encode(values, groups, dictionary[i], i, codes);
        }
        while (g < groups) {
            uint32_t i = g * LANES;

            if (n_values == MLOG_DICTIONARY_MAX) {
                return 0;
            }
            while (codes[i] != UINT32_MAX) {
                i++;
            }
            dictionary[n_values] = values[i];
            g = l->encode(values, groups, values[i], n_values, codes);
            n_values++;
        }
        if (groups == n_groups) {
            return n_values;
        }
    }
}
