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
#ifndef MLOG_EXPR_BOX_H
#define MLOG_EXPR_BOX_H 1

/* Expressions as boxes of flows
 * =============================
 *
 * What an expression says of flows, for an index: a few boxes, each of which
 * restricts some dimensions of the flow key to sets of numbers.  A flow that
 * lies in no box can't match; in a box, the box's verdict says what
 * mlog_expr_eval_flow() returns, or that it has to be asked.
 *
 * Thread-safety
 * =============
 *
 * Boxes are immutable. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "byte-order.h"
#include "mlog-flow-id.h"
#include "mlog-interval.h"
#include "mlog-record.h"
#include "packets.h"

struct mlog_expr;
struct mlog_term;

/* Parts of a flow key, taken as numbers. */
enum mlog_dim {
    MLOG_DIM_HAS,
    MLOG_DIM_DL_TYPE,
    MLOG_DIM_NW_PROTO,
    MLOG_DIM_NW_FRAG,
    MLOG_DIM_VLAN0,
    MLOG_DIM_VLAN1,
    MLOG_DIM_TP_SRC,
    MLOG_DIM_TP_DST,
    MLOG_DIM_ICMP_TYPE,         /* Low 8 bits of 'tp_src' and 'tp_dst'.   */
    MLOG_DIM_ICMP_CODE,         /* Used in boxes that have MLOG_HAS_ICMP. */
    MLOG_DIM_SRC4,              /* Last 32 bits of the address. */
    MLOG_DIM_DST4,
    MLOG_DIM_DL_SRC,
    MLOG_DIM_DL_DST,
    MLOG_DIM_FLOW_ID,
    MLOG_DIM_SRC6,              /* All 128 bits.  Used in boxes that have  */
    MLOG_DIM_DST6,              /* MLOG_HAS_IP, not the Ethertype of IPv4. */
    MLOG_N_DIMS
};

/* The largest number. */
struct mlog_value mlog_dim_ones(enum mlog_dim);

/* For all but MLOG_DIM_SRC6 and MLOG_DIM_DST6. */
static inline uint64_t
mlog_dim_get(enum mlog_dim dim, const struct mlog_record *flow)
{
    const struct mlog_flow_key *key = flow->key;

    switch (dim) {
    case MLOG_DIM_HAS: return key->has;
    case MLOG_DIM_DL_TYPE: return key->dl_type;
    case MLOG_DIM_NW_PROTO: return key->nw_proto;
    case MLOG_DIM_NW_FRAG: return key->nw_frag;
    case MLOG_DIM_VLAN0: return key->vlan_tci[0];
    case MLOG_DIM_VLAN1: return key->vlan_tci[1];
    case MLOG_DIM_TP_SRC: return key->tp_src;
    case MLOG_DIM_TP_DST: return key->tp_dst;
    case MLOG_DIM_ICMP_TYPE: return key->tp_src & 0xff;
    case MLOG_DIM_ICMP_CODE: return key->tp_dst & 0xff;
    case MLOG_DIM_SRC4: return ntohl(key->src[3]);
    case MLOG_DIM_DST4: return ntohl(key->dst[3]);
    case MLOG_DIM_DL_SRC: return eth_addr_to_uint64(key->dl_src);
    case MLOG_DIM_DL_DST: return eth_addr_to_uint64(key->dl_dst);
    case MLOG_DIM_FLOW_ID: return mlog_record_flow_id(flow);
    case MLOG_DIM_SRC6:
    case MLOG_DIM_DST6:
    case MLOG_N_DIMS:
        break;
    }
    return 0;
}

enum mlog_verdict {
    MLOG_VERDICT_TRUE,
    MLOG_VERDICT_ASK,           /* mlog_expr_eval_flow() knows. */
    MLOG_VERDICT_MAYBE,
};

/* A condition on the ingress port.  Which ports meet it changes with
 * mlog_ports_generation(). */
struct mlog_port_literal {
    const struct mlog_term *term;
    bool negate;
};
bool mlog_port_literal_eval(const struct mlog_port_literal *, uint16_t id);

#define MLOG_BOX_MAX_PORTS 4

struct mlog_box {
    enum mlog_verdict verdict;
    struct mlog_intervals *sets[MLOG_N_DIMS];   /* NULL: any number. */
    struct mlog_port_literal ports[MLOG_BOX_MAX_PORTS];     /* All hold. */
    size_t n_ports;
};

#define MLOG_MAX_BOXES 16       /* Per expression. */

/* In order of verdicts: of several boxes that a flow lies in, the first one's
 * holds. */
struct mlog_boxes {
    struct mlog_box *boxes[MLOG_MAX_BOXES];
    size_t n;
};

/* Returns the boxes of an expression, which must live as long.  There are at
 * most 'max', which is 1 through MLOG_MAX_BOXES; fewer mean more
 * MLOG_VERDICT_ASK. */
struct mlog_boxes *mlog_expr_boxes(const struct mlog_expr *, size_t max);
void mlog_boxes_destroy(struct mlog_boxes *);

#endif /* mlog-expr-box.h */
