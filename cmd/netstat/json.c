/* json.c - a row as a JSON document of schema hail.netstat/1, which the manual describes;
 * netstat.h. A field that the kernel did not give is left out, not null. */
#include "netstat/netstat.h"

#include <arpa/inet.h>
#include <string.h>

#define DOCUMENT_MAX (256 << 10) /* bytes; a socket with a thousand holders has as many entries */

static const char *type_name(int type)
{
    static const char *const names[] = {"", "stream", "datagram", "raw", "rdm", "seqpacket"};
    return type > 0 && (size_t)type < sizeof names / sizeof *names ? names[type] : "unknown";
}

/* --- who holds it --- */

static void put_holders(struct netstat *n, struct hail_json *j, uint32_t inode)
{
    struct hail_holder one;
    hail_json_array(j, "processes");
    for (size_t i = 0; hail_holder_get(n->holders, inode, i, &one); i++) {
        hail_json_object(j, NULL);
        hail_json_int(j, "pid", one.process->pid);
        hail_json_str(j, "name", one.process->name);
        hail_json_str(j, "program", one.process->program);
        hail_json_int(j, "fd", one.fd);
        hail_json_int(j, "uid", one.process->uid);
        hail_json_end_object(j);
    }
    hail_json_end_array(j);
}

/* --- the two ends --- */

static void put_inet(struct hail_json *j, const struct hail_addr *a)
{
    char text[INET6_ADDRSTRLEN], zone[IF_NAMESIZE];
    bool v4 = a->u.sa.sa_family == AF_INET;
    inet_ntop(a->u.sa.sa_family,
              v4 ? (const void *)&a->u.in4.sin_addr : (const void *)&a->u.in6.sin6_addr, text,
              sizeof text);
    hail_json_str(j, "address", text);
    hail_json_int(j, "port", hail_addr_port(a));
    if (!v4 && a->u.in6.sin6_scope_id && if_indextoname(a->u.in6.sin6_scope_id, zone))
        hail_json_str(j, "zone", zone);
}

static void put_unix(struct hail_json *j, const struct hail_socket_info *row)
{
    if (!row->name)
        return;
    if (row->name[0])
        hail_json_bytes(j, "path", row->name, row->name_len);
    else
        hail_json_bytes(j, "abstract", row->name + 1, row->name_len - 1);
}

static void put_end(struct netstat *n, struct hail_json *j, const struct hail_socket_info *row,
                    bool peer)
{
    if (row->family == AF_PACKET || row->family == AF_NETLINK) {
        if (!peer && row->family == AF_NETLINK) {
            hail_json_str(j, "netlink", netstat_netlink_name(row->protocol));
            hail_json_int(j, "port_id", row->port_id);
            hail_json_int(j, "groups", row->groups);
        }
        return;
    }
    hail_json_object(j, peer ? "peer" : "local");
    if (row->family == AF_UNIX && peer) {
        hail_json_int(j, "inode", row->peer_inode);
        if (n->holders)
            put_holders(n, j, row->peer_inode);
    } else if (row->family == AF_UNIX)
        put_unix(j, row);
    else if (row->family == AF_VSOCK) {
        hail_json_int(j, "cid", peer ? row->peer_cid : row->cid);
        hail_json_int(j, "port", peer ? row->peer_port : row->port);
    } else
        put_inet(j, peer ? &row->peer : &row->local);
    hail_json_end_object(j);
}

static bool has_peer(const struct hail_socket_info *row)
{
    if (row->family == AF_UNIX)
        return row->peer_inode != 0;
    if (row->family == AF_VSOCK)
        return row->peer_port != UINT32_MAX && row->state != HAIL_LISTEN;
    return hail_addr_port(&row->peer) != 0;
}

/* --- what goes with --memory, --options, --info, --cgroup --- */

static void put_timer(struct hail_json *j, const struct hail_socket_info *row)
{
    static const char *const names[] = {"none", "retransmit", "keepalive", "time_wait", "probe"};
    if (row->timer == HAIL_TIMER_NONE && !row->retransmits && !row->probes)
        return;
    hail_json_object(j, "timer");
    hail_json_str(j, "name", names[row->timer]);
    hail_json_int(j, "ms", row->timer_ms);
    hail_json_int(j, "retransmits", row->retransmits);
    hail_json_int(j, "probes", row->probes);
    hail_json_end_object(j);
}

static void put_memory(struct hail_json *j, const struct hail_socket_memory *m)
{
    hail_json_object(j, "memory");
    hail_json_int(j, "receive_used", m->receive_used);
    hail_json_int(j, "receive_max", m->receive_max);
    hail_json_int(j, "send_used", m->send_used);
    hail_json_int(j, "send_max", m->send_max);
    hail_json_int(j, "forward", m->forward);
    hail_json_int(j, "queued", m->queued);
    hail_json_int(j, "options", m->options);
    hail_json_int(j, "backlog", m->backlog);
    hail_json_int(j, "drops", m->drops);
    hail_json_end_object(j);
}

