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

/* Capture rings alone: real writers, and a reader that does with their rings
 * what the digest does, as fast as it can, and checks the guarantees of
 * mlog-capture.h on each batch, in ticks:
 *
 *   G1  a ring's batches come in order, none missing but those lost;
 *   G2  no batch of a time up to T comes after T was promised;
 *   G3  all of a batch's bytes are what its writer meant;
 *   G4  of each batch, all packets come or all are counted as lost, no later
 *       than what was written after it.
 *
 * Besides, a batch's time lies within the call that wrote it.
 *
 * stress-history sees less of that: what comes late gets a later time there,
 * and is then as good as written later.
 *
 * Writers retire their rings now and then and go on with others.  Signal
 * handlers stop writers and the reader anywhere. */

#include <config.h>

#include <getopt.h>
#include <pthread.h>
#include <stdarg.h>

#include "mlog-capture.h"
#include "ovs-rcu.h"
#include "ovs-thread.h"
#include "stress.h"

#define MAX_WRITERS 8
#define MAX_RINGS 64            /* At a time, about. */
#define RING_SLOTS 4096         /* The fewest there can be. */
#define PACKET_MAX 300

static struct {
    double seconds;
    unsigned int writers;
    uint32_t seed;
    bool no_membarrier;
} options = { .seconds = 10, .writers = 2, .seed = 1 };

/* What a packet begins with.  The rest is a function of it. */
struct payload {
    uint32_t writer;
    uint32_t index;             /* In the batch... */
    uint32_t n;                 /* ...of so many packets. */
    uint32_t zero;              /* Bytes 12 to 15: it isn't IPv4. */
    uint64_t batch;             /* Number in its ring, lost ones included. */
    uint64_t lost_batches;      /* Of the ring, before this one... */
    uint64_t lost;              /* ...and their packets. */
    uint64_t invoked;           /* Ticks. */
};
BUILD_ASSERT_DECL(sizeof(struct payload) <= MLOG_PACKET_SLOT_BYTES);

struct writer {
    pthread_t thread;
    unsigned int id;
    struct rng rng;
    struct mlog_ring *ring;
    uint64_t batches, lost_batches, lost;       /* Of 'ring'. */
    uint64_t total_packets, total_lost;         /* Of all rings. */
    uint8_t bytes[MLOG_BATCH_MAX][PACKET_MAX];
};

/* A ring, as the reader knows it. */
struct source {
    struct mlog_ring *ring;
    uint64_t promise;           /* T. */
    uint64_t batches, lost_batches;
    uint64_t lost;              /* Packets that mlog_ring_lost() told... */
    uint64_t lost_needed;       /* ...and those that it must have told. */
    uint64_t time;              /* Of the newest batch. */
};

static struct mlog_capture capture;
static struct writer writers[MAX_WRITERS];
static struct source sources[MAX_RINGS + MAX_WRITERS];
static size_t n_sources;
static atomic_count n_rings;    /* Those that writers took, less those gone. */
static pthread_t reader_thread;
static atomic_bool stop;

static struct {
    uint64_t batches, packets, lost, cuts, rings;
} n;

static void OVS_NO_RETURN
fail(const char *format, ...)
{
    va_list args;

    printf("FAIL: ");
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("; cut %"PRIu64"\n", n.cuts);
    fflush(stdout);
    _exit(1);
}

/* Packets. */

static size_t
packet_size(const struct payload *p)
{
    return (p->batch % 8 ? MLOG_PACKET_SLOT_BYTES
            : MLOG_PACKET_SLOT_BYTES + (p->batch / 8 + p->index * 5) % 240);
}

static uint8_t
packet_byte(const struct payload *p, size_t i)
{
    return p->batch * 31 + p->index * 7 + p->writer + i;
}

