/* services.h - the IANA Service Name and Transport Protocol Port Number Registry (RFC 6335).
 *
 * The registry is compiled in, read-only, and costs nothing at start-up. /etc/services
 * (services(5)) is read at the first lookup that goes through hail_service_port() or
 * hail_service_name(), and wins where it differs.
 */
#ifndef HAIL_SERVICES_H
#define HAIL_SERVICES_H

#include <hail/ctx.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Bits: a row of the registry may hold for several. */
enum hail_service_proto {
    HAIL_SERVICE_TCP = 1,
    HAIL_SERVICE_UDP = 2,
    HAIL_SERVICE_SCTP = 4,
    HAIL_SERVICE_DCCP = 8,
};

/* One row. The strings live as long as the process. */
struct hail_service {
    const char *name;     /* "http"; empty for rows that are only reserved or assigned by number */
    uint16_t first, last; /* the range; equal for one port */
    unsigned protos;      /* bits of enum hail_service_proto */
    const char *description; /* "World Wide Web HTTP" */
    bool local;              /* from /etc/services */
    bool alias;              /* `name` is another name of the port's first service */
};

/* The port of `name` (ASCII case is folded) for one protocol. Returns 0 or -ENOENT. */
HAIL_API int hail_service_port(const char *name, enum hail_service_proto proto, uint16_t *port);

/* The service's preferred name of a port, or NULL. */
HAIL_API const char *hail_service_name(uint16_t port, enum hail_service_proto proto);

/* Calls `each` for every row that has `port`, has the name or alias `name`, or matches `text` in
 * name or description (ASCII case folded), in the order of ports; stops when `each` returns
 * non-zero and returns that. /etc/services' rows come in place of the registry's that they replace.
 */
typedef int hail_service_fn(void *arg, const struct hail_service *service);
HAIL_API int hail_services_by_port(uint16_t first, uint16_t last, hail_service_fn *each, void *arg);
HAIL_API int hail_services_by_name(const char *name, hail_service_fn *each, void *arg);
HAIL_API int hail_services_search(const char *text, hail_service_fn *each, void *arg);

/* The registry's date as IANA gives it ("2022-10-12"), and the number of rows compiled in. */
HAIL_API const char *hail_services_date(void);
HAIL_API size_t hail_services_count(void);

#ifdef __cplusplus
}
#endif
#endif
