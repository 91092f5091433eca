/* limits.c - how many connections there may be, in all and of one address.
 *
 * All workers count together. An address is an IPv4 address, or an IPv6 network of 64 bits, which
 * is what one client usually has to itself; Unix sockets have none. Addresses that have connections
 * are in a table, whose hash no client can foresee.
 */
#include "serve.h"

#include "base/error.h"
#include "net/layer.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>

#define KEPT_FREE   8 /* descriptors that are neither a connection's nor the cache's */
#define PER_WORKER  6 /* ... and of each worker */
#define LEAST       4 /* connections that must be possible */
#define HASH_BITS   12
#define HASH_PLACES ((size_t)1 << HASH_BITS)

/* Whose connections are counted together. */
struct serve_address {
    struct serve_address *next;
    uint64_t high, low; /* of the IPv6 address, or of the IPv4-mapped one */
    int n;
};

struct serve_limits {
    atomic_int all;
    int most, most_each;
    uint64_t secret[2];
    pthread_mutex_t lock; /* of the table */
    struct serve_address *table[HASH_PLACES];
};

/* --- the bounds --- */

/* The descriptors that the process may have, after the soft limit was raised to the hard one. */
static int descriptors(void)
{
    struct rlimit r;
    if (getrlimit(RLIMIT_NOFILE, &r) < 0)
        return 1024;
    if (r.rlim_cur < r.rlim_max) {
        r.rlim_cur = r.rlim_max;
        setrlimit(RLIMIT_NOFILE, &r);
        getrlimit(RLIMIT_NOFILE, &r);
    }
    return r.rlim_cur < INT_MAX / 2 ? (int)r.rlim_cur : INT_MAX / 2;
}

int serve_limits_new(struct serve *s, int workers, struct serve_limits **out)
{
    struct hail_ctx *ctx = &s->c->ctx;
    int can = descriptors(), kept = KEPT_FREE + workers * PER_WORKER;
    s->cache_files = (can - kept) / 8 / workers;
    if (s->cache_files > SERVE_CACHE_OPEN)
        s->cache_files = SERVE_CACHE_OPEN;
    can -= kept + workers * s->cache_files;
    if (can < LEAST || s->o->max_connections > can)
        return hail_fail(ctx, HAIL_LAYER_LOCAL, EMFILE, "start",
                         "%d connections at a time: the limit of open files (ulimit -n) allows %d",
                         s->o->max_connections ? s->o->max_connections : LEAST, can < 0 ? 0 : can);
    struct serve_limits *l = calloc(1, sizeof *l);
    if (!l)
        return hail_fail(ctx, HAIL_LAYER_LOCAL, ENOMEM, "start", "start: %s",
                         hail_errno_text(ENOMEM));
    if (getrandom(l->secret, sizeof l->secret, 0) < 0)
        l->secret[0] = (uint64_t)hail_now();
    l->most = s->o->max_connections ? s->o->max_connections : can;
    l->most_each = s->o->max_per_address ? s->o->max_per_address : (l->most * 3LL + 3) / 4;
    pthread_mutex_init(&l->lock, NULL);
    *out = l;
    return 0;
}

void serve_limits_free(struct serve_limits *l)
{
    if (l)
        pthread_mutex_destroy(&l->lock);
    free(l);
}

/* --- addresses --- */

static uint64_t number_at(const unsigned char *p)
{
    uint64_t n;
    memcpy(&n, p, sizeof n);
    return n;
}

/* False: the peer has no address. */
static bool address_of(const struct hail_stream *s, struct serve_address *a)
{
    static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
    struct hail_addr peer;
    unsigned char b[16];
    hail_peer_addr(s, &peer);
    if (peer.len && peer.u.sa.sa_family == AF_INET) {
        memcpy(b, mapped, sizeof mapped);
        memcpy(b + sizeof mapped, &peer.u.in4.sin_addr, 4);
    } else if (peer.len && peer.u.sa.sa_family == AF_INET6) {
        memcpy(b, &peer.u.in6.sin6_addr, sizeof b);
        if (memcmp(b, mapped, sizeof mapped) != 0)
            memset(b + 8, 0, 8);
    } else {
        return false;
    }
    *a = (struct serve_address){.high = number_at(b), .low = number_at(b + 8)};
    return true;
}

static struct serve_address **place(struct serve_limits *l, const struct serve_address *a)
{
    uint64_t h = a->high * (l->secret[0] | 1) + a->low * (l->secret[1] | 1);
    struct serve_address **at = &l->table[h >> (64 - HASH_BITS)];
    while (*at && ((*at)->high != a->high || (*at)->low != a->low))
        at = &(*at)->next;
    return at;
}

/* One more of the address `key`; NULL: it has enough, or there is no memory. */
static struct serve_address *count(struct serve_limits *l, const struct serve_address *key)
{
    pthread_mutex_lock(&l->lock);
    struct serve_address **at = place(l, key), *a = *at;
    if (!a && (a = malloc(sizeof *a)) != NULL) {
        *a = *key;
        *at = a;
    }
    if (a && a->n < l->most_each)
        a->n++;
    else
        a = NULL;
    pthread_mutex_unlock(&l->lock);
    return a;
}

static void uncount(struct serve_limits *l, struct serve_address *a)
{
    pthread_mutex_lock(&l->lock);
    if (--a->n == 0) {
        *place(l, a) = a->next;
        free(a);
    }
    pthread_mutex_unlock(&l->lock);
}

/* --- connections --- */

enum serve_admission serve_admit(struct serve_limits *l, const struct hail_stream *s,
                                 struct serve_address **out)
{
    struct serve_address key;
    *out = NULL;
    if (atomic_fetch_add_explicit(&l->all, 1, memory_order_relaxed) >= l->most) {
        atomic_fetch_sub_explicit(&l->all, 1, memory_order_relaxed);
        return SERVE_FULL;
    }
    if (!address_of(s, &key) || (*out = count(l, &key)) != NULL)
        return SERVE_ADMITTED;
    atomic_fetch_sub_explicit(&l->all, 1, memory_order_relaxed);
    return SERVE_ENOUGH;
}

void serve_leave(struct serve_limits *l, struct serve_address *a)
{
    atomic_fetch_sub_explicit(&l->all, 1, memory_order_relaxed);
    if (a)
        uncount(l, a);
}
