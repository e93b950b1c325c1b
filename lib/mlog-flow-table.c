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

#include "mlog-flow-table.h"

#include "entropy.h"
#include "mlog-store.h"
#include "util.h"

/* Representation
 * ==============
 *
 * Flows live in chunks that never move, so that readers need no lock:
 *
 *   chunks[index / CHUNK_FLOWS][index % CHUNK_FLOWS]
 *
 * A chunk is the file "flows-N" of the store.  Its pointer is stored (release
 * L, pairs with acquire M) before any row names an index in it.  A free flow
 * has no references and is in the list of its chunk, linked by 'local'.  New
 * flows go to the lowest chunk that has room, so that after a flood the upper
 * ones run empty; an empty chunk is given back.
 *
 * The hash index is an array of 8-byte entries with linear probing, at most
 * half full: the upper half of an entry is the flow's hash, the lower half its
 * index plus 1; 0 is a free entry.  Only the digest thread uses it, and only
 * it is rebuilt, not recovered.  A deletion moves later entries of the run
 * back, so there are no tombstones.
 *
 * It grows without a pause: the larger array is put beside the old one, from
 * which each insertion moves some entries.  Until it is empty, what isn't
 * found in the new array is looked for in the old one, where what has moved
 * or was deleted leaves MOVED behind.
 *
 * The hash is keyed with a random number, so that nobody outside can craft
 * packets whose flows collide. */

#define CHUNK_FLOWS 16384
#define CHUNK_SIZE (CHUNK_FLOWS * sizeof(struct mlog_flow))
#define MAX_CHUNKS 4096
#define MAX_FLOWS (CHUNK_FLOWS * MAX_CHUNKS)
#define MIN_BUCKETS 4096
#define MOVES_PER_INSERT 16
#define MOVED UINT64_MAX
#define NO_FLOW UINT32_MAX

/* An array of buckets. */
struct buckets {
    uint64_t *entries;          /* NULL if there is none. */
    uint32_t mask;
};

/* What the digest knows of a chunk. */
struct chunk_info {
    struct mlog_mapping mapping;
    uint32_t n_used;
    uint32_t free;              /* First of its free flows, or NO_FLOW. */
};

struct mlog_flow_table {
    struct mlog_store *store;
    struct buckets index;
    struct buckets old;         /* While it is emptied into 'index'... */
    uint32_t moved;             /* ...buckets of it below this are. */
    uint32_t first_free;        /* No chunk below has a free flow. */
    struct chunk_info infos[MAX_CHUNKS];

    atomic_size_t n_flows;
    atomic_size_t memory;
    atomic_uint32_t n_chunks;   /* Chunks from here on have never been. */
    ATOMIC(struct mlog_flow *) chunks[MAX_CHUNKS];
};

static uint64_t hash_seed[2];

static uint32_t
entry_index(uint64_t entry)
{
    return (uint32_t) entry - 1;
}

static uint32_t
entry_hash(uint64_t entry)
{
    return entry >> 32;
}

static uint64_t
make_entry(uint32_t hash, uint32_t index)
{
    return (uint64_t) hash << 32 | (index + 1);
}

/* The product of 'a' and 'b', folded. */
static inline uint64_t
mix(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128) a * b;

    return (uint64_t) product ^ (uint64_t) (product >> 64);
}

/* In the manner of wyhash: each pair of words, keyed, is multiplied. */
uint32_t
mlog_flow_key_hash(const struct mlog_flow_key *key)
{
    uint64_t w[sizeof *key / 8];
    uint64_t hash = hash_seed[0];

    memcpy(w, key, sizeof w);
    for (size_t i = 0; i < ARRAY_SIZE(w); i += 2) {
        hash = mix(w[i] ^ hash_seed[1], w[i + 1] ^ hash);
    }
    return hash ^ hash >> 32;
}

static void
add_memory(struct mlog_flow_table *table, size_t n)
{
    size_t memory;

    atomic_read_relaxed(&table->memory, &memory);
    atomic_store_relaxed(&table->memory, memory + n);
}

static void
buckets_init(struct mlog_flow_table *table, struct buckets *b, uint32_t n)
{
    b->entries = xcalloc(n, sizeof *b->entries);
    b->mask = n - 1;
    add_memory(table, n * sizeof *b->entries);
}

static void
buckets_destroy(struct mlog_flow_table *table, struct buckets *b)
{
    add_memory(table, -((size_t) b->mask + 1) * sizeof *b->entries);
    free(b->entries);
    b->entries = NULL;
}

