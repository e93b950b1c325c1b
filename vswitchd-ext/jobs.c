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

#include "jobs.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "latch.h"
#include "mlog-jobs.h"
#include "multilog.h"
#include "observer.h"
#include "openvswitch/json.h"
#include "openvswitch/list.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "unixctl-conn.h"
#include "unixctl.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(multilog_jobs);

/* Clients that don't read their replies cost memory.  When that much waits for
 * them, a long reply becomes an error. */
#define MAX_BACKLOG (UINT64_C(256) << 20)
#define LONG_REPLY 65536

/* So many bytes are copied in one turn of the main loop, and a reply more. */
#define MAX_PER_TURN (UINT64_C(1) << 20)

/* A connection that waits for a reply. */
struct request {
    struct ovs_list node;       /* In 'requests'. */
    struct unixctl_conn *conn;
    int fd;
};

static struct mlog_jobs *jobs;
static struct latch latch;      /* Set when there may be a reply. */
static struct ovs_list requests = OVS_LIST_INITIALIZER(&requests);
static cpu_set_t cpus;          /* That the process started with. */
static unsigned int cores_seq;

/* Replies.
 *
 * A worker renders a reply to what goes over the connection, for to quote a
 * text of megabytes takes longer than the main loop should.  What it becomes
 * is JSON, ready to be sent. */

static void
put_reply_text(struct ds *json, const struct ds *body)
{
    bool newline = body->length && body->string[body->length - 1] != '\n';
    struct json *text = (newline
                         ? json_string_create_nocopy(
                             xasprintf("%s\n", body->string))
                         : json_string_create(body->length
                                              ? body->string : ""));

    json_to_ds(text, 0, json);
    json_destroy(text);
}

static void
render(enum mlog_format format, struct mlog_reply *reply)
{
    struct ds json = DS_EMPTY_INITIALIZER;

    if (format != MLOG_FORMAT_JSON) {
        put_reply_text(&json, &reply->body);
    } else if (reply->format == MLOG_FORMAT_JSON) {
        return;
    } else {
        ds_put_cstr(&json, "{\"reply\":");
        put_reply_text(&json, &reply->body);
        ds_put_cstr(&json, ",\"reply-format\":\"plain\"}");
    }
    ds_destroy(&reply->body);
    reply->body = json;
}

/* Sends 'reply', taking over its body, and forgets 'request'. */
static void
send_reply(struct request *request, struct mlog_reply *reply,
           uint64_t *backlog)
{
    if (reply->error) {
        unixctl_command_reply_error(request->conn, ds_cstr(&reply->body));
    } else if (reply->body.length > LONG_REPLY
               && *backlog + reply->body.length > MAX_BACKLOG) {
        unixctl_command_reply_error(
            request->conn, "too many replies have not been read by those who "
            "asked for them; try again later, or ask for less");
    } else {
        struct json *json = json_null_create();

        *backlog += reply->body.length;
        json->type = JSON_SERIALIZED_OBJECT;
        json->string = ds_steal_cstr(&reply->body);
        unixctl_command_reply_json(request->conn, json);
    }
    ovs_list_remove(&request->node);
    free(request);
}

/* Sends the replies that are there: 'all', or enough for now. */
static void
send_replies(bool all)
{
    const uint64_t before = unixctl_get_backlog();
    uint64_t backlog = before;
    struct mlog_reply reply;
    void *request;

    while (mlog_jobs_get_reply(jobs, &request, &reply)) {
        send_reply(request, &reply, &backlog);
        mlog_reply_destroy(&reply);
        if (backlog - before > MAX_PER_TURN && !all) {
            latch_set(&latch);
            break;
        }
    }
}

/* Clients. */

/* Finds out who is at the other end of 'fd'.  What one has started from one
 * terminal, or as one service, is one client: one session of processes. */
