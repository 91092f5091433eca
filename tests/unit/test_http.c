/* test_http.c - heads of requests and responses: what is taken, what is refused and why; whole,
 * byte by byte, at every cut, and at the end of readable memory. */
#include <hail/http.h>

#include "proto/http_scan.h"
#include "support.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define FIELDS 32

static ssize_t parse(struct hail_http_head *h, int asked, const char *p, size_t n)
{
    return asked < 0 ? hail_http_request_parse(h, p, n)
                     : hail_http_response_parse(h, (enum hail_http_method)asked, p, n);
}

struct result {
    ssize_t rc;
    struct hail_http_head h;
    struct hail_http_field v[FIELDS];
};

/* Whole, with the end guarded; every shorter piece is partial or refused for the same reason; byte
 * by byte in one buffer gives the same. `asked` < 0: a request. */
static void check(struct result *r, int asked, const char *text, size_t n)
{
    const char *p = guarded(text, n);
    hail_http_head_init(&r->h, r->v, FIELDS, NULL);
    r->rc = parse(&r->h, asked, p, n);
    struct hail_http_field v[FIELDS];
    struct hail_http_head step;
    for (size_t cut = 0; cut < n; cut++) {
        hail_http_head_init(&step, v, FIELDS, NULL);
        ssize_t rc = parse(&step, asked, guarded(text, cut), cut);
        if (r->rc > 0)
            assert_int_equal(rc, (ssize_t)cut < r->rc ? -EAGAIN : r->rc);
        else if (rc != -EAGAIN)
            assert_int_equal(step.error, r->h.error);
    }
    p = guarded(text, n);
    hail_http_head_init(&step, v, FIELDS, NULL);
    ssize_t rc = -EAGAIN;
    for (size_t len = 0; rc == -EAGAIN && len <= n; len++)
        rc = parse(&step, asked, p, len);
    assert_int_equal(rc, r->rc);
    assert_int_equal(step.error, r->h.error);
    assert_int_equal(step.error_at, r->h.error_at);
    if (rc < 0)
        return;
    assert_int_equal(step.fields.n, r->h.fields.n);
    for (size_t i = 0; i < step.fields.n; i++)
        assert_memory_equal(&v[i], &r->v[i], sizeof v[i]);
    assert_int_equal(step.framing, r->h.framing);
    assert_int_equal(step.keep_alive, r->h.keep_alive);
}

static void is(struct hail_slice s, const char *text)
{
    if (!hail_slice_is(s, text))
        fail_msg("\"%.*s\" is not \"%s\"", (int)s.n, s.p ? s.p : "", text);
}

struct bad {
    enum hail_http_error error;
    const char *text;
    size_t n; /* 0: strlen */
};
#define H  " HTTP/1.1\r\nHost: h\r\n"
#define RQ "GET /" H

