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
#include "mlog-cli-private.h"

#include "mlog-cli-table.h"
#include "openvswitch/json.h"
#include "util.h"

/* The verb "show". */

static void
put_name(struct ds *s, const struct mlog_cli_style *style, const char *name)
{
    mlog_cli_put_color(s, style, MLOG_CLI_BOLD);
    ds_put_cstr(s, name);
    mlog_cli_put_color(s, style, MLOG_CLI_PLAIN);
    ds_put_char_multiple(s, ' ', 10 - MIN(9, strlen(name)));
}

static void
put_count(struct ds *s, const struct json *object, const char *name)
{
    mlog_cli_put_count(s, mlog_json_number(object, name, 0));
}

static void
put_bytes(struct ds *s, const struct json *object, const char *name)
{
    mlog_cli_put_bytes(s, mlog_json_number(object, name, 0));
}

static void
put_capture(struct ds *s, const struct mlog_cli_style *style,
            const struct json *root)
{
    bool on = mlog_json_true(root, "capturing");
    uint64_t started = mlog_json_time(root, "started");
    uint64_t now = mlog_json_time(root, "now");
    const char *clock = mlog_json_string(root, "clock");

    put_name(s, style, "capture");
    mlog_cli_put_color(s, style, on ? MLOG_CLI_GREEN : MLOG_CLI_RED);
    ds_put_cstr(s, on ? "on" : "off");
    mlog_cli_put_color(s, style, MLOG_CLI_PLAIN);
    ds_put_format(s, ", clock %s", clock ? clock : "unknown");
    if (started && now >= started) {
        ds_put_cstr(s, ", running for ");
        mlog_cli_put_duration(s, now - started);
    }
    ds_put_char(s, '\n');
}

static void
put_records(struct ds *s, const struct mlog_cli_style *style,
            const struct json *root)
{
    const struct json *records = mlog_json_get(root, "records");
    uint64_t oldest = mlog_json_time(records, "oldest");
    uint64_t newest = mlog_json_time(records, "newest");

    put_name(s, style, "records");
    put_count(s, records, "held");
    ds_put_cstr(s, " held of ");
    put_count(s, records, "flows");
    ds_put_cstr(s, " flows, ");
    put_count(s, records, "archived");
    ds_put_cstr(s, " archived, ");
    put_count(s, records, "expired");
    ds_put_cstr(s, " expired, ");
    put_count(s, records, "captured");
    ds_put_cstr(s, " ever\n");
    if (oldest && newest >= oldest) {
        put_name(s, style, "");
        mlog_cli_put_time(s, style, oldest, false);
        ds_put_cstr(s, " to ");
        mlog_cli_put_time(s, style, newest, false);
        ds_put_cstr(s, ", ");
        mlog_cli_put_duration(s, newest - oldest);
        ds_put_char(s, '\n');
    }
}

static void
put_losses(struct ds *s, const struct mlog_cli_style *style,
           const struct json *root)
{
    const struct json *losses = mlog_json_get(root, "losses");
    const struct json *records = mlog_json_get(root, "records");
    double lost = mlog_json_number(records, "lost", 0);
    const char *separator = " (";

    put_name(s, style, "lost");
    mlog_cli_put_color(s, style, lost ? MLOG_CLI_YELLOW : MLOG_CLI_PLAIN);
    mlog_cli_put_count(s, lost);
    if (losses && losses->type == JSON_OBJECT) {
        const struct shash_node **nodes = shash_sort(losses->object);

        for (size_t i = 0; i < shash_count(losses->object); i++) {
            if (mlog_json_number(losses, nodes[i]->name, 0) > 0) {
                ds_put_format(s, "%s%s ", separator, nodes[i]->name);
                put_count(s, losses, nodes[i]->name);
                separator = ", ";
            }
        }
        free(nodes);
    }
    ds_put_cstr(s, separator[0] == ',' ? ")" : "");
    mlog_cli_put_color(s, style, MLOG_CLI_PLAIN);
    ds_put_cstr(s, lost ? ", see \"ovs-multilog doctor\"\n" : "\n");
}

