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


#ifndef MLOG_WIRE_H
#define MLOG_WIRE_H 1

/* Between hosts and aggregators
 * =============================
 *
 * A host connects to each aggregator that it is told of and keeps the
 * connection; nothing listens on a host.  What is said is JSON-RPC 1.0
 * (jsonrpc(7) of Open vSwitch), over TLS, TCP or a Unix socket.  Either side
 * may probe the other with "echo".
 *
 * From the host:
 *
 *   "register" [{"protocol": N, "host": NAME, "life": UUID, "version": TEXT}]
 *       First of all.  The result is {"protocol": N, "aggregator": NAME}.  An
 *       error says why the host is refused; it may try again later.  Over TLS,
 *       NAME must be the common name of the host's certificate.
 *
 *   "inventory" [INVENTORY]        (notification)
 *       What the host has (mlog-inventory.h); again whenever it changes.
 *
 *   "clock" [CLOCK]                (notification)
 *       How good its clock is; again from time to time.
 *
 * From the aggregator, to a host that is registered:
 *
 *   "execute" [CALL, [WORD, ...]]
 *       Executes a command of mlog-command.h that changes nothing.  CALL is a
 *       number of the aggregator's choice.  The result is the command's answer
 *       in JSON.
 *
 *   "cancel" [CALL]                (notification)
 *       Abandons it; it is answered with an error.
 *
 * Neither side trusts the other: what is not understood is answered with an
 * error, what is too much ends the connection. */

#include "openvswitch/compiler.h"

#define MLOG_WIRE_PROTOCOL 1
#define MLOG_WIRE_PORT 6690

/* Longest name of a host or an aggregator. */
#define MLOG_WIRE_MAX_NAME 64

/* Of the calls that one aggregator may have under way at one host; longest
 * answer, in bytes. */
#define MLOG_WIRE_MAX_CALLS 64
#define MLOG_WIRE_MAX_ANSWER (16u << 20)

/* Words, and bytes of all words, of a command. */
#define MLOG_WIRE_MAX_WORDS 64
#define MLOG_WIRE_MAX_COMMAND 65536

/* Bytes that may wait for a peer that doesn't read. */
#define MLOG_WIRE_MAX_BACKLOG (64u << 20)

/* Check the name of a host or an aggregator, and targets to connect to,
 * separated by commas or spaces.  Return a message for the caller to free, or
 * NULL. */
char *mlog_wire_check_name(const char *name) OVS_WARN_UNUSED_RESULT;
char *mlog_wire_check_targets(const char *targets) OVS_WARN_UNUSED_RESULT;

#endif /* mlog-wire.h */
