/* fuzz_hosts.c - any bytes as a hosts file, in two pieces, and as a resolv.conf. */
#include "net/resolve.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int on_line(void *arg, const struct hail_hosts_line *line)
{
    struct hail_hosts_line rest = *line;
    struct hail_addr addr;
    const char *name;
    size_t n, names = 0;
    hail_hosts_addr(line, &addr);
    while ((n = hail_hosts_next_name(&rest, &name)) > 0) {
        if (memchr(name, '\n', n) || memchr(name, '#', n) || memchr(name, ' ', n))
            abort();
        names++;
    }
    if (!names)
        abort();
    ++*(size_t *)arg;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    size_t whole = 0, pieces = 0, cut = size ? data[0] % size : 0;
    if (hail_hosts_scan(text, size, true, on_line, &whole) != size)
        abort();
    size_t used = hail_hosts_scan(text, cut, false, on_line, &pieces);
    hail_hosts_scan(text + used, size - used, true, on_line, &pieces);
    if (pieces != whole)
        abort();
    struct hail_resolv_conf c;
    char asked[HAIL_HOST_MAX + 2];
    hail_resolv_conf_init(&c);
    hail_resolv_conf_parse(&c, text, size);
    if (c.nservers > HAIL_SERVERS_MAX || c.nsearch > HAIL_SEARCH_MAX || c.ndots > 15)
        abort();
    for (unsigned i = 0; hail_search_name(&c, "www.sub", false, i, asked); i++)
        if (strlen(asked) > HAIL_HOST_MAX)
            abort();
    return 0;
}
