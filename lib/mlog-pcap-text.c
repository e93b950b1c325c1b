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

#include "mlog-pcap-private.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "util.h"

/* Only what libpcap understands by itself gets through: keywords, numbers and
 * addresses.  Any other word would be the name of a host, network, port or
 * protocol, which libpcap would look up, in files or over the network. */

#define MAX_DEPTH 64            /* Of parentheses and brackets. */

static const char *const keywords[] = {
    /* Qualifiers and primitives. */
    "dst", "src", "host", "net", "mask", "port", "portrange", "proto", "less",
    "greater", "byte", "broadcast", "multicast", "and", "or", "not", "len",
    "length", "ether", "link", "ip", "ip6", "arp", "rarp", "sctp", "tcp",
    "udp", "icmp", "icmp6", "igmp", "igrp", "pim", "vrrp", "carp", "ah", "esp",
    "atalk", "aarp", "decnet", "lat", "moprc", "mopdl", "sca", "stp", "ipx",
    "netbeui", "iso", "clnp", "esis", "es-is", "isis", "is-is", "l1", "l2",
    "iih", "lsp", "snp", "csnp", "psnp", "llc", "vlan", "mpls", "pppoed",
    "pppoes", "geneve", "inbound", "outbound",

    /* Constants. */
    "icmptype", "icmpcode", "icmp-echoreply", "icmp-unreach",
    "icmp-sourcequench", "icmp-redirect", "icmp-echo", "icmp-routeradvert",
    "icmp-routersolicit", "icmp-timxceed", "icmp-paramprob", "icmp-tstamp",
    "icmp-tstampreply", "icmp-ireq", "icmp-ireqreply", "icmp-maskreq",
    "icmp-maskreply", "icmp6type", "icmp6code", "icmp6-destinationrunreach",
    "icmp6-packettoobig", "icmp6-timeexceeded", "icmp6-parameterproblem",
    "icmp6-echo", "icmp6-echoreply", "icmp6-multicastlistenerquery",
    "icmp6-multicastlistenerreportv1", "icmp6-multicastlistenerdone",
    "icmp6-routersolicit", "icmp6-routeradvert", "icmp6-neighborsolicit",
    "icmp6-neighboradvert", "icmp6-redirect", "icmp6-routerrenum",
    "icmp6-nodeinformationquery", "icmp6-nodeinformationresponse",
    "icmp6-ineighbordiscoverysolicit", "icmp6-ineighbordiscoveryadvert",
    "icmp6-multicastlistenerreportv2", "icmp6-homeagentdiscoveryrequest",
    "icmp6-homeagentdiscoveryreply", "icmp6-mobileprefixsolicit",
    "icmp6-mobileprefixadvert", "icmp6-certpathsolicit",
    "icmp6-certpathadvert", "icmp6-multicastrouteradvert",
    "icmp6-multicastroutersolicit", "icmp6-multicastrouterterm",
    "tcpflags", "tcp-fin", "tcp-syn", "tcp-rst", "tcp-push", "tcp-ack",
    "tcp-urg", "tcp-ece", "tcp-cwr",
};

/* What stands after "proto" as "\tcp".  0: not there. */
static const struct {
    const char *name;
    uint16_t dl_type;
    uint16_t nw_proto;
} protocols[] = {
    { "ip", 0x0800, 0 }, { "arp", 0x0806, 0 }, { "rarp", 0x8035, 0 },
    { "ip6", 0x86dd, 0 }, { "icmp", 0, 1 }, { "igmp", 0, 2 },
    { "tcp", 0, 6 }, { "igrp", 0, 9 }, { "udp", 0, 17 }, { "gre", 0, 47 },
    { "esp", 0, 50 }, { "ah", 0, 51 }, { "icmp6", 0, 58 }, { "pim", 0, 103 },
    { "vrrp", 0, 112 }, { "sctp", 0, 132 },
};

struct scanner {
    const char *text;
    struct mlog_pcap_text *t;
    struct mlog_error *error;
    struct ds out;
    char previous[32];          /* The word before... */
    char before[32];            /* ...and the one before that. */
};

static bool
is_one_of(const char *word, const char *const words[], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!strcmp(word, words[i])) {
            return true;
        }
    }
    return false;
}

static bool
is_number(const char *word)
{
    size_t hex = !strncmp(word, "0x", 2) || !strncmp(word, "0X", 2) ? 2 : 0;
    size_t n = strspn(word + hex, hex ? "0123456789abcdefABCDEF"
                      : "0123456789");

    return n && n <= (hex ? 8 : 11) && !word[hex + n];
}

/* 10, 10.1, 10.1.2, 10.1.2.3. */
static bool
is_dotted(const char *word)
{
    int n_parts = 0;

    for (;;) {
        size_t n = strspn(word, "0123456789");

        if (!n || n > 3 || atoi(word) > 255 || ++n_parts > 4) {
            return false;
        } else if (!word[n]) {
            return true;
        } else if (word[n] != '.') {
            return false;
        }
        word += n + 1;
    }
}

static bool
is_mac(const char *word)
{
    for (int i = 0; i < 6; i++) {
        size_t n = strspn(word, "0123456789abcdefABCDEF");

        if (!n || n > 2 || word[n] != (i < 5 ? ':' : '\0')) {
            return false;
        }
        word += n + 1;
    }
    return true;
}

