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
 * memory that it shares with the parent.  In some rounds writers don't mind
 * whether there is room in their rings, so that batches are lost.  Checked
 * (G9):
 *
 *   published   every record that was published is there;
 *   once        exactly once, and in its writer's order;
 *   whole       no record is torn;
 *   no other    nothing that wasn't at least being published is there;
 *   lost        every loss is counted, once, and is in a gap;
 *   accounts    captured = held + expired + lost, and what is not there has
 *               expired, from the oldest on. */

#include <config.h>

#include <getopt.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "mlog-clock.h"
#include "mlog-expr.h"
#include "multilog.h"
#include "openvswitch/vlog.h"
#include "ovs-rcu.h"
#include "ovs-thread.h"
#include "random.h"
#include "stress.h"
#include "util.h"

#define MAX_WRITERS 8
#define BATCH_MAX 32

/* What the processes of all rounds share. */
struct shared {
    struct {
        atomic_uint32_t published;      /* Newest that is published... */
        atomic_uint32_t begun;          /* ...and that may be. */
        atomic_uint64_t lost;           /* Records, in this round... */
        atomic_uint64_t in_hand;        /* ...or with these, being written. */
    } writers[MAX_WRITERS];
    atomic_bool recording;
    uint64_t n_lost;                    /* In earlier rounds. */
    uint64_t n_recovered, n_from_rings, n_checked, n_expired;
    uint64_t worst_recovery;            /* ns. */
};

static struct shared *shared;
static unsigned int n_rounds = 1000000;
static unsigned int n_writers = 2;
static unsigned int digest_threads = 1;
static double seconds = 1e9;
static uint32_t seed;
static unsigned int budget = 48;        /* MiB. */
static const char *dir;
static struct multilog *ml;
static unsigned int round_number;
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

/* There are new flows now and then, so that old ones can go. */
static uint32_t
flow_number(uint32_t seq)
{
    return (seq >> 10) * 16 + seq % 16;
}

/* One in 5 is IPv6, which takes two slots. */
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
        put32(p + 50, flow_number(seq));
    } else {
        p[12] = 8;
        p[14] = 0x45;
        p[17] = 40;
        p[23] = 6;
        put32(p + 26, id);
        put32(p + 30, flow_number(seq));
    }
    put32(tcp + 4, seq);
    put32(tcp + 8, scramble(seq));
    tcp[12] = 0x50;
    return v6 ? 74 : 54;
}

static bool
is_stopping(void)
{
    bool stopping;

    atomic_read_relaxed(&stop, &stopping);
    return stopping;
}

/* Room for any batch. */
static void
wait_for_room(struct mlog_ring *ring)
{
    uint64_t head, tail;

    do {
        atomic_read_relaxed(&ring->tail, &tail);
        atomic_read_relaxed(&ring->head, &head);
    } while (tail - head + 1 + BATCH_MAX * MLOG_PACKET_SLOTS_MAX > ring->mask
             && !is_stopping() && !sched_yield());
}

/* Appends 'n' records after 'newest', of writer 'id', if there is room.
 * Returns the newest that there is then. */
static uint32_t
append(struct mlog_ring *ring, unsigned int id, uint32_t newest, size_t n)
{
    struct mlog_capture_packet packets[BATCH_MAX];
    uint8_t bytes[BATCH_MAX][80];
    uint64_t before, after, lost;

    for (size_t i = 0; i < n; i++) {
        size_t size = make_packet(bytes[i], id, newest + 1 + i);

        packets[i] = (struct mlog_capture_packet) {
            .data = bytes[i], .size = size, .in_port = id,
            .l4_ofs = MLOG_NO_OFFSET,
        };
    }

    atomic_read_relaxed(&ring->n_lost, &before);
    atomic_store_relaxed(&shared->writers[id].begun, newest + n);
    atomic_store_relaxed(&shared->writers[id].in_hand, n);
    mlog_capture_batch(ring, packets, n, 1, 0);
    atomic_read_relaxed(&ring->n_lost, &after);
    if (after == before) {
        newest += n;
        atomic_store_explicit(&shared->writers[id].published, newest,
                              memory_order_release);
    } else {
        atomic_read_relaxed(&shared->writers[id].lost, &lost);
        atomic_store_relaxed(&shared->writers[id].lost, lost + n);
    }
    atomic_store_relaxed(&shared->writers[id].in_hand, 0);
    return newest;
}

