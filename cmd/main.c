/* main.c - a table and a loop: the program is its commands.
 *
 *   main.c     this: the table, the names the program may be called by, signals
 *   options.c  the options of all commands and of each
 *   help.c     --help
 *   completion.c  what may come next, for the shells
 *   fail.c     errors and exit statuses
 *   output.c   standard output, JSON, colour
 *   NAME.c     one command (or a folder of its own)
 */
#include "base/text.h"
#include "cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* In the order in which one learns them. */
const struct command *const commands[] = {
    &command_tour, &command_lookup, &command_ports, &command_netstat, &command_telnet,
    &command_nc,   &command_get,    &command_serve, &command_check,   NULL,
};

#define WORDS_MAX 32 /* commands, "help" and the end */

static int cancel_fd = -1;
static volatile sig_atomic_t caught;

/* SIGINT and SIGTERM wake whatever waits; a second one ends the program at once. */
static void on_signal(int sig)
{
    int saved = errno;
    if (caught) {
        signal(sig, SIG_DFL);
        raise(sig);
    }
    caught = sig;
    uint64_t one = 1;
    ssize_t n = write(cancel_fd, &one, sizeof one);
    (void)n; /* an event counter of 1 is never full */
    errno = saved;
}

/* Where a standard descriptor is closed, nothing else may take its number: a socket would get what
 * is printed. The one that is put there fails as the closed one would. */
static void keep_standard_descriptors(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0)
            (void)!open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

static void catch_signals(struct hail_ctx *ctx)
{
    signal(SIGPIPE, SIG_IGN); /* a closed standard output is an error of write, with a message */
    cancel_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (cancel_fd < 0)
        return; /* then the signals end the program as they always do */
    ctx->cancel_fd = cancel_fd;
    struct sigaction act = {.sa_handler = on_signal};
    static const int signals[] = {SIGINT, SIGTERM};
    for (size_t i = 0; i < 2; i++) {
        struct sigaction old;
        if (sigaction(signals[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
            sigaction(signals[i], &act, NULL);
    }
}

/* Ends by the signal that stopped the command, as a shell expects. */
static void die_of(int sig)
{
    signal(sig, SIG_DFL);
    raise(sig);
}

static const struct command *find(const char *name)
{
    for (size_t i = 0; commands[i]; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

static int unknown(const char *name)
{
    const char *words[WORDS_MAX];
    size_t n = 0;
    for (; commands[n] && n < WORDS_MAX - 2; n++)
        words[n] = commands[n]->name;
    words[n++] = "help";
    words[n] = NULL;
    const char *meant = hail_text_nearest(name, words);
    if (meant)
        return usage_error(NULL, "unknown command '%s'; did you mean '%s'?", name, meant);
    return usage_error(NULL, "unknown command '%s'", name);
}

static int run(const struct command *cmd, int argc, char **argv, bool by_name)
{
    struct common c = {.cmd = cmd, .by_name = by_name, .ctx = HAIL_CTX_INIT};
    int first = argc, status = cmd->parse ? cmd->parse(&c, argc, argv)
                                          : parse_options(cmd, &c, argc, argv, &first);
    if (status >= 0)
        return status;
    catch_signals(&c.ctx);
    status = cmd->run(&c, argc - first, argv + first);
    int rc = hail_trace_close(c.ctx.trace);
    if (rc < 0)
        status = local_error("write", "the trace", -rc);
    return status;
}

static int show_version(void)
{
    printf("hail %s\n", hail_version());
    const char *name, *version;
    for (int i = 0; (name = hail_library(i, &version)) != NULL; i++)
        printf("%s %s\n", name, version);
    return STATUS_DONE;
}

static int help(const char *name)
{
    const struct command *cmd = name ? find(name) : NULL;
    if (name && !cmd)
        return unknown(name);
    return cmd ? help_command(cmd) : help_main();
}

static int dispatch(int argc, char **argv)
{
    const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
    const struct command *cmd = argc > 0 ? find(slash ? slash + 1 : argv[0]) : NULL;
    if (cmd)
        return run(cmd, argc, argv, true);
    if (argc < 2) {
        help_main();
        return STATUS_USAGE;
    }
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0)
        return show_version();
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
        return help(NULL);
    if (strcmp(argv[1], "help") == 0 && argc > 2 && strcmp(argv[2], "--complete") == 0)
        return complete_words(argc - 3, argv + 3);
    if (strcmp(argv[1], "help") == 0 && argc > 2 && strcmp(argv[2], "--completion") == 0)
        return completion_script(argv[3]);
    if (strcmp(argv[1], "help") == 0)
        return help(argv[2]);
    cmd = find(argv[1]);
    if (!cmd && argv[1][0] == '-')
        return usage_error(NULL, "unknown option '%s'", argv[1]);
    return cmd ? run(cmd, argc - 1, argv + 1, false) : unknown(argv[1]);
}

int main(int argc, char **argv)
{
    keep_standard_descriptors();
    int status = finish_output(dispatch(argc, argv));
    if (caught)
        die_of(caught);
    return status;
}
