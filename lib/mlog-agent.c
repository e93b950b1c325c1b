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

#include "mlog-agent.h"

#include "guarded-list.h"
#include "hash.h"
#include "jsonrpc.h"
#include "latch.h"
#include "mlog-wire.h"
#include "openvswitch/hmap.h"
#include "openvswitch/json.h"
#include "openvswitch/list.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/shash.h"
#include "openvswitch/vlog.h"
#include "ovs-thread.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(mlog_agent);

/* The agent's thread owns the sessions and runs them with 'mutex' held, so
 * that their status can be read; it never blocks meanwhile.
 *
 * A call outlives its session if that ends first: it is then cancelled, and
 * its reply thrown away. */

#define MAX_BACKOFF_MS 8000
#define PROBE_MS 5000
#define RETRY_MS 8000           /* Until one that was refused tries again. */

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(5, 20);

/* What an aggregator may ask for.  It changes nothing. */
static const char *const allowed[] = {
    "multilog/show", "multilog/fields", "multilog/query", "multilog/flows",
    "multilog/conversations", "multilog/join", "multilog/alerts",
    "multilog/filter-list", "multilog/aggregate-list",
    "multilog/aggregate-show", "multilog/trigger-list", "multilog/index-list",
};

struct mlog_agent {
    struct mlog_agent_options options;
    char *life;

    pthread_t thread;
    struct latch wake;
    struct guarded_list done;   /* Of struct call. */

    struct ovs_mutex mutex;
    bool exiting OVS_GUARDED;
    bool changed OVS_GUARDED;   /* 'host' or 'targets'. */
    char *host OVS_GUARDED;
    struct svec targets OVS_GUARDED;
    struct ovs_list sessions OVS_GUARDED;
    size_t n_orphans OVS_GUARDED;       /* Calls without a session. */
};

struct session {
    struct ovs_list node;
    struct mlog_agent *agent;
    char *target;
    struct jsonrpc_session *js;
    unsigned int seqno;

    enum mlog_agent_state state;
    long long int since;
    struct json *register_id;   /* While MLOG_AGENT_REGISTERING. */
    long long int retry_at;     /* While MLOG_AGENT_REFUSED. */
    char *aggregator;
    char *error;

    struct hmap calls;
    unsigned long long int n_calls;
};

struct call {
    struct mlog_agent_call base;
    struct hmap_node node;      /* In 'session'. */
    struct ovs_list done_node;  /* In the agent. */
    struct mlog_agent *agent;
    struct session *session;    /* NULL if it has ended. */
    long long int number;
    struct json *id;
    char *client;
};

static void *agent_main(void *);

const char *
mlog_agent_state_to_string(enum mlog_agent_state state)
{
    switch (state) {
    case MLOG_AGENT_CONNECTING: return "connecting";
    case MLOG_AGENT_REGISTERING: return "registering";
    case MLOG_AGENT_REGISTERED: return "registered";
    case MLOG_AGENT_REFUSED: return "refused";
    default: OVS_NOT_REACHED();
    }
}

/* Calls. */

static void
call_destroy(struct call *call)
{
    svec_destroy(&call->base.argv);
    ds_destroy(&call->base.body);
    json_destroy(call->id);
    free(call->client);
    free(call);
}

void
mlog_agent_call_done(struct mlog_agent_call *base)
{
    struct call *call = CONTAINER_OF(base, struct call, base);
    struct mlog_agent *agent = call->agent;

    guarded_list_push_back(&agent->done, &call->done_node, SIZE_MAX);
    latch_set(&agent->wake);
}

static void
call_cancel(struct call *call)
{
    struct mlog_agent *agent = call->agent;

    agent->options.cancel(&call->base, agent->options.aux);
}

static struct call *
call_find(const struct session *session, long long int number)
{
    struct call *call;

    HMAP_FOR_EACH_WITH_HASH (call, node, hash_uint64(number),
                             &session->calls) {
        if (call->number == number) {
            return call;
        }
    }
    return NULL;
}

