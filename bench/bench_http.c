/* bench_http.c - how fast the HTTP parser reads: a browser's request, a small response, a chunked
 * body. Prints "NAME VALUE ns" and the rate; the median of several rounds.
 *
 *   bench_http [ROUNDS [ITERATIONS]]
 */
#include <hail/http.h>

#include <string.h>

#include "report.h"

/* What a desktop browser sends for a page: 12 fields, some 700 bytes. */
static const char request[] =
    "GET /articles/2026/networks/the-conversation?ref=front&lang=en HTTP/1.1\r\n"
    "Host: www.example.org\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
    "\r\n"
    "Accept-Language: en-GB,en;q=0.7,de;q=0.3\r\n"
    "Accept-Encoding: gzip, deflate, br, zstd\r\n"
    "Referer: https://www.example.org/articles/2026/index.html\r\n"
    "Connection: keep-alive\r\n"
    "Cookie: session=7d793037a0760186574b0282f2f435e7; theme=dark; consent=1; visited=1784111777; "
    "cart=c29tZSBpdGVtcyBpbiBhIGNhcnQsIGVuY29kZWQ\r\n"
    "Upgrade-Insecure-Requests: 1\r\n"
    "If-Modified-Since: Sun, 06 Nov 2025 08:49:37 GMT\r\n"
    "If-None-Match: \"690c60d1-beb7\"\r\n"
    "Cache-Control: max-age=0\r\n"
    "\r\n";

static const char response[] = "HTTP/1.1 200 OK\r\n"
                               "Server: nginx/1.22.1\r\n"
                               "Date: Sun, 06 Nov 2025 08:49:37 GMT\r\n"
                               "Content-Type: text/html\r\n"
                               "Content-Length: 612\r\n"
                               "Last-Modified: Sun, 06 Nov 2025 08:49:37 GMT\r\n"
                               "Connection: keep-alive\r\n"
                               "ETag: \"690c60d1-264\"\r\n"
                               "Accept-Ranges: bytes\r\n"
                               "\r\n";

static struct hail_http_field fields[64];
static char chunked[1 << 20];
static size_t nchunked;

static void fail(const char *what)
{
    fprintf(stderr, "bench_http: %s was not read\n", what);
    exit(1);
}

static void read_request(void)
{
    struct hail_http_head h;
    hail_http_head_init(&h, fields, 64, NULL);
    if (hail_http_request_parse(&h, request, sizeof request - 1) != sizeof request - 1)
        fail("the request");
}

static void read_response(void)
{
    struct hail_http_head h;
    hail_http_head_init(&h, fields, 64, NULL);
    if (hail_http_response_parse(&h, HAIL_HTTP_GET, response, sizeof response - 1) !=
        sizeof response - 1)
        fail("the response");
}

static void read_chunked(void)
{
    struct hail_http_head h = {.framing = HAIL_HTTP_CHUNKED,
                               .limits = {.extension = 1024, .trailer = 8192}};
    struct hail_http_body b;
    hail_http_body_init(&b, &h, fields, 64);
    struct hail_slice data;
    size_t at = 0, used;
    int rc;
    do {
        rc = hail_http_body_read(&b, chunked + at, nchunked - at, &used, &data);
        at += used;
    } while (rc == 0);
    if (rc != 1 || at != nchunked)
        fail("the chunked body");
}

/* The rate is given where `bytes` is not 0. Returns the median in nanoseconds. */
static double measure(const char *name, void (*run)(void), size_t bytes, int rounds, int iterations)
{
    enum { ROUNDS_MAX = 101 };
    double ns[ROUNDS_MAX];
    if (rounds > ROUNDS_MAX)
        rounds = ROUNDS_MAX;
    for (int r = 0; r < rounds; r++) {
        int64_t start = hail_now();
        for (int i = 0; i < iterations; i++)
            run();
        ns[r] = (double)(hail_now() - start) / iterations;
    }
    double median = report(name, ns, (size_t)rounds, "ns", 1);
    if (bytes)
        printf("%s_rate %.2f GB/s (%zu bytes)\n", name, (double)bytes / median, bytes);
    return median;
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 15, iterations = argc > 2 ? atoi(argv[2]) : 100000;
    if (rounds < 1 || iterations < 1)
        fail("the command line");
    static char block[4096];
    struct hail_http_out o = {.p = chunked, .size = sizeof chunked};
    while (o.size - o.len > 2 * sizeof block)
        hail_http_put_chunk(&o, block, sizeof block);
    hail_http_put_last_chunk(&o);
    if (hail_http_put_end(&o) < 0)
        fail("the chunked body to be");
    nchunked = o.len;
    measure("http_request_parse", read_request, sizeof request - 1, rounds, iterations);
    measure("http_response_parse", read_response, sizeof response - 1, rounds, iterations);
    double all = measure("http_chunked_read", read_chunked, 0, rounds, iterations / 200 + 1);
    size_t chunks = nchunked / sizeof block; /* their content is handed on, not read: no rate */
    printf("http_chunk_read %.1f ns (each of %zu chunks)\n", all / (double)chunks, chunks);
    return 0;
}
