/* exec.c - --exec and --sh-exec: a program on the connection; nc.h.
 *
 * The program gets the socket itself as standard input and output, so that half-closes are its own
 * business and nothing is cut; under TLS it gets one end of a socket pair, and a pump is between,
 * with -k in a process for each client.
 */
#include "nc/nc.h"

#include <hail/pump.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORDS_MAX 256

static void set(const char *name, const struct hail_endpoint *ep, const char *port_name)
{
    char number[8];
    snprintf(number, sizeof number, "%u", ep->port);
    setenv(name, ep->host, 1);
    setenv(port_name, number, 1);
}

/* Both endpoints, in hail's form and by ncat's names. */
static void set_environment(const struct hail_stream *s)
{
    char text[HAIL_ENDPOINT_MAX];
    struct hail_endpoint local = hail_local(s), peer = hail_peer(s);
    hail_endpoint_format(&local, text, sizeof text);
    setenv("HAIL_LOCAL", text, 1);
    hail_endpoint_format(&peer, text, sizeof text);
    setenv("HAIL_PEER", text, 1);
    set("NCAT_LOCAL_ADDR", &local, "NCAT_LOCAL_PORT");
    set("NCAT_REMOTE_ADDR", &peer, "NCAT_REMOTE_PORT");
    setenv("NCAT_PROTO", local.kind == HAIL_HOST_UNIX ? "UNIX" : "TCP", 1);
}

/* The words of a command line, by blanks. */
static size_t words_of(char *text, char *v[WORDS_MAX + 1])
{
    size_t n = 0;
    char *rest = NULL;
    for (char *w = strtok_r(text, " \t", &rest); w && n < WORDS_MAX;
         w = strtok_r(NULL, " \t", &rest))
        v[n++] = w;
    v[n] = NULL;
    return n;
}

static int spawn(char **argv, int fd, pid_t *pid)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    sigset_t plain;
    sigemptyset(&plain);
    sigaddset(&plain, SIGPIPE);
    sigaddset(&plain, SIGCHLD);
    int rc = posix_spawn_file_actions_init(&files);
    if (rc)
        return rc;
    rc = posix_spawnattr_init(&attr);
    if (rc == 0) {
        posix_spawn_file_actions_adddup2(&files, fd, STDIN_FILENO);
        posix_spawn_file_actions_adddup2(&files, fd, STDOUT_FILENO);
        posix_spawnattr_setsigdefault(&attr, &plain);
        posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF);
        rc = posix_spawnp(pid, argv[0], &files, &attr, argv, environ);
        posix_spawnattr_destroy(&attr);
    }
    posix_spawn_file_actions_destroy(&files);
    return rc;
}

static int start(const struct nc *nc, int fd, pid_t *pid)
{
    const char *shell[] = {"/bin/sh", "-c", nc->o.exec, NULL};
    char *v[WORDS_MAX + 1], *text = strdup(nc->o.exec);
    if (!text)
        return local_error("start", nc->o.exec, ENOMEM);
    int rc = ENOENT;
    if (nc->o.exec_by_shell)
        rc = spawn((char **)shell, fd, pid);
    else if (words_of(text, v))
        rc = spawn(v, fd, pid);
    free(text);
    return rc ? local_error("start", nc->o.exec, rc) : 0;
}

/* Whether a signal asked us to end. */
static bool is_cancelled(const struct nc *nc)
{
    struct pollfd v = {.fd = nc->c->ctx.cancel_fd, .events = POLLIN};
    return v.fd >= 0 && poll(&v, 1, 0) > 0;
}

/* The program's status; what ends us ends it. */
static int wait_for(const struct nc *nc, pid_t pid)
{
    int status;
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR)
            return STATUS_LOCAL;
        if (is_cancelled(nc))
            kill(pid, SIGTERM);
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int on_the_socket(struct nc *nc, struct hail_stream *s)
{
    pid_t pid = 0;
    int fd = hail_stream_fd(s);
    (void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
    int status = start(nc, fd, &pid);
    return status || nc->o.keep ? status : wait_for(nc, pid);
}

struct passing {
    struct hail_ctx *ctx;
    struct hail_stream *program;
};

/* A client that was cut off says no more: for the program that is an end as any other. */
static void on_over(void *arg, struct hail_pump *pump, int flow)
{
    const struct passing *p = arg;
    struct hail_flow_info in;
    hail_pump_flow(pump, flow, &in);
    if (flow == 1 && in.state == HAIL_FLOW_FAILED && !in.at_sink)
        (void)hail_try_shutdown(p->ctx, p->program);
}

/* Moves bytes until both sides have ended. 0, or the status after a message. */
static int pass(struct nc *nc, struct hail_stream *program, struct hail_stream *s)
{
    const struct hail_pump_end a = {.stream = program, .in = -1, .out = -1};
    const struct hail_pump_end b = {.stream = s, .in = -1, .out = -1};
    struct hail_ctx *ctx = &nc->c->ctx;
    struct hail_ctx scratch = HAIL_CTX_INIT;
    struct passing passing = {&scratch, program};
    const struct hail_pump_opts opts = {.over = on_over, .arg = &passing};
    struct hail_flow_info in = {0};
    struct hail_pump *pump;
    int rc = hail_pump_new(ctx, &a, &b, &opts, &pump);
    if (rc == 0) {
        rc = hail_pump_run(ctx, pump);
        hail_pump_flow(pump, 1, &in);
        hail_pump_free(pump);
    }
    if (rc < 0)
        return fail(nc->c);
    /* a program that has ended need not have read everything */
    if (in.state != HAIL_FLOW_FAILED || in.at_sink)
        return 0;
    struct common c = {.ctx = {.err = in.error}};
    return fail(&c);
}

static int behind_a_pump(struct nc *nc, struct hail_stream *s)
{
    int pair[2];
    pid_t pid = 0;
    struct hail_stream *program;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        return local_error("start", nc->o.exec, errno);
    int status = start(nc, pair[1], &pid);
    close(pair[1]);
    if (status || hail_stream_of_fd(&nc->c->ctx, pair[0], &program) < 0) {
        close(pair[0]);
        return status ? status : fail(nc->c);
    }
    int cut = pass(nc, program, s);
    hail_close(program);
    status = wait_for(nc, pid);
    return cut ? cut : status;
}

/* A process of its own, because TLS needs somebody between the client and the program. */
static int in_a_process(struct nc *nc, struct hail_stream *s)
{
    fflush(NULL);
    pid_t pid = fork();
    if (pid != 0)
        return pid < 0 ? local_error("start", nc->o.exec, errno) : 0;
    signal(SIGCHLD, SIG_DFL);
    close(hail_listener_fd(nc->listener)); /* it is the parent's: its port is free when that ends */
    int status = nc_tls_begin(nc, &s);
    if (!status)
        status = behind_a_pump(nc, s);
    fflush(NULL);
    _exit(status);
}

int nc_exec(struct nc *nc, struct hail_stream *s)
{
    set_environment(s);
    if (!nc->tls)
        return on_the_socket(nc, s);
    return nc->o.keep ? in_a_process(nc, s) : behind_a_pump(nc, s);
}