static bool
is_address(const char *word)
{
    struct in6_addr addr;

    return (is_number(word) || is_dotted(word) || is_mac(word)
            || inet_pton(AF_INET6, word, &addr) == 1);
}

/* 80-90. */
static bool
is_range(const char *word)
{
    size_t n = strspn(word, "0123456789");

    return (n && n <= 5 && word[n] == '-' && is_number(word + n + 1)
            && strlen(word + n + 1) <= 5);
}

/* Returns the number of the protocol 'name' for "proto" after 'qualifier', or
 * 0. */
static uint16_t
protocol_number(const char *name, const char *qualifier)
{
    bool is_link = !strcmp(qualifier, "ether") || !strcmp(qualifier, "link");

    for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
        if (!strcmp(protocols[i].name, name)) {
            return is_link ? protocols[i].dl_type : protocols[i].nw_proto;
        }
    }
    return 0;
}

static bool
refuse_word(struct scanner *s, const char *word, size_t start)
{
    struct ds quoted = DS_EMPTY_INITIALIZER;
    const char *nearest = mlog_nearest_name(word, keywords,
                                            ARRAY_SIZE(keywords));

    mlog_put_quoted(&quoted, word);
    if (!strcmp(word, "gateway") || !strcmp(word, "protochain")) {
        mlog_error_set(s->error, start + 1, "'%s' is not possible here", word);
    } else {
        mlog_error_set(s->error, start + 1, "%s is neither a keyword of "
                       "pcap-filter(7) nor a number or address%s%s%s; names "
                       "of hosts, networks, ports and protocols are not "
                       "looked up", ds_cstr(&quoted),
                       nearest ? " (did you mean '" : "",
                       nearest ? nearest : "", nearest ? "'?)" : "");
    }
    ds_destroy(&quoted);
    return false;
}

static bool
put_word(struct scanner *s, const char *word, size_t start)
{
    if (word[0] == '\\') {
        uint16_t number = (strcmp(s->previous, "proto") ? 0
                           : protocol_number(word + 1, s->before));

        if (!number) {
            return refuse_word(s, word, start);
        }
        ds_put_format(&s->out, "%"PRIu16, number);
    } else if (is_one_of(word, keywords, ARRAY_SIZE(keywords))
               || is_address(word)
               || (!strcmp(s->previous, "portrange") && is_range(word))) {
        ds_put_cstr(&s->out, word);
        s->t->has_vlan |= !strcmp(word, "vlan");
    } else {
        return refuse_word(s, word, start);
    }
    memcpy(s->before, s->previous, sizeof s->before);
    ovs_strlcpy(s->previous, word, sizeof s->previous);
    return true;
}

/* Returns the length of the word at 'p', or 0 if there is none.  A colon is a
 * part of an address, but not within brackets. */
static size_t
word_length(const char *p, bool in_brackets)
{
    size_t n = 0;

    while (isalnum((unsigned char) p[n]) || p[n] == '_' || p[n] == '.'
           || p[n] == '-' || p[n] == '\\' || (p[n] == ':' && !in_brackets)) {
        n++;
    }
    return p[0] == '-' ? 0 : n;
}

static bool
scan(struct scanner *s)
{
    int depth = 0, brackets = 0;
    size_t pos = 0;

    while (s->text[pos]) {
        const char *p = &s->text[pos];
        size_t n = word_length(p, brackets > 0);

        if (n) {
            char *word = xmemdup0(p, n);
            bool ok = false;

            if (s->t->n_words >= MLOG_PCAP_MAX_WORDS) {
                mlog_error_set(s->error, pos + 1, "more than %d words",
                               MLOG_PCAP_MAX_WORDS);
            } else {
                s->t->starts[s->t->n_words] = pos;
                s->t->ends[s->t->n_words++] = pos + n;
                ok = put_word(s, word, pos);
            }
            free(word);
            if (!ok) {
                return false;
            }
            pos += n;
            continue;
        }
        if (!strchr(" \t\n()[]&|!<>=+-*/%^:#", *p)) {
            bool printable = *p >= ' ' && *p <= '~';

            mlog_error_set(s->error, pos + 1, "%s%.*s%s has no meaning here",
                           printable ? "'" : "a byte that is not printable",
                           printable, p, printable ? "'" : "");
            return false;
        }
        depth += *p == '(' || *p == '[';
        depth -= *p == ')' || *p == ']';
        brackets += (*p == '[') - (*p == ']');
        if (depth > MAX_DEPTH) {
            mlog_error_set(s->error, pos + 1, "more than %d levels of "
                           "parentheses", MAX_DEPTH);
            return false;
        }
        ds_put_char(&s->out, *p);
        pos++;
    }
    return true;
}

bool
mlog_pcap_text_check(const char *text, struct mlog_pcap_text *t,
                     struct mlog_error *error)
{
    struct scanner s = {
        .text = text, .t = t, .error = error, .out = DS_EMPTY_INITIALIZER
    };

    memset(t, 0, sizeof *t);
    if (strlen(text) > MLOG_PCAP_MAX_TEXT) {
        mlog_error_set(error, 0, "the filter is longer than %d bytes",
                       MLOG_PCAP_MAX_TEXT);
        return false;
    }
    if (!scan(&s)) {
        ds_destroy(&s.out);
        return false;
    }
    t->text = ds_steal_cstr(&s.out);
    return true;
}