struct mlog_flow_table *
mlog_flow_table_create(struct mlog_store *store)
{
    struct mlog_flow_table *table = xzalloc(sizeof *table);

    if (!hash_seed[1]) {
        get_entropy_or_die(hash_seed, sizeof hash_seed);
        hash_seed[1] |= 1;
    }
    table->store = store;
    atomic_init(&table->n_flows, 0);
    atomic_init(&table->n_chunks, 0);
    atomic_init(&table->memory, sizeof *table);
    buckets_init(table, &table->index, MIN_BUCKETS);
    return table;
}

void
mlog_flow_table_destroy(struct mlog_flow_table *table)
{
    if (table) {
        for (size_t i = 0; i < MAX_CHUNKS; i++) {
            mlog_store_unmap(&table->infos[i].mapping);
        }
        free(table->index.entries);
        free(table->old.entries);
        free(table);
    }
}

/* Flows. */

static struct mlog_flow *
get_chunk(const struct mlog_flow_table *table, uint32_t i)
{
    struct mlog_flow *chunk;

    /* Acquire M. */
    atomic_read_explicit(&CONST_CAST(struct mlog_flow_table *, table)
                         ->chunks[i], &chunk, memory_order_acquire);
    return chunk;
}

static struct mlog_flow *
get_flow(const struct mlog_flow_table *table, uint32_t index)
{
    return get_chunk(table, index / CHUNK_FLOWS) + index % CHUNK_FLOWS;
}

const struct mlog_flow *
mlog_flow_table_get(const struct mlog_flow_table *table, uint32_t index)
{
    return get_flow(table, index);
}

static char *
chunk_file(uint32_t i)
{
    return xasprintf("flows-%"PRIu32, i);
}

/* Takes the memory of 'info', of chunk 'i', into use. */
static void
add_chunk(struct mlog_flow_table *table, uint32_t i)
{
    uint32_t n_chunks;

    /* Release L. */
    atomic_store_explicit(&table->chunks[i], table->infos[i].mapping.data,
                          memory_order_release);
    add_memory(table, CHUNK_SIZE);
    atomic_read_relaxed(&table->n_chunks, &n_chunks);
    atomic_store_relaxed(&table->n_chunks, MAX(n_chunks, i + 1));
}

/* Puts all unreferenced flows of chunk 'i' into its list, lowest first. */
static void
collect_free_flows(struct mlog_flow_table *table, uint32_t i)
{
    struct chunk_info *info = &table->infos[i];
    struct mlog_flow *chunk = info->mapping.data;

    info->free = NO_FLOW;
    info->n_used = 0;
    for (uint32_t j = CHUNK_FLOWS; j-- > 0; ) {
        if (chunk[j].refs) {
            info->n_used++;
        } else {
            chunk[j].local = info->free;
            info->free = j;
        }
    }
}

static bool
make_chunk(struct mlog_flow_table *table, uint32_t i)
{
    char *file = chunk_file(i);
    int error = mlog_store_create(table->store, file, CHUNK_SIZE, false,
                                  &table->infos[i].mapping);

    free(file);
    if (!error) {
        collect_free_flows(table, i);
        add_chunk(table, i);
    }
    return !error;
}

/* No row names a flow of chunk 'i', so no reader looks at one. */
static void
drop_chunk(struct mlog_flow_table *table, uint32_t i)
{
    char *file = chunk_file(i);

    atomic_store_relaxed(&table->chunks[i], NULL);
    mlog_store_unmap(&table->infos[i].mapping);
    mlog_store_remove(table->store, file);
    add_memory(table, -CHUNK_SIZE);
    free(file);
}

/* Returns the index of a free flow, or NO_FLOW. */
static uint32_t
take_index(struct mlog_flow_table *table)
{
    for (uint32_t i = table->first_free; i < MAX_CHUNKS; i++) {
        struct chunk_info *info = &table->infos[i];

        if (!info->mapping.data && !make_chunk(table, i)) {
            return NO_FLOW;
        }
        if (info->free != NO_FLOW) {
            uint32_t j = info->free;

            info->free = get_chunk(table, i)[j].local;
            info->n_used++;
            table->first_free = i;
            return i * CHUNK_FLOWS + j;
        }
    }
    return NO_FLOW;
}

static void
give_index_back(struct mlog_flow_table *table, uint32_t index)
{
    uint32_t i = index / CHUNK_FLOWS;
    struct chunk_info *info = &table->infos[i];

    get_flow(table, index)->local = info->free;
    info->free = index % CHUNK_FLOWS;
    table->first_free = MIN(table->first_free, i);
    if (!--info->n_used && i) {
        drop_chunk(table, i);
    }
}

