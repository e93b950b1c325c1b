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
#include "mlog-time.h"

#include <ctype.h>
#include <string.h>

#include "mlog-fields.h"
#include "openvswitch/dynamic-string.h"
#include "util.h"

/* Times as text: RFC 3339, and seconds since the epoch. */

#define NS_PER_S UINT64_C(1000000000)
#define MAX_SECONDS (UINT64_MAX / NS_PER_S - 1)

static char *
bad_time(const char *text, const char *what)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    mlog_put_quoted(&s, text);
    ds_put_format(&s, " %s", what);
    return ds_steal_cstr(&s);
}

static char *
not_a_time(const char *text)
{
    return bad_time(text, "is not a time such as "
                    "\"2026-01-31T12:00:00.5Z\" or, in seconds since the "
                    "epoch, 1769860800.5");
}

/* Scans 'n' digits into '*value', which must be from 'min' to 'max'. */
static bool
scan_digits(const char **p, int n, int min, int max, int *value)
{
    *value = 0;
    for (int i = 0; i < n; i++) {
        if (!isdigit((unsigned char) **p)) {
            return false;
        }
        *value = *value * 10 + *(*p)++ - '0';
    }
    return *value >= min && *value <= max;
}

/* Scans an optional fraction of a second; digits after the ninth must be
 * there but don't count. */
static bool
scan_fraction(const char **p, uint64_t *ns)
{
    uint64_t unit = NS_PER_S;

    *ns = 0;
    if (**p != '.') {
        return true;
    }
    ++*p;
    if (!isdigit((unsigned char) **p)) {
        return false;
    }
    for (; isdigit((unsigned char) **p); ++*p) {
        unit /= 10;
        *ns += unit * (**p - '0');
    }
    return true;
}

static bool
scan_char(const char **p, const char *chars)
{
    if (**p && strchr(chars, **p)) {
        ++*p;
        return true;
    }
    return false;
}

/* Days from 1970-01-01 to the given date of the Gregorian calendar, for years
 * from 1970 on. */
static int64_t
days_from_date(int year, int month, int day)
{
    static const int before[] = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273,
                                  304, 334 };
    int y = month > 2 ? year : year - 1;        /* Leap days passed. */
    int leaps = (y / 4 - y / 100 + y / 400) - (1969 / 4 - 1969 / 100
                                               + 1969 / 400);

    return (year - 1970) * INT64_C(365) + leaps + before[month - 1] + day - 1;
}

static int
days_in_month(int year, int month)
{
    bool leap = year % 4 == 0 && (year % 100 || year % 400 == 0);

    return (month == 2 ? (leap ? 29 : 28)
            : month == 4 || month == 6 || month == 9 || month == 11 ? 30
            : 31);
}

/* Scans "Z" or "+01:00" into seconds east of UTC. */
static bool
scan_offset(const char **p, int *offset)
{
    int hours, minutes;
    int sign = **p == '-' ? -1 : 1;

    *offset = 0;
    if (scan_char(p, "Zz")) {
        return true;
    }
    if (!scan_char(p, "+-")
        || !scan_digits(p, 2, 0, 23, &hours)
        || !scan_char(p, ":")
        || !scan_digits(p, 2, 0, 59, &minutes)) {
        return false;
    }
    *offset = sign * (hours * 3600 + minutes * 60);
    return true;
}

static char *
parse_rfc3339(const char *text, uint64_t *ns)
{
    int year, month, day, hour, minute, second, offset;
    const char *p = text;
    uint64_t fraction;

    if (!scan_digits(&p, 4, 1970, 2553, &year)
        || !scan_char(&p, "-")
        || !scan_digits(&p, 2, 1, 12, &month)
        || !scan_char(&p, "-")
        || !scan_digits(&p, 2, 1, days_in_month(year, month), &day)
        || !scan_char(&p, "Tt ")
        || !scan_digits(&p, 2, 0, 23, &hour)
        || !scan_char(&p, ":")
        || !scan_digits(&p, 2, 0, 59, &minute)
        || !scan_char(&p, ":")
        || !scan_digits(&p, 2, 0, 59, &second)
        || !scan_fraction(&p, &fraction)) {
        return not_a_time(text);
    }
    if (!*p) {
        return bad_time(text, "has no time zone: append Z for UTC, or an "
                        "offset such as +01:00");
    }
    if (!scan_offset(&p, &offset) || *p) {
        return not_a_time(text);
    }

    int64_t seconds = (days_from_date(year, month, day) * 86400
                       + hour * 3600 + minute * 60 + second - offset);
    if (seconds < 0) {
        return bad_time(text, "is before 1970");
    }
    *ns = seconds * NS_PER_S + fraction;
    return NULL;
}

