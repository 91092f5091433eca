/* mime.h - the media type of a file by the ending of its name. */
#ifndef HAIL_PROTO_MIME_H
#define HAIL_PROTO_MIME_H

#include <stdbool.h>
#include <stddef.h>

#define HAIL_MIME_MAX 96 /* bytes of a Content-Type value with its NUL */

/* A table in the form of /etc/mime.types: lines of a type and its endings. All zero: the built-in
 * types alone. */
struct hail_mime {
    struct hail_mime_row *rows; /* owned, sorted by ending */
    size_t n;
};

/* Reads `text` of `n` bytes, from which types are copied; what is malformed is skipped. 0 or
 * -ENOMEM. */
int hail_mime_parse(struct hail_mime *m, const char *text, size_t n);
void hail_mime_free(struct hail_mime *m);

/* The value of Content-Type for a file called `name`, into `out`: text says that it is UTF-8;
 * "application/octet-stream" when the ending is not known. What the table does not have, the
 * built-in types may. */
void hail_mime_type(const struct hail_mime *m, const char *name, char out[HAIL_MIME_MAX]);

/* Whether content of a type (a Content-Type value) gets shorter by compression. */
bool hail_mime_compresses(const char *type);

#endif
