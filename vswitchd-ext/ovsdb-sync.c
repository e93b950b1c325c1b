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

#include "ovsdb-sync.h"

#include <errno.h>

#include "dirs.h"
#include "latch.h"
#include "mlog-database.h"
#include "mlog-time.h"
#include "multilog.h"
#include "openvswitch/list.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "ovs-rcu.h"
#include "ovs-thread.h"
#include "ovsdb-idl.h"
#include "ovsdb-private.h"
#include "smap.h"
#include "stream.h"
#include "svec.h"
#include "timeval.h"
#include "util.h"
#include "vswitchd-ext/multilog-idl.h"

VLOG_DEFINE_THIS_MODULE(multilog_ovsdb);

/* One thread follows the database.  Nothing of it is done on ovs-vswitchd's
 * main thread, which forwards packets, too: neither parsing what the server
 * sends, nor waiting for the digest.
 *
 * Only the process that has the database's lock brings anything in force or
 * writes.  Until the database's contents have been received for the first
 * time, and while there is no connection, what is in force stays.
 *
 * There is one transaction at a time, of one kind, so that one that fails, for
 * instance because the role isn't allowed to, fails alone.
 *
 * TLS.  Keys and certificates are those of the process, which the main thread
 * changes when their files do.  OpenSSL wants that not to coincide with a new
 * connection; the window is some instructions per change of a certificate. */

#define LOCK_NAME "multilog"
#define DEFAULT_INTERVAL_MS 5000
#define MIN_INTERVAL_MS 100
#define DEFAULT_MAX_ALERTS 1000
#define MAX_MAX_ALERTS 10000
#define RETRY_MS 1000
#define REQUEST_MS 10000

enum txn_kind {
    TXN_RESULTS,                /* Progress, and errors of rows. */
    TXN_STATUS,
    TXN_ALERTS,
    TXN_PERSIST,                /* A row that a command wants. */
    N_TXNS
};

/* A command that waits. */
struct request {
    struct ovs_list node;       /* In 'requests'. */
    enum mlog_kind kind;
    const char *const *argv;
    size_t argc;
    long long int deadline;     /* ms. */
    bool done;
    char *error;
};

static struct multilog *multilog;
static pthread_t thread;
static struct latch wake_latch;

/* For any thread. */
static struct ovs_mutex mutex = OVS_MUTEX_INITIALIZER;
static pthread_cond_t request_done = PTHREAD_COND_INITIALIZER;
static struct ovs_list requests OVS_GUARDED_BY(mutex)
    = OVS_LIST_INITIALIZER(&requests);
static char *new_remote OVS_GUARDED_BY(mutex);  /* NULL: no change. */
static bool local_change OVS_GUARDED_BY(mutex);
static bool exiting OVS_GUARDED_BY(mutex);
static struct mlog_database_status shared OVS_GUARDED_BY(mutex);

/* The thread's own. */
static struct ovsdb_probe *probe;       /* Looking for a local database. */
static struct ovsdb_idl *idl;
static char *remote;                    /* Of 'idl'. */
static struct ovsdb_alerts *alerts;
static bool in_charge;
static unsigned int seen_seqno;         /* Of what was brought in force... */
static bool must_look;                  /* ...but look again anyway. */
static bool working;                    /* Bringing something in force. */
static int64_t work_cfg;                /* Its cfg. */
static char *settings_error;
static bool has_results;                /* Not yet all written. */
static struct ovsdb_status *status;     /* Being written, or NULL. */
static int64_t cur_cfg;
static uint64_t cur_cut;
static struct ovsdb_idl_txn *txn;       /* NULL: none. */
static enum txn_kind txn_kind;
static long long int not_before[N_TXNS];        /* ms; after failures. */
static struct request *txn_request;

static void
wake(void)
{
    latch_set(&wake_latch);
}

/* Requests. */

static void
finish_request(struct request *request, char *error)
    OVS_REQUIRES(mutex)
{
    ovs_list_remove(&request->node);
    request->error = error;
    request->done = true;
    xpthread_cond_broadcast(&request_done);
}

