/* hello_memcached.c - memcached: its version, in the text protocol; proto/hello.h. */
#include "proto/hello.h"

#include <errno.h>
#include <string.h>

static int begin(struct hail_hello *h)
{
    return hail_hello_say(h, "version\r\n");
}

static int line_came(struct hail_hello *h, const char *line, size_t n)
{
    if (strncmp(line, "SERVER_ERROR", 12) == 0)
        return hail_hello_refused(h, line, n);
    bool locked = strncmp(line, "CLIENT_ERROR", 12) == 0; /* it wants a login */
    if (!locked && strncmp(line, "VERSION ", 8) != 0)
        return hail_hello_strange(h, line, n);
    h->greeted = h->spoke = true;
    if (!locked)
        hail_hello_note(h, "software", line + 8, n - 8);
    hail_hello_note(h, "banner", line, n);
    hail_hello_say(h, "quit\r\n");
    return HAIL_HELLO_DONE;
}

const struct hail_hello_ops hail_hello_memcached = {
    .name = "memcached", .title = "memcached", .begin = begin, .line = line_came};
