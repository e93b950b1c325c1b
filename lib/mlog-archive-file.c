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
#include "mlog-archive-file.h"

#include <errno.h>
#include <inttypes.h>

#include "bitmap.h"
#include "mlog-archive-columns.h"
#include "openvswitch/ofpbuf.h"
#include "util.h"

/* What surrounds the columns.  Sections lie one after the other, in the order
 * of enum mlog_archive_section_id, between the index and the trailer; so they
 * cannot overlap, and where they are follows from their sizes. */

static const char magic[8] = "MLOGSEG\n";
static const char end_magic[8] = "MLOGEND\n";

/* Offsets in the header. */
enum {
    H_MAGIC = 0,
    H_VERSION = 8,              /* 16 bits, then 16 reserved ones. */
    H_INDEX_SIZE = 12,
    H_FILE_SIZE = 16,           /* 64 bits; likewise: */
    H_SEQ = 24,
    H_FIRST_ROW = 32,
    H_BASE_TIME = 40,
    H_MIN_TIME = 48,
    H_MAX_TIME = 56,
    H_N_ROWS = 64,              /* 32 bits; likewise: */
    H_N_FLOWS = 68,
    H_N_ADDRESSES = 72,
    H_N_MACS = 76,
    H_N_PORTS = 80,
    H_N_GAPS = 84,
    H_INDEX_CRC = 88,
    H_CRC = 92,                 /* Of what is before. */
};

/* Offsets in the trailer. */
enum {
    T_MAGIC = 0,
    T_FILE_SIZE = 8,
    T_HEADER_CRC = 16,          /* Then 64 reserved bits. */
    T_CRC = 28,                 /* Of what is before. */
};

/* Numbers. */

static void
put_number(uint8_t *p, uint64_t value, int n_bytes)
{
    for (int i = 0; i < n_bytes; i++) {
        p[i] = value >> 8 * i;
    }
}

static uint64_t
get_number(const uint8_t *p, int n_bytes)
{
    uint64_t value = 0;

    for (int i = 0; i < n_bytes; i++) {
        value |= (uint64_t) p[i] << 8 * i;
    }
    return value;
}

static uint32_t
get32(const uint8_t *p)
{
    return get_number(p, 4);
}

static uint64_t
get64(const uint8_t *p)
{
    return get_number(p, 8);
}

static void
append_number(struct ofpbuf *b, uint64_t value, int n_bytes)
{
    put_number(ofpbuf_put_uninit(b, n_bytes), value, n_bytes);
}

/* Encoding. */

static void
append_string(struct ofpbuf *b, const char *s)
{
    size_t n = s ? strlen(s) : 0;

    append_number(b, n, 1);
    if (n) {
        ofpbuf_put(b, s, n);
    }
}

static void
append_index(struct ofpbuf *b, const struct mlog_archive_segment *segment,
             const struct mlog_archive_info *info)
{
    for (size_t i = 0; i < MLOG_N_AS; i++) {
        append_number(b, info->sections[i].size, 4);
        append_number(b, info->sections[i].raw_size, 4);
        append_number(b, info->sections[i].crc, 4);
    }
    for (size_t i = 0; i < MLOG_N_ZONES; i++) {
        append_number(b, info->zones[i].min, 4);
        append_number(b, info->zones[i].max, 4);
    }
    append_string(b, segment->host);
    append_string(b, segment->boot);
    for (size_t i = 0; i < segment->n_ports; i++) {
        const struct mlog_archive_port *port = &segment->ports[i];

        append_number(b, port->id, 2);
        append_number(b, port->ofp, 4);
        append_number(b, port->odp, 4);
        append_string(b, port->name);
        append_string(b, port->bridge);
        append_string(b, port->datapath);
    }
    for (size_t i = 0; i < segment->n_gaps; i++) {
        append_number(b, segment->gaps[i].from, 8);
        append_number(b, segment->gaps[i].to, 8);
        append_number(b, segment->gaps[i].count, 8);
        append_number(b, segment->gaps[i].reason, 4);
    }
}

static uint64_t
row_time(const struct mlog_archive_segment *segment, size_t i)
{
    return segment->base_time + mlog_row_time(&segment->rows[i]);
}

