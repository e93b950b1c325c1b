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

#include "uplink.h"

#include "hash.h"
#include "mlog-agent.h"
#include "mlog-jobs.h"
#include "multilog.h"
#include "openvswitch/dynamic-string.h"
#include "util.h"

/* Everything but uplink_init() and uplink_exit() happens in the agent's
 * thread, so that the jobs have one thread that submits and fetches.  There
 * are workers from the first command on that an aggregator asks for. */

static struct multilog *multilog;
static struct mlog_jobs *jobs;          /* NULL until then. */

/* A worker's reply is there. */
static void
wake(void *aux OVS_UNUSED)
{
    mlog_agent_wake(multilog->agent);
}

static void
execute(struct mlog_agent_call *call, void *aux OVS_UNUSED)
{
    struct mlog_job_request request = {
        .client = hash_string(call->client, 0),
        .client_name = call->client,
        .format = MLOG_FORMAT_JSON,
        .argc = call->argv.n,
        .argv = (const char **) call->argv.names,
        .aux = call,
    };
    static const struct mlog_jobs_callbacks callbacks = { .wake = wake };

    if (!jobs) {
        jobs = mlog_jobs_create(multilog, &callbacks);
    }
    mlog_jobs_submit(jobs, &request);
}

static void
cancel(struct mlog_agent_call *call, void *aux OVS_UNUSED)
{
    mlog_jobs_abandon(jobs, call);
    call->error = true;
    ds_put_cstr(&call->body, "\"cancelled\"");
    mlog_agent_call_done(call);
}

static void
fetch(void *aux OVS_UNUSED)
{
    struct mlog_reply reply;
    void *call_;

    while (jobs && mlog_jobs_get_reply(jobs, &call_, &reply)) {
        struct mlog_agent_call *call = call_;

        call->error = reply.error;
        ds_swap(&call->body, &reply.body);
        mlog_reply_destroy(&reply);
        mlog_agent_call_done(call);
    }
}

/* No call is under way any more; workers may be about to find that out. */
static void
end(void *aux OVS_UNUSED)
{
    if (jobs) {
        mlog_jobs_stop(jobs);
        fetch(NULL);
        mlog_jobs_destroy(jobs);
        jobs = NULL;
    }
}

void
uplink_init(struct multilog *ml)
{
    struct mlog_agent_options options = {
        .life = mlog_state_life(ml->state),
        .execute = execute,
        .cancel = cancel,
        .run = fetch,
        .exit = end,
    };

    multilog = ml;
    ml->agent = mlog_agent_create(&options);
    multilog_apply_aggregators(ml);
}

void
uplink_exit(void)
{
    mlog_agent_destroy(multilog->agent);
    multilog->agent = NULL;
}
