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

#include "mlogd-hosts.h"

#include <errno.h>

#include "hash.h"
#include "jsonrpc.h"
#include "mlog-wire.h"
#include "openvswitch/json.h"
#include "openvswitch/list.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/shash.h"
#include "openvswitch/vlog.h"
#include "stream.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(mlogd_hosts);

#define MAX_LISTENERS 16
#define MAX_STRANGERS 256       /* Connections that have not registered. */
#define REGISTER_MS 10000       /* How long they may take. */
#define PROBE_MS 2500           /* Silence until a probe is sent... */
#define DEAD_MS 7500            /* ...and until the connection is dead. */

/* Bytes that one message may have. */
#define MAX_MESSAGE (MLOG_WIRE_MAX_ANSWER + (1u << 20))

/* Messages taken from one host before another has its turn. */
#define MESSAGES_PER_RUN 50

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(5, 20);

struct listener {
    struct pstream *pstream;
    char *name;
};

struct mlogd_hosts {
    char *name;
    struct mlogd_hosts_ops ops;
    struct listener listeners[MAX_LISTENERS];
    size_t n_listeners;
    struct ovs_list links;
    struct hmap hosts;          /* struct mlogd_host, registered. */
    size_t n_strangers;
    long long int next_call;
};

/* A connection; with 'registered' it is a host. */
struct link {
    struct mlogd_host host;
    struct ovs_list node;
    struct mlogd_hosts *hosts;
    struct jsonrpc *rpc;
    struct stream *stream;      /* Of 'rpc', as long as that has no error. */
    bool registered;
    long long int opened;
    long long int heard;        /* When it last sent anything. */
    bool probed;                /* Since then. */
    unsigned int received;      /* Bytes, at the end of the last message. */
    struct hmap requests;       /* By identifier. */
    const char *failure;        /* Why it has to be closed, or NULL. */
};

struct request {
    struct hmap_node node;
    struct json *id;
    long long int call;         /* Number, or 0. */
    long long int deadline;
    mlogd_done_func *done;
    void *aux;
};

static struct link *
link_from_host(struct mlogd_host *host)
{
    return CONTAINER_OF(host, struct link, host);
}

/* Requests. */

static void
request_finish(struct link *link, struct request *request,
               enum mlogd_outcome outcome, const struct json *json)
{
    hmap_remove(&link->requests, &request->node);
    request->done(&link->host, outcome, json, request->aux);
    json_destroy(request->id);
    free(request);
}

static void
link_receive_answer(struct link *link, const struct jsonrpc_msg *msg)
{
    struct request *request;

    HMAP_FOR_EACH_WITH_HASH (request, node, json_hash(msg->id, 0),
                             &link->requests) {
        if (json_equal(request->id, msg->id)) {
            bool ok = msg->type == JSONRPC_REPLY;

            request_finish(link, request, ok ? MLOGD_OK : MLOGD_ERROR,
                           ok ? msg->result : msg->error);
            return;
        }
    }
}

static void
link_request(struct link *link, const char *method, struct json *params,
             long long int call, long long int timeout,
             mlogd_done_func *done, void *aux)
{
    struct request *request = xzalloc(sizeof *request);
    struct jsonrpc_msg *msg;

    msg = jsonrpc_create_request(method, params, &request->id);
    request->call = call;
    request->deadline = time_msec() + timeout;
    request->done = done;
    request->aux = aux;
    hmap_insert(&link->requests, &request->node, json_hash(request->id, 0));
    link->host.n_requests++;
    jsonrpc_send(link->rpc, msg);
}

void
mlogd_host_request(struct mlogd_host *host, const char *method,
                   struct json *params, long long int timeout,
                   mlogd_done_func *done, void *aux)
{
    link_request(link_from_host(host), method, params, 0, timeout, done, aux);
}

long long int
mlogd_host_execute(struct mlogd_host *host, size_t argc,
                   const char *const argv[], long long int timeout,
                   mlogd_done_func *done, void *aux)
{
    struct link *link = link_from_host(host);
    struct json *words = json_array_create_empty();
    long long int call = ++link->hosts->next_call;

    for (size_t i = 0; i < argc; i++) {
        json_array_add(words, json_string_create(argv[i]));
    }
    link_request(link, "execute",
                 json_array_create_2(json_integer_create(call), words),
                 call, timeout, done, aux);
    return call;
}

static void
send_cancel(struct link *link, long long int call)
{
    jsonrpc_send(link->rpc, jsonrpc_create_notify(
        "cancel", json_array_create_1(json_integer_create(call))));
}

void
mlogd_host_cancel(struct mlogd_host *host, long long int call)
{
    send_cancel(link_from_host(host), call);
}

