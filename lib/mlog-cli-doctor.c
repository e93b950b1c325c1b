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
#include "mlog-cli-doctor.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "bitmap.h"
#include "mlog-cli-answer.h"
#include "mlog-cli-text.h"
#include "openvswitch/json.h"
#include "util.h"

#define MAX_CPUS 4096
#define SHORT_HISTORY_NS 10e9

const char *
mlog_cli_verdict_to_string(enum mlog_cli_verdict verdict)
{
    return (verdict == MLOG_CLI_WELL ? "ok"
            : verdict == MLOG_CLI_NOTE ? "note"
            : verdict == MLOG_CLI_ATTENTION ? "attention"
            : "fault");
}

/* Takes over 'message' and 'advice', which may be NULL. */
static void
find(struct mlog_cli_examination *x, enum mlog_cli_verdict verdict,
     const char *what, char *message, char *advice)
{
    if (x->n >= x->allocated) {
        x->findings = x2nrealloc(x->findings, &x->allocated,
                                 sizeof *x->findings);
    }
    x->findings[x->n++] = (struct mlog_cli_finding) {
        verdict, what, message, advice,
    };
}

void
mlog_cli_examination_destroy(struct mlog_cli_examination *x)
{
    for (size_t i = 0; i < x->n; i++) {
        free(x->findings[i].message);
        free(x->findings[i].advice);
    }
    free(x->findings);
}

enum mlog_cli_verdict
mlog_cli_examination_worst(const struct mlog_cli_examination *x)
{
    enum mlog_cli_verdict worst = MLOG_CLI_WELL;

    for (size_t i = 0; i < x->n; i++) {
        worst = MAX(worst, x->findings[i].verdict);
    }
    return worst;
}

/* Returns a file's beginning, to be freed, or NULL. */
static char *
read_file(const char *path)
{
    FILE *file = fopen(path, "r");
    char buf[16384];
    size_t n;

    if (!file) {
        return NULL;
    }
    n = fread(buf, 1, sizeof buf - 1, file);
    fclose(file);
    return xmemdup0(buf, n);
}

static char *
read_proc(const struct mlog_cli_patient *p, const char *name)
{
    char *path = xasprintf("%s/%s", p->proc, name);
    char *text = read_file(path);

    free(path);
    return text;
}

/* Returns the number after 'key' in 'text', or -1. */
static long long int
number_after(const char *text, const char *key)
{
    const char *at = text ? strstr(text, key) : NULL;

    return at ? strtoll(at + strlen(key), NULL, 10) : -1;
}

/* Capture. */

static const char *
get_setting(const struct mlog_cli_patient *p, const char *key)
{
    const struct json *settings = p->settings;

    for (size_t i = 0; (settings && settings->type == JSON_ARRAY
                        && i < settings->array.n); i++) {
        const struct json *row = settings->array.elems[i];
        const char *name = mlog_json_string(row, "key");

        if (name && !strcmp(name, key)) {
            return mlog_json_string(row, "value");
        }
    }
    return NULL;
}

static void
check_capture(const struct mlog_cli_patient *p,
              struct mlog_cli_examination *x)
{
    const char *digest = get_setting(p, "digest");

    if (!mlog_json_true(p->show, "capturing")) {
        find(x, MLOG_CLI_FAULT, "capture", xstrdup(
            "packets are not recorded"), xstrdup(
            "ovs-multilog set capture on"));
    } else if (digest && !strcmp(digest, "off")) {
        find(x, MLOG_CLI_FAULT, "capture", xstrdup(
            "records are thrown away: the digest is off"), xstrdup(
            "ovs-multilog set digest on"));
    } else {
        find(x, MLOG_CLI_WELL, "capture", xstrdup("packets are recorded"),
             NULL);
    }
}

static void
check_versions(const struct mlog_cli_patient *p,
               struct mlog_cli_examination *x)
{
    const char *version = mlog_json_string(p->show, "version");

    if (version && p->tool_version && strcmp(version, p->tool_version)) {
        find(x, MLOG_CLI_ATTENTION, "version", xasprintf(
            "the switch has MultiLog %s, this tool is of %s", version,
            p->tool_version), xstrdup(
            "install the same package again, and restart ovs-vswitchd if it "
            "is older than the package"));
    } else {
        find(x, MLOG_CLI_WELL, "version", xasprintf(
            "MultiLog %s, %s", version ? version : "of unknown version",
            p->ovs_version ? p->ovs_version : "Open vSwitch"), NULL);
    }
}

