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


#ifndef MLOG_ARCHIVE_COLUMNS_H
#define MLOG_ARCHIVE_COLUMNS_H 1

/* Private to mlog-archive-{file,keys,rows}.c: what the columns of an archived
 * segment are.  Functions that read return NULL or what is wrong with the
 * file. */

#include <stdint.h>

#include "mlog-archive-file.h"

/* The sections, in the order in which they lie in the file.  Part of the
 * format. */
enum mlog_archive_section_id {
    /* One value per different address, by its words, and per MAC: the
     * difference to the one before. */
    MLOG_AS_ADDRESS_0,
    MLOG_AS_ADDRESS_1,
    MLOG_AS_ADDRESS_2,
    MLOG_AS_ADDRESS_3,
    MLOG_AS_MAC,

    /* One value per flow. */
    MLOG_AS_REVERSE,            /* d: flow i - d is the reverse; 0: none. */
    MLOG_AS_SRC,                /* 0: as that says, else 1 + recency... */
    MLOG_AS_DST,                /* ...of the position among addresses. */
    MLOG_AS_DL_SRC,             /* 0: as last seen with the address... */
    MLOG_AS_DL_DST,             /* ...else 1 + recency, among MACs. */
    MLOG_AS_IN_PORT,            /* 0: as last seen with 'dl_src'... */
    MLOG_AS_TP_SRC,             /* From here on, the difference to the... */
    MLOG_AS_TP_DST,             /* ...reverse flow, else to the flow before. */
    MLOG_AS_DL_TYPE,
    MLOG_AS_VLAN_TCI,
    MLOG_AS_INNER_VLAN_TCI,
    MLOG_AS_NW_PROTO,
    MLOG_AS_NW_FRAG,
    MLOG_AS_HAS,
    MLOG_AS_RESERVED,           /* ...as a number of 40 bits. */

    /* One value per row. */
    MLOG_AS_FLOW,               /* 0: what followed last time, else... */
    MLOG_AS_TIME,               /* Difference to the row before. */
    MLOG_AS_PKT_LEN,            /* From here on, the difference to the... */
    MLOG_AS_TCP_FLAGS,          /* ...row of the flow before. */
    MLOG_AS_TTL,
    MLOG_AS_TOS,
    MLOG_AS_IP_ID,
    MLOG_AS_TCP_WINDOW,
    MLOG_AS_REASON,
    MLOG_AS_OUT_PORT,
    MLOG_AS_TCP_SEQ,            /* Difference to what the segments so far... */
    MLOG_AS_TCP_ACK,            /* ...of the connection lead to expect. */
    MLOG_N_AS
};
BUILD_ASSERT_DECL(MLOG_N_AS == MLOG_N_ARCHIVE_SECTIONS);

/* Appends the columns to 'file' and describes them in 'info': sections, zones,
 * numbers of addresses and MACs.  'segment' is valid.
 *
 * Sets each element of 'reverse', which has room for one per flow, as
 * mlog_archive_get_reverse() will. */
void mlog_archive_put_keys(struct mlog_archive_coder *,
                           const struct mlog_archive_segment *segment,
                           struct ofpbuf *file, struct mlog_archive_info *info,
                           uint32_t *reverse);
void mlog_archive_put_rows(struct mlog_archive_coder *,
                           const struct mlog_archive_segment *segment,
                           const uint32_t *reverse, struct ofpbuf *file,
                           struct mlog_archive_info *info);

/* The position of the reverse of each flow, or UINT32_MAX. */
char *mlog_archive_get_reverse(struct mlog_archive_coder *,
                               const struct mlog_archive_info *,
                               const uint8_t *data, uint32_t *reverse)
    OVS_WARN_UNUSED_RESULT;

/* Compares the checksum of section 'id'. */
char *mlog_archive_check_section(const struct mlog_archive_info *,
                                 const uint8_t *data,
                                 enum mlog_archive_section_id id)
    OVS_WARN_UNUSED_RESULT;

/* Decodes section 'id' into the 'n' 'values'. */
char *mlog_archive_get_section(struct mlog_archive_coder *,
                               const struct mlog_archive_info *,
                               const uint8_t *data,
                               enum mlog_archive_section_id id,
                               uint64_t *values, size_t n)
    OVS_WARN_UNUSED_RESULT;

/* Returns the error that value 'i' of section 'id' cannot be. */
char *mlog_archive_bad_value(enum mlog_archive_section_id id, size_t i);

static inline void
mlog_zone_add(struct mlog_archive_zone *zone, uint32_t value)
{
    zone->min = value < zone->min ? value : zone->min;
    zone->max = value > zone->max ? value : zone->max;
}

#endif /* mlog-archive-columns.h */
