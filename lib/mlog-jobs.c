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

#include "mlog-jobs.h"

#include <errno.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "hash.h"
#include "mlog-registry.h"
#include "multilog.h"
#include "openvswitch/hmap.h"
#include "openvswitch/list.h"
#include "openvswitch/vlog.h"
#include "ovs-rcu.h"
#include "ovs-thread.h"
#include "svec.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(mlog_jobs);

/* A job is in one place at a time: in its client's queue, with a worker, or
 * among those that are done.  'jobs', all that are in one of the first two,
 * is for finding those that were cancelled or abandoned.
 *
 * A query that is cancelled while a worker has it is answered by a job of its
 * own, which has nothing but the reply; what the worker then brings is thrown
 * away.
 *
 * Lock order: the mutex here, then the registry's.  The registry's callback
 * comes with the registry's held, so it does no more than set a flag. */

/* Workers give way to whatever else there is. */
#define WORKER_NICE 10

enum job_class {
    JOB_SHORT,
    JOB_LONG,
    N_CLASSES
};

struct job {
    struct ovs_list node;       /* In the queue or in 'done'. */
    struct ovs_list all_node;   /* In 'jobs' of struct mlog_jobs. */
    void *aux;                  /* NULL: it is answered or abandoned. */
    enum job_class class;
    struct client *client;
    struct mlog_query *query;   /* JOB_LONG. */
    enum mlog_format format;
    bool running;
    struct svec argv;
    struct mlog_reply reply;
};

struct client {
    struct hmap_node node;      /* In the queue's 'clients'. */
    struct ovs_list ready_node; /* In the queue's 'ready' if one waits. */
    uint64_t id;
    struct ovs_list waiting;    /* Jobs. */
    size_t n_waiting;
    size_t n_running;
};

/* The jobs of one class. */
struct queue {
    struct hmap clients;
    struct ovs_list ready;      /* Whose turn was longest ago comes first. */
    size_t n_waiting;
};

struct worker {
    struct mlog_jobs *jobs;
    unsigned int index;         /* 0 is the one for JOB_SHORT alone. */
    pthread_t thread;
};

struct mlog_jobs {
    struct multilog *ml;
    struct mlog_jobs_callbacks cb;
    atomic_bool cancelled;      /* Some query was cancelled. */

    struct ovs_mutex mutex;
    pthread_cond_t cond;        /* There is something to do. */
    struct queue queues[N_CLASSES] OVS_GUARDED;
    struct ovs_list jobs OVS_GUARDED;
    struct ovs_list done OVS_GUARDED;
    bool exiting OVS_GUARDED;

    struct worker workers[1 + MLOG_MAX_WORKERS];
    size_t n_workers;           /* That were created. */
    size_t n_wanted;            /* As of the last look. */
    cpu_set_t cpus;
    bool has_cpus;
};

/* Queues. */

static void
queue_init(struct queue *queue)
{
    hmap_init(&queue->clients);
    ovs_list_init(&queue->ready);
    queue->n_waiting = 0;
}

static struct client *
queue_get_client(struct queue *queue, uint64_t id)
{
    uint32_t hash = hash_uint64(id);
    struct client *client;

    HMAP_FOR_EACH_WITH_HASH (client, node, hash, &queue->clients) {
        if (client->id == id) {
            return client;
        }
    }
    client = xzalloc(sizeof *client);
    client->id = id;
    ovs_list_init(&client->waiting);
    hmap_insert(&queue->clients, &client->node, hash);
    return client;
}

/* Forgets 'client' if it has no job any more. */
static void
queue_put_client(struct queue *queue, struct client *client)
{
    if (!client->n_waiting && !client->n_running) {
        hmap_remove(&queue->clients, &client->node);
        free(client);
    }
}

static void
queue_push(struct queue *queue, struct job *job)
{
    struct client *client = job->client;

    ovs_list_push_back(&client->waiting, &job->node);
    if (!client->n_waiting++) {
        ovs_list_push_back(&queue->ready, &client->ready_node);
    }
    queue->n_waiting++;
}

/* Takes 'job', which waits, out.  Its client remains. */
static void
queue_remove(struct queue *queue, struct job *job)
{
    ovs_list_remove(&job->node);
    queue->n_waiting--;
    if (!--job->client->n_waiting) {
        ovs_list_remove(&job->client->ready_node);
    }
}

/* Takes out the job that is next, or returns NULL. */
static struct job *
queue_pop(struct queue *queue)
{
    struct client *client, *next = NULL;
    struct job *job;

    LIST_FOR_EACH (client, ready_node, &queue->ready) {
        if (!next || client->n_running < next->n_running) {
            next = client;
        }
    }
    if (!next) {
        return NULL;
    }
    job = CONTAINER_OF(ovs_list_front(&next->waiting), struct job, node);
    queue_remove(queue, job);
    if (next->n_waiting) {
        ovs_list_remove(&next->ready_node);
        ovs_list_push_back(&queue->ready, &next->ready_node);
    }
    next->n_running++;
    job->running = true;
    return job;
}

