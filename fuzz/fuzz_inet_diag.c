/* fuzz_inet_diag.c - any bytes in place of the kernel's answer. */
#include "diag/netlink.h"
#include "diag/rows.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every reader on every payload, with all that can be wanted. */
static void read_all(const struct hail_nl_message *m)
{
    static int (*const readers[])(const void *, size_t, unsigned, struct hail_diag_row *) = {
        hail_inet_diag_row, hail_unix_diag_row, hail_packet_diag_row, hail_netlink_diag_row,
        hail_vsock_diag_row};
    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++) {
        static struct hail_diag_row row;
        if (readers[i](m->payload, m->len, ~0u, &row) != 0)
            continue;
        struct hail_endpoint local = hail_endpoint_of(&row.info.local);
        if (row.info.name && (row.info.name_len == 0 || row.info.name_len > sizeof row.name))
            abort();
        if (strlen(row.info.congestion) >= sizeof row.congestion ||
            (local.has_port && local.kind == HAIL_HOST_NAME))
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    void *copy = malloc(size ? size : 1); /* aligned */
    if (!copy)
        return 0;
    memcpy(copy, data, size);
    struct hail_nl nl = {copy, size};
    struct hail_nl_message m;
    size_t seen = 0;
    while (hail_nl_next(&nl, &m) == 1) {
        if (++seen > size / 16 || hail_nl_error(&m) > 0)
            abort();
        read_all(&m);
    }
    free(copy);
    return 0;
}
