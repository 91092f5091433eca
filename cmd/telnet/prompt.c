/* prompt.c - "telnet> ": lines, and the commands they begin with. The same commands come from
 * ~/.telnetrc when a connection has been made:
 *
 *      # comment
 *      mail.example.org set escape ^A
 *          toggle options             (a line that begins with a space goes on with the same host)
 *      DEFAULT unset echo
 */
#include "session.h"

#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const struct telnet_command telnet_commands[] = {
    {"close", "close current connection", telnet_close, true},
    {"logout", "forcibly logout remote user and close the connection", telnet_logout, true},
    {"display", "display operating parameters", telnet_display, false},
    {"mode", "try to enter line or character mode ('mode ?' for more)", telnet_mode, false},
    {"open", "connect to a site", telnet_open, false},
    {"quit", "exit telnet", telnet_quit, false},
    {"send", "transmit special characters ('send ?' for more)", telnet_send, false},
    {"set", "set operating parameters ('set ?' for more)", telnet_set, false},
    {"unset", "unset operating parameters ('unset ?' for more)", telnet_unset, false},
    {"status", "print status information", telnet_show_status, false},
    {"toggle", "toggle operating parameters ('toggle ?' for more)", telnet_toggle, false},
    {"slc", "change state of special characters ('slc ?' for more)", telnet_slc, false},
    {"z", "suspend telnet", telnet_z, false},
    {"!", "invoke a subshell", telnet_shell, false},
    {"environ", "change environment variables ('environ ?' for more)", telnet_environ, false},
    {"?", "print help information", telnet_help, false},
    {NULL, NULL, NULL, false},
};

/* Looked at when none of those is meant. */
static const struct telnet_command more_commands[] = {
    {"help", "print help information", telnet_help, false},
    {"starttls", "go on under TLS ('starttls ?' for more)", telnet_starttls, true},
    {"escape", "deprecated command -- use 'set escape' instead", telnet_old_escape, false},
    {"crmod", "deprecated command -- use 'toggle crmod' instead", telnet_old_crmod, false},
    {NULL, NULL, NULL, false},
};

static char shell_line[TELNET_LINE];

const char *telnet_shell_line(void)
{
    return shell_line;
}

const struct telnet_command *telnet_command(const char *name, bool *ambiguous)
{
    const struct telnet_command *c = telnet_find(name, telnet_commands, sizeof *c, ambiguous);
    if (c || *ambiguous)
        return c;
    return telnet_find(name, more_commands, sizeof *c, ambiguous);
}

void telnet_complain(const char *fmt, ...)
{
    va_list ap;
    fflush(stdout);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
}

void telnet_perror(const char *what, int errnum)
{
    telnet_complain("%s: %s\n", what, strerror(errnum));
}

int telnet_help(struct telnet *t, int argc, char **argv)
{
    (void)t;
    if (argc == 1) {
        printf("Commands may be abbreviated.  Commands are:\n\n");
        for (const struct telnet_command *c = telnet_commands; c->name; c++)
            printf("%-8s\t%s\n", c->name, c->help);
    }
    for (int i = 1; i < argc; i++) {
        bool ambiguous;
        const struct telnet_command *c = telnet_command(argv[i], &ambiguous);
        if (c)
            printf("%s\n", c->help);
        else
            printf("?%s help command %s\n", ambiguous ? "Ambiguous" : "Invalid", argv[i]);
    }
    return TELNET_STAY;
}

/* --- lines --- */

/* A line is read byte by byte: what follows it in a pipe is the conversation's. */
int telnet_read_line(struct telnet *t, char *line, size_t size)
{
    size_t n = 0;
    while (n + 1 < size) {
        char c;
        fflush(stdout);
        if (hail_wait(&t->c->ctx, STDIN_FILENO, POLLIN) < 0)
            return -1;
        ssize_t got = read(STDIN_FILENO, &c, 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0 && n == 0)
            return -1;
        if (got <= 0 || c == '\n')
            break;
        line[n++] = c;
    }
    line[n] = '\0';
    return (int)strlen(line);
}

