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
#include "mlog-cli-render.h"

#include <inttypes.h>

#include "mlog-cli-private.h"
#include "mlog-cli-table.h"
#include "mlog-field-names.h"
#include "mlog-fields.h"
#include "openvswitch/json.h"
#include "util.h"

/* Views: how rows look to people.
 *
 * What a column is follows from its name, as fields and counters have the
 * same names everywhere. */

enum column_kind {
    COLUMN_PLAIN,
    COLUMN_COUNT,
    COLUMN_BYTES,
    COLUMN_NS,
    COLUMN_US,
    COLUMN_PORT,                /* A number; the name is in another column. */
    COLUMN_ETH_TYPE,
    COLUMN_PROTO,
    COLUMN_SERVICE,
    COLUMN_DROP,
    COLUMN_STATE,

    /* Of several fields. */
    COLUMN_PROTO_OF_ALL,
    COLUMN_SRC,
    COLUMN_DST,
    COLUMN_INFO,
};

struct view_column {
    enum column_kind kind;
    char *name;                 /* Of the cell, for most kinds. */
    const char *heading;        /* If other than the name. */
};

struct mlog_cli_view {
    struct mlog_cli_style style;
    struct view_column *columns;
    size_t n, allocated;
    size_t first;               /* The first one's number in the table. */
};

static bool
has_suffix(const char *s, const char *suffix)
{
    size_t n = strlen(s), m = strlen(suffix);

    return n >= m && !strcmp(s + n - m, suffix);
}

static bool
is_in(const char *s, const char *const names[])
{
    for (size_t i = 0; names[i]; i++) {
        if (!strcmp(s, names[i])) {
            return true;
        }
    }
    return false;
}

static enum column_kind
name_to_kind(const char *name)
{
    static const char *const counts[] = {
        "count", "packets", "records", "captured", "lost", "held", "logged",
        "expired", "pending", "archived", "groups", "flows", "raises",
        "clears", "rows", "rate", "pps", "bps", "passes", "late_ticks",
        "slots", "used_slots", "rows_read", "rows_scanned", NULL
    };
    static const char *const bytes[] = {
        "bytes", "memory", "sum(pkt_len)", "budget", "header_log",
        "flow_table", NULL
    };
    static const char *const services[] = {
        "tp_src", "tp_dst", "tcp_src", "tcp_dst", "udp_src", "udp_dst",
        "sctp_src", "sctp_dst", NULL
    };

    return (is_in(name, counts) || !strncmp(name, "n_", 2)
            || !strncmp(name, "count(", 6) || !strncmp(name, "distinct(", 9)
            || has_suffix(name, "_packets") || has_suffix(name, "_records")
            ? COLUMN_COUNT
            : is_in(name, bytes) || has_suffix(name, "_bytes") ? COLUMN_BYTES
            : has_suffix(name, "_ns") ? COLUMN_NS
            : has_suffix(name, "_us") ? COLUMN_US
            : is_in(name, services) ? COLUMN_SERVICE
            : !strcmp(name, "dl_type") ? COLUMN_ETH_TYPE
            : !strcmp(name, "nw_proto") ? COLUMN_PROTO
            : !strcmp(name, "drop_reason") ? COLUMN_DROP
            : !strcmp(name, "state") ? COLUMN_STATE
            : COLUMN_PLAIN);
}

/* Numbers and names. */

static bool
put_name(enum mlog_field_type type, unsigned int value, struct ds *s)
{
    for (const struct mlog_name *n = mlog_field_names(type); n->name; n++) {
        if (n->value == value) {
            ds_put_cstr(s, n->name);
            return true;
        }
    }
    return false;
}

static void
put_proto(const struct mlog_cli_style *style, unsigned int proto,
          struct ds *s)
{
    if (!style->names || !put_name(MLOG_FT_IP_PROTO, proto, s)) {
        ds_put_format(s, "%u", proto);
    }
}

static void
put_eth_type(const struct mlog_cli_style *style, unsigned int type,
             struct ds *s)
{
    if (!style->names || !put_name(MLOG_FT_ETH_TYPE, type, s)) {
        ds_put_format(s, "0x%04x", type);
    }
}

static void
put_service(const struct mlog_cli_style *style, unsigned int port,
            struct ds *s)
{
    const char *name = style->names ? mlog_cli_service(port) : NULL;

    if (name) {
        ds_put_cstr(s, name);
    } else {
        ds_put_format(s, "%u", port);
    }
}

