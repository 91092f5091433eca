/* content.c - the content of a response: its framing undone, decoded where that was asked for, put
 * out.
 *
 *      buf --framing--> pieces, moved together --decoder--> plain --> the sink
 *
 * Everything has a bound: the rate, the size, the growth in the decoder, the silence.
 */
#include "get.h"

#include "base/error.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define BOMB_BYTES ((uint64_t)64 << 20) /* below this size any growth is fine */

/* --- what is refused --- */

static int cut_short(struct get_session *s)
{
    char peer[HAIL_ENDPOINT_MAX];
    if (s->head.framing == HAIL_HTTP_LENGTH)
        hail_fail(&s->c.ctx, HAIL_LAYER_PROTO, EPROTO, "read",
                  "content from %s: the connection was closed after %" PRIu64 " of %" PRIu64
                  " bytes",
                  get_where(s, peer), s->hop->received, s->head.length);
    else
        hail_fail(&s->c.ctx, HAIL_LAYER_PROTO, EPROTO, "read",
                  "content from %s: the connection was closed after %" PRIu64
                  " bytes, before the last chunk",
                  get_where(s, peer), s->hop->received);
    hail_advise(&s->c.ctx, "RFC 9112 section 8: the response is not complete");
    hail_set_detail(&s->c.ctx, HAIL_TRUNCATED);
    return -EPROTO;
}

/* A part may be less than the rest that was asked for (RFC 9110 section 15.3.7): there is more. */
static int part_only(struct get_session *s)
{
    const struct get_resume *r = &s->job->resume;
    char peer[HAIL_ENDPOINT_MAX];
    if (!r->asked || s->head.status != 206 || s->decoder || r->total < 0 ||
        r->have >= (uint64_t)r->total)
        return 0;
    hail_fail(&s->c.ctx, HAIL_LAYER_PROTO, EPROTO, "read",
              "content from %s: the part ends at byte %" PRIu64 " of %" PRId64, get_where(s, peer),
              r->have, r->total);
    hail_advise(&s->c.ctx, "RFC 9110 section 15.3.7: a part may be less than was asked for");
    hail_set_detail(&s->c.ctx, HAIL_TRUNCATED);
    return -EPROTO;
}

static int bad_framing(struct get_session *s)
{
    char peer[HAIL_ENDPOINT_MAX];
    hail_fail(&s->c.ctx, HAIL_LAYER_PROTO, EPROTO, "read",
              "content from %s: %s, after %" PRIu64 " bytes", get_where(s, peer),
              hail_http_error_text(s->body.error), s->body.total);
    const char *rfc = hail_http_error_rfc(s->body.error);
    if (*rfc)
        hail_advise(&s->c.ctx, "that is not HTTP by %s", rfc);
    return -EPROTO;
}

static int bad_coding(struct get_session *s, int rc, const char *why)
{
    char peer[HAIL_ENDPOINT_MAX], name[64] = "";
    const struct hail_http_field *f = get_field(s, "Content-Encoding");
    if (rc == -ENOMEM)
        return hail_fail(&s->c.ctx, HAIL_LAYER_LOCAL, ENOMEM, "decode",
                         "decode the content: out of memory");
    if (f)
        snprintf(name, sizeof name, "%.*s", (int)f->value.n, f->value.p);
    hail_fail(&s->c.ctx, HAIL_LAYER_PROTO, EPROTO, "decode", "content from %s: %s%s",
              get_where(s, peer), name, why);
    hail_advise(&s->c.ctx, "RFC 9110 section 8.4: it is not in the coding that it says it is in");
    return -EPROTO;
}

static int too_large(struct get_session *s)
{
    return hail_fail(&s->c.ctx, HAIL_LAYER_LOCAL, EFBIG, "read",
                     "content of %s: larger than --max-filesize %" PRId64, s->job->text,
                     s->asked->max_size);
}

static int bomb(struct get_session *s)
{
    char peer[HAIL_ENDPOINT_MAX];
    hail_fail(&s->c.ctx, HAIL_LAYER_PROTO, EPROTO, "decode",
              "content from %s: %" PRIu64 " bytes have become more than %" PRIu64
              ": a decompression bomb",
              get_where(s, peer), s->hop->received, s->hop->content);
    hail_advise(&s->c.ctx,
                "RFC 9110 section 17.9 warns of it; --max-ratio 0 takes it all the same");
    return -EPROTO;
}

/* --- putting out --- */