/* Finishes the requests whose deadline is not after 'now'.  Each time, the
 * search begins anew, as callbacks may send requests. */
static void
link_finish_requests(struct link *link, long long int now,
                     enum mlogd_outcome outcome)
{
    struct request *request;
    bool found;

    do {
        found = false;
        HMAP_FOR_EACH (request, node, &link->requests) {
            if (request->deadline <= now) {
                found = true;
                break;
            }
        }
        if (found) {
            if (request->call && outcome == MLOGD_TIMEOUT) {
                send_cancel(link, request->call);
            }
            request_finish(link, request, outcome, NULL);
        }
    } while (found);
}

/* Connections. */

static void
link_create(struct mlogd_hosts *hosts, struct stream *stream)
{
    struct link *link = xzalloc(sizeof *link);

    link->hosts = hosts;
    link->host.peer = xstrdup(stream_get_name(stream));
    link->stream = stream;
    link->rpc = jsonrpc_open(stream);
    jsonrpc_set_backlog_threshold(link->rpc, SIZE_MAX, MLOG_WIRE_MAX_BACKLOG);
    link->opened = link->heard = time_msec();
    hmap_init(&link->requests);
    ovs_list_push_back(&hosts->links, &link->node);
    hosts->n_strangers++;
}

/* The host is gone, the connection not yet. */
static void
link_unregister(struct link *link, const char *why)
{
    struct mlogd_hosts *hosts = link->hosts;

    hmap_remove(&hosts->hosts, &link->host.node);
    link->registered = false;
    hosts->n_strangers++;
    link->failure = why;
    link_finish_requests(link, LLONG_MAX, MLOGD_DISCONNECTED);
    VLOG_INFO("host %s (%s) is gone: %s", link->host.name, link->host.peer,
              why);
    hosts->ops.down(&link->host, why, hosts->ops.aux);
}

static void
link_destroy(struct link *link, const char *why)
{
    if (link->registered) {
        link_unregister(link, why);
    }
    link->hosts->n_strangers--;
    ovs_list_remove(&link->node);
    jsonrpc_close(link->rpc);
    hmap_destroy(&link->requests);
    free(CONST_CAST(char *, link->host.name));
    free(CONST_CAST(char *, link->host.life));
    free(CONST_CAST(char *, link->host.version));
    free(CONST_CAST(char *, link->host.peer));
    json_destroy(CONST_CAST(struct json *, link->host.inventory));
    json_destroy(CONST_CAST(struct json *, link->host.clock));
    free(link);
}

/* Returns member 'name' of 'object' if it is a string, else NULL. */
static const char *
get_string(const struct json *object, const char *name)
{
    const struct json *json = shash_find_data(json_object(object), name);

    return json && json->type == JSON_STRING ? json_string(json) : NULL;
}

static bool
link_is_tls(const struct link *link)
{
    return !strncmp(link->host.peer, "ssl:", 4);
}

/* Returns a message for the caller to free, or NULL if the host may register
 * as it says in 'params'. */
static char *
link_check_registration(struct link *link, const struct json *params)
{
    const struct json *object, *protocol;
    const char *name;
    char *error;

    if (params->type != JSON_ARRAY || params->array.n != 1
        || params->array.elems[0]->type != JSON_OBJECT) {
        return xstrdup("\"register\" needs an object");
    }
    object = params->array.elems[0];
    protocol = shash_find_data(json_object(object), "protocol");
    if (!protocol || protocol->type != JSON_INTEGER
        || json_integer(protocol) != MLOG_WIRE_PROTOCOL) {
        return xasprintf("this aggregator speaks version %d of the protocol",
                         MLOG_WIRE_PROTOCOL);
    }
    name = get_string(object, "host");
    if (!name || !get_string(object, "life")
        || !get_string(object, "version")) {
        return xstrdup("\"register\" needs \"host\", \"life\" and "
                       "\"version\"");
    }
    error = mlog_wire_check_name(name);
    if (error) {
        return error;
    }
    if (link_is_tls(link)) {
        const char *id = (jsonrpc_get_status(link->rpc) ? NULL
                          : stream_get_peer_id(link->stream));

        if (!id || strcmp(id, name)) {
            return xasprintf("the certificate is for \"%s\", not for "
                             "\"%s\"", id ? id : "", name);
        }
    }
    if (hmap_count(&link->hosts->hosts) >= MLOGD_MAX_HOSTS) {
        return xasprintf("there are %d hosts already", MLOGD_MAX_HOSTS);
    }
    return NULL;
}

