/* settings.c - settings by their names; settings.h. How a value is written: values.c. */
#include "settings.h"
#include "values.h"

#include "proto/dns.h"
#include "proto/http_scan.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

const struct check_settings check_defaults = {
    .kind = HAIL_HELLO_KINDS, .timeout_ms = 10000, .greeting_ms = 6000, .every_ms = 15000};

struct check_settings check_derive(const struct check_settings *base)
{
    struct check_settings s = *base;
    s.own_script = false;
    s.name = NULL;
    return s;
}

/* What is being set. */
struct setting {
    struct check_settings *s;
    struct check_pool *pool;
    const char *value; /* NULL: none was given, and none has to be */
    char *why;
};

static int keep(struct setting *a, const char **out)
{
    *out = check_pool_text(a->pool, a->value, strlen(a->value));
    return *out ? 0 : -ENOMEM;
}

/* --- which protocol --- */

static int set_protocol(struct setting *a)
{
    bool tls;
    enum hail_hello_kind kind = hail_hello_by_name(a->value, &tls);
    if (kind == HAIL_HELLO_KINDS)
        return check_wrong(a->why, "'%.60s' is no protocol that hail knows the hello of", a->value);
    a->s->kind = kind;
    a->s->protocol_tls = tls;
    a->s->port = hail_hello_port_by_name(a->value);
    return 0;
}

static int set_tls(struct setting *a)
{
    static const char *const words[] = {"off", "on", NULL};
    int i = a->value ? check_read_word(a->value, words, a->why) : 1;
    a->s->tls = i == 0 ? CHECK_TLS_OFF : i == 1 ? CHECK_TLS_ON : a->s->tls;
    return i < 0 ? i : 0;
}

static int set_starttls(struct setting *a)
{
    static const char *const words[] = {
        [HAIL_HELLO_TLS_TRY] = "try",
        [HAIL_HELLO_TLS_NEVER] = "never",
        [HAIL_HELLO_TLS_REQUIRED] = "require",
        NULL,
    };
    int i = a->value ? check_read_word(a->value, words, a->why) : HAIL_HELLO_TLS_REQUIRED;
    if (i >= 0)
        a->s->starttls = (enum hail_hello_tls)i;
    return i < 0 ? i : 0;
}

static int set_family(struct setting *a)
{
    static const char *const words[] = {"4", "6", NULL};
    int i = check_read_word(a->value, words, a->why);
    if (i >= 0)
        a->s->family = i ? AF_INET6 : AF_INET;
    return i < 0 ? i : 0;
}

static int set_all_addresses(struct setting *a)
{
    a->s->all_addresses = true;
    return 0;
}

/* --- times --- */

static int set_timeout(struct setting *a)
{
    return check_read_time(a->value, &a->s->timeout_ms, a->why);
}

static int set_greeting(struct setting *a)
{
    return check_read_time(a->value, &a->s->greeting_ms, a->why);
}

static int set_every(struct setting *a)
{
    return check_read_time(a->value, &a->s->every_ms, a->why);
}

static int set_warn_time(struct setting *a)
{
    return check_read_time(a->value, &a->s->warn_ms, a->why);
}

static int set_warn_days(struct setting *a)
{
    long days = 0;
    int rc = check_read_number(a->value, 1, 36500, "a number of days", &days, a->why);
    if (rc == 0)
        a->s->warn_days = (int)days;
    return rc;
}

/* --- TLS --- */

static int set_cacert(struct setting *a)
{
    return keep(a, &a->s->ca_file);
}

static int set_cert(struct setting *a)
{
    return keep(a, &a->s->cert_file);
}

static int set_key(struct setting *a)
{
    return keep(a, &a->s->key_file);
}

static int set_servername(struct setting *a)
{
    return keep(a, &a->s->servername);
}

static int set_alpn(struct setting *a)
{
    return keep(a, &a->s->alpn);
}

static int set_insecure(struct setting *a)
{
    a->s->insecure = true;
    return 0;
}

/* --- HTTP --- */

