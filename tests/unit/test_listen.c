/* test_listen.c - listening: every kind of endpoint, files of Unix sockets, inherited sockets; the
 * clients are bare sockets.
 * link: --wrap=malloc
 * link: --wrap=socket
 * link: --wrap=setsockopt
 * link: --wrap=bind
 * link: --wrap=getsockname
 * link: --wrap=poll
 * link: --wrap=listen
 * link: --wrap=flock
 * link: --wrap=fstatat
 * link: --wrap=fchmod
 * link: --wrap=fchmodat
 */
#include "peer.h"

#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

static struct hail_listener *listening(const char *text, const struct hail_opts *opts)
{
    struct hail_ctx ctx = soon();
    struct hail_endpoint at = endpoint(text);
    struct hail_listener *l = NULL;
    if (hail_listen(&ctx, &at, opts, &l) < 0)
        print_error("%s\n", ctx.err.msg);
    assert_non_null(l);
    return l;
}

/* The result of listening where it must fail. */
static int refused(struct hail_ctx *ctx, const char *text, const struct hail_opts *opts)
{
    struct hail_endpoint at = endpoint(text);
    struct hail_listener *l = (void *)ctx;
    int rc = hail_listen(ctx, &at, opts, &l);
    assert_ptr_equal(l, ctx); /* untouched on failure */
    assert_true(rc < 0);
    return rc;
}

