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
#include "jhash.h"
#include "mlog-ports.h"
#include "util.h"

/* Representation
 * ==============
 *
 * Flows live in chunks that never move, so that readers need no lock:
 *
 *   chunks[index / CHUNK_FLOWS]->flows[index % CHUNK_FLOWS]
 *
 * The directory of chunks has room for the most flows there can ever be.  A
 * chunk's pointer is stored (release) before any row names an index in it.
 *
 * The hash index is an array of 8-byte entries with linear probing, at most
 * half full: the upper half of an entry is the flow's hash, the lower half its
 * index plus 1, 0 if the entry is free.  Only the digest thread uses it.  A
 * deletion moves later entries of the run back, so there are no tombstones.
 *
 * The hash is keyed with a random number, so that nobody outside can craft
 * packets whose flows collide. */

#define CHUNK_FLOWS 4096
#define MAX_CHUNKS (1u << 14)
#define MAX_FLOWS (CHUNK_FLOWS * MAX_CHUNKS)
#define MIN_BUCKETS 4096

struct chunk {
    struct mlog_flow flows[CHUNK_FLOWS];
};

struct mlog_flow_table {
    uint64_t *buckets;
    uint32_t bucket_mask;
    uint32_t n_free;            /* Length of 'free'. */
    uint32_t *free;             /* Indexes to be used again. */
    size_t allocated_free;

