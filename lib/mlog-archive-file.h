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


#ifndef MLOG_ARCHIVE_FILE_H
#define MLOG_ARCHIVE_FILE_H 1

/* The format of an archived segment
 * =================================
 *
 * A sealed segment of the header log as one file, written once: rows and flow
 * keys, column by column and compressed, and an index that can be read without
 * them.  Documentation/ref/archive-format.rst has every byte; in short:
 *
 *   offset 0    header, 96 bytes: magic, version, sizes, counts, times
 *               index: names, sections' sizes, zones, ports, gaps
 *               sections, one per column, without gaps between them
 *   end - 32    trailer: length of the file, checksum of the header, magic
 *
 * Numbers are little-endian.  The header, the index, each section and the
 * trailer have a CRC-32C of their own, so that each byte of the file is
 * covered by one.
 *
 * Within the file, rows name flows by their position among its keys, and both
 * name ports by identifiers that the file explains: see
 * mlog-archive-ports.h.
 *
 * Errors
 * ======
 *
 * Files may be hostile.  Functions that read return NULL or an error message,
 * which the caller frees; they never return part of a segment or a record
 * that was not in it.  Memory is bounded by MLOG_ARCHIVE_MAX_*, whatever a
 * file says.
 *
 * Thread-safety
 * =============
 *
 * A coder (mlog-archive-codec.h) is one thread's.  A 'struct
 * mlog_archive_info' is constant once it is there. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mlog-archive-codec.h"
#include "mlog-header-log.h"
#include "mlog-record.h"
#include "openvswitch/compiler.h"

struct ofpbuf;

#define MLOG_ARCHIVE_VERSION 1

#define MLOG_ARCHIVE_MAX_ROWS (UINT32_C(1) << 20)
#define MLOG_ARCHIVE_MAX_FLOWS (UINT32_C(1) << 20)
#define MLOG_ARCHIVE_MAX_PORTS UINT16_MAX
#define MLOG_ARCHIVE_MAX_GAPS 65535
#define MLOG_ARCHIVE_MAX_NAME 255       /* Bytes of a name. */
#define MLOG_ARCHIVE_MAX_INDEX (UINT32_C(1) << 26)
#define MLOG_ARCHIVE_MAX_FILE (UINT64_C(1) << 29)

/* The level of zstd to use: see Documentation/internals/decisions.rst. */
#define MLOG_ARCHIVE_LEVEL 1

/* What identifier 'id' stands for in the rows and keys of one segment. */
struct mlog_archive_port {
    uint16_t id;
    uint32_t ofp;               /* MLOG_OFP_PORT_NONE if not known. */
    uint32_t odp;
    const char *name;
    const char *bridge;         /* NULL or empty if not known. */
    const char *datapath;
};

/* A segment to be written. */
struct mlog_archive_segment {
    uint64_t seq;               /* Of the segment. */
    uint64_t first_row;         /* Rows in all the segments before. */
    uint64_t base_time;         /* Rows' times count from here, ns. */
    const struct mlog_row *rows;        /* 'flow' is an index in 'keys'. */
    uint32_t n_rows;
    const struct mlog_flow_key *keys;
    uint32_t n_flows;
    const struct mlog_archive_port *ports;
    size_t n_ports;
    const struct mlog_gap *gaps;        /* Within its range of time. */
    size_t n_gaps;
    const char *host;           /* Who wrote it, and in which life. */
    const char *boot;
};

/* Appends the file for 'segment' to 'file'.  Returns 0 or
 *
 *   E2BIG    more than MLOG_ARCHIVE_MAX_* of something
 *   EINVAL   a row of no flow, or before the row before, or beyond 2**64 ns;
 *            two ports with one identifier
 *
 * and then appends nothing. */
int mlog_archive_encode(struct mlog_archive_coder *,
                        const struct mlog_archive_segment *segment,
                        struct ofpbuf *file) OVS_WARN_UNUSED_RESULT;

/* What is known of a segment without its columns.
 *
 * Zones say in which range the values of a column are.  A field that a packet
 * lacks is zero in its column (see mlog-record.h), and counts. */
