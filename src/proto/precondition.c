/* precondition.c - conditional requests; proto/precondition.h. */
#include "proto/precondition.h"

#include "proto/etag.h"

/* Whether any of the fields called `name` lists the tag; *there: there is such a field. */
static bool listed(const struct hail_http_fields *fields, const char *name,
                   const struct hail_validators *v, bool weak, bool *there)
{
    const struct hail_http_field *f = NULL;
    *there = false;
    while ((f = hail_http_field(fields, name, f)) != NULL) {
        *there = true;
        if (hail_slice_is(f->value, "*") || (v->etag && hail_etag_listed(f->value, v->etag, weak)))
            return true;
    }
    return false;
}

/* The date in the only field called `name`; what is no date, or twice there, is ignored. */
static bool dated(const struct hail_http_fields *fields, const char *name, int64_t now,
                  int64_t *date)
{
    const struct hail_http_field *f = hail_http_field(fields, name, NULL);
    return f && !hail_http_field(fields, name, f) && hail_http_date_parse(f->value, now, date) == 0;
}

int hail_preconditions(const struct hail_http_fields *fields, const struct hail_validators *v,
                       int64_t now)
{
    int64_t date;
    bool there, match = listed(fields, "If-Match", v, false, &there);
    if (there && !match)
        return 412;
    if (!there && v->modified >= 0 && dated(fields, "If-Unmodified-Since", now, &date) &&
        v->modified > date)
        return 412;
    match = listed(fields, "If-None-Match", v, true, &there);
    if (there)
        return match ? 304 : 0;
    if (v->modified >= 0 && dated(fields, "If-Modified-Since", now, &date) && v->modified <= date)
        return 304;
    return 0;
}

bool hail_if_range(const struct hail_http_fields *fields, const struct hail_validators *v,
                   int64_t now)
{
    const struct hail_http_field *f = hail_http_field(fields, "If-Range", NULL);
    int64_t date;
    if (!f)
        return true;
    if (hail_http_field(fields, "If-Range", f))
        return false;
    if (f->value.n && (f->value.p[0] == '"' || f->value.p[0] == 'W'))
        return v->etag && hail_slice_is(f->value, v->etag);
    return hail_http_date_parse(f->value, now, &date) == 0 && v->modified == date &&
           now - v->modified > 1;
}