static int set_method(struct setting *a)
{
    for (const char *p = a->value; *p || p == a->value; p++)
        if (!hail_http_is(*p, HAIL_HTTP_TCHAR))
            return check_wrong(a->why, "a method such as GET, not '%.60s'", a->value);
    return keep(a, &a->s->method);
}

/* "Name: value": RFC 9110 section 5.1, 5.5. */
static int set_header(struct setting *a)
{
    const char *colon = strchr(a->value, ':');
    const char *before = a->s->fields ? a->s->fields : "";
    size_t old = strlen(before), n = strlen(a->value);
    bool fits = colon && colon > a->value;
    for (const char *p = a->value; fits && p < colon; p++)
        fits = hail_http_is(*p, HAIL_HTTP_TCHAR);
    for (const char *p = a->value; fits && *p; p++)
        fits = ((unsigned char)*p >= ' ' && *p != '\x7F') || *p == '\t';
    if (!fits)
        return check_wrong(a->why, "a field such as 'Name: value', not '%.60s'", a->value);
    char *all = check_pool_take(a->pool, old + n + 3);
    if (!all)
        return -ENOMEM;
    snprintf(all, old + n + 3, "%s%s\r\n", before, a->value);
    a->s->fields = all;
    return 0;
}

static int set_expect_status(struct setting *a)
{
    return check_read_statuses(a->value, a->s->status, &a->s->nstatus, a->why);
}

static int set_expression(struct setting *a, const regex_t **out)
{
    struct hail_script_fault fault = {0};
    regex_t *re = check_pool_regex(a->pool);
    if (!re)
        return -ENOMEM;
    int rc = hail_script_compile(a->value, strlen(a->value), re, &fault);
    if (rc == -ENOMEM)
        return rc;
    if (rc < 0)
        return check_wrong(a->why, "an expression: %s, at character %zu", fault.why, fault.at + 1);
    check_pool_compiled(a->pool);
    *out = re;
    return 0;
}

static int set_expect_body(struct setting *a)
{
    return set_expression(a, &a->s->body);
}

static int set_reject_body(struct setting *a)
{
    return set_expression(a, &a->s->not_body);
}

/* --- DNS --- */

static int set_query(struct setting *a)
{
    const char *slash = strrchr(a->value, '/');
    size_t n = slash ? (size_t)(slash - a->value) : strlen(a->value);
    int type = slash ? hail_dns_type_of(slash + 1) : 0;
    if (n == 0 || n > HAIL_HOST_MAX + 1 || type < 0)
        return check_wrong(a->why, "a name such as example.org or example.org/MX, not '%.60s'",
                           a->value);
    a->s->query_type = (uint16_t)type;
    a->s->query = check_pool_text(a->pool, a->value, n);
    return a->s->query ? 0 : -ENOMEM;
}

/* --- any other --- */

static int add_step(struct setting *a, enum hail_script_verb verb)
{
    struct hail_ctx ctx = HAIL_CTX_INIT;
    if (!a->s->own_script)
        a->s->script = check_pool_script(a->pool);
    if (!a->s->script)
        return -ENOMEM;
    a->s->own_script = true;
    int rc = hail_script_add(&ctx, a->s->script, verb, a->value, strlen(a->value));
    return rc < 0 && rc != -ENOMEM ? check_wrong(a->why, "%s", ctx.err.msg) : rc;
}

static int set_send(struct setting *a)
{
    return add_step(a, HAIL_SCRIPT_SEND);
}

static int set_expect(struct setting *a)
{
    return add_step(a, HAIL_SCRIPT_EXPECT);
}

static int set_reject(struct setting *a)
{
    return add_step(a, HAIL_SCRIPT_REJECT);
}

/* --- of a target in a file --- */

static int set_name(struct setting *a)
{
    return keep(a, &a->s->name);
}

