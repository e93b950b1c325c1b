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


#ifndef MLOG_ARCHIVE_PORTS_H
#define MLOG_ARCHIVE_PORTS_H 1

/* Ports of archived segments
 * ==========================
 *
 * Identifiers of ports (mlog-ports.h) are one process's.  A segment therefore
 * explains those that it has, and whoever reads it in another process maps
 * them to its own.
 *
 * Thread-safety: all functions may be called from any thread at any time, on
 * different objects. */

#include <stddef.h>
#include <stdint.h>

#include "mlog-archive-file.h"

/* Returns, for the caller to free, what the 'n_rows' and 'n_keys' need to have
 * explained.  The strings live for ever. */
struct mlog_archive_port *mlog_archive_used_ports(
    const struct mlog_row *rows, size_t n_rows,
    const struct mlog_flow_key *keys, size_t n_keys, size_t *n_ports);

/* This process's identifier for each of a segment's. */
struct mlog_archive_port_map {
    uint16_t ids[UINT16_MAX + 1];
};

/* Fills in 'map' for the segment of 'info', registering its ports here.  An
 * identifier that the segment doesn't explain, or whose port finds no room
 * here (see mlog_ports_add_past()), becomes MLOG_PORT_NONE.  Returns how many
 * ports found no room. */
size_t mlog_archive_map_ports(const struct mlog_archive_info *info,
                              struct mlog_archive_port_map *map);

/* Replaces the segment's identifiers by this process's.  Once only. */
void mlog_archive_remap_keys(const struct mlog_archive_port_map *,
                             struct mlog_flow_key *, size_t n);
void mlog_archive_remap_rows(const struct mlog_archive_port_map *,
                             struct mlog_row *, size_t n);

#endif /* mlog-archive-ports.h */
