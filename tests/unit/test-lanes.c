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
#include <pthread.h>
#include <unistd.h>

#include "mlog-lanes.h"
#include "ovs-atomic.h"
#include "random.h"
#include "util.h"

#define N_SLOTS 8
#define MAX_AHEAD (N_SLOTS - 1)
#define N_ITEMS 20000

static struct mlog_lanes *lanes;

/* What is pushed, and what lanes have made of it.  Nothing here is atomic:
 * the order must come from the lanes. */
static struct slot {
    uint64_t item;
    uint64_t prepared;          /* The same, once it is prepared. */
    unsigned int n_prepared;
    bool ready;                 /* It needs not be prepared. */
    bool slow;
} slots[N_SLOTS];
static uint64_t n_offered, n_pushed;
static struct {
    uint64_t n;                 /* Items, as they came. */
    uint64_t sum;
    bool inside;                /* Somebody is at an item. */
    pthread_t first;            /* Who did the first item. */
    bool both;                  /* Others have done some. */
} seen[MLOG_LANES_MAX];
static pthread_t owner;
static atomic_count n_by_helpers;       /* Items that helpers have prepared. */
static bool failed;

static void
prepare(void *aux, unsigned int slot)
{
    failed |= aux != slots;
    if (slots[slot].slow) {
        usleep(20);
    }
    slots[slot].prepared = slots[slot].item;
    slots[slot].n_prepared++;
    if (!pthread_equal(owner, pthread_self())) {
        atomic_count_inc(&n_by_helpers);
    }
}

static void
run(void *aux, unsigned int lane, unsigned int slot)
{
    failed |= aux != slots || seen[lane].inside;
    seen[lane].inside = true;

    /* G14: in order, each once. */
    failed |= slots[slot].item != seen[lane].n++;
    seen[lane].sum += slots[slot].item;
    if (slots[slot].slow && lane % 2) {
        usleep(50);
    }
    if (!slots[slot].item) {
        seen[lane].first = pthread_self();
    }
    seen[lane].both |= !pthread_equal(seen[lane].first, pthread_self());
    seen[lane].inside = false;
}

static const struct mlog_lanes_class class = { prepare, run };

static void
start(unsigned int n)
{
    owner = pthread_self();
    lanes = mlog_lanes_create(n, N_SLOTS, &class, slots);
    cr_assert_eq(mlog_lanes_count(lanes), n);
}

/* Does the owner's work on the oldest item. */
static void
push(void)
{
    struct slot *slot = &slots[mlog_lanes_prepared(lanes)];

    /* G15. */
    cr_assert_eq(slot->item, n_pushed);
    cr_assert(slot->ready || slot->prepared == n_pushed);
    cr_assert_eq(slot->n_prepared, !slot->ready);
    n_pushed++;
    mlog_lanes_push(lanes);
}

static void
offer(bool slow, bool ready)
{
    struct slot *slot = &slots[mlog_lanes_next(lanes)];

    /* The slot is free: all lanes are done with what it had. */
    cr_assert(n_offered < N_SLOTS || slot->item + N_SLOTS == n_offered);
    for (unsigned int i = 0; i < mlog_lanes_count(lanes); i++) {
        cr_assert(n_offered < N_SLOTS || seen[i].n + N_SLOTS > n_offered,
                  "lane %u is at %"PRIu64", the owner at %"PRIu64, i,
                  seen[i].n, n_offered);
    }
    slot->item = n_offered++;
    slot->slow = slow;
    slot->ready = ready;
    slot->n_prepared = 0;
    mlog_lanes_offer(lanes, ready);
    cr_assert_eq(mlog_lanes_n_offered(lanes), n_offered - n_pushed);
    if (n_offered - n_pushed == MAX_AHEAD) {
        push();
    }
}

/* G16. */
static void
join(void)
{
    while (n_pushed < n_offered) {
        push();
    }
    mlog_lanes_join(lanes);
    cr_assert_not(failed);
    for (unsigned int i = 0; i < mlog_lanes_count(lanes); i++) {
        cr_assert_eq(seen[i].n, n_pushed);
        cr_assert_eq(seen[i].sum, n_pushed * (n_pushed - 1) / 2);
    }
}

static void
run_some(unsigned int n)
{
    start(n);
    for (int i = 0; i < N_ITEMS; i++) {
        offer(random_range(200) == 0, random_range(10) == 0);
        if (random_range(100) == 0) {
            join();
        }
        if (random_range(200) == 0) {
            join();
            mlog_lanes_rest(lanes);
        }
    }
    join();
    mlog_lanes_rest(lanes);
    mlog_lanes_destroy(lanes);
}

Test(lanes, two)
{
    run_some(2);
}

Test(lanes, three)
{
    mlog_lanes_wake_at = 1;
    run_some(3);
}

Test(lanes, more_than_processors)
{
    run_some(MLOG_LANES_MAX);
}

/* A few items are done by the owner alone, without waking anybody. */
Test(lanes, little_work_wakes_nobody)
{
    uint64_t cpu_ns[MLOG_LANES_MAX];

    mlog_lanes_wake_at = N_SLOTS;
    start(2);
    for (int i = 0; i < 1000; i++) {
        offer(false, false);
        join();
        mlog_lanes_rest(lanes);
    }
    cr_assert_not(seen[1].both);
    cr_assert_eq(mlog_lanes_get_load(lanes, cpu_ns), 1);
    mlog_lanes_destroy(lanes);
}

/* Nor do those that are ready. */
Test(lanes, ready_items_wake_nobody)
{
    mlog_lanes_wake_at = 1;
    start(2);
    for (int i = 0; i < 1000; i++) {
        offer(true, true);
        join();
    }
    cr_assert_not(seen[1].both);
    mlog_lanes_destroy(lanes);
}

/* The owner waits for helpers that are at an item. */
Test(lanes, helpers_prepare)
{
    mlog_lanes_wake_at = 1;
    start(3);
    while (atomic_count_get(&n_by_helpers) < 100) {
        while (n_offered - n_pushed < MAX_AHEAD - 1) {
            offer(true, false);
        }
        usleep(50);
        push();
    }
    join();
    mlog_lanes_destroy(lanes);
}

Test(lanes, helpers_help)
{
    start(2);
    for (int i = 0; i < 5000; i++) {
        offer(false, false);
        if (!(i % 100)) {
            usleep(100);
        }
    }
    join();
    mlog_lanes_destroy(lanes);
    cr_assert(seen[0].both || seen[1].both);
}

Test(lanes, destroy_null)
{
    mlog_lanes_destroy(NULL);
}
