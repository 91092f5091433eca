/* editor.h - a line editor for plain conversations on a terminal, by libedit: what is typed becomes
 * a line before it is said; what comes in the meantime is shown above it.
 *
 *   keys.c --> telnet_editor_typed() --> libedit --> a line --> telnet_say()
 *   screen.c --> telnet_editor_show() --> telnet_show(), the line drawn anew behind it
 *
 * Nothing of it is there by the name telnet, with --raw, with a terminal that cannot move its
 * cursor, or one that is not known (no terminfo): then the terminal's driver edits lines.
 *
 *   editor.c            the hand-off with libedit, keys, modes
 *   editor_screen.c     what comes while a line is typed
 *   editor_complete.c   TAB: the service's verbs
 *   editor_history.c    lines kept in ~/.local/state/hail, a file a service
 */
#ifndef HAIL_CMD_TELNET_EDITOR_H
#define HAIL_CMD_TELNET_EDITOR_H

#include "telnet.h"

/* Before the terminal's mode is set: the editor rests unless lines of a plain conversation are
 * typed in it. So it does for the prompt, a stop, the end. */
void telnet_editor_leave(struct telnet *t, int mode);
/* After it was set: makes the editor, or has it go on, where its terms are met. */
void telnet_editor_update(struct telnet *t);
/* Another connection: its own history. */
void telnet_editor_begin(struct telnet *t);
void telnet_editor_free(struct telnet *t);

/* Whether keys and what comes go through it now. */
bool telnet_editor_active(const struct telnet *t);
/* Whether ^D has ended what is typed. */
bool telnet_editor_ended(const struct telnet *t);

/* 0 or -errno, as telnet_say() and telnet_show(). */
int telnet_editor_typed(struct telnet *t, const char *p, size_t n);
int telnet_editor_show(struct telnet *t, const char *p, size_t n); /* made visible before */
void telnet_editor_resized(struct telnet *t);

#endif
