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


#ifndef MLOG_QUERY_CONVERSATIONS_H
#define MLOG_QUERY_CONVERSATIONS_H 1

/* Conversations
 * =============
 *
 * Both directions of a flow as one.  A conversation is all packets between two
 * endpoints that agree in VLANs, Ethernet type and protocol, whichever ports
 * of the switch they came in and went out by.  An endpoint is:
 *
 *   - an address and port, for TCP, UDP and SCTP;
 *   - an address, for what else is IP (all ICMP between two addresses is one
 *     conversation, and all later fragments of a protocol are one), and for
 *     ARP;
 *   - a MAC address for other frames.
 *
 * A packet that has several records, as it left by several ports, counts once
 * in its direction (see mlog-query-copies.h).  One that comes in again, after
 * a detour outside the switch, counts again.
 *
 * Thread-safety
 * =============
 *
 * Any number of threads may query one snapshot.  A result belongs to one
 * thread, and does not depend on the snapshot. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mlog-query.h"

/* What went in one direction. */
struct mlog_conversation_way {
    uint64_t packets;
    uint64_t bytes;
    uint16_t tcp_flags;         /* All that were seen. */
    bool syn;                   /* A SYN without ACK... */
    bool syn_ack;               /* ...and one with ACK was seen. */
};

enum mlog_answer {
    MLOG_UNANSWERED,            /* Nothing came back. */
    MLOG_ANSWERED,
    MLOG_ANSWER_UNKNOWN,        /* Nothing did that the expression lets by. */
    MLOG_ANSWER_SELF,           /* Both endpoints are the same. */
};

struct mlog_conversation {
    struct mlog_flow_key key;   /* From A to B; without ICMP type and code, ARP
                                 * opcode and MAC addresses of IP and ARP. */
    struct mlog_conversation_way ab, ba;
    bool tcp;                   /* TCP headers were seen. */
    uint64_t dropped;           /* Records of drops. */
    uint64_t first, last;       /* Times of records, ns. */
    bool began_b;               /* B began: A was seen first, but answers a
                                 * SYN. */
    enum mlog_answer answer;
};

/* Text for the state of a TCP conversation, NULL for others:
 *
 *   syn-sent       a SYN, and nothing from the other side
 *   syn-received   a SYN was answered, but that was not acknowledged
 *   established    with a SYN, no end yet
 *   midstream      neither beginning nor end was seen
 *   closing        a FIN from one side
 *   closed         a FIN from both sides
 *   refused        a SYN was answered with RST
 *   reset          any other RST */
const char *mlog_conversation_state(const struct mlog_conversation *);

struct mlog_conversations;

/* Finds the conversations of the records of 'range'.  With 'whole', they are
 * those that have a record that matches the expression, but count all their
 * records within the times of 'range'.
 *
 * Errors are those of mlog-query.h. */
int mlog_query_conversations(const struct mlog_snapshot *,
                             const struct mlog_range *,
                             const struct mlog_budget *, bool whole,
                             struct mlog_conversations **);
void mlog_conversations_destroy(struct mlog_conversations *);

const struct mlog_query_totals *mlog_conversations_totals(
    const struct mlog_conversations *);
size_t mlog_conversations_count(const struct mlog_conversations *);
size_t mlog_conversations_count_by_answer(const struct mlog_conversations *,
                                          enum mlog_answer);

enum mlog_conversations_by {
    MLOG_CONVERSATIONS_BY_BYTES,
    MLOG_CONVERSATIONS_BY_PACKETS,
    MLOG_CONVERSATIONS_BY_DURATION,
};

/* Returns, for the caller to free, at most 'n' conversations ('*n_out' of
 * them), those of most packets, bytes or nanoseconds first; equal ones in the
 * order of their first records.  With 'unanswered', only those are meant that
 * have no answer.  They live as long as the result. */
const struct mlog_conversation **mlog_conversations_top(
    const struct mlog_conversations *, enum mlog_conversations_by,
    bool unanswered, size_t n, size_t *n_out);

#endif /* mlog-query-conversations.h */
