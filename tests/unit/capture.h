/* capture.h - a capture file (pcapng) read back: its blocks and options are whole, its packets have
 * right lengths and checksums. Nothing of it comes from what writes the file. */
#ifndef HAIL_TESTS_CAPTURE_H
#define HAIL_TESTS_CAPTURE_H

#include "peer.h"

#include "proto/pcapng.h"

#define SYN 2u
#define FIN 1u
#define RST 4u
#define ACK 16u

/* What is read back of the file: its packets, and the comment that belongs to none. */
struct seen {
    uint32_t interface;
    uint64_t at_ns;
    size_t taken, whole; /* bytes in the file, and of the packet */
    const uint8_t *p;
    unsigned direction;
    char comment[HAIL_PCAPNG_COMMENT_MAX + 1];
};

struct capture {
    uint8_t *file;
    size_t size;
    struct seen *v;
    size_t n;
    char remark[HAIL_PCAPNG_COMMENT_MAX + 1];
};

static uint32_t u32(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static uint16_t u16(const uint8_t *p)
{
    uint16_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static UNUSED uint32_t be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static uint32_t be16(const uint8_t *p)
{
    return (uint32_t)p[0] << 8 | p[1];
}

/* The options from `p` to `end`, the last of them at `end` exactly. */
static void read_options(const uint8_t *p, const uint8_t *end, char *comment, unsigned *direction)
{
    while (u16(p) != 0) {
        uint16_t code = u16(p), n = u16(p + 2);
        assert_true(p + 4 + n <= end);
        if (code == 1) {
            assert_true(n <= HAIL_PCAPNG_COMMENT_MAX);
            memcpy(comment, p + 4, n);
            comment[n] = '\0';
        } else if (code == 2 && direction) {
            *direction = u32(p + 4);
        }
        p += 4 + (n + 3u) / 4 * 4;
    }
    assert_int_equal(u16(p + 2), 0);
    assert_ptr_equal(p + 4, end);
}

static void read_block(struct capture *c, const uint8_t *p, size_t n)
{
    if (u32(p) == 6) {
        c->v = realloc(c->v, (c->n + 1) * sizeof *c->v);
        assert_non_null(c->v);
        struct seen *s = &c->v[c->n++];
        *s = (struct seen){.interface = u32(p + 8),
                           .at_ns = (uint64_t)u32(p + 12) << 32 | u32(p + 16),
                           .taken = u32(p + 20),
                           .whole = u32(p + 24),
                           .p = p + 28};
        assert_true(s->interface < 2 && s->taken <= s->whole && s->taken + 32 <= n);
        read_options(p + 28 + (s->taken + 3) / 4 * 4, p + n - 4, s->comment, &s->direction);
    } else {
        assert_int_equal(u32(p), 5);
        read_options(p + 20, p + n - 4, c->remark, NULL);
    }
}

/* Reads the file of `fd`, which it closes: a section, two interfaces, packets. */
static UNUSED struct capture read_capture(int fd)
{
    struct capture c = {0};
    c.size = (size_t)lseek(fd, 0, SEEK_END);
    c.file = malloc(c.size);
    assert_non_null(c.file);
    assert_int_equal(pread(fd, c.file, c.size, 0), c.size);
    close(fd);
    static const uint32_t first[] = {0x0A0D0D0A, 1, 1};
    size_t blocks = 0;
    for (size_t at = 0; at < c.size; blocks++) {
        uint32_t n = u32(c.file + at + 4);
        assert_true(n % 4 == 0 && n >= 12 && at + n <= c.size);
        assert_int_equal(u32(c.file + at + n - 4), n);
        if (blocks < 3)
            assert_int_equal(u32(c.file + at), first[blocks]);
        else
            read_block(&c, c.file + at, n);
        at += n;
    }
    assert_true(blocks >= 3);
    return c;
}

static UNUSED void forget(struct capture *c)
{
    free(c->file);
    free(c->v);
}

static uint64_t sum(uint64_t s, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        s += i % 2 ? p[i] : (uint32_t)p[i] << 8;
    return s;
}

static bool sums_up(uint64_t s)
{
    while (s >> 16)
        s = (s & 0xFFFF) + (s >> 16);
    return s == 0xFFFF;
}

/* The TCP or UDP header of a packet whose lengths and checksums are right. */
static const uint8_t *transport(const struct seen *s, uint8_t proto)
{
    const uint8_t *p = s->p;
    bool v6 = p[0] >> 4 == 6;
    size_t head = v6 ? 40 : 20, n = s->whole - head;
    assert_int_equal(s->interface, 0);
    assert_int_equal(be16(p + (v6 ? 4 : 2)), v6 ? n : s->whole);
    assert_int_equal(p[v6 ? 6 : 9], proto);
    if (!v6)
        assert_true(sums_up(sum(0, p, 20)));
    if (s->taken == s->whole)
        assert_true(sums_up(sum(sum(proto + n, p + (v6 ? 8 : 12), v6 ? 32 : 8), p + head, n)));
    if (proto == 17)
        assert_int_equal(be16(p + head + 4), n);
    return p + head;
}

static UNUSED void check_tcp(const struct seen *s, bool out, unsigned flags, uint32_t seq,
                             uint32_t ack, size_t len)
{
    const uint8_t *p = transport(s, 6);
    size_t head = (size_t)(p - s->p) + (p[12] >> 4) * 4u;
    assert_int_equal(s->direction, out ? 2 : 1);
    assert_int_equal(p[13] & ~8u, flags);
    assert_int_equal(be32(p + 4), seq);
    assert_int_equal(be32(p + 8), ack);
    assert_int_equal(s->whole - head, len);
}

/* The tag's value in a message's head; *at goes behind the head. */
static UNUSED const uint8_t *tag(const struct seen *s, unsigned wanted, size_t *behind)
{
    const uint8_t *p = s->p, *found = NULL;
    assert_int_equal(s->interface, 1);
    for (; be16(p) != 0; p += 4 + be16(p + 2)) {
        assert_int_equal(be16(p + 2) % 4, 0);
        found = be16(p) == wanted ? p + 4 : found;
    }
    *behind = (size_t)(p + 4 - s->p);
    assert_non_null(found);
    return found;
}

#endif
