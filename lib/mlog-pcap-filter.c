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

#include <netinet/in.h>
#include <pcap/pcap.h>
#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "openvswitch/thread.h"
#include "ovs-atomic.h"
#include "ovs-thread.h"
#include "packets.h"
#include "util.h"

#define SNAPLEN 262144

/* Of more words than that, the place of a mistake isn't searched for. */
#define MAX_WORDS_TO_SEARCH 64

struct mlog_pcap_filter {
    struct ovs_refcount refcnt;
    char *text;                 /* As the user wrote it. */
    bool hide_tags;
    struct bpf_program program;
    atomic_uint64_t n_undecided;
};

/* libpcap. */

/* Compiles 'text'.  Returns NULL if successful, otherwise an error message for
 * the caller to free. */
static char *
compile(const char *text, struct bpf_program *program)
{
    static struct ovs_mutex mutex = OVS_MUTEX_INITIALIZER;
    pcap_t *pcap = pcap_open_dead(DLT_EN10MB, SNAPLEN);
    char *message = NULL;

    if (!pcap) {
        return xstrdup("libpcap: no memory");
    }
    ovs_mutex_lock(&mutex);
    if (pcap_compile(pcap, program, text, 1, PCAP_NETMASK_UNKNOWN)) {
        message = xasprintf("libpcap: %s", pcap_geterr(pcap));
    }
    ovs_mutex_unlock(&mutex);
    pcap_close(pcap);
    return message;
}

static bool
compiles(const char *text)
{
    struct bpf_program program;
    char *message = compile(text, &program);

    if (message) {
        free(message);
        return false;
    }
    pcap_freecode(&program);
    return true;
}

/* libpcap doesn't say where a mistake is.  A beginning of a text that has none
 * can be completed, so the mistake is the word that ends the first beginning
 * that can't.  These are the ways to complete one. */
static bool
can_be_completed(const char *beginning, size_t n)
{
    static const char *const ends[] = {
        "", " 1", " tcp", " port 1", " host 1.2.3.4", " 1.2.3.4", " ::1",
        " 1:2:3:4:5:6", " ip", " = 0", " 1 = 0", " 0] = 0", "] = 0",
        " = 0 ] = 0", " 1-2", " broadcast", " 255.0.0.0",
    };
    struct ds parens = DS_EMPTY_INITIALIZER;
    bool found = false;

    for (size_t i = 0; i < n; i++) {
        if (beginning[i] == '(') {
            ds_put_char(&parens, ')');
        } else if (beginning[i] == ')' && parens.length) {
            parens.length--;
        }
    }
    for (size_t i = 0; i < ARRAY_SIZE(ends) && !found; i++) {
        char *text = xasprintf("%.*s%s%.*s", (int) n, beginning, ends[i],
                               (int) parens.length, ds_cstr(&parens));

        found = compiles(text);
        free(text);
    }
    ds_destroy(&parens);
    return found;
}

/* Returns the column of the mistake, or 0 if it is not known. */
static int
find_mistake(const char *text, const struct mlog_pcap_text *t)
{
    if (t->n_words > MAX_WORDS_TO_SEARCH || strchr(text, '\\')) {
        return 0;
    }
    for (size_t i = 0; i < t->n_words; i++) {
        if (!can_be_completed(text, t->ends[i])) {
            return t->starts[i] + 1;
        }
    }
    return strlen(text) + 1;
}

/* What the program must be able to decide on: whole packets of all kinds that
 * it tells apart. */

struct kind {
    uint16_t dl_type;
    uint8_t nw_proto;
    uint8_t n_tags;
    uint8_t nw_frag;
};

static struct mlog_flow_key
kind_key(const struct kind *kind)
{
    struct mlog_flow_key key = {
        .dl_type = kind->dl_type,
        .nw_proto = kind->nw_proto,
        .nw_frag = kind->nw_frag,
        .has = MLOG_HAS_ETH,
        .in_port = MLOG_PORT_NONE,
    };

    for (int i = 0; i < kind->n_tags; i++) {
        key.vlan_tci[i] = MLOG_VLAN_PRESENT;
    }
    if (kind->dl_type == ETH_TYPE_ARP || kind->dl_type == ETH_TYPE_RARP) {
        key.has |= MLOG_HAS_ARP;
    } else if (kind->dl_type == ETH_TYPE_IP
               || kind->dl_type == ETH_TYPE_IPV6) {
        bool v4 = kind->dl_type == ETH_TYPE_IP;
        uint8_t proto = kind->nw_proto;

        key.has |= MLOG_HAS_IP | MLOG_HAS_PROTO;
        if (proto == IPPROTO_TCP) {
            key.has |= MLOG_HAS_PORTS | MLOG_HAS_TCP;
        } else if (proto == IPPROTO_UDP || proto == IPPROTO_SCTP) {
            key.has |= MLOG_HAS_PORTS;
        } else if (proto == (v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6)) {
            key.has |= MLOG_HAS_ICMP;
        }
    }
    return key;
}

