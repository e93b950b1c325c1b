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


#ifndef MLOG_FLOW_ID_H
#define MLOG_FLOW_ID_H 1

#include <stdint.h>

#include "mlog-record.h"

/* Returns the identifier of the flow with 'key', as the field 'flow_id' shows
 * it: a hash of addresses, protocol, ports, VLANs and ingress port (by name),
 * without MAC addresses and fragment bits.  It is the same in every run and
 * on every host.  Two flows may share one, with probability 2**-64.  Never 0.
 *
 * Thread-safety: any thread. */
uint64_t mlog_flow_id(const struct mlog_flow_key *key);

/* The same for a record, which may know it already. */
static inline uint64_t
mlog_record_flow_id(const struct mlog_record *record)
{
    return record->flow_id ? record->flow_id : mlog_flow_id(record->key);
}

#endif /* mlog-flow-id.h */
