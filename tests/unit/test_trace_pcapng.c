/* test_trace_pcapng.c - the capture file: every block whole, every checksum right, sequence numbers
 * that follow from the bytes, turns inside of TLS, ends as they were, bounds, and memory or a disk
 * that fails.
 * link: --wrap=calloc
 * link: --wrap=realloc
 */
#include "capture.h"

#include "net/trace.h"

#include <sys/mman.h>

struct told {
    struct hail_ctx ctx;
    int fd;
    int64_t now;
    struct hail_endpoint here, peer;
};

static struct told begun(const char *here, const char *peer)
{
    struct told t = {.ctx = HAIL_CTX_INIT, .fd = memfd_create("trace", MFD_CLOEXEC), .now = 1};
    assert_true(t.fd >= 0);
    assert_int_equal(hail_trace_pcapng(&t.ctx, t.fd, &t.ctx.trace), 0);
    t.here = *here ? endpoint(here) : (struct hail_endpoint){.kind = HAIL_HOST_UNIX}; /* unnamed */
    t.peer = endpoint(peer);
    return t;
}

static void tell(struct told *t, struct hail_event e)
{
    t->now += 1000;
    e.at_ns = t->now;
    t->ctx.trace->event(t->ctx.trace, &e);
}

/* An attempt that succeeds, and its stream as span 2. */
static void dial(struct told *t)
{
    tell(t, (struct hail_event){.span = 1, .op = "attempt", .peer = &t->peer});
    tell(t, (struct hail_event){.span = 1, .kind = HAIL_EVENT_DONE, .op = "attempt"});
    tell(t, (struct hail_event){.span = 2, .op = "stream", .local = &t->here, .peer = &t->peer});
}

static void say(struct told *t, bool out, const void *data, size_t len)
{
    tell(t, (struct hail_event){.span = 2,
                                .kind = out ? HAIL_EVENT_OUT : HAIL_EVENT_IN,
                                .layer = HAIL_LAYER_STREAM,
                                .op = "stream",
                                .data = data,
                                .len = len});
}

static void done(struct told *t, unsigned end, const char *text)
{
    tell(t, (struct hail_event){.span = 2,
                                .kind = HAIL_EVENT_DONE,
                                .layer = HAIL_LAYER_STREAM,
                                .op = "stream",
                                .text = text,
                                .end = end});
}

static void handshake(struct told *t, int errnum)
{
    tell(t, (struct hail_event){
                .span = 3, .parent = 2, .layer = HAIL_LAYER_TLS, .op = "tls", .text = "host"});
    tell(t, (struct hail_event){.span = 3,
                                .parent = 2,
                                .kind = HAIL_EVENT_DONE,
                                .layer = HAIL_LAYER_TLS,
                                .op = "tls",
                                .errnum = errnum});
}

static struct capture closed(struct told *t)
{
    assert_int_equal(hail_trace_close(t->ctx.trace), 0);
    return read_capture(t->fd);
}

static void check_opened(const struct capture *c)
{
    assert_true(c->n >= 3);
    check_tcp(&c->v[0], true, SYN, 0, 0, 0);
    check_tcp(&c->v[1], false, SYN | ACK, 0, 1, 0);
    check_tcp(&c->v[2], true, ACK, 1, 1, 0);
    for (size_t i = 1; i < c->n && i < 3; i++)
        assert_int_equal(c->v[i].at_ns, c->v[i - 1].at_ns + 1000);
}

static void a_plain_conversation(const char *here, const char *peer)
{
    struct told t = begun(here, peer);
    tell(&t, (struct hail_event){
                 .span = 9, .kind = HAIL_EVENT_NOTE, .op = "resolve", .text = "a\n\033[31mname"});
    dial(&t);
    say(&t, true, "GET", 3);
    say(&t, false, "o", 1); /* small pieces at once are a segment */
    say(&t, false, "dd", 2);
    t.now += 2000000;
    say(&t, false, "even", 4);
    done(&t, HAIL_END_SENT | HAIL_END_RECEIVED, "closed by the peer (FIN)");
    struct capture c = closed(&t);
    check_opened(&c);
    assert_non_null(strstr(c.v[0].comment, "resolve: a\\n\\e[31mname"));
    assert_int_equal(!*here,
                     strstr(c.v[0].comment, "stands for a Unix socket: unix:/run/x") != NULL);
    assert_string_equal(c.v[1].comment, "");
    assert_int_equal(c.n, 9);
    check_tcp(&c.v[3], true, ACK, 1, 1, 3);
    check_tcp(&c.v[4], false, ACK, 1, 4, 3);
    check_tcp(&c.v[5], false, ACK, 4, 4, 4);
    check_tcp(&c.v[6], false, FIN | ACK, 8, 4, 0);
    assert_string_equal(c.v[6].comment, "stream: closed by the peer (FIN)");
    check_tcp(&c.v[7], true, FIN | ACK, 4, 9, 0);
    check_tcp(&c.v[8], false, ACK, 9, 5, 0);
    assert_memory_equal(c.v[5].p + c.v[5].taken - 4, "even", 4);
    forget(&c);
}

