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

#include "mlog-output.h"
#include "openvswitch/json.h"
#include "random.h"
#include "util.h"

static char *
render_table(struct mlog_table *table, bool reverse)
{
    struct ds out = DS_EMPTY_INITIALIZER;

    mlog_table_render(table, reverse, &out);
    mlog_table_destroy(table);
    return ds_steal_cstr(&out);
}

static struct mlog_table *
make_table(enum mlog_format format)
{
    struct mlog_table *table = mlog_table_create(format);

    mlog_table_add_column(table, "name", false);
    mlog_table_add_column(table, "count", true);
    mlog_table_add_column(table, "avg(x)", true);
    mlog_table_put_string(table, "a,b \"c\"");
    mlog_table_put_u64(table, UINT64_MAX);
    mlog_table_put_real(table, 0.5);
    mlog_table_put_string(table, "");
    mlog_table_put_u64(table, 7);
    mlog_table_put_absent(table);
    mlog_table_put_absent(table);
    mlog_table_put_u64(table, 12345);
    mlog_table_put_real(table, 1e300 * 1e300);
    return table;
}

Test(output, table)
{
    cr_expect_str_eq(render_table(make_table(MLOG_FORMAT_TABLE), false),
                     "name                    count  avg(x)\n"
                     "-------  --------------------  ------\n"
                     "a,b \"c\"  18446744073709551615     0.5\n"
                     "\"\"                          7       -\n"
                     "-                       12345       -\n");
}

Test(output, csv)
{
    cr_expect_str_eq(render_table(make_table(MLOG_FORMAT_CSV), false),
                     "name,count,avg(x)\n"
                     "\"a,b \"\"c\"\"\",18446744073709551615,0.5\n"
                     "\"\",7,\n"
                     ",12345,\n");
}

Test(output, json)
{
    cr_expect_str_eq(render_table(make_table(MLOG_FORMAT_JSON), false),
                     "[{\"name\":\"a,b \\\"c\\\"\","
                     "\"count\":18446744073709551615,\"avg(x)\":0.5},"
                     "{\"name\":\"\",\"count\":7},{\"count\":12345}]");
}

Test(output, reverse)
{
    cr_expect_str_eq(render_table(make_table(MLOG_FORMAT_CSV), true),
                     "name,count,avg(x)\n"
                     ",12345,\n"
                     "\"\",7,\n"
                     "\"a,b \"\"c\"\"\",18446744073709551615,0.5\n");
}

