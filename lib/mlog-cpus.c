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

#include "mlog-cpus.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "mlog-expr.h"
#include "openvswitch/dynamic-string.h"
#include "util.h"

static bool
parse_mask(const char *text, cpu_set_t *cpus, struct mlog_error *error)
{
    size_t n = strlen(text);

    for (size_t i = 0; i < n; i++) {
        int digit = hexit_value(text[i]);

        if (digit < 0) {
            mlog_error_set(error, 3 + i, "'%c' is not a hexadecimal digit",
                           text[i]);
            return false;
        }
        for (size_t bit = 0; bit < 4; bit++) {
            size_t cpu = (n - 1 - i) * 4 + bit;

            if (!(digit >> bit & 1)) {
                continue;
            } else if (cpu >= CPU_SETSIZE) {
                mlog_error_set(error, 3 + i, "processors have numbers below "
                               "%d", CPU_SETSIZE);
                return false;
            }
            CPU_SET(cpu, cpus);
        }
    }
    return true;
}

/* Parses a number at '*p' and goes on after it. */
static bool
parse_cpu(const char *text, const char **p, unsigned long *cpu,
          struct mlog_error *error)
{
    int column = *p - text + 1;
    char *end;

    if (!isdigit((unsigned char) **p)) {
        mlog_error_set(error, column, "expected a processor's number; a set "
                       "is a list such as 0,2-3 or a mask such as 0xd");
        return false;
    }
    *cpu = strtoul(*p, &end, 10);
    *p = end;
    if (*cpu >= CPU_SETSIZE) {
        mlog_error_set(error, column, "processors have numbers below %d",
                       CPU_SETSIZE);
        return false;
    }
    return true;
}

static bool
parse_list(const char *text, cpu_set_t *cpus, struct mlog_error *error)
{
    const char *p = text;

    for (;;) {
        const char *start = p;
        unsigned long first, last;

        if (!parse_cpu(text, &p, &first, error)) {
            return false;
        }
        last = first;
        if (*p == '-') {
            p++;
            if (!parse_cpu(text, &p, &last, error)) {
                return false;
            } else if (last < first) {
                mlog_error_set(error, start - text + 1, "this range ends "
                               "before it begins");
                return false;
            }
        }
        for (; first <= last; first++) {
            CPU_SET(first, cpus);
        }
        if (!*p) {
            return true;
        } else if (*p++ != ',') {
            mlog_error_set(error, p - text, "expected ',' or '-'");
            return false;
        }
    }
}

bool
mlog_cpus_parse(const char *text, cpu_set_t *cpus, struct mlog_error *error)
{
    bool is_mask = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');

    CPU_ZERO(cpus);
    if (!(is_mask ? parse_mask(text + 2, cpus, error)
          : parse_list(text, cpus, error))) {
        return false;
    } else if (!CPU_COUNT(cpus)) {
        mlog_error_set(error, 1, "the mask has no processor");
        return false;
    }
    return true;
}

void
mlog_cpus_format(const cpu_set_t *cpus, struct ds *s)
{
    const char *separator = "";

    for (unsigned int i = 0; i < CPU_SETSIZE; i++) {
        unsigned int first = i;

        if (!CPU_ISSET(i, cpus)) {
            continue;
        }
        while (i + 1 < CPU_SETSIZE && CPU_ISSET(i + 1, cpus)) {
            i++;
        }
        ds_put_format(s, "%s%u", separator, first);
        if (i > first) {
            ds_put_format(s, "-%u", i);
        }
        separator = ",";
    }
}
