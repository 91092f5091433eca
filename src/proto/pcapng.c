/* pcapng.c - the blocks of a capture file; see pcapng.h. Section numbers are those of
 * draft-ietf-opsawg-pcapng. */
#include "proto/pcapng.h"

#include <string.h>

enum block {
    BLOCK_INTERFACE = 1,        /* section 4.2 */
    BLOCK_STATISTICS = 5,       /* section 4.6 */
    BLOCK_PACKET = 6,           /* section 4.3 */
    BLOCK_SECTION = 0x0A0D0D0A, /* section 4.1 */
};

/* Options; a code means what it does in its kind of block. */
enum option {
    OPT_END = 0,
    OPT_COMMENT = 1,
    SECTION_PROGRAM = 4,
    INTERFACE_NAME = 2,
    INTERFACE_DESCRIPTION = 3,
    INTERFACE_RESOLUTION = 9,
    PACKET_FLAGS = 2,
};

#define BYTE_ORDER_MAGIC 0x1A2B3C4Du
#define NANOSECONDS      9 /* a time is in 10^-9 s */
#define INBOUND          1u
#define OUTBOUND         2u

static void put16(struct hail_buf *b, uint16_t v)
{
    hail_buf_add(b, &v, sizeof v);
}

static void put32(struct hail_buf *b, uint32_t v)
{
    hail_buf_add(b, &v, sizeof v);
}

/* Up to the next multiple of four bytes. */
static void pad(struct hail_buf *b, size_t n)
{
    hail_buf_add(b, "\0\0\0", (4 - n % 4) % 4);
}

/* Begins a block; its length is filled in by end(). Returns where it begins. */
static size_t begin(struct hail_buf *b, enum block type)
{
    size_t at = b->len;
    put32(b, type);
    put32(b, 0);
    return at;
}

static void end(struct hail_buf *b, size_t at)
{
    put32(b, 0);
    if (b->failed)
        return;
    uint32_t length = (uint32_t)(b->len - at);
    memcpy(b->p + at + 4, &length, sizeof length);
    memcpy(b->p + b->len - 4, &length, sizeof length);
}

static void option(struct hail_buf *b, enum option code, const void *value, size_t n)
{
    put16(b, (uint16_t)code);
    put16(b, (uint16_t)n);
    hail_buf_add(b, value, n);
    pad(b, n);
}

static void option_comment(struct hail_buf *b, const char *text, size_t n)
{
    if (n > HAIL_PCAPNG_COMMENT_MAX)
        n = HAIL_PCAPNG_COMMENT_MAX;
    if (n)
        option(b, OPT_COMMENT, text, n);
}

/* High half first, whatever the byte order. */
static void put_time(struct hail_buf *b, int64_t at_ns)
{
    put32(b, (uint32_t)((uint64_t)at_ns >> 32));
    put32(b, (uint32_t)at_ns);
}

void hail_pcapng_section(struct hail_buf *out, const char *program)
{
    const int64_t unknown = -1; /* the section's length: blocks will follow */
    size_t at = begin(out, BLOCK_SECTION);
    put32(out, BYTE_ORDER_MAGIC);
    put16(out, 1);
    put16(out, 0);
    hail_buf_add(out, &unknown, sizeof unknown);
    option(out, SECTION_PROGRAM, program, strlen(program));
    option(out, OPT_END, NULL, 0);
    end(out, at);
}

void hail_pcapng_interface(struct hail_buf *out, uint16_t linktype, const char *name,
                           const char *description)
{
    const uint8_t resolution = NANOSECONDS;
    size_t at = begin(out, BLOCK_INTERFACE);
    put16(out, linktype);
    put16(out, 0);
    put32(out, 0); /* no limit on what was taken of a packet */
    option(out, INTERFACE_NAME, name, strlen(name));
    option(out, INTERFACE_DESCRIPTION, description, strlen(description));
    option(out, INTERFACE_RESOLUTION, &resolution, 1);
    option(out, OPT_END, NULL, 0);
    end(out, at);
}

void hail_pcapng_packet(struct hail_buf *out, const struct hail_pcapng_packet *p)
{
    const uint32_t flags = p->outbound ? OUTBOUND : INBOUND;
    size_t taken = p->head_len + (p->data ? p->data_len : 0);
    size_t at = begin(out, BLOCK_PACKET);
    put32(out, p->interface);
    put_time(out, p->at_ns);
    put32(out, (uint32_t)taken);
    put32(out, (uint32_t)(p->head_len + p->data_len));
    hail_buf_add(out, p->head, p->head_len);
    if (p->data)
        hail_buf_add(out, p->data, p->data_len);
    pad(out, taken);
    option_comment(out, p->comment, p->comment_len);
    option(out, PACKET_FLAGS, &flags, sizeof flags);
    option(out, OPT_END, NULL, 0);
    end(out, at);
}

void hail_pcapng_remark(struct hail_buf *out, uint32_t interface, int64_t at_ns,
                        const char *comment, size_t len)
{
    size_t at = begin(out, BLOCK_STATISTICS);
    put32(out, interface);
    put_time(out, at_ns);
    option_comment(out, comment, len);
    option(out, OPT_END, NULL, 0);
    end(out, at);
}
