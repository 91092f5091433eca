/* test_trace.c - the sinks: what hostile bytes, many spans and narrow terminals make of the text,
 * the lines of JSON, writes and memory that fail, and a trace that is off.
 * link: --wrap=calloc
 * link: --wrap=realloc
 */
#include "peer.h"

#include "net/trace.h"

#include <pthread.h>
#include <sys/mman.h>

/* Everything a terminal might obey, a bidirectional override, bytes that are not UTF-8, a NUL. */
static const char hostile[] =
    "\033]0;owned\a\033[2J\xc2\x9b"
    "31m\xe2\x80\xae\xff\0\x7f\r\nsecond line\n"
    "a line of many words that is longer than any terminal of the test is "
    "wide, to be cut somewhere: 0123456789 0123456789 0123456789 0123456789 "
    "0123456789 0123456789 0123456789 0123456789 0123456789 0123456789\n";

/* A trace into memory, and the events told to it at instants of the test's own. */
struct told {
    struct hail_ctx ctx;
    int fd;
    int64_t now;
};

static struct told text_trace(bool colour, int columns)
{
    struct told t = {.ctx = HAIL_CTX_INIT, .fd = memfd_create("trace", MFD_CLOEXEC), .now = 1};
    assert_true(t.fd >= 0);
    assert_int_equal(hail_trace_text(&t.ctx, t.fd, colour, columns, &t.ctx.trace), 0);
    return t;
}

static void tell(struct told *t, int64_t after_us, struct hail_event e)
{
    t->now += after_us * 1000;
    e.at_ns = t->now;
    e.layer = HAIL_LAYER_CONNECT;
    e.op = e.op ? e.op : "attempt";
    t->ctx.trace->event(t->ctx.trace, &e);
}

/* Closes the trace; what it wrote, ended by NUL, for free(). */
static char *closed(struct told *t)
{
    assert_int_equal(hail_trace_close(t->ctx.trace), 0);
    off_t size = lseek(t->fd, 0, SEEK_END);
    char *text = malloc((size_t)size + 1);
    assert_non_null(text);
    assert_int_equal(pread(t->fd, text, (size_t)size, 0), size);
    text[size] = '\0';
    assert_int_equal(strlen(text), size);
    close(t->fd);
    return text;
}

/* No line is longer than the terminal is wide, and nothing in it is obeyed. The sink's own colours
 * are the only escapes. */
static void check_lines(const char *text, int columns, bool colour)
{
    int at = 0;
    for (const char *p = text; *p; p++) {
        if (colour && strncmp(p, "\033[", 2) == 0) {
            p += strcspn(p, "m");
            continue;
        }
        if (*p == '\n') {
            at = 0;
            continue;
        }
        assert_in_range(*p, ' ', '~');
        if (++at > columns)
            fail_msg("longer than %d columns: %.*s", columns, 200, p - columns);
    }
    assert_int_equal(at, 0); /* the last line is complete */
}

static void tell_of_everything(struct told *t)
{
    struct hail_endpoint peer = endpoint("[2001:db8:1:2:3:4:5:6]:65535");
    const int64_t minutes = 60000000;
    for (uint32_t i = 1; i <= 30; i++) /* each the child of the one before it */
        tell(t, 7,
             (struct hail_event){.span = i,
                                 .parent = i - 1,
                                 .kind = HAIL_EVENT_START,
                                 .peer = &peer,
                                 .local = &peer,
                                 .text = hostile});
    tell(t, 9, (struct hail_event){.span = 30, .kind = HAIL_EVENT_NOTE, .text = hostile});
    tell(t, 9, (struct hail_event){.span = 30, .kind = HAIL_EVENT_NOTE});
    for (int out = 0; out < 2; out++)
        tell(t, 5,
             (struct hail_event){.span = 30,
                                 .kind = out ? HAIL_EVENT_OUT : HAIL_EVENT_IN,
                                 .data = hostile,
                                 .len = sizeof hostile - 1});
    tell(t, 5, (struct hail_event){.span = 30, .kind = HAIL_EVENT_OUT, .len = 48823});
    for (uint32_t i = 30; i > 3; i--) /* three stay open */
        tell(t, i == 9 ? 12 * minutes : 70,
             (struct hail_event){.span = i,
                                 .parent = i - 1,
                                 .kind = HAIL_EVENT_DONE,
                                 .errnum = i % 2 ? ECONNREFUSED : 0,
                                 .text = i % 3 ? hostile : NULL});
}

