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

#include "mlog-digest.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "mlog-capture.h"
#include "mlog-clock.h"
#include "mlog-flow-table.h"
#include "mlog-header-log.h"
#include "mlog-headers.h"
#include "mlog-ports.h"
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

/* Records are looked up in groups of about this many, so that what one of them
 * waits for is fetched while others are worked on. */
#define GROUP_RECORDS 128
#define GROUP_MAX (GROUP_RECORDS + MLOG_BATCH_MAX)

struct mlog_digest {
    struct mlog_state *state;
    struct mlog_capture *capture;
    struct mlog_flow_table *flows;
    struct mlog_header_log *log;
    struct mlog_stream *stream;

    pthread_t thread;
    int wake_fd;                /* eventfd: 'exit' is set. */
    atomic_bool exit;
    atomic_bool discard;
    atomic_bool quiet;

    /* Guarded by 'pass_mutex': whoever makes the pass. */
    struct mlog_clock clock;
    uint64_t cut;               /* Ticks: the latest pass's. */
    uint64_t time;              /* The latest record's or cut's time, ns. */
    uint64_t next_adjust;       /* ns. */
    struct mlog_ring **rings;
    size_t n_rings;
    struct group *group;

    /* Held during a pass. */
    struct ovs_mutex pass_mutex;
    atomic_count n_waiting;     /* Threads that want 'pass_mutex'. */

    struct ovs_mutex mutex;
    struct mlog_digest_stats stats OVS_GUARDED;
};

/* The records of some batches, from being taken out of a ring to being
 * appended. */
struct group {
    size_t n;
    struct mlog_flow_key keys[GROUP_MAX];
    struct mlog_row rows[GROUP_MAX];
    uint32_t hashes[GROUP_MAX];
    uint64_t times[GROUP_MAX];          /* ns. */
    uint16_t out_ports[GROUP_MAX];
};

/* Converts to nanoseconds, never going back. */
static uint64_t
advance_time(struct mlog_digest *digest, uint64_t ticks)
{
    digest->time = MAX(digest->time, mlog_clock_to_ns(&digest->clock, ticks));
    return digest->time;
}

static void
add_loss(struct mlog_digest *digest, enum mlog_loss reason, uint64_t from,
         uint64_t to, uint64_t count)
{
    struct mlog_gap gap = {
        .from = from, .to = to, .count = count, .reason = reason
    };

    mlog_header_log_add_gap(digest->log, &gap);
}

/* Parses the packets of 'batch' into the group. */
static void
parse_batch(struct mlog_digest *digest, const struct mlog_ring *ring,
            const struct mlog_batch_slot *batch)
{
    struct group *group = digest->group;
    uint64_t time = advance_time(digest, batch->time);
    uint16_t out_port = (batch->out_port == UINT16_MAX ? MLOG_PORT_NONE
                         : mlog_ports_lookup(ring->datapath,
                                             batch->out_port));
    uint8_t buffer[MLOG_PACKET_BYTES_MAX];
    uint16_t last_in_port = UINT16_MAX;
    uint16_t in_port_id = MLOG_PORT_NONE;
    uint32_t pos = 0;

    for (size_t end = group->n + batch->n_packets; group->n < end;
         group->n++) {
        struct mlog_flow_key *key = &group->keys[group->n];
        struct mlog_row *row = &group->rows[group->n];
        const struct mlog_packet_slot *packet;
        const uint8_t *bytes;
        size_t n;

        packet = mlog_ring_next_packet(ring, &pos, buffer, &bytes, &n);
        mlog_headers_parse(bytes, n, packet->size, key, row);
        if (packet->in_port != last_in_port) {
            last_in_port = packet->in_port;
            in_port_id = mlog_ports_lookup(ring->datapath, last_in_port);
        }
        key->in_port = in_port_id;
        row->reason = batch->reason;
        group->times[group->n] = time;
        group->out_ports[group->n] = out_port;
        group->hashes[group->n] = mlog_flow_key_hash(key);
        mlog_flow_table_prefetch(digest->flows, group->hashes[group->n]);
    }
}