static void plain_conversations(void **state)
{
    (void)state;
    a_plain_conversation("192.0.2.1:40000", "198.51.100.7:80");
    a_plain_conversation("[2001:db8::1]:40000", "[2001:db8::2]:80");
    a_plain_conversation("", "unix:/run/x");
    a_plain_conversation("[::]:1", "192.0.2.1:2"); /* a wildcard of the other family */
}

static void ends(void **state)
{
    (void)state;
    static const struct {
        unsigned noted, end, n;
        bool out;
        unsigned flags;
    } cases[] = {
        {0, HAIL_RESET_RECEIVED, 4, false, RST | ACK},
        {0, HAIL_RESET_SENT, 4, true, RST | ACK},
        {0, HAIL_END_SENT, 4, true, FIN | ACK},
        {HAIL_END_SENT, HAIL_END_SENT, 4, true, FIN | ACK},
        {HAIL_END_SENT, HAIL_END_SENT | HAIL_END_RECEIVED, 6, true, FIN | ACK},
        {HAIL_END_SENT, HAIL_RESET_RECEIVED, 5, true, FIN | ACK},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct told t = begun("127.0.0.1:1", "127.0.0.1:2");
        dial(&t);
        if (cases[i].noted)
            tell(&t,
                 (struct hail_event){
                     .span = 2, .kind = HAIL_EVENT_NOTE, .op = "stream", .end = cases[i].noted});
        done(&t, cases[i].end, "it ended");
        struct capture c = closed(&t);
        assert_int_equal(c.n, cases[i].n);
        check_tcp(&c.v[3], cases[i].out, cases[i].flags, 1, 1, 0);
        forget(&c);
    }
}

/* What is long is cut into segments and acknowledged; what the kernel sent from a file has a length
 * only. */
static void long_ones(void **state)
{
    (void)state;
    struct told t = begun("127.0.0.1:1", "127.0.0.1:2");
    static char much[3 << 20];
    dial(&t);
    say(&t, false, much, sizeof much);
    say(&t, true, NULL, 100000);
    struct capture c = closed(&t);
    size_t got = 0, acks = 0;
    uint32_t seq = 1;
    for (size_t i = 3; i < c.n - 2; i++) {
        const uint8_t *p = transport(&c.v[i], 6);
        size_t len = c.v[i].whole - 40;
        assert_true(len <= 65000);
        if (c.v[i].direction == 1) {
            assert_int_equal(be32(p + 4), seq);
            seq += (uint32_t)len;
            got += len;
        } else {
            assert_int_equal(len, 0);
            assert_int_equal(be32(p + 8), seq);
            acks++;
        }
    }
    assert_int_equal(got, sizeof much);
    assert_int_equal(acks, 2);
    check_tcp(&c.v[c.n - 2], true, ACK, 1, seq, 65000);
    check_tcp(&c.v[c.n - 1], true, ACK, 65001, seq, 35000);
    assert_int_equal(c.v[c.n - 1].taken, 40);
    forget(&c);
}

/* The peer dials where no attempt of this side led to it. */
static void accepted_and_refused(void **state)
{
    (void)state;
    struct told t = begun("127.0.0.1:80", "127.0.0.1:40000");
    tell(&t, (struct hail_event){.span = 7, .op = "attempt", .peer = &t.peer});
    tell(&t, (struct hail_event){
                 .span = 7, .kind = HAIL_EVENT_DONE, .op = "attempt", .errnum = ECONNREFUSED});
    tell(&t, (struct hail_event){.span = 8, .op = "attempt", .peer = &t.peer});
    tell(&t, (struct hail_event){
                 .span = 8, .kind = HAIL_EVENT_DONE, .op = "attempt", .errnum = ETIMEDOUT});
    tell(&t, (struct hail_event){.span = 2, .op = "stream", .local = &t.here, .peer = &t.peer});
    struct capture c = closed(&t);
    assert_int_equal(c.n, 6);
    check_tcp(&c.v[0], true, SYN, 0, 0, 0);
    check_tcp(&c.v[1], false, RST | ACK, 0, 1, 0);
    check_tcp(&c.v[2], true, SYN, 0, 0, 0);
    assert_string_equal(c.v[2].comment, "attempt: timed out");
    check_tcp(&c.v[3], false, SYN, 0, 0, 0);
    check_tcp(&c.v[4], true, SYN | ACK, 0, 1, 0);
    check_tcp(&c.v[5], false, ACK, 1, 1, 0);
    assert_int_equal(be16(transport(&c.v[3], 6)), 40000);
    forget(&c);
}

