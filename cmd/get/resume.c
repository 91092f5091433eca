/* resume.c - asking for the rest, and making sure that it is the rest of the same thing.
 *
 *     200 with a strong validator --note--> have n bytes, cut off
 *     Range: bytes=n-  If-Range: validator --> 206 and the same: go on   200: start over
 *
 * Without a validator nothing is put together: two halves may be of two files. With -C the user
 * vouches for it.
 */
#include "get.h"

#include "base/error.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void get_resume_forget(struct get_resume *r)
{
    uint64_t skip = r->skip;
    *r = (struct get_resume){.total = -1, .skip = skip};
}

static void copy(char *out, size_t size, const struct hail_http_field *f)
{
    if (f && f->value.n > 0 && f->value.n < size) {
        memcpy(out, f->value.p, f->value.n);
        out[f->value.n] = '\0';
    }
}

/* A strong ETag; else a date that is old enough to be strong: RFC 9110 section 8.8.2.2. */
static void validator(const struct get_session *s, char etag[256], char modified[64])
{
    const struct hail_http_field *tag = get_field(s, "ETag"), *lm = get_field(s, "Last-Modified"),
                                 *date = get_field(s, "Date");
    int64_t changed, sent, now = (int64_t)time(NULL);
    etag[0] = modified[0] = '\0';
    if (tag && tag->value.n >= 2 && *tag->value.p == '"') {
        copy(etag, 256, tag);
        return;
    }
    if (lm && date && hail_http_date_parse(lm->value, now, &changed) == 0 &&
        hail_http_date_parse(date->value, now, &sent) == 0 && sent - changed >= 1)
        copy(modified, 64, lm);
}

bool get_resumable(const struct get_session *s)
{
    const struct get_resume *r = &s->job->resume;
    return r->have > 0 && (*r->etag || *r->modified) && !s->asked->compressed && !s->asked->range &&
           s->job->sink.started;
}

/* A 200 says of itself what a later part is compared with. */
void get_resume_note(struct get_session *s)
{
    struct get_resume *r = &s->job->resume;
    char etag[256], modified[64];
    validator(s, etag, modified);
    memcpy(r->etag, etag, sizeof etag);
    memcpy(r->modified, modified, sizeof modified);
    r->total = s->head.framing == HAIL_HTTP_LENGTH ? (int64_t)s->head.length : -1;
    r->have = 0;
    r->asked = false;
}

/* "bytes 5-9/10", "bytes 5-9/asterisk", "bytes asterisk/10": the numbers, -1 for none. */
static bool content_range(const struct get_session *s, int64_t *first, int64_t *last,
                          int64_t *total)
{
    const struct hail_http_field *f = get_field(s, "Content-Range");
    char text[96];
    *first = *last = *total = -1;
    if (!f || f->value.n >= sizeof text || hail_http_field(&s->head.fields, "Content-Range", f))
        return false;
    memcpy(text, f->value.p, f->value.n);
    text[f->value.n] = '\0';
    if (strncasecmp(text, "bytes ", 6) != 0)
        return false;
    char *p = text + 6, *end;
    errno = 0;
    if (*p == '*') {
        p++;
    } else {
        if (*p < '0' || *p > '9')
            return false;
        *first = strtoll(p, &end, 10);
        if (*end != '-' || end[1] < '0' || end[1] > '9')
            return false;
        *last = strtoll(end + 1, &p, 10);
    }
    if (*p++ != '/')
        return false;
    if (strcmp(p, "*") == 0)
        return *first >= 0 && *first <= *last && *last < INT64_MAX && errno != ERANGE;
    if (*p < '0' || *p > '9')
        return false;
    *total = strtoll(p, &end, 10);
    return !*end && errno != ERANGE && (*first < 0 || (*first <= *last && *last < *total));
}

static int wrong_range(struct get_session *s, const char *why)
{
    char peer[HAIL_ENDPOINT_MAX];
    hail_fail(&s->c.ctx, HAIL_LAYER_PROTO, EPROTO, "read", "response from %s: %s",
              get_where(s, peer), why);
    hail_advise(&s->c.ctx, "RFC 9110 section 14.4: the part is not the one that was asked for");
    return -EPROTO;
}

/* Is it the same representation as the one that was begun? */
static bool same(const struct get_session *s, int64_t total)
{
    const struct get_resume *r = &s->job->resume;
    char etag[256], modified[64];
    const struct hail_http_field *lm = get_field(s, "Last-Modified");
    validator(s, etag, modified);
    if (*r->etag && *etag && strcmp(r->etag, etag) != 0)
        return false;
    if (!*r->etag && *r->modified && lm && !hail_slice_is(lm->value, r->modified))
        return false;
    return r->total < 0 || total < 0 || r->total == total;
}

static int start_over(struct get_session *s)
{
    struct get_resume *r = &s->job->resume;
    uint64_t have = r->have;
    char etag[256];
    bool was_same = false;
    memcpy(etag, r->etag, sizeof etag);
    get_resume_note(s);
    was_same = *etag && strcmp(etag, r->etag) == 0;
    int rc = get_sink_restart(s);
    if (rc != -EAGAIN)
        return rc;
    if (!was_same) {
        hail_fail(&s->c.ctx, HAIL_LAYER_PROTO, EPROTO, "read",
                  "content of %s: it changed while it was read, and %llu bytes are out already",
                  s->job->text, (unsigned long long)have);
        return -EPROTO;
    }
    r->skip = have;
    return 0;
}

/* 416: everything is there already, or there is less than there was. */
static int nothing_more(struct get_session *s)
{
    struct get_resume *r = &s->job->resume;
    int64_t first, last, total;
    if (content_range(s, &first, &last, &total) && total >= 0 && (uint64_t)total == r->have &&
        same(s, total))
        return 1;
    r->asked = false;
    if (s->asked->resume != GET_RESUME_NO)
        return wrong_range(s, "416, there are no bytes behind those of -C");
    get_resume_forget(r);
    return get_sink_restart(s) < 0 ? wrong_range(s, "416, the content became shorter") : 2;
}

/* 0: read the content, 1: all was there before, 2: ask again for all of it. */
int get_resume_check(struct get_session *s)
{
    struct get_resume *r = &s->job->resume;
    int64_t first, last, total;
    if (s->head.status == 206 && !r->asked && !s->asked->range && !get_replaced(s, "Range"))
        return wrong_range(s, "206 Partial Content, although the whole was asked for");
    if (!r->asked)
        return 0;
    if (s->head.status == 416)
        return nothing_more(s);
    if (s->head.status != 206) {
        if (s->head.status != 200)
            return 0;
        if (s->asked->resume != GET_RESUME_NO && r->have) {
            hail_fail(&s->c.ctx, HAIL_LAYER_PROTO, EPROTO, "read",
                      "content of %s: the server gives no ranges: -C cannot go on", s->job->text);
            return -EPROTO;
        }
        return start_over(s);
    }
    if (!content_range(s, &first, &last, &total))
        return wrong_range(s, "206 without a Content-Range that can be read");
    if (first != (int64_t)r->have)
        return wrong_range(s, "206 with another range than the one that was asked for");
    if (s->head.framing == HAIL_HTTP_LENGTH && (int64_t)s->head.length != last - first + 1)
        return wrong_range(s, "206 whose length is not that of its Content-Range");
    if (!same(s, total)) { /* the server did not look at If-Range: all of it, then */
        r->asked = false;
        get_resume_forget(r);
        return get_sink_restart(s) < 0 ? wrong_range(s, "206 of something else") : 2;
    }
    r->total = total >= 0 ? total : r->total;
    return 0;
}
