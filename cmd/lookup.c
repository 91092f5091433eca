/* lookup.c - `hail lookup`: the addresses of a host in the order they would be tried, and why; the
 * names of an address; the records of a name.
 *
 * On a terminal the rows are a table for people; into a pipe they are fields separated by tabs,
 * without a heading; with --json one document a row (the schema is in hail-lookup(1)).
 */
#include "cmd.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#define SCHEMA "hail.lookup/1"

enum { OPT_TCP = 256, OPT_NO_SEARCH, OPT_RESOLV_CONF, OPT_HOSTS };

static const struct option_row options[] = {
    {'x', "reverse", NULL, "the operands are addresses: print their names"},
    {'t', "type", "TYPE",
     "print DNS records: A, AAAA, CNAME, MX, TXT, NS, SOA, SRV, CAA, HTTPS, SVCB, PTR or TYPE123"},
    {OPT_TCP, "tcp", NULL, "ask over TCP from the start"},
    {OPT_NO_SEARCH, "no-search", NULL, "the names are complete: no search list"},
    {OPT_RESOLV_CONF, "resolv-conf", "FILE", "read FILE in place of /etc/resolv.conf"},
    {OPT_HOSTS, "hosts", "FILE", "read FILE in place of /etc/hosts"},
    {0},
};

static struct {
    bool reverse;
    const char *type;
    struct hail_resolve_opts resolve;
} asked = {.resolve.sources = true};

static int option(int letter, const char *value)
{
    switch (letter) {
    case 'x':
        asked.reverse = true;
        break;
    case 't':
        asked.type = value;
        break;
    case OPT_TCP:
        asked.resolve.tcp = true;
        break;
    case OPT_NO_SEARCH:
        asked.resolve.no_search = true;
        break;
    case OPT_RESOLV_CONF:
        asked.resolve.resolv_conf = value;
        break;
    case OPT_HOSTS:
        asked.resolve.hosts_file = value;
        break;
    default:
        break;
    }
    return 0;
}

/* From a file or the network: safe on a terminal, exact in a pipe. */
static void put(const struct common *c, const char *s)
{
    if (c->terminal)
        put_safe(stdout, s);
    else
        fputs(s, stdout);
}

/* An address as text; as an endpoint when a port was asked for. */
static void address_text(const struct hail_addr *a, bool port, char out[HAIL_ENDPOINT_MAX])
{
    struct hail_endpoint ep = hail_endpoint_of(a);
    if (port || (ep.kind != HAIL_HOST_IPV6 && ep.kind != HAIL_HOST_IPV4)) {
        hail_endpoint_format(&ep, out, HAIL_ENDPOINT_MAX);
        return;
    }
    snprintf(out, HAIL_ENDPOINT_MAX, "%s%s%s", ep.host, *ep.zone ? "%" : "", ep.zone);
}

static const char *source_text(const struct hail_address *a, char out[HAIL_ENDPOINT_MAX])
{
    out[0] = '\0';
    if (a->from.len)
        address_text(&a->from, false, out);
    return out;
}

static bool same_name(const char *a, const char *b)
{
    size_t n = strlen(a), m = strlen(b);
    n -= n > 0 && a[n - 1] == '.';
    m -= m > 0 && b[m - 1] == '.';
    return n == m && strncasecmp(a, b, n) == 0;
}

/* One lookup's rows with what they have in common. */
struct view {
    struct common *c;
    const char *host; /* as written */
    bool port;
    const struct hail_addrs *addrs;
};

