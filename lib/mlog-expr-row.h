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

#ifndef MLOG_EXPR_ROW_H
#define MLOG_EXPR_ROW_H 1

/* What is left of an expression when the flow is known
 * ====================================================
 *
 * Where mlog_expr_eval_flow() says MLOG_MAYBE of 'tcp && nw_dst == 10.0.0.1 &&
 * tcp_flags == +syn', what has to be looked at for each row is only the flags.
 *
 * Thread-safety
 * =============
 *
 * As struct mlog_expr. */

#include <stdbool.h>

struct mlog_expr;
struct mlog_record;

/* Returns the rest of 'expr', which must live as long, or NULL if it isn't
 * simple. */
struct mlog_expr_row *mlog_expr_row_create(const struct mlog_expr *expr);
void mlog_expr_row_destroy(struct mlog_expr_row *);

/* Same as mlog_expr_eval(), for a record whose flow is MLOG_MAYBE. */
bool mlog_expr_row_eval(const struct mlog_expr_row *,
                        const struct mlog_record *);

#endif /* mlog-expr-row.h */
