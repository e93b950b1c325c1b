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
#include "mlog-cli-text.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <netdb.h>
#include <string.h>
#include <time.h>

#include "mlog-fields.h"
#include "mlog-time.h"
#include "util.h"

void
mlog_cli_put_color(struct ds *s, const struct mlog_cli_style *style,
                   enum mlog_cli_color color)
{
    static const char *const codes[] = {
        [MLOG_CLI_PLAIN] = "\033[0m",
        [MLOG_CLI_BOLD] = "\033[1m",
        [MLOG_CLI_DIM] = "\033[2m",
        [MLOG_CLI_RED] = "\033[31m",
        [MLOG_CLI_GREEN] = "\033[32m",
        [MLOG_CLI_YELLOW] = "\033[33m",
        [MLOG_CLI_REVERSE] = "\033[7m",
    };

    if (style->color) {
        ds_put_cstr(s, codes[color]);
    }
}

/* UTF-8. */

/* Stores the character at 'text' in '*c' and returns its length in bytes, or
 * returns 0 if that isn't one. */
static size_t
decode(const char *text, uint32_t *c)
{
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    const unsigned char *p = (const unsigned char *) text;
    size_t n = (p[0] < 0x80 ? 1
                : (p[0] & 0xe0) == 0xc0 ? 2
                : (p[0] & 0xf0) == 0xe0 ? 3
                : (p[0] & 0xf8) == 0xf0 ? 4
                : 0);

    if (n <= 1) {
        *c = p[0];
        return n;
    }
    *c = p[0] & (0x7f >> n);
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return 0;
        }
        *c = *c << 6 | (p[i] & 0x3f);
    }
    return (*c < least[n] || *c > 0x10ffff || (*c >= 0xd800 && *c <= 0xdfff)
            ? 0 : n);
}

/* Control characters, those that change the direction of text, lines'
 * separators, and those that aren't seen. */
static bool
is_harmful(uint32_t c)
{
    return (c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad
            || c == 0x061c || (c >= 0x200b && c <= 0x200f)
            || (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f)
            || c == 0xfeff || (c >= 0xfff9 && c <= 0xfffb)
            || (c >= 0xe0000 && c <= 0xe0fff));
}

void
mlog_cli_put_clean(struct ds *s, const char *text)
{
    while (*text) {
        uint32_t c;
        size_t n = decode(text, &c);

        if (!n || (n == 1 && is_harmful(c))) {
            ds_put_format(s, "\\x%02x", (unsigned char) *text);
            n = 1;
        } else if (is_harmful(c)) {
            ds_put_format(s, c > 0xffff ? "\\U%08"PRIx32 : "\\u%04"PRIx32, c);
        } else {
            ds_put_buffer(s, text, n);
        }
        text += n;
    }
}

void
mlog_cli_put_clean_json(struct ds *s, const char *json)
{
    while (*json) {
        uint32_t c;
        size_t n = decode(json, &c);

        if (!n) {
            ds_put_cstr(s, "\\ufffd");
            n = 1;
        } else if (c >= 0x7f && is_harmful(c) && c > 0xffff) {
            ds_put_format(s, "\\u%04"PRIx32"\\u%04"PRIx32,
                          0xd800 + ((c - 0x10000) >> 10),
                          0xdc00 + ((c - 0x10000) & 0x3ff));
        } else if (c >= 0x7f && is_harmful(c)) {
            ds_put_format(s, "\\u%04"PRIx32, c);
        } else {
            ds_put_buffer(s, json, n);
        }
        json += n;
    }
}

/* East Asian wide characters and pictures take two columns, combining ones
 * none.  This doesn't depend on the locale, since records don't. */
static size_t
char_columns(uint32_t c)
{
    static const struct { uint32_t first, last; } wide[] = {
        { 0x1100, 0x115f }, { 0x2e80, 0x303e }, { 0x3041, 0xa4cf },
        { 0xac00, 0xd7a3 }, { 0xf900, 0xfaff }, { 0xfe30, 0xfe6f },
        { 0xff00, 0xff60 }, { 0xffe0, 0xffe6 }, { 0x1f300, 0x1f64f },
        { 0x1f680, 0x1f6ff }, { 0x1f900, 0x1f9ff }, { 0x20000, 0x3fffd },
    };

    if ((c >= 0x300 && c <= 0x36f) || (c >= 0xfe00 && c <= 0xfe0f)
        || (c >= 0x20d0 && c <= 0x20ff)) {
        return 0;
    }
    for (size_t i = 0; i < ARRAY_SIZE(wide); i++) {
        if (c >= wide[i].first && c <= wide[i].last) {
            return 2;
        }
    }
    return 1;
}

size_t
mlog_cli_columns(const char *text)
{
    size_t columns = 0;

    while (*text) {
        uint32_t c;
        size_t n = decode(text, &c);

        columns += n ? char_columns(c) : 1;
        text += n ? n : 1;
    }
    return columns;
}