static char *
parse_epoch(const char *text, uint64_t *ns)
{
    uint64_t seconds = 0;
    const char *p = text;
    uint64_t fraction;

    for (; isdigit((unsigned char) *p); p++) {
        seconds = seconds * 10 + (*p - '0');
        if (seconds > MAX_SECONDS) {
            return bad_time(text, "is too large for seconds since the "
                            "epoch");
        }
    }
    if (!scan_fraction(&p, &fraction) || *p) {
        return not_a_time(text);
    }
    *ns = seconds * NS_PER_S + fraction;
    return NULL;
}

char *
mlog_time_parse(const char *text, uint64_t *ns)
{
    size_t digits = strspn(text, "0123456789");

    *ns = 0;
    if (digits && (!text[digits] || text[digits] == '.')) {
        return parse_epoch(text, ns);
    }
    return parse_rfc3339(text, ns);
}

/* Durations. */

static const struct unit {
    const char *name;
    uint64_t ns;
} units[] = {
    { "d", UINT64_C(86400) * NS_PER_S },
    { "h", UINT64_C(3600) * NS_PER_S },
    { "m", UINT64_C(60) * NS_PER_S },
    { "s", NS_PER_S },
    { "ms", UINT64_C(1000000) },
    { "us", UINT64_C(1000) },
    { "ns", UINT64_C(1) },
};

static const struct unit *
unit_from_name(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
        if (!strcmp(units[i].name, name)) {
            return &units[i];
        }
    }
    return NULL;
}

static char *
not_a_duration(const char *text)
{
    return bad_time(text, "is not a duration: a number and one of the units "
                    "ns, us, ms, s, m, h, d, such as 1ms or 1.5s");
}

/* Scans digits into '*value'.  Returns false on overflow. */
static bool
scan_number(const char **p, uint64_t *value)
{
    *value = 0;
    for (; isdigit((unsigned char) **p); ++*p) {
        if (__builtin_mul_overflow(*value, 10, value)
            || __builtin_add_overflow(*value, **p - '0', value)) {
            return false;
        }
    }
    return true;
}

/* Scans an optional fraction of 'unit' into '*ns', rounding down. */
static bool
scan_unit_fraction(const char *p, uint64_t unit, uint64_t *ns)
{
    *ns = 0;
    if (*p != '.') {
        return true;
    }
    if (!isdigit((unsigned char) *++p)) {
        return false;
    }

    /* At most 17 digits count: more do not matter at any unit, and fit. */
    uint64_t numerator = 0, denominator = 1;
    for (int i = 0; i < 17 && isdigit((unsigned char) *p); i++, p++) {
        numerator = numerator * 10 + *p - '0';
        denominator *= 10;
    }
    *ns = (unsigned __int128) numerator * unit / denominator;
    return true;
}

char *
mlog_duration_parse(const char *text, uint64_t *ns)
{
    size_t length = strspn(text, "0123456789.");
    const struct unit *unit = unit_from_name(text + length);
    const char *p = text;
    uint64_t whole, fraction;

    *ns = 0;
    if (!strcmp(text, "0")) {
        return NULL;
    }
    if (!isdigit((unsigned char) *text) || !unit
        || memrchr(text, '.', length) != memchr(text, '.', length)) {
        return not_a_duration(text);
    }

    bool fits = scan_number(&p, &whole);
    if (fits && !scan_unit_fraction(p, unit->ns, &fraction)) {
        return not_a_duration(text);
    }
    if (!fits
        || __builtin_mul_overflow(whole, unit->ns, &whole)
        || __builtin_add_overflow(whole, fraction, &whole)) {
        return bad_time(text, "is too long: at most 584 years");
    }
    *ns = whole;
    return NULL;
}

void
mlog_duration_format(uint64_t ns, struct ds *s)
{
    const struct unit *unit = units;

    if (!ns) {
        ds_put_char(s, '0');
        return;
    }
    while (ns % unit->ns) {
        unit++;
    }
    ds_put_format(s, "%"PRIu64"%s", ns / unit->ns, unit->name);
}

/* Times that depend on the current one, or lack a zone. */

/* True for an RFC 3339 time that ends after the seconds or their fraction. */
static bool
lacks_zone(const char *text)
{
    size_t length = strlen(text);

    return (length >= 19 && text[4] == '-' && strchr("Tt ", text[10])
            && strspn(text + 17, "0123456789.") == length - 17);
}

char *
mlog_time_parse_relative(const char *text, uint64_t now, uint64_t *ns)
{
    if (!strcmp(text, "now")) {
        *ns = now;
        return NULL;
    }
    if (text[0] == '-') {
        uint64_t ago;
        char *error = mlog_duration_parse(text + 1, &ago);

        *ns = error ? 0 : now - MIN(ago, now);
        return error;
    }
    if (lacks_zone(text)) {
        char *utc = xasprintf("%sZ", text);
        char *error = mlog_time_parse(utc, ns);

        free(utc);
        return error;
    }
    return mlog_time_parse(text, ns);
}
