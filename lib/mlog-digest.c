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

#include "mlog-digest-private.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "mlog-capture.h"
#include "mlog-clock.h"
#include "mlog-header-log.h"
#include "mlog-lanes.h"
#include "mlog-state.h"
#include "mlog-stream.h"
#include "openvswitch/util.h"
#include "openvswitch/vlog.h"
#include "ovs-rcu.h"
#include "ovs-thread.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(mlog_digest);

/* A pass stops early after this many records, so that commands and triggers
 * get their turn while a backlog is worked off. */
#define PASS_RECORDS_MAX 65536

#define CUT_TIMEOUT_NS UINT64_C(1000000000)
#define RETRY_US 20
#define ADJUST_INTERVAL_NS UINT64_C(1000000000)

/* The barrier of a pass costs datapath threads some microseconds, recording or
 * not, so while there is nothing to digest passes are this far apart. */
#define IDLE_PASS_NS (10 * MLOG_TICK_NS)

/* Throws a batch away, as a loss. */
static void
discard_batch(struct mlog_digest *digest, struct mlog_ring *ring,
              const struct mlog_batch_slot *batch)
{
    uint64_t time = mlog_digest_advance_time__(digest, batch->time);

    mlog_digest_add_loss__(digest, MLOG_LOSS_DISCARD, time, time,
                           batch->n_packets);
    mlog_ring_consume(ring);
}

/* Takes up new rings and lets go of retired ones that are empty. */
static void
refresh_rings(struct mlog_digest *digest)
    OVS_REQUIRES(digest->capture->mutex)
{
    struct mlog_ring *ring;

    digest->n_rings = 0;
    LIST_FOR_EACH_SAFE (ring, node, &digest->capture->rings) {
        if (!mlog_ring_reap(digest->capture, ring)
            && digest->n_rings < MLOG_MAX_RINGS) {
            digest->rings[digest->n_rings++] = ring;
        }
    }
}

/* Returns the latest cut that every ring can give now.
 *
 * No ring may come between taking up rings and reading the clock: the cut
 * would cover batches in it. */
static uint64_t
fix_cut(struct mlog_digest *digest)
{
    ovs_mutex_lock(&digest->capture->mutex);
    refresh_rings(digest);
    for (size_t i = 0; i < digest->n_rings; i++) {
        mlog_ring_look(digest->rings[i]);
    }
    uint64_t cut = mlog_clock_now();
    ovs_mutex_unlock(&digest->capture->mutex);

    bool quiet;
    atomic_read_explicit(&digest->quiet, &quiet, memory_order_acquire);
    if (!quiet) {
        mlog_capture_barrier(digest->capture);
    }
    for (size_t i = 0; i < digest->n_rings; i++) {
        cut = MIN(cut, mlog_ring_visible(digest->rings[i], cut));
    }
    return MAX(cut, digest->cut);
}

/* Losses that this pass finds happened after the last pass's cut and up to
 * this one's, or later. */
static void
collect_losses(struct mlog_digest *digest, uint64_t from)
{
    uint64_t n_lost = 0;

    for (size_t i = 0; i < digest->n_rings; i++) {
        n_lost += mlog_ring_lost(digest->rings[i]);
    }
    if (n_lost) {
        uint64_t now = mlog_clock_to_ns(&digest->clock, mlog_clock_now());

        mlog_digest_add_loss__(digest, MLOG_LOSS_RING, from, now, n_lost);
    }
}

/* Returns the ring with the oldest batch up to 'cut', or NULL. */
static struct mlog_ring *
oldest_ring(const struct mlog_digest *digest, uint64_t cut,
            const struct mlog_batch_slot **batchp)
{
    struct mlog_ring *oldest = NULL;
    uint64_t time = cut;

    for (size_t i = 0; i < digest->n_rings; i++) {
        const struct mlog_batch_slot *batch = mlog_ring_peek(digest->rings[i]);

        if (batch && batch->time <= time && (!oldest || batch->time < time)) {
            time = batch->time;
            oldest = digest->rings[i];
            *batchp = batch;
        }
    }
    return oldest;
}

/* Makes what the pass has done the state from which another process would go
 * on, then lets writers have the slots that are consumed. */
static void
commit(struct mlog_digest *digest, uint64_t time)
{
    struct mlog_commit *c = mlog_state_begin(digest->state);

    c->time = time;
    c->clock = digest->clock;
    mlog_header_log_fill_commit(digest->log, c);
    mlog_capture_fill_commit(digest->capture, digest->rings, digest->n_rings,
                             c);
    mlog_state_commit(digest->state);

    for (size_t i = 0; i < digest->n_rings; i++) {
        mlog_ring_give_back(digest->rings[i]);
    }
    mlog_header_log_committed(digest->log, c);
}