/* Sessions. */

static void
session_set_state(struct session *session, enum mlog_agent_state state)
{
    session->state = state;
    session->since = time_wall_msec();
}

/* Forgets what the connection that has ended was about. */
static void
session_reset(struct session *session)
{
    struct call *call;

    HMAP_FOR_EACH_POP (call, node, &session->calls) {
        call->session = NULL;
        session->agent->n_orphans++;
        call_cancel(call);
    }
    json_destroy(session->register_id);
    session->register_id = NULL;
    free(session->aggregator);
    session->aggregator = NULL;
    if (session->state != MLOG_AGENT_CONNECTING) {
        session_set_state(session, MLOG_AGENT_CONNECTING);
    }
}

static void
session_create(struct mlog_agent *agent, const char *target)
    OVS_REQUIRES(agent->mutex)
{
    struct session *session = xzalloc(sizeof *session);

    session->agent = agent;
    session->target = xstrdup(target);
    session->js = jsonrpc_session_open(target, true);
    jsonrpc_session_set_max_backoff(session->js, MAX_BACKOFF_MS);
    jsonrpc_session_set_probe_interval(session->js, PROBE_MS);
    jsonrpc_session_set_backlog_threshold(session->js, SIZE_MAX,
                                          MLOG_WIRE_MAX_BACKLOG);
    hmap_init(&session->calls);
    session_set_state(session, MLOG_AGENT_CONNECTING);
    ovs_list_push_back(&agent->sessions, &session->node);
}

static void
session_destroy(struct session *session)
{
    session_reset(session);
    ovs_list_remove(&session->node);
    jsonrpc_session_close(session->js);
    hmap_destroy(&session->calls);
    free(session->target);
    free(session->error);
    free(session);
}

static void
session_register(struct session *session)
    OVS_REQUIRES(session->agent->mutex)
{
    struct json *params = json_object_create();
    struct jsonrpc_msg *request;

    json_object_put(params, "protocol",
                    json_integer_create(MLOG_WIRE_PROTOCOL));
    json_object_put_string(params, "host", session->agent->host);
    json_object_put_string(params, "life", session->agent->life);
    json_object_put_string(params, "version", MLOG_VERSION);
    json_destroy(session->register_id);
    request = jsonrpc_create_request("register", json_array_create_1(params),
                                     NULL);
    session->register_id = json_clone(request->id);
    session_set_state(session, MLOG_AGENT_REGISTERING);
    jsonrpc_session_send(session->js, request);
}

static void
session_refused(struct session *session, const char *why)
{
    free(session->error);
    session->error = xstrdup(why);
    session->retry_at = time_msec() + RETRY_MS;
    session_set_state(session, MLOG_AGENT_REFUSED);
    VLOG_WARN_RL(&rl, "%s: refused this host: %s", session->target, why);
}

static void
session_receive_reply(struct session *session, const struct jsonrpc_msg *msg)
{
    if (!session->register_id || !json_equal(msg->id, session->register_id)) {
        return;
    }
    json_destroy(session->register_id);
    session->register_id = NULL;

    if (msg->type == JSONRPC_ERROR) {
        session_refused(session, (msg->error->type == JSON_STRING
                                  ? json_string(msg->error)
                                  : "no reason given"));
        return;
    }

    const struct json *name = NULL;
    if (msg->result->type == JSON_OBJECT) {
        name = shash_find_data(json_object(msg->result), "aggregator");
    }
    free(session->aggregator);
    session->aggregator = xstrdup(name && name->type == JSON_STRING
                                  ? json_string(name) : session->target);
    free(session->error);
    session->error = NULL;
    session_set_state(session, MLOG_AGENT_REGISTERED);
    VLOG_INFO("%s: registered with aggregator %s", session->target,
              session->aggregator);
}

static void
session_send_error(struct session *session, const struct json *id,
                   struct json *error)
{
    jsonrpc_session_send(session->js, jsonrpc_create_error(error, id));
}

