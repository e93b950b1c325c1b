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

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "mlog-clock.h"

/* The hot path
 * ============
 *
 * Runs on datapath threads, for every packet.  Per packet: one test of where
 * its headers end, one load of 56 bytes, one store.  Per batch: one read of
 * the clock, and the publication.
 *
 * Order of events in a batch:
 *
 *   1. busy = true
 *   2. last_time = the clock (release D)
 *   3. fill slots           Streaming stores where there are, for the slots
 *                           won't be read on this core.
 *   4. tail (release A)
 *   5. busy = false (release E)
 *
 * Two things are missing here that x86 doesn't give by itself: a store->load
 * fence between 1 and 2, without which a reader may take the writer for idle
 * although it is about to write a batch of the past; and a store fence between
 * 3 and 4, without which streaming stores, which wait in write-combining
 * buffers, may become visible after the tail.  The reader supplies both with
 * membarrier(2), once per pass instead of once per batch: see
 * mlog-capture.c.  The store fence alone would more than double the cost.
 * Where there is no membarrier(2), the writer fences ('fence').
 *
 * If there is no room, 'n_lost' grows between 1 and 5, so that the cut that
 * covers the batch also covers its loss (G4).
 *
 * Progress: wait-free. */

static inline void
announce(struct mlog_ring *ring)
{
    if (OVS_UNLIKELY(ring->fence)) {
        uint32_t zero;

        /* An atomic read-modify-write is a full fence, too. */
        atomic_add_explicit(&ring->busy, 1, &zero, memory_order_seq_cst);
        mlog_clock_order();
    } else {
        atomic_store_explicit(&ring->busy, 1, memory_order_relaxed);
        atomic_signal_fence(memory_order_seq_cst);
    }

    /* Release D, pairs with acquire S. */
    ring->time = mlog_clock_now();
    atomic_store_explicit(&ring->last_time, ring->time, memory_order_release);
}

static inline void
conclude(struct mlog_ring *ring)
{
    /* Release E, pairs with acquire T. */
    atomic_store_explicit(&ring->busy, 0, memory_order_release);
}

/* Adds 'n' to a counter that only this thread writes. */
static inline void
count(atomic_uint64_t *counter, uint64_t n)
{
    uint64_t value;

    atomic_read_relaxed(counter, &value);
    atomic_store_relaxed(counter, value + n);
}

/* Returns true if 'n' slots from 'tail' on are free. */
static inline bool
has_room(struct mlog_ring *ring, uint64_t tail, size_t n)
{
    if (OVS_UNLIKELY(tail + n > ring->free_until)) {
        uint64_t head;

        /* Acquire W, pairs with release B: the digest has read what it gives
         * back. */
        atomic_read_explicit(&ring->head, &head, memory_order_acquire);
        ring->free_until = head + ring->mask + 1;
        return tail + n <= ring->free_until;
    }
    return true;
}

/* Returns the number of slots for 'packet'.  IPv4 without options, or any
 * packet that is short, needs one: decided on the packet itself, because what
 * the datapath knows of it may be stale after encapsulation. */
static inline size_t
slots_for(const struct mlog_capture_packet *packet)
{
    if (OVS_LIKELY(packet->size <= MLOG_PACKET_SLOT_BYTES)) {
        return 1;
    }

    /* Ethernet type 0x0800, IP version 4, header length 5. */
    uint32_t type;
    memcpy(&type, (const uint8_t *) packet->data + 12, sizeof type);
    if (OVS_LIKELY((type & htonl(0xffffff00)) == htonl(0x08004500))) {
        return 1;
    }

    /* 20 bytes of a transport header are all that is ever read. */
    size_t end = MLOG_PACKET_SLOT_BYTES + MLOG_SLOT_SIZE;
    if (packet->l4_ofs != MLOG_NO_OFFSET) {
        end = MAX(end, packet->l4_ofs + 20);
    }
    end = MIN(end, packet->size) - MLOG_PACKET_SLOT_BYTES;
    return MIN(1 + DIV_ROUND_UP(end, MLOG_SLOT_SIZE), MLOG_PACKET_SLOTS_MAX);
}

/* The first 8 bytes of struct mlog_packet_slot, as a number. */
static inline uint64_t
packet_metadata(const struct mlog_capture_packet *packet, size_t n_slots)
{
    union {
        struct {
            uint32_t size;
            uint16_t in_port;
            uint8_t n_slots;
            uint8_t reserved;
        };
        uint64_t u64;
    } metadata = {
        .size = packet->size,
        .in_port = packet->in_port,
        .n_slots = n_slots,
    };

    BUILD_ASSERT(offsetof(struct mlog_packet_slot, bytes) == 8);
    return metadata.u64;
}

/* How slots get written: the one thing that depends on the processor.
 *
 * store() fills the slot at 'position' with 8 bytes of 'metadata', if
 * 'has_metadata', then with the bytes at 'data', of which there are 'n' and
 * perhaps more than there is room for; what follows them is zero or left as
 * it was.  fence() makes stores visible before any later one. */
struct slot_writer {
    void (*store)(struct mlog_ring *, uint64_t position, bool has_metadata,
                  uint64_t metadata, const uint8_t *data, size_t n);
    void (*fence)(void);
};

