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
#include "mlog-preset.h"

#include <string.h>

#include "util.h"

/* The catalogue.  Documentation/topics/presets.rst describes it, too. */

#define NUMBER MLOG_PRESET_NUMBER
#define DURATION MLOG_PRESET_DURATION
#define EXPR MLOG_PRESET_EXPR

#define PARAM_MATCH \
    { "match", EXPR, "", "only records that match this expression" }
#define PARAM_WINDOW(DEFAULT) \
    { "window", DURATION, DEFAULT, "length of the moving window" }
#define PARAM_CLEAR \
    { "clear", NUMBER, NULL, "the alert clears at this value" }
#define PARAMS(THRESHOLD, DOC, WINDOW) \
    { { "threshold", NUMBER, THRESHOLD, DOC }, PARAM_CLEAR, \
      PARAM_WINDOW(WINDOW), PARAM_MATCH }

#define FILTER(...) { MLOG_KIND_FILTER, { __VA_ARGS__ } }
#define AGGREGATE(...) { MLOG_KIND_AGGREGATE, { __VA_ARGS__ } }
#define TRIGGER(...) { MLOG_KIND_TRIGGER, { __VA_ARGS__ } }

/* A filter, an aggregate, and a trigger that is raised above the threshold. */
#define MEMBERS(EXPRESSION, FUNCTION, GROUP_BY) \
    { FILTER("@", EXPRESSION "$match"), \
      AGGREGATE("@", "@", FUNCTION, "window=$window", GROUP_BY), \
      TRIGGER("@", "@ > $threshold", "clear=$clear") }

#define SYN "tcp && tcp_flags == +syn-ack"
#define ANY_IP "(ip || ipv6)"

