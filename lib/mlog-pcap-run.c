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

#include <pcap/pcap.h>
#include <string.h>

#include "util.h"

/* The machine has an accumulator A, an index X and 16 words of memory.  All
 * jumps are forward, so that it ends.
 *
 * Here a value is not a number but what is known of one: bits that have a
 * value, bits that are free (they have one, but it is not known yet) and bits
 * that are unknown.  A jump is taken if what is known decides on it; then the
 * outcome does not depend on the other bits.
 *
 * The header length of IPv4 is unknown, as options aren't recorded, but what
 * comes after it can be found: a value that is the length of the header, plus
 * a constant, perhaps, is marked as 'relative'.  It can be used as an index,
 * and as nothing else. */

struct value {
    uint32_t v;                 /* Zero where free or unknown, unless... */
    uint32_t free, unk;
    uint32_t max;               /* Not greater than that. */
    uint32_t some;              /* Of these bits at least one is set; or 0. */
    bool relative;              /* ...this: then all of 'v' is the index that
                                 * there would be without options. */
    uint32_t origin;            /* Where what is unknown is. */
};

struct state {
    bool reached;
    struct value a, x;
    struct value mem[BPF_MEMWORDS];
};

static struct value
constant(uint32_t v)
{
    return (struct value) { .v = v, .max = v };
}

static uint32_t
unsure(const struct value *a)
{
    return a->free | a->unk;
}

/* Makes a value from its bits. */
static struct value
from_bits(uint32_t v, uint32_t free, uint32_t unk, uint32_t origin)
{
    free &= ~unk;
    return (struct value) {
        .v = v & ~(free | unk),
        .free = free,
        .unk = unk,
        .max = v | free | unk,
        .origin = origin,
    };
}

/* Nothing is known but what kind of bits it depends on. */
static struct value
depends(const struct value *a, const struct value *b)
{
    bool unk = a->unk || b->unk;

    return from_bits(0, unk ? 0 : UINT32_MAX, unk ? UINT32_MAX : 0,
                     a->unk ? a->origin : b->origin);
}

/* Loads. */

enum load_result {
    LOAD_OK,
    LOAD_BEYOND,                /* The packet ends before. */
};

static enum load_result
load(const struct mlog_view *view, const struct value *index, uint32_t k,
     unsigned int n, struct value *value)
{
    bool relative = index->relative;
    uint64_t ofs = (uint64_t) index->v + k;
    uint32_t v = 0, free = 0, unk = 0;

    if (unsure(index) && !relative) {
        *value = depends(index, index);
        return LOAD_OK;
    }
    if (ofs + n > view->size) {
        return LOAD_BEYOND;
    }
    for (unsigned int i = 0; i < n; i++, ofs++) {
        bool is_known = (ofs < MLOG_VIEW_MAX
                         && (!view->is_ipv4 || ofs < view->l4 || relative));

        v = v << 8 | (is_known ? view->value[ofs] : 0);
        free = free << 8 | (is_known ? view->free[ofs] : 0);
        unk = unk << 8 | (is_known ? view->unk[ofs] : 0xff);
    }
    ofs -= n;
    *value = from_bits(v, free, unk, ofs);
    if (n == 2 && view->is_802_3 && ofs == view->type) {
        value->max = 1500;
    } else if (n == 2 && view->is_ipv4 && view->is_later
               && ofs == view->l3 + 6) {
        value->some = 0x1fff;
    }
    return LOAD_OK;
}

/* Four times the low nibble: the length of an IPv4 header. */
static enum load_result
load_header_length(const struct mlog_view *view, uint32_t k,
                   struct value *value)
{
    const struct value zero = constant(0);
    struct value byte;

    if (load(view, &zero, k, 1, &byte) == LOAD_BEYOND) {
        return LOAD_BEYOND;
    }
    *value = from_bits((byte.v & 15) << 2, (byte.free & 15) << 2,
                       (byte.unk & 15) << 2, byte.origin);
    if (view->is_ipv4 && k == view->l3) {
        value->relative = true;
        value->v = 20;
    }
    return LOAD_OK;
}