static void
check_clock(const struct mlog_cli_patient *p,
            struct mlog_cli_examination *x)
{
    const char *clock = mlog_json_string(p->show, "clock");
    char *cpuinfo = read_proc(p, "cpuinfo");
    bool invariant = cpuinfo && strstr(cpuinfo, "nonstop_tsc");

    if (clock && !strcmp(clock, "tsc")) {
        find(x, MLOG_CLI_WELL, "clock", xstrdup(
            "the processor's invariant time-stamp counter"), NULL);
    } else {
        find(x, MLOG_CLI_ATTENTION, "clock", xstrdup(
            "the kernel's clock instead of the time-stamp counter; capture "
            "costs more"), xstrdup(invariant
            ? "the processor's counter is invariant, but the kernel does not "
              "trust it: see \"dmesg | grep -i tsc\""
            : "the processor, or the hypervisor, does not offer an invariant "
              "counter; in a virtual machine, pass \"invtsc\" through"));
    }
    free(cpuinfo);
}

/* Memory. */

static void
check_huge_pages(const struct mlog_cli_patient *p,
                 struct mlog_cli_examination *x)
{
    const struct json *rings = mlog_json_get(p->show, "rings");
    size_t n = rings && rings->type == JSON_ARRAY ? rings->array.n : 0;
    size_t n_huge = 0;

    for (size_t i = 0; i < n; i++) {
        n_huge += mlog_json_true(rings->array.elems[i], "huge_pages");
    }
    if (!n) {
        find(x, MLOG_CLI_NOTE, "huge pages", xstrdup(
            "there is no capture ring yet, as no packet was forwarded"),
            NULL);
    } else if (n_huge == n) {
        find(x, MLOG_CLI_WELL, "huge pages", xasprintf(
            "all %"PRIuSIZE" capture rings are in huge pages", n), NULL);
    } else {
        char *meminfo = read_proc(p, "meminfo");
        long long int total = number_after(meminfo, "HugePages_Total:");
        long long int left = number_after(meminfo, "HugePages_Free:");

        find(x, MLOG_CLI_ATTENTION, "huge pages", xasprintf(
            "%"PRIuSIZE" of %"PRIuSIZE" capture rings are in ordinary pages: "
            "capture costs more", n - n_huge, n), xasprintf(
            "reserve huge pages and restart ovs-vswitchd: "
            "sysctl vm.nr_hugepages=N (now: %lld, %lld of them free)",
            MAX(total, 0), MAX(left, 0)));
        free(meminfo);
    }
}

static void
check_rings(const struct mlog_cli_patient *p, struct mlog_cli_examination *x)
{
    const struct json *rings = mlog_json_get(p->show, "rings");
    double fullest = 0;

    for (size_t i = 0; (rings && rings->type == JSON_ARRAY
                        && i < rings->array.n); i++) {
        const struct json *ring = rings->array.elems[i];
        double slots = mlog_json_number(ring, "slots", 0);

        if (slots > 0) {
            fullest = MAX(fullest, (mlog_json_number(ring, "used_slots", 0)
                                    / slots));
        }
    }
    if (fullest > 0.5) {
        find(x, MLOG_CLI_ATTENTION, "rings", xasprintf(
            "a capture ring is %.0f%% full: the digest is behind",
            fullest * 100), xstrdup(
            "give the digest a processor of its own; see \"processors\" "
            "below"));
    } else if (fullest > 0) {
        find(x, MLOG_CLI_WELL, "rings", xasprintf(
            "the fullest capture ring is %.1f%% full", fullest * 100), NULL);
    }
}

/* How far back memory reaches. */
static void
check_history(const struct mlog_cli_patient *p,
              struct mlog_cli_examination *x)
{
    const struct json *records = mlog_json_get(p->show, "records");
    const struct json *memory = mlog_json_get(p->show, "memory");
    uint64_t oldest = mlog_json_time(records, "oldest");
    uint64_t newest = mlog_json_time(records, "newest");
    double expired = mlog_json_number(records, "expired", 0);
    double held = mlog_json_number(records, "held", 0);
    double span = newest > oldest ? newest - oldest : 0;
    struct ds s = DS_EMPTY_INITIALIZER;

