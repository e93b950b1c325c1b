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

#include "mlog-segment.h"

#include "mlog-checksum.h"
#include "mlog-flow-table.h"
#include "openvswitch/util.h"
#include "openvswitch/vlog.h"
#include "svec.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(mlog_segment);

#define RAW_MAGIC UINT64_C(0x315741524c54ff4d)
#define SEALED_MAGIC UINT64_C(0x314c41534c54ff4d)

/* Stored by the digest; what isn't constant is final when the segment is
 * full. */
struct raw_header {
    uint64_t magic;
    uint64_t base_time;
    uint64_t first_row;
    uint32_t seq;
    uint32_t n_rows;
    uint32_t n_flows;
};

#define RAW_ROWS 4096           /* Offset of rows. */
#define RAW_FLOWS (RAW_ROWS + MLOG_SEGMENT_ROWS * sizeof(struct mlog_row))
#define RAW_SIZE (RAW_FLOWS + MLOG_SEGMENT_ROWS * sizeof(uint32_t))
BUILD_ASSERT_DECL(sizeof(struct raw_header) <= RAW_ROWS);

struct sealed_header {
    uint64_t magic;
    uint64_t first_row;
    uint64_t image_size;
    uint32_t seq;
    uint32_t n_flows;
    uint32_t checksum;          /* Of the flows. */
    uint8_t reserved[28];
};
BUILD_ASSERT_DECL(sizeof(struct sealed_header) == 64);

static char *
raw_file(uint32_t seq)
{
    return xasprintf("seg-%"PRIu32".raw", seq);
}

static char *
sealed_file(uint32_t seq)
{
    return xasprintf("seg-%"PRIu32".sealed", seq);
}

static const char spare_file[] = "spare.raw";

uint32_t
mlog_segment_n_rows__(const struct mlog_segment *segment_)
{
    struct mlog_segment *segment = CONST_CAST(struct mlog_segment *, segment_);
    uint32_t n;

    atomic_read_explicit(&segment->n_rows, &n, memory_order_acquire);
    return n;
}

uint32_t
mlog_segment_n_flows__(const struct mlog_segment *segment_)
{
    struct mlog_segment *segment = CONST_CAST(struct mlog_segment *, segment_);
    uint32_t n;

    atomic_read_explicit(&segment->n_flows, &n, memory_order_acquire);
    return n;
}

uint64_t
mlog_segment_last_time__(const struct mlog_segment *segment, uint32_t n)
{
    struct mlog_row row;

    mlog_segment_rows(segment, n - 1, 1, &row);
    return segment->base_time + mlog_row_time(&row);
}

/* Raw segments. */

static struct mlog_log_segment *
allocate(struct mlog_store *store, uint32_t seq, uint64_t base_time,
         uint64_t first_row)
{
    struct mlog_log_segment *segment = xzalloc(sizeof *segment);

    segment->store = store;
    segment->public.seq = seq;
    segment->public.base_time = base_time;
    segment->public.first_row = first_row;
    atomic_init(&segment->public.n_rows, 0);
    atomic_init(&segment->public.n_flows, 0);
    return segment;
}

static void
set_raw_pointers(struct mlog_log_segment *segment)
{
    char *data = segment->mapping.data;

    segment->public.rows = ALIGNED_CAST(struct mlog_row *, data + RAW_ROWS);
    segment->public.flows = ALIGNED_CAST(uint32_t *, data + RAW_FLOWS);
}

