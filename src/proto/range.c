/* range.c - parts of a representation; proto/range.h. */
#include "proto/range.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

/* Takes the digits at the front of `s`; a number beyond 64 bits is the greatest. False: none. */
static bool number(struct hail_slice *s, uint64_t *out)
{
    size_t i = 0;
    uint64_t v = 0;
    for (; i < s->n && s->p[i] >= '0' && s->p[i] <= '9'; i++) {
        unsigned digit = (unsigned)(s->p[i] - '0');
        v = v > (UINT64_MAX - digit) / 10 ? UINT64_MAX : v * 10 + digit;
    }
    s->p += i;
    s->n -= i;
    *out = v;
    return i > 0;
}

/* One range-spec: 1: *r; 0: it cannot be satisfied; -EINVAL. */
static int spec(struct hail_slice s, uint64_t size, struct hail_range *r)
{
    uint64_t first, last;
    bool from = number(&s, &first);
    if (s.n == 0 || s.p[0] != '-')
        return -EINVAL;
    s.p++;
    s.n--;
    bool to = number(&s, &last);
    if (s.n || (!from && !to) || (from && to && last < first))
        return -EINVAL;
    if (!from) { /* the last so many */
        if (last == 0 || size == 0)
            return 0;
        first = last < size ? size - last : 0;
        *r = (struct hail_range){first, size - first};
        return 1;
    }
    if (first >= size)
        return 0;
    if (!to || last >= size)
        last = size - 1;
    *r = (struct hail_range){first, last - first + 1};
    return 1;
}

/* Whether two overlap or touch; then `a` becomes both. */
static bool join(struct hail_range *a, const struct hail_range *b)
{
    uint64_t a_end = a->first + a->length, b_end = b->first + b->length;
    if (a->first > b_end || b->first > a_end)
        return false;
    uint64_t first = a->first < b->first ? a->first : b->first;
    *a = (struct hail_range){first, (a_end > b_end ? a_end : b_end) - first};
    return true;
}

/* Adds a range; what it touches is joined with it. Returns how many there are. */
static int add(struct hail_range *v, int n, struct hail_range r)
{
    int at = n;
    for (int i = n - 1; i >= 0; i--) {
        if (!join(&r, &v[i]))
            continue;
        at = i;
        n--;
        for (int j = i; j < n; j++)
            v[j] = v[j + 1];
    }
    for (int j = n; j > at; j--)
        v[j] = v[j - 1];
    v[at] = r;
    return n + 1;
}

int hail_ranges(struct hail_slice value, uint64_t size, struct hail_range *out, int max)
{
    struct hail_slice item, unit = {value.p, 6};
    struct hail_range r;
    int n = 0, specs = 0;
    if (value.n < 6 || !hail_slice_is_nocase(unit, "bytes="))
        return 0;
    value.p += 6;
    value.n -= 6;
    while (hail_http_list_next(&value, &item)) {
        int rc = spec(item, size, &r);
        if (rc < 0 || ++specs > max)
            return 0;
        if (rc > 0)
            n = add(out, n, r);
    }
    if (n == 0)
        return specs ? -ERANGE : 0;
    return n;
}

void hail_content_range(const struct hail_range *r, uint64_t size, char out[HAIL_CONTENT_RANGE_MAX])
{
    if (r)
        snprintf(out, HAIL_CONTENT_RANGE_MAX, "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, r->first,
                 r->first + r->length - 1, size);
    else
        snprintf(out, HAIL_CONTENT_RANGE_MAX, "bytes */%" PRIu64, size);
}

int hail_range_part(const struct hail_range *r, uint64_t size, const char *type,
                    const char *boundary, char *out, size_t room)
{
    char range[HAIL_CONTENT_RANGE_MAX];
    if (!r)
        return snprintf(out, room, "\r\n--%s--\r\n", boundary);
    hail_content_range(r, size, range);
    return snprintf(out, room, "\r\n--%s\r\nContent-Type: %s\r\nContent-Range: %s\r\n\r\n",
                    boundary, type, range);
}