    atomic_size_t n_flows;
    atomic_uint32_t limit;      /* Indexes below have been used. */
    ATOMIC(struct chunk *) chunks[MAX_CHUNKS];
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

uint64_t
mlog_flow_id(const struct mlog_flow_key *key)
{
    struct {
        ovs_be32 src[4];
        ovs_be32 dst[4];
        ovs_be16 dl_type;
        ovs_be16 vlan_vid[2];
        ovs_be16 tp_src;
        ovs_be16 tp_dst;
        uint8_t nw_proto;
        uint8_t reserved;
        uint32_t in_port;
    } id = {
        .dl_type = htons(key->dl_type),
        .vlan_vid = { htons(key->vlan_tci[0] & 0x1fff),
                      htons(key->vlan_tci[1] & 0x1fff) },
        .tp_src = htons(key->tp_src),
        .tp_dst = htons(key->tp_dst),
        .nw_proto = key->nw_proto,
    };
    const char *in_port = mlog_ports_name(key->in_port);

    BUILD_ASSERT(sizeof id == 48);
    memcpy(id.src, key->src, sizeof id.src);
    memcpy(id.dst, key->dst, sizeof id.dst);
    id.in_port = in_port ? jhash_bytes(in_port, strlen(in_port), 0) : 0;
    return (uint64_t) jhash_bytes(&id, sizeof id, 1) << 32
           | jhash_bytes(&id, sizeof id, 2);
}

struct mlog_flow_table *
mlog_flow_table_create(void)
{
    struct mlog_flow_table *table = xzalloc(sizeof *table);

    if (!hash_seed[1]) {
        get_entropy_or_die(hash_seed, sizeof hash_seed);
        hash_seed[1] |= 1;
    }
    table->bucket_mask = MIN_BUCKETS - 1;
    table->buckets = xcalloc(MIN_BUCKETS, sizeof *table->buckets);
    atomic_init(&table->n_flows, 0);
    atomic_init(&table->limit, 0);
    return table;
}

void
mlog_flow_table_destroy(struct mlog_flow_table *table)
{
    if (table) {
        for (size_t i = 0; i < MAX_CHUNKS; i++) {
            struct chunk *chunk;

            atomic_read_relaxed(&table->chunks[i], &chunk);
            free(chunk);
        }
        free(table->buckets);
        free(table->free);
        free(table);
    }
}

static struct mlog_flow *
get_flow(const struct mlog_flow_table *table, uint32_t index)
{
    struct chunk *chunk;

    /* Acquire, pairs with the release in new_index(). */
    atomic_read_explicit(&CONST_CAST(struct mlog_flow_table *, table)
                         ->chunks[index / CHUNK_FLOWS],
                         &chunk, memory_order_acquire);
    return chunk ? &chunk->flows[index % CHUNK_FLOWS] : NULL;
}

const struct mlog_flow *
mlog_flow_table_get(const struct mlog_flow_table *table, uint32_t index)
{
    return get_flow(table, index);
}

void
mlog_flow_table_prefetch(const struct mlog_flow_table *table, uint32_t hash)
{
    OVS_PREFETCH(&table->buckets[hash & table->bucket_mask]);
}

struct mlog_flow *
mlog_flow_table_find(struct mlog_flow_table *table,
                     const struct mlog_flow_key *key, uint32_t hash,
                     uint32_t *index)
{
    for (uint32_t i = hash & table->bucket_mask; table->buckets[i];
         i = (i + 1) & table->bucket_mask) {
        uint64_t entry = table->buckets[i];

        if (entry_hash(entry) == hash) {
            struct mlog_flow *flow = get_flow(table, entry_index(entry));

            if (!memcmp(&flow->key, key, sizeof *key)) {
                *index = entry_index(entry);
                return flow;
            }
        }
    }
    return NULL;
}

static void
place(struct mlog_flow_table *table, uint64_t entry)
{
    uint32_t i = entry_hash(entry) & table->bucket_mask;

    while (table->buckets[i]) {
        i = (i + 1) & table->bucket_mask;
    }
    table->buckets[i] = entry;
}

static void
grow(struct mlog_flow_table *table)
{
    uint64_t *old = table->buckets;
    size_t n_old = (size_t) table->bucket_mask + 1;

    table->bucket_mask = n_old * 2 - 1;
    table->buckets = xcalloc(n_old * 2, sizeof *table->buckets);
    for (size_t i = 0; i < n_old; i++) {
        if (old[i]) {
            place(table, old[i]);
        }
    }
    free(old);
}

/* Returns an index that no flow has, or MAX_FLOWS. */
static uint32_t
new_index(struct mlog_flow_table *table)
{
    uint32_t index;

    if (table->n_free) {
        return table->free[--table->n_free];
    }
    atomic_read_relaxed(&table->limit, &index);
    if (index < MAX_FLOWS) {
        if (!(index % CHUNK_FLOWS)) {
            atomic_store_explicit(&table->chunks[index / CHUNK_FLOWS],
                                  xzalloc_cacheline(sizeof(struct chunk)),
                                  memory_order_release);
        }
        atomic_store_relaxed(&table->limit, index + 1);
    }
    return index;
}

/* Returns the new flow, with no references; NULL if there are too many. */
struct mlog_flow *
mlog_flow_table_insert(struct mlog_flow_table *table,
                       const struct mlog_flow_key *key, uint32_t hash,
                       uint64_t time, uint32_t *indexp)
{
    uint32_t index = new_index(table);
    size_t n_flows;

    if (index >= MAX_FLOWS) {
        return NULL;
    }

    struct mlog_flow *flow = get_flow(table, index);
    flow->key = *key;
    flow->flow_id = mlog_flow_id(key);
    flow->hash = hash;
    flow->refs = 0;
    flow->last_segment = 0;
    flow->class = 0;
    flow->class_generation = 0;
    flow->first = time;
    atomic_init(&flow->packets, 0);
    atomic_init(&flow->bytes, 0);
    atomic_init(&flow->last, time);

    atomic_read_relaxed(&table->n_flows, &n_flows);
    if (n_flows * 2 > table->bucket_mask) {
        grow(table);
    }
    place(table, make_entry(hash, index));
    atomic_store_relaxed(&table->n_flows, n_flows + 1);
    *indexp = index;
    return flow;
}

/* Frees bucket 'i' and moves entries that it kept from their place back. */
static void
erase(struct mlog_flow_table *table, uint32_t i)
{
    uint32_t mask = table->bucket_mask;

    for (uint32_t j = (i + 1) & mask; table->buckets[j]; j = (j + 1) & mask) {
        uint32_t home = entry_hash(table->buckets[j]) & mask;

        /* Entry 'j' may move to 'i' if its home isn't after 'i'. */
        if (((j - home) & mask) >= ((j - i) & mask)) {
            table->buckets[i] = table->buckets[j];
            i = j;
        }
    }
    table->buckets[i] = 0;
}

/* Gives one reference back.  With the last one, the flow goes. */
void
mlog_flow_table_unref(struct mlog_flow_table *table, uint32_t index)
{
    struct mlog_flow *flow = get_flow(table, index);
    size_t n_flows;

    if (--flow->refs) {
        return;
    }

    uint64_t entry = make_entry(flow->hash, index);
    uint32_t i = flow->hash & table->bucket_mask;
    while (table->buckets[i] != entry) {
        i = (i + 1) & table->bucket_mask;
    }
    erase(table, i);

    if (table->n_free >= table->allocated_free) {
        table->free = x2nrealloc(table->free, &table->allocated_free,
                                 sizeof *table->free);
    }
    table->free[table->n_free++] = index;
    atomic_read_relaxed(&table->n_flows, &n_flows);
    atomic_store_relaxed(&table->n_flows, n_flows - 1);
}

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
    uint32_t limit;

    atomic_read_relaxed(&CONST_CAST(struct mlog_flow_table *, table)->limit,
                        &limit);
    return limit;
}

/* An estimate for readers of other threads, exact for the digest's. */
size_t
mlog_flow_table_memory(const struct mlog_flow_table *table)
{
    size_t limit = mlog_flow_table_limit(table);
    size_t buckets = MAX(MIN_BUCKETS, ROUND_UP_POW2(
                                          mlog_flow_table_count(table) * 2));

    return sizeof *table + DIV_ROUND_UP(limit, CHUNK_FLOWS)
           * sizeof(struct chunk) + buckets * sizeof *table->buckets;
}
