/* watch.c - again and again, as a live table: who is up, how fast, and since when; check.h.
 *
 *      VERDICT  TARGET                    TIME  TIMES       SINCE  WHAT
 *      ok       smtp://mail.example    1.20 ms  ▁▁▂▁▇▁▁▁       3m  mail.example ESMTP Postfix
 *
 * What is no terminal gets a line for each change, and with --json a document for each check.
 */
#include "check.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define HISTORY   24 /* checks that are drawn */
#define DRAW_NS   INT64_C(1000000000)
#define FRAME_MAX ((size_t)4 << 20)
#define AROUND    10 /* columns of the time since, and of the spaces */
#define MARGIN    3  /* rows of the terminal that are no targets' */

struct watching;

struct watched {
    struct watching *w;
    const struct check_target *target;
    struct hail_timer due;
    struct check_result result; /* the last */
    char what[CHECK_WHAT];
    bool known;
    time_t changed;      /* when it went over to this verdict */
    int64_t ns[HISTORY]; /* the last times, a ring; negative: it failed */
    unsigned checks;
};

struct watching {
    struct check *k;
    struct watched *v;
    size_t n;
    int width;
    bool utf8, live;
    struct hail_timer draw;
    int failed;
};

/* --- the table --- */

static void put_since(struct hail_buf *out, time_t s)
{
    char text[24];
    if (s < 60)
        snprintf(text, sizeof text, "%llds", (long long)s);
    else if (s < 3600)
        snprintf(text, sizeof text, "%lldm", (long long)s / 60);
    else if (s < 86400)
        snprintf(text, sizeof text, "%lldh", (long long)s / 3600);
    else
        snprintf(text, sizeof text, "%lldd", (long long)s / 86400);
    hail_buf_printf(out, "%6s", text);
}

