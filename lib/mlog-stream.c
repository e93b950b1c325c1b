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
#include "mlog-stream-private.h"

#include <string.h>

#include "hash.h"
#include "mlog-classifier.h"
#include "mlog-expr.h"
#include "util.h"

/* Records and ticks.
 *
 * Classes
 * =======
 *
 * A class is a set of filters, each either definite (all packets of the flow
 * match) or conditional (its expression must be evaluated for each row).
 * Classes are interned, so there are few: they are made when a flow is
 * classified and live until the set of filters changes or there are too many
 * of them.  Then all are freed at once, the generation changes, and flows are
 * classified again when their next packet comes.
 *
 * Plans
 * =====
 *
 * What a record of the class has to be added to is worked out once per class,
 * as its plan:
 *
 *   batched      ungrouped aggregates of definite filters, of packets or of
 *                their lengths.  They and the filters' own counters are fed
 *                from the class's batch: a record costs a few additions,
 *                however many of them there are.  Batches are flushed at each
 *                tick, and when a record reaches the end of a pane of any
 *                aggregate, so that a batch lies within one pane of each.
 *
 *   steps        other aggregates of definite filters,
 *
 *   conditions   conditional filters, each with the steps for its aggregates.
 *
 * Bindings
 * ========
 *
 * A record's group of an aggregate that is grouped by fields of the flow is
 * the same for all packets of the flow.  'bindings' is a cache, direct-mapped
 * by flow index, of the groups of a flow.  Because indexes are reused, and
 * flows may be classified anew, a binding has a copy of the flow's key and its
 * class, and is valid only for these. */

#define MAX_CLASSES 16384
#define MAX_CLASS_MEMORY (32u << 20)
#define N_BINDINGS 16384                /* A power of 2. */
#define MAX_REFS 32                     /* Per binding. */

struct step {
    struct mlog_aggregate *aggregate;
    int ref;                            /* Index in the binding, or -1. */
};

struct condition {
    struct mlog_filter *filter;
    size_t first_step, n_steps;
};

struct plan {
    uint32_t generation;
    struct mlog_ptrs batched;           /* Of struct mlog_aggregate. */
    struct step *steps;                 /* All of them. */
    size_t n_steps, allocated_steps;
    size_t n_definite_steps;            /* The first ones. */
    struct condition *conditions;
    size_t n_refs;
};

struct mlog_class {
    struct hmap_node node;
    uint32_t id;                        /* Index in the stream's 'classes'. */
    struct mlog_filter **filters;       /* Definite ones, then conditional. */
    size_t n_definite, n_filters;
    struct plan plan;

    struct mlog_batch_sums batch;
    struct mlog_class *next_dirty;
};

struct mlog_binding {
    struct mlog_flow_key key;
    const struct mlog_class *class;
    uint32_t generation;                /* The stream's 'plan_generation'. */
    uint32_t n_refs;
    struct mlog_group_ref refs[];
};

static uint32_t
next_generation(uint32_t generation)
{
    return generation + 1 ? generation + 1 : 1;
}

/* Classes. */

static void
plan_uninit(struct plan *plan)
{
    free(plan->batched.data);
    free(plan->steps);
    free(plan->conditions);
    memset(plan, 0, sizeof *plan);
}

static void
free_classes(struct mlog_stream *stream)
{
    for (size_t i = 1; i < stream->n_classes; i++) {
        struct mlog_class *class = stream->classes[i];

        plan_uninit(&class->plan);
        free(class->filters);
        free(class);
    }
    stream->n_classes = 1;
    stream->class_memory = 0;
    hmap_destroy(&stream->class_index);
    hmap_init(&stream->class_index);
}

void
mlog_stream_filters_changed__(struct mlog_stream *stream)
{
    mlog_stream_flush__(stream);
    free_classes(stream);
    stream->generation = next_generation(stream->generation);
    mlog_stream_aggregates_changed__(stream);
}

void
mlog_stream_aggregates_changed__(struct mlog_stream *stream)
{
    mlog_stream_flush__(stream);
    stream->plan_generation = next_generation(stream->plan_generation);
    stream->next_boundary = 0;
}

