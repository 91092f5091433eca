/* summary.c - the view that counts: by kind and state, by process, by peer, by the port that
 * listens. */
#include "netstat/netstat.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TOP_MAX   10   /* of processes, peers and ports that are shown */
#define TABLE_MIN 1024 /* slots; doubles as it fills */
#define KEY_MAX   96

/* How often a key came. */
struct count {
    size_t n;
    char key[KEY_MAX];
};

/* Open addressing by key, half empty at least. */
struct counter {
    struct count *v;
    size_t size, used;
};

struct summary {
    struct netstat *n;
    size_t all;
    size_t by_state[HAIL_KIND_COUNT][2][HAIL_BOUND + 1]; /* kind, IPv6, state */
    struct counter processes, peers, ports;
    int failed;
};

static size_t slot_of(const struct counter *c, const char *key)
{
    uint32_t h = 2166136261;
    for (const char *p = key; *p; p++)
        h = (h ^ (unsigned char)*p) * 16777619;
    size_t i = h & (c->size - 1);
    while (c->v[i].n && strcmp(c->v[i].key, key) != 0)
        i = (i + 1) & (c->size - 1);
    return i;
}

static int grow(struct counter *c)
{
    struct counter larger = {.size = c->size ? c->size * 2 : TABLE_MIN, .used = c->used};
    larger.v = calloc(larger.size, sizeof *larger.v);
    if (!larger.v)
        return -ENOMEM;
    for (size_t i = 0; i < c->size; i++)
        if (c->v[i].n)
            larger.v[slot_of(&larger, c->v[i].key)] = c->v[i];
    free(c->v);
    *c = larger;
    return 0;
}

static int count(struct counter *c, const char *key)
{
    if (c->used * 2 >= c->size && grow(c) < 0)
        return -ENOMEM;
    struct count *one = &c->v[slot_of(c, key)];
    if (one->n++ == 0) {
        c->used++;
        snprintf(one->key, sizeof one->key, "%s", key);
    }
    return 0;
}

static int note(void *arg, const struct hail_socket_info *info)
{
    struct summary *s = arg;
    char key[KEY_MAX], text[NETSTAT_ENDPOINT_MAX];
    unsigned state = info->state <= HAIL_BOUND ? info->state : HAIL_CLOSE;
    s->all++;
    s->by_state[info->kind][info->family == AF_INET6][state]++;
    netstat_holder_name(s->n, info->inode, text, sizeof text);
    snprintf(key, sizeof key, "%.*s", KEY_MAX - 1, *text ? text : "(no process)");
    s->failed = count(&s->processes, key);
    if (info->kind < HAIL_KIND_UNIX && hail_addr_port(&info->peer) && !s->failed) {
        snprintf(key, sizeof key, "%.*s", KEY_MAX - 1, netstat_host(s->n, &info->peer));
        s->failed = count(&s->peers, key);
    }
    if (info->kind == HAIL_KIND_TCP && !s->failed) {
        netstat_endpoint(s->n, info, false, text, sizeof text);
        const char *port = strrchr(text, ':');
        snprintf(key, sizeof key, "%.*s", KEY_MAX - 1, port ? port : text);
        if (info->state == HAIL_LISTEN)
            s->failed = count(&s->ports, key);
    }
    return s->failed;
}

/* --- showing --- */

/* The most frequent first, then by key. */
static int by_count(const void *a, const void *b)
{
    const struct count *x = a, *y = b;
    return x->n != y->n ? (x->n < y->n ? 1 : -1) : strcmp(x->key, y->key);
}

static void sort(struct counter *c)
{
    if (c->size)
        qsort(c->v, c->size, sizeof *c->v, by_count);
}

static void put_top(const struct summary *s, const char *title, const struct counter *c)
{
    const struct common *o = s->n->c;
    if (!c->used)
        return;
    printf("\n%s%s%s\n", paint(o, "1"), title, paint(o, "0"));
    size_t shown = 0;
    for (; shown < c->used && shown < TOP_MAX; shown++)
        printf("%9zu  %s\n", c->v[shown].n, c->v[shown].key);
    if (shown < c->used)
        printf("%9s  and %zu more\n", "", c->used - shown);
}