/* Jobs. */

/* Returns the command for people, for the caller to free. */
static char *
command_text(int argc, const char *argv[])
{
    struct ds text = DS_EMPTY_INITIALIZER;

    for (int i = 0; i < argc && text.length < MLOG_QUERY_TEXT_MAX; i++) {
        bool quote = !argv[i][0] || strpbrk(argv[i], " \t\n'\"&|<>(){}$*?;!");

        ds_put_format(&text, "%s%s%.*s%s", i ? " " : "", quote ? "'" : "",
                      MLOG_QUERY_TEXT_MAX, argv[i], quote ? "'" : "");
    }
    return ds_steal_cstr(&text);
}

static struct job *
job_create(struct mlog_jobs *jobs, const struct mlog_job_request *request)
{
    struct job *job = xzalloc(sizeof *job);

    job->aux = request->aux;
    job->format = request->format;
    mlog_reply_init(&job->reply);
    job->reply.format = request->format;
    for (int i = 0; i < request->argc; i++) {
        svec_add(&job->argv, request->argv[i]);
    }
    svec_terminate(&job->argv);
    if (mlog_command_is_long(request->argc, request->argv)) {
        char *text = command_text(request->argc, request->argv);

        job->class = JOB_LONG;
        job->query = mlog_query_add(jobs->ml->registry, request->client_name,
                                    text);
        free(text);
    }
    return job;
}

static void
job_destroy(struct job *job)
{
    mlog_query_remove(job->query);
    mlog_reply_destroy(&job->reply);
    svec_destroy(&job->argv);
    free(job);
}

static void
job_refuse(struct job *job, const char *message)
{
    mlog_command_refuse(job->argv.n, (const char **) job->argv.names,
                        &job->reply, message);
}

/* Ends what 'job' has to do with its client.  It is not in a queue. */
static void
job_leave(struct mlog_jobs *jobs, struct job *job)
    OVS_REQUIRES(jobs->mutex)
{
    struct queue *queue = &jobs->queues[job->class];

    job->client->n_running -= job->running;
    queue_put_client(queue, job->client);
    job->client = NULL;
    ovs_list_remove(&job->all_node);
}

/* Puts 'job' among those that are done. */
static void
job_done(struct mlog_jobs *jobs, struct job *job)
    OVS_REQUIRES(jobs->mutex)
{
    mlog_query_remove(job->query);
    job->query = NULL;
    ovs_list_push_back(&jobs->done, &job->node);
}

/* Cancellation. */

static const char *
cancel_message(enum mlog_cancel why)
{
    return (why == MLOG_CANCEL_EXIT
            ? "the query was cancelled, as the switch is shutting down"
            : "the query was cancelled by multilog/query-cancel");
}

/* Answers the query of 'job', which was cancelled. */
static void
answer_cancelled(struct mlog_jobs *jobs, struct job *job)
    OVS_REQUIRES(jobs->mutex)
{
    const char *message = cancel_message(mlog_query_cancelled(job->query));

    if (job->running) {
        struct job *answer = xzalloc(sizeof *answer);

        mlog_reply_init(&answer->reply);
        answer->reply.format = job->format;
        svec_clone(&answer->argv, &job->argv);
        svec_terminate(&answer->argv);
        answer->aux = job->aux;
        job->aux = NULL;
        job_refuse(answer, message);
        job_done(jobs, answer);
    } else {
        queue_remove(&jobs->queues[job->class], job);
        job_leave(jobs, job);
        job_refuse(job, message);
        job_done(jobs, job);
    }
}

static void
answer_all_cancelled(struct mlog_jobs *jobs)
    OVS_REQUIRES(jobs->mutex)
{
    struct job *job;

    LIST_FOR_EACH_SAFE (job, all_node, &jobs->jobs) {
        if (job->query && job->aux && mlog_query_cancelled(job->query)) {
            answer_cancelled(jobs, job);
        }
    }
}

/* The registry's callback. */
static void
query_cancelled(void *jobs_)
{
    struct mlog_jobs *jobs = jobs_;

    atomic_store_explicit(&jobs->cancelled, true, memory_order_release);
    jobs->cb.wake(jobs->cb.aux);
}

/* Workers. */

