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


#ifndef MLOG_DUMP_H
#define MLOG_DUMP_H 1

/* Archives, offline
 * =================
 *
 * What multilog-dump does: prints records of archived segments, or what is
 * known of the files.  Files are read one after the other, so memory is
 * bounded by the largest; output is written as it comes.
 *
 * A file that cannot be read is complained of and left out.
 *
 * Thread-safety: a dump belongs to one thread at a time. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mlog-expr.h"
#include "mlog-fields.h"
#include "mlog-output.h"

enum mlog_dump_what {
    MLOG_DUMP_RECORDS,
    MLOG_DUMP_COUNT,            /* How many records. */
    MLOG_DUMP_LIST,             /* The files. */
    MLOG_DUMP_VERIFY,           /* The files, after reading all of each. */
};

struct mlog_dump_options {
    enum mlog_dump_what what;
    enum mlog_format format;
    bool pcapng;                /* Records: instead of 'format'. */
    const struct mlog_expr *expr;       /* NULL: everything. */
    uint64_t since, until;      /* ns, both included. */
    uint64_t limit;             /* Of records. */
    const struct mlog_field *fields[MLOG_N_FIELDS];
    size_t n_fields;            /* 0: the default ones. */
    const char *application;    /* Who says to have written a capture. */

    /* Takes output; returns 0 or an errno, which ends the dump. */
    int (*write)(void *aux, const void *data, size_t n);

    /* Takes a message about a file, without new-line. */
    void (*complain)(void *aux, const char *message);
    void *aux;
};

struct mlog_dump;

struct mlog_dump *mlog_dump_create(const struct mlog_dump_options *);
void mlog_dump_destroy(struct mlog_dump *);

/* Adds a file or all files of a directory. */
void mlog_dump_add(struct mlog_dump *, const char *path);

/* Returns 0 or an errno of 'write'. */
int mlog_dump_run(struct mlog_dump *);

/* How many files, or parts of files, were complained of so far. */
size_t mlog_dump_n_problems(const struct mlog_dump *);

#endif /* mlog-dump.h */
