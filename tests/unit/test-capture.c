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

#include <criterion/criterion.h>

#include "mlog-capture.h"
#include "mlog-clock.h"
#include "random.h"
#include "util.h"

static struct mlog_capture capture;

static struct mlog_ring *
setup(void)
{
    mlog_clock_init();
    mlog_capture_init(&capture, mlog_store_open(NULL), 0);
    return mlog_capture_create_ring(&capture, "test", 0, 0);
}

static uint64_t
see(struct mlog_ring *ring)
{
    mlog_ring_look(ring);
    uint64_t now = mlog_clock_now();
    mlog_capture_barrier(&capture);
    return mlog_ring_visible(ring, now);
}

/* A packet's bytes are a function of its number. */
static void
make_packet(uint8_t *bytes, size_t n, unsigned int number)
{
    for (size_t i = 0; i < n; i++) {
        bytes[i] = number * 31 + i;
    }
    /* Every other one is IPv4 without options. */
    if (number % 2 && n >= 15) {
        bytes[12] = 8;
        bytes[13] = 0;
        bytes[14] = 0x45;
    }
}

/* G3: what is visible is complete, for packets of all sizes, with any number
 * of slots, wherever the ring wraps. */
Test(capture, packets_come_back_whole)
{
    static uint8_t bytes[4][512];
    struct mlog_ring *ring = setup();
    unsigned int out = 0;

    for (unsigned int in = 0; in < 60000; in += 3) {
        struct mlog_capture_packet packets[3];

        for (unsigned int i = 0; i < 3; i++) {
            size_t size = (in + i) * 7 % 400;

            make_packet(bytes[i], size, in + i);
            packets[i] = (struct mlog_capture_packet) {
                .data = bytes[i], .size = size, .in_port = i,
                .l4_ofs = in % 5 ? MLOG_NO_OFFSET : in % 600,
            };
        }
        mlog_capture_batch(ring, packets, 3, 77, 0);

        see(ring);
        const struct mlog_batch_slot *batch = mlog_ring_peek(ring);
        cr_assert_not_null(batch);
        cr_assert_eq(batch->n_packets, 3);
        cr_assert_eq(batch->out_port, 77);

        uint32_t pos = 0;
        for (unsigned int i = 0; i < 3; i++, out++) {
            uint8_t buffer[MLOG_PACKET_BYTES_MAX], expect[512];
            const struct mlog_packet_slot *slot;
            const uint8_t *data;
            size_t n;

            slot = mlog_ring_next_packet(ring, &pos, buffer, &data, &n);
            cr_assert_eq(slot->size, out * 7 % 400);
            cr_assert_eq(slot->in_port, i);
            cr_assert_leq(n, slot->size);
            cr_assert_geq(n, MIN(slot->size, 56));
            if (!(out % 2)) {
                cr_assert_geq(n, MIN(slot->size, 120));
            }
            make_packet(expect, slot->size, out);
            cr_assert_arr_eq(data, expect, n);
        }
        mlog_ring_consume(ring);
        mlog_ring_give_back(ring);
        cr_assert_null(mlog_ring_peek(ring));
    }
}

/* G4: without room, a batch is counted as lost, as a whole, and nothing that
 * was there before is harmed. */
Test(capture, a_full_ring_counts_what_it_loses)
{
    struct mlog_ring *ring = setup();
    struct mlog_capture_packet packets[32];
    uint8_t bytes[60] = { 0 };
    uint64_t offered = 0, captured = 0;

    for (size_t i = 0; i < ARRAY_SIZE(packets); i++) {
        packets[i] = (struct mlog_capture_packet) { bytes, 60, 0, 34 };
    }
    while (offered < 3 * (ring->mask + 1)) {
        mlog_capture_batch(ring, packets, 32, 1, 0);
        offered += 32;
    }
    see(ring);
    while (mlog_ring_peek(ring)) {
        captured += mlog_ring_peek(ring)->n_packets;
        mlog_ring_consume(ring);
    }
    uint64_t lost = mlog_ring_lost(ring);
    cr_expect_gt(lost, 0);
    cr_expect_eq(captured + lost, offered);
    cr_expect_eq(mlog_ring_lost(ring), 0, "a loss is reported once");

    /* There is room again, when the slots are given back. */
    mlog_capture_batch(ring, packets, 32, 1, 0);
    see(ring);
    cr_expect_null(mlog_ring_peek(ring));
    cr_expect_eq(mlog_ring_lost(ring), 32);
    mlog_ring_give_back(ring);
    mlog_capture_batch(ring, packets, 32, 1, 0);
    see(ring);
    cr_expect_not_null(mlog_ring_peek(ring));
    cr_expect_eq(mlog_ring_lost(ring), 0);
}

