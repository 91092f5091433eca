/* json_tcp.c - TCP_INFO as JSON: a table of its fields; json.c has the rest of the row. */
#include "netstat/netstat.h"

#include <string.h>

struct field {
    const char *name; /* with the unit, where it is not a count or bytes */
    unsigned short at, size;
};

#define FIELD(name, member)                                                                        \
    {                                                                                              \
        name, offsetof(struct hail_tcp_info, member), sizeof(((struct hail_tcp_info *)0)->member)  \
    }

static const struct field fields[] = {
    FIELD("ca_state", ca_state),
    FIELD("retransmits", retransmits),
    FIELD("probes", probes),
    FIELD("backoff", backoff),
    FIELD("app_limited", app_limited),
    FIELD("rto_us", rto),
    FIELD("ato_us", ato),
    FIELD("snd_mss", snd_mss),
    FIELD("rcv_mss", rcv_mss),
    FIELD("unacked", unacked),
    FIELD("sacked", sacked),
    FIELD("lost", lost),
    FIELD("retrans", retrans),
    FIELD("fackets", fackets),
    FIELD("last_data_sent_ms", last_data_sent_ms),
    FIELD("last_ack_sent_ms", last_ack_sent_ms),
    FIELD("last_data_recv_ms", last_data_recv_ms),
    FIELD("last_ack_recv_ms", last_ack_recv_ms),
    FIELD("pmtu", pmtu),
    FIELD("rcv_ssthresh", rcv_ssthresh),
    FIELD("rtt_us", rtt),
    FIELD("rttvar_us", rttvar),
    FIELD("snd_ssthresh", snd_ssthresh),
    FIELD("snd_cwnd", snd_cwnd),
    FIELD("advmss", advmss),
    FIELD("reordering", reordering),
    FIELD("rcv_rtt_us", rcv_rtt),
    FIELD("rcv_space", rcv_space),
    FIELD("total_retrans", total_retrans),
    FIELD("pacing_rate", pacing_rate),
    FIELD("max_pacing_rate", max_pacing_rate),
    FIELD("bytes_acked", bytes_acked),
    FIELD("bytes_received", bytes_received),
    FIELD("segs_out", segs_out),
    FIELD("segs_in", segs_in),
    FIELD("notsent_bytes", notsent_bytes),
    FIELD("min_rtt_us", min_rtt),
    FIELD("data_segs_in", data_segs_in),
    FIELD("data_segs_out", data_segs_out),
    FIELD("delivery_rate", delivery_rate),
    FIELD("busy_time_us", busy_time),
    FIELD("rwnd_limited_us", rwnd_limited),
    FIELD("sndbuf_limited_us", sndbuf_limited),
    FIELD("delivered", delivered),
    FIELD("delivered_ce", delivered_ce),
    FIELD("bytes_sent", bytes_sent),
    FIELD("bytes_retrans", bytes_retrans),
    FIELD("dsack_dups", dsack_dups),
    FIELD("reord_seen", reord_seen),
    FIELD("rcv_ooopack", rcv_ooopack),
    FIELD("snd_wnd", snd_wnd),
    FIELD("rcv_wnd", rcv_wnd),
    FIELD("rehash", rehash),
    FIELD("total_rto", total_rto),
    FIELD("total_rto_recoveries", total_rto_recoveries),
    FIELD("total_rto_time_ms", total_rto_time_ms),
};

static int64_t value_of(const struct hail_tcp_info *t, const struct field *f)
{
    uint8_t v8;
    uint16_t v16;
    uint32_t v32;
    uint64_t v64;
    const char *at = (const char *)t + f->at;
    switch (f->size) {
    case 1:
        memcpy(&v8, at, 1);
        return v8;
    case 2:
        memcpy(&v16, at, 2);
        return v16;
    case 4:
        memcpy(&v32, at, 4);
        return v32;
    default:
        memcpy(&v64, at, 8);
        return v64 > INT64_MAX ? INT64_MAX : (int64_t)v64; /* no limit: all bits set */
    }
}

/* TCPI_OPT_* of linux/tcp.h. */
static const char *const options[] = {"timestamps", "sack",     "window_scale",   "ecn",
                                      "ecn_seen",   "syn_data", "usec_timestamps"};

void netstat_json_tcp_info(struct hail_json *j, const struct hail_tcp_info *t,
                           const char *congestion)
{
    hail_json_object(j, "tcp_info");
    if (*congestion)
        hail_json_str(j, "congestion", congestion);
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        hail_json_int(j, fields[i].name, value_of(t, &fields[i]));
    hail_json_int(j, "snd_wscale", t->wscale & 15);
    hail_json_int(j, "rcv_wscale", t->wscale >> 4);
    hail_json_array(j, "options");
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (t->options >> i & 1)
            hail_json_str(j, NULL, options[i]);
    hail_json_end_array(j);
    hail_json_end_object(j);
}
