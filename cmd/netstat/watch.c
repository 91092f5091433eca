/* watch.c - what opens, closes and changes, as lines with times; netstat.h.
 *
 * Each look lists everything and compares by the kernel's cookie, which is never given twice. What
 * closes between two looks is told at once by the kernel's multicast (TCP and UDP), even when no
 * look saw it open. What a closed connection leaves behind (TIME_WAIT, and FIN_WAIT2 without a
 * process) has a cookie of its own and is no news.
 */
#include "netstat/netstat.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TABLE_MIN    1024
#define DOCUMENT_MAX (64 << 10)

/* A live socket. */
struct seen {
    uint64_t netns, cookie; /* cookie 0: the slot is free */
    uint32_t inode, look;   /* the look that saw it last */
    enum hail_socket_kind kind;
    enum hail_socket_state state;
    bool v6, told; /* told: the lines know of it */
    bool gone;     /* its slot only keeps the way to others */
    char *ends;    /* owned: "127.0.0.1:5 - 127.0.0.1:80" */
    char *process; /* owned: "nginx[12]", or NULL */
};

struct watching {
    struct netstat *n;
    struct seen *v;
    size_t size, used, live; /* slots; slots with a cookie; of these not gone */
    uint32_t look;
    uint32_t *fresh; /* inodes of this look's new sockets, whose processes are not known */
    size_t nfresh, fresh_size;
    bool states;    /* the filter names some: then what is left behind is news, too */
    int news;       /* the multicast, or -1 */
    uint64_t where; /* the namespace that it is of */
    int failed;
    struct hail_buf buf;
};

/* --- the table of live sockets --- */

static size_t slot_of(const struct watching *w, uint64_t netns, uint64_t cookie)
{
    size_t i = (size_t)((cookie * 0x9E3779B97F4A7C15u) >> 20 ^ netns) & (w->size - 1);
    while (w->v[i].cookie && (w->v[i].cookie != cookie || w->v[i].netns != netns))
        i = (i + 1) & (w->size - 1);
    return i;
}

static void forget(struct seen *s)
{
    free(s->ends);
    free(s->process);
    s->ends = s->process = NULL;
    s->gone = true;
}

/* Makes room, and drops what is gone. */
static int rehash(struct watching *w)
{
    struct watching next = {.size = TABLE_MIN, .used = w->live};
    while (next.size < w->live * 4)
        next.size *= 2;
    next.v = calloc(next.size, sizeof *next.v);
    if (!next.v)
        return -ENOMEM;
    for (size_t i = 0; i < w->size; i++)
        if (w->v[i].cookie && !w->v[i].gone)
            next.v[slot_of(&next, w->v[i].netns, w->v[i].cookie)] = w->v[i];
    free(w->v);
    w->v = next.v;
    w->size = next.size;
    w->used = next.used;
    return 0;
}

/* --- telling --- */

static void put_time(const struct watching *w, struct hail_json *j)
{
    struct timespec now;
    struct tm tm;
    char text[40];
    clock_gettime(CLOCK_REALTIME, &now);
    if (j)
        gmtime_r(&now.tv_sec, &tm);
    else
        localtime_r(&now.tv_sec, &tm);
    size_t n = strftime(text, sizeof text, j ? "%Y-%m-%dT%H:%M:%S" : "%H:%M:%S", &tm);
    snprintf(text + n, sizeof text - n, ".%03ld%s", now.tv_nsec / 1000000, j ? "Z" : "");
    if (j)
        hail_json_str(j, "time", text);
    else
        printf("%s%s%s ", paint(w->n->c, "2"), text, paint(w->n->c, "0"));
}

static void put_document(struct watching *w, const char *event, const struct seen *s,
                         enum hail_socket_state before)
{
    struct hail_json j = {.out = &w->buf};
    hail_json_object(&j, NULL);
    hail_json_str(&j, "schema", "hail.netstat.event/1");
    hail_json_str(&j, "event", event);
    put_time(w, &j);
    if (w->n->netns)
        hail_json_int(&j, "netns", (int64_t)s->netns);
    hail_json_str(&j, "kind", hail_socket_kind_name(s->kind));
    hail_json_str(&j, "ends", s->ends);
    hail_json_str(&j, "state", hail_socket_state_name(s->state));
    if (before)
        hail_json_str(&j, "before", hail_socket_state_name(before));
    if (s->process)
        hail_json_str(&j, "process", s->process);
    hail_json_int(&j, "inode", s->inode);
    hail_json_int(&j, "cookie", (int64_t)s->cookie);
    hail_json_end_object(&j);
    w->failed = put_json(&w->buf) ? -EIO : 0;
}

