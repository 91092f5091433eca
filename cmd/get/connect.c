/* connect.c - the connection for an exchange: one that is idle, or a new one.
 *
 * An idle connection on which there is something to read was closed by the server, or is out of
 * step: it is not used again.
 */
#include "get.h"

#include "base/error.h"

#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static void destroy(struct get_conn *conn)
{
    if (!conn)
        return;
    hail_close(conn->stream);
    hail_buf_free(&conn->ahead);
    hail_buf_free(&conn->rest);
    free(conn->attempts);
    free(conn->key);
    free(conn);
}

/* close_notify, if it can go at once. */
static void say_goodbye(struct get_session *s, struct get_conn *conn)
{
    struct hail_tls_info info;
    if (hail_tls_info(conn->stream, &info) == 0) {
        struct hail_error err = s->c.ctx.err;
        hail_try_shutdown(&s->c.ctx, conn->stream);
        s->c.ctx.err = err;
    }
}

void get_conn_close(struct get_session *s)
{
    if (s->conn && s->hop && s->hop->complete)
        say_goodbye(s, s->conn);
    destroy(s->conn);
    s->conn = NULL;
}

void get_conn_close_idle(struct get_session *s)
{
    while (s->idle) {
        struct get_conn *conn = s->idle;
        s->idle = conn->next;
        say_goodbye(s, conn);
        destroy(conn);
    }
}

void get_conn_keep(struct get_session *s)
{
    struct get_conn **last = &s->idle;
    size_t n = 1;
    s->conn->next = s->idle;
    s->idle = s->conn;
    s->conn = NULL;
    for (; *last && n <= GET_IDLE; last = &(*last)->next)
        n++;
    if (*last) {
        destroy(*last); /* the one that was used longest ago; it is the last */
        *last = NULL;
    }
}

/* Whether the server has said nothing since. A byte of it is out of step; for TLS, tickets may have
 * come, which only the layer can tell. */
static bool silent(struct get_session *s, struct get_conn *conn)
{
    struct pollfd p = {.fd = hail_stream_fd(conn->stream), .events = POLLIN};
    if (conn->ahead.len || poll(&p, 1, 0) == 0)
        return true;
    struct hail_error err = s->c.ctx.err;
    char byte;
    bool quiet = hail_try_read(&s->c.ctx, conn->stream, &byte, 1) == -EAGAIN;
    s->c.ctx.err = err;
    return quiet;
}

static bool take_idle(struct get_session *s)
{
    for (struct get_conn **at = &s->idle; *at;) {
        struct get_conn *conn = *at;
        if (strcmp(conn->key, s->route.key) != 0) {
            at = &conn->next;
            continue;
        }
        *at = conn->next;
        if (silent(s, conn)) {
            s->conn = conn;
            return true;
        }
        destroy(conn);
    }
    return false;
}

/* --- a new one --- */

/* --interface: a device's name, or an address or host of this machine. */
static int bind_device(void *arg, int fd, const struct hail_addr *at)
{
    const char *name = arg;
    if (at->u.sa.sa_family == AF_UNIX)
        return 0;
    return setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, (socklen_t)strlen(name)) < 0 ? -errno
                                                                                          : 0;
}

static int interface(struct get_session *s, struct hail_opts *opts, struct hail_endpoint *from)
{
    const char *name = s->asked->interface;
    bool device = strncmp(name, "if!", 3) == 0, host = strncmp(name, "host!", 5) == 0;
    name += device ? 3 : host ? 5 : 0;
    if (device || (!host && if_nametoindex(name))) {
        opts->prepare = bind_device;
        opts->arg = (void *)(uintptr_t)name;
        return 0;
    }
    char text[HAIL_ENDPOINT_MAX];
    snprintf(text, sizeof text, strchr(name, ':') ? "[%s]:0" : "%s:0", name);
    struct hail_addrs addrs;
    int rc = hail_endpoint_parse(&s->c.ctx, from, text, 0);
    rc = rc < 0 ? rc : hail_resolve(&s->c.ctx, from, NULL, &addrs);
    if (rc < 0)
        return hail_fail(&s->c.ctx, HAIL_LAYER_USAGE, EINVAL, "get",
                         "--interface '%s': neither an interface nor an address of this machine",
                         name);
    *from = hail_endpoint_of(&addrs.v[0].addr);
    hail_addrs_free(&addrs);
    opts->from = from;
    return 0;
}

