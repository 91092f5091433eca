/* local_names.c - hosts and services by the names that libc would give them; local_names.h. */
#include "local_names.h"

#include "net/services.h"

#include <stdlib.h>
#include <string.h>

char *local_file(const char *path, size_t max, size_t *n)
{
    FILE *f = fopen(path, "re");
    char *text = f ? malloc(max + 1) : NULL;
    *n = text ? fread(text, 1, max, f) : 0;
    if (f)
        fclose(f);
    if (text)
        text[*n] = '\0';
    return text;
}

static const struct hail_services_local *services(void)
{
    static struct hail_services_local local;
    static bool tried;
    size_t n;
    char *text = tried ? NULL : local_file("/etc/services", HAIL_SERVICES_FILE_MAX, &n);
    tried = true;
    if (text && hail_services_parse(&local, text, n) < 0)
        local = (struct hail_services_local){0};
    free(text);
    return &local;
}

const char *local_service(uint16_t port, unsigned proto)
{
    const struct hail_services_local *s = services();
    for (size_t i = s->n; i-- > 0;)
        if (s->v[i].first == port && (s->v[i].protos & proto) && !s->v[i].alias)
            return s->v[i].name;
    return NULL;
}

uint16_t local_service_port(const char *name, unsigned proto)
{
    const struct hail_services_local *s = services();
    for (size_t i = 0; i < s->n; i++)
        if (strcmp(s->v[i].name, name) == 0 && (s->v[i].protos & proto))
            return s->v[i].first;
    return 0;
}

/* --- hosts --- */

struct found {
    char *name;
    size_t size;
    bool seen;
};

static bool is_host_name(const char *name)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    return *name != '-' && name[strspn(name, letters)] == '\0';
}

/* The first name counts. That ::1 is localhost where no file says so is more than libc knows. */
static void take_first(void *arg, const char *name, enum hail_source source, int32_t ttl)
{
    struct found *f = arg;
    (void)ttl;
    bool good = source == HAIL_SOURCE_HOSTS || (source == HAIL_SOURCE_DNS && is_host_name(name));
    if (!f->seen && good)
        snprintf(f->name, f->size, "%s", name);
    f->seen = true;
}

void local_host(const struct hail_ctx *ctx, const struct hail_addr *addr, char *out, size_t size)
{
    struct hail_ctx own = *ctx; /* the error stays here */
    struct found found = {.name = out, .size = size};
    out[0] = '\0';
    hail_resolve_reverse(&own, addr, NULL, take_first, &found);
}