static void every_line_fits(void **state)
{
    (void)state;
    static const int widths[] = {60, 80, 200};
    for (size_t i = 0; i < 3; i++) {
        for (int colour = 0; colour < 2; colour++) {
            struct told t = text_trace(colour, widths[i]);
            tell_of_everything(&t);
            char *text = closed(&t);
            check_lines(text, widths[i], colour);
            assert_non_null(strstr(text, "\\e]0;owned"));
            assert_non_null(strstr(text, "second line"));
            assert_non_null(strstr(text, "48823 bytes from a file"));
            assert_non_null(strstr(text, "(open)"));
            assert_non_null(strstr(text, "waterfall"));
            free(text);
        }
    }
}

static size_t count(const char *text, const char *word)
{
    size_t n = 0;
    for (; (text = strstr(text, word)) != NULL; text += strlen(word))
        n++;
    return n;
}

/* Two attempts race, and the first to begin is the first to end, under one dial. */
static void racing_spans(void **state)
{
    (void)state;
    struct told t = text_trace(false, 0);
    tell(&t, 0, (struct hail_event){.span = 1, .kind = HAIL_EVENT_START, .op = "dial"});
    tell(&t, 1000, (struct hail_event){.span = 2, .parent = 1, .text = "one"});
    tell(&t, 1000, (struct hail_event){.span = 3, .parent = 1, .text = "two"});
    tell(&t, 1000,
         (struct hail_event){
             .span = 2, .parent = 1, .kind = HAIL_EVENT_DONE, .errnum = ECONNREFUSED});
    tell(&t, 1000, (struct hail_event){.span = 3, .parent = 1, .kind = HAIL_EVENT_DONE});
    tell(&t, 0, (struct hail_event){.span = 1, .kind = HAIL_EVENT_DONE, .op = "dial"});
    char *text = closed(&t);
    assert_non_null(strstr(text, "    1.000 ms    attempt one\n"));
    assert_non_null(strstr(text, "attempt: connection refused  [2.000 ms]\n"));
    assert_non_null(strstr(text, "attempt: done  [2.000 ms]\n"));
    assert_non_null(strstr(text, "dial: done  [4.000 ms]\n"));
    assert_non_null(strstr(text, "waterfall, 4.000 ms in all\n"));
    const char *fall = strstr(text, "waterfall"), *one = strstr(fall, "attempt one");
    assert_non_null(strchr(one, 'x')); /* failed, and drawn before the other */
    assert_true(strchr(one, 'x') < strstr(fall, "attempt two"));
    free(text);
}

/* Far more spans than are drawn: each is told, and the drawing stays a screen or two. */
static void many_spans(void **state)
{
    (void)state;
    struct told t = text_trace(false, 80);
    for (uint32_t i = 1; i <= 1000; i++) {
        tell(&t, 1, (struct hail_event){.span = i, .kind = HAIL_EVENT_START, .text = "told"});
        tell(&t, 1, (struct hail_event){.span = i, .kind = HAIL_EVENT_DONE});
    }
    char *text = closed(&t);
    check_lines(text, 80, false);
    const char *fall = strstr(text, "waterfall");
    assert_non_null(fall);
    assert_int_equal(count(text, "attempt told") - count(fall, "attempt told"), 1000);
    assert_in_range(count(fall, "attempt told"), 32, 128);
    free(text);
}

static void nothing_told(void **state)
{
    (void)state;
    struct told t = text_trace(true, 80);
    char *text = closed(&t);
    assert_string_equal(text, "");
    free(text);
    assert_int_equal(hail_trace_close(NULL), 0);
}

