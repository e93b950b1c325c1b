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

#ifndef MLOG_AGGREGATE_H
#define MLOG_AGGREGATE_H 1

/* Aggregates
 * ==========
 *
 * The value of a function of the records that a filter let through within
 * the last 'window', in total or for each group of records that agree in the
 * group-by fields.
 *
 * The window
 * ----------
 *
 * Time is divided into panes, whose boundaries are multiples of their width
 * since the epoch.  A window has at most MLOG_MAX_PANES of them: one per
 * millisecond for windows up to that many milliseconds, otherwise
 * MLOG_MAX_PANES.  At time T a value covers the records of
 *
 *     (number of T's pane - panes per window) * width  <=  time  <=  T,
 *
 * that is, every record of the last 'window', and those older by less than
 * one width.  So no record can slip through between two looks at the window.
 *
 * Values
 * ------
 *
 *   count          number of records; count(FIELD): of those with the field
 *   sum(FIELD)     0 without records; stops at 2**64 - 1 per pane
 *   min, max, avg  absent without records
 *   rate           count divided by the window's nominal length in seconds
 *   rate(FIELD)    sum divided by the same
 *   distinct(FIELD)    number of distinct values, exact as long as it is small
 *   pNN(FIELD)     percentile, such as p50 and p99.9; absent without records
 *   topk(FIELD,K)  number of records; mlog_aggregate_topk() has the K most
 *                  frequent values (K is 10 if it isn't given)
 *
 * mlog-window.h says how accurate the last three are.
 *
 * Records that lack FIELD don't take part, except in count and rate without
 * FIELD.
 *
 * Groups
 * ------
 *
 * That a record lacks a group-by field is a value of that field like any
 * other.  A group exists while its window has a record.  If there are
 * MLOG_MAX_GROUPS already, or memory for groups has run out, records of
 * further groups are counted in one group "other".
 *
 * Thread-safety
 * =============
 *
 * None, see mlog-stream.h; but definitions are immutable and may be
 * referenced and read from any thread. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mlog-fields.h"
#include "mlog-group-table.h"
#include "mlog-record.h"
#include "mlog-sketch-topk.h"
#include "openvswitch/list.h"
#include "ovs-atomic.h"
#include "util.h"

struct ds;
struct mlog_error;

#define MLOG_MAX_PANES      32
#define MLOG_MAX_GROUPS     10000       /* Per aggregate. */
#define MLOG_MAX_GROUP_KEYS 8
#define MLOG_MIN_WINDOW_NS  UINT64_C(1000000)
#define MLOG_MAX_WINDOW_NS  UINT64_C(3600000000000)
#define MLOG_DEFAULT_WINDOW_NS UINT64_C(1000000000)

enum mlog_func {
    MLOG_FUNC_COUNT,
    MLOG_FUNC_SUM,
    MLOG_FUNC_MIN,
    MLOG_FUNC_MAX,
    MLOG_FUNC_AVG,
    MLOG_FUNC_RATE,
    MLOG_FUNC_DISTINCT,
    MLOG_FUNC_PERCENTILE,
    MLOG_FUNC_TOPK,
};

#define MLOG_MAX_TOPK 100
#define MLOG_DEFAULT_TOPK 10

/* What an aggregate is.  Immutable, shared by counting references. */
struct mlog_aggregate_def {
    struct ovs_refcount refcount;
    char *name;
    char *filter;                   /* Name of the filter... */
    char *filter_text;              /* ...and its canonical expression. */
    enum mlog_func func;
    const struct mlog_field *field; /* NULL if none. */
    uint32_t millionths;            /* MLOG_FUNC_PERCENTILE. */
    uint32_t k;                     /* MLOG_FUNC_TOPK. */
    uint64_t window;                /* ns. */
    uint64_t width;                 /* Of a pane, ns. */
    unsigned int n_panes;           /* 'window' / 'width'. */
    size_t n_keys;                  /* Group-by fields; 0 = ungrouped. */
    const struct mlog_field *keys[MLOG_MAX_GROUP_KEYS];
};

/* Parses 'func' ("sum(pkt_len)") and 'options', which are of the form
 * "window=1s" and "group-by=nw_src,tp_dst".  Returns a definition with one
 * reference, or NULL after setting 'error' (which must be initialised) and
 * '*where', the argument that the error's column refers to. */
struct mlog_aggregate_def *
mlog_aggregate_def_parse(const char *name, const char *filter,
                         const char *filter_text, const char *func,
                         const char *const options[], size_t n_options,
                         struct mlog_error *error, const char **where);
struct mlog_aggregate_def *
mlog_aggregate_def_ref(const struct mlog_aggregate_def *);
void mlog_aggregate_def_unref(struct mlog_aggregate_def *);

/* Appends "sum(pkt_len)". */
void mlog_aggregate_def_format_func(const struct mlog_aggregate_def *,
                                    struct ds *);

/* Says how accurate the values are, for the caller to free; NULL if they are
 * exact. */
char *mlog_aggregate_def_accuracy(const struct mlog_aggregate_def *);

