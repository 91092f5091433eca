/* listeners.c - what listens on this machine, and who holds it; ports/ports.h. */
#include "ports/ports.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int by_port(const void *a, const void *b)
{
    const struct listener *x = a, *y = b;
    int px = hail_addr_port(&x->info.local), py = hail_addr_port(&y->info.local);
    return px != py ? px - py : x->info.protocol - y->info.protocol;
}

static int add_listener(void *arg, const struct hail_socket_info *info)
{
    struct ports *p = arg;
    if (p->n < LISTENERS_MAX)
        p->v[p->n++].info = *info;
    return p->n == LISTENERS_MAX;
}

/* Listening TCP sockets, and UDP sockets without a peer: the kernel filters both. */
int list_listeners(struct ports *p)
{
    struct hail_socket_query tcp = {
        .kinds = HAIL_KIND_BIT(HAIL_KIND_TCP), .family = p->c->family, .states = 1u << HAIL_LISTEN};
    struct hail_socket_query udp = {
        .kinds = HAIL_KIND_BIT(HAIL_KIND_UDP), .family = p->c->family, .states = 1u << HAIL_CLOSE};
    p->v = calloc(LISTENERS_MAX, sizeof *p->v);
    if (!p->v)
        return local_error("list", "the listeners", ENOMEM);
    if (hail_sockets_each(&p->c->ctx, &tcp, NULL, add_listener, p) < 0 ||
        hail_sockets_each(&p->c->ctx, &udp, NULL, add_listener, p) < 0)
        return fail(p->c);
    qsort(p->v, p->n, sizeof *p->v, by_port);
    return 0;
}

void find_owners(struct ports *p)
{
    uint32_t inodes[LISTENERS_MAX];
    if (p->owners)
        return;
    p->owners = true;
    for (size_t i = 0; i < p->n; i++)
        inodes[i] = p->v[i].info.inode;
    const struct hail_holders_query query = {.inodes = inodes, .n = p->n, .first = true};
    struct hail_holders *holders;
    if (hail_holders_load(&p->c->ctx, &query, &holders) < 0)
        return; /* the names are missing */
    for (size_t i = 0; i < p->n; i++) {
        struct listener *l = &p->v[i];
        struct hail_holder holder;
        if (!hail_holder_get(holders, l->info.inode, 0, &holder))
            continue;
        l->pid = holder.process->pid;
        hail_text_safe_into(l->name, sizeof l->name, holder.process->name,
                            strlen(holder.process->name));
    }
    hail_holders_free(holders);
}

bool holds(const struct listener *l, uint16_t first, uint16_t last, unsigned protos)
{
    uint16_t port = hail_addr_port(&l->info.local);
    unsigned proto = l->info.protocol == IPPROTO_TCP ? HAIL_SERVICE_TCP : HAIL_SERVICE_UDP;
    return port >= first && port <= last && (protos & proto);
}

static const char *proto_of(const struct listener *l)
{
    return l->info.protocol == IPPROTO_TCP ? "tcp" : "udp";
}

static void format_at(const struct listener *l, char out[HAIL_ENDPOINT_MAX])
{
    struct hail_endpoint at = hail_endpoint_of(&l->info.local);
    hail_endpoint_format(&at, out, HAIL_ENDPOINT_MAX);
}

void put_listener(struct hail_json *j, const struct listener *l)
{
    char at[HAIL_ENDPOINT_MAX];
    format_at(l, at);
    hail_json_object(j, NULL);
    hail_json_str(j, "protocol", proto_of(l));
    hail_json_str(j, "local", at);
    hail_json_int(j, "uid", l->info.uid);
    if (l->pid) {
        hail_json_int(j, "pid", l->pid);
        hail_json_str(j, "program", l->name);
    }
    hail_json_end_object(j);
}

void show_listener(const struct ports *p, const struct listener *l)
{
    char at[HAIL_ENDPOINT_MAX], who[64] = "";
    format_at(l, at);
    if (l->pid)
        snprintf(who, sizeof who, "  %s (pid %d)", l->name, l->pid);
    printf("%13s %slistens%s: %s %s%s\n", "", paint(p->c, "32"), paint(p->c, "0"), proto_of(l), at,
           who);
}

int show_listening(struct ports *p)
{
    find_owners(p);
    for (size_t i = 0; i < p->n; i++) {
        const struct listener *l = &p->v[i];
        unsigned proto = l->info.protocol == IPPROTO_TCP ? HAIL_SERVICE_TCP : HAIL_SERVICE_UDP;
        if (p->protos && !(p->protos & proto))
            continue;
        uint16_t port = hail_addr_port(&l->info.local);
        const char *name = hail_service_name(port, (enum hail_service_proto)proto);
        p->rows++;
        if (p->c->json) {
            struct hail_json j = {.out = &p->json};
            hail_json_object(&j, NULL);
            hail_json_str(&j, "schema", PORTS_SCHEMA);
            hail_json_int(&j, "port", port);
            hail_json_str(&j, "name", name);
            hail_json_array(&j, "listening");
            put_listener(&j, l);
            hail_json_end_array(&j);
            hail_json_end_object(&j);
            if (put_json(&p->json))
                return STATUS_LOCAL;
            continue;
        }
        char at[HAIL_ENDPOINT_MAX];
        format_at(l, at);
        printf("%5u/%s  %-16s %s", port, proto_of(l), name ? name : "-", at);
        if (l->pid)
            printf("  %s (pid %d)", l->name, l->pid);
        putchar('\n');
    }
    if (p->rows == 0 && !p->c->json)
        fprintf(stderr, "hail: ports: nothing listens here\n");
    return p->rows ? STATUS_DONE : STATUS_NO;
}