static struct mlog_class *
find_class(const struct mlog_stream *stream, uint32_t hash,
           struct mlog_filter *const filters[], size_t n_definite, size_t n)
{
    struct mlog_class *class;

    HMAP_FOR_EACH_WITH_HASH (class, node, hash, &stream->class_index) {
        if (class->n_definite == n_definite && class->n_filters == n
            && !memcmp(class->filters, filters, n * sizeof *filters)) {
            return class;
        }
    }
    return NULL;
}

/* Interns a class and returns its identifier. */
static uint32_t
add_class(struct mlog_stream *stream, uint32_t hash,
          struct mlog_filter *const filters[], size_t n_definite, size_t n)
{
    if (stream->n_classes >= MAX_CLASSES
        || stream->class_memory >= MAX_CLASS_MEMORY) {
        mlog_stream_filters_changed__(stream);
    }

    struct mlog_class *class = xzalloc(sizeof *class);
    class->filters = xmemdup(filters, n * sizeof *filters);
    class->id = stream->n_classes;
    class->n_definite = n_definite;
    class->n_filters = n;
    hmap_insert(&stream->class_index, &class->node, hash);
    stream->class_memory += sizeof *class + n * sizeof *filters;
    if (stream->n_classes >= stream->allocated_classes) {
        stream->classes = x2nrealloc(stream->classes,
                                     &stream->allocated_classes,
                                     sizeof *stream->classes);
    }
    stream->classes[stream->n_classes++] = class;
    return class->id;
}

uint32_t
mlog_stream_generation(const struct mlog_stream *stream)
{
    return stream->generation;
}

uint32_t
mlog_stream_classify(struct mlog_stream *stream,
                     const struct mlog_record *flow)
{
    struct mlog_filter *filters[MLOG_MAX_FILTERS];
    uint16_t indexes[MLOG_CLASSIFIER_ROOM];
    size_t n_definite, n;

    BUILD_ASSERT(MLOG_CLASSIFIER_MAX >= MLOG_MAX_FILTERS);

    n_definite = mlog_classifier_run(stream->classifier, flow, indexes, &n);
    if (!n) {
        return 0;
    }
    for (size_t i = 0; i < n; i++) {
        filters[i] = stream->filters.data[indexes[i]];
    }

    uint32_t hash = hash_bytes(filters, n * sizeof *filters, n_definite);
    struct mlog_class *class = find_class(stream, hash, filters, n_definite,
                                          n);
    return (class ? class->id
            : add_class(stream, hash, filters, n_definite, n));
}

/* Plans. */

static void
plan_step(struct mlog_class *class, struct mlog_aggregate *agg)
{
    struct plan *plan = &class->plan;

    if (plan->n_steps >= plan->allocated_steps) {
        plan->steps = x2nrealloc(plan->steps, &plan->allocated_steps,
                                 sizeof *plan->steps);
    }

    struct step *step = &plan->steps[plan->n_steps++];
    step->aggregate = agg;
    step->ref = (mlog_aggregate_is_grouped_by_flow(agg)
                 && plan->n_refs < MAX_REFS ? plan->n_refs++ : -1);
}

static void
plan_definite(struct mlog_class *class, const struct mlog_filter *filter)
{
    struct mlog_ptrs *batched = &class->plan.batched;

    for (size_t i = 0; i < filter->aggregates.n; i++) {
        struct mlog_aggregate *agg = filter->aggregates.data[i];

        if (!mlog_aggregate_takes_batches(agg)) {
            plan_step(class, agg);
            continue;
        }
        if (batched->n >= batched->allocated) {
            batched->data = x2nrealloc(batched->data, &batched->allocated,
                                       sizeof *batched->data);
        }
        batched->data[batched->n++] = agg;
    }
}

static void
make_plan(const struct mlog_stream *stream, struct mlog_class *class)
{
    struct plan *plan = &class->plan;

    plan_uninit(plan);
    plan->generation = stream->plan_generation;
    for (size_t i = 0; i < class->n_definite; i++) {
        plan_definite(class, class->filters[i]);
    }
    plan->n_definite_steps = plan->n_steps;

    size_t n = class->n_filters - class->n_definite;
    plan->conditions = xcalloc(n, sizeof *plan->conditions);
    for (size_t i = 0; i < n; i++) {
        struct mlog_filter *filter = class->filters[class->n_definite + i];
        struct condition *condition = &plan->conditions[i];

        condition->filter = filter;
        condition->first_step = plan->n_steps;
        condition->n_steps = filter->aggregates.n;
        for (size_t j = 0; j < filter->aggregates.n; j++) {
            plan_step(class, filter->aggregates.data[j]);
        }
    }
}