/* Text that would act on a terminal, break a line or isn't UTF-8. */
Test(output, hostile_text)
{
    static const char text[] = "\033[2J\r\n#\xff\xc3\xa9\xc2\x85";
    static const struct {
        enum mlog_format format;
        const char *expect;
    } cases[] = {
        { MLOG_FORMAT_TABLE, "c\n"
          "-------------------------\n"
          "\\x1b[2J\\x0d\\x0a#\\xff\xc3\xa9\\x85\n" },
        { MLOG_FORMAT_JSON, "[{\"c\":\"\\u001b[2J\\u000d\\u000a#\\ufffd"
          "\xc3\xa9\xc2\x85\"}]" },
        { MLOG_FORMAT_CSV, "c\n\"\033[2J\r\n#\xff\xc3\xa9\xc2\x85\"\n" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct mlog_table *table = mlog_table_create(cases[i].format);

        mlog_table_add_column(table, "c", false);
        mlog_table_put_string(table, text);
        cr_expect_str_eq(render_table(table, false), cases[i].expect);
    }
}

Test(output, a_cell_like_a_note_is_quoted)
{
    struct mlog_table *table = mlog_table_create(MLOG_FORMAT_CSV);

    mlog_table_add_column(table, "c", false);
    mlog_table_put_string(table, "# 1");
    cr_expect_str_eq(render_table(table, false), "c\n\"# 1\"\n");
}

Test(output, empty_columns_are_hidden_from_people_only)
{
    static const enum mlog_format formats[] = {
        MLOG_FORMAT_TABLE, MLOG_FORMAT_CSV
    };
    static const char *const expect[] = { "b\n-\nx\n", "a,b,c\n,x,\n" };

    for (size_t i = 0; i < 2; i++) {
        struct mlog_table *table = mlog_table_create(formats[i]);

        mlog_table_add_column(table, "a", false);
        mlog_table_add_column(table, "b", false);
        mlog_table_add_column(table, "c", true);
        mlog_table_hide_empty(table);
        mlog_table_put_absent(table);
        mlog_table_put_string(table, "x");
        mlog_table_put_absent(table);
        cr_expect_str_eq(render_table(table, false), expect[i]);
    }
}

/* What mlog_table_size() announces is never less than what is rendered, and
 * not much more, whatever the cells are. */
Test(output, size_is_known)
{
    for (enum mlog_format f = MLOG_FORMAT_TABLE; f <= MLOG_FORMAT_CSV; f++) {
        struct mlog_table *table = mlog_table_create(f);
        struct ds out = DS_EMPTY_INITIALIZER;
        size_t size;

        for (int i = 0; i < 5; i++) {
            mlog_table_add_column(table, "column\n", i % 2);
        }
        for (int i = 0; i < 5000; i++) {
            switch (random_range(4)) {
            case 0:
                mlog_table_put_absent(table);
                break;
            case 1:
                mlog_table_put_u64(table, random_uint64());
                break;
            case 2:
                mlog_table_put_string(table, "\001\"\xc3\xa9");
                break;
            default:
                mlog_table_put_time(table, random_uint32());
                break;
            }
        }
        size = mlog_table_size(table);
        mlog_table_render(table, false, &out);
        cr_expect_leq(out.length, size + 1000, "%d", f);
        cr_expect_geq(out.length, size / 3, "%d", f);
        ds_destroy(&out);
        mlog_table_destroy(table);
    }
}

static void
fill_document(struct mlog_document *doc, enum mlog_format format)
{
    struct mlog_table *table;

    mlog_document_init(doc, format);
    table = mlog_document_table(doc, "rows");
    mlog_table_add_column(table, "n", true);
    mlog_table_put_u64(table, 1);
    mlog_document_put_u64(doc, "count", UINT64_MAX);
    mlog_document_put_bool(doc, "truncated", true);
    mlog_document_put_string(doc, "text", "\"x\"");
    mlog_document_put_time(doc, "cut", UINT64_C(1700000000000000001));
    mlog_document_summary(doc, "%d row", 1);
    mlog_document_note(doc, "%d is missing", 2);
}

Test(output, document)
{
    static const char *const expect[] = {
        [MLOG_FORMAT_TABLE] = "n\n-\n1\n1 row\nnote: 2 is missing\n",
        [MLOG_FORMAT_JSON] = "{\"rows\":[{\"n\":1}],"
            "\"count\":18446744073709551615,\"truncated\":true,"
            "\"text\":\"\\\"x\\\"\","
            "\"cut\":\"2023-11-14T22:13:20.000000001Z\"}\n",
        [MLOG_FORMAT_CSV] = "n\n1\n# 2 is missing\n",
    };

    for (enum mlog_format f = MLOG_FORMAT_TABLE; f <= MLOG_FORMAT_CSV; f++) {
        struct mlog_document doc;
        struct ds out = DS_EMPTY_INITIALIZER;

        fill_document(&doc, f);
        mlog_document_render(&doc, &out);
        cr_expect_str_eq(ds_cstr(&out), expect[f]);
        mlog_document_destroy(&doc);
        ds_destroy(&out);
    }
}

/* Every byte, alone and in pairs, gives a string that the JSON parser takes,
 * and ASCII comes back as it was. */
Test(output, json_strings_parse)
{
    for (unsigned int i = 1; i < 65536; i++) {
        char text[3] = { i & 0xff, i >> 8, 0 };
        struct ds out = DS_EMPTY_INITIALIZER;
        struct json *json;

        if (!text[0]) {
            continue;
        }
        ds_put_char(&out, '[');
        mlog_json_put_string(&out, text);
        ds_put_char(&out, ']');
        json = json_from_string(ds_cstr(&out));
        cr_assert_eq(json->type, JSON_ARRAY, "%#x: %s", i, ds_cstr(&out));
        cr_assert_eq(json->array.n, 1);
        cr_assert_eq(json->array.elems[0]->type, JSON_STRING);
        if (!(i & 0x8080)) {
            cr_assert_str_eq(json_string(json->array.elems[0]), text);
        }
        json_destroy(json);
        ds_destroy(&out);
    }
}

Test(output, formats_have_names)
{
    enum mlog_format format;

    for (enum mlog_format f = MLOG_FORMAT_TABLE; f <= MLOG_FORMAT_CSV; f++) {
        cr_expect(mlog_format_from_string(mlog_format_to_string(f), &format));
        cr_expect_eq(format, f);
    }
    cr_expect_not(mlog_format_from_string("xml", &format));
}
