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

#include "mlog-capture.h"

#include <errno.h>
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "mlog-clock.h"
#include "mlog-ports.h"
#include "openvswitch/util.h"
#include "openvswitch/vlog.h"

VLOG_DEFINE_THIS_MODULE(mlog_capture);

static int
membarrier(int command)
{
    return syscall(__NR_membarrier, command, 0, 0);
}

/* Rings of an earlier process, if any, are left as they are, for
 * mlog_capture_recover(). */
static void
open_rings(struct mlog_capture *capture)
{
    size_t size = MLOG_MAX_RINGS * sizeof(struct mlog_ring);
    int error = mlog_store_load(capture->store, "rings", &capture->mapping);

    if (error || capture->mapping.size < size) {
        mlog_store_unmap(&capture->mapping);
        error = mlog_store_create(capture->store, "rings", size, false,
                                  &capture->mapping);
        if (error) {
            VLOG_FATAL("no memory for capture rings (%s)",
                       ovs_strerror(error));
        }
    }
}

void
mlog_capture_init(struct mlog_capture *capture, struct mlog_store *store,
                  size_t ring_slots)
{
    capture->store = store;
    atomic_count_init(&capture->fence, 0);
    ovs_mutex_init(&capture->mutex);
    ovs_mutex_lock(&capture->mutex);
    ovs_list_init(&capture->rings);
    capture->last_id = 0;
    capture->retired_lost = capture->retired_captured = 0;
    ovs_mutex_unlock(&capture->mutex);

    capture->ring_slots = MAX(ROUND_UP_POW2(ring_slots),
                              4 * MLOG_BATCH_MAX * MLOG_PACKET_SLOTS_MAX);
    capture->membarrier
        = !membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED);
    if (!capture->membarrier) {
        VLOG_DBG("membarrier(2) is not available (%s); datapath threads "
                 "fence once per batch", ovs_strerror(errno));
    }
    mlog_capture_init_writer();
    open_rings(capture);
}

static struct mlog_ring *
ring_at(struct mlog_capture *capture, size_t slot)
{
    return (struct mlog_ring *) capture->mapping.data + slot;
}

static size_t
ring_place(const struct mlog_capture *capture, const struct mlog_ring *ring)
{
    return ring - (const struct mlog_ring *) capture->mapping.data;
}

static char *
ring_file(uint32_t id)
{
    return xasprintf("ring-%"PRIu32, id);
}

/* Maps 'ring''s slots and touches them all, so that no datapath thread takes a
 * page fault on them. */
static int
make_slots(struct mlog_capture *capture, struct mlog_ring *ring, uint32_t id,
           size_t size)
{
    char *file = ring_file(id);
    int error = mlog_store_create(capture->store, file, size, true,
                                  &ring->mapping);

    free(file);
    if (!error) {
        ring->slots = ring->mapping.data;
        memset(ring->slots, 0, size);
    }
    return error;
}

/* For this process, nothing of 'ring' but up to 'head' is consumed, 'n_lost'
 * losses are accounted for and 'n_captured' records are. */
static void
init_ring(struct mlog_ring *ring, uint64_t head, uint64_t n_lost,
          uint64_t n_captured)
{
    atomic_init(&ring->busy, 0);
    atomic_init(&ring->last_time, 0);
    atomic_init(&ring->head, head);
    ring->next = head;
    ring->end = head;
    ring->bound = ring->visible = ring->time = 0;
    ring->lost_seen = ring->lost_base = n_lost;
    ring->captured_base = n_captured;
    ring->free_until = head + ring->mask + 1;
}

static void
init_new_ring(struct mlog_ring *ring)
{
    atomic_init(&ring->tail, 0);
    atomic_init(&ring->n_lost, 0);
    atomic_init(&ring->n_captured, 0);
    atomic_init(&ring->retired, false);
    init_ring(ring, 0, 0, 0);
}

