/* settings.c - one option after another into get_asked.
 *
 * Most options are a flag, a word or a number at a place of the struct: a table says which. The few
 * that do more are functions.
 */
#include "get.h"

#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct get_asked get_asked = {
    .resume = GET_RESUME_NO,
    .max_redirects = 50,
    .proxy_kind = -1,
    .retry = -1,
    .retry_delay = -1,
    .expect_s = 1,
    .speed_s = 30,
    .ratio = 500,
    .parallel_max = 50,
};

static int usage(const char *option, const char *why, const char *value)
{
    return usage_error(&command_get, "%s %s, not '%s'", option, why, value);
}

/* --- numbers --- */

/* Seconds, or another number with a point. */
static bool number(const char *value, double least, double *out)
{
    char *end;
    errno = 0;
    double v = strtod(value, &end);
    if (end == value || *end || errno || !isfinite(v) || v < least || v > 1e15)
        return false;
    *out = v;
    return true;
}

/* Bytes with k, M, G, T behind them, of 1,024 each. */
static bool bytes(const char *value, double *out)
{
    static const char units[] = "kmgtp";
    char text[32];
    size_t n = strlen(value);
    if (n == 0 || n >= sizeof text)
        return false;
    memcpy(text, value, n + 1);
    if (n > 1 && (text[n - 1] | 0x20) == 'b' && !strchr("0123456789", text[n - 2]))
        text[--n] = '\0';
    const char *unit = strchr(units, text[n - 1] | 0x20);
    double times = 1;
    if (unit && *unit) {
        text[--n] = '\0';
        for (const char *u = units; u <= unit; u++)
            times *= 1024;
    }
    if (!number(text, 0, out))
        return false;
    *out *= times;
    return *out < 1e18;
}

/* --- the table --- */

enum kind { FLAG, WORD, WORDS, SECONDS, BYTES, COUNT, TRUTH };

struct setting {
    int letter;
    enum kind kind;
    size_t at;
    const char *name; /* of what takes a number */
};

#define AT(member) offsetof(struct get_asked, member)

static const struct setting settings[] = {
    {'X', WORD, AT(method), NULL},
    {'G', FLAG, AT(get), NULL},
    {'T', WORDS, AT(uploads), NULL},
    {'A', WORD, AT(agent), NULL},
    {'e', WORD, AT(referer), NULL},
    {'r', WORD, AT(range), NULL},
    {'0', FLAG, AT(http10), NULL},
    {OPT_COMPRESSED, FLAG, AT(compressed), NULL},
    {OPT_REQUEST_TARGET, WORD, AT(target), NULL},
    {OPT_PATH_AS_IS, FLAG, AT(path_as_is), NULL},
    {OPT_EXPECT_TIMEOUT, SECONDS, AT(expect_s), "--expect100-timeout"},
    {OPT_FORM_ESCAPE, FLAG, AT(form_escape), NULL},
    {OPT_URL, WORDS, AT(urls), NULL},
    {'u', WORD, AT(user), NULL},
    {OPT_BEARER, WORD, AT(bearer), NULL},
    {OPT_NETRC_FILE, WORD, AT(netrc_file), NULL},
    {'b', WORDS, AT(cookies), NULL},
    {'c', WORD, AT(jar), NULL},
    {'j', FLAG, AT(new_session), NULL},
    {'L', FLAG, AT(follow), NULL},
    {OPT_POST301, FLAG, AT(keep_post[0]), NULL},
    {OPT_POST302, FLAG, AT(keep_post[1]), NULL},
    {OPT_POST303, FLAG, AT(keep_post[2]), NULL},
    {'x', WORD, AT(proxy), NULL},
    {'U', WORD, AT(proxy_user), NULL},
    {'p', FLAG, AT(tunnel), NULL},
    {OPT_PROXY_INSECURE, FLAG, AT(proxy_insecure), NULL},
    {OPT_NOPROXY, WORD, AT(no_proxy), NULL},
    {OPT_RESOLVE, WORDS, AT(resolve), NULL},
    {OPT_CONNECT_TO, WORDS, AT(connect_to), NULL},
    {OPT_INTERFACE, WORD, AT(interface), NULL},
    {OPT_UNIX_SOCKET, WORD, AT(unix_socket), NULL},
    {'k', FLAG, AT(insecure), NULL},
    {OPT_CACERT, WORD, AT(cacert), NULL},
    {OPT_CAPATH, WORD, AT(capath), NULL},
    {'E', WORD, AT(cert), NULL},
    {OPT_KEY, WORD, AT(key), NULL},
    {'m', SECONDS, AT(max_s), "-m"},
    {OPT_CONNECT_TIMEOUT, SECONDS, AT(connect_s), "--connect-timeout"},
    {'Y', BYTES, AT(speed), "-Y"},
    {'y', SECONDS, AT(speed_s), "-y"},
    {OPT_MAX_FILESIZE, BYTES, AT(max_size), "--max-filesize"},
    {OPT_MAX_RATIO, SECONDS, AT(ratio), "--max-ratio"},
    {OPT_RETRY, COUNT, AT(retry), "--retry"},
    {OPT_RETRY_ALL, FLAG, AT(retry_all), NULL},
    {OPT_RETRY_CONNREFUSED, FLAG, AT(retry_refused), NULL},
    {OPT_RETRY_DELAY, SECONDS, AT(retry_delay), "--retry-delay"},
    {OPT_RETRY_MAX_TIME, SECONDS, AT(retry_max), "--retry-max-time"},
    {'o', WORDS, AT(outputs), NULL},
    {OPT_REMOTE_ALL, FLAG, AT(remote_all), NULL},
    {'J', FLAG, AT(disposition), NULL},
    {OPT_OUTPUT_DIR, WORD, AT(folder), NULL},
    {OPT_CREATE_DIRS, FLAG, AT(create), NULL},
    {OPT_NO_CLOBBER, FLAG, AT(no_clobber), NULL},
    {'i', FLAG, AT(show_head), NULL},
    {'D', WORD, AT(dump), NULL},
    {'f', FLAG, AT(fail), NULL},
    {OPT_FAIL_BODY, FLAG, AT(fail_body), NULL},
    {'s', FLAG, AT(silent), NULL},
    {'S', FLAG, AT(show_error), NULL},
    {OPT_STDERR, WORD, AT(stderr_file), NULL},
    {OPT_NO_PROGRESS, FLAG, AT(no_progress), NULL},
    {'v', FLAG, AT(verbose), NULL},
    {'w', WORD, AT(writeout), NULL},
    {OPT_ETAG_SAVE, WORD, AT(etag_save), NULL},
    {OPT_ETAG_COMPARE, WORD, AT(etag_compare), NULL},
    {'Z', FLAG, AT(parallel), NULL},
    {OPT_PARALLEL_MAX, COUNT, AT(parallel_max), "--parallel-max"},
    {'q', FLAG, AT(no_config), NULL},
    {OPT_BODY, FLAG, AT(body_only), NULL},
    {OPT_TIMING, FLAG, AT(timing), NULL},
    {OPT_HAR, WORD, AT(har), NULL},
    {OPT_EXPLAIN, FLAG, AT(explain), NULL},
    {OPT_DRY_RUN, FLAG, AT(dry_run), NULL},
};

