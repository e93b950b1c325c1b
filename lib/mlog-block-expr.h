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

#ifndef MLOG_BLOCK_EXPR_H
#define MLOG_BLOCK_EXPR_H 1

/* Expressions on blocks of rows
 * =============================
 *
 * An expression as a program on columns (mlog-block.h): the same answers as
 * mlog_expr_eval() row by row, of 1,024 rows at once.
 *
 * What depends on the flow alone is evaluated once per flow, by the caller,
 * and kept in one byte per flow:
 *
 *   bits 0, 1   what mlog_expr_eval_flow() says, enum mlog_flow_verdict
 *   bits 2...7  if that is MAYBE: parts of the expression
 *
 * Thread-safety
 * =============
 *
 * As struct mlog_expr. */

#include <stdbool.h>
#include <stdint.h>

#include "mlog-block.h"

struct mlog_expr;
struct mlog_flow_key;

enum mlog_flow_verdict {
    MLOG_FLOW_UNSET = 0,        /* Not evaluated yet. */
    MLOG_FLOW_MAYBE = 1,
    MLOG_FLOW_TRUE = 2,
    MLOG_FLOW_FALSE = 3,
};
#define MLOG_FLOW_VERDICT_MASK 3

static inline enum mlog_flow_verdict
mlog_flow_verdict(uint8_t byte)
{
    return byte & MLOG_FLOW_VERDICT_MASK;
}

struct mlog_block_expr;

/* 'expr' must live as long. */
struct mlog_block_expr *mlog_block_expr_create(const struct mlog_expr *expr);
void mlog_block_expr_destroy(struct mlog_block_expr *);

/* True if flows don't matter: bytes of flows are not looked at. */
bool mlog_block_expr_is_row_only(const struct mlog_block_expr *);

/* True if bits 2...7 of the bytes of flows are looked at. */
bool mlog_block_expr_has_parts(const struct mlog_block_expr *);

/* True if no flow is MLOG_FLOW_TRUE. */
bool mlog_block_expr_needs_rows(const struct mlog_block_expr *);

/* False if mlog_block_expr_eval() may leave rows that don't match, because
 * the expression has something that isn't a matter of one column. */
bool mlog_block_expr_is_exact(const struct mlog_block_expr *);

/* The columns that are looked at, as bits, that of flows left out. */
uint32_t mlog_block_expr_columns(const struct mlog_block_expr *);

/* The byte of a flow. */
uint8_t mlog_block_expr_flow(const struct mlog_block_expr *,
                             const struct mlog_flow_key *);

/* Clears in 'bits' the rows that don't match, of those whose flow is MAYBE. */
void mlog_block_expr_eval(const struct mlog_block_expr *, struct mlog_block *,
                          uint32_t bits[MLOG_BLOCK_GROUPS]);

#endif /* mlog-block-expr.h */
