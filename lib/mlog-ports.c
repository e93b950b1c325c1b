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
#include "mlog-ports.h"

#include <string.h>

#include "hash.h"
#include "mlog-store.h"
#include "openvswitch/hmap.h"
#include "openvswitch/shash.h"
#include "openvswitch/vlog.h"
#include "ovs-atomic.h"
#include "ovs-thread.h"
#include "sset.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(mlog_ports);

/* Identifiers index 'ports'.  An entry is written once, then published by
 * the release-store of its pointer (R1), which every reader's acquire-load of
 * it (A1) pairs with; it lives for ever.  Its mutable members are atomics.
 *
 * From datapath port number to identifier leads, for each datapath, an array
 * that is published like ports (R2, A2) and lives for ever.
 *
 * The same datapath, number and name get the same identifier again, so a port
 * that comes and goes doesn't use identifiers up.  An OpenFlow number may be
 * told before the port is there, and a port that comes back keeps its: numbers
 * are kept by datapath and name.
 *
 * Names are interned.  What is never freed is thus bounded by the number of
 * different names that this process has seen. */

struct port {
    struct hmap_node node;              /* In 'port_index'. */
    uint16_t id;
    unsigned int dp;
    const char *datapath;               /* In 'strings'; NULL if unnamed. */
    uint32_t odp;
    const char *name;                   /* In 'strings'. */
    ATOMIC(const char *) bridge;        /* In 'strings', or NULL. */
    atomic_uint32_t ofp;
    atomic_bool alive;
};

/* Datapath port numbers are below this: dpif-netdev gives no others. */
#define MAX_ODP_PORTS (UINT16_MAX + 1)

/* For each datapath port number, its latest identifier plus 1, or 0. */
struct numbers {
    ATOMIC(uint32_t) ids[MAX_ODP_PORTS];
};

/* What set_ofp() has said about one name in one datapath. */
struct ofp_number {
    struct hmap_node node;              /* In 'ofp_numbers'. */
    unsigned int dp;
    const char *name;                   /* In 'strings'. */
    const char *bridge;                 /* In 'strings'. */
    uint32_t ofp;
};

static ATOMIC(struct port *) ports[MLOG_PORT_NONE];
static ATOMIC(size_t) n_ports;
static atomic_uint32_t generation;
static ATOMIC(struct numbers *) numbers[MLOG_MAX_DATAPATHS];

static struct ovs_mutex mutex = OVS_MUTEX_INITIALIZER;
static struct sset strings OVS_GUARDED_BY(mutex)
    = SSET_INITIALIZER(&strings);
static struct hmap port_index OVS_GUARDED_BY(mutex)
    = HMAP_INITIALIZER(&port_index);
static struct hmap ofp_numbers OVS_GUARDED_BY(mutex)
    = HMAP_INITIALIZER(&ofp_numbers);
static const char *datapaths[MLOG_MAX_DATAPATHS] OVS_GUARDED_BY(mutex);
static unsigned int n_datapaths OVS_GUARDED_BY(mutex);

/* The file "ports": what of all this survives.  Names that are longer are
 * shortened. */
struct kept_port {
    char name[128];
    char bridge[64];
    uint32_t dp;
    uint32_t odp;
    uint32_t ofp;
    uint32_t added;                     /* Greater than of older ones. */
};

struct kept {
    uint32_t n;                         /* Of 'ports'. */
    uint32_t n_datapaths;
    uint32_t n_added;
    uint32_t reserved;
    char datapaths[MLOG_MAX_DATAPATHS][64];
    struct kept_port ports[MLOG_PORTS_KEPT];
};

static struct mlog_mapping kept_mapping OVS_GUARDED_BY(mutex);
static struct kept *kept OVS_GUARDED_BY(mutex);     /* Or NULL. */

static const char *
intern(const char *s)
    OVS_REQUIRES(mutex)
{
    sset_add(&strings, s);
    return sset_find(&strings, s)->name;
}

static struct port *
get_port(uint16_t id)
{
    struct port *port = NULL;

    if (id != MLOG_PORT_NONE) {
        atomic_read_explicit(&ports[id], &port, memory_order_acquire); /* A1 */
    }
    return port;
}

/* From datapath port number to identifier. */

static ATOMIC(uint32_t) *
find_number(unsigned int dp, uint32_t odp_port)
{
    struct numbers *n = NULL;

    if (dp < MLOG_MAX_DATAPATHS && odp_port < MAX_ODP_PORTS) {
        atomic_read_explicit(&numbers[dp], &n, memory_order_acquire); /* A2 */
    }
    return n ? &n->ids[odp_port] : NULL;
}

