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

#include <unistd.h>

#include "mlog-clock.h"
#include "mlog-ports.h"
#include "openvswitch/vlog.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(multilog);

/* Everything that depends on what is in the store, empty. */
static void
create_parts(struct multilog *ml, size_t budget, size_t ring_slots)
{
    mlog_capture_init(&ml->capture, ml->store, ring_slots);
    ml->flows = mlog_flow_table_create(ml->store);
    ml->log = mlog_header_log_create(ml->flows, ml->store, budget);
}

static void
destroy_parts(struct multilog *ml)
{
    mlog_header_log_destroy(ml->log);
    mlog_flow_table_destroy(ml->flows);
    mlog_capture_destroy(&ml->capture);
}

/* Takes up what 'last' says was there.  Nothing happened until now. */
static void
recover(struct multilog *ml, const struct mlog_commit *last)
{
    struct multilog_recovery *r = &ml->recovery;
    uint64_t start = mlog_clock_system();
    uint64_t n_lost_in_rings;

    r->recovered = true;
    r->n_records = mlog_header_log_recover(ml->log, last);
    r->from_rings = mlog_capture_recover(&ml->capture, last, &n_lost_in_rings,
                                         &r->n_damaged_rings);
    r->n_records += r->from_rings;

    struct mlog_header_log_stats stats;
    mlog_header_log_get_stats(ml->log, &stats);
    r->n_lost = (stats.n_lost[MLOG_LOSS_RECOVERY]
                 - last->n_lost[MLOG_LOSS_RECOVERY]);

    /* What the rings have may be of a little later than the commit. */
    r->outage_from = last->time;
    r->outage_to = MAX(ml->started, last->time);
    mlog_header_log_add_gap(ml->log, &(struct mlog_gap) {
        .from = r->outage_from,
        .to = r->outage_to,
        .reason = MLOG_LOSS_OUTAGE,
    });

    ml->base_captured = (stats.n_appended
                         + last->n_lost[MLOG_LOSS_RING]
                         + last->n_lost[MLOG_LOSS_MEMORY]
                         + last->n_lost[MLOG_LOSS_DISCARD]);
    r->took = mlog_clock_system() - start;
    VLOG_INFO("%s: recovered %"PRIu64" records, %"PRIu64" of them from "
              "capture rings, in %.3f s; %"PRIu64" lost; nothing was recorded "
              "for %.3f s", mlog_store_dir(ml->store), r->n_records,
              r->from_rings, r->took / 1e9, r->n_lost,
              (r->outage_to - r->outage_from) / 1e9);
}

static void recover_threads(struct multilog *);

struct multilog *
multilog_create(const char *dir, size_t budget, size_t ring_slots)
{
    struct multilog *ml = xzalloc(sizeof *ml);

    mlog_clock_init();
    atomic_init(&ml->cancel, false);
    atomic_init(&ml->capturing, false);
    atomic_init(&ml->budget, budget);
    ml->started = mlog_clock_system();
    ml->store = mlog_store_open(dir);
    ml->state = mlog_state_open(ml->store);
    if (!mlog_ports_attach(ml->store)) {
        mlog_state_reset(ml->state, "its ports make no sense");
        mlog_ports_attach(ml->store);
    }
    if (mlog_state_get_settings(ml->state).budget) {
        budget = mlog_state_get_settings(ml->state).budget;
        atomic_store_relaxed(&ml->budget, budget);
    }
    create_parts(ml, budget, ring_slots);
    if (mlog_state_last(ml->state)) {
        recover(ml, mlog_state_last(ml->state));
    }
    ml->stream = mlog_stream_create();
    ml->presets = mlog_presets_create();

    const struct mlog_digest_parts parts = {
        ml->state, &ml->capture, ml->flows, ml->log, ml->stream
    };
    ml->digest = mlog_digest_create(&parts);
    recover_threads(ml);
    ml->archiver = mlog_archiver_create(ml->log, ml->state);
    ml->registry = mlog_registry_create();
    ml->config = mlog_config_create(ml->stream);
    return ml;
}

void
multilog_destroy(struct multilog *ml)
{
    if (ml) {
        mlog_registry_destroy(ml->registry);
        mlog_archiver_destroy(ml->archiver);
        mlog_digest_destroy(ml->digest);
        mlog_presets_destroy(ml->presets);
        mlog_config_destroy(ml->config);
        mlog_stream_destroy(ml->stream);
        destroy_parts(ml);
        mlog_ports_detach();
        mlog_state_close(ml->state);
        mlog_store_close(ml->store);
        free(ml);
    }
}

bool
multilog_set_capture(struct multilog *ml, bool on)
{
    if (!ml->set_capture) {
        return false;
    }
    if (on) {
        mlog_digest_set_quiet(ml->digest, false);
        ml->set_capture(true);
    } else {
        ml->set_capture(false);
        mlog_digest_set_quiet(ml->digest, true);
    }
    atomic_store_relaxed(&ml->capturing, on);
    return true;
}