static int json_address(const struct view *v, size_t i, struct hail_buf *b)
{
    const struct hail_address *a = &v->addrs->v[i];
    char text[HAIL_ENDPOINT_MAX];
    int family = a->addr.u.sa.sa_family;
    struct hail_json j = {.out = b};
    hail_json_object(&j, NULL);
    hail_json_str(&j, "schema", SCHEMA);
    hail_json_str(&j, "kind", "address");
    hail_json_str(&j, "host", v->host);
    hail_json_str(&j, "canonical", *v->addrs->canonical ? v->addrs->canonical : NULL);
    hail_json_int(&j, "order", (int64_t)i + 1);
    address_text(&a->addr, false, text);
    hail_json_str(&j, "address", text);
    if (v->port)
        hail_json_int(&j, "port", hail_addr_port(&a->addr));
    else
        hail_json_null(&j, "port");
    hail_json_str(&j, "family", family == AF_INET ? "ipv4" : family == AF_INET6 ? "ipv6" : "unix");
    hail_json_str(&j, "source", hail_source_name(a->source));
    hail_json_str(&j, "server",
                  a->source == HAIL_SOURCE_DNS && *v->addrs->server ? v->addrs->server : NULL);
    if (a->ttl >= 0)
        hail_json_int(&j, "ttl", a->ttl);
    else
        hail_json_null(&j, "ttl");
    hail_json_str(&j, "from", *source_text(a, text) ? text : NULL);
    hail_json_str(&j, "reason", a->reason);
    hail_json_end_object(&j);
    return put_json(b);
}

static void piped_address(const struct view *v, const struct hail_address *a)
{
    char text[HAIL_ENDPOINT_MAX], from[HAIL_ENDPOINT_MAX], ttl[16] = "-";
    address_text(&a->addr, v->port, text);
    if (a->ttl >= 0)
        snprintf(ttl, sizeof ttl, "%d", a->ttl);
    printf("%s\t%s\t%s\t%s\t%s\t%s\n", text, v->host, hail_source_name(a->source), ttl,
           *source_text(a, from) ? from : "-", a->reason);
}

/* The line above the rows: the name, its real name, who said so. */
static void title(const struct view *v)
{
    const struct hail_addrs *addrs = v->addrs;
    printf("%s", paint(v->c, "1"));
    put(v->c, v->host);
    printf("%s", paint(v->c, "0"));
    if (*addrs->canonical && !same_name(addrs->canonical, v->host)) {
        fputs(" is ", stdout);
        put(v->c, addrs->canonical);
    }
    if (*addrs->server)
        printf("%s, asked %s%s", paint(v->c, "2"), addrs->server, paint(v->c, "0"));
    putchar('\n');
}

static void why_text(const struct hail_address *a, char *out, size_t size)
{
    char from[HAIL_ENDPOINT_MAX];
    if (*source_text(a, from))
        snprintf(out, size, "%s (%s)", a->reason, from);
    else
        snprintf(out, size, "%s", a->reason);
}

#define WHY_MAX (HAIL_ENDPOINT_MAX + 80)

/* The rows for people. Where the reasons do not fit beside the addresses, they go below them. */
static void table(const struct view *v)
{
    const struct hail_addrs *addrs = v->addrs;
    char text[HAIL_ENDPOINT_MAX], why[WHY_MAX], ttl[16];
    int width = (int)strlen("ADDRESS"), longest = 0;
    for (size_t i = 0; i < addrs->n; i++) {
        address_text(&addrs->v[i].addr, v->port, text);
        why_text(&addrs->v[i], why, sizeof why);
        if ((int)strlen(text) > width)
            width = (int)strlen(text);
        if ((int)strlen(why) > longest)
            longest = (int)strlen(why);
    }
    bool below = 2 + width + 2 + 7 + 2 + 7 + 2 + longest > v->c->columns;
    title(v);
    printf("%s  %-*s  %-7s  %7s%s%s\n", paint(v->c, "2"), width, "ADDRESS", "SOURCE", "TTL",
           below ? "" : "  WHY HERE (RFC 6724)", paint(v->c, "0"));
    for (size_t i = 0; i < addrs->n; i++) {
        const struct hail_address *a = &addrs->v[i];
        address_text(&a->addr, v->port, text);
        why_text(a, why, sizeof why);
        snprintf(ttl, sizeof ttl, a->ttl < 0 ? "-" : "%d s", a->ttl);
        printf("  %s%-*s%s  %-7s  %7s", paint(v->c, "36"), width, text, paint(v->c, "0"),
               hail_source_name(a->source), ttl);
        printf("%s%s\n", below ? "\n      " : "  ", why);
    }
}

