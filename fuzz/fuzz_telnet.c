/* fuzz_telnet.c - TELNET: the same events and answers however the bytes are cut, every answer well
 * formed, no answer out of proportion, and data that comes out as it went in. The first two bytes
 * choose how the engine is set up. */
#include "proto/telnet_text.h"

#include <hail/telnet.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static const struct hail_telnet_var vars[] = {
    {"USER", "ada", true}, {"SECRET", "sesame", false}, {"X\001", "\002\003\377", true}};
static const char *const types[] = {"XTERM", "VT100"};
static const struct hail_telnet_terminal terminal = {
    .types = types,
    .ntypes = 2,
    .display = "h:0",
    .columns = 255,
    .rows = 65280,
    .ospeed = 38400,
    .ispeed = 38400,
    .vars = vars,
    .nvars = sizeof vars / sizeof *vars,
    .slc = {[HAIL_TELNET_SLC_IP] = {HAIL_TELNET_SLC_VALUE | HAIL_TELNET_SLC_FLUSHIN, 3},
            [HAIL_TELNET_SLC_AO] = {HAIL_TELNET_SLC_DEFAULT, 0},
            [HAIL_TELNET_SLC_EOF] = {HAIL_TELNET_SLC_CANTCHANGE, 4}}};

/* One end; what it told and sent is kept as hashes that do not depend on how data was cut. */
struct end {
    struct hail_telnet t;
    uint64_t told, sent;
    size_t sent_n;
    struct hail_buf *words, *wire; /* NULL: not wanted */
    uint8_t sub[512];
};

static uint64_t mix(uint64_t h, unsigned v)
{
    return (h ^ v) * 0x100000001B3ULL;
}

static void event(void *arg, const struct hail_telnet_event *ev)
{
    struct end *e = arg;
    if (ev->type != HAIL_TELNET_DATA) {
        const unsigned parts[] = {0x200U + ev->type, ev->sent,  ev->ours,   ev->on,    ev->code,
                                  ev->option,        ev->value, ev->end[0], ev->end[1]};
        for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
            e->told = mix(e->told, parts[i]);
    }
    for (size_t i = 0; i < ev->n; i++)
        e->told = mix(e->told, 0x100U + ev->p[i]);
    if (e->words) {
        hail_telnet_describe(e->words, ev, "\n");
        for (size_t i = 0; i < e->words->len; i++)
            must(e->words->p[i] == '\n' || (uint8_t)e->words->p[i] >= ' ');
        must(!ev->sent || !e->words->p || !strstr(e->words->p, "\"SECRET\" VALUE"));
        hail_buf_clear(e->words);
    }
}

static int collect(void *arg, const void *p, size_t n, bool urgent)
{
    struct end *e = arg;
    must(n > 0 && !urgent);
    for (size_t i = 0; i < n; i++)
        e->sent = mix(e->sent, ((const uint8_t *)p)[i]);
    e->sent_n += n;
    return e->wire ? hail_buf_add(e->wire, p, n) : 0;
}

static void start(struct end *e, unsigned how)
{
    memset(e, 0, offsetof(struct end, sub));
    struct hail_telnet_config config = {.arg = e,
                                        .event = event,
                                        .send = collect,
                                        .terminal = how & 1 ? &terminal : NULL,
                                        .sub = how & 2 ? e->sub : NULL,
                                        .sub_size = how & 2 ? sizeof e->sub : 0};
    hail_telnet_init(&e->t, &config);
    e->t.newline.raw = how & 4;
    e->t.newline.fold_crlf = how & 8;
    e->t.newline.crmod = how & 16;
    e->t.newline.lines = how & 32;
    e->t.newline.cr_crlf = how & 64;
    if (how & 128)
        hail_telnet_allow_client(&e->t);
    for (int option = 0; how & 256 && option < 256; option++)
        hail_telnet_allow(&e->t, (uint8_t)option, true, true);
    if (how & 512)
        hail_telnet_begin(&e->t);
    if (how & 1024)
        hail_telnet_urgent(&e->t);
    if (how & 2048)
        hail_telnet_flush_output(&e->t);
}

static int run(struct end *e, const uint8_t *p, size_t n, size_t step)
{
    for (size_t at = 0; at < n; at += step) {
        size_t piece = step < n - at ? step : n - at;
        char *exact = malloc(piece); /* so that a byte beyond it is found */
        must(exact != NULL);
        memcpy(exact, p + at, piece);
        must(hail_telnet_receive(&e->t, exact, piece) == (ssize_t)piece);
        free(exact);
    }
    return hail_telnet_end(&e->t);
}

/* The bytes as data from one end to another. */
static void there_and_back(const uint8_t *p, size_t n, size_t step)
{
    static struct end from, to;
    struct hail_buf wire;
    hail_buf_init(&wire, 4 * n + 64);
    start(&from, 4);
    from.wire = &wire;
    for (size_t at = 0; at < n; at += step)
        must(hail_telnet_send_data(&from.t, p + at, step < n - at ? step : n - at) == 0);
    start(&to, 4);
    must(run(&to, (const uint8_t *)wire.p, wire.len, step) == 0);
    uint64_t told = 0;
    for (size_t i = 0; i < n; i++)
        told = mix(told, 0x100U + p[i]);
    must(to.told == told && to.sent_n == 0);
    hail_buf_free(&wire);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct end whole, bytes, threes, other;
    struct hail_buf words, wire;
    if (size < 2)
        return 0;
    unsigned how = data[0] | (unsigned)data[1] << 8;
    data += 2;
    size -= 2;
    hail_buf_init(&words, 1 << 20);
    hail_buf_init(&wire, 1 << 24);
    start(&whole, how);
    size_t begun = whole.sent_n;
    whole.words = &words;
    whole.wire = &wire;
    int ended = run(&whole, data, size, size ? size : 1);
    must(whole.sent_n - begun <= 256 * size);
    start(&bytes, how);
    must(run(&bytes, data, size, 1) == ended);
    start(&threes, how);
    must(run(&threes, data, size, 3) == ended);
    must(bytes.told == whole.told && bytes.sent == whole.sent);
    must(threes.told == whole.told && threes.sent == whole.sent);
    start(&other, 0); /* refuses all: it only has to read what was answered */
    must(run(&other, (const uint8_t *)wire.p, wire.len, 4096) == 0);
    there_and_back(data, size, 5);
    hail_buf_free(&words);
    hail_buf_free(&wire);
    return 0;
}