Test(capture, a_long_batch_is_split)
{
    struct mlog_ring *ring = setup();
    enum { N = 3 * MLOG_BATCH_MAX + 1 };
    static struct mlog_capture_packet packets[N];
    uint64_t n = 0;

    for (size_t i = 0; i < N; i++) {
        packets[i] = (struct mlog_capture_packet) { "x", 1, i, 0 };
    }
    mlog_capture_batch(ring, packets, N, 1, 0);
    see(ring);
    while (mlog_ring_peek(ring)) {
        n += mlog_ring_peek(ring)->n_packets;
        mlog_ring_consume(ring);
    }
    cr_expect_eq(n, N);
}

Test(capture, a_retired_ring_goes_when_it_is_empty)
{
    struct mlog_ring *ring = setup();
    struct mlog_capture_packet packet = { "x", 1, 0, 0 };
    uint64_t captured, lost;

    mlog_capture_batch(ring, &packet, 1, 1, 0);
    mlog_capture_retire_ring(ring);
    see(ring);
    ovs_mutex_lock(&capture.mutex);
    cr_expect_not(mlog_ring_reap(&capture, ring));
    mlog_ring_consume(ring);
    cr_expect_not(mlog_ring_reap(&capture, ring), "not given back yet");
    mlog_ring_give_back(ring);
    cr_expect(mlog_ring_reap(&capture, ring));
    ovs_mutex_unlock(&capture.mutex);
    mlog_capture_get_totals(&capture, &captured, &lost);
    cr_expect_eq(captured, 1, "what a ring counted outlives it");
}

/* G4: what was lost while the ring was being emptied counts, too. */
Test(capture, a_retired_ring_goes_when_its_losses_are_counted)
{
    struct mlog_ring *ring = setup();
    struct mlog_capture_packet packets[32];
    uint64_t captured, lost = 0;

    for (size_t i = 0; i < ARRAY_SIZE(packets); i++) {
        packets[i] = (struct mlog_capture_packet) { "x", 1, 0, 0 };
    }
    while (!lost) {
        mlog_capture_batch(ring, packets, 32, 1, 0);
        atomic_read_relaxed(&ring->n_lost, &lost);
    }
    mlog_capture_retire_ring(ring);
    see(ring);
    while (mlog_ring_peek(ring)) {
        mlog_ring_consume(ring);
    }
    mlog_ring_give_back(ring);
    ovs_mutex_lock(&capture.mutex);
    cr_expect_not(mlog_ring_reap(&capture, ring));
    cr_expect_eq(mlog_ring_lost(ring), lost);
    cr_expect(mlog_ring_reap(&capture, ring));
    ovs_mutex_unlock(&capture.mutex);
    mlog_capture_get_totals(&capture, &captured, &lost);
    cr_expect_eq(lost, 32, "what a ring lost outlives it");
}

/* While the writer is inside a batch, the cut stays before it. */
Test(capture, a_busy_writer_holds_the_cut_back)
{
    struct mlog_ring *ring = setup();
    struct mlog_capture_packet packet = { "x", 1, 0, 0 };

    mlog_capture_batch(ring, &packet, 1, 1, 0);
    uint64_t before = see(ring);
    cr_expect_geq(before, ring->time);
    atomic_store_relaxed(&ring->busy, 1);
    cr_expect_eq(see(ring), before, "a cut never goes back");
    atomic_store_relaxed(&ring->busy, 0);
    cr_expect_gt(see(ring), before);
}

/* What is published between the look and the barrier may be incomplete: it is
 * left for the next cut. */
Test(capture, the_cut_stays_before_what_came_after_the_look)
{
    struct mlog_ring *ring = setup();
    struct mlog_capture_packet packet = { "x", 1, 0, 0 };

    mlog_capture_batch(ring, &packet, 1, 1, 0);
    mlog_ring_look(ring);
    mlog_capture_batch(ring, &packet, 1, 1, 0);
    uint64_t second = ring->time;
    uint64_t now = mlog_clock_now();
    mlog_capture_barrier(&capture);
    cr_expect_lt(mlog_ring_visible(ring, now), second);
    mlog_ring_consume(ring);
    cr_expect_null(mlog_ring_peek(ring));
    cr_expect_geq(see(ring), second);
    cr_expect_not_null(mlog_ring_peek(ring));
}

/* The very first batch has no earlier one to bound its time by. */
Test(capture, a_writer_in_its_first_batch_holds_the_cut_back)
{
    struct mlog_ring *ring = setup();

    atomic_store_relaxed(&ring->busy, 1);
    cr_expect_eq(see(ring), 0);
}