static void *
writer_main(void *aux)
{
    unsigned int id = (uintptr_t) aux;
    unsigned int batches_per_ring = 100u << round_number % 6;
    bool careful = round_number % 4 != 1;
    struct mlog_ring *ring = NULL;
    uint32_t newest;

    atomic_read_relaxed(&shared->writers[id].published, &newest);
    for (uint32_t i = 0; !is_stopping(); i++) {
        if (!(i % batches_per_ring)) {
            mlog_capture_retire_ring(ring);
            ring = mlog_capture_create_ring(&ml->capture, "writer", 0, id);
        }
        if (!ring) {
            fail("no ring", id, 0, 0);
        }
        if (careful) {
            wait_for_room(ring);
        } else if (!(i % 64)) {
            sched_yield();
        }
        newest = append(ring, id, newest, 1 + (i * 7 + id) % BATCH_MAX);
    }
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
        || ntohl(record->key->dst[3]) != flow_number(seq)
        || record->row->tcp_ack != scramble(seq)
        || mlog_row_pkt_len(record->row) != (v6 ? 74 : 54)) {
        fail("torn", id, flow_number(seq), ntohl(record->key->dst[3]));
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

        if (!mlog_snapshot_enter(snapshot, i)) {
            fail("refused", 0, 0, i);
        }
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
        mlog_snapshot_leave(snapshot, i);
        n += s->n_rows;
    }
    return n;
}

/* What writers have lost, and what was being written when they were killed and
 * may be lost. */
static void
check_lost(const struct multilog_status *status, uint64_t in_gaps)
{
    uint64_t min = shared->n_lost, max = shared->n_lost;

    for (unsigned int id = 0; id < n_writers; id++) {
        uint64_t lost, in_hand;

        atomic_read_relaxed(&shared->writers[id].lost, &lost);
        atomic_read_relaxed(&shared->writers[id].in_hand, &in_hand);
        min += lost;
        max += lost + in_hand;
    }
    if (status->n_lost < min || status->n_lost > max) {
        fail("lost", 0, status->n_lost < min ? min : max, status->n_lost);
    } else if (in_gaps != status->n_lost) {
        fail("gaps", 0, status->n_lost, in_gaps);
    }
    for (unsigned int id = 0; id < n_writers; id++) {
        atomic_store_relaxed(&shared->writers[id].lost, 0);
        atomic_store_relaxed(&shared->writers[id].in_hand, 0);
    }
    shared->n_lost = status->n_lost;
}

static void
check_accounts(uint64_t n_held, uint64_t in_gaps)
{
    struct multilog_status status;

    multilog_get_status(ml, &status);
    check_lost(&status, in_gaps);
    uint64_t sum = n_held + status.log.n_expired + status.n_lost;
    if (status.n_captured != sum || status.n_pending) {
        fail("accounts", 0, sum, status.n_captured);
    }
    shared->n_recovered += status.recovery.n_records;
    shared->n_from_rings += status.recovery.from_rings;
    shared->n_checked += n_held;
    shared->n_expired = status.log.n_expired;
    shared->worst_recovery = MAX(shared->worst_recovery,
                                 status.recovery.took);
    multilog_status_destroy(&status);
}

/* What was in rings may take longer than a cut waits. */
static void
take_cut(struct mlog_snapshot *snapshot)
{
    for (int i = 0; mlog_digest_cut(ml->digest, snapshot); i++) {
        mlog_snapshot_release(snapshot);
        if (i >= 30) {
            fail("cut timed out", 0, 0, 0);
        }
    }
}

