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

#ifndef MLOG_CPUS_H
#define MLOG_CPUS_H 1

/* Sets of processors as text: a mask in hexadecimal, "0xc", or a list of
 * numbers and ranges, "2-3". */

#include <sched.h>

#include "openvswitch/compiler.h"

struct ds;
struct mlog_error;

/* Returns false, after setting 'error', which must be initialised, if 'text'
 * is not a set of at least one processor. */
bool mlog_cpus_parse(const char *text, cpu_set_t *, struct mlog_error *)
    OVS_WARN_UNUSED_RESULT;

/* Appends a list. */
void mlog_cpus_format(const cpu_set_t *, struct ds *);

#endif /* mlog-cpus.h */
