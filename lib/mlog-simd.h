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

#ifndef MLOG_SIMD_H
#define MLOG_SIMD_H 1

/* Which vector instructions to use
 * ================================
 *
 * A function that profits from them exists once for each level, compiled with
 * the target attribute of the compiler, and all of them give the same results.
 * The level is that of the processor.  Tests and benchmarks may lower it. */

enum mlog_simd {
    MLOG_SIMD_NONE,             /* What the compiler assumes anyway. */
    MLOG_SIMD_AVX2,             /* AVX2, BMI2, SSE 4.2. */
};

/* Any thread. */
enum mlog_simd mlog_simd(void);

/* Lowers the level to 'max' from now on, or to that of the processor if that
 * is lower.  Not thread-safe. */
void mlog_simd_limit(enum mlog_simd max);

#endif /* mlog-simd.h */