/* Nothing can be written now. */
static void
refuse_requests(void)
{
    struct request *request;

    ovs_mutex_lock(&mutex);
    LIST_FOR_EACH_SAFE (request, node, &requests) {
        finish_request(request, !idl ? xstrdup("no database is in use; see "
                                               "\"multilog/set ovsdb\"")
                       : xasprintf("the database at %s can't be written at "
                                   "present; see \"multilog/ovsdb\"", remote));
    }
    ovs_mutex_unlock(&mutex);
    txn_request = NULL;
}

static struct request *
first_request(void)
{
    struct request *request = NULL;

    ovs_mutex_lock(&mutex);
    if (!ovs_list_is_empty(&requests)) {
        request = CONTAINER_OF(ovs_list_front(&requests), struct request,
                               node);
    }
    ovs_mutex_unlock(&mutex);
    return request;
}

static void
end_transaction(void)
{
    if (txn) {
        ovsdb_idl_txn_destroy(txn);
        txn = NULL;
        if (txn_kind == TXN_ALERTS) {
            ovsdb_alerts_done(alerts, false);
        }
    }
}

/* A server that doesn't reply must not keep a command, nor ovs-vswitchd's end,
 * waiting. */
static void
expire_requests(void)
{
    struct request *request;
    bool cancel;

    atomic_read_relaxed(&multilog->cancel, &cancel);
    ovs_mutex_lock(&mutex);
    LIST_FOR_EACH_SAFE (request, node, &requests) {
        if (cancel || time_msec() >= request->deadline) {
            if (request == txn_request) {
                end_transaction();
                txn_request = NULL;
            }
            finish_request(request, xstrdup("the database does not reply; the "
                                            "row may yet be written"));
        }
    }
    if (!ovs_list_is_empty(&requests)) {
        poll_timer_wait(500);
    }
    ovs_mutex_unlock(&mutex);
}

/* Which database. */

static void
disconnect(void)
{
    end_transaction();
    ovsdb_status_destroy(status);
    status = NULL;
    in_charge = false;
    ovsdb_idl_destroy(idl);
    idl = NULL;
    free(remote);
    remote = NULL;
    ovsdb_probe_destroy(probe);
    probe = NULL;
}

static void
connect_to(const char *name)
{
    remote = xstrdup(name);
    idl = ovsdb_idl_create(remote, &mlogrec_idl_class, false, true);
    ovsdb_idl_set_lock(idl, LOCK_NAME);
    ovsdb_config_register(idl);
    ovsdb_status_register(idl);
    ovsdb_alerts_register(idl);
    seen_seqno = 0;
    ovsdb_alerts_start(alerts);
}

static char *
local_server(void)
{
    return xasprintf("unix:%s/db.sock", ovs_rundir());
}

/* What the database wanted stays, but is local from now on. */
static void
release(void)
{
    mlog_digest_lock(multilog->digest);
    mlog_config_release(multilog->config);
    mlog_digest_unlock(multilog->digest);
    working = false;
    ovsdb_config_release(multilog);
    ovsdb_alerts_stop(alerts);
    ovsdb_cache_remove(multilog);
}

static void
set_remote(const char *value)
{
    disconnect();
    if (!strcmp(value, "off")) {
        release();
    } else if (!strcmp(value, "auto")) {
        char *name = local_server();

        probe = ovsdb_probe_create(name, mlogrec_idl_class.database);
        free(name);
    } else {
        connect_to(value);
    }
}

static void
run_remote(void)
{
    char *value;

    ovs_mutex_lock(&mutex);
    value = new_remote;
    new_remote = NULL;
    ovs_mutex_unlock(&mutex);
    if (value) {
        set_remote(value);
        free(value);
    }
    if (probe && ovsdb_probe_run(probe)) {
        char *name = local_server();

        ovsdb_probe_destroy(probe);
        probe = NULL;
        connect_to(name);
        free(name);
    }
}

/* Bringing in force. */

static bool
take_local_change(void)
{
    bool changed;

    ovs_mutex_lock(&mutex);
    changed = local_change;
    local_change = false;
    ovs_mutex_unlock(&mutex);
    return changed;
}