size_t
mlog_cli_put_clipped(struct ds *s, const char *text, size_t columns)
{
    size_t total = mlog_cli_columns(text);
    size_t room = total > columns ? columns - (columns > 0) : columns;
    size_t used = 0;

    if (total <= columns) {
        ds_put_cstr(s, text);
        return total;
    }
    while (*text) {
        uint32_t c;
        size_t n = decode(text, &c);
        size_t width = n ? char_columns(c) : 1;

        if (used + width > room) {
            break;
        }
        ds_put_buffer(s, text, n ? n : 1);
        used += width;
        text += n ? n : 1;
    }
    if (columns) {
        ds_put_char(s, '~');
        used++;
    }
    return used;
}

/* Numbers. */

void
mlog_cli_put_count(struct ds *s, double x)
{
    static const char units[] = "KMGTPE";
    const char *unit = units;

    if (fabs(x) < 1e5) {
        ds_put_format(s, x == floor(x) ? "%.0f"
                      : fabs(x) < 10 ? "%.3f"
                      : "%.1f", x);
        return;
    }
    x /= 1000;
    while (fabs(x) >= 999.95 && unit[1]) {
        x /= 1000;
        unit++;
    }
    ds_put_format(s, "%.*f%c", fabs(x) < 9.9995 ? 3 : fabs(x) < 99.995 ? 2 : 1,
                  x, *unit);
}

void
mlog_cli_put_bytes(struct ds *s, double x)
{
    static const char units[] = "KMGTPE";
    const char *unit = units;

    if (fabs(x) < 1000) {
        ds_put_format(s, "%.0f B", x);
        return;
    }
    x /= 1024;
    while (fabs(x) >= 999.5 && unit[1]) {
        x /= 1024;
        unit++;
    }
    ds_put_format(s, fabs(x) < 99.95 ? "%.1f %ciB" : "%.0f %ciB", x, *unit);
}

static void
put_two(struct ds *s, double seconds, double large, const char *large_name,
        double small, const char *small_name)
{
    double n = floor(seconds / large);
    double rest = floor((seconds - n * large) / small);

    ds_put_format(s, "%.0f %s", n, large_name);
    if (rest > 0) {
        ds_put_format(s, " %.0f %s", rest, small_name);
    }
}

void
mlog_cli_put_duration(struct ds *s, double ns)
{
    double seconds = ns / 1e9;

    if (ns < 0) {
        ds_put_char(s, '-');
        mlog_cli_put_duration(s, -ns);
    } else if (ns < 1e3) {
        ds_put_format(s, "%.3g ns", ns);
    } else if (ns < 999.5e3) {
        ds_put_format(s, "%.3g us", ns / 1e3);
    } else if (ns < 999.5e6) {
        ds_put_format(s, "%.3g ms", ns / 1e6);
    } else if (seconds < 99.95) {
        ds_put_format(s, "%.3g s", seconds);
    } else if (seconds < 3600) {
        put_two(s, seconds, 60, "min", 1, "s");
    } else if (seconds < 86400) {
        put_two(s, seconds, 3600, "h", 60, "min");
    } else {
        put_two(s, seconds, 86400, "d", 3600, "h");
    }
}

/* Times. */

void
mlog_cli_put_time(struct ds *s, const struct mlog_cli_style *style,
                  uint64_t ns, bool brief)
{
    time_t when = ns / MLOG_NS_PER_S;
    struct tm tm;

    if (style->utc) {
        gmtime_r(&when, &tm);
    } else {
        localtime_r(&when, &tm);
    }
    if (!brief) {
        ds_put_format(s, "%04d-%02d-%02dT", tm.tm_year + 1900, tm.tm_mon + 1,
                      tm.tm_mday);
    }
    ds_put_format(s, "%02d:%02d:%02d.%06"PRIu64, tm.tm_hour, tm.tm_min,
                  tm.tm_sec, ns % MLOG_NS_PER_S / 1000);
    if (brief) {
        return;
    } else if (style->utc) {
        ds_put_char(s, 'Z');
    } else {
        long int minutes = tm.tm_gmtoff / 60;

        ds_put_format(s, "%c%02ld:%02ld", minutes < 0 ? '-' : '+',
                      labs(minutes) / 60, labs(minutes) % 60);
    }
}

bool
mlog_cli_parse_time(const char *text, uint64_t *ns)
{
    static const char pattern[] = "dddd-dd-ddTdd:dd:dd.dddddddddZ";

    for (size_t i = 0; i < sizeof pattern; i++) {
        if (pattern[i] == 'd' ? !isdigit((unsigned char) text[i])
            : pattern[i] != text[i]) {
            return false;
        }
    }

    char *error = mlog_time_parse(text, ns);
    free(error);
    return !error;
}

/* Services. */

const char *
mlog_cli_service(unsigned int port)
{
    static const char none[] = "";
    static const char *names[1024];

    if (port >= ARRAY_SIZE(names)) {
        return NULL;
    }
    if (!names[port]) {
        const struct servent *service = getservbyport(htons(port), NULL);

        names[port] = service ? xstrdup(service->s_name) : none;
    }
    return names[port][0] ? names[port] : NULL;
}
