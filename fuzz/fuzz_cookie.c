/* fuzz_cookie.c - Set-Cookie fields, a line each, from several origins: what is sent back is fit
 * for a field and goes to nobody who may not have it, and the jar is the same after it was written
 * to a file. Input: lines; the first byte of each chooses the origin. */
#include "proto/cookie.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW      ((int64_t)1700000000)
#define FILE_MAX ((size_t)64 << 20)

static void must(bool holds)
{
    if (!holds)
        abort();
}

static const char *const origins[] = {
    "https://www.a.example/dir/page",
    "http://www.a.example/dir/sub/",
    "http://a.example/",
    "https://b.co.uk/x?y",
    "http://192.0.2.1/",
    "https://[2001:db8::1]/p",
};
#define ORIGINS (sizeof origins / sizeof *origins)

static void no_control(const char *p)
{
    for (; *p; p++)
        must(((unsigned char)*p >= ' ' || *p == '\t') && *p != 0x7F);
}

/* Of one that was taken. */
static void sound(const struct hail_cookie *c)
{
    size_t n = strlen(c->name) + strlen(c->value);
    must(n > 0 && n <= HAIL_COOKIE_MAX && c->path[0] == '/' && c->domain[0]);
    must(!strchr(c->name, '=') && !strchr(c->name, '\t') && !strchr(c->path, '\t'));
    must(!strchr(c->name, ';') && !strchr(c->value, ';'));
    must(c->expires == 0 || (c->expires > NOW && c->expires <= NOW + (int64_t)400 * 86400));
    if (strncmp(*c->name ? c->name : c->value, "__Host-", 7) == 0)
        must(c->secure && c->host_only && strcmp(c->path, "/") == 0);
    no_control(c->name);
    no_control(c->value);
}

static void send_back(const struct hail_cookie_jar *jar, const struct hail_url *to)
{
    struct hail_buf b;
    hail_buf_init(&b, 2 * HAIL_COOKIE_HEADER);
    size_t n = hail_cookie_header(jar, to, NOW, &b);
    must(!b.failed && n <= jar->n && (n == 0) == (b.len == 0) && b.len <= HAIL_COOKIE_HEADER);
    if (b.p)
        no_control(b.p);
    hail_buf_free(&b);
    size_t fit = 0;
    for (const struct hail_cookie *c = jar->first; c; c = c->next) {
        size_t host = strlen(to->host), domain = strlen(c->domain);
        fit += (!c->secure || to->https) && host >= domain &&
               strcmp(to->host + host - domain, c->domain) == 0;
    }
    must(n <= fit);
}

static void there_and_back(const struct hail_cookie_jar *jar)
{
    struct hail_cookie_jar back = {0};
    struct hail_buf one, two;
    hail_buf_init(&one, FILE_MAX);
    hail_buf_init(&two, FILE_MAX);
    must(hail_cookie_put_lines(jar, NOW, &one) == 0);
    for (char *p = one.p; p && *p; p = strchr(p, '\n') + 1)
        must(hail_cookie_line(&back, (struct hail_slice){p, strcspn(p, "\n")}, NOW) == 1);
    must(hail_cookie_put_lines(&back, NOW, &two) == 0);
    must(back.n == jar->n && one.len == two.len && (!one.len || !memcmp(one.p, two.p, one.len)));
    hail_buf_free(&one);
    hail_buf_free(&two);
    hail_cookie_jar_free(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct hail_url urls[ORIGINS];
    struct hail_cookie_jar jar = {0};
    for (size_t i = 0; i < ORIGINS && !urls[i].len; i++)
        must(hail_url_parse(NULL, &urls[i], origins[i]) == 0);
    while (size > 0) {
        const uint8_t *lf = memchr(data, '\n', size);
        size_t n = lf ? (size_t)(lf - data) : size, used = n + (lf != NULL);
        if (n > 0) {
            char *exact = malloc(n);
            must(exact != NULL);
            memcpy(exact, data, n);
            hail_cookie_set(&jar, &urls[data[0] % ORIGINS], (struct hail_slice){exact + 1, n - 1},
                            NOW);
            free(exact);
        }
        data += used;
        size -= used;
    }
    size_t n = 0;
    for (const struct hail_cookie *c = jar.first; c; c = c->next, n++)
        sound(c);
    must(n == jar.n && n <= HAIL_COOKIES_MAX);
    for (size_t i = 0; i < ORIGINS; i++)
        send_back(&jar, &urls[i]);
    there_and_back(&jar);
    hail_cookie_jar_free(&jar);
    return 0;
}