static struct value
packet_length(const struct mlog_view *view)
{
    return (view->pkt_len_known
            ? constant(view->pkt_len) : from_bits(0, UINT32_MAX, 0, 0));
}

static enum load_result
execute_load(const struct bpf_insn *insn, const struct mlog_view *view,
             struct state *s, struct value *value)
{
    const struct value zero = constant(0);
    unsigned int n = (BPF_SIZE(insn->code) == BPF_W ? 4
                      : BPF_SIZE(insn->code) == BPF_H ? 2 : 1);

    switch (BPF_MODE(insn->code)) {
    case BPF_IMM:
        *value = constant(insn->k);
        return LOAD_OK;
    case BPF_LEN:
        *value = packet_length(view);
        return LOAD_OK;
    case BPF_MEM:
        *value = s->mem[insn->k];
        return LOAD_OK;
    case BPF_ABS:
        return load(view, &zero, insn->k, n, value);
    case BPF_IND:
        return load(view, &s->x, insn->k, n, value);
    default:
        return load_header_length(view, insn->k, value);
    }
}

/* Arithmetic. */

static bool
compute(uint16_t op, uint32_t a, uint32_t b, uint32_t *result)
{
    switch (op) {
    case BPF_ADD: *result = a + b; return true;
    case BPF_SUB: *result = a - b; return true;
    case BPF_MUL: *result = a * b; return true;
    case BPF_DIV: *result = b ? a / b : 0; return b != 0;
    case BPF_MOD: *result = b ? a % b : 0; return b != 0;
    case BPF_OR: *result = a | b; return true;
    case BPF_AND: *result = a & b; return true;
    case BPF_XOR: *result = a ^ b; return true;
    case BPF_LSH: *result = b < 32 ? a << b : 0; return true;
    case BPF_RSH: *result = b < 32 ? a >> b : 0; return true;
    default: *result = -a; return true;
    }
}

/* Operations with a constant on each bit by itself, or on its place. */
static bool
compute_bits(uint16_t op, const struct value *a, uint32_t k,
             struct value *result)
{
    uint32_t keep = (op == BPF_AND ? k : op == BPF_OR ? ~k : UINT32_MAX);
    uint32_t v, free, unk;

    if (op != BPF_AND && op != BPF_OR && op != BPF_XOR && op != BPF_LSH
        && op != BPF_RSH) {
        return false;
    }
    compute(op, a->relative ? 0 : a->v, k, &v);
    if (op == BPF_LSH || op == BPF_RSH) {
        compute(op, a->free, k, &free);
        compute(op, a->unk, k, &unk);
    } else {
        free = a->free & keep;
        unk = a->unk & keep;
    }
    *result = from_bits(v, free, unk, a->origin);
    if (op == BPF_AND && !(a->some & ~k)) {
        result->some = a->some;
    }
    return true;
}

/* Returns false if it is a division by zero, which ends the program. */
static bool
execute_alu(const struct bpf_insn *insn, struct state *s)
{
    struct value k = constant(insn->k);
    uint16_t op = BPF_OP(insn->code);
    struct value *b = BPF_SRC(insn->code) == BPF_X ? &s->x : &k;
    uint32_t result;

    if (op == BPF_NEG) {
        b = &k;
    }
    if (!unsure(&s->a) && !unsure(b)) {
        if (!compute(op, s->a.v, b->v, &result)) {
            return false;
        }
        s->a = constant(result);
    } else if (s->a.relative && !unsure(b)
               && (op == BPF_ADD || op == BPF_SUB)) {
        compute(op, s->a.v, b->v, &s->a.v);
    } else if (b->relative && !unsure(&s->a) && op == BPF_ADD) {
        result = s->a.v + b->v;
        s->a = *b;
        s->a.v = result;
    } else if (unsure(b) || !compute_bits(op, &s->a, b->v, &s->a)) {
        s->a = depends(&s->a, b);
    }
    return true;
}

/* Jumps. */

