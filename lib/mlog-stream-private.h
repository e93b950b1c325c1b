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

#ifndef MLOG_STREAM_PRIVATE_H
#define MLOG_STREAM_PRIVATE_H 1

/* Private to
 *
 *   mlog-stream.c          ticks, life cycle
 *   mlog-stream-class.c    filters of a flow
 *   mlog-stream-lane.c     what belongs to which lane
 *   mlog-stream-record.c   records
 *   mlog-stream-control.c  adding, deleting and listing
 *
 * Lanes
 * =====
 *
 * Aggregates are dealt out to lanes.  A lane takes every record and does what
 * its own aggregates need; nothing that it changes is another lane's, so that
 * lanes may run at the same time.  What they share is either constant while
 * they run, or made for it (struct mlog_group_budget).
 *
 *   struct mlog_stream         filters, classes, triggers, alerts: constant
 *                              while lanes run, but for new classes
 *   struct mlog_stream_lane    its aggregates, accumulators, sums
 *   struct mlog_part           a lane's part of a filter: its own sums and
 *                              those of the filter's aggregates that are the
 *                              lane's.  One part counts for the filter. */

#include "mlog-aggregate.h"
#include "mlog-alert.h"
#include "mlog-stream.h"
#include "mlog-trigger.h"
#include "openvswitch/hmap.h"

/* An array of pointers, in order of insertion. */
struct mlog_ptrs {
    void **data;
    size_t n, allocated;
};

void mlog_ptrs_push(struct mlog_ptrs *, void *);

struct mlog_filter {
    uint64_t n_packets;         /* Without those in sums. */
    uint64_t n_bytes;
    struct mlog_expr_row *row_test;     /* Or NULL. */
    struct mlog_expr *expr;
    char *name;
    char *text;                 /* Canonical. */
    uint64_t added;             /* ns. */
    struct mlog_ptrs aggregates;        /* Of struct mlog_aggregate. */
};

/* What a lane has of a filter.  The first cache line is what records change or
 * need. */
struct mlog_part {
    struct mlog_sums sums;      /* To be handed over. */
    struct mlog_part *next_dirty;       /* Has 'sums'. */
    struct mlog_aggregate **grouped;    /* = by_group.data. */
    uint16_t n_grouped;
    uint16_t n_others;
    uint16_t n_refs;            /* Of both, and of 'by_flow'. */
    bool counts;                /* For the filter. */

    struct mlog_filter *filter;
    struct mlog_expr_row *row_test;     /* The filter's. */
    struct mlog_expr *expr;             /* Likewise. */

    /* The filter's aggregates that are the lane's, by what they need. */
    struct mlog_ptrs batched;   /* Sums; no groups. */
    struct mlog_ptrs by_group;  /* Sums; the group is the flow's. */
    struct mlog_ptrs by_flow;   /* Sums and the flow. */
    struct mlog_ptrs others;    /* Each record. */
};
BUILD_ASSERT_DECL(offsetof(struct mlog_part, filter) == 64);

#define MLOG_MATCH_OWN 20

/* Filters that a flow matches. */
struct mlog_match {
    const uint16_t *filters;    /* Definite ones, then conditional ones. */
    uint16_t n_definite, n;
    uint16_t n_batched_refs;    /* Refs for 'grouped' and 'by_flow' of
                                 * definite filters, */
    uint16_t n_definite_refs;   /* for all aggregates of these, */
    uint16_t n_refs;            /* and of conditional ones, too. */
    bool has_others;            /* Definite filters have 'others'. */
    bool per_record;            /* These, or conditional filters. */
    bool has_by_flow;           /* Any filter has 'by_flow'. */
    uint16_t own[MLOG_MATCH_OWN];       /* 'filters', if they are few. */
};
BUILD_ASSERT_DECL(sizeof(struct mlog_match) == 64);

/* What records with the same match, of one class or of one flow, add up to
 * until it is handed over to filters and groups. */
struct mlog_acc {
    const struct mlog_flow_key *flow;   /* NULL: none, or of a class. */
    struct mlog_match *match;
    uint32_t class;
    unsigned int generation : 31;       /* The lane's 'plan_generation'. */
    unsigned int per_record : 1;        /* The match's. */
    struct mlog_sums sums;
};
BUILD_ASSERT_DECL(sizeof(struct mlog_acc) == 64);

/* A set of filters: definite ones, then conditional ones. */
struct mlog_class {
    struct hmap_node node;              /* In 'class_index'. */
    uint32_t id;
    uint16_t n_definite, n;
    uint16_t filters[];
};

/* A class as far as it concerns a lane. */
struct mlog_lane_class {
    struct mlog_match match;
    struct mlog_acc acc;
    uint16_t filters[];                 /* If there are many. */
};

/* A flow's class if there are too many classes. */
#define MLOG_CLASS_NONE UINT32_MAX

/* How a class's records are added up. */
enum mlog_class_kind {
    MLOG_CLASS_NEW,                     /* Not known yet. */
    MLOG_CLASS_SHARED,                  /* In 'acc' of the class. */
    MLOG_CLASS_BY_FLOW,                 /* In accumulators of flows. */
    MLOG_CLASS_WAITS,                   /* Likewise, with 'per_record'. */
    MLOG_CLASS_OTHERS,                  /* Not: it concerns other lanes. */
};

/* What is needed to find a flow's groups. */
struct mlog_acc_flow {
    struct mlog_flow_key key;
    uint64_t flow_id;
};

