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

#ifndef MLOG_CHECKSUM_H
#define MLOG_CHECKSUM_H 1

/* A checksum for what lies in files
 * =================================
 *
 * CRC-32C, four times: the i-th 64-bit word of the data counts towards CRC
 * number i % 4, and the checksum is the CRC-32C of the four results, each as a
 * 32-bit word, in their order.  So a processor can compute four at a time,
 * which is several times faster than one, and a burst of errors of up to 32
 * bits is found for certain, as with one CRC.  Words are little-endian.
 *
 * Not a protection against those who mean to deceive. */

#include <stddef.h>
#include <stdint.h>

/* 'size' is a multiple of 8; 'data' need not be aligned.  Any thread. */
uint32_t mlog_checksum(const void *data, size_t size);

#endif /* mlog-checksum.h */
