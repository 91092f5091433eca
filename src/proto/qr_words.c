/* qr_words.c - the codewords of a QR Code symbol: the text as a bit stream, Reed-Solomon's error
 * correction over GF(256), and the blocks dealt out in turn; proto/qr.h.
 */
#include "proto/qr_code.h"

#include <string.h>

#define CORRECTION_MAX 26
#define BLOCKS_MAX     5

const struct qr_version hail_qr_versions[QR_VERSIONS + 1] = {
    {0},
    {1, 0, 16, 10, {0}},
    {1, 0, 28, 16, {6, 18}},
    {1, 0, 44, 26, {6, 22}},
    {2, 0, 32, 18, {6, 26}},
    {2, 0, 43, 24, {6, 30}},
    {4, 0, 27, 16, {6, 34}},
    {4, 0, 31, 18, {6, 22, 38}},
    {4, 2, 38, 22, {6, 24, 42}},
    {5, 2, 36, 22, {6, 26, 46}},
    {5, 1, 43, 26, {6, 28, 50}},
};

static size_t data_words(int version)
{
    const struct qr_version *v = &hail_qr_versions[version];
    return (size_t)v->blocks * v->data + v->longer;
}

/* The mode takes 4 bits, the length 8 (16 from version 10 on). */
int hail_qr_capacity(int version)
{
    return (int)data_words(version) - (version < 10 ? 2 : 3);
}

/* --- the bit stream --- */

static void put_bits(uint8_t *out, size_t *at, unsigned value, int bits)
{
    while (bits-- > 0) {
        if (value >> bits & 1)
            out[*at / 8] |= (uint8_t)(0x80 >> *at % 8);
        ++*at;
    }
}

static void put_text(int version, const uint8_t *text, size_t n, uint8_t *out)
{
    static const uint8_t pad[2] = {0xec, 0x11};
    size_t words = data_words(version), at = 0;
    memset(out, 0, words);
    put_bits(out, &at, 4, 4); /* byte mode */
    put_bits(out, &at, (unsigned)n, version < 10 ? 8 : 16);
    for (size_t i = 0; i < n; i++)
        put_bits(out, &at, text[i], 8);
    at += at + 4 <= words * 8 ? 4 : 0; /* the terminator */
    for (size_t i = (at + 7) / 8, odd = 0; i < words; i++, odd ^= 1)
        out[i] = pad[odd];
}

/* --- error correction --- */

static uint8_t multiply(uint8_t a, uint8_t b)
{
    unsigned product = 0;
    for (int bit = 7; bit >= 0; bit--) {
        product = (product << 1) ^ (product & 0x80 ? 0x11d : 0);
        product ^= b >> bit & 1 ? a : 0;
    }
    return (uint8_t)product;
}

/* The generator polynomial's coefficients below the highest, which is 1. */
static void generator(int degree, uint8_t g[CORRECTION_MAX])
{
    uint8_t root = 1;
    memset(g, 0, CORRECTION_MAX);
    g[degree - 1] = 1;
    for (int i = 0; i < degree; i++) {
        for (int j = 0; j < degree; j++)
            g[j] = multiply(g[j], root) ^ (j + 1 < degree ? g[j + 1] : 0);
        root = multiply(root, 2);
    }
}

static void correct(const uint8_t *data, size_t n, int degree, uint8_t *out)
{
    uint8_t g[CORRECTION_MAX];
    generator(degree, g);
    memset(out, 0, (size_t)degree);
    for (size_t i = 0; i < n; i++) {
        uint8_t factor = data[i] ^ out[0];
        memmove(out, out + 1, (size_t)degree - 1);
        out[degree - 1] = 0;
        for (int j = 0; j < degree; j++)
            out[j] ^= multiply(g[j], factor);
    }
}

size_t hail_qr_words(int version, const uint8_t *text, size_t n, uint8_t out[QR_WORDS_MAX])
{
    const struct qr_version *v = &hail_qr_versions[version];
    uint8_t data[QR_WORDS_MAX], correction[BLOCKS_MAX][CORRECTION_MAX] = {{0}};
    size_t starts[BLOCKS_MAX], sizes[BLOCKS_MAX], at = 0, count = 0;
    put_text(version, text, n, data);
    for (int b = 0; b < v->blocks; b++) {
        sizes[b] = v->data + (b >= v->blocks - v->longer ? 1U : 0);
        starts[b] = at;
        correct(data + at, sizes[b], v->correction, correction[b]);
        at += sizes[b];
    }
    for (size_t i = 0; i <= v->data; i++)
        for (int b = 0; b < v->blocks; b++)
            if (i < sizes[b])
                out[count++] = data[starts[b] + i];
    for (size_t i = 0; i < v->correction; i++)
        for (int b = 0; b < v->blocks; b++)
            out[count++] = correction[b][i];
    return count;
}
