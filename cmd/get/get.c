/* get.c - `hail get`: one request, its response; get.h says what is where.
 *
 * The content goes to standard output byte for byte as the server meant it: framing undone, content
 * coding left alone. Each URL has a connection of its own.
 */
#include "get.h"

#include "base/error.h"
#include "net/resolve.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

enum { OPT_CACERT = 256 };

static const struct option_row options[] = {
    {'I', "head", NULL, "ask with HEAD, and print the head"},
    {'i', "include", NULL, "print the response's head before its content"},
    {'f', "fail", NULL, "exit 1 and print no content for a status of 400 or more"},
    {'H', "header", "FIELD", "send \"Name: value\"; \"Name:\" leaves out a field"},
    {'o', "output", "FILE", "write the content to FILE"},
    {'k', "insecure", NULL, "take any certificate"},
    {OPT_CACERT, "cacert", "FILE", "trust the authorities in FILE (PEM), and no others"},
    {0},
};

static struct get_asked asked;

static int option(int letter, const char *value)
{
    switch (letter) {
    case 'I':
        asked.head = asked.show_head = true;
        break;
    case 'i':
        asked.show_head = true;
        break;
    case 'f':
        asked.fail = true;
        break;
    case 'H':
        if (asked.nfields == GET_OWN_FIELDS)
            return usage_error(&command_get, "-H: more than %d fields", GET_OWN_FIELDS);
        asked.fields[asked.nfields++] = value;
        break;
    case 'o':
        asked.output = value;
        break;
    case 'k':
        asked.insecure = true;
        break;
    case OPT_CACERT:
        asked.cacert = value;
        break;
    default:
        break;
    }
    return 0;
}

/* The host as the wire has it, and the endpoint to dial. */
static int prepare(struct exchange *x, const char *text)
{
    struct hail_ctx *ctx = &x->c->ctx;
    struct hail_url *u = &x->url;
    char ascii[HAIL_HOST_MAX + 1], where[HAIL_ENDPOINT_MAX];
    x->text = text;
    int rc = hail_url_parse(ctx, u, text);
    if (rc < 0)
        return rc;
    if (u->user.there)
        return hail_fail(ctx, HAIL_LAYER_USAGE, EINVAL, "get",
                         "the user in a URL is not sent: give -H \"Authorization: ...\"");
    if (!u->ipv6) {
        rc = hail_idn_to_ascii(ctx, u->host, ascii);
        if (rc == 0 && strcmp(ascii, u->host) != 0)
            rc = hail_url_set_host(ctx, u, ascii);
        if (rc < 0)
            return rc;
    }
    snprintf(where, sizeof where, u->ipv6 ? "[%s%s%s]:%u" : "%s%s%s:%u", u->host,
             *u->zone ? "%" : "", u->zone, u->port);
    return hail_endpoint_parse(ctx, &x->to, where, 0);
}

/* --fail's last word. */
static int refuse(const struct exchange *x)
{
    char reason[128];
    hail_text_safe_into(reason, sizeof reason, x->head.reason.p, x->head.reason.n);
    fputs("hail: get ", stderr);
    put_safe(stderr, x->text);
    fprintf(stderr, ": %d %s\n", x->head.status, reason);
    return STATUS_NO;
}

static int get(struct common *c, struct exchange *x, const char *text)
{
    struct hail_deadline by = c->ctx.by;
    memset(x, 0, offsetof(struct exchange, rows));
    x->c = c;
    x->asked = &asked;
    x->by = by;
    int rc = prepare(x, text);
    if (rc < 0)
        return fail(c);
    rc = get_exchange(x);
    int status = rc < 0 ? fail(c) : get_refused(x) ? refuse(x) : STATUS_DONE;
    if (c->json && rc != -ECANCELED) {
        int put = get_report(x, rc < 0, status);
        status = put ? put : status;
    }
    if (x->stream && x->complete && x->url.https) {
        struct hail_error err = c->ctx.err;
        hail_try_shutdown(&c->ctx, x->stream); /* close_notify, if it can go at once */
        c->ctx.err = err;
    }
    hail_close(x->stream);
    c->ctx.by = by;
    return status;
}

static int run(struct common *c, int argc, char **argv)
{
    static struct exchange x; /* static for its size; in use during this call alone */
    int status = STATUS_DONE;
    if (argc == 0)
        return usage_error(c->cmd, "a URL is missing");
    if (argc > 1 && asked.output && strcmp(asked.output, "-") != 0)
        return usage_error(c->cmd, "-o takes the content of one URL, and there are %d", argc);
    for (int i = 0; i < argc; i++) {
        int rc = get(c, &x, argv[i]);
        if (status == STATUS_DONE)
            status = rc;
        if (c->ctx.err.errnum == ECANCELED)
            break;
    }
    return status;
}

const struct command command_get = {
    .name = "get",
    .args = "URL...",
    .summary = "one request, its response, and where the time went",
    .options = options,
    .option = option,
    .run = run,
    .more = "Without a scheme a URL is of http: localhost:8080/x. The content is written as it is "
            "into a pipe or a file; a terminal gets it with control characters shown, and no "
            "binary content. With --json a document about the exchange is printed in place of the "
            "content; -o keeps the content beside it.",
};
