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

#ifndef TESTS_STRESS_HISTORY_H
#define TESTS_STRESS_HISTORY_H 1

/* Histories, and whether they are linearizable
 * ============================================
 *
 * A history is what some threads did to a log, as they saw it: each operation
 * with the ticks of its invocation and of its return.
 *
 *   append   a writer adds a batch of records; or it is told that there was
 *            no room, and the batch is lost.
 *   cut      a reader gets a set of batches, the number of records that are
 *            counted as lost, and the time T of the cut.
 *
 * The specification is sequential: each operation happens at one moment
 * between its invocation and its return; a cut gets the batches that were
 * appended before it, all of them and no other.
 *
 * Thread-safety
 * =============
 *
 * Each writer fills in its own appends, each reader its own cuts.  To check,
 * all must have come to an end. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ovs-atomic.h"

struct ds;

#define HISTORY_MAX_THREADS 8           /* Writers, and readers. */

struct history_append {
    uint64_t invoked, returned;         /* Ticks. */
    uint32_t n_records;
    bool lost;

    /* How many appends of each writer had returned, to this writer's
     * knowledge, when this one was invoked. */
    uint32_t seen[HISTORY_MAX_THREADS];

    atomic_uint64_t time;               /* By the first cut that has it, ns; 0:
                                         * none does. */
};

struct history_cut {
    uint64_t invoked, returned;         /* Ticks. */
    bool fresh;                         /* It asked for what is there now, not
                                         * for what was published last. */
    uint64_t time;                      /* T, ns. */
    uint64_t n_lost;                    /* Records, since the beginning. */
    unsigned long *set;                 /* Bitmap of appends, by number. */
    size_t size;                        /* Of 'set'. */
};

/* Append 'i' of writer 'w' has the number w * max_appends + i, likewise
 * cuts. */
struct history {
    unsigned int n_writers, n_readers;
    unsigned int max_appends, max_cuts;         /* Of each. */
    unsigned int n_appends[HISTORY_MAX_THREADS];
    unsigned int n_cuts[HISTORY_MAX_THREADS];
    struct history_append *appends;
    struct history_cut *cuts;
};

void history_init(struct history *, unsigned int n_writers,
                  unsigned int n_readers, unsigned int max_appends,
                  unsigned int max_cuts);
void history_destroy(struct history *);

/* Empties 'history'. */
void history_clear(struct history *);

/* Next append of 'writer', next cut of 'reader', to be filled in. */
struct history_append *history_add_append(struct history *,
                                          unsigned int writer);
struct history_cut *history_add_cut(struct history *, unsigned int reader);

/* Puts append 'number' of 'time', ns, into 'cut'.  Returns false if it was
 * there already, or if another cut has it with another time. */
bool history_cut_add(struct history *, struct history_cut *,
                     unsigned int number, uint64_t time);

/* Return true if 'history' is right, else false after appending the reason to
 * 'why'.
 *
 * history_is_linearizable() is about sets and real time alone, and exact.
 * history_check() includes it, and adds that
 *
 *   - a cut that has an append has all those that its writer had seen;
 *   - a cut has exactly the appends of times up to its own;
 *   - losses are counted by the cuts that come after them, as they would be if
 *     they were linearizable as a counter. */
bool history_is_linearizable(const struct history *, struct ds *why);
bool history_check(const struct history *, struct ds *why);

/* Appends all operations, a line each, in order of invocation, 'max' lines at
 * most. */
void history_format(const struct history *, size_t max, struct ds *);

/* Compares history_is_linearizable() with a search through all orders, on 'n'
 * small random histories.  Returns true if they agree, else false after
 * appending the history to 'why'. */
bool history_self_test(unsigned int n, uint32_t seed, struct ds *why);

#endif /* tests/stress/history.h */
