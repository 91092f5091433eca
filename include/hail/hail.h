/* hail.h - the whole library: #include <hail/hail.h>, link with -lhail (pkg-config hail). */
#ifndef HAIL_HAIL_H
#define HAIL_HAIL_H

#include <hail/ctx.h>
#include <hail/datagram.h>
#include <hail/diag.h>
#include <hail/endpoint.h>
#include <hail/http.h>
#include <hail/listen.h>
#include <hail/loop.h>
#include <hail/proxy.h>
#include <hail/pump.h>
#include <hail/relay.h>
#include <hail/resolve.h>
#include <hail/services.h>
#include <hail/slice.h>
#include <hail/socket.h>
#include <hail/starttls.h>
#include <hail/stream.h>
#include <hail/telnet.h>
#include <hail/tls.h>
#include <hail/trace.h>
#include <hail/url.h>

#define HAIL_VERSION "0.1.0"

#ifdef __cplusplus
extern "C" {
#endif

HAIL_API const char *hail_version(void); /* of the library at run time */

/* The i-th library that hail stands on, counted from 0, and its version at run time; NULL after the
 * last. Both strings are static. */
HAIL_API const char *hail_library(int i, const char **version);

#ifdef __cplusplus
}
#endif
#endif
