/* other_diag.c - messages about Unix, packet, netlink and vsock sockets into rows; diag/rows.h. */
#include "diag/netlink.h"
#include "diag/rows.h"

#include <errno.h>
#include <linux/netlink_diag.h>
#include <linux/packet_diag.h>
#include <linux/unix_diag.h>
#include <linux/vm_sockets_diag.h>
#include <string.h>

static uint64_t cookie_of(const uint32_t v[2])
{
    return v[0] | (uint64_t)v[1] << 32;
}

/* A row of which only the kind stays. */
static void begin(struct hail_diag_row *row, int family, int type)
{
    row->info = (struct hail_socket_info){.kind = row->info.kind,
                                          .netns = row->info.netns,
                                          .family = family,
                                          .type = type,
                                          .state = HAIL_CLOSE,
                                          .congestion = ""};
}

static struct hail_nl attributes(const void *payload, size_t n, size_t head)
{
    head = (head + 3) & ~(size_t)3;
    return (struct hail_nl){(const char *)payload + head, n > head ? n - head : 0};
}

/* A name from the kernel: a path may or may not end in NUL, an abstract one begins with it. */
static void set_name(struct hail_diag_row *row, const void *name, size_t n)
{
    n = n < sizeof row->name ? n : sizeof row->name;
    if (n == 0)
        return;
    memcpy(row->name, name, n);
    row->info.name = row->name;
    row->info.name_len = row->name[0] ? strnlen(row->name, n) : n;
}

static void unix_attribute(const struct hail_nl_attr *a, struct hail_diag_row *row)
{
    struct hail_socket_info *info = &row->info;
    uint32_t queues[2];
    switch (a->type) {
    case UNIX_DIAG_NAME:
        set_name(row, a->data, a->len);
        break;
    case UNIX_DIAG_PEER:
        if (hail_nl_u32(a, &info->peer_inode))
            info->has |= HAIL_HAS_PEER;
        break;
    case UNIX_DIAG_RQLEN:
        if (a->len == sizeof queues) {
            memcpy(queues, a->data, sizeof queues);
            info->recv_q = queues[0];
            info->send_q = queues[1];
        }
        break;
    case UNIX_DIAG_MEMINFO:
        hail_diag_memory(a, row);
        break;
    case UNIX_DIAG_SHUTDOWN:
        hail_nl_u8(a, &info->shutdown);
        break;
    case UNIX_DIAG_UID:
        hail_nl_u32(a, &info->uid);
        break;
    default:
        break;
    }
}

int hail_unix_diag_row(const void *payload, size_t n, unsigned want, struct hail_diag_row *row)
{
    struct unix_diag_msg m;
    if (n < sizeof m)
        return -EBADMSG;
    memcpy(&m, payload, sizeof m);
    begin(row, AF_UNIX, m.udiag_type);
    row->info.state = (enum hail_socket_state)m.udiag_state;
    row->info.inode = m.udiag_ino;
    row->info.cookie = cookie_of(m.udiag_cookie);
    struct hail_nl rest = attributes(payload, n, sizeof m);
    struct hail_nl_attr a;
    while (hail_nl_attr(&rest, &a))
        unix_attribute(&a, row);
    row->info.has |= want & HAIL_HAS_OPTIONS;
    return 0;
}

static void packet_attribute(const struct hail_nl_attr *a, struct hail_diag_row *row)
{
    struct packet_diag_info pdi;
    switch (a->type) {
    case PACKET_DIAG_INFO:
        if (a->len >= sizeof pdi) {
            memcpy(&pdi, a->data, sizeof pdi);
            row->info.interface = pdi.pdi_index;
        }
        break;
    case PACKET_DIAG_UID:
        hail_nl_u32(a, &row->info.uid);
        break;
    case PACKET_DIAG_MEMINFO:
        hail_diag_memory(a, row);
        row->info.recv_q = row->memory.receive_used;
        break;
    default:
        break;
    }
}

int hail_packet_diag_row(const void *payload, size_t n, unsigned want, struct hail_diag_row *row)
{
    struct packet_diag_msg m;
    (void)want;
    if (n < sizeof m)
        return -EBADMSG;
    memcpy(&m, payload, sizeof m);
    begin(row, AF_PACKET, m.pdiag_type);
    row->info.protocol = m.pdiag_num;
    row->info.inode = m.pdiag_ino;
    row->info.cookie = cookie_of(m.pdiag_cookie);
    struct hail_nl rest = attributes(payload, n, sizeof m);
    struct hail_nl_attr a;
    while (hail_nl_attr(&rest, &a))
        packet_attribute(&a, row);
    return 0;
}

int hail_netlink_diag_row(const void *payload, size_t n, unsigned want, struct hail_diag_row *row)
{
    struct netlink_diag_msg m;
    (void)want;
    if (n < sizeof m)
        return -EBADMSG;
    memcpy(&m, payload, sizeof m);
    begin(row, AF_NETLINK, m.ndiag_type);
    row->info.protocol = m.ndiag_protocol;
    row->info.inode = m.ndiag_ino;
    row->info.cookie = cookie_of(m.ndiag_cookie);
    row->info.port_id = m.ndiag_portid;
    row->info.state = m.ndiag_dst_portid ? HAIL_ESTABLISHED : HAIL_CLOSE;
    struct hail_nl rest = attributes(payload, n, sizeof m);
    struct hail_nl_attr a;
    while (hail_nl_attr(&rest, &a)) {
        if (a.type == NETLINK_DIAG_MEMINFO) {
            hail_diag_memory(&a, row);
            row->info.recv_q = row->memory.receive_used;
        } else if (a.type == NETLINK_DIAG_GROUPS && a.len >= sizeof row->info.groups) {
            memcpy(&row->info.groups, a.data, sizeof row->info.groups);
        }
    }
    return 0;
}

int hail_vsock_diag_row(const void *payload, size_t n, unsigned want, struct hail_diag_row *row)
{
    struct vsock_diag_msg m;
    (void)want;
    if (n < sizeof m)
        return -EBADMSG;
    memcpy(&m, payload, sizeof m);
    begin(row, AF_VSOCK, m.vdiag_type);
    row->info.state = (enum hail_socket_state)m.vdiag_state;
    row->info.shutdown = m.vdiag_shutdown;
    row->info.cid = m.vdiag_src_cid;
    row->info.port = m.vdiag_src_port;
    row->info.peer_cid = m.vdiag_dst_cid;
    row->info.peer_port = m.vdiag_dst_port;
    row->info.inode = m.vdiag_ino;
    row->info.cookie = cookie_of(m.vdiag_cookie);
    return 0;
}
