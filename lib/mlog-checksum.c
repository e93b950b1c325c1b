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

#include "mlog-checksum.h"

#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "mlog-simd.h"
#include "util.h"

/* The instruction takes 3 cycles, but one can start in each cycle: that is
 * what the interleaved CRCs are for. */
enum { N_CRCS = 4 };

static inline uint64_t
load_word(const uint8_t *p)
{
    uint64_t word;

    memcpy(&word, p, sizeof word);
#ifdef WORDS_BIGENDIAN
    word = __builtin_bswap64(word);
#endif
    return word;
}

/* Half a byte at a time: for processors without the instruction. */
static uint64_t
crc_word_generic(uint64_t crc, uint64_t word)
{
    /* The CRC of each number of 4 bits; polynomial 0x82f63b78, reflected. */
    static const uint32_t table[16] = {
        0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1,
        0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
        0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
        0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
    };

    for (int i = 0; i < 16; i++) {
        crc = crc >> 4 ^ table[(crc ^ word) & 15];
        word >>= 4;
    }
    return crc;
}

static inline ALWAYS_INLINE uint32_t
checksum(const uint8_t *data, size_t size,
         uint64_t (*crc_word)(uint64_t crc, uint64_t word))
{
    uint64_t crc[N_CRCS] = { UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX };
    const size_t n = size / 8;
    size_t i;

    for (i = 0; i + N_CRCS <= n; i += N_CRCS) {
        for (size_t j = 0; j < N_CRCS; j++) {
            crc[j] = crc_word(crc[j], load_word(data + (i + j) * 8));
        }
    }
    for (size_t j = 0; i < n; i++, j++) {
        crc[j] = crc_word(crc[j], load_word(data + i * 8));
    }

    uint64_t sum = UINT32_MAX;
    for (size_t j = 0; j < N_CRCS; j++) {
        crc[j] ^= UINT32_MAX;
    }
    sum = crc_word(sum, crc[0] | crc[1] << 32);
    sum = crc_word(sum, crc[2] | crc[3] << 32);
    return sum ^ UINT32_MAX;
}

#if defined(__x86_64__)
#define SSE42 __attribute__((target("sse4.2")))

SSE42 static inline uint64_t
crc_word_sse42(uint64_t crc, uint64_t word)
{
    return _mm_crc32_u64(crc, word);
}

SSE42 static uint32_t
checksum_sse42(const uint8_t *data, size_t size)
{
    return checksum(data, size, crc_word_sse42);
}
#endif

uint32_t
mlog_checksum(const void *data, size_t size)
{
    ovs_assert(size % 8 == 0);
#if defined(__x86_64__)
    if (mlog_simd() >= MLOG_SIMD_AVX2) {
        return checksum_sse42(data, size);
    }
#endif
    return checksum(data, size, crc_word_generic);
}