/* Accumulators of flows: a cache, direct-mapped. */
struct mlog_accs {
    size_t n;                           /* A power of 2, or 0. */
    size_t stride;                      /* Refs for each. */
    struct mlog_acc *accs;
    mlog_group_ref *refs;
    struct mlog_acc_flow *flows;
    struct mlog_match *matches;         /* Of flows without class. */
    uint32_t *dirty;                    /* Those that have sums. */
    size_t n_dirty;
    size_t n_records;                   /* Since the last tick... */
    size_t n_misses;                    /* ...and those of flows that had had
                                         * an accumulator, probably. */
    size_t memory;
};

/* A record that waits while what it needs is fetched. */
struct mlog_waiting {
    struct mlog_acc_flow flow;
    struct mlog_row row;
    const struct mlog_flow_key *address;
    uint64_t time;
    uint32_t class;
    unsigned int acc : 31;              /* Index of the accumulator. */
    unsigned int fresh : 1;             /* The flow was just classified. */
};
BUILD_ASSERT_DECL(sizeof(struct mlog_waiting) == 128);

#define MLOG_MAX_WAITING 32             /* A power of 2. */

struct mlog_stream_lane {
    struct mlog_stream *stream;
    struct mlog_part **parts;           /* By filter; NULL: it has none. */
    size_t n_parts;
    struct mlog_ptrs aggregates;        /* Of struct mlog_aggregate. */

    /* By class. */
    struct mlog_lane_class **classes;   /* NULL: not needed yet. */
    uint8_t *class_kinds;               /* enum mlog_class_kind. */
    size_t class_memory;

    uint32_t plan_generation;           /* Of accumulators; 31 bits. */
    uint64_t next_boundary;             /* End of a pane, ns. */
    unsigned int fresh_panes;           /* A pane has begun lately. */
    const struct mlog_flow_key *latest; /* Flow that was classified last. */
    uint32_t *dirty_classes;            /* Those that have sums. */
    size_t n_dirty_classes;
    struct mlog_accs accs;
    struct mlog_part *dirty_parts;
    struct mlog_waiting *waiting;       /* MLOG_MAX_WAITING, round. */
    uint32_t waiting_flows[MLOG_MAX_WAITING];   /* Low bits of 'address'. */
    size_t waiting_head, waiting_tail;
};

#define MLOG_MAX_CLASSES 16384
#define MLOG_MAX_KEYSETS 64
#define MLOG_KEYSET_NONE MLOG_MAX_KEYSETS

struct mlog_stream {
    struct mlog_ptrs filters;           /* Of struct mlog_filter. */
    struct mlog_ptrs aggregates;        /* Of struct mlog_aggregate. */
    struct mlog_ptrs triggers;          /* Of struct mlog_trigger. */
    struct mlog_trigger_engine engine;
    struct mlog_alert_log alerts;
    struct mlog_group_budget budget;
    uint64_t now;                       /* Latest tick, ns. */

    /* Classes.  classes[0] is NULL. */
    uint32_t generation;                /* Never 0. */
    struct mlog_classifier *classifier; /* Of 'filters', in order. */
    struct mlog_class **classes;
    size_t n_classes;
    struct hmap class_index;            /* By content. */
    size_t class_memory;
    bool out_of_classes;                /* There were too many... */
    uint64_t classes_since;             /* ...since this tick, ns. */

    struct mlog_stream_lane *lanes[MLOG_MAX_LANES];
    unsigned int n_lanes;
};

/* Private to the stream's files. */

void mlog_filter_free__(struct mlog_filter *);

/* Hands all sums over to filters and aggregates. */
void mlog_stream_flush__(struct mlog_stream *);
void mlog_stream_lane_flush__(struct mlog_stream_lane *);

/* Before the set of filters or aggregates changes: hands everything over and
 * lets go of lanes' parts.  After it: deals everything out to lanes; or, if
 * filters have changed, makes classes invalid, too. */
void mlog_stream_begin_change__(struct mlog_stream *);
void mlog_stream_end_change__(struct mlog_stream *);
void mlog_stream_filters_changed__(struct mlog_stream *);

/* Lanes' accumulators and parts. */
void mlog_stream_free_lanes__(struct mlog_stream *);

/* Stores in 'match' those of 'filters', definite ones and then conditional
 * ones, that the lane has a part of.  'chosen' is room for them and may be
 * 'filters'. */
void mlog_stream_lane_choose__(const struct mlog_stream_lane *,
                               const uint16_t filters[], size_t n_definite,
                               size_t n, uint16_t chosen[],
                               struct mlog_match *match);

/* Refs, and what was derived from the sets of filters and aggregates, are no
 * longer valid.  There must be no sums. */
void mlog_stream_lane_forget__(struct mlog_stream_lane *);

/* Frees all classes.  There must be no sums. */
void mlog_stream_free_classes__(struct mlog_stream *);
void mlog_stream_init_classes__(struct mlog_stream *);

void mlog_stream_free_lane_classes__(struct mlog_stream *);

/* If there were too many classes, starts afresh now and then. */
void mlog_stream_renew_classes__(struct mlog_stream *);

/* Adapts the accumulators' number to the flows.  There must be no sums. */
void mlog_stream_lane_fit_accs__(struct mlog_stream_lane *);
void mlog_stream_lane_free_accs__(struct mlog_stream_lane *);

#endif /* mlog-stream-private.h */