/* Prometheus' rule for labels' names; what begins with "__" is its own. */
static int set_label(struct setting *a, const char *name)
{
    static const char *const taken[] = {"target", "module", "name", "phase", "version", NULL};
    bool fits = (isalpha((unsigned char)*name) || *name == '_') && strncmp(name, "__", 2) != 0;
    for (const char *p = name; fits && *p; p++)
        fits = isalnum((unsigned char)*p) || *p == '_';
    for (int i = 0; taken[i]; i++)
        fits = fits && strcmp(name, taken[i]) != 0;
    if (!fits)
        return check_wrong(a->why, "a label's name of letters, digits and _, not '%.60s'", name);
    if (a->s->nlabels == CHECK_LABELS)
        return check_wrong(a->why, "no more than %d labels", CHECK_LABELS);
    const char *value;
    if (keep(a, &value) < 0)
        return -ENOMEM;
    name = check_pool_text(a->pool, name, strlen(name));
    if (!name)
        return -ENOMEM;
    size_t i = 0;
    while (i < a->s->nlabels && strcmp(a->s->labels[i].name, name) != 0)
        i++;
    a->s->labels[i].name = name;
    a->s->labels[i].value = value;
    a->s->nlabels += i == a->s->nlabels;
    return 0;
}

/* --- the table --- */

enum value { WANTED, OPTIONAL, NONE };

static const struct {
    const char *name;
    int (*set)(struct setting *a);
    enum value value;
} table[] = {
    {"protocol", set_protocol, WANTED},
    {"tls", set_tls, OPTIONAL},
    {"starttls", set_starttls, OPTIONAL},
    {"family", set_family, WANTED},
    {"all-addresses", set_all_addresses, NONE},
    {"timeout", set_timeout, WANTED},
    {"greeting", set_greeting, WANTED},
    {"every", set_every, WANTED},
    {"warn-time", set_warn_time, WANTED},
    {"warn-days", set_warn_days, WANTED},
    {"cacert", set_cacert, WANTED},
    {"cert", set_cert, WANTED},
    {"key", set_key, WANTED},
    {"servername", set_servername, WANTED},
    {"alpn", set_alpn, WANTED},
    {"insecure", set_insecure, NONE},
    {"method", set_method, WANTED},
    {"header", set_header, WANTED},
    {"expect-status", set_expect_status, WANTED},
    {"expect-body", set_expect_body, WANTED},
    {"reject-body", set_reject_body, WANTED},
    {"query", set_query, WANTED},
    {"send", set_send, WANTED},
    {"expect", set_expect, WANTED},
    {"reject", set_reject, WANTED},
    {"name", set_name, WANTED},
};
#define NSETTINGS (sizeof table / sizeof *table)

static int unknown(const char *name, char why[CHECK_WHY])
{
    const char *words[NSETTINGS + 1];
    for (size_t i = 0; i < NSETTINGS; i++)
        words[i] = table[i].name;
    words[NSETTINGS] = NULL;
    const char *meant = hail_text_nearest(name, words);
    check_wrong(why, "there is no setting '%.60s'%s%s%s", name, meant ? "; did you mean '" : "",
                meant ? meant : "", meant ? "'?" : "");
    return -ENOENT;
}

int check_set(struct check_settings *s, struct check_pool *pool, const char *name,
              const char *value, char why[CHECK_WHY])
{
    struct setting a = {.s = s, .pool = pool, .value = value, .why = why};
    if (strncmp(name, "label.", 6) == 0)
        return value ? set_label(&a, name + 6) : check_wrong(why, "%.60s wants a value", name);
    for (size_t i = 0; i < NSETTINGS; i++) {
        if (strcmp(table[i].name, name) != 0)
            continue;
        if (table[i].value == WANTED && !value)
            return check_wrong(why, "%s wants a value", name);
        if (table[i].value == NONE && value)
            return check_wrong(why, "%s takes no value", name);
        char reason[CHECK_WHY];
        a.why = reason;
        int rc = table[i].set(&a);
        if (rc == -EINVAL)
            check_wrong(why, "%s: %.*s", name, CHECK_WHY - 32, reason);
        return rc;
    }
    return unknown(name, why);
}
