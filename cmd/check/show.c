/* show.c - a result as a line; check.h. */
#include "check.h"

#include <limits.h>
#include <string.h>

#define WIDTH_MAX 44 /* columns that targets are padded to */
#define FIXED     21 /* columns of verdict and time, and the spaces between */
#define WHAT_MIN  20 /* columns of what answered that are shown in any case */

void check_put_time(struct hail_buf *out, int64_t ns)
{
    if (ns < 0)
        hail_buf_str(out, "-");
    else if (ns < 10000000)
        hail_buf_printf(out, "%.2f ms", (double)ns / 1e6);
    else if (ns < 1000000000)
        hail_buf_printf(out, "%.1f ms", (double)ns / 1e6);
    else
        hail_buf_printf(out, "%.2f s", (double)ns / 1e9);
}

/* How many bytes of `text` fit into so many columns; *width gets what they take. */
static size_t fit(const char *text, int columns, int *width)
{
    size_t n = strlen(text), at = 0;
    uint32_t cp;
    for (*width = 0; at < n;) {
        size_t used = hail_utf8_next(text + at, n - at, &cp);
        int w = used ? hail_utf8_width(cp) : 1;
        if (*width + w > columns)
            break;
        *width += w;
        at += used ? used : 1;
    }
    return at;
}

static int width_of(const char *text)
{
    int width;
    fit(text, INT_MAX, &width);
    return width;
}

static const char *name_of(const struct check_target *t)
{
    return t->set->name ? t->set->name : t->text;
}

void check_label(const struct check_run *run, char *out, size_t size)
{
    const char *name = name_of(run->target);
    size_t n = hail_text_safe_into(out, size, name, strlen(name));
    if (!run->one_of || n + 3 >= size)
        return;
    out[n++] = ' ';
    out[n++] = '(';
    snprintf(out + n, size - n, "%s)", run->check.to.host);
}

int check_target_width(const struct check *k)
{
    int width = 0;
    for (size_t i = 0; i < k->targets.n; i++) {
        int w = width_of(name_of(&k->targets.v[i]));
        width = w > width ? w : width;
    }
    return width < WIDTH_MAX ? width : WIDTH_MAX;
}

static const char *colour_of(enum check_verdict v)
{
    return v == CHECK_OK ? "32" : v == CHECK_WARN ? "33" : "31";
}

void check_put_front(const struct check *k, struct hail_buf *out, const struct check_run *run,
                     int target_width)
{
    const struct check_result *r = &run->result;
    char label[512];
    struct hail_buf time;
    hail_buf_init(&time, 32);
    check_put_time(&time, r->total_ns);
    check_label(run, label, sizeof label);
    hail_buf_printf(out, "%s%-8s%s  %s", paint(k->c, colour_of(r->verdict)),
                    check_verdict_name(r->verdict), paint(k->c, "0"), label);
    for (int w = width_of(label); w < target_width; w++)
        hail_buf_char(out, ' ');
    hail_buf_printf(out, "  %9s", time.p ? time.p : "");
    hail_buf_free(&time);
}

int check_front_width(int target_width)
{
    return FIXED + target_width;
}

void check_put_what(struct hail_buf *out, const char *what, int columns)
{
    int used;
    hail_buf_add(out, what, fit(what, columns > 0 ? columns : 0, &used));
}

void check_put_line(const struct check *k, struct hail_buf *out, const struct check_run *run,
                    int target_width)
{
    char label[512];
    check_label(run, label, sizeof label);
    int width = width_of(label) > target_width ? width_of(label) : target_width;
    check_put_front(k, out, run, target_width);
    hail_buf_str(out, "  ");
    int room = k->c->terminal ? k->c->columns - check_front_width(width) - 2 : INT_MAX;
    check_put_what(out, run->what, room > WHAT_MIN ? room : WHAT_MIN);
    hail_buf_char(out, '\n');
}