/* Batches. */

static void
flush_class(struct mlog_class *class)
{
    const struct mlog_batch_sums *batch = &class->batch;

    for (size_t i = 0; i < class->n_definite; i++) {
        class->filters[i]->n_packets += batch->n;
        class->filters[i]->n_bytes += batch->bytes;
    }
    for (size_t i = 0; i < class->plan.batched.n; i++) {
        mlog_aggregate_add_batch(class->plan.batched.data[i], batch);
    }
    class->batch.n = 0;
}

void
mlog_stream_flush__(struct mlog_stream *stream)
{
    while (stream->dirty) {
        struct mlog_class *class = stream->dirty;

        stream->dirty = class->next_dirty;
        flush_class(class);
    }
}

/* A record of 'time' is the first past 'next_boundary'. */
static void
cross_boundary(struct mlog_stream *stream, uint64_t time)
{
    uint64_t next = UINT64_MAX;

    mlog_stream_flush__(stream);
    for (size_t i = 0; i < stream->aggregates.n; i++) {
        struct mlog_aggregate *agg = stream->aggregates.data[i];

        if (mlog_aggregate_takes_batches(agg)) {
            next = MIN(next, mlog_aggregate_pane_end(agg, time));
        }
    }
    stream->next_boundary = next;
}

static inline void
batch_add(struct mlog_stream *stream, struct mlog_class *class, uint32_t len,
          uint64_t time)
{
    struct mlog_batch_sums *batch = &class->batch;

    if (!batch->n) {
        batch->bytes = 0;
        batch->first = time;
        batch->min_len = batch->max_len = len;
        class->next_dirty = stream->dirty;
        stream->dirty = class;
    }
    batch->n++;
    batch->bytes += len;
    batch->last = time;
    batch->min_len = MIN(batch->min_len, len);
    batch->max_len = MAX(batch->max_len, len);
}

/* Bindings. */

static struct mlog_group_ref *
bind_flow(struct mlog_stream *stream, const struct mlog_class *class,
          const struct mlog_record *record, struct mlog_binding **slot)
{
    struct mlog_binding *binding = *slot;
    size_t n = class->plan.n_refs;
    size_t size = sizeof *binding + n * sizeof binding->refs[0];

    if (!binding || binding->n_refs != n) {
        if (binding) {
            stream->binding_memory -= (sizeof *binding + binding->n_refs
                                       * sizeof binding->refs[0]);
            free(binding);
        }
        *slot = binding = xmalloc(size);
        stream->binding_memory += size;
    }
    memset(binding, 0, size);
    binding->key = *record->key;
    binding->class = class;
    binding->generation = stream->plan_generation;
    binding->n_refs = n;
    return binding->refs;
}

static inline struct mlog_group_ref *
get_refs(struct mlog_stream *stream, const struct mlog_class *class,
         const struct mlog_record *record)
{
    struct mlog_binding **slot
        = &stream->bindings[record->row->flow & (N_BINDINGS - 1)];
    struct mlog_binding *binding = *slot;

    return (binding
            && binding->class == class
            && binding->generation == stream->plan_generation
            && !memcmp(&binding->key, record->key, sizeof binding->key)
            ? binding->refs : bind_flow(stream, class, record, slot));
}

/* Records. */

static inline void
run_steps(const struct step *steps, size_t n,
          const struct mlog_record *record, struct mlog_group_ref *refs)
{
    for (size_t i = 0; i < n; i++) {
        if (steps[i].ref >= 0) {
            mlog_aggregate_prefetch(steps[i].aggregate, &refs[steps[i].ref]);
        }
    }
    for (size_t i = 0; i < n; i++) {
        mlog_aggregate_add(steps[i].aggregate, record,
                           steps[i].ref >= 0 ? &refs[steps[i].ref] : NULL);
    }
}

