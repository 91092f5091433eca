/* tls_authority.c - a certificate authority of one's own, for development; include/hail/tls.h.
 *
 *      FOLDER/authority.pem   its key and certificate, mode 0600
 *      FOLDER/authority.crt   the certificate alone, to be trusted
 *
 * Name constraints keep what a thief of the key could do with it to names that are local anyway.
 */
#include "net/tls_issue.h"
#include "net/tls_layer.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DAY_S         (24L * 60 * 60)
#define AUTHORITY_S   (3650 * DAY_S)
#define CERTIFICATE_S (397 * DAY_S) /* browsers take 398 days at most */
#define PATH_MAX_     4096

struct authority {
    EVP_PKEY *key;
    X509 *cert;
};

static void drop(struct authority *a)
{
    EVP_PKEY_free(a->key);
    X509_free(a->cert);
    *a = (struct authority){0};
}

static int tls_failed(struct hail_ctx *ctx, const char *what)
{
    char why[160];
    hail_tls_queue_text(why, sizeof why);
    return hail_fail(ctx, HAIL_LAYER_TLS, EIO, "tls", "TLS: %s: %s", what, why);
}

static int file_failed(struct hail_ctx *ctx, const char *what, const char *path, int errnum)
{
    return hail_fail(ctx, HAIL_LAYER_LOCAL, errnum, what, "%s %s: %s", what, path,
                     hail_errno_text(errnum));
}

/* --- making it --- */

