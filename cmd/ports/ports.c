/* ports.c - the command: what is asked for, and the rows of the registry; ports/ports.h. */
#include "ports/ports.h"
#include "base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static struct {
    unsigned protos; /* bits of enum hail_service_proto; 0: all */
    bool all, search, check;
} options;

/* --- rows --- */

static void format_protos(unsigned protos, char out[24])
{
    static const char *const names[] = {"tcp", "udp", "sctp", "dccp"};
    out[0] = '\0';
    for (unsigned i = 0; i < 4; i++) {
        if (!(protos & 1u << i))
            continue;
        if (*out)
            strcat(out, "/");
        strcat(out, names[i]);
    }
}

static void row_json(struct ports *p, const struct hail_service *s)
{
    struct hail_json j = {.out = &p->json};
    char protos[24];
    format_protos(s->protos, protos);
    hail_json_object(&j, NULL);
    hail_json_str(&j, "schema", PORTS_SCHEMA);
    hail_json_int(&j, "port", s->first);
    hail_json_int(&j, "last", s->last);
    hail_json_str(&j, "protocols", protos);
    hail_json_str(&j, "name", s->name);
    hail_json_str(&j, "description", s->description);
    hail_json_bool(&j, "alias", s->alias);
    hail_json_str(&j, "source", s->local ? "/etc/services" : "IANA");
    hail_json_array(&j, "listening");
    for (size_t i = 0; i < p->n; i++)
        if (holds(&p->v[i], s->first, s->last, s->protos))
            put_listener(&j, &p->v[i]);
    hail_json_end_array(&j);
    hail_json_end_object(&j);
    if (put_json(&p->json))
        p->status = STATUS_LOCAL;
}

/* Text from outside, cut to what is left of the line on a terminal; nothing is cut in a pipe. */
static void put_rest(const struct ports *p, int used, const char *text)
{
    char safe[1024];
    int room = p->c->terminal ? p->c->columns - used : (int)sizeof safe - 1;
    hail_text_safe_into(safe, room < 1 ? 1 : (size_t)room + 1, text, strlen(text));
    fputs(safe, stdout);
}

static int print_row(struct ports *p, const struct hail_service *s)
{
    p->rows++;
    for (size_t i = 0; i < p->n && !p->owners; i++)
        if (holds(&p->v[i], s->first, s->last, s->protos))
            find_owners(p);
    if (p->c->json) {
        row_json(p, s);
        return p->status;
    }
    char port[16], protos[24];
    snprintf(port, sizeof port, s->first == s->last ? "%u" : "%u-%u", s->first, s->last);
    format_protos(s->protos, protos);
    int used = printf("%11s  %-16s %-12s ", port, *s->name ? s->name : "-", protos);
    put_rest(p, used, s->description);
    putchar('\n');
    for (size_t i = 0; i < p->n; i++)
        if (holds(&p->v[i], s->first, s->last, s->protos) && !s->alias)
            show_listener(p, &p->v[i]);
    return ferror(stdout) ? 1 : 0; /* the reader has gone: main tells */
}

/* The rows of one port that were held back, so that a name which has it for several protocols is
 * one row. */
static int flush_rows(struct ports *p)
{
    int rc = 0;
    for (size_t i = 0; i < p->nheld && !rc; i++)
        rc = print_row(p, &p->held[i]);
    p->nheld = 0;
    return rc;
}

static int show_row(void *arg, const struct hail_service *service)
{
    struct ports *p = arg;
    struct hail_service s = *service;
    if (p->protos)
        s.protos &= p->protos;
    if (!s.protos)
        return 0;
    if (p->nheld == HELD_MAX || (p->nheld && p->held[0].first != s.first)) {
        int rc = flush_rows(p);
        if (rc)
            return rc;
    }
    for (size_t i = 0; i < p->nheld; i++) {
        struct hail_service *h = &p->held[i];
        if (h->last == s.last && strcasecmp(h->name, s.name) == 0) {
            h->protos |= s.protos;
            h->alias &= s.alias;
            return 0;
        }
    }
    p->held[p->nheld++] = s;
    return 0;
}

/* --- what is asked for --- */

/* "80", "6000-6063"; false if it is not made of digits. */
static bool read_range(const char *text, unsigned *first, unsigned *last)
{
    char *end;
    if (*text < '0' || *text > '9')
        return false;
    unsigned long a = strtoul(text, &end, 10), b = a;
    if (*end == '-' && end[1] >= '0' && end[1] <= '9')
        b = strtoul(end + 1, &end, 10);
    if (*end)
        return false;
    *first = a > 65536 ? 65536 : (unsigned)a;
    *last = b > 65536 ? 65536 : (unsigned)b;
    return true;
}

/* A port that the registry does not know may be held all the same. */
static void show_unassigned(struct ports *p, uint16_t port)
{
    struct hail_service s = {.name = "",
                             .first = port,
                             .last = port,
                             .protos = HAIL_SERVICE_TCP | HAIL_SERVICE_UDP,
                             .description =
                                 port >= 49152 ? "dynamic, for whoever asks" : "not assigned"};
    show_row(p, &s);
    flush_rows(p);
}

