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

#include "mlog-query-copies.h"

#include <string.h>

#include "util.h"

/* An entry counts, for one hash, the packets and the records of each port.  A
 * port's n-th record belongs to the n-th packet, whichever port had that
 * first.  Packets that are older than MLOG_COPIES_NS get no more copies: a
 * port that comes in later, or has fallen behind, starts from there.  How many
 * those are is known from the counts at the start of periods of that length:
 * packets before the period before this one are too old.
 *
 * Entries are kept in a table of fixed size, two per bucket, of which the one
 * that was used less recently makes room. */
#define N_BUCKETS 32768

struct entry {
    uint64_t hash;              /* 0: unused. */
    uint64_t start;             /* Of the period, ns. */
    uint64_t last;              /* Time of the latest record, ns. */
    uint32_t n;                 /* Packets... */
    uint32_t n_start;           /* ...at 'start'... */
    uint32_t n_old;             /* ...and of these, too old. */
    uint16_t next_port;         /* Of 'ports', to be replaced next. */
    uint16_t n_ports;
    uint16_t ports[MLOG_COPIES_PORTS];
    uint32_t n_records[MLOG_COPIES_PORTS];
};

struct mlog_copies {
    struct entry entries[N_BUCKETS][2];
};

struct mlog_copies *
mlog_copies_create(void)
{
    return xzalloc(sizeof(struct mlog_copies));
}

void
mlog_copies_destroy(struct mlog_copies *copies)
{
    free(copies);
}

static struct entry *
find_entry(struct mlog_copies *copies, uint64_t hash, uint64_t time)
{
    struct entry *bucket = copies->entries[hash % N_BUCKETS];
    struct entry *entry = &bucket[bucket[0].hash != hash];

    if (entry->hash != hash) {
        entry = &bucket[bucket[0].last > bucket[1].last];
        *entry = (struct entry) { .hash = hash, .start = time };
    }
    entry->last = time;
    return entry;
}

/* All the records so far came until MLOG_COPIES_NS after 'start': a later one
 * begins a period. */
static void
begin_period(struct entry *entry, uint64_t time)
{
    uint64_t passed = time - entry->start;

    if (passed > MLOG_COPIES_NS) {
        entry->n_old = (passed > 2 * MLOG_COPIES_NS ? entry->n
                        : entry->n_start);
        entry->n_start = entry->n;
        entry->start = time;
    }
}

static uint32_t *
find_port(struct entry *entry, uint16_t port)
{
    uint16_t i;

    for (i = 0; i < entry->n_ports; i++) {
        if (entry->ports[i] == port) {
            return &entry->n_records[i];
        }
    }
    if (entry->n_ports < MLOG_COPIES_PORTS) {
        entry->n_ports++;
    } else {
        i = entry->next_port++ % MLOG_COPIES_PORTS;
    }
    entry->ports[i] = port;
    entry->n_records[i] = 0;
    return &entry->n_records[i];
}

bool
mlog_copies_add(struct mlog_copies *copies, uint64_t hash, uint16_t port,
                uint64_t time)
{
    struct entry *entry = find_entry(copies, hash ? hash : 1, time);
    uint32_t *n_records;

    begin_period(entry, time);
    n_records = find_port(entry, port);
    *n_records = MAX(*n_records, entry->n_old) + 1;
    if (*n_records <= entry->n) {
        return true;
    }
    entry->n = *n_records;
    return false;
}
