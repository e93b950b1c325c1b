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


#ifndef MLOG_FIELD_NAMES_H
#define MLOG_FIELD_NAMES_H 1

/* Private to mlog-field-format.c and mlog-field-parse.c: numbers that have
 * names. */

#include <stdint.h>

#include "mlog-fields.h"

struct mlog_name {
    const char *name;           /* NULL in the last entry. */
    uint64_t value;
    uint64_t mask;              /* 0 for an exact value. */
};

/* Returns the names that values of the type may have, or NULL. */
const struct mlog_name *mlog_field_names(enum mlog_field_type);

/* Names of TCP flags, indexed by bit. */
#define MLOG_N_TCP_FLAGS 12
extern const char *const mlog_tcp_flag_names[MLOG_N_TCP_FLAGS];

#endif /* mlog-field-names.h */