void
mlog_stream_record(struct mlog_stream *stream, uint32_t id,
                   const struct mlog_record *record)
{
    struct mlog_class *class = stream->classes[id];
    uint32_t len = mlog_row_pkt_len(record->row);
    struct plan *plan = &class->plan;

    if (OVS_UNLIKELY(plan->generation != stream->plan_generation)) {
        make_plan(stream, class);
    }
    if (OVS_UNLIKELY(record->time >= stream->next_boundary)) {
        cross_boundary(stream, record->time);
    }
    if (class->n_definite) {
        batch_add(stream, class, len, record->time);
    }

    struct mlog_group_ref *refs = (plan->n_refs
                                   ? get_refs(stream, class, record) : NULL);
    run_steps(plan->steps, plan->n_definite_steps, record, refs);
    for (size_t i = 0; i < class->n_filters - class->n_definite; i++) {
        const struct condition *condition = &plan->conditions[i];

        if (mlog_expr_eval(condition->filter->expr, record)) {
            condition->filter->n_packets++;
            condition->filter->n_bytes += len;
            run_steps(&plan->steps[condition->first_step], condition->n_steps,
                      record, refs);
        }
    }
}

/* Ticks. */

static void
tick_aggregate(struct mlog_stream *stream, struct mlog_aggregate *agg)
{
    uint32_t epoch = agg->groups.epoch;

    mlog_aggregate_expire(agg, stream->now);
    mlog_triggers_run(&stream->engine, agg, stream->now);
    mlog_aggregate_finish(agg);
    if (OVS_UNLIKELY(agg->groups.epoch != epoch)) {
        /* Bindings refer to groups that were freed. */
        stream->plan_generation = next_generation(stream->plan_generation);
    }
}

void
mlog_stream_tick(struct mlog_stream *stream, uint64_t now)
{
    mlog_stream_flush__(stream);
    stream->now = MAX(stream->now, now);
    for (size_t i = 0; i < stream->aggregates.n; i++) {
        tick_aggregate(stream, stream->aggregates.data[i]);
    }
}

/* Life cycle. */

struct mlog_stream *
mlog_stream_create(void)
{
    struct mlog_stream *stream = xzalloc(sizeof *stream);

    mlog_alert_log_init(&stream->alerts);
    mlog_trigger_engine_init(&stream->engine, &stream->alerts);
    stream->budget.max = MLOG_MAX_GROUP_MEMORY;
    stream->generation = 1;
    stream->plan_generation = 1;
    stream->classifier = mlog_classifier_create();
    hmap_init(&stream->class_index);
    stream->classes = xzalloc(sizeof *stream->classes);
    stream->n_classes = stream->allocated_classes = 1;
    stream->bindings = xcalloc(N_BINDINGS, sizeof *stream->bindings);
    return stream;
}

void
mlog_filter_free__(struct mlog_filter *filter)
{
    mlog_expr_unref(filter->expr);
    free(filter->name);
    free(filter->text);
    free(filter->aggregates.data);
    free(filter);
}

void
mlog_stream_destroy(struct mlog_stream *stream)
{
    if (!stream) {
        return;
    }
    for (size_t i = 0; i < stream->triggers.n; i++) {
        mlog_trigger_destroy(&stream->engine, stream->triggers.data[i],
                             stream->now);
    }
    for (size_t i = 0; i < stream->aggregates.n; i++) {
        mlog_aggregate_destroy(stream->aggregates.data[i]);
    }
    mlog_classifier_destroy(stream->classifier);
    for (size_t i = 0; i < stream->filters.n; i++) {
        mlog_filter_free__(stream->filters.data[i]);
    }
    for (size_t i = 0; i < N_BINDINGS; i++) {
        free(stream->bindings[i]);
    }
    free(stream->triggers.data);
    free(stream->aggregates.data);
    free(stream->filters.data);
    free(stream->bindings);
    free_classes(stream);
    hmap_destroy(&stream->class_index);
    free(stream->classes);
    mlog_trigger_engine_destroy(&stream->engine);
    mlog_alert_log_destroy(&stream->alerts);
    free(stream);
}
