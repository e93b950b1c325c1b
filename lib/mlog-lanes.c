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

#include "mlog-lanes.h"

#include <errno.h>
#include <time.h>

#include "ovs-atomic.h"
#include "ovs-rcu.h"
#include "ovs-thread.h"
#include "util.h"

/* How it works
 * ============
 *
 * Items are numbered from 0.  'offered' and 'pushed' are how many the owner
 * has handed over, a lane's 'done' how many it is done with.  Whoever wants to
 * work in a lane sets its 'busy' first, and leaves it if it was set.  Whoever
 * wants to prepare an item changes the 'state' of its slot from OFFERED to
 * CLAIMED; 'offered' only says where to look.
 *
 *   'pushed'  release A (owner), acquire B (threads in a lane): an item is
 *             prepared, and everything that the owner did before is done,
 *             before a lane begins with it.
 *   'busy'    acquire C, release D: what a thread does in a lane comes after
 *             all that the one before it did there (G14).
 *   'done'    release E, acquire F (owner): what a lane did comes before the
 *             owner reuses a slot or returns from mlog_lanes_join() (G16).
 *   'state'   release G (owner, OFFERED), acquire H (CLAIMED): an item is
 *             filled in before it is prepared.
 *             release I (PREPARED), acquire K (owner): it is prepared before
 *             the owner works on it (G15).
 *
 * After mlog_lanes_join(), a helper may still set a lane's 'busy', find that
 * there is nothing to be done, and clear it.
 *
 * Progress: an item that no thread has begun with is done by the owner when
 * it waits.  One that a helper has begun with is waited for, so the owner
 * yields its processor, in case the helper is waiting for one. */

/* So many are worth it. */
unsigned int mlog_lanes_wake_at = 8;

/* Looks in vain before a thread yields its processor. */
#define SPINS 2000

struct lane {
    PADDED_MEMBERS(CACHE_LINE_SIZE,
        atomic_uint64_t done;
        atomic_uint32_t busy;
    );
};

/* Of a slot. */
enum {
    IDLE,                           /* Being filled in, or in lanes. */
    OFFERED,
    CLAIMED,                        /* Somebody prepares it. */
    PREPARED,
};

struct slot {
    PADDED_MEMBERS(CACHE_LINE_SIZE,
        atomic_uint32_t state;
    );
};

struct helper {
    struct mlog_lanes *lanes;
    pthread_t thread;
    unsigned int own;               /* Lane that it looks at first. */
};

struct mlog_lanes {
    const struct mlog_lanes_class *class;
    void *aux;
    unsigned int n;
    unsigned int n_slots;

    struct lane lanes[MLOG_LANES_MAX];

    struct slot *slots;

    PADDED_MEMBERS(CACHE_LINE_SIZE,
        atomic_uint64_t offered;
        atomic_uint64_t pushed;
        atomic_bool awake;          /* Helpers are to look for work. */
        atomic_bool exit;
    );

    /* Owner. */
    uint64_t free_until;            /* Items up to this one have a slot. */
    uint64_t rested_at;             /* Items when helpers went to sleep. */

    struct ovs_mutex mutex;
    pthread_cond_t cond;            /* 'awake' or 'exit' was set. */
    struct helper helpers[MLOG_LANES_MAX];
};

static bool
is_set(atomic_bool *flag)
{
    bool set;

    atomic_read_relaxed(flag, &set);
    return set;
}

static uint64_t
get_pushed(struct mlog_lanes *lanes)
{
    uint64_t pushed;

    /* Acquire B. */
    atomic_read_explicit(&lanes->pushed, &pushed, memory_order_acquire);
    return pushed;
}

static uint64_t
get_done(struct mlog_lanes *lanes, unsigned int i)
{
    uint64_t done;

    /* Acquire F. */
    atomic_read_explicit(&lanes->lanes[i].done, &done, memory_order_acquire);
    return done;
}

static bool
enter(struct lane *lane)
{
    uint32_t busy;

    atomic_read_relaxed(&lane->busy, &busy);
    if (busy) {
        return false;
    }

    /* Acquire C. */
    return atomic_compare_exchange_strong_explicit(
        &lane->busy, &busy, 1, memory_order_acquire, memory_order_relaxed);
}

/* Executes an item in lane 'i'.  Returns false if there is nothing to be done,
 * or another thread is there. */
static bool
work(struct mlog_lanes *lanes, unsigned int i)
{
    struct lane *lane = &lanes->lanes[i];
    uint64_t pushed = get_pushed(lanes);
    uint64_t done;
    bool worked;

    atomic_read_relaxed(&lane->done, &done);
    if (done >= pushed || !enter(lane)) {
        return false;
    }
    atomic_read_relaxed(&lane->done, &done);
    worked = done < pushed;
    if (worked) {
        lanes->class->run(lanes->aux, i, done % lanes->n_slots);

        /* Release E. */
        atomic_store_explicit(&lane->done, done + 1, memory_order_release);
    }

    /* Release D. */
    atomic_store_explicit(&lane->busy, 0, memory_order_release);
    return worked;
}

