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

#ifndef MLOG_FLOW_TABLE_H
#define MLOG_FLOW_TABLE_H 1

/* The flow table
 * ==============
 *
 * Maps the exact key of a flow to an index, which rows carry, and keeps the
 * flow's counters.  An index is reused only after no segment of the header
 * log has a row of the flow any more, so that a reader that has pinned a
 * segment (mlog-header-log.h) may look up every index that it finds there.
 *
 * Guarantee, cited by tests:
 *
 *   G10 The counters of a flow include all its packets that a snapshot has, as
 *       long as the snapshot keeps the flow.
 *
 * Thread-safety
 * =============
 *
 *                     lookup/insert  update  ref/unref  mlog_flow_table_get()
 *   digest thread          x           x         x              x
 *   readers                                                     x
 *
 * One digest thread owns the table and is its only writer.  Readers may at
 * the same time get flows that a pinned segment refers to: their 'key'
 * doesn't change; their counters are read with mlog_flow_stats(). */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mlog-record.h"
#include "ovs-atomic.h"

struct mlog_store;

/* One flow.  'key' is constant while the flow has references; the counters are
 * written by the digest thread alone and may be read by any thread; the other
 * members belong to the digest thread. */
struct mlog_flow {
    struct mlog_flow_key key;
    uint32_t hash;
    uint32_t refs;                  /* Segments with rows of this flow. */
    uint32_t last_segment;          /* Newest of them: its number... */
    uint32_t local;                 /* ...and the flow's number within it. */
    uint32_t class;                 /* Set of filters, see mlog-stream.h... */
    uint32_t class_generation;      /* ...and when it was computed. */
    uint64_t reserved;
    atomic_uint64_t packets;
    atomic_uint64_t bytes;
    atomic_uint64_t last;           /* Time of the newest packet, ns. */
    uint64_t first;                 /* Time of the oldest packet, ns. */
};
BUILD_ASSERT_DECL(sizeof(struct mlog_flow) == 128);

struct mlog_flow_stats {
    uint64_t packets;
    uint64_t bytes;
    uint64_t first;
    uint64_t last;
};

/* Flows are kept in 'store'. */
struct mlog_flow_table *mlog_flow_table_create(struct mlog_store *store);
void mlog_flow_table_destroy(struct mlog_flow_table *);

/* Recovery of the flows of an earlier process, before anything else is done
 * with the table: mlog_flow_table_recover() finds what flows there are, then
 * each reference is told with mlog_flow_table_recover_ref(), which returns
 * the flow, or NULL if there is none with that index, and then
 * mlog_flow_table_recovered() forgets those without one. */
void mlog_flow_table_recover(struct mlog_flow_table *);
struct mlog_flow *mlog_flow_table_recover_ref(struct mlog_flow_table *,
                                              uint32_t index);
void mlog_flow_table_recovered(struct mlog_flow_table *);

/* Digest thread only. */
uint32_t mlog_flow_key_hash(const struct mlog_flow_key *);
void mlog_flow_table_prefetch(const struct mlog_flow_table *, uint32_t hash);

/* Fetches the flow that mlog_flow_table_find() is likely to look at. */
void mlog_flow_table_prefetch_flow(const struct mlog_flow_table *,
                                   uint32_t hash);
struct mlog_flow *mlog_flow_table_find(struct mlog_flow_table *,
                                       const struct mlog_flow_key *,
                                       uint32_t hash, uint32_t *index);

/* Returns the new flow, with no references, or NULL if there is no room. */
struct mlog_flow *mlog_flow_table_insert(struct mlog_flow_table *,
                                         const struct mlog_flow_key *,
                                         uint32_t hash, uint64_t time,
                                         uint32_t *index);
void mlog_flow_table_unref(struct mlog_flow_table *, uint32_t index);

/* Lets 'flow' go if it has no references. */
void mlog_flow_table_release_unused(struct mlog_flow_table *,
                                    struct mlog_flow *flow, uint32_t index);

/* Counts a packet of 'flow'. */
static inline void
mlog_flow_count(struct mlog_flow *flow, uint32_t pkt_len, uint64_t time)
{
    uint64_t packets, bytes;

    atomic_read_relaxed(&flow->packets, &packets);
    atomic_read_relaxed(&flow->bytes, &bytes);
    atomic_store_relaxed(&flow->packets, packets + 1);
    atomic_store_relaxed(&flow->bytes, bytes + pkt_len);
    atomic_store_relaxed(&flow->last, time);
}

/* Any thread. */
const struct mlog_flow *mlog_flow_table_get(const struct mlog_flow_table *,
                                            uint32_t index);
void mlog_flow_stats(const struct mlog_flow *, struct mlog_flow_stats *);
size_t mlog_flow_table_count(const struct mlog_flow_table *);

/* One more than the largest index in use so far. */
uint32_t mlog_flow_table_limit(const struct mlog_flow_table *);
size_t mlog_flow_table_memory(const struct mlog_flow_table *);

#endif /* mlog-flow-table.h */
