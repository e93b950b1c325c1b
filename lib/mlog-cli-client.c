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
#include "mlog-cli-client.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon.h"
#include "dirs.h"
#include "jsonrpc.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "openvswitch/poll-loop.h"
#include "socket-util.h"
#include "svec.h"
#include "unixctl.h"
#include "util.h"

#define PREFIX "ovs-vswitchd."
#define SUFFIX ".ctl"

struct mlog_cli_client {
    char *socket;
    pid_t pid;
    struct jsonrpc *rpc;        /* NULL if there is no connection. */
};

/* Signals.
 *
 * The handler writes to a pipe, so that poll(2) ends in any case. */

static volatile sig_atomic_t interrupted;
static int signal_fds[2] = { -1, -1 };

static void
handle_signal(int signal OVS_UNUSED)
{
    int save_errno = errno;

    interrupted = true;
    ignore(write(signal_fds[1], "", 1));
    errno = save_errno;
}

void
mlog_cli_catch_signals(void)
{
    struct sigaction action = { .sa_handler = handle_signal };
    struct sigaction old;

    if (signal_fds[0] < 0) {
        xpipe_nonblocking(signal_fds);
        fcntl(signal_fds[0], F_SETFD, FD_CLOEXEC);
        fcntl(signal_fds[1], F_SETFD, FD_CLOEXEC);
        sigaction(SIGINT, &action, NULL);
        sigaction(SIGTERM, &action, NULL);

        /* nohup(1) wants it to be ignored. */
        if (!sigaction(SIGHUP, NULL, &old) && old.sa_handler != SIG_IGN) {
            sigaction(SIGHUP, &action, NULL);
        }
    }
}

bool
mlog_cli_interrupted(void)
{
    return interrupted;
}

void
mlog_cli_forget_interrupt(void)
{
    char buf[64];

    interrupted = false;
    while (signal_fds[0] >= 0
           && read(signal_fds[0], buf, sizeof buf) > 0) {
        continue;
    }
}

void
mlog_cli_sleep(long long int ms, int fd, bool *gone)
{
    /* A pipe or socket that nobody reads any more says POLLERR. */
    struct pollfd fds[] = {
        { .fd = STDOUT_FILENO, .events = 0 },
        { .fd = signal_fds[0], .events = POLLIN },
        { .fd = fd, .events = POLLIN },
    };

    poll(fds, ARRAY_SIZE(fds), ms);
    *gone = fds[0].revents & (POLLERR | POLLNVAL);
}

/* Finding the switch. */

/* If 'name' is that of a switch's socket, returns its process, else 0. */
static pid_t
socket_pid(const char *name)
{
    size_t prefix = strlen(PREFIX);
    size_t digits;

    if (strncmp(name, PREFIX, prefix)) {
        return 0;
    }
    digits = strspn(name + prefix, "0123456789");
    return (digits && digits < 10 && !strcmp(name + prefix + digits, SUFFIX)
            ? atol(name + prefix) : 0);
}

struct found {
    struct svec live;           /* Paths of sockets that answer. */
    struct svec denied;         /* Those that may not be asked. */
};

static void
look_at(const char *path, struct found *found)
{
    struct jsonrpc *rpc;
    int error = unixctl_client_create(path, &rpc);

    if (!error) {
        jsonrpc_close(rpc);
        svec_add(&found->live, path);
    } else if (error == EACCES || error == EPERM) {
        svec_add(&found->denied, path);
    }
}

/* Looks at the sockets of the run directory; those of processes that are gone
 * refuse.  Returns an errno. */
static int
look_around(const char *dir, struct found *found)
{
    DIR *stream = opendir(dir);
    struct dirent *entry;

    if (!stream) {
        return errno;
    }
    while ((entry = readdir(stream))) {
        if (socket_pid(entry->d_name)) {
            char *path = xasprintf("%s/%s", dir, entry->d_name);

            look_at(path, found);
            free(path);
        }
    }
    closedir(stream);
    svec_sort(&found->live);
    return 0;
}

static char *
several_error(const struct svec *sockets)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    ds_put_format(&s, "%"PRIuSIZE" switches run in %s; say which one:",
                  sockets->n, ovs_rundir());
    for (size_t i = 0; i < sockets->n; i++) {
        const char *name = strrchr(sockets->names[i], '/') + 1;

        ds_put_format(&s, "\n  --target=%ld", (long int) socket_pid(name));
    }
    return ds_steal_cstr(&s);
}

static char *
none_error(int error)
{
    const char *dir = ovs_rundir();

    if (error == EACCES || error == EPERM) {
        return xasprintf("%s: %s; run this as root, or as a user who may read "
                         "that directory", dir, ovs_strerror(error));
    }
    return xasprintf("no ovs-vswitchd runs here: there is no socket "
                     "%s/"PREFIX"PID"SUFFIX" that answers%s%s%s; is the "
                     "switch started?  If it has another run directory, set "
                     "OVS_RUNDIR, or give its socket with --target=/PATH",
                     dir, error ? " (" : "",
                     error ? ovs_strerror(error) : "", error ? ")" : "");
}

static char *
find_only(char **socket)
{
    struct found found = { SVEC_EMPTY_INITIALIZER, SVEC_EMPTY_INITIALIZER };
    int error = look_around(ovs_rundir(), &found);
    char *message = NULL;

    if (found.live.n == 1) {
        *socket = xstrdup(found.live.names[0]);
    } else if (found.live.n) {
        message = several_error(&found.live);
    } else if (found.denied.n) {
        message = xasprintf("%s: permission denied; run this as root, or as "
                            "a user who may write to that socket",
                            found.denied.names[0]);
    } else {
        message = none_error(error);
    }
    svec_destroy(&found.live);
    svec_destroy(&found.denied);
    return message;
}