/* What was typed right after the escape character begins the first line, or is all of it: its
 * length, and whether it is *whole. The terminal has not echoed it. */
static size_t typed_ahead(struct telnet *t, char *line, bool *whole)
{
    size_t n = 0;
    *whole = false;
    while (n < t->typed.len && n + 1 < TELNET_LINE && isprint((unsigned char)t->typed.p[n])) {
        line[n] = t->typed.p[n];
        n++;
    }
    line[n] = '\0';
    if (n < t->typed.len) {
        *whole = n > 0 && (t->typed.p[n] == '\n' || t->typed.p[n] == '\r');
        n = *whole ? n : 0; /* keys that are no text are nothing for the prompt */
    }
    hail_buf_clear(&t->typed);
    if (t->chars.rlogin == TELNET_OFF)
        printf("%.*s%s", (int)n, line, *whole ? "\n" : "");
    return n;
}

/* Runs a line; TELNET_GO to leave the prompt. `rc`: of ~/.telnetrc, which names the command. */
static int run_line(struct telnet *t, char *line, bool rc)
{
    char *words[TELNET_WORDS];
    bool ambiguous;
    if (*line == '!')
        snprintf(shell_line, sizeof shell_line, "%s", line + 1);
    int n = telnet_split(line, words);
    if (n == 0)
        return TELNET_GO;
    const struct telnet_command *c = telnet_command(words[0], &ambiguous);
    const char *colon = rc ? ": " : "", *name = rc ? words[0] : "";
    if (!c) {
        printf("?%s command%s%s\n", ambiguous ? "Ambiguous" : "Invalid", colon, name);
        return TELNET_STAY;
    }
    if (c->connected && !t->stream) {
        printf("?Need to be connected first%s%s.\n", rc ? " for " : "", name);
        return TELNET_STAY;
    }
    return c->run(t, n, words);
}

void telnet_prompt(struct telnet *t, bool top)
{
    char line[TELNET_LINE];
    bool rlogin = t->chars.rlogin != TELNET_OFF;
    t->toggle.localchars = 1;
    if (!top)
        printf("\n");
    for (bool first = true; !t->leave; first = false) {
        if (!rlogin)
            printf("%s> ", t->name);
        bool whole = false;
        size_t n = first ? typed_ahead(t, line, &whole) : 0;
        if (!whole) {
            if (rlogin)
                printf("%s> ", t->name);
            if (telnet_read_line(t, line + n, sizeof line - n) < 0) {
                printf("\n");
                telnet_quit(t, 0, NULL);
                break;
            }
        }
        if (run_line(t, line, false) == TELNET_GO)
            break;
    }
    fflush(stdout);
}

/* --- ~/.telnetrc --- */

/* Whether the line begins with the word; what follows it goes to the front. */
static bool begins(char *line, const char *word)
{
    size_t n = strlen(word);
    if (strncasecmp(line, word, n) != 0)
        return false;
    memmove(line, line + n, strlen(line + n) + 1);
    return true;
}

static void run_rc(struct telnet *t, FILE *file)
{
    char line[TELNET_LINE];
    bool ours = false;
    while (fgets(line, sizeof line, file)) {
        if (*line == '#')
            continue;
        if (!isspace((unsigned char)*line)) {
            ours = (begins(line, t->host) || begins(line, "DEFAULT")) &&
                   (*line == ' ' || *line == '\t' || *line == '\n');
        }
        char *content = line + strspn(line, " \t\r\n\v\f");
        if (ours && *content)
            run_line(t, line, true);
    }
}

void telnet_read_rc(struct telnet *t)
{
    if (t->toggle.skiprc)
        return;
    char path[4096];
    const char *home = getenv("HOME");
    snprintf(path, sizeof path, "%s/.telnetrc", home ? home : "");
    FILE *file = fopen(path, "re");
    if (!file)
        return;
    t->at_prompt = true;
    run_rc(t, file);
    fclose(file);
}