static void
put_number(enum column_kind kind, const struct mlog_cli_style *style,
           const struct json *value, struct ds *s)
{
    double x = value->type == JSON_REAL ? value->real : value->integer;

    switch ((int) kind) {
    case COLUMN_COUNT:
        mlog_cli_put_count(s, x);
        break;
    case COLUMN_BYTES:
        mlog_cli_put_bytes(s, x);
        break;
    case COLUMN_NS:
        mlog_cli_put_duration(s, x);
        break;
    case COLUMN_US:
        mlog_cli_put_duration(s, x * 1000);
        break;
    case COLUMN_ETH_TYPE:
        put_eth_type(style, x, s);
        break;
    case COLUMN_PROTO:
        put_proto(style, x, s);
        break;
    case COLUMN_SERVICE:
        put_service(style, x, s);
        break;
    default:
        if (value->type == JSON_INTEGER) {
            ds_put_format(s, "%lld", value->integer);
        } else {
            ds_put_format(s, "%.6g", x);
        }
        break;
    }
}

static bool
is_name_kind(enum column_kind kind)
{
    return (kind == COLUMN_ETH_TYPE || kind == COLUMN_PROTO
            || kind == COLUMN_SERVICE);
}

void
mlog_cli_put_value(const char *name, const struct json *value,
                   const struct mlog_cli_style *style, struct ds *s)
{
    uint64_t ns;

    switch (value->type) {
    case JSON_INTEGER:
    case JSON_REAL:
        put_number(name_to_kind(name), style, value, s);
        break;
    case JSON_TRUE:
        ds_put_cstr(s, "yes");
        break;
    case JSON_FALSE:
        ds_put_cstr(s, "no");
        break;
    case JSON_NULL:
        ds_put_char(s, '-');
        break;
    case JSON_STRING:
        if (mlog_cli_parse_time(value->string, &ns)) {
            mlog_cli_put_time(s, style, ns, false);
        } else {
            mlog_cli_put_clean(s, value->string);
        }
        break;
    default: {
        char *text = json_to_string(value, JSSF_SORT);

        mlog_cli_put_clean(s, text);
        free(text);
        break;
    }
    }
}

/* Columns of several fields. */

static bool
get_uint(const struct json *row, const char *name, unsigned int *x)
{
    const struct json *value = mlog_json_get(row, name);

    if (!value || value->type != JSON_INTEGER) {
        return false;
    }
    *x = value->integer;
    return true;
}

static void
put_proto_of_all(const struct mlog_cli_style *style, const struct json *row,
                 struct ds *s)
{
    unsigned int x;

    if (get_uint(row, "nw_proto", &x)) {
        put_proto(style, x, s);
    } else if (get_uint(row, "dl_type", &x)) {
        put_eth_type(style, x, s);
    }
}

/* ADDRESS:PORT, [ADDRESS]:PORT, or the MAC address if there is nothing
 * else. */
static void
put_end_point(const struct mlog_cli_style *style, const struct json *row,
              bool src, struct ds *s)
{
    static const char *const names[2][5] = {
        { "nw_dst", "ipv6_dst", "l3_dst", "arp_tpa", "dl_dst" },
        { "nw_src", "ipv6_src", "l3_src", "arp_spa", "dl_src" },
    };
    const char *address = NULL;
    unsigned int port;

    for (size_t i = 0; i < ARRAY_SIZE(names[0]) && !address; i++) {
        address = mlog_json_string(row, names[src][i]);
    }
    if (!address) {
        return;
    } else if (!get_uint(row, src ? "tp_src" : "tp_dst", &port)) {
        ds_put_cstr(s, address);
    } else {
        ds_put_format(s, strchr(address, ':') ? "[%s]:" : "%s:", address);
        put_service(style, port, s);
    }
}

static void
put_info(const struct json *row, struct ds *s)
{
    const char *flags = mlog_json_string(row, "tcp_flags");
    unsigned int x, code;

    if (flags) {
        ds_put_cstr(s, flags);
    } else if (get_uint(row, "icmp_type", &x)
               || get_uint(row, "icmpv6_type", &x)) {
        ds_put_format(s, "type %u", x);
        if ((get_uint(row, "icmp_code", &code)
             || get_uint(row, "icmpv6_code", &code)) && code) {
            ds_put_format(s, " code %u", code);
        }
    } else if (get_uint(row, "arp_op", &x)) {
        if (!put_name(MLOG_FT_ARP_OP, x, s)) {
            ds_put_format(s, "op %u", x);
        }
    }
}