static char *
find_by_pidfile(const char *name, char **socket)
{
    char *pidfile = xasprintf("%s/%s.pid", ovs_rundir(), name);
    pid_t pid = read_pidfile(pidfile);
    char *message = NULL;

    if (pid < 0) {
        message = xasprintf("%s: %s; a target is a process ID, the name of a "
                            "pidfile of that directory, or the path of a "
                            "control socket", pidfile, ovs_strerror(-pid));
    } else {
        struct stat s;

        *socket = xasprintf("%s/%s.%ld"SUFFIX, ovs_rundir(), name,
                            (long int) pid);
        if (stat(*socket, &s)) {
            free(*socket);
            *socket = xasprintf("%s/"PREFIX"%ld"SUFFIX, ovs_rundir(),
                                (long int) pid);
        }
    }
    free(pidfile);
    return message;
}

static char *
find_socket(const char *target, char **socket)
{
    if (!target) {
        return find_only(socket);
    } else if (target[0] == '/') {
        *socket = xstrdup(target);
    } else if (target[0] && target[strspn(target, "0123456789")] == '\0') {
        *socket = xasprintf("%s/"PREFIX"%s"SUFFIX, ovs_rundir(), target);
    } else {
        return find_by_pidfile(target, socket);
    }
    return NULL;
}

char *
mlog_cli_client_open(const char *target, struct mlog_cli_client **clientp)
{
    struct mlog_cli_client *client = xzalloc(sizeof *client);
    char *message = find_socket(target, &client->socket);
    int error;

    *clientp = NULL;
    if (!message) {
        const char *slash = strrchr(client->socket, '/');

        client->pid = socket_pid(slash ? slash + 1 : client->socket);
        error = unixctl_client_create(client->socket, &client->rpc);
        if (!error) {
            *clientp = client;
            return NULL;
        }
        message = xasprintf("%s: %s%s", client->socket, ovs_strerror(error),
                            error == ECONNREFUSED || error == ENOENT
                            ? "; no switch listens there"
                            : error == EACCES
                            ? "; run this as root, or as a user who may write "
                            "to that socket" : "");
    }
    mlog_cli_client_close(client);
    return message;
}

void
mlog_cli_client_close(struct mlog_cli_client *client)
{
    if (client) {
        jsonrpc_close(client->rpc);
        free(client->socket);
        free(client);
    }
}

const char *
mlog_cli_client_socket(const struct mlog_cli_client *client)
{
    return client->socket;
}

pid_t
mlog_cli_client_pid(const struct mlog_cli_client *client)
{
    return client->pid;
}

bool
mlog_cli_client_is_connected(const struct mlog_cli_client *client)
{
    return client->rpc != NULL;
}

/* Asking. */

/* A query whose client is gone is abandoned by the switch. */
static void
disconnect(struct mlog_cli_client *client)
{
    jsonrpc_close(client->rpc);
    client->rpc = NULL;
}

static int
send_request(struct mlog_cli_client *client, const struct svec *words,
             struct json **id)
{
    struct json *params = json_array_create_empty();
    struct jsonrpc_msg *request;

    for (size_t i = 1; i < words->n; i++) {
        json_array_add(params, json_string_create(words->names[i]));
    }
    request = jsonrpc_create_request(words->names[0], params, id);
    return jsonrpc_send(client->rpc, request);
}

static int
receive_reply(struct mlog_cli_client *client, const struct json *id,
              struct jsonrpc_msg **reply)
{
    for (;;) {
        int error = jsonrpc_recv(client->rpc, reply);

        if (!error && (*reply)->id && json_equal((*reply)->id, id)) {
            return 0;
        } else if (!error) {
            jsonrpc_msg_destroy(*reply);
            continue;
        } else if (error != EAGAIN) {
            return error == EOF ? ECONNRESET : error;
        } else if (interrupted) {
            return EINTR;
        }
        jsonrpc_run(client->rpc);
        jsonrpc_wait(client->rpc);
        jsonrpc_recv_wait(client->rpc);
        if (signal_fds[0] >= 0) {
            poll_fd_wait(signal_fds[0], POLLIN);
        }
        poll_block();
    }
}

static char *
take_string(struct json **value)
{
    char *s = (*value)->type == JSON_STRING ? xstrdup((*value)->string)
              : json_to_string(*value, 0);

    return s;
}

static int
ask_once(struct mlog_cli_client *client, const struct svec *words,
         char **result, char **error)
{
    struct jsonrpc_msg *reply;
    struct json *id;
    int retval = send_request(client, words, &id);

    if (!retval) {
        retval = receive_reply(client, id, &reply);
    }
    json_destroy(id);
    if (retval) {
        disconnect(client);
        return retval;
    }
    if (reply->error && reply->error->type != JSON_NULL) {
        *error = take_string(&reply->error);
    } else if (reply->result) {
        *result = take_string(&reply->result);
    } else {
        retval = EPROTO;
    }
    jsonrpc_msg_destroy(reply);
    return retval;
}

int
mlog_cli_client_ask(struct mlog_cli_client *client, const struct svec *words,
                    char **result, char **error)
{
    int retval;

    *result = *error = NULL;
    if (!client->rpc) {
        retval = unixctl_client_create(client->socket, &client->rpc);
        if (retval) {
            return retval;
        }
    }
    return ask_once(client, words, result, error);
}