/* Works in lane 'own', or if there is nothing to be done in another one. */
static bool
work_anywhere(struct mlog_lanes *lanes, unsigned int own)
{
    for (unsigned int i = 0; i < lanes->n; i++) {
        if (work(lanes, (own + i) % lanes->n)) {
            return true;
        }
    }
    return false;
}

/* Prepares the item in 'slot', unless somebody does or has. */
static bool
prepare(struct mlog_lanes *lanes, unsigned int slot)
{
    atomic_uint32_t *statep = &lanes->slots[slot].state;
    uint32_t state;

    /* Acquire H. */
    atomic_read_relaxed(statep, &state);
    if (state != OFFERED
        || !atomic_compare_exchange_strong_explicit(
            statep, &state, CLAIMED, memory_order_acquire,
            memory_order_relaxed)) {
        return false;
    }
    lanes->class->prepare(lanes->aux, slot);

    /* Release I. */
    atomic_store_explicit(statep, PREPARED, memory_order_release);
    return true;
}

/* Prepares the oldest item that waits for it. */
static bool
prepare_any(struct mlog_lanes *lanes)
{
    uint64_t offered, pushed;

    atomic_read_relaxed(&lanes->pushed, &pushed);
    atomic_read_relaxed(&lanes->offered, &offered);
    for (; pushed < offered; pushed++) {
        if (prepare(lanes, pushed % lanes->n_slots)) {
            return true;
        }
    }
    return false;
}

static void
relax(unsigned int *n)
{
    if (++*n % SPINS) {
#if defined(__x86_64__)
        __builtin_ia32_pause();
#endif
    } else {
        sched_yield();
    }
}

/* Helpers. */

static void *
helper_main(void *helper_)
{
    struct helper *helper = helper_;
    struct mlog_lanes *lanes = helper->lanes;

    /* This thread uses nothing that RCU protects. */
    ovsrcu_quiesce_start();
    while (!is_set(&lanes->exit)) {
        unsigned int n = 0;

        ovs_mutex_lock(&lanes->mutex);
        while (!is_set(&lanes->awake) && !is_set(&lanes->exit)) {
            ovs_mutex_cond_wait(&lanes->cond, &lanes->mutex);
        }
        ovs_mutex_unlock(&lanes->mutex);
        while (is_set(&lanes->awake)) {
            /* The owner waits for what is to be prepared. */
            if (prepare_any(lanes) || work_anywhere(lanes, helper->own)) {
                n = 0;
            } else {
                relax(&n);
            }
        }
    }
    return NULL;
}

static void
wake(struct mlog_lanes *lanes, atomic_bool *flag)
{
    ovs_mutex_lock(&lanes->mutex);
    atomic_store_relaxed(flag, true);
    xpthread_cond_broadcast(&lanes->cond);
    ovs_mutex_unlock(&lanes->mutex);
}

/* Life cycle. */

struct mlog_lanes *
mlog_lanes_create(unsigned int n, unsigned int n_slots,
                  const struct mlog_lanes_class *class, void *aux)
{
    struct mlog_lanes *lanes = xzalloc_cacheline(sizeof *lanes);

    ovs_assert(n >= 2 && n <= MLOG_LANES_MAX && IS_POW2(n_slots));
    lanes->class = class;
    lanes->aux = aux;
    lanes->n = n;
    lanes->n_slots = n_slots;
    lanes->free_until = n_slots;
    lanes->slots = xzalloc_cacheline(n_slots * sizeof *lanes->slots);
    for (unsigned int i = 0; i < n_slots; i++) {
        atomic_init(&lanes->slots[i].state, IDLE);
    }
    atomic_init(&lanes->offered, 0);
    atomic_init(&lanes->pushed, 0);
    atomic_init(&lanes->awake, false);
    atomic_init(&lanes->exit, false);
    for (unsigned int i = 0; i < n; i++) {
        atomic_init(&lanes->lanes[i].done, 0);
        atomic_init(&lanes->lanes[i].busy, 0);
    }
    ovs_mutex_init(&lanes->mutex);
    xpthread_cond_init(&lanes->cond, NULL);
    for (unsigned int i = 1; i < n; i++) {
        struct helper *helper = &lanes->helpers[i];

        helper->lanes = lanes;
        helper->own = i;
        helper->thread = ovs_thread_create("mlog_helper", helper_main,
                                           helper);
    }
    return lanes;
}