static const struct mlog_preset presets[] = {
    { "new-connections",
      "TCP connections opened to a host",
      "SYNs without ACK, by destination.",
      PARAMS("500", "connections within the window", "1s"),
      MEMBERS(SYN, "count", "group-by=l3_dst") },

    { "syn-flood",
      "many SYNs to one host",
      "SYNs without ACK, by destination, and how many sources they have. "
      "Doesn't look at whether they are answered: a busy server needs a "
      "higher threshold.  SYNs less handshakes that were completed takes a "
      "join.",
      PARAMS("5k", "SYNs within the window", "1s"),
      { FILTER("@", SYN "$match"),
        AGGREGATE("@", "@", "count", "window=$window", "group-by=l3_dst"),
        AGGREGATE("@.sources", "@", "distinct(l3_src)", "window=$window",
                  "group-by=l3_dst"),
        TRIGGER("@", "@ > $threshold", "clear=$clear") } },

    { "incomplete-connections",
      "hosts that open TCP connections and don't end them",
      "Flows with a SYN without ACK (@.opened) and flows with a FIN "
      "(@.closed), by source.  The trigger is on the former; only a join can "
      "compare the two.",
      PARAMS("1k", "opened connections within the window", "30s"),
      { FILTER("@.opened", SYN "$match"),
        FILTER("@.closed", "tcp && tcp_flags == +fin$match"),
        AGGREGATE("@.opened", "@.opened", "distinct(flow_id)",
                  "window=$window", "group-by=l3_src"),
        AGGREGATE("@.closed", "@.closed", "distinct(flow_id)",
                  "window=$window", "group-by=l3_src"),
        TRIGGER("@", "@.opened > $threshold", "clear=$clear") } },

    { "port-scan",
      "a host tries many TCP ports",
      "Distinct destination ports of SYNs without ACK, by source.",
      PARAMS("100", "ports within the window", "10s"),
      MEMBERS(SYN, "distinct(tp_dst)", "group-by=l3_src") },

    { "superspreader",
      "a host sends to many hosts",
      "Distinct destinations, by source, of TCP SYNs, and of anything that "
      "isn't TCP, so that servers, which answer many, don't count for what "
      "they answer by TCP.",
      PARAMS("1k", "destinations within the window", "10s"),
      MEMBERS(ANY_IP " && (!tcp || tcp_flags == +syn-ack)",
              "distinct(l3_dst)", "group-by=l3_src") },

    { "ddos",
      "many hosts send to one host",
      "Distinct sources, by destination.",
      PARAMS("1k", "sources within the window", "10s"),
      MEMBERS(ANY_IP, "distinct(l3_src)", "group-by=l3_dst") },

    { "ssh-brute-force",
      "many connections to SSH, from one host or from many",
      "SYNs to port 22: how many from one source to one destination "
      "(@.attempts), and from how many sources to one destination "
      "(@.sources).",
      { { "threshold", NUMBER, "20", "attempts of one source" },
        PARAM_CLEAR,
        { "sources", NUMBER, "50", "sources that try one host" },
        PARAM_WINDOW("1m"),
        PARAM_MATCH },
      { FILTER("@", SYN " && tcp_dst == 22$match"),
        AGGREGATE("@.attempts", "@", "count", "window=$window",
                  "group-by=l3_src,l3_dst"),
        AGGREGATE("@.sources", "@", "distinct(l3_src)", "window=$window",
                  "group-by=l3_dst"),
        TRIGGER("@.attempts", "@.attempts > $threshold", "clear=$clear"),
        TRIGGER("@.sources", "@.sources > $sources") } },

    { "slowloris",
      "a host keeps many connections to a web server busy with little",
      "Distinct connections from one source to one destination that send "
      "small packets with data (PSH) to a web port.  An approximation: bytes "
      "per connection takes a join.",
      PARAMS("200", "connections within the window", "1m"),
      MEMBERS("tcp && tp_dst == {80, 443, 8000, 8080, 8443} "
              "&& tcp_flags == +psh && pkt_len <= 300",
              "distinct(flow_id)", "group-by=l3_src,l3_dst") },

    { "dns-amplification",
      "large DNS answers flood a host",
      "Bytes of DNS answers of more than 512 bytes, by destination, and how "
      "many servers they come from.",
      PARAMS("1M", "bytes within the window", "1s"),
      { FILTER("@", "udp && tp_src == 53 && pkt_len > 512$match"),
        AGGREGATE("@", "@", "sum(pkt_len)", "window=$window",
                  "group-by=l3_dst"),
        AGGREGATE("@.servers", "@", "distinct(l3_src)", "window=$window",
                  "group-by=l3_dst"),
        TRIGGER("@", "@ > $threshold", "clear=$clear") } },

    { "icmp-flood",
      "many ICMP packets to one host",
      "ICMP and ICMPv6 packets, by destination.",
      PARAMS("1k", "packets within the window", "1s"),
      MEMBERS("(icmp || icmp6)", "count", "group-by=l3_dst") },

    { "udp-flood",
      "many UDP packets to one host",
      "UDP packets, by destination.",
      PARAMS("100k", "packets within the window", "1s"),
      MEMBERS("udp", "count", "group-by=l3_dst") },

    { "broadcast-storm",
      "too many broadcasts from a port",
      "Ethernet broadcasts, by ingress port.",
      PARAMS("1k", "packets within the window", "1s"),
      MEMBERS("dl_dst == ff:ff:ff:ff:ff:ff", "count", "group-by=in_port") },

    { "heavy-hitter",
      "two hosts take much of the bandwidth",
      "Bytes by source and destination, and the sources with most packets "
      "(@.sources).",
      PARAMS("100M", "bytes within the window", "1s"),
      { FILTER("@", ANY_IP "$match"),
        AGGREGATE("@", "@", "sum(pkt_len)", "window=$window",
                  "group-by=l3_src,l3_dst"),
        AGGREGATE("@.sources", "@", "topk(l3_src,10)", "window=$window"),
        TRIGGER("@", "@ > $threshold", "clear=$clear") } },

    { "microburst",
      "a port sends at full rate for a millisecond",
      "Bytes sent by a port.  The default is what 8 Gbit/s are in a "
      "millisecond; a window of 1ms covers up to two of them.",
      PARAMS("1M", "bytes within the window", "1ms"),
      MEMBERS("forwarded", "sum(pkt_len)", "group-by=out_port") },

    { "drops",
      "packets are dropped, by reason",
      "Packets that the datapath dropped, by the reason and the ingress port.",
      PARAMS("100", "packets within the window", "1s"),
      MEMBERS("drop", "count", "group-by=drop_reason,in_port") },

    { "rst-storm",
      "a host refuses or aborts many connections",
      "TCP resets, by source: closed ports, overload, a middlebox that lost "
      "its state.",
      PARAMS("100", "resets within the window", "1s"),
      MEMBERS("tcp && tcp_flags == +rst", "count", "group-by=l3_src") },

    { "zero-window",
      "a host can't take what is sent to it",
      "TCP segments that announce a window of 0, by connection end points: "
      "the receiving application is too slow.",
      PARAMS("10", "segments within the window", "1s"),
      MEMBERS("tcp && tcp_window == 0 && tcp_flags == +ack-rst-syn", "count",
              "group-by=l3_src,l3_dst") },

    { "routing-loop",
      "packets whose TTL runs out",
      "Packets with a TTL of 0 or 1 that are not multicast, by destination, "
      "and the ICMP messages that say so (@.exceeded), by the host that they "
      "are for.  Traceroute looks the same, with few packets.",
      PARAMS("20", "packets within the window", "1s"),
      { FILTER("@", ANY_IP " && nw_ttl <= 1 && !(nw_dst == 224.0.0.0/4) "
               "&& !(ipv6_dst == ff00::/8)$match"),
        FILTER("@.exceeded", "(icmp_type == 11 || icmpv6_type == 3)$match"),
        AGGREGATE("@", "@", "count", "window=$window", "group-by=l3_dst"),
        AGGREGATE("@.exceeded", "@.exceeded", "count", "window=$window",
                  "group-by=l3_dst"),
        TRIGGER("@", "@ > $threshold", "clear=$clear"),
        TRIGGER("@.exceeded", "@.exceeded > $threshold", "clear=$clear") } },

    { "large-packets",
      "sizes of packets, by port",
      "Median and 99th percentile of packets' lengths, by egress port; the "
      "trigger tells of ports whose large ones exceed a usual MTU.",
      { { "threshold", NUMBER, "1518", "bytes that p99 must not exceed" },
        PARAM_WINDOW("10s"),
        PARAM_MATCH },
      { FILTER("@", "forwarded$match"),
        AGGREGATE("@.p50", "@", "p50(pkt_len)", "window=$window",
                  "group-by=out_port"),
        AGGREGATE("@.p99", "@", "p99(pkt_len)", "window=$window",
                  "group-by=out_port"),
        TRIGGER("@", "@.p99 > $threshold") } },

    { "silence",
      "nothing comes any more",
      "Records that match; use match= to say what should come.  The trigger "
      "isn't looked at before a window has passed.",
      { { "threshold", NUMBER, "1", "packets that there should be" },
        PARAM_WINDOW("10s"),
        PARAM_MATCH },
      { FILTER("@", "(forwarded || drop)$match"),
        AGGREGATE("@", "@", "count", "window=$window"),
        TRIGGER("@", "@ < $threshold") } },
};

const struct mlog_preset *
mlog_preset_get(size_t i)
{
    return i < ARRAY_SIZE(presets) ? &presets[i] : NULL;
}

const struct mlog_preset *
mlog_preset_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(presets); i++) {
        if (!strcmp(presets[i].name, name)) {
            return &presets[i];
        }
    }
    return NULL;
}

size_t
mlog_preset_n_params(const struct mlog_preset *preset)
{
    size_t n = 0;

    while (preset->params[n].name) {
        n++;
    }
    return n;
}

size_t
mlog_preset_n_members(const struct mlog_preset *preset)
{
    size_t n = 0;

    while (preset->members[n].words[0]) {
        n++;
    }
    return n;
}

const char *
mlog_preset_param_kind_to_string(enum mlog_preset_param_kind kind)
{
    switch (kind) {
    case MLOG_PRESET_NUMBER: return "number";
    case MLOG_PRESET_DURATION: return "duration";
    case MLOG_PRESET_EXPR: return "expression";
    }
    OVS_NOT_REACHED();
}
