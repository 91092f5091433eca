/* fuzz_dns.c - any bytes as a DNS message: every record is read and written, aliases are followed.
 * What is written must be printable ASCII, and addresses stay within their bound. */
#include "proto/dns.h"

#include <errno.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hail_dns_msg m;
    struct hail_dns_rr rr;
    struct hail_dns_addresses found;
    struct hail_buf text;
    if (hail_dns_begin(&m, data, size) < 0)
        return 0;
    hail_buf_init(&text, HAIL_DNS_TEXT_MAX);
    while (hail_dns_next(&m, &rr) > 0) {
        hail_buf_clear(&text);
        if (hail_dns_data_text(&m, &rr, &text) == -EMSGSIZE || m.at > size)
            abort();
        for (size_t i = 0; i < text.len; i++)
            if (text.p[i] < ' ' || text.p[i] > '~')
                abort();
    }
    hail_buf_free(&text);
    for (int type = HAIL_DNS_A; type <= HAIL_DNS_AAAA; type += HAIL_DNS_AAAA - HAIL_DNS_A)
        if (hail_dns_addresses(data, size, (uint16_t)type, &found) == 0 &&
            (found.n > HAIL_DNS_ADDRESSES_MAX || found.aliases > HAIL_DNS_CHAIN_MAX))
            abort();
    return 0;
}
