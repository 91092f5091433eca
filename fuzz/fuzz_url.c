/* fuzz_url.c - URLs, references and paths: a normalised URL is its own normal form and fit for a
 * request line, and no path leaves the root. */
#include <hail/http.h>
#include <hail/url.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void sound(const struct hail_url *u)
{
    static struct hail_url again;
    char line[HAIL_URL_MAX + 64];
    must(u->len == strlen(u->text) && u->port > 0 && u->host[0]);
    for (const char *p = u->text; *p; p++)
        must(*p > ' ' && *p < 0x7F);
    must(!strpbrk(u->host, u->ipv6 ? "[]@/?#%" : "[]:@/?#%<>^|\\"));
    struct hail_slice target = hail_url_slice(u, u->target);
    struct hail_http_out o = {.p = line, .size = sizeof line};
    must(target.n > 0 && target.p[0] == '/');
    hail_http_put_request(&o, "GET", target, 1);
    must(hail_http_put_end(&o) > 0);
    must(hail_url_parse(NULL, &again, u->text) == 0);
    must(again.len == u->len && strcmp(again.text, u->text) == 0);
    must(again.port == u->port && again.https == u->https && strcmp(again.host, u->host) == 0);
    must(hail_url_resolve(NULL, &again, u, hail_slice("")) == 0);
    must(strcmp(again.text, u->text) == 0 && hail_url_same_origin(&again, u));
}

/* No segment of a path that was taken is empty, "." or "..". */
static void below_root(const char *p)
{
    while (*p) {
        size_t n = strcspn(p, "/");
        must(n > 0 && !(n == 1 && p[0] == '.') && !(n == 2 && p[0] == '.' && p[1] == '.'));
        p += n;
        p += *p == '/';
    }
}

static void paths(struct hail_slice s)
{
    size_t size = s.n + 1;
    char *out = malloc(size), *encoded = malloc(3 * s.n + 2), *back = malloc(size);
    must(out && encoded && back);
    ssize_t n = hail_url_path(s, out, size);
    must(n == -EINVAL || (n >= 0 && (size_t)n == strlen(out)));
    if (n >= 0) {
        below_root(out);
        encoded[0] = '/';
        must(hail_url_encode_path((struct hail_slice){out, (size_t)n}, encoded + 1, 3 * s.n + 1) >=
             n);
        must(hail_url_path(hail_slice(encoded), back, size) == n && strcmp(back, out) == 0);
    }
    free(out);
    free(encoded);
    free(back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct hail_url base, u;
    struct hail_ctx ctx = HAIL_CTX_INIT;
    char *text = malloc(size + 1), *exact = malloc(size + (size == 0));
    must(text && exact);
    memcpy(text, data, size);
    text[size] = '\0';
    memcpy(exact, data, size);
    if (hail_url_parse(&ctx, &u, text) == 0) {
        sound(&u);
        must(hail_url_parse_as_is(&ctx, &base, text) == 0); /* only the dot segments are left */
        must(hail_url_resolve(&ctx, &base, &base, hail_slice("")) == 0);
        must(strcmp(base.text, u.text) == 0);
    } else {
        must(ctx.err.errnum != 0 &&
             (ctx.err.layer == HAIL_LAYER_NAME || strstr(ctx.err.msg, " at column ") != NULL));
    }
    must(hail_url_parse(&ctx, &base, "https://u:p@[fe80::1%lo]:8443/b/c/d;p?q#f") == 0);
    if (hail_url_resolve(&ctx, &u, &base, (struct hail_slice){exact, size}) == 0)
        sound(&u);
    paths((struct hail_slice){exact, size});
    free(text);
    free(exact);
    return 0;
}