static int set_number(const struct setting *s, void *at, const char *value)
{
    double v;
    switch (s->kind) {
    case SECONDS:
        return number(value, 0, at) ? 0 : usage(s->name, "wants a number of 0 or more", value);
    case BYTES:
        if (!bytes(value, &v))
            return usage(s->name, "wants bytes (with k, M or G)", value);
        *(int64_t *)at = (int64_t)v;
        return 0;
    default:
        if (!number(value, 0, &v) || v > 1000000 || v != floor(v))
            return usage(s->name, "wants a whole number", value);
        *(int *)at = (int)v;
        return 0;
    }
}

static int set(const struct setting *s, const char *value)
{
    void *at = (char *)&get_asked + s->at;
    switch (s->kind) {
    case FLAG:
        *(bool *)at = true;
        return 0;
    case WORD:
        *(const char **)at = value;
        return 0;
    case WORDS:
        return get_words_add(at, value);
    default:
        return set_number(s, at, value);
    }
}

/* --- the ones that do more --- */

/* A file of fields, a line each. They stay until the end. */
static int fields_of(const char *path)
{
    struct hail_buf b;
    hail_buf_init(&b, 1 << 20);
    int status = get_slurp(path, &b);
    status = status ? status : get_keep(b.p);
    char *save = NULL;
    for (char *line = status || !b.len ? NULL : strtok_r(b.p, "\r\n", &save); line && status == 0;
         line = strtok_r(NULL, "\r\n", &save))
        status = get_words_add(&get_asked.fields, line);
    return status;
}

static int continue_at(const char *value)
{
    double v;
    if (strcmp(value, "-") == 0) {
        get_asked.resume = GET_RESUME_AUTO;
        return 0;
    }
    if (!number(value, 0, &v) || v != floor(v))
        return usage("-C", "wants a byte's number, or '-'", value);
    get_asked.resume = (int64_t)v;
    return 0;
}

static int max_redirects(const char *value)
{
    char *end;
    long n = strtol(value, &end, 10);
    if (end == value || *end || n < -1 || n > 1000000)
        return usage("--max-redirs", "wants a number, -1 for no limit", value);
    get_asked.max_redirects = (int)n;
    return 0;
}

static int socks(int letter, const char *value)
{
    get_asked.proxy_kind = letter == OPT_SOCKS4    ? HAIL_PROXY_SOCKS4
                           : letter == OPT_SOCKS4A ? HAIL_PROXY_SOCKS4A
                           : letter == OPT_SOCKS5  ? HAIL_PROXY_SOCKS5
                                                   : HAIL_PROXY_SOCKS5H;
    get_asked.proxy = value;
    return 0;
}

