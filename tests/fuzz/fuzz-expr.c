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

/* Feeds expressions with anything.
 *
 * With clang's libFuzzer:
 *
 *     clang -DMLOG_LIBFUZZER -fsanitize=fuzzer,address,undefined ...
 *
 * Otherwise this is a program of its own, which mutates some valid
 * expressions:
 *
 *     fuzz-expr [ITERATIONS [SEED]]
 *     fuzz-expr FILE...            runs what FILEs hold
 *
 * Whatever the text, the parser must return an expression or an error, never
 * both.  An expression must have a canonical text that is a fixed point and
 * means the same, and what it says of a flow must hold for its packets. */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/records.h"
#include "mlog-expr.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_error(const struct mlog_error *error, const char *text)
{
    struct json *json = mlog_error_to_json(error);

    ovs_assert(error->message && error->message[0]);
    ovs_assert(error->column >= 1 && error->column <= strlen(text) + 1);
    for (const char *p = error->message; *p; p++) {
        ovs_assert(*p >= 0x20 && *p < 0x7f);
    }
    free(mlog_error_to_string(error, text));
    free(json_to_string(json, 0));
    json_destroy(json);
}

static void
check_values(const struct mlog_expr *expr, const struct mlog_expr *canonical)
{
    uint64_t min, max;

    mlog_expr_time_range(expr, &min, &max);
    for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
        struct mlog_record record = sample_record(&samples[i]);
        enum mlog_tri flow = mlog_expr_eval_flow(expr, &record);
        bool value = mlog_expr_eval(expr, &record);

        ovs_assert(flow == MLOG_MAYBE || (flow == MLOG_TRUE) == value);
        ovs_assert(flow != MLOG_MAYBE || !mlog_expr_is_flow_only(expr));
        ovs_assert(!value || (record.time >= min && record.time <= max));
        ovs_assert(!canonical || mlog_expr_eval(canonical, &record) == value);
    }
}

static void
check_expr(const struct mlog_expr *expr)
{
    struct mlog_error error = MLOG_ERROR_INITIALIZER;
    struct ds s = DS_EMPTY_INITIALIZER;
    struct ds s2 = DS_EMPTY_INITIALIZER;
    struct mlog_expr *canonical;

    ds_put_cstr(&s, "");
    ds_put_cstr(&s2, "");
    mlog_expr_format(expr, &s);
    canonical = mlog_expr_parse(ds_cstr(&s), &error);
    ovs_assert(canonical || s.length > MLOG_EXPR_MAX_TEXT);
    if (canonical) {
        mlog_expr_format(canonical, &s2);
        ovs_assert(!strcmp(ds_cstr(&s), ds_cstr(&s2)));
    }
    check_values(expr, canonical);

    mlog_error_clear(&error);
    mlog_expr_unref(canonical);
    ds_destroy(&s);
    ds_destroy(&s2);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mlog_error error = MLOG_ERROR_INITIALIZER;
    char *text = xmemdup0((const char *) data, size);
    struct mlog_expr *expr;

    if (!mlog_ports_count()) {
        setup_ports();
    }
    expr = mlog_expr_parse(text, &error);
    ovs_assert(!expr == (error.message != NULL));
    if (expr) {
        check_expr(expr);
    } else {
        check_error(&error, text);
    }
    mlog_expr_unref(expr);
    mlog_error_clear(&error);
    free(text);
    return 0;
}

