/* writeout.h - the variables of -w: their names and values, for the format and for %{json}. */
#ifndef HAIL_CMD_GET_WRITEOUT_H
#define HAIL_CMD_GET_WRITEOUT_H

#include "get.h"

enum get_kind { GET_TEXT, GET_NUMBER, GET_TIME };

struct get_value {
    enum get_kind kind;
    const char *text; /* NULL: none */
    int64_t number;   /* of a time: microseconds */
    char own[HAIL_ENDPOINT_MAX];
};

/* The i-th variable, in the order of the alphabet; NULL at the end. */
const char *get_variable(size_t i);
/* The value of the variable; false when there is no such. */
bool get_value(const struct get_session *s, const struct get_job *j, const char *name, size_t n,
               struct get_value *out);

#endif
