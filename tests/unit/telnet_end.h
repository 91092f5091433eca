/* telnet_end.h - one end of a TELNET conversation for the tests: the engine, what it told as text,
 * and what it sent. */
#ifndef HAIL_TESTS_TELNET_END_H
#define HAIL_TESTS_TELNET_END_H

#include "base/buf.h"
#include "base/text.h"
#include "proto/telnet_text.h"

#include <hail/telnet.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* Octal, because such an escape ends after three digits. */
#define IAC  "\377"
#define DONT "\376"
#define DO   "\375"
#define WONT "\374"
#define WILL "\373"
#define SB   "\372"
#define SE   "\377\360"

struct telnet_end {
    struct hail_telnet t;
    struct hail_telnet_terminal terminal;
    struct hail_buf log;  /* events, each ended by '|'; data that came in pieces is one */
    struct hail_buf data; /* not yet in the log */
    struct hail_buf out;
    size_t urgent;   /* how far `out` went with the last urgent byte */
    int pause_after; /* events; 0: never */
    int fail_send;
    uint8_t sub[HAIL_TELNET_SUB_MAX];
};

/* Puts data that is still waiting into the log. */
static inline void telnet_end_settle(struct telnet_end *e)
{
    if (e->data.len == 0)
        return;
    hail_buf_str(&e->log, "\"");
    hail_text_safe(&e->log, e->data.p, e->data.len, false);
    hail_buf_str(&e->log, "\"|");
    hail_buf_clear(&e->data);
}

static inline void telnet_end_event(void *arg, const struct hail_telnet_event *ev)
{
    struct telnet_end *e = arg;
    if (e->pause_after > 0 && --e->pause_after == 0)
        hail_telnet_pause(&e->t);
    if (ev->type == HAIL_TELNET_DATA) {
        hail_buf_add(&e->data, ev->p, ev->n);
        return;
    }
    telnet_end_settle(e);
    switch (ev->type) {
    case HAIL_TELNET_OPTION:
        hail_buf_printf(&e->log, "%s %d %s|", ev->ours ? "ours" : "theirs", ev->option,
                        ev->on ? "on" : "off");
        break;
    case HAIL_TELNET_FLOW:
        hail_buf_printf(&e->log, "flow %d|", ev->code);
        break;
    case HAIL_TELNET_MODE:
        hail_buf_printf(&e->log, "mode %d|", ev->code);
        break;
    case HAIL_TELNET_SLC:
        hail_buf_printf(&e->log, "slc %d %d|", ev->code, ev->value);
        e->terminal.slc[ev->code].value = ev->value; /* as a terminal does */
        break;
    case HAIL_TELNET_MARK:
        hail_buf_printf(&e->log, "mark %d|", ev->on);
        break;
    case HAIL_TELNET_DROPPED:
        hail_buf_printf(&e->log, "dropped %d|", ev->option);
        break;
    default:
        hail_telnet_describe(&e->log, ev, "|");
        break;
    }
}

static inline int telnet_end_send(void *arg, const void *p, size_t n, bool urgent)
{
    struct telnet_end *e = arg;
    if (e->fail_send)
        return e->fail_send;
    assert_true(n > 0);
    hail_buf_add(&e->out, p, n);
    if (urgent) {
        assert_int_equal(n, 1);
        e->urgent = e->out.len;
    }
    return 0;
}

/* `sub_size`: at most that of `sub`. The terminal is 80 by 24 and knows nothing else. */
static inline void telnet_end_open(struct telnet_end *e, size_t sub_size)
{
    memset(e, 0, offsetof(struct telnet_end, sub));
    hail_buf_init(&e->log, 1 << 22);
    hail_buf_init(&e->data, 1 << 22);
    hail_buf_init(&e->out, 1 << 22);
    e->terminal.columns = 80;
    e->terminal.rows = 24;
    struct hail_telnet_config config = {.arg = e,
                                        .event = telnet_end_event,
                                        .send = telnet_end_send,
                                        .terminal = &e->terminal,
                                        .sub = sub_size ? e->sub : NULL,
                                        .sub_size = sub_size};
    hail_telnet_init(&e->t, &config);
}

static inline void telnet_end_close(struct telnet_end *e)
{
    hail_buf_free(&e->log);
    hail_buf_free(&e->data);
    hail_buf_free(&e->out);
}

/* The log so far; it begins anew. Valid until the next event. */
static inline const char *telnet_end_log(struct telnet_end *e)
{
    telnet_end_settle(e);
    hail_buf_char(&e->log, '\0');
    assert_int_equal(e->log.failed, 0);
    e->log.len = 0;
    return e->log.p;
}

static inline void telnet_end_takes(struct telnet_end *e, const void *p, size_t n)
{
    assert_int_equal(hail_telnet_receive(&e->t, p, n), n);
}

/* What was sent is exactly this; it is forgotten. */
static inline void telnet_end_sent(struct telnet_end *e, const void *p, size_t n)
{
    if (e->out.len != n || (n > 0 && memcmp(e->out.p, p, n) != 0)) {
        struct hail_buf b;
        hail_buf_init(&b, 1 << 16);
        hail_text_safe(&b, e->out.p, e->out.len, false);
        fail_msg("sent %zu bytes, not %zu: %s", e->out.len, n, b.p ? b.p : "");
    }
    hail_buf_clear(&e->out);
}

#define TAKES(e, s) telnet_end_takes(e, s, sizeof(s) - 1)
#define SENT(e, s)  telnet_end_sent(e, s, sizeof(s) - 1)
#define LOG(e, s)   assert_string_equal(telnet_end_log(e), s)

#endif
