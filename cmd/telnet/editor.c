/* editor.c - libedit and the session hand each other the turn; see editor.h.
 *
 *      session                          libedit's thread
 *      telnet_editor_typed(): keys ---> el_gets() ... next_key()
 *         waits                            works on them, draws into `text`
 *      goes on   <--- WANTS_KEYS, LINE, END --- waits
 */
#include "editor_parts.h"

#include "session.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_TYPED 16384 /* characters of a line that is typed */

/* --- the hand-off --- */

/* Until it is the other's turn to wait. */
static void hand_over(struct telnet_editor *e, bool to_libedit)
{
    pthread_mutex_lock(&e->lock);
    e->editing = to_libedit;
    pthread_cond_broadcast(&e->turn);
    while (e->editing == to_libedit)
        pthread_cond_wait(&e->turn, &e->lock);
    pthread_mutex_unlock(&e->lock);
}

static void give(struct telnet_editor *e, enum telnet_editor_gave what)
{
    e->gave = what;
    if (!e->stop)
        hand_over(e, false);
}

/* A character of what was typed; bytes that make none in this locale are left out. */
static int next_key(EditLine *el, wchar_t *wc)
{
    struct telnet_editor *e;
    el_get(el, EL_CLIENTDATA, &e);
    for (;;) {
        while (!e->nkeys && !e->stop)
            give(e, EDITOR_WANTS_KEYS);
        if (e->stop)
            return 0;
        size_t n = mbrtowc(wc, e->keys, 1, &e->shift);
        e->keys++;
        e->nkeys--;
        if (n == (size_t)-1)
            memset(&e->shift, 0, sizeof e->shift);
        if (n > 1)
            continue;
        const LineInfoW *line = el_wline(el);
        if (*wc < ' ' || *wc == 0x7F || line->lastchar - line->buffer < LINE_MAX_TYPED)
            return 1;
        el_beep(el);
    }
}

static void *edit(void *arg)
{
    struct telnet_editor *e = arg;
    pthread_mutex_lock(&e->lock);
    while (!e->editing)
        pthread_cond_wait(&e->turn, &e->lock);
    pthread_mutex_unlock(&e->lock);
    while (!e->stop) {
        int n = 0;
        e->line = el_gets(e->el, &n);
        e->nline = e->line && n > 0 ? (size_t)n : 0;
        if (!e->stop)
            give(e, e->nline ? EDITOR_LINE : EDITOR_END);
    }
    return NULL;
}

/* --- lines --- */

static int said(struct telnet_editor *e)
{
    size_t n = e->nline;
    e->prompt[0] = '\0'; /* the line is behind it, and stays */
    telnet_editor_history_add(e, e->line, n);
    return telnet_say(e->t, e->line, n);
}

static int ended(struct telnet_editor *e)
{
    static const char note[] = "\n[nothing more is sent; ^] calls the prompt]\n";
    e->ended = true;
    e->prompt[0] = '\0';
    hail_buf_str(&e->text, note);
    hail_pump_end_source(e->t->pump, TELNET_NET);
    return 0;
}

int telnet_editor_typed(struct telnet *t, const char *p, size_t n)
{
    struct telnet_editor *e = t->editor;
    int rc = 0;
    if (e->ended || !n)
        return 0;
    telnet_editor_history_load(e);
    telnet_editor_settle(e);
    e->keys = p;
    e->nkeys = n;
    do {
        hand_over(e, true);
        if (e->gave == EDITOR_LINE)
            rc = said(e);
        else if (e->gave == EDITOR_END)
            rc = ended(e);
    } while (rc == 0 && !e->ended && e->gave != EDITOR_WANTS_KEYS);
    e->nkeys = 0;
    int shown = telnet_editor_flush(e);
    return rc < 0 ? rc : shown;
}

/* --- beginning, resting, the end --- */

static ssize_t put_text(void *arg, const char *p, size_t n)
{
    struct telnet_editor *e = arg;
    return hail_buf_add(&e->text, p, n) == 0 ? (ssize_t)n : 0;
}

static char *prompt(EditLine *el)
{
    struct telnet_editor *e;
    el_get(el, EL_CLIENTDATA, &e);
    return e->prompt;
}

/* A string of the terminal's without its padding; false: it has none. */
static bool capability(EditLine *el, char *name, char *out, size_t size)
{
    const char *s = NULL;
    size_t n = 0;
    if (el_get(el, EL_GETTC, name, &s, (char *)NULL) < 0 || !s)
        return false;
    while (*s && n + 1 < size) {
        if (s[0] == '$' && s[1] == '<')
            s += strcspn(s, ">") + 1;
        else
            out[n++] = *s++;
    }
    out[n] = '\0';
    return n > 0;
}

/* Characters that are typed are UTF-8 unless the locale says otherwise. */
static void take_locale(void)
{
    if (!setlocale(LC_CTYPE, "") || strcmp(nl_langinfo(CODESET), "ANSI_X3.4-1968") == 0)
        setlocale(LC_CTYPE, "C.UTF-8");
}

static void bind_keys(EditLine *el)
{
    static const char *const keys[][2] = {
        {"^R", "em-inc-search-prev"},      {"^W", "ed-delete-prev-word"},
        {"\\e[3~", "ed-delete-next-char"}, {"\\e[1~", "ed-move-to-beg"},
        {"\\e[4~", "ed-move-to-end"},      {"\\e[H", "ed-move-to-beg"},
        {"\\e[F", "ed-move-to-end"},       {"\\eOH", "ed-move-to-beg"},
        {"\\eOF", "ed-move-to-end"},       {"\\e[1;5C", "em-next-word"},
        {"\\e[1;5D", "ed-prev-word"},      {"^I", "hail-complete"},
    };
    el_set(el, EL_EDITOR, "emacs");
    /* el_set() would keep copies that are never freed */
    el_wset(el, EL_ADDFN, L"hail-complete", L"completes verbs", telnet_editor_complete);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        el_set(el, EL_BIND, keys[i][0], keys[i][1], NULL);
    el_source(el, NULL); /* ~/.editrc */
}