/* The list of archived files is taken after the segments are: what is in
 * neither has expired before. */
char *
multilog_get_host(struct multilog *ml)
{
    struct mlog_settings settings = mlog_state_get_settings(ml->state);
    char name[MLOG_MAX_HOST] = "";

    if (settings.host[0]) {
        return xstrdup(settings.host);
    } else if (gethostname(name, sizeof name - 1) || !name[0]) {
        return xstrdup("localhost");
    }
    return xstrdup(name);
}

void
multilog_apply_aggregators(struct multilog *ml)
{
    if (ml->agent) {
        struct mlog_settings settings = mlog_state_get_settings(ml->state);
        char *host = multilog_get_host(ml);

        mlog_agent_set(ml->agent, host, settings.aggregators);
        free(host);
    }
}

int
multilog_snapshot_take(struct multilog *ml, struct mlog_snapshot *snapshot)
{
    int error = mlog_digest_cut(ml->digest, snapshot);

    snapshot->archive = mlog_archiver_get_list(ml->archiver);
    snapshot->archive_life = mlog_state_life(ml->state);
    return error;
}

void
multilog_snapshot_release(struct mlog_snapshot *snapshot)
{
    if (snapshot->archive) {
        mlog_archive_list_unref(snapshot->archive);
        snapshot->archive = NULL;
    }
    mlog_snapshot_release(snapshot);
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
    mlog_state_begin_settings(ml->state)->budget = bytes;
    mlog_state_end_settings(ml->state);
    atomic_store_relaxed(&ml->budget, bytes);
    multilog_update_budget(ml);
    return true;
}

void
multilog_set_digest_threads(struct multilog *ml, unsigned int n)
{
    /* Both change together, whoever else changes them. */
    mlog_state_begin_settings(ml->state)->digest_threads = n;
    mlog_digest_set_threads(ml->digest, n);
    mlog_state_end_settings(ml->state);
}

int
multilog_set_digest_cpus(struct multilog *ml, const cpu_set_t *cpus)
{
    struct mlog_settings *settings = mlog_state_begin_settings(ml->state);
    int error = mlog_digest_set_cpus(ml->digest, cpus);

    if (!error) {
        memset(settings->digest_cpus, 0, sizeof settings->digest_cpus);
        if (cpus) {
            memcpy(settings->digest_cpus, cpus, sizeof *cpus);
        }
    }
    mlog_state_end_settings(ml->state);
    return error;
}

bool
multilog_get_digest_cpus(struct multilog *ml, cpu_set_t *cpus)
{
    struct mlog_settings settings = mlog_state_get_settings(ml->state);

    BUILD_ASSERT(sizeof *cpus == sizeof settings.digest_cpus);
    memcpy(cpus, settings.digest_cpus, sizeof *cpus);
    return CPU_COUNT(cpus) > 0;
}

/* Threads as they were set in the life of the store. */
static void
recover_threads(struct multilog *ml)
{
    uint64_t n = mlog_state_get_settings(ml->state).digest_threads;
    cpu_set_t cpus;

    if (n > 1 && n <= MLOG_LANES_MAX) {
        mlog_digest_set_threads(ml->digest, n);
    }
    if (multilog_get_digest_cpus(ml, &cpus)
        && mlog_digest_set_cpus(ml->digest, &cpus)) {
        VLOG_WARN("none of the processors that digest-cpus says can be used; "
                  "the digest's threads run on any");
        multilog_set_digest_cpus(ml, NULL);
    }
}

/* Rings are looked at last: what is digested or lost was captured before. */
static void
get_accounts(struct multilog *ml, struct multilog_status *status)
{
    uint64_t captured, lost_in_rings, digested;

    for (size_t i = 0; i < MLOG_N_LOSSES; i++) {
        status->n_lost += status->log.n_lost[i];
    }
    digested = status->log.n_appended + status->n_lost
               - status->log.n_lost[MLOG_LOSS_ARCHIVE]
               - status->log.n_lost[MLOG_LOSS_RECOVERY];
    mlog_capture_get_totals(&ml->capture, &captured, &lost_in_rings);
    status->n_captured = (ml->base_captured + captured + lost_in_rings);
    status->n_pending = status->n_captured - MIN(digested,
                                                 status->n_captured);
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
    status->dir = mlog_store_dir(ml->store);
    status->problem = mlog_store_problem(ml->store);
    status->recovery = ml->recovery;
    mlog_header_log_get_stats(ml->log, &status->log);
    status->n_gaps = mlog_header_log_get_gaps(ml->log, status->gaps);
    get_accounts(ml, status);
    mlog_digest_get_stats(ml->digest, &status->digest);
    mlog_archiver_get_status(ml->archiver, &status->archiver);
}

void
multilog_status_destroy(struct multilog_status *status)
{
    mlog_archiver_status_destroy(&status->archiver);
    free(status->rings);
    status->rings = NULL;
}
