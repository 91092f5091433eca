/* services_file.c - reading services(5): "name port/protocol [alias...] [# comment]". */
#include "net/services.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static unsigned proto_bit(const char *p)
{
    static const char *const names[] = {"tcp", "udp", "sctp", "dccp"};
    for (unsigned i = 0; i < 4; i++)
        if (strcmp(p, names[i]) == 0)
            return 1u << i;
    return 0;
}

/* "80/tcp"; 0 if it is anything else. */
static unsigned read_port(const char *word, uint16_t *port)
{
    unsigned long v = 0;
    const char *p = word;
    for (; *p >= '0' && *p <= '9' && v <= 65535; p++)
        v = v * 10 + (unsigned long)(*p - '0');
    if (p == word || *p != '/' || v > 65535)
        return 0;
    *port = (uint16_t)v;
    return proto_bit(p + 1);
}

static int add(struct hail_services_local *out, struct hail_service s)
{
    if (out->n == HAIL_SERVICES_LOCAL_MAX)
        return 0;
    if ((out->n & (out->n - 1)) == 0) { /* at 0, 1, 2, 4 ... the room doubles */
        struct hail_service *v = realloc(out->v, (out->n ? 2 * out->n : 1) * sizeof *v);
        if (!v)
            return -ENOMEM;
        out->v = v;
    }
    out->v[out->n++] = s;
    return 0;
}

static int read_line(struct hail_services_local *out, char *line)
{
    static const char blanks[] = " \t\r\v\f";
    char *comment = strchr(line, '#');
    const char *description = "";
    if (comment) {
        *comment++ = '\0';
        comment += strspn(comment, blanks);
        description = comment;
    }
    char *save, *name = strtok_r(line, blanks, &save);
    const char *port = name ? strtok_r(NULL, blanks, &save) : NULL;
    struct hail_service s = {.name = name, .description = description, .local = true};
    if (!port || !(s.protos = read_port(port, &s.first)))
        return 0;
    s.last = s.first;
    int rc = add(out, s);
    s.alias = true;
    while (rc == 0 && (s.name = strtok_r(NULL, blanks, &save)) != NULL)
        rc = add(out, s);
    return rc;
}

/* Twice as many slots as rows, so that a search ends after a step or two. */
static int make_index(struct hail_services_local *l)
{
    if (l->n == 0)
        return 0;
    size_t slots = 16;
    while (slots < 2 * l->n)
        slots *= 2;
    uint16_t *by_name = calloc(2 * slots, sizeof *by_name), *by_port = by_name + slots;
    if (!by_name)
        return -ENOMEM;
    for (size_t i = 0; i < l->n; i++) {
        size_t at = hail_services_hash(l->v[i].name) & (slots - 1);
        while (by_name[at])
            at = (at + 1) & (slots - 1);
        by_name[at] = (uint16_t)(i + 1);
        at = l->v[i].first & (slots - 1);
        while (by_port[at])
            at = (at + 1) & (slots - 1);
        by_port[at] = (uint16_t)(i + 1);
    }
    l->by_name = by_name;
    l->slots = slots;
    return 0;
}

int hail_services_parse(struct hail_services_local *out, const char *text, size_t n)
{
    struct hail_services_local l = {.text = malloc(n + 1)};
    if (!l.text)
        return -ENOMEM;
    memcpy(l.text, text, n);
    l.text[n] = '\0';
    for (size_t i = 0; i < n; i++)
        if (l.text[i] == '\0')
            l.text[i] = ' ';
    int rc = 0;
    char *save, *line = strtok_r(l.text, "\n", &save);
    for (; line && rc == 0; line = strtok_r(NULL, "\n", &save))
        rc = read_line(&l, line);
    if (rc == 0)
        rc = make_index(&l);
    if (rc < 0) {
        hail_services_local_free(&l);
        return rc;
    }
    *out = l;
    return 0;
}

void hail_services_local_free(struct hail_services_local *local)
{
    free(local->by_name);
    free(local->v);
    free(local->text);
    *local = (struct hail_services_local){0};
}
