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
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "mlog-clock.h"
#include "openvswitch/util.h"
#include "openvswitch/vlog.h"

VLOG_DEFINE_THIS_MODULE(mlog_capture);

#define HUGE_PAGE_SIZE (2 * 1024 * 1024)

static int
membarrier(int command)
{
    return syscall(__NR_membarrier, command, 0, 0);
}

void
mlog_capture_init(struct mlog_capture *capture, size_t ring_slots)
{
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
}

/* Maps 'size' bytes, of huge pages if there are any, and touches them all, so
 * that no datapath thread takes a page fault on them. */
static void *
map_slots(size_t size, bool *huge)
{
    int flags = MAP_PRIVATE | MAP_ANONYMOUS;
    void *slots = MAP_FAILED;

    *huge = false;
    if (!(size % HUGE_PAGE_SIZE)) {
        slots = mmap(NULL, size, PROT_READ | PROT_WRITE,
                     flags | MAP_HUGETLB | MAP_POPULATE, -1, 0);
        *huge = slots != MAP_FAILED;
    }
    if (slots == MAP_FAILED) {
        slots = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, -1, 0);
        if (slots != MAP_FAILED) {
            madvise(slots, size, MADV_HUGEPAGE);
            memset(slots, 0, size);
        }
    }
    return slots;
}

struct mlog_ring *
mlog_capture_create_ring(struct mlog_capture *capture, const char *name,
                         unsigned int datapath, unsigned int core_id)
{
    size_t size = capture->ring_slots * MLOG_SLOT_SIZE;
    bool huge;
    void *slots = map_slots(size, &huge);

    if (slots == MAP_FAILED) {
        VLOG_ERR("%s: no memory for a capture ring of %"PRIuSIZE" bytes "
                 "(%s); its packets will not be recorded", name, size,
                 ovs_strerror(errno));
        return NULL;
    }

    struct mlog_ring *ring = xzalloc_cacheline(sizeof *ring);
    ring->slots = slots;
    ring->mask = capture->ring_slots - 1;
    ring->datapath = datapath;
    ring->core_id = core_id;
    ring->fence = !capture->membarrier;
    ring->huge = huge;
    ovs_strlcpy(ring->name, name, sizeof ring->name);
    atomic_init(&ring->tail, 0);
    atomic_init(&ring->busy, 0);
    atomic_init(&ring->last_time, 0);
    atomic_init(&ring->n_lost, 0);
    atomic_init(&ring->n_captured, 0);
    atomic_init(&ring->head, 0);
    atomic_init(&ring->retired, false);
    ring->free_until = ring->mask + 1;

    ovs_mutex_lock(&capture->mutex);
    ring->id = ++capture->last_id;
    ovs_list_push_back(&capture->rings, &ring->node);
    ovs_mutex_unlock(&capture->mutex);
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
free_ring(struct mlog_ring *ring)
{
    ovs_list_remove(&ring->node);
    munmap(ring->slots, (ring->mask + 1) * MLOG_SLOT_SIZE);
    free_cacheline(ring);
}

void
mlog_capture_destroy(struct mlog_capture *capture)
{
    struct mlog_ring *ring;

    ovs_mutex_lock(&capture->mutex);
    LIST_FOR_EACH_SAFE (ring, node, &capture->rings) {
        free_ring(ring);
    }
    ovs_mutex_unlock(&capture->mutex);
    ovs_mutex_destroy(&capture->mutex);
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
    uint64_t head;

    atomic_read_relaxed(&ring->head, &head);
    return head != ring->end ? mlog_ring_slot(ring, head) : NULL;
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
mlog_ring_next_packet(const struct mlog_ring *ring, uint32_t *pos,
                      uint8_t buffer[MLOG_PACKET_BYTES_MAX],
                      const uint8_t **bytes, size_t *n)
{
    uint64_t head;

    atomic_read_relaxed(&ring->head, &head);
    if (!*pos) {
        *pos = 1;
    }

    uint64_t position = head + *pos;
    const struct mlog_packet_slot *packet = mlog_ring_slot(ring, position);
    *bytes = packet->bytes;
    if (packet->n_slots > 1) {
        gather(ring, position, packet, buffer);
        *bytes = buffer;
    }
    *n = MIN(packet->size, MLOG_PACKET_SLOT_BYTES
                           + (packet->n_slots - 1) * MLOG_SLOT_SIZE);
    *pos += packet->n_slots;
    return packet;
}

void
mlog_ring_consume(struct mlog_ring *ring)
{
    const struct mlog_batch_slot *batch = mlog_ring_peek(ring);
    uint64_t head;

    /* Release B. */
    atomic_read_relaxed(&ring->head, &head);
    atomic_store_explicit(&ring->head, head + batch->n_slots,
                          memory_order_release);
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
    uint64_t head, tail, captured;
    bool retired;

    atomic_read_explicit(&ring->retired, &retired, memory_order_acquire);
    atomic_read_relaxed(&ring->tail, &tail);
    atomic_read_relaxed(&ring->head, &head);
    if (!retired || head != tail) {
        return false;
    }
    atomic_read_relaxed(&ring->n_captured, &captured);
    capture->retired_captured += captured;
    capture->retired_lost += ring->lost_seen;
    free_ring(ring);
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
        s->huge = ring->huge;
        s->n_slots = ring->mask + 1;
        atomic_read_relaxed(&ring->n_captured, &s->n_captured);
        atomic_read_relaxed(&ring->n_lost, &s->n_lost);
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
        *n_captured += n;
        atomic_read_relaxed(&ring->n_lost, &n);
        *n_lost += n;
    }
    ovs_mutex_unlock(&capture->mutex);
}
