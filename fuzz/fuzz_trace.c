/* fuzz_trace.c - the sinks of a trace, told any events: the blocks of the capture file are whole
 * and its packets as long as they say, the page's elements are closed, and nothing that a terminal
 * would act on comes out of any of them.
 *
 * Input: events, each of five bytes and what they ask for: kind and operation, span, parent,
 * endpoints and end, how many bytes of the rest are the text and the data.
 */
#include <hail/trace.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

typedef int open_fn(struct hail_ctx *ctx, int fd, struct hail_trace **out);

static int open_text(struct hail_ctx *ctx, int fd, struct hail_trace **out)
{
    return hail_trace_text(ctx, fd, false, 80, out);
}

/* Tells the events of the input; the last one takes what is left. */
static void tell(struct hail_trace *trace, const uint8_t *p, size_t n)
{
    static const char *const ops[] = {"attempt", "stream",  "tls",      "datagram",
                                      "resolve", "request", "starttls", NULL};
    static const char *const ends[] = {"127.0.0.1:1", "192.0.2.1:80", "[::1]:443", "unix:/x",
                                       "unix:@y",     ":0",           "name:7",    "[fe80::1]:2"};
    struct hail_event e = {.at_ns = 1};
    for (; n >= 5; p += 5, n -= 5) {
        struct hail_endpoint local, peer;
        char text[256];
        must(hail_endpoint_parse(NULL, &local, ends[p[3] & 7], 0) == 0);
        must(hail_endpoint_parse(NULL, &peer, ends[p[3] >> 3 & 7], 0) == 0);
        e.kind = p[0] % (HAIL_EVENT_DONE + 1);
        e.op = ops[p[0] >> 5];
        e.span = p[1] % 16;
        e.parent = p[2] % 16;
        e.layer = p[2] >> 4 & 7;
        e.local = p[3] & 0x40 ? &local : NULL;
        e.peer = p[3] & 0x80 ? &peer : NULL;
        e.errnum = p[1] & 0x40 ? p[1] & 0x80 ? ECONNREFUSED : EPROTO : 0;
        e.end = p[4] & 15;
        e.len = n - 5 < p[4] ? n - 5 : p[4];
        memcpy(text, p + 5, e.len);
        text[e.len] = '\0';
        e.text = e.kind == HAIL_EVENT_IN || e.kind == HAIL_EVENT_OUT ? NULL : text;
        e.data = e.text || p[1] & 0x20 ? NULL : p + 5;
        trace->event(trace, &e);
        e.at_ns += 1000 * (1 + (int64_t)p[4]);
        p += e.len;
        n -= e.len;
    }
}

static uint32_t u32(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static void check_capture(const uint8_t *p, size_t n)
{
    for (size_t at = 0; at < n; at += u32(p + at + 4)) {
        must(n - at >= 12);
        uint32_t size = u32(p + at + 4);
        must(size % 4 == 0 && size >= 12 && size <= n - at && u32(p + at + size - 4) == size);
        if (u32(p + at) != 6)
            continue;
        const uint8_t *packet = p + at + 28;
        uint32_t taken = u32(p + at + 20), whole = u32(p + at + 24);
        must(taken <= whole && taken + 32 <= size);
        if (u32(p + at + 8) == 0 && packet[0] >> 4 == 4)
            must(((uint32_t)packet[2] << 8 | packet[3]) == whole);
        if (u32(p + at + 8) == 0 && packet[0] >> 4 == 6)
            must(((uint32_t)packet[4] << 8 | packet[5]) + 40 == whole);
    }
}

/* As many ends as beginnings, and never more. */
static void check_page(const uint8_t *p, size_t n)
{
    size_t open = 0, meta = 0;
    for (size_t i = 0; i + 5 < n; i++) {
        if (p[i] != '<')
            continue;
        must(p[i + 1] == '/' || p[i + 1] == '!' || (p[i + 1] >= 'a' && p[i + 1] <= 'z'));
        must(memcmp(p + i, "<scri", 5) != 0);
        if (p[i + 1] == '/')
            must(open-- > 0);
        else if (memcmp(p + i, "<meta", 5) == 0)
            meta++;
        else if (p[i + 1] != '!')
            open++;
    }
    must(meta == 3 && open <= 1); /* </html> is at the very end */
}

static void check_safe(const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        must(p[i] == '\n' || p[i] == '\t' || (p[i] >= ' ' && p[i] != 0x7F));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static open_fn *const sinks[] = {hail_trace_pcapng, hail_trace_html, hail_trace_jsonl,
                                     open_text};
    for (size_t i = 0; i < 4; i++) {
        struct hail_ctx ctx = HAIL_CTX_INIT;
        int fd = memfd_create("trace", MFD_CLOEXEC);
        must(fd >= 0 && sinks[i](&ctx, fd, &ctx.trace) == 0);
        tell(ctx.trace, data, size);
        must(hail_trace_close(ctx.trace) == 0);
        size_t n = (size_t)lseek(fd, 0, SEEK_END);
        const uint8_t *p = n ? mmap(NULL, n, PROT_READ, MAP_PRIVATE, fd, 0) : NULL;
        must(n == 0 || p != MAP_FAILED);
        if (i == 0)
            check_capture(p, n);
        else
            check_safe(p, n);
        if (i == 1)
            check_page(p, n);
        if (n)
            munmap((void *)(uintptr_t)p, n);
        close(fd);
    }
    return 0;
}