/* The hash index. */

void
mlog_flow_table_prefetch(const struct mlog_flow_table *table, uint32_t hash)
{
    OVS_PREFETCH(&table->index.entries[hash & table->index.mask]);
}

void
mlog_flow_table_prefetch_flow(const struct mlog_flow_table *table,
                              uint32_t hash)
{
    uint64_t entry = table->index.entries[hash & table->index.mask];

    if (entry_hash(entry) == hash && entry) {
        struct mlog_flow *flow = get_flow(table, entry_index(entry));

        OVS_PREFETCH_WRITE(flow);
        OVS_PREFETCH_WRITE(&flow->hash);
    }
}

/* Returns the bucket of the flow with 'key', or NULL. */
static inline uint64_t *
find_bucket(const struct mlog_flow_table *table, const struct buckets *b,
            const struct mlog_flow_key *key, uint32_t hash)
{
    for (uint32_t i = hash & b->mask; b->entries[i]; i = (i + 1) & b->mask) {
        uint64_t entry = b->entries[i];

        if (entry_hash(entry) == hash && entry != MOVED
            && !memcmp(&get_flow(table, entry_index(entry))->key, key,
                       sizeof *key)) {
            return &b->entries[i];
        }
    }
    return NULL;
}

struct mlog_flow *
mlog_flow_table_find(struct mlog_flow_table *table,
                     const struct mlog_flow_key *key, uint32_t hash,
                     uint32_t *index)
{
    uint64_t *bucket = find_bucket(table, &table->index, key, hash);

    if (OVS_UNLIKELY(!bucket)) {
        bucket = (table->old.entries
                  ? find_bucket(table, &table->old, key, hash) : NULL);
        if (!bucket) {
            return NULL;
        }
    }
    *index = entry_index(*bucket);
    return get_flow(table, *index);
}

static void
place(struct buckets *b, uint64_t entry)
{
    uint32_t i = entry_hash(entry) & b->mask;

    while (b->entries[i]) {
        i = (i + 1) & b->mask;
    }
    b->entries[i] = entry;
}

/* Moves some entries on from 'old'.  It has half as many buckets as 'index'
 * and is empty long before that is half full. */
static void
move_some(struct mlog_flow_table *table)
{
    struct buckets *old = &table->old;

    for (int i = 0; i < MOVES_PER_INSERT; i++) {
        uint64_t *entry = &old->entries[table->moved];

        if (*entry && *entry != MOVED) {
            place(&table->index, *entry);
            *entry = MOVED;
        }
        if (table->moved++ == old->mask) {
            buckets_destroy(table, old);
            break;
        }
    }
}

static void
grow(struct mlog_flow_table *table)
{
    while (table->old.entries) {
        move_some(table);
    }
    table->old = table->index;
    table->moved = 0;
    buckets_init(table, &table->index, (table->old.mask + 1) * 2);
}

static void
add_to_index(struct mlog_flow_table *table, uint32_t hash, uint32_t index)
{
    size_t n_flows;

    atomic_read_relaxed(&table->n_flows, &n_flows);
    if (n_flows * 2 > table->index.mask) {
        grow(table);
    }
    if (table->old.entries) {
        move_some(table);
    }
    place(&table->index, make_entry(hash, index));
    atomic_store_relaxed(&table->n_flows, n_flows + 1);
}

struct mlog_flow *
mlog_flow_table_insert(struct mlog_flow_table *table,
                       const struct mlog_flow_key *key, uint32_t hash,
                       uint64_t time, uint32_t *indexp)
{
    uint32_t index = take_index(table);

    if (index == NO_FLOW) {
        return NULL;
    }

    struct mlog_flow *flow = get_flow(table, index);
    flow->key = *key;
    flow->hash = hash;
    flow->refs = 0;
    flow->last_segment = 0;
    flow->class = 0;
    flow->class_generation = 0;
    flow->first = time;
    atomic_init(&flow->packets, 0);
    atomic_init(&flow->bytes, 0);
    atomic_init(&flow->last, time);
    add_to_index(table, hash, index);
    *indexp = index;
    return flow;
}

/* Frees bucket 'i' and moves entries that it kept from their place back. */
static void
erase(struct buckets *b, uint32_t i)
{
    uint32_t mask = b->mask;

    for (uint32_t j = (i + 1) & mask; b->entries[j]; j = (j + 1) & mask) {
        uint32_t home = entry_hash(b->entries[j]) & mask;

        /* Entry 'j' may move to 'i' if its home isn't after 'i'. */
        if (((j - home) & mask) >= ((j - i) & mask)) {
            b->entries[i] = b->entries[j];
            i = j;
        }
    }
    b->entries[i] = 0;
}

