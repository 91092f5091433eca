/* test_sandbox.c - os/linux/sandbox.h: a child gives everything up, and then tries. */
#include "os/linux/sandbox.h"

#include "support.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

struct bed {
    char folder[64];
    int fd;
};

/* What the child found: the number of the first thing that went otherwise, 0 for none. */
static int in_child(int (*act)(struct bed *b), struct bed *b)
{
    int status = 0;
    pid_t child = fork();
    if (child == 0)
        _exit(act(b));
    assert_true(child > 0 && waitpid(child, &status, 0) == child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int bed_up(void **state)
{
    struct bed *b = calloc(1, sizeof *b);
    strcpy(b->folder, "/tmp/hail-sandbox-XXXXXX");
    assert_non_null(mkdtemp(b->folder));
    b->fd = open(b->folder, O_RDONLY | O_DIRECTORY);
    int file = openat(b->fd, "file", O_CREAT | O_WRONLY, 0600);
    assert_int_equal(write(file, "x", 1), 1);
    close(file);
    *state = b;
    return 0;
}

static int bed_down(void **state)
{
    struct bed *b = *state;
    unlinkat(b->fd, "file", 0);
    unlinkat(b->fd, "new", 0);
    close(b->fd);
    rmdir(b->folder);
    free(b);
    return 0;
}

static bool fails_with(long rc, int errnum)
{
    return rc < 0 && errno == errnum;
}

/* --- landlock --- */

static int finds_landlock(struct bed *b)
{
    struct hail_may may = {b->fd, HAIL_MAY_READ};
    int abi;
    return hail_landlock(&may, 1, &abi) == 0 && abi > 0;
}

static bool has_landlock(struct bed *b)
{
    return in_child(finds_landlock, b) == 1;
}

static int reads_only(struct bed *b)
{
    struct hail_may may = {b->fd, HAIL_MAY_READ};
    int abi;
    if (hail_landlock(&may, 1, &abi) < 0 || abi < 1)
        return 1;
    if (openat(b->fd, "file", O_RDONLY) < 0 || open(b->folder, O_RDONLY | O_DIRECTORY) < 0)
        return 2;
    if (!fails_with(openat(b->fd, "file", O_WRONLY), EACCES))
        return 3;
    if (!fails_with(openat(b->fd, "new", O_CREAT | O_WRONLY, 0600), EACCES))
        return 4;
    if (!fails_with(unlinkat(b->fd, "file", 0), EACCES))
        return 5;
    if (!fails_with(open("/etc/passwd", O_RDONLY), EACCES) ||
        !fails_with(openat(b->fd, "../../etc/passwd", O_RDONLY), EACCES))
        return 6;
    return 0;
}

static void test_files_below_can_be_read_and_no_others(void **state)
{
    if (has_landlock(*state))
        assert_int_equal(in_child(reads_only, *state), 0);
}

static int writes_and_removes(struct bed *b)
{
    struct hail_may may = {b->fd, HAIL_MAY_WRITE | HAIL_MAY_REMOVE};
    int abi;
    if (hail_landlock(&may, 1, &abi) < 0)
        return 1;
    int fd = openat(b->fd, "new", O_CREAT | O_WRONLY | O_APPEND, 0600);
    if (fd < 0 || write(fd, "x", 1) != 1)
        return 2;
    if (!fails_with(openat(b->fd, "new", O_RDONLY), EACCES))
        return 3;
    if (unlinkat(b->fd, "new", 0) < 0)
        return 4;
    if (!fails_with(mkdirat(b->fd, "folder", 0700), EACCES) ||
        !fails_with(symlinkat("x", b->fd, "link"), EACCES))
        return 5;
    return 0;
}

static void test_a_folder_to_write_in(void **state)
{
    if (has_landlock(*state))
        assert_int_equal(in_child(writes_and_removes, *state), 0);
}

static int connects(struct bed *b)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(9)};
    struct hail_may may = {b->fd, HAIL_MAY_READ};
    int abi, s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (hail_landlock(&may, 1, &abi) < 0)
        return 1;
    if (abi < 4)
        return 0;
    if (!fails_with(connect(s, (struct sockaddr *)&at, sizeof at), EACCES))
        return 2;
    at.sin_port = 0;
    return fails_with(bind(s, (struct sockaddr *)&at, sizeof at), EACCES) ? 0 : 3;
}

static void test_no_tcp(void **state)
{
    assert_int_equal(in_child(connects, *state), 0);
}

