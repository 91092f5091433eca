/* details.c - the lines below a row of the table: TCP's figures, memory, options, holders;
 * table.h. */
#include "netstat/table.h"

#include <string.h>

static const char indent[] = "       ";

/* "1.5 MB/s" of bytes a second; decimal, as links are counted. */
static const char *rate(uint64_t v, char out[32])
{
    static const char *const units[] = {"B/s", "kB/s", "MB/s", "GB/s", "TB/s"};
    double x = (double)v;
    size_t unit = 0;
    for (; x >= 1000 && unit < 4; unit++)
        x /= 1000;
    snprintf(out, 32, x < 10 && unit ? "%.1f %s" : "%.0f %s", x, units[unit]);
    return out;
}

static void put_info(const struct hail_socket_info *info, struct hail_buf *out)
{
    const struct hail_tcp_info *t = info->tcp;
    char a[32], b[32];
    hail_buf_printf(out, "%s%s  rtt %.3f/%.3f ms  rto %u ms  cwnd %u  mss %u", indent,
                    *info->congestion ? info->congestion : "-", t->rtt / 1000.0, t->rttvar / 1000.0,
                    t->rto / 1000, t->snd_cwnd, t->snd_mss);
    if (t->min_rtt && t->min_rtt != UINT32_MAX)
        hail_buf_printf(out, "  min rtt %.3f ms", t->min_rtt / 1000.0);
    hail_buf_printf(out, "\n%ssent %llu  acked %llu  received %llu bytes", indent,
                    (unsigned long long)t->bytes_sent, (unsigned long long)t->bytes_acked,
                    (unsigned long long)t->bytes_received);
    hail_buf_printf(out, "  retransmitted %u segments, %llu bytes", t->total_retrans,
                    (unsigned long long)t->bytes_retrans);
    if (t->unacked || t->lost || t->notsent_bytes)
        hail_buf_printf(out, "  unacked %u  lost %u  unsent %u bytes", t->unacked, t->lost,
                        t->notsent_bytes);
    hail_buf_printf(out, "\n%sdelivery %s  pacing %s", indent, rate(t->delivery_rate, a),
                    t->pacing_rate == UINT64_MAX ? "unlimited" : rate(t->pacing_rate, b));
    hail_buf_printf(out, "  busy %llu ms  limited by the peer's window %llu, by the buffer %llu ms",
                    (unsigned long long)t->busy_time / 1000,
                    (unsigned long long)t->rwnd_limited / 1000,
                    (unsigned long long)t->sndbuf_limited / 1000);
    hail_buf_printf(out, "\n%slast sent %u ms ago, received %u ms ago\n", indent,
                    t->last_data_sent_ms, t->last_data_recv_ms);
}

static void put_memory(const struct hail_socket_memory *m, struct hail_buf *out)
{
    hail_buf_printf(out, "%sreceive buffer %u of %u bytes  send buffer %u of %u  queued %u", indent,
                    m->receive_used, m->receive_max, m->send_used, m->send_max, m->queued);
    hail_buf_printf(out, "  reserved %u  options %u  backlog %u  drops %u\n", m->forward,
                    m->options, m->backlog, m->drops);
}

static void put_options(const struct hail_socket_info *info, struct hail_buf *out)
{
    const char *name;
    hail_buf_str(out, indent);
    hail_buf_str(out, "options");
    for (unsigned i = 0; (name = netstat_option_name(i)) != NULL; i++)
        if (info->options & 1u << i)
            hail_buf_printf(out, " %s", name);
    if (info->v6only)
        hail_buf_str(out, " v6only");
    hail_buf_printf(out, "  tos 0x%02x", info->tos);
    if (info->family == AF_INET6)
        hail_buf_printf(out, "  tclass 0x%02x", info->tclass);
    if (info->mark)
        hail_buf_printf(out, "  mark 0x%x", info->mark);
    static const char *const shut[] = {"", "  shut down: receive", "  shut down: send",
                                       "  shut down: both"};
    hail_buf_printf(out, "%s\n", shut[info->shutdown & 3]);
}

static void put_timer(const struct hail_socket_info *info, struct hail_buf *out)
{
    static const char *const names[] = {"none", "retransmit", "keepalive", "time wait", "probe"};
    hail_buf_printf(out, "%stimer %s", indent, names[info->timer]);
    if (info->timer)
        hail_buf_printf(out, " in %.2f s", info->timer_ms / 1000.0);
    hail_buf_printf(out, "  retransmits %u  probes %u\n", info->retransmits, info->probes);
}

static void put_holders(struct netstat *n, uint32_t inode, struct hail_buf *out)
{
    struct hail_holder one;
    for (size_t i = 0; hail_holder_get(n->holders, inode, i, &one); i++) {
        char name[160], user[160];
        const char *who = netstat_user(n, one.process->uid);
        hail_text_safe_into(name, sizeof name, one.process->name, strlen(one.process->name));
        hail_text_safe_into(user, sizeof user, who, strlen(who));
        hail_buf_printf(out, "%s%s  pid %d  fd %d  user %s\n", indent, name, one.process->pid,
                        one.fd, user);
    }
}

void netstat_details(struct netstat *n, const struct hail_socket_info *info, struct hail_buf *out)
{
    char path[1024], safe[2048];
    if (n->info && info->tcp && info->state != HAIL_LISTEN)
        put_info(info, out);
    if (n->memory && info->memory)
        put_memory(info->memory, out);
    if (n->options && info->has & HAIL_HAS_OPTIONS)
        put_options(info, out);
    if (n->timers && info->kind == HAIL_KIND_TCP)
        put_timer(info, out);
    if (n->cgroup && info->has & HAIL_HAS_CGROUP &&
        hail_cgroup_path(info->cgroup, path, sizeof path) == 0) {
        hail_text_safe_into(safe, sizeof safe, path, strlen(path));
        hail_buf_printf(out, "%scgroup %s\n", indent, safe);
    }
    if (n->processes && n->holders)
        put_holders(n, info->inode, out);
}
