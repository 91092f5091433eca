/* values.c - values of settings as they are written; values.h. */
#include "values.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

int check_wrong(char why[CHECK_WHY], const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(why, CHECK_WHY, fmt, ap);
    va_end(ap);
    return -EINVAL;
}

int check_read_word(const char *text, const char *const *words, char why[CHECK_WHY])
{
    char list[120] = "";
    for (int i = 0; words[i]; i++) {
        if (strcasecmp(text, words[i]) == 0)
            return i;
        const char *between = i == 0 ? "" : words[i + 1] ? ", " : " or ";
        size_t n = strlen(list);
        snprintf(list + n, sizeof list - n, "%s%s", between, words[i]);
    }
    return check_wrong(why, "%s, not '%.60s'", list, text);
}

int check_read_time(const char *text, int64_t *ms, char why[CHECK_WHY])
{
    static const struct {
        const char *name;
        double ms;
    } units[] = {{"", 1e3}, {"s", 1e3}, {"ms", 1}, {"m", 6e4}, {"h", 3.6e6}};
    char *end;
    double v = strtod(text, &end);
    size_t digits = strspn(text, "0123456789.");
    double unit = 0;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strcmp(end, units[i].name) == 0)
            unit = units[i].ms;
    if (digits == 0 || end != text + digits || !isfinite(v) || v <= 0 || unit <= 0 ||
        v * unit > 1e11)
        return check_wrong(why, "a time above 0 such as 500ms, 2s or 1.5, not '%.60s'", text);
    *ms = (int64_t)ceil(v * unit);
    return 0;
}

int check_read_number(const char *text, long first, long last, const char *what, long *out,
                      char why[CHECK_WHY])
{
    char *end;
    errno = 0;
    long v = strtol(text, &end, 10);
    if (!isdigit((unsigned char)*text) || *end || errno || v < first || v > last)
        return check_wrong(why, "%s from %ld to %ld, not '%.60s'", what, first, last, text);
    *out = v;
    return 0;
}

/* "200", "2xx" or "300-399". Returns the end, or NULL. */
static const char *one_status(const char *p, uint16_t range[2])
{
    char *end;
    if (isdigit((unsigned char)p[0]) && p[0] != '0' && strncasecmp(p + 1, "xx", 2) == 0) {
        range[0] = (uint16_t)((p[0] - '0') * 100);
        range[1] = (uint16_t)(range[0] + 99);
        return p + 3;
    }
    for (int i = 0; i < 2; i++) {
        unsigned long v = isdigit((unsigned char)*p) ? strtoul(p, &end, 10) : 0;
        if (v < 100 || v > 999)
            return NULL;
        range[i] = (uint16_t)v;
        p = end;
        if (i == 0 && *p != '-') {
            range[1] = range[0];
            return p;
        }
        p += i == 0;
    }
    return range[0] <= range[1] ? p : NULL;
}

int check_read_statuses(const char *text, uint16_t ranges[CHECK_STATUSES][2], size_t *n,
                        char why[CHECK_WHY])
{
    uint16_t v[CHECK_STATUSES][2] = {{0}};
    size_t count = 0;
    const char *p = text;
    do {
        p = count < CHECK_STATUSES ? one_status(p, v[count++]) : NULL;
    } while (p && *p == ',' && *++p);
    if (!p || *p || p[-1] == ',')
        return check_wrong(why, "statuses such as 200,300-399 or 2xx, not '%.60s'", text);
    memcpy(ranges, v, sizeof v);
    *n = count;
    return 0;
}
