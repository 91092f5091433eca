/* login.c - credentials: where they are from, and how they are shown.
 *
 *     -u > the URL's > the .netrc's, for one origin     --oauth2-bearer
 *
 * Basic goes out unasked, as with curl. Digest needs a challenge first: the first request goes
 * without its content, and is made again with the answer.
 */
#include "get.h"

#include "base/error.h"
#include "proto/url_path.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define STALE_MAX 3 /* nonces in a row that are said to be too old */

/* --- where they are from --- */

static void decode(char *out, size_t size, const char *p, size_t n)
{
    size_t m = 0;
    for (size_t i = 0; i < n && m + 1 < size; i++) {
        if (hail_url_is_code(p + i, p + n)) {
            out[m++] = hail_url_code(p + i);
            i += 2;
        } else {
            out[m++] = p[i];
        }
    }
    out[m] = '\0';
}

static void ask_password(const char *user, char *out)
{
    char prompt[HAIL_SECRET_MAX + 64];
    snprintf(prompt, sizeof prompt, "Password of '%.200s': ", user);
    char *typed = getpass(prompt);
    snprintf(out, HAIL_SECRET_MAX, "%s", typed ? typed : "");
    if (typed)
        explicit_bzero(typed, strlen(typed));
}

static void from_text(struct get_login *l, const char *text)
{
    size_t n = strcspn(text, ":");
    snprintf(l->user, sizeof l->user, "%.*s", (int)(n < HAIL_SECRET_MAX ? n : HAIL_SECRET_MAX - 1),
             text);
    if (text[n])
        snprintf(l->password, sizeof l->password, "%s", text + n + 1);
    else
        ask_password(l->user, l->password);
    l->has = true;
}

static void from_url(struct get_login *l, const struct hail_url *u)
{
    struct hail_slice user = hail_url_slice(u, u->user);
    const char *colon = memchr(user.p, ':', user.n);
    size_t n = colon ? (size_t)(colon - user.p) : user.n;
    decode(l->user, sizeof l->user, user.p, n);
    if (colon)
        decode(l->password, sizeof l->password, colon + 1, user.n - n - 1);
    l->has = true;
}

static void from_netrc(struct get_session *s, struct get_login *l)
{
    const struct hail_buf *b = &s->shared->netrc;
    unsigned line;
    int rc = hail_netrc_find((struct hail_slice){b->p, b->len}, s->job->url.host, l->user,
                             l->password, &line);
    l->has = rc == 1;
}

/* For the URL that is about to be asked for: the same as before, unless the origin changed. */
void get_login_begin(struct get_session *s)
{
    struct get_login *l = &s->login;
    const struct hail_url *u = &s->job->url;
    bool netrc = s->shared->has_netrc && !s->asked->user;
    if (strcmp(s->hop->why, "login") == 0)
        return; /* the same URL once more */
    if (s->job->nhops > 1 && !s->job->dropped && !u->user.there && !netrc)
        return;
    if (l->has && l->digest && strcmp(l->host, u->host) == 0 && !s->job->dropped)
        return; /* the challenge is good for further requests */
    explicit_bzero(l, sizeof *l);
    snprintf(l->host, sizeof l->host, "%s", u->host);
    if (s->asked->user && (!s->job->dropped || s->asked->trusted))
        from_text(l, s->asked->user);
    else if (u->user.there && !s->asked->user)
        from_url(l, u);
    else if (netrc)
        from_netrc(s, l);
}

int get_netrc_load(struct get_shared *shared)
{
    const struct get_asked *a = shared->asked;
    char path[4096];
    const char *home = getenv("HOME"), *file = a->netrc_file;
    if (!file && a->netrc == GET_NETRC_NO)
        return 0;
    if (!file) {
        snprintf(path, sizeof path, "%s/.netrc", home ? home : "");
        file = path;
    }
    struct stat st;
    if (stat(file, &st) < 0)
        return a->netrc == GET_NETRC_OPTIONAL || !a->netrc_file ? 0
                                                                : local_error("open", file, errno);
    if ((st.st_mode & 077) && !a->silent)
        fprintf(stderr, "hail: get: %s can be read by others (mode %03o)\n", file,
                (unsigned)st.st_mode & 0777);
    hail_buf_init(&shared->netrc, 1 << 20);
    int status = get_slurp(file, &shared->netrc);
    struct hail_slice text = {shared->netrc.p, shared->netrc.len};
    char user[HAIL_SECRET_MAX] = "", password[HAIL_SECRET_MAX];
    unsigned line;
    if (status == 0 && hail_netrc_find(text, "", user, password, &line) < 0) {
        fprintf(stderr, "hail: get: %s, line %u: not understood; what is behind it is not used\n",
                file, line);
    }
    shared->has_netrc = status == 0;
    return status;
}

