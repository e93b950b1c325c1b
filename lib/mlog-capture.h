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

#ifndef MLOG_CAPTURE_H
#define MLOG_CAPTURE_H 1

/* Capture: one ring per datapath thread
 * =====================================
 *
 * A datapath thread hands each batch of packets that it sends or drops to
 * mlog_capture_batch(), which copies the packets' first bytes, as they are,
 * into the thread's ring.  Parsing, looking up and counting are the digest's
 * work.  What is done per packet doesn't depend on anything that is
 * configured: no lock, no allocation, no system call, no lookup.
 *
 * Layout
 * ======
 *
 * A ring is an array of 64-byte slots, a power of 2 of them, used round and
 * round.  Positions count slots from the ring's beginning and never wrap.
 *
 *        head                                    tail
 *   -----+---+------+------+------+...+---+------+------+--------------
 *   free | B | P    | P  P+| P    |   | B | P    | P    | free
 *   -----+---+------+------+------+...+---+------+------+--------------
 *
 *   B  struct mlog_batch_slot: what the packets of a batch share.
 *   P  struct mlog_packet_slot: one packet's metadata and first 56 bytes.  P+
 *      is a packet that takes more slots, each with 64 bytes more.
 *
 * One slot holds Ethernet, IPv4 without options and TCP (54 bytes).  Any
 * other packet of more than 56 bytes takes two (120 bytes of headers), or up
 * to MLOG_PACKET_SLOTS_MAX if the datapath knows that its transport header
 * lies farther back.
 *
 * The cut
 * =======
 *
 * Guarantees, cited by tests:
 *
 *   G1  Records of a ring become visible in order, a batch at a time.
 *   G2  Once mlog_ring_visible() has returned T, every record of the ring
 *       with time <= T is visible, now and for ever.
 *   G3  A record that is visible is complete.
 *   G4  A batch is either in the ring as a whole or counted as lost.
 *
 * Thread-safety
 * =============
 *
 * mlog_capture_batch() is for one thread at a time per ring: the ring's
 * writer.  mlog_ring_*() are for one thread at a time: the digest.
 * mlog_capture_create_ring() and mlog_capture_retire_ring() are for any
 * thread.  All of these may run at once. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mlog-state.h"
#include "mlog-store.h"
#include "openvswitch/list.h"
#include "openvswitch/thread.h"
#include "ovs-atomic.h"
#include "util.h"

#define MLOG_SLOT_SIZE 64
#define MLOG_PACKET_SLOTS_MAX 4
#define MLOG_PACKET_SLOT_BYTES 56

/* Most packets that one batch in a ring has; longer ones are split. */
#define MLOG_BATCH_MAX 256

/* An offset of a transport header that isn't known. */
#define MLOG_NO_OFFSET UINT16_MAX

/* One packet, for mlog_capture_batch(). */
struct mlog_capture_packet {
    const void *data;           /* 'size' bytes. */
    uint32_t size;
    uint16_t in_port;           /* Datapath port number. */
    uint16_t l4_ofs;            /* Or MLOG_NO_OFFSET.  Not trusted. */
};

struct mlog_batch_slot {
    uint64_t time;              /* Ticks. */
    uint32_t n_slots;           /* Of the batch, this one included. */
    uint16_t n_packets;
    uint16_t out_port;          /* Datapath port number. */
    uint8_t reason;             /* enum dp_drop_reason; 0 if forwarded. */
    uint8_t reserved[47];
};
BUILD_ASSERT_DECL(sizeof(struct mlog_batch_slot) == MLOG_SLOT_SIZE);

struct mlog_packet_slot {
    uint32_t size;              /* Of the packet, in bytes. */
    uint16_t in_port;           /* Datapath port number. */
    uint8_t n_slots;            /* 1 to MLOG_PACKET_SLOTS_MAX. */
    uint8_t reserved;
    uint8_t bytes[MLOG_PACKET_SLOT_BYTES];  /* Past 'size': undefined. */
};
BUILD_ASSERT_DECL(sizeof(struct mlog_packet_slot) == MLOG_SLOT_SIZE);

/* One ring.  Each cache line has one writer.  It lies in the file "rings" of
 * the store, its slots in the file "ring-ID"; what is only meant for the
 * process that has made the ring, or has recovered it, is marked P. */
