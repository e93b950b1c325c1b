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

/* Compares filters of pcap-filter(7) on records with libpcap on packets:
 *
 *     compare-pcap-filter [--counts] FILTERS CAPTURE...
 *
 * FILTERS is a file with one filter per line.  Of each packet of the captures a
 * record is made, and for each filter the filter's verdict on the record is
 * compared with that of libpcap on the packet: as it is if the filter says
 * "vlan", else without its tags.  Prints a line per difference that isn't
 * documented, and a summary; with --counts, also how many packets match each
 * filter.  Exit status: 0 if there is no difference. */

#include <config.h>

#include <errno.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <string.h>

#include "mlog-headers.h"
#include "mlog-pcap-filter.h"
#include "openvswitch/dynamic-string.h"
#include "packets.h"
#include "util.h"

struct filter {
    char *text;
    bool has_vlan;
    struct mlog_pcap_filter *ours;
    struct bpf_program theirs;
    uint64_t n, n_flow, n_undecided, n_differ, n_tags[3];
};

static struct filter *filters;
static size_t n_filters;
static uint64_t n_packets, n_exempt;

static void
read_filters(const char *path)
{
    struct ds line = DS_EMPTY_INITIALIZER;
    FILE *stream = fopen(path, "r");
    size_t allocated = 0;

    if (!stream) {
        ovs_fatal(errno, "%s", path);
    }
    while (!ds_get_line(&line, stream)) {
        struct mlog_error error = MLOG_ERROR_INITIALIZER;
        const char *text = ds_cstr(&line);
        pcap_t *pcap = pcap_open_dead(DLT_EN10MB, 262144);

        if (!*text || *text == '#') {
            continue;
        }
        if (n_filters >= allocated) {
            filters = x2nrealloc(filters, &allocated, sizeof *filters);
        }
        struct filter *f = &filters[n_filters++];
        memset(f, 0, sizeof *f);
        f->text = xstrdup(text);
        f->has_vlan = strstr(text, "vlan") != NULL;
        f->ours = mlog_pcap_filter_compile(text, &error);
        if (!f->ours) {
            ovs_fatal(0, "%s: %s", text, error.message);
        }
        if (pcap_compile(pcap, &f->theirs, text, 1, PCAP_NETMASK_UNKNOWN)) {
            ovs_fatal(0, "%s: %s", text, pcap_geterr(pcap));
        }
        pcap_close(pcap);
    }
    fclose(stream);
    ds_destroy(&line);
}

static bool
is_tag(const uint8_t *type)
{
    uint16_t x = type[0] << 8 | type[1];

    return x == 0x8100 || x == 0x88a8 || x == 0x9100;
}

/* Takes the tags out of the packet and returns their number. */
static size_t
strip_tags(uint8_t *data, size_t *n, uint32_t *len)
{
    size_t n_tags = 0;

    while (*n >= 18 && is_tag(&data[12])) {
        memmove(&data[12], &data[16], *n - 16);
        *n -= 4;
        *len -= 4;
        n_tags++;
    }
    return n_tags;
}

/* Packets of which a record says less, or something else, on purpose: those
 * with IPv6 extension headers or SNAP, and those with a third tag for filters
 * on tags. */
static bool
is_exempt(const struct mlog_flow_key *key, const uint8_t *stripped, size_t n,
          size_t n_tags, bool has_vlan)
{
    uint16_t type = n >= 14 ? stripped[12] << 8 | stripped[13] : 0;

    return ((key->dl_type == ETH_TYPE_IPV6 && n >= 54
             && key->has & MLOG_HAS_PROTO && stripped[20] != key->nw_proto
             && !(stripped[20] == 44 && key->nw_frag))
            || (key->has & MLOG_HAS_ETH
                && key->dl_type != OFP_DL_TYPE_NOT_ETH_TYPE
                && type < ETH_TYPE_MIN && !is_tag(&stripped[12]))
            || (has_vlan && n_tags > 2));
}

