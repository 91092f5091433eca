/* tls.c - TLS as a layer of a stream: handshake, records, close; include/hail/tls.h.
 *
 *      hail_read() ... hail_write()        plain text
 *            |               |
 *         SSL_read        SSL_write        this file; tls_write.c
 *            |               |
 *      BIO: read step  BIO: writev step    tls_bio.c
 *            |               |
 *        the layer below: records
 *
 * All is done in steps that never wait. What the peer sends between the handshake and its first
 * byte (session tickets) is taken in by the reads; what is left unread at the close is drained, as
 * the kernel would otherwise send a reset that overtakes what was sent last.
 */
#include "net/tls_layer.h"

#include "base/error.h"
#include "net/trace.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#define HANDSHAKE "TLS handshake with"
#define DRAIN_MAX 65536 /* bytes that the close reads and drops at most */

struct hail_tls *hail_tls_begin_step(struct hail_ctx *ctx, struct hail_stream *s)
{
    struct hail_tls *t = s->state;
    t->ctx = ctx;
    t->lower_rc = 0;
    ERR_clear_error();
    return t;
}

/* --- handshake --- */

static void trace_start(struct hail_ctx *ctx, struct hail_tls *t)
{
    if (!hail_tracing(ctx))
        return;
    t->span = hail_trace_new_span(ctx);
    hail_trace_emit(ctx, (struct hail_event){.span = t->span,
                                             .parent = t->stream.span ? t->stream.span : ctx->span,
                                             .kind = HAIL_EVENT_START,
                                             .layer = HAIL_LAYER_TLS,
                                             .op = "tls",
                                             .text = t->name[0] ? t->name : NULL});
}

static void trace_done(struct hail_ctx *ctx, struct hail_tls *t, int rc)
{
    if (!hail_tracing(ctx) || !t->span)
        return;
    if (rc == 0)
        hail_tls_trace_cert(ctx, t);
    hail_trace_emit(ctx,
                    (struct hail_event){.span = t->span,
                                        .parent = t->stream.span ? t->stream.span : ctx->span,
                                        .kind = HAIL_EVENT_DONE,
                                        .layer = HAIL_LAYER_TLS,
                                        .op = "tls",
                                        .text = rc < 0 ? ctx->err.msg : SSL_get_version(t->ssl),
                                        .errnum = -rc});
    t->span = 0;
}

/* OpenSSL has checked the name with the chain. But where it runs out of memory while it prepares
 * to, it goes on without (ssl_verify_cert_chain() of 3.0): check again. */
static bool peer_holds(const struct hail_tls *t)
{
    const struct hail_tls_config *c = t->config;
    if (c->server || c->insecure_certificate)
        return true;
    X509 *cert = SSL_get0_peer_certificate(t->ssl);
    return cert && SSL_get_verify_result(t->ssl) == X509_V_OK &&
           (c->insecure_name || hail_tls_name_matches(cert, t->name));
}

static int tls_handshake(struct hail_ctx *ctx, struct hail_stream *s)
{
    struct hail_tls *t = hail_tls_begin_step(ctx, s);
    if (t->open)
        return 0;
    int rc = t->dead_rc ? -1 : SSL_do_handshake(t->ssl);
    if (rc != 1)
        rc = hail_tls_step_failed(t, rc, HANDSHAKE);
    else if (!peer_holds(t))
        rc = hail_tls_refuse(t, X509_V_ERR_HOSTNAME_MISMATCH, HANDSHAKE);
    else
        rc = 0;
    t->open = rc == 0;
    if (rc != -EAGAIN)
        trace_done(ctx, t, rc);
    return rc;
}

/* --- reading and writing --- */

static ssize_t tls_read(struct hail_ctx *ctx, struct hail_stream *s, void *buf, size_t size)
{
    int rc = tls_handshake(ctx, s);
    if (rc < 0)
        return rc;
    struct hail_tls *t = hail_tls_begin_step(ctx, s);
    int n = SSL_read(t->ssl, buf, size < INT_MAX ? (int)size : INT_MAX);
    s->drained = n > 0 && s->next->drained && !SSL_has_pending(t->ssl);
    return n > 0 ? n : hail_tls_step_failed(t, n, "read from");
}

