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

#ifndef MLOG_STREAM_H
#define MLOG_STREAM_H 1

/* Filters, aggregates, triggers and the alert log
 * ===============================================
 *
 * What is computed on records as they pass, in the digest.
 *
 *   filter      a named expression.  Counts what matched since it was added.
 *   aggregate   function(field) of a filter's records within the last
 *               'window', optionally one value per group (per distinct values
 *               of the group-by fields).
 *   trigger     a condition on an aggregate, evaluated every 'period'.  One
 *               alert when it is raised, one when it clears, per group.
 *   alert log   every transition, numbered, the newest MLOG_MAX_ALERTS kept.
 *
 * A flow is classified once: the set of filters that its packets match, or
 * may match subject to their rows' own fields, is interned as a class.  The
 * work per record hardly depends on how many filters there are, nor, as far as
 * it isn't the row that decides, on how many match: most is done once per
 * flow and tick.
 *
 * Thread-safety
 * =============
 *
 * None: the digest thread feeds records, and any other caller holds
 * mlog_digest_lock() (mlog-digest.h).
 *
 * But the work on records is divided among lanes, each with its own part of
 * the aggregates.  Between two ticks, and within a tick between the steps of
 * mlog_stream_tick(), different threads may at the same time be in functions
 * mlog_stream_lane_*() of different lanes, and one of them besides in
 * mlog_stream_find_class() and mlog_stream_generation(). */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mlog-alert.h"
#include "mlog-record.h"

struct mlog_error;
struct mlog_stream;

#define MLOG_MAX_FILTERS     1024
#define MLOG_MAX_AGGREGATES  1024
#define MLOG_MAX_TRIGGERS    8192
#define MLOG_MAX_NAME        64
#define MLOG_MAX_GROUP_MEMORY (UINT64_C(256) << 20)  /* Of all aggregates. */
#define MLOG_MAX_LANES       16

struct mlog_stream *mlog_stream_create(void);
void mlog_stream_destroy(struct mlog_stream *);

/* Digest thread.
 *
 * The class of a flow is valid as long as mlog_stream_generation() doesn't
 * change.  Class 0: no filter can match.  mlog_stream_record() is only called
 * with other classes, in order of time.  mlog_stream_tick(): all the records
 * with time <= 'now' have been fed; evaluates triggers.
 *
 * A flow is told by the address of its key: its records' 'key' points to the
 * same place as 'flow''s, and before another flow uses that place, it is
 * classified.  What pointers point to is needed only during the call. */
uint32_t mlog_stream_generation(const struct mlog_stream *);
uint32_t mlog_stream_classify(struct mlog_stream *,
                              const struct mlog_record *flow);
void mlog_stream_record(struct mlog_stream *, uint32_t class,
                        const struct mlog_record *);
void mlog_stream_tick(struct mlog_stream *, uint64_t now);

/* The same for each lane by itself.  mlog_stream_set_lanes() is called with
 * nothing else going on and changes nothing but who does what; at first there
 * is one lane.
 *
 * Each lane has to be given all records, in order.  'place' stands for the
 * flow, as the address of the key does above, and the record's 'key' points to
 * any copy.  Before the first record of a flow that was classified by
 * mlog_stream_find_class(), mlog_stream_lane_forget_flow() has to be called.
 *
 * A tick is mlog_stream_begin_tick(), mlog_stream_lane_tick() of all lanes,
 * mlog_stream_evaluate(), mlog_stream_lane_finish() of all lanes, and
 * mlog_stream_end_tick(). */
struct mlog_stream_lane;
void mlog_stream_set_lanes(struct mlog_stream *, unsigned int n);
struct mlog_stream_lane *mlog_stream_get_lane(const struct mlog_stream *,
                                              unsigned int i);
uint32_t mlog_stream_find_class(struct mlog_stream *,
                                const struct mlog_record *flow);
void mlog_stream_lane_forget_flow(struct mlog_stream_lane *,
                                  const struct mlog_flow_key *place);
void mlog_stream_lane_record(struct mlog_stream_lane *, uint32_t class,
                             const struct mlog_flow_key *place,
                             const struct mlog_record *);
void mlog_stream_begin_tick(struct mlog_stream *, uint64_t now);
void mlog_stream_lane_tick(struct mlog_stream_lane *);
void mlog_stream_evaluate(struct mlog_stream *);
void mlog_stream_lane_finish(struct mlog_stream_lane *);
void mlog_stream_end_tick(struct mlog_stream *);

/* What can be added to a stream. */
enum mlog_kind {
    MLOG_KIND_FILTER,
    MLOG_KIND_AGGREGATE,
    MLOG_KIND_TRIGGER,
    MLOG_N_KINDS
};

/* "filter" and so on. */
const char *mlog_kind_to_string(enum mlog_kind);

