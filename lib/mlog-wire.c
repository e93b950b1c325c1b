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

#include "mlog-wire.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "stream.h"
#include "util.h"

#define MAX_TARGETS 16

char *
mlog_wire_check_name(const char *name)
{
    size_t length = strlen(name);

    if (!length || length > MLOG_WIRE_MAX_NAME) {
        return xasprintf("a name has 1 to %d characters",
                         MLOG_WIRE_MAX_NAME);
    }
    for (size_t i = 0; i < length; i++) {
        if (!isalnum((unsigned char) name[i]) && !strchr("_.-", name[i])) {
            return xstrdup("a name consists of letters, digits, "
                           "\"_\", \".\" and \"-\"");
        }
    }
    return NULL;
}

char *
mlog_wire_check_targets(const char *targets)
{
    char *copy = xstrdup(targets);
    char *error = NULL;
    char *save = NULL;
    size_t n = 0;

    for (char *target = strtok_r(copy, ", ", &save); target && !error;
         target = strtok_r(NULL, ", ", &save)) {
        if (stream_verify_name(target)) {
            error = xasprintf("\"%s\" is not of the form ssl:HOST:PORT, "
                              "tcp:HOST:PORT or unix:FILE", target);
        } else if (++n > MAX_TARGETS) {
            error = xasprintf("at most %d aggregators", MAX_TARGETS);
        }
    }
    free(copy);
    return error;
}