/* Does a bit of work if there is any. */
static void
run_config(void)
{
    const struct mlogrec_multilog *root = ovsdb_config_root(idl);
    unsigned int seqno = ovsdb_config_seqno(idl);
    bool retry = (!working && take_local_change()
                  && mlog_config_n_wrong(multilog->config));

    if (!working && (seqno != seen_seqno || retry || must_look)) {
        seen_seqno = seqno;
        must_look = false;
        work_cfg = root ? root->cfg : 0;
        ovsdb_config_want(idl, multilog);
        free(settings_error);
        settings_error = ovsdb_config_set(idl, multilog);
        working = true;
    }
    if (working) {
        uint64_t cut = mlog_digest_lock(multilog->digest);

        working = !mlog_config_run(multilog->config);
        mlog_digest_unlock(multilog->digest);
        if (!working) {
            cur_cfg = work_cfg;
            cur_cut = cut;
            has_results = true;
            ovsdb_cache_save(multilog);
        }
    }
}

/* Transactions. */

static int
get_int(const char *key, int def, int min, int max)
{
    const struct mlogrec_multilog *root = ovsdb_config_root(idl);
    int value = root ? smap_get_int(&root->other_config, key, def) : def;

    return MAX(min, MIN(value, max));
}

/* Progress comes with the last of the rows. */
static void
put_results(void)
{
    const struct mlogrec_multilog *root = ovsdb_config_root(idl);

    if (ovsdb_config_put_results(idl, multilog)) {
        if (!root) {
            root = mlogrec_multilog_insert(txn);
        }
        PUT(idl, multilog, root, error, settings_error);
        PUT(idl, multilog, root, cur_cfg, cur_cfg);
        PUT(idl, multilog, root, cur_cut, cur_cut);
        has_results = false;
    }
}

static void
put_status(uint64_t n_alerts_lost)
{
    if (!status) {
        status = ovsdb_status_create(multilog, n_alerts_lost);
    }
    if (ovsdb_status_put(status, idl, txn)) {
        ovsdb_status_destroy(status);
        status = NULL;
        not_before[TXN_STATUS] = time_msec() + get_int(
            "status-interval", DEFAULT_INTERVAL_MS, MIN_INTERVAL_MS, INT_MAX);
    }
}

/* Returns false if there is nothing to be written after all. */
static bool
put_request(struct request *request)
{
    char *error = ovsdb_config_insert(idl, txn, request->kind, request->argv,
                                      request->argc);

    if (error) {
        ovs_mutex_lock(&mutex);
        finish_request(request, error);
        ovs_mutex_unlock(&mutex);
        return false;
    }
    txn_request = request;
    return true;
}

static bool
may_start(enum txn_kind kind)
{
    return time_msec() >= not_before[kind];
}

static void
begin(enum txn_kind kind)
{
    txn_kind = kind;
    txn = ovsdb_idl_txn_create(idl);
}

/* Starts a transaction of 'kind' if there is something to write. */
static bool
try_start(enum txn_kind kind, const struct ovsdb_alerts_stats *stats)
{
    if (!may_start(kind)) {
        return false;
    }
    if (kind == TXN_RESULTS && has_results) {
        begin(kind);
        put_results();
    } else if (kind == TXN_STATUS) {
        begin(kind);
        put_status(stats->n_lost);
    } else if (kind == TXN_ALERTS && stats->n_waiting
               && mlogrec_server_has_alert_table(idl)) {
        begin(kind);
        ovsdb_alerts_put(alerts, idl, txn,
                         get_int("max-alerts", DEFAULT_MAX_ALERTS, 1,
                                 MAX_MAX_ALERTS));
    }
    return txn != NULL;
}

/* Commands that wait go first, the rest takes turns. */
static void
start_transaction(void)
{
    struct request *request = first_request();
    struct ovsdb_alerts_stats stats;

    if (request) {
        begin(TXN_PERSIST);
        if (!put_request(request)) {
            end_transaction();
        }
        return;
    }
    ovsdb_alerts_get_stats(alerts, &stats);
    for (size_t i = 1; i <= TXN_PERSIST; i++) {
        if (try_start((txn_kind + i) % TXN_PERSIST, &stats)) {
            break;
        }
    }
}

