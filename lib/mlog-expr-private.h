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


#ifndef MLOG_EXPR_PRIVATE_H
#define MLOG_EXPR_PRIVATE_H 1

/* How expressions are made, private to mlog-expr*.c and mlog-match.c.
 *
 *   mlog-expr-lex.c      text -> tokens
 *   mlog-expr-parse.c    tokens -> nodes
 *   mlog-match.c         tokens in OVS match syntax -> nodes
 *   mlog-expr-term.c     constants and terms
 *   mlog-expr-eval.c     nodes -> program; evaluation
 *   mlog-expr.c          the object, its text
 *   mlog-expr-error.c    errors
 *   mlog-predicate.c     names that stand alone */

#include "mlog-expr.h"
#include "mlog-interval.h"
#include "ovs-atomic.h"

/* Terms: the leaves. */

enum mlog_op {
    MLOG_OP_EQ,
    MLOG_OP_NE,
    MLOG_OP_LT,
    MLOG_OP_LE,
    MLOG_OP_GT,
    MLOG_OP_GE,
};

const char *mlog_op_to_string(enum mlog_op);

enum mlog_term_type {
    MLOG_TERM_PREDICATE,        /* tcp */
    MLOG_TERM_PRESENT,          /* tp_dst */
    MLOG_TERM_SET,              /* tp_dst == {80, 1024-2047}; == and != only */
    MLOG_TERM_ORDER,            /* tp_dst < 1024; neither == nor != */
    MLOG_TERM_FIELDS,           /* tp_src < tp_dst */
    MLOG_TERM_CUSTOM,           /* See struct mlog_expr_custom. */
};

/* A constant as it was written. */
enum mlog_constant_type {
    MLOG_CONSTANT_VALUE,        /* 'a' under the mask 'b'. */
    MLOG_CONSTANT_RANGE,        /* 'a' through 'b'. */
    MLOG_CONSTANT_STRING,       /* 'string', the name of a port. */
};

struct mlog_constant {
    enum mlog_constant_type type;
    struct mlog_value a, b;
    char *string;
};

struct mlog_masked {
    struct mlog_value value, mask;
};

/* For a field of MLOG_FT_PORT, numbers are OpenFlow port numbers. */
struct mlog_term {
    enum mlog_term_type type;
    enum mlog_op op;
    const struct mlog_field *field;     /* Not for MLOG_TERM_PREDICATE and
                                         * MLOG_TERM_CUSTOM. */
    const struct mlog_field *field2;    /* MLOG_TERM_FIELDS. */
    const struct mlog_predicate *predicate;
    const struct mlog_expr_custom *custom;      /* MLOG_TERM_CUSTOM. */
    void *aux;                                  /* Its own. */

    /* MLOG_TERM_SET and (with exactly one) MLOG_TERM_ORDER, as written. */
    struct mlog_constant *constants;
    size_t n_constants;

    /* MLOG_TERM_SET: the same for searching.  A value is in the set if it is
     * in one of 'ranges', equals a masked value, or is a port named by one of
     * 'strings'. */
    struct mlog_range *ranges;  /* Sorted; they neither overlap nor touch. */
    size_t n_ranges;
    struct mlog_masked *masks;
    size_t n_masks;
    const char **strings;       /* Sorted; owned by 'constants'. */
    size_t n_strings;
};

/* Takes over 'constants', an array on the heap. */
struct mlog_term *mlog_term_set(const struct mlog_field *, enum mlog_op,
                                struct mlog_constant *constants, size_t n);
struct mlog_term *mlog_term_order(const struct mlog_field *, enum mlog_op,
                                  struct mlog_constant *);
struct mlog_term *mlog_term_fields(const struct mlog_field *, enum mlog_op,
                                   const struct mlog_field *);
struct mlog_term *mlog_term_present(const struct mlog_field *);
struct mlog_term *mlog_term_predicate(const struct mlog_predicate *);
struct mlog_term *mlog_term_custom(const struct mlog_expr_custom *,
                                   void *aux);
void mlog_term_destroy(struct mlog_term *);

/* Whether the term is true; MLOG_MAYBE without a row that it needs. */
enum mlog_tri mlog_term_eval(const struct mlog_term *,
                             const struct mlog_record *);

/* Parses 'text', which was quoted or not, as a constant to compare the field
 * with.  Returns NULL or an error message that the caller must free. */
char *mlog_constant_parse(const struct mlog_field *, const char *text,
                          bool quoted, struct mlog_constant *)
    OVS_WARN_UNUSED_RESULT;
void mlog_constant_destroy(struct mlog_constant *);
void mlog_constant_format(const struct mlog_constant *,
                          const struct mlog_field *, struct ds *);
bool mlog_constant_is_exact(const struct mlog_constant *,
                            const struct mlog_field *);

/* Returns NULL if the two fields may be compared with 'op', otherwise an
 * error message. */
char *mlog_fields_check(const struct mlog_field *, enum mlog_op,
                        const struct mlog_field *)
    OVS_WARN_UNUSED_RESULT;

/* Predicates. */

