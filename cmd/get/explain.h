/* explain.h - what the files of --explain share. */
#ifndef HAIL_CMD_GET_EXPLAIN_H
#define HAIL_CMD_GET_EXPLAIN_H

#include "get.h"

/* One response, its head parsed again. */
struct explain {
    const struct common *c;
    const struct get_hop *hop;
    struct hail_http_head head;
};

/* A line: what it is about, and what is to be said of it. */
void explain_say(const struct explain *e, const char *topic, const char *fmt, ...)
    HAIL_PRINTF(3, 4);
const struct hail_http_field *explain_field(const struct explain *e, const char *name);

/* explain_fields.c: in plain words. */
void explain_status(const struct explain *e);
void explain_fields(const struct explain *e);

#endif
