/* get.c - `hail get`: requests, their responses; get.h says what is where. */
#include "get.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char more[] =
    "Without a scheme a URL is of http: \"localhost:8080/x\". -o FILE is under its name when it "
    "is\n"
    "whole; what was cut off is kept as FILE.part, and the next run goes on with it.\n";

int get_fail(struct get_session *s)
{
    const struct get_job *j = s->job;
    if (s->asked->silent && !s->asked->show_error)
        return j->status;
    get_progress_hide(s->shared->progress);
    s->c.ctx.err = j->err;
    fail(&s->c);
    return j->status;
}

/* --fail's last word. */
static void refuse(struct get_session *s)
{
    char reason[128];
    const struct get_hop *h = get_last(s->job);
    if (s->asked->silent && !s->asked->show_error)
        return;
    get_progress_hide(s->shared->progress);
    hail_text_safe_into(reason, sizeof reason, s->head.reason.p, s->head.reason.n);
    fputs("hail: get ", stderr);
    put_safe(stderr, s->job->text);
    fprintf(stderr, ": %d %s\n", h->status, reason);
}

/* One job, and everything that is told of it. */
static void run_job(struct get_session *s, struct get_job *job)
{
    get_job(s, job);
    bool cancelled = job->err.errnum == ECANCELED;
    if (s->asked->dry_run) {
        if (job->err.errnum)
            get_fail(s);
        return;
    }
    pthread_mutex_lock(&s->shared->output);
    if (job->err.errnum)
        get_fail(s);
    else if (job->refused)
        refuse(s);
    if (s->asked->timing && !cancelled)
        get_timing(&s->c, job);
    if (s->asked->explain && !cancelled)
        get_explain(&s->c, job);
    if (s->c.json && !cancelled && get_report(job))
        job->status = STATUS_LOCAL;
    if (s->asked->writeout && !cancelled)
        get_writeout(s, job);
    pthread_mutex_unlock(&s->shared->output);
}

int get_session_new(const struct common *c, struct get_shared *shared, struct get_session **out)
{
    struct get_session *s = calloc(1, sizeof *s);
    if (!s)
        return local_error("begin", "a session", ENOMEM);
    s->c = *c;
    s->asked = shared->asked;
    s->shared = shared;
    hail_buf_init(&s->request, 2 * GET_REQUEST);
    *out = s;
    return 0;
}

void get_session_free(struct get_session *s)
{
    if (!s)
        return;
    get_conn_close_idle(s);
    hail_tls_config_free(s->tls);
    hail_tls_config_free(s->proxy_tls);
    hail_buf_free(&s->request);
    free(s->probe);
    if (s->pipe[1]) {
        close(s->pipe[0]);
        close(s->pipe[1]);
    }
    explicit_bzero(&s->login, sizeof s->login);
    free(s);
}

/* --- the URLs --- */

/* One of the queue; false when the user has enough. */
static bool work_on(struct get_session *s, size_t i)
{
    struct get_ask *ask = &s->shared->asks[i];
    struct get_job *j = calloc(1, sizeof *j);
    if (!j) {
        ask->status = local_error("get", ask->text, ENOMEM);
        return false;
    }
    j->index = i;
    j->text = ask->text;
    j->output = ask->output;
    j->upload_file = ask->upload_file;
    j->sink.fd = -1;
    j->resume.total = -1;
    run_job(s, j);
    ask->status = j->status;
    bool enough = j->err.errnum == ECANCELED;
    if (s->asked->har) {
        ask->kept = j;
    } else {
        get_job_free(j);
        free(j);
    }
    return !enough;
}

void get_work(struct get_session *s)
{
    size_t i;
    while (get_queue_next(s, &i) && work_on(s, i))
        continue;
}

static int one_by_one(struct common *c, struct get_shared *g)
{
    struct get_session *s = NULL;
    int status = get_session_new(c, g, &s);
    if (status || !s)
        return status;
    get_work(s);
    get_session_free(s);
    return 0;
}

/* --- the command --- */

static void read_environment(struct get_shared *g)
{
    static const char *const names[4][2] = {{"http_proxy", NULL},
                                            {"https_proxy", "HTTPS_PROXY"},
                                            {"all_proxy", "ALL_PROXY"},
                                            {"no_proxy", "NO_PROXY"}};
    for (int i = 0; i < 4; i++)
        for (int k = 0; k < 2 && !g->proxies[i]; k++)
            g->proxies[i] = names[i][k] ? getenv(names[i][k]) : NULL;
}

static int open_dump(struct get_shared *g)
{
    const char *path = g->asked->dump;
    if (!path)
        return 0;
    g->dump = strcmp(path, "-") == 0 ? stdout : fopen(path, "we");
    return g->dump ? 0 : local_error("open", path, errno);
}

static int move_stderr(const struct get_asked *a)
{
    if (!a->stderr_file)
        return 0;
    bool standard = strcmp(a->stderr_file, "-") == 0;
    int fd = standard ? STDOUT_FILENO
                      : open(a->stderr_file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0 || dup2(fd, STDERR_FILENO) < 0)
        return local_error("open", a->stderr_file, errno);
    if (!standard)
        close(fd);
    return 0;
}

static int finish(struct get_shared *g, int status)
{
    for (size_t i = 0; i < g->nasks && status == 0; i++)
        status = g->asks[i].status;
    int rc = get_cookies_save(g);
    status = status ? status : rc;
    if (g->asked->har) {
        rc = get_har(g->asked->har, g->asks, g->nasks);
        status = status ? status : rc;
    }
    if (g->dump && g->dump != stdout && fclose(g->dump) != 0 && status == 0)
        status = local_error("write", g->asked->dump, errno);
    get_queue_free(g);
    hail_cookie_jar_free(&g->jar);
    hail_buf_free(&g->netrc);
    get_progress_free(g->progress);
    get_forget();
    return status;
}

static int run(struct common *c, int argc, char **argv)
{
    (void)argc, (void)argv; /* parse() has them */
    struct get_shared g = {.asked = &get_asked,
                           .lock = PTHREAD_MUTEX_INITIALIZER,
                           .output = PTHREAD_MUTEX_INITIALIZER};
    int status = get_settle();
    status = status ? status : get_writeout_load();
    if (status)
        return status;
    read_environment(&g);
    status = move_stderr(&get_asked);
    status = status ? status : get_queue_make(&g);
    status = status ? status : get_netrc_load(&g);
    status = status ? status : get_cookies_load(&g);
    status = status ? status : open_dump(&g);
    if (status == 0) {
        g.progress = get_progress_new(g.asked, g.nasks);
        status = get_asked.parallel && g.nasks > 1 ? get_parallel(c, &g) : one_by_one(c, &g);
    }
    return finish(&g, status);
}

/* hail's own file of options comes before the command line, which may say otherwise. */
static int parse(struct common *c, int argc, char **argv)
{
    int first = argc, status = get_config_default(argc, argv);
    status = status ? status : parse_options(c->cmd, c, argc, argv, &first);
    for (int i = first; i < argc && status < 0; i++)
        if (get_words_add(&get_asked.urls, argv[i]))
            status = STATUS_LOCAL;
    return status;
}

const struct command command_get = {
    .name = "get",
    .args = "URL...",
    .summary = "requests, their responses, and where the time went",
    .options = get_options,
    .option = get_option,
    .parse = parse,
    .run = run,
    .more = more,
};