static int show_addresses(const struct view *v, struct hail_buf *b)
{
    int status = STATUS_DONE;
    if (v->c->terminal && !v->c->json) {
        table(v);
        return status;
    }
    for (size_t i = 0; i < v->addrs->n && status == STATUS_DONE; i++) {
        if (v->c->json)
            status = json_address(v, i, b);
        else
            piped_address(v, &v->addrs->v[i]);
    }
    return status;
}

static int lookup_addresses(struct common *c, const char *host, struct hail_buf *b)
{
    struct hail_endpoint ep;
    struct hail_addrs addrs;
    if (hail_endpoint_parse(&c->ctx, &ep, host, 0) < 0 ||
        hail_resolve(&c->ctx, &ep, &asked.resolve, &addrs) < 0)
        return fail(c);
    struct view v = {.c = c, .host = host, .port = ep.has_port, .addrs = &addrs};
    if (ep.kind == HAIL_HOST_NAME && (ep.has_port || ep.transport))
        v.host = ep.host;
    int status = show_addresses(&v, b);
    hail_addrs_free(&addrs);
    return status;
}

/* The rows of -x and -t, printed as they come. */
struct rows {
    struct common *c;
    const char *operand;
    struct hail_buf *b;
    int status, shown;
};

static void on_name(void *arg, const char *name, enum hail_source source, int32_t ttl)
{
    struct rows *r = arg;
    char text[16] = "-";
    r->shown++;
    if (r->c->json) {
        struct hail_json j = {.out = r->b};
        hail_json_object(&j, NULL);
        hail_json_str(&j, "schema", SCHEMA);
        hail_json_str(&j, "kind", "name");
        hail_json_str(&j, "address", r->operand);
        hail_json_str(&j, "name", name);
        hail_json_str(&j, "source", hail_source_name(source));
        if (ttl >= 0)
            hail_json_int(&j, "ttl", ttl);
        else
            hail_json_null(&j, "ttl");
        hail_json_end_object(&j);
        r->status = put_json(r->b);
        return;
    }
    bool terminal = r->c->terminal;
    if (ttl >= 0)
        snprintf(text, sizeof text, terminal ? "%d s" : "%d", ttl);
    printf(terminal ? "%s%s%s  " : "%s%s%s\t", paint(r->c, "36"), r->operand, paint(r->c, "0"));
    put(r->c, name);
    printf(terminal ? "  (%s%s%s)\n" : "\t%s%s%s\n", hail_source_name(source),
           !terminal  ? "\t"
           : ttl >= 0 ? ", ttl "
                      : "",
           terminal && ttl < 0 ? "" : text);
}

static int lookup_names(struct common *c, const char *operand, struct hail_buf *b)
{
    struct hail_endpoint ep;
    struct hail_addr addr;
    struct rows r = {.c = c, .operand = operand, .b = b};
    if (hail_endpoint_parse(&c->ctx, &ep, operand, 0) < 0)
        return fail(c);
    if (ep.kind != HAIL_HOST_IPV4 && ep.kind != HAIL_HOST_IPV6)
        return usage_error(c->cmd, "-x takes addresses, and '%s' is none", operand);
    if (hail_endpoint_addr(&ep, AF_UNSPEC, &addr) < 0)
        return usage_error(c->cmd, "there is no interface '%s'", ep.zone);
    if (hail_resolve_reverse(&c->ctx, &addr, &asked.resolve, on_name, &r) < 0)
        return fail(c);
    return r.status;
}

