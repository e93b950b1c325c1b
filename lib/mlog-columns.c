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

#include "mlog-columns.h"

#include <stddef.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "mlog-simd.h"
#include "util.h"

#define COLUMN(NAME, MEMBER, SHIFT, N_BITS)                             \
    { NAME, offsetof(struct mlog_row, MEMBER),                          \
      MEMBER_SIZEOF(struct mlog_row, MEMBER), SHIFT, N_BITS }

const struct mlog_column_def mlog_column_defs[MLOG_N_COLUMNS] = {
    [MLOG_COLUMN_TIME] = COLUMN("time", time_port, 16, 48),
    [MLOG_COLUMN_OUT_PORT] = COLUMN("out_port", time_port, 0, 16),
    [MLOG_COLUMN_FLOW] = COLUMN("flow", flow, 0, 32),
    [MLOG_COLUMN_PKT_LEN] = COLUMN("pkt_len", len_ttl, 8, 24),
    [MLOG_COLUMN_TTL] = COLUMN("nw_ttl", len_ttl, 0, 8),
    [MLOG_COLUMN_TCP_SEQ] = COLUMN("tcp_seq", tcp_seq, 0, 32),
    [MLOG_COLUMN_TCP_ACK] = COLUMN("tcp_ack", tcp_ack, 0, 32),
    [MLOG_COLUMN_TCP_WINDOW] = COLUMN("tcp_window", tcp_window, 0, 16),
    [MLOG_COLUMN_IP_ID] = COLUMN("ip_id", ip_id, 0, 16),
    [MLOG_COLUMN_TCP_FLAGS] = COLUMN("tcp_flags", tcp_flags, 0, 16),
    [MLOG_COLUMN_NW_TOS] = COLUMN("nw_tos", nw_tos, 0, 8),
    [MLOG_COLUMN_REASON] = COLUMN("drop_reason", reason, 0, 8),
};

uint64_t
mlog_row_column(const struct mlog_row *row, enum mlog_row_column column)
{
    const struct mlog_column_def *def = &mlog_column_defs[column];
    const uint8_t *p = (const uint8_t *) row + def->offset;
    uint64_t value = (def->size == 1 ? *p
                      : def->size == 2 ? *(const uint16_t *) p
                      : def->size == 4 ? *(const uint32_t *) p
                      : *(const uint64_t *) p);

    return value >> def->shift & UINT64_MAX >> (64 - def->n_bits);
}

static void
from_rows_generic(const struct mlog_columns *columns,
                  const struct mlog_row *rows, uint32_t start, uint32_t end)
{
    uint32_t *const *numbers = columns->numbers;

    for (uint32_t i = start; i < end; i++) {
        const struct mlog_row *row = &rows[i];

        columns->time[i] = mlog_row_time(row);
        numbers[MLOG_COLUMN_OUT_PORT][i] = mlog_row_out_port(row);
        numbers[MLOG_COLUMN_FLOW][i] = row->flow;
        numbers[MLOG_COLUMN_PKT_LEN][i] = mlog_row_pkt_len(row);
        numbers[MLOG_COLUMN_TTL][i] = mlog_row_ttl(row);
        numbers[MLOG_COLUMN_TCP_SEQ][i] = row->tcp_seq;
        numbers[MLOG_COLUMN_TCP_ACK][i] = row->tcp_ack;
        numbers[MLOG_COLUMN_TCP_WINDOW][i] = row->tcp_window;
        numbers[MLOG_COLUMN_IP_ID][i] = row->ip_id;
        numbers[MLOG_COLUMN_TCP_FLAGS][i] = row->tcp_flags;
        numbers[MLOG_COLUMN_NW_TOS][i] = row->nw_tos;
        numbers[MLOG_COLUMN_REASON][i] = row->reason;
    }
}

static void
to_rows_generic(const struct mlog_columns *columns, struct mlog_row *rows,
                uint32_t start, uint32_t end)
{
    uint32_t *const *numbers = columns->numbers;

    for (uint32_t i = start; i < end; i++) {
        rows[i] = (struct mlog_row) {
            .time_port = mlog_row_pack_time_port(
                columns->time[i], numbers[MLOG_COLUMN_OUT_PORT][i]),
            .flow = numbers[MLOG_COLUMN_FLOW][i],
            .tcp_seq = numbers[MLOG_COLUMN_TCP_SEQ][i],
            .tcp_ack = numbers[MLOG_COLUMN_TCP_ACK][i],
            .len_ttl = (numbers[MLOG_COLUMN_PKT_LEN][i] << 8
                        | numbers[MLOG_COLUMN_TTL][i]),
            .tcp_window = numbers[MLOG_COLUMN_TCP_WINDOW][i],
            .ip_id = numbers[MLOG_COLUMN_IP_ID][i],
            .tcp_flags = numbers[MLOG_COLUMN_TCP_FLAGS][i],
            .nw_tos = numbers[MLOG_COLUMN_NW_TOS][i],
            .reason = numbers[MLOG_COLUMN_REASON][i],
        };
    }
}

