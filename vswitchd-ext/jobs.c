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

#include "guarded-list.h"
#include "latch.h"
#include "mlog-command.h"
#include "multilog.h"
#include "openvswitch/list.h"
#include "openvswitch/vlog.h"
#include "ovs-rcu.h"
#include "ovs-thread.h"
#include "svec.h"
#include "unixctl.h"

VLOG_DEFINE_THIS_MODULE(multilog_jobs);

#define N_WORKERS 4
#define MAX_WAITING 256

struct job {
    struct ovs_list node;       /* In 'waiting' or 'done'. */
    struct unixctl_conn *conn;
    struct svec argv;
    struct mlog_reply reply;
};

static struct multilog *multilog;
static pthread_t workers[N_WORKERS];

static struct ovs_mutex mutex = OVS_MUTEX_INITIALIZER;
static pthread_cond_t submitted = PTHREAD_COND_INITIALIZER;
static struct ovs_list waiting OVS_GUARDED_BY(mutex)
    = OVS_LIST_INITIALIZER(&waiting);
static size_t n_waiting OVS_GUARDED_BY(mutex);
static bool exiting OVS_GUARDED_BY(mutex);

static struct guarded_list done;
static struct latch done_latch;

/* Returns the next job, or NULL if it is time to exit and none is left. */
static struct job *
next_job(void)
{
    struct job *job = NULL;

    ovs_mutex_lock(&mutex);
    while (ovs_list_is_empty(&waiting) && !exiting) {
        ovs_mutex_cond_wait(&submitted, &mutex);
    }
    if (!ovs_list_is_empty(&waiting)) {
        job = CONTAINER_OF(ovs_list_pop_front(&waiting), struct job, node);
        n_waiting--;
    }
    ovs_mutex_unlock(&mutex);
    return job;
}

static void *
worker_main(void *aux OVS_UNUSED)
{
    struct job *job;

    /* Commands use nothing that RCU protects. */
    ovsrcu_quiesce_start();
    while ((job = next_job())) {
        mlog_command_run(multilog, job->argv.n,
                         (const char **) job->argv.names, &job->reply);
        guarded_list_push_back(&done, &job->node, SIZE_MAX);
        latch_set(&done_latch);
    }
    return NULL;
}

void
jobs_init(struct multilog *ml)
{
    multilog = ml;
    guarded_list_init(&done);
    latch_init(&done_latch);
    for (size_t i = 0; i < N_WORKERS; i++) {
        workers[i] = ovs_thread_create("mlog_worker", worker_main, NULL);
    }
}

void
jobs_submit(struct unixctl_conn *conn, int argc, const char *argv[])
{
    bool full;

    ovs_mutex_lock(&mutex);
    full = n_waiting >= MAX_WAITING;
    if (!full) {
        struct job *job = xzalloc(sizeof *job);

        job->conn = conn;
        for (int i = 0; i < argc; i++) {
            svec_add(&job->argv, argv[i]);
        }
        svec_terminate(&job->argv);
        mlog_reply_init(&job->reply);
        ovs_list_push_back(&waiting, &job->node);
        n_waiting++;
        xpthread_cond_signal(&submitted);
    }
    ovs_mutex_unlock(&mutex);

    if (full) {
        unixctl_command_reply_error(conn, "too many multilog commands are "
                                    "waiting; try again later");
    }
}

static void
job_finish(struct job *job)
{
    if (job->reply.error) {
        unixctl_command_reply_error(job->conn, ds_cstr(&job->reply.body));
    } else {
        unixctl_command_reply(job->conn, ds_cstr(&job->reply.body));
    }
    mlog_reply_destroy(&job->reply);
    svec_destroy(&job->argv);
    free(job);
}

void
jobs_run(void)
{
    struct ovs_list list;
    struct job *job;

    if (latch_poll(&done_latch)) {
        guarded_list_pop_all(&done, &list);
        LIST_FOR_EACH_POP (job, node, &list) {
            job_finish(job);
        }
    }
}

void
jobs_wait(void)
{
    latch_wait(&done_latch);
}

void
jobs_exit(void)
{
    atomic_store_relaxed(&multilog->cancel, true);
    ovs_mutex_lock(&mutex);
    exiting = true;
    xpthread_cond_broadcast(&submitted);
    ovs_mutex_unlock(&mutex);
    for (size_t i = 0; i < N_WORKERS; i++) {
        xpthread_join(workers[i], NULL);
    }
    latch_set(&done_latch);
    jobs_run();
    guarded_list_destroy(&done);
    latch_destroy(&done_latch);
}
