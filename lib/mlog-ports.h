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

#ifndef MLOG_PORTS_H
#define MLOG_PORTS_H 1

/* The ports that records name
 * ===========================
 *
 * A datapath reuses its port numbers; the log must not confuse a packet of
 * yesterday's port 3 with one of today's.  So each port that a datapath has
 * had gets a small identifier that is never given to another port, and a
 * record keeps the identifier.  An identifier stands for one datapath, one
 * datapath port number and one name.
 *
 * There is one table per process.
 *
 * Thread-safety
 * =============
 *
 * mlog_ports_add*(), mlog_ports_del() and mlog_ports_set_ofp() may be called
 * from any thread (a mutex serializes them).  All the other functions are
 * lock-free and may run at the same time as those. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mlog-record.h"

#define MLOG_MAX_DATAPATHS 64
#define MLOG_OFP_PORT_NONE UINT32_MAX

/* Keeps the table in file "ports" of 'store', so that records of this process
 * can be read by the next one.  If the file is there, the ports in it get the
 * same identifiers again, and each number stands for the port that it stood
 * for last; returns false if that cannot be, because the file is damaged or
 * the table has other ports already.  At most MLOG_PORTS_KEPT identifiers are
 * kept.  Until mlog_ports_detach(), the store must remain. */
#define MLOG_PORTS_KEPT 8192
struct mlog_store;
bool mlog_ports_attach(struct mlog_store *);
void mlog_ports_detach(void);

/* Datapath 'dp' (a number below MLOG_MAX_DATAPATHS) has, from now on, a port
 * 'odp_port' called 'name'. */
void mlog_ports_add(unsigned int dp, uint32_t odp_port, const char *name);

/* The port is gone; records of it keep their identifier and its name. */
void mlog_ports_del(unsigned int dp, uint32_t odp_port);

/* Returns the identifier of a port that 'datapath' had in the life of an
 * earlier process, with the OpenFlow number 'ofp_port' (or MLOG_OFP_PORT_NONE)
 * of 'bridge' (or NULL).  What ports there are now doesn't change, and if it
 * is one of them, then its OpenFlow number doesn't either.
 *
 * Returns MLOG_PORT_NONE if that would leave little room for ports of now: a
 * half of the identifiers and of the datapaths is reserved for them. */
uint16_t mlog_ports_add_past(const char *datapath, uint32_t odp_port,
                             const char *name, const char *bridge,
                             uint32_t ofp_port);

/* The port's OpenFlow number is 'ofp_port' of 'bridge'. */
void mlog_ports_set_ofp(unsigned int dp, const char *name,
                        const char *bridge, uint32_t ofp_port);

/* Returns the index for the datapath called 'name', adding it if it is new;
 * MLOG_MAX_DATAPATHS if there are too many. */
unsigned int mlog_ports_datapath(const char *name);

/* Returns the identifier of the port that 'odp_port' of 'dp' is now or, if
 * there is none now, was last; MLOG_PORT_NONE if there never was one. */
uint16_t mlog_ports_lookup(unsigned int dp, uint32_t odp_port);

/* Returns a number that grows when an OpenFlow number becomes known or
 * changes: what was decided by such numbers before may no longer hold. */
uint32_t mlog_ports_generation(void);

/* Number of identifiers given so far: 0 through this less one are valid. */
size_t mlog_ports_count(void);

/* What identifier 'id' stands for.  The strings live for ever.  For an
 * unknown 'id' or MLOG_PORT_NONE, names are NULL and the numbers are
 * MLOG_OFP_PORT_NONE. */
const char *mlog_ports_name(uint16_t id);
const char *mlog_ports_bridge(uint16_t id);     /* NULL if not known. */
const char *mlog_ports_datapath_name(uint16_t id);
uint32_t mlog_ports_ofp(uint16_t id);
uint32_t mlog_ports_odp(uint16_t id);
bool mlog_ports_is_alive(uint16_t id);

#endif /* mlog-ports.h */
