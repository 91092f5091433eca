/* test_trace_html.c - the page of a trace: markup in what was said stays text, every element is
 * closed, arrows go the way that things went, what is too much is counted; memory or a disk that
 * fails.
 * link: --wrap=calloc
 * link: --wrap=realloc
 */
#include "peer.h"

#include "net/trace.h"
#include "net/trace_html.h"

#include <sys/mman.h>

static const char hostile[] = "</pre></details><script>alert(1)</script>\" onload='x' &amp;\r\n"
                              "\033]0;owned\a\xc2\x9b\xe2\x80\xae\xff end\n";

struct told {
    struct hail_ctx ctx;
    int fd;
    int64_t now;
    struct hail_endpoint here, peer;
};

static struct told begun(void)
{
    struct told t = {.ctx = HAIL_CTX_INIT, .fd = memfd_create("trace", MFD_CLOEXEC), .now = 1};
    assert_true(t.fd >= 0);
    assert_int_equal(hail_trace_html(&t.ctx, t.fd, &t.ctx.trace), 0);
    t.here = endpoint("192.0.2.1:40000");
    t.peer = endpoint("198.51.100.7:80");
    return t;
}

static void tell(struct told *t, struct hail_event e)
{
    t->now += 1000000;
    e.at_ns = t->now;
    t->ctx.trace->event(t->ctx.trace, &e);
}

/* An attempt that succeeds, and its stream as span 3. */
static void dial(struct told *t)
{
    tell(t, (struct hail_event){.span = 2, .op = "attempt", .peer = &t->peer});
    tell(t, (struct hail_event){.span = 2,
                                .kind = HAIL_EVENT_DONE,
                                .op = "attempt",
                                .peer = &t->peer,
                                .text = "connected"});
    tell(t, (struct hail_event){.span = 3, .op = "stream", .local = &t->here, .peer = &t->peer});
}

static void say(struct told *t, bool out, const void *data, size_t len)
{
    tell(t, (struct hail_event){.span = 3,
                                .kind = out ? HAIL_EVENT_OUT : HAIL_EVENT_IN,
                                .layer = HAIL_LAYER_STREAM,
                                .op = "stream",
                                .data = data,
                                .len = len});
}

static void done(struct told *t, unsigned end, int errnum, const char *text)
{
    tell(t, (struct hail_event){.span = 3,
                                .kind = HAIL_EVENT_DONE,
                                .layer = HAIL_LAYER_STREAM,
                                .op = "stream",
                                .text = text,
                                .errnum = errnum,
                                .end = end});
}

/* The elements are nested as they should be, and no character is there that a page must not have.
 */
static void check_markup(const char *page)
{
    static const char *const empty[] = {"meta", "!DOCTYPE"};
    char open[32][16];
    size_t depth = 0;
    for (const char *p = page; *p; p++) {
        assert_true(*p == '\n' || ((unsigned char)*p >= ' ' && *p != 0x7F));
        if (*p != '<')
            continue;
        char name[16];
        bool closes = p[1] == '/';
        size_t n = strcspn(p + 1 + closes, " >");
        assert_in_range(n, 1, sizeof name - 1);
        memcpy(name, p + 1 + closes, n);
        name[n] = '\0';
        if (closes) {
            assert_true(depth > 0);
            assert_string_equal(open[--depth], name);
        } else if (strcmp(name, empty[0]) != 0 && strcmp(name, empty[1]) != 0) {
            assert_true(depth < 32);
            memcpy(open[depth++], name, sizeof name);
        }
        p += strcspn(p, ">");
        assert_int_equal(*p, '>');
    }
    assert_int_equal(depth, 0);
}

/* Closes the trace; its page, for free(). */
static char *closed(struct told *t)
{
    assert_int_equal(hail_trace_close(t->ctx.trace), 0);
    off_t size = lseek(t->fd, 0, SEEK_END);
    char *page = malloc((size_t)size + 1);
    assert_non_null(page);
    assert_int_equal(pread(t->fd, page, (size_t)size, 0), size);
    page[size] = '\0';
    assert_int_equal(strlen(page), size);
    close(t->fd);
    check_markup(page);
    assert_null(strstr(page, "<script"));
    return page;
}

static size_t count(const char *text, const char *word)
{
    size_t n = 0;
    for (; (text = strstr(text, word)) != NULL; text += strlen(word))
        n++;
    return n;
}