static void
compare(struct filter *f, const struct mlog_record *record, const uint8_t *data,
        size_t n, uint32_t len, size_t n_tags, const char *path, size_t number)
{
    const struct mlog_record flow = { .key = record->key };
    uint64_t undecided = mlog_pcap_filter_n_undecided(f->ours);
    bool theirs = bpf_filter(f->theirs.bf_insns, data, len, n) != 0;
    bool ours = mlog_pcap_filter_eval(f->ours, record) == MLOG_TRUE;
    enum mlog_tri by_flow = mlog_pcap_filter_eval(f->ours, &flow);

    f->n += ours;
    f->n_tags[MIN(n_tags, 2)] += ours;
    f->n_flow += by_flow != MLOG_MAYBE;
    if (mlog_pcap_filter_n_undecided(f->ours) != undecided) {
        f->n_undecided++;
    } else if (ours != theirs
               || (by_flow != MLOG_MAYBE && (by_flow == MLOG_TRUE) != ours)) {
        f->n_differ++;
        printf("%s: packet %"PRIuSIZE": %s: libpcap %d, record %d, flow %d\n",
               path, number, f->text, theirs, ours, by_flow);
    }
}

static void
compare_packet(const uint8_t *packet, size_t caplen, const char *path,
               size_t number)
{
    uint8_t *data = xmemdup(packet, caplen);
    struct mlog_flow_key key;
    struct mlog_row row;
    const struct mlog_record record = { .key = &key, .row = &row };
    size_t n = caplen, n_tags;
    uint32_t len = caplen;

    mlog_headers_parse(packet, caplen, caplen, &key, &row);
    n_tags = strip_tags(data, &n, &len);
    n_packets++;
    for (size_t i = 0; i < n_filters; i++) {
        struct filter *f = &filters[i];

        if (is_exempt(&key, data, n, n_tags, f->has_vlan)) {
            n_exempt++;
        } else if (f->has_vlan) {
            compare(f, &record, packet, caplen, caplen, n_tags, path, number);
        } else {
            /* The length is that of the packet with its tags. */
            compare(f, &record, data, n, caplen, n_tags, path, number);
        }
    }
    free(data);
}

static void
compare_file(const char *path)
{
    char message[PCAP_ERRBUF_SIZE];
    pcap_t *pcap = pcap_open_offline(path, message);
    struct pcap_pkthdr *header;
    const u_char *data;
    size_t number = 0;

    if (!pcap || pcap_datalink(pcap) != DLT_EN10MB) {
        fprintf(stderr, "%s: left out: %s\n", path,
                pcap ? "not of Ethernet" : message);
    } else {
        while (pcap_next_ex(pcap, &header, &data) == 1) {
            compare_packet(data, header->caplen, path, ++number);
        }
    }
    if (pcap) {
        pcap_close(pcap);
    }
}

int
main(int argc, char *argv[])
{
    bool counts = argc > 1 && !strcmp(argv[1], "--counts");
    uint64_t n_undecided = 0, n_differ = 0, n_flow = 0;

    set_program_name(argv[0]);
    argc -= counts;
    argv += counts;
    if (argc < 3) {
        ovs_fatal(0, "usage: %s [--counts] FILTERS CAPTURE...", program_name);
    }
    read_filters(argv[1]);
    for (int i = 2; i < argc; i++) {
        compare_file(argv[i]);
    }
    for (size_t i = 0; i < n_filters; i++) {
        const struct filter *f = &filters[i];

        if (counts) {
            printf("%"PRIu64" %"PRIu64" %"PRIu64" %"PRIu64" %"PRIu64" %s\n",
                   f->n, f->n_tags[0], f->n_tags[1], f->n_tags[2],
                   f->n_undecided, f->text);
        }
        n_undecided += f->n_undecided;
        n_differ += f->n_differ;
        n_flow += f->n_flow;
    }
    printf("%"PRIuSIZE" filters, %"PRIu64" packets: %"PRIu64" verdicts, "
           "%"PRIu64" by the flow alone, %"PRIu64" undecided, %"PRIu64" left "
           "out, %"PRIu64" differ\n", n_filters, n_packets,
           n_filters * n_packets, n_flow, n_undecided, n_exempt, n_differ);
    return n_differ || !n_packets;
}
