/* hello_looks.c - what the first bytes of a peer look like; proto/hello.h. */
#include "proto/hello.h"

#include <string.h>

const char *hail_hello_looks(const char *p, size_t n, enum hail_hello_kind *kind,
                             char out[HAIL_HELLO_LOOKS])
{
    *kind = HAIL_HELLO_NONE;
    *out = '\0';
    if (n >= 4 && memcmp(p, "SSH-", 4) == 0) {
        *kind = HAIL_HELLO_SSH;
        hail_hello_quote(out, p, n);
    } else if (n >= 5 && memcmp(p, "HTTP/", 5) == 0) {
        *kind = HAIL_HELLO_HTTP;
        hail_hello_quote(out, p, n);
    }
    return out;
}
