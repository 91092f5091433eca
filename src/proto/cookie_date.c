/* cookie_date.c - the date of a cookie: RFC 6265 section 5.1.1; proto/cookie.h.
 *
 * The text is cut at delimiters, and each token is the first of time, day, month, year that it can
 * be and that is still missing.
 */
#include "proto/cookie.h"

#include <errno.h>
#include <strings.h>
#include <time.h>

enum { HAS_TIME = 1, HAS_DAY = 2, HAS_MONTH = 4, HAS_YEAR = 8, HAS_ALL = 15 };

struct date {
    unsigned has;
    int hour, minute, second, day, month, year;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_delimiter(char c)
{
    unsigned char u = (unsigned char)c;
    return u == 0x09 || (u >= 0x20 && u <= 0x2F) || (u >= 0x3B && u <= 0x40) ||
           (u >= 0x5B && u <= 0x60) || (u >= 0x7B && u <= 0x7E);
}

/* Between `least` and `most` digits at *p, with none behind them; the number, or -1. */
static int number(const char **p, const char *end, int least, int most)
{
    int n = 0, v = 0;
    while (*p < end && is_digit(**p)) {
        if (++n > most)
            return -1;
        v = v * 10 + (*(*p)++ - '0');
    }
    return n < least ? -1 : v;
}

/* hh:mm:ss, anything but a digit may follow. */
static bool take_time(struct date *d, struct hail_slice token)
{
    const char *p = token.p, *end = token.p + token.n;
    int v[3];
    for (int i = 0; i < 3; i++) {
        if (i > 0 && (p == end || *p++ != ':'))
            return false;
        v[i] = number(&p, end, 1, 2);
        if (v[i] < 0)
            return false;
    }
    d->hour = v[0];
    d->minute = v[1];
    d->second = v[2];
    return true;
}

static bool take_number(struct hail_slice token, int least, int most, int *out)
{
    const char *p = token.p;
    int v = number(&p, token.p + token.n, least, most);
    if (v < 0)
        return false;
    *out = v;
    return true;
}

static bool take_month(struct date *d, struct hail_slice token)
{
    static const char names[] = "janfebmaraprmayjunjulaugsepoctnovdec";
    if (token.n < 3)
        return false;
    for (int i = 0; i < 12; i++)
        if (strncasecmp(token.p, names + 3 * (size_t)i, 3) == 0) {
            d->month = i;
            return true;
        }
    return false;
}

static void take(struct date *d, struct hail_slice token)
{
    if (!(d->has & HAS_TIME) && take_time(d, token))
        d->has |= HAS_TIME;
    else if (!(d->has & HAS_DAY) && take_number(token, 1, 2, &d->day))
        d->has |= HAS_DAY;
    else if (!(d->has & HAS_MONTH) && take_month(d, token))
        d->has |= HAS_MONTH;
    else if (!(d->has & HAS_YEAR) && take_number(token, 2, 4, &d->year))
        d->has |= HAS_YEAR;
}

int hail_cookie_date(struct hail_slice text, int64_t *out)
{
    struct date d = {0};
    const char *p = text.p, *end = text.p + text.n;
    while (p < end) {
        while (p < end && is_delimiter(*p))
            p++;
        const char *from = p;
        while (p < end && !is_delimiter(*p))
            p++;
        if (p > from)
            take(&d, (struct hail_slice){from, (size_t)(p - from)});
    }
    if (d.has != HAS_ALL)
        return -EINVAL;
    if (d.year >= 70 && d.year <= 99)
        d.year += 1900;
    else if (d.year <= 69)
        d.year += 2000;
    if (d.day < 1 || d.day > 31 || d.year < 1601 || d.hour > 23 || d.minute > 59 || d.second > 59)
        return -EINVAL;
    struct tm tm = {.tm_year = d.year - 1900,
                    .tm_mon = d.month,
                    .tm_mday = d.day,
                    .tm_hour = d.hour,
                    .tm_min = d.minute,
                    .tm_sec = d.second};
    time_t t = timegm(&tm);
    if (tm.tm_mday != d.day) /* there is no such day in that month */
        return -EINVAL;
    *out = (int64_t)t;
    return 0;
}