static void
make_packet(uint8_t *bytes, const struct payload *p)
{
    size_t size = packet_size(p);

    memcpy(bytes, p, sizeof *p);
    for (size_t i = sizeof *p; i < size; i++) {
        bytes[i] = packet_byte(p, i);
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
take_ring(struct writer *w)
{
    mlog_capture_retire_ring(w->ring);
    w->ring = mlog_capture_create_ring(&capture, "writer", 0, w->id);
    if (!w->ring) {
        fail("no memory for a ring");
    }
    atomic_count_inc(&n_rings);
    w->batches = w->lost_batches = w->lost = 0;
}

/* Whether to go on with another ring, of which the reader may have enough. */
static bool
wants_ring(struct writer *w, uint32_t chance)
{
    return one_in(&w->rng, chance) && atomic_count_get(&n_rings) < MAX_RINGS;
}

static void
write_batch(struct writer *w, uint32_t size)
{
    struct mlog_capture_packet packets[MLOG_BATCH_MAX];
    struct payload p = {
        .writer = w->id, .n = size, .batch = w->batches++,
        .lost_batches = w->lost_batches, .lost = w->lost,
        .invoked = stamp(),
    };

    for (p.index = 0; p.index < size; p.index++) {
        make_packet(w->bytes[p.index], &p);
        packets[p.index] = (struct mlog_capture_packet) {
            .data = w->bytes[p.index], .size = packet_size(&p),
            .in_port = p.index, .l4_ofs = p.batch % 16 ? 228 : MLOG_NO_OFFSET,
        };
    }
    mlog_capture_batch(w->ring, packets, size, p.batch % 1000, 0);

    uint64_t lost = ring_lost(w->ring);
    if (lost != w->lost && lost != w->lost + size) {
        fail("G4: of %"PRIu32" packets %"PRIu64" were lost", size,
             lost - w->lost);
    }
    w->total_packets += size;
    w->total_lost += lost - w->lost;
    w->lost_batches += lost != w->lost;
    w->lost = lost;
}

static void *
writer_main(void *w_)
{
    struct writer *w = w_;
    bool stopping, burst = false;

    ovsrcu_quiesce_start();
    do {
        uint64_t lost = w->total_lost;

        if (!w->ring || wants_ring(w, 5000)) {
            take_ring(w);
        }
        if (one_in(&w->rng, 500)) {
            burst = !burst;
        }
        if (one_in(&w->rng, 200)) {
            pthread_kill(reader_thread, SIGUSR2);
        }
        write_batch(w, burst ? 1 + rng_next(&w->rng, MLOG_BATCH_MAX)
                             : 1 + rng_next(&w->rng, 8));
        if (w->total_lost != lost && wants_ring(w, 2)) {
            take_ring(w);
        } else if (w->total_lost != lost || one_in(&w->rng, 200)) {
            sched_yield();
        }
        atomic_read_relaxed(&stop, &stopping);
    } while (!stopping);
    mlog_capture_retire_ring(w->ring);
    return NULL;
}

/* The reader. */

static void
check_packet(const struct mlog_packet_slot *slot, const uint8_t *bytes,
             size_t size, const struct payload *expected)
{
    struct payload p;

    if (size < sizeof p) {
        fail("G3: %"PRIuSIZE" bytes of a packet", size);
    }
    memcpy(&p, bytes, sizeof p);
    if (memcmp(&p, expected, sizeof p) || slot->size != packet_size(&p)
        || slot->in_port != p.index) {
        fail("G3: packet %"PRIu32" of batch %"PRIu64" of writer %"PRIu32
             " where packet %"PRIu32" of %"PRIu64" of %"PRIu32" should be",
             p.index, p.batch, p.writer, expected->index, expected->batch,
             expected->writer);
    }
    for (size_t i = sizeof p; i < size; i++) {
        if (bytes[i] != packet_byte(&p, i)) {
            fail("G3: byte %"PRIuSIZE" of packet %"PRIu32" of batch %"PRIu64
                 " of writer %"PRIu32, i, p.index, p.batch, p.writer);
        }
    }
}

/* Returns what the first packet of the batch says about the batch. */
static struct payload
check_packets(struct mlog_ring *ring, const struct mlog_batch_slot *batch)
{
    uint8_t buffer[MLOG_PACKET_BYTES_MAX];
    struct payload expected = { .n = 0 }, first = expected;
    const struct mlog_packet_slot *slot;
    const uint8_t *bytes;
    uint32_t pos = 0;
    size_t size;

    for (uint32_t i = 0; i < batch->n_packets; i++) {
        slot = mlog_ring_next_packet(ring, &pos, buffer, &bytes, &size);
        if (!slot->n_slots || slot->n_slots > MLOG_PACKET_SLOTS_MAX
            || pos > batch->n_slots) {
            fail("G3: a packet of %u slots", slot->n_slots);
        }
        if (!i) {
            memcpy(&first, bytes, sizeof first);
            expected = first;
            expected.writer = ring->core_id;
            expected.n = batch->n_packets;
            expected.zero = 0;
        }
        expected.index = i;
        check_packet(slot, bytes, size, &expected);
    }
    return first;
}

/* 'promise' is what was promised before this batch came. */
static void
check_batch(struct source *s, const struct mlog_batch_slot *batch,
            uint64_t promise, uint64_t now)
{
    if (!batch->n_packets || batch->n_packets > MLOG_BATCH_MAX
        || batch->n_slots <= batch->n_packets
        || batch->n_slots > 1 + batch->n_packets * MLOG_PACKET_SLOTS_MAX) {
        fail("G3: a batch of %"PRIu16" packets in %"PRIu32" slots",
             batch->n_packets, batch->n_slots);
    }

    struct payload p = check_packets(s->ring, batch);
    s->lost_batches = MAX(s->lost_batches, p.lost_batches);
    if (p.batch != s->batches + s->lost_batches
        || batch->out_port != p.batch % 1000) {
        fail("G1: batch %"PRIu64" of writer %"PRIu32" after %"PRIu64
             " and %"PRIu64" that were lost", p.batch, p.writer, s->batches,
             s->lost_batches);
    }
    if (batch->time <= promise) {
        fail("G2: batch %"PRIu64" of writer %"PRIu32" has a time %"PRIu64
             " ticks before the T that was promised", p.batch, p.writer,
             promise - batch->time);
    }
    if (batch->time < p.invoked || batch->time > now || s->time > p.invoked) {
        fail("time: batch %"PRIu64" of writer %"PRIu32" is not of the time "
             "of its writing", p.batch, p.writer);
    }
    s->batches++;
    s->lost_needed = p.lost;
    s->time = batch->time;
    n.packets += batch->n_packets;
    n.batches++;
}

static void
consume(struct source *s, uint64_t promise)
{
    const struct mlog_batch_slot *batch;
    uint64_t now = stamp();

    while ((batch = mlog_ring_peek(s->ring)) && batch->time <= s->promise) {
        check_batch(s, batch, promise, now);
        mlog_ring_consume(s->ring);
        mlog_ring_give_back(s->ring);
    }
    s->lost += mlog_ring_lost(s->ring);
    if (s->lost < s->lost_needed) {
        fail("G4: %"PRIu64" packets counted as lost, not %"PRIu64, s->lost,
             s->lost_needed);
    }
}

static struct source *
find_source(struct mlog_ring *ring)
{
    for (size_t i = 0; i < n_sources; i++) {
        if (sources[i].ring == ring) {
            return &sources[i];
        }
    }
    ovs_assert(n_sources < ARRAY_SIZE(sources));
    n.rings++;
    sources[n_sources] = (struct source) { .ring = ring };
    return &sources[n_sources++];
}

/* Takes up new rings and lets go of what is through. */
static void
refresh_sources(void)
    OVS_REQUIRES(capture.mutex)
{
    struct mlog_ring *ring;

    LIST_FOR_EACH_SAFE (ring, node, &capture.rings) {
        struct source *s = find_source(ring);

        if (mlog_ring_reap(&capture, ring)) {
            n.lost += s->lost;
            atomic_count_dec(&n_rings);
            *s = sources[--n_sources];
        }
    }
}

static void
pass(void)
{
    ovs_mutex_lock(&capture.mutex);
    refresh_sources();
    for (size_t i = 0; i < n_sources; i++) {
        mlog_ring_look(sources[i].ring);
    }
    uint64_t now = mlog_clock_now();
    ovs_mutex_unlock(&capture.mutex);

    mlog_capture_barrier(&capture);
    for (size_t i = 0; i < n_sources; i++) {
        struct source *s = &sources[i];
        uint64_t promise = s->promise;

        s->promise = mlog_ring_visible(s->ring, now);
        if (s->promise < promise || s->promise > now) {
            fail("G2: T is %"PRIu64" after %"PRIu64, s->promise, promise);
        }
        consume(s, promise);
    }
    n.cuts++;
}

static void
read_until(uint64_t end, struct rng *rng)
{
    while (mlog_clock_system() < end) {
        pass();
        if (one_in(rng, 4)) {
            pthread_kill(writers[rng_next(rng, options.writers)].thread,
                         SIGUSR1);
        }
        if (one_in(rng, 16)) {
            delay(rng);
        }
    }
}

/* Passes until all rings are gone. */
static void
finish(void)
{
    uint64_t captured, lost, packets = 0, writers_lost = 0;

    atomic_store_relaxed(&stop, true);
    for (unsigned int i = 0; i < options.writers; i++) {
        xpthread_join(writers[i].thread, NULL);
        packets += writers[i].total_packets;
        writers_lost += writers[i].total_lost;
    }
    do {
        pass();
    } while (n_sources);

    mlog_capture_get_totals(&capture, &captured, &lost);
    if (n.packets + writers_lost != packets || n.lost != writers_lost
        || captured != n.packets || lost != writers_lost) {
        fail("G4: of %"PRIu64" packets %"PRIu64" came and %"PRIu64" were lost,"
             " but %"PRIu64" are counted as lost, and in total %"PRIu64
             " as captured, %"PRIu64" as lost", packets, n.packets,
             writers_lost, n.lost, captured, lost);
    }
}

static void OVS_NO_RETURN
usage(int status)
{
    printf("usage: stress-ring [OPTION]...\n"
           "  --seconds=N     this long [10]\n"
           "  --writers=N     up to %d [2]\n"
           "  --seed=N        of the random numbers [1]\n"
           "  --no-membarrier as if there were no membarrier(2)\n",
           MAX_WRITERS);
    exit(status);
}

static void
parse_options(int argc, char *argv[])
{
    static const struct option long_options[] = {
        { "seconds", required_argument, NULL, 't' },
        { "writers", required_argument, NULL, 'w' },
        { "seed", required_argument, NULL, 's' },
        { "no-membarrier", no_argument, NULL, 'm' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    int c;

    while ((c = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        switch (c) {
        case 't': options.seconds = parse_number(optarg, 1000000); break;
        case 'w': options.writers = parse_number(optarg, MAX_WRITERS); break;
        case 's': options.seed = parse_number(optarg, UINT32_MAX); break;
        case 'm': options.no_membarrier = true; break;
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
    struct rng rng;

    set_program_name(argv[0]);
    parse_options(argc, argv);
    handle_signals();
    alarm(options.seconds * 2 + 60);
    mlog_clock_init();
    mlog_capture_init(&capture, mlog_store_open(NULL), RING_SLOTS);
    capture.membarrier = capture.membarrier && !options.no_membarrier;
    rng_seed(&rng, options.seed, MAX_WRITERS);
    reader_thread = pthread_self();
    ovsrcu_quiesce_start();
    for (unsigned int i = 0; i < options.writers; i++) {
        writers[i].id = i;
        rng_seed(&writers[i].rng, options.seed, i);
        writers[i].thread = ovs_thread_create("writer", writer_main,
                                              &writers[i]);
    }
    read_until(mlog_clock_system() + options.seconds * 1e9, &rng);
    finish();
    mlog_capture_destroy(&capture);
    printf("%"PRIu64" batches with %"PRIu64" packets (and %"PRIu64" packets "
           "lost) through %"PRIu64" rings, %"PRIu64" cuts, seed %"PRIu32
           ": G1 to G4 hold\n", n.batches, n.packets, n.lost, n.rings, n.cuts,
           options.seed);
    return 0;
}
