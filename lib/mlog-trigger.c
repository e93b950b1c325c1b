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
#include "mlog-trigger.h"

#include <math.h>

#include "hash.h"
#include "mlog-clock.h"
#include "util.h"

/* How it works
 * ============
 *
 * The triggers of one aggregate that have the same period form a set, so that
 * they are always evaluated at the same ticks.  Within a set they are kept in
 * three banks, by operator:
 *
 *   above   > and >=, thresholds ascending
 *   below   < and <=, thresholds descending
 *   equal   == and !=
 *
 * so that in the first two, once one does not hold, none of the others does.
 *
 * A pending or raised trigger of a group is a struct mlog_incident.  There is
 * at most one per trigger and group, found in 'incidents' of the engine;
 * that is what makes alerts come once.
 *
 * The aggregate logs the groups that change, and while there are only
 * triggers of the first kind only those that reach the lowest threshold; so a
 * group that is far from all thresholds costs nothing here.  A set reads the
 * log from where it stopped the last time; if that is gone from the log, it
 * visits all groups. */

/* Totals that reach this are logged whatever the threshold: what is less,
 * doubles hold with an error of less than 1. */
#define MAX_WATCHED 1e15

struct bank {
    struct mlog_trigger **triggers;
    size_t n, allocated;
};

struct mlog_trigger_set {
    struct ovs_list node;       /* In the aggregate's 'trigger_sets'. */
    struct mlog_aggregate *aggregate;
    uint64_t period;            /* ns. */
    uint64_t last_run;          /* Time of the latest evaluation, ns. */
    uint64_t position;          /* First entry of the log not yet seen. */
    bool visit_all;             /* Next time, visit all groups. */
    bool suppressed;            /* Incidents found no room. */
    bool mature;                /* The aggregate is a window old. */
    struct ovs_list incidents;  /* Of this set's triggers. */
    struct bank above, below, equal;
};

struct mlog_incident {
    struct hmap_node node;      /* In the engine's 'incidents'. */
    struct ovs_list group_node; /* In the group's 'incidents'. */
    struct ovs_list set_node;   /* In the set's 'incidents'. */
    struct mlog_trigger *trigger;
    struct mlog_group *group;
    bool raised;
    uint64_t began;             /* When the condition began to hold, ns. */
    uint64_t since;             /* Of the evidence, ns. */
    uint64_t seq;               /* Alert by which it was raised. */
};

/* Conditions. */

static bool
holds(const struct mlog_trigger_def *def, double value)
{
    switch (def->op) {
    case MLOG_TRIGGER_GT: return value > def->threshold;
    case MLOG_TRIGGER_GE: return value >= def->threshold;
    case MLOG_TRIGGER_LT: return value < def->threshold;
    case MLOG_TRIGGER_LE: return value <= def->threshold;
    case MLOG_TRIGGER_EQ: return value == def->threshold;
    case MLOG_TRIGGER_NE: return value != def->threshold;
    }
    OVS_NOT_REACHED();
}

static bool
is_above(enum mlog_trigger_op op)
{
    return op == MLOG_TRIGGER_GT || op == MLOG_TRIGGER_GE;
}

static bool
is_below(enum mlog_trigger_op op)
{
    return op == MLOG_TRIGGER_LT || op == MLOG_TRIGGER_LE;
}

static bool
is_inclusive(enum mlog_trigger_op op)
{
    return op == MLOG_TRIGGER_GE || op == MLOG_TRIGGER_LE;
}

/* Whether a raised incident is over. */
static bool
clears(const struct mlog_trigger_def *def, const struct mlog_result *result)
{
    if (!result->present) {
        return true;
    } else if (!def->has_clear) {
        return !holds(def, result->real);
    }
    return (is_above(def->op) ? result->real <= def->clear
            : result->real >= def->clear);
}

/* Whether the window of the group, which is up to date, ran empty.  The value
 * of an ungrouped aggregate counts even then. */
static bool
is_gone(const struct mlog_aggregate *agg, const struct mlog_group *group)
{
    return !group->live && group != agg->single;
}

/* Alerts. */

static uint64_t
log_alert(struct mlog_trigger_engine *engine, struct mlog_aggregate *agg,
          struct mlog_trigger *trigger, struct mlog_group *group,
          const struct mlog_alert *partial)
{
    struct mlog_alert alert = *partial;

    alert.aggregate = agg->def;
    alert.trigger = trigger ? trigger->def : NULL;
    alert.until = alert.time;
    alert.newest = group->newest;
    alert.value = mlog_aggregate_value(agg, group);
    mlog_aggregate_get_key(agg, group, &alert.key);
    return mlog_alert_log_append(engine->log, &alert);
}