static struct job *
pop_job(struct mlog_jobs *jobs, unsigned int worker)
    OVS_REQUIRES(jobs->mutex)
{
    struct job *job = NULL;

    if (worker && worker <= mlog_registry_get_workers(jobs->ml->registry)) {
        job = queue_pop(&jobs->queues[JOB_LONG]);
    }
    return job ? job : queue_pop(&jobs->queues[JOB_SHORT]);
}

/* Waits for a job.  Returns NULL if it is time to exit and none is left. */
static struct job *
next_job(struct mlog_jobs *jobs, unsigned int worker)
{
    struct job *job;

    ovs_mutex_lock(&jobs->mutex);
    while (!(job = pop_job(jobs, worker)) && !jobs->exiting) {
        ovs_mutex_cond_wait(&jobs->cond, &jobs->mutex);
    }
    if (job && job->query) {
        mlog_query_set_running(job->query);
    }
    ovs_mutex_unlock(&jobs->mutex);
    return job;
}

static void
run_job(struct mlog_jobs *jobs, struct job *job)
{
    mlog_command_run_query(jobs->ml, job->query, job->argv.n,
                           (const char **) job->argv.names, &job->reply);
    if (jobs->cb.render && !job->reply.error) {
        jobs->cb.render(job->format, &job->reply);
    }

    ovs_mutex_lock(&jobs->mutex);
    job_leave(jobs, job);
    if (job->aux) {
        job_done(jobs, job);
        job = NULL;
    }
    ovs_mutex_unlock(&jobs->mutex);
    if (job) {
        job_destroy(job);
    }
    jobs->cb.wake(jobs->cb.aux);
}

static void *
worker_main(void *worker_)
{
    const struct worker *worker = worker_;
    struct job *job;

    /* Commands use nothing that RCU protects. */
    ovsrcu_quiesce_start();
    if (setpriority(PRIO_PROCESS, syscall(SYS_gettid), WORKER_NICE)) {
        VLOG_DBG("setpriority: %s", ovs_strerror(errno));
    }
    while ((job = next_job(worker->jobs, worker->index))) {
        run_job(worker->jobs, job);
    }
    return NULL;
}

static void
bind_worker(const struct mlog_jobs *jobs, const struct worker *worker)
{
    int error = (jobs->has_cpus
                 ? pthread_setaffinity_np(worker->thread, sizeof jobs->cpus,
                                          &jobs->cpus) : 0);

    if (error) {
        VLOG_DBG("pthread_setaffinity_np: %s", ovs_strerror(error));
    }
}

/* Sees to it that as many workers as are wanted exist and look for jobs. */
static void
update_workers(struct mlog_jobs *jobs)
{
    size_t n = 1 + mlog_registry_get_workers(jobs->ml->registry);

    if (n == jobs->n_wanted) {
        return;
    }
    jobs->n_wanted = n;
    ovs_mutex_lock(&jobs->mutex);
    xpthread_cond_broadcast(&jobs->cond);
    ovs_mutex_unlock(&jobs->mutex);
    while (jobs->n_workers < n) {
        struct worker *worker = &jobs->workers[jobs->n_workers];

        worker->jobs = jobs;
        worker->index = jobs->n_workers++;
        worker->thread = ovs_thread_create("mlog_worker", worker_main,
                                           worker);
        bind_worker(jobs, worker);
    }
}

void
mlog_jobs_set_cpus(struct mlog_jobs *jobs, const cpu_set_t *cpus)
{
    jobs->cpus = *cpus;
    jobs->has_cpus = true;
    for (size_t i = 0; i < jobs->n_workers; i++) {
        bind_worker(jobs, &jobs->workers[i]);
    }
}

/* The whole. */

struct mlog_jobs *
mlog_jobs_create(struct multilog *ml, const struct mlog_jobs_callbacks *cb)
{
    struct mlog_jobs *jobs = xzalloc(sizeof *jobs);

    jobs->ml = ml;
    jobs->cb = *cb;
    atomic_init(&jobs->cancelled, false);
    ovs_mutex_init(&jobs->mutex);
    xpthread_cond_init(&jobs->cond, NULL);
    ovs_mutex_lock(&jobs->mutex);
    for (size_t i = 0; i < N_CLASSES; i++) {
        queue_init(&jobs->queues[i]);
    }
    ovs_list_init(&jobs->jobs);
    ovs_list_init(&jobs->done);
    ovs_mutex_unlock(&jobs->mutex);
    mlog_registry_add_callback(ml->registry, query_cancelled, jobs);
    update_workers(jobs);
    return jobs;
}