struct mlog_ring {
    /* Constant. */
    PADDED_MEMBERS(CACHE_LINE_SIZE,
        uint8_t *slots;             /* P. */
        uint64_t mask;              /* Number of slots, less 1. */
        unsigned int datapath;      /* As in mlog-ports.h. */
        unsigned int core_id;
        uint32_t id;                /* Unique in the store; 0: no ring. */
        bool fence;                 /* No membarrier(2): the writer fences. */
        char name[32];              /* For humans: "pmd-c03", "main". */
    );

    /* Written by the writer. */
    PADDED_MEMBERS(CACHE_LINE_SIZE,
        atomic_uint64_t tail;       /* Release A; pairs with acquire R. */
        atomic_uint64_t last_time;  /* Release D; pairs with acquire S. */
        atomic_uint32_t busy;       /* Release E; pairs with acquire T. */
        atomic_uint64_t n_lost;     /* Packets, for lack of room. */
        atomic_uint64_t n_captured; /* Packets. */
        uint64_t free_until;        /* P.  'head' plus size, as last seen. */
        uint64_t time;              /* P.  Of the latest batch, ticks. */
    );

    /* Written by the digest. */
    PADDED_MEMBERS(CACHE_LINE_SIZE,
        atomic_uint64_t head;       /* Release B; pairs with acquire W. */
        uint64_t next;              /* P.  Consumed, not yet given back. */
        uint64_t visible;           /* P.  Latest mlog_ring_visible(). */
        uint64_t end;               /* P.  'tail' at mlog_ring_look()... */
        uint64_t bound;             /* P.  ...and 'last_time' before it. */
        uint64_t lost_seen;         /* P. */
        uint64_t lost_base;         /* P.  Counters that an earlier... */
        uint64_t captured_base;     /* P.  ...process has accounted for. */
    );

    PADDED_MEMBERS(CACHE_LINE_SIZE,
        atomic_bool retired;        /* By mlog_capture_retire_ring(), once. */
        struct ovs_list node;       /* P.  In struct mlog_capture. */
        struct mlog_mapping mapping;        /* P.  Of 'slots'. */
    );
};
BUILD_ASSERT_DECL(sizeof(struct mlog_ring) == 4 * CACHE_LINE_SIZE);
BUILD_ASSERT_DECL(offsetof(struct mlog_ring, tail) % CACHE_LINE_SIZE == 0);
BUILD_ASSERT_DECL(offsetof(struct mlog_ring, head) % CACHE_LINE_SIZE == 0);

struct mlog_capture {
    struct mlog_store *store;
    struct mlog_mapping mapping;        /* The file "rings". */
    struct ovs_mutex mutex;
    struct ovs_list rings OVS_GUARDED;
    size_t ring_slots;          /* For new rings. */
    bool membarrier;            /* membarrier(2) works. */
    atomic_count fence;         /* Else for mlog_capture_barrier(). */
    uint32_t last_id OVS_GUARDED;
    uint64_t retired_lost OVS_GUARDED;      /* Of rings that are gone. */
    uint64_t retired_captured OVS_GUARDED;
};

/* Rings will be in 'store' and have 'ring_slots' slots, rounded up to a power
 * of 2. */
void mlog_capture_init(struct mlog_capture *, struct mlog_store *,
                       size_t ring_slots);
void mlog_capture_destroy(struct mlog_capture *);

/* Takes up the rings of an earlier process, as retired rings with the records
 * that were published and are beyond 'commit' (G9).  Call it before any other
 * ring is created.  A ring that is damaged is left out.  Returns the number
 * of records that are there to be digested; '*n_lost' is the number of
 * losses that 'commit' doesn't account for, '*n_damaged' of damaged rings. */
uint64_t mlog_capture_recover(struct mlog_capture *,
                              const struct mlog_commit *commit,
                              uint64_t *n_lost, size_t *n_damaged);

/* Returns a new ring, or NULL if there is no memory for it.  The digest takes
 * it up by itself. */
struct mlog_ring *mlog_capture_create_ring(struct mlog_capture *,
                                           const char *name,
                                           unsigned int datapath,
                                           unsigned int core_id);

/* The writer won't use 'ring' again.  The digest frees it when everything in
 * it is digested and its losses are counted. */
void mlog_capture_retire_ring(struct mlog_ring *);