/* Making a view. */

static void
add_column(struct mlog_cli_view *view, enum column_kind kind,
           const char *name, const char *heading)
{
    for (size_t i = 0; i < view->n; i++) {
        if (kind >= COLUMN_PROTO_OF_ALL && view->columns[i].kind == kind) {
            return;
        }
    }
    if (view->n >= view->allocated) {
        view->columns = x2nrealloc(view->columns, &view->allocated,
                                   sizeof *view->columns);
    }
    view->columns[view->n++] = (struct view_column) {
        kind, xstrdup(name), heading,
    };
}

/* Returns true if column 'name' becomes a part of another one. */
static bool
condense_column(struct mlog_cli_view *view, const char *name)
{
    static const char *const protos[] = { "dl_type", "nw_proto", NULL };
    static const char *const srcs[] = {
        "dl_src", "nw_src", "ipv6_src", "l3_src", "arp_spa", "tp_src", NULL
    };
    static const char *const dsts[] = {
        "dl_dst", "nw_dst", "ipv6_dst", "l3_dst", "arp_tpa", "tp_dst", NULL
    };
    static const char *const hidden[] = {
        "flow_id",

        /* Of alerts. */
        "key", "aggregate", "logged", "seen", "newest", "raised_seq",
        "latency_us", "since", "until", NULL
    };
    static const char *const infos[] = {
        "tcp_flags", "icmp_type", "icmp_code", "icmpv6_type", "icmpv6_code",
        "arp_op", NULL
    };

    if (is_in(name, protos)) {
        add_column(view, COLUMN_PROTO_OF_ALL, name, "proto");
    } else if (is_in(name, srcs)) {
        add_column(view, COLUMN_SRC, name, "src");
    } else if (is_in(name, dsts)) {
        add_column(view, COLUMN_DST, name, "dst");
    } else if (is_in(name, infos)) {
        add_column(view, COLUMN_INFO, name, "info");
    } else if (!strcmp(name, "pkt_len")) {
        add_column(view, COLUMN_PLAIN, name, "len");
    } else if (!strcmp(name, "vlan_vid")) {
        add_column(view, COLUMN_PLAIN, name, "vlan");
    } else if (!strcmp(name, "drop_reason")) {
        add_column(view, COLUMN_DROP, name, "dropped");
    } else {
        return is_in(name, hidden);
    }
    return true;
}

/* A port has a number and a name; one of the two is shown. */
static bool
add_port_column(struct mlog_cli_view *view, const struct svec *columns,
                const char *name)
{
    bool is_port = !strcmp(name, "in_port") || !strcmp(name, "out_port");
    bool is_name = !strcmp(name, "in_port_name")
                   || !strcmp(name, "out_port_name");
    char *other = (is_port ? xasprintf("%s_name", name)
                   : is_name ? xmemdup0(name, strlen(name) - 5)
                   : NULL);
    bool both = other && svec_contains_unsorted(columns, other);

    if (is_port && both) {
        add_column(view, COLUMN_PORT, name, NULL);
    }
    free(other);
    return both;
}

/* Columns of several fields come together, in the order of their kinds, where
 * the first of them is. */
static void
sort_composed(struct mlog_cli_view *view)
{
    for (size_t i = 1; i < view->n; i++) {
        struct view_column column = view->columns[i];
        size_t to = i;

        if (column.kind < COLUMN_PROTO_OF_ALL) {
            continue;
        }
        for (size_t j = 0; j < i; j++) {
            if (view->columns[j].kind >= COLUMN_PROTO_OF_ALL) {
                to = view->columns[j].kind > column.kind ? j : j + 1;
                if (to == j) {
                    break;
                }
            }
        }
        memmove(&view->columns[to + 1], &view->columns[to],
                (i - to) * sizeof column);
        view->columns[to] = column;
    }
}

struct mlog_cli_view *
mlog_cli_view_create(const struct svec *columns,
                     const struct mlog_cli_style *style, bool condense)
{
    struct mlog_cli_view *view = xzalloc(sizeof *view);

    view->style = *style;
    for (size_t i = 0; i < columns->n; i++) {
        const char *name = columns->names[i];

        if (!(condense && add_port_column(view, columns, name))
            && !(condense && condense_column(view, name))) {
            add_column(view, name_to_kind(name), name, NULL);
        }
    }
    sort_composed(view);
    return view;
}