static bool
decides_on(const struct mlog_pcap_filter *filter, const struct kind *kind,
           struct mlog_error *error)
{
    const struct mlog_flow_key key = kind_key(kind);
    const struct mlog_record record = { .key = &key };
    struct mlog_view view;
    uint32_t ofs;

    mlog_view_init(&view, &record, filter->hide_tags);
    mlog_view_free_values(&view, &key);
    if (!mlog_run_all(filter->program.bf_insns, filter->program.bf_len, &view,
                      &ofs)) {
        struct ds what = DS_EMPTY_INITIALIZER;
        const char *bracket = strchr(filter->text, '[');

        mlog_view_describe(&view, &key, ofs, &what);
        mlog_error_set(error, bracket && !strchr(bracket + 1, '[')
                       ? bracket - filter->text + 1 : 0, "the filter depends "
                       "on %s, which is not recorded", ds_cstr(&what));
        ds_destroy(&what);
        return false;
    }
    return true;
}

/* Extension headers, which aren't recorded as protocols. */
static bool
is_extension(const struct kind *kind)
{
    switch (kind->nw_proto) {
    case IPPROTO_HOPOPTS:
    case IPPROTO_ROUTING:
    case IPPROTO_FRAGMENT:
    case IPPROTO_AH:
    case IPPROTO_DSTOPTS:
        return kind->dl_type == ETH_TYPE_IPV6;
    default:
        return false;
    }
}

/* Tries each IP protocol that a constant of the program may be. */
static bool
decides_on_ip(const struct mlog_pcap_filter *filter, struct kind kind,
              struct mlog_error *error)
{
    static const uint8_t protos[] = {
        IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP, IPPROTO_ICMP, IPPROTO_ICMPV6,
        255
    };

    for (size_t i = 0; i < ARRAY_SIZE(protos); i++) {
        kind.nw_proto = protos[i];
        if (!decides_on(filter, &kind, error)) {
            return false;
        }
    }
    for (size_t i = 0; i < filter->program.bf_len; i++) {
        const struct bpf_insn *insn = &filter->program.bf_insns[i];

        kind.nw_proto = insn->k;
        if (insn->code == (BPF_JMP | BPF_JEQ | BPF_K) && insn->k <= UINT8_MAX
            && !is_extension(&kind) && !decides_on(filter, &kind, error)) {
            return false;
        }
    }
    return true;
}

static bool
decides_on_types(const struct mlog_pcap_filter *filter, uint8_t n_tags,
                 struct mlog_error *error)
{
    struct kind kind = { .n_tags = n_tags };

    for (uint8_t frag = 0; frag <= MLOG_FRAG_ANY; frag++) {
        kind.nw_frag = frag;
        kind.dl_type = ETH_TYPE_IP;
        if (!decides_on_ip(filter, kind, error)) {
            return false;
        }
        kind.dl_type = ETH_TYPE_IPV6;
        if (!decides_on_ip(filter, kind, error)) {
            return false;
        }
    }
    kind.nw_frag = 0;
    kind.nw_proto = ARP_OP_REQUEST;
    kind.dl_type = ETH_TYPE_ARP;
    if (!decides_on(filter, &kind, error)) {
        return false;
    }
    kind.dl_type = OFP_DL_TYPE_NOT_ETH_TYPE;
    if (!decides_on(filter, &kind, error)) {
        return false;
    }
    for (size_t i = 0; i < filter->program.bf_len; i++) {
        const struct bpf_insn *insn = &filter->program.bf_insns[i];

        kind.dl_type = insn->k;
        if (insn->code == (BPF_JMP | BPF_JEQ | BPF_K)
            && insn->k >= ETH_TYPE_MIN && insn->k <= UINT16_MAX
            && insn->k != ETH_TYPE_IP && insn->k != ETH_TYPE_IPV6
            && insn->k != ETH_TYPE_VLAN_8021Q
            && insn->k != ETH_TYPE_VLAN_8021AD && insn->k != 0x9100
            && !decides_on(filter, &kind, error)) {
            return false;
        }
    }
    return true;
}