static inline void
store_generic(struct mlog_ring *ring, uint64_t position, bool has_metadata,
              uint64_t metadata, const uint8_t *data, size_t n)
{
    uint8_t *slot = mlog_ring_slot(ring, position);
    size_t room = MLOG_SLOT_SIZE;

    if (has_metadata) {
        memcpy(slot, &metadata, sizeof metadata);
        slot += sizeof metadata;
        room -= sizeof metadata;
    }
    memcpy(slot, data, MIN(n, room));
}

static inline void
fence_generic(void)
{
    /* The release of step 4 is enough. */
}

static const struct slot_writer generic_writer = {
    store_generic, fence_generic
};

static inline __attribute__((always_inline)) void
write_batch(struct mlog_ring *ring, const struct mlog_capture_packet *packets,
            size_t n, uint16_t out_port, uint8_t reason,
            const struct slot_writer writer)
{
    uint64_t start;

    atomic_read_relaxed(&ring->tail, &start);
    announce(ring);
    if (OVS_UNLIKELY(!has_room(ring, start, 1 + n * MLOG_PACKET_SLOTS_MAX))) {
        count(&ring->n_lost, n);
        conclude(ring);
        return;
    }

    uint64_t tail = start + 1;
    for (size_t i = 0; i < n; i++) {
        const struct mlog_capture_packet *packet = &packets[i];
        const uint8_t *data = packet->data;
        size_t n_slots = slots_for(packet);

        writer.store(ring, tail, true, packet_metadata(packet, n_slots),
                     data, packet->size);
        for (size_t j = 1; OVS_UNLIKELY(j < n_slots); j++) {
            size_t ofs = MLOG_PACKET_SLOT_BYTES + (j - 1) * MLOG_SLOT_SIZE;

            writer.store(ring, tail + j, false, 0, data + ofs,
                         packet->size - ofs);
        }
        tail += n_slots;
    }

    struct mlog_batch_slot batch = {
        .time = ring->time,
        .n_slots = tail - start,
        .n_packets = n,
        .out_port = out_port,
        .reason = reason,
    };
    writer.store(ring, start, false, 0, (const uint8_t *) &batch,
                 sizeof batch);
    if (OVS_UNLIKELY(ring->fence)) {
        writer.fence();
    }
    count(&ring->n_captured, n);

    /* Release A. */
    atomic_store_explicit(&ring->tail, tail, memory_order_release);
    conclude(ring);
}

typedef void write_func(struct mlog_ring *,
                        const struct mlog_capture_packet *, size_t n,
                        uint16_t out_port, uint8_t reason);

static void
write_batch_generic(struct mlog_ring *ring,
                    const struct mlog_capture_packet *packets, size_t n,
                    uint16_t out_port, uint8_t reason)
{
    write_batch(ring, packets, n, out_port, reason, generic_writer);
}

#if defined(__x86_64__)
#define AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,bmi2")))

/* One masked load, which can't fault on bytes past the packet's end, and one
 * streaming store of a whole cache line, so that no line of the ring has to be
 * fetched from the digest's core first. */
AVX512 static inline void
store_avx512(struct mlog_ring *ring, uint64_t position, bool has_metadata,
             uint64_t metadata, const uint8_t *data, size_t n)
{
    __mmask64 mask = _bzhi_u64(UINT64_MAX, MIN(n, MLOG_SLOT_SIZE));
    __m512i slot = _mm512_maskz_loadu_epi8(mask, data);

    if (has_metadata) {
        /* Shifts all up by 8 bytes, the metadata in.  Loading from 'data' - 8
         * instead would touch one more cache line of the packet. */
        slot = _mm512_alignr_epi64(slot, _mm512_set1_epi64(metadata), 7);
    }
    _mm512_stream_si512(mlog_ring_slot(ring, position), slot);
}

AVX512 static inline void
fence_avx512(void)
{
    _mm_sfence();
}

AVX512 static void
write_batch_avx512(struct mlog_ring *ring,
                   const struct mlog_capture_packet *packets, size_t n,
                   uint16_t out_port, uint8_t reason)
{
    static const struct slot_writer avx512_writer = {
        store_avx512, fence_avx512
    };

    write_batch(ring, packets, n, out_port, reason, avx512_writer);
}
#endif /* __x86_64__ */

static write_func *write_impl = write_batch_generic;

void
mlog_capture_init_writer(void)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512bw")
        && __builtin_cpu_supports("avx512vl")
        && __builtin_cpu_supports("bmi2")) {
        write_impl = write_batch_avx512;
    }
#endif
}

void
mlog_capture_batch(struct mlog_ring *ring,
                   const struct mlog_capture_packet *packets, size_t n,
                   uint16_t out_port, uint8_t reason)
{
    while (OVS_UNLIKELY(n > MLOG_BATCH_MAX)) {
        write_impl(ring, packets, MLOG_BATCH_MAX, out_port, reason);
        packets += MLOG_BATCH_MAX;
        n -= MLOG_BATCH_MAX;
    }
    if (n) {
        write_impl(ring, packets, n, out_port, reason);
    }
}

void
mlog_capture_unseen(struct mlog_ring *ring, size_t n, uint8_t reason)
{
    const struct mlog_capture_packet nothing = {
        .data = "", .in_port = UINT16_MAX, .l4_ofs = MLOG_NO_OFFSET
    };

    while (n--) {
        mlog_capture_batch(ring, &nothing, 1, UINT16_MAX, reason);
    }
}