void
mlog_lanes_destroy(struct mlog_lanes *lanes)
{
    if (lanes) {
        mlog_lanes_rest(lanes);
        wake(lanes, &lanes->exit);
        for (unsigned int i = 1; i < lanes->n; i++) {
            xpthread_join(lanes->helpers[i].thread, NULL);
        }
        xpthread_cond_destroy(&lanes->cond);
        ovs_mutex_destroy(&lanes->mutex);
        free_cacheline(lanes->slots);
        free_cacheline(lanes);
    }
}

unsigned int
mlog_lanes_count(const struct mlog_lanes *lanes)
{
    return lanes->n;
}

/* Owner. */

/* A counter that the owner alone changes. */
static uint64_t
get_own(const atomic_uint64_t *counter)
{
    uint64_t value;

    atomic_read_relaxed(CONST_CAST(atomic_uint64_t *, counter), &value);
    return value;
}

/* How many items all lanes are done with. */
static uint64_t
least_done(struct mlog_lanes *lanes)
{
    uint64_t least = UINT64_MAX;

    for (unsigned int i = 0; i < lanes->n; i++) {
        uint64_t done = get_done(lanes, i);

        least = MIN(least, done);
    }
    return least;
}

/* Returns when all lanes are done with 'n' items. */
static uint64_t
wait_until_done(struct mlog_lanes *lanes, uint64_t n)
{
    unsigned int spins = 0;
    uint64_t done;

    while ((done = least_done(lanes)) < n) {
        /* Item by item: when enough is done, there is other work to do. */
        if (work_anywhere(lanes, 0)) {
            spins = 0;
        } else {
            relax(&spins);
        }
    }
    return done;
}

unsigned int
mlog_lanes_next(struct mlog_lanes *lanes)
{
    uint64_t item = get_own(&lanes->offered);

    if (OVS_UNLIKELY(item >= lanes->free_until)) {
        lanes->free_until = (wait_until_done(lanes, item + 1 - lanes->n_slots)
                             + lanes->n_slots);
    }
    return item % lanes->n_slots;
}

void
mlog_lanes_offer(struct mlog_lanes *lanes, bool ready)
{
    uint64_t item = get_own(&lanes->offered);

    /* Release G. */
    atomic_store_explicit(&lanes->slots[item % lanes->n_slots].state,
                          ready ? PREPARED : OFFERED, memory_order_release);
    atomic_store_relaxed(&lanes->offered, item + 1);
    if (OVS_UNLIKELY(!ready && item + 1 - lanes->rested_at
                               >= mlog_lanes_wake_at
                     && !is_set(&lanes->awake))) {
        wake(lanes, &lanes->awake);
    }
}

unsigned int
mlog_lanes_n_offered(const struct mlog_lanes *lanes)
{
    return get_own(&lanes->offered) - get_own(&lanes->pushed);
}

unsigned int
mlog_lanes_prepared(struct mlog_lanes *lanes)
{
    unsigned int slot = get_own(&lanes->pushed) % lanes->n_slots;
    unsigned int spins = 0;
    uint32_t state;

    for (;;) {
        /* Acquire K. */
        atomic_read_explicit(&lanes->slots[slot].state, &state,
                             memory_order_acquire);
        if (state == PREPARED) {
            return slot;
        } else if (prepare_any(lanes)) {
            spins = 0;
        } else {
            relax(&spins);
        }
    }
}

void
mlog_lanes_push(struct mlog_lanes *lanes)
{
    uint64_t item = get_own(&lanes->pushed);

    atomic_store_relaxed(&lanes->slots[item % lanes->n_slots].state, IDLE);

    /* Release A. */
    atomic_store_explicit(&lanes->pushed, item + 1, memory_order_release);
}

void
mlog_lanes_join(struct mlog_lanes *lanes)
{
    ovs_assert(!mlog_lanes_n_offered(lanes));
    wait_until_done(lanes, get_own(&lanes->pushed));
}

void
mlog_lanes_rest(struct mlog_lanes *lanes)
{
    atomic_store_relaxed(&lanes->awake, false);
    lanes->rested_at = get_own(&lanes->offered);
}

/* Any thread. */

unsigned int
mlog_lanes_get_load(const struct mlog_lanes *lanes, uint64_t cpu_ns[])
{
    for (unsigned int i = 1; i < lanes->n; i++) {
        struct timespec ts = { 0, 0 };
        clockid_t clock;

        if (!pthread_getcpuclockid(lanes->helpers[i].thread, &clock)) {
            clock_gettime(clock, &ts);
        }
        cpu_ns[i - 1] = ts.tv_sec * UINT64_C(1000000000) + ts.tv_nsec;
    }
    return lanes->n - 1;
}

int
mlog_lanes_bind(struct mlog_lanes *lanes, const cpu_set_t *cpus)
{
    int error = 0;

    for (unsigned int i = 1; i < lanes->n && !error; i++) {
        error = pthread_setaffinity_np(lanes->helpers[i].thread, sizeof *cpus,
                                       cpus);
    }
    return error;
}