static const struct bad bad_requests[] = {
    {HAIL_HTTP_BAD_METHOD, " / HTTP/1.1\r\n\r\n"},
    {HAIL_HTTP_BAD_METHOD, "\r\n\r\nGET / HTTP/1.1\r\n\r\n"},
    {HAIL_HTTP_BAD_METHOD, "G(T / HTTP/1.1\r\n\r\n"},
    {HAIL_HTTP_BAD_METHOD, "GET\t/ HTTP/1.1\r\n\r\n"},
    {HAIL_HTTP_BAD_METHOD, "GET\r\n\r\n"},
    {HAIL_HTTP_BAD_METHOD, "\x16\x03\x01\x02\x00\x01", 6},
    {HAIL_HTTP_BARE_CR, "\rGET / HTTP/1.1\r\n\r\n"},
    {HAIL_HTTP_BAD_TARGET, "GET  / HTTP/1.1\r\n\r\n"},
    {HAIL_HTTP_BAD_TARGET, "GET /a\tb HTTP/1.1\r\n\r\n"},
    {HAIL_HTTP_BAD_TARGET, "GET /a#b HTTP/1.1\r\n\r\n"},
    {HAIL_HTTP_BAD_TARGET, "GET /a\x7f HTTP/1.1\r\n\r\n"},
    {HAIL_HTTP_BAD_TARGET, "GET ../secret HTTP/1.1\r\n\r\n"},
    {HAIL_HTTP_BAD_TARGET, "GET index.html HTTP/1.1\r\n\r\n"},
    {HAIL_HTTP_BAD_TARGET, "GET * HTTP/1.1\r\n\r\n"},
    {HAIL_HTTP_BAD_TARGET, "GET http:/x HTTP/1.1\r\n\r\n"},
    {HAIL_HTTP_BAD_TARGET, "GET http:///x HTTP/1.1\r\n\r\n"},
    {HAIL_HTTP_BAD_TARGET, "GET http://u@h/x HTTP/1.1\r\n\r\n"},
    {HAIL_HTTP_BAD_TARGET, "GET ://h/x HTTP/1.1\r\n\r\n"},
    {HAIL_HTTP_BAD_TARGET, "GET 1a://h/x HTTP/1.1\r\n\r\n"},
    {HAIL_HTTP_BAD_TARGET, "GET http://h:99999/ HTTP/1.1\r\n\r\n"},
    {HAIL_HTTP_BAD_TARGET, "CONNECT /x HTTP/1.1\r\n\r\n"},
    {HAIL_HTTP_BAD_TARGET, "CONNECT host HTTP/1.1\r\n\r\n"},
    {HAIL_HTTP_BAD_TARGET, "CONNECT host: HTTP/1.1\r\n\r\n"},
    {HAIL_HTTP_BAD_TARGET, "CONNECT host:70000 HTTP/1.1\r\n\r\n"},
    {HAIL_HTTP_NUL, "GET /\0 HTTP/1.1\r\n\r\n", 20},
    {HAIL_HTTP_BARE_LF, "GET /\n\n"},
    {HAIL_HTTP_BAD_VERSION, "GET /\r\n\r\n"},
    {HAIL_HTTP_BAD_VERSION, "GET / \r\n\r\n"},
    {HAIL_HTTP_BAD_VERSION, "GET / http/1.1\r\n\r\n"},
    {HAIL_HTTP_BAD_VERSION, "GET / HTTP/1.10\r\n\r\n"},
    {HAIL_HTTP_BAD_VERSION, "GET / HTTP/11\r\n\r\n"},
    {HAIL_HTTP_BAD_VERSION, "GET / HTTP/1.1 \r\n\r\n"},
    {HAIL_HTTP_BAD_VERSION, "GET /a b HTTP/1.1\r\n\r\n"},
    {HAIL_HTTP_UNSUPPORTED_VERSION, "GET / HTTP/2.0\r\n\r\n"},
    {HAIL_HTTP_UNSUPPORTED_VERSION, "GET / HTTP/0.9\r\n\r\n"},
    {HAIL_HTTP_UNSUPPORTED_VERSION, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
    {HAIL_HTTP_BARE_LF, "GET / HTTP/1.1\nHost: h\n\n"},
    {HAIL_HTTP_BARE_LF, RQ "A: b\n\r\n"},
    {HAIL_HTTP_BARE_LF, RQ "\n"},
    {HAIL_HTTP_BARE_CR, "GET / HTTP/1.1\rHost: h\r\n\r\n"},
    {HAIL_HTTP_BARE_CR, RQ "A: b\rC: d\r\n\r\n"},
    {HAIL_HTTP_BARE_CR, RQ "\r\r\n"},
    {HAIL_HTTP_NUL, RQ "A: b\0c\r\n\r\n", sizeof(RQ "A: b\0c\r\n\r\n") - 1},
    {HAIL_HTTP_NUL, RQ "A\0: b\r\n\r\n", sizeof(RQ "A\0: b\r\n\r\n") - 1},
    {HAIL_HTTP_BAD_FIELD_NAME, RQ ": b\r\n\r\n"},
    {HAIL_HTTP_BAD_FIELD_NAME, RQ "A(b): c\r\n\r\n"},
    {HAIL_HTTP_BAD_FIELD_NAME, RQ "\xc3\xbc: c\r\n\r\n"},
    {HAIL_HTTP_BAD_FIELD_NAME, RQ "A b: c\r\n\r\n"},
    {HAIL_HTTP_SPACE_BEFORE_COLON, RQ "Content-Length : 5\r\n\r\n"},
    {HAIL_HTTP_SPACE_BEFORE_COLON, RQ "A\t: b\r\n\r\n"},
    {HAIL_HTTP_NO_COLON, RQ "Abc\r\n\r\n"},
    {HAIL_HTTP_BAD_FIELD_VALUE, RQ "A: b\x01\r\n\r\n"},
    {HAIL_HTTP_BAD_FIELD_VALUE, RQ "A: \x1b[31m\r\n\r\n"},
    {HAIL_HTTP_BAD_FIELD_VALUE, RQ "A: b\x7f\r\n\r\n"},
    {HAIL_HTTP_FOLDED_LINE, RQ "A: b\r\n c\r\n\r\n"},
    {HAIL_HTTP_FOLDED_LINE, RQ "A: b\r\n\tc\r\n\r\n"},
    {HAIL_HTTP_FOLDED_LINE, "GET / HTTP/1.1\r\n Host: h\r\n\r\n"},
    {HAIL_HTTP_NO_HOST, "GET / HTTP/1.1\r\n\r\n"},
    {HAIL_HTTP_NO_HOST, "GET http://h/ HTTP/1.1\r\n\r\n"},
    {HAIL_HTTP_TWO_HOSTS, RQ "host: h\r\n\r\n"},
    {HAIL_HTTP_TWO_HOSTS, "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n"},
    {HAIL_HTTP_BAD_HOST, "GET / HTTP/1.1\r\nHost: a b\r\n\r\n"},
    {HAIL_HTTP_BAD_HOST, "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"},
    {HAIL_HTTP_BAD_HOST, "GET / HTTP/1.1\r\nHost: u@h\r\n\r\n"},
    {HAIL_HTTP_BAD_HOST, "GET / HTTP/1.1\r\nHost: h:80x\r\n\r\n"},
    {HAIL_HTTP_BAD_HOST, "GET / HTTP/1.1\r\nHost: :80\r\n\r\n"},
    {HAIL_HTTP_BAD_HOST, "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n"},
    {HAIL_HTTP_BAD_HOST, "GET / HTTP/1.1\r\nHost: [::1]x\r\n\r\n"},
    {HAIL_HTTP_BAD_HOST, "GET / HTTP/1.1\r\nHost: h:65536\r\n\r\n"},
    {HAIL_HTTP_BAD_LENGTH, RQ "Content-Length: +5\r\n\r\n"},
    {HAIL_HTTP_BAD_LENGTH, RQ "Content-Length: -1\r\n\r\n"},
    {HAIL_HTTP_BAD_LENGTH, RQ "Content-Length: 5, 5\r\n\r\n"},
    {HAIL_HTTP_BAD_LENGTH, RQ "Content-Length: 0x5\r\n\r\n"},
    {HAIL_HTTP_BAD_LENGTH, RQ "Content-Length:\r\n\r\n"},
    {HAIL_HTTP_BAD_LENGTH, RQ "Content-Length: 9223372036854775808\r\n\r\n"},
    {HAIL_HTTP_BAD_LENGTH, RQ "Content-Length: 18446744073709551617\r\n\r\n"},
    {HAIL_HTTP_TWO_LENGTHS, RQ "Content-Length: 5\r\nContent-Length: 5\r\n\r\n"},
    {HAIL_HTTP_BAD_CODING, RQ "Transfer-Encoding:\r\n\r\n"},
    {HAIL_HTTP_BAD_CODING, RQ "Transfer-Encoding: chunked,\r\n\r\n"},
    {HAIL_HTTP_BAD_CODING, RQ "Transfer-Encoding: , chunked\r\n\r\n"},
    {HAIL_HTTP_BAD_CODING, RQ "Transfer-Encoding: chunked x\r\n\r\n"},
    {HAIL_HTTP_BAD_CODING, RQ "Transfer-Encoding: \"chunked\"\r\n\r\n"},
    {HAIL_HTTP_UNSUPPORTED_CODING, RQ "Transfer-Encoding: gzip\r\n\r\n"},
    {HAIL_HTTP_UNSUPPORTED_CODING, RQ "Transfer-Encoding: gzip, chunked\r\n\r\n"},
    {HAIL_HTTP_UNSUPPORTED_CODING, RQ "Transfer-Encoding: xchunked\r\n\r\n"},
    {HAIL_HTTP_UNSUPPORTED_CODING, RQ "Transfer-Encoding: chunked;a=b\r\n\r\n"},
    {HAIL_HTTP_UNSUPPORTED_CODING, RQ "Transfer-Encoding: identity\r\n\r\n"},
    {HAIL_HTTP_CHUNKED_NOT_LAST, RQ "Transfer-Encoding: chunked, gzip\r\n\r\n"},
    {HAIL_HTTP_CHUNKED_NOT_LAST, RQ "Transfer-Encoding: chunked, chunked\r\n\r\n"},
    {HAIL_HTTP_CHUNKED_NOT_LAST,
     RQ "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"},
    {HAIL_HTTP_LENGTH_AND_CODING, RQ "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"},
    {HAIL_HTTP_LENGTH_AND_CODING, RQ "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n"},
    {HAIL_HTTP_CODING_IN_1_0, "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"},
};

static const struct bad bad_responses[] = {
    {HAIL_HTTP_BAD_VERSION, "\r\nHTTP/1.1 200 OK\r\n\r\n"},
    {HAIL_HTTP_BAD_VERSION, "ICY 200 OK\r\n\r\n"},
    {HAIL_HTTP_BAD_VERSION, "SSH-2.0-OpenSSH_9.2\r\n"},
    {HAIL_HTTP_UNSUPPORTED_VERSION, "HTTP/2.0 200 OK\r\n\r\n"},
    {HAIL_HTTP_BAD_STATUS, "HTTP/1.1 -12 No\r\n\r\n"},
    {HAIL_HTTP_BAD_STATUS, "HTTP/1.1 20 OK\r\n\r\n"},
    {HAIL_HTTP_BAD_STATUS, "HTTP/1.1 099 OK\r\n\r\n"},
    {HAIL_HTTP_BAD_STATUS, "HTTP/1.1 2000 OK\r\n\r\n"},
    {HAIL_HTTP_BAD_STATUS, "HTTP/1.1  200 OK\r\n\r\n"},
    {HAIL_HTTP_BAD_STATUS, "HTTP/1.1\r\n\r\n"},
    {HAIL_HTTP_BAD_REASON, "HTTP/1.1 200 \x1b[2J\r\n\r\n"},
    {HAIL_HTTP_BARE_LF, "HTTP/1.1 200 OK\n\n"},
    {HAIL_HTTP_BARE_CR, "HTTP/1.1 200 OK\rX\r\n\r\n"},
    {HAIL_HTTP_FOLDED_LINE, "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n"},
    {HAIL_HTTP_TWO_LENGTHS, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n"},
    {HAIL_HTTP_LENGTH_AND_CODING,
     "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"},
    {HAIL_HTTP_UNSUPPORTED_CODING, "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"},
    {HAIL_HTTP_CODING_IN_1_0, "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"},
};

static void refuse_all(const struct bad *rows, size_t n, int asked)
{
    for (size_t i = 0; i < n; i++) {
        struct result r;
        check(&r, asked, rows[i].text, rows[i].n ? rows[i].n : strlen(rows[i].text));
        if (r.rc != -EPROTO || r.h.error != rows[i].error)
            fail_msg("row %zu, %s: %zd, %s instead of %s", i, rows[i].text, r.rc,
                     hail_http_error_text(r.h.error), hail_http_error_text(rows[i].error));
    }
}

static void test_refused(void **state)
{
    (void)state;
    refuse_all(bad_requests, sizeof bad_requests / sizeof *bad_requests, -1);
    refuse_all(bad_responses, sizeof bad_responses / sizeof *bad_responses, HAIL_HTTP_GET);
    for (int e = 1; e < HAIL_HTTP_NERRORS; e++) {
        assert_true(strlen(hail_http_error_text((enum hail_http_error)e)) > 5);
        assert_memory_equal(hail_http_error_rfc((enum hail_http_error)e), "RFC ", 4);
        assert_true(hail_http_error_status((enum hail_http_error)e) >= 400);
    }
    assert_int_equal(hail_http_error_status(HAIL_HTTP_UNSUPPORTED_VERSION), 505);
    assert_int_equal(hail_http_error_status(HAIL_HTTP_TARGET_TOO_LONG), 414);
    assert_int_equal(hail_http_error_status(HAIL_HTTP_LINE_TOO_LONG), 431);
    assert_int_equal(hail_http_error_status(HAIL_HTTP_UNSUPPORTED_CODING), 501);
}

struct good {
    int asked; /* -1: a request */
    const char *text;
    enum hail_http_framing framing;
    bool keep_alive;
    size_t nfields;
    const char *path_or_reason, *query, *host; /* query NULL: none */
};

static const struct good goods[] = {
    {-1, RQ "\r\n", HAIL_HTTP_NO_BODY, true, 1, "/", NULL, "h"},
    {-1, "\r\n" RQ "\r\n", HAIL_HTTP_NO_BODY, true, 1, "/", NULL, "h"},
    {-1, "GET /a?b?c" H "\r\n", HAIL_HTTP_NO_BODY, true, 1, "/a", "b?c", "h"},
    {-1, "GET /a?" H "\r\n", HAIL_HTTP_NO_BODY, true, 1, "/a", "", "h"},
    {-1, "GET //x/../y" H "\r\n", HAIL_HTTP_NO_BODY, true, 1, "//x/../y", NULL, "h"},
    {-1, "GET /\xc3\xbc|^" H "\r\n", HAIL_HTTP_NO_BODY, true, 1, "/\xc3\xbc|^", NULL, "h"},
    {-1, "M-SEARCH /" H "\r\n", HAIL_HTTP_NO_BODY, true, 1, "/", NULL, "h"},
    {-1, "OPTIONS *" H "\r\n", HAIL_HTTP_NO_BODY, true, 1, "", NULL, "h"},
    {-1, "GET http://Ex.org:81/a?b" H "\r\n", 0, true, 1, "/a", "b", "Ex.org:81"},
    {-1, "GET http://ex.org" H "\r\n", 0, true, 1, "/", NULL, "ex.org"},
    {-1, "GET http://ex.org?q" H "\r\n", 0, true, 1, "/", "q", "ex.org"},
    {-1, "CONNECT ex.org:443" H "\r\n", 0, true, 1, "", NULL, "ex.org:443"},
    {-1, "CONNECT [::1]:443" H "\r\n", 0, true, 1, "", NULL, "[::1]:443"},
    {-1, "GET / HTTP/1.0\r\n\r\n", 0, false, 0, "/", NULL, ""},
    {-1, "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", 0, true, 1, "/", NULL, ""},
    {-1, "GET / HTTP/1.9\r\nHost:\r\n\r\n", 0, true, 1, "/", NULL, ""},
    {-1, "GET / HTTP/1.1\r\nHost: [fe80::1]:8080\r\n\r\n", 0, true, 1, "/", NULL, "[fe80::1]:8080"},
    {-1, "GET / HTTP/1.1\r\nHost:\t a_b.c:\t \r\n\r\n", 0, true, 1, "/", NULL, "a_b.c:"},
    {-1, RQ "Connection: foo , CLOSE\r\n\r\n", 0, false, 2, "/", NULL, "h"},
    {-1, RQ "Connection: keep-alive\r\nConnection: close\r\n\r\n", 0, false, 3, "/", NULL, "h"},
    {-1, RQ "Content-Length: 0\r\n\r\n", HAIL_HTTP_LENGTH, true, 2, "/", NULL, "h"},
    {-1, RQ "content-length: 9223372036854775807\r\n\r\n", HAIL_HTTP_LENGTH, true, 2, "/", NULL,
     "h"},
    {-1, RQ "Transfer-Encoding: Chunked\r\n\r\n", HAIL_HTTP_CHUNKED, true, 2, "/", NULL, "h"},
    {-1, RQ "!#$%&'*+-.^_`|~0aZ: x\r\nE:\r\nT:\ta\tb\xff\t\r\n\r\n", 0, true, 4, "/", NULL, "h"},
    {HAIL_HTTP_GET, "HTTP/1.1 200 OK\r\n\r\n", HAIL_HTTP_UNTIL_CLOSE, false, 0, "OK"},
    {HAIL_HTTP_GET, "HTTP/1.1 200\r\n\r\n", HAIL_HTTP_UNTIL_CLOSE, false, 0, ""},
    {HAIL_HTTP_GET, "HTTP/1.1 200 \r\n\r\n", HAIL_HTTP_UNTIL_CLOSE, false, 0, ""},
    {HAIL_HTTP_GET, "HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\n", HAIL_HTTP_LENGTH, true,
     1, "Not Found"},
    {HAIL_HTTP_HEAD, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", HAIL_HTTP_NO_BODY, true, 1,
     "OK"},
    {HAIL_HTTP_GET, "HTTP/1.1 304 x\r\nContent-Length: 5\r\n\r\n", HAIL_HTTP_NO_BODY, true, 1, "x"},
    {HAIL_HTTP_GET, "HTTP/1.1 204 x\r\n\r\n", HAIL_HTTP_NO_BODY, true, 0, "x"},
    {HAIL_HTTP_GET, "HTTP/1.1 204 x\r\nTransfer-Encoding: chunked\r\n\r\n", HAIL_HTTP_NO_BODY,
     false, 1, "x"},
    {HAIL_HTTP_GET, "HTTP/1.1 100 Continue\r\n\r\n", HAIL_HTTP_NO_BODY, true, 0, "Continue"},
    {HAIL_HTTP_GET, "HTTP/1.1 101 x\r\n\r\n", HAIL_HTTP_TUNNEL, false, 0, "x"},
    {HAIL_HTTP_CONNECT, "HTTP/1.1 200 x\r\nContent-Length: 9\r\n\r\n", HAIL_HTTP_TUNNEL, false, 1,
     "x"},
    {HAIL_HTTP_CONNECT, "HTTP/1.1 407 x\r\nContent-Length: 9\r\n\r\n", HAIL_HTTP_LENGTH, true, 1,
     "x"},
    {HAIL_HTTP_GET, "HTTP/1.1 200 x\r\ntransfer-encoding: chunked\r\n\r\n", HAIL_HTTP_CHUNKED, true,
     1, "x"},
    {HAIL_HTTP_GET, "HTTP/1.0 200 x\r\nContent-Length: 1\r\n\r\n", HAIL_HTTP_LENGTH, false, 1, "x"},
    {HAIL_HTTP_GET, "HTTP/1.1 999 \xe4\r\n\r\n", HAIL_HTTP_UNTIL_CLOSE, false, 0, "\xe4"},
};

static void test_taken(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof goods / sizeof *goods; i++) {
        const struct good *g = &goods[i];
        struct result r;
        check(&r, g->asked, g->text, strlen(g->text));
        if (r.rc != (ssize_t)strlen(g->text))
            fail_msg("row %zu, %s: %zd, %s", i, g->text, r.rc, hail_http_error_text(r.h.error));
        if (r.h.framing != g->framing || r.h.keep_alive != g->keep_alive ||
            r.h.fields.n != g->nfields)
            fail_msg("row %zu, %s: framing %d, keep-alive %d, %zu fields", i, g->text,
                     (int)r.h.framing, r.h.keep_alive, r.h.fields.n);
        is(g->asked < 0 ? r.h.path : r.h.reason, g->path_or_reason);
        if (g->asked < 0) {
            is(r.h.host, g->host);
            assert_int_equal(r.h.query.p != NULL, g->query != NULL);
            is(r.h.query, g->query ? g->query : "");
        }
    }
}

static void test_details(void **state)
{
    (void)state;
    static const char text[] =
        "POST /form?x=1 HTTP/1.1\r\nHost: example.org\r\nExpect: 100-Continue\r\n"
        "Connection: upgrade\r\nUpgrade: websocket\r\nAccept: a\r\nContent-Length: 12\r\n"
        "ACCEPT: b, \"c,d\" ,, e\r\n\r\nleft over";
    struct result r;
    check(&r, -1, text, sizeof text - 1);
    assert_int_equal(r.rc, sizeof text - 1 - 9);
    assert_int_equal(r.h.method, HAIL_HTTP_POST);
    is(r.h.method_text, "POST");
    is(r.h.target, "/form?x=1");
    is(r.h.upgrade, "websocket");
    assert_true(r.h.expect_continue && !r.h.expect_other && r.h.has_length);
    assert_int_equal(r.h.length, 12);
    const struct hail_http_field *f = hail_http_field(&r.h.fields, "accept", NULL);
    is(f->value, "a");
    f = hail_http_field(&r.h.fields, "accept", f);
    struct hail_slice rest = f->value, item;
    assert_null(hail_http_field(&r.h.fields, "accept", f));
    static const char *const items[] = {"b", "\"c,d\"", "e"};
    for (int i = 0; i < 3; i++) {
        assert_true(hail_http_list_next(&rest, &item));
        is(item, items[i]);
    }
    assert_false(hail_http_list_next(&rest, &item));
    for (int m = HAIL_HTTP_GET; m <= HAIL_HTTP_PATCH; m++) {
        const char *name = hail_http_method_name((enum hail_http_method)m);
        assert_int_equal(hail_http_method(hail_slice(name)), m);
    }
    assert_int_equal(hail_http_method(hail_slice("get")), HAIL_HTTP_OTHER);
}

/* A line, a head and a number of fields exactly at the limit pass; one more does not. */
static void test_limits(void **state)
{
    (void)state;
    struct hail_http_field v[2];
    struct hail_http_head h;
    static const char text[] = "GET / HTTP/1.0\r\nA: 12345\r\nB: 123456789012345\r\n\r\n";
    size_t n = sizeof text - 1;
    static const struct {
        size_t line, head, max;
        enum hail_http_error error;
    } rows[] = {
        {20, 48, 2, HAIL_HTTP_OK},
        {19, 48, 2, HAIL_HTTP_LINE_TOO_LONG},
        {15, 48, 2, HAIL_HTTP_TARGET_TOO_LONG},
        {20, 47, 2, HAIL_HTTP_HEAD_TOO_LARGE},
        {20, 45, 2, HAIL_HTTP_HEAD_TOO_LARGE},
        {20, 30, 2, HAIL_HTTP_HEAD_TOO_LARGE},
        {20, 48, 1, HAIL_HTTP_TOO_MANY_FIELDS},
        {20, 48, 0, HAIL_HTTP_TOO_MANY_FIELDS},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct hail_http_limits l = {.line = rows[i].line, .head = rows[i].head};
        for (int bytewise = 0; bytewise < 2; bytewise++) {
            const char *p = guarded(text, n);
            hail_http_head_init(&h, v, rows[i].max, &l);
            ssize_t rc = -EAGAIN;
            for (size_t len = bytewise ? 0 : n; rc == -EAGAIN && len <= n; len++)
                rc = hail_http_request_parse(&h, p, len);
            assert_int_equal(h.error, rows[i].error);
            assert_int_equal(rc, rows[i].error ? -EPROTO : (ssize_t)n);
        }
    }
}

/* A buffer that moves between calls is read anew, with the same result. */
static void test_moved(void **state)
{
    (void)state;
    static const char text[] = "GET /x HTTP/1.1\r\nHost: example.org\r\nA: b\r\n\r\n";
    struct hail_http_field v[FIELDS];
    struct hail_http_head h;
    hail_http_head_init(&h, v, FIELDS, NULL);
    ssize_t rc = -EAGAIN;
    char *p = NULL;
    for (size_t len = 0; rc == -EAGAIN && len < sizeof text; len++) {
        char *other = malloc(len + 1);
        assert_non_null(other);
        memcpy(other, text, len);
        free(p);
        p = other;
        rc = hail_http_request_parse(&h, p, len);
    }
    assert_int_equal(rc, sizeof text - 1);
    assert_int_equal(h.fields.n, 2);
    is(v[0].value, "example.org");
    is(h.host, "example.org");
    free(p);
}

/* The scanners agree with the table at every offset, for every byte. */
static void test_scan(void **state)
{
    (void)state;
    char text[40];
    for (int byte = 0; byte < 256; byte++)
        for (size_t at = 0; at < sizeof text; at++) {
            memset(text, 'a', sizeof text);
            text[at] = (char)byte;
            const char *p = guarded(text, sizeof text), *end = p + sizeof text;
            const char *value = hail_scan_plain(p, end, HAIL_HTTP_VALUE);
            const char *target = hail_scan_plain(p, end, HAIL_HTTP_TARGETCHAR);
            assert_ptr_equal(hail_scan_value_swar(p, end), value);
            assert_ptr_equal(hail_scan_target_swar(p, end), target);
            assert_ptr_equal(hail_scan_value(p, end), value);
            assert_ptr_equal(hail_scan_target(p, end), target);
            assert_ptr_equal(hail_scan_token(p, end), hail_scan_plain(p, end, HAIL_HTTP_TCHAR));
        }
}

static void test_written(void **state)
{
    (void)state;
    char buf[256];
    struct hail_http_out o = {.p = buf, .size = sizeof buf};
    hail_http_put_request(&o, "GET", hail_slice("/a?b"), 1);
    hail_http_put_field(&o, "Host", "example.org");
    hail_http_put_number(&o, "Content-Length", UINT64_MAX);
    hail_http_put_field(&o, "Empty", "");
    static const char request[] = "GET /a?b HTTP/1.1\r\nHost: example.org\r\n"
                                  "Content-Length: 18446744073709551615\r\nEmpty: \r\n\r\n";
    assert_int_equal(hail_http_put_end(&o), sizeof request - 1);
    assert_memory_equal(buf, request, sizeof request - 1);
    for (size_t size = 0; size < sizeof request - 1; size++) {
        o = (struct hail_http_out){.p = buf, .size = size};
        hail_http_put_request(&o, "GET", hail_slice("/a?b"), 1);
        hail_http_put_field(&o, "Host", "example.org");
        hail_http_put_number(&o, "Content-Length", UINT64_MAX);
        hail_http_put_field(&o, "Empty", "");
        assert_int_equal(hail_http_put_end(&o), -EMSGSIZE);
        assert_true(o.len <= size);
    }
    o = (struct hail_http_out){.p = buf, .size = sizeof buf};
    hail_http_put_status(&o, 404, NULL, 1);
    hail_http_put_status(&o, 299, "Fine", 0);
    assert_int_equal(o.failed, 0);
    assert_memory_equal(buf, "HTTP/1.1 404 Not Found\r\nHTTP/1.0 299 Fine\r\n", o.len);
}

static void test_nothing_injected(void **state)
{
    (void)state;
    static const char *const values[] = {"a\r\nB: c", "a\nb", "a\rb", "\x1b", "a\x7f"};
    static const char *const names[] = {"", "A B", "A:", "A\r\nB", "\xc3\xbc"};
    static const char *const targets[] = {"", "/a b", "/a\r\nB: c", "/#", "/\x7f"};
    char buf[64];
    for (int i = 0; i < 5; i++) {
        for (int what = 0; what < 4; what++) {
            struct hail_http_out o = {.p = buf, .size = sizeof buf};
            if (what == 0)
                hail_http_put_field(&o, "A", values[i]);
            else if (what == 1)
                hail_http_put_field(&o, names[i], "a");
            else if (what == 2)
                hail_http_put_request(&o, "GET", hail_slice(targets[i]), 1);
            else
                hail_http_put_status(&o, 200, values[i], 1);
            assert_int_equal(o.failed, -EINVAL);
            assert_int_equal(o.len, 0);
            hail_http_put_field(&o, "B", "c"); /* the failure stays */
            assert_int_equal(hail_http_put_end(&o), -EINVAL);
        }
    }
    struct hail_http_out o = {.p = buf, .size = sizeof buf};
    hail_http_put_slices(&o, hail_slice("A"), (struct hail_slice){"a\0b", 3});
    assert_int_equal(o.failed, -EINVAL);
    assert_string_equal(hail_http_reason(431), "Request Header Fields Too Large");
    assert_string_equal(hail_http_reason(499), "");
}

static void test_dates(void **state)
{
    (void)state;
    enum { SAMPLE = 784111777, NOW = 1700000000 };
    static const struct {
        const char *text;
        int64_t seconds; /* -1: refused */
    } rows[] = {
        {"Sun, 06 Nov 1994 08:49:37 GMT", SAMPLE},
        {"Sunday, 06-Nov-94 08:49:37 GMT", SAMPLE},
        {"Sun Nov  6 08:49:37 1994", SAMPLE},
        {"Thu, 01 Jan 1970 00:00:00 GMT", 0},
        {"Tue, 29 Feb 2000 23:59:60 GMT", 951868799},
        {"Fri Dec 31 23:59:59 9999", INT64_C(253402300799)},
        {"Tuesday, 14-Nov-73 22:13:20 GMT", INT64_C(3277923200)}, /* 50 years ahead to the second */
        {"Tuesday, 14-Nov-73 22:13:21 GMT", INT64_C(122163201)},  /* a second more: past */
        {"Sun, 06 Nov 1994 08:49:37 UTC", -1},
        {"Sun, 6 Nov 1994 08:49:37 GMT", -1},
        {"Sun, 31 Nov 1994 08:49:37 GMT", -1},
        {"Wed, 29 Feb 2100 08:49:37 GMT", -1},
        {"Sun, 00 Nov 1994 08:49:37 GMT", -1},
        {"Sun, 06 Nov 1994 24:49:37 GMT", -1},
        {"Sun, 06 Nov 1994 08:60:37 GMT", -1},
        {"Sun, 06 Nov 1994 08:49:61 GMT", -1},
        {"Sun, 06 Nov 1994 08:49:37 GMT ", -1},
        {"sun, 06 Nov 1994 08:49:37 GMT", -1},
        {"Sun, 06 Nov -994 08:49:37 GMT", -1},
        {"Sun Nov  6 08:49:37 199", -1},
        {"", -1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t got = -7;
        size_t n = strlen(rows[i].text);
        int rc = hail_http_date_parse((struct hail_slice){guarded(rows[i].text, n), n}, NOW, &got);
        if (rc != (rows[i].seconds < 0 ? -EINVAL : 0) ||
            got != (rows[i].seconds < 0 ? -7 : rows[i].seconds))
            fail_msg("%s: %d, %lld", rows[i].text, rc, (long long)got);
    }
    char text[HAIL_HTTP_DATE_MAX];
    for (int64_t t = -62167219200; t < 253402300800; t += 86399 * INT64_C(997)) {
        int64_t back;
        assert_int_equal(hail_http_date_format(t, text), 0);
        assert_int_equal(hail_http_date_parse(hail_slice(text), NOW, &back), 0);
        assert_int_equal(back, t);
    }
    assert_int_equal(hail_http_date_format(SAMPLE, text), 0);
    assert_string_equal(text, "Sun, 06 Nov 1994 08:49:37 GMT");
    assert_int_equal(hail_http_date_format(253402300800, text), -EINVAL);
    assert_int_equal(hail_http_date_format(INT64_MIN, text), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused), cmocka_unit_test(test_taken),
        cmocka_unit_test(test_details), cmocka_unit_test(test_limits),
        cmocka_unit_test(test_moved),   cmocka_unit_test(test_scan),
        cmocka_unit_test(test_written), cmocka_unit_test(test_nothing_injected),
        cmocka_unit_test(test_dates),
    };
    return cmocka_run_group_tests_name("http", tests, NULL, NULL);
}
