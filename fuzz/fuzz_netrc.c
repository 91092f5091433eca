/* fuzz_netrc.c - files of secrets: whatever they hold, what is found is a text, the one for the
 * user who was asked for, and a line that is complained of is there. */
#include "proto/challenge.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static int find(struct hail_slice text, const char *host, char *user, unsigned lines)
{
    char password[HAIL_SECRET_MAX] = "left";
    char was[HAIL_SECRET_MAX];
    unsigned line = 0;
    memcpy(was, user, sizeof was);
    int rc = hail_netrc_find(text, host, user, password, &line);
    must(rc == 1 || rc == 0 || rc == -EINVAL);
    must(line >= 1 && line <= lines + 1);
    must(memchr(user, '\0', HAIL_SECRET_MAX) && memchr(password, '\0', sizeof password));
    if (rc == 1)
        must(!*was || strcmp(user, was) == 0);
    else
        must(strcmp(user, was) == 0 && strcmp(password, "left") == 0);
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char user[HAIL_SECRET_MAX] = "", again[HAIL_SECRET_MAX] = "nobody";
    struct hail_slice text = {(const char *)data, size};
    unsigned lines = 0;
    for (size_t i = 0; i < size; i++)
        lines += data[i] == '\n';
    if (find(text, "h", user, lines) == 1 && *user)
        must(find(text, "h", user, lines) ==
             1); /* the same entry, or an earlier one of that user */
    find(text, "h", again, lines);
    memset(user, 0, sizeof user);
    find(text, "", user, lines);
    return 0;
}
