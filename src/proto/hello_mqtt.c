/* hello_mqtt.c - MQTT 3.1.1: CONNECT with a clean session, CONNACK, DISCONNECT (OASIS,
 * sections 3.1, 3.2, 3.14); proto/hello.h. Nothing is published, and nothing subscribed to. */
#include "proto/hello.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int begin(struct hail_hello *h)
{
    /* fixed head; name of the protocol, level 4, clean session, keep alive 10 s; client identifier
     */
    char out[32] = {0x10, 0, 0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 10, 0, 16};
    snprintf(out + 14, sizeof out - 14, "hail%02x%02x%02x%02x%02x%02x", h->opts->nonce[0],
             h->opts->nonce[1], h->opts->nonce[2], h->opts->nonce[3], h->opts->nonce[4],
             h->opts->nonce[5]);
    out[1] = 12 + 16;
    return hail_hello_send(h, out, 14 + 16);
}

static int take(struct hail_hello *h, const char *p, size_t n, size_t *used)
{
    static const char *const codes[] = {
        "connection accepted",
        "it does not take version 3.1.1",
        "it does not take this identifier",
        "server not available",
        "it wants a user and a password",
        "not authorised",
    };
    static const char head[] = {0x20, 2};
    if (memcmp(p, head, n < 2 ? n : 2) != 0)
        return hail_hello_strange(h, p, n);
    if (n < 4)
        return HAIL_HELLO_MORE;
    *used = 4;
    unsigned code = (unsigned char)p[3];
    if (code >= sizeof codes / sizeof *codes)
        return hail_hello_strange(h, p, n);
    h->greeted = true;
    hail_hello_note(h, "status", codes[code], strlen(codes[code]));
    if (code == 3)
        return hail_hello_fail(h, -ECONNREFUSED, "the service says: %s", codes[code]);
    h->spoke = true;
    static const char disconnect[] = {(char)0xE0, 0};
    if (code == 0)
        hail_hello_send(h, disconnect, sizeof disconnect);
    return HAIL_HELLO_DONE;
}

const struct hail_hello_ops hail_hello_mqtt = {
    .name = "mqtt", .title = "MQTT", .begin = begin, .take = take};