static void
log_overflow(struct mlog_trigger_engine *engine, struct mlog_aggregate *agg,
             struct mlog_trigger *trigger, struct mlog_group *group,
             enum mlog_alert_reason reason, uint64_t now)
{
    log_alert(engine, agg, trigger, group, &(struct mlog_alert) {
        .kind = MLOG_ALERT_OVERFLOW,
        .reason = reason,
        .time = now,
        .since = mlog_aggregate_since(agg),
    });
}

/* Incidents. */

static uint32_t
hash_incident(const struct mlog_trigger *trigger,
              const struct mlog_group *group)
{
    return hash_pointer(trigger, hash_pointer(group, 0));
}

static bool
has_incident(const struct mlog_trigger_engine *engine,
             const struct mlog_trigger *trigger,
             const struct mlog_group *group)
{
    const struct mlog_incident *incident;

    HMAP_FOR_EACH_WITH_HASH (incident, node, hash_incident(trigger, group),
                             &engine->incidents) {
        if (incident->trigger == trigger && incident->group == group) {
            return true;
        }
    }
    return false;
}

static void
raise_incident(struct mlog_trigger_engine *engine,
               struct mlog_incident *incident, uint64_t now)
{
    struct mlog_trigger *trigger = incident->trigger;
    struct mlog_group *group = incident->group;
    struct mlog_aggregate *agg = trigger->aggregate;
    bool by_record = (is_above(trigger->def->op) && !trigger->def->hold
                      && group->seen >= agg->tick);

    incident->raised = true;
    trigger->n_pending--;
    trigger->n_raised++;
    trigger->n_raises++;
    incident->seq = log_alert(
        engine, agg, trigger, group, &(struct mlog_alert) {
            .kind = MLOG_ALERT_RAISED,
            .reason = MLOG_REASON_CONDITION,
            .time = now,
            .seen = by_record ? group->seen : 0,
            .since = incident->since,
        });
}

static void
free_incident(struct mlog_trigger_engine *engine,
              struct mlog_incident *incident)
{
    struct mlog_trigger *trigger = incident->trigger;

    if (incident->raised) {
        trigger->n_raised--;
    } else {
        trigger->n_pending--;
    }
    if (!trigger->n_raised && !trigger->n_pending) {
        trigger->overflowed = false;
    }
    hmap_remove(&engine->incidents, &incident->node);
    ovs_list_remove(&incident->group_node);
    ovs_list_remove(&incident->set_node);
    free(incident);
}

static void
clear_incident(struct mlog_trigger_engine *engine,
               struct mlog_incident *incident,
               enum mlog_alert_reason reason, uint64_t now)
{
    incident->trigger->n_clears++;
    log_alert(engine, incident->trigger->aggregate, incident->trigger,
              incident->group, &(struct mlog_alert) {
                  .kind = MLOG_ALERT_CLEARED,
                  .reason = reason,
                  .raised_seq = incident->seq,
                  .time = now,
                  .since = incident->since,
              });
    free_incident(engine, incident);
}

/* The condition holds, and there is no room for an incident. */
static void
suppress(struct mlog_trigger_engine *engine, struct mlog_trigger *trigger,
         struct mlog_group *group, uint64_t now)
{
    trigger->n_suppressed++;
    trigger->set->suppressed = true;
    if (!trigger->overflowed) {
        trigger->overflowed = true;
        log_overflow(engine, trigger->aggregate, trigger, group,
                     MLOG_REASON_INCIDENTS, now);
    }
}

/* The condition of 'trigger' holds for 'group'. */
static void
begin_incident(struct mlog_trigger_engine *engine,
               struct mlog_trigger *trigger, struct mlog_group *group,
               uint64_t now)
{
    if (has_incident(engine, trigger, group)) {
        return;
    } else if (hmap_count(&engine->incidents) >= engine->max_incidents) {
        suppress(engine, trigger, group, now);
        return;
    }

    struct mlog_incident *incident = xmalloc(sizeof *incident);
    *incident = (struct mlog_incident) {
        .trigger = trigger,
        .group = group,
        .began = now,
        .since = mlog_aggregate_since(trigger->aggregate),
    };
    hmap_insert(&engine->incidents, &incident->node,
                hash_incident(trigger, group));
    ovs_list_push_back(&group->incidents, &incident->group_node);
    ovs_list_push_back(&trigger->set->incidents, &incident->set_node);
    trigger->n_pending++;
    if (!trigger->def->hold) {
        raise_incident(engine, incident, now);
    }
}

static void
update_incident(struct mlog_trigger_engine *engine,
                struct mlog_incident *incident, uint64_t now)
{
    const struct mlog_trigger_def *def = incident->trigger->def;
    const struct mlog_aggregate *agg = incident->trigger->aggregate;
    struct mlog_result result = mlog_aggregate_value(agg, incident->group);
    bool gone = is_gone(agg, incident->group);

