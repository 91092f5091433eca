/* tls_trust.c - which authorities are trusted: the caller's, or those of the system.
 *
 * The system's store is some 150 certificates, and a handshake needs one of them. So the hashed
 * directory is preferred, where OpenSSL opens the one file that it wants; a bundle in one file is
 * searched by tls_bundle.c. SSL_CERT_DIR and SSL_CERT_FILE replace the places, as in openssl(1).
 */
#include "net/tls_layer.h"

#include "base/error.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Whether the directory has a certificate by the hash of its subject: "1d3472b9.0". */
static bool is_hashed(const char *path)
{
    DIR *dir = opendir(path);
    if (!dir)
        return false;
    const struct dirent *e;
    bool found = false;
    while (!found && (e = readdir(dir))) {
        size_t digits = strspn(e->d_name, "0123456789abcdef");
        found = digits == 8 && e->d_name[8] == '.' && isdigit((unsigned char)e->d_name[9]);
    }
    closedir(dir);
    return found;
}

static int use_dir(X509_STORE *store, const char *path)
{
    X509_LOOKUP *l = X509_STORE_add_lookup(store, X509_LOOKUP_hash_dir());
    return l && X509_LOOKUP_add_dir(l, path, X509_FILETYPE_PEM) ? 0 : -ENOMEM;
}

/* Debian and Ubuntu, Fedora and Red Hat, openSUSE, Alpine and the BSDs. */
static const char *const dirs[] = {"/etc/ssl/certs", "/etc/pki/tls/certs"};
static const char *const files[] = {
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
};

static int system_dir(X509_STORE *store, bool *found)
{
    const char *path = secure_getenv("SSL_CERT_DIR");
    if (path && *path) {
        *found = true;
        return use_dir(store, path); /* one or more, separated by colons */
    }
    for (size_t i = 0; i < sizeof dirs / sizeof *dirs; i++) {
        if (!is_hashed(dirs[i]))
            continue;
        *found = true;
        return use_dir(store, dirs[i]);
    }
    return 0;
}

static int system_trust(struct hail_ctx *ctx, struct hail_tls_config *config, bool *found)
{
    X509_STORE *store = SSL_CTX_get_cert_store(config->ssl_ctx);
    const char *path = secure_getenv("SSL_CERT_FILE");
    int rc = system_dir(store, found);
    if (rc < 0)
        return rc;
    if (path && *path) {
        *found = true;
        return hail_tls_bundle(ctx, config, path);
    }
    for (size_t i = 0; i < sizeof files / sizeof *files && !*found; i++) {
        if (access(files[i], R_OK) < 0)
            continue;
        *found = true;
        return hail_tls_bundle(ctx, config, files[i]);
    }
    return 0;
}

static int check_dir(struct hail_ctx *ctx, const char *path)
{
    DIR *dir = opendir(path);
    if (!dir)
        return hail_fail(ctx, HAIL_LAYER_LOCAL, errno, "read",
                         "read the directory of authorities %s: %s", path, hail_errno_text(errno));
    closedir(dir);
    return 0;
}

int hail_tls_trust(struct hail_ctx *ctx, struct hail_tls_config *config,
                   const struct hail_tls_opts *opts)
{
    X509_STORE *store = SSL_CTX_get_cert_store(config->ssl_ctx);
    int rc = 0;
    if (!opts->ca_file && !opts->ca_dir) {
        bool found = false;
        rc = system_trust(ctx, config, &found);
        config->no_trust = !found;
        return rc;
    }
    if (opts->ca_dir)
        rc = check_dir(ctx, opts->ca_dir);
    if (rc == 0 && opts->ca_dir)
        rc = use_dir(store, opts->ca_dir);
    if (rc == 0 && opts->ca_file)
        rc = hail_tls_bundle(ctx, config, opts->ca_file);
    return rc;
}
