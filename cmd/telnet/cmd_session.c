/* cmd_session.c - the commands about the connection and the program: close, logout, quit, status,
 * z,
 * !, and two words of older telnets. `open` is in dial.c. */
#include "session.h"

#include <errno.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

static void close_connection(struct telnet *t)
{
    if (!t->stream)
        return;
    telnet_hang_up(t);
    printf("Connection closed.\n");
    fflush(stdout);
}

int telnet_close(struct telnet *t, int argc, char **argv)
{
    (void)argc;
    (void)argv;
    close_connection(t);
    return TELNET_GO;
}

int telnet_quit(struct telnet *t, int argc, char **argv)
{
    (void)argc;
    (void)argv;
    close_connection(t);
    t->leave = true;
    t->status = STATUS_DONE;
    return TELNET_GO;
}

int telnet_logout(struct telnet *t, int argc, char **argv)
{
    (void)argc;
    (void)argv;
    hail_telnet_ask(&t->engine, HAIL_TELNET_DO, HAIL_TELOPT_LOGOUT);
    telnet_flush(t);
    return TELNET_GO;
}

static void describe_mode(const struct telnet *t)
{
    int mode = telnet_mode_wanted(t);
    const struct hail_telnet *e = &t->engine;
    if (hail_telnet_wanted(e, HAIL_TELOPT_LINEMODE, true)) {
        printf("Operating with LINEMODE option\n%s line editing\n%s catching of signals\n",
               mode & HAIL_TELNET_MODE_EDIT ? "Local" : "No",
               mode & HAIL_TELNET_MODE_TRAPSIG ? "Local" : "No");
        telnet_slc_say(t);
    } else if (t->kludge && !hail_telnet_wanted(e, HAIL_TELOPT_SGA, false)) {
        printf("Operating in obsolete linemode\n");
    } else {
        printf("Operating in single character mode\n");
        if (t->toggle.localchars)
            printf("Catching signals locally\n");
    }
    printf("%s character echo\n", mode & TELNET_MODE_ECHO ? "Local" : "Remote");
    if (hail_telnet_wanted(e, HAIL_TELOPT_LFLOW, true))
        printf("%s flow control\n", mode & TELNET_MODE_FLOW ? "Local" : "No");
}

int telnet_show_status(struct telnet *t, int argc, char **argv)
{
    if (t->stream) {
        printf("Connected to %s.\n", t->host);
        if (argc < 2 || strcmp(argv[1], "notmuch") != 0)
            describe_mode(t);
    } else {
        printf("No connection.\n");
    }
    printf("Escape character is '%s'.\n", telnet_char_name(t->chars.escape));
    fflush(stdout);
    return TELNET_GO;
}

/* The window may have another size by now. */
static void look_at_size(struct telnet *t)
{
    if (telnet_terminal_resized(t) && t->stream)
        hail_telnet_resized(&t->engine);
}

int telnet_z(struct telnet *t, int argc, char **argv)
{
    (void)argc;
    (void)argv;
    fflush(stdout);
    telnet_suspend(t, true);
    look_at_size(t);
    return TELNET_GO;
}

int telnet_shell(struct telnet *t, int argc, char **argv)
{
    (void)argv;
    char *shell = getenv("SHELL"), c[] = "-c";
    if (!shell || !*shell)
        shell = (char[]){"/bin/sh"};
    char *slash = strrchr(shell, '/');
    char *line = strdup(telnet_shell_line());
    char *words[] = {slash ? slash + 1 : shell, argc > 1 ? c : NULL, line, NULL};
    pid_t pid;
    fflush(stdout);
    int rc = line ? posix_spawn(&pid, shell, NULL, NULL, words, environ) : ENOMEM;
    if (rc != 0)
        telnet_perror("Execl", rc);
    else
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
            ;
    free(line);
    look_at_size(t);
    return TELNET_GO;
}

int telnet_old_escape(struct telnet *t, int argc, char **argv)
{
    char line[TELNET_LINE];
    printf("Deprecated usage - please use 'set escape%s%s' in the future.\n", argc > 2 ? " " : "",
           argc > 2 ? argv[1] : "");
    if (argc > 2) {
        snprintf(line, sizeof line, "%s", argv[1]);
    } else {
        printf("new escape character: ");
        fflush(stdout);
        int n = telnet_read_line(t, line, 50);
        if (n < 0)
            printf("\n");
        else if (n == 0)
            snprintf(line, sizeof line, "\n"); /* the line's end itself */
        line[n < 0 ? 0 : 1] = '\0';
    }
    if (*line)
        t->chars.escape = (cc_t)*line;
    printf("Escape character is '%s'.\n", telnet_char_name(t->chars.escape));
    return TELNET_GO;
}

int telnet_old_crmod(struct telnet *t, int argc, char **argv)
{
    (void)argc;
    (void)argv;
    t->toggle.crmod = !t->toggle.crmod;
    printf("Deprecated usage - please use 'toggle crmod' in the future.\n"
           "%s map carriage return on output.\n",
           t->toggle.crmod ? "Will" : "Won't");
    return TELNET_GO;
}