static int wrong_place(struct bed *b)
{
    struct hail_may may = {-1, HAIL_MAY_READ};
    int abi;
    (void)b;
    return hail_landlock(&may, 1, &abi) == -EBADF && abi == 0 ? 0 : 1;
}

static void test_a_place_that_is_none(void **state)
{
    if (has_landlock(*state))
        assert_int_equal(in_child(wrong_place, *state), 0);
}

/* --- seccomp --- */

static void *nothing(void *arg)
{
    return arg;
}

static int confined(struct bed *b)
{
    char name[] = "true", *argv[] = {name, NULL};
    if (hail_seccomp() < 0)
        return 1;
    if (!fails_with(socket(AF_INET, SOCK_STREAM, 0), EPERM))
        return 2;
    if (!fails_with(execv("/bin/true", argv), EPERM))
        return 3;
    if (!fails_with(fork(), EPERM))
        return 4;
    if (mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED)
        return 5;
    void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED || !fails_with(mprotect(p, 4096, PROT_READ | PROT_EXEC), EPERM))
        return 6;
    if (!fails_with(ptrace(PTRACE_TRACEME, 0, 0, 0), EPERM))
        return 7;
    if (!fails_with(chmod(b->folder, 0777), EPERM) || !fails_with(chroot("/"), EPERM))
        return 8;
    return openat(b->fd, "file", O_RDONLY) >= 0 ? 0 : 9;
}

static void test_calls_that_no_server_of_files_needs(void **state)
{
    assert_int_equal(in_child(confined, *state), 0);
}

static int makes_threads(struct bed *b)
{
    pthread_t t;
    (void)b;
    if (hail_seccomp() < 0)
        return 1;
    return pthread_create(&t, NULL, nothing, NULL) == 0 && pthread_join(t, NULL) == 0 ? 0 : 2;
}

static void test_threads_can_still_be_made(void **state)
{
    assert_int_equal(in_child(makes_threads, *state), 0);
}

static int both(struct bed *b)
{
    struct hail_ctx ctx = {.cancel_fd = -1};
    struct hail_may may = {b->fd, HAIL_MAY_READ};
    struct hail_sandbox got;
    if (hail_sandbox(&ctx, &may, 1, &got) < 0 || !got.seccomp)
        return 1;
    return openat(b->fd, "file", O_RDONLY) >= 0 ? 0 : 2;
}

static void test_both(void **state)
{
    assert_int_equal(in_child(both, *state), 0);
}

/* --- the user --- */

static int becomes(struct bed *b)
{
    struct hail_ctx ctx = {.cancel_fd = -1};
    (void)b;
    if (hail_become(&ctx, "nobody") < 0)
        return 1;
    if (getuid() != 65534 || geteuid() != 65534 || getegid() == 0 || getgroups(0, NULL) != 0)
        return 2;
    return fails_with(setuid(0), EPERM) ? 0 : 3;
}

static int becomes_numbers(struct bed *b)
{
    struct hail_ctx ctx = {.cancel_fd = -1};
    (void)b;
    return hail_become(&ctx, "12345:54321") == 0 && getuid() == 12345 && getgid() == 54321 ? 0 : 1;
}

static int cannot_become(struct bed *b)
{
    static const char *const wrong[] = {"", ":", ":root", "no-such-user", "nobody:no-such-group"};
    struct hail_ctx ctx = {.cancel_fd = -1};
    (void)b;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (hail_become(&ctx, wrong[i]) >= 0 || getuid() != 0 || !*ctx.err.msg)
            return (int)i + 1;
    return 0;
}

static int not_root(struct bed *b)
{
    struct hail_ctx ctx = {.cancel_fd = -1};
    (void)b;
    return setuid(65534) == 0 && hail_become(&ctx, "12345") == -EPERM ? 0 : 1;
}

static void test_another_user(void **state)
{
    if (getuid() != 0)
        return; /* only root can become somebody else */
    assert_int_equal(in_child(becomes, *state), 0);
    assert_int_equal(in_child(becomes_numbers, *state), 0);
    assert_int_equal(in_child(cannot_become, *state), 0);
    assert_int_equal(in_child(not_root, *state), 0);
}

#define IN_BED(f) cmocka_unit_test_setup_teardown(f, bed_up, bed_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_BED(test_files_below_can_be_read_and_no_others),
        IN_BED(test_a_folder_to_write_in),
        IN_BED(test_no_tcp),
        IN_BED(test_a_place_that_is_none),
        IN_BED(test_calls_that_no_server_of_files_needs),
        IN_BED(test_threads_can_still_be_made),
        IN_BED(test_both),
        IN_BED(test_another_user),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