    mlog_cli_put_bytes(&s, mlog_json_number(memory, "budget", 0));
    ds_put_cstr(&s, " hold ");
    if (expired <= 0) {
        mlog_cli_put_count(&s, held);
        ds_put_cstr(&s, " records, and there is room for more");
        find(x, MLOG_CLI_WELL, "memory", ds_steal_cstr(&s), NULL);
        return;
    }
    ds_put_cstr(&s, "the last ");
    mlog_cli_put_duration(&s, span);
    ds_put_cstr(&s, " of traffic (");
    mlog_cli_put_count(&s, span > 0 ? (int64_t) (held / span * 1e9) : 0);
    ds_put_cstr(&s, " records/s)");
    if (span < SHORT_HISTORY_NS) {
        find(x, MLOG_CLI_ATTENTION, "memory", ds_steal_cstr(&s), xstrdup(
            "for a longer history: ovs-multilog set memory-budget SIZE, or an "
            "archive: ovs-multilog set archive-dir DIRECTORY"));
    } else {
        find(x, MLOG_CLI_WELL, "memory", ds_steal_cstr(&s), NULL);
    }
}

/* Losses. */

static const struct {
    const char *reason, *message, *advice;
} losses[] = {
    { "ring_full", "as the digest was behind and a capture ring full",
      "give the digest a processor of its own (see \"processors\"); fewer "
      "filters and groups make it faster" },
    { "memory", "as there was no memory for their flow or row",
      "ovs-multilog set memory-budget with a larger SIZE" },
    { "discarded", "as the digest was switched off",
      "ovs-multilog set digest on" },
    { "archive", "as they expired before they could be archived",
      "a faster disk, or more memory (memory-budget); see \"ovs-multilog "
      "archive\"" },
    { "recovery", "as files of the store were damaged or gone",
      "see ovs-vswitchd's log of its start" },
};

static void
check_losses(const struct mlog_cli_patient *p,
             struct mlog_cli_examination *x)
{
    const struct json *counts = mlog_json_get(p->show, "losses");
    const struct json *records = mlog_json_get(p->show, "records");
    double captured = mlog_json_number(records, "captured", 0);
    bool any = false;

    for (size_t i = 0; i < ARRAY_SIZE(losses); i++) {
        double n = mlog_json_number(counts, losses[i].reason, 0);
        struct ds s = DS_EMPTY_INITIALIZER;

        if (n > 0) {
            any = true;
            mlog_cli_put_count(&s, n);
            ds_put_cstr(&s, " of ");
            mlog_cli_put_count(&s, captured);
            ds_put_format(&s, " records were lost, %s", losses[i].message);
            find(x, MLOG_CLI_ATTENTION, "losses", ds_steal_cstr(&s),
                 xstrdup(losses[i].advice));
        }
    }
    if (!any && mlog_json_number(records, "lost", 0) > 0) {
        find(x, MLOG_CLI_ATTENTION, "losses", xasprintf(
            "%.0f records were lost", mlog_json_number(records, "lost", 0)),
            xstrdup("see \"ovs-multilog show --format json\""));
    } else if (!any) {
        find(x, MLOG_CLI_WELL, "losses", xstrdup("no record was lost"), NULL);
    }
}

static void
check_digest(const struct mlog_cli_patient *p,
             struct mlog_cli_examination *x)
{
    const struct json *digest = mlog_json_get(p->show, "digest");
    double percent = mlog_json_number(digest, "cpu_percent", 0);
    double passes = mlog_json_number(digest, "passes", 0);
    double late = mlog_json_number(digest, "late_ticks", 0);

    if (percent > 80) {
        find(x, MLOG_CLI_ATTENTION, "digest", xasprintf(
            "it has used %.0f%% of a processor since the start; with more "
            "traffic, records would be lost", percent), xstrdup(
            "fewer filters and groups, or a faster processor"));
    } else if (passes > 10000 && late > passes / 20) {
        find(x, MLOG_CLI_ATTENTION, "digest", xasprintf(
            "%.1f%% of its passes were late: alerts come late, too",
            100 * late / passes), xstrdup(
            "give the digest a processor of its own; see \"processors\""));
    } else {
        find(x, MLOG_CLI_WELL, "digest", xasprintf(
            "it uses %.1f%% of a processor", percent), NULL);
    }
}