static void tell(struct watching *w, char sign, const struct seen *s, enum hail_socket_state before)
{
    const struct common *c = w->n->c;
    const char *colour = sign == '+' ? "32" : sign == '-' ? "31" : "33";
    if (c->json) {
        put_document(w, sign == '+' ? "opened" : sign == '-' ? "closed" : "changed", s, before);
        return;
    }
    put_time(w, NULL);
    if (w->n->netns)
        printf("netns %llu ", (unsigned long long)s->netns);
    printf("%s%c%s %s%s %s  ", paint(c, colour), sign, paint(c, "0"),
           hail_socket_kind_name(s->kind), s->v6 ? "6" : "", s->ends);
    bool stateless = s->state == HAIL_CLOSE && s->kind != HAIL_KIND_TCP;
    if (before)
        printf("%s -> ", hail_socket_state_name(before));
    if (!stateless && sign != '-')
        printf("%s  ", hail_socket_state_name(s->state));
    printf("%s\n", s->process ? s->process : "");
}

/* --- a look --- */

static char *ends_of(struct netstat *n, const struct hail_socket_info *info)
{
    char local[NETSTAT_ENDPOINT_MAX], peer[NETSTAT_ENDPOINT_MAX], *text;
    netstat_endpoint(n, info, false, local, sizeof local);
    netstat_endpoint(n, info, true, peer, sizeof peer);
    bool alone = strcmp(peer, "*") == 0;
    return asprintf(&text, alone ? "%s" : "%s - %s", local, peer) < 0 ? NULL : text;
}

static bool is_left_behind(const struct hail_socket_info *info)
{
    return info->kind == HAIL_KIND_TCP && info->inode == 0 &&
           (info->state == HAIL_TIME_WAIT || info->state == HAIL_FIN_WAIT2);
}

static int add_fresh(struct watching *w, uint32_t inode)
{
    if (w->nfresh == w->fresh_size) {
        size_t size = w->fresh_size ? w->fresh_size * 2 : 64;
        uint32_t *v = realloc(w->fresh, size * sizeof *v);
        if (!v)
            return -ENOMEM;
        w->fresh = v;
        w->fresh_size = size;
    }
    w->fresh[w->nfresh++] = inode;
    return 0;
}

static int note_new(struct watching *w, struct seen *s, const struct hail_socket_info *info)
{
    *s = (struct seen){.netns = info->netns ? info->netns->inode : 0,
                       .cookie = info->cookie,
                       .inode = info->inode,
                       .look = w->look,
                       .kind = info->kind,
                       .state = info->state,
                       .v6 = info->family == AF_INET6,
                       .ends = ends_of(w->n, info)};
    w->used++;
    w->live++;
    return s->ends ? add_fresh(w, info->inode) : -ENOMEM;
}

static int note(void *arg, const struct hail_socket_info *info)
{
    struct watching *w = arg;
    if (!info->cookie)
        return 0;
    if ((w->used + 1) * 2 > w->size && (w->failed = rehash(w)) < 0)
        return w->failed;
    struct seen *s = &w->v[slot_of(w, info->netns ? info->netns->inode : 0, info->cookie)];
    if (!s->cookie) {
        if (!is_left_behind(info) || w->states)
            w->failed = note_new(w, s, info);
        return w->failed;
    }
    s->look = w->look;
    if (s->gone || s->state == info->state)
        return 0;
    enum hail_socket_state before = s->state;
    s->state = info->state;
    if (info->inode && !s->inode) { /* accepted meanwhile */
        s->inode = info->inode;
        w->failed = add_fresh(w, info->inode);
    }
    tell(w, '~', s, before);
    return w->failed;
}

/* The processes of the new ones, found in one walk that looks for them alone. */
static void find_processes(struct watching *w)
{
    const struct hail_holders_query q = {.inodes = w->fresh, .n = w->nfresh, .first = true};
    char text[300];
    hail_holders_free(w->n->holders);
    w->n->holders = NULL;
    if (w->nfresh && hail_holders_load(&w->n->c->ctx, &q, &w->n->holders) < 0)
        return; /* then without */
    for (size_t i = 0; i < w->size && w->n->holders; i++) {
        struct seen *s = &w->v[i];
        if (s->cookie && !s->gone && !s->process && s->look == w->look &&
            *netstat_holder_name(w->n, s->inode, text, sizeof text))
            s->process = strdup(text);
    }
}

static void tell_gone(struct watching *w)
{
    for (size_t i = 0; i < w->size && !w->failed; i++) {
        struct seen *s = &w->v[i];
        if (!s->cookie || s->gone || s->look == w->look)
            continue;
        tell(w, '-', s, 0);
        forget(s);
        w->live--;
    }
    if (w->look > 1)
        return;
    if (!w->n->c->json) {
        put_time(w, NULL);
        printf("  %zu socket%s; watching\n", w->live, w->live == 1 ? "" : "s");
    }
}

