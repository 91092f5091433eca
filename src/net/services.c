/* services.c - lookups in the registry (compiled in: services_table.inc) and in /etc/services.
 *
 * The table is three arrays and one blob of text, without a pointer, so that it costs nothing until
 * it is touched: rows in the order of ports (services_first, services_packed), and their numbers,
 * counted from 1, in a hash table of the names (linear probing; 0 ends a search). A packed row is
 *
 *      31    25  24   23  20  19            0
 *     | span   |alias| protos | text's offset |      text: name NUL description NUL
 *
 * /etc/services is read once, by the first lookup.
 */
#include "net/services.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "net/services_table.inc"

#define ROWS    (sizeof services_first / sizeof *services_first)
#define SLOTS   (sizeof services_by_name / sizeof *services_by_name)
#define TEXT(p) ((p)&0xFFFFFu)

static const char *local_path = "/etc/services";
static struct hail_services_local local;
static pthread_once_t local_once = PTHREAD_ONCE_INIT;

void hail_services_use(const char *path)
{
    local_path = path;
}

size_t hail_services_size(void)
{
    return sizeof services_text + sizeof services_first + sizeof services_packed +
           sizeof services_by_name;
}

/* A file that is missing, unreadable or too large for memory leaves the registry alone. */
static void load_local(void)
{
    int fd = open(local_path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return;
    char *text = malloc(HAIL_SERVICES_FILE_MAX);
    size_t len = 0;
    ssize_t n = 1;
    while (text && len < HAIL_SERVICES_FILE_MAX && n > 0) {
        n = read(fd, text + len, HAIL_SERVICES_FILE_MAX - len);
        len += n > 0 ? (size_t)n : 0;
    }
    close(fd);
    if (text)
        hail_services_parse(&local, text, len); /* out of memory: as if there were no file */
    free(text);
}

static const struct hail_services_local *locals(void)
{
    pthread_once(&local_once, load_local);
    return &local;
}

static struct hail_service row(size_t i)
{
    uint32_t p = services_packed[i];
    const char *name = services_text + TEXT(p);
    return (struct hail_service){
        .name = name,
        .first = services_first[i],
        .last = (uint16_t)(services_first[i] + (p >> 25)),
        .protos = p >> 20 & 15,
        .description = name + strlen(name) + 1,
        .alias = p >> 24 & 1,
    };
}

/* The first row whose port is at least `port`. */
static size_t rows_from(uint16_t port)
{
    size_t low = 0, high = ROWS;
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (services_first[mid] < port)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

/* The first row that holds `port`, or the first after it. Ranges do not overlap other rows. */
static size_t rows_at(uint16_t port)
{
    size_t i = rows_from(port);
    if (i > 0 && (i == ROWS || services_first[i] != port)) {
        uint16_t first = services_first[i - 1];
        if (first + (services_packed[i - 1] >> 25) >= port)
            for (i--; i > 0 && services_first[i - 1] == first;)
                i--;
    }
    return i;
}

/* The next row called `name` from the slot *at on, or ROWS. Begin with *at = first_slot(name). */
static size_t next_named(const char *name, size_t *at)
{
    for (size_t i; (i = services_by_name[*at]) != 0;) {
        *at = (*at + 1) % SLOTS;
        if (strcasecmp(services_text + TEXT(services_packed[i - 1]), name) == 0)
            return i - 1;
    }
    return ROWS;
}

static size_t first_slot(const char *name)
{
    return hail_services_hash(name) % SLOTS;
}

/* The first row of /etc/services with the name and the protocol, or NULL. */
static const struct hail_service *local_named(const struct hail_services_local *l, const char *name,
                                              unsigned proto)
{
    if (l->slots == 0)
        return NULL;
    for (size_t at = hail_services_hash(name) & (l->slots - 1), i; (i = l->by_name[at]) != 0;
         at = (at + 1) & (l->slots - 1)) {
        const struct hail_service *s = &l->v[i - 1];
        if ((s->protos & proto) && strcasecmp(s->name, name) == 0)
            return s;
    }
    return NULL;
}

/* The first row of /etc/services with the port and the protocol that is no alias, or NULL. */
static const struct hail_service *local_at(const struct hail_services_local *l, uint16_t port,
                                           unsigned proto)
{
    if (l->slots == 0)
        return NULL;
    const uint16_t *by_port = l->by_name + l->slots;
    for (size_t at = port & (l->slots - 1), i; (i = by_port[at]) != 0;
         at = (at + 1) & (l->slots - 1)) {
        const struct hail_service *s = &l->v[i - 1];
        if (s->first == port && (s->protos & proto) && !s->alias)
            return s;
    }
    return NULL;
}

int hail_service_port(const char *name, enum hail_service_proto proto, uint16_t *port)
{
    const struct hail_service *mine = local_named(locals(), name, proto);
    if (mine) {
        *port = mine->first;
        return 0;
    }
    for (size_t at = first_slot(name), i; (i = next_named(name, &at)) < ROWS;) {
        if (services_packed[i] >> 20 & proto) {
            *port = services_first[i];
            return 0;
        }
    }
    return -ENOENT;
}

const char *hail_service_name(uint16_t port, enum hail_service_proto proto)
{
    const struct hail_service *mine = local_at(locals(), port, proto);
    if (mine)
        return mine->name;
    for (size_t i = rows_at(port); i < ROWS && services_first[i] <= port; i++) {
        struct hail_service s = row(i);
        if (*s.name && !s.alias && (s.protos & proto))
            return s.name;
    }
    return NULL;
}

/* Hands over one registry row as /etc/services leaves it: its own names for the port come first
 * (the caller did that), the same name is not told twice, another name becomes an alias. */
static int hand_over(const struct hail_services_local *l, struct hail_service s,
                     hail_service_fn *each, void *arg)
{
    for (size_t i = 0; i < l->n && s.first == s.last; i++) {
        const struct hail_service *mine = &l->v[i];
        if (mine->first != s.first || !(mine->protos & s.protos))
            continue;
        if (!*s.name || strcasecmp(mine->name, s.name) == 0)
            s.protos &= ~mine->protos;
        else
            s.alias = true;
    }
    return s.protos ? each(arg, &s) : 0;
}

/* A local row without a comment takes the registry's description. */
static int hand_over_local(const struct hail_service *mine, hail_service_fn *each, void *arg)
{
    struct hail_service s = *mine;
    for (size_t i = rows_at(s.first); !*s.description && i < ROWS && services_first[i] <= s.first;
         i++) {
        struct hail_service r = row(i);
        if (*r.name && (r.protos & s.protos))
            s.description = r.description;
    }
    return each(arg, &s);
}

int hail_services_by_port(uint16_t first, uint16_t last, hail_service_fn *each, void *arg)
{
    const struct hail_services_local *l = locals();
    size_t i = rows_at(first);
    for (unsigned port = first; port <= last; port++) {
        int rc = 0;
        for (size_t k = 0; k < l->n && rc == 0; k++)
            if (l->v[k].first == port)
                rc = hand_over_local(&l->v[k], each, arg);
        for (; i < ROWS && services_first[i] <= port && rc == 0; i++)
            rc = hand_over(l, row(i), each, arg);
        if (rc)
            return rc;
    }
    return 0;
}

int hail_services_by_name(const char *name, hail_service_fn *each, void *arg)
{
    const struct hail_services_local *l = locals();
    int rc = 0;
    for (size_t i = 0; i < l->n && rc == 0; i++)
        if (strcasecmp(l->v[i].name, name) == 0)
            rc = hand_over_local(&l->v[i], each, arg);
    for (size_t at = first_slot(name), i; rc == 0 && (i = next_named(name, &at)) < ROWS;)
        rc = hand_over(l, row(i), each, arg);
    return rc;
}

struct search {
    const char *text;
    hail_service_fn *each;
    void *arg;
};

static int matching(void *arg, const struct hail_service *s)
{
    const struct search *q = arg;
    if (!*s->name || (!strcasestr(s->name, q->text) && !strcasestr(s->description, q->text)))
        return 0;
    return q->each(q->arg, s);
}

int hail_services_search(const char *text, hail_service_fn *each, void *arg)
{
    struct search q = {text, each, arg};
    return hail_services_by_port(0, 65535, matching, &q);
}

const char *hail_services_date(void)
{
    return SERVICES_DATE;
}

size_t hail_services_count(void)
{
    return SERVICES_ROWS;
}