/* Processors.
 *
 * A datapath thread never sleeps, so a digest that may only run where such
 * threads do gets little time. */

static void
parse_cpus(const char *list, unsigned long int *cpus)
{
    while (*list) {
        char *end;
        unsigned long int first = strtoul(list, &end, 10);
        unsigned long int last = *end == '-' ? strtoul(end + 1, &end, 10)
                                 : first;

        if (end == list) {
            return;
        }
        for (unsigned long int i = first; i <= last && i < MAX_CPUS; i++) {
            bitmap_set1(cpus, i);
        }
        list = end + (*end == ',');
        if (*end && *end != ',') {
            return;
        }
    }
}

size_t
mlog_cli_common_cpus(const char *a, const char *b, size_t *n_a)
{
    unsigned long int *cpus_a = bitmap_allocate(MAX_CPUS);
    unsigned long int *cpus_b = bitmap_allocate(MAX_CPUS);
    size_t n;

    parse_cpus(a, cpus_a);
    parse_cpus(b, cpus_b);
    *n_a = bitmap_count1(cpus_a, MAX_CPUS);
    bitmap_and(cpus_a, cpus_b, MAX_CPUS);
    n = bitmap_count1(cpus_a, MAX_CPUS);
    free(cpus_a);
    free(cpus_b);
    return n;
}

static char *
allowed_cpus(const struct mlog_cli_patient *p, const char *task)
{
    static const char key[] = "Cpus_allowed_list:";
    char *name = xasprintf("%ld/task/%s/status", (long int) p->pid, task);
    char *status = read_proc(p, name);
    const char *at = status ? strstr(status, key) : NULL;
    char *list = NULL;

    if (at) {
        at += strlen(key);
        at += strspn(at, " \t");
        list = xmemdup0(at, strcspn(at, "\n"));
    }
    free(status);
    free(name);
    return list;
}

/* Collects the processors of the process's threads by kind. */
static bool
read_threads(const struct mlog_cli_patient *p, struct ds *pmd,
             struct ds *digest)
{
    char *path = xasprintf("%s/%ld/task", p->proc, (long int) p->pid);
    DIR *dir = opendir(path);
    struct dirent *entry;

    free(path);
    if (!dir) {
        return false;
    }
    while ((entry = readdir(dir))) {
        char *name, *comm, *cpus;
        struct ds *to;

        if (entry->d_name[0] == '.') {
            continue;
        }
        name = xasprintf("%ld/task/%s/comm", (long int) p->pid,
                         entry->d_name);
        comm = read_proc(p, name);
        to = (comm && !strncmp(comm, "pmd-", 4) ? pmd
              : comm && !strncmp(comm, "mlog_digest", 11) ? digest : NULL);
        cpus = to ? allowed_cpus(p, entry->d_name) : NULL;
        if (cpus) {
            ds_put_format(to, "%s%s", to->length ? "," : "", cpus);
        }
        free(cpus);
        free(comm);
        free(name);
    }
    closedir(dir);
    return true;
}

static void
check_processors(const struct mlog_cli_patient *p,
                 struct mlog_cli_examination *x)
{
    struct ds pmd = DS_EMPTY_INITIALIZER;
    struct ds digest = DS_EMPTY_INITIALIZER;
    size_t n, common;

    if (!p->pid || !read_threads(p, &pmd, &digest)) {
        find(x, MLOG_CLI_NOTE, "processors", xstrdup(
            "the switch's threads cannot be seen from here"), NULL);
    } else if (!pmd.length) {
        find(x, MLOG_CLI_WELL, "processors", xstrdup(
            "there are no polling threads that could take the digest's"),
            NULL);
    } else {
        common = mlog_cli_common_cpus(ds_cstr(&digest), ds_cstr(&pmd), &n);
        if (n && common == n) {
            find(x, MLOG_CLI_FAULT, "processors", xasprintf(
                "the digest may only run on processors %s, where datapath "
                "threads (%s) leave no time", ds_cstr(&digest),
                ds_cstr(&pmd)), xstrdup(
                "leave it one: change other_config:pmd-cpu-mask, or the "
                "processors that ovs-vswitchd is started with (taskset, "
                "CPUAffinity=)"));
        } else {
            find(x, MLOG_CLI_WELL, "processors", xasprintf(
                "datapath threads on %s, the digest on %s", ds_cstr(&pmd),
                ds_cstr(&digest)), NULL);
        }
    }
    ds_destroy(&pmd);
    ds_destroy(&digest);
}