static void check_turn(const struct seen *s, bool out, const char *dissector, const void *said,
                       size_t len)
{
    size_t behind;
    assert_string_equal((const char *)tag(s, 12, &behind), dissector);
    assert_int_equal(s->direction, out ? 2 : 1);
    assert_int_equal(s->taken - behind, len);
    assert_memory_equal(s->p + behind, said, len);
    assert_int_equal(be32(tag(s, 26, &behind)), out ? 993 : 1);
    assert_int_equal(be32(tag(s, 24, &behind)), 2);
}

static void inside_of_tls(void **state)
{
    (void)state;
    static char much[300000];
    memset(much, 'x', sizeof much);
    memcpy(much, "HTTP/1.1 200 OK\r\n", 17);
    struct told t = begun("127.0.0.1:1", "127.0.0.1:993");
    dial(&t);
    say(&t, true, "STARTTLS", 8);
    handshake(&t, 0);
    say(&t, true, "GET /1", 6);
    say(&t, true, " HTTP/1.1\r\n\r\n", 13);
    say(&t, false, much, sizeof much / 2);
    say(&t, false, much + sizeof much / 2, sizeof much / 2);
    say(&t, true, "* LOGIN\r\n", 9);
    done(&t, HAIL_END_SENT | HAIL_END_RECEIVED, NULL);
    struct capture c = closed(&t);
    check_opened(&c);
    assert_int_equal(c.n, 11);
    check_tcp(&c.v[3], true, ACK, 1, 1, 8);
    check_turn(&c.v[4], true, "http", "GET /1 HTTP/1.1\r\n\r\n", 19);
    assert_string_equal(c.v[4].comment, "tls: host");
    size_t first = (256 << 10) - 160;
    check_turn(&c.v[5], false, "http", much, first);
    check_turn(&c.v[6], false, "imap", much + first, sizeof much - first);
    check_turn(&c.v[7], true, "imap", "* LOGIN\r\n", 9);
    check_tcp(&c.v[8], false, FIN | ACK, 1, 9, 0);
    forget(&c);
    t = begun("127.0.0.1:1", "127.0.0.1:993"); /* a handshake that fails changes nothing */
    dial(&t);
    handshake(&t, EPROTO);
    say(&t, true, "plain", 5);
    c = closed(&t);
    assert_int_equal(c.n, 4);
    check_tcp(&c.v[3], true, ACK, 1, 1, 5);
    forget(&c);
}

/* What is gathered comes out before what came later: of another conversation, or of the next
 * request. */
static void in_the_order_of_time(void **state)
{
    (void)state;
    struct told t = begun("127.0.0.1:1", "127.0.0.1:993");
    dial(&t);
    handshake(&t, 0);
    say(&t, true, "GET / HTTP/1.1\r\n", 16);
    say(&t, false, "HTTP/1.1 200 OK\r\n", 17);
    tell(&t, (struct hail_event){.span = 4, .op = "stream", .local = &t.here, .peer = &t.peer});
    say(&t, false, "and more", 8); /* the turn goes on */
    tell(&t, (struct hail_event){.span = 9,
                                 .kind = HAIL_EVENT_DONE,
                                 .layer = HAIL_LAYER_PROTO,
                                 .op = "request",
                                 .text = "200"});
    tell(&t, (struct hail_event){
                 .span = 4, .kind = HAIL_EVENT_IN, .op = "stream", .data = "x", .len = 1});
    tell(&t, (struct hail_event){.span = 5, .op = "stream", .local = &t.here, .peer = &t.peer});
    struct capture c = closed(&t);
    assert_int_equal(c.n, 12);
    check_turn(&c.v[3], true, "http", "GET / HTTP/1.1\r\n", 16);
    check_tcp(&c.v[4], false, SYN, 0, 0, 0);
    check_turn(&c.v[7], false, "http", "HTTP/1.1 200 OK\r\nand more", 25);
    assert_string_equal(c.v[7].comment, "request: 200");
    check_tcp(&c.v[8], false, ACK, 1, 1, 1);
    check_tcp(&c.v[9], false, SYN, 0, 0, 0);
    forget(&c);
}

