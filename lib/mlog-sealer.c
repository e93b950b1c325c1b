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

#include "mlog-sealer.h"

#include "latch.h"
#include "mlog-header-log.h"
#include "openvswitch/poll-loop.h"
#include "ovs-rcu.h"
#include "ovs-thread.h"
#include "timeval.h"
#include "util.h"

/* How often the thread looks whether there is a full segment.  The digest
 * doesn't wake it: that would be one system call more for it, and a segment
 * may wait. */
#define INTERVAL_MS 20

struct mlog_sealer {
    struct mlog_header_log *log;
    struct latch exit;
    pthread_t thread;
};

static void *
sealer_main(void *sealer_)
{
    struct mlog_sealer *sealer = sealer_;

    while (!latch_is_set(&sealer->exit)) {
        if (!mlog_header_log_seal(sealer->log)) {
            latch_wait(&sealer->exit);
            poll_timer_wait(INTERVAL_MS);
            poll_block();
        }
    }
    return NULL;
}

struct mlog_sealer *
mlog_sealer_create(struct mlog_header_log *log)
{
    struct mlog_sealer *sealer = xzalloc(sizeof *sealer);

    sealer->log = log;
    latch_init(&sealer->exit);
    sealer->thread = ovs_thread_create("multilog_sealer", sealer_main,
                                       sealer);
    return sealer;
}

void
mlog_sealer_destroy(struct mlog_sealer *sealer)
{
    if (sealer) {
        latch_set(&sealer->exit);
        xpthread_join(sealer->thread, NULL);
        latch_destroy(&sealer->exit);
        free(sealer);
    }
}
