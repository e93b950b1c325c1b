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

#ifndef MLOG_LANES_H
#define MLOG_LANES_H 1

/* Work in order, on several threads
 * =================================
 *
 * An *owner* has a sequence of items.  Each goes through four hands:
 *
 *   1. The owner fills the item in and *offers* it.
 *   2. Some thread *prepares* it, in any order.
 *   3. The owner works on it, in order, and *pushes* it.
 *   4. Each of N *lanes* has something to do for it, in order, independent of
 *      what other lanes do.
 *
 *                         lane 0  lane 1  lane 2
 *         item 9  offered
 *         item 8  prepared
 *         item 7  offered                          x  done
 *         item 6  pushed     .       .       .     .  not yet
 *         item 5  pushed     .       .       x
 *         item 4  pushed     .       x       x
 *         item 3  pushed     x       x       x
 *
 * There are N - 1 threads to help; the owner does what they leave.
 *
 * Items lie in slots, used round and round, which are the caller's: here they
 * are numbers.  A slot is free when all lanes are done with what it had.
 *
 * A lane isn't bound to a thread: whoever is free takes one that has work, at
 * first its own, and leaves it again.  So a thread that gets no processor
 * holds up nothing but the item that it is at.  Helpers sleep until several
 * items are there; a few are done sooner by the owner alone.
 *
 * Guarantees, cited by tests:
 *
 *   G14 A lane's items are executed one at a time, in order, each once.
 *   G15 An item is prepared once, and that comes before the owner's work on
 *       it.
 *   G16 What the owner does after mlog_lanes_join() comes after all that lanes
 *       have done, and before all that they do for items that are pushed
 *       later.
 *
 * Thread-safety
 * =============
 *
 * One thread at a time is the owner; who that is may change between items,
 * under a lock of the caller.  mlog_lanes_get_load() is for any thread. */

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>

#define MLOG_LANES_MAX 16

struct mlog_lanes;

/* What there is to do for the item in 'slot'; any function may be called in
 * any thread. */
struct mlog_lanes_class {
    void (*prepare)(void *aux, unsigned int slot);
    void (*run)(void *aux, unsigned int lane, unsigned int slot);
};

/* 'n' lanes, from 2 to MLOG_LANES_MAX, and 'n' - 1 threads.  'n_slots' is a
 * power of 2. */
struct mlog_lanes *mlog_lanes_create(unsigned int n, unsigned int n_slots,
                                     const struct mlog_lanes_class *,
                                     void *aux);

/* All items must be done.  Ends the threads. */
void mlog_lanes_destroy(struct mlog_lanes *);

unsigned int mlog_lanes_count(const struct mlog_lanes *);

/* Owner. */

/* Returns the slot for the next item, once it is free; meanwhile works in
 * lanes.  mlog_lanes_offer() lets the item be prepared; or with 'ready', it
 * needs not, and no helper is woken up for it. */
unsigned int mlog_lanes_next(struct mlog_lanes *);
void mlog_lanes_offer(struct mlog_lanes *, bool ready);

/* How many items are offered and not pushed; must be less than 'n_slots'. */
unsigned int mlog_lanes_n_offered(const struct mlog_lanes *);

/* Returns the slot of the oldest of these, which is prepared then, if need be
 * by the caller.  mlog_lanes_push() gives it to lanes. */
unsigned int mlog_lanes_prepared(struct mlog_lanes *);
void mlog_lanes_push(struct mlog_lanes *);

/* Returns when all lanes are done with all items, which have to be pushed.
 * Helpers go on waiting for more; with mlog_lanes_rest() they sleep. */
void mlog_lanes_join(struct mlog_lanes *);
void mlog_lanes_rest(struct mlog_lanes *);

/* How many items have to be offered for helpers to be woken up.  Tests change
 * it. */
extern unsigned int mlog_lanes_wake_at;

/* Any thread. */

/* Stores the processor time that each helper has taken, ns, in 'cpu_ns', which
 * has room for MLOG_LANES_MAX, and returns the number of helpers. */
unsigned int mlog_lanes_get_load(const struct mlog_lanes *,
                                 uint64_t cpu_ns[]);

/* Binds the helpers to the processors in 'cpus'.  Returns 0 or an errno. */
int mlog_lanes_bind(struct mlog_lanes *, const cpu_set_t *cpus);

#endif /* mlog-lanes.h */
