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

void
mlog_stream_flush__(struct mlog_stream *stream)
{
    for (unsigned int i = 0; i < stream->n_lanes; i++) {
        mlog_stream_lane_flush__(stream->lanes[i]);
    }
}

void
mlog_stream_begin_tick(struct mlog_stream *stream, uint64_t now)
{
    stream->now = MAX(stream->now, now);
}

void
mlog_stream_lane_tick(struct mlog_stream_lane *lane)
{
    mlog_stream_lane_flush__(lane);
    for (size_t i = 0; i < lane->aggregates.n; i++) {
        mlog_aggregate_expire(lane->aggregates.data[i], lane->stream->now);
    }
}

void
mlog_stream_evaluate(struct mlog_stream *stream)
{
    for (size_t i = 0; i < stream->aggregates.n; i++) {
        mlog_triggers_run(&stream->engine, stream->aggregates.data[i],
                          stream->now);
    }
}

static void
finish_aggregate(struct mlog_stream_lane *lane, struct mlog_aggregate *agg)
{
    uint32_t epoch = agg->groups.epoch;

    mlog_aggregate_finish(agg);
    if (OVS_UNLIKELY(agg->groups.epoch != epoch)) {
        mlog_stream_lane_forget__(lane);
    }
}

void
mlog_stream_lane_finish(struct mlog_stream_lane *lane)
{
    for (size_t i = 0; i < lane->aggregates.n; i++) {
        finish_aggregate(lane, lane->aggregates.data[i]);
    }
    mlog_stream_lane_fit_accs__(lane);
}

void
mlog_stream_end_tick(struct mlog_stream *stream)
{
    mlog_stream_renew_classes__(stream);
}

void
mlog_stream_tick(struct mlog_stream *stream, uint64_t now)
{
    mlog_stream_begin_tick(stream, now);
    for (unsigned int i = 0; i < stream->n_lanes; i++) {
        mlog_stream_lane_tick(stream->lanes[i]);
    }
    mlog_stream_evaluate(stream);
    for (unsigned int i = 0; i < stream->n_lanes; i++) {
        mlog_stream_lane_finish(stream->lanes[i]);
    }
    mlog_stream_end_tick(stream);
}

void
mlog_stream_record(struct mlog_stream *stream, uint32_t class,
                   const struct mlog_record *record)
{
    for (unsigned int i = 0; i < stream->n_lanes; i++) {
        mlog_stream_lane_record(stream->lanes[i], class, record->key, record);
    }
}

/* Life cycle. */

struct mlog_stream *
mlog_stream_create(void)
{
    struct mlog_stream *stream = xzalloc(sizeof *stream);

    mlog_alert_log_init(&stream->alerts);
    mlog_trigger_engine_init(&stream->engine, &stream->alerts);
    mlog_group_budget_init(&stream->budget, MLOG_MAX_GROUP_MEMORY);
    mlog_stream_init_classes__(stream);
    mlog_stream_set_lanes(stream, 1);
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
    free(stream->triggers.data);
    free(stream->aggregates.data);
    free(stream->filters.data);
    mlog_stream_free_classes__(stream);
    mlog_stream_free_lanes__(stream);
    hmap_destroy(&stream->class_index);
    free(stream->classes);
    mlog_trigger_engine_destroy(&stream->engine);
    mlog_alert_log_destroy(&stream->alerts);
    free(stream);
}
