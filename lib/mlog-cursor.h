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

#ifndef MLOG_CURSOR_H
#define MLOG_CURSOR_H 1

/* Cursors
 * =======
 *
 * Where an answer ended, as a word that the user gives back to get what
 * follows.  Nothing is kept here between the two: all that is needed is in the
 * word, and a digest of the query, so that a cursor isn't taken for that of
 * another query.
 *
 * The word has a checksum.  That is against mistakes: whoever forges a cursor
 * gets an answer to a query that he might have asked anyway.
 *
 * Thread-safety: none needed; all functions work on their arguments alone. */

#include <stdbool.h>
#include <stdint.h>

#include "mlog-place.h"
#include "openvswitch/compiler.h"

struct ds;

enum mlog_cursor_kind {
    MLOG_CURSOR_OLDEST = 1,     /* Rows after 'place'. */
    MLOG_CURSOR_NEWEST,         /* Rows before 'place'. */
    MLOG_CURSOR_SKIP,           /* Rows in an order, or groups: after the first
                                 * 'done'. */
    MLOG_CURSOR_SINCE_PLACE,    /* To follow: rows after 'place'... */
    MLOG_CURSOR_SINCE_TIME,     /* ...or later than 'time'. */
};

struct mlog_cursor {
    enum mlog_cursor_kind kind;
    uint64_t digest;            /* Of the query. */
    uint64_t cut;               /* Of the first page, ns. */
    uint64_t time;              /* Of the row at 'place', or see above, ns. */
    struct mlog_place place;
    uint64_t done;              /* Rows or groups shown. */
    uint64_t count, bytes;      /* All that match at 'cut'. */
    uint64_t n_expired;         /* When the first page was made. */
};

/* Appends the word. */
void mlog_cursor_format(const struct mlog_cursor *, struct ds *);

/* Returns false if 'text' isn't one. */
bool mlog_cursor_parse(const char *text, struct mlog_cursor *)
    OVS_WARN_UNUSED_RESULT;

/* A digest of what it is fed with, in that order. */
void mlog_cursor_digest(uint64_t *digest, const char *text);

#endif /* mlog-cursor.h */
