/* explain.h - between the view (explain.c) and the rules (explain_rules.c). */
#ifndef HAIL_CMD_NETSTAT_EXPLAIN_H
#define HAIL_CMD_NETSTAT_EXPLAIN_H

#include "netstat/netstat.h"

enum severity { FINE, NOTABLE, WRONG };

#define FINDINGS_MAX 6

struct finding {
    enum severity severity;
    char text[400];   /* what it is */
    char advice[300]; /* what to do; may be empty */
};

/* What a row means: findings, the gravest state of affairs not necessarily first. */
struct findings {
    int n;
    struct finding v[FINDINGS_MAX];
};

void explain_row(struct netstat *n, const struct hail_socket_info *info, struct findings *out);

/* What the rules want of a row beside the basics: bits of enum hail_socket_has. */
#define EXPLAIN_WANTS                                                                              \
    (HAIL_HAS_TCP_INFO | HAIL_HAS_PROBES | HAIL_HAS_MEMORY | HAIL_HAS_OPTIONS | HAIL_HAS_PEER)

/* "fine", "notable", "wrong" */
const char *severity_name(enum severity severity);
enum severity worst_of(const struct findings *f);

#endif