static void
put_header(uint8_t *p, const struct mlog_archive_segment *segment,
           const struct mlog_archive_info *info, const void *index,
           size_t index_size)
{
    size_t n = segment->n_rows;

    memset(p, 0, MLOG_ARCHIVE_HEADER_SIZE);
    memcpy(p + H_MAGIC, magic, sizeof magic);
    put_number(p + H_VERSION, MLOG_ARCHIVE_VERSION, 2);
    put_number(p + H_INDEX_SIZE, index_size, 4);
    put_number(p + H_FILE_SIZE, info->file_size, 8);
    put_number(p + H_SEQ, segment->seq, 8);
    put_number(p + H_FIRST_ROW, segment->first_row, 8);
    put_number(p + H_BASE_TIME, segment->base_time, 8);
    put_number(p + H_MIN_TIME, n ? row_time(segment, 0) : 0, 8);
    put_number(p + H_MAX_TIME, n ? row_time(segment, n - 1) : 0, 8);
    put_number(p + H_N_ROWS, n, 4);
    put_number(p + H_N_FLOWS, segment->n_flows, 4);
    put_number(p + H_N_ADDRESSES, info->n_addresses, 4);
    put_number(p + H_N_MACS, info->n_macs, 4);
    put_number(p + H_N_PORTS, segment->n_ports, 4);
    put_number(p + H_N_GAPS, segment->n_gaps, 4);
    put_number(p + H_INDEX_CRC, mlog_archive_crc(index, index_size), 4);
    put_number(p + H_CRC, mlog_archive_crc(p, H_CRC), 4);
}

static void
put_trailer(uint8_t *p, const uint8_t *header)
{
    memset(p, 0, MLOG_ARCHIVE_TRAILER_SIZE);
    memcpy(p + T_MAGIC, end_magic, sizeof end_magic);
    memcpy(p + T_FILE_SIZE, header + H_FILE_SIZE, 8);
    memcpy(p + T_HEADER_CRC, header + H_CRC, 4);
    put_number(p + T_CRC, mlog_archive_crc(p, T_CRC), 4);
}

static bool
is_name(const char *s, bool optional)
{
    return s ? strlen(s) <= MLOG_ARCHIVE_MAX_NAME : optional;
}

static int
check_ports(const struct mlog_archive_port *ports, size_t n)
{
    unsigned long *ids = bitmap_allocate(UINT16_MAX + 1);
    int error = 0;

    for (size_t i = 0; i < n && !error; i++) {
        const struct mlog_archive_port *port = &ports[i];

        error = (!is_name(port->name, false) || !is_name(port->bridge, true)
                 || !is_name(port->datapath, false) ? E2BIG
                 : port->id == MLOG_PORT_NONE || bitmap_is_set(ids, port->id)
                 ? EINVAL : 0);
        bitmap_set1(ids, port->id);
    }
    bitmap_free(ids);
    return error;
}

static int
check_segment(const struct mlog_archive_segment *segment)
{
    uint64_t last = 0;

    if (segment->n_rows > MLOG_ARCHIVE_MAX_ROWS
        || segment->n_flows > MLOG_ARCHIVE_MAX_FLOWS
        || segment->n_ports > MLOG_ARCHIVE_MAX_PORTS
        || segment->n_gaps > MLOG_ARCHIVE_MAX_GAPS
        || !is_name(segment->host, true) || !is_name(segment->boot, true)) {
        return E2BIG;
    }
    for (size_t i = 0; i < segment->n_rows; i++) {
        uint64_t time = mlog_row_time(&segment->rows[i]);

        if (segment->rows[i].flow >= segment->n_flows || time < last) {
            return EINVAL;
        }
        last = time;
    }
    return (last > UINT64_MAX - segment->base_time ? EINVAL
            : check_ports(segment->ports, segment->n_ports));
}

static void
init_zones(struct mlog_archive_info *info)
{
    for (size_t i = 0; i < MLOG_N_ZONES; i++) {
        info->zones[i] = (struct mlog_archive_zone) { UINT32_MAX, 0 };
    }
}

int
mlog_archive_encode(struct mlog_archive_coder *coder,
                    const struct mlog_archive_segment *segment,
                    struct ofpbuf *file)
{
    uint8_t header[MLOG_ARCHIVE_HEADER_SIZE];
    uint8_t trailer[MLOG_ARCHIVE_TRAILER_SIZE];
    struct mlog_archive_info info = { .seq = segment->seq };
    struct ofpbuf index, body;
    uint32_t *reverse;
    int error = check_segment(segment);

