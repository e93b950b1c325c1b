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

#include "mlog-formula.h"
#include "openvswitch/dynamic-string.h"
#include "util.h"

/* Names are single letters: "a" to "i" are 1 to 9, "n" is absent, "u" is
 * UINT64_MAX, "a(x)" is 100. */

static char *
resolve(void *aux OVS_UNUSED, const char *start, size_t length,
        size_t *index)
{
    *index = *start;
    if (length == 4 && !memcmp(start, "a(x)", 4)) {
        *index = 'X';
        return NULL;
    }
    return (length == 1 && strchr("abcdefghinu", *start) ? NULL
            : xasprintf("no %.*s", (int) length, start));
}

static bool
get(const void *aux OVS_UNUSED, size_t index, long double *value)
{
    *value = (index == 'X' ? 100 : index == 'u' ? (long double) UINT64_MAX
              : (int) index - 'a' + 1);
    return index != 'n';
}

static bool
eval(const char *text, enum mlog_formula_type type, long double *value)
{
    struct mlog_error error = MLOG_ERROR_INITIALIZER;
    struct mlog_formula *formula = mlog_formula_parse(text, type, resolve,
                                                      NULL, &error);
    bool present;

    cr_assert_not_null(formula, "%s: %s", text, error.message);
    present = mlog_formula_eval(formula, get, NULL, value);
    mlog_formula_destroy(formula);
    return present;
}

Test(formula, numbers)
{
    static const struct { const char *text; long double value; } cases[] = {
        { "1", 1 }, { " 0.5 ", 0.5L }, { "2k", 2000 }, { "1.5M", 1500000 },
        { "3G", 3e9L }, { "c", 3 }, { "a(x) + a", 101 },
        { "1+2*3", 7 }, { "(1+2)*3", 9 }, { "10-3-2", 5 }, { "8/4/2", 1 },
        { "-b*c", -6 }, { "--b", 2 }, { "-(b+c)", -5 }, { "2 - -3", 5 },
        { "-2*-3", 6 }, { "u - 1", (long double) UINT64_MAX - 1 },
        { "2*(3+(4-1))/b", 6 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        long double value;

        cr_assert(eval(cases[i].text, MLOG_FORMULA_NUMBER, &value), "%s",
                  cases[i].text);
        cr_expect_eq(value, cases[i].value, "%s", cases[i].text);
    }
}

Test(formula, conditions)
{
    static const struct { const char *text; bool value; } cases[] = {
        { "1 < 2", true }, { "2 < 2", false }, { "2 <= 2", true },
        { "b>a", true }, { "a>=b", false }, { "a==1", true },
        { "a = 1", true }, { "a!=1", false }, { "u > u - 1", true },
        { "1 < 2 && 2 < 1", false }, { "1 < 2 and 2 < 3", true },
        { "2 < 1 || 1 < 2", true }, { "2 < 1 or 3 < 1", false },
        { "!(1 < 2)", false }, { "not 2 < 1", true }, { "!!(1<2)", true },
        { "1<2 || 1<2 && 2<1", true }, { "(1<2 || 1<2) && 2<1", false },
        { "!2<1 && 1<2", true }, { "(a) < (b)", true },
        { "a+1 == b && !(c*c != i)", true },

        /* What is absent is in no relation to anything. */
        { "n < 1", false }, { "n != 1", false }, { "n == n", false },
        { "!(n < 1)", true }, { "1 / 0 > 1", false }, { "n*0 == 0", false },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        long double value;

        cr_assert(eval(cases[i].text, MLOG_FORMULA_CONDITION, &value), "%s",
                  cases[i].text);
        cr_expect_eq(value != 0, cases[i].value, "%s", cases[i].text);
    }
}

Test(formula, absent_numbers)
{
    static const char *const texts[] = {
        "n", "-n", "n + 1", "1 - n", "n * 0", "1 / n", "1 / 0", "0 / (a - 1)"
    };

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        long double value;

        cr_expect_not(eval(texts[i], MLOG_FORMULA_NUMBER, &value), "%s",
                      texts[i]);
    }
}

