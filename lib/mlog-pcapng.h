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


#ifndef MLOG_PCAPNG_H
#define MLOG_PCAPNG_H 1

/* Records as a capture file
 * =========================
 *
 * Writes pcapng, which Wireshark, tshark and tcpdump read: rebuilt headers
 * (mlog-rebuild.h) as far as they go, the packet's original length, its time
 * in nanoseconds.  Each ingress port is an interface, with its name.  What the
 * format has no field for is each packet's comment: where it went, or why it
 * was dropped.
 *
 *   pcapng   one section header block
 *            one interface description block per port, before its first use
 *            one enhanced packet block per record
 *
 * A packet that came from no port (from the controller, say) belongs to the
 * port that it left by, as an outbound one, or else to an interface "none".
 *
 * Thread-safety: a writer belongs to one thread at a time. */

#include <stddef.h>

#include "mlog-record.h"

struct mlog_pcapng;
struct ofpbuf;

struct mlog_pcapng *mlog_pcapng_create(void);
void mlog_pcapng_destroy(struct mlog_pcapng *);

/* Appends what a file begins with to 'out'.  'application' is who writes it;
 * 'host', if not NULL, whose packets these are. */
void mlog_pcapng_put_start(struct mlog_pcapng *, const char *application,
                           const char *host, struct ofpbuf *out);

/* Appends one record.  Ports are identifiers of this process (mlog-ports.h).
 * 'tcp_options' is as in mlog_rebuild_headers(). */
void mlog_pcapng_put_record(struct mlog_pcapng *, const struct mlog_record *,
                            size_t tcp_options, struct ofpbuf *out);

#endif /* mlog-pcapng.h */