/* Returns NULL, or what is wrong with the parameters of "execute". */
static const char *
check_execute(const struct session *session, const struct json *params)
{
    const struct json *words;
    size_t length = 0;

    if (params->type != JSON_ARRAY || params->array.n != 2
        || params->array.elems[0]->type != JSON_INTEGER
        || params->array.elems[1]->type != JSON_ARRAY) {
        return "execute needs a number and an array of words";
    }
    words = params->array.elems[1];
    if (!words->array.n || words->array.n > MLOG_WIRE_MAX_WORDS) {
        return "too few or too many words";
    }
    for (size_t i = 0; i < words->array.n; i++) {
        if (words->array.elems[i]->type != JSON_STRING) {
            return "each word must be a string";
        }
        length += strlen(json_string(words->array.elems[i])) + 1;
    }
    if (length > MLOG_WIRE_MAX_COMMAND) {
        return "the command is too long";
    }
    for (size_t i = 0; i < ARRAY_SIZE(allowed); i++) {
        if (!strcmp(json_string(words->array.elems[0]), allowed[i])) {
            break;
        } else if (i == ARRAY_SIZE(allowed) - 1) {
            return "not a command that an aggregator may use";
        }
    }
    if (hmap_count(&session->calls) >= MLOG_WIRE_MAX_CALLS) {
        return "too many calls are under way";
    }
    if (call_find(session, json_integer(params->array.elems[0]))) {
        return "a call with this number is under way";
    }
    return NULL;
}

static void
session_execute(struct session *session, const struct jsonrpc_msg *msg)
{
    struct mlog_agent *agent = session->agent;
    const char *error = check_execute(session, msg->params);

    if (error) {
        session_send_error(session, msg->id, json_string_create(error));
        return;
    }

    const struct json_array *words = &msg->params->array.elems[1]->array;
    struct call *call = xzalloc(sizeof *call);

    call->agent = agent;
    call->session = session;
    call->number = json_integer(msg->params->array.elems[0]);
    call->id = json_clone(msg->id);
    call->client = xstrdup(session->aggregator);
    call->base.client = call->client;
    for (size_t i = 0; i < words->n; i++) {
        svec_add(&call->base.argv, json_string(words->elems[i]));
    }
    svec_terminate(&call->base.argv);
    ds_init(&call->base.body);
    hmap_insert(&session->calls, &call->node, hash_uint64(call->number));
    session->n_calls++;
    agent->options.execute(&call->base, agent->options.aux);
}

static void
session_cancel(struct session *session, const struct json *params)
{
    if (params->type == JSON_ARRAY && params->array.n == 1
        && params->array.elems[0]->type == JSON_INTEGER) {
        struct call *call = call_find(session,
                                      json_integer(params->array.elems[0]));

        if (call) {
            call_cancel(call);
        }
    }
}

static void
session_receive_request(struct session *session,
                        const struct jsonrpc_msg *msg)
{
    if (!strcmp(msg->method, "echo")) {
        jsonrpc_session_send(session->js,
                             jsonrpc_create_reply(json_clone(msg->params),
                                                  msg->id));
    } else if (session->state != MLOG_AGENT_REGISTERED) {
        session_send_error(session, msg->id,
                           json_string_create("not registered"));
    } else if (!strcmp(msg->method, "execute")) {
        session_execute(session, msg);
    } else {
        session_send_error(session, msg->id,
                           json_string_create("unknown method"));
    }
}

static void
session_receive(struct session *session, const struct jsonrpc_msg *msg)
{
    switch (msg->type) {
    case JSONRPC_REQUEST:
        session_receive_request(session, msg);
        break;
    case JSONRPC_NOTIFY:
        if (!strcmp(msg->method, "cancel")) {
            session_cancel(session, msg->params);
        }
        break;
    case JSONRPC_REPLY:
    case JSONRPC_ERROR:
        session_receive_reply(session, msg);
        break;
    }
}