static void
check_error(const char *text, enum mlog_formula_type type, int column,
            const char *message)
{
    struct mlog_error error = MLOG_ERROR_INITIALIZER;

    cr_assert_null(mlog_formula_parse(text, type, resolve, NULL, &error),
                   "%s", text);
    cr_expect_eq(error.column, column, "%.40s: column %d", text,
                 error.column);
    cr_expect(strstr(error.message, message), "%.40s: %s", text,
              error.message);
    mlog_error_clear(&error);
}

Test(formula, errors_tell_the_place)
{
    static const struct {
        enum mlog_formula_type type;
        const char *text;
        int column;
        const char *message;
    } cases[] = {
        { MLOG_FORMULA_NUMBER, "", 1, "found the end" },
        { MLOG_FORMULA_NUMBER, "1 +", 4, "found the end" },
        { MLOG_FORMULA_NUMBER, "1 2", 3, "can't follow" },
        { MLOG_FORMULA_NUMBER, "(1", 1, "missing ')'" },
        { MLOG_FORMULA_NUMBER, "1)", 2, "can't follow" },
        { MLOG_FORMULA_NUMBER, "a + x", 5, "no x" },
        { MLOG_FORMULA_NUMBER, "a(x", 2, "missing ')'" },
        { MLOG_FORMULA_NUMBER, "1.2.3", 1, "not a number" },
        { MLOG_FORMULA_NUMBER, "1.", 1, "not a number" },
        { MLOG_FORMULA_NUMBER, "1q", 1, "not a number" },
        { MLOG_FORMULA_NUMBER, "a < b", 1, "a number is needed" },
        { MLOG_FORMULA_NUMBER, "1 + (a < b)", 5, "a number is needed" },
        { MLOG_FORMULA_NUMBER, "-(a < b)", 1, "a number is needed" },
        { MLOG_FORMULA_NUMBER, "(a < b) * 2", 1, "a number is needed" },
        { MLOG_FORMULA_CONDITION, "a", 1, "a condition is needed" },
        { MLOG_FORMULA_CONDITION, "a && b < c", 1, "a condition is needed" },
        { MLOG_FORMULA_CONDITION, "a < b && c", 10, "a condition is needed" },
        { MLOG_FORMULA_CONDITION, "a < b < c", 7, "can't follow" },
        { MLOG_FORMULA_CONDITION, "!a", 1, "a condition is needed" },
        { MLOG_FORMULA_CONDITION, "(a < b) == (b < c)", 1,
          "a number is needed" },
        { MLOG_FORMULA_CONDITION, "a & b", 3, "can't follow" },
        { MLOG_FORMULA_CONDITION, "a < \x01", 5, "expected a number" },
        { MLOG_FORMULA_CONDITION, "a < \xff", 5, "expected a number" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        check_error(cases[i].text, cases[i].type, cases[i].column,
                    cases[i].message);
    }
}

static char *
repeat(const char *s, size_t n, const char *last)
{
    struct ds ds = DS_EMPTY_INITIALIZER;

    while (n--) {
        ds_put_cstr(&ds, s);
    }
    ds_put_cstr(&ds, last);
    return ds_steal_cstr(&ds);
}

Test(formula, hostile_ones_are_refused)
{
    check_error(repeat("(", 3000, "1"), MLOG_FORMULA_NUMBER, 65,
                "64 levels");
    check_error(repeat("1+", 1500, "1"), MLOG_FORMULA_NUMBER, 258,
                "too long");
    check_error(repeat("1", 5000, ""), MLOG_FORMULA_NUMBER, 1,
                "longer than 4096 bytes");
    check_error(repeat("a(", 2000, ""), MLOG_FORMULA_NUMBER, 2,
                "missing ')'");
}

Test(formula, long_ones_are_computed)
{
    long double value;

    cr_assert(eval(repeat("1+", 127, "1"), MLOG_FORMULA_NUMBER, &value));
    cr_expect_eq(value, 128);
    cr_assert(eval(repeat("-", 4001, "1"), MLOG_FORMULA_NUMBER, &value));
    cr_expect_eq(value, -1);
    cr_assert(eval(repeat("!", 4000, "(1<2)"), MLOG_FORMULA_CONDITION,
                   &value));
    cr_expect_eq(value, 1);
}
