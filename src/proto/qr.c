/* qr.c - QR Code symbols: where the modules are drawn, and the mask that suits them; proto/qr.h.
 * The sections are those of ISO/IEC 18004:2015.
 */
#include "proto/qr.h"

#include "proto/qr_code.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A symbol under way: `fixed` are the modules that carry no codewords. */
struct drawing {
    struct hail_qr *qr;
    int version, side;
    bool fixed[HAIL_QR_SIDE_MAX][HAIL_QR_SIDE_MAX];
};

/* --- patterns, section 6.3 --- */

static void set(struct drawing *d, int row, int column, bool dark)
{
    if (row < 0 || column < 0 || row >= d->side || column >= d->side)
        return;
    d->qr->dark[row][column] = dark;
    d->fixed[row][column] = true;
}

/* Squares within squares around a centre, with a light border of a finder. */
static void draw_square(struct drawing *d, int row, int column, int radius)
{
    for (int y = -radius; y <= radius; y++)
        for (int x = -radius; x <= radius; x++) {
            int ring = abs(x) > abs(y) ? abs(x) : abs(y);
            set(d, row + y, column + x, radius == 4 ? ring != 2 && ring != 4 : ring != 1);
        }
}

static void draw_patterns(struct drawing *d)
{
    const uint8_t *align = hail_qr_versions[d->version].align;
    int last = d->side - 7;
    for (int i = 0; i < d->side; i++) {
        set(d, 6, i, i % 2 == 0);
        set(d, i, 6, i % 2 == 0);
    }
    draw_square(d, 3, 3, 4);
    draw_square(d, 3, d->side - 4, 4);
    draw_square(d, d->side - 4, 3, 4);
    for (int i = 0; i < 3 && align[i]; i++)
        for (int j = 0; j < 3 && align[j]; j++) {
            bool finder = (align[i] == 6 && (align[j] == 6 || align[j] == last)) ||
                          (align[i] == last && align[j] == 6);
            if (!finder)
                draw_square(d, align[i], align[j], 2);
        }
}

/* --- format and version, sections 7.9 and 7.10 --- */

/* `bits` of data and the remainder of their division by a BCH code's generator. */
static unsigned with_check(unsigned data, int check_bits, unsigned divisor)
{
    unsigned rest = data;
    for (int i = 0; i < check_bits; i++)
        rest = (rest << 1) ^ (rest >> (check_bits - 1) & 1 ? divisor : 0);
    return data << check_bits | (rest & ((1U << check_bits) - 1));
}

static void draw_format(struct drawing *d, unsigned mask)
{
    unsigned bits = with_check(mask, 10, 0x537) ^ 0x5412; /* level M is 00 */
    for (int i = 0; i < 15; i++) {
        bool dark = bits >> i & 1;
        int along = i < 6 ? i : i < 8 ? i + 1 : d->side - 15 + i;
        set(d, along, 8, dark);
        along = i < 8 ? d->side - 1 - i : i == 8 ? 7 : 14 - i;
        set(d, 8, along, dark);
    }
    set(d, d->side - 8, 8, true);
}

static void draw_version(struct drawing *d)
{
    unsigned bits = with_check((unsigned)d->version, 12, 0x1f25);
    for (int i = 0; d->version >= 7 && i < 18; i++) {
        bool dark = bits >> i & 1;
        set(d, i / 3, d->side - 11 + i % 3, dark);
        set(d, d->side - 11 + i % 3, i / 3, dark);
    }
}

/* --- codewords, section 7.7.3 --- */

/* Two columns at a time, from the right, up and down in turn. */
static void draw_words(struct drawing *d, const uint8_t *words, size_t n)
{
    size_t bit = 0;
    for (int right = d->side - 1; right > 0; right -= 2) {
        if (right == 6)
            right = 5; /* the timing pattern's column */
        bool up = ((right + 1) & 2) == 0;
        for (int i = 0; i < d->side; i++)
            for (int column = right; column > right - 2; column--) {
                int row = up ? d->side - 1 - i : i;
                if (d->fixed[row][column])
                    continue;
                d->qr->dark[row][column] =
                    bit < n * 8 && (words[bit / 8] >> (7 - bit % 8) & 1) != 0;
                bit++;
            }
    }
}

/* --- masks, section 7.8 --- */

static bool flips(unsigned mask, int i, int j)
{
    switch (mask) {
    case 0:
        return (i + j) % 2 == 0;
    case 1:
        return i % 2 == 0;
    case 2:
        return j % 3 == 0;
    case 3:
        return (i + j) % 3 == 0;
    case 4:
        return (i / 2 + j / 3) % 2 == 0;
    case 5:
        return i * j % 2 + i * j % 3 == 0;
    case 6:
        return (i * j % 2 + i * j % 3) % 2 == 0;
    default:
        return ((i + j) % 2 + i * j % 3) % 2 == 0;
    }
}

static void apply_mask(struct drawing *d, unsigned mask)
{
    for (int i = 0; i < d->side; i++)
        for (int j = 0; j < d->side; j++)
            if (!d->fixed[i][j] && flips(mask, i, j))
                d->qr->dark[i][j] = !d->qr->dark[i][j];
}

/* Runs of five and more, and what looks like a finder, along one line. */
static int line_penalty(const struct drawing *d, int line, bool across)
{
    int penalty = 0, run = 0;
    unsigned last = 0, window = 0;
    for (int i = 0; i < d->side; i++) {
        unsigned dark = across ? d->qr->dark[line][i] : d->qr->dark[i][line];
        run = i && dark == last ? run + 1 : 1;
        last = dark;
        penalty += run == 5 ? 3 : run > 5 ? 1 : 0;
        window = (window << 1 | dark) & 0x7ff;
        if (i >= 10 && (window == 0x5d0 || window == 0x05d))
            penalty += 40;
    }
    return penalty;
}

static int penalty(const struct drawing *d)
{
    int sum = 0, dark = 0, all = d->side * d->side;
    for (int i = 0; i < d->side; i++) {
        sum += line_penalty(d, i, true) + line_penalty(d, i, false);
        for (int j = 0; j < d->side; j++) {
            bool here = d->qr->dark[i][j];
            dark += here;
            if (i && j && d->qr->dark[i - 1][j] == here && d->qr->dark[i][j - 1] == here &&
                d->qr->dark[i - 1][j - 1] == here)
                sum += 3;
        }
    }
    return sum + abs(dark * 20 - all * 10) / all * 10;
}

static void choose_mask(struct drawing *d)
{
    unsigned best = 0;
    int least = -1;
    for (unsigned mask = 0; mask < 8; mask++) {
        apply_mask(d, mask);
        draw_format(d, mask);
        int now = penalty(d);
        if (least < 0 || now < least) {
            least = now;
            best = mask;
        }
        apply_mask(d, mask); /* twice is not at all */
    }
    apply_mask(d, best);
    draw_format(d, best);
}

int hail_qr(const void *text, size_t n, struct hail_qr *out)
{
    struct drawing d = {.qr = out, .version = 1};
    uint8_t words[QR_WORDS_MAX];
    while (d.version <= QR_VERSIONS && n > (size_t)hail_qr_capacity(d.version))
        d.version++;
    if (d.version > QR_VERSIONS)
        return -EMSGSIZE;
    memset(out, 0, sizeof *out);
    out->side = d.side = 17 + 4 * d.version;
    draw_patterns(&d);
    draw_format(&d, 0); /* its place */
    draw_version(&d);
    draw_words(&d, words, hail_qr_words(d.version, text, n, words));
    choose_mask(&d);
    return 0;
}
