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

#include "mlog-simd.h"

#include "util.h"

static enum mlog_simd limit = MLOG_SIMD_AVX2;

enum mlog_simd
mlog_simd(void)
{
    enum mlog_simd level = MLOG_SIMD_NONE;

#if defined(__x86_64__)
    /* Each of these is a load and a test. */
    if (__builtin_cpu_supports("avx2")
        && __builtin_cpu_supports("bmi2")
        && __builtin_cpu_supports("sse4.2")) {
        level = MLOG_SIMD_AVX2;
    }
#endif
    return MIN(level, limit);
}

void
mlog_simd_limit(enum mlog_simd max)
{
    limit = max;
}
