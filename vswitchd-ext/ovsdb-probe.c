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

#include "ovsdb-private.h"

#include <errno.h>

#include "jsonrpc.h"
#include "openvswitch/json.h"
#include "openvswitch/poll-loop.h"
#include "packets.h"
#include "stream.h"
#include "timeval.h"
#include "util.h"

/* An IDL for a database that isn't there logs errors, and so does a session
 * that doesn't get a connection.  This uses neither. */

#define INTERVAL_MS 5000
#define TIMEOUT_MS 5000

struct ovsdb_probe {
    char *remote;
    char *database;
    struct jsonrpc *rpc;        /* NULL between two attempts. */
    long long int next;         /* Next attempt, or the end of this one. */
};

struct ovsdb_probe *
ovsdb_probe_create(const char *remote, const char *database)
{
    struct ovsdb_probe *probe = xzalloc(sizeof *probe);

    probe->remote = xstrdup(remote);
    probe->database = xstrdup(database);
    return probe;
}

static void
disconnect(struct ovsdb_probe *probe)
{
    jsonrpc_close(probe->rpc);
    probe->rpc = NULL;
    probe->next = time_msec() + INTERVAL_MS;
}

void
ovsdb_probe_destroy(struct ovsdb_probe *probe)
{
    if (probe) {
        jsonrpc_close(probe->rpc);
        free(probe->remote);
        free(probe->database);
        free(probe);
    }
}

void
ovsdb_probe_soon(struct ovsdb_probe *probe)
{
    if (probe && !probe->rpc) {
        probe->next = 0;
    }
}

static void
connect_and_ask(struct ovsdb_probe *probe)
{
    struct stream *stream;

    if (stream_open(probe->remote, &stream, DSCP_DEFAULT)) {
        disconnect(probe);
        return;
    }
    probe->rpc = jsonrpc_open(stream);
    probe->next = time_msec() + TIMEOUT_MS;
    jsonrpc_send(probe->rpc,
                 jsonrpc_create_request("list_dbs", json_array_create_empty(),
                                        NULL));
}

static bool
has_database(const struct ovsdb_probe *probe, const struct jsonrpc_msg *msg)
{
    bool found = false;

    if (msg->type == JSONRPC_REPLY && msg->result
        && msg->result->type == JSON_ARRAY) {
        const struct json_array *names = json_array(msg->result);

        for (size_t i = 0; i < names->n; i++) {
            found |= (names->elems[i]->type == JSON_STRING
                      && !strcmp(json_string(names->elems[i]),
                                 probe->database));
        }
    }
    return found;
}

bool
ovsdb_probe_run(struct ovsdb_probe *probe)
{
    struct jsonrpc_msg *msg;
    bool found;

    if (!probe->rpc && time_msec() >= probe->next) {
        connect_and_ask(probe);
    }
    if (!probe->rpc) {
        return false;
    }

    jsonrpc_run(probe->rpc);
    if (!jsonrpc_recv(probe->rpc, &msg)) {
        found = has_database(probe, msg);
        jsonrpc_msg_destroy(msg);
        disconnect(probe);
        return found;
    }
    if (jsonrpc_get_status(probe->rpc) || time_msec() >= probe->next) {
        disconnect(probe);
    }
    return false;
}

void
ovsdb_probe_wait(struct ovsdb_probe *probe)
{
    if (probe->rpc) {
        jsonrpc_wait(probe->rpc);
        jsonrpc_recv_wait(probe->rpc);
    }
    poll_timer_wait_until(probe->next);
}
