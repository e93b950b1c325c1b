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

#include "mlogd.h"

#include "mlog-output.h"
#include "mlog-wire.h"
#include "mlogd-hosts.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "openvswitch/shash.h"
#include "timeval.h"
#include "unixctl.h"
#include "util.h"

#define EXECUTE_MS 60000        /* How long hosts may take. */

struct mlogd {
    struct mlogd_hosts *hosts;
};

static void
host_up(struct mlogd_host *host OVS_UNUSED, void *mlogd OVS_UNUSED)
{
}

static void
host_down(struct mlogd_host *host OVS_UNUSED, const char *why OVS_UNUSED,
          void *mlogd OVS_UNUSED)
{
}

static void
host_notify(struct mlogd_host *host OVS_UNUSED, const char *method OVS_UNUSED,
            const struct json *params OVS_UNUSED, void *mlogd OVS_UNUSED)
{
}

/* Commands. */

static void
unixctl_hosts(struct unixctl_conn *conn, int argc OVS_UNUSED,
              const char *argv[] OVS_UNUSED, void *mlogd_)
{
    struct mlogd *mlogd = mlogd_;
    struct mlogd_host **hosts = mlogd_hosts_sorted(mlogd->hosts);
    size_t n = mlogd_hosts_count(mlogd->hosts);
    struct mlog_document doc;
    struct mlog_table *table;
    struct ds reply = DS_EMPTY_INITIALIZER;

    mlog_document_init(&doc, MLOG_FORMAT_TABLE);
    table = mlog_document_table(&doc, "hosts");
    mlog_table_add_column(table, "name", false);
    mlog_table_add_column(table, "address", false);
    mlog_table_add_column(table, "since", false);
    mlog_table_add_column(table, "version", false);
    mlog_table_add_column(table, "requests", true);
    for (size_t i = 0; i < n; i++) {
        mlog_table_put_string(table, hosts[i]->name);
        mlog_table_put_string(table, hosts[i]->peer);
        mlog_table_put_time(table, hosts[i]->since * UINT64_C(1000000));
        mlog_table_put_string(table, hosts[i]->version);
        mlog_table_put_u64(table, hosts[i]->n_requests);
    }
    mlog_document_summary(&doc, "%"PRIuSIZE" hosts", n);
    mlog_document_render(&doc, &reply);
    unixctl_command_reply(conn, ds_cstr(&reply));
    ds_destroy(&reply);
    mlog_document_destroy(&doc);
    free(hosts);
}

/* "net/execute": a command, at all hosts at once. */
struct execution {
    struct unixctl_conn *conn;
    struct json *answers;       /* Array. */
    size_t n_waiting;
};

static void
execution_finish(struct execution *execution)
{
    struct json *reply = json_object_create();
    char *text;

    json_object_put(reply, "hosts", execution->answers);
    text = json_to_string(reply, JSSF_SORT);
    unixctl_command_reply(execution->conn, text);
    json_destroy(reply);
    free(text);
    free(execution);
}

static const char *
outcome_to_string(enum mlogd_outcome outcome)
{
    switch (outcome) {
    case MLOGD_OK: return "ok";
    case MLOGD_ERROR: return "error";
    case MLOGD_TIMEOUT: return "timeout";
    case MLOGD_DISCONNECTED: return "disconnected";
    default: OVS_NOT_REACHED();
    }
}

/* Errors of commands are objects with a member "error". */
static struct json *
error_text(const struct json *error)
{
    if (error && error->type == JSON_OBJECT) {
        const struct json *text = shash_find_data(json_object(error),
                                                  "error");

        return json_clone(text ? text : error);
    }
    return error ? json_clone(error) : json_string_create("");
}

static void
execution_done(struct mlogd_host *host, enum mlogd_outcome outcome,
               const struct json *json, void *execution_)
{
    struct execution *execution = execution_;
    struct json *answer = json_object_create();

    json_object_put_string(answer, "host", host->name);
    json_object_put_string(answer, "outcome", outcome_to_string(outcome));
    if (outcome == MLOGD_OK) {
        json_object_put(answer, "answer", json_clone(json));
    } else if (outcome == MLOGD_ERROR) {
        json_object_put(answer, "error", error_text(json));
    }
    json_array_add(execution->answers, answer);
    if (!--execution->n_waiting) {
        execution_finish(execution);
    }
}

static void
unixctl_execute(struct unixctl_conn *conn, int argc, const char *argv[],
                void *mlogd_)
{
    struct mlogd *mlogd = mlogd_;
    struct mlogd_host **hosts = mlogd_hosts_sorted(mlogd->hosts);
    size_t n = mlogd_hosts_count(mlogd->hosts);
    struct execution *execution = xmalloc(sizeof *execution);

    *execution = (struct execution) {
        .conn = conn,
        .answers = json_array_create_empty(),
        .n_waiting = n,
    };
    if (!n) {
        execution_finish(execution);
    }
    for (size_t i = 0; i < n; i++) {
        mlogd_host_execute(hosts[i], argc - 1, argv + 1, EXECUTE_MS,
                           execution_done, execution);
    }
    free(hosts);
}

struct mlogd *
mlogd_create(const char *name)
{
    struct mlogd *mlogd = xzalloc(sizeof *mlogd);
    struct mlogd_hosts_ops ops = {
        .up = host_up, .down = host_down, .notify = host_notify, .aux = mlogd
    };

    mlogd->hosts = mlogd_hosts_create(name, &ops);
    unixctl_command_register("net/execute", "COMMAND [ARGUMENT]...", 1,
                             MLOG_WIRE_MAX_WORDS, unixctl_execute, mlogd);
    unixctl_command_register("net/hosts", "", 0, 0, unixctl_hosts, mlogd);
    return mlogd;
}

void
mlogd_destroy(struct mlogd *mlogd)
{
    if (mlogd) {
        mlogd_hosts_destroy(mlogd->hosts);
        free(mlogd);
    }
}

void
mlogd_run(struct mlogd *mlogd)
{
    mlogd_hosts_run(mlogd->hosts);
}

void
mlogd_wait(struct mlogd *mlogd)
{
    mlogd_hosts_wait(mlogd->hosts);
}

struct mlogd_hosts *
mlogd_get_hosts(struct mlogd *mlogd)
{
    return mlogd->hosts;
}
