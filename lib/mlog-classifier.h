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
#ifndef MLOG_CLASSIFIER_H
#define MLOG_CLASSIFIER_H 1

/* Which of many expressions a flow matches
 * ========================================
 *
 * The same as asking mlog_expr_eval_flow() of each, in a time that hardly
 * depends on how many there are.  What expressions say of addresses, ports,
 * protocols, VLANs and ingress ports is in tables; left for evaluation is what
 * boxes (mlog-expr-box.h) can't say: comparison of two fields, masks that
 * aren't prefixes, and what is too complicated.
 *
 * Tables are made by the first mlog_classifier_run() after a change.
 *
 * Thread-safety
 * =============
 *
 * None: mlog_classifier_run() changes the classifier, too. */

#include <stddef.h>
#include <stdint.h>

struct mlog_expr;
struct mlog_record;

#define MLOG_CLASSIFIER_MAX 1024        /* Expressions. */

struct mlog_classifier *mlog_classifier_create(void);
void mlog_classifier_destroy(struct mlog_classifier *);

/* Adds an expression, which must live as long as it is in the classifier, as
 * the last one. */
void mlog_classifier_add(struct mlog_classifier *, const struct mlog_expr *);

/* Removes expression 'index'.  Those after it move up. */
void mlog_classifier_remove(struct mlog_classifier *, size_t index);

/* Stores the indexes of the expressions that are true for all packets of the
 * flow, then of those that may be, into 'indexes', which has room for
 * MLOG_CLASSIFIER_ROOM.  The order is the same whenever the set is.  Returns
 * the number of the first and stores that of both into '*n'.  'flow' needs no
 * row. */
#define MLOG_CLASSIFIER_ROOM (MLOG_CLASSIFIER_MAX + 8)
size_t mlog_classifier_run(struct mlog_classifier *,
                           const struct mlog_record *flow,
                           uint16_t indexes[], size_t *n);

/* Bytes. */
size_t mlog_classifier_memory(const struct mlog_classifier *);

#endif /* mlog-classifier.h */