/* The values of the group-by fields of one group. */
struct mlog_group_key {
    uint8_t present;                /* Bit i: the packets have field i. */
    bool other;                     /* The group "other". */
    struct mlog_value values[MLOG_MAX_GROUP_KEYS];
};

/* Appends "nw_src=10.0.0.1,tp_dst=-", "other", or for an ungrouped aggregate
 * nothing. */
void mlog_group_key_format(const struct mlog_aggregate_def *,
                           const struct mlog_group_key *, struct ds *);

/* Appends an expression, in the syntax of mlog_expr_parse(), for the records
 * of one group.  For the group "other" it is the filter's. */
void mlog_group_key_evidence(const struct mlog_aggregate_def *,
                             const struct mlog_group_key *, struct ds *);

/* A value. */
struct mlog_result {
    bool present;
    bool is_integer;            /* 'integer' is the value, exactly... */
    uint64_t integer;
    double real;                /* ...and this is it in any case. */
    double error;               /* Relative: the standard error of distinct,
                                 * the greatest one of percentiles; 0 if there
                                 * is none. */
};

/* Aggregates at work. */

/* Which changes of groups triggers must hear of. */
enum mlog_watch {
    MLOG_WATCH_NONE,
    MLOG_WATCH_RISE,            /* A total has reached 'watch_from'. */
    MLOG_WATCH_ALL,             /* Any. */
};

/* What panes hold. */
enum mlog_pane_kind {
    MLOG_PANE_COUNT,
    MLOG_PANE_SUM,
    MLOG_PANE_AVG,              /* Counts, and then sums. */
    MLOG_PANE_MIN,
    MLOG_PANE_MAX,

    /* Sketches (mlog-window.h); no panes in groups. */
    MLOG_PANE_DISTINCT,
    MLOG_PANE_QUANTILE,
    MLOG_PANE_TOPK,
};

struct mlog_aggregate {
    uint8_t kind;                   /* enum mlog_pane_kind. */
    uint8_t watch;                  /* enum mlog_watch. */
    bool adds_up;                   /* MLOG_PANE_COUNT or MLOG_PANE_SUM. */
    bool sketched;                  /* MLOG_PANE_DISTINCT and on. */
    uint64_t watch_from;            /* UINT64_MAX without watch. */
    unsigned int n_slots;           /* Panes per window, and the open one. */
    unsigned int slot;              /* 'pane' % 'n_slots'. */
    uint64_t pane;                  /* Pane of the newest record or tick. */
    uint64_t pane_end;              /* When it ends, ns. */
    uint64_t tick;                  /* Time of the latest tick, ns. */
    size_t panes_at;                /* Of the panes in a group's 'data', or of
                                     * the address of its sketch. */
    struct mlog_group *single;      /* Ungrouped. */
    struct mlog_group *other;       /* Grouped. */

    struct mlog_aggregate_def *def;
    uint64_t now;                   /* Time of the tick being run, ns. */
    uint64_t expired_pane;          /* 'pane' of the latest tick. */
    uint64_t created;               /* ns. */
    uint32_t keyset;                /* For the stream; see there. */
    unsigned int lane;              /* Likewise. */
    uint32_t hash_basis;

    struct mlog_group_table groups; /* Without 'single' and 'other'. */
    bool other_in_use;              /* From overflow until it is empty. */
    bool overflowed;                /* It began in this tick. */
    uint64_t n_overflow;            /* Records in 'other', ever. */

    /* Each group is in one of these. */
    struct ovs_list buckets[MLOG_MAX_PANES + 1];
    struct ovs_list due;
    struct ovs_list empty;

    /* Groups that have changed, as far as 'watch' says.  Positions count from
     * 1; log[0] has position 'log_first'.  An entry counts if its position is
     * the group's 'logged'. */
    struct mlog_group **log;
    size_t n_log, allocated_log;
    uint64_t log_first;
    uint64_t log_tick;              /* Where the present tick begins. */

    /* For mlog-trigger.c. */
    struct ovs_list trigger_sets;
    size_t n_triggers;
};

/* Takes over the reference to 'def'. */
struct mlog_aggregate *mlog_aggregate_create(struct mlog_aggregate_def *def,
                                             struct mlog_group_budget *,
                                             uint64_t now);

/* All triggers must be gone. */
void mlog_aggregate_destroy(struct mlog_aggregate *);

/* True if all group-by fields are the same for all packets of a flow. */
bool mlog_aggregate_is_grouped_by_flow(const struct mlog_aggregate *);

/* True if the aggregate is of packets or their lengths, so that struct
 * mlog_sums has all that it needs of some records. */
bool mlog_aggregate_takes_sums(const struct mlog_aggregate *);

/* True if the aggregate is of values that are the same for all packets of a
 * flow, so that mlog_aggregate_add_value() will do for some records of a flow,
 * if they all lie in one pane and have a value. */
bool mlog_aggregate_takes_flows(const struct mlog_aggregate *);

/* A record's values of the group-by fields, the same for all aggregates that
 * have the same fields. */
