/* status.c - what is answered without a file: a status with a text for people, a redirect, text
 * that was made for one request.
 */
#include "serve.h"

#include "proto/accept.h"

#include <string.h>

void serve_put_head(struct serve_conn *k, struct hail_answer *a)
{
    struct serve_buffers *b = k->b;
    struct hail_http_out o = {.p = b->out + b->out_len, .size = SERVE_OUT - b->out_len};
    a->keep_alive = k->keep_alive;
    a->minor = b->head.minor;
    a->date = serve_date(k->worker);
    a->more = a->more ? a->more : k->worker->serve->more;
    ssize_t n = hail_answer_head(&o, a);
    if (n >= 0)
        b->out_len += (size_t)n;
    else
        k->keep_alive = false;
}

/* What went wrong, in a sentence that helps. */
static const char *explanation(int status)
{
    switch (status) {
    case 301:
        return "This is a folder; its address ends with a slash.";
    case 400:
        return "The request does not follow the rules of HTTP.";
    case 403:
        return "This may not be read, or there is no page in this folder.";
    case 404:
        return "There is nothing here by this name.";
    case 405:
        return "Files can be read here, and nothing else.";
    case 408:
        return "The request took too long to arrive.";
    case 412:
        return "The file is not the one that the request was meant for.";
    case 413:
        return "The request carries more than is accepted.";
    case 414:
        return "The address is too long.";
    case 416:
        return "The file has no such part.";
    case 417:
        return "The request expects what this server does not do.";
    case 431:
        return "The fields of the request are too many, or too long.";
    case 500:
        return "Something failed in the server.";
    case 501:
        return "The request's method is not known here.";
    case 503:
        return "The server lacks memory or descriptors at the moment.";
    case 505:
        return "The version of HTTP is not known here.";
    default:
        return "";
    }
}

/* The text of a status, as a page where the client likes that better. The length. */
static size_t text_of(const struct serve_conn *k, int status, char *out, size_t size,
                      const char **type)
{
    const struct hail_http_fields *fields = &k->b->head.fields;
    const char *reason = hail_http_reason(status), *why = explanation(status);
    int n;
    if (hail_accept_type(fields, "text/html") > hail_accept_type(fields, "text/plain")) {
        *type = "text/html; charset=utf-8";
        n = snprintf(out, size,
                     "<!doctype html>\n<html lang=en><meta charset=utf-8>"
                     "<meta name=viewport content=\"width=device-width\">"
                     "<meta name=color-scheme content=\"light dark\">"
                     "<title>%d %s</title>\n"
                     "<style>body{font:1.1em/1.6 system-ui,sans-serif;max-width:34em;"
                     "margin:18vh auto 0;padding:0 1.2em}h1{font-size:1.6em}</style>\n"
                     "<h1>%d %s</h1>\n<p>%s\n<p><a href=\"/\">The first page</a>\n%s",
                     status, reason, status, reason, why,
                     k->worker->serve->o->dev ? "<script src=\"/.hail/reload.js\"></script>\n"
                                              : "");
    } else {
        *type = "text/plain; charset=utf-8";
        n = snprintf(out, size, "%d %s\n%s%s", status, reason, why, *why ? "\n" : "");
    }
    return n > 0 && (size_t)n < size ? (size_t)n : 0;
}

void serve_put_status(struct serve_conn *k, struct hail_answer *a)
{
    struct serve_buffers *b = k->b;
    char text[1024];
    size_t n = 0;
    a->modified = -1;
    if (a->status != 204 && a->status != 304) {
        n = text_of(k, a->status, text, sizeof text, &a->type);
        a->length = n;
    }
    serve_put_head(k, a);
    if (b->head.method == HAIL_HTTP_HEAD || n > SERVE_OUT - b->out_len)
        n = 0;
    memcpy(b->out + b->out_len, text, n);
    b->out_len += n;
    serve_note_begin(k, a->status);
    serve_note_end(k, n, true);
}

void serve_refuse(struct serve_conn *k, int status)
{
    k->keep_alive = false;
    k->linger = true;
    k->b->head.minor = 1;
    k->b->head.fields.n = 0; /* what was read of them is not to be relied on */
    k->b->head.method = HAIL_HTTP_GET;
    serve_put_status(k, &(struct hail_answer){.status = status});
}

void serve_put_slash(struct serve_conn *k, const char *path)
{
    char location[SERVE_LINE];
    bool fits = hail_answer_slash(path, k->b->head.query, location, sizeof location) >= 0;
    serve_put_status(
        k, &(struct hail_answer){.status = fits ? 301 : 414, .location = fits ? location : NULL});
}

void serve_put_text(struct serve_conn *k, struct hail_answer *a, struct serve_blob *text)
{
    if (!text) {
        serve_put_status(k, &(struct hail_answer){.status = 500});
        return;
    }
    a->status = 200;
    a->modified = -1;
    a->length = text->n;
    serve_put_head(k, a);
    serve_note_begin(k, a->status);
    if (k->b->head.method == HAIL_HTTP_HEAD) {
        serve_blob_put(text);
        serve_note_end(k, 0, true);
        return;
    }
    serve_content_blob(k, text);
}