static int look(struct watching *w)
{
    w->look++;
    w->nfresh = 0;
    int rc = netstat_each(w->n, 0, note, w);
    if (rc < 0 || w->failed)
        return rc < 0 && !w->failed ? rc : w->failed;
    find_processes(w);
    for (size_t i = 0; i < w->size && w->look > 1 && w->nfresh && !w->failed; i++) {
        struct seen *s = &w->v[i];
        if (s->cookie && !s->gone && !s->told && s->look == w->look)
            tell(w, '+', s, 0);
    }
    for (size_t i = 0; i < w->size; i++)
        w->v[i].told = true;
    tell_gone(w);
    w->n->quiet = true; /* what cannot be seen was said */
    return w->failed;
}

/* --- the kernel's news --- */

/* Whether one that no look saw would have been listed: by kind, family and filter. */
static bool wanted(const struct watching *w, const struct hail_socket_info *info)
{
    const struct netstat *n = w->n;
    bool named = false, kinds = n->tcp || n->udp || n->udplite || n->raw || n->unix_ || n->sctp;
    if (n->listening || (kinds && !(info->kind == HAIL_KIND_TCP ? n->tcp : n->udp)))
        return false;
    if (n->inet != n->inet6 && (info->family == AF_INET) != n->inet)
        return false;
    if (!n->filter)
        return true;
    hail_socket_filter_states(n->filter, &named);
    return !named && !hail_socket_filter_wants_holders(n->filter) &&
           hail_socket_filter_match(n->filter, info, NULL);
}

static int closed(void *arg, const struct hail_socket_info *info)
{
    struct watching *w = arg;
    struct seen *s = &w->v[slot_of(w, w->where, info->cookie)];
    if (s->cookie && !s->gone) {
        tell(w, '-', s, 0);
        forget(s);
        w->live--;
    } else if (!s->cookie && !is_left_behind(info) && wanted(w, info)) {
        struct seen brief = {.cookie = info->cookie,
                             .netns = w->where,
                             .kind = info->kind,
                             .v6 = info->family == AF_INET6,
                             .state = HAIL_CLOSE,
                             .ends = ends_of(w->n, info)};
        if (brief.ends)
            tell(w, '-', &brief, 0);
        free(brief.ends);
    }
    return w->failed;
}

/* Waits for the next look, telling what closes meanwhile. 0, or -errno. */
static int listen_until(struct watching *w, struct hail_deadline next)
{
    struct hail_ctx ctx = w->n->c->ctx;
    ctx.by = hail_deadline_min(ctx.by, next);
    for (;;) {
        if (fflush(stdout) != 0)
            return -EIO;
        int rc = hail_wait(&ctx, w->news, POLLIN);
        if (rc == -ETIMEDOUT) /* of the look, or of --timeout */
            return w->n->c->ctx.by.ns && hail_deadline_ms(w->n->c->ctx.by) == 0 ? rc : 0;
        if (rc < 0)
            return rc;
        while ((rc = hail_socket_closed_read(&ctx, w->news, closed, w)) == 0)
            ;
        if (rc == -ENOBUFS)
            fputs("netstat: the kernel told of more closing sockets than could be taken; the next "
                  "look tells them\n",
                  stderr);
        else if (rc != -EAGAIN)
            return rc;
    }
}

/* Where the kernel cannot tell, looking has to do. */
static void open_news(struct watching *w)
{
    const unsigned kinds = HAIL_KIND_BIT(HAIL_KIND_TCP) | HAIL_KIND_BIT(HAIL_KIND_UDP);
    struct hail_ctx *ctx = &w->n->c->ctx;
    struct hail_netns other = {.fd = -1};
    bool one = w->n->netns && strcmp(w->n->netns, "all") != 0;
    w->news = -1;
    if (w->n->netns && (!one || hail_netns_open(ctx, w->n->netns, &other) < 0))
        return;
    if (hail_socket_closed_open(ctx, one ? &other : NULL, kinds, &w->news) < 0)
        w->news = -1;
    w->where = one ? other.inode : 0;
    hail_netns_close(&other);
}

int netstat_watch(struct netstat *n)
{
    struct watching w = {.n = n};
    hail_buf_init(&w.buf, DOCUMENT_MAX);
    if (n->filter)
        hail_socket_filter_states(n->filter, &w.states);
    open_news(&w);
    int rc = rehash(&w);
    while (rc == 0 && (rc = look(&w)) == 0)
        rc = listen_until(&w, hail_deadline_in(n->watch_ms));
    for (size_t i = 0; i < w.size; i++)
        forget(&w.v[i]);
    free(w.v);
    free(w.fresh);
    hail_buf_free(&w.buf);
    if (w.news >= 0)
        close(w.news);
    if (rc == -ETIMEDOUT || rc == -ECANCELED || rc == -EIO) /* as asked, or main says why */
        return STATUS_DONE;
    return rc == -ENOMEM ? local_error("watch", "the sockets", ENOMEM) : fail(n->c);
}
