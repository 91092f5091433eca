/* http_date.c - HTTP-date in its three formats, without locale or clock: RFC 9110 section 5.6.7.
 *
 *   Sun, 06 Nov 1994 08:49:37 GMT     IMF-fixdate, the one that is written
 *   Sunday, 06-Nov-94 08:49:37 GMT    RFC 850
 *   Sun Nov  6 08:49:37 1994          asctime
 */
#include <hail/http.h>

#include <errno.h>
#include <string.h>

static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
static const char *const long_days[7] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                         "Thursday", "Friday", "Saturday"};
static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/* The civil date's fields; a reader that runs out of text or finds another leaves `bad`. */
struct date {
    const char *p, *end;
    bool bad;
    int weekday, day, month, year, hour, minute, second;
};

static void expect(struct date *d, const char *text)
{
    size_t n = strlen(text);
    if (d->bad || (size_t)(d->end - d->p) < n || memcmp(d->p, text, n) != 0)
        d->bad = true;
    else
        d->p += n;
}

static int number(struct date *d, int ndigits)
{
    int n = 0;
    if (d->bad || d->end - d->p < ndigits) {
        d->bad = true;
        return 0;
    }
    for (int i = 0; i < ndigits; i++) {
        if ((unsigned char)(*d->p - '0') > 9)
            d->bad = true;
        n = n * 10 + (*d->p++ - '0');
    }
    return d->bad ? 0 : n;
}

/* The index of the three letters that come next. */
static int word(struct date *d, const char (*words)[4], int n)
{
    if (!d->bad && d->end - d->p >= 3)
        for (int i = 0; i < n; i++)
            if (memcmp(d->p, words[i], 3) == 0) {
                d->p += 3;
                return i;
            }
    d->bad = true;
    return 0;
}

static void time_of_day(struct date *d)
{
    d->hour = number(d, 2);
    expect(d, ":");
    d->minute = number(d, 2);
    expect(d, ":");
    d->second = number(d, 2);
}

/* Days since 1970-01-01 of the proleptic Gregorian calendar; years are counted from March, so that
 * the leap day is the last. */
static int64_t days_of(int year, int month, int day)
{
    int64_t y = year - (month < 2);
    int64_t era = (y >= 0 ? y : y - 399) / 400, yoe = y - era * 400;
    int64_t doy = (153 * ((month + 10) % 12) + 2) / 5 + day - 1;
    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static int days_in(int month, int year)
{
    static const int n[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return n[month] + (month == 1 && leap);
}

static int64_t seconds_of(const struct date *d)
{
    int64_t second = d->second == 60 ? 59 : d->second; /* a leap second has no number of its own */
    return ((days_of(d->year, d->month, d->day) * 24 + d->hour) * 60 + d->minute) * 60 + second;
}

static void civil(int64_t seconds, struct date *d)
{
    int64_t day = seconds / 86400, rest = seconds % 86400;
    if (rest < 0) {
        rest += 86400;
        day--;
    }
    d->hour = (int)(rest / 3600);
    d->minute = (int)(rest / 60 % 60);
    d->second = (int)(rest % 60);
    d->weekday = (int)(((day + 4) % 7 + 7) % 7);
    int64_t z = day + 719468, era = (z >= 0 ? z : z - 146096) / 146097, doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
    d->day = (int)(doy - (153 * mp + 2) / 5 + 1);
    d->month = (int)((mp + 2) % 12);
    d->year = (int)(yoe + era * 400 + (d->month < 2));
}

/* The rest of "Sunday, 06-Nov-94 08:49:37 GMT" behind the day's name. */
static void rfc850(struct date *d, int64_t now)
{
    d->day = number(d, 2);
    expect(d, "-");
    d->month = word(d, months, 12);
    expect(d, "-");
    int two = number(d, 2);
    expect(d, " ");
    time_of_day(d);
    expect(d, " GMT");
    struct date today = {0};
    civil(now, &today);
    d->year = today.year - today.year % 100 + 100 + two; /* the latest that is not too far ahead */
    while (d->year > today.year + 50)
        d->year -= 100;
    struct date limit = today;
    limit.year += 50;
    if (!d->bad && d->year == limit.year && seconds_of(d) > seconds_of(&limit))
        d->year -= 100;
}

static void imf_fixdate(struct date *d)
{
    d->day = number(d, 2);
    expect(d, " ");
    d->month = word(d, months, 12);
    expect(d, " ");
    d->year = number(d, 4);
    expect(d, " ");
    time_of_day(d);
    expect(d, " GMT");
}

static void asctime_date(struct date *d)
{
    d->month = word(d, months, 12);
    expect(d, " ");
    bool one = d->end > d->p && *d->p == ' ';
    d->p += one;
    d->day = number(d, one ? 1 : 2);
    expect(d, " ");
    time_of_day(d);
    expect(d, " ");
    d->year = number(d, 4);
}

int hail_http_date_parse(struct hail_slice text, int64_t now, int64_t *out)
{
    struct date d = {.p = text.p, .end = text.p + text.n};
    if (text.n < 24)
        return -EINVAL;
    d.weekday = word(&d, days, 7);
    if (*d.p == ',') {
        expect(&d, ", ");
        imf_fixdate(&d);
    } else if (*d.p == ' ') {
        expect(&d, " ");
        asctime_date(&d);
    } else {
        expect(&d, long_days[d.weekday] + 3);
        expect(&d, ", ");
        rfc850(&d, now);
    }
    if (d.bad || d.p != d.end || d.hour > 23 || d.minute > 59 || d.second > 60 || d.day < 1 ||
        d.day > days_in(d.month, d.year))
        return -EINVAL;
    *out = seconds_of(&d);
    return 0;
}

static char *two_digits(char *p, int n)
{
    p[0] = (char)('0' + n / 10);
    p[1] = (char)('0' + n % 10);
    return p + 2;
}

int hail_http_date_format(int64_t seconds, char out[HAIL_HTTP_DATE_MAX])
{
    struct date d = {0};
    /* 0000-01-01 and 10000-01-01 */
    if (seconds < -INT64_C(62167219200) || seconds >= INT64_C(253402300800))
        return -EINVAL;
    civil(seconds, &d);
    memcpy(out, "Sun, 06 Nov 1994 08:49:37 GMT", HAIL_HTTP_DATE_MAX);
    memcpy(out, days[d.weekday], 3);
    memcpy(out + 8, months[d.month], 3);
    two_digits(out + 5, d.day);
    two_digits(two_digits(out + 12, d.year / 100), d.year % 100);
    two_digits(out + 17, d.hour);
    two_digits(out + 20, d.minute);
    two_digits(out + 23, d.second);
    return 0;
}
