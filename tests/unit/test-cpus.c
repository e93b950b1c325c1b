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

#include <criterion/criterion.h>
#include <string.h>

#include "mlog-cpus.h"
#include "mlog-expr.h"
#include "openvswitch/dynamic-string.h"
#include "util.h"

/* Returns 'text' as a list, or "COLUMN: MESSAGE" of its error. */
static char *
parse(const char *text)
{
    struct mlog_error error = MLOG_ERROR_INITIALIZER;
    struct ds s = DS_EMPTY_INITIALIZER;
    cpu_set_t cpus;

    if (mlog_cpus_parse(text, &cpus, &error)) {
        mlog_cpus_format(&cpus, &s);
    } else {
        ds_put_format(&s, "%d: %s", error.column, error.message);
    }
    return ds_steal_cstr(&s);
}

static void
check(const char *text, const char *expected)
{
    cr_expect_str_eq(parse(text), expected, "%s: %s", text, parse(text));
}

static void
check_error(const char *text, const char *expected)
{
    char *found = parse(text);

    cr_expect_eq(strncmp(found, expected, strlen(expected)), 0, "%s: %s",
                 text, found);
}

Test(cpus, lists)
{
    check("0", "0");
    check("3,1", "1,3");
    check("0-3", "0-3");
    check("0,1,2,5-6", "0-2,5-6");
    check("1023", "1023");
    check("0-1023", "0-1023");
    check("5-5,5", "5");
}

Test(cpus, masks)
{
    check("0x1", "0");
    check("0xd", "0,2-3");
    check("0XF0", "4-7");
    check("0x00000000000000000000000000000001", "0");
    check("0x10000000000000000", "64");

    char *widest = xasprintf("0x8%0255d", 0);
    check(widest, "1023");
    free(widest);
}

Test(cpus, errors)
{
    check_error("", "1: expected a processor's number");
    check_error("f", "1: expected a processor's number");
    check_error("1,", "3: expected a processor's number");
    check_error("1-", "3: expected a processor's number");
    check_error("-1", "1: expected a processor's number");
    check_error("1 2", "2: expected ',' or '-'");
    check_error("0-1-2", "4: expected ',' or '-'");
    check_error("3-1", "1: this range ends before it begins");
    check_error("1024", "1: processors have numbers below 1024");
    check_error("0-99999999999999999999", "3: processors have numbers below");
    check_error("0x", "1: the mask has no processor");
    check_error("0x0", "1: the mask has no processor");
    check_error("0x1g", "4: 'g' is not a hexadecimal digit");

    char *too_wide = xasprintf("0x1%0256d", 0);
    check_error(too_wide, "3: processors have numbers below 1024");
    free(too_wide);
}
