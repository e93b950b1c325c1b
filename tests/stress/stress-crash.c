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


/* Kills a process that records, at a random instant, and checks what the next
 * one recovers; again and again, in one directory.
 *
 * Each round is three processes.  The parent waits; a child recovers, checks
 * and then records with some writers until the parent kills it with SIGKILL
 * (or, now and then, lets it end).  What a writer has published it notes in
 * memory that it shares with the parent.  Checked (G9):
 *
 *   published   every record that was published is there;
 *   once        exactly once, and in its writer's order;
 *   whole       no record is torn;
 *   no other    nothing that wasn't at least being published is there;
 *   accounts    captured = held + expired + lost, and what is not there has
 *               expired, from the oldest on.
 *
 * Usage: stress-crash [ROUNDS [WRITERS [SEED [DIRECTORY]]]] */

#include <config.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mlog-clock.h"
#include "multilog.h"
#include "openvswitch/vlog.h"
#include "ovs-rcu.h"
#include "ovs-thread.h"
#include "random.h"
#include "util.h"

#define MAX_WRITERS 8
#define BATCH_MAX 32

/* What the processes of all rounds share. */
struct shared {
    struct {
        atomic_uint32_t published;      /* Newest that is published... */
        atomic_uint32_t begun;          /* ...and that may be. */
    } writers[MAX_WRITERS];
    atomic_bool recording;
    uint64_t n_recovered, n_from_rings, n_checked, n_expired;
    uint64_t worst_recovery;            /* ns. */
};

static struct shared *shared;
static unsigned int n_writers = 2;
static const char *dir;
static struct multilog *ml;
static atomic_bool stop;

static void OVS_NO_RETURN
fail(const char *what, unsigned int writer, uint64_t expected, uint64_t found)
{
    printf("FAIL: %s: writer %u, expected %"PRIu64", found %"PRIu64"\n", what,
           writer, expected, found);
    fflush(stdout);
    _exit(3);
}

static void
put32(uint8_t *p, uint32_t x)
{
    ovs_be32 be = htonl(x);

    memcpy(p, &be, sizeof be);
}

static uint32_t
scramble(uint32_t x)
{
    return x * UINT32_C(2654435761) ^ x >> 15;
}

/* Of 16 flows per writer, or with IPv6 so that it takes two slots. */
static size_t
make_packet(uint8_t p[80], unsigned int id, uint32_t seq)
{
    bool v6 = !(seq % 5);
    uint8_t *tcp = p + (v6 ? 54 : 34);

    memset(p, 0, 80);
    if (v6) {
        p[12] = 0x86;
        p[13] = 0xdd;
        p[14] = 0x60;
        p[19] = 20;
        p[20] = 6;
        put32(p + 34, id);
        put32(p + 50, seq % 16);
    } else {
        p[12] = 8;
        p[14] = 0x45;
        p[17] = 40;
        p[23] = 6;
        put32(p + 26, id);
        put32(p + 30, seq % 16);
    }
    put32(tcp + 4, seq);
    put32(tcp + 8, scramble(seq));
    tcp[12] = 0x50;
    return v6 ? 74 : 54;
}