/* Writer.  The hot path: see mlog-capture-write.c. */
void mlog_capture_batch(struct mlog_ring *,
                        const struct mlog_capture_packet *, size_t n,
                        uint16_t out_port, uint8_t reason);

/* 'n' packets were dropped that the writer has not seen.  Each gets a record
 * of no bytes. */
void mlog_capture_unseen(struct mlog_ring *, size_t n, uint8_t reason);

/* Chooses how to write for this processor; mlog_capture_init() calls it. */
void mlog_capture_init_writer(void);

/* Digest. */

/* To take a cut of some rings, call mlog_ring_look() on each, read the clock,
 * call mlog_capture_barrier(), then mlog_ring_visible() on each.
 *
 * mlog_capture_barrier() makes each running writer execute a full fence, so it
 * costs each of them an interrupt.
 *
 * mlog_ring_visible() returns the greatest T <= 'ticks', the clock's reading,
 * that G2 holds for.  It never goes back. */
void mlog_ring_look(struct mlog_ring *);
void mlog_capture_barrier(struct mlog_capture *);
uint64_t mlog_ring_visible(struct mlog_ring *, uint64_t ticks);

/* True if everything in 'ring' is consumed. */
bool mlog_ring_is_empty(const struct mlog_ring *);

/* Returns the oldest batch that is visible (as of mlog_ring_look()) and
 * not consumed, or NULL. */
const struct mlog_batch_slot *mlog_ring_peek(const struct mlog_ring *);

/* Goes through a batch: '*pos' starts as 0 and is advanced.  Stores a pointer
 * to the captured bytes into '*bytes' and their number into '*n'; 'buffer' is
 * room for them, used if they aren't contiguous. */
#define MLOG_PACKET_BYTES_MAX \
    (MLOG_PACKET_SLOT_BYTES + (MLOG_PACKET_SLOTS_MAX - 1) * MLOG_SLOT_SIZE)
const struct mlog_packet_slot *
mlog_ring_next_packet(const struct mlog_ring *, uint32_t *pos,
                      uint8_t buffer[MLOG_PACKET_BYTES_MAX],
                      const uint8_t **bytes, size_t *n);

/* The same from an absolute position on, '*position', that is advanced: the
 * first packet of a batch is at 'next' + 1 when mlog_ring_peek() returns it.
 * For any thread, until the slots are given back. */
const struct mlog_packet_slot *
mlog_ring_packet_at(const struct mlog_ring *, uint64_t *position,
                    uint8_t buffer[MLOG_PACKET_BYTES_MAX],
                    const uint8_t **bytes, size_t *n);

/* Goes on to the batch after the one that mlog_ring_peek() returns. */
void mlog_ring_consume(struct mlog_ring *);

/* Says in 'commit' up to where rings are consumed.  Only when that is
 * committed may mlog_ring_give_back() let writers have the slots. */
void mlog_capture_fill_commit(struct mlog_capture *,
                              struct mlog_ring *const rings[], size_t n,
                              struct mlog_commit *commit);
void mlog_ring_give_back(struct mlog_ring *);

/* Returns how many packets were lost since the last call. */
uint64_t mlog_ring_lost(struct mlog_ring *);

/* Frees 'ring' if it is retired and empty, and mlog_ring_lost() has told all
 * its losses; returns true if it did.  Needs 'mutex' of its struct
 * mlog_capture. */
bool mlog_ring_reap(struct mlog_capture *, struct mlog_ring *);

/* Any thread. */
struct mlog_ring_stats {
    char name[32];
    unsigned int core_id;
    unsigned int datapath;
    uint64_t n_captured;
    uint64_t n_lost;
    size_t n_slots;
    size_t used_slots;
    bool huge;
};
size_t mlog_capture_get_rings(struct mlog_capture *,
                              struct mlog_ring_stats **);
size_t mlog_capture_memory(struct mlog_capture *);

/* Packets captured and lost by this process or recovered by it, those of rings
 * that are gone included. */
void mlog_capture_get_totals(struct mlog_capture *, uint64_t *n_captured,
                             uint64_t *n_lost);

static inline void *
mlog_ring_slot(const struct mlog_ring *ring, uint64_t position)
{
    return ring->slots + (position & ring->mask) * MLOG_SLOT_SIZE;
}

#endif /* mlog-capture.h */
