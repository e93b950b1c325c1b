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

/* Real writers, a real digest and real readers, and a check of each snapshot:
 *
 *   complete   what a writer had published before a cut was asked for is in
 *              the snapshot;
 *   prefix     of each writer, the snapshot has the records 1..n, no other;
 *   causal     if it has a record that was written after its writer saw
 *              record m of another writer published, it has that one too;
 *   ordered    rows are in order of time;
 *   whole      no record is torn.
 *
 * Writers retire their ring now and then and go on with another.
 *
 * Usage: stress-cut [WRITERS [SECONDS [MUTANT [THREADS]]]]
 *
 * MUTANT weakens the readers, to see that the check finds it: "no-cut" takes
 * a snapshot of whatever is there; "none" does not.  With several THREADS of
 * the digest, there are filters for them to work on, and the number of threads
 * changes now and then. */

#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "mlog-clock.h"
#include "mlog-expr.h"
#include "multilog.h"
#include "ovs-rcu.h"
#include "ovs-thread.h"
#include "util.h"

#define MAX_WRITERS 16
#define MAX_AHEAD 20000         /* Records that a writer may be ahead by, so
                                 * that its ring has room for them. */

struct writer {
    atomic_uint32_t published;  /* Newest record whose batch is published. */
    atomic_uint32_t digested;   /* Newest that a reader has seen. */
    uint32_t newest;
};

static struct multilog *ml;
static struct writer writers[MAX_WRITERS];
static unsigned int n_writers = 3;
static atomic_bool stop;
static bool mutant_no_cut;
static unsigned int digest_threads = 1;

static void
fail(const char *what, unsigned int writer, uint32_t expected, uint32_t found)
{
    printf("FAIL: %s: writer %u, expected %u, found %u\n", what, writer,
           expected, found);
    fflush(stdout);
    _exit(1);
}

static void
put32(uint8_t *p, uint32_t x)
{
    ovs_be32 be = htonl(x);

    memcpy(p, &be, sizeof be);
}

/* Ethernet, IPv4, TCP: the writer in the source address, its record's number
 * as sequence number, what it knows of the next writer as acknowledgment, and
 * in the destination address something that must fit. */
static void
make_packet(uint8_t p[54], unsigned int id, uint32_t seq, uint32_t seen)
{
    memset(p, 0, 54);
    p[12] = 8;
    p[14] = 0x45;
    p[17] = 40;
    p[22] = 64;
    p[23] = 6;
    put32(p + 26, id);
    put32(p + 30, id * 7 + 1);
    put32(p + 38, seq);
    put32(p + 42, seen);
    p[46] = 0x50;
}

static void *
writer_main(void *aux)
{
    unsigned int id = (uintptr_t) aux;
    struct writer *w = &writers[id];
    struct writer *next = &writers[(id + 1) % n_writers];
    struct mlog_ring *ring = NULL;
    unsigned int n_batches = 0;
    uint8_t bytes[32][54];
    bool stopping;

    do {
        struct mlog_capture_packet packets[32];
        uint32_t digested, seen;
        size_t n = 1 + (n_batches * 7 + id) % 32;

        if (n_batches++ % 10000 == 0) {
            mlog_capture_retire_ring(ring);
            ring = mlog_capture_create_ring(&ml->capture, "writer", 0, id);
        }
        atomic_read_explicit(&next->published, &seen, memory_order_acquire);
        for (size_t i = 0; i < n; i++) {
            make_packet(bytes[i], id, ++w->newest, seen);
            packets[i] = (struct mlog_capture_packet) {
                .data = bytes[i], .size = 54, .in_port = id, .l4_ofs = 34
            };
        }
        mlog_capture_batch(ring, packets, n, 1, 0);
        atomic_store_explicit(&w->published, w->newest, memory_order_release);
        do {
            atomic_read_relaxed(&stop, &stopping);
            atomic_read_relaxed(&w->digested, &digested);
        } while (!stopping && w->newest - digested > MAX_AHEAD
                 && !sched_yield());
    } while (!stopping);
    mlog_capture_retire_ring(ring);
    return NULL;
}

/* Position in the log up to which records were checked, by one reader. */
struct reader {
    uint64_t n_rows;
    uint32_t newest[MAX_WRITERS];
    uint32_t needed[MAX_WRITERS];
    uint64_t time;
    uint64_t n_snapshots;
};

static void
check_row(struct reader *r, const struct mlog_record *record)
{
    const struct mlog_flow_key *key = record->key;
    const struct mlog_row *row = record->row;
    uint32_t id = ntohl(key->src[3]);
    uint64_t time = record->time;

    if (id >= n_writers || ntohl(key->dst[3]) != id * 7 + 1
        || mlog_row_pkt_len(row) != 54) {
        fail("torn", id, 0, ntohl(key->dst[3]));
    }
    if (row->tcp_seq != r->newest[id] + 1) {
        fail("prefix", id, r->newest[id] + 1, row->tcp_seq);
    }
    if (time < r->time) {
        fail("order", id, r->time, time);
    }
    r->newest[id] = row->tcp_seq;
    r->time = time;
    uint32_t *needed = &r->needed[(id + 1) % n_writers];
    *needed = MAX(*needed, row->tcp_ack);
}

