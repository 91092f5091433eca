/* until.c - waits until all targets are up, or down: for scripts that start services; check.h.
 *
 * A service of this machine that refuses is asked again each 10 ms, so that its first hello is
 * noticed when it comes; others less often.
 */
#include "check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NEAR_MS 10
#define FAR_MS  100

struct until;

struct waiter {
    struct until *u;
    const struct check_target *target;
    struct hail_timer again;
    bool there; /* as it is wanted */
    enum check_verdict verdict;
    char what[CHECK_WHAT];
};

struct until {
    struct check *k;
    struct waiter *v;
    size_t n, there;
    bool up, over;
    struct hail_timer limit;
};

static void begin(struct waiter *w);

/* Up is what answers its hello; down is what nobody listens at, or nobody can reach. */
static bool is_wanted(const struct until *u, enum check_verdict v)
{
    return u->up ? v <= CHECK_WARN : v == CHECK_CONNECT || v == CHECK_NAME || v == CHECK_TIMEOUT;
}

static bool is_near(const struct check_run *run)
{
    const struct hail_endpoint *to = &run->check.to;
    struct hail_addr a;
    if (to->kind == HAIL_HOST_UNIX || to->kind == HAIL_HOST_ABSTRACT || to->kind == HAIL_HOST_ANY)
        return true;
    if (run->check.race.n == 0)
        return false;
    a = run->check.race.attempts[0].addr;
    if (a.u.sa.sa_family == AF_INET)
        return ntohl(a.u.in4.sin_addr.s_addr) >> 24 == 127;
    return a.u.sa.sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&a.u.in6.sin6_addr);
}

static void on_done(struct check_run *run)
{
    struct waiter *w = run->arg;
    struct until *u = w->u;
    w->verdict = run->result.verdict;
    memcpy(w->what, run->what, sizeof w->what);
    w->there = is_wanted(u, w->verdict);
    if (!w->there) {
        hail_timer_set(u->k->loop, &w->again,
                       hail_now() + INT64_C(1000000) * (is_near(run) ? NEAR_MS : FAR_MS));
        return;
    }
    if (++u->there == u->n)
        hail_loop_stop(u->k->loop);
}

static void on_again(struct hail_loop *loop, struct hail_timer *t)
{
    (void)loop;
    begin((struct waiter *)((char *)t - offsetof(struct waiter, again)));
}

static void begin(struct waiter *w)
{
    if (check_begin(w->u->k, w->target, NULL, on_done, w) < 0)
        hail_loop_stop(w->u->k->loop);
}

static void on_limit(struct hail_loop *loop, struct hail_timer *t)
{
    struct until *u = (struct until *)((char *)t - offsetof(struct until, limit));
    u->over = true;
    hail_loop_stop(loop);
}

static int run_until(struct until *u, int64_t limit_ms)
{
    struct check *k = u->k;
    u->limit.fire = on_limit;
    if (limit_ms >= 0)
        hail_timer_set(k->loop, &u->limit, hail_now() + limit_ms * 1000000);
    for (size_t i = 0; i < u->n; i++) {
        u->v[i] = (struct waiter){.u = u, .target = &k->targets.v[i], .again = {.fire = on_again}};
        begin(&u->v[i]);
    }
    return u->there < u->n ? check_loop(k) : 0;
}

static void tell(const struct until *u)
{
    for (size_t i = 0; i < u->n; i++) {
        const struct waiter *w = &u->v[i];
        if (w->there)
            continue;
        fprintf(stderr, "hail: check: ");
        put_safe(stderr, w->target->text);
        fprintf(stderr, ": still not %s: %s\n", u->up ? "up" : "down",
                *w->what ? w->what : "the first check is not over");
    }
}

int check_until(struct check *k, bool up, int64_t limit_ms, bool quiet)
{
    struct until u = {.k = k, .up = up, .n = k->targets.n};
    u.v = calloc(u.n ? u.n : 1, sizeof *u.v);
    if (!u.v)
        return local_error("check", "the targets", ENOMEM);
    k->at_once = up;
    int rc = run_until(&u, limit_ms);
    int status = u.there == u.n ? STATUS_DONE : u.over ? STATUS_TIMEOUT : STATUS_LOCAL;
    if (rc < 0)
        status = local_error("wait for", "events", -rc);
    else if (u.over && !quiet)
        tell(&u);
    check_abandon(k);
    free(u.v);
    return status;
}