static void
session_run(struct session *session)
    OVS_REQUIRES(session->agent->mutex)
{
    jsonrpc_session_run(session->js);
    if (jsonrpc_session_get_seqno(session->js) != session->seqno
        || !jsonrpc_session_is_connected(session->js)) {
        session->seqno = jsonrpc_session_get_seqno(session->js);
        session_reset(session);
        if (!jsonrpc_session_is_connected(session->js)) {
            int error = jsonrpc_session_get_last_error(session->js);

            if (error && !session->error) {
                session->error = xstrdup(ovs_retval_to_string(error));
            }
            return;
        }
        session_register(session);
    }
    if (session->state == MLOG_AGENT_REFUSED
        && time_msec() >= session->retry_at) {
        session_register(session);
    }

    for (int i = 0; i < 50; i++) {
        struct jsonrpc_msg *msg = jsonrpc_session_recv(session->js);

        if (!msg) {
            break;
        }
        session_receive(session, msg);
        jsonrpc_msg_destroy(msg);
    }
}

static void
session_wait(struct session *session)
{
    jsonrpc_session_wait(session->js);
    jsonrpc_session_recv_wait(session->js);
    if (session->state == MLOG_AGENT_REFUSED) {
        poll_timer_wait_until(session->retry_at);
    }
}

/* Answers a call whose command has been executed. */
static void
session_answer(struct session *session, struct call *call)
{
    const struct ds *body = &call->base.body;
    struct json *answer;

    if (body->length > MLOG_WIRE_MAX_ANSWER) {
        session_send_error(session, call->id, json_string_create_nocopy(
            xasprintf("an answer of %"PRIuSIZE" bytes is too long; ask for "
                      "less at a time", body->length)));
        return;
    }
    answer = json_from_string(ds_cstr_ro(body));
    if (call->base.error) {
        session_send_error(session, call->id, answer);
    } else {
        jsonrpc_session_send(session->js,
                             jsonrpc_create_reply(answer, call->id));
    }
}

/* The agent. */

static struct session *
find_session(struct mlog_agent *agent, const char *target)
    OVS_REQUIRES(agent->mutex)
{
    struct session *session;

    LIST_FOR_EACH (session, node, &agent->sessions) {
        if (!strcmp(session->target, target)) {
            return session;
        }
    }
    return NULL;
}

static void
apply_targets(struct mlog_agent *agent)
    OVS_REQUIRES(agent->mutex)
{
    struct session *session;
    const char *target;
    size_t i;

    LIST_FOR_EACH_SAFE (session, node, &agent->sessions) {
        if (!svec_contains(&agent->targets, session->target)) {
            session_destroy(session);
        }
    }
    SVEC_FOR_EACH (i, target, &agent->targets) {
        if (!find_session(agent, target)) {
            session_create(agent, target);
        }
    }
    agent->changed = false;
}

static void
finish_calls(struct mlog_agent *agent)
    OVS_REQUIRES(agent->mutex)
{
    struct ovs_list list;
    struct call *call;

    guarded_list_pop_all(&agent->done, &list);
    LIST_FOR_EACH_POP (call, done_node, &list) {
        if (call->session) {
            hmap_remove(&call->session->calls, &call->node);
            session_answer(call->session, call);
        } else {
            agent->n_orphans--;
        }
        call_destroy(call);
    }
}

/* Does what there is to do, and arranges to be woken.  Returns false when it
 * is time to end and no call is under way any more. */
static bool
agent_run(struct mlog_agent *agent)
    OVS_EXCLUDED(agent->mutex)
{
    struct session *session;
    bool going;

    latch_poll(&agent->wake);
    ovs_mutex_lock(&agent->mutex);
    if (agent->changed) {
        apply_targets(agent);
    }
    LIST_FOR_EACH (session, node, &agent->sessions) {
        session_run(session);
    }
    if (agent->options.run) {
        agent->options.run(agent->options.aux);
    }
    finish_calls(agent);
    if (agent->exiting) {
        LIST_FOR_EACH_SAFE (session, node, &agent->sessions) {
            session_destroy(session);
        }
    }
    LIST_FOR_EACH (session, node, &agent->sessions) {
        session_wait(session);
    }
    going = !agent->exiting || agent->n_orphans;
    ovs_mutex_unlock(&agent->mutex);
    return going;
}

