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

#include "mlog-fields.h"
#include "mlog-time.h"
#include "openvswitch/dynamic-string.h"
#include "util.h"

#define S UINT64_C(1000000000)
#define NOW UINT64_C(1769860800500000000)

static void
check_duration(const char *text, uint64_t expected, const char *canonical)
{
    struct ds s = DS_EMPTY_INITIALIZER;
    uint64_t ns, again;
    char *error = mlog_duration_parse(text, &ns);

    cr_assert(!error, "%s: %s", text, error);
    cr_expect_eq(ns, expected, "%s: %"PRIu64, text, ns);
    mlog_duration_format(ns, &s);
    cr_expect_str_eq(ds_cstr(&s), canonical);
    cr_assert(!mlog_duration_parse(ds_cstr(&s), &again));
    cr_expect_eq(again, ns);
    ds_destroy(&s);
}

Test(time, durations)
{
    check_duration("0", 0, "0");
    check_duration("0s", 0, "0");
    check_duration("1ns", 1, "1ns");
    check_duration("250us", 250000, "250us");
    check_duration("1ms", 1000000, "1ms");
    check_duration("1.5s", 1500000000, "1500ms");
    check_duration("0.000000001s", 1, "1ns");
    check_duration("0.0000000019s", 1, "1ns");
    check_duration("5m", 300 * S, "5m");
    check_duration("90s", 90 * S, "90s");
    check_duration("60m", 3600 * S, "1h");
    check_duration("24h", 86400 * S, "1d");
    check_duration("0.33333333333333333333333333h", UINT64_C(1199999999999),
                   "1199999999999ns");
    check_duration("18446744073709551615ns", UINT64_MAX,
                   "18446744073709551615ns");
}

Test(time, bad_durations)
{
    static const char *const bad[] = {
        "", "s", "1", "-1s", "+1s", " 1s", "1s ", "1 s", "1.s", ".5s",
        "1.2.3s", "1e3s", "0x1s", "1sec", "1S", "1s1ms", "now", ".", "..s",
    };
    static const char *const too_long[] = {
        "18446744073709551616ns", "18446744074s", "213504d", "99999999999h",
        "99999999999999999999999999999999s",
    };
    uint64_t ns;

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        char *error = mlog_duration_parse(bad[i], &ns);

        cr_expect(error && strstr(error, "is not a duration"), "'%s': %s",
                  bad[i], error);
        cr_expect_eq(ns, 0);
        free(error);
    }
    for (size_t i = 0; i < ARRAY_SIZE(too_long); i++) {
        char *error = mlog_duration_parse(too_long[i], &ns);

        cr_expect(error && strstr(error, "too long"), "'%s': %s",
                  too_long[i], error);
        free(error);
    }
}

static void
check_time(const char *text, uint64_t expected)
{
    uint64_t ns;
    char *error = mlog_time_parse_relative(text, NOW, &ns);

    cr_assert(!error, "%s: %s", text, error);
    cr_expect_eq(ns, expected, "%s: %"PRIu64, text, ns);
}

Test(time, times)
{
    check_time("now", NOW);
    check_time("-5s", NOW - 5 * S);
    check_time("-0", NOW);
    check_time("-500d", NOW - 500 * 86400 * S);
    check_time("-200000d", 0);
    check_time("2026-01-31T12:00:00", NOW - S / 2);
    check_time("2026-01-31 12:00:00.5", NOW);
    check_time("2026-01-31T12:00:00.5Z", NOW);
    check_time("2026-01-31T13:00:00.5+01:00", NOW);
    check_time("1769860800.5", NOW);
}

Test(time, bad_times)
{
    static const char *const bad[] = {
        "", "-", "-5", "5s", "+5s", "Now", "yesterday", "2026-01-31",
        "2026-01-31T12:00", "2026-02-30T12:00:00", "2026-01-31T12:00:00.",
        "2026-01-31T12:00:00+1", "2026-01-31T25:00:00", "--5s",
    };

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        uint64_t ns;
        char *error = mlog_time_parse_relative(bad[i], NOW, &ns);

        cr_expect(error, "'%s' was accepted", bad[i]);
        free(error);
    }
}