    if (error) {
        return error;
    }
    init_zones(&info);
    ofpbuf_init(&index, 4096);
    ofpbuf_init(&body, 1024 + segment->n_rows * 8);
    reverse = xcalloc(segment->n_flows, sizeof *reverse);
    mlog_archive_put_keys(coder, segment, &body, &info, reverse);
    mlog_archive_put_rows(coder, segment, reverse, &body, &info);
    free(reverse);

    append_index(&index, segment, &info);
    info.file_size = sizeof header + index.size + body.size + sizeof trailer;
    put_header(header, segment, &info, index.data, index.size);
    put_trailer(trailer, header);
    ofpbuf_prealloc_tailroom(file, info.file_size);
    ofpbuf_put(file, header, sizeof header);
    ofpbuf_put(file, index.data, index.size);
    ofpbuf_put(file, body.data, body.size);
    ofpbuf_put(file, trailer, sizeof trailer);
    ofpbuf_uninit(&index);
    ofpbuf_uninit(&body);
    return 0;
}

/* Reading the index. */

/* The part of the index that isn't read yet. */
struct cursor {
    const uint8_t *p;
    const uint8_t *end;
    bool failed;                /* It ended too early. */
};

static const uint8_t *
pull(struct cursor *c, size_t n)
{
    static const uint8_t zeros[8];

    if (c->end - c->p < n) {
        c->failed = true;
        return zeros;
    }
    c->p += n;
    return c->p - n;
}

static uint64_t
pull_number(struct cursor *c, int n_bytes)
{
    return get_number(pull(c, n_bytes), n_bytes);
}

/* Appends the string that follows to '*tail', and returns it. */
static char *
pull_string(struct cursor *c, char **tail)
{
    size_t n = pull_number(c, 1);
    const uint8_t *s = pull(c, n);
    char *copy = *tail;

    if (c->failed || memchr(s, '\0', n)) {
        c->failed = true;
        n = 0;
    }
    memcpy(copy, s, n);
    copy[n] = '\0';
    *tail += n + 1;
    return copy;
}

static void
parse_sections(struct cursor *c, struct mlog_archive_info *info)
{
    for (size_t i = 0; i < MLOG_N_AS; i++) {
        info->sections[i].size = pull_number(c, 4);
        info->sections[i].raw_size = pull_number(c, 4);
        info->sections[i].crc = pull_number(c, 4);
    }
    for (size_t i = 0; i < MLOG_N_ZONES; i++) {
        info->zones[i].min = pull_number(c, 4);
        info->zones[i].max = pull_number(c, 4);
    }
}

static void
parse_ports(struct cursor *c, struct mlog_archive_info *info, char **tail)
{
    info->ports = xcalloc(info->n_ports, sizeof *info->ports);
    for (size_t i = 0; i < info->n_ports && !c->failed; i++) {
        struct mlog_archive_port *port = &info->ports[i];

        port->id = pull_number(c, 2);
        port->ofp = pull_number(c, 4);
        port->odp = pull_number(c, 4);
        port->name = pull_string(c, tail);
        port->bridge = pull_string(c, tail);
        port->datapath = pull_string(c, tail);
        if (!port->bridge[0]) {
            port->bridge = NULL;
        }
    }
}

static void
parse_gaps(struct cursor *c, struct mlog_archive_info *info)
{
    info->gaps = xcalloc(info->n_gaps, sizeof *info->gaps);
    for (size_t i = 0; i < info->n_gaps && !c->failed; i++) {
        info->gaps[i].from = pull_number(c, 8);
        info->gaps[i].to = pull_number(c, 8);
        info->gaps[i].count = pull_number(c, 8);
        info->gaps[i].reason = pull_number(c, 4);
    }
}

/* 'n' bytes of index.  Strings are shorter than they are in there, as their
 * length takes one byte, too. */