static void datagrams(void **state)
{
    (void)state;
    static char large[70001];
    static const char *const from[] = {"0.0.0.0:53", "[::]:53", "unix:@a"};
    for (size_t i = 0; i < 3; i++) {
        struct told t = begun(from[i], i == 2 ? "unix:/run/log" : "127.0.0.1:5353");
        for (int out = 0; out < 2; out++)
            tell(&t, (struct hail_event){.span = 1,
                                         .kind = out ? HAIL_EVENT_OUT : HAIL_EVENT_IN,
                                         .op = "datagram",
                                         .local = &t.here,
                                         .peer = &t.peer,
                                         .data = large,
                                         .len = out ? sizeof large : 5});
        struct capture c = closed(&t);
        assert_int_equal(c.n, 2);
        const uint8_t *p = transport(&c.v[0], 17);
        assert_int_equal(be16(p), i == 2 ? 65535 : 5353);
        assert_int_equal(c.v[0].whole, 20 + 8 + 5);
        transport(&c.v[1], 17);
        assert_non_null(strstr(c.v[1].comment, "70001 bytes, of which the first 65000"));
        forget(&c);
    }
}

/* More conversations than are kept, notes without end, and none of them for a packet. */
static void bounds(void **state)
{
    (void)state;
    struct told t = begun("127.0.0.1:1", "127.0.0.1:2");
    for (uint32_t i = 1; i <= 300; i++)
        tell(&t, (struct hail_event){.span = i, .op = "stream", .peer = &t.peer});
    for (int i = 0; i < 1000; i++)
        tell(&t, (struct hail_event){.kind = HAIL_EVENT_NOTE, .op = "resolve", .text = "again"});
    for (int kind = 0; kind <= HAIL_EVENT_DONE; kind++) /* of what nobody knows */
        tell(&t, (struct hail_event){.span = 999, .kind = kind, .op = "stream", .len = 5});
    struct capture c = closed(&t);
    assert_int_equal(c.n, 256 * 3);
    assert_true(strlen(c.remark) > HAIL_PCAPNG_COMMENT_MAX - 64);
    forget(&c);
    t = begun("127.0.0.1:1", "127.0.0.1:2");
    for (uint32_t i = 1; i <= 257; i++)
        tell(&t, (struct hail_event){.span = i, .op = "stream", .peer = &t.peer});
    c = closed(&t);
    assert_string_equal(c.remark, "trace: 1 conversations are left out: 256 at once are kept");
    forget(&c);
}

static void a_full_disk(void **state)
{
    (void)state;
    struct told t = {.ctx = HAIL_CTX_INIT, .peer = endpoint("127.0.0.1:1")};
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    assert_int_equal(hail_trace_pcapng(&t.ctx, full, &t.ctx.trace), 0);
    dial(&t);
    assert_int_equal(hail_trace_close(t.ctx.trace), -ENOSPC);
    close(full);
}

/* Whichever allocation fails, the close tells. */
static void no_memory(void **state)
{
    (void)state;
    int n = 0, null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    do {
        struct told t = {.ctx = HAIL_CTX_INIT, .now = 1};
        t.here = endpoint("127.0.0.1:1");
        t.peer = endpoint("127.0.0.1:2");
        fail_nth(++n);
        int rc = hail_trace_pcapng(&t.ctx, null, &t.ctx.trace);
        if (rc == 0) {
            dial(&t);
            handshake(&t, 0);
            say(&t, true, "x", 1);
            done(&t, HAIL_END_SENT, "closed");
            rc = hail_trace_close(t.ctx.trace);
        }
        fail_nth(0);
        assert_int_equal(rc, has_failed() ? -ENOMEM : 0);
    } while (has_failed());
    assert_true(n > 4);
    close(null);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_conversations), cmocka_unit_test(ends),
        cmocka_unit_test(long_ones),           cmocka_unit_test(accepted_and_refused),
        cmocka_unit_test(inside_of_tls),       cmocka_unit_test(in_the_order_of_time),
        cmocka_unit_test(datagrams),           cmocka_unit_test(bounds),
        cmocka_unit_test(a_full_disk),         cmocka_unit_test(no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
