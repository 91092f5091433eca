/* hello_redis.c - Redis: PING in the protocol RESP; proto/hello.h. That a password is wanted shows
 * that it is there. */
#include "proto/hello.h"

#include <errno.h>
#include <string.h>

static int begin(struct hail_hello *h)
{
    return hail_hello_say(h, "*1\r\n$4\r\nPING\r\n");
}

static bool begins(const char *line, const char *with)
{
    return strncmp(line, with, strlen(with)) == 0;
}

static int line_came(struct hail_hello *h, const char *line, size_t n)
{
    bool locked = begins(line, "-NOAUTH") || begins(line, "-NOPERM");
    if (!locked && strcmp(line, "+PONG") != 0) {
        /* an error of Redis has a word in capitals: -LOADING, -MASTERDOWN, -DENIED, -ERR */
        bool error =
            *line == '-' && n > 3 && line[1] >= 'A' && line[1] <= 'Z' && !begins(line, "-ERR ");
        h->greeted |= error;
        return error ? hail_hello_refused(h, line + 1, n - 1) : hail_hello_strange(h, line, n);
    }
    h->greeted = h->spoke = true;
    hail_hello_note(h, "banner", line + 1, n - 1);
    return HAIL_HELLO_DONE;
}

const struct hail_hello_ops hail_hello_redis = {
    .name = "redis", .title = "Redis", .begin = begin, .line = line_came};