/* The object. */

static bool
check(const struct mlog_pcap_filter *filter, struct mlog_error *error)
{
    char *message = mlog_run_check(filter->program.bf_insns,
                                   filter->program.bf_len);

    if (message) {
        mlog_error_set(error, 0, "%s", message);
        free(message);
        return false;
    }
    for (uint8_t n_tags = 0; n_tags <= (filter->hide_tags ? 0 : 2);
         n_tags++) {
        if (!decides_on_types(filter, n_tags, error)) {
            return false;
        }
    }
    return true;
}

static struct mlog_pcap_filter *
filter_create(const char *text, const struct mlog_pcap_text *t,
              struct mlog_error *error)
{
    struct mlog_pcap_filter *filter = xzalloc(sizeof *filter);
    char *message = compile(t->text, &filter->program);

    if (message) {
        mlog_error_set(error, find_mistake(text, t), "%s", message);
        free(message);
        free(filter);
        return NULL;
    }
    ovs_refcount_init(&filter->refcnt);
    atomic_init(&filter->n_undecided, 0);
    filter->text = xstrdup(text);
    filter->hide_tags = !t->has_vlan;
    if (!check(filter, error)) {
        mlog_pcap_filter_unref(filter);
        return NULL;
    }
    return filter;
}

struct mlog_pcap_filter *
mlog_pcap_filter_compile(const char *text, struct mlog_error *error)
{
    struct mlog_pcap_text *t = xmalloc(sizeof *t);
    struct mlog_pcap_filter *filter = NULL;

    mlog_error_clear(error);
    if (mlog_pcap_text_check(text, t, error)) {
        filter = filter_create(text, t, error);
        free(t->text);
    }
    free(t);
    return filter;
}

struct mlog_pcap_filter *
mlog_pcap_filter_ref(struct mlog_pcap_filter *filter)
{
    ovs_refcount_ref(&filter->refcnt);
    return filter;
}

void
mlog_pcap_filter_unref(struct mlog_pcap_filter *filter)
{
    if (filter && ovs_refcount_unref(&filter->refcnt) == 1) {
        pcap_freecode(&filter->program);
        free(filter->text);
        free(filter);
    }
}

enum mlog_tri
mlog_pcap_filter_eval(const struct mlog_pcap_filter *filter_,
                      const struct mlog_record *record)
{
    struct mlog_pcap_filter *filter
        = CONST_CAST(struct mlog_pcap_filter *, filter_);
    struct mlog_view view;
    uint64_t orig;

    mlog_view_init(&view, record, filter->hide_tags);
    switch (mlog_run(filter->program.bf_insns, filter->program.bf_len,
                     &view)) {
    case MLOG_RUN_YES:
        return MLOG_TRUE;
    case MLOG_RUN_NO:
        return MLOG_FALSE;
    case MLOG_RUN_FREE:
    case MLOG_RUN_UNKNOWN:
        if (!record->row) {
            return MLOG_MAYBE;
        }
        atomic_add_relaxed(&filter->n_undecided, 1, &orig);
        return MLOG_FALSE;
    }
    OVS_NOT_REACHED();
}

uint64_t
mlog_pcap_filter_n_undecided(const struct mlog_pcap_filter *filter)
{
    uint64_t n;

    atomic_read_relaxed(&CONST_CAST(struct mlog_pcap_filter *,
                                    filter)->n_undecided, &n);
    return n;
}

/* Expressions. */

static enum mlog_tri
eval_custom(const void *filter, const struct mlog_record *record)
{
    return mlog_pcap_filter_eval(filter, record);
}

static void
unref_custom(void *filter)
{
    mlog_pcap_filter_unref(filter);
}

struct mlog_expr *
mlog_pcap_filter_and(struct mlog_expr *expr, struct mlog_pcap_filter *filter)
{
    static const struct mlog_expr_custom custom = {
        .name = "pcap_filter", .eval = eval_custom, .unref = unref_custom
    };

    return mlog_expr_and_custom(expr, &custom, mlog_pcap_filter_ref(filter));
}