static struct mlog_ring *
find_free_ring(struct mlog_capture *capture) OVS_REQUIRES(capture->mutex)
{
    for (size_t i = 0; i < MLOG_MAX_RINGS; i++) {
        if (!ring_at(capture, i)->id) {
            return ring_at(capture, i);
        }
    }
    return NULL;
}

/* 'id' is set last: a ring that has one is whole. */
struct mlog_ring *
mlog_capture_create_ring(struct mlog_capture *capture, const char *name,
                         unsigned int datapath, unsigned int core_id)
{
    size_t size = capture->ring_slots * MLOG_SLOT_SIZE;
    int error = ENOSPC;

    ovs_mutex_lock(&capture->mutex);
    struct mlog_ring *ring = find_free_ring(capture);
    if (ring) {
        uint32_t id = ++capture->last_id;

        error = make_slots(capture, ring, id, size);
        if (!error) {
            ring->mask = capture->ring_slots - 1;
            ring->datapath = datapath;
            ring->core_id = core_id;
            ring->fence = !capture->membarrier;
            ovs_strlcpy(ring->name, name, sizeof ring->name);
            init_new_ring(ring);
            atomic_thread_fence(memory_order_release);
            ring->id = id;
            ovs_list_push_back(&capture->rings, &ring->node);
        }
    }
    ovs_mutex_unlock(&capture->mutex);

    if (error) {
        VLOG_ERR("%s: no memory for a capture ring of %"PRIuSIZE" bytes "
                 "(%s); its packets will not be recorded", name, size,
                 ovs_strerror(error));
        return NULL;
    }
    return ring;
}

void
mlog_capture_retire_ring(struct mlog_ring *ring)
{
    if (ring) {
        /* Release C, pairs with the acquire in mlog_ring_reap(). */
        atomic_store_explicit(&ring->retired, true, memory_order_release);
    }
}

static void
free_ring(struct mlog_capture *capture, struct mlog_ring *ring)
    OVS_REQUIRES(capture->mutex)
{
    char *file = ring_file(ring->id);

    ovs_list_remove(&ring->node);
    mlog_store_unmap(&ring->mapping);
    ring->id = 0;
    mlog_store_remove(capture->store, file);
    free(file);
}

void
mlog_capture_destroy(struct mlog_capture *capture)
{
    struct mlog_ring *ring;

    /* What came after the last commit is left for the next process. */
    ovs_mutex_lock(&capture->mutex);
    LIST_FOR_EACH_SAFE (ring, node, &capture->rings) {
        if (mlog_ring_is_empty(ring)) {
            free_ring(capture, ring);
        } else {
            ovs_list_remove(&ring->node);
            mlog_store_unmap(&ring->mapping);
        }
    }
    ovs_mutex_unlock(&capture->mutex);
    ovs_mutex_destroy(&capture->mutex);
    mlog_store_unmap(&capture->mapping);
}

/* Recovery.
 *
 * Whatever the writer was doing when it ended, 'tail' is that of a batch whose
 * slots are all there: the end of a thread, like any interrupt, lets its
 * store buffers and write-combining buffers drain.  Slots beyond it are of a
 * batch that was not published. */

/* Goes through what 'ring' has, from its head on.  Returns the number of
 * records, or -1 if that isn't what a writer would have written. */
static int64_t
check_content(const struct mlog_ring *ring, uint64_t head, uint64_t tail)
{
    int64_t n = 0;

    while (head != tail) {
        const struct mlog_batch_slot *batch = mlog_ring_slot(ring, head);
        uint32_t used = 1;

        if (batch->n_packets > MLOG_BATCH_MAX || !batch->n_slots
            || batch->n_slots > tail - head) {
            return -1;
        }
        for (size_t i = 0; i < batch->n_packets; i++) {
            const struct mlog_packet_slot *packet
                = mlog_ring_slot(ring, head + used);

            if (used >= batch->n_slots || !packet->n_slots
                || packet->n_slots > MLOG_PACKET_SLOTS_MAX) {
                return -1;
            }
            used += packet->n_slots;
        }
        if (used != batch->n_slots) {
            return -1;
        }
        n += batch->n_packets;
        head += used;
    }
    return n;
}

