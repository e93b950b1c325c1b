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
#include "mlog-cli-private.h"

#include "dirs.h"
#include "mlog-cli-client.h"
#include "mlog-cli-doctor.h"
#include "openvswitch/json.h"
#include "util.h"

/* The verb "doctor". */

static char *
ask_version(struct mlog_cli *cli)
{
    struct svec words = SVEC_EMPTY_INITIALIZER;
    char *result, *error;

    svec_add(&words, "version");
    mlog_cli_client_ask(cli->client, &words, &result, &error);
    svec_destroy(&words);
    free(error);
    if (result) {
        result[strcspn(result, "\n")] = '\0';
    }
    return result;
}

static void
put_finding(const struct mlog_cli *cli, const struct mlog_cli_finding *f,
            struct ds *s)
{
    static const enum mlog_cli_color colors[] = {
        [MLOG_CLI_WELL] = MLOG_CLI_GREEN,
        [MLOG_CLI_NOTE] = MLOG_CLI_BOLD,
        [MLOG_CLI_ATTENTION] = MLOG_CLI_YELLOW,
        [MLOG_CLI_FAULT] = MLOG_CLI_RED,
    };

    mlog_cli_put_color(s, &cli->style, colors[f->verdict]);
    ds_put_format(s, "%-9s", mlog_cli_verdict_to_string(f->verdict));
    mlog_cli_put_color(s, &cli->style, MLOG_CLI_PLAIN);
    ds_put_format(s, "  %-13s  ", f->what);
    mlog_cli_put_clean(s, f->message);
    ds_put_char(s, '\n');
    if (f->advice) {
        ds_put_format(s, "%26s", "-> ");
        mlog_cli_put_clean(s, f->advice);
        ds_put_char(s, '\n');
    }
}

static void
put_json(const struct mlog_cli_examination *x, struct ds *s)
{
    struct json *findings = json_array_create_empty();
    struct json *root = json_object_create();
    char *text;

    for (size_t i = 0; i < x->n; i++) {
        struct json *finding = json_object_create();

        json_object_put_string(finding, "verdict", mlog_cli_verdict_to_string(
            x->findings[i].verdict));
        json_object_put_string(finding, "what", x->findings[i].what);
        json_object_put_string(finding, "message", x->findings[i].message);
        if (x->findings[i].advice) {
            json_object_put_string(finding, "advice", x->findings[i].advice);
        }
        json_array_add(findings, finding);
    }
    json_object_put(root, "findings", findings);
    json_object_put_string(root, "worst", mlog_cli_verdict_to_string(
        mlog_cli_examination_worst(x)));
    text = json_to_string(root, JSSF_SORT);
    mlog_cli_put_clean_json(s, text);
    ds_put_char(s, '\n');
    free(text);
    json_destroy(root);
}

static void
put_report(const struct mlog_cli *cli, const struct mlog_cli_examination *x,
           struct ds *s)
{
    if (cli->format == MLOG_CLI_JSON || cli->format == MLOG_CLI_JSONL) {
        put_json(x, s);
        return;
    }
    for (size_t i = 0; i < x->n; i++) {
        put_finding(cli, &x->findings[i], s);
    }
}

int
mlog_cli_doctor(struct mlog_cli *cli, struct svec *words)
{
    struct mlog_cli_answer *show, *archive = NULL, *settings = NULL;
    struct mlog_cli_examination x;
    struct ds s = DS_EMPTY_INITIALIZER;
    enum mlog_cli_verdict worst;
    char *archive_error = NULL, *message = NULL, *version;
    int status;

    if (words->n) {
        return mlog_cli_fail(cli, MLOG_CLI_USAGE, xstrdup(
            "doctor takes no arguments"));
    }
    status = mlog_cli_ask_command(cli, "multilog/show", NULL, &show);
    if (status) {
        return status;
    }
    mlog_cli_try_command(cli, "multilog/archive", NULL, &archive,
                         &archive_error);
    mlog_cli_try_command(cli, "multilog/set", NULL, &settings, &message);
    free(message);
    version = ask_version(cli);
    mlog_cli_examine(&(struct mlog_cli_patient) {
        .show = show->root,
        .archive = archive ? archive->root : NULL,
        .archive_error = archive_error,
        .settings = settings ? settings->rows : NULL,
        .tool_version = MLOG_VERSION,
        .ovs_version = version,
        .rundir = ovs_rundir(),
        .pid = mlog_cli_client_pid(cli->client),
        .proc = "/proc",
    }, &x);
    put_report(cli, &x, &s);
    mlog_cli_write(&s);
    ds_destroy(&s);
    worst = mlog_cli_examination_worst(&x);
    mlog_cli_examination_destroy(&x);
    mlog_cli_answer_destroy(show);
    mlog_cli_answer_destroy(archive);
    mlog_cli_answer_destroy(settings);
    free(archive_error);
    free(version);
    return (worst == MLOG_CLI_FAULT ? MLOG_CLI_BROKEN
            : worst == MLOG_CLI_ATTENTION ? MLOG_CLI_INCOMPLETE
            : MLOG_CLI_OK);
}
