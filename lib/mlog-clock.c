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

#include "mlog-clock.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include "openvswitch/vlog.h"

VLOG_DEFINE_THIS_MODULE(mlog_clock);

#define NS_PER_S UINT64_C(1000000000)
#define NS_PER_MS UINT64_C(1000000)

bool mlog_clock_use_tsc;

/* CPUID 0x80000007, EDX bit 8: "invariant TSC". */
static bool
tsc_is_invariant(void)
{
#if defined(__x86_64__)
    unsigned int eax, ebx, ecx, edx;

    return (__get_cpuid(0x80000007, &eax, &ebx, &ecx, &edx)
            && edx & (1u << 8));
#else
    return false;
#endif
}

void
mlog_clock_init(void)
{
    mlog_clock_use_tsc = tsc_is_invariant();
    if (!mlog_clock_use_tsc) {
        VLOG_WARN("the processor's time-stamp counter is not invariant; "
                  "records are stamped with CLOCK_MONOTONIC, which costs the "
                  "datapath more per batch");
    }
}

static uint64_t
read_clock(clockid_t id)
{
    struct timespec ts;

    clock_gettime(id, &ts);
    return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

uint64_t
mlog_clock_system(void)
{
    return read_clock(CLOCK_REALTIME);
}

/* Reads ticks and clock 'id' at (nearly) one moment: of a few tries, the one
 * in which the least time passed between reading ticks before and after. */
static void
read_pair(clockid_t id, uint64_t *ticks, uint64_t *ns)
{
    uint64_t best = UINT64_MAX;

    for (int i = 0; i < 8; i++) {
        uint64_t before = mlog_clock_now();
        uint64_t time = read_clock(id);
        uint64_t after = mlog_clock_now();

        if (after - before < best) {
            best = after - before;
            *ticks = before + best / 2;
            *ns = time;
        }
    }
}

/* Measures the rate over all the time since mlog_clock_calibrate() began, so
 * that it becomes ever more exact. */
static void
measure_rate(struct mlog_clock *clock)
{
    uint64_t ticks, mono;

    read_pair(CLOCK_MONOTONIC, &ticks, &mono);
    if (ticks > clock->start_ticks) {
        unsigned __int128 ns = mono - clock->start_mono;

        clock->true_rate = (ns << 32) / (ticks - clock->start_ticks);
    }
}

void
mlog_clock_calibrate(struct mlog_clock *clock,
                     const struct mlog_clock *earlier)
{
    struct timespec pause = { .tv_nsec = 10 * NS_PER_MS };

    read_pair(CLOCK_MONOTONIC, &clock->start_ticks, &clock->start_mono);
    nanosleep(&pause, NULL);
    if (earlier) {
        clock->start_ticks = earlier->start_ticks;
        clock->start_mono = earlier->start_mono;
    }
    measure_rate(clock);
    clock->rate = clock->true_rate;
    read_pair(CLOCK_REALTIME, &clock->ticks, &clock->ns);
}

/* The map gets a new origin, at its own present value, so it stays
 * continuous; the difference to the system's clock is spread over the next
 * second, by no more than 1/16 of the rate. */
void
mlog_clock_adjust(struct mlog_clock *clock)
{
    uint64_t ticks, system;

    measure_rate(clock);
    read_pair(CLOCK_REALTIME, &ticks, &system);

    uint64_t ours = mlog_clock_to_ns(clock, ticks);
    int64_t error = system - ours;
    int64_t most = NS_PER_S / 16;
    int64_t slew = error > most ? most : error < -most ? -most : error;

    clock->ticks = ticks;
    clock->ns = ours;
    clock->rate = clock->true_rate
                  + (__int128) clock->true_rate * slew / (int64_t) NS_PER_S;
}
