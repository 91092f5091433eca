/* connections.c - the sockets that fit a filter, and the first process of each: connections FILTER
 */
#include <hail/hail.h>
#include <stdio.h>

static int show(void *holders, const struct hail_socket_info *info)
{
    struct hail_endpoint local = hail_endpoint_of(&info->local),
                         peer = hail_endpoint_of(&info->peer);
    char a[HAIL_ENDPOINT_MAX], b[HAIL_ENDPOINT_MAX];
    struct hail_holder one;
    hail_endpoint_format(&local, a, sizeof a);
    hail_endpoint_format(&peer, b, sizeof b);
    bool held = hail_holder_get(holders, info->inode, 0, &one);
    printf("%s %s %s %d\n", hail_socket_state_name(info->state), a, b, held ? one.process->pid : 0);
    return 0;
}

int main(int argc, char **argv)
{
    struct hail_ctx ctx = HAIL_CTX_INIT;
    struct hail_socket_query query = {.kinds = HAIL_KIND_BIT(HAIL_KIND_TCP)};
    struct hail_socket_filter *filter = NULL;
    struct hail_holders *holders = NULL;
    int rc = hail_socket_filter_parse(&ctx, argc > 1 ? argv[1] : "state all", &filter);
    if (rc == 0)
        rc = hail_holders_load(&ctx, NULL, &holders);
    query.filter = filter;
    query.holders = holders;
    if (rc == 0)
        rc = hail_sockets_each(&ctx, &query, NULL, show, holders);
    if (rc < 0)
        fprintf(stderr, "%s\n", ctx.err.msg);
    hail_holders_free(holders);
    hail_socket_filter_free(filter);
    return rc < 0;
}
