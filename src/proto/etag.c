/* etag.c - entity tags; proto/etag.h. */
#include "proto/etag.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void hail_etag_of_file(uint64_t size, int64_t modified_ns, uint64_t inode, enum hail_coding c,
                       char out[HAIL_ETAG_MAX])
{
    const char *ending = hail_coding_ending(c);
    snprintf(out, HAIL_ETAG_MAX, "\"%" PRIx64 "-%" PRIx64 "-%" PRIx64 "%s%s\"", inode,
             (uint64_t)modified_ns, size, *ending ? "-" : "", *ending ? ending + 1 : "");
}

/* etagc: any byte of RFC 9110 section 8.8.3 */
static bool is_etagc(char c)
{
    unsigned char u = (unsigned char)c;
    return u == 0x21 || (u >= 0x23 && u != 0x7F);
}

/* Takes the tag at the front of `s`, with its quotes; false if there is none. */
static bool take(struct hail_slice *s, bool *weak, struct hail_slice *tag)
{
    size_t i = 0;
    *weak = s->n >= 2 && s->p[0] == 'W' && s->p[1] == '/';
    if (*weak)
        i = 2;
    size_t start = i;
    if (i >= s->n || s->p[i++] != '"')
        return false;
    while (i < s->n && is_etagc(s->p[i]))
        i++;
    if (i >= s->n || s->p[i++] != '"')
        return false;
    *tag = (struct hail_slice){s->p + start, i - start};
    *s = (struct hail_slice){s->p + i, s->n - i};
    return true;
}

static void skip(struct hail_slice *s, const char *what)
{
    while (s->n && s->p[0] && strchr(what, s->p[0])) {
        s->p++;
        s->n--;
    }
}

bool hail_etag_listed(struct hail_slice list, const char *etag, bool weak)
{
    struct hail_slice tag;
    bool is_weak;
    if (hail_slice_is(list, "*"))
        return true;
    for (skip(&list, " \t,"); take(&list, &is_weak, &tag); skip(&list, " \t,"))
        if ((weak || !is_weak) && hail_slice_is(tag, etag))
            return true;
    return false;
}
