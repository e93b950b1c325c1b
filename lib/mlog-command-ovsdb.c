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

#include "mlog-database.h"
#include "multilog.h"
#include "util.h"

/* The setting "ovsdb", and what the database client is doing. */

bool
mlog_call_set_ovsdb(struct mlog_call *call, const char *value)
{
    const struct mlog_database *database = call->ml->database;
    char *message;

    if (!database) {
        return mlog_call_error(call, NULL, NULL, "ovsdb: there is no database "
                               "client here");
    } else if (strlen(value) >= MLOG_MAX_PATH) {
        return mlog_call_error(call, value, NULL, "ovsdb: has at most %d "
                               "characters", MLOG_MAX_PATH - 1);
    }
    message = database->set_remote(value);
    if (message) {
        mlog_call_error(call, value, value, "ovsdb: %s", message);
        free(message);
        return false;
    }

    struct mlog_settings *settings = mlog_state_begin_settings(
        call->ml->state);
    ovs_strlcpy(settings->ovsdb, value, sizeof settings->ovsdb);
    mlog_state_end_settings(call->ml->state);
    return true;
}

void
mlog_call_put_ovsdb(struct mlog_call *call, struct mlog_table *table)
{
    struct mlog_settings settings = mlog_state_get_settings(call->ml->state);

    mlog_table_put_string(table, (!call->ml->database ? "off"
                                  : settings.ovsdb[0] ? settings.ovsdb
                                  : "auto"));
}

void
mlog_call_local_changed(struct mlog_call *call)
{
    if (call->ml->database && !mlog_call_failed(call)) {
        call->ml->database->local_changed();
    }
}

static const char *
state_of(const struct mlog_database_status *status)
{
    return (!status->remote ? "none"
            : !status->connected ? "not connected"
            : status->locked ? "in charge"
            : status->contended ? "another process is in charge"
            : "connecting");
}

void
mlog_command_ovsdb(struct mlog_call *call)
{
    const struct mlog_database *database = call->ml->database;
    struct mlog_database_status status = { .remote = NULL };
    struct mlog_document *doc = &call->doc;

    if (database) {
        database->get_status(&status);
    }
    mlog_document_put_string(doc, "remote", status.remote ? status.remote
                             : "none");
    mlog_document_put_bool(doc, "connected", status.connected);
    mlog_document_put_string(doc, "state", state_of(&status));
    mlog_document_put_u64(doc, "cfg", status.cfg);
    mlog_document_put_u64(doc, "cur_cfg", status.cur_cfg);
    mlog_document_put_time(doc, "cur_cut", status.cur_cut);
    mlog_document_put_u64(doc, "wrong", status.n_wrong);
    mlog_document_put_u64(doc, "alerts", status.n_alerts);
    mlog_document_put_u64(doc, "alerts_waiting", status.n_alerts_waiting);
    mlog_document_put_u64(doc, "alerts_lost", status.n_alerts_lost);
    mlog_document_put_u64(doc, "transactions", status.n_transactions);
    mlog_document_put_u64(doc, "failed_transactions", status.n_failures);
    if (status.error) {
        mlog_document_put_string(doc, "error", status.error);
    }
    mlog_document_summary(doc, "%s: %s; cfg %"PRId64" of %"PRId64" is in "
                          "force; %"PRIuSIZE" wrong; %"PRIu64" alerts "
                          "written, %"PRIu64" lost%s%s",
                          status.remote ? status.remote : "database",
                          state_of(&status), status.cur_cfg, status.cfg,
                          status.n_wrong, status.n_alerts,
                          status.n_alerts_lost, status.error ? "; " : "",
                          status.error ? status.error : "");
    free(status.remote);
    free(status.error);
}
