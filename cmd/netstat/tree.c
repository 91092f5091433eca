/* tree.c - the view from processes: each, its sockets, and the process at the other end.
 *
 * The other end is on this machine when there is a row that mirrors this one (its local address is
 * this one's peer and the other way round: loopback, or another namespace with --netns), or the
 * Unix socket that the kernel names. Sockets of a process to one and the same other end are one
 * line with their count.
 */
#include "netstat/netstat.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 400

/* One socket, as far as the tree needs it. */
struct leaf {
    int pid; /* of its first holder; 0: none */
    uint32_t inode, peer_inode;
    uint64_t netns;
    enum hail_socket_kind kind;
    enum hail_socket_state state;
    struct hail_addr *ends; /* local and peer of an Internet connection; owned, or NULL */
    char *process;          /* owned: "nginx[12]" */
    char *local, *peer;     /* owned: the ends as text */
    long other;             /* the row at the other end, or -1 */
};

struct tree {
    struct netstat *n;
    struct leaf *v;
    size_t count, size;
    long *index; /* open addressing by the mirrored ends, or the inode: a place in v, or -1 */
    size_t mask;
    int failed;
};

/* --- collecting --- */

static bool connected(const struct hail_socket_info *info)
{
    return info->kind < HAIL_KIND_UNIX && hail_addr_port(&info->peer) != 0;
}

/* An IPv4 address and its mapped form are one and the same connection. */
static struct hail_addr plain(const struct hail_addr *a)
{
    struct hail_addr v4 = {.len = sizeof v4.u.in4};
    if (a->u.sa.sa_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&a->u.in6.sin6_addr))
        return *a;
    v4.u.in4.sin_family = AF_INET;
    v4.u.in4.sin_port = a->u.in6.sin6_port;
    memcpy(&v4.u.in4.sin_addr, (const char *)&a->u.in6.sin6_addr + 12, 4);
    return v4;
}

static int note(void *arg, const struct hail_socket_info *info)
{
    struct tree *t = arg;
    char text[NETSTAT_ENDPOINT_MAX];
    struct hail_holder one;
    if (t->count == t->size) {
        size_t size = t->size ? t->size * 2 : 256;
        struct leaf *v = realloc(t->v, size * sizeof *v);
        if (!v)
            return t->failed = -ENOMEM;
        t->v = v;
        t->size = size;
    }
    struct leaf *l = &t->v[t->count];
    *l = (struct leaf){.inode = info->inode,
                       .peer_inode = info->peer_inode,
                       .netns = info->netns ? info->netns->inode : 0,
                       .kind = info->kind,
                       .state = info->state,
                       .other = -1};
    if (hail_holder_get(t->n->holders, info->inode, 0, &one))
        l->pid = one.process->pid;
    l->process = strdup(netstat_holder_name(t->n, info->inode, text, sizeof text));
    l->local = strdup(netstat_endpoint(t->n, info, false, text, sizeof text));
    l->peer = strdup(netstat_endpoint(t->n, info, true, text, sizeof text));
    if (connected(info) && (l->ends = malloc(2 * sizeof *l->ends)) != NULL) {
        l->ends[0] = plain(&info->local);
        l->ends[1] = plain(&info->peer);
    }
    t->count++;
    bool whole = l->process && l->local && l->peer && (l->ends || !connected(info));
    return t->failed = whole ? 0 : -ENOMEM;
}

/* --- joining --- */

static uint32_t hash_bytes(uint32_t h, const void *data, size_t n)
{
    const unsigned char *p = data;
    for (size_t i = 0; i < n; i++)
        h = (h ^ p[i]) * 16777619;
    return h;
}

static uint32_t hash_addr(uint32_t h, const struct hail_addr *a)
{
    uint16_t port = hail_addr_port(a);
    h = hash_bytes(h, &port, sizeof port);
    return a->u.sa.sa_family == AF_INET ? hash_bytes(h, &a->u.in4.sin_addr, 4)
                                        : hash_bytes(h, &a->u.in6.sin6_addr, 16);
}

/* Of a row's own ends, or turned round: those of its other end. */
static uint32_t hash_leaf(const struct leaf *l, bool turned)
{
    if (l->ends)
        return hash_addr(hash_addr(2166136261u + l->kind, &l->ends[turned]), &l->ends[!turned]);
    return hash_bytes(2166136261u, turned ? &l->peer_inode : &l->inode, 4);
}