static void
check(void)
{
    uint32_t newest[MAX_WRITERS] = { 0 };
    struct mlog_snapshot snapshot;

    if (mlog_store_is_volatile(ml->store)) {
        fail("store is volatile", 0, 0, 1);
    }
    if (ml->recovery.n_lost) {
        fail("lost in recovery", 0, 0, ml->recovery.n_lost);
    } else if (ml->recovery.n_damaged_rings) {
        fail("damaged rings", 0, 0, ml->recovery.n_damaged_rings);
    }
    take_cut(&snapshot);
    uint64_t n = check_snapshot(&snapshot, newest);
    uint64_t in_gaps = mlog_snapshot_gaps(&snapshot, 0, UINT64_MAX);
    bool expired = snapshot.n_expired > 0;
    mlog_snapshot_release(&snapshot);
    for (unsigned int id = 0; id < n_writers; id++) {
        uint32_t published, begun;

        atomic_read_relaxed(&shared->writers[id].published, &published);
        atomic_read_relaxed(&shared->writers[id].begun, &begun);
        if (!newest[id] && expired) {
            /* All of this writer's, which got little done. */
            newest[id] = published;
        }
        if (newest[id] < published) {
            fail("published", id, published, newest[id]);
        } else if (newest[id] > begun) {
            fail("no other", id, begun, newest[id]);
        }
        atomic_store_relaxed(&shared->writers[id].published, newest[id]);
    }
    check_accounts(n, in_gaps);
}

/* Something for the digest's threads to do. */
static void
add_filters(void)
{
    static const char *const filter[] = { "all", "tcp" };
    static const char *const aggregates[][4] = {
        { "by-source", "all", "count", "group-by=ipv6_src" },
        { "by-destination", "all", "sum(pkt_len)", "group-by=nw_dst" },
    };
    struct mlog_error error = MLOG_ERROR_INITIALIZER;
    const char *where;

    mlog_digest_lock(ml->digest);
    ovs_assert(mlog_stream_add_filter(ml->stream, filter, 2, &error, &where));
    for (size_t i = 0; i < ARRAY_SIZE(aggregates); i++) {
        ovs_assert(mlog_stream_add_aggregate(ml->stream, aggregates[i], 4,
                                             &error, &where));
    }
    mlog_digest_unlock(ml->digest);
}

/* Recovers, checks, records.  If 'graceful', ends by itself soon. */
static void
child(bool graceful)
{
    pthread_t threads[MAX_WRITERS];

    /* Budget and size of rings change from round to round. */
    ml = multilog_create(dir, (uint64_t) budget * (3 + round_number % 3)
                              * 1024 * 1024 / 3,
                         (1u << 13) << round_number % 4);
    ovsrcu_quiesce_start();
    check();
    if (digest_threads > 1) {
        /* The next process starts with as many. */
        multilog_set_digest_threads(ml, 1 + round_number % digest_threads);
        add_filters();
    }
    atomic_store(&shared->recording, true);
    for (unsigned int i = 0; i < n_writers; i++) {
        threads[i] = ovs_thread_create("writer", writer_main,
                                       (void *) (uintptr_t) i);
    }
    if (graceful) {
        usleep(20000);
    } else {
        pause();
    }
    atomic_store_relaxed(&stop, true);
    for (unsigned int i = 0; i < n_writers; i++) {
        xpthread_join(threads[i], NULL);
    }
    multilog_destroy(ml);
}

/* Whether the child ended as it should; if it found something wrong it has
 * said so itself. */
