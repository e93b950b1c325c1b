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


#ifndef MLOG_REBUILD_H
#define MLOG_REBUILD_H 1

/* Headers from records
 * ====================
 *
 * The inverse of mlog-headers.h, for programs that want to see packets.  A
 * record doesn't have all of a header; what is missing is made up so that
 * parsers find the record's fields in their places, and lengths that agree
 * with the packet's:
 *
 *   - of two VLAN tags the outer is 802.1ad, a single one 802.1Q;
 *   - IP options and extension headers are left out, but for the fragment
 *     header; a later fragment is at offset 8;
 *   - TCP options are NOPs: see mlog_rebuild_tcp_options();
 *   - what a TCP segment without PSH has in a frame of least length is taken
 *     for padding;
 *   - the rest of an ICMP header is zero, and so are checksums above IP; the
 *     IPv4 header's is right.
 *
 * Thread-safety: all functions may be called from any thread at any time. */

#include <stddef.h>
#include <stdint.h>

#include "mlog-record.h"

/* Ethernet, two tags, IPv6, fragment header, TCP with options. */
#define MLOG_REBUILT_MAX (14 + 8 + 40 + 8 + 60)

/* Writes the headers of a packet to 'buf', and returns their length, which
 * does not exceed the packet's.  It is 0 if none was recorded.
 * 'tcp_options' is the length of TCP options to assume, unless the packet is
 * too short for that or has SYN set. */
size_t mlog_rebuild_headers(const struct mlog_flow_key *,
                            const struct mlog_row *, size_t tcp_options,
                            uint8_t buf[MLOG_REBUILT_MAX]);

/* Returns, for the caller to free, the length of TCP options to assume for the
 * packets of each flow.  Without it, options would look like payload, and
 * each acknowledgment like data sent again.
 *
 * A record doesn't tell.  But if options are there at all, they nearly always
 * are a time stamp, 12 bytes; and if that is how much a flow's shortest packet
 * exceeds its headers, then it is one. */
uint8_t *mlog_rebuild_tcp_options(const struct mlog_row *, size_t n_rows,
                                  const struct mlog_flow_key *,
                                  size_t n_flows);

#endif /* mlog-rebuild.h */