static const char *const option_names[] = {
    "recverr",         "is_icsk",       "freebind",
    "hdrincl",         "mc_loop",       "transparent",
    "mc_all",          "nodefrag",      "bind_address_no_port",
    "recverr_rfc4884", "defer_connect",
};

const char *netstat_option_name(unsigned bit)
{
    return bit < sizeof option_names / sizeof *option_names ? option_names[bit] : NULL;
}

static void put_options(struct hail_json *j, const struct hail_socket_info *row)
{
    const char *name;
    hail_json_array(j, "options");
    for (unsigned i = 0; (name = netstat_option_name(i)) != NULL; i++)
        if (row->options & 1u << i)
            hail_json_str(j, NULL, name);
    hail_json_end_array(j);
    if (row->family == AF_INET6)
        hail_json_bool(j, "v6only", row->v6only);
    hail_json_int(j, "tos", row->tos);
    if (row->family == AF_INET6)
        hail_json_int(j, "tclass", row->tclass);
    hail_json_int(j, "mark", row->mark);
    hail_json_int(j, "shutdown", row->shutdown);
}

static void put_cgroup(struct hail_json *j, uint64_t id)
{
    char path[1024], unit[256];
    hail_json_object(j, "cgroup");
    hail_json_int(j, "id", (int64_t)id);
    if (hail_cgroup_path(id, path, sizeof path) == 0) {
        hail_cgroup_unit(path, unit, sizeof unit);
        hail_json_str(j, "path", path);
        hail_json_str(j, "unit", unit);
    }
    hail_json_end_object(j);
}

static void put_netns(struct hail_json *j, const struct hail_netns *netns)
{
    hail_json_object(j, "netns");
    hail_json_int(j, "inode", (int64_t)netns->inode);
    if (netns->name[0])
        hail_json_str(j, "name", netns->name);
    if (netns->pid)
        hail_json_int(j, "pid", netns->pid);
    hail_json_bool(j, "own", netns->own);
    hail_json_end_object(j);
}

/* --- the row --- */

static void put_basics(struct netstat *n, struct hail_json *j, const struct hail_socket_info *row)
{
    char zone[IF_NAMESIZE];
    hail_json_str(j, "kind", hail_socket_kind_name(row->kind));
    if (row->kind < HAIL_KIND_UNIX)
        hail_json_str(j, "family", row->family == AF_INET6 ? "inet6" : "inet");
    hail_json_str(j, "type", type_name(row->type));
    if (row->kind == HAIL_KIND_RAW || row->kind == HAIL_KIND_PACKET)
        hail_json_int(j, "protocol", row->protocol);
    hail_json_str(j, "state", hail_socket_state_name(row->state));
    put_end(n, j, row, false);
    if (has_peer(row))
        put_end(n, j, row, true);
    if (row->interface && if_indextoname(row->interface, zone))
        hail_json_str(j, "interface", zone);
    hail_json_int(j, "recv_q", row->recv_q);
    hail_json_int(j, "send_q", row->send_q);
    hail_json_int(j, "inode", row->inode);
    hail_json_int(j, "uid", row->uid);
    hail_json_str(j, "user", netstat_user(n, row->uid));
    hail_json_int(j, "cookie", (int64_t)row->cookie);
}

void netstat_json_row(struct netstat *n, struct hail_json *j, const struct hail_socket_info *row)
{
    if (n->netns && row->netns)
        put_netns(j, row->netns);
    put_basics(n, j, row);
    put_timer(j, row);
    if (row->has & HAIL_HAS_REFERENCES)
        hail_json_int(j, "references", row->references);
    if (n->holders)
        put_holders(n, j, row->inode);
    if (row->has & HAIL_HAS_MEMORY)
        put_memory(j, row->memory);
    if (row->has & HAIL_HAS_OPTIONS)
        put_options(j, row);
    if (n->cgroup && row->has & HAIL_HAS_CGROUP)
        put_cgroup(j, row->cgroup);
    if (row->has & HAIL_HAS_TCP_INFO)
        netstat_json_tcp_info(j, row->tcp, row->congestion);
}

struct output {
    struct netstat *n;
    struct hail_buf buf;
    int status;
};

static int put(void *arg, const struct hail_socket_info *row)
{
    struct output *o = arg;
    struct hail_json j = {.out = &o->buf};
    hail_json_object(&j, NULL);
    hail_json_str(&j, "schema", NETSTAT_SCHEMA);
    netstat_json_row(o->n, &j, row);
    hail_json_end_object(&j);
    o->status = put_json(&o->buf);
    return o->status;
}

int netstat_json(struct netstat *n)
{
    struct output o = {.n = n};
    hail_buf_init(&o.buf, DOCUMENT_MAX);
    int rc = netstat_each(n, 0, put, &o);
    hail_buf_free(&o.buf);
    return rc < 0 ? fail(n->c) : o.status;
}