static void
log_failure(enum ovsdb_idl_txn_status txn_status)
{
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);

    VLOG_WARN_RL(&rl, "%s: %s could not be written: %s", remote,
                 txn_kind == TXN_PERSIST ? "a row"
                 : txn_kind == TXN_RESULTS ? "progress"
                 : txn_kind == TXN_STATUS ? "status" : "alerts",
                 (txn_status == TXN_ERROR ? ovsdb_idl_txn_get_error(txn)
                  : ovsdb_idl_txn_status_to_string(txn_status)));
}

static void
finish_persist(bool ok, bool again)
{
    ovs_mutex_lock(&mutex);
    if (txn_request && !again) {
        finish_request(txn_request, ok ? NULL
                       : xstrdup(ovsdb_idl_txn_get_error(txn)));
    }
    ovs_mutex_unlock(&mutex);
    txn_request = NULL;
}

static void
finish_transaction(enum ovsdb_idl_txn_status result)
{
    bool ok = result == TXN_SUCCESS || result == TXN_UNCHANGED;
    bool again = result == TXN_TRY_AGAIN || result == TXN_NOT_LOCKED;

    if (!ok && !again) {
        log_failure(result);
        not_before[txn_kind] = time_msec() + RETRY_MS;
    }
    switch (txn_kind) {
    case TXN_PERSIST:
        finish_persist(ok, again);
        break;
    case TXN_RESULTS:
        has_results |= !ok;
        break;
    case TXN_ALERTS:
        ovsdb_alerts_done(alerts, ok);
        break;
    case TXN_STATUS:
    case N_TXNS:
        break;
    }
    ovs_mutex_lock(&mutex);
    shared.n_transactions++;
    shared.n_failures += !ok;
    if (!ok && !again) {
        free(shared.error);
        shared.error = xstrdup(ovsdb_idl_txn_get_error(txn));
    }
    ovs_mutex_unlock(&mutex);
    ovsdb_idl_txn_destroy(txn);
    txn = NULL;
}

static void
run_transaction(void)
{
    if (!txn) {
        start_transaction();
    }
    if (txn) {
        enum ovsdb_idl_txn_status result = ovsdb_idl_txn_commit(txn);

        if (result != TXN_INCOMPLETE) {
            finish_transaction(result);
            poll_immediate_wake();
        }
    }
}

/* The main loop. */

static void
update_shared(void)
{
    const struct mlogrec_multilog *root = idl ? ovsdb_config_root(idl) : NULL;
    struct ovsdb_alerts_stats stats;

    ovsdb_alerts_get_stats(alerts, &stats);
    ovs_mutex_lock(&mutex);
    if (!nullable_string_is_equal(shared.remote, remote)) {
        free(shared.remote);
        shared.remote = nullable_xstrdup(remote);
    }
    shared.connected = idl && ovsdb_idl_is_connected(idl);
    shared.locked = in_charge;
    shared.contended = idl && ovsdb_idl_is_lock_contended(idl);
    shared.cfg = root ? root->cfg : 0;
    shared.cur_cfg = cur_cfg;
    shared.cur_cut = cur_cut;
    shared.n_wrong = working ? 0 : mlog_config_n_wrong(multilog->config);
    shared.n_alerts = stats.n_written;
    shared.n_alerts_lost = stats.n_lost;
    shared.n_alerts_waiting = stats.n_waiting;
    ovs_mutex_unlock(&mutex);
}

static void
run_database(void)
{
    bool has_lock;

    ovsdb_idl_run(idl);
    has_lock = (ovsdb_idl_has_lock(idl) && ovsdb_idl_has_ever_connected(idl)
                && ovsdb_idl_is_connected(idl));
    if (txn && !has_lock) {
        /* Those that are outstanding have failed by now. */
        run_transaction();
    }
    if (has_lock && !in_charge) {
        ovsdb_alerts_begin(alerts, idl);
        must_look = true;
        memset(not_before, 0, sizeof not_before);
    }
    in_charge = has_lock;
    if (in_charge) {
        run_config();
        run_transaction();
    }
    ovsdb_idl_track_clear(idl);
}

static void
wait_database(void)
{
    ovsdb_idl_wait(idl);
    if (txn) {
        ovsdb_idl_txn_wait(txn);
    } else if (in_charge) {
        poll_timer_wait_until(not_before[TXN_STATUS]);
        if (!may_start(TXN_RESULTS)) {
            poll_timer_wait_until(not_before[TXN_RESULTS]);
        }
        if (!may_start(TXN_ALERTS)) {
            poll_timer_wait_until(not_before[TXN_ALERTS]);
        }
    }
    if (working) {
        poll_immediate_wake();
    }
}