static enum mlog_run_result
undecided(const struct value *a, const struct value *b, uint32_t bits)
{
    return ((a->unk | b->unk) & bits ? MLOG_RUN_UNKNOWN : MLOG_RUN_FREE);
}

static enum mlog_run_result
decide(uint16_t op, const struct value *a, const struct value *b)
{
    uint32_t u = unsure(a) | unsure(b);
    uint32_t min = a->relative ? 0 : a->v;      /* Of a. */

    if (!u) {
        return (op == BPF_JEQ ? a->v == b->v
                : op == BPF_JGT ? a->v > b->v
                : op == BPF_JGE ? a->v >= b->v
                : (a->v & b->v) != 0) ? MLOG_RUN_YES : MLOG_RUN_NO;
    } else if (unsure(b) || a->relative) {
        return undecided(a, b, UINT32_MAX);
    }

    switch (op) {
    case BPF_JEQ:
        return ((a->v ^ b->v) & ~u || b->v > a->max
                || (a->some && !(b->v & a->some))
                ? MLOG_RUN_NO : undecided(a, b, UINT32_MAX));
    case BPF_JGT:
        return (a->max <= b->v ? MLOG_RUN_NO : min > b->v ? MLOG_RUN_YES
                : undecided(a, b, UINT32_MAX));
    case BPF_JGE:
        return (a->max < b->v ? MLOG_RUN_NO : min >= b->v ? MLOG_RUN_YES
                : undecided(a, b, UINT32_MAX));
    default:
        return (a->v & b->v || (a->some && !(a->some & ~b->v))
                ? MLOG_RUN_YES
                : !(u & b->v) ? MLOG_RUN_NO : undecided(a, b, b->v));
    }
}

static enum mlog_run_result
execute_jump(const struct bpf_insn *insn, const struct state *s)
{
    const struct value k = constant(insn->k);

    return decide(BPF_OP(insn->code), &s->a,
                  BPF_SRC(insn->code) == BPF_X ? &s->x : &k);
}

/* Executes what is neither a jump nor a return.  Returns false if the program
 * ends without a match. */
static bool
execute(const struct bpf_insn *insn, const struct mlog_view *view,
        struct state *s)
{
    switch (BPF_CLASS(insn->code)) {
    case BPF_LD:
        return execute_load(insn, view, s, &s->a) == LOAD_OK;
    case BPF_LDX:
        return execute_load(insn, view, s, &s->x) == LOAD_OK;
    case BPF_ST:
        s->mem[insn->k] = s->a;
        return true;
    case BPF_STX:
        s->mem[insn->k] = s->x;
        return true;
    case BPF_ALU:
        return execute_alu(insn, s);
    default:
        if (BPF_MISCOP(insn->code) == BPF_TAX) {
            s->x = s->a;
        } else {
            s->a = s->x;
        }
        return true;
    }
}

static enum mlog_run_result
execute_return(const struct bpf_insn *insn, const struct state *s)
{
    const struct value zero = constant(0);

    if (BPF_RVAL(insn->code) == BPF_A) {
        enum mlog_run_result is_zero = decide(BPF_JEQ, &s->a, &zero);

        return (is_zero == MLOG_RUN_YES ? MLOG_RUN_NO
                : is_zero == MLOG_RUN_NO ? MLOG_RUN_YES : is_zero);
    }
    return insn->k ? MLOG_RUN_YES : MLOG_RUN_NO;
}

enum mlog_run_result
mlog_run(const struct bpf_insn *insns, size_t n, const struct mlog_view *view)
{
    struct state s;
    size_t pc = 0;

    memset(&s, 0, sizeof s);
    for (;;) {
        const struct bpf_insn *insn = &insns[pc++];

        ovs_assert(pc <= n);
        if (BPF_CLASS(insn->code) == BPF_RET) {
            return execute_return(insn, &s);
        } else if (BPF_CLASS(insn->code) != BPF_JMP) {
            if (!execute(insn, view, &s)) {
                return MLOG_RUN_NO;
            }
        } else if (BPF_OP(insn->code) == BPF_JA) {
            pc += insn->k;
        } else {
            enum mlog_run_result result = execute_jump(insn, &s);

            if (result != MLOG_RUN_YES && result != MLOG_RUN_NO) {
                return result;
            }
            pc += result == MLOG_RUN_YES ? insn->jt : insn->jf;
        }
    }
}

