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

#ifndef MLOG_PCAP_PRIVATE_H
#define MLOG_PCAP_PRIVATE_H 1

/* Private to mlog-pcap-*.c.
 *
 *   mlog-pcap-text.c     which texts are given to libpcap
 *   mlog-pcap-filter.c   compilation, the object
 *   mlog-pcap-view.c     what is known of a packet
 *   mlog-pcap-run.c      execution */

#include "mlog-pcap-filter.h"
#include "mlog-rebuild.h"

/* Text. */

struct mlog_pcap_text {
    char *text;                 /* What libpcap gets: no names of protocols. */
    bool has_vlan;
    size_t n_words;
    size_t ends[MLOG_PCAP_MAX_WORDS];   /* Of each word, in the original... */
    size_t starts[MLOG_PCAP_MAX_WORDS]; /* ...and its start. */
};

/* Checks 'text' and fills in 't', to be freed with free(t->text), or sets
 * 'error' and returns false. */
bool mlog_pcap_text_check(const char *text, struct mlog_pcap_text *t,
                          struct mlog_error *);

/* Views. */

/* The most that is kept: more is unknown. */
#define MLOG_VIEW_MAX (MLOG_REBUILT_MAX + 40)

/* A packet as a program sees it: of each bit its value, or that it is
 * unrecorded ('unk'), or that it is another one for each row of the flow
 * ('free'). */
struct mlog_view {
    uint8_t value[MLOG_VIEW_MAX];
    uint8_t unk[MLOG_VIEW_MAX];
    uint8_t free[MLOG_VIEW_MAX];
    uint32_t size;              /* Bytes there are; UINT32_MAX: who knows. */
    uint32_t pkt_len;           /* Of the packet with its tags... */
    bool pkt_len_known;         /* ...if this. */
    uint16_t type;              /* Where the Ethernet type is. */
    uint16_t l3, l4;            /* Where headers begin; 'l4' of IPv4 is where
                                 * it would be without options. */
    bool is_802_3;              /* There is a length at 'type'. */
    bool is_ipv4;
    bool is_later;              /* Not the first fragment. */
    bool tags_hidden;
};

/* Fills in 'view' from a record, with its tags or without them.  If it has no
 * row, what depends on it is 'free'. */
void mlog_view_init(struct mlog_view *, const struct mlog_record *,
                    bool hide_tags);

/* Lets all that is not the structure of the packet be 'free'. */
void mlog_view_free_values(struct mlog_view *, const struct mlog_flow_key *);

/* Appends what is at byte 'ofs': "byte 4 of the UDP header". */
void mlog_view_describe(const struct mlog_view *,
                        const struct mlog_flow_key *, uint32_t ofs,
                        struct ds *);

/* Execution. */

struct bpf_insn;

enum mlog_run_result {
    MLOG_RUN_NO,
    MLOG_RUN_YES,
    MLOG_RUN_FREE,              /* It depends on what is 'free'. */
    MLOG_RUN_UNKNOWN,           /* It depends on what is not recorded. */
};

/* Returns NULL if the program can be executed here, otherwise an error
 * message. */
char *mlog_run_check(const struct bpf_insn *, size_t n)
    OVS_WARN_UNUSED_RESULT;

enum mlog_run_result mlog_run(const struct bpf_insn *, size_t n,
                              const struct mlog_view *);

/* Follows all ways that depend on what is 'free'.  Returns true if none of
 * them depends on what is not recorded, otherwise stores where that is. */
bool mlog_run_all(const struct bpf_insn *, size_t n, const struct mlog_view *,
                  uint32_t *ofs);

#endif /* mlog-pcap-private.h */
