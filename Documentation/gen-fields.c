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

/* Prints Documentation/ref/fields.rst: the fields, the predicates and the
 * drop reasons, from the tables that the code uses. */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "mlog-drop.h"
#include "mlog-expr.h"
#include "mlog-fields.h"
#include "openvswitch/dynamic-string.h"
#include "util.h"

static void
put_heading(struct ds *s, const char *text, char underline)
{
    ds_put_format(s, "%s\n", text);
    ds_put_char_multiple(s, underline, strlen(text));
    ds_put_cstr(s, "\n\n");
}

static const char *
scope_to_string(enum mlog_field_scope scope)
{
    return scope == MLOG_SCOPE_FLOW ? "flow" : "packet";
}

static void
put_field(const struct mlog_field *field, struct ds *s)
{
    ds_put_format(s, "``%s``", field->name);
    for (size_t i = 0; field->aliases[i]; i++) {
        ds_put_format(s, "%s ``%s``", i ? "," : " or", field->aliases[i]);
    }
    ds_put_format(s, "\n    %s\n\n", field->doc);
    ds_put_format(s, "    *Type:* %s, %u bit%s.  *Masks:* %s.  "
                  "*Order:* %s.  *Known of:* the %s.\n\n    "
                  "*Packets that have it:* %s.\n\n",
                  mlog_field_type_to_string(field->type), field->n_bits,
                  field->n_bits == 1 ? "" : "s",
                  field->maskable ? "yes" : "no",
                  mlog_field_is_ordered(field) ? "yes" : "no",
                  scope_to_string(field->scope), field->prereq);
}

static void
put_fields(struct ds *s)
{
    const char *group = "";
    const struct mlog_field *field;

    MLOG_FIELD_FOR_EACH (field) {
        if (strcmp(field->group, group)) {
            group = field->group;
            put_heading(s, group, '-');
        }
        put_field(field, s);
    }
}

static void
put_predicates(struct ds *s)
{
    put_heading(s, "Predicates", '-');
    ds_put_cstr(s, "These names stand alone in an expression.\n\n");
    for (size_t i = 0; i < mlog_predicate_count(); i++) {
        const struct mlog_predicate *p = mlog_predicate_get(i);

        ds_put_format(s, "``%s``\n    %s\n\n", p->name, p->doc);
    }
}

static void
put_drop_reasons(struct ds *s)
{
    put_heading(s, "Drop reasons", '-');
    ds_put_cstr(s,
        "Values of ``drop_reason``.  Where ``ovs-vswitchd`` has a coverage "
        "counter for\nthe reason (see ``ovs-appctl coverage/show``), its "
        "name may be given too.  A\nreason without a name is written as "
        "its number.\n\n"
        ".. list-table::\n"
        "   :header-rows: 1\n\n"
        "   * - Number\n     - Name\n     - Coverage counter\n"
        "     - Meaning\n");
    for (uint32_t i = 0; i < MLOG_N_DROPS; i++) {
        const char *counter = mlog_drop_counter(i);

        if (mlog_drop_name(i)) {
            ds_put_format(s, "   * - %"PRIu32"\n     - ``%s``\n     - ", i,
                          mlog_drop_name(i));
            ds_put_format(s, counter ? "``%s``" : "%s",
                          counter ? counter : "none");
            ds_put_format(s, "\n     - %s\n", mlog_drop_doc(i));
        }
    }
}

int
main(int argc OVS_UNUSED, char *argv[] OVS_UNUSED)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    ds_put_cstr(&s,
        "..\n"
        "   Generated from the table of fields; do not edit.\n\n"
        "======\n"
        "Fields\n"
        "======\n\n"
        "What can be asked of a packet, in expressions, in groups and in "
        "output.  Names and\nmeanings are those of :manpage:`ovs-fields(7)` "
        "where it has the field.  Only the\noutermost headers count.  "
        ":doc:`expressions` says how values are written and\ncompared.\n\n"
        "A field *known of the flow* has the same value for all packets of "
        "a flow, so that a\nfilter that needs no others is decided once per "
        "flow; a field *known of the packet*\nis looked up in each "
        "packet.\n\n");
    put_fields(&s);
    put_predicates(&s);
    put_drop_reasons(&s);
    fputs(ds_cstr(&s), stdout);
    ds_destroy(&s);
    return fflush(stdout) ? 1 : 0;
}
