/* statistics.c - net-tools' -s: the kernel's counters of each protocol; netstat.h.
 *
 *   Tcp: RtoAlgorithm RtoMin ... ActiveOpens      /proc/net/snmp, /proc/net/netstat: a line of
 *   Tcp: 1 200 ... 4                              names, a line of numbers
 *   Ip6InReceives            91                   /proc/net/snmp6, /proc/net/sctp/snmp
 *
 * Counters without a row in the tables are shown by their own names when they counted something,
 * indented as the row before them was.
 */
#include "netstat/tables.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct statistics {
    struct netstat *n;
    enum counter_kind state; /* of the row before: the indent, and whether a title is due */
};

/* Shown under its own name as a whole: a table that net-tools does not know. */
static const struct counter_table unknown = {.title = "unknown"};

static int indent_of(enum counter_kind kind)
{
    return kind == COUNTER_ICMP_IN || kind == COUNTER_ICMP_OUT ? 8 : 4;
}

static bool shown(const struct statistics *s, const struct counter_table *t)
{
    return t == &unknown || *(const bool *)((const char *)s->n + t->shown);
}

/* The table of that title, which is printed when it is shown. */
static const struct counter_table *begin(struct statistics *s, const struct counter_table *tables,
                                         const char *title)
{
    const struct counter_table *t = tables;
    while (t->title && strcmp(t->title, title) != 0)
        t++;
    if (t->title)
        s->state = COUNTER;
    else
        t = &unknown;
    if (shown(s, t))
        printf("%s:\n", title);
    return t;
}

static int compare(const void *a, const void *b)
{
    const struct counter *x = a, *y = b;
    return strcmp(x->name, y->name);
}

static void put(struct statistics *s, const struct counter_table *t, const char *name,
                uint64_t value)
{
    const struct counter key = {.name = name};
    const struct counter *c = t->n ? bsearch(&key, t->v, t->n, sizeof key, compare) : NULL;
    if (!c) {
        if (value)
            printf("%*s%s: %" PRIu64 "\n", indent_of(s->state), "", name, value);
        return;
    }
    if (c->kind == COUNTER_SETTING || !*c->text)
        return;
    bool histogram = c->kind == COUNTER_ICMP_IN || c->kind == COUNTER_ICMP_OUT;
    if (histogram && s->state != c->kind)
        printf("%*sICMP %s histogram:\n", indent_of(s->state), "",
               c->kind == COUNTER_ICMP_IN ? "input" : "output");
    s->state = c->kind;
    if (!value && c->kind != COUNTER)
        return;
    int before = (int)strcspn(c->text, "#");
    printf("%*s%.*s%" PRIu64 "%s\n", indent_of(c->kind), "", before, c->text, value,
           c->text + before + 1);
}

/* Takes the next word out of *line; empty at its end. */
static char *word(char **line)
{
    char *from = *line + strspn(*line, " \t\n");
    size_t n = strcspn(from, " \t\n");
    *line = from[n] ? from + n + 1 : from + n;
    from[n] = '\0';
    return from;
}

/* A line of names, a line of numbers. A number that is none ends the progress of its line, so that
 * it stands for all that follow; there net-tools counts on as well. */
static bool pairs(struct statistics *s, char *names, char *numbers, const char *only)
{
    char *colon = strchr(names, ':'), *number = strchr(numbers, ':');
    if (!colon || !number)
        return false;
    *colon = '\0';
    if (only && strncmp(names, only, strlen(only)) != 0)
        return true;
    const struct counter_table *t = begin(s, netstat_snmp_tables, names);
    number++;
    colon++;
    for (const char *name = word(&colon); *name; name = word(&colon))
        if (shown(s, t))
            put(s, t, name, strtoull(number, &number, 10));
    return true;
}

/* With `only`, the table whose title begins so. */
static void two_lines(struct statistics *s, FILE *f, const char *path, const char *only)
{
    char *names = NULL, *numbers = NULL;
    size_t names_size = 0, numbers_size = 0;
    bool good = true;
    while (good && getline(&names, &names_size, f) > 0) {
        if (names[0] == '\n')
            continue;
        if (getline(&numbers, &numbers_size, f) <= 0)
            break;
        good = pairs(s, names, numbers, only);
    }
    if (!good && !only)
        fprintf(stderr, "Problem while parsing %s\n", path);
    if (ferror(f))
        perror(path);
    free(names);
    free(numbers);
}

/* What a name of snmp6 begins with, up to its 6: the title of its table. */
static void title_of(const char *name, char *out, size_t size)
{
    size_t n = strcspn(name, "6");
    snprintf(out, size, "%.*s", (int)(name[n] ? n + 1 : n), name);
}

static void snmp6(struct statistics *s, FILE *f)
{
    char line[1024], name[50] = "", title[50] = "";
    unsigned long long value = 0;
    const struct counter_table *t = NULL;
    while (fgets(line, sizeof line, f)) {
        sscanf(line, "%49s %llu", name, &value);
        if (!t || !strstr(name, title)) {
            title_of(name, title, sizeof title);
            t = begin(s, netstat_snmp6_tables, title);
        }
        if (shown(s, t))
            put(s, t, name, value);
    }
}

static void sctp(struct statistics *s, FILE *f)
{
    char line[1024];
    const struct counter_table *t = begin(s, netstat_snmp_tables, "Sctp");
    while (fgets(line, sizeof line, f)) {
        char *rest = line;
        const char *name = word(&rest), *value = word(&rest);
        if (*value && shown(s, t))
            put(s, t, name, strtoul(value, NULL, 10));
    }
    if (ferror(f))
        perror("/proc/net/sctp/snmp");
}

static void internet(struct statistics *s)
{
    FILE *f = fopen("/proc/net/snmp", "re");
    if (!f) {
        perror("cannot open /proc/net/snmp");
        return;
    }
    two_lines(s, f, "/proc/net/snmp", NULL);
    fclose(f);
    if ((f = fopen("/proc/net/netstat", "re")) != NULL) {
        two_lines(s, f, "/proc/net/netstat", NULL);
        fclose(f);
    }
    if ((f = fopen("/proc/net/sctp/snmp", "re")) != NULL) {
        sctp(s, f);
        fclose(f);
    }
}

static void internet6(struct statistics *s)
{
    FILE *f = fopen("/proc/net/snmp6", "re");
    if (!f) {
        perror("cannot open /proc/net/snmp6");
        return;
    }
    snmp6(s, f);
    if (ferror(f))
        perror("/proc/net/snmp6");
    fclose(f);
    if ((f = fopen("/proc/net/snmp", "re")) == NULL) {
        perror("cannot open /proc/net/snmp");
        return;
    }
    two_lines(s, f, "/proc/net/snmp", "Tcp");
    fclose(f);
}

int netstat_statistics(struct netstat *n)
{
    struct statistics s = {.n = n};
    const char *family = *n->family_words ? n->family_words : "inet";
    n->continuous = false; /* net-tools does not repeat it */
    if (strcmp(family, "inet") == 0) {
        internet(&s);
        return STATUS_DONE;
    }
    if (strcmp(family, "inet6") == 0) {
        internet6(&s);
        return STATUS_DONE;
    }
    printf("netstat: No statistics support for specified address family: %s\n", family);
    return NETSTAT_FAILED;
}
