/* resolve_idn.c - names in other scripts than ASCII: IDNA 2008 by libidn2.
 *
 * The library is called for such names only; ASCII goes to the wire as it was written.
 */
#include "net/resolve.h"

#include "base/error.h"

#include <errno.h>
#include <idn2.h>
#include <string.h>

static bool is_ascii(const char *s)
{
    for (; *s; s++)
        if ((unsigned char)*s >= 0x80)
            return false;
    return true;
}

int hail_idn_to_ascii(struct hail_ctx *ctx, const char *name, char out[HAIL_HOST_MAX + 1])
{
    size_t n = strlen(name);
    if (is_ascii(name)) {
        if (n > HAIL_HOST_MAX)
            return hail_name_fail(ctx, EINVAL, 0, name, "a name has at most 253 bytes");
        memcpy(out, name, n + 1);
        return 0;
    }
    char *ace = NULL;
    int rc = idn2_to_ascii_8z(name, &ace, IDN2_NONTRANSITIONAL | IDN2_NFC_INPUT);
    if (rc != IDN2_OK) {
        hail_fail(ctx, HAIL_LAYER_NAME, rc == IDN2_MALLOC ? ENOMEM : EINVAL, "resolve",
                  "resolve %s: not an internationalized domain name: %s", name, idn2_strerror(rc));
        return rc == IDN2_MALLOC ? -ENOMEM : -EINVAL;
    }
    n = strlen(ace);
    if (n <= HAIL_HOST_MAX)
        memcpy(out, ace, n + 1);
    idn2_free(ace);
    if (n > HAIL_HOST_MAX)
        return hail_name_fail(ctx, EINVAL, 0, name, "too long in the form that DNS carries");
    hail_trace_note(ctx, HAIL_LAYER_NAME, "resolve", "internationalized name: %s", out);
    return 0;
}