static char *
parse_index(const uint8_t *index, size_t n, struct mlog_archive_info *info)
{
    struct cursor c = { index, index + n, false };
    char *tail;

    info->strings = tail = xmalloc(n + 1);
    parse_sections(&c, info);
    info->host = pull_string(&c, &tail);
    info->boot = pull_string(&c, &tail);
    parse_ports(&c, info, &tail);
    parse_gaps(&c, info);
    if (c.failed || c.p != c.end) {
        return xstrdup("the index does not make sense");
    }
    return (check_ports(info->ports, info->n_ports)
            ? xstrdup("two ports have the same identifier") : NULL);
}

static size_t
count_values(const struct mlog_archive_info *info,
             enum mlog_archive_section_id id)
{
    return (id == MLOG_AS_MAC ? info->n_macs
            : id < MLOG_AS_MAC ? info->n_addresses
            : id < MLOG_AS_FLOW ? info->n_flows
            : info->n_rows);
}

static char *
check_sections(const struct mlog_archive_info *info)
{
    uint64_t size = info->body + MLOG_ARCHIVE_TRAILER_SIZE;

    for (size_t i = 0; i < MLOG_N_AS; i++) {
        const struct mlog_archive_section *section = &info->sections[i];

        if (section->size > section->raw_size
            || section->raw_size > MLOG_COLUMN_MAX(count_values(info, i))) {
            return xasprintf("section %"PRIuSIZE": wrong size", i);
        }
        size += section->size;
    }
    return (size == info->file_size ? NULL
            : xstrdup("the sections do not fill the file"));
}

/* Reading the header. */

static char *
check_header(const uint8_t *p)
{
    if (memcmp(p + H_MAGIC, magic, sizeof magic)) {
        return xstrdup("this is no archived segment");
    } else if (get32(p + H_CRC) != mlog_archive_crc(p, H_CRC)) {
        return xstrdup("the header's checksum is wrong");
    } else if (get_number(p + H_VERSION, 2) != MLOG_ARCHIVE_VERSION) {
        return xasprintf("version %"PRIu64" of the format is not known; this "
                         "program knows version %d",
                         get_number(p + H_VERSION, 2), MLOG_ARCHIVE_VERSION);
    } else if (get32(p + H_INDEX_SIZE) > MLOG_ARCHIVE_MAX_INDEX
               || get64(p + H_FILE_SIZE) > MLOG_ARCHIVE_MAX_FILE
               || get32(p + H_N_ROWS) > MLOG_ARCHIVE_MAX_ROWS
               || get32(p + H_N_FLOWS) > MLOG_ARCHIVE_MAX_FLOWS
               || get32(p + H_N_ADDRESSES) > 2 * MLOG_ARCHIVE_MAX_FLOWS
               || get32(p + H_N_MACS) > 2 * MLOG_ARCHIVE_MAX_FLOWS
               || get32(p + H_N_PORTS) > MLOG_ARCHIVE_MAX_PORTS
               || get32(p + H_N_GAPS) > MLOG_ARCHIVE_MAX_GAPS) {
        return xstrdup("a size exceeds what the format allows");
    }
    return NULL;
}

bool
mlog_archive_is_newer(const uint8_t *p)
{
    return (!memcmp(p + H_MAGIC, magic, sizeof magic)
            && get32(p + H_CRC) == mlog_archive_crc(p, H_CRC)
            && get_number(p + H_VERSION, 2) > MLOG_ARCHIVE_VERSION);
}

char *
mlog_archive_head_size(const uint8_t *header, size_t *n)
{
    *n = MLOG_ARCHIVE_HEADER_SIZE + get32(header + H_INDEX_SIZE);
    return check_header(header);
}

static char *
check_trailer(const uint8_t *p, const uint8_t *header, uint64_t file_size)
{
    if (get64(header + H_FILE_SIZE) != file_size) {
        return xasprintf("the file has %"PRIu64" bytes instead of %"PRIu64,
                         file_size, get64(header + H_FILE_SIZE));
    } else if (memcmp(p + T_MAGIC, end_magic, sizeof end_magic)
               || get32(p + T_CRC) != mlog_archive_crc(p, T_CRC)
               || get64(p + T_FILE_SIZE) != file_size
               || get32(p + T_HEADER_CRC) != get32(header + H_CRC)) {
        return xstrdup("the trailer is wrong");
    }
    return NULL;
}

