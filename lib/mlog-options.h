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

#ifndef MLOG_OPTIONS_H
#define MLOG_OPTIONS_H 1

/* Options of the form NAME=VALUE, as the definitions of aggregates and
 * triggers have them. */

#include <stdbool.h>
#include <stddef.h>

struct mlog_error;

/* Splits 'options' into 'values', one for each of the 'n_names' names and
 * NULL where it isn't given; values point into 'options'.  Returns true, or
 * sets 'error' and '*where', the option it refers to, and returns false:
 * unknown names, no value, the same name twice. */
bool mlog_options_split(const char *const options[], size_t n_options,
                        const char *const names[], size_t n_names,
                        const char *values[], struct mlog_error *error,
                        const char **where);

/* Sets 'error' to 'message', which is freed, at the value of an option. */
void mlog_options_error(const char *name, const char *value, char *message,
                        struct mlog_error *error, const char **where);

#endif /* mlog-options.h */
