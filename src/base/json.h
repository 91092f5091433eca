/* json.h - a streaming JSON writer (RFC 8259) into a buffer: commas and nesting are its business.
 */
#ifndef HAIL_BASE_JSON_H
#define HAIL_BASE_JSON_H

#include "base/buf.h"

#define HAIL_JSON_DEPTH 16

/* Begin with {.out = buf}. `key` is NULL inside arrays and at the top. Failures are in out->failed.
 */
struct hail_json {
    struct hail_buf *out;
    unsigned depth;
    bool more[HAIL_JSON_DEPTH + 1]; /* the container at this depth has a member already */
};

void hail_json_object(struct hail_json *j, const char *key);
void hail_json_array(struct hail_json *j, const char *key);
void hail_json_end_object(struct hail_json *j);
void hail_json_end_array(struct hail_json *j);
void hail_json_int(struct hail_json *j, const char *key, int64_t v);
void hail_json_bool(struct hail_json *j, const char *key, bool v);
void hail_json_null(struct hail_json *j, const char *key);
/* Seconds from nanoseconds, with nine decimals: exact. */
void hail_json_seconds(struct hail_json *j, const char *key, int64_t ns);
/* Text; bytes that are not UTF-8 become U+FFFD. Everything a terminal would act on is escaped. */
void hail_json_str(struct hail_json *j, const char *key, const char *s);
void hail_json_strn(struct hail_json *j, const char *key, const char *s, size_t n);
/* Bytes as they are: `key` as text where they are UTF-8, else `key`_base64 (RFC 4648 section 4). */
void hail_json_bytes(struct hail_json *j, const char *key, const void *data, size_t n);

#endif
