/* slice.c - include/hail/slice.h: comparing runs of bytes with strings. */
#include <hail/slice.h>

#include <string.h>

struct hail_slice hail_slice(const char *s)
{
    return (struct hail_slice){s, strlen(s)};
}

bool hail_slice_is(struct hail_slice a, const char *s)
{
    size_t n = strlen(s);
    return a.n == n && (n == 0 || memcmp(a.p, s, n) == 0);
}

static unsigned lower(unsigned char c)
{
    return c >= 'A' && c <= 'Z' ? c | 0x20U : c;
}

bool hail_slice_is_nocase(struct hail_slice a, const char *s)
{
    for (size_t i = 0; i < a.n; i++)
        if (s[i] == '\0' || lower((unsigned char)a.p[i]) != lower((unsigned char)s[i]))
            return false;
    return s[a.n] == '\0';
}