/* Feeds the filters. */
static void
stream_record(struct mlog_digest *digest, struct mlog_flow *flow,
              const struct mlog_row *row, uint64_t time)
{
    struct mlog_record record = {
        .key = &flow->key,
        .row = row,
        .time = time,
    };
    uint32_t generation = (mlog_stream_generation(digest->stream)
                           + mlog_ports_generation());

    if (OVS_UNLIKELY(flow->class_generation != generation)) {
        struct mlog_record of_flow = { .key = &flow->key };

        flow->class = mlog_stream_classify(digest->stream, &of_flow);
        flow->class_generation = generation;
    }
    if (flow->class) {
        mlog_stream_record(digest->stream, flow->class, &record);
    }
}

/* Appends record 'i' of the group.  Returns false if there is no memory. */
static bool
append(struct mlog_digest *digest, size_t i)
{
    struct group *group = digest->group;
    const struct mlog_flow_key *key = &group->keys[i];
    struct mlog_row *parsed = &group->rows[i];
    uint32_t hash = group->hashes[i];
    uint64_t time = group->times[i];
    uint64_t ns_after_base;
    struct mlog_flow *flow;
    uint32_t index, local;

    flow = mlog_flow_table_find(digest->flows, key, hash, &index);
    if (OVS_UNLIKELY(!flow)) {
        flow = mlog_flow_table_insert(digest->flows, key, hash, time, &index);
        if (!flow) {
            return false;
        }
    }

    struct mlog_row *row = mlog_header_log_append(digest->log, time, index,
                                                  &ns_after_base, &local);
    if (OVS_UNLIKELY(!row)) {
        mlog_flow_table_release_unused(digest->flows, flow, index);
        return false;
    }

    parsed->time_port = mlog_row_pack_time_port(ns_after_base,
                                                group->out_ports[i]);
    parsed->flow = local;
    *row = *parsed;
    mlog_flow_count(flow, mlog_row_pkt_len(row), time);

    /* The stream knows the flow by its index in the flow table. */
    parsed->flow = index;
    stream_record(digest, flow, parsed, time);
    return true;
}

/* By now the buckets that parse_batch() has prefetched are there; what they
 * lead to is prefetched a few records ahead. */
static void
append_group(struct mlog_digest *digest)
{
    enum { AHEAD = 16 };
    struct group *group = digest->group;

    for (size_t i = 0; i < MIN(AHEAD, group->n); i++) {
        mlog_flow_table_prefetch_flow(digest->flows, group->hashes[i]);
    }
    for (size_t i = 0; i < group->n; i++) {
        if (i + AHEAD < group->n) {
            mlog_flow_table_prefetch_flow(digest->flows,
                                          group->hashes[i + AHEAD]);
        }
        if (OVS_UNLIKELY(!append(digest, i))) {
            add_loss(digest, MLOG_LOSS_MEMORY, group->times[i],
                     group->times[i], 1);
        }
    }
    group->n = 0;
}

static void
digest_batch(struct mlog_digest *digest, struct mlog_ring *ring,
             const struct mlog_batch_slot *batch)
{
    parse_batch(digest, ring, batch);
    mlog_ring_consume(ring);
    if (digest->group->n >= GROUP_RECORDS) {
        append_group(digest);
    }
}

/* Throws a batch away, as a loss. */
static void
discard_batch(struct mlog_digest *digest, struct mlog_ring *ring,
              const struct mlog_batch_slot *batch)
{
    uint64_t time = advance_time(digest, batch->time);

    add_loss(digest, MLOG_LOSS_DISCARD, time, time, batch->n_packets);
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
        add_loss(digest, MLOG_LOSS_RING, from,
                 mlog_clock_to_ns(&digest->clock, mlog_clock_now()), n_lost);
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
            digest_batch(digest, ring, batch);
        }
    }
    append_group(digest);
    digest->cut = MAX(cut, digest->cut);

    uint64_t time = advance_time(digest, digest->cut);
    collect_losses(digest, from);
    mlog_stream_tick(digest->stream, time);
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
    digest->group = xmalloc(sizeof *digest->group);
    digest->group->n = 0;
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
        free(digest->group);
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

void
mlog_digest_get_stats(struct mlog_digest *digest,
                      struct mlog_digest_stats *stats)
{
    ovs_mutex_lock(&digest->mutex);
    *stats = digest->stats;
    ovs_mutex_unlock(&digest->mutex);
}
