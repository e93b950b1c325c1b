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

#ifndef TESTS_STRESS_STRESS_HISTORY_H
#define TESTS_STRESS_STRESS_HISTORY_H 1

/* What the parts of stress-history share: the program itself, what it writes
 * and reads (history-rows.c), and what has to agree with that
 * (history-derived.c). */

#include <stdbool.h>
#include <stdint.h>

#include "history.h"
#include "multilog.h"
#include "stress.h"

struct options {
    uint32_t seed;
    uint32_t first;
    uint32_t histories;
    double seconds;
    unsigned int writers, readers, batches, cuts, turnover;
    unsigned int pin_bound;             /* us; 0: as it is. */
    unsigned int digest_threads;        /* Now and then another number. */
};

extern struct options options;
extern struct multilog *ml;
extern uint32_t round_number;

/* Reports a failure with the history, and exits. */
void fail(const char *format, ...) OVS_PRINTF_FORMAT(1, 2) OVS_NO_RETURN;

/* Fails unless "WHAT NAME" is as the rows say. */
void expect(const char *what, const char *name, uint64_t found,
            uint64_t expected);

/* Contents: history-rows.c. */

/* What a record is made of.
 *
 * A row says which batch of which writer it belongs to, its position there
 * and how many records the batch has.  The rest of it is a function of that.
 * Batches have the number round * batches + i. */

struct content {
    uint32_t writer;
    uint32_t batch;
    uint32_t index;             /* Within the batch... */
    uint32_t n;                 /* ...of so many records. */
    bool wide;                  /* Each packet takes four slots. */
};

#define PACKET_MAX 304

uint32_t content_len(const struct content *);
uint16_t content_flags(const struct content *);

/* Stores the packet, content_len() bytes. */
void make_packet(uint8_t bytes[PACKET_MAX], const struct content *);

/* A row, as a reader found it. */
struct row {
    struct content content;
    uint32_t round;             /* Of its batch. */
    uint32_t flow;              /* Index. */
    uint32_t len;
    uint16_t flags;
    uint64_t time;              /* ns. */
    bool whole;                 /* Row and flow are those of 'content'. */
};

/* Goes through the rows of a snapshot from a position on, which counts rows
 * since the beginning of the log.  Ends early, with 'refused', if a segment
 * has been taken away. */
struct cursor {
    const struct mlog_snapshot *snapshot;
    size_t segment;
    uint32_t row;
    bool refused;
};

struct cursor cursor_at(const struct mlog_snapshot *, uint64_t position);
struct cursor cursor_at_end(const struct mlog_snapshot *);
bool cursor_next(struct cursor *, struct row *);
bool cursor_previous(struct cursor *, struct row *);

/* A row that any other can follow. */
extern const struct row no_row;

/* Fails unless 'row' can follow 'previous': the rows of a batch follow one
 * another, all of them; they have one time. */
void check_row(const struct row *row, const struct row *previous);
void check_last_row(const struct row *);

/* Checks all of a snapshot that was taken in round 'taken_in', but for segments
 * that have been taken away.  Returns the number of those.  If 'linger' isn't
 * 0, that many ns pass within one or two of them, now and then. */
size_t check_snapshot(const struct mlog_snapshot *, uint32_t taken_in,
                      struct rng *, uint32_t linger);

/* What is derived: history-derived.c. */

/* Filters. */
enum { ALL, FIRST, SYN, LARGE, NONE, N_FILTERS };

/* What filters and aggregates have to say about some records. */
struct totals {
    uint64_t rows;
    uint64_t packets[N_FILTERS];
    uint64_t bytes[N_FILTERS];
    uint64_t by_source[HISTORY_MAX_THREADS];
    uint64_t by_flags[2];       /* Bytes: SYN, ACK. */
    uint64_t lost;
};

/* What a cut has of this round. */
struct reading {
    struct totals totals;
    struct flow {
        uint32_t index;
        uint64_t packets, bytes, first, last;
    } flows[HISTORY_MAX_THREADS][2];
    uint64_t time;              /* Of the newest row. */
};

extern struct totals before;    /* All records of earlier rounds. */
extern uint64_t before_time;    /* Cut that had them, ns. */

void totals_add(struct totals *, const struct content *);

/* Adds filters and aggregates. */
void install_stream(void);

/* Compares all that is derived with 'reading', which is of 'snapshot'.  The
 * digest must be locked since before that was taken. */
void check_derived(const struct mlog_snapshot *snapshot,
                   const struct reading *reading, struct rng *);
uint64_t count_alerts(void);

#endif /* tests/stress/stress-history.h */
