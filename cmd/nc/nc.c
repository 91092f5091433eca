/* nc.c - which of nc's ways is asked for; nc.h. */
#include "nc/nc.h"

static int run(struct nc *nc)
{
    if (nc->o.second)
        return nc_relay(nc);
    return nc->o.listen ? nc_listen(nc) : nc_client(nc);
}

int nc_run(struct nc *nc)
{
    int status = nc->o.tls ? nc_tls_config(nc, nc->o.listen, &nc->tls) : 0;
    if (!status)
        status = run(nc);
    hail_tls_config_free(nc->tls);
    return status;
}
