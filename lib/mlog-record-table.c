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
#include "mlog-record-table.h"

#include "util.h"

static const enum mlog_field_id table_fields[] = {
    MLOG_F_TIME, MLOG_F_IN_PORT_NAME, MLOG_F_OUT_PORT_NAME, MLOG_F_PKT_LEN,
    MLOG_F_DROP_REASON, MLOG_F_VLAN_VID, MLOG_F_DL_TYPE, MLOG_F_L3_SRC,
    MLOG_F_L3_DST, MLOG_F_NW_PROTO, MLOG_F_TP_SRC, MLOG_F_TP_DST,
    MLOG_F_TCP_FLAGS, MLOG_F_ICMP_TYPE, MLOG_F_ICMPV6_TYPE, MLOG_F_ARP_OP,
    MLOG_F_ARP_SPA, MLOG_F_ARP_TPA,
};

static const enum mlog_field_id data_fields[] = {
    MLOG_F_TIME, MLOG_F_IN_PORT, MLOG_F_IN_PORT_NAME, MLOG_F_OUT_PORT,
    MLOG_F_OUT_PORT_NAME, MLOG_F_PKT_LEN, MLOG_F_DROP_REASON, MLOG_F_FLOW_ID,
    MLOG_F_DL_SRC, MLOG_F_DL_DST, MLOG_F_VLAN_VID, MLOG_F_DL_TYPE,
    MLOG_F_NW_SRC, MLOG_F_NW_DST, MLOG_F_IPV6_SRC, MLOG_F_IPV6_DST,
    MLOG_F_NW_PROTO, MLOG_F_TP_SRC, MLOG_F_TP_DST, MLOG_F_TCP_FLAGS,
    MLOG_F_ICMP_TYPE, MLOG_F_ICMP_CODE, MLOG_F_ICMPV6_TYPE,
    MLOG_F_ICMPV6_CODE, MLOG_F_ARP_OP, MLOG_F_ARP_SPA, MLOG_F_ARP_TPA,
};

size_t
mlog_record_use_fields(const enum mlog_field_id ids[], size_t n,
                       const struct mlog_field *fields[])
{
    for (size_t i = 0; i < n; i++) {
        fields[i] = mlog_field_get_by_id(ids[i]);
    }
    return n;
}

size_t
mlog_record_default_fields(enum mlog_format format,
                           const struct mlog_field *fields[])
{
    return (format == MLOG_FORMAT_TABLE
            ? mlog_record_use_fields(table_fields, ARRAY_SIZE(table_fields),
                                     fields)
            : mlog_record_use_fields(data_fields, ARRAY_SIZE(data_fields),
                                     fields));
}

size_t
mlog_record_all_fields(const struct mlog_field *fields[])
{
    for (size_t i = 0; i < MLOG_N_FIELDS; i++) {
        fields[i] = mlog_field_get_by_id(i);
    }
    return MLOG_N_FIELDS;
}

static bool
is_right_aligned(const struct mlog_field *field)
{
    return field->type == MLOG_FT_DECIMAL || field->type == MLOG_FT_IP_PROTO
           || field->type == MLOG_FT_PORT || field->type == MLOG_FT_TOS;
}

void
mlog_record_add_columns(struct mlog_table *table,
                        const struct mlog_field *const fields[], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        mlog_table_add_column(table, fields[i]->name,
                              is_right_aligned(fields[i]));
    }
}

void
mlog_record_put(struct mlog_table *table, const struct mlog_record *record,
                const struct mlog_field *const fields[], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct mlog_value value;

        if (mlog_field_get(fields[i], record, &value)) {
            mlog_table_put_field(table, fields[i], &value);
        } else {
            mlog_table_put_absent(table);
        }
    }
}