void
mlog_cli_view_destroy(struct mlog_cli_view *view)
{
    if (view) {
        for (size_t i = 0; i < view->n; i++) {
            free(view->columns[i].name);
        }
        free(view->columns);
        free(view);
    }
}

void
mlog_cli_view_add_columns(struct mlog_cli_view *view,
                          struct mlog_cli_table *table)
{
    view->first = mlog_cli_table_n_columns(table);
    for (size_t i = 0; i < view->n; i++) {
        const struct view_column *column = &view->columns[i];
        size_t c = mlog_cli_table_add_column(table, (column->heading
                                                     ? column->heading
                                                     : column->name));

        if (column->kind == COLUMN_COUNT || column->kind == COLUMN_BYTES) {
            mlog_cli_table_keep(table, c);
        }
    }
}

/* Cells. */

static void
add_composed_cell(const struct mlog_cli_view *view, size_t i,
                  const struct json *row, struct mlog_cli_table *table)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    switch ((int) view->columns[i].kind) {
    case COLUMN_PROTO_OF_ALL:
        put_proto_of_all(&view->style, row, &s);
        break;
    case COLUMN_SRC:
        put_end_point(&view->style, row, true, &s);
        break;
    case COLUMN_DST:
        put_end_point(&view->style, row, false, &s);
        break;
    case COLUMN_INFO:
        put_info(row, &s);
        break;
    }
    if (s.length) {
        mlog_cli_table_set_text(table, view->first + i, ds_cstr(&s),
                                MLOG_CLI_PLAIN);
    }
    ds_destroy(&s);
}

static void
add_port_cell(const struct mlog_cli_view *view, size_t i,
              const struct json *row, struct mlog_cli_table *table)
{
    char *name_column = xasprintf("%s_name", view->columns[i].name);
    const char *name = mlog_json_string(row, name_column);
    unsigned int number;

    if (!view->style.names && get_uint(row, view->columns[i].name, &number)) {
        char *text = xasprintf("%u", number);

        mlog_cli_table_set_number(table, view->first + i, text);
        free(text);
    } else if (name) {
        mlog_cli_table_set_text(table, view->first + i, name, MLOG_CLI_PLAIN);
    }
    free(name_column);
}

static enum mlog_cli_color
cell_color(enum column_kind kind, const char *text)
{
    return (kind == COLUMN_DROP ? MLOG_CLI_RED
            : kind != COLUMN_STATE ? MLOG_CLI_PLAIN
            : !strcmp(text, "raised") ? MLOG_CLI_RED
            : !strcmp(text, "cleared") ? MLOG_CLI_GREEN
            : !strcmp(text, "overflow") ? MLOG_CLI_YELLOW
            : MLOG_CLI_PLAIN);
}

static void
add_plain_cell(const struct mlog_cli_view *view, size_t i,
               const struct json *value, struct mlog_cli_table *table)
{
    const struct view_column *column = &view->columns[i];
    struct ds s = DS_EMPTY_INITIALIZER;
    uint64_t ns;

    if (value->type == JSON_NULL) {
        return;
    } else if (value->type == JSON_STRING) {
        if (mlog_cli_parse_time(value->string, &ns)) {
            mlog_cli_table_set_time(table, view->first + i, ns);
        } else {
            mlog_cli_table_set_text(table, view->first + i, value->string,
                                    cell_color(column->kind, value->string));
        }
        return;
    }
    mlog_cli_put_value(column->name, value, &view->style, &s);
    if ((value->type == JSON_INTEGER || value->type == JSON_REAL)
        && !(view->style.names && is_name_kind(column->kind))) {
        mlog_cli_table_set_number(table, view->first + i, ds_cstr(&s));
    } else {
        mlog_cli_table_set_text(table, view->first + i, ds_cstr(&s),
                                MLOG_CLI_PLAIN);
    }
    ds_destroy(&s);
}

void
mlog_cli_view_add_row(const struct mlog_cli_view *view,
                      const struct json *row, struct mlog_cli_table *table)
{
    mlog_cli_table_add_row(table);
    for (size_t i = 0; i < view->n; i++) {
        const struct view_column *column = &view->columns[i];
        const struct json *value = mlog_json_get(row, column->name);

        if (column->kind >= COLUMN_PROTO_OF_ALL) {
            add_composed_cell(view, i, row, table);
        } else if (column->kind == COLUMN_PORT) {
            add_port_cell(view, i, row, table);
        } else if (value) {
            add_plain_cell(view, i, value, table);
        }
    }
}