/* A ring whose last commit isn't there was made after it. */
static struct mlog_ring_commit
find_commit(const struct mlog_commit *commit, size_t slot, uint32_t id)
{
    for (size_t i = 0; i < commit->n_rings; i++) {
        if (commit->rings[i].slot == slot && commit->rings[i].id == id) {
            return commit->rings[i];
        }
    }
    return (struct mlog_ring_commit) { 0 };
}

/* Returns the number of records to be digested, or -1 if 'ring' is damaged.
 * Counters stay as they are, so that another recovery finds the same. */
static int64_t
recover_ring(struct mlog_capture *capture, struct mlog_ring *ring,
             const struct mlog_ring_commit *committed)
{
    char *file = ring_file(ring->id);
    bool ok = (!mlog_store_load(capture->store, file, &ring->mapping)
               && IS_POW2(ring->mask + 1)
               && ring->mapping.size / MLOG_SLOT_SIZE > ring->mask
               && ring->datapath < MLOG_MAX_DATAPATHS);
    uint64_t tail, captured;
    int64_t n = -1;

    free(file);
    atomic_read_relaxed(&ring->tail, &tail);
    atomic_read_relaxed(&ring->n_captured, &captured);
    if (ok && tail - committed->head <= ring->mask + 1) {
        ring->slots = ring->mapping.data;
        n = check_content(ring, committed->head, tail);
    }
    if (n < 0) {
        mlog_store_unmap(&ring->mapping);
    } else {
        init_ring(ring, committed->head, committed->n_lost, captured - n);
        atomic_init(&ring->retired, true);
        ring->name[sizeof ring->name - 1] = '\0';
    }
    return n;
}

uint64_t
mlog_capture_recover(struct mlog_capture *capture,
                     const struct mlog_commit *commit,
                     uint64_t *n_lost, size_t *n_damaged)
{
    uint64_t n_records = 0;

    *n_lost = *n_damaged = 0;
    ovs_mutex_lock(&capture->mutex);

    /* A ring that is gone may be in the commit, which must not be taken for
     * that of a new one, in the same slot. */
    for (size_t i = 0; i < commit->n_rings; i++) {
        capture->last_id = MAX(capture->last_id, commit->rings[i].id);
    }
    for (size_t i = 0; i < MLOG_MAX_RINGS; i++) {
        struct mlog_ring *ring = ring_at(capture, i);
        uint32_t id = ring->id;

        if (!id) {
            continue;
        }
        capture->last_id = MAX(capture->last_id, id);

        struct mlog_ring_commit committed = find_commit(commit, i, id);
        int64_t n = recover_ring(capture, ring, &committed);
        if (n >= 0) {
            uint64_t lost;

            atomic_read_relaxed(&ring->n_lost, &lost);
            n_records += n;
            *n_lost += lost - committed.n_lost;
            ovs_list_push_back(&capture->rings, &ring->node);
        } else {
            char *file = ring_file(id);

            ++*n_damaged;
            ring->id = 0;
            mlog_store_remove(capture->store, file);
            free(file);
        }
    }
    ovs_mutex_unlock(&capture->mutex);
    return n_records;
}

void
mlog_capture_fill_commit(struct mlog_capture *capture,
                         struct mlog_ring *const rings[], size_t n,
                         struct mlog_commit *commit)
{
    commit->n_rings = n;
    for (size_t i = 0; i < n; i++) {
        commit->rings[i] = (struct mlog_ring_commit) {
            .slot = ring_place(capture, rings[i]),
            .id = rings[i]->id,
            .head = rings[i]->next,
            .n_lost = rings[i]->lost_seen,
        };
    }
}

