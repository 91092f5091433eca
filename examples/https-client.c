/* https-client.c - fetches a page over TLS: https-client [HOST [PORT [CA-FILE]]]
 *
 * One context carries the deadline for everything: the name, the connection, TLS and the page.
 */
#include <hail/hail.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    const char *host = argc > 1 ? argv[1] : "localhost";
    struct hail_tls_opts tls = {.ca_file = argc > 3 ? argv[3] : NULL};
    struct hail_ctx ctx = HAIL_CTX_INIT;
    struct hail_stream *s = NULL;
    struct hail_endpoint to;
    char buf[4096];
    ssize_t n = -1;

    ctx.by = hail_deadline_in(10000);
    snprintf(buf, sizeof buf, "GET /index.html HTTP/1.0\r\nHost: %s\r\n\r\n", host);
    if (hail_endpoint_parse2(&ctx, &to, host, argc > 2 ? argv[2] : "https", 0) == 0 &&
        hail_dial(&ctx, &to, NULL, &s) == 0 && hail_tls_client(&ctx, &s, to.host, &tls) == 0 &&
        hail_write(&ctx, s, buf, strlen(buf), NULL) == 0)
        while ((n = hail_read(&ctx, s, buf, sizeof buf)) > 0)
            fwrite(buf, 1, n, stdout);
    if (n < 0)
        fprintf(stderr, "%s\n", ctx.err.msg);
    hail_close(s);
    return n < 0;
}
