/* filter.c - the language of filters; diag/filter.h. */
#include "diag/filter.h"

#include "base/error.h"

#include <errno.h>

int hail_socket_filter_parse(struct hail_ctx *ctx, const char *text,
                             struct hail_socket_filter **out)
{
    (void)out;
    return hail_fail(ctx, HAIL_LAYER_USAGE, EINVAL, "filter", "column 1: '%s' is no filter", text);
}

void hail_socket_filter_free(struct hail_socket_filter *filter)
{
    (void)filter;
}

bool hail_socket_filter_match(const struct hail_socket_filter *filter,
                              const struct hail_socket_info *info,
                              const struct hail_holders *holders)
{
    return !filter && info && !holders;
}

size_t hail_filter_bytecode(const struct hail_socket_filter *filter, void *out, size_t size)
{
    return filter && out && !size;
}

unsigned hail_socket_filter_wants(const struct hail_socket_filter *filter)
{
    return filter != NULL;
}

bool hail_socket_filter_wants_holders(const struct hail_socket_filter *filter)
{
    return filter != NULL;
}

uint32_t hail_socket_filter_states(const struct hail_socket_filter *filter, bool *named)
{
    *named = false;
    return filter ? HAIL_STATES_ALL : 0;
}
