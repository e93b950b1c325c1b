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

/* Many short histories of the real thing, each checked exactly.
 *
 * Writers, each with a capture ring of its own, append batches; the digest
 * digests; readers take cuts.  What each operation did, and when it began and
 * ended, is a history, which must be linearizable: see history.h.  Besides,
 * each cut has whole batches only, and what was derived agrees with the rows
 * of the same cut: counters of filters, aggregates, flows, segments' lists of
 * flows, alerts, gaps.
 *
 * A history is a round: all threads begin at once, and a last cut, taken when
 * they are through, must have everything.  In between, at random: rings are
 * retired and new ones taken; threads end and others take their place; threads
 * sleep; signal handlers stop writers, readers and the digest anywhere;
 * writers outrun the digest, so that batches are lost; readers keep snapshots
 * for many rounds, while the segments in them expire and flow indexes are used
 * again, and look at each row then.  With --pin-bound, segments are taken away
 * from readers soon: these must be refused them, or see them as they were.
 *
 * Each round's random numbers are a function of the seed and of the round's
 * number, so --seed and --first repeat what the threads of a round intend to
 * do, if not how they meet. */

#include <config.h>

#include <getopt.h>
#include <pthread.h>
#include <stdarg.h>

#include "openvswitch/dynamic-string.h"
#include "ovs-rcu.h"
#include "ovs-thread.h"
#include "stress-history.h"
#include "util.h"

#define RING_SLOTS 4096         /* The fewest there can be. */
#define HOLD_ROUNDS_MAX 8192
#define HOLD_ROUNDS_BOUNDED 16  /* With --pin-bound. */

struct multilog *ml;
uint32_t round_number;
static struct history history;
static bool failing;            /* Somebody reports a failure already. */

struct options options = {
    .seed = 1, .histories = 50000, .seconds = 1e9,
    .writers = 3, .readers = 2, .batches = 4, .cuts = 3, .turnover = 64,
    .digest_threads = 1,
};

/* A thread of a round. */
struct worker {
    pthread_t thread;
    unsigned int id;            /* Of the writer, or of the reader. */
    bool is_writer;
    bool ending;                /* It ends with this round. */
    struct rng rng;

    /* Writers. */
    struct mlog_ring *ring;
    atomic_uint32_t returned;   /* Appends of this round. */
    uint8_t (*bytes)[PACKET_MAX];

    /* Readers. */
    struct mlog_snapshot *held;
    uint32_t held_in;           /* Round. */
    uint64_t held_since;        /* CLOCK_MONOTONIC, ns. */
    uint32_t hold_until;        /* Round; 0: nothing is held. */
};

static struct worker writers[HISTORY_MAX_THREADS];
static struct worker readers[HISTORY_MAX_THREADS + 1];  /* The last: main. */
static unsigned int n_writing, n_reading;       /* Of this round. */
static atomic_bool stop;
static pthread_barrier_t round_start, round_end;

/* Statistics, for the last line. */
static struct {
    uint64_t appends, cuts, records, lost, held;
    atomic_uint64_t rings, threads, signals, timeouts, refused;
} n;

static void
count(atomic_uint64_t *counter)
{
    uint64_t old;

    atomic_add_relaxed(counter, 1, &old);
}

static uint64_t
counted(atomic_uint64_t *counter)
{
    uint64_t value;

    atomic_read_relaxed(counter, &value);
    return value;
}

void
fail(const char *format, ...)
{
    struct ds s = DS_EMPTY_INITIALIZER;
    va_list args;

    while (__sync_lock_test_and_set(&failing, true)) {
        pause();
    }
    va_start(args, format);
    ds_put_format_valist(&s, format, args);
    va_end(args);
    printf("FAIL: history %"PRIu32", seed %"PRIu32": %s\n", round_number,
           options.seed, ds_cstr(&s));
    ds_clear(&s);
    history_format(&history, 200, &s);
    fputs(ds_cstr(&s), stdout);
    fflush(stdout);
    _exit(1);
}

static void
pause_between(struct rng *rng)
{
    uint32_t x = rng_next(rng, 32);

    if (x < 4) {
        spin(rng_next(rng, 10000));
    } else if (x < 8) {
        sched_yield();
    } else if (x < 9) {
        nap(rng_next(rng, 100000));
    }
}

