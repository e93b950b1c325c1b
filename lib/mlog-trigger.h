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

#ifndef MLOG_TRIGGER_H
#define MLOG_TRIGGER_H 1

/* Triggers
 * ========
 *
 * A trigger compares the values of an aggregate, of each group by itself,
 * with a threshold.
 *
 * Life cycle of one group's incident
 * ----------------------------------
 *
 *             condition holds           it has held for 'for'
 *     (none) ----------------> pending ----------------------> raised
 *        ^                        |                               |
 *        +------------------------+                               |
 *        |     it doesn't hold                                    |
 *        +--------------------------------------------------------+
 *            it doesn't hold, and with "clear" the value is there
 *
 * One alert tells that an incident is raised and one that it has cleared.
 * Without 'for' it is raised at once.
 *
 *   - "clear" (hysteresis) of > and >=: the incident lasts until the value is
 *     at or below it; of < and <=: at or above it.  It must lie on the far
 *     side of the threshold.  A value that is absent clears in any case.
 *
 *   - The condition does not hold for an absent value.
 *
 *   - A group whose window has run empty is gone, and its incident with it
 *     (MLOG_REASON_IDLE).  An ungrouped aggregate is always there, with count
 *     0 when it is empty, so that "<" detects silence.
 *
 *   - <, <=, == and != are not evaluated before the aggregate, and in groups
 *     the group, is a window old: until then a value is low by nature.
 *
 * When triggers are evaluated
 * ---------------------------
 *
 * At the first tick that is a period after the last evaluation, give or take
 * half a tick; once, however late that tick is.  A value that passes a
 * threshold and returns between two evaluations is not seen, but since a
 * window forgets nothing in less than its length, that takes a window shorter
 * than the period or the digest's delay, or further records that lower a min
 * or avg.
 *
 * Evaluation visits the groups that have changed since the last one, as far
 * as a threshold may be concerned, and those that have an incident.  A
 * visited group costs about two comparisons plus the triggers that hold for
 * it, not one per trigger.
 *
 * Thread-safety
 * =============
 *
 * None, see mlog-stream.h. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mlog-alert.h"
#include "openvswitch/hmap.h"
#include "openvswitch/list.h"

struct mlog_aggregate;
struct mlog_error;
struct mlog_group;

#define MLOG_MAX_INCIDENTS 65536    /* Pending or raised at a time. */
#define MLOG_MIN_PERIOD_NS UINT64_C(1000000)
#define MLOG_MAX_PERIOD_NS UINT64_C(3600000000000)
#define MLOG_MAX_HOLD_NS   UINT64_C(86400000000000)

/* Parses "2.5M" into '*number'.  Returns NULL or an error message to free. */
char *mlog_number_parse(const char *text, double *number)
    OVS_WARN_UNUSED_RESULT;

/* Parses 'condition' ("syns > 10k") and 'options' of the form "period=1ms",
 * "for=5s" and "clear=8k".  Returns a definition with one reference, or NULL
 * after setting 'error' (which must be initialised) and '*where', the
 * argument that the error's column refers to.  Whether the aggregate exists
 * is for the caller to check. */
struct mlog_trigger_def *
mlog_trigger_def_parse(const char *name, const char *condition,
                       const char *const options[], size_t n_options,
                       struct mlog_error *error, const char **where);

/* What triggers share. */
struct mlog_trigger_engine {
    struct mlog_alert_log *log;
    struct hmap incidents;      /* By trigger and group. */
    size_t max_incidents;       /* Default MLOG_MAX_INCIDENTS. */
};

void mlog_trigger_engine_init(struct mlog_trigger_engine *,
                              struct mlog_alert_log *);
void mlog_trigger_engine_destroy(struct mlog_trigger_engine *);

struct mlog_trigger {
    struct mlog_trigger_def *def;
    struct mlog_aggregate *aggregate;
    struct mlog_trigger_set *set;
    uint64_t added;             /* ns. */
    size_t n_pending;           /* Groups now. */
    size_t n_raised;            /* Groups now. */
    uint64_t n_raises;          /* Ever. */
    uint64_t n_clears;          /* Ever. */
    uint64_t n_suppressed;      /* Incidents that found no room, ever. */
    bool overflowed;            /* Since its incidents overflowed. */
};

/* Takes over the reference to 'def'. */
struct mlog_trigger *mlog_trigger_create(struct mlog_aggregate *,
                                         struct mlog_trigger_def *def,
                                         uint64_t now);

/* Clears what is raised. */
void mlog_trigger_destroy(struct mlog_trigger_engine *,
                          struct mlog_trigger *, uint64_t now);

/* Evaluates the triggers of an aggregate that are due; between
 * mlog_aggregate_expire() and mlog_aggregate_finish(). */
void mlog_triggers_run(struct mlog_trigger_engine *, struct mlog_aggregate *,
                       uint64_t now);

#endif /* mlog-trigger.h */
