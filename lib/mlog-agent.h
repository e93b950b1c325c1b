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


#ifndef MLOG_AGENT_H
#define MLOG_AGENT_H 1

/* The agent: a host's side of the connection to aggregators
 * =========================================================
 *
 * A thread that connects to aggregators, says who the host is, and has
 * commands executed that they ask for (mlog-wire.h).  It neither executes them
 * itself nor touches records; whoever creates the agent gives it an executor.
 *
 * An aggregator can ask for commands that change nothing, and for no others.
 * A connection that fails is tried again, after 1 s at first and 8 s at
 * most.
 *
 * Thread-safety
 * =============
 *
 * All functions may be called from any thread, mlog_agent_destroy() when no
 * other is running. */

#include <stdbool.h>
#include <stddef.h>

#include "openvswitch/dynamic-string.h"
#include "ovs-atomic.h"
#include "svec.h"

/* A command to be executed.  The executor fills in 'error' and 'body', the
 * reply in JSON, and calls mlog_agent_call_done(), from any thread, once. */
struct mlog_agent_call {
    const char *client;         /* Name of the aggregator. */
    struct svec argv;
    bool error;
    struct ds body;
};
void mlog_agent_call_done(struct mlog_agent_call *);

struct mlog_agent_options {
    const char *life;           /* mlog_state_life(). */

    /* In the agent's thread: starts to execute a command; has one end soon,
     * with whatever reply; is called whenever the thread has been woken; and
     * when it ends, after which the agent isn't woken any more.  The latter
     * two may be NULL. */
    void (*execute)(struct mlog_agent_call *, void *aux);
    void (*cancel)(struct mlog_agent_call *, void *aux);
    void (*run)(void *aux);
    void (*exit)(void *aux);
    void *aux;
};

struct mlog_agent *mlog_agent_create(const struct mlog_agent_options *);
void mlog_agent_destroy(struct mlog_agent *);

/* Connects to these from now on: "ssl:HOST:PORT", "tcp:..." or "unix:FILE",
 * separated by commas or spaces; empty for none.  'host' is the name to
 * register by.  Connections that stay the same stay as they are. */
void mlog_agent_set(struct mlog_agent *, const char *host,
                    const char *targets);

/* Wakes the agent's thread. */
void mlog_agent_wake(struct mlog_agent *);

enum mlog_agent_state {
    MLOG_AGENT_CONNECTING,
    MLOG_AGENT_REGISTERING,
    MLOG_AGENT_REGISTERED,
    MLOG_AGENT_REFUSED,
};
const char *mlog_agent_state_to_string(enum mlog_agent_state);

struct mlog_agent_status {
    char *target;
    enum mlog_agent_state state;
    char *aggregator;           /* Its name, or NULL. */
    char *error;                /* Why it is not registered, or NULL. */
    long long int since;        /* Of 'state', as time_wall_msec(). */
    unsigned long long int n_calls;     /* Executed, ever. */
};

/* Returns the number of targets and stores their status in '*', to be freed
 * with mlog_agent_status_free(). */
size_t mlog_agent_get_status(struct mlog_agent *, struct mlog_agent_status **);
void mlog_agent_status_free(struct mlog_agent_status *, size_t n);

#endif /* mlog-agent.h */