/* All ways. */

static void
join_value(struct value *to, const struct value *from)
{
    uint32_t differ = to->v ^ from->v;

    if (to->relative != from->relative || (to->relative && differ)) {
        uint32_t origin = to->relative ? to->origin : from->origin;

        *to = from_bits(0, 0, UINT32_MAX, origin);
        return;
    } else if (!to->relative) {
        to->free = (to->free | from->free | differ) & ~(to->unk | from->unk);
        to->origin = to->unk ? to->origin : from->origin;
        to->unk |= from->unk;
        to->v &= ~(to->free | to->unk);
    }
    to->max = MAX(to->max, from->max);
    to->some = to->some == from->some ? to->some : 0;
}

static void
reach(struct state *to, const struct state *from)
{
    if (!to->reached) {
        *to = *from;
        return;
    }
    join_value(&to->a, &from->a);
    join_value(&to->x, &from->x);
    for (size_t i = 0; i < BPF_MEMWORDS; i++) {
        join_value(&to->mem[i], &from->mem[i]);
    }
}

/* Goes on from 'states[pc]'.  Returns false if that depends on what is
 * unknown, at '*ofs'. */
static bool
follow(const struct bpf_insn *insns, const struct mlog_view *view,
       struct state *states, size_t pc, uint32_t *ofs)
{
    const struct bpf_insn *insn = &insns[pc];
    struct state s = states[pc];
    enum mlog_run_result result;

    switch (BPF_CLASS(insn->code)) {
    case BPF_RET:
        *ofs = s.a.origin;
        return execute_return(insn, &s) != MLOG_RUN_UNKNOWN;

    case BPF_JMP:
        if (BPF_OP(insn->code) == BPF_JA) {
            reach(&states[pc + 1 + insn->k], &s);
            return true;
        }
        result = execute_jump(insn, &s);
        if (result == MLOG_RUN_UNKNOWN) {
            *ofs = s.a.unk ? s.a.origin : s.x.origin;
            return false;
        }
        if (result != MLOG_RUN_NO) {
            reach(&states[pc + 1 + insn->jt], &s);
        }
        if (result != MLOG_RUN_YES) {
            reach(&states[pc + 1 + insn->jf], &s);
        }
        return true;

    default:
        if (execute(insn, view, &s)) {
            reach(&states[pc + 1], &s);
        }
        return true;
    }
}

bool
mlog_run_all(const struct bpf_insn *insns, size_t n,
             const struct mlog_view *view, uint32_t *ofs)
{
    struct state *states = xcalloc(n, sizeof *states);
    bool ok = true;

    states[0].reached = true;
    for (size_t pc = 0; pc < n && ok; pc++) {
        if (states[pc].reached) {
            ok = follow(insns, view, states, pc, ofs);
        }
    }
    free(states);
    return ok;
}

/* Trust nothing: what follows relies on it. */
char *
mlog_run_check(const struct bpf_insn *insns, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct bpf_insn *insn = &insns[i];
        uint16_t class = BPF_CLASS(insn->code);
        bool is_ja = class == BPF_JMP && BPF_OP(insn->code) == BPF_JA;
        bool is_mem = (class == BPF_ST || class == BPF_STX
                       || ((class == BPF_LD || class == BPF_LDX)
                           && BPF_MODE(insn->code) == BPF_MEM));
        uint64_t furthest = (class == BPF_RET ? i
                             : is_ja ? (uint64_t) i + 1 + insn->k
                             : class == BPF_JMP
                             ? i + 1 + MAX(insn->jt, insn->jf) : i + 1);

        if (furthest >= n || (is_mem && insn->k >= BPF_MEMWORDS)) {
            return xstrdup("the filter cannot be executed here");
        }
    }
    return n ? NULL : xstrdup("the filter is empty");
}
