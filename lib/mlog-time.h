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

#ifndef MLOG_TIME_H
#define MLOG_TIME_H 1

/* Durations and times as people type them
 * =======================================
 *
 * Durations are a decimal number and a unit: 250us, 1ms, 1.5s, 5m, 1h, 2d;
 * a plain 0 needs no unit.
 *
 * Times are what mlog_time_parse() (mlog-fields.h) accepts, and besides:
 *
 *     now
 *     -5s                     a duration before now
 *     2026-01-31T12:00:00     without a zone: UTC
 *
 * Both are counted in nanoseconds.
 *
 * Thread-safety
 * =============
 *
 * All the functions may be called from any thread at any time. */

#include <stdint.h>

#include "openvswitch/compiler.h"

struct ds;

#define MLOG_NS_PER_MS UINT64_C(1000000)
#define MLOG_NS_PER_S UINT64_C(1000000000)

/* Parse 'text' into '*ns'.  Return NULL if successful, otherwise an error
 * message that the caller must free; '*ns' is 0 then.
 *
 * A time before the epoch becomes the epoch. */
char *mlog_duration_parse(const char *text, uint64_t *ns)
    OVS_WARN_UNUSED_RESULT;
char *mlog_time_parse_relative(const char *text, uint64_t now, uint64_t *ns)
    OVS_WARN_UNUSED_RESULT;

/* Appends 'ns' with the largest unit in which it is whole: "1500ms", "1h".
 * mlog_duration_parse() parses it to the same number. */
void mlog_duration_format(uint64_t ns, struct ds *);

#endif /* mlog-time.h */