#ifndef MLOG_LIBFUZZER
static const char *const seeds[] = {
    "tcp && nw_dst == 10.0.0.0/24 && tp_dst == {80, 443, 1000-2000} && "
        "tcp_flags == +syn-ack",
    "tcp,nw_dst=10.0.0.0/24,tp_dst=80,tcp_flags=+syn-ack,dl_vlan=5,in_port=1",
    "!(ipv6_src == 2001:db8::/32 || l3_dst != 192.0.2.1) or not drop",
    "time >= \"2026-01-31T12:00:00.5Z\" && time < 1769860800",
    "in_port == {1, p1, \"p 2\", LOCAL, 3-5} && out_port != in_port",
    "arp,nw_src=10.0.0.1,nw_proto=1,vlan_vid=0x1005/0x1fff",
    "dl_src == 00:53:00:00:00:01/ff:ff:ff:00:00:00 && vlan_tci == 0",
    "drop_reason == {meter, 3} || nw_frag == not_later && tp_src > tp_dst",
    "tcp_flags == syn|ack || tcp_flags == 0x2/0x12 || nw_tos == 184",
    "((((!((tcp))))))||ip_dscp<=46&&icmpv6_type==135&&flow_id!=0x1",
};

static const char *const words[] = {
    " ", "(", ")", "!", "{", "}", ",", "\"", "\\", "==", "=", "!=", "<", ">=",
    "&&", "||", "and", "not", "/", "-", "0x", "::", "tcp", "nw_src", "tp_dst",
    "in_port", "drop", "dl_vlan=0xffff", "vlan_vid=", "\xc3\xa9", "*",
    "65535", "18446744073709551616", "255.255.255.255", "+[800]",
};

#define MAX_TEXT 6000

/* Changes 'text', of 'n' bytes, a little.  Returns its new length. */
static size_t
mutate(uint8_t *text, size_t n)
{
    size_t pos = random_range(n + 1);
    size_t few = random_range(8);
    size_t many = random_range(200);
    size_t len = MIN(few, n - pos);
    const char *s = words[random_range(ARRAY_SIZE(words))];
    size_t from = random_range(n + 1);

    switch (random_range(5)) {
    case 0:                     /* Delete. */
        memmove(text + pos, text + pos + len, n - pos - len);
        return n - len;

    case 1:                     /* Change a byte. */
        if (pos < n) {
            text[pos] = random_range(256);
        }
        return n;

    case 2:                     /* Insert a word. */
        len = strlen(s);
        break;

    case 3:                     /* Repeat a part. */
        len = MIN(many, n - from);
        s = (const char *) text + from;
        break;

    case 4:                     /* Another seed. */
        s = seeds[random_range(ARRAY_SIZE(seeds))];
        len = strlen(s);
        break;
    }
    if (n + len > MAX_TEXT) {
        return n;
    }

    char *copy = xmemdup(s, len + 1);
    memmove(text + pos + len, text + pos, n - pos);
    memcpy(text + pos, copy, len);
    free(copy);
    return n + len;
}

static void
run_random(unsigned long int iterations, uint32_t seed)
{
    uint8_t text[MAX_TEXT + 1];

    random_set_seed(seed);
    for (unsigned long int i = 0; i < iterations; i++) {
        const char *s = seeds[i % ARRAY_SIZE(seeds)];
        size_t n = strlen(s);

        memset(text, 0, sizeof text);
        memcpy(text, s, n);
        for (int j = random_range(12); j > 0; j--) {
            n = mutate(text, n);
        }
        LLVMFuzzerTestOneInput(text, n);
    }
    printf("%lu texts, seed %"PRIu32": ok\n", iterations, seed);
}

static void
run_file(const char *name)
{
    static uint8_t data[1 << 20];
    FILE *stream = fopen(name, "rb");

    if (!stream) {
        ovs_fatal(errno, "%s", name);
    }
    LLVMFuzzerTestOneInput(data, fread(data, 1, sizeof data, stream));
    fclose(stream);
}

int
main(int argc, char *argv[])
{
    unsigned int iterations = 20000;
    unsigned int seed = 1;

    if (argc >= 2 && !str_to_uint(argv[1], 10, &iterations)) {
        for (int i = 1; i < argc; i++) {
            run_file(argv[i]);
        }
        return 0;
    }
    if (argc >= 3 && !str_to_uint(argv[2], 10, &seed)) {
        ovs_fatal(0, "%s: not a seed", argv[2]);
    }
    run_random(iterations, seed ? seed : 1);
    return 0;
}
#endif /* MLOG_LIBFUZZER */