struct mlog_log_segment *
mlog_segment_create__(struct mlog_store *store,
                      struct mlog_log_segment *spare, uint32_t seq,
                      uint64_t base_time, uint64_t first_row)
{
    struct mlog_log_segment *segment = allocate(store, seq, base_time,
                                                first_row);
    char *file = raw_file(seq);

    if (spare) {
        segment->mapping = spare->mapping;
        free(spare);
    } else if (mlog_store_create(store, file, RAW_SIZE, false,
                                 &segment->mapping)) {
        free(segment);
        free(file);
        return NULL;
    }

    *(struct raw_header *) segment->mapping.data = (struct raw_header) {
        .magic = RAW_MAGIC,
        .base_time = base_time,
        .first_row = first_row,
        .seq = seq,
    };
    set_raw_pointers(segment);
    if (spare) {
        mlog_store_rename(store, spare_file, file);
    }
    free(file);
    return segment;
}

/* 'n_rows' and 'n_flows' are published by now. */
void
mlog_segment_finish__(struct mlog_log_segment *segment)
{
    struct raw_header *header = segment->mapping.data;

    header->n_flows = mlog_segment_n_flows__(&segment->public);
    header->n_rows = mlog_segment_n_rows__(&segment->public);
}

void
mlog_segment_make_spare__(struct mlog_log_segment *segment)
{
    char *file = raw_file(segment->public.seq);

    mlog_store_rename(segment->store, file, spare_file);
    segment->next = NULL;
    free(file);
}

void
mlog_segment_destroy__(struct mlog_log_segment *segment, bool remove)
{
    if (segment) {
        if (remove) {
            char *file = (segment->public.sealed
                          ? sealed_file(segment->public.seq)
                          : raw_file(segment->public.seq));

            mlog_store_remove(segment->store, file);
            free(file);
        }
        mlog_store_unmap(&segment->mapping);
        free(segment);
    }
}

/* Sealing. */

/* Bytes of a list of flows, for mlog_checksum() a multiple of 8. */
static size_t
flows_size(uint32_t n_flows)
{
    return ROUND_UP(n_flows * sizeof(uint32_t), sizeof(uint64_t));
}

/* Points 'segment' to what its mapping has.  Returns false if that is
 * damaged, or the checksum, if it is to be compared, doesn't fit. */
static bool
open_sealed(struct mlog_log_segment *segment, bool checksum)
{
    const struct sealed_header *header = segment->mapping.data;
    size_t size = segment->mapping.size;
    char *error;

    if (size < sizeof *header || header->magic != SEALED_MAGIC
        || header->seq != segment->public.seq
        || header->image_size % sizeof(uint64_t)
        || header->image_size > size - sizeof *header
        || (flows_size(header->n_flows)
            > size - sizeof *header - header->image_size)) {
        return false;
    }

    const char *image = (const char *) (header + 1);
    if (!mlog_sealed_open(&segment->sealed, image, header->image_size,
                          checksum, &error)) {
        VLOG_WARN("segment %"PRIu32": %s", segment->public.seq, error);
        free(error);
        return false;
    }

    segment->public.flows = ALIGNED_CAST(uint32_t *,
                                         image + header->image_size);
    segment->public.sealed = &segment->sealed;
    segment->public.base_time = segment->sealed.base_time;
    segment->public.first_row = header->first_row;
    atomic_init(&segment->public.n_flows, header->n_flows);
    atomic_init(&segment->public.n_rows, segment->sealed.n_rows);
    return (segment->sealed.n_flows == header->n_flows
            && (!checksum
                || (header->checksum
                    == mlog_checksum(segment->public.flows,
                                     flows_size(header->n_flows)))));
}

struct mlog_log_segment *
mlog_segment_seal__(const struct mlog_log_segment *full,
                    struct mlog_sealed_builder *builder)
{
    const struct mlog_segment *s = &full->public;
    uint32_t n_rows = mlog_segment_n_rows__(s);
    uint32_t n_flows = mlog_segment_n_flows__(s);
    size_t image_size = mlog_sealed_build(builder, s->rows, n_rows, n_flows,
                                          s->base_time);
    struct mlog_log_segment *sealed = allocate(full->store, s->seq,
                                               s->base_time, s->first_row);
    char *tmp = xasprintf("seg-%"PRIu32".tmp", s->seq);
    char *file = sealed_file(s->seq);

