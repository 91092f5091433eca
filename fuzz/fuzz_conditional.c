/* fuzz_conditional.c - the fields of a request that decide what of a file is sent: conditions,
 * ranges, qualities. Ranges lie within the file, apart from each other, and are no more than it.
 */
#include "proto/accept.h"
#include "proto/etag.h"
#include "proto/precondition.h"
#include "proto/range.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define RANGES 16
#define FIELDS 32

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void check_ranges(struct hail_slice value, uint64_t size)
{
    struct hail_range r[RANGES];
    char text[HAIL_CONTENT_RANGE_MAX];
    int n = hail_ranges(value, size, r, RANGES);
    must(n == -ERANGE || (n >= 0 && n <= RANGES));
    uint64_t sum = 0;
    for (int i = 0; i < n; i++) {
        must(r[i].length > 0 && r[i].first < size && r[i].length <= size - r[i].first);
        sum += r[i].length;
        hail_content_range(&r[i], size, text);
        for (int j = 0; j < i; j++)
            must(r[j].first + r[j].length < r[i].first || r[i].first + r[i].length < r[j].first);
    }
    must(n <= 0 || sum <= size);
}

static void check_head(const struct hail_http_fields *fields)
{
    const struct hail_validators v = {"\"abc\"", 1000000000}, none = {NULL, -1};
    const struct hail_http_field *f;
    unsigned q[HAIL_CODINGS];
    int status = hail_preconditions(fields, &v, 2000000000);
    must(status == 0 || status == 304 || status == 412);
    (void)hail_preconditions(fields, &none, 0);
    (void)hail_if_range(fields, &v, 2000000000);
    hail_accept_codings(fields, q);
    for (int c = 0; c < HAIL_CODINGS; c++)
        must(q[c] <= 1000);
    must(hail_accept_type(fields, "text/html") <= 1000);
    for (f = hail_http_field(fields, "Range", NULL); f; f = hail_http_field(fields, "Range", f)) {
        check_ranges(f->value, 10240);
        check_ranges(f->value, 0);
        check_ranges(f->value, UINT64_MAX);
    }
    if (hail_http_field(fields, "If-None-Match", NULL))
        (void)hail_etag_listed(hail_http_field(fields, "If-None-Match", NULL)->value, v.etag, true);
}

/* Lines of fields, without the request's first. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char first[] = "GET / HTTP/1.1\r\nHost: x\r\n", end[] = "\r\n\r\n";
    struct hail_http_field fields[FIELDS];
    struct hail_http_head head;
    size_t n = sizeof first - 1 + size + sizeof end - 1;
    char *text = malloc(n);
    must(text != NULL);
    memcpy(text, first, sizeof first - 1);
    if (size)
        memcpy(text + sizeof first - 1, data, size);
    memcpy(text + sizeof first - 1 + size, end, sizeof end - 1);
    hail_http_head_init(&head, fields, FIELDS, NULL);
    if (hail_http_request_parse(&head, text, n) > 0)
        check_head(&head.fields);
    free(text);
    return 0;
}