static ATOMIC(uint32_t) *
make_number(unsigned int dp, uint32_t odp_port)
    OVS_REQUIRES(mutex)
{
    struct numbers *n;

    atomic_read_relaxed(&numbers[dp], &n);
    if (!n) {
        n = xzalloc(sizeof *n);
        atomic_store_explicit(&numbers[dp], n, memory_order_release); /* R2 */
    }
    return &n->ids[odp_port];
}

/* Acquire and release so that whoever finds an identifier finds its port. */
static uint16_t
number_get(ATOMIC(uint32_t) *number)
{
    uint32_t id;

    atomic_read_explicit(number, &id, memory_order_acquire);
    return id ? id - 1 : MLOG_PORT_NONE;
}

static void
number_set(ATOMIC(uint32_t) *number, uint16_t id)
{
    atomic_store_explicit(number, id == MLOG_PORT_NONE ? 0 : id + 1u,
                          memory_order_release);
}

/* OpenFlow numbers. */

static struct ofp_number *
find_ofp_number(unsigned int dp, const char *name)
    OVS_REQUIRES(mutex)
{
    struct ofp_number *n;

    HMAP_FOR_EACH_WITH_HASH (n, node, hash_string(name, dp), &ofp_numbers) {
        if (n->dp == dp && !strcmp(n->name, name)) {
            return n;
        }
    }
    return NULL;
}

/* Stores what is known of the port with 'id'.  'n' is stored after the port
 * is, for the process may end in between. */
static void
keep(uint16_t id, bool added)
    OVS_REQUIRES(mutex)
{
    if (kept && id < MLOG_PORTS_KEPT) {
        const struct port *port = get_port(id);
        struct kept_port *k = &kept->ports[id];
        const char *bridge = mlog_ports_bridge(id);

        k->dp = port->dp;
        k->odp = port->odp;
        k->ofp = mlog_ports_ofp(id);
        if (added) {
            k->added = ++kept->n_added;
        }
        ovs_strlcpy(k->name, port->name, sizeof k->name);
        ovs_strlcpy(k->bridge, bridge ? bridge : "", sizeof k->bridge);
        atomic_thread_fence(memory_order_release);
        kept->n = MAX(kept->n, id + 1u);
    }
}

static void
keep_datapaths(void)
    OVS_REQUIRES(mutex)
{
    for (unsigned int i = kept ? kept->n_datapaths : n_datapaths;
         i < n_datapaths; i++) {
        ovs_strlcpy(kept->datapaths[i], datapaths[i],
                    sizeof kept->datapaths[i]);
        kept->n_datapaths = i + 1;
    }
}

static void
port_set_ofp(struct port *port, const struct ofp_number *n)
{
    atomic_store_relaxed(&port->ofp, n->ofp);
    atomic_store_explicit(&port->bridge, n->bridge, memory_order_release);
}

void
mlog_ports_set_ofp(unsigned int dp, const char *name,
                   const char *bridge, uint32_t ofp_port)
{
    struct ofp_number *n;
    size_t n_ids;

    if (dp >= MLOG_MAX_DATAPATHS) {
        return;
    }
    ovs_mutex_lock(&mutex);
    n = find_ofp_number(dp, name);
    if (!n) {
        n = xmalloc(sizeof *n);
        n->dp = dp;
        n->name = intern(name);
        hmap_insert(&ofp_numbers, &n->node, hash_string(name, dp));
    } else if (n->ofp == ofp_port && !strcmp(n->bridge, bridge)) {
        ovs_mutex_unlock(&mutex);
        return;
    }
    n->bridge = intern(bridge);
    n->ofp = ofp_port;

    n_ids = mlog_ports_count();
    for (size_t i = 0; i < n_ids; i++) {
        struct port *port = get_port(i);

        if (port->dp == dp && port->name == n->name
            && mlog_ports_is_alive(i)) {
            port_set_ofp(port, n);
            keep(i, false);
        }
    }

    /* Release G, pairs with acquire H: whoever sees the new generation sees
     * the new numbers. */
    uint32_t old;
    atomic_add_explicit(&generation, 1, &old, memory_order_release);
    ovs_mutex_unlock(&mutex);
}

/* Ports. */

static uint32_t
hash_port(unsigned int dp, uint32_t odp_port, const char *name)
{
    return hash_string(name, hash_2words(dp, odp_port));
}

/* Returns the identifier that the port has had before, or MLOG_PORT_NONE. */
static uint16_t
find_id(unsigned int dp, uint32_t odp_port, const char *name)
    OVS_REQUIRES(mutex)
{
    const struct port *port;

    HMAP_FOR_EACH_WITH_HASH (port, node, hash_port(dp, odp_port, name),
                             &port_index) {
        if (port->dp == dp && port->odp == odp_port
            && !strcmp(port->name, name)) {
            return port->id;
        }
    }
    return MLOG_PORT_NONE;
}

