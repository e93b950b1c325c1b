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


#ifndef MLOG_QUERY_COPIES_H
#define MLOG_QUERY_COPIES_H 1

/* Copies of a packet
 * ==================
 *
 * A packet that is flooded, mirrored or multicast has a record for each port
 * that it leaves by.  Who counts packets, not records, tells copies here by
 * what records have in common and by their ports:
 *
 *     hash = hash of what all copies of a packet share;
 *     if (!mlog_copies_add(copies, hash, port, time)) {
 *         a packet more;
 *     }
 *
 * Of several records that agree in 'hash' within MLOG_COPIES_NS, as many are
 * packets as the port has that has most of them; so a packet that is sent
 * again by the same port is another packet.  Packets that can't be told from
 * each other and go to more than MLOG_COPIES_PORTS ports may be counted too
 * few times, and, beyond some ten thousand packets in that time, copies may be
 * counted as packets.
 *
 * Thread-safety
 * =============
 *
 * None. */

#include <stdbool.h>
#include <stdint.h>

#define MLOG_COPIES_NS UINT64_C(10000000)
#define MLOG_COPIES_PORTS 8

struct mlog_copies *mlog_copies_create(void);
void mlog_copies_destroy(struct mlog_copies *);

/* Adds a record, no older than the last one, of 'time' in ns.  'port' is any
 * number that stands for where the packet went.  Returns true if the record is
 * a copy of a packet that has one already. */
bool mlog_copies_add(struct mlog_copies *, uint64_t hash, uint16_t port,
                     uint64_t time);

#endif /* mlog-query-copies.h */
