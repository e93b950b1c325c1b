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


#ifndef MLOG_FORMULA_H
#define MLOG_FORMULA_H 1

/* Formulas
 * ========
 *
 * Arithmetic and conditions on named numbers, such as the columns of an
 * answer:
 *
 *     r.count < 0.5 * l.count && l.sum(pkt_len) > 10k
 *
 *     or        = and { ( "||" | "or" ) and }
 *     and       = not { ( "&&" | "and" ) not }
 *     not       = { "!" | "not" } compare
 *     compare   = sum [ ( "==" | "=" | "!=" | "<" | "<=" | ">" | ">=" ) sum ]
 *     sum       = product { ( "+" | "-" ) product }
 *     product   = unary { ( "*" | "/" ) unary }
 *     unary     = { "-" } ( "(" or ")" | number | name )
 *     number    = DIGITS [ "." DIGITS ] [ "k" | "M" | "G" ]
 *     name      = WORD [ "(" TEXT ")" ], without a space before "("
 *
 * A number may be absent.  Then what is computed from it is absent, too, and
 * comparisons with that are false.  A quotient by zero is absent.  Numbers are
 * long doubles, which hold all 64-bit integers.
 *
 * Thread-safety
 * =============
 *
 * Formulas are immutable. */

#include <stdbool.h>
#include <stddef.h>

#include "mlog-expr.h"

#define MLOG_FORMULA_MAX_TEXT 4096
#define MLOG_FORMULA_MAX_DEPTH 64
#define MLOG_FORMULA_MAX_OPS 256

/* Tells which number [start, start + length) of the text names: stores any
 * 'index' and returns NULL, or returns an error message to be freed. */
typedef char *mlog_formula_resolve(void *aux, const char *start,
                                   size_t length, size_t *index);

/* Stores number 'index' in '*value', or returns false if it is absent. */
typedef bool mlog_formula_get(const void *aux, size_t index,
                              long double *value);

enum mlog_formula_type {
    MLOG_FORMULA_NUMBER,
    MLOG_FORMULA_CONDITION,
};

/* Returns the formula, which must be as 'wanted', or NULL after setting
 * 'error', which must be initialised. */
struct mlog_formula *mlog_formula_parse(const char *text,
                                        enum mlog_formula_type wanted,
                                        mlog_formula_resolve *resolve,
                                        void *aux,
                                        struct mlog_error *error)
    OVS_WARN_UNUSED_RESULT;
void mlog_formula_destroy(struct mlog_formula *);       /* Accepts NULL. */

/* Stores the formula's value (1 or 0 for conditions) in '*value', or returns
 * false if it is absent. */
bool mlog_formula_eval(const struct mlog_formula *formula,
                       mlog_formula_get *get, const void *aux,
                       long double *value);

#endif /* mlog-formula.h */