/* Makes 'link' the host that 'object' says. */
static char *
link_become_host(struct link *link, const struct json *object)
{
    struct mlogd_hosts *hosts = link->hosts;
    const char *name = get_string(object, "host");
    struct mlogd_host *old = mlogd_hosts_find(hosts, name);

    if (old) {
        if (!link_is_tls(link)) {
            return xasprintf("a host \"%s\" is connected from %s", name,
                             old->peer);
        }
        link_unregister(link_from_host(old), "it has connected again");
    }

    link->host.name = xstrdup(name);
    link->host.life = xstrdup(get_string(object, "life"));
    link->host.version = xstrdup(get_string(object, "version"));
    link->host.since = time_wall_msec();
    link->registered = true;
    hosts->n_strangers--;
    hmap_insert(&hosts->hosts, &link->host.node, hash_string(name, 0));
    VLOG_INFO("host %s registered from %s", name, link->host.peer);
    return NULL;
}

static void
link_register(struct link *link, const struct jsonrpc_msg *msg)
{
    struct mlogd_hosts *hosts = link->hosts;
    char *error = (link->registered ? xstrdup("already registered")
                   : link_check_registration(link, msg->params));
    struct json *result;

    if (!error) {
        error = link_become_host(link, msg->params->array.elems[0]);
    }
    if (error) {
        VLOG_WARN_RL(&rl, "%s: registration refused: %s", link->host.peer,
                     error);
        jsonrpc_send(link->rpc, jsonrpc_create_error(
            json_string_create_nocopy(error), msg->id));
        return;
    }

    result = json_object_create();
    json_object_put(result, "protocol",
                    json_integer_create(MLOG_WIRE_PROTOCOL));
    json_object_put_string(result, "aggregator", hosts->name);
    jsonrpc_send(link->rpc, jsonrpc_create_reply(result, msg->id));
    hosts->ops.up(&link->host, hosts->ops.aux);
}

static void
link_receive_notification(struct link *link, const struct jsonrpc_msg *msg)
{
    const struct json **place;

    if (!link->registered || msg->params->type != JSON_ARRAY) {
        return;
    }
    place = (!strcmp(msg->method, "inventory") ? &link->host.inventory
             : !strcmp(msg->method, "clock") ? &link->host.clock : NULL);
    if (place && msg->params->array.n == 1) {
        json_destroy(CONST_CAST(struct json *, *place));
        *place = json_clone(msg->params->array.elems[0]);
    }
    link->hosts->ops.notify(&link->host, msg->method, msg->params,
                            link->hosts->ops.aux);
}

static void
link_receive(struct link *link, const struct jsonrpc_msg *msg)
{
    switch (msg->type) {
    case JSONRPC_REQUEST:
        if (!strcmp(msg->method, "echo")) {
            jsonrpc_send(link->rpc,
                         jsonrpc_create_reply(json_clone(msg->params),
                                              msg->id));
        } else if (!strcmp(msg->method, "register")) {
            link_register(link, msg);
        } else {
            jsonrpc_send(link->rpc, jsonrpc_create_error(
                json_string_create("unknown method"), msg->id));
        }
        break;
    case JSONRPC_NOTIFY:
        link_receive_notification(link, msg);
        break;
    case JSONRPC_REPLY:
    case JSONRPC_ERROR:
        link_receive_answer(link, msg);
        break;
    }
}

static void
link_probe(struct link *link)
{
    struct jsonrpc_msg *msg;

    msg = jsonrpc_create_request("echo", json_array_create_empty(), NULL);
    json_destroy(msg->id);
    msg->id = json_string_create("echo");
    jsonrpc_send(link->rpc, msg);
    link->probed = true;
}

/* Returns why the connection must be closed, or NULL. */
static const char *
link_check(struct link *link)
{
    long long int now = time_msec();
    int error = jsonrpc_get_status(link->rpc);

    if (link->failure) {
        return link->failure;
    } else if (error) {
        return ovs_retval_to_string(error);
    } else if (!link->registered && now >= link->opened + REGISTER_MS) {
        return "it did not register";
    } else if (now >= link->heard + DEAD_MS) {
        return "it does not answer";
    } else if (jsonrpc_get_received_bytes(link->rpc) - link->received
               > MAX_MESSAGE) {
        return "it sent too long a message";
    }
    return NULL;
}

static void
link_run(struct link *link)
{
    unsigned int received = jsonrpc_get_received_bytes(link->rpc);
    const char *why;

    jsonrpc_run(link->rpc);
    for (int i = 0; i < MESSAGES_PER_RUN && !link->failure; i++) {
        struct jsonrpc_msg *msg;

        if (jsonrpc_recv(link->rpc, &msg)) {
            break;
        }
        link->received = jsonrpc_get_received_bytes(link->rpc);
        link_receive(link, msg);
        jsonrpc_msg_destroy(msg);
    }
    if (jsonrpc_get_received_bytes(link->rpc) != received) {
        link->heard = time_msec();
        link->probed = false;
    } else if (!link->probed && time_msec() >= link->heard + PROBE_MS) {
        link_probe(link);
    }
    link_finish_requests(link, time_msec(), MLOGD_TIMEOUT);
    why = link_check(link);
    if (why) {
        link_destroy(link, why);
    }
}