static const char *state_name(int kind, int state)
{
    bool stateless = kind != HAIL_KIND_TCP && kind != HAIL_KIND_MPTCP && kind != HAIL_KIND_SCTP;
    return state == HAIL_CLOSE && stateless ? "unconnected"
                                            : hail_socket_state_name((enum hail_socket_state)state);
}

static void put_kind(const struct summary *s, int kind, int v6)
{
    size_t all = 0;
    const size_t *states = s->by_state[kind][v6];
    char name[16];
    for (int state = 0; state <= HAIL_BOUND; state++)
        all += states[state];
    if (!all)
        return;
    snprintf(name, sizeof name, "%s%s", hail_socket_kind_name((enum hail_socket_kind)kind),
             v6 ? "6" : "");
    printf("%9zu  %-8s", all, name);
    const char *comma = "";
    for (int state = 0; state <= HAIL_BOUND; state++) {
        if (!states[state])
            continue;
        printf("%s %zu %s", comma, states[state], state_name(kind, state));
        comma = ",";
    }
    putchar('\n');
}

static void put_text(const struct summary *s)
{
    printf("%s%zu socket%s%s\n", paint(s->n->c, "1"), s->all, s->all == 1 ? "" : "s",
           paint(s->n->c, "0"));
    for (int kind = 0; kind < HAIL_KIND_COUNT; kind++)
        for (int v6 = 0; v6 < 2; v6++)
            put_kind(s, kind, v6);
    put_top(s, "by process", &s->processes);
    put_top(s, "by peer", &s->peers);
    put_top(s, "listening ports", &s->ports);
}

static void put_counts(struct hail_json *j, const char *title, const char *key,
                       const struct counter *c)
{
    hail_json_array(j, title);
    for (size_t i = 0; i < c->used; i++) {
        hail_json_object(j, NULL);
        hail_json_str(j, key, c->v[i].key);
        hail_json_int(j, "sockets", (int64_t)c->v[i].n);
        hail_json_end_object(j);
    }
    hail_json_end_array(j);
}

static void put_states(struct hail_json *j, const struct summary *s, int kind, int v6)
{
    size_t all = 0;
    const size_t *states = s->by_state[kind][v6];
    for (int state = 0; state <= HAIL_BOUND; state++)
        all += states[state];
    if (!all)
        return;
    hail_json_object(j, NULL);
    hail_json_str(j, "kind", hail_socket_kind_name((enum hail_socket_kind)kind));
    if (kind < HAIL_KIND_UNIX)
        hail_json_str(j, "family", v6 ? "inet6" : "inet");
    hail_json_int(j, "sockets", (int64_t)all);
    hail_json_object(j, "states");
    for (int state = 0; state <= HAIL_BOUND; state++)
        if (states[state])
            hail_json_int(j, hail_socket_state_name((enum hail_socket_state)state),
                          (int64_t)states[state]);
    hail_json_end_object(j);
    hail_json_end_object(j);
}

static int put_document(const struct summary *s)
{
    struct hail_buf buf;
    struct hail_json j = {.out = &buf};
    hail_buf_init(&buf, 64 << 20);
    hail_json_object(&j, NULL);
    hail_json_str(&j, "schema", "hail.netstat.summary/1");
    hail_json_int(&j, "sockets", (int64_t)s->all);
    hail_json_array(&j, "kinds");
    for (int kind = 0; kind < HAIL_KIND_COUNT; kind++)
        for (int v6 = 0; v6 < 2; v6++)
            put_states(&j, s, kind, v6);
    hail_json_end_array(&j);
    put_counts(&j, "processes", "process", &s->processes);
    put_counts(&j, "peers", "address", &s->peers);
    put_counts(&j, "listening", "port", &s->ports);
    hail_json_end_object(&j);
    int status = put_json(&buf);
    hail_buf_free(&buf);
    return status;
}

int netstat_summary(struct netstat *n)
{
    struct summary s = {.n = n};
    int status = STATUS_DONE;
    n->programs = true;
    int rc = netstat_each(n, 0, note, &s);
    sort(&s.processes);
    sort(&s.peers);
    sort(&s.ports);
    if (s.failed)
        status = local_error("count", "the sockets", -s.failed);
    else if (rc < 0)
        status = fail(n->c);
    else if (n->c->json)
        status = put_document(&s);
    else
        put_text(&s);
    free(s.processes.v);
    free(s.peers.v);
    free(s.ports.v);
    return status;
}