static void on_record(void *arg, const struct hail_dns_record *rec)
{
    struct rows *r = arg;
    if (strcmp(rec->section, "answer") != 0)
        return;
    r->shown++;
    if (r->c->json) {
        struct hail_json j = {.out = r->b};
        hail_json_object(&j, NULL);
        hail_json_str(&j, "schema", SCHEMA);
        hail_json_str(&j, "kind", "record");
        hail_json_str(&j, "host", r->operand);
        hail_json_str(&j, "name", rec->name);
        hail_json_str(&j, "type", rec->type);
        hail_json_int(&j, "ttl", rec->ttl);
        hail_json_str(&j, "data", rec->data);
        hail_json_end_object(&j);
        r->status = put_json(r->b);
        return;
    }
    /* presentation form is printable ASCII, whatever the server sent */
    if (r->c->terminal)
        printf("%s%s%s  %6u s  %-5s  %s\n", paint(r->c, "36"), rec->name, paint(r->c, "0"),
               rec->ttl, rec->type, rec->data);
    else
        printf("%s\t%u\t%s\t%s\n", rec->name, rec->ttl, rec->type, rec->data);
}

static int lookup_records(struct common *c, const char *name, struct hail_buf *b)
{
    struct rows r = {.c = c, .operand = name, .b = b};
    int n = hail_dns_query(&c->ctx, name, asked.type, &asked.resolve, on_record, &r);
    if (n < 0)
        return fail(c);
    if (n > 0 || r.status)
        return r.status;
    fflush(stdout);
    fputs("hail: resolve ", stderr);
    put_safe(stderr, name);
    fputs(": the name exists, but has no record of type ", stderr);
    put_safe(stderr, asked.type);
    fputs("\n", stderr);
    return STATUS_NAME;
}

/* Takes "@server" out of the operands. Returns how many are left, or -1 after a usage error. */
static int take_server(struct common *c, int argc, char **argv)
{
    int n = 0;
    for (int i = 0; i < argc; i++) {
        if (argv[i][0] != '@') {
            argv[n++] = argv[i];
        } else if (asked.resolve.server) {
            usage_error(c->cmd, "one @server is enough");
            return -1;
        } else {
            asked.resolve.server = argv[i] + 1;
        }
    }
    if (n == 0)
        usage_error(c->cmd, "a host is missing");
    return n ? n : -1;
}

static int run(struct common *c, int argc, char **argv)
{
    int n = take_server(c, argc, argv), status = STATUS_DONE;
    if (n < 0)
        return STATUS_USAGE;
    if (asked.reverse && asked.type)
        return usage_error(c->cmd, "-x and -t are two different questions");
    if (c->family && (asked.reverse || asked.type))
        return usage_error(c->cmd, "-4 and -6 choose among addresses; with -t ask for A or AAAA");
    asked.resolve.family = c->family;
    struct hail_endpoint server; /* malformed even where nobody would be asked */
    if (asked.resolve.server && hail_endpoint_parse(&c->ctx, &server, asked.resolve.server, 53) < 0)
        return fail(c);
    struct hail_buf b;
    hail_buf_init(&b, 1 << 20);
    for (int i = 0; i < n; i++) {
        if (i && c->terminal && !c->json && !asked.reverse && !asked.type)
            putchar('\n');
        int rc = asked.reverse ? lookup_names(c, argv[i], &b)
                 : asked.type  ? lookup_records(c, argv[i], &b)
                               : lookup_addresses(c, argv[i], &b);
        if (status == STATUS_DONE)
            status = rc;
    }
    hail_buf_free(&b);
    return status;
}

const struct command command_lookup = {
    .name = "lookup",
    .args = "HOST... [@SERVER]",
    .summary = "the addresses of a host, in the order they would be tried, and why",
    .options = options,
    .option = option,
    .run = run,
    .more = "A HOST is a name, an address or an endpoint. @SERVER is the name server to ask, an "
            "endpoint (@9.9.9.9, @[::1]:5353), in place of those of /etc/resolv.conf; the hosts "
            "file is then left out. Into a pipe the fields are separated by tabs: address, host, "
            "source, TTL, source address, reason; with -x address, name, source, TTL; with -t "
            "name, TTL, type, data.",
};