#if defined(__x86_64__)
/* Eight rows are an 8 x 8 matrix of 32-bit words, each a row of struct
 * mlog_row or, transposed, a column:
 *
 *   0  out_port | low 16 bits of time << 16     4  tcp_ack
 *   1  high 32 bits of time                     5  nw_ttl | pkt_len << 8
 *   2  flow                                     6  tcp_window | ip_id << 16
 *   3  tcp_seq                                  7  tcp_flags | nw_tos << 16
 *                                                  | reason << 24 */
#define AVX2 __attribute__((target("avx2")))
/* How far ahead of what is read to prefetch, in bytes: the processor's own
 * prefetching ends with each page. */
#define AHEAD 8192

#define U32(CONSTANT) _mm256_set1_epi32(CONSTANT)

AVX2 static inline void
transpose(__m256i m[8])
{
    /* Pairs of words of rows 0 and 1, 2 and 3, ... */
    __m256i a0 = _mm256_unpacklo_epi32(m[0], m[1]);
    __m256i a1 = _mm256_unpackhi_epi32(m[0], m[1]);
    __m256i a2 = _mm256_unpacklo_epi32(m[2], m[3]);
    __m256i a3 = _mm256_unpackhi_epi32(m[2], m[3]);
    __m256i a4 = _mm256_unpacklo_epi32(m[4], m[5]);
    __m256i a5 = _mm256_unpackhi_epi32(m[4], m[5]);
    __m256i a6 = _mm256_unpacklo_epi32(m[6], m[7]);
    __m256i a7 = _mm256_unpackhi_epi32(m[6], m[7]);

    /* Words 0 and 4, 1 and 5, ... of rows 0 to 3, then of rows 4 to 7. */
    __m256i b0 = _mm256_unpacklo_epi64(a0, a2);
    __m256i b1 = _mm256_unpackhi_epi64(a0, a2);
    __m256i b2 = _mm256_unpacklo_epi64(a1, a3);
    __m256i b3 = _mm256_unpackhi_epi64(a1, a3);
    __m256i b4 = _mm256_unpacklo_epi64(a4, a6);
    __m256i b5 = _mm256_unpackhi_epi64(a4, a6);
    __m256i b6 = _mm256_unpacklo_epi64(a5, a7);
    __m256i b7 = _mm256_unpackhi_epi64(a5, a7);

    m[0] = _mm256_permute2x128_si256(b0, b4, 0x20);
    m[1] = _mm256_permute2x128_si256(b1, b5, 0x20);
    m[2] = _mm256_permute2x128_si256(b2, b6, 0x20);
    m[3] = _mm256_permute2x128_si256(b3, b7, 0x20);
    m[4] = _mm256_permute2x128_si256(b0, b4, 0x31);
    m[5] = _mm256_permute2x128_si256(b1, b5, 0x31);
    m[6] = _mm256_permute2x128_si256(b2, b6, 0x31);
    m[7] = _mm256_permute2x128_si256(b3, b7, 0x31);
}

AVX2 static inline void
put(const struct mlog_columns *columns, enum mlog_row_column column,
    uint32_t i, __m256i numbers)
{
    _mm256_storeu_si256((__m256i *) &columns->numbers[column][i], numbers);
}

AVX2 static inline __m256i
take(const struct mlog_columns *columns, enum mlog_row_column column,
     uint32_t i)
{
    return _mm256_loadu_si256(
        (const __m256i *) &columns->numbers[column][i]);
}

AVX2 static inline void
put_times(uint64_t *time, __m256i low, __m256i high)
{
    __m256i t0145 = _mm256_unpacklo_epi32(low, high);
    __m256i t2367 = _mm256_unpackhi_epi32(low, high);

    _mm256_storeu_si256((__m256i *) &time[0],
                        _mm256_permute2x128_si256(t0145, t2367, 0x20));
    _mm256_storeu_si256((__m256i *) &time[4],
                        _mm256_permute2x128_si256(t0145, t2367, 0x31));
}

AVX2 static inline void
take_times(const uint64_t *time, __m256i *low, __m256i *high)
{
    __m256i t0123 = _mm256_loadu_si256((const __m256i *) &time[0]);
    __m256i t4567 = _mm256_loadu_si256((const __m256i *) &time[4]);
    __m256 a = _mm256_castsi256_ps(
        _mm256_permute2x128_si256(t0123, t4567, 0x20));
    __m256 b = _mm256_castsi256_ps(
        _mm256_permute2x128_si256(t0123, t4567, 0x31));

    *low = _mm256_castps_si256(_mm256_shuffle_ps(a, b, 0x88));
    *high = _mm256_castps_si256(_mm256_shuffle_ps(a, b, 0xdd));
}