/* Control.
 *
 * Adding and deleting return true, or change nothing, set 'error', which must
 * be initialised, and return false.  '*where' is then the argument that the
 * error's column refers to, or NULL.
 *
 * Names are letters, digits, '_', '.' and '-', at most MLOG_MAX_NAME of them,
 * and begin with a letter or '_'.  Filters, aggregates and triggers are named
 * independently.  What something else is based on can't be deleted.
 *
 * What is added counts records from the latest tick on. */

/* 'argv' is { NAME, EXPRESSION }. */
bool mlog_stream_add_filter(struct mlog_stream *, const char *const argv[],
                            size_t argc, struct mlog_error *,
                            const char **where);
bool mlog_stream_del_filter(struct mlog_stream *, const char *name,
                            struct mlog_error *);

/* 'argv' is { NAME, FILTER, FUNC[(FIELD)], [window=...], [group-by=...] }. */
bool mlog_stream_add_aggregate(struct mlog_stream *,
                               const char *const argv[], size_t argc,
                               struct mlog_error *, const char **where);
bool mlog_stream_del_aggregate(struct mlog_stream *, const char *name,
                               struct mlog_error *);

/* 'argv' is { NAME, 'AGGREGATE OP VALUE', [period=...], [for=...],
 * [clear=...] }.  Deleting a trigger clears its alerts. */
bool mlog_stream_add_trigger(struct mlog_stream *, const char *const argv[],
                             size_t argc, struct mlog_error *,
                             const char **where);
bool mlog_stream_del_trigger(struct mlog_stream *, const char *name,
                             struct mlog_error *);

/* What there is, in order of creation.  Each function stores an array, which
 * the caller frees, in its argument and returns the number of elements.  What
 * the elements point to is valid until the stream changes, that is, until
 * mlog_digest_unlock(). */

struct mlog_filter_info {
    const char *name;
    const char *text;           /* Canonical expression. */
    uint64_t n_packets;         /* That matched since 'added'. */
    uint64_t n_bytes;
    uint64_t added;             /* ns. */
    size_t n_users;             /* Aggregates. */
};
size_t mlog_stream_get_filters(struct mlog_stream *,
                               struct mlog_filter_info **);

struct mlog_aggregate_info {
    const struct mlog_aggregate_def *def;
    uint64_t added;             /* ns. */
    size_t n_groups;            /* With records in the window. */
    bool overflow;              /* "other" is one of them. */
    uint64_t n_overflow;        /* Records that went to "other", ever. */
    size_t n_users;             /* Triggers. */
    size_t memory;              /* Bytes. */
};
size_t mlog_stream_get_aggregates(struct mlog_stream *,
                                  struct mlog_aggregate_info **);

struct mlog_trigger_info {
    const struct mlog_trigger_def *def;
    uint64_t added;             /* ns. */
    size_t n_pending, n_raised; /* Groups now. */
    uint64_t n_raises, n_clears;        /* Ever. */
    uint64_t n_suppressed;      /* Incidents that found no room, ever. */
};
size_t mlog_stream_get_triggers(struct mlog_stream *,
                                struct mlog_trigger_info **);

/* The values of an aggregate.  mlog_stream_show_aggregate() returns false and
 * sets 'error' if there is none called 'name'; otherwise the caller frees
 * 'view' with mlog_aggregate_view_destroy().  It may read, sort and free it
 * after mlog_digest_unlock(). */
struct mlog_group_info {
    struct mlog_group_key key;
    struct mlog_result value;
    uint64_t newest;            /* Time of the newest record, ns. */
    struct mlog_topk_item *items;       /* For topk: most frequent values. */
    size_t n_items;
};

struct mlog_aggregate_view {
    struct mlog_aggregate_def *def;
    uint64_t since, until;      /* What the values cover, ns. */
    struct mlog_group_info *groups;
    size_t n_groups;
    uint64_t n_overflow;
};
bool mlog_stream_show_aggregate(struct mlog_stream *, const char *name,
                                struct mlog_aggregate_view *view,
                                struct mlog_error *);

/* Puts the groups in order: greatest value first, absent values last. */
void mlog_aggregate_view_sort(struct mlog_aggregate_view *);
void mlog_aggregate_view_destroy(struct mlog_aggregate_view *);

/* The alert log, for mlog_alert_log_read() and for its 'hook'. */
struct mlog_alert_log *mlog_stream_alerts(struct mlog_stream *);

struct mlog_stream_stats {
    size_t n_filters, n_aggregates, n_triggers;
    size_t n_classes;
    size_t n_groups;
    size_t n_incidents;         /* Pending or raised. */
    uint64_t last_seq;          /* Newest alert; 0 if there was none. */
    size_t memory;              /* Bytes. */
};
void mlog_stream_get_stats(const struct mlog_stream *,
                           struct mlog_stream_stats *);

#endif /* mlog-stream.h */
