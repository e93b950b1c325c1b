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

#ifndef BENCH_LOG_H
#define BENCH_LOG_H 1

/* Header logs for benchmarks: records are appended as the digest does, and
 * segments sealed as the archiver does, all by one thread. */

#include "bench-util.h"
#include "mlog-archive-file.h"
#include "mlog-flow-table.h"
#include "mlog-header-log.h"
#include "mlog-headers.h"
#include "mlog-state.h"
#include "mlog-store.h"

#define BUDGET ((size_t) 64 << 30)
#define BATCH_NS 3200           /* Between batches: 10 million per second. */

/* A log, and what is appended to it. */

struct log {
    struct mlog_store *store;
    struct mlog_state *state;
    struct mlog_flow_table *flows;
    struct mlog_header_log *log;
    uint64_t n;
    bool unsealed;              /* Leave segments as they are. */
};

/* Seals what is full, which has to be committed. */
static inline void
log_seal(struct log *log, uint64_t time)
{
    struct mlog_commit *commit = mlog_state_begin(log->state);

    mlog_header_log_publish(log->log, time);
    memset(commit, 0, sizeof *commit);
    commit->time = time;
    mlog_header_log_fill_commit(log->log, commit);
    mlog_state_commit(log->state);
    mlog_header_log_committed(log->log, commit);
    while (!log->unsealed && mlog_header_log_seal(log->log)) {
        continue;
    }
}

static inline void
log_init(struct log *log)
{
    log->store = mlog_store_open(NULL);
    log->state = mlog_state_open(log->store);
    log->flows = mlog_flow_table_create(log->store);
    log->log = mlog_header_log_create(log->flows, log->store, BUDGET);
    log->n = 0;
    log->unsealed = false;
}

static inline void
log_destroy(struct log *log)
{
    mlog_header_log_destroy(log->log);
    mlog_flow_table_destroy(log->flows);
    mlog_state_close(log->state);
    mlog_store_close(log->store);
}

static inline void
log_append(struct log *log, const struct mlog_flow_key *key,
           const struct mlog_row *parsed, uint16_t out_port, uint64_t time)
{
    uint32_t hash = mlog_flow_key_hash(key);
    uint32_t index, local;
    uint64_t ns_after_base;
    struct mlog_flow *flow;
    struct mlog_row *row;

    flow = mlog_flow_table_find(log->flows, key, hash, &index);
    if (!flow) {
        flow = mlog_flow_table_insert(log->flows, key, hash, time, &index);
    }
    row = flow ? mlog_header_log_append(log->log, time, index,
                                        &ns_after_base, &local) : NULL;
    if (!row) {
        fail("no memory");
    }
    *row = *parsed;
    row->time_port = mlog_row_pack_time_port(ns_after_base, out_port);
    row->flow = local;
    mlog_flow_count(flow, mlog_row_pkt_len(row), time);
    if (!(++log->n % 65536)) {
        log_seal(log, time);
    }
}

static inline void
log_finish(struct log *log, uint64_t time)
{
    mlog_header_log_close_segment(log->log);
    log_seal(log, time);
}

/* Traffic: TCP in both directions of some flows in random order, segments of
 * full size and acknowledgments; or SYNs, each of a flow of its own. */

struct connection {
    uint8_t addresses[8], ports[4];
    uint32_t seq[2];            /* Of each direction... */
    uint16_t ip_id[2];
    uint16_t window[2];
};

static inline void
make_connection(struct connection *c)
{
    uint64_t a = next_random(), b = next_random() >> 4;

    memset(c, 0, sizeof *c);
    c->addresses[0] = c->addresses[4] = 10;
    memcpy(c->addresses + 1, &a, 3);
    memcpy(c->addresses + 5, (uint8_t *) &a + 3, 3);
    memcpy(c->ports, &b, 2);
    c->ports[2] = 443 >> 8;
    c->ports[3] = 443 & 0xff;
    for (int i = 0; i < 2; i++) {
        c->seq[i] = next_random();
        c->ip_id[i] = next_random();
        c->window[i] = 500 + next_random() % 64;
    }
}

static inline void
put_be32(uint8_t *p, uint32_t x)
{
    ovs_be32 be = htonl(x);

    memcpy(p, &be, sizeof be);
}

static inline void
put_be16(uint8_t *p, uint16_t x)
{
    p[0] = x >> 8;
    p[1] = x;
}

/* One packet of a connection: data, mostly, one way, acknowledgments the other
 * way; or a SYN. */
static inline void
log_packet(struct log *log, struct connection *c, bool syn, uint64_t time)
{
    int dir = !syn && next_random() >> 9 & 1;
    uint32_t len = syn || dir ? 0 : next_random() % 8 ? 1448
                   : (next_random() >> 7) % 1448;
    uint8_t p[66] = { 0, 0x53, 0, 0, 0, 2 - dir, 0, 0x53, 0, 0, 0, 1 + dir,
                      8, 0, 0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, 6 };
    struct mlog_flow_key key;
    struct mlog_row row;

    put_be16(p + 16, 52 + len);
    put_be16(p + 18, c->ip_id[dir]++);
    memcpy(p + 26, c->addresses + 4 * dir, 4);
    memcpy(p + 30, c->addresses + 4 * !dir, 4);
    memcpy(p + 34, c->ports + 2 * dir, 2);
    memcpy(p + 36, c->ports + 2 * !dir, 2);
    put_be32(p + 38, c->seq[dir]);
    put_be32(p + 42, syn ? 0 : c->seq[!dir]);
    p[46] = 0x80;
    p[47] = syn ? 0x02 : len && !(next_random() >> 5 & 7) ? 0x18 : 0x10;
    put_be16(p + 48, c->window[dir]);
    c->seq[dir] += len;
    c->window[dir] += !(next_random() >> 3 & 15);
    mlog_headers_parse(p, sizeof p, sizeof p + len, &key, &row);
    key.in_port = 1 + dir;
    row.reason = 0;
    log_append(log, &key, &row, 2 - dir, time);
}

/* Batches have one time. */
static inline uint64_t
batch_time(uint64_t i)
{
    return UINT64_C(1700000000000000000) + i / BATCH * BATCH_NS;
}

/* Returns segment 'i' of 'snapshot' as it is archived, for the caller to free
 * with log_free_segment(). */
static inline struct mlog_archive_segment
log_get_segment(const struct mlog_snapshot *snapshot, size_t i)
{
    const struct mlog_segment *s = snapshot->segments[i].segment;
    uint32_t n_rows = snapshot->segments[i].n_rows;
    uint32_t n_flows = snapshot->segments[i].n_flows;
    struct mlog_row *rows = xmalloc(MAX(1, n_rows) * sizeof *rows);
    struct mlog_flow_key *keys = xmalloc(MAX(1, n_flows) * sizeof *keys);

    mlog_segment_rows(s, 0, n_rows, rows);
    for (uint32_t j = 0; j < n_flows; j++) {
        keys[j] = *mlog_segment_key(snapshot->flows, s, j);
    }
    return (struct mlog_archive_segment) {
        .seq = s->seq, .first_row = s->first_row, .base_time = s->base_time,
        .rows = rows, .n_rows = n_rows, .keys = keys, .n_flows = n_flows,
    };
}

static inline void
log_free_segment(struct mlog_archive_segment *segment)
{
    free(CONST_CAST(struct mlog_row *, segment->rows));
    free(CONST_CAST(struct mlog_flow_key *, segment->keys));
}

#endif /* tests/bench/bench-log.h */