/* While others write and take cuts, too. */
static void
change_digest_threads(struct rng *rng)
{
    multilog_set_digest_threads(ml, 1 + rng_next(rng,
                                                 options.digest_threads));
}

/* Interrupts a writer, or the digest, which is the one thread that lets
 * SIGUSR2 through. */
static void
disturb(struct rng *rng)
{
    if (one_in(rng, 2) && n_writing) {
        pthread_kill(writers[rng_next(rng, n_writing)].thread, SIGUSR1);
        count(&n.signals);
    } else if (one_in(rng, 3)) {
        kill(getpid(), SIGUSR2);
        count(&n.signals);
    }
}

/* Writers. */

static uint64_t
ring_lost(struct mlog_ring *ring)
{
    uint64_t lost;

    atomic_read_relaxed(&ring->n_lost, &lost);
    return lost;
}

static void
let_go_of_ring(struct worker *w)
{
    mlog_capture_retire_ring(w->ring);
    w->ring = NULL;
}

static void
take_ring(struct worker *w)
{
    if (!w->ring) {
        w->ring = mlog_capture_create_ring(&ml->capture, "writer", 0, w->id);
        if (!w->ring) {
            fail("no memory for a ring");
        }
        count(&n.rings);
    }
}

static uint32_t
batch_size(struct rng *rng, bool burst)
{
    return (burst ? MLOG_BATCH_MAX
            : one_in(rng, 4) ? 9 + rng_next(rng, 24)
            : 1 + rng_next(rng, 8));
}

static void
append(struct worker *w, bool burst)
{
    uint32_t i = history.n_appends[w->id];
    struct content c = {
        .writer = w->id, .batch = round_number * options.batches + i,
        .n = batch_size(&w->rng, burst), .wide = burst,
    };
    struct mlog_capture_packet packets[MLOG_BATCH_MAX];

    take_ring(w);
    for (c.index = 0; c.index < c.n; c.index++) {
        make_packet(w->bytes[c.index], &c);
        packets[c.index] = (struct mlog_capture_packet) {
            .data = w->bytes[c.index], .size = content_len(&c),
            .in_port = w->id, .l4_ofs = c.wide ? 228 : 34,
        };
    }

    struct history_append *a = history_add_append(&history, w->id);
    uint64_t lost = ring_lost(w->ring);
    a->n_records = c.n;
    for (unsigned int v = 0; v < options.writers; v++) {
        atomic_read_explicit(&writers[v].returned, &a->seen[v],
                             memory_order_acquire);
    }
    a->invoked = stamp();
    mlog_capture_batch(w->ring, packets, c.n, 1, 0);
    a->returned = stamp();
    a->lost = ring_lost(w->ring) != lost;
    atomic_store_explicit(&w->returned, i + 1, memory_order_release);
    if (a->lost && ring_lost(w->ring) != lost + c.n) {
        fail("of %"PRIu32" records %"PRIu64" were lost", c.n,
             ring_lost(w->ring) - lost);
    }
}

static void
write_round(struct worker *w)
{
    uint32_t n_batches = 1 + rng_next(&w->rng, options.batches);
    bool burst = one_in(&w->rng, 64);

    for (uint32_t i = 0; i < n_batches; i++) {
        if (!burst) {
            pause_between(&w->rng);
        }
        append(w, burst);
        if (one_in(&w->rng, options.turnover)) {
            let_go_of_ring(w);
        }
    }
}

/* Readers. */

static void
add_to_flow(struct flow *flow, const struct row *row)
{
    if (!flow->packets) {
        flow->index = row->flow;
        flow->first = row->time;
    } else if (flow->index != row->flow) {
        fail("flow: one flow has the indexes %"PRIu32" and %"PRIu32,
             flow->index, row->flow);
    }
    flow->packets++;
    flow->bytes += row->len;
    flow->last = row->time;
}

static uint64_t
monotonic_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * UINT64_C(1000000000) + ts.tv_nsec;
}

/* Segments of a snapshot that was taken after 'since' have been taken away,
 * which must not be before it has had its time. */
static void
count_refused(size_t n_refused, uint64_t since)
{
    uint64_t bound = (options.pin_bound ? options.pin_bound * UINT64_C(1000)
                      : MLOG_PIN_BOUND_NS);
    uint64_t old;

    if (n_refused && monotonic_ns() - since < bound) {
        fail("refused: a segment was taken away too early");
    }
    atomic_add_relaxed(&n.refused, n_refused, &old);
}