static void *
writer_main(void *aux)
{
    unsigned int id = (uintptr_t) aux;
    struct mlog_ring *ring = NULL;
    uint32_t newest, n_batches = 0;
    bool stopping;

    atomic_read_relaxed(&shared->writers[id].published, &newest);
    do {
        struct mlog_capture_packet packets[BATCH_MAX];
        uint8_t bytes[BATCH_MAX][80];
        size_t n = 1 + (n_batches * 7 + id) % BATCH_MAX;
        uint64_t head, tail;

        if (n_batches++ % 3000 == 0) {
            mlog_capture_retire_ring(ring);
            ring = mlog_capture_create_ring(&ml->capture, "writer", 0, id);
        }
        for (size_t i = 0; i < n; i++) {
            size_t size = make_packet(bytes[i], id, newest + 1 + i);

            packets[i] = (struct mlog_capture_packet) {
                .data = bytes[i], .size = size, .in_port = id,
                .l4_ofs = MLOG_NO_OFFSET,
            };
        }
        atomic_store_relaxed(&shared->writers[id].begun, newest + n);
        mlog_capture_batch(ring, packets, n, 1, 0);
        newest += n;
        atomic_store_explicit(&shared->writers[id].published, newest,
                              memory_order_release);

        /* So that nothing is lost for lack of room. */
        do {
            atomic_read_relaxed(&stop, &stopping);
            atomic_read_relaxed(&ring->tail, &tail);
            atomic_read_relaxed(&ring->head, &head);
        } while (!stopping && tail - head > ring->mask / 2 && !sched_yield());
    } while (!stopping);
    mlog_capture_retire_ring(ring);
    return NULL;
}

static void
check_record(const struct mlog_record *record, uint32_t newest[])
{
    bool v6 = record->key->dl_type == 0x86dd;
    uint32_t id = ntohl(record->key->src[3]);
    uint32_t seq = record->row->tcp_seq;

    if (id >= n_writers || v6 != !(seq % 5)
        || ntohl(record->key->dst[3]) != seq % 16
        || record->row->tcp_ack != scramble(seq)
        || mlog_row_pkt_len(record->row) != (v6 ? 74 : 54)) {
        fail("torn", id, seq % 16, ntohl(record->key->dst[3]));
    }
    if (newest[id] && seq != newest[id] + 1) {
        fail("once, in order", id, newest[id] + 1, seq);
    }
    newest[id] = seq;
}

/* Returns the number of records. */
static uint64_t
check_snapshot(const struct mlog_snapshot *snapshot, uint32_t newest[])
{
    uint64_t n = 0;

    for (size_t i = 0; i < snapshot->n_segments; i++) {
        const struct mlog_snapshot_segment *s = &snapshot->segments[i];
        struct mlog_row rows[1024];

        for (uint32_t start = 0; start < s->n_rows;
             start += ARRAY_SIZE(rows)) {
            uint32_t n_rows = MIN(ARRAY_SIZE(rows), s->n_rows - start);

            mlog_segment_rows(s->segment, start, n_rows, rows);
            for (uint32_t j = 0; j < n_rows; j++) {
                struct mlog_record record = {
                    .key = mlog_segment_key(snapshot->flows, s->segment,
                                            rows[j].flow),
                    .row = &rows[j],
                };

                check_record(&record, newest);
            }
        }
        n += s->n_rows;
    }
    return n;
}

static void
check_accounts(uint64_t n_held)
{
    struct multilog_status status;

    multilog_get_status(ml, &status);
    if (status.n_lost || status.recovery.n_lost
        || status.recovery.n_damaged_rings) {
        fail("lost", 0, 0, status.n_lost);
    }
    if (status.n_captured != n_held + status.log.n_expired
        || status.n_pending) {
        fail("accounts", 0, n_held + status.log.n_expired,
             status.n_captured);
    }
    shared->n_recovered += status.recovery.n_records;
    shared->n_from_rings += status.recovery.from_rings;
    shared->n_checked += n_held;
    shared->n_expired = status.log.n_expired;
    shared->worst_recovery = MAX(shared->worst_recovery,
                                 status.recovery.took);
    multilog_status_destroy(&status);
}

