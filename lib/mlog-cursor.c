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

#include "mlog-cursor.h"

#include <string.h>

#include "hash.h"
#include "openvswitch/dynamic-string.h"
#include "util.h"

/* A word is, in the letters of base64url, little-endian numbers of 8 bytes:
 *
 *     0     version << 8 | kind
 *     1...  the members of struct mlog_cursor, in their order
 *     11    checksum of the others */

#define CURSOR_VERSION 1
#define N_NUMBERS 12
#define N_BYTES (N_NUMBERS * 8)
#define N_LETTERS (N_BYTES / 3 * 4)
BUILD_ASSERT_DECL(N_BYTES % 3 == 0);

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                              "abcdefghijklmnopqrstuvwxyz0123456789-_";

static uint64_t
hash64(const void *data, size_t n, uint64_t basis)
{
    return ((uint64_t) hash_bytes(data, n, basis) << 32
            | hash_bytes(data, n, (basis >> 32) ^ 0x9e3779b9));
}

void
mlog_cursor_digest(uint64_t *digest, const char *text)
{
    *digest = hash64(text, strlen(text) + 1, *digest);
}

static void
put_number(uint8_t *bytes, uint64_t number)
{
    for (size_t i = 0; i < 8; i++) {
        bytes[i] = number >> (8 * i);
    }
}

static uint64_t
get_number(const uint8_t *bytes)
{
    uint64_t number = 0;

    for (size_t i = 0; i < 8; i++) {
        number |= (uint64_t) bytes[i] << (8 * i);
    }
    return number;
}

static uint64_t
checksum(const uint8_t *bytes)
{
    return hash64(bytes, N_BYTES - 8, 0x6d6c6f67);
}

void
mlog_cursor_format(const struct mlog_cursor *c, struct ds *ds)
{
    const uint64_t numbers[N_NUMBERS - 1] = {
        CURSOR_VERSION << 8 | c->kind, c->digest, c->cut, c->time,
        c->place.life, c->place.seq, c->place.row, c->done, c->count,
        c->bytes, c->n_expired
    };
    uint8_t bytes[N_BYTES];

    for (size_t i = 0; i < N_NUMBERS - 1; i++) {
        put_number(&bytes[8 * i], numbers[i]);
    }
    put_number(&bytes[N_BYTES - 8], checksum(bytes));
    for (size_t i = 0; i < N_BYTES; i += 3) {
        uint32_t word = bytes[i] << 16 | bytes[i + 1] << 8 | bytes[i + 2];

        for (int shift = 18; shift >= 0; shift -= 6) {
            ds_put_char(ds, letters[word >> shift & 63]);
        }
    }
}

static bool
decode(const char *text, uint8_t bytes[N_BYTES])
{
    if (strnlen(text, N_LETTERS + 1) != N_LETTERS) {
        return false;
    }
    for (size_t i = 0; i < N_LETTERS; i += 4) {
        uint8_t *out = &bytes[i / 4 * 3];
        uint32_t word = 0;

        for (size_t j = 0; j < 4; j++) {
            const char *letter = strchr(letters, text[i + j]);

            if (!letter) {
                return false;
            }
            word = word << 6 | (letter - letters);
        }
        out[0] = word >> 16;
        out[1] = word >> 8;
        out[2] = word;
    }
    return true;
}

bool
mlog_cursor_parse(const char *text, struct mlog_cursor *c)
{
    uint8_t bytes[N_BYTES];
    uint64_t head;

    if (!decode(text, bytes)
        || get_number(&bytes[N_BYTES - 8]) != checksum(bytes)) {
        return false;
    }
    head = get_number(bytes);
    *c = (struct mlog_cursor) {
        .kind = head & 0xff,
        .digest = get_number(&bytes[8]),
        .cut = get_number(&bytes[16]),
        .time = get_number(&bytes[24]),
        .place = { get_number(&bytes[32]), get_number(&bytes[40]),
                   get_number(&bytes[48]) },
        .done = get_number(&bytes[56]),
        .count = get_number(&bytes[64]),
        .bytes = get_number(&bytes[72]),
        .n_expired = get_number(&bytes[80]),
    };
    return (head >> 8 == CURSOR_VERSION && c->kind >= MLOG_CURSOR_OLDEST
            && c->kind <= MLOG_CURSOR_SINCE_TIME);
}