static uint64_t
identify(int fd, struct ds *name)
{
    struct ucred cred = { .pid = 0, .uid = -1 };
    socklen_t length = sizeof cred;
    char comm[64] = "";
    pid_t session;

    if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &length)
        || cred.pid <= 0) {
        ds_put_cstr(name, "unknown");
        return (uint64_t) cred.uid << 32;
    }

    char *path = xasprintf("/proc/%ld/comm", (long int) cred.pid);
    FILE *stream = fopen(path, "re");
    if (stream) {
        if (fgets(comm, sizeof comm, stream)) {
            comm[strcspn(comm, "\n")] = '\0';
        }
        fclose(stream);
    }
    free(path);
    session = getsid(cred.pid);
    ds_put_format(name, "%s[%ld] of user %lu, session %ld",
                  *comm ? comm : "?", (long int) cred.pid,
                  (unsigned long int) cred.uid, (long int) session);
    return (uint64_t) cred.uid << 32 | (session > 0 ? (uint32_t) session : 0);
}

void
jobs_submit(struct unixctl_conn *conn, int argc, const char *argv[])
{
    struct ds name = DS_EMPTY_INITIALIZER;
    struct request *request = xmalloc(sizeof *request);
    struct mlog_job_request job = {
        .format = (unixctl_command_get_output_format(conn)
                   == UNIXCTL_OUTPUT_FMT_JSON
                   ? MLOG_FORMAT_JSON : MLOG_FORMAT_TABLE),
        .argc = argc,
        .argv = argv,
        .aux = request,
    };

    request->conn = conn;
    request->fd = unixctl_conn_get_fd(conn);
    ovs_list_push_back(&requests, &request->node);
    job.client = identify(request->fd, &name);
    job.client_name = ds_cstr(&name);
    mlog_jobs_submit(jobs, &job);
    ds_destroy(&name);
}

/* Abandons what nobody waits for any more.  A client that has only closed its
 * sending side doesn't count as gone. */
static void
abandon_requests(void)
{
    struct request *request;

    LIST_FOR_EACH_SAFE (request, node, &requests) {
        struct pollfd pollfd = { .fd = request->fd };

        if (request->fd >= 0 && poll(&pollfd, 1, 0) == 1
            && pollfd.revents & (POLLHUP | POLLERR | POLLNVAL)) {
            VLOG_DBG("a client has gone before its reply was there");
            mlog_jobs_abandon(jobs, request);
            unixctl_command_reply_error(request->conn, "abandoned");
            ovs_list_remove(&request->node);
            free(request);
        }
    }
}

/* Lets workers keep off the cores that poll. */
static void
refresh_cpus(void)
{
    unsigned int seq = observer_cores_seq();

    if (seq != cores_seq) {
        cpu_set_t allowed = cpus;

        cores_seq = seq;
        for (unsigned int i = 0; i < CPU_SETSIZE; i++) {
            if (observer_is_pmd_core(i)) {
                CPU_CLR(i, &allowed);
            }
        }
        mlog_jobs_set_cpus(jobs, CPU_COUNT(&allowed) ? &allowed : &cpus);
    }
}

/* The whole. */

static void
wake(void *aux OVS_UNUSED)
{
    latch_set(&latch);
}

void
jobs_init(struct multilog *ml)
{
    static const struct mlog_jobs_callbacks callbacks = {
        .wake = wake,
        .render = render,
    };

    if (sched_getaffinity(0, sizeof cpus, &cpus)) {
        VLOG_WARN("sched_getaffinity: %s", ovs_strerror(errno));
        memset(&cpus, 0xff, sizeof cpus);
    }
    latch_init(&latch);
    jobs = mlog_jobs_create(ml, &callbacks);
}

void
jobs_run(void)
{
    refresh_cpus();
    abandon_requests();
    if (latch_poll(&latch)) {
        send_replies(false);
    }
}

void
jobs_wait(void)
{
    struct request *request;

    latch_wait(&latch);
    LIST_FOR_EACH (request, node, &requests) {
        if (request->fd >= 0) {
            poll_fd_wait(request->fd, POLLHUP);
        }
    }
}

void
jobs_exit(void)
{
    mlog_jobs_stop(jobs);
    send_replies(true);
    mlog_jobs_destroy(jobs);
    jobs = NULL;
    latch_destroy(&latch);
}
