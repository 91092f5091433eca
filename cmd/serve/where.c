/* where.c - where `hail serve` listens, and the URLs that it prints; where.h. */
#include "where.h"
#include "lan.h"

#include "base/error.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_HOST  "127.0.0.1"
#define DEFAULT_HOST6 "[::1]"
#define DEFAULT_PORT  8080
#define PORTS_TRIED   100 /* from DEFAULT_PORT on */

static int add(struct common *c, struct serve_places *p, struct hail_listener *l, int worker,
               bool tls)
{
    if (p->n == p->cap) {
        int cap = p->cap ? 2 * p->cap : 16;
        struct serve_place *v = realloc(p->v, (size_t)cap * sizeof *v);
        if (!v) {
            hail_listener_close(l);
            return hail_fail(&c->ctx, HAIL_LAYER_LOCAL, ENOMEM, "listen", "listen: %s",
                             hail_errno_text(ENOMEM));
        }
        p->v = v;
        p->cap = cap;
    }
    p->v[p->n++] = (struct serve_place){.listener = l, .worker = worker, .tls = tls};
    return 0;
}

/* A client of HTTP speaks first: until it does, the kernel keeps the connection to itself, so that
 * it can be answered as soon as it is accepted. TCP_DEFER_ACCEPT of tcp(7), in seconds. */
static int defer_accept(void *arg, int fd, const struct hail_addr *at)
{
    const int seconds = 1;
    (void)arg;
    if (at->u.sa.sa_family == AF_INET || at->u.sa.sa_family == AF_INET6)
        setsockopt(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &seconds, sizeof seconds);
    return 0;
}

/* Listens at `at`. Another hail could share a port that has SO_REUSEPORT: the first listener is
 * made without it, so that it fails where the port is taken, and shares it afterwards. */
static int listen_at(struct serve *s, const struct hail_endpoint *at, int workers, bool tls,
                     struct serve_places *p)
{
    struct common *c = s->c;
    struct hail_opts opts = {.family = c->family, .prepare = defer_accept};
    struct hail_listener *l;
    int rc = hail_listen(&c->ctx, at, &opts, &l);
    if (rc < 0)
        return rc;
    if (at->kind == HAIL_HOST_UNIX || at->kind == HAIL_HOST_ABSTRACT)
        return add(c, p, l, -1, tls);
    struct hail_endpoint where = *at;
    where.port = hail_listener_at(l).port;
    const int on = 1;
    if (workers > 1 &&
        setsockopt(hail_listener_fd(l), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) < 0)
        workers = 1; /* one loop takes all connections */
    opts.reuseport = true;
    rc = add(c, p, l, 0, tls);
    for (int i = 1; i < workers && rc == 0; i++) {
        rc = hail_listen(&c->ctx, &where, &opts, &l);
        rc = rc < 0 ? rc : add(c, p, l, i, tls);
    }
    return rc;
}

static int listen_by_default(struct serve *s, int workers, struct serve_places *p)
{
    struct common *c = s->c;
    struct hail_endpoint at;
    const char *loopback = c->family == AF_INET6 ? DEFAULT_HOST6 : DEFAULT_HOST;
    int rc = hail_endpoint_parse(&c->ctx, &at, s->o->lan ? "*" : loopback, DEFAULT_PORT);
    if (rc < 0)
        return rc;
    do
        rc = listen_at(s, &at, workers, serve_is_secure(s->o), p);
    while (rc == -EADDRINUSE && ++at.port < DEFAULT_PORT + PORTS_TRIED);
    if (rc == 0 && at.port != DEFAULT_PORT && s->log != SERVE_LOG_OFF)
        fprintf(stderr, "hail: port %d is taken, so this is port %d\n", DEFAULT_PORT, at.port);
    return rc;
}

static int from_inherited(struct serve *s, int n, struct serve_places *p)
{
    struct hail_listener *l;
    int rc = 0;
    for (int i = 0; i < n && rc == 0; i++) {
        rc = hail_listen_of_inherited(&s->c->ctx, i, &l);
        rc = rc < 0 ? rc : add(s->c, p, l, -1, serve_is_secure(s->o));
    }
    return rc;
}

/* The counts have an endpoint of their own, for the first worker. */
static int listen_for_metrics(struct serve *s, struct serve_places *p)
{
    struct hail_endpoint at;
    int before = p->n;
    int rc = hail_endpoint_parse(&s->c->ctx, &at, s->o->metrics, 0);
    rc = rc < 0 ? rc : listen_at(s, &at, 1, false, p);
    if (rc == 0) {
        p->v[before].worker = 0;
        p->v[before].metrics = true;
    }
    return rc;
}