/* Returns false if a segment was taken away meanwhile. */
static bool
read_round(const struct mlog_snapshot *snapshot, struct history_cut *cut,
           struct reading *r)
{
    struct cursor cursor = cursor_at(snapshot, before.rows);
    struct row row, previous = no_row;

    if (snapshot->n_expired > before.rows) {
        fail("rows of this round have expired: the budget is too small");
    }
    while (cursor_next(&cursor, &row)) {
        const struct content *c = &row.content;

        check_row(&row, &previous);
        if (row.round != round_number) {
            fail("batch %"PRIu32" of writer %"PRIu32" is of another round",
                 c->batch, c->writer);
        }
        if (!c->index
            && !history_cut_add(&history, cut, c->writer * options.batches
                                + c->batch % options.batches, row.time)) {
            fail("batch %"PRIu32" of writer %"PRIu32" is there twice, or was "
                 "of another time before", c->batch, c->writer);
        }
        totals_add(&r->totals, c);
        add_to_flow(&r->flows[c->writer][c->index % 2], &row);
        previous = row;
    }
    if (cursor.refused) {
        return false;
    }
    check_last_row(&previous);
    r->time = previous.time;
    return true;
}

/* Snapshots that are kept. */

static void
release_snapshot(struct mlog_snapshot *snapshot)
{
    mlog_snapshot_release(snapshot);
    free(snapshot);
}

static void
let_go_of_snapshot(struct worker *reader)
{
    if (reader->hold_until) {
        /* Long enough for the bound to pass, and then a pass of the digest. */
        uint32_t linger = (options.pin_bound
                           ? options.pin_bound * 1000 + 15000000 : 0);

        count_refused(check_snapshot(reader->held, reader->held_in,
                                     &reader->rng, linger),
                      reader->held_since);
        release_snapshot(reader->held);
        reader->hold_until = 0;
    }
}

/* Keeps 'snapshot', which is this function's then, for some rounds, or
 * releases it. */
static void
keep_or_release(struct worker *reader, struct mlog_snapshot *snapshot)
{
    uint32_t max = options.pin_bound ? HOLD_ROUNDS_BOUNDED : HOLD_ROUNDS_MAX;

    if (reader->hold_until || !one_in(&reader->rng,
                                      options.pin_bound ? 2 : 16)) {
        release_snapshot(snapshot);
        return;
    }
    uint32_t rounds = 1 + rng_next(&reader->rng, max);
    reader->held = snapshot;
    reader->held_in = round_number;
    reader->held_since = monotonic_ns();
    reader->hold_until = round_number + (one_in(&reader->rng, 2)
                                         ? rounds : rounds / 16);
    __sync_fetch_and_add(&n.held, 1);
}

/* Cuts. */

static uint64_t
n_lost(const struct mlog_snapshot *snapshot)
{
    return mlog_snapshot_gaps(snapshot, 0, UINT64_MAX) - before.lost;
}

/* A cut that timed out, because a thread was kept from running for a second,
 * promises no more than one that didn't wait. */
static void
timed_out(struct history_cut *cut)
{
    cut->fresh = false;
    count(&n.timeouts);
    if (counted(&n.timeouts) > 20 + round_number / 100) {
        fail("too many cuts time out");
    }
}

/* A snapshot that was taken after 'since'. */
static void
finish_cut(struct worker *reader, struct history_cut *cut,
           struct mlog_snapshot *snapshot, uint64_t since)
{
    struct reading r = { .time = 0 };

    cut->returned = stamp();
    cut->time = snapshot->cut;
    cut->n_lost = n_lost(snapshot);
    if (!read_round(snapshot, cut, &r)) {
        /* The latest of this reader's. */
        count_refused(1, since);
        history.n_cuts[reader->id]--;
    }
    keep_or_release(reader, snapshot);
}

static void
take_cut(struct worker *reader)
{
    struct history_cut *cut = history_add_cut(&history, reader->id);
    uint64_t since = monotonic_ns();
    struct mlog_snapshot *snapshot = xmalloc(sizeof *snapshot);

    cut->fresh = true;
    cut->invoked = stamp();
    if (mlog_digest_cut(ml->digest, snapshot)) {
        timed_out(cut);
    }
    finish_cut(reader, cut, snapshot, since);
}