/* What the request carries; -1: it is another option. */
static int set_content(int letter, const char *value)
{
    struct get_asked *a = &get_asked;
    switch (letter) {
    case 'I':
        a->head = a->show_head = true;
        return 0;
    case 'H':
        return *value == '@' ? fields_of(value + 1) : get_words_add(&a->fields, value);
    case 'd':
    case OPT_DATA_RAW:
    case OPT_DATA_BINARY:
    case OPT_DATA_URLENCODE:
        return get_data_add(letter, value);
    case OPT_URL_QUERY:
        return get_query_add(value);
    case 'F':
    case OPT_FORM_STRING: /* in pairs: how, and what */
        return get_words_add(&a->forms, letter == 'F' ? "F" : "S") ||
               get_words_add(&a->forms, value);
    default:
        return -1;
    }
}

int get_option(int letter, const char *value)
{
    struct get_asked *a = &get_asked;
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        if (settings[i].letter == letter)
            return set(&settings[i], value);
    int status = set_content(letter, value);
    if (status >= 0)
        return status;
    switch (letter) {
    case 'n':
    case OPT_NETRC_OPTIONAL:
        a->netrc = letter == 'n' ? GET_NETRC_YES : GET_NETRC_OPTIONAL;
        return 0;
    case OPT_BASIC:
    case OPT_DIGEST:
    case OPT_ANYAUTH:
        a->auth |= letter == OPT_BASIC    ? GET_AUTH_BASIC
                   : letter == OPT_DIGEST ? GET_AUTH_DIGEST
                                          : GET_AUTH_ANY;
        return 0;
    case OPT_LOCATION_TRUSTED:
        a->follow = a->trusted = true;
        return 0;
    case OPT_MAX_REDIRS:
        return max_redirects(value);
    case OPT_SOCKS4:
    case OPT_SOCKS4A:
    case OPT_SOCKS5:
    case OPT_SOCKS5_HOSTNAME:
        return socks(letter, value);
    case OPT_LIMIT_RATE:
        return bytes(value, &a->rate)
                   ? 0
                   : usage("--limit-rate", "wants bytes (with k, M or G)", value);
    case OPT_TLS12:
    case OPT_TLS13:
        a->tls_version = letter == OPT_TLS13 ? 13 : 12;
        return 0;
    case OPT_HTTP11:
        a->http10 = false;
        return 0;
    case 'C':
        return continue_at(value);
    case 'O':
        return get_words_add(&a->outputs, "");
    case OPT_CHECKSUM:
        a->checksum = value;
        return get_checksum_known(value) == 0
                   ? 0
                   : usage("--checksum", "wants sha256:HEX (sha1, sha384, sha512)", value);
    case 'K':
        return get_config(value, true);
    default:
        return 0;
    }
}

/* --- at the end --- */

static int conflict(const char *what)
{
    return usage_error(&command_get, "%s", what);
}

static int check(const struct get_asked *a)
{
    bool sends = a->has_data || a->forms.n;
    if (a->has_data && a->forms.n)
        return conflict("-d and -F are two contents of one request");
    if (sends && !a->get && a->uploads.n)
        return conflict("-T and -d or -F are two contents of one request");
    if (a->head && sends && !a->get)
        return conflict("-I asks with HEAD, which has no content: -d and -F do not go with it");
    if (a->http10 && a->uploads.n && strcmp(a->uploads.v[0], "-") == 0)
        return conflict("HTTP/1.0 has no chunks, and the size of standard input is not known");
    if (a->resume != GET_RESUME_NO && a->range)
        return conflict("-C and -r ask for two ranges");
    if (a->resume != GET_RESUME_NO && a->no_clobber)
        return conflict("-C goes on with a file, and --no-clobber leaves it alone");
    if (a->disposition && a->resume != GET_RESUME_NO)
        return conflict("-C needs the file's name before the server gives it by -J");
    if (a->key && !a->cert)
        return conflict("--key is the key of a certificate: --cert is missing");
    if (a->checksum && a->urls.n > 1)
        return conflict("--checksum is for one URL");
    return 0;
}

int get_settle(void)
{
    struct get_asked *a = &get_asked;
    if (a->urls.n == 0)
        return usage_error(&command_get, "a URL is missing");
    if (a->parallel_max < 1)
        a->parallel_max = 1;
    int status = check(a);
    if (status == 0 && a->forms.n)
        status = get_forms(a);
    if (status == 0 && a->has_data && a->get)
        get_query_data();
    if (status == 0 && a->has_data && !a->get) {
        status =
            get_part_add(&a->body, (struct get_part){.bytes = a->data.p ? a->data.p : strdup(""),
                                                     .n = a->data.len});
        hail_buf_init(&a->data, 1); /* the bytes are the part's now */
    }
    return status            ? status
           : a->query.failed ? local_error("keep", "the query", -a->query.failed)
                             : 0;
}