static void *
agent_main(void *agent_)
{
    struct mlog_agent *agent = agent_;

    while (agent_run(agent)) {
        latch_wait(&agent->wake);
        poll_block();
    }
    if (agent->options.exit) {
        agent->options.exit(agent->options.aux);
    }
    return NULL;
}

struct mlog_agent *
mlog_agent_create(const struct mlog_agent_options *options)
{
    struct mlog_agent *agent = xzalloc(sizeof *agent);

    agent->options = *options;
    agent->life = xstrdup(options->life);
    latch_init(&agent->wake);
    guarded_list_init(&agent->done);
    ovs_mutex_init(&agent->mutex);
    ovs_mutex_lock(&agent->mutex);
    agent->host = xstrdup("");
    svec_init(&agent->targets);
    ovs_list_init(&agent->sessions);
    ovs_mutex_unlock(&agent->mutex);
    agent->thread = ovs_thread_create("mlog_agent", agent_main, agent);
    return agent;
}

void
mlog_agent_destroy(struct mlog_agent *agent)
{
    if (!agent) {
        return;
    }
    ovs_mutex_lock(&agent->mutex);
    agent->exiting = true;
    ovs_mutex_unlock(&agent->mutex);
    latch_set(&agent->wake);
    xpthread_join(agent->thread, NULL);

    guarded_list_destroy(&agent->done);
    latch_destroy(&agent->wake);
    ovs_mutex_lock(&agent->mutex);
    svec_destroy(&agent->targets);
    free(agent->host);
    ovs_mutex_unlock(&agent->mutex);
    ovs_mutex_destroy(&agent->mutex);
    free(agent->life);
    free(agent);
}

void
mlog_agent_set(struct mlog_agent *agent, const char *host,
               const char *targets)
{
    struct session *session;

    ovs_mutex_lock(&agent->mutex);
    svec_clear(&agent->targets);
    while (*targets) {
        size_t n = strcspn(targets, ", ");

        if (n) {
            svec_add_nocopy(&agent->targets, xmemdup0(targets, n));
        }
        targets += n + strspn(targets + n, ", ");
    }
    svec_sort_unique(&agent->targets);
    if (strcmp(agent->host, host)) {
        free(agent->host);
        agent->host = xstrdup(host);
        LIST_FOR_EACH (session, node, &agent->sessions) {
            jsonrpc_session_force_reconnect(session->js);
        }
    }
    agent->changed = true;
    ovs_mutex_unlock(&agent->mutex);
    latch_set(&agent->wake);
}

void
mlog_agent_wake(struct mlog_agent *agent)
{
    latch_set(&agent->wake);
}

size_t
mlog_agent_get_status(struct mlog_agent *agent,
                      struct mlog_agent_status **statusp)
{
    struct mlog_agent_status *status;
    const struct session *session;
    size_t n = 0;

    ovs_mutex_lock(&agent->mutex);
    status = xcalloc(ovs_list_size(&agent->sessions) + 1, sizeof *status);
    LIST_FOR_EACH (session, node, &agent->sessions) {
        status[n++] = (struct mlog_agent_status) {
            .target = xstrdup(session->target),
            .state = session->state,
            .aggregator = nullable_xstrdup(session->aggregator),
            .error = nullable_xstrdup(session->error),
            .since = session->since,
            .n_calls = session->n_calls,
        };
    }
    ovs_mutex_unlock(&agent->mutex);
    *statusp = status;
    return n;
}

void
mlog_agent_status_free(struct mlog_agent_status *status, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(status[i].target);
        free(status[i].aggregator);
        free(status[i].error);
    }
    free(status);
}
