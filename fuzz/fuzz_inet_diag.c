/* fuzz_inet_diag.c - any bytes in place of the kernel's answer. */
#include "diag/inet_diag.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int each(void *arg, const struct hail_socket_info *info)
{
    struct hail_endpoint a = hail_endpoint_of(&info->local), b = hail_endpoint_of(&info->peer);
    ++*(int *)arg;
    return a.port == 4711 && b.port == 4711;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int seen = 0, stopped = 0;
    void *copy = malloc(size ? size : 1); /* aligned */
    if (!copy)
        return 0;
    memcpy(copy, data, size);
    int rc = hail_inet_diag_read(copy, size, IPPROTO_TCP, each, &seen, &stopped);
    if (rc > 1 || (stopped && rc != 1) || (size_t)seen > size / 16)
        abort();
    free(copy);
    return 0;
}
