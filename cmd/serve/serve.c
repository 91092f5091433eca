/* serve.c - `hail serve`: files over HTTP and HTTPS; serve.h says what is where. */
#include "where.h"

#include "base/error.h"
#include "os/linux/root.h"
#include "os/linux/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MIME_FILE "/etc/mime.types"
#define MIME_SIZE ((size_t)1 << 20) /* bytes of it that are read at most */

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
    return hail_root_open(ctx, path, s->o->follow, &s->root);
}

/* By default clients keep files and ask each time whether they changed. */
static void set_cache_control(struct serve *s)
{
    int seconds = s->o->cache_s;
    if (s->o->dev)
        snprintf(s->cache_control, sizeof s->cache_control, "no-store");
    else if (seconds < 0)
        snprintf(s->cache_control, sizeof s->cache_control, "no-cache");
    else
        snprintf(s->cache_control, sizeof s->cache_control, "public, max-age=%d", seconds);
}

/* The field lines of all responses, and of the answer to a preflight request: the Fetch Standard's
 * section 3.2, CORS. */
static int set_fields(struct serve *s)
{
    const char *origin = s->o->cors ? s->o->cors : s->o->dev ? "*" : NULL;
    struct hail_http_out o = {.p = s->more, .size = sizeof s->more - 1};
    memcpy(s->more, s->o->more, sizeof s->o->more);
    if (!origin)
        return 0;
    o.len = strlen(s->more);
    hail_http_put_field(&o, "Access-Control-Allow-Origin", origin);
    hail_http_put_field(&o, "Access-Control-Expose-Headers", "*");
    memcpy(s->preflight, s->more, o.len);
    struct hail_http_out pre = {.p = s->preflight, .size = sizeof s->preflight - 1, .len = o.len};
    hail_http_put_field(&pre, "Access-Control-Allow-Methods", HAIL_ANSWER_ALLOW);
    hail_http_put_field(&pre, "Access-Control-Allow-Headers", "*, Authorization");
    hail_http_put_field(&pre, "Access-Control-Max-Age", "600");
    if (o.failed || pre.failed)
        return hail_fail(&s->c->ctx, HAIL_LAYER_USAGE, EINVAL, "start", "--cors: '%s' is no origin",
                         origin);
    return 0;
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

/* --- running --- */

/* The form of the log, if none was asked for: by where it goes. */
static enum serve_log log_form(const struct common *c, const struct serve_options *o)
{
    if (o->log != SERVE_LOG_DEFAULT)
        return o->log;
    if (c->json)
        return SERVE_LOG_JSON;
    if (o->log_file)
        return SERVE_LOG_COMBINED;
    return isatty(STDERR_FILENO) ? SERVE_LOG_LIVE : SERVE_LOG_LINE;
}

/* A log in a file is opened anew by SIGHUP, which one worker waits for and no other may get. */
static void keep_hangups(const struct serve *s)
{
    sigset_t set;
    tzset(); /* the log's times are local */
    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    if (s->o->log_file)
        pthread_sigmask(SIG_BLOCK, &set, NULL);
}

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

static int run_workers(struct serve *s, struct serve_places *p, int n)
{
    struct common *c = s->c;
    int status = STATUS_DONE;
    struct serve_worker *v = calloc((size_t)n, sizeof *v);
    if (!v)
        return local_error("start", "the server", ENOMEM);
    s->workers = v;
    s->nworkers = n;
    keep_hangups(s);
    for (int i = 0; i < n; i++) {
        v[i].serve = s;
        v[i].number = i;
        v[i].places = p;
        v[i].ctx = (struct hail_ctx){.by = c->ctx.by, .cancel_fd = c->ctx.cancel_fd};
        if (n == 1) { /* a trace serves one thread */
            v[i].ctx.trace = c->ctx.trace;
            v[i].ctx.span = c->ctx.span;
        }
    }
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

static int thread_count(const struct serve *s)
{
    cpu_set_t cores;
    if (s->c->ctx.trace || s->o->dev)
        return 1;
    if (s->o->threads)
        return s->o->threads;
    int n = sched_getaffinity(0, sizeof cores, &cores) == 0 ? CPU_COUNT(&cores) : 1;
    return n < SERVE_THREADS ? n : SERVE_THREADS;
}

static int run(struct common *c, int argc, char **argv)
{
    const struct serve_options *o = serve_options();
    struct serve s = {.c = c,
                      .o = o,
                      .log = log_form(c, o),
                      .colour = c->colour && isatty(STDERR_FILENO),
                      .began = time(NULL),
                      .root = {.fd = -1}};
    struct serve_places places = {0};
    const char *path = argc ? argv[0] : ".";
    if (o->tell_authority)
        return serve_tell_authority(c);
    if (argc > 1)
        return usage_error(c->cmd, "one folder or file is served, and there are %d", argc);
    if (o->lan && o->nlisten)
        return usage_error(c->cmd, "--lan says where to listen, so --listen must not");
    if (o->key && !o->cert)
        return usage_error(c->cmd, "--tls-key is of no use without --tls-cert");
    s.timed = s.log != SERVE_LOG_OFF || o->metrics;
    set_cache_control(&s);
    int threads = thread_count(&s);
    int rc = set_fields(&s);
    rc = rc < 0 ? rc : open_root(&s, path);
    rc = rc < 0 ? rc : read_types(&s);
    rc = rc < 0 ? rc : serve_start_tls(&s);
    rc = rc < 0 ? rc : serve_limits_new(&s, threads, &s.limits);
    rc = rc < 0 ? rc : serve_listen(&s, threads, &places);
    rc = rc < 0 || !o->user ? rc : hail_become(&c->ctx, o->user);
    int status = rc < 0 ? fail(c) : serve_announce(&s, &places, path);
    if (status == STATUS_DONE && serve_confine(&s, &places) < 0)
        status = fail(c);
    if (status == STATUS_DONE)
        status = run_workers(&s, &places, threads);
    serve_places_close(&places);
    serve_limits_free(s.limits);
    hail_tls_config_free(s.tls);
    hail_mime_free(&s.mime);
    if (s.root.fd >= 0)
        close(s.root.fd);
    return status;
}

const struct command command_serve = {
    .name = "serve",
    .args = "[DIR|FILE]",
    .summary = "serve files over HTTP and HTTPS",
    .options = serve_option_rows,
    .option = serve_option,
    .run = run,
    .more = "Serves the current folder without an operand. The URL is printed first, then a line "
            "for each request on standard error; with --json both are documents on standard "
            "output. Nothing outside the folder is served, whatever links are in it. SIGINT and "
            "SIGTERM end the server, after what is under way.",
};