/* The last times, by the longest among them; what failed is a cross. */
static void put_history(const struct watching *w, struct hail_buf *out, const struct watched *t,
                        unsigned width)
{
    static const char *const bars[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    static const char plain[] = "_.-=+*#@";
    int64_t longest = 1;
    unsigned first = t->checks > width ? t->checks - width : 0;
    for (unsigned i = first; i < t->checks; i++)
        longest = t->ns[i % HISTORY] > longest ? t->ns[i % HISTORY] : longest;
    for (unsigned i = t->checks - first; i < width; i++)
        hail_buf_char(out, ' ');
    for (unsigned i = first; i < t->checks; i++) {
        int64_t ns = t->ns[i % HISTORY];
        size_t level = ns < 0 ? 0 : (size_t)(ns * 7 / longest);
        if (ns < 0)
            hail_buf_printf(out, "%s%s%s", paint(w->k->c, "31"), w->utf8 ? "×" : "x",
                            paint(w->k->c, "0"));
        else if (w->utf8)
            hail_buf_str(out, bars[level]);
        else
            hail_buf_char(out, plain[level]);
    }
}

static void put_row(const struct watching *w, struct hail_buf *out, const struct watched *t,
                    time_t now, int columns)
{
    const struct check_run shown = {.target = t->target, .result = t->result};
    if (!t->known) {
        char label[512];
        check_label(&shown, label, sizeof label);
        hail_buf_printf(out, "%-8s  %s\033[K\n", "...", label);
        return;
    }
    /* half of what is left for the times, as far as they go, and the rest for the words */
    int room = columns - check_front_width(w->width) - AROUND;
    int history = room / 2 < HISTORY ? room / 2 : HISTORY;
    check_put_front(w->k, out, &shown, w->width);
    hail_buf_str(out, "  ");
    put_history(w, out, t, history > 0 ? (unsigned)history : 0);
    put_since(out, now - t->changed);
    hail_buf_str(out, "  ");
    check_put_what(out, t->what, room - (history > 0 ? history : 0));
    hail_buf_str(out, "\033[K\n");
}

static void put_title(const struct watching *w, struct hail_buf *out, time_t now)
{
    size_t up = 0, checked = 0;
    char clock[16];
    struct tm tm;
    for (size_t i = 0; i < w->n; i++) {
        checked += w->v[i].known;
        up += w->v[i].known && w->v[i].result.verdict <= CHECK_WARN;
    }
    if (!localtime_r(&now, &tm) || strftime(clock, sizeof clock, "%H:%M:%S", &tm) == 0)
        clock[0] = '\0';
    hail_buf_printf(out, "%s%zu of %zu up%s   %s\033[K\n\033[K\n",
                    paint(w->k->c, up == checked ? "1;32" : "1;31"), up, w->n, paint(w->k->c, "0"),
                    clock);
}

static void draw(struct watching *w)
{
    struct hail_buf b;
    struct winsize size = {.ws_row = 24, .ws_col = 80};
    time_t now = time(NULL);
    ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
    size_t room = size.ws_row > MARGIN + 1 ? size.ws_row - MARGIN : 1;
    hail_buf_init(&b, FRAME_MAX);
    hail_buf_str(&b, "\033[H");
    put_title(w, &b, now);
    for (size_t i = 0; i < w->n && i < room; i++)
        put_row(w, &b, &w->v[i], now, size.ws_col);
    if (w->n > room)
        hail_buf_printf(&b, "and %zu more\033[K", w->n - room);
    hail_buf_str(&b, "\033[J");
    if (!b.failed)
        fwrite(b.p, 1, b.len, stdout);
    hail_buf_free(&b);
    if (fflush(stdout) != 0)
        hail_loop_stop(w->k->loop);
}

static void on_draw(struct hail_loop *loop, struct hail_timer *t)
{
    draw((struct watching *)((char *)t - offsetof(struct watching, draw)));
    hail_timer_set(loop, t, hail_now() + DRAW_NS);
}

/* --- lines --- */

static void tell_change(const struct watched *t, const struct check_run *run)
{
    struct watching *w = t->w;
    struct hail_buf b;
    char stamp[32];
    struct tm tm;
    time_t now = time(NULL);
    if (!gmtime_r(&now, &tm) || strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
        stamp[0] = '\0';
    hail_buf_init(&b, FRAME_MAX);
    if (w->k->c->json) {
        check_put_document(&b, run);
        hail_buf_char(&b, '\n');
    } else {
        hail_buf_printf(&b, "%s  ", stamp);
        check_put_line(w->k, &b, run, w->width);
    }
    if (!b.failed)
        fwrite(b.p, 1, b.len, stdout);
    hail_buf_free(&b);
    if (fflush(stdout) != 0)
        hail_loop_stop(w->k->loop);
}

/* --- checks --- */

static void on_done(struct check_run *run)
{
    struct watched *t = run->arg;
    struct watching *w = t->w;
    bool changed = !t->known || t->result.verdict != run->result.verdict;
    t->ns[t->checks++ % HISTORY] = run->result.verdict <= CHECK_WARN ? run->result.total_ns : -1;
    t->result = run->result;
    memcpy(t->what, run->what, sizeof t->what);
    t->known = true;
    if (changed)
        t->changed = time(NULL);
    if (!w->live && (changed || w->k->c->json))
        tell_change(t, run);
    if (w->live && changed)
        hail_timer_set(w->k->loop, &w->draw, hail_now());
    hail_timer_set(w->k->loop, &t->due,
                   run->check.began_ns + t->target->set->every_ms * INT64_C(1000000));
}

static void on_due(struct hail_loop *loop, struct hail_timer *timer)
{
    struct watched *t = (struct watched *)((char *)timer - offsetof(struct watched, due));
    if (check_begin(t->w->k, t->target, NULL, on_done, t) == 0)
        return;
    t->w->failed = ENOMEM;
    hail_loop_stop(loop);
}

/* The screen is the table's until the end: then the last of it stays as plain lines. */
static void end_screen(struct watching *w)
{
    struct hail_buf b;
    fputs("\033[?25h\033[?1049l", stdout);
    hail_buf_init(&b, FRAME_MAX);
    for (size_t i = 0; i < w->n; i++) {
        struct check_run shown = {.target = w->v[i].target, .result = w->v[i].result};
        memcpy(shown.what, w->v[i].what, sizeof shown.what);
        if (w->v[i].known)
            check_put_line(w->k, &b, &shown, w->width);
    }
    if (!b.failed && b.len)
        fwrite(b.p, 1, b.len, stdout);
    hail_buf_free(&b);
}

static int run_watch(struct watching *w)
{
    struct check *k = w->k;
    for (size_t i = 0; i < w->n; i++) {
        struct watched *t = &w->v[i];
        *t = (struct watched){.w = w, .target = &k->targets.v[i], .due = {.fire = on_due}};
        hail_timer_set(k->loop, &t->due, hail_now());
    }
    w->draw.fire = on_draw;
    if (w->live) {
        fputs("\033[?1049h\033[?25l", stdout);
        hail_timer_set(k->loop, &w->draw, hail_now());
    }
    int rc = check_loop(k);
    if (w->live)
        end_screen(w);
    return w->failed ? -w->failed : rc;
}

int check_watch(struct check *k)
{
    struct watching w = {.k = k,
                         .n = k->targets.n,
                         .width = check_target_width(k),
                         .live = k->c->terminal && !k->c->json};
    w.utf8 = setlocale(LC_CTYPE, "") && strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    w.v = calloc(w.n ? w.n : 1, sizeof *w.v);
    if (!w.v)
        return local_error("check", "the targets", ENOMEM);
    int status = 0, rc = run_watch(&w);
    for (size_t i = 0; i < w.n; i++) {
        int one = w.v[i].known ? check_verdict_status(w.v[i].result.verdict) : 0;
        status = one > status ? one : status;
    }
    if (rc < 0)
        status = local_error("watch", "the targets", -rc);
    check_abandon(k);
    free(w.v);
    return status;
}