/* Digests everything up to a cut; if that is too much at once, up to an
 * earlier one.  Returns the number of records; '*backlog' says whether more
 * were there. */
static uint64_t
pass(struct mlog_digest *digest, bool *backlog)
{
    const struct mlog_batch_slot *batch;
    struct mlog_ring *ring;
    uint64_t n = 0;
    bool discard;

    atomic_read_relaxed(&digest->discard, &discard);

    /* What this pass appends is later than the last cut, also where the clock
     * says that both are within one nanosecond, or, after an adjustment, that
     * it is a little earlier. */
    uint64_t from = ++digest->time;
    uint64_t cut = fix_cut(digest);

    *backlog = false;
    while ((ring = oldest_ring(digest, cut, &batch))) {
        if (n >= PASS_RECORDS_MAX) {
            /* All the batches before this one are digested. */
            cut = batch->time - 1;
            *backlog = true;
            break;
        }
        n += batch->n_packets;
        if (OVS_UNLIKELY(discard)) {
            discard_batch(digest, ring, batch);
        } else {
            mlog_digest_batch__(digest, ring, batch);
        }
    }
    mlog_digest_end_groups__(digest);
    digest->cut = MAX(cut, digest->cut);

    uint64_t time = mlog_digest_advance_time__(digest, digest->cut);
    collect_losses(digest, from);
    mlog_digest_tick__(digest, time);
    mlog_header_log_publish(digest->log, time);
    commit(digest, time);
    if (time >= digest->next_adjust) {
        mlog_clock_adjust(&digest->clock);
        digest->next_adjust = time + ADJUST_INTERVAL_NS;
    }
    return n;
}

static uint64_t
read_clock(clockid_t id)
{
    struct timespec ts;

    clock_gettime(id, &ts);
    return ts.tv_sec * UINT64_C(1000000000) + ts.tv_nsec;
}