static double reach_s(const struct get_session *s)
{
    return s->asked->connect_s > 0 ? s->asked->connect_s : GET_REACH_S;
}

/* Every address that was tried, also when it came to nothing. */
static void tried(struct get_session *s, struct get_conn *conn)
{
    size_t n = 0;
    const struct hail_attempt *v = hail_stream_attempts(conn->stream, &n);
    conn->attempts = n ? calloc(n, sizeof *v) : NULL;
    if (conn->attempts) {
        memcpy(conn->attempts, v, n * sizeof *v);
        conn->nattempts = n;
        conn->dialled_ns = v[0].start_ns;
    }
    conn->peer = hail_peer(conn->stream);
    conn->local = hail_local(conn->stream);
    char text[HAIL_ENDPOINT_MAX];
    hail_endpoint_format(&conn->peer, text, sizeof text);
    get_verbose(s, "connected to %s", text);
}

/* The status with which an HTTP proxy answered CONNECT; 0: there was none. */
static int tunnel_status(const struct get_session *s, int rc)
{
    enum hail_proxy_kind kind = s->route.proxy.kind;
    int detail = s->c.ctx.err.detail;
    if (!s->route.has_proxy || (kind != HAIL_PROXY_HTTP && kind != HAIL_PROXY_HTTPS))
        return 0;
    return rc == 0 ? 200 : detail >= 100 && detail <= 999 ? detail : 0;
}

static int dial(struct get_session *s, struct get_conn *conn)
{
    struct hail_opts opts = {.family = s->c.family};
    struct hail_endpoint from;
    if (s->route.has_proxy)
        opts.proxy = &s->route.proxy;
    int rc = s->asked->interface ? interface(s, &opts, &from) : 0;
    if (rc < 0)
        return rc;
    get_allow(s, reach_s(s));
    conn->start_ns = hail_now();
    if (s->asked->verbose) {
        char text[HAIL_ENDPOINT_MAX];
        hail_endpoint_format(&s->route.to, text, sizeof text);
        get_verbose(s, "trying %s%s", text, s->route.has_proxy ? " through the proxy" : "");
    }
    rc = hail_dial(&s->c.ctx, &s->route.to, &opts, &conn->stream);
    s->hop->tunnel_status = tunnel_status(s, rc);
    if (rc < 0)
        return get_explain_timeout(s, rc, reach_s(s), "no connection");
    conn->connected_ns = hail_now();
    conn->dialled_ns = conn->start_ns;
    tried(s, conn);
    return 0;
}

/* --- TLS --- */

/* One configuration for all connections, so that sessions are resumed. */
static int tls_config(struct get_session *s)
{
    const struct get_asked *a = s->asked;
    const struct hail_tls_opts opts = {.ca_file = a->cacert,
                                       .ca_dir = a->capath,
                                       .cert_file = a->cert,
                                       .key_file = a->key,
                                       .alpn = a->http10 ? "http/1.0" : "http/1.1",
                                       .min_version = a->tls_version,
                                       .insecure_certificate = a->insecure};
    return s->tls ? 0 : hail_tls_config_new(&s->c.ctx, false, &opts, &s->tls);
}

