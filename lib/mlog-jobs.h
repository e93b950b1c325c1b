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

#ifndef MLOG_JOBS_H
#define MLOG_JOBS_H 1

/* Commands that wait for a worker
 * ===============================
 *
 * A job is a command that a client has asked for.  It waits, is executed by a
 * worker, and its reply waits until it is fetched, so that who submits jobs, a
 * daemon's main loop, never waits for one.
 *
 *   - *Queries*, commands that may take long (mlog_command_is_long()), are
 *     executed by as many workers as the registry (mlog-registry.h) says.
 *     One more worker does nothing but the others, so that these don't wait
 *     for a query.
 *
 *   - Clients take turns: of those who have a command waiting, the one with
 *     the fewest being executed is next, and among equals the one whose turn
 *     was longest ago.
 *
 *   - A client may have MLOG_JOBS_MAX_PER_CLIENT queries waiting and as many
 *     other commands; MLOG_JOBS_MAX are the most for all clients together.
 *     What is more is answered with an error.
 *
 *   - A query that is cancelled is answered at once.  The worker is free as
 *     soon as it has noticed.
 *
 * Thread-safety
 * =============
 *
 * One thread at a time creates, submits, fetches, abandons, stops and
 * destroys. */

#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mlog-command.h"

#define MLOG_JOBS_MAX_PER_CLIENT 256
#define MLOG_JOBS_MAX 1024

struct mlog_jobs;
struct multilog;

/* 'wake' is called, in any thread, when there may be a reply to fetch.
 * 'render', if not NULL, is called by the worker with each reply that isn't an
 * error, to do what takes time; 'format' is that of the request. */
struct mlog_jobs_callbacks {
    void (*wake)(void *aux);
    void *aux;
    void (*render)(enum mlog_format format, struct mlog_reply *);
};

struct mlog_jobs *mlog_jobs_create(struct multilog *,
                                   const struct mlog_jobs_callbacks *);

/* What a client wants.  Everything is copied but 'aux', which comes back with
 * the reply, and which must not be NULL. */
struct mlog_job_request {
    uint64_t client;            /* Equal for what is of one client... */
    const char *client_name;    /* ...and a text for people. */
    enum mlog_format format;    /* Unless the command says. */
    int argc;
    const char **argv;
    void *aux;
};

void mlog_jobs_submit(struct mlog_jobs *, const struct mlog_job_request *);

/* Fetches a reply, if there is one.  The caller must destroy it. */
bool mlog_jobs_get_reply(struct mlog_jobs *, void **aux, struct mlog_reply *);

/* Nobody waits for the reply of 'aux' any more: cancels the query.  There will
 * be no reply. */
void mlog_jobs_abandon(struct mlog_jobs *, const void *aux);

/* The processors that workers may use. */
void mlog_jobs_set_cpus(struct mlog_jobs *, const cpu_set_t *);

/* Cancels all, and ends the workers.  Then there is a reply for each that was
 * submitted and not abandoned. */
void mlog_jobs_stop(struct mlog_jobs *);

/* Must be stopped, and all replies be fetched. */
void mlog_jobs_destroy(struct mlog_jobs *);

#endif /* mlog-jobs.h */
