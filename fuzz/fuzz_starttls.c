/* fuzz_starttls.c - a peer that says anything before TLS. The first byte picks the protocol and
 * whether the greeting was read, the second how its bytes are cut into pieces. */
#include <hail/starttls.h>

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_failure(const struct hail_starttls_dialog *d, int rc)
{
    if (rc != -ECONNREFUSED && rc != -ENOTSUP && rc != -EPROTO && rc != -EMSGSIZE && rc != -EINVAL)
        abort();
    if (!*d->why || strnlen(d->why, sizeof d->why) == sizeof d->why)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hail_starttls_dialog d;
    if (size < 2)
        return 0;
    enum hail_starttls protocol = (enum hail_starttls)(data[0] % (HAIL_STARTTLS_XMPP + 1));
    int rc = hail_starttls_begin(&d, protocol, "a.example", data[0] & 0x80);
    size_t piece = data[1] ? data[1] : size;
    for (size_t at = 2; rc == 0 && at < size; at += piece) {
        size_t n = size - at < piece ? size - at : piece;
        char *copy = malloc(n); /* so that a byte too many is seen */
        if (!copy)
            return 0;
        memcpy(copy, data + at, n);
        rc = hail_starttls_take(&d, copy, n);
        free(copy);
        if (d.out_len > sizeof d.out || d.in_len > sizeof d.in || rc > 1)
            abort();
    }
    if (rc < 0)
        check_failure(&d, rc);
    return 0;
}