    ovs_assert(image_size);
    if (mlog_store_create(full->store, tmp,
                          sizeof(struct sealed_header) + image_size
                          + flows_size(n_flows), false, &sealed->mapping)) {
        free(sealed);
        sealed = NULL;
        goto exit;
    }

    struct sealed_header *header = sealed->mapping.data;
    memcpy(header + 1, mlog_sealed_builder_image(builder), image_size);

    void *flows = (char *) (header + 1) + image_size;
    memcpy(flows, s->flows, n_flows * sizeof *s->flows);
    *header = (struct sealed_header) {
        .magic = SEALED_MAGIC,
        .first_row = s->first_row,
        .image_size = image_size,
        .seq = s->seq,
        .n_flows = n_flows,
        .checksum = mlog_checksum(flows, flows_size(n_flows)),
    };
    ovs_assert(open_sealed(sealed, false));
    mlog_store_rename(full->store, tmp, file);

exit:
    free(file);
    free(tmp);
    return sealed;
}

/* Loading. */

static bool
load_raw(struct mlog_log_segment *segment, bool open, uint32_t n_rows,
         uint32_t n_flows)
{
    char *file = raw_file(segment->public.seq);
    bool ok = !mlog_store_load(segment->store, file, &segment->mapping);

    free(file);
    if (!ok || segment->mapping.size < RAW_SIZE) {
        return false;
    }

    const struct raw_header *header = segment->mapping.data;
    if (!open) {
        n_rows = header->n_rows;
        n_flows = header->n_flows;
    }
    if (header->magic != RAW_MAGIC || header->seq != segment->public.seq
        || n_rows > MLOG_SEGMENT_ROWS || n_flows > n_rows
        || (!open && !n_rows)) {
        return false;
    }
    segment->public.base_time = header->base_time;
    segment->public.first_row = header->first_row;
    atomic_init(&segment->public.n_rows, n_rows);
    atomic_init(&segment->public.n_flows, n_flows);
    set_raw_pointers(segment);
    for (uint32_t i = 0; i < n_rows; i++) {
        if (segment->public.rows[i].flow >= n_flows) {
            return false;
        }
    }
    return true;
}

static bool
load_sealed(struct mlog_log_segment *segment)
{
    char *file = sealed_file(segment->public.seq);
    bool ok = (!mlog_store_load(segment->store, file, &segment->mapping)
               && open_sealed(segment, true));

    free(file);
    if (!ok) {
        mlog_store_unmap(&segment->mapping);
        segment->public.sealed = NULL;
    }
    return ok;
}

struct mlog_log_segment *
mlog_segment_load__(struct mlog_store *store, uint32_t seq, bool open,
                    uint32_t n_rows, uint32_t n_flows)
{
    struct mlog_log_segment *segment = allocate(store, seq, 0, 0);

    if ((!open && load_sealed(segment))
        || load_raw(segment, open, n_rows, n_flows)) {
        return segment;
    }
    mlog_segment_destroy__(segment, false);
    return NULL;
}

/* A segment beyond the committed one was filled after the commit; its records
 * are still in the rings. */
void
mlog_segment_tidy__(struct mlog_store *store, const struct mlog_commit *commit)
{
    struct svec names = SVEC_EMPTY_INITIALIZER;
    const char *name;
    size_t i;

    mlog_store_list(store, &names);
    SVEC_FOR_EACH (i, name, &names) {
        char type[16];
        uint32_t seq;

        if (ovs_scan(name, "seg-%"SCNu32".%15s", &seq, type)
            && (!strcmp(type, "tmp") || seq < commit->oldest_seq
                || seq > commit->open_seq
                || (seq == commit->open_seq && !commit->n_rows))) {
            mlog_store_remove(store, name);
        }
    }
    mlog_store_remove(store, spare_file);
    svec_destroy(&names);
}