    if (incident->raised) {
        if (gone) {
            clear_incident(engine, incident, MLOG_REASON_IDLE, now);
        } else if (clears(def, &result)) {
            clear_incident(engine, incident, MLOG_REASON_CONDITION, now);
        }
    } else if (gone || !result.present || !holds(def, result.real)) {
        free_incident(engine, incident);
    } else if (now - incident->began >= def->hold) {
        raise_incident(engine, incident, now);
    }
}

/* Evaluation. */

/* Begins the incidents of the triggers of 'bank' that hold for 'group'. */
static void
run_bank(struct mlog_trigger_engine *engine, const struct bank *bank,
         struct mlog_group *group, double value, uint64_t now)
{
    for (size_t i = 0; i < bank->n; i++) {
        if (holds(bank->triggers[i]->def, value)) {
            begin_incident(engine, bank->triggers[i], group, now);
        } else if (!(bank->triggers[i]->def->op == MLOG_TRIGGER_EQ
                     || bank->triggers[i]->def->op == MLOG_TRIGGER_NE)) {
            return;
        }
    }
}

static void
visit_group(struct mlog_trigger_engine *engine, struct mlog_trigger_set *set,
            struct mlog_group *group, uint64_t now)
{
    const struct mlog_aggregate *agg = set->aggregate;

    struct mlog_result result = mlog_aggregate_value(agg, group);
    if (is_gone(agg, group) || !result.present) {
        return;
    }
    run_bank(engine, &set->above, group, result.real, now);
    if (group == agg->single ? set->mature
        : now - group->created >= agg->def->window) {
        run_bank(engine, &set->below, group, result.real, now);
        run_bank(engine, &set->equal, group, result.real, now);
    }
}

static void
visit_all_groups(struct mlog_trigger_engine *engine,
                 struct mlog_trigger_set *set, uint64_t now)
{
    const struct mlog_aggregate *agg = set->aggregate;
    struct mlog_group *group;

    visit_group(engine, set, agg->single ? agg->single : agg->other, now);
    MLOG_GROUP_TABLE_FOR_EACH (group, &agg->groups) {
        visit_group(engine, set, group, now);
    }
}

static void
visit_logged_groups(struct mlog_trigger_engine *engine,
                    struct mlog_trigger_set *set, uint64_t now)
{
    const struct mlog_aggregate *agg = set->aggregate;

    for (size_t i = set->position - agg->log_first; i < agg->n_log; i++) {
        if (agg->log[i]->logged == agg->log_first + i) {
            visit_group(engine, set, agg->log[i], now);
        }
    }
}

static void
run_set(struct mlog_trigger_engine *engine, struct mlog_trigger_set *set,
        uint64_t now)
{
    const struct mlog_aggregate *agg = set->aggregate;
    struct mlog_incident *incident;

    LIST_FOR_EACH_SAFE (incident, set_node, &set->incidents) {
        update_incident(engine, incident, now);
    }

    if (!set->mature && now - agg->created >= agg->def->window) {
        set->mature = true;
        set->visit_all = true;
    }
    if (set->suppressed
        && hmap_count(&engine->incidents) < engine->max_incidents) {
        set->suppressed = false;
        set->visit_all = true;
    }
    if (set->visit_all || set->position < agg->log_first) {
        set->visit_all = false;
        visit_all_groups(engine, set, now);
    } else {
        visit_logged_groups(engine, set, now);
    }
    set->position = mlog_aggregate_log_end(agg);
    set->last_run = now;
}

void
mlog_triggers_run(struct mlog_trigger_engine *engine,
                  struct mlog_aggregate *agg, uint64_t now)
{
    uint64_t position = UINT64_MAX;
    struct mlog_trigger_set *set;

    if (OVS_UNLIKELY(agg->overflowed)) {
        log_overflow(engine, agg, NULL, agg->other, MLOG_REASON_GROUPS, now);
    }
    LIST_FOR_EACH (set, node, &agg->trigger_sets) {
        if (now - set->last_run + MLOG_TICK_NS / 2 >= set->period) {
            run_set(engine, set, now);
        }
        position = MIN(position, set->position);
    }
    mlog_aggregate_trim_log(agg, position);
}

/* Sets. */

static struct bank *
get_bank(struct mlog_trigger_set *set, enum mlog_trigger_op op)
{
    return (is_above(op) ? &set->above
            : is_below(op) ? &set->below
            : &set->equal);
}

/* Whether 'a' holds for every value for which 'b' does, both being of one
 * bank, so that it goes before it. */
