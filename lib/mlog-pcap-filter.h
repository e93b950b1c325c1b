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

#ifndef MLOG_PCAP_FILTER_H
#define MLOG_PCAP_FILTER_H 1

/* Filters in the language of pcap-filter(7)
 * =========================================
 *
 * libpcap compiles the text into a program for a virtual machine that looks at
 * the bytes of a packet.  A record doesn't have all of a packet: the program
 * is executed on the headers that mlog-rebuild.h makes of it, together with
 * what is known of each of their bits.  A program that asks for something
 * unknown, the payload or a checksum, say, gets no made-up answer:
 *
 *   - mlog_pcap_filter_compile() refuses a filter that needs what is recorded
 *     of no packet, as long as the packet is whole;
 *
 *   - a record for which the program can't decide doesn't match, and is
 *     counted: mlog_pcap_filter_n_undecided().
 *
 * Tags: without the word "vlan" in the text, the program sees the packet as if
 * it had no VLAN tags; else it sees the two that are recorded.  It sees none
 * of the IPv6 extension headers but for fragments, and nothing inside a
 * tunnel's packet.
 *
 * The text may be hostile.  Names of hosts, networks, ports and protocols are
 * refused, for they might be looked up over the network.
 *
 * Thread-safety: any number of threads may compile, and use one filter. */

#include <stdint.h>

#include "mlog-expr.h"
#include "mlog-record.h"

#define MLOG_PCAP_MAX_TEXT 4096     /* Bytes of text. */
#define MLOG_PCAP_MAX_WORDS 512

struct mlog_pcap_filter;

/* Compiles 'text'.  Returns the filter, or NULL after setting 'error', which
 * must be initialised. */
struct mlog_pcap_filter *mlog_pcap_filter_compile(const char *text,
                                                  struct mlog_error *error)
    OVS_WARN_UNUSED_RESULT;

struct mlog_pcap_filter *mlog_pcap_filter_ref(struct mlog_pcap_filter *);

/* Accepts NULL. */
void mlog_pcap_filter_unref(struct mlog_pcap_filter *);

/* Whether the filter matches; MLOG_MAYBE without a row that it needs. */
enum mlog_tri mlog_pcap_filter_eval(const struct mlog_pcap_filter *,
                                    const struct mlog_record *);

/* For how many records mlog_pcap_filter_eval() could not decide. */
uint64_t mlog_pcap_filter_n_undecided(const struct mlog_pcap_filter *);

/* Returns an expression that is true where 'expr', which it takes over, and
 * 'filter' are. */
struct mlog_expr *mlog_pcap_filter_and(struct mlog_expr *expr,
                                       struct mlog_pcap_filter *filter);

#endif /* mlog-pcap-filter.h */
