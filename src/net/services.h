/* services.h - the inside of the services: reading services(5). */
#ifndef HAIL_NET_SERVICES_H
#define HAIL_NET_SERVICES_H

#include <hail/services.h>

#define HAIL_SERVICES_FILE_MAX  (1 << 20) /* bytes of the file that are read */
#define HAIL_SERVICES_LOCAL_MAX 16384     /* rows that are kept */

/* Rows of a file in the form of services(5), for tests and the fuzzer too. Both indices are hash
 * tables with linear probing: a slot holds a row's number counted from 1, or 0; rows that were put
 * in first are met first. */
struct hail_services_local {
    struct hail_service *v; /* owned; the strings point into `text` */
    size_t n;
    char *text;        /* owned */
    uint16_t *by_name; /* owned: `slots` by hail_services_hash(), behind it `slots` by port */
    size_t slots;      /* a power of two; 0: there are no rows */
};

/* FNV-1a over the name in lower case (ASCII), its halves mixed; tools/gen-services has it too. */
static inline uint32_t hail_services_hash(const char *name)
{
    uint32_t h = 2166136261;
    for (; *name; name++) {
        unsigned char c = (unsigned char)*name;
        h = (h ^ (c >= 'A' && c <= 'Z' ? c | 0x20u : c)) * 16777619;
    }
    return h ^ h >> 15;
}

/* Reads `n` bytes of text, which it copies. Lines that are malformed are passed over, as
 * getservent(3) does. 0 or -ENOMEM. */
int hail_services_parse(struct hail_services_local *out, const char *text, size_t n);
void hail_services_local_free(struct hail_services_local *local);

/* Takes another file than /etc/services; only before the first lookup. */
void hail_services_use(const char *path);

/* Bytes of the table that is compiled in. */
size_t hail_services_size(void);

#endif