static bool
goes_before(const struct mlog_trigger_def *a, const struct mlog_trigger_def *b)
{
    if (a->threshold == b->threshold) {
        return is_inclusive(a->op) && !is_inclusive(b->op);
    }
    return is_below(a->op) ? a->threshold > b->threshold
                           : a->threshold < b->threshold;
}

static void
bank_insert(struct bank *bank, struct mlog_trigger *trigger)
{
    size_t i = bank->n;

    if (bank->n >= bank->allocated) {
        bank->triggers = x2nrealloc(bank->triggers, &bank->allocated,
                                    sizeof *bank->triggers);
    }
    while (i && goes_before(trigger->def, bank->triggers[i - 1]->def)) {
        bank->triggers[i] = bank->triggers[i - 1];
        i--;
    }
    bank->triggers[i] = trigger;
    bank->n++;
}

static void
bank_remove(struct bank *bank, const struct mlog_trigger *trigger)
{
    size_t i = 0;

    while (bank->triggers[i] != trigger) {
        i++;
    }
    bank->n--;
    memmove(&bank->triggers[i], &bank->triggers[i + 1],
            (bank->n - i) * sizeof *bank->triggers);
}

static struct mlog_trigger_set *
set_get(struct mlog_aggregate *agg, uint64_t period)
{
    struct mlog_trigger_set *set;

    LIST_FOR_EACH (set, node, &agg->trigger_sets) {
        if (set->period == period) {
            return set;
        }
    }
    set = xzalloc(sizeof *set);
    set->aggregate = agg;
    set->period = period;
    ovs_list_init(&set->incidents);
    ovs_list_push_back(&agg->trigger_sets, &set->node);
    return set;
}

static void
set_destroy(struct mlog_trigger_set *set)
{
    ovs_list_remove(&set->node);
    free(set->above.triggers);
    free(set->below.triggers);
    free(set->equal.triggers);
    free(set);
}

/* Tells the aggregate what its triggers must know. */
static void
update_watch(struct mlog_aggregate *agg)
{
    bool rises = (agg->kind == MLOG_PANE_COUNT || agg->kind == MLOG_PANE_SUM
                  || agg->kind == MLOG_PANE_MAX
                  || agg->kind == MLOG_PANE_DISTINCT);
    double from = HUGE_VAL;
    const struct mlog_trigger_set *set;

    LIST_FOR_EACH (set, node, &agg->trigger_sets) {
        rises = rises && !set->below.n && !set->equal.n;
        if (set->above.n) {
            from = MIN(from, set->above.triggers[0]->def->threshold);
        }
    }
    if (agg->def->func == MLOG_FUNC_RATE) {
        from *= agg->def->window / 1e9;
    }
    mlog_aggregate_watch(agg, (ovs_list_is_empty(&agg->trigger_sets)
                               ? MLOG_WATCH_NONE
                               : rises ? MLOG_WATCH_RISE : MLOG_WATCH_ALL),
                         from < MAX_WATCHED ? from : MAX_WATCHED);
}

/* Triggers. */

struct mlog_trigger *
mlog_trigger_create(struct mlog_aggregate *agg, struct mlog_trigger_def *def,
                    uint64_t now)
{
    struct mlog_trigger *trigger = xzalloc(sizeof *trigger);

    trigger->def = def;
    trigger->aggregate = agg;
    trigger->added = now;
    trigger->set = set_get(agg, def->period);
    trigger->set->visit_all = true;
    bank_insert(get_bank(trigger->set, def->op), trigger);
    agg->n_triggers++;
    update_watch(agg);
    return trigger;
}

void
mlog_trigger_destroy(struct mlog_trigger_engine *engine,
                     struct mlog_trigger *trigger, uint64_t now)
{
    struct mlog_trigger_set *set = trigger->set;
    struct mlog_incident *incident;

    LIST_FOR_EACH_SAFE (incident, set_node, &set->incidents) {
        if (incident->trigger == trigger) {
            if (incident->raised) {
                clear_incident(engine, incident, MLOG_REASON_DELETED, now);
            } else {
                free_incident(engine, incident);
            }
        }
    }
    bank_remove(get_bank(set, trigger->def->op), trigger);
    if (!set->above.n && !set->below.n && !set->equal.n) {
        set_destroy(set);
    }
    trigger->aggregate->n_triggers--;
    update_watch(trigger->aggregate);
    mlog_trigger_def_unref(trigger->def);
    free(trigger);
}

void
mlog_trigger_engine_init(struct mlog_trigger_engine *engine,
                         struct mlog_alert_log *log)
{
    engine->log = log;
    engine->max_incidents = MLOG_MAX_INCIDENTS;
    hmap_init(&engine->incidents);
}

void
mlog_trigger_engine_destroy(struct mlog_trigger_engine *engine)
{
    ovs_assert(hmap_is_empty(&engine->incidents));
    hmap_destroy(&engine->incidents);
}
