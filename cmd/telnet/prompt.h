/* prompt.h - the prompt and its commands, for the files that have one. */
#ifndef HAIL_CMD_TELNET_PROMPT_H
#define HAIL_CMD_TELNET_PROMPT_H

#include "telnet.h"

/* What a command returns: stay at the prompt, or go back to the conversation. */
enum { TELNET_STAY = 0, TELNET_GO = 1 };

typedef int telnet_handler(struct telnet *t, int argc, char **argv);

struct telnet_command {
    const char *name;
    const char *help; /* NULL: not listed */
    telnet_handler *run;
    bool connected; /* wants a connection */
};

/* prompt.c: reads and runs commands. `top`: there is no conversation to go back to. Ends when
 * `leave` is set, when the line is empty, or as a command says. */
void telnet_prompt(struct telnet *t, bool top);
/* The commands of ~/.telnetrc for this host. */
void telnet_read_rc(struct telnet *t);
/* The command that is meant; NULL: none, or *ambiguous. */
const struct telnet_command *telnet_command(const char *name, bool *ambiguous);
extern const struct telnet_command telnet_commands[];
/* The rest of a line that began with '!', as it was typed. */
const char *telnet_shell_line(void);
/* A line of the prompt's input without its end: its length, or -1 at the end of all. */
int telnet_read_line(struct telnet *t, char *line, size_t size);

/* Standard output is written first, so that both come in order. */
void telnet_complain(const char *fmt, ...) HAIL_PRINTF(1, 2);
void telnet_perror(const char *what, int errnum);

/* words.c: the row that `name` begins or is. The rows' first member is their name; the table ends
 * with NULL. NULL: none, or *ambiguous. */
const void *telnet_find(const char *name, const void *table, size_t row, bool *ambiguous);
bool telnet_is_prefix(const char *s, const char *word);
int telnet_split(char *line, char *words[TELNET_WORDS]);
/* "^]", "^?", "a" <-> the character; "off" and "\377" only in showing it. */
cc_t telnet_char_of(const char *s);
const char *telnet_char_name(cc_t c);

/* The commands. */
telnet_handler telnet_help, telnet_open, telnet_close, telnet_quit, telnet_logout, telnet_z,
    telnet_shell, telnet_send, telnet_set, telnet_unset, telnet_display, telnet_toggle, telnet_mode,
    telnet_slc, telnet_environ, telnet_show_status, telnet_old_escape, telnet_old_crmod,
    telnet_starttls;

/* cmd_toggle.c: the rows, for set, unset and display. */
struct telnet_toggle {
    const char *name;
    const char *help;                          /* NULL: not listed */
    void (*changed)(struct telnet *t, int to); /* to: 1 on, 0 off, -1 the other */
    long at;                                   /* in struct telnet_toggles; -1: none */
    const char *what;                          /* "Will ...", NULL: nothing is said */
};
extern const struct telnet_toggle telnet_toggle_rows[];
int *telnet_toggle_value(struct telnet *t, const struct telnet_toggle *row);
void telnet_toggle_say(struct telnet *t, const struct telnet_toggle *row);
void telnet_toggle_list(const char *verb);
void telnet_socket_debug(struct telnet *t, int to); /* as `toggle debug` says */

#endif
