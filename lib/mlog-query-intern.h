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

#ifndef MLOG_QUERY_INTERN_H
#define MLOG_QUERY_INTERN_H 1

/* Interning of keys
 * =================
 *
 * Gives keys of a fixed number of 64-bit words small numbers, 0, 1, 2..., in
 * the order in which they come.  Keys are hashed with a seed of the table's
 * own, so that traffic can't be made to collide.
 *
 * Thread-safety: none. */

#include <stddef.h>
#include <stdint.h>

struct mlog_intern {
    size_t n_words;
    uint64_t *keys;             /* 'n' times 'n_words'. */
    size_t n, allocated;
    uint32_t *slots;            /* Number + 1; 0 = empty. */
    size_t mask;                /* Number of slots less one. */
    uint32_t seed;
};

void mlog_intern_init(struct mlog_intern *, size_t n_words);
void mlog_intern_destroy(struct mlog_intern *);

/* Returns the number of 'key', which may be a new one. */
uint32_t mlog_intern_get(struct mlog_intern *, const uint64_t *key);

/* Returns the key of number 'id'; valid until another one is added. */
static inline const uint64_t *
mlog_intern_key(const struct mlog_intern *intern, uint32_t id)
{
    return intern->keys + id * intern->n_words;
}

#endif /* mlog-query-intern.h */