/* Reading
 * =======
 *
 * Why mlog_ring_visible() is right.  Let L and 'end' be what mlog_ring_look()
 * found in 'last_time' and then in 'tail', and T what the caller read after
 * that and before the barrier.  The barrier interrupts every writer that is
 * running (one that isn't has been through the scheduler) at some point P of
 * its program: its stores before P are visible to the reader's loads after the
 * barrier, streaming ones included, for an interrupt drains the
 * write-combining buffers; and its loads and clock readings after P come after
 * T.
 *
 *   - G3: slots below 'end' were stored before release A of a tail that the
 *     reader saw before the barrier.  So that was before P, and they are
 *     visible whole.
 *
 *   - If the ring is found idle ('busy' is 0, 'tail' still 'end'), T is right:
 *     the writer of a batch with time <= T read the clock before P, hence
 *     announced it before P.  So the reader saw it busy; or saw release E,
 *     and after it the batch's tail, which then was 'end'.
 *
 *   - Otherwise L - 1 is right: the tail of each batch with a time below L was
 *     stored before release D of L, so it isn't above 'end'. */

void
mlog_ring_look(struct mlog_ring *ring)
{
    /* Acquires S and R. */
    atomic_read_explicit(&ring->last_time, &ring->bound,
                         memory_order_acquire);
    atomic_read_explicit(&ring->tail, &ring->end, memory_order_acquire);
}

void
mlog_capture_barrier(struct mlog_capture *capture)
{
    if (capture->membarrier) {
        membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED);
    } else {
        uint32_t old;

        atomic_add_explicit(&capture->fence.count, 1, &old,
                            memory_order_seq_cst);
    }
}

uint64_t
mlog_ring_visible(struct mlog_ring *ring, uint64_t ticks)
{
    uint64_t tail;
    uint32_t busy;

    /* Acquire T. */
    atomic_read_explicit(&ring->busy, &busy, memory_order_acquire);
    atomic_read_relaxed(&ring->tail, &tail);
    if (busy || tail != ring->end) {
        ticks = MIN(ticks, ring->bound ? ring->bound - 1 : 0);
    }
    ring->visible = MAX(ring->visible, ticks);
    return ring->visible;
}

bool
mlog_ring_is_empty(const struct mlog_ring *ring_)
{
    struct mlog_ring *ring = CONST_CAST(struct mlog_ring *, ring_);
    uint64_t head, tail;

    atomic_read_relaxed(&ring->head, &head);
    atomic_read_relaxed(&ring->tail, &tail);
    return head == tail;
}

const struct mlog_batch_slot *
mlog_ring_peek(const struct mlog_ring *ring)
{
    return (ring->next != ring->end ? mlog_ring_slot(ring, ring->next)
            : NULL);
}

/* Copies the slots of a packet that has several into 'buffer', for the ring
 * may wrap between any two of them. */
static void
gather(const struct mlog_ring *ring, uint64_t position,
       const struct mlog_packet_slot *packet,
       uint8_t buffer[MLOG_PACKET_BYTES_MAX])
{
    memcpy(buffer, packet->bytes, MLOG_PACKET_SLOT_BYTES);
    buffer += MLOG_PACKET_SLOT_BYTES;
    for (size_t i = 1; i < packet->n_slots; i++) {
        memcpy(buffer, mlog_ring_slot(ring, position + i), MLOG_SLOT_SIZE);
        buffer += MLOG_SLOT_SIZE;
    }
}

const struct mlog_packet_slot *
mlog_ring_packet_at(const struct mlog_ring *ring, uint64_t *position,
                    uint8_t buffer[MLOG_PACKET_BYTES_MAX],
                    const uint8_t **bytes, size_t *n)
{
    const struct mlog_packet_slot *packet = mlog_ring_slot(ring, *position);

    *bytes = packet->bytes;
    if (packet->n_slots > 1) {
        gather(ring, *position, packet, buffer);
        *bytes = buffer;
    }
    *n = MIN(packet->size, MLOG_PACKET_SLOT_BYTES
                           + (packet->n_slots - 1) * MLOG_SLOT_SIZE);
    *position += packet->n_slots;
    return packet;
}

const struct mlog_packet_slot *
mlog_ring_next_packet(const struct mlog_ring *ring, uint32_t *pos,
                      uint8_t buffer[MLOG_PACKET_BYTES_MAX],
                      const uint8_t **bytes, size_t *n)
{
    uint64_t position = ring->next + MAX(*pos, 1);
    const struct mlog_packet_slot *packet
        = mlog_ring_packet_at(ring, &position, buffer, bytes, n);

    *pos = position - ring->next;
    return packet;
}