/* Takes what was published last, as it is. */
static void
take_stale_cut(struct worker *reader)
{
    struct history_cut *cut = history_add_cut(&history, reader->id);
    uint64_t since = monotonic_ns();
    struct mlog_snapshot *snapshot = xmalloc(sizeof *snapshot);

    cut->invoked = stamp();
    mlog_snapshot_take(ml->log, snapshot);
    finish_cut(reader, cut, snapshot, since);
}

static void
take_locked_cut(struct worker *reader)
{
    struct history_cut *cut = history_add_cut(&history, reader->id);
    uint64_t start = mlog_clock_system();
    struct reading r = { .time = 0 };
    struct mlog_snapshot *snapshot = xmalloc(sizeof *snapshot);

    cut->fresh = true;
    cut->invoked = stamp();
    cut->time = mlog_digest_lock(ml->digest);
    mlog_snapshot_take(ml->log, snapshot);
    cut->returned = stamp();
    if (mlog_clock_system() - start > 1000000000) {
        timed_out(cut);
    }
    if (snapshot->cut != cut->time) {
        fail("the digest is locked at %"PRIu64", a snapshot is of %"PRIu64,
             cut->time, snapshot->cut);
    }
    cut->n_lost = n_lost(snapshot);
    if (!read_round(snapshot, cut, &r)) {
        fail("refused: while the digest is locked");
    }
    check_derived(snapshot, &r, &reader->rng);
    mlog_digest_unlock(ml->digest);
    keep_or_release(reader, snapshot);
}

static void
read_some(struct worker *reader)
{
    uint32_t n_cuts = 1 + rng_next(&reader->rng, options.cuts);

    if (reader->hold_until && reader->hold_until <= round_number) {
        let_go_of_snapshot(reader);
    }
    for (uint32_t i = 0; i < n_cuts; i++) {
        uint32_t x = rng_next(&reader->rng, 8);

        pause_between(&reader->rng);
        disturb(&reader->rng);
        if (options.digest_threads > 1 && one_in(&reader->rng, 200)) {
            change_digest_threads(&reader->rng);
        }
        if (x < 5) {
            take_cut(reader);
        } else if (x < 7) {
            take_locked_cut(reader);
        } else {
            take_stale_cut(reader);
        }
    }
}

/* Threads and rounds. */

static void *
worker_main(void *worker_)
{
    struct worker *worker = worker_;
    bool stopping;

    ovsrcu_quiesce_start();
    do {
        pthread_barrier_wait(&round_start);
        atomic_read_relaxed(&stop, &stopping);
        if (!stopping) {
            if (!worker->is_writer) {
                if (worker->id < n_reading) {
                    read_some(worker);
                }
            } else if (worker->id < n_writing) {
                write_round(worker);
            }
        }
        worker->ending = stopping || one_in(&worker->rng, 64);
        if (worker->ending && worker->is_writer) {
            let_go_of_ring(worker);
        }
        pthread_barrier_wait(&round_end);
    } while (!worker->ending);
    return NULL;
}

static void
start_worker(struct worker *worker)
{
    worker->ending = false;
    worker->thread = ovs_thread_create(worker->is_writer ? "writer" : "reader",
                                       worker_main, worker);
    count(&n.threads);
}

static void
for_each_worker(void (*function)(struct worker *))
{
    for (unsigned int i = 0; i < options.writers; i++) {
        function(&writers[i]);
    }
    for (unsigned int i = 0; i < options.readers; i++) {
        function(&readers[i]);
    }
}

static void
join_worker(struct worker *worker)
{
    if (worker->ending) {
        xpthread_join(worker->thread, NULL);
    }
}

static void
replace_worker(struct worker *worker)
{
    if (worker->ending) {
        join_worker(worker);
        start_worker(worker);
    }
}

static void
prepare_worker(struct worker *worker)
{
    rng_seed(&worker->rng, options.seed + (uint64_t) round_number * 1000003,
             worker->is_writer ? worker->id : 100 + worker->id);
    atomic_store_relaxed(&worker->returned, 0);
}

