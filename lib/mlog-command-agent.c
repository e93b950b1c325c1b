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

#include "mlog-command-call.h"

#include "mlog-agent.h"
#include "mlog-wire.h"
#include "multilog.h"
#include "openvswitch/json.h"
#include "util.h"

/* Connections to aggregators: the settings "aggregators" and "host", and what
 * became of them. */

/* Sets one of the settings, whose value is in order, or with "none" unsets
 * it. */
static bool
set_text(struct mlog_call *call, const char *value, char *message,
         size_t offset, size_t size)
{
    struct mlog_settings *settings;

    if (!call->ml->agent && !message) {
        message = xstrdup("there is no connection to aggregators here");
    } else if (!message && strlen(value) >= size) {
        message = xasprintf("at most %"PRIuSIZE" characters", size - 1);
    }
    if (message) {
        return mlog_call_take_message(call, value, value, message);
    }
    settings = mlog_state_begin_settings(call->ml->state);
    ovs_strlcpy((char *) settings + offset,
                strcmp(value, "none") ? value : "", size);
    mlog_state_end_settings(call->ml->state);
    multilog_apply_aggregators(call->ml);
    return true;
}

bool
mlog_call_set_aggregators(struct mlog_call *call, const char *value)
{
    return set_text(call, value, (strcmp(value, "none")
                                  ? mlog_wire_check_targets(value) : NULL),
                    offsetof(struct mlog_settings, aggregators),
                    sizeof((struct mlog_settings *) NULL)->aggregators);
}

void
mlog_call_put_aggregators(struct mlog_call *call, struct mlog_table *table)
{
    struct mlog_settings settings = mlog_state_get_settings(call->ml->state);

    mlog_table_put_string(table, (settings.aggregators[0]
                                  ? settings.aggregators : "none"));
}

bool
mlog_call_set_host(struct mlog_call *call, const char *value)
{
    return set_text(call, value, mlog_wire_check_name(value),
                    offsetof(struct mlog_settings, host),
                    sizeof((struct mlog_settings *) NULL)->host);
}

void
mlog_call_put_host(struct mlog_call *call, struct mlog_table *table)
{
    char *host = multilog_get_host(call->ml);

    mlog_table_put_string(table, host);
    free(host);
}

void
mlog_command_aggregators(struct mlog_call *call)
{
    struct mlog_table *table = mlog_document_table(&call->doc, "aggregators");
    struct mlog_agent_status *status = NULL;
    size_t n = (call->ml->agent
                ? mlog_agent_get_status(call->ml->agent, &status) : 0);

    mlog_table_add_column(table, "target", false);
    mlog_table_add_column(table, "state", false);
    mlog_table_add_column(table, "since", false);
    mlog_table_add_column(table, "aggregator", false);
    mlog_table_add_column(table, "calls", true);
    mlog_table_add_column(table, "error", false);
    for (size_t i = 0; i < n; i++) {
        mlog_table_put_string(table, status[i].target);
        mlog_table_put_string(table,
                              mlog_agent_state_to_string(status[i].state));
        mlog_table_put_time(table, status[i].since * UINT64_C(1000000));
        mlog_table_put_string(table, status[i].aggregator);
        mlog_table_put_u64(table, status[i].n_calls);
        mlog_table_put_string(table, status[i].error);
    }
    mlog_agent_status_free(status, n);
    mlog_document_put_u64(&call->doc, "count", n);
    mlog_document_summary(&call->doc, "%"PRIuSIZE" aggregator%s", n,
                          n == 1 ? "" : "s");
}