static bool
is_exiting(void)
{
    bool value;

    ovs_mutex_lock(&mutex);
    value = exiting;
    ovs_mutex_unlock(&mutex);
    return value;
}

/* Until the database is there, what it wanted last is in force. */
static void
restore(void)
{
    bool done;

    ovsdb_cache_load(multilog);
    do {
        mlog_digest_lock(multilog->digest);
        done = mlog_config_run(multilog->config);
        mlog_digest_unlock(multilog->digest);
    } while (!done);
}

static void *
sync_main(void *aux OVS_UNUSED)
{
    restore();
    while (!is_exiting()) {
        latch_poll(&wake_latch);
        run_remote();
        if (idl) {
            run_database();
        }
        if (!in_charge) {
            refuse_requests();
        }
        expire_requests();
        update_shared();

        latch_wait(&wake_latch);
        if (probe) {
            ovsdb_probe_wait(probe);
        }
        if (idl) {
            wait_database();
        }
        poll_block();
    }
    disconnect();
    refuse_requests();
    return NULL;
}

/* For other threads: struct mlog_database. */

static char *
database_set_remote(const char *value)
{
    if (strcmp(value, "auto") && strcmp(value, "off")
        && stream_verify_name(value)) {
        return xstrdup("expected \"auto\", \"off\" or where the database is, "
                       "such as unix:/run/db.sock, tcp:127.0.0.1:6640 or "
                       "ssl:192.0.2.1:6640");
    }
    ovs_mutex_lock(&mutex);
    free(new_remote);
    new_remote = xstrdup(value);
    ovs_mutex_unlock(&mutex);
    wake();
    return NULL;
}

static void
database_get_status(struct mlog_database_status *copy)
{
    ovs_mutex_lock(&mutex);
    *copy = shared;
    copy->remote = nullable_xstrdup(shared.remote);
    copy->error = nullable_xstrdup(shared.error);
    ovs_mutex_unlock(&mutex);
}

static char *
database_persist(enum mlog_kind kind, const char *const argv[], size_t argc)
{
    struct request request = { .kind = kind, .argv = argv, .argc = argc };

    ovs_mutex_lock(&mutex);
    if (exiting) {
        ovs_mutex_unlock(&mutex);
        return xstrdup("ovs-vswitchd is exiting");
    }
    request.deadline = time_msec() + REQUEST_MS;
    ovs_list_push_back(&requests, &request.node);
    wake();
    while (!request.done) {
        ovs_mutex_cond_wait(&request_done, &mutex);
    }
    ovs_mutex_unlock(&mutex);
    return request.error;
}

static void
database_local_changed(void)
{
    ovs_mutex_lock(&mutex);
    local_change = true;
    ovs_mutex_unlock(&mutex);
    wake();
}

static const struct mlog_database database = {
    .set_remote = database_set_remote,
    .get_status = database_get_status,
    .persist = database_persist,
    .local_changed = database_local_changed,
};

/* What to start with. */
static char *
get_initial_remote(struct multilog *ml)
{
    struct mlog_settings settings = mlog_state_get_settings(ml->state);
    const char *env = getenv("MULTILOG_DB");

    return xstrdup(settings.ovsdb[0] ? settings.ovsdb
                   : env && *env ? env : "auto");
}

void
ovsdb_sync_init(struct multilog *ml)
{
    multilog = ml;
    latch_init(&wake_latch);
    alerts = ovsdb_alerts_create(ml, wake);
    ovs_mutex_lock(&mutex);
    new_remote = get_initial_remote(ml);
    ovs_mutex_unlock(&mutex);
    ml->database = &database;
    thread = ovs_thread_create("mlog_ovsdb", sync_main, NULL);
}

void
ovsdb_sync_exit(void)
{
    ovs_mutex_lock(&mutex);
    exiting = true;
    ovs_mutex_unlock(&mutex);
    wake();
    xpthread_join(thread, NULL);
    ovsdb_alerts_destroy(alerts);
    ovsdb_config_release(multilog);
    latch_destroy(&wake_latch);
}