static char *
parse_header(const uint8_t *p, struct mlog_archive_info *info)
{
    info->seq = get64(p + H_SEQ);
    info->first_row = get64(p + H_FIRST_ROW);
    info->base_time = get64(p + H_BASE_TIME);
    info->min_time = get64(p + H_MIN_TIME);
    info->max_time = get64(p + H_MAX_TIME);
    info->n_rows = get32(p + H_N_ROWS);
    info->n_flows = get32(p + H_N_FLOWS);
    info->n_addresses = get32(p + H_N_ADDRESSES);
    info->n_macs = get32(p + H_N_MACS);
    info->n_ports = get32(p + H_N_PORTS);
    info->n_gaps = get32(p + H_N_GAPS);
    info->file_size = get64(p + H_FILE_SIZE);
    info->body = MLOG_ARCHIVE_HEADER_SIZE + get32(p + H_INDEX_SIZE);
    if (info->n_addresses > 2 * info->n_flows
        || info->n_macs > 2 * info->n_flows
        || (info->n_rows && !info->n_flows)
        || info->min_time > info->max_time
        || (info->n_rows && info->min_time < info->base_time)) {
        return xstrdup("the header does not make sense");
    }
    return NULL;
}

static char *
info_parse(const uint8_t *head, size_t n, const uint8_t *trailer,
           uint64_t file_size, struct mlog_archive_info *info)
{
    size_t size;
    char *error;

    if (n < MLOG_ARCHIVE_HEADER_SIZE
        || file_size < MLOG_ARCHIVE_HEADER_SIZE + MLOG_ARCHIVE_TRAILER_SIZE) {
        return xstrdup("the file is too short");
    }
    error = mlog_archive_head_size(head, &size);
    error = error ? error : check_trailer(trailer, head, file_size);
    error = error ? error : parse_header(head, info);
    if (error) {
        return error;
    }
    size -= MLOG_ARCHIVE_HEADER_SIZE;
    head += MLOG_ARCHIVE_HEADER_SIZE;
    if (n - MLOG_ARCHIVE_HEADER_SIZE < size) {
        return xstrdup("the index is cut off");
    } else if (get32(head - MLOG_ARCHIVE_HEADER_SIZE + H_INDEX_CRC)
               != mlog_archive_crc(head, size)) {
        return xstrdup("the index's checksum is wrong");
    }
    error = parse_index(head, size, info);
    return error ? error : check_sections(info);
}

char *
mlog_archive_info_parse(const uint8_t *head, size_t n, const uint8_t *trailer,
                        uint64_t file_size, struct mlog_archive_info **infop)
{
    struct mlog_archive_info *info = xzalloc(sizeof *info);
    char *error = info_parse(head, n, trailer, file_size, info);

    if (error) {
        mlog_archive_info_destroy(info);
        info = NULL;
    }
    *infop = info;
    return error;
}

void
mlog_archive_info_destroy(struct mlog_archive_info *info)
{
    if (info) {
        free(info->ports);
        free(info->gaps);
        free(info->strings);
        free(info);
    }
}

/* Reading columns. */

static const uint8_t *
section_data(const struct mlog_archive_info *info, const uint8_t *data,
             enum mlog_archive_section_id id)
{
    data += info->body;
    for (size_t i = 0; i < id; i++) {
        data += info->sections[i].size;
    }
    return data;
}

static char *
section_error(enum mlog_archive_section_id id, const char *error)
{
    return error ? xasprintf("section %d: %s", id, error) : NULL;
}

char *
mlog_archive_check_section(const struct mlog_archive_info *info,
                           const uint8_t *data,
                           enum mlog_archive_section_id id)
{
    const struct mlog_archive_section *section = &info->sections[id];

    return section_error(
        id, mlog_archive_crc(section_data(info, data, id),
                             section->size) != section->crc
        ? "wrong checksum" : NULL);
}

char *
mlog_archive_get_section(struct mlog_archive_coder *coder,
                         const struct mlog_archive_info *info,
                         const uint8_t *data,
                         enum mlog_archive_section_id id, uint64_t *values,
                         size_t n)
{
    return section_error(
        id, mlog_archive_get_column(coder, &info->sections[id],
                                    section_data(info, data, id), values, n));
}

char *
mlog_archive_bad_value(enum mlog_archive_section_id id, size_t i)
{
    return xasprintf("section %d: value %"PRIuSIZE" is out of range", id, i);
}
