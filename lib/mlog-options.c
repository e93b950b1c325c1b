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
#include "mlog-options.h"

#include <string.h>

#include "mlog-expr.h"
#include "openvswitch/dynamic-string.h"
#include "util.h"

static void
unknown_option(const char *option, const char *const names[], size_t n_names,
               struct mlog_error *error)
{
    char *name = xmemdup0(option, strcspn(option, "="));
    const char *nearest = mlog_nearest_name(name, names, n_names);
    struct ds s = DS_EMPTY_INITIALIZER;

    mlog_put_quoted(&s, option);
    ds_put_cstr(&s, " is not an option; ");
    if (nearest) {
        ds_put_format(&s, "did you mean %s=...?", nearest);
    } else {
        ds_put_cstr(&s, "options are");
        for (size_t i = 0; i < n_names; i++) {
            ds_put_format(&s, "%s %s=...", i ? "," : "", names[i]);
        }
    }
    mlog_error_set(error, 1, "%s", ds_cstr(&s));
    ds_destroy(&s);
    free(name);
}

static bool
split(const char *option, const char *const names[], size_t n_names,
      const char *values[], struct mlog_error *error)
{
    size_t length = strcspn(option, "=");

    for (size_t i = 0; i < n_names; i++) {
        if (strlen(names[i]) != length || memcmp(names[i], option, length)) {
            continue;
        } else if (!option[length] || !option[length + 1]) {
            mlog_error_set(error, length + 1, "%s needs a value: %s=...",
                           names[i], names[i]);
            return false;
        } else if (values[i]) {
            mlog_error_set(error, 1, "%s is given twice", names[i]);
            return false;
        }
        values[i] = option + length + 1;
        return true;
    }
    unknown_option(option, names, n_names, error);
    return false;
}

bool
mlog_options_split(const char *const options[], size_t n_options,
                   const char *const names[], size_t n_names,
                   const char *values[], struct mlog_error *error,
                   const char **where)
{
    for (size_t i = 0; i < n_names; i++) {
        values[i] = NULL;
    }
    for (size_t i = 0; i < n_options; i++) {
        if (!split(options[i], names, n_names, values, error)) {
            *where = options[i];
            return false;
        }
    }
    return true;
}

void
mlog_options_error(const char *name, const char *value, char *message,
                   struct mlog_error *error, const char **where)
{
    *where = value - strlen(name) - 1;
    mlog_error_set(error, value - *where + 1, "%s: %s", name, message);
    free(message);
}
