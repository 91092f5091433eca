/* secure.c - `hail serve` over TLS: with a certificate of one's own, or one that a local authority
 * makes for this machine, and how that authority is trusted.
 */
#include "lan.h"
#include "serve.h"

#include "base/error.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FOLDER 3900 /* bytes of the authority's folder */

/* $XDG_DATA_HOME/hail, or ~/.local/share/hail. */
static int find_folder(struct hail_ctx *ctx, char folder[FOLDER])
{
    const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
    int n = -1;
    if (data && *data == '/')
        n = snprintf(folder, FOLDER, "%s/hail", data);
    else if (home && *home == '/')
        n = snprintf(folder, FOLDER, "%s/.local/share/hail", home);
    if (n > 0 && n < FOLDER)
        return 0;
    return hail_fail(ctx, HAIL_LAYER_LOCAL, ENOENT, "open",
                     "a folder for the authority: neither XDG_DATA_HOME nor HOME says where");
}

static void add_name(char *names, size_t size, const char *name)
{
    size_t n = strlen(names);
    snprintf(names + n, size - n, ",%s", name);
}

/* Whom the certificate is for besides localhost: this machine, by its name and addresses, and what
 * it listens at. The authority leaves out what is not local. */
static void find_names(const struct serve *s, char *names, size_t size)
{
    char host[256] = "";
    struct lan lan;
    struct hail_endpoint at;
    struct hail_ctx quiet = {.cancel_fd = -1};
    names[0] = '\0';
    if (gethostname(host, sizeof host - 1) == 0)
        add_name(names, size, host);
    lan_addresses(&lan);
    for (int i = 0; i < lan.n; i++)
        add_name(names, size, lan.v[i]);
    for (int i = 0; i < s->o->nlisten; i++)
        if (hail_endpoint_parse(&quiet, &at, s->o->listen[i], 1) == 0 &&
            (at.kind == HAIL_HOST_NAME || at.kind == HAIL_HOST_IPV4 || at.kind == HAIL_HOST_IPV6))
            add_name(names, size, at.host);
}

int serve_start_tls(struct serve *s)
{
    const struct serve_options *o = s->o;
    struct hail_tls_opts opts = {.cert_file = o->cert, .key_file = o->key, .alpn = "http/1.1"};
    char folder[FOLDER], names[FOLDER];
    if (!serve_is_secure(o))
        return 0;
    if (!o->cert) {
        int rc = find_folder(&s->c->ctx, folder);
        if (rc < 0)
            return rc;
        find_names(s, names, sizeof names);
        opts.authority = folder;
        opts.self_signed = names;
    }
    return hail_tls_config_new(&s->c->ctx, true, &opts, &s->tls);
}

bool serve_is_secure(const struct serve_options *o)
{
    return o->cert || o->tls;
}

static const char *const how[][2] = {
    {"Debian, Ubuntu", "sudo cp %s /usr/local/share/ca-certificates/hail.crt && "
                       "sudo update-ca-certificates"},
    {"Fedora, Arch", "sudo trust anchor %s"},
    {"Alpine", "doas cp %s /usr/local/share/ca-certificates/hail.crt && "
               "doas update-ca-certificates"},
    {"macOS", "security add-trusted-cert -k ~/Library/Keychains/login.keychain-db %s"},
    {"Windows", "certutil -user -addstore Root %s"},
    {"Chromium (Linux)", "certutil -d sql:$HOME/.pki/nssdb -A -n hail -t C,, -i %s"},
    {"Firefox", "Settings, Certificates, View Certificates, Authorities, Import: %s"},
    {"curl", "curl --cacert %s https://localhost:8080/"},
};

static void put_how(const char *path)
{
    printf("The certificate of this user's own authority, which `hail serve --tls` uses, is\n\n"
           "    ");
    put_safe(stdout, path);
    printf("\n\nIt vouches for localhost, this machine and private addresses, and for nothing "
           "else.\nTo trust it:\n\n");
    for (size_t i = 0; i < sizeof how / sizeof *how; i++) {
        const char *at = strstr(how[i][1], "%s");
        printf("%-18s%.*s", how[i][0], (int)(at - how[i][1]), how[i][1]);
        put_safe(stdout, path);
        printf("%s\n", at + 2);
    }
}

int serve_tell_authority(struct common *c)
{
    char folder[FOLDER], path[FOLDER + 64];
    int rc = find_folder(&c->ctx, folder);
    rc = rc < 0 ? rc : hail_tls_authority(&c->ctx, folder, path, sizeof path);
    if (rc < 0)
        return fail(c);
    if (!c->json) {
        put_how(path);
        return STATUS_DONE;
    }
    struct hail_buf b;
    struct hail_json j = {.out = &b};
    hail_buf_init(&b, 65536);
    hail_json_object(&j, NULL);
    hail_json_str(&j, "schema", "hail.serve/1");
    hail_json_str(&j, "kind", "authority");
    hail_json_str(&j, "certificate", path);
    hail_json_end_object(&j);
    int status = put_json(&b);
    hail_buf_free(&b);
    return status;
}
