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
#include "mlog-archive-ports.h"

#include "bitmap.h"
#include "mlog-ports.h"
#include "util.h"

static void
describe_port(uint16_t id, struct mlog_archive_port *port)
{
    const char *datapath = mlog_ports_datapath_name(id);

    *port = (struct mlog_archive_port) {
        .id = id,
        .ofp = mlog_ports_ofp(id),
        .odp = mlog_ports_odp(id),
        .name = mlog_ports_name(id),
        .bridge = mlog_ports_bridge(id),
        .datapath = datapath ? datapath : "",
    };
}

struct mlog_archive_port *
mlog_archive_used_ports(const struct mlog_row *rows, size_t n_rows,
                        const struct mlog_flow_key *keys, size_t n_keys,
                        size_t *n_ports)
{
    unsigned long *used = bitmap_allocate(UINT16_MAX + 1);
    struct mlog_archive_port *ports;
    size_t id;

    for (size_t i = 0; i < n_rows; i++) {
        bitmap_set1(used, mlog_row_out_port(&rows[i]));
    }
    for (size_t i = 0; i < n_keys; i++) {
        bitmap_set1(used, keys[i].in_port);
    }

    ports = xcalloc(bitmap_count1(used, UINT16_MAX + 1), sizeof *ports);
    *n_ports = 0;
    BITMAP_FOR_EACH_1 (id, UINT16_MAX + 1, used) {
        if (mlog_ports_name(id)) {
            describe_port(id, &ports[(*n_ports)++]);
        }
    }
    bitmap_free(used);
    return ports;
}

size_t
mlog_archive_map_ports(const struct mlog_archive_info *info,
                       struct mlog_archive_port_map *map)
{
    size_t n_failed = 0;

    for (size_t i = 0; i < ARRAY_SIZE(map->ids); i++) {
        map->ids[i] = MLOG_PORT_NONE;
    }
    for (size_t i = 0; i < info->n_ports; i++) {
        const struct mlog_archive_port *port = &info->ports[i];
        uint16_t id = mlog_ports_add_past(port->datapath, port->odp,
                                          port->name, port->bridge,
                                          port->ofp);

        map->ids[port->id] = id;
        n_failed += id == MLOG_PORT_NONE;
    }
    return n_failed;
}

void
mlog_archive_remap_keys(const struct mlog_archive_port_map *map,
                        struct mlog_flow_key *keys, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        keys[i].in_port = map->ids[keys[i].in_port];
    }
}

void
mlog_archive_remap_rows(const struct mlog_archive_port_map *map,
                        struct mlog_row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint16_t port = map->ids[mlog_row_out_port(&rows[i])];

        rows[i].time_port = mlog_row_pack_time_port(mlog_row_time(&rows[i]),
                                                    port);
    }
}