/* --- the fields --- */

static int answer_digest(struct get_session *s, struct get_login *l, struct hail_buf *out)
{
    unsigned char raw[16];
    char cnonce[40];
    struct hail_slice target = get_target(s);
    if (getrandom(raw, sizeof raw, 0) != sizeof raw)
        return hail_fail(&s->c.ctx, HAIL_LAYER_LOCAL, errno, "read", "read random bytes: %s",
                         hail_errno_text(errno));
    for (size_t i = 0; i < sizeof raw; i++)
        snprintf(cnonce + 2 * i, 3, "%02x", raw[i]);
    int rc = hail_digest_answer(&l->challenge, l->user, l->password, s->job->method, target, cnonce,
                                ++l->count, out);
    if (rc < 0)
        return hail_fail(&s->c.ctx, HAIL_LAYER_LOCAL, -rc, "log in", "log in: %s",
                         rc == -EINVAL ? "the user's name has a control byte in it"
                                       : hail_errno_text(-rc));
    return 1;
}

int get_login_field(struct get_session *s, bool proxy, struct hail_buf *out)
{
    if (proxy) {
        const struct hail_proxy *p = &s->route.forward;
        if (!*p->user && !*p->password)
            return 0;
        return hail_basic_answer(p->user, p->password, out) < 0 ? 0 : 1;
    }
    struct get_login *l = &s->login;
    if (s->asked->bearer && (!s->job->dropped || s->asked->trusted)) {
        hail_buf_printf(out, "Bearer %s", s->asked->bearer);
        return 1;
    }
    if (!l->has)
        return 0;
    if (l->digest)
        return answer_digest(s, l, out);
    if ((s->asked->auth & GET_AUTH_DIGEST) && !l->tried)
        return 0; /* a challenge comes first; one without Digest was for Basic */
    return hail_basic_answer(l->user, l->password, out) < 0 ? 0 : 1;
}

bool get_login_waits(const struct get_session *s)
{
    return s->login.has && (s->asked->auth & GET_AUTH_DIGEST) && !s->login.digest &&
           !s->login.tried && !s->login.bare && !s->asked->bearer;
}

/* --- challenges --- */

static bool offers_basic(const struct get_session *s)
{
    const struct hail_http_field *f = NULL;
    while ((f = hail_http_field(&s->head.fields, "WWW-Authenticate", f))) {
        struct hail_slice rest = f->value;
        struct hail_challenge c;
        while (hail_challenge_next(&rest, &c) == 1)
            if (hail_slice_is_nocase(c.scheme, "Basic"))
                return true;
    }
    return false;
}

/* The strongest Digest that is offered and known: SHA-512-256, SHA-256, MD5. */
static bool pick_digest(const struct get_session *s, struct hail_digest *best)
{
    const struct hail_http_field *f = NULL;
    bool found = false;
    while ((f = hail_http_field(&s->head.fields, "WWW-Authenticate", f))) {
        struct hail_slice rest = f->value;
        struct hail_challenge c;
        struct hail_digest d;
        while (hail_challenge_next(&rest, &c) == 1)
            if (hail_slice_is_nocase(c.scheme, "Digest") && hail_digest_read(&c, &d) == 0 &&
                (!found || d.algorithm > best->algorithm)) {
                *best = d;
                found = true;
            }
    }
    return found;
}

int get_login_answer(struct get_session *s)
{
    struct get_login *l = &s->login;
    struct hail_digest d;
    if (s->head.status != 401)
        l->stale = 0;
    if (s->head.status < 300 && get_login_waits(s) && s->job->upload.there) {
        l->bare = true; /* that was said to a request without its content */
        return 1;
    }
    if (s->head.status != 401 || !l->has || !(s->asked->auth & GET_AUTH_DIGEST) || s->asked->bearer)
        return 0;
    bool offered = pick_digest(s, &d);
    if (l->digest && !(offered && d.stale && l->stale++ < STALE_MAX))
        return 0; /* the password is wrong, or the server does not mean to take any */
    if (l->tried && !l->digest)
        return 0;
    if (offered) {
        l->challenge = d;
        l->count = 0;
        l->digest = true;
    } else if (!(s->asked->auth & GET_AUTH_BASIC) || !offers_basic(s)) {
        return 0;
    }
    if (!get_upload_again(s))
        return hail_fail(&s->c.ctx, HAIL_LAYER_LOCAL, ESPIPE, "log in",
                         "log in: the content would have to be sent again, and standard input"
                         " cannot be read again");
    l->tried = true;
    return 1;
}
