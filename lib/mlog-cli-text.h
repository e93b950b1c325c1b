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


#ifndef MLOG_CLI_TEXT_H
#define MLOG_CLI_TEXT_H 1

/* Text for people's terminals
 * ===========================
 *
 * Numbers, durations and times as people read them, and text that may be
 * hostile, such as the name of a network interface, made harmless: it never
 * reaches a terminal as a control sequence, nor changes the direction of what
 * follows it.
 *
 * Thread-safety: all functions may be called from any thread at any time, but
 * for those that use the time zone of the environment (see localtime_r(3)). */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "openvswitch/dynamic-string.h"

/* How to write. */
struct mlog_cli_style {
    bool color;                 /* With the colours of a terminal. */
    bool names;                 /* Names of ports, protocols, services. */
    bool utc;                   /* Times in UTC, not in the local zone. */
    int width;                  /* Of the terminal; 0: no limit. */
};

enum mlog_cli_color {
    MLOG_CLI_PLAIN,
    MLOG_CLI_BOLD,
    MLOG_CLI_DIM,
    MLOG_CLI_RED,
    MLOG_CLI_GREEN,
    MLOG_CLI_YELLOW,
    MLOG_CLI_REVERSE,
};

/* Begins a colour; MLOG_CLI_PLAIN ends it.  Nothing without colours. */
void mlog_cli_put_color(struct ds *, const struct mlog_cli_style *,
                        enum mlog_cli_color);

/* Appends 'text' with control characters, directional overrides and what is
 * not UTF-8 escaped, as in "\x1b" and "\u202e". */
void mlog_cli_put_clean(struct ds *, const char *text);

/* The same, but to JSON text, which stays equivalent. */
void mlog_cli_put_clean_json(struct ds *, const char *json);

/* Number of columns of a terminal that 'text', which is clean, takes. */
size_t mlog_cli_columns(const char *text);

/* Appends as much of clean 'text' as goes into 'columns', ending in "~" if
 * something is missing.  Returns the columns that it takes. */
size_t mlog_cli_put_clipped(struct ds *, const char *text, size_t columns);

/* 99999, 123.4K, 1.235M, 12.35G: five digits at most. */
void mlog_cli_put_count(struct ds *, double);

/* 999 B, 1.5 KiB, 20.0 MiB. */
void mlog_cli_put_bytes(struct ds *, double);

/* 250 ns, 1.25 ms, 12.3 s, 5 min 3 s, 2 h 5 min, 3 d 4 h. */
void mlog_cli_put_duration(struct ds *, double ns);

/* 2026-01-31T13:00:00.123456+01:00, which the switch reads back, or only
 * 13:00:00.123456 if 'brief'. */
void mlog_cli_put_time(struct ds *, const struct mlog_cli_style *,
                       uint64_t ns, bool brief);

/* If 'text' is a time as the switch writes it, stores it and returns true. */
bool mlog_cli_parse_time(const char *text, uint64_t *ns);

/* Returns the name of a well-known port (below 1024), or NULL. */
const char *mlog_cli_service(unsigned int port);

#endif /* mlog-cli-text.h */