/* What is neither framing nor coding any more. */
static int put_out(struct get_session *s, const char *p, size_t n)
{
    struct get_hop *h = s->hop;
    struct get_resume *r = &s->job->resume;
    h->content += n;
    if (s->asked->har && h->captured.len < GET_CAPTURE) {
        size_t room = GET_CAPTURE - h->captured.len;
        hail_buf_add(&h->captured, p, n < room ? n : room);
    }
    size_t pass = r->skip < n ? (size_t)r->skip : n;
    r->skip -= pass;
    p += pass;
    n -= pass;
    if (s->asked->max_size && s->job->sink.written + n > (uint64_t)s->asked->max_size)
        return too_large(s);
    if (n == 0)
        return 0;
    if (!s->decoder)
        r->have += n;
    return get_sink_write(s, p, n);
}

static int decode(struct get_session *s, const char *p, size_t n)
{
    struct hail_slice in = {p, n};
    size_t made;
    int rc;
    do {
        if (s->decoded_end && in.n == 0)
            return 0;
        rc = hail_decode(s->decoder, &in, s->plain, GET_PLAIN, &made);
        if (rc < 0)
            return bad_coding(
                s, rc, s->decoded_end ? ": something follows its end" : ": it does not decode");
        s->decoded_end = rc == 1;
        int wrote = put_out(s, s->plain, made);
        if (wrote < 0)
            return wrote;
        if (s->asked->ratio > 0 && s->hop->content > BOMB_BYTES &&
            (double)s->hop->content > s->asked->ratio * (double)s->hop->received)
            return bomb(s);
    } while (in.n || made == GET_PLAIN);
    return 0;
}

/* Undoes the framing of what was read. 1: the content is complete, 0: more is needed. */
static int take(struct get_session *s)
{
    size_t at = s->head_size, have = 0, used;
    char *out = s->buf + at;
    struct hail_slice data;
    int rc;
    do {
        rc = hail_http_body_read(&s->body, s->buf + at, s->len - at, &used, &data);
        if (data.n) {
            if (out + have != data.p)
                memmove(out + have, data.p, data.n);
            have += data.n;
        }
        at += used;
    } while (rc == 0 && at < s->len);
    s->hop->received += have;
    get_progress_add(s, have);
    int wrote = s->decoder ? decode(s, out, have) : put_out(s, out, have);
    if (wrote < 0)
        return wrote;
    if (rc == -EPROTO)
        return bad_framing(s);
    memmove(s->buf + s->head_size, s->buf + at, s->len - at);
    s->len -= at - s->head_size;
    return rc == 1;
}

/* --- limits of time --- */

/* --limit-rate: sleeps until as much as was read may have been read. */
static int keep_pace(struct get_session *s, size_t n)
{
    const int64_t debt = 100000000; /* so far behind, and no further, it may catch up */
    int64_t now = hail_now();
    if (s->pace_ns < now - debt)
        s->pace_ns = now - debt;
    s->pace_ns += (int64_t)((double)n / s->asked->rate * 1e9);
    struct hail_deadline was = s->c.ctx.by;
    s->c.ctx.by = hail_deadline_min(s->job->by, (struct hail_deadline){s->pace_ns});
    int rc = hail_wait(&s->c.ctx, s->c.ctx.cancel_fd, 0);
    s->c.ctx.by = was;
    if (rc == -ETIMEDOUT && (!s->job->by.ns || hail_now() < s->job->by.ns))
        return 0;
    return rc == -ECANCELED || rc == -ETIMEDOUT
               ? hail_fail(&s->c.ctx, HAIL_LAYER_STREAM, -rc, "read", "read the content: %s",
                           hail_errno_text(-rc))
               : 0;
}

/* -Y and -y: what was received in the present stretch of -y's length. */
struct stretch {
    int64_t since;
    uint64_t received; /* before it */
};

static bool stretch_over(const struct get_session *s, const struct stretch *t, int64_t now)
{
    return s->asked->speed > 0 && (double)(now - t->since) >= s->asked->speed_s * 1e9;
}

static int too_slow(struct get_session *s, struct stretch *t)
{
    int64_t now = hail_now();
    if (!stretch_over(s, t, now))
        return 0;
    double rate = (double)(s->hop->received - t->received) / ((double)(now - t->since) / 1e9);
    *t = (struct stretch){now, s->hop->received};
    if (rate >= (double)s->asked->speed)
        return 0;
    return hail_fail(&s->c.ctx, HAIL_LAYER_STREAM, ETIMEDOUT, "read",
                     "content of %s: slower than %" PRId64 " bytes a second for %g s", s->job->text,
                     s->asked->speed, s->asked->speed_s);
}

