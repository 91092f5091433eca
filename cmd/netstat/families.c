/* families.c - net-tools' names of address families, as -A and --FAMILY take them; netstat.h. */
#include "netstat/netstat.h"

#include <string.h>

/* net-tools' word, the family's own name, and the flag that it sets, if it sets one. */
struct family {
    const char *word, *name;
    size_t flag;
};

#define NO_FLAG      SIZE_MAX
#define FLAG(member) offsetof(struct netstat, member)

static const struct family families[] = {
    {"ax25", "ax25", FLAG(ax25)},
    {"ip", "inet", FLAG(inet)},
    {"ip6", "inet6", FLAG(inet6)},
    {"ipx", "ipx", FLAG(ipx)},
    {"rose", "rose", FLAG(rose)},
    {"appletalk", "ddp", NO_FLAG},
    {"netrom", "netrom", FLAG(netrom)},
    {"inet", "inet", FLAG(inet)},
    {"inet6", "inet6", FLAG(inet6)},
    {"ddp", "ddp", NO_FLAG},
    {"unix", "unix", FLAG(unix_)},
    {"tcpip", "inet", FLAG(inet)},
    {"econet", "ec", NO_FLAG},
    {"x25", "x25", FLAG(x25)},
    {"ash", "ash", NO_FLAG},
    {"bluetooth", "bluetooth", FLAG(bluetooth)},
};

static const struct family *find(const char *word, size_t n)
{
    for (size_t i = 0; i < sizeof families / sizeof *families; i++)
        if (strlen(families[i].word) == n && memcmp(families[i].word, word, n) == 0)
            return &families[i];
    return NULL;
}

int netstat_family_option(struct netstat *n, const char *words)
{
    char copy[256]; /* what net-tools looks at of the words */
    snprintf(copy, sizeof copy, "%s", words);
    for (const char *word = copy;;) {
        size_t len = strcspn(word, ",");
        const struct family *f = find(word, len);
        if (!f) {
            fprintf(stderr, "Unknown address family `%.*s'.\n", (int)len, word);
            return NETSTAT_FAILED;
        }
        size_t used = strlen(n->family_words);
        if (strlen(f->name) + used + 1 >= sizeof n->family_words) {
            fputs("Too much address family arguments.\n", stderr);
            return 0;
        }
        if (f->flag != NO_FLAG)
            *(bool *)((char *)n + f->flag) = true;
        snprintf(n->family_words + used, sizeof n->family_words - used, "%s%s", used ? "," : "",
                 f->name);
        if (!word[len])
            return 0;
        word += len + 1;
    }
}