enum mlog_archive_zone_id {
    MLOG_ZONE_PKT_LEN,
    MLOG_ZONE_TCP_FLAGS,
    MLOG_ZONE_TTL,
    MLOG_ZONE_TOS,
    MLOG_ZONE_IP_ID,
    MLOG_ZONE_TCP_WINDOW,
    MLOG_ZONE_REASON,
    MLOG_ZONE_OUT_PORT,
    MLOG_ZONE_TCP_SEQ,
    MLOG_ZONE_TCP_ACK,
    MLOG_ZONE_NW_SRC,           /* The last 32 bits of 'src'; likewise: */
    MLOG_ZONE_NW_DST,
    MLOG_ZONE_DL_TYPE,
    MLOG_ZONE_VLAN_TCI,         /* Of the outer tag. */
    MLOG_ZONE_TP_SRC,
    MLOG_ZONE_TP_DST,
    MLOG_ZONE_IN_PORT,
    MLOG_ZONE_NW_PROTO,
    MLOG_N_ZONES
};

struct mlog_archive_zone {
    uint32_t min;               /* Greater than 'max' if there is no row. */
    uint32_t max;
};

#define MLOG_N_ARCHIVE_SECTIONS 32

struct mlog_archive_info {
    uint64_t seq;
    uint64_t first_row;
    uint64_t base_time;
    uint64_t min_time, max_time;        /* Of the rows, ns; 0 if none. */
    uint32_t n_rows;
    uint32_t n_flows;
    uint64_t file_size;
    uint32_t n_addresses;       /* Different ones, and likewise MACs. */
    uint32_t n_macs;
    uint64_t body;              /* Offset of the first section. */
    struct mlog_archive_section sections[MLOG_N_ARCHIVE_SECTIONS];
    struct mlog_archive_zone zones[MLOG_N_ZONES];
    struct mlog_archive_port *ports;
    size_t n_ports;
    struct mlog_gap *gaps;
    size_t n_gaps;
    char *host;
    char *boot;
    char *strings;              /* What names of 'ports' point into. */
};

/* The first bytes to be read of a file, and the last ones. */
#define MLOG_ARCHIVE_HEADER_SIZE 96
#define MLOG_ARCHIVE_TRAILER_SIZE 32

/* Sets '*n' to the number of bytes at the beginning of a file, header
 * included, that mlog_archive_info_parse() needs.  'header' are its first
 * MLOG_ARCHIVE_HEADER_SIZE bytes. */
char *mlog_archive_head_size(const uint8_t *header, size_t *n)
    OVS_WARN_UNUSED_RESULT;

/* Reads the index of a file of 'file_size' bytes from its first 'n' bytes and
 * its trailer.  On success stores it in '*infop', for the caller to
 * destroy. */
char *mlog_archive_info_parse(const uint8_t *head, size_t n,
                              const uint8_t *trailer, uint64_t file_size,
                              struct mlog_archive_info **infop)
    OVS_WARN_UNUSED_RESULT;
void mlog_archive_info_destroy(struct mlog_archive_info *);

/* True if a file that begins with 'header' is none that this program can read,
 * but in order, as it is of a newer version of the format. */
bool mlog_archive_is_newer(const uint8_t *header);

/* Decodes the columns of the file 'data' of 'info->file_size' bytes: first the
 * keys into the 'info->n_flows' 'keys', then, with these, the rows into the
 * 'info->n_rows' 'rows'.  Both are bit for bit what was encoded.  Their
 * contents are undefined after an error. */
char *mlog_archive_decode_keys(struct mlog_archive_coder *,
                               const struct mlog_archive_info *,
                               const uint8_t *data,
                               struct mlog_flow_key *keys)
    OVS_WARN_UNUSED_RESULT;
char *mlog_archive_decode_rows(struct mlog_archive_coder *,
                               const struct mlog_archive_info *,
                               const uint8_t *data,
                               const struct mlog_flow_key *keys,
                               struct mlog_row *rows) OVS_WARN_UNUSED_RESULT;

/* The same, but only the columns that are bits of 'which', 1 <<
 * MLOG_COLUMN_... (mlog-columns.h), besides flow and time; others are zero, or
 * not, if what is wanted depends on them.  All are checked for damage. */
char *mlog_archive_decode_rows_of(struct mlog_archive_coder *,
                                  const struct mlog_archive_info *,
                                  const uint8_t *data, uint32_t which,
                                  const struct mlog_flow_key *keys,
                                  struct mlog_row *rows)
    OVS_WARN_UNUSED_RESULT;

#endif /* mlog-archive-file.h */
