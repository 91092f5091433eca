/* resolve_idn.c - names in other scripts than ASCII, on their way into a question (proto/idn.c). */
#include "net/resolve.h"

#include "base/error.h"
#include "proto/idn.h"

#include <errno.h>

int hail_idn_to_ascii(struct hail_ctx *ctx, const char *name, char out[HAIL_HOST_MAX + 1])
{
    const char *why = "";
    bool ascii = hail_idn_is_ascii(name);
    int rc = hail_idn_map(name, out, HAIL_HOST_MAX + 1, &why);
    if (rc == -ENAMETOOLONG)
        return hail_name_fail(ctx, EINVAL, 0, name,
                              ascii ? "a name has at most 253 bytes"
                                    : "too long in the form that DNS carries");
    if (rc < 0)
        return hail_fail(ctx, HAIL_LAYER_NAME, -rc, "resolve",
                         "resolve %s: not an internationalized domain name: %s", name, why);
    if (!ascii)
        hail_trace_note(ctx, HAIL_LAYER_NAME, "resolve", "internationalized name: %s", out);
    return 0;
}