/* One line an event, exact bytes in base64, an error by its name. */
static void json_lines(void **state)
{
    (void)state;
    struct told t = {.ctx = HAIL_CTX_INIT, .fd = memfd_create("trace", MFD_CLOEXEC), .now = 1};
    struct hail_endpoint peer = endpoint("[::1]:80");
    assert_int_equal(hail_trace_jsonl(&t.ctx, t.fd, &t.ctx.trace), 0);
    tell(
        &t, 0,
        (struct hail_event){
            .span = 1, .kind = HAIL_EVENT_START, .peer = &peer, .text = "a \"quoted\"\n\033 name"});
    tell(&t, 1500,
         (struct hail_event){.span = 1, .kind = HAIL_EVENT_IN, .data = "\xff\0z", .len = 3});
    tell(&t, 0, (struct hail_event){.span = 1, .kind = HAIL_EVENT_OUT, .data = "GET", .len = 3});
    tell(&t, 0,
         (struct hail_event){.span = 1,
                             .kind = HAIL_EVENT_DONE,
                             .errnum = ECONNRESET,
                             .end = HAIL_END_SENT | HAIL_RESET_RECEIVED});
    char *text = closed(&t);
    assert_non_null(strstr(text, "\"end\":[\"fin-sent\",\"rst-received\"]"));
    assert_int_equal(count(text, "\"end\""), 1);
    assert_int_equal(count(text, "\n"), 4);
    assert_int_equal(count(text, "{\"schema\":\"hail.trace/1\",\"time\":\""), 4);
    assert_int_equal(count(text, "}\n"), 4);
    assert_non_null(strstr(text, "\"peer\":\"[::1]:80\""));
    assert_non_null(strstr(text, "a \\\"quoted\\\"\\n\\u001b name\""));
    assert_non_null(strstr(text, "\"at\":0.0015"));
    assert_non_null(strstr(text, "/wB6"));
    assert_non_null(strstr(text, "\"GET\""));
    assert_non_null(strstr(text, "\"errno\":\"ECONNRESET\""));
    for (const char *p = text; *p; p++)
        assert_true(*p == '\n' || (*p >= ' ' && *p <= '~'));
    free(text);
}

typedef int open_fn(struct hail_ctx *ctx, int fd, struct hail_trace **out);

static int open_text(struct hail_ctx *ctx, int fd, struct hail_trace **out)
{
    return hail_trace_text(ctx, fd, false, 80, out);
}

static int open_file(struct hail_ctx *ctx, int fd, struct hail_trace **out)
{
    char path[64];
    snprintf(path, sizeof path, "/tmp/hail-trace-%d.jsonl", (int)getpid());
    (void)fd;
    int rc = hail_trace_file(ctx, path, out);
    unlink(path);
    return rc;
}

static open_fn *const sinks[] = {open_text, hail_trace_jsonl, open_file};

static void a_full_disk_is_told_at_the_end(void **state)
{
    (void)state;
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    assert_true(full >= 0);
    for (size_t i = 0; i < 2; i++) {
        struct hail_ctx ctx = HAIL_CTX_INIT;
        assert_int_equal(sinks[i](&ctx, full, &ctx.trace), 0);
        for (int n = 0; n < 3; n++) {
            uint32_t span = hail_trace_begin(&ctx, HAIL_LAYER_NAME, "resolve", NULL, "x");
            hail_trace_end(&ctx, span, 0, HAIL_LAYER_NAME, "resolve", 0, NULL);
        }
        assert_int_equal(hail_trace_close(ctx.trace), -ENOSPC);
    }
    close(full);
}

/* The Nth allocation fails: it cannot be opened, or the close tells that something is missing. */
static void no_memory(void **state)
{
    (void)state;
    int out = open("/dev/null", O_WRONLY | O_CLOEXEC);
    struct hail_endpoint peer = endpoint("127.0.0.1:80");
    for (size_t i = 0; i < 3; i++) {
        int n = 0;
        do {
            struct hail_ctx ctx = HAIL_CTX_INIT;
            size_t before = open_descriptors();
            fail_nth(++n);
            int rc = sinks[i](&ctx, out, &ctx.trace);
            if (rc < 0) {
                assert_null(ctx.trace);
                assert_int_equal(ctx.err.layer, HAIL_LAYER_LOCAL);
            } else {
                hail_trace_begin(&ctx, HAIL_LAYER_NAME, "resolve", &peer, "x");
                rc = hail_trace_close(ctx.trace);
            }
            fail_nth(0);
            assert_true(rc == 0 || (has_failed() && rc == -ENOMEM));
            assert_int_equal(open_descriptors(), before);
        } while (has_failed());
        assert_true(n > 1);
    }
    close(out);
}

