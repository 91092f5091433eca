/* fuzz_disposition.c - names for files out of fields and paths: one that is taken stays in its
 * directory, is no option and not hidden, and is fit to be shown. Input: the size of the name's
 * memory, the text. */
#include "base/text.h"
#include "proto/disposition.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void sound(ssize_t rc, const char *name, size_t size)
{
    must(rc > 0 || rc == -EINVAL || rc == -ENOENT);
    if (rc < 0)
        return;
    size_t n = (size_t)rc;
    must(n < size && n <= 255 && strlen(name) == n);
    must(name[0] != '.' && name[0] != '-' && !strpbrk(name, "/\\") && hail_utf8_valid(name, n));
    for (size_t i = 0; i < n; i++)
        must((unsigned char)name[i] >= ' ' && name[i] != 0x7F);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    size_t room = (size_t)data[0] * 2 + 1;
    struct hail_slice text = {(const char *)data + 1, size - 1};
    char *out = malloc(room), *more = malloc(room + 1024);
    must(out && more);
    ssize_t n = hail_disposition_name(text, out, room);
    sound(n, out, room);
    if (n > 0 && room > text.n) /* more room makes no other name of it */
        must(hail_disposition_name(text, more, room + 1024) == n && strcmp(out, more) == 0);
    n = hail_path_name(text, out, room);
    must(n != -ENOENT);
    sound(n, out, room);
    free(out);
    free(more);
    return 0;
}
