/* fuzz_hello.c - a service that says anything to `hail check`'s first words. The first byte picks
 * the protocol, the second what is asked, the third how the peer's bytes are cut into pieces; a
 * byte 0x1E in them is silence.
 */
#include "proto/hello.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct hail_script script;
static regex_t body;

static void prepare(void)
{
    static bool ready;
    struct hail_ctx ctx = HAIL_CTX_INIT;
    struct hail_script_fault fault;
    if (ready)
        return;
    ready = true;
    if (hail_script_add(&ctx, &script, HAIL_SCRIPT_REJECT, "^5", 2) < 0 ||
        hail_script_add(&ctx, &script, HAIL_SCRIPT_EXPECT, "^2", 2) < 0 ||
        hail_script_add(&ctx, &script, HAIL_SCRIPT_SEND, "x\\n", 3) < 0 ||
        hail_script_add(&ctx, &script, HAIL_SCRIPT_EXPECT, "> $", 3) < 0 ||
        hail_script_compile("fine", 4, &body, &fault) < 0)
        abort();
}

/* What has to hold after each step. Whether the conversation goes on. */
static bool judge(struct hail_hello *h, int step)
{
    struct hail_hello_fact fact;
    for (size_t at = 0; hail_hello_next_fact(h, &at, &fact);)
        if (!*fact.name || at > h->facts.len)
            abort();
    if (step < 0 && (!*h->why || strnlen(h->why, sizeof h->why) == sizeof h->why))
        abort();
    for (const char *p = h->why; step < 0 && *p; p++)
        if ((unsigned char)*p < ' ' || *p == 0x7F)
            abort();
    if (step < 0 && step != -EPROTO && step != -ECONNREFUSED && step != -ENOTSUP &&
        step != -EMSGSIZE && step != -ENOMEM && step != -ETIMEDOUT)
        abort();
    if (step == HAIL_HELLO_DONE && !h->spoke)
        abort();
    if (h->out.len > 8192)
        abort();
    hail_buf_clear(&h->out);
    return step == HAIL_HELLO_MORE;
}

/* One piece, in memory of its own so that a byte too many is seen. */
static bool feed(struct hail_hello *h, const uint8_t *p, size_t n)
{
    if (n == 1 && *p == 0x1E)
        return judge(h, hail_hello_quiet(h));
    char *copy = malloc(n);
    if (!copy)
        return false;
    memcpy(copy, p, n);
    int step = hail_hello_take(h, copy, n);
    free(copy);
    if (step == HAIL_HELLO_SECURE) {
        hail_buf_clear(&h->out);
        step = hail_hello_secured(h);
    }
    return judge(h, step);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hail_hello h;
    if (size < 3)
        return 0;
    prepare();
    enum hail_hello_kind kind = (enum hail_hello_kind)(data[0] % HAIL_HELLO_KINDS);
    uint8_t how = data[1];
    struct hail_hello_opts opts = {.host = "a.example",
                                   .starttls = (enum hail_hello_tls)(how % 3),
                                   .secured = how & 4,
                                   .datagram = how & 8 && hail_hello_is_udp(kind),
                                   .script = &script,
                                   .body = how & 16 ? &body : NULL,
                                   .not_body = how & 32 ? &body : NULL,
                                   .query = how & 64 ? "x.test" : NULL};
    memcpy(opts.nonce, "abcdefghijkl", HAIL_HELLO_NONCE);
    bool more = judge(&h, hail_hello_begin(&h, kind, &opts));
    size_t piece = data[2] ? data[2] : size;
    for (size_t at = 3; more && at < size; at += piece)
        more = feed(&h, data + at, size - at < piece ? size - at : piece);
    if (more && how & 128)
        more = judge(&h, hail_hello_silent(&h));
    if (more)
        judge(&h, hail_hello_end(&h));
    hail_hello_free(&h);
    return 0;
}