static void
link_wait(struct link *link)
{
    const struct request *request;

    if (link->failure) {
        poll_immediate_wake();
    }
    jsonrpc_wait(link->rpc);
    jsonrpc_recv_wait(link->rpc);
    poll_timer_wait_until(link->heard + (link->probed ? DEAD_MS : PROBE_MS));
    if (!link->registered) {
        poll_timer_wait_until(link->opened + REGISTER_MS);
    }
    HMAP_FOR_EACH (request, node, &link->requests) {
        poll_timer_wait_until(request->deadline);
    }
}

/* All of them. */

struct mlogd_hosts *
mlogd_hosts_create(const char *name, const struct mlogd_hosts_ops *ops)
{
    struct mlogd_hosts *hosts = xzalloc(sizeof *hosts);

    hosts->name = xstrdup(name);
    hosts->ops = *ops;
    ovs_list_init(&hosts->links);
    hmap_init(&hosts->hosts);
    return hosts;
}

void
mlogd_hosts_destroy(struct mlogd_hosts *hosts)
{
    struct link *link;

    if (!hosts) {
        return;
    }
    LIST_FOR_EACH_SAFE (link, node, &hosts->links) {
        link_destroy(link, "the aggregator ends");
    }
    for (size_t i = 0; i < hosts->n_listeners; i++) {
        pstream_close(hosts->listeners[i].pstream);
        free(hosts->listeners[i].name);
    }
    hmap_destroy(&hosts->hosts);
    free(hosts->name);
    free(hosts);
}

int
mlogd_hosts_listen(struct mlogd_hosts *hosts, const char *target)
{
    struct listener *listener = &hosts->listeners[hosts->n_listeners];
    int error;

    if (hosts->n_listeners >= MAX_LISTENERS) {
        return ENOSPC;
    }
    error = pstream_open_with_default_port(target, MLOG_WIRE_PORT,
                                           &listener->pstream,
                                           DSCP_DEFAULT);
    if (!error) {
        listener->name = xstrdup(target);
        hosts->n_listeners++;
    }
    return error;
}

static void
accept_hosts(struct mlogd_hosts *hosts)
{
    for (size_t i = 0; i < hosts->n_listeners; i++) {
        struct stream *stream;
        int error;

        if (hosts->n_strangers >= MAX_STRANGERS) {
            return;
        }
        error = pstream_accept(hosts->listeners[i].pstream, &stream);
        if (!error) {
            link_create(hosts, stream);
        } else if (error != EAGAIN) {
            VLOG_WARN_RL(&rl, "%s: accept failed: %s",
                         hosts->listeners[i].name, ovs_strerror(error));
        }
    }
}

void
mlogd_hosts_run(struct mlogd_hosts *hosts)
{
    struct link *link;

    accept_hosts(hosts);
    LIST_FOR_EACH_SAFE (link, node, &hosts->links) {
        link_run(link);
    }
}

void
mlogd_hosts_wait(struct mlogd_hosts *hosts)
{
    struct link *link;

    if (hosts->n_strangers < MAX_STRANGERS) {
        for (size_t i = 0; i < hosts->n_listeners; i++) {
            pstream_wait(hosts->listeners[i].pstream);
        }
    }
    LIST_FOR_EACH (link, node, &hosts->links) {
        link_wait(link);
    }
}

size_t
mlogd_hosts_count(const struct mlogd_hosts *hosts)
{
    return hmap_count(&hosts->hosts);
}

struct mlogd_host *
mlogd_hosts_find(const struct mlogd_hosts *hosts, const char *name)
{
    struct mlogd_host *host;

    HMAP_FOR_EACH_WITH_HASH (host, node, hash_string(name, 0),
                             &hosts->hosts) {
        if (!strcmp(host->name, name)) {
            return host;
        }
    }
    return NULL;
}

static int
compare_hosts(const void *a_, const void *b_)
{
    const struct mlogd_host *const *a = a_, *const *b = b_;

    return strcmp((*a)->name, (*b)->name);
}

struct mlogd_host **
mlogd_hosts_sorted(const struct mlogd_hosts *hosts)
{
    size_t n = mlogd_hosts_count(hosts), i = 0;
    struct mlogd_host **array = xmalloc((n + 1) * sizeof *array);
    struct mlogd_host *host;

    HMAP_FOR_EACH (host, node, &hosts->hosts) {
        array[i++] = host;
    }
    qsort(array, n, sizeof *array, compare_hosts);
    return array;
}
