/* fuzz_endpoint.c - whatever is taken as an endpoint is written back and read again as its equal.
 */
#include <hail/hail.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    struct hail_ctx ctx = HAIL_CTX_INIT;
    struct hail_endpoint ep, again;
    if (hail_endpoint_parse(&ctx, &ep, text, 0) == 0) {
        char canonical[HAIL_ENDPOINT_MAX];
        int n = hail_endpoint_format(&ep, canonical, sizeof canonical);
        if (n <= 0 || (size_t)n >= sizeof canonical ||
            hail_endpoint_parse(&ctx, &again, canonical, 0) < 0 ||
            !hail_endpoint_equal(&ep, &again))
            abort();
    } else if (ctx.err.errnum == 0 || ctx.err.msg[0] == '\0') {
        abort();
    }
    free(text);
    return 0;
}
