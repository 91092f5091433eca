/* serve.c - `hail serve`: files over HTTP and HTTPS; serve.h says what is where. */
#include "serve.h"

#include "base/error.h"
#include "os/linux/root.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define DEFAULT_HOST "127.0.0.1"
#define DEFAULT_PORT 8080
#define PORTS_TRIED  100 /* from DEFAULT_PORT on */
#define THREADS_MAX  256
#define MIME_FILE    "/etc/mime.types"
#define MIME_SIZE    ((size_t)1 << 20) /* bytes of it that are read at most */

enum { OPT_CERT = 256, OPT_KEY, OPT_THREADS };

static const struct option_row options[] = {
    {'l', "listen", "ENDPOINT",
     "where to listen; :0 lets the system pick (default 127.0.0.1:8080)"},
    {OPT_CERT, "tls-cert", "FILE", "serve HTTPS with the certificate chain in FILE (PEM)"},
    {OPT_KEY, "tls-key", "FILE", "its private key, if it is not in the same file"},
    {OPT_THREADS, "threads", "N", "event loops, each in a thread (default: one a core)"},
    {'q', "quiet", NULL, "no log"},
    {0},
};

static struct {
    const char *listen, *cert, *key;
    int threads; /* 0: one a core */
    bool quiet;
} asked;

static int set_threads(const char *value)
{
    char *end;
    long n = strtol(value, &end, 10);
    if (end == value || *end || n < 1 || n > THREADS_MAX)
        return usage_error(&command_serve, "--threads wants 1 to %d, not '%s'", THREADS_MAX, value);
    asked.threads = (int)n;
    return 0;
}

static int option(int letter, const char *value)
{
    switch (letter) {
    case 'l':
        asked.listen = value;
        break;
    case OPT_CERT:
        asked.cert = value;
        break;
    case OPT_KEY:
        asked.key = value;
        break;
    case OPT_THREADS:
        return set_threads(value);
    case 'q':
        asked.quiet = true;
        break;
    default:
        break;
    }
    return 0;
}

/* --- what is served --- */

/* The folder, or the one file in its folder. */
static int open_root(struct serve *s, const char *path)
{
    struct hail_ctx *ctx = &s->c->ctx;
    struct stat st;
    char folder[4096];
    if (stat(path, &st) < 0)
        return hail_fail(ctx, HAIL_LAYER_LOCAL, errno, "open", "open %s: %s", path,
                         hail_errno_text(errno));
    const char *slash = strrchr(path, '/');
    if (S_ISREG(st.st_mode)) {
        int n = snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash + 1 - path) : 1,
                         slash ? path : ".");
        s->only = slash ? slash + 1 : path;
        if ((size_t)n >= sizeof folder)
            return hail_fail(ctx, HAIL_LAYER_LOCAL, ENAMETOOLONG, "open", "open %s: %s", path,
                             hail_errno_text(ENAMETOOLONG));
        path = folder;
    }
    s->root = hail_root_open(ctx, path);
    return s->root < 0 ? s->root : 0;
}

/* The system's table of media types, if there is one. */
static int read_types(struct serve *s)
{
    int fd = open(MIME_FILE, O_RDONLY | O_CLOEXEC);
    struct hail_buf b;
    int rc = 0;
    if (fd < 0)
        return 0;
    hail_buf_init(&b, MIME_SIZE);
    ssize_t n = 1;
    while (n > 0 && hail_buf_reserve(&b, 16384) == 0) {
        n = read(fd, b.p + b.len, 16384);
        b.len += n > 0 ? (size_t)n : 0;
    }
    close(fd);
    if (b.len)
        rc = hail_mime_parse(&s->mime, b.p, b.len);
    hail_buf_free(&b);
    return rc == 0 ? 0
                   : hail_fail(&s->c->ctx, HAIL_LAYER_LOCAL, -rc, "read", "read %s: %s", MIME_FILE,
                               hail_errno_text(-rc));
}

/* --- where --- */

/* The workers' listeners, in the first `n` of `v`. */
struct listening {
    struct hail_listener *v[THREADS_MAX];
    int n;
};

