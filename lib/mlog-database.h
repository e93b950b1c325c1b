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

#ifndef MLOG_DATABASE_H
#define MLOG_DATABASE_H 1

/* What commands need to know of the database that configures this process.
 * The OVSDB client is elsewhere, since not every process has one.
 *
 * Thread-safety
 * =============
 *
 * The functions may be called from any thread that may wait. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mlog-config.h"

struct mlog_database_status {
    char *remote;               /* For the caller to free; NULL: none. */
    bool connected;
    bool locked;                /* This process is the one in charge. */
    bool contended;             /* Another one is. */
    int64_t cfg, cur_cfg;
    uint64_t cur_cut;           /* ns. */
    size_t n_wrong;             /* Things that are wanted and not in force. */
    uint64_t n_alerts;          /* Written. */
    uint64_t n_alerts_lost;
    size_t n_alerts_waiting;
    uint64_t n_transactions;
    uint64_t n_failures;        /* Transactions that failed. */
    char *error;                /* For the caller to free; NULL: none. */
};

struct mlog_database {
    /* Uses the database at 'remote' (ovsdb(7)) from now on, or with "off"
     * none, or with "auto" that of the local ovsdb-server if it has one.
     * Returns NULL or an error message to be freed. */
    char *(*set_remote)(const char *remote);

    void (*get_status)(struct mlog_database_status *);

    /* Inserts a row that says 'argv' (mlog-stream.h) and waits until that is
     * committed.  Returns NULL or an error message to be freed. */
    char *(*persist)(enum mlog_kind, const char *const argv[], size_t argc);

    /* A command has changed the stream; doesn't wait. */
    void (*local_changed)(void);
};

#endif /* mlog-database.h */
