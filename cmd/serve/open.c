/* open.c - `hail serve --open`: the page in the user's browser, by xdg-open(1), without a shell.
 */
#include "where.h"

#include "base/error.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <unistd.h>

void serve_open_browser(const struct serve *s, const char *url)
{
    char name[] = "xdg-open", address[HAIL_ENDPOINT_MAX + 16];
    char *argv[] = {name, address, NULL};
    posix_spawn_file_actions_t files;
    pid_t child;
    snprintf(address, sizeof address, "%s", url);
    signal(SIGCHLD, SIG_IGN); /* nobody waits for it */
    int rc = posix_spawn_file_actions_init(&files);
    if (rc == 0) {
        posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", 0, 0);
        posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", 1, 0);
        posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", 1, 0);
        rc = posix_spawnp(&child, name, &files, NULL, argv, environ);
        posix_spawn_file_actions_destroy(&files);
    }
    if (rc != 0 && s->log != SERVE_LOG_OFF)
        fprintf(stderr, "hail: xdg-open: %s\n", hail_errno_text(rc));
}