struct mlog_group_lookup {
    uint32_t hash;
    uint8_t present;
    struct mlog_value values[MLOG_MAX_GROUP_KEYS];
};
void mlog_aggregate_init_lookup(const struct mlog_aggregate *,
                                const struct mlog_record *,
                                struct mlog_group_lookup *);

/* Returns the group for 'n' records, the first of which is of 'time'; it may
 * be "other". */
struct mlog_group *mlog_aggregate_get_group(struct mlog_aggregate *,
                                            const struct mlog_group_lookup *,
                                            uint64_t time, uint64_t n);

/* Several records at once. */
struct mlog_sums {
    uint64_t n;
    uint64_t bytes;
    uint64_t first, last;           /* Times, ns. */
    uint32_t min_len, max_len;
};

void mlog_aggregate_add_sums__(struct mlog_aggregate *, struct mlog_group *,
                               const struct mlog_sums *);

/* Adds records that the filter let through and that all lie in one pane, see
 * mlog_aggregate_pane_end(), to 'group'.  The common case is here: 'group' has
 * records in the pane already, and nobody wants to hear of it. */
static inline void
mlog_aggregate_add_sums(struct mlog_aggregate *agg, struct mlog_group *group,
                        const struct mlog_sums *sums)
{
    uint64_t value = agg->kind == MLOG_PANE_COUNT ? sums->n : sums->bytes;
    uint64_t open;

    if (OVS_LIKELY(agg->adds_up
                   && sums->last < agg->pane_end
                   && group->head == agg->pane
                   && group->live >> agg->slot & 1
                   && group->total < agg->watch_from - MIN(value,
                                                           agg->watch_from)
                   && !__builtin_add_overflow(group->open, value, &open))) {
        group->open = open;
        group->total += value;
        if (group->seen < agg->tick || sums->first < group->seen) {
            group->seen = sums->first;
        }
        group->newest = MAX(group->newest, sums->last);
    } else {
        mlog_aggregate_add_sums__(agg, group, sums);
    }
}

/* Adds 'n' records with that value, of times 'first' to 'last', to 'group' of
 * an aggregate that is 'sketched'. */
void mlog_aggregate_add_value(struct mlog_aggregate *, struct mlog_group *,
                              const struct mlog_value *value, uint64_t n,
                              uint64_t first, uint64_t last);

/* Prefetches what a record will change in 'group' beyond its first cache line,
 * which should be there already; 'group' may be NULL. */
static inline void
mlog_aggregate_prefetch_pane(const struct mlog_aggregate *agg,
                             const struct mlog_group *group)
{
    if (group && group->head != agg->pane) {
        OVS_PREFETCH_WRITE(&group->data[agg->panes_at + agg->slot]);
    }
}

/* Adds a record that the filter let through.  Times do not decrease from one
 * pane to the next.  '*ref' is the group of the flow, or not, and is changed
 * accordingly; it may be NULL. */
void mlog_aggregate_add(struct mlog_aggregate *, const struct mlog_record *,
                        mlog_group_ref *ref);

/* Moves to 'time' and returns when its pane ends, ns. */
uint64_t mlog_aggregate_pane_end(struct mlog_aggregate *, uint64_t time);

/* A tick: first mlog_aggregate_expire(), then triggers are evaluated, then
 * mlog_aggregate_finish(), which frees groups that were found to be without
 * records and have no incidents. */
void mlog_aggregate_expire(struct mlog_aggregate *, uint64_t now);
void mlog_aggregate_finish(struct mlog_aggregate *);

/* Says what to log.  For MLOG_WATCH_RISE, which is not for min and avg, the
 * groups whose count, sum or maximum a record makes at least 'from'. */
void mlog_aggregate_watch(struct mlog_aggregate *, enum mlog_watch,
                          uint64_t from);

/* Position after the newest entry of the log. */
static inline uint64_t
mlog_aggregate_log_end(const struct mlog_aggregate *agg)
{
    return agg->log_first + agg->n_log;
}

/* Entries before 'position' are no longer needed; with it, or when there are
 * too many, others may go too. */
void mlog_aggregate_trim_log(struct mlog_aggregate *, uint64_t position);

/* Brings 'group' up to date with the latest tick; a group that is then not
 * 'live' has no records. */
void mlog_aggregate_refresh(const struct mlog_aggregate *,
                            struct mlog_group *);

/* The value as of the latest tick. */
struct mlog_result mlog_aggregate_value(const struct mlog_aggregate *,
                                        struct mlog_group *);
void mlog_aggregate_get_key(const struct mlog_aggregate *,
                            const struct mlog_group *,
                            struct mlog_group_key *);

/* For MLOG_FUNC_TOPK: stores the most frequent values in 'items' and returns
 * their number. */
size_t mlog_aggregate_topk(const struct mlog_aggregate *, struct mlog_group *,
                           struct mlog_topk_item items[MLOG_MAX_TOPK]);

/* Start of what the values cover, ns. */
uint64_t mlog_aggregate_since(const struct mlog_aggregate *);

/* Number of groups, "other" included, for an ungrouped aggregate 1.  Groups
 * whose window has just run empty may be among them. */
size_t mlog_aggregate_n_groups(const struct mlog_aggregate *);

#endif /* mlog-aggregate.h */