/* Returns why another job of 'client' is refused, or NULL if it isn't. */
static const char *
why_full(const struct queue *queue, const struct client *client)
{
    BUILD_ASSERT_DECL(MLOG_JOBS_MAX_PER_CLIENT == 256);
    BUILD_ASSERT_DECL(MLOG_JOBS_MAX == 1024);

    return (client->n_waiting >= MLOG_JOBS_MAX_PER_CLIENT
            ? "256 commands of this client are waiting already; wait for "
              "some, or see multilog/query-list and multilog/query-cancel"
            : queue->n_waiting >= MLOG_JOBS_MAX
            ? "1024 multilog commands are waiting already; try again later, "
              "or see multilog/query-list and multilog/query-cancel"
            : NULL);
}

void
mlog_jobs_submit(struct mlog_jobs *jobs,
                 const struct mlog_job_request *request)
{
    struct job *job = job_create(jobs, request);
    const char *full;

    ovs_mutex_lock(&jobs->mutex);
    struct queue *queue = &jobs->queues[job->class];
    struct client *client = queue_get_client(queue, request->client);

    full = why_full(queue, client);
    if (full) {
        queue_put_client(queue, client);
        job_refuse(job, full);
        job_done(jobs, job);
    } else {
        job->client = client;
        ovs_list_push_back(&jobs->jobs, &job->all_node);
        queue_push(queue, job);
        xpthread_cond_broadcast(&jobs->cond);
    }
    ovs_mutex_unlock(&jobs->mutex);
    if (full) {
        jobs->cb.wake(jobs->cb.aux);
    }
}

bool
mlog_jobs_get_reply(struct mlog_jobs *jobs, void **aux,
                    struct mlog_reply *reply)
{
    struct job *job = NULL;
    bool cancelled;

    atomic_read_explicit(&jobs->cancelled, &cancelled, memory_order_acquire);
    if (cancelled) {
        atomic_store_explicit(&jobs->cancelled, false, memory_order_relaxed);
    }
    ovs_mutex_lock(&jobs->mutex);
    if (cancelled) {
        answer_all_cancelled(jobs);
    }
    if (!ovs_list_is_empty(&jobs->done)) {
        job = CONTAINER_OF(ovs_list_pop_front(&jobs->done), struct job, node);
    }
    ovs_mutex_unlock(&jobs->mutex);
    if (!job) {
        return false;
    }

    update_workers(jobs);       /* It may have been "multilog/set". */
    *aux = job->aux;
    *reply = job->reply;
    mlog_reply_init(&job->reply);
    job_destroy(job);
    return true;
}

/* Forgets 'job', whose client is gone. */
static void
abandon(struct mlog_jobs *jobs, struct job *job)
    OVS_REQUIRES(jobs->mutex)
{
    if (job->running) {
        if (job->query) {
            mlog_query_cancel(job->query, MLOG_CANCEL_GONE);
        }
        job->aux = NULL;
    } else {
        queue_remove(&jobs->queues[job->class], job);
        job_leave(jobs, job);
        job_destroy(job);
    }
}

void
mlog_jobs_abandon(struct mlog_jobs *jobs, const void *aux)
{
    struct job *job;

    ovs_mutex_lock(&jobs->mutex);
    LIST_FOR_EACH_SAFE (job, all_node, &jobs->jobs) {
        if (job->aux == aux) {
            abandon(jobs, job);
        }
    }
    LIST_FOR_EACH_SAFE (job, node, &jobs->done) {
        if (job->aux == aux) {
            ovs_list_remove(&job->node);
            job_destroy(job);
        }
    }
    ovs_mutex_unlock(&jobs->mutex);
}

void
mlog_jobs_stop(struct mlog_jobs *jobs)
{
    struct job *job;

    ovs_mutex_lock(&jobs->mutex);
    jobs->exiting = true;
    LIST_FOR_EACH (job, all_node, &jobs->jobs) {
        if (job->query) {
            mlog_query_cancel(job->query, MLOG_CANCEL_EXIT);
        }
    }
    answer_all_cancelled(jobs);
    xpthread_cond_broadcast(&jobs->cond);
    ovs_mutex_unlock(&jobs->mutex);
    for (size_t i = 0; i < jobs->n_workers; i++) {
        xpthread_join(jobs->workers[i].thread, NULL);
    }
    jobs->n_workers = 0;
    mlog_registry_remove_callback(jobs->ml->registry, jobs);
}

void
mlog_jobs_destroy(struct mlog_jobs *jobs)
{
    if (jobs) {
        ovs_mutex_lock(&jobs->mutex);
        for (size_t i = 0; i < N_CLASSES; i++) {
            hmap_destroy(&jobs->queues[i].clients);
        }
        ovs_assert(ovs_list_is_empty(&jobs->jobs));
        ovs_assert(ovs_list_is_empty(&jobs->done));
        ovs_mutex_unlock(&jobs->mutex);
        ovs_mutex_destroy(&jobs->mutex);
        xpthread_cond_destroy(&jobs->cond);
        free(jobs);
    }
}
