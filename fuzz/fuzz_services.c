/* fuzz_services.c - any file in place of /etc/services: rows stay within their bounds. */
#include "net/services.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hail_services_local l;
    if (hail_services_parse(&l, (const char *)data, size) < 0)
        return 0;
    for (size_t i = 0; i < l.n; i++)
        if (!*l.v[i].name || strpbrk(l.v[i].name, " \t\n#") || !l.v[i].protos ||
            strchr(l.v[i].description, '\n'))
            abort();
    hail_services_local_free(&l);
    return 0;
}
