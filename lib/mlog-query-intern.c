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

#include "mlog-query-intern.h"

#include <string.h>

#include "jhash.h"
#include "random.h"
#include "util.h"

/* Open addressing, at most half full; a slot has the number of a key, which is
 * its place among the keys. */

void
mlog_intern_init(struct mlog_intern *intern, size_t n_words)
{
    *intern = (struct mlog_intern) {
        .n_words = n_words,
        .slots = xcalloc(64, sizeof *intern->slots),
        .mask = 63,
        .seed = random_uint32(),
    };
}

void
mlog_intern_destroy(struct mlog_intern *intern)
{
    free(intern->keys);
    free(intern->slots);
}

static uint32_t
intern_hash(const struct mlog_intern *intern, const uint64_t *key)
{
    return jhash_words((const uint32_t *) key, intern->n_words * 2,
                       intern->seed);
}

static void
intern_grow(struct mlog_intern *intern)
{
    free(intern->slots);
    intern->mask = intern->mask * 2 + 1;
    intern->slots = xcalloc(intern->mask + 1, sizeof *intern->slots);
    for (size_t id = 0; id < intern->n; id++) {
        size_t i = intern_hash(intern, mlog_intern_key(intern, id));

        for (i &= intern->mask; intern->slots[i];) {
            i = (i + 1) & intern->mask;
        }
        intern->slots[i] = id + 1;
    }
}

uint32_t
mlog_intern_get(struct mlog_intern *intern, const uint64_t *key)
{
    size_t size = intern->n_words * sizeof *key;
    size_t i = intern_hash(intern, key) & intern->mask;

    for (; intern->slots[i]; i = (i + 1) & intern->mask) {
        uint32_t id = intern->slots[i] - 1;

        if (!memcmp(mlog_intern_key(intern, id), key, size)) {
            return id;
        }
    }

    if (intern->n >= intern->allocated) {
        intern->keys = x2nrealloc(intern->keys, &intern->allocated, size);
    }
    memcpy(intern->keys + intern->n * intern->n_words, key, size);
    intern->slots[i] = intern->n + 1;
    if (++intern->n > intern->mask / 2) {
        intern_grow(intern);
    }
    return intern->n - 1;
}