/* A namespace's loopback is its own. */
static bool loopback(const struct hail_addr *a)
{
    return a->u.sa.sa_family == AF_INET ? ntohl(a->u.in4.sin_addr.s_addr) >> 24 == 127
                                        : IN6_IS_ADDR_LOOPBACK(&a->u.in6.sin6_addr);
}

static bool mirrors(const struct leaf *a, const struct leaf *b)
{
    if (a->kind != b->kind || !a->ends != !b->ends)
        return false;
    if (!a->ends)
        return a->kind == HAIL_KIND_UNIX && b->inode == a->peer_inode;
    if (a->netns != b->netns && loopback(&a->ends[0]))
        return false;
    return hail_addr_equal(&a->ends[0], &b->ends[1]) && hail_addr_equal(&a->ends[1], &b->ends[0]);
}

static int join(struct tree *t)
{
    size_t size = 16;
    while (size < t->count * 2)
        size *= 2;
    t->index = malloc(size * sizeof *t->index);
    if (!t->index)
        return -ENOMEM;
    memset(t->index, 0xff, size * sizeof *t->index);
    t->mask = size - 1;
    for (size_t i = 0; i < t->count; i++) {
        size_t at = hash_leaf(&t->v[i], false) & t->mask;
        while (t->index[at] >= 0)
            at = (at + 1) & t->mask;
        t->index[at] = (long)i;
    }
    for (size_t i = 0; i < t->count; i++) {
        struct leaf *l = &t->v[i];
        if (!l->ends && !l->peer_inode)
            continue;
        for (size_t at = hash_leaf(l, true) & t->mask; t->index[at] >= 0; at = (at + 1) & t->mask) {
            struct leaf *other = &t->v[t->index[at]];
            if (other != l && mirrors(l, other)) {
                l->other = other - t->v;
                break;
            }
        }
    }
    return 0;
}

/* --- showing --- */

/* What a leaf is drawn as, and folded by: state, ends without the ports that the system picked. */
static void describe(const struct tree *t, const struct leaf *l, char out[TEXT_MAX])
{
    const char *kind = hail_socket_kind_name(l->kind), *state = hail_socket_state_name(l->state);
    const struct leaf *other = l->other >= 0 ? &t->v[l->other] : NULL;
    if (l->state == HAIL_CLOSE && l->kind != HAIL_KIND_TCP)
        state = "";
    const char *gap = *state ? " " : "";
    if (other && l->kind == HAIL_KIND_UNIX)
        snprintf(out, TEXT_MAX, "%s %s <-> %s%s%s", kind, l->local[0] == '#' ? "pair" : l->local,
                 *other->process ? other->process : "no process", other->local[0] == '#' ? "" : " ",
                 other->local[0] == '#' ? "" : other->local);
    else if (other)
        snprintf(out, TEXT_MAX, "%s %s%s%s <-> %s  %s", kind, state, gap, l->local, l->peer,
                 *other->process ? other->process : "no process");
    else if (strcmp(l->peer, "*") == 0)
        snprintf(out, TEXT_MAX, "%s %s%s%s", kind, state, gap, l->local);
    else
        snprintf(out, TEXT_MAX, "%s %s%s%s <-> %s", kind, state, gap, l->local, l->peer);
}

/* By process; then listeners, then by what they are. */
static int in_order(const void *a, const void *b, void *arg)
{
    const struct tree *t = arg;
    const struct leaf *x = &t->v[*(const size_t *)a], *y = &t->v[*(const size_t *)b];
    if (x->pid != y->pid)
        return (x->pid == 0) != (y->pid == 0) ? (x->pid == 0 ? 1 : -1) : x->pid - y->pid;
    if ((x->state == HAIL_LISTEN) != (y->state == HAIL_LISTEN))
        return x->state == HAIL_LISTEN ? -1 : 1;
    if (x->kind != y->kind)
        return (int)x->kind - (int)y->kind;
    if (x->other != y->other) { /* the same process at the other end comes together */
        int px = x->other >= 0 ? t->v[x->other].pid : 0,
            py = y->other >= 0 ? t->v[y->other].pid : 0;
        if (px != py)
            return px - py;
    }
    int by_peer = strcmp(x->peer, y->peer);
    return by_peer ? by_peer : strcmp(x->local, y->local);
}