/* Adds up what this round has appended. */
static void
add_up(void)
{
    for (unsigned int i = 0; i < options.writers * options.batches; i++) {
        unsigned int w = i / options.batches, j = i % options.batches;
        const struct history_append *a = &history.appends[i];
        struct content c = {
            .writer = w, .batch = round_number * options.batches + j,
            .n = a->n_records,
            /* Sizes tell bursts: see batch_size(). */
            .wide = a->n_records == MLOG_BATCH_MAX,
        };

        if (j < history.n_appends[w]) {
            n.appends++;
            n.records += c.n;
            if (a->lost) {
                before.lost += c.n;
                n.lost += c.n;
                continue;
            }
            for (c.index = 0; c.index < c.n; c.index++) {
                totals_add(&before, &c);
            }
        }
    }
    for (unsigned int i = 0; i <= options.readers; i++) {
        n.cuts += history.n_cuts[i];
    }
}

/* Losses of a round are in gaps that a query for its time finds. */
static void
check_gaps(void)
{
    struct mlog_snapshot snapshot;
    uint64_t lost = before.lost;

    mlog_snapshot_take(ml->log, &snapshot);
    add_up();
    if (mlog_snapshot_gaps(&snapshot, before_time, snapshot.cut)
        < before.lost - lost) {
        fail("gaps of this history's time are of fewer than %"PRIu64
             " records", before.lost - lost);
    }
    before_time = snapshot.cut;
    mlog_snapshot_release(&snapshot);
}

static void
run_round(void)
{
    struct ds why = DS_EMPTY_INITIALIZER;
    struct worker *last = &readers[options.readers];

    alarm(120);
    history_clear(&history);
    for_each_worker(prepare_worker);
    prepare_worker(last);
    n_writing = 1 + rng_next(&last->rng, options.writers);
    n_reading = 1 + rng_next(&last->rng, options.readers);
    pthread_barrier_wait(&round_start);
    pthread_barrier_wait(&round_end);
    take_locked_cut(last);
    if (!history_check(&history, &why)) {
        fail("%s", ds_cstr(&why));
    }
    check_gaps();
    for_each_worker(replace_worker);
}

/* Setting up. */

static void
init_worker(struct worker *worker)
{
    worker->is_writer = (worker >= writers
                         && worker < writers + HISTORY_MAX_THREADS);
    worker->id = worker - (worker->is_writer ? writers : readers);
    atomic_init(&worker->returned, 0);
    if (worker->is_writer) {
        worker->bytes = xmalloc(MLOG_BATCH_MAX * sizeof *worker->bytes);
    }
}

/* The log holds one round whatever it is, and then some segments: per row 36
 * bytes, and its share of a flow. */
static size_t
budget(void)
{
    size_t round_rows = ((size_t) options.writers * options.batches
                         * MLOG_BATCH_MAX);
    size_t n_segments = DIV_ROUND_UP(round_rows, MLOG_SEGMENT_ROWS) + 2;

    return n_segments * (MLOG_SEGMENT_ROWS * 36 + 4096) + (5u << 19);
}

static void
set_up(void)
{
    sigset_t digest_only;

    handle_signals();
    ml = multilog_create(NULL, budget(), RING_SLOTS);

    /* However little there is to be done. */
    mlog_lanes_wake_at = 1;
    multilog_set_digest_threads(ml, options.digest_threads);
    if (options.pin_bound) {
        mlog_header_log_set_pin_bound(ml->log,
                                      options.pin_bound * UINT64_C(1000));
    }
    sigemptyset(&digest_only);
    sigaddset(&digest_only, SIGUSR2);
    pthread_sigmask(SIG_BLOCK, &digest_only, NULL);
    ovsrcu_quiesce_start();
    install_stream();

    history_init(&history, options.writers, options.readers + 1,
                 options.batches, options.cuts);
    pthread_barrier_init(&round_start, NULL,
                         options.writers + options.readers + 1);
    pthread_barrier_init(&round_end, NULL,
                         options.writers + options.readers + 1);
    for_each_worker(init_worker);
    init_worker(&readers[options.readers]);
    for_each_worker(start_worker);
}

static void
tear_down(void)
{
    uint64_t captured, lost;

    alarm(120);
    atomic_store_relaxed(&stop, true);
    pthread_barrier_wait(&round_start);
    pthread_barrier_wait(&round_end);
    for_each_worker(join_worker);
    for_each_worker(let_go_of_snapshot);
    let_go_of_snapshot(&readers[options.readers]);
    mlog_digest_drain(ml->digest);
    mlog_capture_get_totals(&ml->capture, &captured, &lost);
    expect("records", "captured", captured, before.rows);
    expect("records", "lost", lost, before.lost);
}