static bool confine(X509 *cert)
{
    char text[1024] = "critical,permitted;DNS:localhost,permitted;DNS:local,permitted;DNS:test,"
                      "permitted;DNS:internal,permitted;DNS:lan,permitted;DNS:home.arpa,"
                      "permitted;IP:127.0.0.0/255.0.0.0,permitted;IP:10.0.0.0/255.0.0.0,"
                      "permitted;IP:172.16.0.0/255.240.0.0,permitted;IP:192.168.0.0/255.255.0.0,"
                      "permitted;IP:169.254.0.0/255.255.0.0,"
                      "permitted;IP:::1/ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff,"
                      "permitted;IP:fc00::/fe00::,permitted;IP:fe80::/ffc0::";
    char host[256] = "";
    size_t n = strlen(text);
    if (gethostname(host, sizeof host - 1) == 0 && *host &&
        host[strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.")] ==
            '\0')
        snprintf(text + n, sizeof text - n, ",permitted;DNS:%s", host);
    return hail_tls_add_extension(cert, cert, NID_basic_constraints,
                                  "critical,CA:TRUE,pathlen:0") &&
           hail_tls_add_extension(cert, cert, NID_key_usage, "critical,keyCertSign,cRLSign") &&
           hail_tls_add_extension(cert, cert, NID_subject_key_identifier, "hash") &&
           hail_tls_add_extension(cert, cert, NID_name_constraints, text);
}

static bool make(struct authority *a)
{
    char host[256] = "", common[300];
    gethostname(host, sizeof host - 1);
    snprintf(common, sizeof common, "hail local authority%s%.40s", *host ? ", " : "", host);
    a->key = EVP_EC_gen("P-256");
    a->cert = a->key ? hail_tls_new_cert(a->key, common, AUTHORITY_S) : NULL;
    return a->cert && X509_set_issuer_name(a->cert, X509_get_subject_name(a->cert)) &&
           confine(a->cert) && X509_sign(a->cert, a->key, EVP_sha256());
}

/* Writes a file beside, and gives it its name if nobody else did meanwhile. 0 or -errno. */
static int put_file(const char *path, mode_t mode, const struct authority *a, bool key)
{
    char part[PATH_MAX_ + 32];
    snprintf(part, sizeof part, "%s.%ld", path, (long)getpid());
    int fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
    FILE *f = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (!f) {
        int rc = -errno;
        if (fd >= 0)
            close(fd);
        return rc;
    }
    bool ok = (!key || PEM_write_PrivateKey(f, a->key, NULL, NULL, 0, NULL, NULL) == 1) &&
              PEM_write_X509(f, a->cert) == 1;
    ok = fflush(f) == 0 && ok && fsync(fd) == 0;
    int rc = ok ? 0 : errno ? -errno : -EIO;
    fclose(f);
    if (rc == 0 && link(part, path) < 0)
        rc = -errno;
    unlink(part);
    return rc;
}

static int make_folders(const char *folder)
{
    char path[PATH_MAX_];
    snprintf(path, sizeof path, "%s", folder);
    for (char *p = path + 1; *p; p++) {
        if (*p != '/')
            continue;
        *p = '\0';
        if (mkdir(path, 0700) < 0 && errno != EEXIST)
            return -errno;
        *p = '/';
    }
    return mkdir(path, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

/* --- reading it --- */

static int load(struct hail_ctx *ctx, const char *path, struct authority *a)
{
    FILE *f = fopen(path, "re");
    if (!f)
        return -errno;
    char none[] = ""; /* no pass phrase is asked for */
    a->key = PEM_read_PrivateKey(f, NULL, NULL, none);
    a->cert = a->key ? PEM_read_X509(f, NULL, NULL, none) : NULL;
    fclose(f);
    if (!a->cert || X509_check_private_key(a->cert, a->key) != 1) {
        drop(a);
        char what[PATH_MAX_ + 64];
        snprintf(what, sizeof what, "read the authority's key and certificate in %s", path);
        return tls_failed(ctx, what);
    }
    if (X509_cmp_current_time(X509_get0_notAfter(a->cert)) > 0)
        return 0;
    drop(a);
    return hail_fail(ctx, HAIL_LAYER_TLS, EKEYEXPIRED, "tls",
                     "the authority in %s has expired: remove the file, and trust the next one",
                     path);
}

static int load_or_make(struct hail_ctx *ctx, const char *folder, struct authority *a)
{
    char path[PATH_MAX_], public[PATH_MAX_];
    OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT, NULL);
    if (strlen(folder) + sizeof "/authority.pem" > sizeof path)
        return file_failed(ctx, "open", folder, ENAMETOOLONG);
    snprintf(path, sizeof path, "%s/authority.pem", folder);
    snprintf(public, sizeof public, "%s/authority.crt", folder);
    int rc = load(ctx, path, a);
    if (rc == -ENOENT) {
        rc = make_folders(folder);
        if (rc < 0)
            return file_failed(ctx, "make the folder", folder, -rc);
        if (!make(a)) {
            drop(a);
            return tls_failed(ctx, "make an authority");
        }
        rc = put_file(path, 0600, a, true);
        if (rc == -EEXIST) { /* another was faster: that one is it */
            drop(a);
            rc = load(ctx, path, a);
        }
        if (rc < 0 && rc != -EIO)
            file_failed(ctx, "write", path, -rc);
    } else if (rc < 0 && rc != -EIO && rc != -EKEYEXPIRED) {
        file_failed(ctx, "open", path, -rc);
    }
    if (rc < 0)
        return rc;
    rc = put_file(public, 0644, a, false);
    if (rc == 0 || rc == -EEXIST || rc == -EROFS || rc == -EACCES)
        return 0;
    drop(a);
    return file_failed(ctx, "write", public, -rc);
}

int hail_tls_authority(struct hail_ctx *ctx, const char *folder, char *path, size_t size)
{
    struct authority a = {0};
    int rc = load_or_make(ctx, folder, &a);
    drop(&a);
    if (rc == 0 && (size_t)snprintf(path, size, "%s/authority.crt", folder) >= size)
        return file_failed(ctx, "open", folder, ENAMETOOLONG);
    return rc;
}

/* --- a server's certificate --- */

static X509 *issue(const struct authority *a, EVP_PKEY *key, const char *names)
{
    X509 *cert = hail_tls_new_cert(key, "hail", CERTIFICATE_S);
    if (cert && X509_set_issuer_name(cert, X509_get_subject_name(a->cert)) &&
        hail_tls_for_server(cert, a->cert, names) &&
        hail_tls_add_extension(cert, a->cert, NID_authority_key_identifier, "keyid:always") &&
        X509_sign(cert, a->key, EVP_sha256()))
        return cert;
    X509_free(cert);
    return NULL;
}

/* Whether the authority may vouch for the name; a name that it may not would spoil the rest. The
 * certificate that this is tried with is for nobody's key but its own. */
static bool may_vouch(const struct authority *a, const char *name)
{
    NAME_CONSTRAINTS *bounds = X509_get_ext_d2i(a->cert, NID_name_constraints, NULL, NULL);
    X509 *probe = issue(a, a->key, name);
    bool may = bounds && probe && X509_check_purpose(probe, -1, 0) == 1 &&
               NAME_CONSTRAINTS_check(probe, bounds) == X509_V_OK;
    X509_free(probe);
    NAME_CONSTRAINTS_free(bounds);
    return may;
}

static void choose_names(const struct authority *a, const char *names, char *out, size_t size)
{
    char name[256];
    size_t len = 0;
    out[0] = '\0';
    while (*names) {
        size_t n = strcspn(names, ",");
        snprintf(name, sizeof name, "%.*s", n < sizeof name ? (int)n : 0, names);
        if (*name && may_vouch(a, name) && len + n + 2 < size)
            len += (size_t)snprintf(out + len, size - len, ",%s", name);
        names += n + (names[n] == ',' ? 1 : 0);
    }
}

int hail_tls_certify(struct hail_ctx *ctx, SSL_CTX *x, const char *folder, const char *names)
{
    struct authority a = {0};
    int rc = load_or_make(ctx, folder, &a);
    if (rc < 0)
        return rc;
    char chosen[4096];
    choose_names(&a, names, chosen, sizeof chosen);
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = key ? issue(&a, key, chosen) : NULL;
    if (!cert || SSL_CTX_use_certificate(x, cert) != 1 || SSL_CTX_use_PrivateKey(x, key) != 1)
        rc = tls_failed(ctx, "make a certificate");
    X509_free(cert);
    EVP_PKEY_free(key);
    drop(&a);
    return rc;
}
