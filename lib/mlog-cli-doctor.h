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


#ifndef MLOG_CLI_DOCTOR_H
#define MLOG_CLI_DOCTOR_H 1

/* What is wrong with an installation
 * ==================================
 *
 * Looks at what the switch says of itself and at its process and machine, and
 * says of each thing whether it is well, and what to do if not.
 *
 * Thread-safety: an examination belongs to one thread at a time. */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct json;

enum mlog_cli_verdict {
    MLOG_CLI_WELL,
    MLOG_CLI_NOTE,              /* Good to know. */
    MLOG_CLI_ATTENTION,         /* It works, but not as well as it could. */
    MLOG_CLI_FAULT,             /* Something does not work. */
};

const char *mlog_cli_verdict_to_string(enum mlog_cli_verdict);

struct mlog_cli_finding {
    enum mlog_cli_verdict verdict;
    const char *what;           /* One or two words. */
    char *message;
    char *advice;               /* Or NULL. */
};

/* What is known.  Anything may be missing. */
struct mlog_cli_patient {
    const struct json *show;    /* Answer to multilog/show. */
    const struct json *archive; /* Answer to multilog/archive, or NULL. */
    const char *archive_error;  /* Why there is none, or NULL. */
    const struct json *settings;    /* Array "settings" of multilog/set. */
    const char *tool_version, *ovs_version;
    const char *rundir;
    pid_t pid;                  /* 0: not known. */
    const char *proc;           /* "/proc". */
};

struct mlog_cli_examination {
    struct mlog_cli_finding *findings;
    size_t n, allocated;
};

void mlog_cli_examine(const struct mlog_cli_patient *,
                      struct mlog_cli_examination *);
void mlog_cli_examination_destroy(struct mlog_cli_examination *);
enum mlog_cli_verdict mlog_cli_examination_worst(
    const struct mlog_cli_examination *);

/* Number of processors in both lists, such as "0-3,8", or 0; '*n_a' is how
 * many 'a' has. */
size_t mlog_cli_common_cpus(const char *a, const char *b, size_t *n_a);

#endif /* mlog-cli-doctor.h */
