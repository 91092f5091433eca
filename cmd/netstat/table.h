/* table.h - between the table (table.c) and the lines below its rows (details.c). */
#ifndef HAIL_CMD_NETSTAT_TABLE_H
#define HAIL_CMD_NETSTAT_TABLE_H

#include "netstat/netstat.h"

#define CELL_MAX    512 /* bytes: a Unix path made safe; longer ones are cut */
#define DETAILS_MAX (64 << 10)

enum column {
    COLUMN_NETNS,
    COLUMN_KIND,
    COLUMN_STATE,
    COLUMN_RECV,
    COLUMN_SEND,
    COLUMN_LOCAL,
    COLUMN_PEER,
    COLUMN_PROCESS,
    COLUMN_USER,
    COLUMN_UNIT,
    COLUMN_AGE,
    COLUMNS,
};

struct cells {
    char text[COLUMNS][CELL_MAX];
    enum hail_socket_state state; /* 0: the titles */
    char *details;                /* lines below the row; owned, or NULL */
};

struct table {
    struct netstat *n;
    struct cells *kept;
    size_t nkept, rows;
    bool streaming, cut;
    size_t width[COLUMNS]; /* 0: left out, nothing is in it */
};

/* Appends the lines that --info, --memory, --options, --processes and -o put below a row. */
void netstat_details(struct netstat *n, const struct hail_socket_info *info, struct hail_buf *out);

#endif