static uint16_t
new_id(unsigned int dp, uint32_t odp_port, const char *name)
    OVS_REQUIRES(mutex)
{
    size_t id = mlog_ports_count();
    struct port *port;

    if (id >= MLOG_PORT_NONE) {
        static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 1);

        VLOG_WARN_RL(&rl, "%s: too many ports since the start, its packets "
                     "will be logged without it", name);
        return MLOG_PORT_NONE;
    }

    port = xzalloc(sizeof *port);
    port->id = id;
    port->dp = dp;
    port->datapath = datapaths[dp];
    port->odp = odp_port;
    port->name = intern(name);
    atomic_init(&port->bridge, NULL);
    atomic_init(&port->ofp, MLOG_OFP_PORT_NONE);
    atomic_init(&port->alive, false);
    hmap_insert(&port_index, &port->node, hash_port(dp, odp_port, name));
    atomic_store_explicit(&ports[id], port, memory_order_release); /* R1 */
    atomic_store_explicit(&n_ports, id + 1, memory_order_release);
    return id;
}

static void
set_alive(uint16_t id, bool alive)
{
    struct port *port = get_port(id);

    if (port) {
        atomic_store_relaxed(&port->alive, alive);
    }
}

void
mlog_ports_add(unsigned int dp, uint32_t odp_port, const char *name)
{
    ATOMIC(uint32_t) *number;
    uint16_t id;

    if (dp >= MLOG_MAX_DATAPATHS || odp_port >= MAX_ODP_PORTS) {
        return;
    }
    ovs_mutex_lock(&mutex);
    number = make_number(dp, odp_port);
    id = find_id(dp, odp_port, name);
    if (id == MLOG_PORT_NONE) {
        id = new_id(dp, odp_port, name);
    }
    set_alive(number_get(number), false);
    if (id != MLOG_PORT_NONE) {
        const struct ofp_number *n = find_ofp_number(dp, name);

        set_alive(id, true);
        if (n) {
            port_set_ofp(get_port(id), n);
        }
        keep(id, true);
    }
    number_set(number, id);
    ovs_mutex_unlock(&mutex);
}

void
mlog_ports_del(unsigned int dp, uint32_t odp_port)
{
    ovs_mutex_lock(&mutex);
    set_alive(mlog_ports_lookup(dp, odp_port), false);
    ovs_mutex_unlock(&mutex);
}

/* Returns the index for the datapath called 'name', which is added if there
 * are less than 'max'; otherwise returns MLOG_MAX_DATAPATHS. */
static unsigned int
find_or_add_datapath(const char *name, unsigned int max)
    OVS_REQUIRES(mutex)
{
    for (unsigned int i = 0; i < n_datapaths; i++) {
        if (!strcmp(datapaths[i], name)) {
            return i;
        }
    }
    if (n_datapaths >= max) {
        return MLOG_MAX_DATAPATHS;
    }
    datapaths[n_datapaths++] = intern(name);
    keep_datapaths();
    return n_datapaths - 1;
}

unsigned int
mlog_ports_datapath(const char *name)
{
    unsigned int dp;

    ovs_mutex_lock(&mutex);
    dp = find_or_add_datapath(name, MLOG_MAX_DATAPATHS);
    ovs_mutex_unlock(&mutex);
    return dp;
}

uint16_t
mlog_ports_add_past(const char *datapath, uint32_t odp_port, const char *name,
                    const char *bridge, uint32_t ofp_port)
{
    uint16_t id = MLOG_PORT_NONE;
    unsigned int dp;

    ovs_mutex_lock(&mutex);
    dp = find_or_add_datapath(datapath, MLOG_MAX_DATAPATHS / 2);
    if (dp < MLOG_MAX_DATAPATHS) {
        id = find_id(dp, odp_port, name);
        if (id == MLOG_PORT_NONE && mlog_ports_count() < MLOG_PORT_NONE / 2) {
            id = new_id(dp, odp_port, name);
        }
    }
    if (id != MLOG_PORT_NONE && bridge && ofp_port != MLOG_OFP_PORT_NONE
        && mlog_ports_ofp(id) == MLOG_OFP_PORT_NONE) {
        struct ofp_number n = { .bridge = intern(bridge), .ofp = ofp_port };

        port_set_ofp(get_port(id), &n);
    }
    if (id != MLOG_PORT_NONE) {
        keep(id, false);
    }
    ovs_mutex_unlock(&mutex);
    return id;
}

