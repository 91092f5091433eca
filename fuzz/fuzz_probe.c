/* fuzz_probe.c - any datagram as the answer to each of the questions. The first byte picks the
 * question, whose nonce is all 'n', so that the corpus can answer it. What is said about an answer
 * must be printable. */
#include "proto/probe.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t nonce[HAIL_PROBE_NONCE], question[HAIL_PROBE_MAX];
    char words[HAIL_PROBE_WORDS];
    if (size < 1)
        return 0;
    enum hail_probe kind = (enum hail_probe)(data[0] % (HAIL_PROBE_STUN + 1));
    memset(nonce, 'n', sizeof nonce);
    if (hail_probe_build(kind, nonce, question) > sizeof question)
        abort();
    if (hail_probe_check(kind, nonce, data + 1, size - 1, words) < 0)
        return 0;
    if (kind == HAIL_PROBE_NONE || !*words)
        abort();
    for (const char *c = words; *c; c++)
        if (*c < ' ' || *c > '~')
            abort();
    return 0;
}
