/* clock.c - the monotonic clock and deadlines on it. */
#include <hail/ctx.h>

#include <limits.h>
#include <time.h>

int64_t hail_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

struct hail_deadline hail_deadline_in(int64_t ms)
{
    if (ms < 0)
        return (struct hail_deadline){0};
    int64_t now = hail_now();
    if (ms > (INT64_MAX - now) / 1000000)
        return (struct hail_deadline){0};
    return (struct hail_deadline){now + ms * 1000000};
}

struct hail_deadline hail_deadline_min(struct hail_deadline a, struct hail_deadline b)
{
    if (!a.ns)
        return b;
    return !b.ns || a.ns < b.ns ? a : b;
}

int hail_deadline_ms(struct hail_deadline by)
{
    if (!by.ns)
        return -1;
    int64_t left = by.ns - hail_now();
    if (left <= 0)
        return 0;
    int64_t ms = (left + 999999) / 1000000;
    return ms > INT_MAX ? INT_MAX : (int)ms;
}