static void endings_of_files(void **state)
{
    (void)state;
    struct hail_ctx ctx = HAIL_CTX_INIT;
    struct hail_trace *none = NULL;
    assert_int_equal(hail_trace_file(&ctx, "/tmp/trace.pdf", &none), -EINVAL);
    assert_int_equal(ctx.err.layer, HAIL_LAYER_USAGE);
    assert_int_equal(hail_trace_file(&ctx, "/nonexistent/trace.log", &none), -ENOENT);
    assert_int_equal(ctx.err.layer, HAIL_LAYER_LOCAL);
    assert_null(none);
}

/* Off: no span, no event, no allocation; a sink that is taken out is never called again. */
static void off_is_off(void **state)
{
    (void)state;
    struct hail_ctx ctx = HAIL_CTX_INIT;
    struct log_trace log = LOG_TRACE;
    fail_nth(1);
    uint32_t span = hail_trace_begin(&ctx, HAIL_LAYER_NAME, "resolve", NULL, "x");
    hail_trace_note(&ctx, HAIL_LAYER_NAME, "resolve", "%s", "y");
    hail_trace_end(&ctx, span, 7, HAIL_LAYER_NAME, "resolve", 0, NULL);
    fail_nth(0);
    assert_false(has_failed());
    assert_int_equal(span, 0);
    assert_int_equal(ctx.span, 7); /* the parent is back all the same */
    ctx.span = 0;
    ctx.trace = &log.base;
    span = hail_trace_begin(&ctx, HAIL_LAYER_NAME, "resolve", NULL, "x");
    ctx.trace = NULL;
    hail_trace_end(&ctx, span, 0, HAIL_LAYER_NAME, "resolve", 0, NULL);
    assert_string_equal(log.text, "1/0 START resolve\n");
}

#define THREADS 4
#define EACH    500

static void *tells(void *arg)
{
    struct hail_ctx ctx = {.trace = arg, .cancel_fd = -1};
    for (int i = 0; i < EACH; i++) {
        uint32_t span = hail_trace_begin(&ctx, HAIL_LAYER_NAME, "resolve", NULL, "x");
        hail_trace_end(&ctx, span, 0, HAIL_LAYER_NAME, "resolve", 0, "y");
    }
    return NULL;
}

/* Several threads: every event is one whole line, no span has another's number, and time does not
 * go backwards. */
static void threads_tell_one_trace(void **state)
{
    (void)state;
    struct told t = {.ctx = HAIL_CTX_INIT, .fd = memfd_create("trace", MFD_CLOEXEC)};
    static int begun[THREADS * EACH + 1];
    pthread_t threads[THREADS];
    assert_int_equal(hail_trace_jsonl(&t.ctx, t.fd, &t.ctx.trace), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, tells, t.ctx.trace), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    char *text = closed(&t), *end = NULL;
    double last = 0;
    assert_int_equal(count(text, "}\n{\"schema\""), 2 * THREADS * EACH - 1);
    for (char *p = text; (p = strstr(p, "\"at\":")) != NULL; p = end) {
        double at = strtod(p + 5, &end);
        unsigned long span = strtoul(strchr(end, ':') + 1, &end, 10);
        assert_true(at >= last);
        assert_in_range(span, 1, THREADS * EACH);
        begun[span]++;
        last = at;
    }
    for (size_t i = 1; i <= THREADS * EACH; i++)
        assert_int_equal(begun[i], 2);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_line_fits), cmocka_unit_test(racing_spans),
        cmocka_unit_test(many_spans),      cmocka_unit_test(nothing_told),
        cmocka_unit_test(json_lines),      cmocka_unit_test(a_full_disk_is_told_at_the_end),
        cmocka_unit_test(no_memory),       cmocka_unit_test(endings_of_files),
        cmocka_unit_test(off_is_off),      cmocka_unit_test(threads_tell_one_trace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
