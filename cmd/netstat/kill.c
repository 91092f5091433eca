/* kill.c - closes the sockets that fit the filter, after showing them and asking; netstat.h. The
 * program that holds one sees its connection aborted (ECONNABORTED), the peer a reset. */
#include "netstat/netstat.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DOCUMENT_MAX (64 << 10)

/* One that is to be closed. Its namespace's row is copied: --netns may list several. */
struct victim {
    struct hail_socket_info info;
    struct hail_netns netns;
    char process[200];
};

struct killing {
    struct netstat *n;
    struct victim *v;
    size_t count, size;
    int failed;
};

static int note(void *arg, const struct hail_socket_info *info)
{
    struct killing *k = arg;
    if (k->count == k->size) {
        size_t size = k->size ? k->size * 2 : 16;
        struct victim *v = realloc(k->v, size * sizeof *v);
        if (!v)
            return k->failed = -ENOMEM;
        k->v = v;
        k->size = size;
    }
    struct victim *one = &k->v[k->count++];
    *one = (struct victim){.info = *info};
    one->info.name = NULL; /* what else it points to is gone after this call */
    one->info.tcp = NULL;
    one->info.memory = NULL;
    one->info.congestion = "";
    netstat_holder_name(k->n, info->inode, one->process, sizeof one->process);
    if (info->netns)
        one->netns = *info->netns;
    one->netns.fd = -1;
    return 0;
}

/* TIME_WAIT and listeners only when the words ask for them: -l, or a state in the filter. */
static bool closes(const struct killing *k, const struct hail_socket_info *info)
{
    bool named = false;
    hail_socket_filter_states(k->n->filter, &named);
    if (info->state == HAIL_LISTEN)
        return named || k->n->listening;
    return named || info->state != HAIL_TIME_WAIT;
}

static int note_if(void *arg, const struct hail_socket_info *info)
{
    return closes(arg, info) ? note(arg, info) : 0;
}

static void put_victim(struct killing *k, FILE *f, const struct victim *v, const char *how)
{
    char local[NETSTAT_ENDPOINT_MAX], peer[NETSTAT_ENDPOINT_MAX];
    netstat_endpoint(k->n, &v->info, false, local, sizeof local);
    netstat_endpoint(k->n, &v->info, true, peer, sizeof peer);
    fprintf(f, "%s%s%s %s  %s - %s  %s\n", how, *how ? " " : "",
            hail_socket_kind_name(v->info.kind), hail_socket_state_name(v->info.state), local, peer,
            v->process);
}

/* On standard error, for standard output may be a file. -1: yes. */
static int ask(struct killing *k)
{
    char answer[16] = "";
    if (k->n->yes)
        return -1;
    if (!isatty(STDIN_FILENO))
        return usage_error(k->n->c->cmd, "--kill asks first, and standard input is no terminal; "
                                         "--yes says yes beforehand");
    for (size_t i = 0; i < k->count; i++)
        put_victim(k, stderr, &k->v[i], "");
    fprintf(stderr, "close %s %zu socket%s? [y/N] ", k->count == 1 ? "this" : "these", k->count,
            k->count == 1 ? "" : "s");
    if (!fgets(answer, sizeof answer, stdin) || (answer[0] != 'y' && answer[0] != 'Y')) {
        fputs("nothing was closed\n", stderr);
        return STATUS_NO;
    }
    return -1;
}

static int put_document(struct killing *k, struct victim *v, int rc, struct hail_buf *buf)
{
    struct hail_json j = {.out = buf};
    hail_json_object(&j, NULL);
    hail_json_str(&j, "schema", "hail.netstat.kill/1");
    hail_json_bool(&j, "closed", rc == 0);
    if (rc < 0)
        hail_json_str(&j, "error", k->n->c->ctx.err.msg);
    netstat_json_row(k->n, &j, &v->info);
    hail_json_end_object(&j);
    return put_json(buf);
}

/* 0, or -errno with the error in the context. */
static int close_one(struct killing *k, struct victim *v)
{
    char which[64];
    bool elsewhere = k->n->netns && v->info.netns && !v->netns.own;
    v->info.netns = NULL;
    if (elsewhere) {
        snprintf(which, sizeof which, "%d", v->netns.pid);
        int rc =
            hail_netns_open(&k->n->c->ctx, v->netns.name[0] ? v->netns.name : which, &v->netns);
        if (rc < 0)
            return rc;
        v->info.netns = &v->netns;
    }
    int rc = hail_socket_destroy(&k->n->c->ctx, &v->info);
    hail_netns_close(&v->netns);
    return rc;
}

static int close_all(struct killing *k)
{
    struct hail_buf buf;
    int status = STATUS_DONE;
    hail_buf_init(&buf, DOCUMENT_MAX);
    for (size_t i = 0; i < k->count; i++) {
        struct victim *v = &k->v[i];
        int rc = close_one(k, v);
        if (k->n->c->json && put_document(k, v, rc, &buf))
            status = STATUS_LOCAL;
        if (rc == 0 && !k->n->c->json)
            put_victim(k, stdout, v, "closed");
        if (rc < 0) {
            char local[NETSTAT_ENDPOINT_MAX], peer[NETSTAT_ENDPOINT_MAX];
            fflush(stdout);
            fprintf(stderr, "hail: netstat: %s - %s: %s\n",
                    netstat_endpoint(k->n, &v->info, false, local, sizeof local),
                    netstat_endpoint(k->n, &v->info, true, peer, sizeof peer),
                    k->n->c->ctx.err.msg);
            status = STATUS_LOCAL;
        }
    }
    hail_buf_free(&buf);
    return status;
}

int netstat_kill(struct netstat *n)
{
    struct killing k = {.n = n};
    if (!n->filter)
        return usage_error(n->c->cmd, "--kill wants a filter: what is to be closed");
    if (!n->tcp && !n->udp)
        n->tcp = true;
    n->udplite = n->sctp = n->raw = n->unix_ = n->mptcp = n->packet = n->netlink = n->vsock = false;
    if (n->all_protocols) /* -4 alone means them all */
        n->udp = false;
    n->programs = true;
    int status, rc = netstat_each(n, 0, note_if, &k);
    if (k.failed)
        status = local_error("list", "the sockets", -k.failed);
    else if (rc < 0)
        status = fail(n->c);
    else if (k.count == 0) {
        fputs("hail: netstat: no socket fits the filter\n", stderr);
        status = STATUS_NO;
    } else {
        status = ask(&k);
        status = status < 0 ? close_all(&k) : status;
    }
    free(k.v);
    return status;
}
