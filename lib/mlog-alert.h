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

#ifndef MLOG_ALERT_H
#define MLOG_ALERT_H 1

/* The alert log
 * =============
 *
 * Every transition of every trigger, and every overflow, numbered from 1.
 * The newest MLOG_MAX_ALERTS are kept.
 *
 * An alert keeps its evidence as values, which become text only when somebody
 * asks: an expression and a range of time such that a query for them returns
 * the records that the alert is about.
 *
 * Thread-safety
 * =============
 *
 * None for the log, see mlog-stream.h.  Alerts that mlog_alert_log_read()
 * returned belong to the caller, and definitions of triggers are immutable
 * and may be referenced and read from any thread. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mlog-aggregate.h"
#include "ovs-atomic.h"

struct ds;
struct mlog_error;

#define MLOG_MAX_ALERTS 4096

enum mlog_trigger_op {
    MLOG_TRIGGER_GT,
    MLOG_TRIGGER_GE,
    MLOG_TRIGGER_LT,
    MLOG_TRIGGER_LE,
    MLOG_TRIGGER_EQ,
    MLOG_TRIGGER_NE,
};

/* What a trigger is.  Immutable, shared by counting references. */
struct mlog_trigger_def {
    struct ovs_refcount refcount;
    char *name;
    char *aggregate;            /* Its name. */
    enum mlog_trigger_op op;
    double threshold;
    bool has_clear;             /* 'clear' is set. */
    double clear;
    uint64_t period;            /* ns. */
    uint64_t hold;              /* "for", ns. */
};

struct mlog_trigger_def *
mlog_trigger_def_ref(const struct mlog_trigger_def *);
void mlog_trigger_def_unref(struct mlog_trigger_def *);

/* ">" and so on. */
const char *mlog_trigger_op_to_string(enum mlog_trigger_op);

/* Appends "syns > 100". */
void mlog_trigger_def_format(const struct mlog_trigger_def *, struct ds *);

/* Appends 'number' in full, "1500000", or "0.25". */
void mlog_number_format(double number, struct ds *);

enum mlog_alert_kind {
    MLOG_ALERT_RAISED,
    MLOG_ALERT_CLEARED,
    MLOG_ALERT_OVERFLOW,
};

/* Why an alert cleared, or what overflowed. */
enum mlog_alert_reason {
    MLOG_REASON_CONDITION,      /* The value passed the threshold. */
    MLOG_REASON_IDLE,           /* The group's window ran empty. */
    MLOG_REASON_DELETED,        /* The trigger was deleted. */
    MLOG_REASON_GROUPS,         /* Overflow: too many groups. */
    MLOG_REASON_INCIDENTS,      /* Overflow: too many incidents at once. */
};

const char *mlog_alert_kind_to_string(enum mlog_alert_kind);
const char *mlog_alert_reason_to_string(enum mlog_alert_reason);

struct mlog_alert {
    uint64_t seq;               /* From 1. */
    enum mlog_alert_kind kind;
    enum mlog_alert_reason reason;
    uint64_t raised_seq;        /* The incident: 'seq' of its first alert. */

    /* Times, ns. */
    uint64_t time;              /* Of the tick that found the transition. */
    uint64_t logged;            /* When this alert became readable. */
    uint64_t seen;              /* Raised by > or >= without "for": oldest of
                                 * the group's records that are new in that
                                 * tick, 0 if none is.  Otherwise 0. */
    uint64_t newest;            /* Newest record of the group; 0 if none. */

    /* Evidence. */
    uint64_t since, until;
    struct mlog_trigger_def *trigger;       /* NULL for overflow of groups. */
    struct mlog_aggregate_def *aggregate;
    struct mlog_group_key key;

    struct mlog_result value;
};

/* Appends the expression that, with 'since' and 'until', selects the records
 * that the alert is about. */
void mlog_alert_evidence(const struct mlog_alert *, struct ds *);

struct mlog_alert_log {
    struct mlog_alert *ring;    /* MLOG_MAX_ALERTS. */
    uint64_t next_seq;
    uint64_t (*clock)(void);    /* For 'logged', ns. */

    /* Called for each new alert, if not NULL, on the digest thread.  It must
     * return soon. */
    void (*hook)(const struct mlog_alert *, void *aux);
    void *hook_aux;

    /* 'logged' - 'seen' of raised alerts where 'seen' is set. */
    uint64_t n_latency;
    uint64_t total_latency;     /* ns. */
    uint64_t max_latency;       /* ns. */
};

void mlog_alert_log_init(struct mlog_alert_log *);
void mlog_alert_log_destroy(struct mlog_alert_log *);

/* Copies 'alert', which keeps its references, into the log, and sets 'seq',
 * 'logged' and, if it is 0, 'raised_seq' of the copy.  Returns its 'seq'. */
uint64_t mlog_alert_log_append(struct mlog_alert_log *,
                               const struct mlog_alert *alert);

/* Copies the oldest alerts, at most 'max', whose 'seq' is greater than
 * 'after', into '*alerts'; returns their number.  '*n_discarded' is the
 * number of those greater than 'after' that the log has no more.  The caller
 * frees the copies with mlog_alerts_destroy(), which any thread may do. */
size_t mlog_alert_log_read(const struct mlog_alert_log *, uint64_t after,
                           size_t max, struct mlog_alert **alerts,
                           uint64_t *n_discarded);
void mlog_alerts_destroy(struct mlog_alert *alerts, size_t n);

#endif /* mlog-alert.h */