static int listen_to_clients(struct serve *s, int workers, struct serve_places *p)
{
    const struct serve_options *o = s->o;
    struct hail_endpoint at[SERVE_LISTEN];
    bool marked = false; /* "tls:" says where TLS is; without any it is everywhere */
    int inherited = hail_listen_inherited();
    if (!o->nlisten)
        return inherited ? from_inherited(s, inherited, p) : listen_by_default(s, workers, p);
    for (int i = 0; i < o->nlisten; i++) {
        int rc = hail_endpoint_parse(&s->c->ctx, &at[i], o->listen[i], DEFAULT_PORT);
        if (rc < 0)
            return rc;
        marked = marked || at[i].transport == HAIL_TLS;
    }
    if (marked && !serve_is_secure(o))
        return hail_fail(&s->c->ctx, HAIL_LAYER_USAGE, EINVAL, "listen",
                         "listen with TLS: --tls or --tls-cert is needed");
    for (int i = 0; i < o->nlisten; i++) {
        bool tls = marked ? at[i].transport == HAIL_TLS : serve_is_secure(o);
        int rc = listen_at(s, &at[i], workers, tls, p);
        if (rc < 0)
            return rc;
    }
    return 0;
}

int serve_listen(struct serve *s, int workers, struct serve_places *p)
{
    int rc = listen_to_clients(s, workers, p);
    return rc < 0 || !s->o->metrics ? rc : listen_for_metrics(s, p);
}

void serve_places_close(struct serve_places *p)
{
    while (p->n > 0)
        hail_listener_close(p->v[--p->n].listener);
    free(p->v);
    *p = (struct serve_places){0};
}

/* --- what is said --- */

static void url_of(const struct serve_place *p, char *out, size_t size)
{
    struct hail_endpoint at = hail_listener_at(p->listener);
    char text[HAIL_ENDPOINT_MAX];
    const char *scheme = p->tls ? "https" : "http";
    if (at.kind == HAIL_HOST_ANY) {
        snprintf(out, size, "%s://localhost:%u/", scheme, at.port);
        return;
    }
    hail_endpoint_format(&at, text, sizeof text);
    if (at.kind == HAIL_HOST_UNIX || at.kind == HAIL_HOST_ABSTRACT)
        snprintf(out, size, "%s", text);
    else
        snprintf(out, size, "%s://%s/", scheme, text);
}

static int announce_document(const char *url, const char *path, bool metrics)
{
    struct hail_buf b;
    struct hail_json j = {.out = &b};
    hail_buf_init(&b, 65536);
    hail_json_object(&j, NULL);
    hail_json_str(&j, "schema", "hail.serve/1");
    hail_json_str(&j, "kind", metrics ? "metrics" : "listening");
    hail_json_str(&j, "url", url);
    if (!metrics)
        hail_json_str(&j, "path", path);
    hail_json_end_object(&j);
    int status = put_json(&b);
    hail_buf_free(&b);
    return status;
}

/* For other machines: the URL with each of the addresses, the first as a QR Code. */
static void announce_lan(const struct serve *s, const struct serve_place *p)
{
    struct hail_endpoint at = hail_listener_at(p->listener);
    struct lan lan;
    char url[INET6_ADDRSTRLEN + 32];
    lan_addresses(&lan);
    for (int i = 0; i < lan.n; i++) {
        bool six = strchr(lan.v[i], ':') != NULL;
        snprintf(url, sizeof url, "%s://%s%s%s:%u/", p->tls ? "https" : "http", six ? "[" : "",
                 lan.v[i], six ? "]" : "", at.port);
        printf("on the network at %s\n", url);
        if (i == 0)
            lan_qr(s->c, url);
    }
    if (lan.n == 0)
        puts("on no network: this machine has no address but its own");
}

/* The first of the places that a browser can be sent to. */
static void open_browser(const struct serve *s, const struct serve_places *p)
{
    char url[HAIL_ENDPOINT_MAX + 16];
    for (int i = 0; i < p->n; i++) {
        url_of(&p->v[i], url, sizeof url);
        if (!p->v[i].metrics && strncmp(url, "http", 4) == 0) {
            serve_open_browser(s, url);
            return;
        }
    }
}

int serve_announce(const struct serve *s, const struct serve_places *p, const char *path)
{
    char url[HAIL_ENDPOINT_MAX + 16];
    for (int i = 0; i < p->n; i++) {
        if (p->v[i].worker > 0) /* the same endpoint once more */
            continue;
        url_of(&p->v[i], url, sizeof url);
        if (s->c->json) {
            int status = announce_document(url, path, p->v[i].metrics);
            if (status)
                return status;
        } else if (p->v[i].metrics) {
            printf("metrics at %smetrics\n", url);
        } else {
            fputs("serving ", stdout);
            put_safe(stdout, path);
            printf(" at %s\n", url);
            if (s->o->lan)
                announce_lan(s, &p->v[i]);
        }
    }
    if (s->o->open)
        open_browser(s, p);
    return fflush(stdout) == 0 ? 0 : local_error("write", "standard output", errno);
}
