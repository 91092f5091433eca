/* idn.c - names in other scripts than ASCII: IDNA 2008 by libidn2. See idn.h.
 *
 * The library is called for such names only: what is ASCII goes to the wire as it was written.
 */
#include "proto/idn.h"

#include <errno.h>
#include <idn2.h>
#include <string.h>

bool hail_idn_is_ascii(const char *s)
{
    for (; *s; s++)
        if ((unsigned char)*s >= 0x80)
            return false;
    return true;
}

int hail_idn_map(const char *name, char *out, size_t size, const char **why)
{
    char *ace = NULL;
    const char *mapped = name;
    if (!hail_idn_is_ascii(name)) {
        int rc = idn2_to_ascii_8z(name, &ace, IDN2_NONTRANSITIONAL | IDN2_NFC_INPUT);
        if (rc != IDN2_OK) {
            *why = idn2_strerror(rc);
            return rc == IDN2_MALLOC ? -ENOMEM : -EINVAL;
        }
        mapped = ace;
    }
    size_t n = strlen(mapped);
    if (n < size)
        memcpy(out, mapped, n + 1);
    idn2_free(ace);
    return n < size ? 0 : -ENAMETOOLONG;
}
