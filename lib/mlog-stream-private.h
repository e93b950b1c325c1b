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

/* Private to mlog-stream.c (records and ticks) and mlog-stream-control.c
 * (adding, deleting and listing). */

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

struct mlog_filter {
    char *name;
    struct mlog_expr *expr;
    char *text;                 /* Canonical. */
    uint64_t added;             /* ns. */
    uint64_t n_packets;         /* Without classes' unflushed batches. */
    uint64_t n_bytes;
    struct mlog_ptrs aggregates;        /* Of struct mlog_aggregate. */
};

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
    size_t n_classes, allocated_classes;
    struct hmap class_index;            /* By content. */
    size_t class_memory;

    /* What classes do with a record. */
    uint32_t plan_generation;           /* Of plans and bindings. */
    struct mlog_class *dirty;           /* Have a batch. */
    uint64_t next_boundary;             /* End of an ungrouped aggregate's
                                         * pane, ns. */
    struct mlog_binding **bindings;
    size_t binding_memory;
};

void mlog_filter_free__(struct mlog_filter *);

/* Hands the batches over to filters and aggregates. */
void mlog_stream_flush__(struct mlog_stream *);

/* The set of filters has changed: all classes are invalid. */
void mlog_stream_filters_changed__(struct mlog_stream *);

/* The set of aggregates has changed. */
void mlog_stream_aggregates_changed__(struct mlog_stream *);

#endif /* mlog-stream-private.h */
