/* fuzz_proc_net.c - any bytes in place of what /proc tells of sockets and those who hold them. */
#include "diag/holders.h"
#include "diag/rows.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void rows(const char *text, size_t n)
{
    static struct hail_diag_row row;
    row.info.kind = HAIL_KIND_TCP;
    if (hail_proc_inet_row(text, n, &row) == 0) {
        const struct hail_socket_info *i = &row.info;
        if (i->family != AF_INET && i->family != AF_INET6)
            abort();
        if (i->local.len == 0 || i->local.len != i->peer.len || (unsigned)i->state > HAIL_BOUND)
            abort();
    }
    row.info.kind = HAIL_KIND_UNIX;
    bool begins = hail_proc_unix_begins(text, n);
    int rc = hail_proc_unix_row(text, n, &row);
    if (begins != (rc == 0))
        abort();
    if (rc == 0 && row.info.name && (!row.info.name_len || row.info.name_len > sizeof row.name))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data, *from;
    uint32_t inode;
    rows(text, size);
    if (hail_socket_link(text, size, &inode) && size < sizeof "[0000]:0" - 1)
        abort();
    size_t n = hail_program_name(text, size, &from);
    if (from < text || from + n > text + size || memchr(from, '\0', n))
        abort();
    hail_stat_started(text, size);
    return 0;
}
