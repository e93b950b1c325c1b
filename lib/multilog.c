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

#include "multilog.h"

#include "mlog-clock.h"
#include "util.h"

struct multilog *
multilog_create(size_t budget, size_t ring_slots)
{
    struct multilog *ml = xzalloc(sizeof *ml);

    mlog_clock_init();
    atomic_init(&ml->cancel, false);
    atomic_init(&ml->capturing, false);
    atomic_init(&ml->budget, budget);
    ml->started = mlog_clock_system();
    mlog_capture_init(&ml->capture, ring_slots);
    ml->flows = mlog_flow_table_create();
    ml->log = mlog_header_log_create(ml->flows, budget);
    ml->stream = mlog_stream_create();
    ml->digest = mlog_digest_create(&ml->capture, ml->flows, ml->log,
                                    ml->stream);
    return ml;
}

void
multilog_destroy(struct multilog *ml)
{
    if (ml) {
        mlog_digest_destroy(ml->digest);
        mlog_stream_destroy(ml->stream);
        mlog_header_log_destroy(ml->log);
        mlog_flow_table_destroy(ml->flows);
        mlog_capture_destroy(&ml->capture);
        free(ml);
    }
}

bool
multilog_set_capture(struct multilog *ml, bool on)
{
    if (!ml->set_capture) {
        return false;
    }
    ml->set_capture(on);
    atomic_store_relaxed(&ml->capturing, on);
    return true;
}

void
multilog_update_budget(struct multilog *ml)
{
    uint64_t budget, rings = mlog_capture_memory(&ml->capture);

    atomic_read_relaxed(&ml->budget, &budget);
    mlog_header_log_set_budget(ml->log, MAX(budget, rings) - rings);
}

bool
multilog_set_budget(struct multilog *ml, uint64_t bytes)
{
    if (bytes < MULTILOG_MIN_BUDGET + mlog_capture_memory(&ml->capture)) {
        return false;
    }
    atomic_store_relaxed(&ml->budget, bytes);
    multilog_update_budget(ml);
    return true;
}

void
multilog_get_status(struct multilog *ml, struct multilog_status *status)
{
    memset(status, 0, sizeof *status);
    atomic_read_relaxed(&ml->capturing, &status->capturing);
    atomic_read_relaxed(&ml->budget, &status->budget);
    status->tsc = mlog_clock_use_tsc;
    status->started = ml->started;
    status->now = mlog_clock_system();
    status->ring_memory = mlog_capture_memory(&ml->capture);
    status->flow_memory = mlog_flow_table_memory(ml->flows);
    status->n_flows = mlog_flow_table_count(ml->flows);
    status->n_rings = mlog_capture_get_rings(&ml->capture, &status->rings);
    mlog_capture_get_totals(&ml->capture, &status->n_captured,
                            &status->n_lost);
    mlog_header_log_get_stats(ml->log, &status->log);
    mlog_digest_get_stats(ml->digest, &status->digest);
}

void
multilog_status_destroy(struct multilog_status *status)
{
    free(status->rings);
    status->rings = NULL;
}