static bool answers(int family, uint16_t port)
{
    int fd = raw_connect(family, port);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static void the_system_picks_a_port(void **state)
{
    (void)state;
    struct hail_listener *l = listening("127.0.0.1:0", NULL);
    struct hail_endpoint at = hail_listener_at(l);
    assert_string_equal(at.host, "127.0.0.1");
    assert_true(at.has_port && at.port != 0);
    assert_true(answers(AF_INET, at.port));
    assert_false(answers(AF_INET6, at.port));
    assert_true(fcntl(hail_listener_fd(l), F_GETFL) & O_NONBLOCK);
    assert_true(fcntl(hail_listener_fd(l), F_GETFD) & FD_CLOEXEC);
    hail_listener_close(l);
    assert_false(answers(AF_INET, at.port));
    hail_listener_close(NULL);
}

static void both_families_unless_asked_otherwise(void **state)
{
    (void)state;
    struct hail_listener *l = listening(":0", NULL);
    struct hail_endpoint at = hail_listener_at(l);
    assert_int_equal(at.kind, HAIL_HOST_ANY);
    assert_true(answers(AF_INET, at.port));
    assert_true(answers(AF_INET6, at.port));
    hail_listener_close(l);

    struct hail_opts only6 = {.v6only = true}, family6 = {.family = AF_INET6};
    struct hail_opts family4 = {.family = AF_INET};
    const struct hail_opts *const six[] = {&only6, &family6};
    for (int i = 0; i < 2; i++) {
        l = listening(":0", six[i]);
        at = hail_listener_at(l);
        assert_string_equal(at.host, "::");
        assert_false(answers(AF_INET, at.port));
        assert_true(answers(AF_INET6, at.port));
        hail_listener_close(l);
    }
    l = listening(":0", &family4);
    at = hail_listener_at(l);
    assert_string_equal(at.host, "0.0.0.0");
    assert_true(answers(AF_INET, at.port));
    assert_false(answers(AF_INET6, at.port));
    hail_listener_close(l);
}

static void accepting(void **state)
{
    (void)state;
    char byte;
    struct hail_ctx ctx = soon();
    struct hail_stream *s = NULL;
    struct hail_listener *l = listening(":0", NULL);
    struct hail_endpoint at = hail_listener_at(l);
    assert_int_equal(hail_try_accept(&ctx, l, &s), -EAGAIN);
    ctx.by = hail_deadline_in(20);
    assert_int_equal(hail_accept(&ctx, l, &s), -ETIMEDOUT);
    assert_null(s);
    assert_non_null(strstr(ctx.err.msg, "accept at :"));
    ctx = soon();

    int fd = raw_connect(AF_INET, at.port);
    struct sockaddr_in mine;
    socklen_t len = sizeof mine;
    assert_int_equal(getsockname(fd, (struct sockaddr *)&mine, &len), 0);
    assert_int_equal(hail_accept(&ctx, l, &s), 0);
    struct hail_endpoint peer = hail_peer(s), local = hail_local(s);
    assert_int_equal(peer.kind, HAIL_HOST_IPV4); /* no ::ffff: in sight */
    assert_int_equal(peer.port, ntohs(mine.sin_port));
    assert_int_equal(local.kind, HAIL_HOST_IPV4);
    assert_int_equal(local.port, at.port);
    int value = 0;
    len = sizeof value;
    getsockopt(hail_stream_fd(s), IPPROTO_TCP, 1 /* TCP_NODELAY */, &value, &len);
    assert_int_equal(value, 1); /* inherited from the listener */
    assert_true(fcntl(hail_stream_fd(s), F_GETFL) & O_NONBLOCK);
    assert_true(fcntl(hail_stream_fd(s), F_GETFD) & FD_CLOEXEC);
    assert_int_equal(send(fd, "x", 1, 0), 1);
    assert_int_equal(hail_read(&ctx, s, &byte, 1), 1);
    hail_close(s);
    close(fd);
    hail_listener_close(l);
}

static void accepting_is_cancelled_and_runs_out(void **state)
{
    (void)state;
    struct hail_ctx ctx = soon();
    struct hail_stream *s = NULL;
    struct hail_listener *l = listening("127.0.0.1:0", NULL);
    struct rlimit limit, none;
    int cancel[2];
    assert_int_equal(pipe(cancel), 0);
    assert_int_equal(write(cancel[1], "x", 1), 1);
    ctx.cancel_fd = cancel[0];
    assert_int_equal(hail_accept(&ctx, l, &s), -ECANCELED);
    ctx.cancel_fd = -1;
    close(cancel[0]);
    close(cancel[1]);

    int fd = raw_connect(AF_INET, hail_listener_at(l).port);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    none = limit;
    none.rlim_cur = 0;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    int rc = hail_accept(&ctx, l, &s);
    setrlimit(RLIMIT_NOFILE, &limit);
    assert_int_equal(rc, -EMFILE);
    assert_int_equal(ctx.err.layer, HAIL_LAYER_LOCAL);
    assert_int_equal(hail_accept(&ctx, l, &s), 0); /* the connection is not lost */
    hail_close(s);
    close(fd);
    hail_listener_close(l);
}

static void a_port_in_use(void **state)
{
    (void)state;
    uint16_t port;
    char text[64];
    struct hail_ctx ctx = soon();
    struct hail_opts share = {.reuseport = true};
    int other = raw_listener(AF_INET, &port);
    snprintf(text, sizeof text, "127.0.0.1:%u", port);
    assert_int_equal(refused(&ctx, text, NULL), -EADDRINUSE);
    assert_int_equal(ctx.err.layer, HAIL_LAYER_CONNECT);
    assert_string_equal(ctx.err.op, "listen");
    assert_non_null(strstr(ctx.err.msg, text));
    assert_non_null(strstr(ctx.err.advice, "netstat"));
    assert_int_equal(refused(&ctx, text, &share), -EADDRINUSE);
    close(other);

    struct hail_listener *a = listening("127.0.0.1:0", &share);
    snprintf(text, sizeof text, "127.0.0.1:%u", hail_listener_at(a).port);
    struct hail_listener *b = listening(text, &share);
    hail_listener_close(a);
    assert_true(answers(AF_INET, hail_listener_at(b).port));
    hail_listener_close(b);
}

/* A connection of the last listener is still in TIME_WAIT. */
static void a_port_is_used_again_at_once(void **state)
{
    (void)state;
    char text[64];
    struct hail_ctx ctx = soon();
    struct hail_stream *s;
    struct hail_listener *l = listening("127.0.0.1:0", NULL);
    snprintf(text, sizeof text, "127.0.0.1:%u", hail_listener_at(l).port);
    int fd = raw_connect(AF_INET, hail_listener_at(l).port);
    assert_int_equal(hail_accept(&ctx, l, &s), 0);
    hail_close(s);
    close(fd);
    hail_listener_close(l);
    l = listening(text, NULL);
    hail_listener_close(l);
}

static void where_one_cannot_listen(void **state)
{
    (void)state;
    struct hail_ctx ctx = soon();
    struct hail_opts family6 = {.family = AF_INET6};
    assert_int_equal(refused(&ctx, "192.0.2.1:0", NULL), -EADDRNOTAVAIL);
    assert_int_equal(refused(&ctx, "127.0.0.1:0", &family6), -EAFNOSUPPORT);
    assert_int_equal(refused(&ctx, "udp:127.0.0.1:0", NULL), -EINVAL);
    assert_int_equal(refused(&ctx, "unix:/nonexistent/dir/s", NULL), -ENOENT);
}

/* --- Unix sockets --- */

static char dir[64];

static int make_dir(void **state)
{
    (void)state;
    strcpy(dir, "/tmp/hail-test-listen-XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
    (void)state;
    return rmdir(dir); /* fails if anything was left in it */
}

static const char *in_dir(const char *prefix, const char *name)
{
    static char text[2][128];
    static int turn;
    turn = !turn;
    snprintf(text[turn], sizeof text[turn], "%s%s/%s", prefix, dir, name);
    return text[turn];
}

/* A bare socket bound to a path; it listens if told so. */
static int raw_unix(const char *path, bool listens)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    strcpy(at.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    if (listens)
        assert_int_equal(listen(fd, 5), 0);
    return fd;
}

static bool unix_answers(const char *path)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    strcpy(at.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool yes = connect(fd, (struct sockaddr *)&at, sizeof at) == 0;
    close(fd);
    return yes;
}

static void a_unix_socket_has_its_mode_and_is_removed(void **state)
{
    (void)state;
    struct stat st;
    struct hail_opts opts = {.unix_mode = 0660};
    mode_t mask = umask(077);
    struct hail_listener *l = listening(in_dir("unix:", "s"), &opts);
    umask(mask);
    assert_int_equal(stat(in_dir("", "s"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0660);
    assert_true(unix_answers(in_dir("", "s")));
    struct hail_endpoint at = hail_listener_at(l);
    assert_int_equal(at.kind, HAIL_HOST_UNIX);
    assert_string_equal(at.host, in_dir("", "s"));
    hail_listener_close(l);
    assert_int_equal(stat(in_dir("", "s"), &st), -1);
}

static void a_relative_path_is_removed_from_anywhere(void **state)
{
    (void)state;
    char before[4096];
    struct stat st;
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(dir), 0);
    struct hail_listener *l = listening("unix:s", NULL);
    assert_int_equal(chdir("/"), 0);
    hail_listener_close(l);
    assert_int_equal(stat(in_dir("", "s"), &st), -1);
    assert_int_equal(chdir(before), 0);
}

static void a_dead_socket_is_replaced(void **state)
{
    (void)state;
    close(raw_unix(in_dir("", "s"), true));
    struct hail_listener *l = listening(in_dir("unix:", "s"), NULL);
    assert_true(unix_answers(in_dir("", "s")));
    hail_listener_close(l);
}

static void a_live_socket_stays(void **state)
{
    (void)state;
    struct hail_ctx ctx = soon();
    int fd = raw_unix(in_dir("", "s"), true);
    assert_int_equal(refused(&ctx, in_dir("unix:", "s"), NULL), -EADDRINUSE);
    assert_true(unix_answers(in_dir("", "s")));
    close(fd);
    unlink(in_dir("", "s"));
}

static void another_kind_of_file_stays(void **state)
{
    (void)state;
    char text[8] = "";
    struct stat st;
    struct hail_ctx ctx = soon();
    int fd = open(in_dir("", "s"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, "precious", 8), 8);
    assert_int_equal(refused(&ctx, in_dir("unix:", "s"), NULL), -EADDRINUSE);
    assert_int_equal(pread(fd, text, 8, 0), 8);
    assert_memory_equal(text, "precious", 8);
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_nlink, 1);
    close(fd);

    /* nor is a dead socket removed by way of a symbolic link to it */
    assert_int_equal(symlink("dead", in_dir("", "link")), 0);
    close(raw_unix(in_dir("", "dead"), true));
    assert_int_equal(refused(&ctx, in_dir("unix:", "link"), NULL), -EADDRINUSE);
    assert_int_equal(unlink(in_dir("", "link")), 0);
    assert_int_equal(unlink(in_dir("", "dead")), 0);
    assert_int_equal(unlink(in_dir("", "s")), 0);
}

static void somebody_elses_file_is_not_removed_at_close(void **state)
{
    (void)state;
    struct hail_listener *l = listening(in_dir("unix:", "s"), NULL);
    assert_int_equal(unlink(in_dir("", "s")), 0);
    int fd = raw_unix(in_dir("", "s"), true);
    hail_listener_close(l);
    assert_true(unix_answers(in_dir("", "s")));
    close(fd);
    unlink(in_dir("", "s"));
}

/* Many processes find the same dead socket at once: one gets the path, and keeps it. */
static void one_of_many_takes_a_dead_socket_over(void **state)
{
    (void)state;
    enum { many = 8, rounds = 10 };
    for (int round = 0; round < rounds; round++) {
        int gate[2], result[2], hold[2];
        char verdict[many];
        close(raw_unix(in_dir("", "s"), true));
        assert_int_equal(pipe(gate) | pipe(result) | pipe(hold), 0);
        for (int i = 0; i < many; i++) {
            if (fork())
                continue;
            char c;
            struct hail_ctx ctx = soon();
            struct hail_listener *l;
            struct hail_endpoint at = endpoint(in_dir("unix:", "s"));
            close(gate[1]);
            close(hold[1]);
            ssize_t n = read(gate[0], &c, 1);
            c = hail_listen(&ctx, &at, NULL, &l) == 0 ? 'y' : 'n';
            n = write(result[1], &c, 1);
            n = read(hold[0], &c, 1);
            _exit((int)n);
        }
        close(gate[0]);
        close(gate[1]);
        int winners = 0;
        for (int i = 0; i < many; i++) {
            assert_int_equal(read(result[0], &verdict[i], 1), 1);
            winners += verdict[i] == 'y';
        }
        assert_int_equal(winners, 1);
        assert_true(unix_answers(in_dir("", "s")));
        close(hold[0]);
        close(hold[1]);
        close(result[0]);
        close(result[1]);
        for (int i = 0; i < many; i++)
            wait(NULL);
        assert_int_equal(unlink(in_dir("", "s")), 0);
    }
}

static void abstract_names(void **state)
{
    (void)state;
    char text[64];
    struct hail_ctx ctx = soon();
    snprintf(text, sizeof text, "unix:@hail-test-%d", getpid());
    struct hail_listener *l = listening(text, NULL);
    struct hail_endpoint at = hail_listener_at(l), same = endpoint(text);
    assert_true(hail_endpoint_equal(&at, &same));
    assert_int_equal(refused(&ctx, text, NULL), -EADDRINUSE);
    hail_listener_close(l);
}

/* --- socket activation --- */

static int inherit(int listener)
{
    char number[16], byte;
    struct hail_ctx ctx = soon();
    struct hail_listener *l;
    struct hail_stream *s;
    snprintf(number, sizeof number, "%d", getpid());
    dup2(listener, 3);
    dup2(STDERR_FILENO, 4);
    setenv("LISTEN_FDS", "2", 1);
    setenv("LISTEN_PID", "1", 1);
    if (hail_listen_inherited() != 0)
        return 1;
    setenv("LISTEN_PID", number, 1);
    if (hail_listen_inherited() != 2)
        return 2;
    if (hail_listen_of_inherited(&ctx, 1, &l) >= 0 || hail_listen_of_inherited(&ctx, 2, &l) >= 0)
        return 3; /* not a socket; not handed over */
    if (hail_listen_of_inherited(&ctx, 0, &l) < 0 || hail_accept(&ctx, l, &s) < 0)
        return 4;
    if (hail_read(&ctx, s, &byte, 1) != 1 || byte != '!')
        return 5;
    if (!(fcntl(3, F_GETFD) & FD_CLOEXEC) || !(fcntl(3, F_GETFL) & O_NONBLOCK))
        return 6;
    setenv("LISTEN_FDS", "many", 1);
    return hail_listen_inherited() == 0 ? 0 : 7;
}

static void inherited_sockets(void **state)
{
    (void)state;
    uint16_t port;
    int status, listener = raw_listener(AF_INET, &port);
    int client = raw_connect(AF_INET, port);
    assert_int_equal(send(client, "!", 1, 0), 1);
    pid_t child = fork();
    if (child == 0)
        _exit(inherit(listener));
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    close(client);
    close(listener);
}

/* --- failures --- */

static int listen_once(const void *arg)
{
    struct hail_ctx ctx = soon();
    struct hail_endpoint at = endpoint(arg);
    struct hail_listener *l = NULL;
    struct hail_opts opts = {.unix_mode = 0777, .reuseport = true, .keepalive_s = 3};
    int rc = hail_listen(&ctx, &at, &opts, &l);
    assert_true(rc < 0 ? l == NULL && ctx.err.msg[0] : l != NULL);
    hail_listener_close(l);
    return rc;
}

static void each_system_call_fails(void **state)
{
    (void)state;
    each_call_fails(listen_once, "127.0.0.1:0");
    each_call_fails(listen_once, "[::1]:0");
    each_call_fails(listen_once, in_dir("unix:", "s"));
}

static size_t descriptors;

static int setup(void **state)
{
    descriptors = open_descriptors();
    return make_dir(state);
}

static int teardown(void **state)
{
    return remove_dir(state) == 0 && open_descriptors() == descriptors ? 0 : -1;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_system_picks_a_port),
        TEST(both_families_unless_asked_otherwise),
        TEST(accepting),
        TEST(accepting_is_cancelled_and_runs_out),
        TEST(a_port_in_use),
        TEST(a_port_is_used_again_at_once),
        TEST(where_one_cannot_listen),
        TEST(a_unix_socket_has_its_mode_and_is_removed),
        TEST(a_relative_path_is_removed_from_anywhere),
        TEST(a_dead_socket_is_replaced),
        TEST(a_live_socket_stays),
        TEST(another_kind_of_file_stays),
        TEST(somebody_elses_file_is_not_removed_at_close),
        TEST(one_of_many_takes_a_dead_socket_over),
        TEST(abstract_names),
        TEST(inherited_sockets),
        TEST(each_system_call_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