static int secure(struct get_session *s, struct get_conn *conn, const char *name)
{
    int rc = tls_config(s);
    if (rc == 0)
        rc = hail_tls_client_with(&s->c.ctx, &conn->stream, name, s->tls);
    if (rc < 0)
        return get_explain_timeout(s, rc, reach_s(s), "no TLS");
    conn->tls_ns = hail_now();
    struct hail_tls_info info;
    if (s->asked->verbose && hail_tls_info(conn->stream, &info) == 0) {
        get_verbose(s, "%s, %s%s%s", info.version, info.cipher, info.resumed ? ", resumed" : "",
                    *info.alpn ? ", ALPN agreed" : "");
        get_verbose(s, "certificate of %s, by %s, %d days left", info.subject, info.issuer,
                    info.days_left);
        if (*info.refused)
            get_verbose(s, "would be refused without -k: %s", info.refused);
    }
    return 0;
}

/* TLS to a proxy that is asked by its absolute form has a trust of its own. */
static int secure_forward(struct get_session *s, struct get_conn *conn)
{
    const struct hail_tls_opts opts = {.ca_file = s->asked->cacert,
                                       .insecure_certificate = s->asked->proxy_insecure};
    int rc = s->proxy_tls ? 0 : hail_tls_config_new(&s->c.ctx, false, &opts, &s->proxy_tls);
    return rc < 0 ? rc
                  : hail_tls_client_with(&s->c.ctx, &conn->stream, s->route.to.host, s->proxy_tls);
}

static void note(struct get_session *s, bool reused)
{
    struct get_hop *h = s->hop;
    const struct get_conn *c = s->conn;
    struct hail_tls_info info;
    h->reused = reused;
    h->local = c->local;
    h->peer = c->peer;
    if (!reused) {
        h->dialled_ns = c->dialled_ns;
        h->connected_ns = c->connected_ns;
        h->tls_ns = c->tls_ns;
        h->attempts = c->nattempts ? calloc(c->nattempts, sizeof *c->attempts) : NULL;
        if (h->attempts && c->attempts) {
            memcpy(h->attempts, c->attempts, c->nattempts * sizeof *c->attempts);
            h->nattempts = c->nattempts;
        }
    }
    h->ready_ns = hail_now();
    if (h->https && hail_tls_info(c->stream, &info) == 0) {
        snprintf(h->tls_version, sizeof h->tls_version, "%s", info.version);
        snprintf(h->cipher, sizeof h->cipher, "%s", info.cipher);
        h->tls.verified = info.verified;
        if (s->c.json) /* only there is more of it told */
            h->tls = (struct get_tls){.resumed = info.resumed,
                                      .verified = info.verified,
                                      .days_left = info.days_left,
                                      .alpn = strdup(info.alpn),
                                      .subject = strdup(info.subject),
                                      .issuer = strdup(info.issuer),
                                      .names = strdup(info.names),
                                      .refused = strdup(info.refused)};
    }
}

int get_connect(struct get_session *s, bool fresh)
{
    if (!fresh && take_idle(s)) {
        get_verbose(s, "using connection %u again", s->conn->number);
        note(s, true);
        return 0;
    }
    struct get_conn *conn = calloc(1, sizeof *conn);
    char *key = strdup(s->route.key);
    if (!conn || !key) {
        free(conn);
        free(key);
        return hail_fail(&s->c.ctx, HAIL_LAYER_LOCAL, ENOMEM, "connect", "connect: out of memory");
    }
    conn->key = key;
    hail_buf_init(&conn->ahead, GET_REQUEST);
    hail_buf_init(&conn->rest, GET_BUFFER);
    int rc = dial(s, conn);
    if (rc == 0)
        s->job->connects++;
    if (rc == 0 && s->hop->https && !s->route.forwarding)
        rc = secure(s, conn, s->job->url.host);
    else if (rc == 0 && s->route.forwarding && s->route.forward.kind == HAIL_PROXY_HTTPS)
        rc = secure_forward(s, conn);
    if (rc < 0) {
        destroy(conn);
        return rc;
    }
    pthread_mutex_lock(&s->shared->lock);
    conn->number = s->shared->connections++;
    pthread_mutex_unlock(&s->shared->lock);
    s->conn = conn;
    note(s, false);
    return 0;
}
