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

#ifndef OVSDB_PRIVATE_H
#define OVSDB_PRIVATE_H 1

/* What vswitchd-ext/ovsdb-*.c share.
 *
 * Everything is for the thread of ovsdb-sync.c, unless said otherwise. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mlog-config.h"

struct mlogrec_multilog;
struct multilog;
struct ovsdb_idl;
struct ovsdb_idl_txn;

/* Sets COLUMN of ROW, unless the server has an older schema without it. */
#define PUT(IDL, TABLE, ROW, COLUMN, ...)                               \
    do {                                                                \
        if (ovsdb_idl_server_has_column(                                \
                IDL, &mlogrec_##TABLE##_col_##COLUMN)) {                \
            mlogrec_##TABLE##_set_##COLUMN(ROW, __VA_ARGS__);           \
        }                                                               \
    } while (0)

/* Transactions with more rows would keep alerts waiting. */
#define OVSDB_MAX_ROWS 500

/* Looking for a database (ovsdb-probe.c).
 *
 * Asks the server at 'remote' every 'interval' ms whether it has the database,
 * and logs nothing if there is no such server. */
struct ovsdb_probe;
struct ovsdb_probe *ovsdb_probe_create(const char *remote,
                                       const char *database);
void ovsdb_probe_destroy(struct ovsdb_probe *);
void ovsdb_probe_soon(struct ovsdb_probe *);

/* Returns true once it has been found. */
bool ovsdb_probe_run(struct ovsdb_probe *);
void ovsdb_probe_wait(struct ovsdb_probe *);

/* From rows to what is in force (ovsdb-config.c). */

/* Adds the columns that are needed to 'idl'. */
void ovsdb_config_register(struct ovsdb_idl *);

/* Returns a number that changes when what is to be brought in force does, not
 * with each alert or status.  Changes are forgotten by
 * ovsdb_idl_track_clear(). */
unsigned int ovsdb_config_seqno(const struct ovsdb_idl *);

/* The root row, or NULL. */
const struct mlogrec_multilog *ovsdb_config_root(const struct ovsdb_idl *);

/* Tells multilog's config what the rows want. */
void ovsdb_config_want(struct ovsdb_idl *, struct multilog *);

/* Brings the root row's settings in force, which may take a while.  Returns
 * NULL, or what is wrong with them, to be freed. */
char *ovsdb_config_set(struct ovsdb_idl *, struct multilog *);

/* Gives the settings free. */
void ovsdb_config_release(struct multilog *);

/* Within a transaction: says of each row whether it is in force, where it does
 * not yet, of at most OVSDB_MAX_ROWS rows.  Returns true if that is all. */
bool ovsdb_config_put_results(struct ovsdb_idl *, struct multilog *);

/* Within a transaction: inserts the row for 'argv'.  Returns NULL, or an error
 * message to be freed. */
char *ovsdb_config_insert(struct ovsdb_idl *, struct ovsdb_idl_txn *,
                          enum mlog_kind, const char *const argv[],
                          size_t argc);

/* The same for the rows of presets (ovsdb-preset.c); after the others. */
void ovsdb_preset_want(struct ovsdb_idl *, struct multilog *);
void ovsdb_preset_release(void);

/* '*n' counts rows. */
void ovsdb_preset_put_results(struct ovsdb_idl *, struct multilog *,
                              size_t *n);

/* What is in force, kept for the next process (ovsdb-cache.c). */
void ovsdb_cache_save(const struct multilog *);
void ovsdb_cache_remove(const struct multilog *);

/* Tells multilog's config that what was saved is wanted. */
void ovsdb_cache_load(const struct multilog *);

/* Status (ovsdb-status.c). */
void ovsdb_status_register(struct ovsdb_idl *);

/* Takes the status as it is now. */
struct ovsdb_status *ovsdb_status_create(struct multilog *,
                                         uint64_t n_alerts_lost);
void ovsdb_status_destroy(struct ovsdb_status *);

/* Within a transaction: writes what differs of it, of at most some
 * OVSDB_MAX_ROWS rows.  Returns true if that is all. */
bool ovsdb_status_put(const struct ovsdb_status *, struct ovsdb_idl *,
                      struct ovsdb_idl_txn *);

/* Alerts (ovsdb-alerts.c). */
struct ovsdb_alerts;
struct ovsdb_alerts *ovsdb_alerts_create(struct multilog *,
                                         void (*wake)(void));
void ovsdb_alerts_destroy(struct ovsdb_alerts *);

/* Takes alerts from now on, and those that the alert log still has. */
void ovsdb_alerts_start(struct ovsdb_alerts *);

/* Takes none any more, and forgets those not written. */
void ovsdb_alerts_stop(struct ovsdb_alerts *);

void ovsdb_alerts_register(struct ovsdb_idl *);

/* This process is in charge of the database from now on. */
void ovsdb_alerts_begin(struct ovsdb_alerts *, struct ovsdb_idl *);

/* Within a transaction: inserts what is new, as much as is good at a time,
 * and deletes what is too old.  Then ovsdb_alerts_done() must tell what became
 * of it. */
void ovsdb_alerts_put(struct ovsdb_alerts *, struct ovsdb_idl *,
                      struct ovsdb_idl_txn *, size_t max_rows);
void ovsdb_alerts_done(struct ovsdb_alerts *, bool ok);

struct ovsdb_alerts_stats {
    size_t n_waiting;
    uint64_t n_written;
    uint64_t n_lost;            /* There were too many. */
};
void ovsdb_alerts_get_stats(struct ovsdb_alerts *,
                            struct ovsdb_alerts_stats *);

#endif /* ovsdb-private.h */