void
mlog_ring_consume(struct mlog_ring *ring)
{
    const struct mlog_batch_slot *batch = mlog_ring_slot(ring, ring->next);

    ring->next += batch->n_slots;
}

void
mlog_ring_give_back(struct mlog_ring *ring)
{
    /* Release B. */
    atomic_store_explicit(&ring->head, ring->next, memory_order_release);
}

uint64_t
mlog_ring_lost(struct mlog_ring *ring)
{
    uint64_t lost, before = ring->lost_seen;

    atomic_read_relaxed(&ring->n_lost, &lost);
    ring->lost_seen = lost;
    return lost - before;
}

bool
mlog_ring_reap(struct mlog_capture *capture, struct mlog_ring *ring)
    OVS_REQUIRES(capture->mutex)
{
    uint64_t head, tail, captured, lost;
    bool retired;

    atomic_read_explicit(&ring->retired, &retired, memory_order_acquire);
    atomic_read_relaxed(&ring->tail, &tail);
    atomic_read_relaxed(&ring->head, &head);
    atomic_read_relaxed(&ring->n_lost, &lost);
    if (!retired || head != tail || lost != ring->lost_seen) {
        return false;
    }
    atomic_read_relaxed(&ring->n_captured, &captured);
    capture->retired_captured += captured - ring->captured_base;
    capture->retired_lost += ring->lost_seen - ring->lost_base;
    free_ring(capture, ring);
    return true;
}

size_t
mlog_capture_get_rings(struct mlog_capture *capture,
                       struct mlog_ring_stats **statsp)
{
    struct mlog_ring_stats *stats;
    struct mlog_ring *ring;
    size_t n = 0;

    ovs_mutex_lock(&capture->mutex);
    stats = xcalloc(ovs_list_size(&capture->rings) + 1, sizeof *stats);
    LIST_FOR_EACH (ring, node, &capture->rings) {
        struct mlog_ring_stats *s = &stats[n++];
        uint64_t head, tail;

        ovs_strlcpy(s->name, ring->name, sizeof s->name);
        s->core_id = ring->core_id;
        s->datapath = ring->datapath;
        s->huge = ring->mapping.huge;
        s->n_slots = ring->mask + 1;
        atomic_read_relaxed(&ring->n_captured, &s->n_captured);
        atomic_read_relaxed(&ring->n_lost, &s->n_lost);
        s->n_captured -= ring->captured_base;
        s->n_lost -= ring->lost_base;
        atomic_read_relaxed(&ring->head, &head);
        atomic_read_relaxed(&ring->tail, &tail);
        s->used_slots = tail - head;
    }
    ovs_mutex_unlock(&capture->mutex);
    *statsp = stats;
    return n;
}

size_t
mlog_capture_memory(struct mlog_capture *capture)
{
    size_t memory = 0;
    struct mlog_ring *ring;

    ovs_mutex_lock(&capture->mutex);
    LIST_FOR_EACH (ring, node, &capture->rings) {
        memory += (ring->mask + 1) * MLOG_SLOT_SIZE;
    }
    ovs_mutex_unlock(&capture->mutex);
    return memory;
}

void
mlog_capture_get_totals(struct mlog_capture *capture, uint64_t *n_captured,
                        uint64_t *n_lost)
{
    struct mlog_ring *ring;

    ovs_mutex_lock(&capture->mutex);
    *n_captured = capture->retired_captured;
    *n_lost = capture->retired_lost;
    LIST_FOR_EACH (ring, node, &capture->rings) {
        uint64_t n;

        atomic_read_relaxed(&ring->n_captured, &n);
        *n_captured += n - ring->captured_base;
        atomic_read_relaxed(&ring->n_lost, &n);
        *n_lost += n - ring->lost_base;
    }
    ovs_mutex_unlock(&capture->mutex);
}
