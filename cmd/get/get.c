/* get.c - hail get: one request a URL, one after another. */
#include "get/get.h"

#include <errno.h>
#include <string.h>

static struct get_options options;

enum { OPT_CACERT = 256 };

static const struct option_row rows[] = {
    {'I', "head", NULL, "ask for the head alone (HEAD) and show it"},
    {'i', "include", NULL, "show the response's head before its content"},
    {'o', "output", "FILE", "write to FILE; - is standard output, as it is even on a terminal"},
    {'f', "fail", NULL, "an answer of 400 or more is exit status 1, and its content is not shown"},
    {'H', "header", "LINE", "another header, \"Name: value\"; \"Name:\" leaves hail's own out"},
    {'k', "insecure-certificate", NULL, "take any certificate for any name"},
    {OPT_CACERT, "cacert", "FILE", "trust the authorities in FILE (PEM) in place of the system's"},
    {0},
};

static int add_header(const char *line)
{
    const char *colon = strchr(line, ':');
    if (!colon || colon == line)
        return usage_error(&command_get, "a header is \"Name: value\", not '%s'", line);
    if (options.nheaders == GET_HEADERS_MAX)
        return usage_error(&command_get, "more than %d headers", GET_HEADERS_MAX);
    options.headers[options.nheaders++] = line;
    return 0;
}

static int option(int letter, const char *value)
{
    switch (letter) {
    case 'I':
        options.head = true;
        break;
    case 'i':
        options.include = true;
        break;
    case 'o':
        options.output = value;
        break;
    case 'f':
        options.fail = true;
        break;
    case 'H':
        return add_header(value);
    case 'k':
        options.tls.insecure_certificate = true;
        break;
    case OPT_CACERT:
        options.tls.ca_file = value;
        break;
    default:
        break;
    }
    return 0;
}

static int get_one(struct common *c, const char *url, struct sink *sink)
{
    struct exchange x = {.c = c, .o = &options, .sink = sink};
    struct hail_buf text;
    struct hail_json j = {.out = &text};
    if (hail_url_parse(&c->ctx, &x.url, url) < 0)
        return fail(c);
    hail_buf_init(&text, 1 << 22);
    x.j = c->json ? &j : NULL;
    report_begin(&x);
    int status = report_end(&x, exchange_run(&x));
    hail_buf_free(&text);
    exchange_free(&x);
    return status;
}

static int run(struct common *c, int argc, char **argv)
{
    if (argc == 0)
        return usage_error(c->cmd, "which URL?");
    struct sink sink;
    int worst = 0, status = sink_open(&sink, c, options.output);
    options.tls.alpn = "http/1.1";
    for (int i = 0; i < argc && !status; i++) {
        int one = get_one(c, argv[i], &sink);
        worst = one > worst ? one : worst;
        if (one == STATUS_LOCAL) /* a closed output, a signal: the next would fare no better */
            break;
    }
    int closed = sink_close(&sink);
    return status ? status : worst ? worst : closed;
}

const struct command command_get = {
    .name = "get",
    .args = "URL...",
    .summary = "one request, its response, and where the time went",
    .options = rows,
    .option = option,
    .run = run,
    .more =
        "The content goes to standard output, byte for byte; on a terminal what a terminal would "
        "act on is shown in place. With --json the exchange is printed as one document, and the "
        "content only with -o.",
};
