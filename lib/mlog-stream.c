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

#include "mlog-classifier.h"
#include "mlog-expr.h"
#include "mlog-expr-row.h"
#include "util.h"

/* Ticks. */

static void
tick_aggregate(struct mlog_stream *stream, struct mlog_aggregate *agg)
{
    uint32_t epoch = agg->groups.epoch;

    mlog_aggregate_expire(agg, stream->now);
    mlog_triggers_run(&stream->engine, agg, stream->now);
    mlog_aggregate_finish(agg);
    if (OVS_UNLIKELY(agg->groups.epoch != epoch)) {
        mlog_stream_forget__(stream);
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
    mlog_stream_fit_accs__(stream);
    mlog_stream_renew_classes__(stream);
}

/* Life cycle. */

struct mlog_stream *
mlog_stream_create(void)
{
    struct mlog_stream *stream = xzalloc(sizeof *stream);

    mlog_alert_log_init(&stream->alerts);
    mlog_trigger_engine_init(&stream->engine, &stream->alerts);
    stream->budget.max = MLOG_MAX_GROUP_MEMORY;
    stream->plan_generation = 1;
    mlog_stream_init_classes__(stream);
    stream->waiting = xmalloc_cacheline(MLOG_MAX_WAITING
                                        * sizeof *stream->waiting);
    return stream;
}

void
mlog_filter_free__(struct mlog_filter *filter)
{
    mlog_expr_unref(filter->expr);
    mlog_expr_row_destroy(filter->row_test);
    free(filter->name);
    free(filter->text);
    free(filter->aggregates.data);
    free(filter->batched.data);
    free(filter->by_group.data);
    free(filter->by_flow.data);
    free(filter->others.data);
    free_cacheline(filter);
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
    free(stream->triggers.data);
    free(stream->aggregates.data);
    free(stream->filters.data);
    mlog_stream_free_accs__(stream);
    free_cacheline(stream->waiting);
    mlog_stream_free_classes__(stream);
    hmap_destroy(&stream->class_index);
    free(stream->classes);
    free(stream->class_kinds);
    free(stream->dirty_classes);
    mlog_trigger_engine_destroy(&stream->engine);
    mlog_alert_log_destroy(&stream->alerts);
    free(stream);
}
