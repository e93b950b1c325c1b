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


#ifndef MLOGD_HOSTS_H
#define MLOGD_HOSTS_H 1

/* The hosts of an aggregator
 * ==========================
 *
 * Accepts connections of hosts (mlog-wire.h), knows those that have
 * registered, and sends them requests.
 *
 * A host is known by its name.  Over TLS that is the common name of its
 * certificate, so no host can be taken for another, and a new connection takes
 * the place of an old one.  Over TCP and Unix sockets, which are for
 * experiments, whoever comes second is refused while the first is there.
 *
 * Hosts aren't trusted: each has bounds on what it may send at a time and on
 * what may wait for it; one that breaks them, or doesn't answer probes, is
 * disconnected.
 *
 * Thread-safety
 * =============
 *
 * None: for the main loop of one thread.  Callbacks are called from
 * mlogd_hosts_run() and mlogd_hosts_destroy(), and may send requests, but not
 * to a host that is gone. */

#include <stdbool.h>
#include <stddef.h>

#include "openvswitch/hmap.h"

struct json;
struct mlogd_hosts;

#define MLOGD_MAX_HOSTS 10000

struct mlogd_host {
    struct hmap_node node;      /* By name. */
    const char *name;
    const char *life;           /* UUID of what it has recorded. */
    const char *version;
    const char *peer;           /* Address. */
    long long int since;        /* Registered, as time_wall_msec(). */
    const struct json *inventory;       /* As it came, or NULL. */
    const struct json *clock;           /* Likewise. */
    unsigned long long int n_requests;
    void *aux;                  /* For the user. */
};

struct mlogd_hosts_ops {
    void (*up)(struct mlogd_host *, void *aux);
    /* After the callbacks of all its requests; it is gone then. */
    void (*down)(struct mlogd_host *, const char *why, void *aux);
    /* Any notification; after "inventory" and "clock" were stored. */
    void (*notify)(struct mlogd_host *, const char *method,
                   const struct json *params, void *aux);
    void *aux;
};

/* 'name' is what the aggregator calls itself. */
struct mlogd_hosts *mlogd_hosts_create(const char *name,
                                       const struct mlogd_hosts_ops *);
void mlogd_hosts_destroy(struct mlogd_hosts *);

/* Listens on 'target', "pssl:...", "ptcp:..." or "punix:..."; returns 0 or a
 * positive errno value. */
int mlogd_hosts_listen(struct mlogd_hosts *, const char *target);

void mlogd_hosts_run(struct mlogd_hosts *);
void mlogd_hosts_wait(struct mlogd_hosts *);

/* Those that are registered. */
size_t mlogd_hosts_count(const struct mlogd_hosts *);
struct mlogd_host *mlogd_hosts_find(const struct mlogd_hosts *,
                                    const char *name);
/* An array of them, by name, for the caller to free. */
struct mlogd_host **mlogd_hosts_sorted(const struct mlogd_hosts *);

/* Requests. */

enum mlogd_outcome {
    MLOGD_OK,
    MLOGD_ERROR,                /* The host answered with an error. */
    MLOGD_TIMEOUT,
    MLOGD_DISCONNECTED,
};

/* 'json' is the result, or the error, or NULL; it belongs to the caller of the
 * callback. */
typedef void mlogd_done_func(struct mlogd_host *, enum mlogd_outcome,
                             const struct json *, void *aux);

/* Sends a request and calls 'done' once, at the latest after 'timeout' ms.
 * Takes ownership of 'params'. */
void mlogd_host_request(struct mlogd_host *, const char *method,
                        struct json *params, long long int timeout,
                        mlogd_done_func *done, void *aux);

/* Has a command executed: "execute".  Returns the number of the call. */
long long int mlogd_host_execute(struct mlogd_host *, size_t argc,
                                 const char *const argv[],
                                 long long int timeout,
                                 mlogd_done_func *done, void *aux);

/* Abandons a call: 'done' will still be called, soon. */
void mlogd_host_cancel(struct mlogd_host *, long long int call);

#endif /* mlogd-hosts.h */