static void
put_store(struct ds *s, const struct mlog_cli_style *style,
          const struct json *root)
{
    const struct json *store = mlog_json_get(root, "store");
    const char *directory = mlog_json_string(store, "directory");
    const char *problem = mlog_json_string(store, "problem");

    put_name(s, style, "store");
    mlog_cli_put_clean(s, directory ? directory
                       : problem ? problem
                       : "none: records end with the process");
    ds_put_char(s, '\n');
}

static void
put_memory(struct ds *s, const struct mlog_cli_style *style,
           const struct json *root)
{
    const struct json *memory = mlog_json_get(root, "memory");

    put_name(s, style, "memory");
    mlog_cli_put_bytes(s, mlog_json_number(memory, "rings", 0)
                          + mlog_json_number(memory, "header_log", 0)
                          + mlog_json_number(memory, "flow_table", 0));
    ds_put_cstr(s, " of ");
    put_bytes(s, memory, "budget");
    ds_put_cstr(s, " (records ");
    put_bytes(s, memory, "header_log");
    ds_put_cstr(s, ", flows ");
    put_bytes(s, memory, "flow_table");
    ds_put_cstr(s, ", rings ");
    put_bytes(s, memory, "rings");
    ds_put_cstr(s, ")\n");
}

static void
put_cost(struct ds *s, const struct mlog_cli_style *style,
         const struct json *root)
{
    const struct json *digest = mlog_json_get(root, "digest");
    const struct json *stream = mlog_json_get(root, "stream");

    put_name(s, style, "digest");
    ds_put_format(s, "%.1f%% of a processor",
                  mlog_json_number(digest, "cpu_percent", 0));
    if (mlog_json_number(digest, "records", 0) >= 10000) {
        ds_put_cstr(s, ", ");
        mlog_cli_put_duration(s, mlog_json_number(digest, "ns_per_record",
                                                  0));
        ds_put_cstr(s, " per record");
    }
    ds_put_char(s, '\n');
    put_name(s, style, "stream");
    put_count(s, stream, "filters");
    ds_put_cstr(s, " filters, ");
    put_count(s, stream, "aggregates");
    ds_put_cstr(s, " aggregates, ");
    put_count(s, stream, "triggers");
    ds_put_cstr(s, " triggers, ");
    put_count(s, stream, "incidents");
    ds_put_cstr(s, " incidents now, ");
    put_count(s, stream, "last_seq");
    ds_put_cstr(s, " alerts ever\n");
}

static void
put_rings(struct ds *s, const struct mlog_cli_style *style,
          const struct json *root)
{
    static const char *const names[] = {
        "name", "captured", "lost", "slots", "used_slots", "huge_pages",
    };
    const struct json *rings = mlog_json_get(root, "rings");
    struct svec columns = SVEC_EMPTY_INITIALIZER;
    struct mlog_cli_table *table;
    struct mlog_cli_view *view;

    if (!rings || rings->type != JSON_ARRAY || !rings->array.n) {
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        svec_add(&columns, names[i]);
    }
    ds_put_char(s, '\n');
    view = mlog_cli_view_create(&columns, style, false);
    table = mlog_cli_table_create(style);
    mlog_cli_view_add_columns(view, table);
    for (size_t i = 0; i < rings->array.n; i++) {
        mlog_cli_view_add_row(view, rings->array.elems[i], table);
    }
    mlog_cli_table_flush(table, s);
    mlog_cli_table_destroy(table);
    mlog_cli_view_destroy(view);
    svec_destroy(&columns);
}

int
mlog_cli_show(struct mlog_cli *cli, struct svec *words)
{
    struct mlog_cli_answer *answer;
    struct ds s = DS_EMPTY_INITIALIZER;
    int status;

    mlog_cli_insert_word(words, 0, "multilog/show");
    status = mlog_cli_ask(cli, words, &answer);
    if (status) {
        return status;
    }
    if (cli->format != MLOG_CLI_TABLE) {
        status = mlog_cli_print(cli, answer, false);
    } else {
        put_capture(&s, &cli->style, answer->root);
        put_records(&s, &cli->style, answer->root);
        put_losses(&s, &cli->style, answer->root);
        put_store(&s, &cli->style, answer->root);
        put_memory(&s, &cli->style, answer->root);
        put_cost(&s, &cli->style, answer->root);
        put_rings(&s, &cli->style, answer->root);
        mlog_cli_write(&s);
        ds_destroy(&s);
    }
    mlog_cli_answer_destroy(answer);
    return status;
}
