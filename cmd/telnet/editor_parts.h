/* editor_parts.h - what the files of the line editor share among themselves. */
#ifndef HAIL_CMD_TELNET_EDITOR_PARTS_H
#define HAIL_CMD_TELNET_EDITOR_PARTS_H

#include "editor.h"

#include <histedit.h>
#include <pthread.h>
#include <wchar.h>

#define TELNET_EDITOR_PROMPT 256 /* bytes of an unfinished line of the peer's in front of ours */
#define TELNET_EDITOR_TEXT   (1 << 20) /* bytes that libedit draws at once */

enum telnet_editor_gave { EDITOR_WANTS_KEYS, EDITOR_LINE, EDITOR_END };

/* libedit reads keys by a call that waits. It has a thread of its own, which runs only while the
 * session waits for it: at no time do both. */
struct telnet_editor {
    struct telnet *t;
    EditLine *el;
    History *history;
    FILE *screen; /* libedit's; what it writes goes to `text` */
    FILE *nowhere;
    struct hail_buf text;

    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t turn;
    bool editing; /* libedit's turn */
    bool stop;
    const char *keys;
    size_t nkeys;
    mbstate_t shift;
    enum telnet_editor_gave gave;
    const char *line; /* LINE: with its LF */
    size_t nline;

    bool active; /* the terminal is libedit's */
    bool ended;  /* ^D */
    bool stale;  /* the screen is not what libedit knows of */
    bool loose;  /* the peer's unfinished line is too long to be a prompt */
    char prompt[TELNET_EDITOR_PROMPT];
    char up[32], clear[32]; /* the terminal's: cursor up, clear to the end of the screen */

    char *file; /* of the history; NULL: not kept */
    bool loaded;
};

/* editor_screen.c */
/* Removes prompt and line from the screen: the cursor is where they began. */
void telnet_editor_wipe(struct telnet_editor *e);
/* Draws them, from the cursor on. */
void telnet_editor_draw(struct telnet_editor *e);
/* What libedit wrote goes to the screen. 0 or -errno. */
int telnet_editor_flush(struct telnet_editor *e);
/* Before a key is worked on. */
void telnet_editor_settle(struct telnet_editor *e);

/* editor_complete.c */
unsigned char telnet_editor_complete(EditLine *el, int key);

/* editor_history.c */
void telnet_editor_history_load(struct telnet_editor *e);
void telnet_editor_history_add(struct telnet_editor *e, const char *line, size_t n);

#endif