static void markup_stays_text(void **state)
{
    (void)state;
    struct told t = begun();
    tell(&t, (struct hail_event){
                 .span = 1, .layer = HAIL_LAYER_PROTO, .op = "request", .text = hostile});
    dial(&t);
    tell(&t, (struct hail_event){.span = 3, .kind = HAIL_EVENT_NOTE, .op = "x", .text = hostile});
    say(&t, true, hostile, sizeof hostile - 1);
    say(&t, false, hostile, sizeof hostile - 1);
    done(&t, HAIL_END_SENT, EPROTO, hostile);
    tell(&t,
         (struct hail_event){
             .span = 1, .kind = HAIL_EVENT_DONE, .op = "request", .text = hostile, .errnum = 5});
    char *page = closed(&t);
    assert_true(count(page, "&lt;script&gt;alert(1)&lt;/script&gt;") > 8);
    assert_true(count(page, "&quot; onload=&#39;x&#39; &amp;amp;") > 8);
    assert_true(count(page, "\\e]0;owned\\x07\\u{009b}\\u{202e}\\xff end") > 8);
    assert_non_null(strstr(page, "It failed:"));
    free(page);
}

static void the_way_things_went(void **state)
{
    (void)state;
    static const struct {
        unsigned end;
        int errnum;
        const char *arrow;
    } ends[] = {
        {HAIL_END_SENT, 0, "<div class=\"arrow to\""},
        {HAIL_END_SENT | HAIL_END_RECEIVED, 0, "<div class=\"arrow from\""},
        {HAIL_RESET_RECEIVED, ECONNRESET, "<div class=\"arrow from bad\""},
        {HAIL_RESET_SENT, 0, "<div class=\"arrow to\""},
    };
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        struct told t = begun();
        struct hail_endpoint other = endpoint("[2001:db8::1]:80");
        tell(&t, (struct hail_event){.span = 1, .op = "attempt", .peer = &other});
        tell(&t, (struct hail_event){
                     .span = 1, .kind = HAIL_EVENT_DONE, .op = "attempt", .errnum = ECONNREFUSED});
        dial(&t);
        say(&t, true, "GET / HTTP/1.1\r\n", 16);
        say(&t, false, "HTTP/1.1 2", 10);
        say(&t, false, "00 OK\r\n", 7);
        done(&t, ends[i].end, ends[i].errnum, "that was it");
        char *page = closed(&t);
        const char *at = strstr(page, "that was it</span></div>");
        assert_non_null(at);
        while (strncmp(at, "<div", 4) != 0)
            at--;
        assert_int_equal(strncmp(at, ends[i].arrow, strlen(ends[i].arrow)), 0);
        assert_non_null(strstr(at, "--k:2")); /* the second peer's lane */
        assert_non_null(strstr(page, "main style=\"--n:3\""));
        assert_non_null(strstr(page, "GET / HTTP/1.1 &middot; 16 bytes"));
        assert_non_null(strstr(page, "HTTP/1.1 200 OK &middot; 17 bytes in 2 pieces, 1.000 ms"));
        assert_non_null(strstr(page, "<i>\\r</i>\n"));
        assert_non_null(strstr(page, "<span class=\"bad\">connection refused</span>"));
        assert_non_null(strstr(page, "16 bytes to it, 17 bytes from it"));
        assert_non_null(strstr(page, "<span class=\"at\">1.000 ms</span>"));
        free(page);
    }
}

/* A reset after a request that was answered is no failure of it. */
static void what_failed(void **state)
{
    (void)state;
    for (int failed = 0; failed < 2; failed++) {
        struct told t = begun();
        tell(&t, (struct hail_event){
                     .span = 9, .layer = HAIL_LAYER_PROTO, .op = "request", .text = "GET x"});
        dial(&t);
        tell(&t, (struct hail_event){.span = 9,
                                     .kind = HAIL_EVENT_DONE,
                                     .layer = HAIL_LAYER_PROTO,
                                     .op = "request",
                                     .errnum = failed ? EPROTO : 0,
                                     .text = "as it is"});
        done(&t, HAIL_RESET_RECEIVED, ECONNRESET, "reset by the peer (RST)");
        char *page = closed(&t);
        assert_int_equal(count(page, "It failed:"), failed);
        assert_int_equal(count(page, "</b> request: as it is"), failed);
        assert_int_equal(count(page, "<h1>GET x</h1>"), 1);
        free(page);
    }
}

