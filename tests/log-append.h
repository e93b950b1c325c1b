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


#ifndef TESTS_LOG_APPEND_H
#define TESTS_LOG_APPEND_H 1

/* Puts records with times of one's own into a MultiLog, as its digest would:
 *
 *     log_append_begin(ml);
 *     log_append(ml, &key, &row, out_port, time);     (in order of time)
 *     log_append_end(ml);
 *
 * Before anything is captured, and only once, for later records are of the
 * present. */

#include "mlog-digest.h"
#include "mlog-flow-table.h"
#include "mlog-header-log.h"
#include "multilog.h"

static uint64_t log_append_last;    /* Time, ns. */

/* While the digest is locked, the log is ours. */
static inline void
log_append_begin(struct multilog *ml)
{
    mlog_digest_lock(ml->digest);
}

static inline void
log_append(struct multilog *ml, const struct mlog_flow_key *key,
           const struct mlog_row *row_, uint16_t out_port, uint64_t time)
{
    uint32_t hash = mlog_flow_key_hash(key);
    uint32_t index, local;
    uint64_t ns;
    struct mlog_flow *flow = mlog_flow_table_find(ml->flows, key, hash,
                                                  &index);

    log_append_last = MAX(log_append_last, time);
    if (!flow) {
        flow = mlog_flow_table_insert(ml->flows, key, hash, log_append_last,
                                      &index);
    }
    struct mlog_row *row = mlog_header_log_append(ml->log, log_append_last,
                                                  index, &ns, &local);
    *row = *row_;
    row->flow = local;
    row->time_port = mlog_row_pack_time_port(ns, out_port);
    mlog_flow_count(flow, mlog_row_pkt_len(row), log_append_last);
}

static inline void
log_append_end(struct multilog *ml)
{
    mlog_header_log_publish(ml->log, log_append_last);
    mlog_digest_unlock(ml->digest);
}

#endif /* tests/log-append.h */
