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
#include "mlog-stream-private.h"

#include <string.h>

#include "hash.h"
#include "mlog-classifier.h"
#include "mlog-clock.h"
#include "util.h"

/* Classes
 * =======
 *
 * A class is a set of filters, each either definite (all packets of the flow
 * match) or conditional (its expression must be evaluated for each row).
 * Classes are interned, so mostly there are few: they are made when a flow is
 * classified and live until the set of filters changes.  Then all are freed at
 * once, the generation changes, and flows are classified again when their next
 * packet comes.
 *
 * Where filters look at much that is independent, such as prefixes of both
 * addresses and ranges of both ports, each flow may be a class of its own.  So
 * the number of classes is bounded.  Beyond, flows get MLOG_CLASS_NONE, and
 * their filters are found each time that they get an accumulator
 * (mlog-stream-record.c).  Not for ever: now and then all classes are freed in
 * this case, too, for those of flows that are gone. */

#define RENEW_INTERVAL_NS (1000 * MLOG_TICK_NS)

void
mlog_stream_init_classes__(struct mlog_stream *stream)
{
    stream->generation = 1;
    stream->classifier = mlog_classifier_create();
    stream->classes = xcalloc(MLOG_MAX_CLASSES, sizeof *stream->classes);
    stream->n_classes = 1;
    hmap_init(&stream->class_index);
}

void
mlog_stream_free_classes__(struct mlog_stream *stream)
{
    mlog_stream_free_lane_classes__(stream);
    for (size_t i = 1; i < stream->n_classes; i++) {
        free(stream->classes[i]);
    }
    stream->n_classes = 1;
    stream->class_memory = 0;
    hmap_destroy(&stream->class_index);
    hmap_init(&stream->class_index);
    stream->out_of_classes = false;
    stream->classes_since = stream->now;
}

void
mlog_stream_filters_changed__(struct mlog_stream *stream)
{
    mlog_stream_free_classes__(stream);
    mlog_stream_end_change__(stream);
    stream->generation++;
    stream->generation += !stream->generation;
}

void
mlog_stream_renew_classes__(struct mlog_stream *stream)
{
    if (stream->out_of_classes
        && stream->now - stream->classes_since >= RENEW_INTERVAL_NS) {
        mlog_stream_begin_change__(stream);
        mlog_stream_filters_changed__(stream);
    }
}

static struct mlog_class *
find_class(const struct mlog_stream *stream, uint32_t hash,
           const uint16_t *filters, size_t n_definite, size_t n)
{
    struct mlog_class *class;

    HMAP_FOR_EACH_WITH_HASH (class, node, hash, &stream->class_index) {
        if (class->n_definite == n_definite && class->n == n
            && !memcmp(class->filters, filters, n * sizeof *filters)) {
            return class;
        }
    }
    return NULL;
}

/* Interns a class and returns its identifier. */
static uint32_t
add_class(struct mlog_stream *stream, uint32_t hash, const uint16_t *filters,
          size_t n_definite, size_t n)
{
    if (stream->n_classes >= MLOG_MAX_CLASSES) {
        stream->out_of_classes = true;
        return MLOG_CLASS_NONE;
    }

    size_t size = sizeof(struct mlog_class) + n * sizeof *filters;
    struct mlog_class *class = xmalloc(size);
    memcpy(class->filters, filters, n * sizeof *filters);
    class->id = stream->n_classes;
    class->n_definite = n_definite;
    class->n = n;
    hmap_insert(&stream->class_index, &class->node, hash);
    stream->class_memory += size;
    stream->classes[stream->n_classes++] = class;
    return class->id;
}

uint32_t
mlog_stream_generation(const struct mlog_stream *stream)
{
    return stream->generation;
}

uint32_t
mlog_stream_find_class(struct mlog_stream *stream,
                       const struct mlog_record *flow)
{
    uint16_t filters[MLOG_CLASSIFIER_ROOM];
    size_t n_definite, n;

    BUILD_ASSERT(MLOG_CLASSIFIER_MAX >= MLOG_MAX_FILTERS);
    n_definite = mlog_classifier_run(stream->classifier, flow, filters, &n);
    if (!n) {
        return 0;
    }

    uint32_t hash = hash_bytes(filters, n * sizeof *filters, n_definite);
    struct mlog_class *class = find_class(stream, hash, filters, n_definite,
                                          n);
    return (class ? class->id
            : add_class(stream, hash, filters, n_definite, n));
}

uint32_t
mlog_stream_classify(struct mlog_stream *stream,
                     const struct mlog_record *flow)
{
    for (unsigned int i = 0; i < stream->n_lanes; i++) {
        mlog_stream_lane_forget_flow(stream->lanes[i], flow->key);
    }
    return mlog_stream_find_class(stream, flow);
}