static void name_servers_and_datagrams(void **state)
{
    (void)state;
    struct told t = begun();
    for (int i = 0; i < 2; i++)
        tell(&t, (struct hail_event){.kind = HAIL_EVENT_OUT,
                                     .layer = HAIL_LAYER_NAME,
                                     .op = "datagram",
                                     .local = &t.here,
                                     .peer = &t.peer,
                                     .data = "\0\1",
                                     .len = 2});
    tell(&t, (struct hail_event){.span = 3, .kind = HAIL_EVENT_OUT, .op = "stream", .len = 9});
    char *page = closed(&t);
    assert_int_equal(count(page, "2 bytes, DNS"), 2); /* each one by itself */
    assert_int_equal(count(page, "<details><summary>"), 2);
    assert_non_null(strstr(page, "<span>name server</span>"));
    assert_non_null(strstr(page, "9 bytes, sent from a file"));
    free(page);
}

/* Far more of everything than is shown. */
static void bounds(void **state)
{
    (void)state;
    static char much[1 << 16];
    struct told t = begun();
    memset(much, '<', sizeof much);
    for (uint32_t i = 1; i <= 2000; i++) {
        t.peer.port = (uint16_t)i;
        tell(&t, (struct hail_event){.span = i, .op = "stream", .peer = &t.peer});
        tell(&t, (struct hail_event){.span = i,
                                     .kind = HAIL_EVENT_IN,
                                     .op = "stream",
                                     .data = much,
                                     .len = sizeof much});
        tell(&t, (struct hail_event){.span = i, .kind = HAIL_EVENT_DONE, .op = "stream"});
    }
    char *page = closed(&t);
    assert_int_equal(count(page, "<li><span class=\"at\">"), HAIL_PAGE_FIRST + HAIL_PAGE_LAST);
    assert_int_equal(count(page, "connected by the peer"), HAIL_PAGE_LANES);
    assert_non_null(strstr(page, "5608 steps are left out here"));
    assert_int_equal(count(page, "<span class=\"track\""), HAIL_PAGE_BARS);
    assert_non_null(strstr(page, "1872 bars are left out"));
    assert_non_null(strstr(page, "The last lane stands for several peers."));
    assert_non_null(strstr(page, "main style=\"--n:9\""));
    assert_non_null(strstr(page, "the first 4096 bytes"));
    assert_true(strlen(page) < 8 << 20);
    free(page);
}

static void nothing_told(void **state)
{
    (void)state;
    struct told t = begun();
    char *page = closed(&t);
    assert_non_null(strstr(page, "<h1>Nothing happened</h1>"));
    free(page);
}

static void a_full_disk(void **state)
{
    (void)state;
    struct told t = {.ctx = HAIL_CTX_INIT, .peer = endpoint("127.0.0.1:1")};
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    assert_int_equal(hail_trace_html(&t.ctx, full, &t.ctx.trace), 0);
    dial(&t);
    assert_int_equal(hail_trace_close(t.ctx.trace), -ENOSPC);
    close(full);
}

/* Whichever allocation fails, the close tells, but for a label that is cut. */
static void no_memory(void **state)
{
    (void)state;
    int n = 0, told_of = 0, null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    do {
        struct told t = {.ctx = HAIL_CTX_INIT, .now = 1};
        t.here = endpoint("127.0.0.1:1");
        t.peer = endpoint("127.0.0.1:2");
        fail_nth(++n);
        int rc = hail_trace_html(&t.ctx, null, &t.ctx.trace);
        if (rc == 0) {
            dial(&t);
            say(&t, true, "x", 1);
            rc = hail_trace_close(t.ctx.trace);
        }
        fail_nth(0);
        assert_true(rc == 0 || (has_failed() && rc == -ENOMEM));
        told_of += rc == -ENOMEM;
    } while (has_failed());
    assert_true(told_of >= 4);
    close(null);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(markup_stays_text),
        cmocka_unit_test(the_way_things_went),
        cmocka_unit_test(what_failed),
        cmocka_unit_test(name_servers_and_datagrams),
        cmocka_unit_test(bounds),
        cmocka_unit_test(nothing_told),
        cmocka_unit_test(a_full_disk),
        cmocka_unit_test(no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