static int by_range(struct ports *p, unsigned first, unsigned last, const char *text)
{
    if (first > 65535 || last > 65535)
        return usage_error(p->c->cmd, "'%s': a port is at most 65535", text);
    if (first > last)
        return usage_error(p->c->cmd, "'%s': the range ends before it begins", text);
    size_t before = p->rows;
    hail_services_by_port((uint16_t)first, (uint16_t)last, show_row, p);
    flush_rows(p);
    if (p->rows == before && first == last)
        show_unassigned(p, (uint16_t)first);
    return p->status;
}

struct nearest {
    const char *typo;
    char name[64];
};

/* A service that is called almost like that: one letter more, less or other. */
static int near_name(void *arg, const struct hail_service *s)
{
    struct nearest *n = arg;
    const char *words[] = {s->name, NULL};
    size_t a = strlen(s->name), b = strlen(n->typo);
    if (!*s->name || a + 1 < b || b + 1 < a || strncasecmp(s->name, n->typo, 1) != 0 ||
        !hail_text_nearest(n->typo, words))
        return 0;
    snprintf(n->name, sizeof n->name, "%s", s->name);
    return 1;
}

static int not_found(const char *text)
{
    struct nearest n = {.typo = text};
    char safe[128];
    hail_text_safe_into(safe, sizeof safe, text, strlen(text));
    hail_services_by_port(0, 65535, near_name, &n);
    fflush(stdout);
    fprintf(stderr, "hail: ports: no service's name or description has '%s'%s%s%s\n", safe,
            *n.name ? "; did you mean '" : "", n.name, *n.name ? "'?" : "");
    return STATUS_NO;
}

static int by_text(struct ports *p, const char *text)
{
    size_t before = p->rows;
    if (!options.search)
        hail_services_by_name(text, show_row, p);
    flush_rows(p);
    if (p->rows == before)
        hail_services_search(text, show_row, p);
    flush_rows(p);
    if (p->status)
        return p->status;
    return p->rows == before ? not_found(text) : 0;
}

static int show_operands(struct ports *p, int argc, char **argv)
{
    int worst = 0;
    for (int i = 0; i < argc; i++) {
        unsigned first, last;
        int status = read_range(argv[i], &first, &last) ? by_range(p, first, last, argv[i])
                                                        : by_text(p, argv[i]);
        worst = status > worst ? status : worst;
    }
    return worst;
}

static int run(struct common *c, int argc, char **argv)
{
    struct ports p = {.c = c, .protos = options.protos};
    hail_buf_init(&p.json, 1 << 20);
    int status = list_listeners(&p);
    if (!status && options.check && argc > 1)
        status = usage_error(c->cmd, "--check is of one host, or of this machine");
    if (!status) {
        if (options.check)
            status = show_hellos(&p, argc > 0 ? argv[0] : NULL);
        else if (argc > 0)
            status = show_operands(&p, argc, argv);
        else if (options.all)
            status = by_range(&p, 0, 65535, "");
        else
            status = show_listening(&p);
    }
    hail_buf_free(&p.json);
    free(p.v);
    return status;
}

enum { OPT_SCTP = 256, OPT_DCCP, OPT_CHECK };

static int option(int letter, const char *value)
{
    (void)value;
    switch (letter) {
    case 't':
        options.protos |= HAIL_SERVICE_TCP;
        break;
    case 'u':
        options.protos |= HAIL_SERVICE_UDP;
        break;
    case OPT_SCTP:
        options.protos |= HAIL_SERVICE_SCTP;
        break;
    case OPT_DCCP:
        options.protos |= HAIL_SERVICE_DCCP;
        break;
    case 'a':
        options.all = true;
        break;
    case 's':
        options.search = true;
        break;
    case OPT_CHECK:
        options.check = true;
        break;
    default:
        break;
    }
    return 0;
}

static const struct option_row rows[] = {
    {'t', "tcp", NULL, "TCP only"},
    {'u', "udp", NULL, "UDP only"},
    {OPT_SCTP, "sctp", NULL, "SCTP only"},
    {OPT_DCCP, "dccp", NULL, "DCCP only"},
    {'s', "search", NULL, "search names and descriptions even if a service has just that name"},
    {'a', "all", NULL, "the whole registry"},
    {OPT_CHECK, "check", NULL,
     "whether the standard services of this machine, or of the HOST given, answer their hello"},
    {0},
};

const struct command command_ports = {
    .name = "ports",
    .args = "[NAME|NUMBER|RANGE|TEXT...]",
    .summary = "services and their ports, and what listens on this machine",
    .options = rows,
    .option = option,
    .run = run,
    .more =
        "A number or range (6000-6063) shows what it is assigned to; a name its ports; other text "
        "is searched for in names and descriptions. Without operands: what listens here. "
        "/etc/services wins over IANA's registry where they differ.",
};