static bool
ended_well(int status, bool graceful)
{
    if (WIFSIGNALED(status) && (graceful || WTERMSIG(status) != SIGKILL)) {
        printf("FAIL: crashed (%s)\n", strsignal(WTERMSIG(status)));
    }
    return (graceful ? WIFEXITED(status) && !WEXITSTATUS(status)
            : WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* Returns false if something is wrong. */
static bool
run_round(void)
{
    bool graceful = round_number % 16 == 15;
    int status;

    atomic_store(&shared->recording, false);
    pid_t pid = fork();
    if (!pid) {
        child(graceful);
        _exit(0);
    }
    if (!graceful) {
        /* Sometimes it is killed while it recovers. */
        bool early = round_number % 8 == 3;
        bool recording;

        do {
            usleep(early ? random_range(20000) : 100);
            atomic_read(&shared->recording, &recording);
            if (waitpid(pid, &status, WNOHANG) == pid) {
                return ended_well(status, graceful);
            }
        } while (!recording && !early);
        usleep(random_range(60000));
        kill(pid, SIGKILL);
    }
    return waitpid(pid, &status, 0) == pid && ended_well(status, graceful);
}

static void
report(void)
{
    uint64_t n_published = 0;

    for (unsigned int id = 0; id < n_writers; id++) {
        uint32_t n;

        atomic_read_relaxed(&shared->writers[id].published, &n);
        n_published += n;
    }
    printf("%u rounds, seed %"PRIu32": %"PRIu64" records published, %"PRIu64
           " checked after recovery, %"PRIu64" of them from rings, %"PRIu64
           " expired, %"PRIu64" lost for lack of room, worst recovery "
           "%.1f ms\n", round_number, seed, n_published, shared->n_checked,
           shared->n_from_rings, shared->n_expired, shared->n_lost,
           shared->worst_recovery / 1e6);
}

static void OVS_NO_RETURN
usage(int status)
{
    printf("usage: stress-crash [OPTION]... [ROUNDS]\n"
           "  --seconds=N     at most this long\n"
           "  --seed=N        of the random numbers [the time]\n"
           "  --writers=N     up to %d [2]\n"
           "  --digest-threads=N  up to %d, another number each time [1]\n"
           "  --budget=N      MiB, in every third round [48]\n"
           "  --directory=DIR [a new one below /dev/shm]\n", MAX_WRITERS,
           MLOG_LANES_MAX);
    exit(status);
}

static void
parse_options(int argc, char *argv[])
{
    static const struct option long_options[] = {
        { "seconds", required_argument, NULL, 't' },
        { "seed", required_argument, NULL, 's' },
        { "writers", required_argument, NULL, 'w' },
        { "digest-threads", required_argument, NULL, 'D' },
        { "budget", required_argument, NULL, 'b' },
        { "directory", required_argument, NULL, 'd' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    int c;

    while ((c = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        switch (c) {
        case 't': seconds = parse_number(optarg, 1000000); break;
        case 's': seed = parse_number(optarg, UINT32_MAX); break;
        case 'w': n_writers = parse_number(optarg, MAX_WRITERS); break;
        case 'D':
            digest_threads = parse_number(optarg, MLOG_LANES_MAX);
            break;
        case 'b': budget = parse_number(optarg, 1u << 20); break;
        case 'd': dir = optarg; break;
        case 'h': usage(0);
        default: usage(2);
        }
    }
    if (optind < argc) {
        n_rounds = parse_number(argv[optind++], 1u << 30);
    } else if (seconds == 1e9) {
        n_rounds = 50;
    }
    if (optind < argc) {
        usage(2);
    }
}

int
main(int argc, char *argv[])
{
    char template[] = "/dev/shm/stress-crash.XXXXXX";
    char *remove = NULL;
    bool ok = true;

    set_program_name(argv[0]);
    vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_WARN);
    seed = time(NULL);
    parse_options(argc, argv);
    if (!dir) {
        dir = mkdtemp(template);
        remove = xasprintf("rm -rf '%s'", dir);
    }
    random_set_seed(seed | 1);
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    time_t end = time(NULL) + seconds;
    while (ok && round_number < n_rounds && time(NULL) < end) {
        ok = run_round();
        round_number++;
    }
    report();
    if (remove) {
        ignore(system(remove));
        free(remove);
    }
    printf("%s\n", ok ? "every published record was recovered, once" : "FAIL");
    return !ok;
}
