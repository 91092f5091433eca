/* coding.c - names of content codings; proto/coding.h. */
#include "proto/coding.h"

static const struct {
    const char *name, *ending;
} codings[HAIL_CODINGS] = {
    [HAIL_CODING_IDENTITY] = {"identity", ""},
    [HAIL_CODING_GZIP] = {"gzip", ".gz"},
    [HAIL_CODING_BR] = {"br", ".br"},
    [HAIL_CODING_ZSTD] = {"zstd", ".zst"},
};

const char *hail_coding_name(enum hail_coding c)
{
    return codings[c].name;
}

const char *hail_coding_ending(enum hail_coding c)
{
    return codings[c].ending;
}

int hail_coding_of(struct hail_slice name)
{
    for (int i = 0; i < HAIL_CODINGS; i++)
        if (hail_slice_is_nocase(name, codings[i].name))
            return i;
    return hail_slice_is_nocase(name, "x-gzip") ? HAIL_CODING_GZIP : -1;
}