uint16_t
mlog_ports_lookup(unsigned int dp, uint32_t odp_port)
{
    ATOMIC(uint32_t) *number = find_number(dp, odp_port);

    return number ? number_get(number) : MLOG_PORT_NONE;
}

uint32_t
mlog_ports_generation(void)
{
    uint32_t g;

    atomic_read_explicit(&generation, &g, memory_order_acquire); /* H */
    return g;
}

size_t
mlog_ports_count(void)
{
    size_t n;

    atomic_read_explicit(&n_ports, &n, memory_order_acquire);
    return n;
}

const char *
mlog_ports_name(uint16_t id)
{
    const struct port *port = get_port(id);

    return port ? port->name : NULL;
}

const char *
mlog_ports_bridge(uint16_t id)
{
    struct port *port = get_port(id);
    const char *bridge = NULL;

    if (port) {
        atomic_read_explicit(&port->bridge, &bridge, memory_order_acquire);
    }
    return bridge;
}

const char *
mlog_ports_datapath_name(uint16_t id)
{
    const struct port *port = get_port(id);

    return port ? port->datapath : NULL;
}

uint32_t
mlog_ports_ofp(uint16_t id)
{
    struct port *port = get_port(id);
    uint32_t ofp = MLOG_OFP_PORT_NONE;

    if (port) {
        atomic_read_relaxed(&port->ofp, &ofp);
    }
    return ofp;
}

uint32_t
mlog_ports_odp(uint16_t id)
{
    const struct port *port = get_port(id);

    return port ? port->odp : MLOG_OFP_PORT_NONE;
}

bool
mlog_ports_is_alive(uint16_t id)
{
    struct port *port = get_port(id);
    bool alive = false;

    if (port) {
        atomic_read_relaxed(&port->alive, &alive);
    }
    return alive;
}

/* Keeping. */

static bool
is_string(const char *s, size_t size)
{
    return s[0] && memchr(s, '\0', size);
}

/* Makes datapaths and ports as 'k' has them.  Returns false if that is not
 * possible. */
static bool
recover_kept(const struct kept *k)
    OVS_REQUIRES(mutex)
{
    if (k->n > MLOG_PORTS_KEPT || k->n_datapaths > MLOG_MAX_DATAPATHS) {
        return false;
    }
    for (unsigned int i = 0; i < k->n_datapaths; i++) {
        if (!is_string(k->datapaths[i], sizeof k->datapaths[i])) {
            return false;
        } else if (i == n_datapaths) {
            datapaths[n_datapaths++] = intern(k->datapaths[i]);
        } else if (strcmp(datapaths[i], k->datapaths[i])) {
            return false;
        }
    }
    for (uint32_t i = 0; i < k->n; i++) {
        const struct kept_port *p = &k->ports[i];

        if (p->dp >= k->n_datapaths || p->odp >= MAX_ODP_PORTS
            || !is_string(p->name, sizeof p->name)
            || !memchr(p->bridge, '\0', sizeof p->bridge)) {
            return false;
        }

        uint16_t id = find_id(p->dp, p->odp, p->name);
        if ((id == MLOG_PORT_NONE ? new_id(p->dp, p->odp, p->name) : id)
            != i) {
            return false;
        }

        struct port *port = get_port(i);
        atomic_store_relaxed(&port->ofp, p->ofp);
        atomic_store_explicit(&port->bridge,
                              p->bridge[0] ? intern(p->bridge) : NULL,
                              memory_order_release);

        ATOMIC(uint32_t) *number = make_number(p->dp, p->odp);
        uint16_t other = number_get(number);
        if (other >= k->n || k->ports[other].added <= p->added) {
            number_set(number, i);
        }
    }
    return true;
}

bool
mlog_ports_attach(struct mlog_store *store)
{
    bool ok = true;

    ovs_mutex_lock(&mutex);
    if (!mlog_store_load(store, "ports", &kept_mapping)) {
        ok = (kept_mapping.size >= sizeof *kept
              && recover_kept(kept_mapping.data));
    } else {
        ok = !mlog_store_create(store, "ports", sizeof *kept, false,
                                &kept_mapping);
    }
    if (ok) {
        kept = kept_mapping.data;
        keep_datapaths();
        for (size_t i = kept->n; i < mlog_ports_count(); i++) {
            keep(i, true);
        }
    } else {
        mlog_store_unmap(&kept_mapping);
    }
    ovs_mutex_unlock(&mutex);
    return ok;
}

void
mlog_ports_detach(void)
{
    ovs_mutex_lock(&mutex);
    mlog_store_unmap(&kept_mapping);
    kept = NULL;
    ovs_mutex_unlock(&mutex);
}