static void
report(double seconds)
{
    struct mlog_header_log_stats stats;
    uint32_t n_histories = round_number - options.first;

    mlog_header_log_get_stats(ml->log, &stats);
    printf("%"PRIu64" threads, %"PRIu64" rings, %"PRIu64" signals; %"PRIu64
           " rows expired, %"PRIu64" snapshots kept meanwhile; %"PRIu64
           " segments taken away, %"PRIu64" refusals; %"PRIu64
           " alerts; %"PRIu64" cuts timed out\n",
           counted(&n.threads), counted(&n.rings), counted(&n.signals),
           stats.n_expired, n.held, stats.n_revoked, counted(&n.refused),
           count_alerts(), counted(&n.timeouts));
    printf("%"PRIu32" histories, seed %"PRIu32": %"PRIu64" batches with %"
           PRIu64" records (%"PRIu64" lost), %"PRIu64" cuts, in %.1f s: "
           "linearizable\n",
           n_histories, options.seed, n.appends, n.records, n.lost, n.cuts,
           seconds);
}

static void OVS_NO_RETURN
usage(int status)
{
    printf("usage: stress-history [OPTION]...\n"
           "  --histories=N   this many [50000]\n"
           "  --seconds=N     at most this long\n"
           "  --seed=N        of the random numbers [1]\n"
           "  --first=N       number of the first history [0]\n"
           "  --writers=N     at most, up to %d [3]\n"
           "  --readers=N     likewise [2]\n"
           "  --batches=N     of a writer in a history, at most [4]\n"
           "  --cuts=N        of a reader in a history, at most [3]\n"
           "  --turnover=N    one in N batches is its ring's last [64]\n"
           "  --digest-threads=N  at most, up to %d [1]\n"
           "  --pin-bound=US  take expired segments away after that long\n",
           HISTORY_MAX_THREADS, MLOG_LANES_MAX);
    exit(status);
}

static void
parse_options(int argc, char *argv[])
{
    static const struct option long_options[] = {
        { "histories", required_argument, NULL, 'n' },
        { "seconds", required_argument, NULL, 't' },
        { "seed", required_argument, NULL, 's' },
        { "first", required_argument, NULL, 'f' },
        { "writers", required_argument, NULL, 'w' },
        { "readers", required_argument, NULL, 'r' },
        { "batches", required_argument, NULL, 'b' },
        { "cuts", required_argument, NULL, 'c' },
        { "turnover", required_argument, NULL, 'o' },
        { "pin-bound", required_argument, NULL, 'p' },
        { "digest-threads", required_argument, NULL, 'd' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    int c;

    while ((c = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        switch (c) {
        case 'n': options.histories = parse_number(optarg, 1u << 30); break;
        case 't': options.seconds = parse_number(optarg, 1000000); break;
        case 's': options.seed = parse_number(optarg, UINT32_MAX); break;
        case 'f': options.first = parse_number(optarg, 1u << 30); break;
        case 'o': options.turnover = parse_number(optarg, 1000000); break;
        case 'p': options.pin_bound = parse_number(optarg, 400000); break;
        case 'd':
            options.digest_threads = parse_number(optarg, MLOG_LANES_MAX);
            break;
        case 'w': options.writers = parse_number(optarg, HISTORY_MAX_THREADS);
            break;
        case 'r':
            options.readers = parse_number(optarg, HISTORY_MAX_THREADS - 1);
            break;
        case 'b': options.batches = parse_number(optarg, 10000); break;
        case 'c': options.cuts = parse_number(optarg, 10000); break;
        case 'h': usage(0);
        default: usage(2);
        }
    }
    if (optind < argc) {
        usage(2);
    }
}

int
main(int argc, char *argv[])
{
    struct ds why = DS_EMPTY_INITIALIZER;

    set_program_name(argv[0]);
    parse_options(argc, argv);
    if (!history_self_test(5000, options.seed, &why)) {
        printf("FAIL: self-test: %s", ds_cstr(&why));
        return 1;
    }
    set_up();

    uint64_t start = mlog_clock_system();
    uint64_t end = start + options.seconds * 1e9;
    for (round_number = options.first;
         round_number < options.first + options.histories
         && mlog_clock_system() < end;
         round_number++) {
        run_round();
    }
    tear_down();
    report((mlog_clock_system() - start) / 1e9);
    multilog_destroy(ml);
    return 0;
}