/* Whether two neighbours are one line: both ends' processes the same, and one end's address. */
static bool folds(const struct tree *t, const struct leaf *a, const struct leaf *b)
{
    int pa = a->other >= 0 ? t->v[a->other].pid : 0, pb = b->other >= 0 ? t->v[b->other].pid : 0;
    if (a->kind != b->kind || a->state != b->state || pa != pb || a->state == HAIL_LISTEN)
        return false;
    if (a->kind == HAIL_KIND_UNIX)
        return a->local[0] == '#' && b->local[0] == '#' && a->other >= 0 && b->other >= 0;
    return a->ends && b->ends && strcmp(a->peer, "*") != 0 &&
           (strcmp(a->peer, b->peer) == 0 || strcmp(a->local, b->local) == 0);
}

static bool utf8(void)
{
    const char *all = getenv("LC_ALL"), *ctype = getenv("LC_CTYPE"), *lang = getenv("LANG");
    const char *name = all && *all ? all : ctype && *ctype ? ctype : lang;
    return name && (strcasestr(name, "utf-8") || strcasestr(name, "utf8"));
}

static void put_branch(const struct tree *t, const size_t *order, size_t from, size_t to)
{
    const struct common *c = t->n->c;
    const struct leaf *first = &t->v[order[from]];
    bool boxes = utf8();
    printf("%s%s%s\n", paint(c, "1"), first->pid ? first->process : "no process", paint(c, "0"));
    for (size_t i = from, next; i < to; i = next) {
        char text[TEXT_MAX];
        for (next = i + 1; next < to && folds(t, &t->v[order[i]], &t->v[order[next]]); next++)
            ;
        describe(t, &t->v[order[i]], text);
        bool last = next == to;
        const char *branch = boxes ? (last ? "└─ " : "├─ ") : (last ? "`- " : "|- ");
        if (next - i > 1)
            printf("%s%s  and %zu like it\n", branch, text, next - i - 1);
        else
            printf("%s%s\n", branch, text);
    }
}

static int put_document(const struct tree *t, const struct leaf *l, struct hail_buf *buf)
{
    struct hail_json j = {.out = buf};
    hail_json_object(&j, NULL);
    hail_json_str(&j, "schema", "hail.netstat.tree/1");
    hail_json_str(&j, "kind", hail_socket_kind_name(l->kind));
    hail_json_str(&j, "state", hail_socket_state_name(l->state));
    hail_json_int(&j, "pid", l->pid);
    hail_json_str(&j, "process", l->process);
    hail_json_str(&j, "local", l->local);
    hail_json_str(&j, "peer", l->peer);
    hail_json_int(&j, "inode", l->inode);
    if (l->other >= 0) {
        const struct leaf *other = &t->v[l->other];
        hail_json_object(&j, "other");
        hail_json_int(&j, "pid", other->pid);
        hail_json_str(&j, "process", other->process);
        hail_json_int(&j, "inode", other->inode);
        if (other->netns != l->netns)
            hail_json_int(&j, "netns", (int64_t)other->netns);
        hail_json_end_object(&j);
    }
    hail_json_end_object(&j);
    return put_json(buf);
}

static int show(const struct tree *t)
{
    size_t *order = calloc(t->count + 1, sizeof *order);
    struct hail_buf buf;
    int status = STATUS_DONE;
    if (!order)
        return local_error("draw", "the tree", ENOMEM);
    hail_buf_init(&buf, 1 << 20);
    for (size_t i = 0; i < t->count; i++)
        order[i] = i;
    qsort_r(order, t->count, sizeof *order, in_order, (void *)(uintptr_t)t);
    for (size_t i = 0, next; status == STATUS_DONE && i < t->count; i = next) {
        next = i + 1;
        if (t->n->c->json) {
            status = put_document(t, &t->v[order[i]], &buf);
            continue;
        }
        while (next < t->count && t->v[order[next]].pid == t->v[order[i]].pid)
            next++;
        put_branch(t, order, i, next);
    }
    hail_buf_free(&buf);
    free(order);
    return status;
}

int netstat_tree(struct netstat *n)
{
    struct tree t = {.n = n};
    n->programs = true;
    int status, rc = netstat_each(n, HAIL_HAS_PEER, note, &t);
    if (rc >= 0 && !t.failed)
        t.failed = join(&t);
    if (t.failed)
        status = local_error("draw", "the tree", -t.failed);
    else if (rc < 0)
        status = fail(n->c);
    else
        status = show(&t);
    for (size_t i = 0; i < t.count; i++) {
        free(t.v[i].ends);
        free(t.v[i].process);
        free(t.v[i].local);
        free(t.v[i].peer);
    }
    free(t.v);
    free(t.index);
    return status;
}
