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

#ifndef MLOG_CONFIG_H
#define MLOG_CONFIG_H 1

/* Configuration from a database
 * =============================
 *
 * A database says which filters, aggregates and triggers it wants to be there,
 * all of them at a time.  This finds out what has to be added to and deleted
 * from the stream (mlog-stream.h) to get there, and does it in the order of
 * their dependencies.  What doesn't change is not touched, and goes on
 * counting.
 *
 * What was added for the database is *owned* by it.  The rest is *local*:
 * added by commands, and never changed by this.
 *
 *   - What is wrong has an error and changes nothing else.  If it was right
 *     before, what it was stays.
 *
 *   - A change of a filter or an aggregate deletes it and what is based on it,
 *     and adds all of it again.
 *
 *   - What is wanted under the name of something local is an error, unless
 *     that is the same: then it becomes owned as it is.
 *
 *   - What local things are based on can't change.  When it is no longer
 *     wanted it stays, as local.
 *
 * Thread-safety
 * =============
 *
 * One thread calls the functions of "What is wanted" and "Results".  The
 * others say what they need. */

#include <stdbool.h>
#include <stddef.h>

#include "mlog-stream.h"

struct mlog_config;
struct svec;

struct mlog_config *mlog_config_create(struct mlog_stream *);
void mlog_config_destroy(struct mlog_config *);

/* Whether 'name' is owned by the database, for any thread that holds
 * mlog_digest_lock(). */
bool mlog_config_owns(const struct mlog_config *, enum mlog_kind,
                      const char *name);

/* Whether 'argv', of at least two words, says of the local or owned 'argv[0]'
 * what it is already; for the same threads. */
bool mlog_config_is_same(struct mlog_config *, enum mlog_kind,
                         const char *const argv[], size_t argc);

/* Settings (multilog/set) that the database has set; for any thread. */
void mlog_config_own_setting(struct mlog_config *, const char *key, bool own);
bool mlog_config_owns_setting(struct mlog_config *, const char *key);

/* Forgets what was wanted: what is in force stays, as local.  The caller holds
 * mlog_digest_lock(). */
void mlog_config_release(struct mlog_config *);

/* What is wanted.
 *
 * Everything is said between begin and end; the work that is left from before
 * must be done.  'argv' is as the functions of mlog-stream.h take it, with at
 * least the words that they need.  mlog_config_want() returns false and
 * changes nothing if 'argv[0]' is wanted already. */
void mlog_config_begin(struct mlog_config *);
bool mlog_config_want(struct mlog_config *, enum mlog_kind,
                      const char *const argv[], size_t argc);

/* Whether something is wanted already, right or wrong. */
bool mlog_config_is_wanted(const struct mlog_config *, enum mlog_kind,
                           const char *name);

/* 'name' is there but can't be expressed, because of 'error'. */
void mlog_config_want_wrong(struct mlog_config *, enum mlog_kind,
                            const char *name, const char *error);

/* Everything of this kind that is there is wanted. */
void mlog_config_want_same(struct mlog_config *, enum mlog_kind);
void mlog_config_end(struct mlog_config *);

/* Does some of the work, and returns true if none is left.  The caller holds
 * mlog_digest_lock() and calls again; each call takes about a millisecond. */
bool mlog_config_run(struct mlog_config *);

/* Results, when no work is left. */
enum mlog_config_state {
    MLOG_CONFIG_ACTIVE,         /* In force. */
    MLOG_CONFIG_WRONG,          /* 'error' says why not. */
    MLOG_CONFIG_WAITING,        /* Right, but what it is based on isn't. */
};

/* Stores NULL or what is wrong, beginning with the name of a column of the
 * database, in '*error'; valid until the next change. */
enum mlog_config_state mlog_config_get(const struct mlog_config *,
                                       enum mlog_kind, const char *name,
                                       const char **error);

/* Calls 'visit' with the words of everything that is in force and owned:
 * filters, then aggregates, then triggers. */
void mlog_config_visit(const struct mlog_config *,
                       void (*visit)(enum mlog_kind, const struct svec *words,
                                     void *aux), void *aux);

/* Number of things that are wanted and not in force. */
size_t mlog_config_n_wrong(const struct mlog_config *);

#endif /* mlog-config.h */
