/* show.c - how the tour is shown: pages of 80 by 24 on a terminal, plain text in a pipe, or JSON.
 */
#include "tour/tour.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

void tour_page(struct tour *t, const char *title)
{
    t->page++;
    if (t->c->json)
        return;
    int used = printf("%s%d  %s%s ", paint(t->c, "1;36"), t->page, title, paint(t->c, "0"));
    used -= (int)(strlen(paint(t->c, "1;36")) + strlen(paint(t->c, "0")));
    for (; used < TOUR_WIDTH; used++)
        fputs(t->c->colour ? "\xe2\x94\x80" : "-", stdout);
    putchar('\n');
}

void tour_gap(struct tour *t)
{
    if (!t->c->json)
        putchar('\n');
}

void tour_page_end(struct tour *t)
{
    if (t->c->json)
        return;
    putchar('\n');
    fflush(stdout);
    if (!t->slow)
        return;
    struct pollfd p[2] = {{.fd = STDIN_FILENO, .events = POLLIN},
                          {.fd = t->c->ctx.cancel_fd, .events = POLLIN}};
    bool keys = isatty(STDIN_FILENO);
    if (keys && t->c->terminal) {
        fputs("-- Enter goes on --", stdout);
        fflush(stdout);
    }
    /* without a keyboard: time to read */
    while (poll(keys ? p : p + 1, keys ? 2 : 1, keys ? -1 : 3000) < 0 && errno == EINTR)
        if (p[1].fd >= 0 && poll(p + 1, 1, 0) > 0)
            break;
    char line[256];
    if (keys && (p[0].revents & POLLIN) && read(STDIN_FILENO, line, sizeof line) < 0)
        t->slow = false;
    if (keys && t->c->terminal)
        fputs("\r                   \r", stdout);
}

void tour_say(struct tour *t, const char *fmt, ...)
{
    if (t->c->json)
        return;
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    size_t at = 0;
    for (const char *p = text; *p;) {
        size_t word = strcspn(p, " ");
        if (at && at + 1 + word > TOUR_WIDTH) {
            putchar('\n');
            at = 0;
        }
        at += (size_t)printf("%s%.*s", at ? " " : "", (int)word, p);
        p += word + (p[word] == ' ');
    }
    putchar('\n');
}

void tour_fact(struct tour *t, const char *fmt, ...)
{
    if (t->c->json)
        return;
    char raw[1024], text[TOUR_WIDTH * 4];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(raw, sizeof raw, fmt, ap);
    va_end(ap);
    hail_text_safe_into(text, sizeof text, raw, strlen(raw));
    printf("    %s%s%s\n", paint(t->c, "32"), text, paint(t->c, "0"));
}

static void wire_line(struct tour *t, bool to_server, const char *p, size_t n)
{
    char text[TOUR_WIDTH - 9];
    size_t shown = hail_text_safe_into(text, sizeof text, p, n);
    char whole[4 * TOUR_WIDTH];
    bool cut = hail_text_safe_into(whole, sizeof whole, p, n) > shown;
    printf("    %s%s %s%s%s\n", paint(t->c, to_server ? "33" : "34"), to_server ? ">" : "<", text,
           cut ? "..." : "", paint(t->c, "0"));
}

void tour_wire(struct tour *t, bool to_server, const char *bytes, size_t n, int lines)
{
    if (t->c->json)
        return;
    size_t at = 0;
    for (int i = 0; i < lines && at < n; i++) {
        const char *lf = memchr(bytes + at, '\n', n - at);
        size_t len = lf ? (size_t)(lf - bytes - (ptrdiff_t)at) + 1 : n - at;
        wire_line(t, to_server, bytes + at, len);
        at += len;
    }
    if (at < n)
        printf("    %s  ... and %zu bytes more\n", to_server ? ">" : "<", n - at);
}

struct hail_json *tour_event(struct tour *t, const char *event)
{
    hail_buf_clear(&t->json);
    t->j = (struct hail_json){.out = &t->json};
    hail_json_object(&t->j, NULL);
    hail_json_str(&t->j, "schema", "hail.tour/1");
    hail_json_int(&t->j, "page", t->page);
    hail_json_str(&t->j, "event", event);
    return &t->j;
}

void tour_event_end(struct tour *t)
{
    hail_json_end_object(&t->j);
    if (t->c->json)
        put_json(&t->json);
}

void tour_endpoint(struct tour *t, const char *key, const struct hail_endpoint *ep)
{
    char text[HAIL_ENDPOINT_MAX];
    hail_endpoint_format(ep, text, sizeof text);
    hail_json_str(&t->j, key, text);
}

const char *tour_ms(int64_t ns)
{
    static char text[2][32];
    static unsigned turn;
    char *out = text[turn++ % 2];
    snprintf(out, sizeof text[0], "%.3f ms", (double)ns / 1e6);
    return out;
}
