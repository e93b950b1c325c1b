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

#ifndef MLOG_HEADERS_H
#define MLOG_HEADERS_H 1

/* The packet parser, the only one of the project.
 *
 * Reads the outermost Ethernet, VLAN, ARP, IPv4, IPv6, TCP, UDP, SCTP, ICMP
 * and ICMPv6 headers.  Fields mean what ovs-fields(7) says, with two
 * differences, because a log should show what was on the wire rather than
 * what may be acted on: a header counts as present as soon as the bytes of
 * the field were captured, even where OVS refuses the packet because a length
 * field contradicts it; and any number of VLAN tags (0x8100, 0x88a8, 0x9100)
 * is skipped, of which the first two are kept.
 *
 * Every byte of input may be hostile. */

#include <stddef.h>
#include <stdint.h>

#include "mlog-record.h"

/* Parses the 'n' captured bytes at 'data' of a packet of 'pkt_len' bytes.
 * Fills in all of '*key' but 'in_port', which is MLOG_PORT_NONE, and all of
 * '*row' but 'time_port', 'flow' and 'reason', which are zero. */
void mlog_headers_parse(const uint8_t *data, size_t n, uint32_t pkt_len,
                        struct mlog_flow_key *key, struct mlog_row *row);

#endif /* mlog-headers.h */
