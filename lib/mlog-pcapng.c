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
#include "mlog-pcapng.h"

#include <inttypes.h>

#include "mlog-drop.h"
#include "mlog-ports.h"
#include "mlog-rebuild.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/ofpbuf.h"
#include "util.h"

/* Blocks and options of draft-ietf-opsawg-pcapng.  Numbers are in the order of
 * this machine; the section header says which that is. */

enum {
    BLOCK_SECTION = 0x0a0d0d0a,
    BLOCK_INTERFACE = 1,
    BLOCK_PACKET = 6,
};

enum {
    OPT_END = 0,
    OPT_COMMENT = 1,
    OPT_SECTION_USERAPPL = 4,
    OPT_IF_NAME = 2,
    OPT_IF_DESCRIPTION = 3,
    OPT_IF_TSRESOL = 9,
    OPT_PACKET_FLAGS = 2,
};

enum {
    BYTE_ORDER_MAGIC = 0x1a2b3c4d,
    LINKTYPE_ETHERNET = 1,
    FLAG_INBOUND = 1,
    FLAG_OUTBOUND = 2,
};

#define MAX_TEXT 2000           /* Of an option, in bytes. */

struct mlog_pcapng {
    /* Number of the interface for each port, plus 1, or 0. */
    uint32_t interfaces[UINT16_MAX + 1];
    uint32_t n_interfaces;
};

struct mlog_pcapng *
mlog_pcapng_create(void)
{
    return xzalloc(sizeof(struct mlog_pcapng));
}

void
mlog_pcapng_destroy(struct mlog_pcapng *w)
{
    free(w);
}

static void
put16(struct ofpbuf *out, uint16_t x)
{
    ofpbuf_put(out, &x, sizeof x);
}

static void
put32(struct ofpbuf *out, uint32_t x)
{
    ofpbuf_put(out, &x, sizeof x);
}

static void
put_padded(struct ofpbuf *out, const void *data, size_t n)
{
    if (n) {
        ofpbuf_put(out, data, n);
        ofpbuf_put_zeros(out, ROUND_UP(n, 4) - n);
    }
}

static size_t
start_block(struct ofpbuf *out, uint32_t type)
{
    size_t start = out->size;

    put32(out, type);
    put32(out, 0);
    return start;
}

static void
end_block(struct ofpbuf *out, size_t start)
{
    uint32_t length = out->size - start + 4;

    memcpy((uint8_t *) out->data + start + 4, &length, sizeof length);
    put32(out, length);
}

static void
put_option(struct ofpbuf *out, uint16_t code, const void *data, size_t n)
{
    put16(out, code);
    put16(out, n);
    put_padded(out, data, n);
}

/* Text is UTF-8; names of ports may be anything. */
static void
put_text(struct ofpbuf *out, uint16_t code, const char *text)
{
    char clean[MAX_TEXT];
    size_t n = MIN(strlen(text), sizeof clean);

    for (size_t i = 0; i < n; i++) {
        clean[i] = text[i] >= 0x20 && text[i] < 0x7f ? text[i] : '?';
    }
    put_option(out, code, clean, n);
}

void
mlog_pcapng_put_start(struct mlog_pcapng *w, const char *application,
                      const char *host, struct ofpbuf *out)
{
    size_t start = start_block(out, BLOCK_SECTION);

    put32(out, BYTE_ORDER_MAGIC);
    put16(out, 1);              /* Version 1.0. */
    put16(out, 0);
    put32(out, UINT32_MAX);     /* Of unknown length. */
    put32(out, UINT32_MAX);
    put_text(out, OPT_SECTION_USERAPPL, application);
    if (host && host[0]) {
        char *comment = xasprintf("Headers rebuilt from the records of %s",
                                  host);
        put_text(out, OPT_COMMENT, comment);
        free(comment);
    }
    put_option(out, OPT_END, NULL, 0);
    end_block(out, start);
    memset(w, 0, sizeof *w);
}

static void
put_interface(uint16_t port, struct ofpbuf *out)
{
    const char *name = mlog_ports_name(port);
    const char *bridge = mlog_ports_bridge(port);
    size_t start = start_block(out, BLOCK_INTERFACE);

    put16(out, LINKTYPE_ETHERNET);
    put16(out, 0);
    put32(out, 0);              /* No limit to the captured length. */
    put_text(out, OPT_IF_NAME, name ? name : "none");
    if (bridge) {
        char *description = xasprintf("port %"PRIu32" of %s",
                                      mlog_ports_ofp(port), bridge);
        put_text(out, OPT_IF_DESCRIPTION, description);
        free(description);
    }
    put_option(out, OPT_IF_TSRESOL, "\x09", 1);     /* 10**-9 s. */
    put_option(out, OPT_END, NULL, 0);
    end_block(out, start);
}

/* Returns the interface for 'port', after writing its block if it is new. */
static uint32_t
get_interface(struct mlog_pcapng *w, uint16_t port, struct ofpbuf *out)
{
    if (!mlog_ports_name(port)) {
        port = MLOG_PORT_NONE;
    }
    if (!w->interfaces[port]) {
        put_interface(port, out);
        w->interfaces[port] = ++w->n_interfaces;
    }
    return w->interfaces[port] - 1;
}

static void
put_comment(const struct mlog_row *row, struct ofpbuf *out)
{
    const char *out_port = mlog_ports_name(mlog_row_out_port(row));
    const char *reason = mlog_drop_name(row->reason);
    struct ds s = DS_EMPTY_INITIALIZER;

    if (row->reason && reason) {
        ds_put_format(&s, "dropped: %s", reason);
    } else if (row->reason) {
        ds_put_format(&s, "dropped: reason %u", row->reason);
    }
    if (out_port) {
        ds_put_format(&s, "%sout_port: %s", s.length ? ", " : "", out_port);
    }
    if (s.length) {
        put_text(out, OPT_COMMENT, ds_cstr(&s));
    }
    ds_destroy(&s);
}

void
mlog_pcapng_put_record(struct mlog_pcapng *w, const struct mlog_record *record,
                       size_t tcp_options, struct ofpbuf *out)
{
    const struct mlog_row *row = record->row;
    uint16_t in_port = record->key->in_port;
    bool inbound = mlog_ports_name(in_port);
    uint16_t port = inbound ? in_port : mlog_row_out_port(row);
    uint32_t interface = get_interface(w, port, out);
    uint32_t flags = (inbound ? FLAG_INBOUND
                      : mlog_ports_name(port) ? FLAG_OUTBOUND
                      : 0);
    uint8_t headers[MLOG_REBUILT_MAX];
    size_t n = mlog_rebuild_headers(record->key, row, tcp_options, headers);
    size_t start = start_block(out, BLOCK_PACKET);

    put32(out, interface);
    put32(out, record->time >> 32);
    put32(out, record->time);
    put32(out, n);
    put32(out, mlog_row_pkt_len(row));
    put_padded(out, headers, n);
    put_comment(row, out);
    put_option(out, OPT_PACKET_FLAGS, &flags, sizeof flags);
    put_option(out, OPT_END, NULL, 0);
    end_block(out, start);
}