/* Bytes to read at once: all, or a tenth of a second's. */
static size_t piece(const struct get_session *s)
{
    size_t room = GET_BUFFER - s->len;
    double most = s->asked->rate > 0 ? s->asked->rate / 10 + 1 : (double)room;
    return most < (double)room ? (size_t)most : room;
}

/* --- the content --- */

static int begin(struct get_session *s)
{
    const struct hail_http_field *f = get_field(s, "Content-Encoding");
    hail_http_body_init(&s->body, &s->head, s->trailers, GET_TRAILERS);
    s->decoded_end = false;
    if (!s->asked->compressed || !f || s->head.framing == HAIL_HTTP_NO_BODY)
        return 0;
    if (hail_http_field(&s->head.fields, "Content-Encoding", f))
        return bad_coding(s, -EPROTO, ": more than one coding is not decoded");
    int c = hail_decoding_of(f->value);
    if (c == HAIL_CODING_IDENTITY || f->value.n == 0)
        return 0;
    if (c < 0)
        return bad_coding(s, -EPROTO, ": an unknown coding, which was not asked for");
    return hail_decoder_new((enum hail_coding)c, &s->decoder) < 0 ? bad_coding(s, -ENOMEM, "") : 0;
}

static int end(struct get_session *s)
{
    if (s->decoder && !s->decoded_end && s->hop->received)
        return bad_coding(s, -EPROTO, ": it ends in the middle");
    s->hop->complete = true;
    s->hop->end_ns = hail_now();
    for (size_t i = 0; i < s->body.trailers.n && s->asked->verbose; i++) {
        const struct hail_http_field *f = &s->body.trailers.v[i];
        get_verbose(s, "trailer %.*s: %.*s", (int)f->name.n, f->name.p, (int)f->value.n,
                    f->value.p);
    }
    return part_only(s);
}

/* Waits for more, with `t` no longer than its end: then there may be nothing new. */
static int read_more(struct get_session *s, const struct stretch *t)
{
    double left = t && s->asked->speed > 0
                      ? s->asked->speed_s - (double)(hail_now() - t->since) / 1e9 + 0.001
                      : GET_SILENCE_S;
    get_allow(s, left < 0 ? 0 : left < GET_SILENCE_S ? left : GET_SILENCE_S);
    ssize_t n = hail_read(&s->c.ctx, s->conn->stream, s->buf + s->len, piece(s));
    if (n == -ETIMEDOUT && t && stretch_over(s, t, hail_now()))
        return 0;
    if (n < 0)
        return get_explain_timeout(s, (int)n, GET_SILENCE_S, "nothing more of the content");
    if (n == 0 && s->head.framing == HAIL_HTTP_TUNNEL)
        return 1;
    if (n == 0)
        return hail_http_body_end(&s->body) < 0 ? cut_short(s) : 1;
    s->len += (size_t)n;
    return s->asked->rate > 0 ? keep_pace(s, (size_t)n) : 0;
}

int get_content(struct get_session *s)
{
    int rc = begin(s);
    struct stretch t = {hail_now(), 0};
    if (rc == 0 && s->asked->max_size && s->head.framing == HAIL_HTTP_LENGTH &&
        s->head.length > (uint64_t)s->asked->max_size)
        rc = too_large(s);
    if (rc == 0)
        rc = take(s);
    if (rc == 0)
        rc = get_content_fast(s);
    while (rc == 0) {
        rc = read_more(s, &t);
        if (rc == 0)
            rc = take(s);
        if (rc == 0)
            rc = too_slow(s, &t);
    }
    return rc < 0 ? rc : end(s);
}

/* Past what nobody wants to see, when that is little; else the connection is closed. */
int get_drain(struct get_session *s)
{
    int rc = 0;
    hail_http_body_init(&s->body, &s->head, s->trailers, GET_TRAILERS);
    while (rc == 0 && s->hop->received <= GET_DRAIN) {
        size_t at = s->head_size, used;
        struct hail_slice data;
        do {
            rc = hail_http_body_read(&s->body, s->buf + at, s->len - at, &used, &data);
            s->hop->received += data.n;
            at += used;
        } while (rc == 0 && at < s->len);
        memmove(s->buf + s->head_size, s->buf + at, s->len - at);
        s->len -= at - s->head_size;
        if (rc != 0 && rc != -EAGAIN)
            break;
        if (s->head.framing == HAIL_HTTP_LENGTH && s->head.length > GET_DRAIN)
            break;
        rc = read_more(s, NULL);
    }
    s->hop->content = s->hop->received;
    if (rc == 1) {
        s->hop->complete = true;
        s->hop->end_ns = hail_now();
    }
    return 0;
}