static int from_inherited(struct common *c, struct listening *l, int n)
{
    int rc = 0;
    for (; l->n < n && l->n < THREADS_MAX && rc == 0; l->n += rc == 0)
        rc = hail_listen_of_inherited(&c->ctx, l->n, &l->v[l->n]);
    return rc;
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

/* One listener for each of the `n` workers. They share a port by SO_REUSEPORT, which another hail
 * could share as well: a listener without it finds out first whether the port is free. */
static int listen_at(struct common *c, const struct hail_endpoint *at, int n, struct listening *l)
{
    struct hail_opts opts = {.family = c->family, .prepare = defer_accept};
    struct hail_endpoint where = *at;
    bool is_unix = at->kind == HAIL_HOST_UNIX || at->kind == HAIL_HOST_ABSTRACT;
    int rc = hail_listen(&c->ctx, at, &opts, &l->v[0]);
    if (rc < 0 || is_unix || n == 1) {
        l->n = rc == 0;
        return rc;
    }
    where.port = hail_listener_at(l->v[0]).port;
    hail_listener_close(l->v[0]);
    opts.reuseport = true;
    for (; l->n < n && rc == 0; l->n += rc == 0)
        rc = hail_listen(&c->ctx, &where, &opts, &l->v[l->n]);
    return rc;
}

/* 127.0.0.1:8080, or the next port that is free. */
static int listen_by_default(struct common *c, int n, struct listening *l)
{
    struct hail_endpoint at;
    int rc = hail_endpoint_parse(&c->ctx, &at, c->family == AF_INET6 ? "[::1]" : DEFAULT_HOST,
                                 DEFAULT_PORT);
    if (rc < 0)
        return rc;
    do
        rc = listen_at(c, &at, n, l);
    while (rc == -EADDRINUSE && ++at.port < DEFAULT_PORT + PORTS_TRIED);
    if (rc == 0 && at.port != DEFAULT_PORT && !asked.quiet)
        fprintf(stderr, "hail: port %d is taken, so this is port %d\n", DEFAULT_PORT, at.port);
    return rc;
}

static int listen_where_asked(struct common *c, int n, struct listening *l)
{
    struct hail_endpoint at;
    int inherited = hail_listen_inherited();
    if (!asked.listen)
        return inherited ? from_inherited(c, l, inherited) : listen_by_default(c, n, l);
    int rc = hail_endpoint_parse(&c->ctx, &at, asked.listen, DEFAULT_PORT);
    if (rc == 0 && at.transport == HAIL_TLS && !asked.cert)
        return hail_fail(&c->ctx, HAIL_LAYER_USAGE, EINVAL, "listen",
                         "listen on %s: TLS needs --tls-cert", asked.listen);
    return rc == 0 ? listen_at(c, &at, n, l) : rc;
}

static void close_all(struct listening *l)
{
    while (l->n > 0)
        hail_listener_close(l->v[--l->n]);
}

/* --- what is said --- */

static void url_of(const struct hail_listener *l, char *out, size_t size)
{
    struct hail_endpoint at = hail_listener_at(l);
    char text[HAIL_ENDPOINT_MAX];
    const char *scheme = asked.cert ? "https" : "http";
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

/* One URL a place: workers that share a port are one. Goes out at once, for whoever waits. */
static int announce(struct common *c, const struct listening *l, const char *path)
{
    char url[HAIL_ENDPOINT_MAX + 16], last[sizeof url] = "";
    for (int i = 0; i < l->n; i++) {
        url_of(l->v[i], url, sizeof url);
        if (strcmp(url, last) == 0)
            continue;
        memcpy(last, url, sizeof url);
        if (c->json) {
            struct hail_buf b;
            struct hail_json j = {.out = &b};
            hail_buf_init(&b, 65536);
            hail_json_object(&j, NULL);
            hail_json_str(&j, "schema", "hail.serve/1");
            hail_json_str(&j, "kind", "listening");
            hail_json_str(&j, "url", url);
            hail_json_str(&j, "path", path);
            hail_json_end_object(&j);
            int rc = put_json(&b);
            hail_buf_free(&b);
            if (rc)
                return rc;
        } else {
            fputs("serving ", stdout);
            put_safe(stdout, path);
            printf(" at %s\n", url);
        }
    }
    return fflush(stdout) == 0 ? 0 : local_error("write", "standard output", errno);
}

/* --- running --- */

static void work(void *arg, int i)
{
    struct serve_worker *w = (struct serve_worker *)arg + i;
    if (serve_worker_run(w) == 0)
        return;
    w->failed = true;
    uint64_t one = 1; /* the others are to stop as well */
    if (w->ctx.cancel_fd >= 0 && write(w->ctx.cancel_fd, &one, sizeof one) < 0)
        serve_log_error(w);
}

/* Each connection needs a descriptor, and a second one while a file is sent. */
static void raise_limit(void)
{
    struct rlimit r;
    if (getrlimit(RLIMIT_NOFILE, &r) == 0 && r.rlim_cur < r.rlim_max) {
        r.rlim_cur = r.rlim_max;
        setrlimit(RLIMIT_NOFILE, &r);
    }
}

static int run_workers(struct serve *s, struct listening *l)
{
    struct common *c = s->c;
    int n = l->n, status = STATUS_DONE;
    struct serve_worker *v = calloc((size_t)n, sizeof *v);
    if (!v)
        return local_error("start", "the server", ENOMEM);
    for (int i = 0; i < n; i++) {
        v[i].serve = s;
        v[i].listener = l->v[i];
        v[i].ctx = (struct hail_ctx){.by = c->ctx.by, .cancel_fd = c->ctx.cancel_fd};
        if (n == 1) { /* a trace serves one thread */
            v[i].ctx.trace = c->ctx.trace;
            v[i].ctx.span = c->ctx.span;
        }
    }
    l->n = 0; /* they are the workers' now */
    int rc = hail_loop_threads(n, work, v);
    for (int i = 0; i < n; i++)
        if (v[i].failed && status == STATUS_DONE) {
            c->ctx.err = v[i].ctx.err;
            status = fail(c);
        }
    if (rc < 0 && status == STATUS_DONE)
        status = local_error("start", "a thread", -rc);
    free(v);
    return status;
}

static int thread_count(const struct common *c)
{
    cpu_set_t cores;
    if (c->ctx.trace)
        return 1;
    if (asked.threads)
        return asked.threads;
    int n = sched_getaffinity(0, sizeof cores, &cores) == 0 ? CPU_COUNT(&cores) : 1;
    return n < THREADS_MAX ? n : THREADS_MAX;
}

/* A certificate that cannot be used is found before anything listens. */
static int check_tls(struct serve *s)
{
    struct hail_tls_config *config = NULL;
    if (!s->tls.cert_file)
        return 0;
    int rc = hail_tls_config_new(&s->c->ctx, true, &s->tls, &config);
    hail_tls_config_free(config);
    return rc;
}

static int run(struct common *c, int argc, char **argv)
{
    struct serve s = {.c = c,
                      .root = -1,
                      .quiet = asked.quiet,
                      .times = {20, 60, 30, 3, 3, 500},
                      .tls = {.cert_file = asked.cert, .key_file = asked.key, .alpn = "http/1.1"}};
    static struct listening l;
    const char *path = argc ? argv[0] : ".";
    if (argc > 1)
        return usage_error(c->cmd, "one folder or file is served, and there are %d", argc);
    if (asked.key && !asked.cert)
        return usage_error(c->cmd, "--tls-key is of no use without --tls-cert");
    raise_limit();
    int rc = open_root(&s, path);
    rc = rc < 0 ? rc : read_types(&s);
    rc = rc < 0 ? rc : check_tls(&s);
    rc = rc < 0 ? rc : listen_where_asked(c, thread_count(c), &l);
    int status = rc < 0 ? fail(c) : announce(c, &l, path);
    if (status == STATUS_DONE)
        status = run_workers(&s, &l);
    close_all(&l);
    hail_mime_free(&s.mime);
    if (s.root >= 0)
        close(s.root);
    return status;
}

const struct command command_serve = {
    .name = "serve",
    .args = "[DIR|FILE]",
    .summary = "serve files over HTTP and HTTPS",
    .options = options,
    .option = option,
    .run = run,
    .more = "Serves the current folder without an operand. The URL is printed first, then a line "
            "for each request on standard error; with --json both are documents on standard "
            "output. Nothing outside the folder is served, whatever links are in it. SIGINT and "
            "SIGTERM end the server, after what is under way.",
};