AVX2 static uint32_t
from_rows_avx2(const struct mlog_columns *columns,
               const struct mlog_row *rows, uint32_t n)
{
    const __m256i low8 = U32(0xff), low16 = U32(0xffff);
    uint32_t i;

    for (i = 0; i + 8 <= n; i += 8) {
        const __m256i *in = (const __m256i *) &rows[i];
        __m256i m[8] = {
            _mm256_loadu_si256(in), _mm256_loadu_si256(in + 1),
            _mm256_loadu_si256(in + 2), _mm256_loadu_si256(in + 3),
            _mm256_loadu_si256(in + 4), _mm256_loadu_si256(in + 5),
            _mm256_loadu_si256(in + 6), _mm256_loadu_si256(in + 7),
        };

        for (uint32_t j = 0; j < 8 * sizeof *rows; j += 64) {
            __builtin_prefetch((const char *) in + AHEAD + j, 0, 2);
        }
        transpose(m);
        put_times(&columns->time[i],
                  _mm256_or_si256(_mm256_srli_epi32(m[0], 16),
                                  _mm256_slli_epi32(m[1], 16)),
                  _mm256_srli_epi32(m[1], 16));
        put(columns, MLOG_COLUMN_OUT_PORT, i, _mm256_and_si256(m[0], low16));
        put(columns, MLOG_COLUMN_FLOW, i, m[2]);
        put(columns, MLOG_COLUMN_TCP_SEQ, i, m[3]);
        put(columns, MLOG_COLUMN_TCP_ACK, i, m[4]);
        put(columns, MLOG_COLUMN_TTL, i, _mm256_and_si256(m[5], low8));
        put(columns, MLOG_COLUMN_PKT_LEN, i, _mm256_srli_epi32(m[5], 8));
        put(columns, MLOG_COLUMN_TCP_WINDOW, i,
            _mm256_and_si256(m[6], low16));
        put(columns, MLOG_COLUMN_IP_ID, i, _mm256_srli_epi32(m[6], 16));
        put(columns, MLOG_COLUMN_TCP_FLAGS, i, _mm256_and_si256(m[7], low16));
        put(columns, MLOG_COLUMN_NW_TOS, i,
            _mm256_and_si256(_mm256_srli_epi32(m[7], 16), low8));
        put(columns, MLOG_COLUMN_REASON, i, _mm256_srli_epi32(m[7], 24));
    }
    return i;
}

AVX2 static uint32_t
to_rows_avx2(const struct mlog_columns *columns, struct mlog_row *rows,
             uint32_t n)
{
    uint32_t i;

    for (i = 0; i + 8 <= n; i += 8) {
        __m256i low, high, m[8];

        take_times(&columns->time[i], &low, &high);
        m[0] = _mm256_or_si256(take(columns, MLOG_COLUMN_OUT_PORT, i),
                               _mm256_slli_epi32(low, 16));
        m[1] = _mm256_or_si256(_mm256_srli_epi32(low, 16),
                               _mm256_slli_epi32(high, 16));
        m[2] = take(columns, MLOG_COLUMN_FLOW, i);
        m[3] = take(columns, MLOG_COLUMN_TCP_SEQ, i);
        m[4] = take(columns, MLOG_COLUMN_TCP_ACK, i);
        m[5] = _mm256_or_si256(
            take(columns, MLOG_COLUMN_TTL, i),
            _mm256_slli_epi32(take(columns, MLOG_COLUMN_PKT_LEN, i), 8));
        m[6] = _mm256_or_si256(
            take(columns, MLOG_COLUMN_TCP_WINDOW, i),
            _mm256_slli_epi32(take(columns, MLOG_COLUMN_IP_ID, i), 16));
        m[7] = _mm256_or_si256(
            take(columns, MLOG_COLUMN_TCP_FLAGS, i),
            _mm256_or_si256(
                _mm256_slli_epi32(take(columns, MLOG_COLUMN_NW_TOS, i), 16),
                _mm256_slli_epi32(take(columns, MLOG_COLUMN_REASON, i), 24)));
        transpose(m);
        __m256i *out = (__m256i *) &rows[i];
        _mm256_storeu_si256(out, m[0]);
        _mm256_storeu_si256(out + 1, m[1]);
        _mm256_storeu_si256(out + 2, m[2]);
        _mm256_storeu_si256(out + 3, m[3]);
        _mm256_storeu_si256(out + 4, m[4]);
        _mm256_storeu_si256(out + 5, m[5]);
        _mm256_storeu_si256(out + 6, m[6]);
        _mm256_storeu_si256(out + 7, m[7]);
    }
    return i;
}
#endif /* __x86_64__ */

void
mlog_columns_from_rows(const struct mlog_columns *columns,
                       const struct mlog_row *rows, uint32_t n)
{
    uint32_t done = 0;

#if defined(__x86_64__)
    if (mlog_simd() >= MLOG_SIMD_AVX2) {
        done = from_rows_avx2(columns, rows, n);
    }
#endif
    from_rows_generic(columns, rows, done, n);
}

void
mlog_columns_to_rows(const struct mlog_columns *columns,
                     struct mlog_row *rows, uint32_t n)
{
    uint32_t done = 0;

#if defined(__x86_64__)
    if (mlog_simd() >= MLOG_SIMD_AVX2) {
        done = to_rows_avx2(columns, rows, n);
    }
#endif
    to_rows_generic(columns, rows, done, n);
}
