/* telnet_sub.c - subnegotiations that take a line: terminal type, speed, display, size, flow
 * control, status. The others are handed to telnet_linemode.c and telnet_environ.c. */
#include "proto/telnet.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define TEXT_MAX 255 /* bytes of a terminal type or display */

/* A text after IS; what is too long to be one is not told. */
static void send_is(struct hail_telnet *t, uint8_t option, const char *text)
{
    uint8_t b[1 + TEXT_MAX + 1] = {HAIL_TELNET_IS};
    size_t n = strlen(text);
    if (n > TEXT_MAX)
        return;
    memcpy(b + 1, text, n + 1);
    hail_telnet_send_sub(t, option, b, 1 + n);
}

/* Each request gets the next type; the last comes twice to say that it is the last, then it begins
 * again: RFC 1091. */
static void send_type(struct hail_telnet *t)
{
    const struct hail_telnet_terminal *term = t->config.terminal;
    size_t n = term ? term->ntypes : 0;
    if (t->type_at > n)
        t->type_at = 0;
    const char *type = n == 0 ? "UNKNOWN" : term->types[t->type_at < n ? t->type_at : n - 1];
    t->type_at++;
    send_is(t, HAIL_TELOPT_TTYPE, type);
}

static void send_speed(struct hail_telnet *t)
{
    const struct hail_telnet_terminal *term = t->config.terminal;
    char text[32];
    snprintf(text, sizeof text, "%u,%u", term ? term->ospeed : 0, term ? term->ispeed : 0);
    send_is(t, HAIL_TELOPT_TSPEED, text);
}

/* Without a display (any more) the option goes off. */
static void send_display(struct hail_telnet *t)
{
    const char *display = t->config.terminal ? t->config.terminal->display : NULL;
    if (display && strlen(display) <= TEXT_MAX)
        send_is(t, HAIL_TELOPT_XDISPLOC, display);
    else
        hail_telnet_ask(t, HAIL_TELNET_WONT, HAIL_TELOPT_XDISPLOC);
}

/* What is on: RFC 859. */
static void send_status(struct hail_telnet *t)
{
    uint8_t b[1 + 256 * 4] = {HAIL_TELNET_IS};
    size_t n = 1;
    for (int option = 0; option < 256; option++) {
        if (hail_telnet_ours(t, (uint8_t)option)) {
            b[n++] = HAIL_TELNET_WILL;
            b[n++] = (uint8_t)option;
        }
        if (hail_telnet_theirs(t, (uint8_t)option)) {
            b[n++] = HAIL_TELNET_DO;
            b[n++] = (uint8_t)option;
        }
    }
    hail_telnet_send_sub(t, HAIL_TELOPT_STATUS, b, n);
}

int hail_telnet_ask_status(struct hail_telnet *t)
{
    if (!hail_telnet_wanted(t, HAIL_TELOPT_STATUS, false))
        return -EOPNOTSUPP;
    return hail_telnet_send_sub(t, HAIL_TELOPT_STATUS, &(const uint8_t){HAIL_TELNET_SEND}, 1);
}

int hail_telnet_resized(struct hail_telnet *t)
{
    const struct hail_telnet_terminal *term = t->config.terminal;
    if (!term || !hail_telnet_ours(t, HAIL_TELOPT_NAWS))
        return t->failed;
    const uint8_t b[] = {(uint8_t)(term->columns >> 8), (uint8_t)term->columns,
                         (uint8_t)(term->rows >> 8), (uint8_t)term->rows};
    return hail_telnet_send_sub(t, HAIL_TELOPT_NAWS, b, sizeof b);
}

static void tell_flow(const struct hail_telnet *t, uint8_t code)
{
    hail_telnet_tell(t, &(struct hail_telnet_event){.type = HAIL_TELNET_FLOW, .code = code});
}

void hail_telnet_ours_on(struct hail_telnet *t, uint8_t option)
{
    switch (option) {
    case HAIL_TELOPT_NAWS:
        hail_telnet_resized(t);
        break;
    case HAIL_TELOPT_TTYPE:
        t->type_at = 0;
        break;
    case HAIL_TELOPT_LFLOW: /* RFC 1372: on, until told otherwise */
        tell_flow(t, HAIL_TELNET_FLOW_ON);
        break;
    case HAIL_TELOPT_LINEMODE:
        hail_telnet_slc_export(t);
        break;
    default:
        break;
    }
}

void hail_telnet_ours_off(struct hail_telnet *t, uint8_t option)
{
    if (option == HAIL_TELOPT_LINEMODE)
        t->mode = 0;
}

void hail_telnet_sub_came(struct hail_telnet *t, uint8_t option, uint8_t *p, size_t n)
{
    if (!hail_telnet_wanted(t, option, true))
        return;
    bool asked = p[0] == HAIL_TELNET_SEND;
    switch (option) {
    case HAIL_TELOPT_TTYPE:
        if (asked)
            send_type(t);
        break;
    case HAIL_TELOPT_TSPEED:
        if (asked)
            send_speed(t);
        break;
    case HAIL_TELOPT_XDISPLOC:
        if (asked)
            send_display(t);
        break;
    case HAIL_TELOPT_STATUS:
        if (asked)
            send_status(t);
        break;
    case HAIL_TELOPT_LFLOW:
        if (p[0] <= HAIL_TELNET_FLOW_RESTART_XON)
            tell_flow(t, p[0]);
        break;
    case HAIL_TELOPT_LINEMODE:
        hail_telnet_linemode_came(t, p, n);
        break;
    case HAIL_TELOPT_NEW_ENVIRON:
        hail_telnet_environ_came(t, p, n);
        break;
    default:
        break;
    }
}