static void
check(void)
{
    uint32_t newest[MAX_WRITERS] = { 0 };
    struct mlog_snapshot snapshot;

    if (mlog_store_is_volatile(ml->store)) {
        fail("store is volatile", 0, 0, 1);
    }
    if (mlog_digest_cut(ml->digest, &snapshot)) {
        fail("cut timed out", 0, 0, 0);
    }
    uint64_t n = check_snapshot(&snapshot, newest);
    mlog_snapshot_release(&snapshot);
    for (unsigned int id = 0; id < n_writers; id++) {
        uint32_t published, begun;

        atomic_read_relaxed(&shared->writers[id].published, &published);
        atomic_read_relaxed(&shared->writers[id].begun, &begun);
        if (newest[id] < published) {
            fail("published", id, published, newest[id]);
        } else if (newest[id] > begun) {
            fail("no other", id, begun, newest[id]);
        }
        atomic_store_relaxed(&shared->writers[id].published, newest[id]);
    }
    check_accounts(n);
}

/* Recovers, checks, records.  With 'seconds', ends by itself then. */
static void
child(unsigned int round, double seconds)
{
    pthread_t threads[MAX_WRITERS];

    /* Budget and size of rings change from round to round. */
    ml = multilog_create(dir, (UINT64_C(48) + round % 3 * 32) << 20,
                         (1u << 13) << round % 4);
    ovsrcu_quiesce_start();
    check();
    atomic_store(&shared->recording, true);
    for (unsigned int i = 0; i < n_writers; i++) {
        threads[i] = ovs_thread_create("writer", writer_main,
                                       (void *) (uintptr_t) i);
    }
    if (seconds) {
        usleep(seconds * 1e6);
    } else {
        pause();
    }
    atomic_store_relaxed(&stop, true);
    for (unsigned int i = 0; i < n_writers; i++) {
        xpthread_join(threads[i], NULL);
    }
    multilog_destroy(ml);
}

/* Returns false if the child found something wrong. */
static bool
run_round(unsigned int round)
{
    bool graceful = round % 16 == 15;
    int status;

    atomic_store(&shared->recording, false);
    pid_t pid = fork();
    if (!pid) {
        child(round, graceful ? 0.02 : 0);
        _exit(0);
    }
    if (!graceful) {
        /* Sometimes it is killed while it recovers. */
        bool early = round % 8 == 3;
        bool recording;

        do {
            usleep(early ? random_range(20000) : 100);
            atomic_read(&shared->recording, &recording);
            if (waitpid(pid, &status, WNOHANG) == pid) {
                return false;
            }
        } while (!recording && !early);
        usleep(random_range(60000));
        kill(pid, SIGKILL);
    }
    return (waitpid(pid, &status, 0) == pid
            && (graceful ? WIFEXITED(status) && !WEXITSTATUS(status)
                : WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL));
}

int
main(int argc, char *argv[])
{
    unsigned int n_rounds = argc > 1 ? atoi(argv[1]) : 50;
    uint32_t seed = argc > 3 ? atoi(argv[3]) : time(NULL);
    char template[] = "/dev/shm/stress-crash.XXXXXX";
    uint64_t n_published = 0;
    bool ok = true;
    unsigned int i;

    set_program_name(argv[0]);
    vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_WARN);
    n_writers = argc > 2 ? MIN(MAX(atoi(argv[2]), 1), MAX_WRITERS) : 2;
    dir = argc > 4 ? argv[4] : mkdtemp(template);
    random_set_seed(seed | 1);
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    for (i = 0; ok && i < n_rounds; i++) {
        ok = run_round(i);
    }
    for (unsigned int id = 0; id < n_writers; id++) {
        uint32_t n;

        atomic_read_relaxed(&shared->writers[id].published, &n);
        n_published += n;
    }
    printf("%u rounds, seed %"PRIu32": %"PRIu64" records published, %"PRIu64
           " checked after recovery, %"PRIu64" of them from rings, %"PRIu64
           " expired, worst recovery %.1f ms\n", i, seed, n_published,
           shared->n_checked, shared->n_from_rings, shared->n_expired,
           shared->worst_recovery / 1e6);
    if (argc <= 4) {
        char *command = xasprintf("rm -rf '%s'", dir);

        ignore(system(command));
        free(command);
    }
    printf("%s\n", ok ? "every published record was recovered, once" : "FAIL");
    return !ok;
}
