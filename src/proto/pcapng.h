/* pcapng.h - writing capture files: the blocks of the PCAP Next Generation format
 * (draft-ietf-opsawg-pcapng), sans-I/O.
 *
 *      section, interface, interface, ..., packet, packet, ...
 *
 * Each function appends one complete block, so that a file that ends after any of them is valid.
 * Numbers are in this machine's byte order: the section's magic says which. Failures are in
 * out->failed.
 */
#ifndef HAIL_PROTO_PCAPNG_H
#define HAIL_PROTO_PCAPNG_H

#include "base/buf.h"

#define HAIL_PCAPNG_RAW         101       /* LINKTYPE_RAW: a packet begins with its IP header */
#define HAIL_PCAPNG_UPPER       252       /* LINKTYPE_WIRESHARK_UPPER_PDU: tags, then a message */
#define HAIL_PCAPNG_COMMENT_MAX 4096      /* bytes of a comment; what is longer is cut */
#define HAIL_PCAPNG_PACKET_MAX  (1 << 19) /* bytes of a block that a packet needs at most */

/* The head of the file; `program` is who wrote it. */
void hail_pcapng_section(struct hail_buf *out, const char *program);

/* An interface, counted from 0, whose times are in nanoseconds. */
void hail_pcapng_interface(struct hail_buf *out, uint16_t linktype, const char *name,
                           const char *description);

struct hail_pcapng_packet {
    uint32_t interface;
    int64_t at_ns; /* since 1970 */
    bool outbound; /* sent by this machine */
    const void *head;
    size_t head_len;
    const void *data; /* follows the head; NULL: its bytes are not known, only how many */
    size_t data_len;
    const char *comment; /* UTF-8, or NULL */
    size_t comment_len;
};

/* At most HAIL_PCAPNG_PACKET_MAX less 8 KiB of head and data. */
void hail_pcapng_packet(struct hail_buf *out, const struct hail_pcapng_packet *p);

/* What could be said with no packet: a comment on an interface, at `at_ns`. */
void hail_pcapng_remark(struct hail_buf *out, uint32_t interface, int64_t at_ns,
                        const char *comment, size_t len);

#endif