static void
remove_from_index(struct mlog_flow_table *table, uint32_t hash,
                  uint32_t index)
{
    uint64_t entry = make_entry(hash, index);
    struct buckets *b = &table->index;
    uint32_t i = hash & b->mask;
    size_t n_flows;

    while (b->entries[i] && b->entries[i] != entry) {
        i = (i + 1) & b->mask;
    }
    if (b->entries[i]) {
        erase(b, i);
    } else {
        b = &table->old;
        i = hash & b->mask;
        while (b->entries[i] != entry) {
            i = (i + 1) & b->mask;
        }
        b->entries[i] = MOVED;
    }
    atomic_read_relaxed(&table->n_flows, &n_flows);
    atomic_store_relaxed(&table->n_flows, n_flows - 1);
}

void
mlog_flow_table_release_unused(struct mlog_flow_table *table,
                               struct mlog_flow *flow, uint32_t index)
{
    if (!flow->refs) {
        remove_from_index(table, flow->hash, index);
        give_index_back(table, index);
    }
}

/* Gives one reference back.  With the last one, the flow goes. */
void
mlog_flow_table_unref(struct mlog_flow_table *table, uint32_t index)
{
    struct mlog_flow *flow = get_flow(table, index);

    flow->refs--;
    mlog_flow_table_release_unused(table, flow, index);
}

/* Recovery.
 *
 * What a segment refers to was complete before the segment's rows were
 * committed, and its index isn't given away again before a commit that no
 * longer has the segment.  All the rest of a flow is made anew. */

void
mlog_flow_table_recover(struct mlog_flow_table *table)
{
    for (uint32_t i = 0; i < MAX_CHUNKS; i++) {
        struct mlog_mapping *mapping = &table->infos[i].mapping;
        char *file = chunk_file(i);

        if (!mlog_store_load(table->store, file, mapping)) {
            if (mapping->size >= CHUNK_SIZE) {
                struct mlog_flow *chunk = mapping->data;

                for (uint32_t j = 0; j < CHUNK_FLOWS; j++) {
                    chunk[j].refs = 0;
                }
                add_chunk(table, i);
            } else {
                mlog_store_unmap(mapping);
            }
        }
        free(file);
    }
}

struct mlog_flow *
mlog_flow_table_recover_ref(struct mlog_flow_table *table, uint32_t index)
{
    if (index >= MAX_FLOWS || !get_chunk(table, index / CHUNK_FLOWS)) {
        return NULL;
    }

    struct mlog_flow *flow = get_flow(table, index);
    if (!flow->refs++) {
        flow->hash = mlog_flow_key_hash(&flow->key);
        flow->last_segment = 0;
        flow->class = flow->class_generation = 0;
        flow->first = 0;
        atomic_init(&flow->packets, 0);
        atomic_init(&flow->bytes, 0);
        atomic_init(&flow->last, 0);
        add_to_index(table, flow->hash, index);
    }
    return flow;
}

void
mlog_flow_table_recovered(struct mlog_flow_table *table)
{
    for (uint32_t i = 0; i < MAX_CHUNKS; i++) {
        if (table->infos[i].mapping.data) {
            collect_free_flows(table, i);
            if (!table->infos[i].n_used && i) {
                drop_chunk(table, i);
            }
        }
    }
}

/* Readers. */

void
mlog_flow_stats(const struct mlog_flow *flow_, struct mlog_flow_stats *stats)
{
    struct mlog_flow *flow = CONST_CAST(struct mlog_flow *, flow_);

    atomic_read_relaxed(&flow->packets, &stats->packets);
    atomic_read_relaxed(&flow->bytes, &stats->bytes);
    atomic_read_relaxed(&flow->last, &stats->last);
    stats->first = flow->first;
}

size_t
mlog_flow_table_count(const struct mlog_flow_table *table)
{
    size_t n;

    atomic_read_relaxed(&CONST_CAST(struct mlog_flow_table *, table)->n_flows,
                        &n);
    return n;
}

uint32_t
mlog_flow_table_limit(const struct mlog_flow_table *table)
{
    uint32_t n;

    atomic_read_relaxed(&CONST_CAST(struct mlog_flow_table *, table)->n_chunks,
                        &n);
    return n * CHUNK_FLOWS;
}

size_t
mlog_flow_table_memory(const struct mlog_flow_table *table)
{
    size_t memory;

    atomic_read_relaxed(&CONST_CAST(struct mlog_flow_table *, table)->memory,
                        &memory);
    return memory;
}
