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

#ifndef MLOG_EXPR_H
#define MLOG_EXPR_H 1

/* Expressions
 * ===========
 *
 * A predicate on records, as filters, queries and triggers use it:
 *
 *     tcp && nw_dst == 10.0.0.0/24 && tp_dst == {80, 443}
 *     tcp,nw_dst=10.0.0.0/24,tcp_flags=+syn-ack       (OVS match syntax)
 *
 * Documentation/ref/expressions.rst has the grammar and the meaning.  In
 * short: a comparison with a field that the packet lacks is false whatever
 * the operator; a bare field name is true if the packet has the field; the
 * empty text is true for every record.
 *
 * A parsed expression is immutable and shared by counting references.
 *
 * Cost
 * ====
 *
 * Parsing takes time linear in the text, which may have at most
 * MLOG_EXPR_MAX_TEXT bytes (more is an error, not a cost), save for sorting
 * sets.  Evaluation takes no lock, allocates nothing, does not recurse, and
 * executes each term at most once (twice for mlog_expr_eval_flow()), each in
 * time logarithmic in the size of its set, but linear in the number of masks
 * in it that aren't prefixes.
 *
 * Thread-safety
 * =============
 *
 * Any number of threads may evaluate, format, reference and unreference the
 * same expression at once. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mlog-fields.h"
#include "mlog-record.h"
#include "openvswitch/compiler.h"

struct ds;
struct json;

#define MLOG_EXPR_MAX_TEXT  4096    /* Bytes of text. */
#define MLOG_EXPR_MAX_DEPTH 64      /* Nested parentheses. */
#define MLOG_EXPR_MAX_TERMS 1024    /* Comparisons and bare names. */
#define MLOG_EXPR_MAX_SET   1024    /* Members of one set. */

/* Errors.
 *
 * An error that a user has caused.  The message says what is wrong and, where
 * that helps, what would work; it is one line of printable text without a
 * full stop. */
struct mlog_error {
    char *message;              /* NULL if there is no error. */
    int column;                 /* Byte of the text, 1-based; 0 = none. */
};

#define MLOG_ERROR_INITIALIZER { NULL, 0 }

/* Sets 'error' (which must be initialised; an earlier message is freed). */
void mlog_error_set(struct mlog_error *error, int column,
                    const char *format, ...) OVS_PRINTF_FORMAT(3, 4);

/* Frees what 'error' holds and makes it "no error". */
void mlog_error_clear(struct mlog_error *);

/* Returns, for the caller to free, the message, and if there is a column the
 * part of 'text' around it with a caret below:
 *
 *     unknown field 'nw_scr'; did you mean 'nw_src'? (column 8)
 *       tcp && nw_scr == 10.0.0.1
 *              ^
 *
 * 'text' may be NULL, and may be hostile.  No trailing new-line. */
char *mlog_error_to_string(const struct mlog_error *, const char *text);

/* Returns {"error": MESSAGE, "column": COLUMN}; without a column, only the
 * message. */
struct json *mlog_error_to_json(const struct mlog_error *);

/* Expressions. */

enum mlog_tri {
    MLOG_FALSE,
    MLOG_TRUE,
    MLOG_MAYBE,                 /* It depends on the row. */
};

struct mlog_expr;

/* Parses 'text'.  Returns the expression, or NULL after setting 'error',
 * which must be initialised. */
struct mlog_expr *mlog_expr_parse(const char *text, struct mlog_error *error)
    OVS_WARN_UNUSED_RESULT;

/* Takes a reference more, and returns its argument. */
struct mlog_expr *mlog_expr_ref(const struct mlog_expr *);

/* Drops a reference; the last one frees.  Accepts NULL. */
void mlog_expr_unref(struct mlog_expr *);

/* Appends the canonical text, which parses to an expression that has the same
 * meaning and the same canonical text.  Empty for "everything".  It tends to
 * be longer than what was parsed: if that was near MLOG_EXPR_MAX_TEXT, then
 * the canonical text may be beyond, so store the original. */
void mlog_expr_format(const struct mlog_expr *, struct ds *);

/* True if the expression is true for every record. */
bool mlog_expr_is_everything(const struct mlog_expr *);

/* True if mlog_expr_eval_flow() never returns MLOG_MAYBE: no term needs the
 * row. */
bool mlog_expr_is_flow_only(const struct mlog_expr *);

/* True or false for 'record', whose row must be there unless
 * mlog_expr_is_flow_only(). */
bool mlog_expr_eval(const struct mlog_expr *, const struct mlog_record *);

/* What is known from the flow alone; 'record''s row and time are ignored.
 * MLOG_TRUE and MLOG_FALSE are what mlog_expr_eval() would return for every
 * packet of the flow. */
enum mlog_tri mlog_expr_eval_flow(const struct mlog_expr *,
                                  const struct mlog_record *);

/* Bounds on the time of the records for which the expression can be true:
 * outside '*min'...'*max' (both included) it is false.  0 and UINT64_MAX if
 * it does not say.  '*min' > '*max' if it is never true. */
void mlog_expr_time_range(const struct mlog_expr *,
                          uint64_t *min, uint64_t *max);

/* False if the expression is false for every record whose values are in
 * certain ranges: 'get' is asked for fields of MLOG_SCOPE_ROW, and stores the
 * least and the greatest value that records have and returns true, or returns
 * false if it doesn't know.  A record that lacks the field counts as zero. */
typedef bool mlog_zone_func(const void *aux, enum mlog_field_id,
                            uint64_t *min, uint64_t *max);
bool mlog_expr_may_match(const struct mlog_expr *, mlog_zone_func *get,
                         const void *aux);

/* Calls 'cb' for each comparison and bare name, in the order of the text:
 * 'text' is its canonical text, and 'field' what it is about (NULL for a
 * predicate).  'plain' is false if it is negated or compares two fields. */
typedef void mlog_term_func(const char *text, const struct mlog_field *field,
                            enum mlog_field_scope scope, bool plain,
                            void *aux);
void mlog_expr_for_each_term(const struct mlog_expr *, mlog_term_func *cb,
                             void *aux);

/* A term that is not of the language.  'eval' is a pure function of the
 * record, and returns MLOG_MAYBE if there is no row and it needs one; 'unref'
 * is called once.  All threads at once may call 'eval'. */
struct mlog_expr_custom {
    const char *name;           /* For people. */
    enum mlog_tri (*eval)(const void *aux, const struct mlog_record *);
    void (*unref)(void *aux);
};

/* Returns "'expr' && 'custom'".  Takes over 'expr', which must have no other
 * reference, and 'aux'. */
struct mlog_expr *mlog_expr_and_custom(struct mlog_expr *,
                                       const struct mlog_expr_custom *,
                                       void *aux);

/* Names that stand alone, such as "tcp" and "drop". */
struct mlog_predicate {
    const char *name;
    enum mlog_field_scope scope;
    const char *doc;            /* One sentence, RST. */
};

size_t mlog_predicate_count(void);
const struct mlog_predicate *mlog_predicate_get(size_t);
const struct mlog_predicate *mlog_predicate_from_name(const char *);

#endif /* mlog-expr.h */
