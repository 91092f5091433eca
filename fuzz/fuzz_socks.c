/* fuzz_socks.c - a SOCKS proxy that answers anything: the first byte picks version and target. */
#include "proto/socks.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum hail_proxy_kind kinds[] = {HAIL_PROXY_SOCKS4, HAIL_PROXY_SOCKS4A,
                                                 HAIL_PROXY_SOCKS5, HAIL_PROXY_SOCKS5H};
    static const char *const hosts[] = {"192.0.2.1", "2001:db8::1", "a.example", ""};
    if (size == 0)
        return 0;
    struct hail_endpoint to = {.kind = HAIL_HOST_NAME, .port = 80, .has_port = true};
    const char *host = hosts[data[0] >> 2 & 3];
    if ((data[0] >> 2 & 3) == 3)
        memset(to.host, 'x', HAIL_HOST_MAX);
    else
        memcpy(to.host, host, strlen(host));
    to.kind = (data[0] >> 2 & 3) == 0   ? HAIL_HOST_IPV4
              : (data[0] >> 2 & 3) == 1 ? HAIL_HOST_IPV6
                                        : HAIL_HOST_NAME;
    struct hail_socks s;
    int rc = hail_socks_begin(&s, kinds[data[0] & 3], &to, data[0] & 16 ? "user" : "",
                              data[0] & 32 ? "password" : "");
    size_t at = 1;
    while (rc == 0) {
        if (s.out_len > sizeof s.out || s.need == 0 || s.need > HAIL_SOCKS_MAX)
            abort();
        if (size - at < s.need)
            break;
        size_t need = s.need;
        rc = hail_socks_take(&s, data + at);
        at += need;
    }
    if (rc < 0 && !*hail_socks_reason(kinds[data[0] & 3], s.code))
        abort();
    return 0;
}
