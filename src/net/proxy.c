/* proxy.c - dialling through a proxy; include/hail/proxy.h.
 *
 * Only what belongs to the proxy's reply is read from the stream, so that the first word of a
 * target that speaks first stays where it is: nothing has to be kept or laid in between.
 */
#include "net/proxy.h"

#include <hail/resolve.h>
#include <hail/tls.h>
#include <hail/trace.h>
#include <hail/url.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"
#include "net/trace.h"
#include "proto/socks.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define HEAD_MAX   16384 /* bytes of the head of an answer to CONNECT */
#define SOCKS_PORT 1080
#define HTTP_PORT  3128

static const char *const names[] = {"socks4", "socks4a", "socks5", "socks5h", "http", "https"};

const char *hail_proxy_name(enum hail_proxy_kind kind)
{
    return names[kind];
}

/* --- the URL --- */

static int hex(char c)
{
    const char *digits = "0123456789abcdef", *at = c ? strchr(digits, c | 0x20) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* Undoes percent-encoding; 0 or -EINVAL. */
static int take_word(char out[HAIL_PROXY_WORD + 1], const char *p, size_t n)
{
    size_t len = 0;
    for (size_t i = 0; i < n; i++) {
        char c = p[i];
        if (c == '%') {
            int high = n - i > 2 ? hex(p[i + 1]) : -1, low = n - i > 2 ? hex(p[i + 2]) : -1;
            if (high < 0 || low < 0)
                return -EINVAL;
            c = (char)(high << 4 | low);
            i += 2;
        }
        if (len == HAIL_PROXY_WORD || c == '\0')
            return -EINVAL;
        out[len++] = c;
    }
    out[len] = '\0';
    return 0;
}

static int take_credentials(struct hail_proxy *p, const char *text, size_t n)
{
    const char *colon = memchr(text, ':', n);
    size_t user = colon ? (size_t)(colon - text) : n;
    int rc = take_word(p->user, text, user);
    return rc < 0 || !colon ? rc : take_word(p->password, colon + 1, n - user - 1);
}

static int bad(struct hail_ctx *ctx, const char *why)
{
    /* the URL is not shown: it may hold a password */
    return hail_fail(ctx, HAIL_LAYER_USAGE, EINVAL, "parse", "proxy's URL: %s", why);
}

int hail_proxy_parse(struct hail_ctx *ctx, const char *url, struct hail_proxy *out)
{
    struct hail_proxy p = {.kind = HAIL_PROXY_SOCKS4};
    const char *sep = strstr(url, "://");
    size_t scheme = sep ? (size_t)(sep - url) : 0;
    int kind = -1;
    for (int i = 0; i < 6; i++)
        if (sep && strlen(names[i]) == scheme && strncasecmp(url, names[i], scheme) == 0)
            kind = i;
    if (kind < 0)
        return bad(ctx, "it begins with none of socks4:// socks4a:// socks5:// socks5h:// "
                        "http:// https://");
    p.kind = (enum hail_proxy_kind)kind;
    const char *rest = sep + 3, *at = strrchr(rest, '@');
    if (at && take_credentials(&p, rest, (size_t)(at - rest)) < 0)
        return bad(ctx, "its user or password is too long, or badly encoded");
    rest = at ? at + 1 : rest;
    char host[HAIL_ENDPOINT_MAX];
    size_t n = strcspn(rest, "/?#");
    if (n == 0 || n >= sizeof host || (rest[n] && strcmp(rest + n, "/") != 0))
        return bad(ctx, "host and port are missing or too long, or a path follows them");
    memcpy(host, rest, n);
    host[n] = '\0';
    int rc =
        hail_endpoint_parse(ctx, &p.at, host, kind >= HAIL_PROXY_HTTP ? HTTP_PORT : SOCKS_PORT);
    if (rc < 0)
        return rc;
    *out = p;
    return 0;
}

/* --- what failed --- */

struct asked {
    struct hail_ctx *ctx;
    struct hail_proxy *proxy;
    const struct hail_endpoint *to;
    struct hail_stream *s;
};

static int refused(const struct asked *a, int errnum, const char *why)
{
    char to[HAIL_ENDPOINT_MAX], at[HAIL_ENDPOINT_MAX];
    hail_endpoint_format(a->to, to, sizeof to);
    hail_endpoint_format(&a->proxy->at, at, sizeof at);
    return hail_fail(a->ctx, HAIL_LAYER_CONNECT, errnum, "connect",
                     "connect to %s through the %s proxy %s: %s", to, names[a->proxy->kind], at,
                     why);
}

/* Reads exactly n bytes. 0 or -errno with the error recorded. */
static int read_all(const struct asked *a, void *p, size_t n)
{
    size_t done;
    int rc = hail_read_full(a->ctx, a->s, p, n, &done);
    if (rc < 0)
        return refused(a, -rc, hail_errno_text(-rc));
    return done == n ? 0
                     : refused(a, EPROTO, "it closed the connection in the middle of its answer");
}

static int write_all(const struct asked *a, const void *p, size_t n)
{
    int rc = hail_write(a->ctx, a->s, p, n, NULL);
    return rc < 0 ? refused(a, -rc, hail_errno_text(-rc)) : 0;
}

/* --- SOCKS --- */

static int socks_failed(const struct asked *a, const struct hail_socks *s, int rc)
{
    char why[120];
    if (rc == -EACCES)
        rc = refused(a, EACCES,
                     *a->proxy->user ? "it refused user and password"
                                     : "it wants user and password");
    else if (rc == -EPROTO)
        rc = refused(a, EPROTO, "its answer is not SOCKS of this version");
    else {
        snprintf(why, sizeof why, "%s (reply %d)", hail_socks_reason(a->proxy->kind, s->code),
                 s->code);
        rc = refused(a, ECONNREFUSED, why);
    }
    hail_set_detail(a->ctx, s->code);
    return rc;
}

static int ask_socks(const struct asked *a)
{
    struct hail_socks s;
    unsigned char reply[HAIL_SOCKS_MAX];
    int rc = hail_socks_begin(&s, a->proxy->kind, a->to, a->proxy->user, a->proxy->password);
    if (rc < 0)
        return refused(a, -rc, "this kind of proxy has no word for such an address");
    for (;;) {
        rc = s.out_len ? write_all(a, s.out, s.out_len) : 0;
        if (rc == 0)
            rc = read_all(a, reply, s.need);
        if (rc < 0)
            return rc;
        rc = hail_socks_take(&s, reply);
        if (rc != 0)
            return rc > 0 ? 0 : socks_failed(a, &s, rc);
    }
}

/* --- CONNECT --- */

static int send_connect(const struct asked *a)
{
    char to[HAIL_ENDPOINT_MAX], pair[2 * HAIL_PROXY_WORD + 2];
    struct hail_buf b;
    hail_buf_init(&b, HEAD_MAX);
    hail_endpoint_format(a->to, to, sizeof to);
    hail_buf_printf(&b, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n", to, to);
    if (*a->proxy->user) {
        int n = snprintf(pair, sizeof pair, "%s:%s", a->proxy->user, a->proxy->password);
        hail_buf_str(&b, "Proxy-Authorization: Basic ");
        hail_buf_base64(&b, pair, (size_t)n);
        hail_buf_str(&b, "\r\n");
    }
    hail_buf_str(&b, "\r\n");
    int rc =
        b.failed ? refused(a, -b.failed, hail_errno_text(-b.failed)) : write_all(a, b.p, b.len);
    hail_buf_free(&b);
    return rc;
}

/* One line of the head, without its end, byte by byte: what follows the head is not the proxy's.
 * The length, or -errno. */
static ssize_t read_line(const struct asked *a, char *line, size_t size, size_t *left)
{
    for (size_t n = 0;; n++) {
        char c = 0;
        int rc = (*left)-- == 0 ? refused(a, EPROTO, "the head of its answer is too long")
                                : read_all(a, &c, 1);
        if (rc < 0)
            return rc;
        if (c == '\n') {
            n -= n > 0 && n <= size && line[n - 1] == '\r';
            line[n < size ? n : size - 1] = '\0';
            return (ssize_t)n;
        }
        if (n < size)
            line[n] = c;
    }
}

static int connect_refused(const struct asked *a, int status)
{
    char why[300], said[200];
    hail_text_safe_into(said, sizeof said, a->proxy->said, strlen(a->proxy->said));
    snprintf(why, sizeof why, "it answered \"%s\"", said);
    int rc = refused(a, status == 407 || status == 401 ? EACCES : ECONNREFUSED, why);
    hail_set_detail(a->ctx, status);
    if (status == 407 || status == 401)
        hail_advise(a->ctx, *a->proxy->user ? "it refused user and password"
                                            : "it wants user and password");
    return rc;
}

static int ask_connect(const struct asked *a)
{
    char line[8];
    size_t left = HEAD_MAX;
    int status = 0, rc = send_connect(a);
    if (rc < 0)
        return rc;
    ssize_t n = read_line(a, a->proxy->said, sizeof a->proxy->said, &left);
    if (n < 0) {
        a->proxy->said[0] = '\0'; /* half of it */
        return (int)n;
    }
    if (sscanf(a->proxy->said, "HTTP/1.%*1[0-9] %3d", &status) != 1 || status < 100)
        return refused(a, EPROTO, "its answer is not HTTP");
    if (status / 100 != 2)
        return connect_refused(a, status);
    while (n > 0)
        n = read_line(a, line, sizeof line, &left);
    return (int)n;
}

/* --- dialling --- */

/* The target as the proxy is to be told: names that are looked up here become the first address. */
static int resolve_here(struct hail_ctx *ctx, const struct hail_proxy *p,
                        const struct hail_opts *opts, struct hail_endpoint *to)
{
    bool four = p->kind == HAIL_PROXY_SOCKS4;
    if (to->kind != HAIL_HOST_NAME || (!four && p->kind != HAIL_PROXY_SOCKS5))
        return 0;
    struct hail_resolve_opts how = opts->resolve ? *opts->resolve : (struct hail_resolve_opts){0};
    how.family = four ? AF_INET : opts->family ? opts->family : how.family;
    struct hail_addrs addrs = {0};
    int rc = hail_resolve(ctx, to, &how, &addrs);
    if (rc == 0)
        *to = hail_endpoint_of(&addrs.v[0].addr);
    hail_addrs_free(&addrs);
    return rc;
}

int hail_proxy_dial(struct hail_ctx *ctx, const struct hail_endpoint *target,
                    const struct hail_opts *opts, struct hail_stream **out)
{
    struct hail_proxy *p = opts->proxy;
    struct hail_opts direct = *opts;
    struct hail_endpoint to = *target;
    struct hail_stream *s = NULL;
    p->said[0] = '\0';
    direct.proxy = NULL;
    int rc = resolve_here(ctx, p, opts, &to);
    if (rc == 0)
        rc = hail_dial(ctx, &p->at, &direct, &s);
    if (rc < 0)
        return rc;
    const struct hail_tls_opts tls = {.insecure_certificate = p->insecure_certificate};
    uint32_t parent = ctx->span;
    uint32_t span = hail_trace_begin(ctx, HAIL_LAYER_CONNECT, "proxy", &to, NULL);
    if (p->kind == HAIL_PROXY_HTTPS)
        rc = hail_tls_client(ctx, &s, p->at.host, &tls);
    const struct asked a = {ctx, p, &to, s};
    to.transport = HAIL_TRANSPORT_ANY;
    if (rc == 0)
        rc = p->kind >= HAIL_PROXY_HTTP ? ask_connect(&a) : ask_socks(&a);
    hail_trace_end(ctx, span, parent, HAIL_LAYER_CONNECT, "proxy", rc, "connected");
    if (rc < 0) {
        hail_close(s);
        return rc;
    }
    *out = s;
    return 0;
}
