/* hello_ntp.c - NTP: the time, as a client of version 4 (RFC 5905 section 7.3); proto/hello.h. */
#include "proto/hello.h"

#include "proto/probe.h"

#include <errno.h>
#include <string.h>

static int begin(struct hail_hello *h)
{
    uint8_t question[HAIL_PROBE_MAX];
    size_t n = hail_probe_build(HAIL_PROBE_NTP, h->opts->nonce, question);
    return hail_hello_send(h, question, n);
}

static int take(struct hail_hello *h, const char *p, size_t n, size_t *used)
{
    char words[HAIL_PROBE_WORDS];
    *used = n;
    if (hail_probe_check(HAIL_PROBE_NTP, h->opts->nonce, p, n, words) < 0)
        return HAIL_HELLO_MORE; /* stray, or forged */
    h->greeted = true;
    hail_hello_note(h, "status", words, strlen(words));
    if (strncmp(words, "stratum", 7) != 0)
        return hail_hello_fail(h, -ECONNREFUSED, "the service answers: %s", words);
    h->spoke = true;
    return HAIL_HELLO_DONE;
}

const struct hail_hello_ops hail_hello_ntp = {
    .name = "ntp", .title = "NTP", .begin = begin, .take = take};