static uint64_t
monotonic_ns(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

/* Makes a pass, as pass(), and counts it. */
static bool
run_pass(struct mlog_digest *digest)
    OVS_REQUIRES(digest->pass_mutex)
{
    uint64_t start = monotonic_ns();
    uint64_t cpu = read_clock(CLOCK_THREAD_CPUTIME_ID);
    bool backlog;
    uint64_t n = pass(digest, &backlog);

    cpu = read_clock(CLOCK_THREAD_CPUTIME_ID) - cpu;
    ovs_mutex_lock(&digest->mutex);
    digest->stats.n_records += n;
    digest->stats.n_passes++;
    digest->stats.cpu_ns += cpu;
    digest->stats.thread_cpu_ns[0] += cpu;
    digest->stats.longest_pass_ns = MAX(digest->stats.longest_pass_ns,
                                        monotonic_ns() - start);
    ovs_mutex_unlock(&digest->mutex);
    return backlog;
}

static void
count_late_tick(struct mlog_digest *digest)
{
    ovs_mutex_lock(&digest->mutex);
    digest->stats.n_late_ticks++;
    ovs_mutex_unlock(&digest->mutex);
}

/* Sleeps until 'deadline' (CLOCK_MONOTONIC, ns) or a wakeup.  Returns true if
 * it was woken up. */
static bool
sleep_until(struct mlog_digest *digest, uint64_t deadline)
{
    struct pollfd pfd = { .fd = digest->wake_fd, .events = POLLIN };
    uint64_t now = monotonic_ns();

    if (now < deadline) {
        struct timespec ts = { .tv_nsec = deadline - now };

        if (ppoll(&pfd, 1, &ts, NULL) > 0) {
            uint64_t value;

            return read(digest->wake_fd, &value, sizeof value) > 0;
        }
    }
    return false;
}

/* Returns true if a ring has something to digest. */
static bool
has_work(struct mlog_digest *digest)
{
    struct mlog_ring *ring;
    bool work = false;

    ovs_mutex_lock(&digest->capture->mutex);
    LIST_FOR_EACH (ring, node, &digest->capture->rings) {
        work = work || !mlog_ring_is_empty(ring);
    }
    ovs_mutex_unlock(&digest->capture->mutex);
    return work;
}

/* Waits for the tick at 'tick' and then for work, for a wakeup, or until
 * passes would be too far apart.  Returns when the next pass is due. */
static uint64_t
wait_for_pass(struct mlog_digest *digest, uint64_t tick)
{
    uint64_t last = tick + IDLE_PASS_NS - MLOG_TICK_NS;

    while (!sleep_until(digest, tick) && tick < last && !has_work(digest)) {
        tick += MLOG_TICK_NS;
    }
    return tick;
}

static void *
digest_main(void *digest_)
{
    struct mlog_digest *digest = digest_;
    uint64_t next_tick = monotonic_ns();
    bool exiting = false, backlog = false;

    /* This thread uses nothing that RCU protects. */
    ovsrcu_quiesce_start();
    while (!exiting || backlog) {
        uint64_t start = monotonic_ns();

        if (start > next_tick + MLOG_TICK_NS) {
            count_late_tick(digest);
        }

        /* At least one more pass after 'exit' was set, for what came before
         * it: rings go with this process. */
        atomic_read_explicit(&digest->exit, &exiting, memory_order_acquire);

        ovs_mutex_lock(&digest->pass_mutex);
        backlog = run_pass(digest);
        ovs_mutex_unlock(&digest->pass_mutex);

        next_tick = MAX(next_tick + MLOG_TICK_NS, start);
        if (!backlog) {
            next_tick = wait_for_pass(digest, next_tick);
        }
        while (atomic_count_get(&digest->n_waiting)) {
            sched_yield();
        }
    }
    return NULL;
}

/* Time goes on where the earlier process has stopped, so that the records of
 * its rings get their own times.  The rate of ticks is measured since that
 * process has begun, which is longer ago. */
static void
init_clock(struct mlog_digest *digest)
{
    const struct mlog_commit *last = mlog_state_last(digest->state);

    mlog_clock_calibrate(&digest->clock, last ? &last->clock : NULL);
    digest->time = last ? last->time : digest->clock.ns;
}

static void
start_threads(struct mlog_digest *digest, unsigned int n)
    OVS_NO_THREAD_SAFETY_ANALYSIS
{
    mlog_digest_start_lanes__(digest, n);
    digest->stats.n_threads = n;
    digest->stats.threads_ns = monotonic_ns();
    digest->stats.thread_cpu_ns[0] = 0;
}

struct mlog_digest *
mlog_digest_create(const struct mlog_digest_parts *parts)
{
    struct mlog_digest *digest = xzalloc(sizeof *digest);

    digest->state = parts->state;
    digest->capture = parts->capture;
    digest->flows = parts->flows;
    digest->log = parts->log;
    digest->stream = parts->stream;
    digest->rings = xcalloc(MLOG_MAX_RINGS, sizeof *digest->rings);
    start_threads(digest, 1);
    digest->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (digest->wake_fd < 0) {
        VLOG_FATAL("eventfd failed (%s)", ovs_strerror(errno));
    }
    atomic_init(&digest->exit, false);
    atomic_init(&digest->discard, false);
    atomic_init(&digest->quiet, false);
    atomic_count_init(&digest->n_waiting, 0);
    ovs_mutex_init(&digest->pass_mutex);
    ovs_mutex_init(&digest->mutex);
    init_clock(digest);
    if (pthread_getaffinity_np(pthread_self(), sizeof digest->default_cpus,
                               &digest->default_cpus)) {
        memset(&digest->default_cpus, 0xff, sizeof digest->default_cpus);
    }
    digest->cpus = digest->default_cpus;
    digest->thread = ovs_thread_create("mlog_digest", digest_main, digest);
    return digest;
}

void
mlog_digest_destroy(struct mlog_digest *digest)
{
    if (digest) {
        uint64_t one = 1;

        atomic_store_explicit(&digest->exit, true, memory_order_release);
        ignore(write(digest->wake_fd, &one, sizeof one));
        xpthread_join(digest->thread, NULL);
        ovs_mutex_destroy(&digest->mutex);
        ovs_mutex_destroy(&digest->pass_mutex);
        close(digest->wake_fd);
        mlog_digest_stop_lanes__(digest);
        free(digest->rings);
        free(digest);
    }
}

/* Returns when a pass has had a cut no earlier than the call, with
 * 'pass_mutex' held.
 *
 * The caller makes that pass itself.  To wake the digest and to be woken by it
 * takes longer than most passes do.  If that is not enough, then there was too
 * much for one pass, or a datapath thread was within a batch; both don't last
 * long. */
static int
lock_at_cut(struct mlog_digest *digest)
    OVS_ACQUIRES(digest->pass_mutex)
{
    uint64_t want = mlog_clock_now();
    uint64_t deadline = monotonic_ns() + CUT_TIMEOUT_NS;

    atomic_count_inc(&digest->n_waiting);
    ovs_mutex_lock(&digest->pass_mutex);
    atomic_count_dec(&digest->n_waiting);
    for (size_t i = 0; digest->cut < want; i++) {
        if (i > 1 && monotonic_ns() > deadline) {
            return ETIMEDOUT;
        }
        if (!run_pass(digest) && i > 1) {
            usleep(RETRY_US);
        }
    }
    return 0;
}

static int
wait_for_cut(struct mlog_digest *digest)
{
    int error = lock_at_cut(digest);

    ovs_mutex_unlock(&digest->pass_mutex);
    return error;
}

int
mlog_digest_cut(struct mlog_digest *digest, struct mlog_snapshot *snapshot)
{
    int error = wait_for_cut(digest);

    mlog_snapshot_take(digest->log, snapshot);
    return error;
}

void
mlog_digest_drain(struct mlog_digest *digest)
{
    wait_for_cut(digest);
}

uint64_t
mlog_digest_lock(struct mlog_digest *digest)
    OVS_NO_THREAD_SAFETY_ANALYSIS
{
    lock_at_cut(digest);
    return digest->time;
}

void
mlog_digest_unlock(struct mlog_digest *digest)
    OVS_NO_THREAD_SAFETY_ANALYSIS
{
    ovs_mutex_unlock(&digest->pass_mutex);
}

void
mlog_digest_set_quiet(struct mlog_digest *digest, bool quiet)
{
    /* Release; pairs with the acquire in fix_cut(). */
    atomic_store_explicit(&digest->quiet, quiet, memory_order_release);
}

void
mlog_digest_set_discard(struct mlog_digest *digest, bool discard)
{
    atomic_store_relaxed(&digest->discard, discard);
}

bool
mlog_digest_is_discarding(const struct mlog_digest *digest)
{
    bool discard;

    atomic_read_relaxed(&CONST_CAST(struct mlog_digest *, digest)->discard,
                        &discard);
    return discard;
}

/* Threads. */

/* Processor time of helpers. */
static uint64_t
get_load(struct mlog_digest *digest, uint64_t cpu_ns[])
{
    unsigned int n = (digest->lanes
                      ? mlog_lanes_get_load(digest->lanes, cpu_ns) : 0);
    uint64_t sum = 0;

    for (unsigned int i = 0; i < n; i++) {
        sum += cpu_ns[i];
    }
    return sum;
}

void
mlog_digest_set_threads(struct mlog_digest *digest, unsigned int n)
{
    uint64_t cpu_ns[MLOG_LANES_MAX];

    /* Between passes, nothing is under way.  Holding both, none of 'lanes' and
     * its threads is used by anybody else. */
    ovs_mutex_lock(&digest->pass_mutex);
    ovs_mutex_lock(&digest->mutex);
    digest->former_cpu_ns += get_load(digest, cpu_ns);
    mlog_digest_stop_lanes__(digest);
    start_threads(digest, n);
    if (digest->lanes) {
        mlog_lanes_bind(digest->lanes, &digest->cpus);
    }
    ovs_mutex_unlock(&digest->mutex);
    ovs_mutex_unlock(&digest->pass_mutex);
}

int
mlog_digest_set_cpus(struct mlog_digest *digest, const cpu_set_t *cpus)
{
    int error;

    ovs_mutex_lock(&digest->mutex);
    cpus = cpus ? cpus : &digest->default_cpus;
    error = pthread_setaffinity_np(digest->thread, sizeof *cpus, cpus);
    if (!error && digest->lanes) {
        error = mlog_lanes_bind(digest->lanes, cpus);
    }
    if (!error) {
        digest->cpus = *cpus;
    }
    ovs_mutex_unlock(&digest->mutex);
    return error;
}

void
mlog_digest_get_usable_cpus(const struct mlog_digest *digest, cpu_set_t *cpus)
{
    *cpus = digest->default_cpus;
}

void
mlog_digest_get_stats(struct mlog_digest *digest,
                      struct mlog_digest_stats *stats)
{
    ovs_mutex_lock(&digest->mutex);
    *stats = digest->stats;
    stats->cpu_ns += (digest->former_cpu_ns
                      + get_load(digest, &stats->thread_cpu_ns[1]));
    stats->threads_ns = monotonic_ns() - stats->threads_ns;
    ovs_mutex_unlock(&digest->mutex);
}
