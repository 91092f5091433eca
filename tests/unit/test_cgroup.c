/* test_cgroup.c - what a cgroup's path names; and from the id to the path, with a cgroup of the
 * test's own and a mount point whose name /proc/self/mountinfo has to escape. */
#include "support.h"

#include <hail/hail.h>

#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void test_unit(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"/", "/"},
        {"", ""},
        {"/user.slice", "/user.slice"},
        {"/system.slice/nginx.service", "nginx.service"},
        {"/system.slice/dbus.socket", "dbus.socket"},
        {"/system.slice/system-getty.slice/getty@tty1.service", "getty@tty1.service"},
        {"/user.slice/user-0.slice/session-3.scope", "session-3.scope"},
        {"/system.slice/a.service/worker/7", "a.service"},
        {"/user.slice/user@0.service/app.slice/b.service", "b.service"},
        {"/.service", "/.service"},
        {"/system.slice/docker-" ID ".scope", "0123456789ab"},
        {"/system.slice/docker-" ID ".scope/init", "0123456789ab"},
        {"/docker/" ID, "0123456789ab"},
        {"/machine.slice/libpod-" ID ".scope/container", "0123456789ab"},
        {"/kubepods/besteffort/pod1-2/" ID, "0123456789ab"},
        {"/kubepods.slice/kubepods-pod1.slice/cri-containerd-" ID ".scope", "0123456789ab"},
        {"/kubepods.slice/crio-" ID ".scope", "0123456789ab"},
        {"/docker/0123456789abcdef", "/docker/0123456789abcdef"}, /* no id: too short */
        {"/lxc/web", "web"},
        {"/lxc/web/system.slice/a.service", "a.service"},
        {"/lxc.payload.web", "web"},
        {"/lxc.payload/web/x", "web"},
        {"/lxc.payload.", "/lxc.payload."},
        {"/lxc", "/lxc"},
        {"/alxc/web", "/alxc/web"},
        {"///", "///"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char out[256];
        const char *path = guarded(cases[i][0], strlen(cases[i][0]) + 1);
        hail_cgroup_unit(path, out, sizeof out);
        assert_string_equal(out, cases[i][1]);
    }
}

/* The result is cut to its place, and no byte behind it is touched. */
static void test_cut(void **state)
{
    (void)state;
    static const char *const paths[] = {"/system.slice/nginx.service", ("/docker/" ID), "/lxc/web",
                                        "/a/path/that/names/nothing"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        char whole[256];
        hail_cgroup_unit(paths[i], whole, sizeof whole);
        for (size_t size = 1; size <= strlen(whole) + 1; size++) {
            char *out = guarded(whole, size);
            hail_cgroup_unit(paths[i], out, size);
            assert_int_equal(strlen(out), size - 1);
            assert_memory_equal(out, whole, size - 1);
        }
    }
}

/* --- the tree; in a process of its own, for the mounts are private and the tree is read once ---
 */

enum { DONE = 0, WRONG = 1, NO_RIGHT = 2 };

static int look(const char *mount, const char *below, const char *want)
{
    char path[512], found[256], cut[4];
    struct stat st;
    snprintf(path, sizeof path, "%s%s", mount, below);
    if (stat(path, &st) < 0 || hail_cgroup_path(st.st_ino, found, sizeof found) != 0)
        return WRONG;
    hail_cgroup_path(st.st_ino, cut, sizeof cut);
    return strcmp(found, want) == 0 && strncmp(cut, want, 3) == 0 ? DONE : WRONG;
}

static int walk(char *mount_point)
{
    char group[300], inner[350], name[64];
    if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return NO_RIGHT;
    umount2("/sys/fs/cgroup/unified", MNT_DETACH); /* so that the one below is the only one */
    umount2("/sys/fs/cgroup", MNT_DETACH);
    if (mount("none", mount_point, "cgroup2", 0, NULL) < 0)
        return NO_RIGHT;
    snprintf(name, sizeof name, "/hail-test-%d.scope", (int)getpid());
    snprintf(group, sizeof group, "%s%s", mount_point, name);
    snprintf(inner, sizeof inner, "%s/a b", group);
    int rc = NO_RIGHT;
    if (mkdir(group, 0755) == 0 && mkdir(inner, 0755) == 0) {
        char want[96], none[8];
        snprintf(want, sizeof want, "%s/a b", name);
        rc = look(mount_point, "", "/") | look(mount_point, name, name) |
             look(mount_point, want, want);
        if (hail_cgroup_path(UINT64_MAX, none, sizeof none) != -ENOENT)
            rc = WRONG;
    }
    rmdir(inner);
    rmdir(group);
    return rc;
}

static int in_child(int (*act)(char *), char *arg)
{
    int status;
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        _exit(act(arg));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void test_path(void **state)
{
    (void)state;
    char place[] = "/tmp/hail-test \\cgroup-XXXXXX";
    assert_non_null(mkdtemp(place));
    int rc = in_child(walk, place);
    assert_int_equal(rmdir(place), 0);
    if (rc == NO_RIGHT)
        skip();
    assert_int_equal(rc, DONE);
}

/* Without a cgroup2 mount every id is unknown. */
static int without(char *unused)
{
    char path[64];
    (void)unused;
    if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("none", "/proc", "tmpfs", 0, NULL) < 0)
        return NO_RIGHT;
    return hail_cgroup_path(1, path, sizeof path) == -ENOENT ? DONE : WRONG;
}

static void test_no_mount(void **state)
{
    (void)state;
    int rc = in_child(without, NULL);
    if (rc == NO_RIGHT)
        skip();
    assert_int_equal(rc, DONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unit),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_path),
        cmocka_unit_test(test_no_mount),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