static ssize_t tls_writev(struct hail_ctx *ctx, struct hail_stream *s, const struct iovec *iov,
                          int iovcnt)
{
    int rc = tls_handshake(ctx, s);
    return rc < 0 ? rc : hail_tls_write(ctx, s, iov, iovcnt);
}

/* --- closing --- */

/* A record that was cut by the caller's giving up must not be followed by an orderly end. */
static int tls_shutdown(struct hail_ctx *ctx, struct hail_stream *s)
{
    struct hail_tls *t = hail_tls_begin_step(ctx, s);
    if (!t->open || t->broken || t->sealed)
        return 0;
    int rc = SSL_shutdown(t->ssl);
    if (rc >= 0)
        return 0;
    return hail_tls_step_failed(t, rc, "shut down to");
}

static void drain(struct hail_tls *t)
{
    struct hail_ctx quiet = HAIL_CTX_INIT;
    struct hail_stream *l = t->stream.next;
    char scratch[4096];
    while (l && !l->ops->read)
        l = l->next;
    for (size_t total = 0; l && total < DRAIN_MAX;) {
        ssize_t n = l->ops->read(&quiet, l, scratch, sizeof scratch);
        if (n <= 0)
            break;
        total += (size_t)n;
    }
}

static void tls_close(struct hail_stream *s)
{
    struct hail_tls *t = s->state;
    if (t->open && !t->broken) {
        drain(t);
        /* without this OpenSSL would make the session unfit to be resumed */
        SSL_set_shutdown(t->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    }
    SSL_free(t->ssl);
    ERR_clear_error();
    hail_tls_config_free(t->config);
    free(t->refused);
    free(t->info);
    free(t->text);
}

static const struct hail_layer_ops tls_ops = {
    .name = "tls",
    .end = "close_notify",
    .read = tls_read,
    .writev = tls_writev,
    .handshake = tls_handshake,
    .shutdown = tls_shutdown,
    .close = tls_close,
};

/* --- laying the layer --- */

static bool numeric(const char *name)
{
    unsigned char ip[16];
    return inet_pton(AF_INET, name, ip) == 1 || inet_pton(AF_INET6, name, ip) == 1;
}

/* Whom the client wants: sent as SNI (RFC 6066 section 3: no addresses), demanded of the
 * certificate. */
static int set_name(struct hail_tls *t)
{
    X509_VERIFY_PARAM *param = SSL_get0_param(t->ssl);
    if (!t->name[0])
        return 0;
    bool ip = numeric(t->name);
    if (!ip && SSL_set_tlsext_host_name(t->ssl, t->name) != 1)
        return -ENOMEM;
    if (t->config->insecure_name)
        return 0;
    int ok = ip ? X509_VERIFY_PARAM_set1_ip_asc(param, t->name)
                : X509_VERIFY_PARAM_set1_host(param, t->name, 0);
    return ok == 1 ? 0 : -ENOMEM;
}

static int set_up(struct hail_tls *t)
{
    BIO *bio;
    t->ssl = SSL_new(t->config->ssl_ctx);
    if (!t->ssl || SSL_set_app_data(t->ssl, t) != 1 || !(bio = BIO_new(t->config->bio)))
        return -ENOMEM;
    BIO_set_data(bio, t);
    SSL_set_bio(t->ssl, bio, bio);
    if (t->config->server) {
        SSL_set_accept_state(t->ssl);
        return 0;
    }
    SSL_set_connect_state(t->ssl);
    hail_tls_resume(t);
    return set_name(t);
}

/* A name as it stands in certificates: without the zone of an address, without the dot that ends an
 * absolute name. */
static size_t name_length(const char *name)
{
    size_t n = strcspn(name, "%");
    return n > 1 && name[n - 1] == '.' ? n - 1 : n;
}

static int lay(struct hail_ctx *ctx, struct hail_stream **top, const char *name,
               struct hail_tls_config *config)
{
    size_t len = name ? name_length(name) : 0;
    if (len > HAIL_HOST_MAX)
        return hail_fail(ctx, HAIL_LAYER_USAGE, EINVAL, "tls", "TLS: the name is too long");
    if (!config->server && !len && !config->insecure_certificate && !config->insecure_name)
        return hail_fail(ctx, HAIL_LAYER_USAGE, EINVAL, "tls",
                         "TLS: there is no name that the certificate could be for");
    struct hail_tls *t = calloc(1, sizeof *t + len + 1);
    if (t) {
        t->stream.ops = &tls_ops;
        t->stream.state = t;
        t->config = config;
        atomic_fetch_add(&config->refs, 1);
        memcpy(t->name, name ? name : "", len);
    }
    if (!t || set_up(t) < 0) {
        if (t)
            tls_close(&t->stream);
        free(t);
        return hail_fail(ctx, HAIL_LAYER_LOCAL, ENOMEM, "tls", "TLS: out of memory");
    }
    hail_stream_push(&t->stream, *top);
    *top = &t->stream;
    trace_start(ctx, t);
    return 0;
}

/* The handshake, waited for. On failure the layer is gone again. */
static int complete(struct hail_ctx *ctx, struct hail_stream **top)
{
    struct hail_stream *s = *top, *lower = s->next;
    int rc;
    while ((rc = tls_handshake(ctx, s)) == -EAGAIN) {
        rc = hail_wait(ctx, s->fd, s->wants);
        if (rc < 0) {
            rc = hail_tls_wait_failed(s->state, rc);
            trace_done(ctx, s->state, rc);
            break;
        }
    }
    if (rc == 0)
        return 0;
    hail_stream_pop(s);
    tls_close(s);
    free(s);
    *top = lower;
    return rc;
}

int hail_tls_client_start(struct hail_ctx *ctx, struct hail_stream **top, const char *name,
                          struct hail_tls_config *config)
{
    return lay(ctx, top, name, config);
}

int hail_tls_client_with(struct hail_ctx *ctx, struct hail_stream **top, const char *name,
                         struct hail_tls_config *config)
{
    int rc = lay(ctx, top, name, config);
    return rc < 0 ? rc : complete(ctx, top);
}

int hail_tls_client(struct hail_ctx *ctx, struct hail_stream **top, const char *name,
                    const struct hail_tls_opts *opts)
{
    struct hail_tls_config *config;
    int rc = hail_tls_config_new(ctx, false, opts, &config);
    if (rc < 0)
        return rc;
    rc = hail_tls_client_with(ctx, top, name, config);
    hail_tls_config_free(config);
    return rc;
}

int hail_tls_server_start(struct hail_ctx *ctx, struct hail_stream **top,
                          struct hail_tls_config *config)
{
    return lay(ctx, top, NULL, config);
}

int hail_tls_server(struct hail_ctx *ctx, struct hail_stream **top, struct hail_tls_config *config)
{
    int rc = lay(ctx, top, NULL, config);
    return rc < 0 ? rc : complete(ctx, top);
}

int hail_try_handshake(struct hail_ctx *ctx, struct hail_stream *s)
{
    struct hail_stream *l = s;
    while (l && !l->ops->handshake)
        l = l->next;
    int rc = l ? l->ops->handshake(ctx, l) : 0;
    if (l)
        s->wants = l->wants;
    return rc;
}

int hail_tls_info(const struct hail_stream *s, struct hail_tls_info *out)
{
    const struct hail_tls_info *info;
    if (s->ops != &tls_ops)
        return -ENOTCONN;
    int rc = hail_tls_describe(s->state, &info);
    if (rc == 0)
        *out = *info;
    return rc;
}
