/* explain.c - the view that says what each row means; explain_rules.c has the rules. Alone, without
 * anything that selects, it lists only what looks wrong or is worth a look. */
#include "netstat/explain.h"

#include <errno.h>
#include <string.h>

#define DOCUMENT_MAX (256 << 10)
#define INDENT       4

struct explaining {
    struct netstat *n;
    bool only_odd;
    size_t rows, shown, wrong, notable, time_wait;
    int status;
    struct hail_buf buf;
};

/* Words of `text` from column `at` on, in lines of the terminal's width. */
static void put_wrapped(const struct common *c, const char *text)
{
    int width = c->terminal && c->columns > 30 ? c->columns : 100, at = INDENT;
    printf("%*s", INDENT, "");
    for (bool first = true; *text; first = false) {
        int len = (int)strcspn(text, " ");
        if (!first && at + 1 + len > width) {
            printf("\n%*s", INDENT, "");
            at = INDENT;
        } else if (!first) {
            putchar(' ');
            at++;
        }
        printf("%.*s", len, text);
        at += len;
        text += len + (text[len] == ' ');
    }
    putchar('\n');
}

static void put_row(struct explaining *e, const struct hail_socket_info *info,
                    const struct findings *f)
{
    static const char *const colours[] = {"32", "33", "1;31"};
    const struct common *c = e->n->c;
    char local[NETSTAT_ENDPOINT_MAX], peer[NETSTAT_ENDPOINT_MAX], process[300];
    netstat_endpoint(e->n, info, false, local, sizeof local);
    netstat_endpoint(e->n, info, true, peer, sizeof peer);
    netstat_holder_name(e->n, info->inode, process, sizeof process);
    bool stateless = info->state == HAIL_CLOSE && info->kind != HAIL_KIND_TCP;
    printf("%s%s%s", paint(c, colours[worst_of(f)]), hail_socket_kind_name(info->kind),
           info->family == AF_INET6 ? "6" : "");
    printf(" %s%s%s%s", stateless ? "" : hail_socket_state_name(info->state), stateless ? "" : "  ",
           local, paint(c, "0"));
    if (strcmp(peer, "*") != 0)
        printf(" - %s", peer);
    printf("%s%s\n", *process ? "  " : "", process);
    for (int i = 0; i < f->n; i++) {
        put_wrapped(c, f->v[i].text);
        if (f->v[i].advice[0]) {
            fputs(paint(c, "2"), stdout);
            put_wrapped(c, f->v[i].advice);
            fputs(paint(c, "0"), stdout);
        }
    }
}

static int put_document(struct explaining *e, const struct hail_socket_info *info,
                        const struct findings *f)
{
    struct hail_json j = {.out = &e->buf};
    hail_json_object(&j, NULL);
    hail_json_str(&j, "schema", NETSTAT_SCHEMA);
    netstat_json_row(e->n, &j, info);
    hail_json_array(&j, "explain");
    for (int i = 0; i < f->n; i++) {
        hail_json_object(&j, NULL);
        hail_json_str(&j, "severity", severity_name(f->v[i].severity));
        hail_json_str(&j, "text", f->v[i].text);
        if (f->v[i].advice[0])
            hail_json_str(&j, "advice", f->v[i].advice);
        hail_json_end_object(&j);
    }
    hail_json_end_array(&j);
    hail_json_end_object(&j);
    return put_json(&e->buf);
}

static int put(void *arg, const struct hail_socket_info *info)
{
    struct explaining *e = arg;
    struct findings f;
    explain_row(e->n, info, &f);
    enum severity worst = worst_of(&f);
    e->rows++;
    e->wrong += worst == WRONG;
    e->notable += worst == NOTABLE;
    e->time_wait += info->state == HAIL_TIME_WAIT;
    if (e->only_odd && worst == FINE)
        return 0;
    e->shown++;
    if (e->n->c->json)
        e->status = put_document(e, info, &f);
    else
        put_row(e, info, &f);
    return e->status;
}

static const char *plural(size_t n)
{
    return n == 1 ? "" : "s";
}

static void put_summary(const struct explaining *e)
{
    if (e->shown)
        putchar('\n');
    printf("%zu socket%s: %zu look%s wrong, %zu worth a look", e->rows, plural(e->rows), e->wrong,
           e->wrong == 1 ? "s" : "", e->notable);
    if (e->time_wait)
        printf(", %zu in TIME_WAIT", e->time_wait);
    puts(".");
    if (e->only_odd && e->shown == 0)
        puts("Nothing looks wrong. -a explains every socket.");
}

int netstat_explain(struct netstat *n)
{
    struct explaining e = {.n = n,
                           .only_odd = !n->all && !n->listening && !n->chosen && !n->filter};
    n->programs = true;
    hail_buf_init(&e.buf, DOCUMENT_MAX);
    int rc = netstat_each(n, EXPLAIN_WANTS, put, &e);
    hail_buf_free(&e.buf);
    if (rc < 0)
        return fail(n->c);
    if (!n->c->json)
        put_summary(&e);
    return e.status;
}
