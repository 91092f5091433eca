/* fuzz_cookie_date.c - dates of cookies: one that is read is a real one, and is the same when it is
 * written in another order. */
#include "proto/cookie.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int64_t at, again;
    if (hail_cookie_date((struct hail_slice){(const char *)data, size}, &at) < 0)
        return 0;
    struct tm tm;
    char text[64];
    time_t t = (time_t)at;
    must(gmtime_r(&t, &tm) && tm.tm_year + 1900 >= 1601 && tm.tm_year + 1900 <= 9999);
    must(strftime(text, sizeof text, "%Y;%H:%M:%S,%B/%d", &tm) > 0);
    must(hail_cookie_date(hail_slice(text), &again) == 0 && again == at);
    must(strftime(text, sizeof text, "%A, %d-%b-%Y %T GMT", &tm) > 0);
    must(hail_cookie_date(hail_slice(text), &again) == 0 && again == at);
    return 0;
}