/* Directories. */

static void
check_dir(const char *what, const char *dir, struct mlog_cli_examination *x)
{
    struct stat s;

    if (stat(dir, &s)) {
        find(x, MLOG_CLI_NOTE, what, xasprintf(
            "%s cannot be looked at from here", dir), NULL);
    } else if (s.st_mode & S_IWOTH && !(s.st_mode & S_ISVTX)) {
        find(x, MLOG_CLI_FAULT, what, xasprintf(
            "everybody may write to %s", dir), xasprintf(
            "chmod o-w %s", dir));
    } else {
        find(x, MLOG_CLI_WELL, what, xasprintf("%s, mode %04o", dir,
                                               s.st_mode & 07777), NULL);
    }
}

static void
check_store(const struct mlog_cli_patient *p,
            struct mlog_cli_examination *x)
{
    const struct json *store = mlog_json_get(p->show, "store");
    const struct json *recovery = mlog_json_get(store, "recovery");
    const char *directory = mlog_json_string(store, "directory");
    const char *problem = mlog_json_string(store, "problem");

    if (problem) {
        find(x, MLOG_CLI_FAULT, "store", xasprintf(
            "records end with the process: %s", problem), xstrdup(
            "correct that, and restart ovs-vswitchd"));
    } else if (!directory) {
        find(x, MLOG_CLI_NOTE, "store", xstrdup(
            "records end with the process"), xstrdup(
            "to keep them over restarts, set MULTILOG_DIR in ovs-vswitchd's "
            "environment"));
    } else {
        check_dir("store", directory, x);
    }
    if (mlog_json_number(recovery, "damaged_rings", 0) > 0
        || mlog_json_number(recovery, "lost", 0) > 0) {
        find(x, MLOG_CLI_ATTENTION, "recovery", xasprintf(
            "after the latest restart, %.0f records could not be recovered",
            mlog_json_number(recovery, "lost", 0)), NULL);
    }
}

static void
check_archive(const struct mlog_cli_patient *p,
              struct mlog_cli_examination *x)
{
    const char *dir = get_setting(p, "archive-dir");
    double writes = mlog_json_number(p->archive, "write_errors", 0);
    double reads = mlog_json_number(p->archive, "read_errors", 0);
    const char *problem = mlog_json_string(p->archive, "problem");

    if (!p->archive) {
        find(x, MLOG_CLI_NOTE, "archive", xstrdup(
            "there is none: records expire with the memory budget"), xstrdup(
            "to keep them on disk: ovs-multilog set archive-dir DIRECTORY"));
        return;
    }
    if (problem || writes > 0) {
        find(x, MLOG_CLI_FAULT, "archive", xasprintf(
            "segments could not be written, %.0f times%s%s", writes,
            problem ? ": " : "", problem ? problem : ""), xstrdup(
            "is the disk full, or the directory not writable?  See "
            "\"ovs-multilog archive\""));
    } else if (reads > 0) {
        find(x, MLOG_CLI_ATTENTION, "archive", xasprintf(
            "segments could not be read, %.0f times", reads), xstrdup(
            "ovs-multilog archive verify"));
    } else {
        struct ds s = DS_EMPTY_INITIALIZER;

        mlog_cli_put_count(&s, mlog_json_number(p->archive, "records", 0));
        ds_put_cstr(&s, " records in ");
        mlog_cli_put_bytes(&s, mlog_json_number(p->archive, "bytes", 0));
        find(x, MLOG_CLI_WELL, "archive", ds_steal_cstr(&s), NULL);
    }
    if (dir && dir[0] == '/') {
        check_dir("archive", dir, x);
    }
}

void
mlog_cli_examine(const struct mlog_cli_patient *p,
                 struct mlog_cli_examination *x)
{
    *x = (struct mlog_cli_examination) { NULL, 0, 0 };
    check_versions(p, x);
    check_capture(p, x);
    check_clock(p, x);
    check_losses(p, x);
    check_huge_pages(p, x);
    check_rings(p, x);
    check_digest(p, x);
    check_processors(p, x);
    check_history(p, x);
    check_store(p, x);
    check_archive(p, x);
    if (p->rundir) {
        check_dir("run directory", p->rundir, x);
    }
}