/* Checks the rows that are new since the last snapshot. */
static void
check_snapshot(struct reader *r, const struct mlog_snapshot *snapshot,
               const uint32_t published[])
{
    for (size_t i = 0; i < snapshot->n_segments; i++) {
        const struct mlog_snapshot_segment *s = &snapshot->segments[i];
        uint64_t first = s->segment->first_row;

        for (uint32_t j = r->n_rows > first ? r->n_rows - first : 0;
             j < s->n_rows; j++) {
            struct mlog_record record;
            struct mlog_row row;

            mlog_snapshot_record(snapshot, i, j, &row, &record);
            check_row(r, &record);
            r->n_rows = first + j + 1;
        }
    }
    for (unsigned int id = 0; id < n_writers; id++) {
        if (r->newest[id] < published[id]) {
            fail("complete", id, published[id], r->newest[id]);
        }
        if (r->newest[id] < r->needed[id]) {
            fail("causal", id, r->needed[id], r->newest[id]);
        }
        atomic_store_relaxed(&writers[id].digested, r->newest[id]);
    }
    r->n_snapshots++;
}

static void
read_once(struct reader *r)
{
    uint32_t published[MAX_WRITERS];
    struct mlog_snapshot snapshot;

    for (unsigned int id = 0; id < n_writers; id++) {
        atomic_read_explicit(&writers[id].published, &published[id],
                             memory_order_acquire);
    }
    if (mutant_no_cut) {
        mlog_snapshot_take(ml->log, &snapshot);
    } else if (mlog_digest_cut(ml->digest, &snapshot)) {
        fail("cut timed out", 0, 0, 0);
    }
    check_snapshot(r, &snapshot, published);
    mlog_snapshot_release(&snapshot);
}

/* Filters. */

static void
add_filters(void)
{
    static const char *const filters[][2] = {
        { "all", "tcp" }, { "large", "pkt_len >= 54" },
    };
    static const char *const aggregates[][4] = {
        { "by-source", "all", "count", "group-by=nw_src" },
        { "by-ttl", "large", "sum(pkt_len)", "group-by=nw_ttl" },
    };
    struct mlog_error error = MLOG_ERROR_INITIALIZER;
    const char *where;

    mlog_digest_lock(ml->digest);
    for (size_t i = 0; i < ARRAY_SIZE(filters); i++) {
        ovs_assert(mlog_stream_add_filter(ml->stream, filters[i], 2, &error,
                                          &where));
        ovs_assert(mlog_stream_add_aggregate(ml->stream, aggregates[i], 4,
                                             &error, &where));
    }
    mlog_digest_unlock(ml->digest);
}

/* The filters have let through all records. */
static void
check_filters(uint64_t n_rows)
{
    struct mlog_filter_info *info;

    mlog_digest_lock(ml->digest);
    size_t n = mlog_stream_get_filters(ml->stream, &info);
    for (size_t i = 0; i < n; i++) {
        if (info[i].n_packets != n_rows) {
            fail(info[i].name, 0, n_rows, info[i].n_packets);
        }
    }
    free(info);
    mlog_digest_unlock(ml->digest);
}

int
main(int argc, char *argv[])
{
    double seconds = argc > 2 ? atof(argv[2]) : 5;
    pthread_t threads[MAX_WRITERS];
    struct reader reader = { 0 };
    uint64_t captured, lost;

    set_program_name(argv[0]);
    n_writers = argc > 1 ? MIN(MAX(atoi(argv[1]), 1), MAX_WRITERS) : 3;
    mutant_no_cut = argc > 3 && !strcmp(argv[3], "no-cut");
    digest_threads = (argc > 4 ? MIN(MAX(atoi(argv[4]), 1), MLOG_LANES_MAX)
                      : 1);

    ml = multilog_create(NULL, MULTILOG_DEFAULT_BUDGET, 1u << 16);
    if (digest_threads > 1) {
        add_filters();
    }
    ovsrcu_quiesce_start();
    for (unsigned int i = 0; i < n_writers; i++) {
        threads[i] = ovs_thread_create("writer", writer_main,
                                       (void *) (uintptr_t) i);
    }
    for (uint64_t end = mlog_clock_system() + seconds * 1e9;
         mlog_clock_system() < end; ) {
        if (digest_threads > 1 && !(reader.n_snapshots % 100)) {
            multilog_set_digest_threads(ml, 1 + (reader.n_snapshots / 100
                                                 % digest_threads));
        }
        read_once(&reader);
    }
    atomic_store_relaxed(&stop, true);
    for (unsigned int i = 0; i < n_writers; i++) {
        xpthread_join(threads[i], NULL);
    }
    read_once(&reader);

    mlog_capture_get_totals(&ml->capture, &captured, &lost);
    if (lost || captured != reader.n_rows) {
        printf("FAIL: %"PRIu64" captured, %"PRIu64" lost, %"PRIu64" read\n",
               captured, lost, reader.n_rows);
        return 1;
    }
    check_filters(reader.n_rows);
    multilog_destroy(ml);
    printf("%"PRIu64" records of %u writers, %"PRIu64" snapshots: "
           "complete, causal, in order\n",
           reader.n_rows, n_writers, reader.n_snapshots);
    return 0;
}
