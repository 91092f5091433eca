/* tls_session.c - what outlives a TLS stream in its config: sessions to resume (RFC 8446 section
 * 2.2, RFC 5077), and the key log for Wireshark. */
#include "net/tls_layer.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

int hail_tls_keep_session(SSL *ssl, SSL_SESSION *session)
{
    struct hail_tls *t = hail_tls_of(ssl);
    struct hail_tls_config *c = t->config;
    char *name = t->name[0] ? strdup(t->name) : NULL;
    if (!name)
        return 0;
    unsigned at = c->next_session++ % HAIL_TLS_SESSIONS;
    free(c->sessions[at].name);
    SSL_SESSION_free(c->sessions[at].session);
    c->sessions[at].name = name;
    c->sessions[at].session = session;
    return 1;
}

static bool usable(SSL_SESSION *session)
{
    time_t now = time(NULL), made = SSL_SESSION_get_time(session);
    return SSL_SESSION_is_resumable(session) && now >= made &&
           now - made < SSL_SESSION_get_timeout(session);
}

void hail_tls_resume(struct hail_tls *t)
{
    struct hail_tls_config *c = t->config;
    for (unsigned i = 1; i <= HAIL_TLS_SESSIONS && t->name[0]; i++) {
        unsigned at = (c->next_session - i) % HAIL_TLS_SESSIONS;
        SSL_SESSION *session = c->sessions[at].session;
        if (!session || strcmp(c->sessions[at].name, t->name) != 0)
            continue;
        bool offer = usable(session);
        if (offer)
            SSL_set_session(t->ssl, session);
        /* a ticket of TLS 1.3 is used once, so that observers cannot link connections: RFC 8446
         * appendix C.4 */
        if (!offer || SSL_SESSION_get_protocol_version(session) >= TLS1_3_VERSION) {
            SSL_SESSION_free(session);
            free(c->sessions[at].name);
            c->sessions[at].session = NULL;
            c->sessions[at].name = NULL;
        }
        if (offer)
            return;
    }
}

void hail_tls_drop_sessions(struct hail_tls_config *c)
{
    for (unsigned i = 0; i < HAIL_TLS_SESSIONS; i++) {
        SSL_SESSION_free(c->sessions[i].session);
        free(c->sessions[i].name);
    }
}

/* One line in one write, so that processes that share the file do not mix theirs. */
static void log_key(const SSL *ssl, const char *line)
{
    const struct iovec iov[2] = {{(void *)line, strlen(line)}, {(void *)"\n", 1}};
    ssize_t n;
    do
        n = writev(hail_tls_of(ssl)->config->keylog_fd, iov, 2);
    while (n < 0 && errno == EINTR);
}

int hail_tls_keylog(struct hail_ctx *ctx, struct hail_tls_config *config)
{
    const char *path = secure_getenv("SSLKEYLOGFILE");
    if (!path || !*path)
        return 0;
    config->keylog_fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
    if (config->keylog_fd < 0) {
        int rc = hail_fail(ctx, HAIL_LAYER_LOCAL, errno, "open", "open the TLS key log %s: %s",
                           path, hail_errno_text(errno));
        hail_advise(ctx, "the environment asks for it: SSLKEYLOGFILE");
        return rc;
    }
    SSL_CTX_set_keylog_callback(config->ssl_ctx, log_key);
    return 0;
}
