/* legacy_unix.c - net-tools' list of Unix sockets; netstat.h. From /proc/net/unix, the only place
 * that has RefCnt. net-tools ends a path at its first blank; hail shows it whole. */
#include "netstat/netstat.h"
#include "netstat/row.h"

static const char *type_of(int type)
{
    switch (type) {
    case SOCK_STREAM:
        return "STREAM";
    case SOCK_DGRAM:
        return "DGRAM";
    case SOCK_RAW:
        return "RAW";
    case SOCK_RDM:
        return "RDM";
    case SOCK_SEQPACKET:
        return "SEQPACKET";
    default:
        return "UNKNOWN";
    }
}

static const char *state_of(enum hail_socket_state state)
{
    switch (state) {
    case HAIL_LISTEN:
        return "LISTENING";
    case HAIL_CLOSE:
        return "";
    case HAIL_SYN_SENT:
        return "CONNECTING";
    case HAIL_ESTABLISHED:
        return "CONNECTED";
    case HAIL_CLOSING:
        return "DISCONNECTING";
    default:
        return "UNKNOWN";
    }
}

/* The path on one line: on a terminal made safe, else its bytes with control characters shown. */
static void put_path(struct netstat *n, struct row *r, const struct hail_socket_info *info)
{
    char path[sizeof((struct sockaddr_un *)0)->sun_path], safe[1100];
    size_t len = info->name_len < sizeof path ? info->name_len : sizeof path;
    for (size_t i = 0; i < len; i++) /* as the kernel prints them: NUL is @ */
        path[i] = info->name[i] ? info->name[i] : '@';
    bool control = false;
    for (size_t i = 0; i < len; i++)
        control |= (unsigned char)path[i] < ' ' || path[i] == 0x7f;
    if (!control && !n->c->terminal) {
        row_put(r, path, len);
        return;
    }
    hail_text_safe_into(safe, sizeof safe, path, len);
    row_str(r, safe);
}

static int put(void *arg, const struct hail_socket_info *info)
{
    struct netstat *n = arg;
    struct row r;
    bool listens = info->state == HAIL_LISTEN;
    if (!n->all && listens != n->listening)
        return 0;
    row_begin(&r);
    row_left(&r, info->protocol == 0 ? "unix" : "??", 5);
    row_str(&r, " ");
    row_number(&r, info->references, 6, 1);
    row_str(&r, " ");
    row_left(&r, listens ? "[ ACC ]" : "[ ]", 11);
    row_str(&r, " ");
    row_left(&r, type_of(info->type), 10);
    row_str(&r, " ");
    row_left(&r, state_of(info->state), 13);
    row_str(&r, " ");
    row_number(&r, info->inode, 8, 1);
    netstat_legacy_program(n, &r, info->inode);
    row_str(&r, " ");
    put_path(n, &r, info);
    row_str(&r, "\n");
    fwrite_unlocked(r.line, 1, (size_t)(r.p - r.line), stdout);
    return 0;
}

int netstat_legacy_unix(struct netstat *n)
{
    struct hail_diag_gaps gaps = {0};
    const struct hail_socket_query q = {.kinds = HAIL_KIND_BIT(HAIL_KIND_UNIX),
                                        .states = HAIL_STATES_ALL,
                                        .want = HAIL_HAS_REFERENCES,
                                        .filter = n->filter,
                                        .holders = n->holders};
    int rc = hail_sockets_each(&n->c->ctx, &q, &gaps, put, n);
    if (rc < 0)
        return fail(n->c);
    if (!(gaps.no_module | gaps.denied))
        return 0;
    if (n->chosen || n->verbose)
        netstat_unsupported("AF UNIX");
    return n->chosen ? NETSTAT_FAILED : 0;
}
