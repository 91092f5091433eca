/* nc.c - which of nc's ways is asked for; nc.h. */
#include "nc/nc.h"

int nc_converse(struct nc *nc, struct hail_stream **s)
{
    int status = nc_tls_begin(nc, s);
    if (status)
        return status;
    if (nc->o.pass_fd && !nc->o.listen)
        return nc_pass_fd(hail_stream_fd(*s));
    if (nc->o.zero_io)
        return 0;
    return nc->o.exec ? nc_exec(nc, *s) : nc_session(nc, *s);
}

static int run(struct nc *nc)
{
    if (nc->o.second)
        return nc_relay(nc);
    if (nc->o.datagrams)
        return nc_udp(nc);
    if (nc->o.dccp)
        return nc_dccp(nc);
    if (nc->o.listen)
        return nc_listen(nc);
    return nc->o.family == AF_UNIX ? nc_unix_client(nc) : nc_client(nc);
}

int nc_run(struct nc *nc)
{
    int status = nc->o.tls ? nc_tls_config(nc, nc->o.listen, &nc->tls) : 0;
    if (!status)
        status = nc_proxy(nc);
    if (!status && nc->o.md5)
        status = nc_ask_md5(nc);
    if (!status)
        status = run(nc);
    hail_tls_config_free(nc->tls);
    return status;
}
