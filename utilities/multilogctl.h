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


#ifndef MULTILOGCTL_H
#define MULTILOGCTL_H 1

/* Commands of ovs-multilogctl, and what they share with its main(). */

#include <stdbool.h>

#include "sset.h"

struct ctl_command_syntax;
struct ovsdb_idl;

/* Registers them with db-ctl-base. */
void multilogctl_register_commands(void (*exit_func)(int status));

/* Rows that commands of this transaction have written, as "TABLE NAME". */
extern struct sset multilogctl_touched;

/* Set by the command "wait". */
extern bool multilogctl_wait;

/* Remembers which rows are wrong already. */
void multilogctl_remember_errors(const struct ovsdb_idl *);

/* Prints the errors of rows in 'multilogctl_touched', of those that were not
 * wrong before, and of the settings to standard error.  Returns true if there
 * is none. */
bool multilogctl_report_errors(const struct ovsdb_idl *);

/* Makes the IDL fetch what that needs. */
void multilogctl_pre_errors(struct ovsdb_idl *);

#endif /* multilogctl.h */