static bool begin_libedit(struct telnet_editor *e)
{
    static char up[] = "up", clear[] = "cd";
    const cookie_io_functions_t to_text = {.write = put_text};
    HistEvent ev;
    e->screen = fopencookie(e, "w", to_text);
    e->nowhere = fopen("/dev/null", "we");
    if (!e->screen || !e->nowhere)
        return false;
    setvbuf(e->screen, NULL, _IONBF, 0);
    e->el = el_init_fd("hail", stdin, e->screen, e->nowhere, STDIN_FILENO, STDOUT_FILENO,
                       STDERR_FILENO);
    if (!e->el || !capability(e->el, up, e->up, sizeof e->up) ||
        !capability(e->el, clear, e->clear, sizeof e->clear))
        return false;
    el_set(e->el, EL_CLIENTDATA, e);
    el_set(e->el, EL_GETCFN, next_key);
    el_set(e->el, EL_PROMPT, prompt);
    bind_keys(e->el);
    e->history = history_init();
    if (!e->history || history(e->history, &ev, H_SETSIZE, 500) < 0)
        return false;
    el_set(e->el, EL_HIST, history, e->history);
    /* between two lines the terminal stays as it is, so that nothing is echoed by its driver */
    el_set(e->el, EL_SETTY, "-x", "-echo", "-icanon", NULL);
    return true;
}

/* The thread, without the signals: they are the session's. */
static bool begin_thread(struct telnet_editor *e)
{
    sigset_t all, before;
    pthread_mutex_init(&e->lock, NULL);
    pthread_cond_init(&e->turn, NULL);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool begun = pthread_create(&e->thread, NULL, edit, e) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return begun;
}

static void free_parts(struct telnet_editor *e)
{
    if (e->el) {
        el_set(e->el, EL_EDITMODE, 0); /* leaves the terminal's mode alone */
        el_end(e->el);
    }
    if (e->history)
        history_end(e->history);
    if (e->screen)
        fclose(e->screen);
    if (e->nowhere)
        fclose(e->nowhere);
    hail_buf_free(&e->text);
    free(e->file);
    free(e);
}

static struct telnet_editor *make(struct telnet *t)
{
    const char *term = getenv("TERM");
    struct telnet_editor *e = term && *term ? calloc(1, sizeof *e) : NULL;
    if (!e)
        return NULL;
    e->t = t;
    hail_buf_init(&e->text, TELNET_EDITOR_TEXT);
    take_locale();
    if (!begin_libedit(e) || !begin_thread(e)) {
        free_parts(e);
        return NULL;
    }
    hand_over(e, true); /* until it waits for the first key */
    return e;
}

static bool fits(const struct telnet *t, int mode)
{
    return t->tty.in && t->tty.out && telnet_is_plain(t) && !t->c->by_name && !t->opt.raw &&
           mode != TELNET_MODE_COMMAND && (mode & HAIL_TELNET_MODE_EDIT);
}

void telnet_editor_update(struct telnet *t)
{
    if (!fits(t, t->tty.mode))
        return;
    if (!t->editor && !t->no_editor) {
        t->editor = make(t);
        t->no_editor = !t->editor;
    }
    struct telnet_editor *e = t->editor;
    if (!e)
        return;
    if (e->active) /* the mode was set anew under it */
        el_set(e->el, EL_PREP_TERM, 0);
    el_set(e->el, EL_PREP_TERM, 1);
    if (e->active) {
        e->stale = true;
        telnet_editor_settle(e);
    } else {
        e->active = true;
        telnet_editor_draw(e);
    }
    telnet_editor_flush(e);
}

static void rest(struct telnet_editor *e)
{
    const LineInfo *line = el_line(e->el);
    e->active = false;
    if (telnet_terminal_given_up())
        el_set(e->el, EL_EDITMODE, 0); /* leaves the terminal's mode alone */
    else
        el_set(e->el, EL_PREP_TERM, 0);
    if (e->prompt[0] || e->loose || line->lastchar > line->buffer)
        putchar('\n'); /* what follows begins a line */
    fflush(stdout);
    e->prompt[0] = '\0';
    e->loose = false;
    hail_buf_clear(&e->text);
}

void telnet_editor_leave(struct telnet *t, int mode)
{
    if (telnet_editor_active(t) && !fits(t, mode))
        rest(t->editor);
}

void telnet_editor_begin(struct telnet *t)
{
    struct telnet_editor *e = t->editor;
    HistEvent ev;
    if (!e)
        return;
    e->ended = e->loaded = false;
    free(e->file);
    e->file = NULL;
    history(e->history, &ev, H_CLEAR);
}

void telnet_editor_free(struct telnet *t)
{
    struct telnet_editor *e = t->editor;
    if (!e)
        return;
    telnet_editor_leave(t, TELNET_MODE_COMMAND);
    pthread_mutex_lock(&e->lock);
    e->stop = e->editing = true;
    pthread_cond_broadcast(&e->turn);
    pthread_mutex_unlock(&e->lock);
    pthread_join(e->thread, NULL);
    pthread_cond_destroy(&e->turn);
    pthread_mutex_destroy(&e->lock);
    free_parts(e);
    t->editor = NULL;
}

bool telnet_editor_active(const struct telnet *t)
{
    return t->editor && t->editor->active;
}

bool telnet_editor_ended(const struct telnet *t)
{
    return t->editor && t->editor->ended;
}
