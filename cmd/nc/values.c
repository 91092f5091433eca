/* values.c - the values of nc's letters: numbers, TOS, ports; nc.h. */
#include "local_names.h"
#include "nc/nc.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

int nc_fail(const char *fmt, ...)
{
    char raw[1024], text[2048];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(raw, sizeof raw, fmt, ap);
    va_end(ap);
    hail_text_safe_into(text, sizeof text, raw, strnlen(raw, n < 0 ? 0 : sizeof raw));
    fflush(stdout);
    fprintf(stderr, "nc: %s\n", text);
    return NC_FAILED;
}

/* strtonum(3bsd)'s rules: leading blanks and a sign, and the whole word. */
long long nc_number(const char *text, long long low, long long high, const char **error)
{
    char *end;
    errno = 0;
    long long n = strtoll(text, &end, 10);
    *error = NULL;
    if (end == text || *end)
        *error = "invalid";
    else if (n < low || (errno == ERANGE && n < 0))
        *error = "too small";
    else if (n > high || errno == ERANGE)
        *error = "too large";
    return *error ? 0 : n;
}

int nc_tos(const char *text)
{
    /* RFC 1349, RFC 791, and the code points of RFC 2474, 2597, 3246 shifted over the two bits of
     * ECN */
    static const struct {
        const char *word;
        int value;
    } words[] = {
        {"af11", 0x28},     {"af12", 0x30},       {"af13", 0x38},        {"af21", 0x48},
        {"af22", 0x50},     {"af23", 0x58},       {"af31", 0x68},        {"af32", 0x70},
        {"af33", 0x78},     {"af41", 0x88},       {"af42", 0x90},        {"af43", 0x98},
        {"critical", 0xa0}, {"cs0", 0x00},        {"cs1", 0x20},         {"cs2", 0x40},
        {"cs3", 0x60},      {"cs4", 0x80},        {"cs5", 0xa0},         {"cs6", 0xc0},
        {"cs7", 0xe0},      {"ef", 0xb8},         {"inetcontrol", 0xc0}, {"lowcost", 0x02},
        {"lowdelay", 0x10}, {"netcontrol", 0xe0}, {"reliability", 0x04}, {"throughput", 0x08},
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(text, words[i].word) == 0)
            return words[i].value;
    char *end;
    errno = 0;
    long n = strtol(text, &end, 0);
    return end == text || *end || errno || n < 0 || n > 255 ? -1 : (int)n;
}

/* --- ports --- */

static int one_port(const char *text, long long *out)
{
    const char *error;
    *out = nc_number(text, 1, 65535, &error);
    return error ? nc_fail("port number %s: %s", error, text) : 0;
}

/* In a random order: Fisher and Yates. */
static void shuffle(uint16_t *v, size_t n)
{
    for (size_t i = n; i > 1; i--) {
        uint32_t r = 0;
        if (getrandom(&r, sizeof r, 0) < 0)
            return;
        size_t j = r % i;
        uint16_t port = v[i - 1];
        v[i - 1] = v[j];
        v[j] = port;
    }
}

static int range(char *text, char *dash, long long *low, long long *high)
{
    *dash = '\0';
    if (one_port(dash + 1, high) || one_port(text, low))
        return NC_FAILED;
    if (*low > *high) {
        long long swap = *low;
        *low = *high;
        *high = swap;
    }
    return 0;
}

static int bounds(const struct nc_options *o, const char *word, long long *low, long long *high)
{
    char text[64];
    const char *dash = strchr(word, '-');
    if (word[0] >= '0' && word[0] <= '9' && dash && strlen(word) < sizeof text) {
        memcpy(text, word, strlen(word) + 1);
        return range(text, text + (dash - word), low, high);
    }
    *low = local_service_port(word, o->datagrams ? HAIL_SERVICE_UDP : HAIL_SERVICE_TCP);
    int failed = *low ? 0 : one_port(word, low);
    *high = *low;
    return failed;
}

/* Appends the ports of one operand. 0, or the status after a message. */
static int add_ports(const struct nc_options *o, const char *word, uint16_t **v, size_t *n)
{
    long long low, high;
    if (bounds(o, word, &low, &high))
        return NC_FAILED;
    size_t count = (size_t)(high - low + 1);
    uint16_t *more = reallocarray(*v, *n + count, sizeof **v);
    if (!more)
        return nc_fail("%s", strerror(ENOMEM));
    for (size_t i = 0; i < count; i++)
        more[(*n)++] = (uint16_t)(low + (long long)i);
    *v = more;
    return 0;
}

uint16_t *nc_ports(const struct nc_options *o, size_t *n)
{
    uint16_t *v = NULL;
    *n = 0;
    for (size_t i = 0; i < o->nports; i++) {
        if (add_ports(o, o->ports[i], &v, n)) {
            free(v);
            return NULL;
        }
    }
    if (o->random)
        shuffle(v, *n);
    return v;
}
