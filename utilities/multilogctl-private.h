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


#ifndef MULTILOGCTL_PRIVATE_H
#define MULTILOGCTL_PRIVATE_H 1

/* Private to multilogctl-*.c. */

#include <stdbool.h>

#include "db-ctl-base.h"

struct mlogrec_multilog;
struct smap;

/* The row of the settings; if there is none, one is inserted. */
const struct mlogrec_multilog *multilogctl_get_root(struct ctl_context *);

bool multilogctl_has_option(const struct ctl_context *, const char *option);

/* Parses the words KEY=VALUE from argv[first] on into 'pairs', for the caller
 * to destroy.  On error, sets it and returns false. */
bool multilogctl_parse_pairs(struct ctl_context *, int first,
                             struct smap *pairs);

/* multilogctl-settings.c: settings and connections. */
extern const struct ctl_command_syntax multilogctl_settings_commands[];
void multilogctl_pre_root(struct ctl_context *);
void multilogctl_pre_connection(struct ctl_context *);
void multilogctl_get_connection(struct ctl_context *);

#endif /* multilogctl-private.h */