enum mlog_tri mlog_predicate_eval(const struct mlog_predicate *,
                                  const struct mlog_record *);

/* What 'name' means in OVS match syntax, where "tcp" is TCP over IPv4. */
const struct mlog_predicate *mlog_predicate_from_match(const char *name);
const char *mlog_predicate_match_name(const struct mlog_predicate *);

/* Of a predicate of MLOG_SCOPE_FLOW: what makes it true. */
void mlog_predicate_needs(const struct mlog_predicate *,
                          struct mlog_flow_needs *);

/* The Ethertype and the IP protocol that a predicate implies; 0 = any. */
void mlog_predicate_implies(const struct mlog_predicate *,
                            uint16_t *dl_type, uint8_t *nw_proto);

/* Nodes. */

enum mlog_node_type {
    MLOG_NODE_TERM,
    MLOG_NODE_NOT,              /* One child: never MLOG_NODE_NOT. */
    MLOG_NODE_AND,              /* Two or more, none MLOG_NODE_AND. */
    MLOG_NODE_OR,               /* Two or more, none MLOG_NODE_OR. */
};

struct mlog_node {
    enum mlog_node_type type;
    struct mlog_term *term;
    struct mlog_node **children;
    size_t n, allocated;
};

/* These take over their arguments. */
struct mlog_node *mlog_node_term(struct mlog_term *);
struct mlog_node *mlog_node_not(struct mlog_node *);

/* Joins 'a', which may be NULL, and 'b'. */
struct mlog_node *mlog_node_join(enum mlog_node_type, struct mlog_node *a,
                                 struct mlog_node *b);
void mlog_node_destroy(struct mlog_node *);

/* Tokens. */

enum mlog_token {
    MLOG_TOKEN_END,
    MLOG_TOKEN_WORD,
    MLOG_TOKEN_STRING,          /* "..." */
    MLOG_TOKEN_LPAREN,
    MLOG_TOKEN_RPAREN,
    MLOG_TOKEN_LBRACE,
    MLOG_TOKEN_RBRACE,
    MLOG_TOKEN_COMMA,
    MLOG_TOKEN_AND,
    MLOG_TOKEN_OR,
    MLOG_TOKEN_NOT,
    MLOG_TOKEN_OP,
};

struct mlog_lexer {
    const char *text;           /* At most MLOG_EXPR_MAX_TEXT bytes. */
    size_t pos;
    struct mlog_error *error;   /* Initialised. */

    /* The current token. */
    enum mlog_token token;
    enum mlog_op op;            /* MLOG_TOKEN_OP. */
    size_t start;               /* Where it starts in 'text'. */
    char s[MLOG_EXPR_MAX_TEXT + 1]; /* MLOG_TOKEN_WORD, MLOG_TOKEN_STRING. */
};

/* Checks 'text' as a whole and reads the first token. */
bool mlog_lexer_init(struct mlog_lexer *, const char *text,
                     struct mlog_error *);
bool mlog_lexer_next(struct mlog_lexer *) OVS_WARN_UNUSED_RESULT;

/* Sets the error, for the current token, and returns false. */
bool mlog_lexer_error(const struct mlog_lexer *, const char *format, ...)
    OVS_PRINTF_FORMAT(2, 3);
bool mlog_lexer_error_at(const struct mlog_lexer *, size_t start,
                         const char *format, ...)
    OVS_PRINTF_FORMAT(3, 4);

/* Same, the message being 'message', which is freed. */
bool mlog_lexer_error_nocopy(const struct mlog_lexer *, size_t start,
                             char *message);

/* Appends the current token for an error message, quoted. */
void mlog_lexer_put_token(const struct mlog_lexer *, struct ds *);

/* Parsers. */

/* True if the text has a comma that is in no parentheses, braces or quotes,
 * and thus is to be read as OVS match syntax. */
bool mlog_match_is(const char *text);

/* Reads a match, up to the end of the text. */
struct mlog_node *mlog_match_parse(struct mlog_lexer *);

/* The message for a name that is neither a field's nor a predicate's. */
char *mlog_name_error(const char *name);

/* OpenFlow's ways to write "no tag" that don't fit the field.  Returns the
 * node, or NULL if there is nothing special about 'name' and 'value'. */
struct mlog_node *mlog_match_no_vlan(const char *name, const char *value);

/* The expression. */

/* Where an instruction's jump ends. */
#define MLOG_REJECT 0xfffe
#define MLOG_ACCEPT 0xffff

struct mlog_insn {
    const struct mlog_term *term;
    bool negate;
    uint16_t jt, jf;            /* Next instruction, MLOG_ACCEPT or _REJECT. */
};

struct mlog_expr {
    struct ovs_refcount refcnt;
    struct mlog_node *root;     /* NULL for "everything". */
    bool flow_only;

    struct mlog_insn *insns;
    size_t n_insns;
};

size_t mlog_node_count_terms(const struct mlog_node *);
bool mlog_node_needs_row(const struct mlog_node *);

/* Fills in 'insns' and 'flow_only' from 'root'. */
void mlog_expr_compile(struct mlog_expr *);

#endif /* mlog-expr-private.h */
