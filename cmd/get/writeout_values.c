/* writeout_values.c - what each variable of -w stands for: curl's names, and what curl prints. */
#include "writeout.h"

#include <inttypes.h>
#include <string.h>

enum variable {
    CONTENT_TYPE,
    ERRORMSG,
    EXITCODE,
    FILENAME_EFFECTIVE,
    FTP_ENTRY_PATH,
    HTTP_CODE,
    HTTP_CONNECT,
    HTTP_VERSION,
    LOCAL_IP,
    LOCAL_PORT,
    METHOD,
    NUM_CONNECTS,
    NUM_HEADERS,
    NUM_REDIRECTS,
    NUM_RETRIES,
    PROXY_SSL_VERIFY_RESULT,
    REDIRECT_URL,
    REFERER,
    REMOTE_IP,
    REMOTE_PORT,
    RESPONSE_CODE,
    SCHEME,
    SIZE_DOWNLOAD,
    SIZE_HEADER,
    SIZE_REQUEST,
    SIZE_UPLOAD,
    SPEED_DOWNLOAD,
    SPEED_UPLOAD,
    SSL_VERIFY_RESULT,
    TIME_APPCONNECT,
    TIME_CONNECT,
    TIME_NAMELOOKUP,
    TIME_PRETRANSFER,
    TIME_REDIRECT,
    TIME_STARTTRANSFER,
    TIME_TOTAL,
    URL,
    URL_EFFECTIVE,
    URLNUM,
    VARIABLES
};

static const char *const names[VARIABLES + 1] = {
    "content_type",
    "errormsg",
    "exitcode",
    "filename_effective",
    "ftp_entry_path",
    "http_code",
    "http_connect",
    "http_version",
    "local_ip",
    "local_port",
    "method",
    "num_connects",
    "num_headers",
    "num_redirects",
    "num_retries",
    "proxy_ssl_verify_result",
    "redirect_url",
    "referer",
    "remote_ip",
    "remote_port",
    "response_code",
    "scheme",
    "size_download",
    "size_header",
    "size_request",
    "size_upload",
    "speed_download",
    "speed_upload",
    "ssl_verify_result",
    "time_appconnect",
    "time_connect",
    "time_namelookup",
    "time_pretransfer",
    "time_redirect",
    "time_starttransfer",
    "time_total",
    "url",
    "url_effective",
    "urlnum",
    NULL,
};

const char *get_variable(size_t i)
{
    return names[i < VARIABLES ? i : VARIABLES];
}

/* --- sums over all exchanges --- */

static int64_t header_bytes(const struct get_job *j)
{
    int64_t n = 0;
    for (size_t i = 0; i < j->nhops; i++)
        n += (int64_t)(j->hops[i].head_size + j->hops[i].interim_size);
    return n;
}

static int64_t request_bytes(const struct get_job *j)
{
    int64_t n = 0;
    for (size_t i = 0; i < j->nhops; i++)
        n += (int64_t)j->hops[i].request_size;
    return n;
}

static int64_t header_fields(const struct get_hop *h)
{
    int64_t n = 0;
    for (size_t i = 0; h && i < h->head_size; i++)
        n += h->head[i] == '\n';
    return n > 2 ? n - 2 : 0; /* neither the status line nor the empty one */
}

/* --- times, in microseconds since the job began --- */

static int64_t since(const struct get_job *j, int64_t ns)
{
    return ns > j->start_ns ? (ns - j->start_ns) / 1000 : 0;
}

/* A reused connection was there from the exchange's beginning. */
static int64_t time_of(const struct get_job *j, const struct get_hop *h, enum variable v)
{
    int64_t redirect = 0;
    for (size_t i = 0; i + 1 < j->nhops; i++)
        redirect += j->hops[i].end_ns - j->hops[i].start_ns;
    switch (v) {
    case TIME_TOTAL:
        return since(j, j->end_ns);
    case TIME_REDIRECT:
        return redirect / 1000;
    default:
        break;
    }
    if (!h)
        return 0;
    switch (v) {
    case TIME_NAMELOOKUP:
        return since(j, h->reused ? h->start_ns : h->dialled_ns);
    case TIME_CONNECT:
        return since(j, h->reused ? h->start_ns : h->connected_ns);
    case TIME_APPCONNECT:
        return h->https ? since(j, h->reused ? h->start_ns : h->tls_ns) : 0;
    case TIME_PRETRANSFER:
        return since(j, h->ready_ns);
    default:
        return since(j, h->first_ns);
    }
}

static int64_t speed(const struct get_job *j, uint64_t bytes)
{
    double s = (double)(j->end_ns - j->start_ns) / 1e9;
    return s > 0 ? (int64_t)((double)bytes / s) : 0;
}

/* --- the values --- */

static void text(struct get_value *out, const char *value)
{
    out->kind = GET_TEXT;
    out->text = value && *value ? value : NULL;
}

static void number(struct get_value *out, int64_t value)
{
    out->kind = GET_NUMBER;
    out->number = value;
}

static void host_of(struct get_value *out, const struct get_hop *h, bool peer)
{
    if (h && h->ready_ns)
        snprintf(out->own, sizeof out->own, "%s", peer ? h->peer.host : h->local.host);
    text(out, out->own);
}

static const char *method_of(const struct get_job *j, const struct get_hop *h)
{
    return h ? h->method : j->method;
}

static void set_text(const struct get_session *s, const struct get_job *j, const struct get_hop *h,
                     enum variable v, struct get_value *out)
{
    switch (v) {
    case CONTENT_TYPE:
        text(out, j->content_type);
        break;
    case ERRORMSG:
        text(out, j->err.errnum ? j->err.msg : NULL);
        break;
    case FILENAME_EFFECTIVE:
        text(out, j->sink.name);
        break;
    case HTTP_VERSION:
        text(out, h && h->status ? (h->minor ? "1.1" : "1") : "0");
        break;
    case LOCAL_IP:
    case REMOTE_IP:
        host_of(out, h, v == REMOTE_IP);
        break;
    case METHOD:
        text(out, method_of(j, h));
        break;
    case REDIRECT_URL:
        text(out, s->asked->follow && !j->redirect_url[0] ? NULL : j->redirect_url);
        break;
    case REFERER:
        text(out, j->referer);
        break;
    case SCHEME:
        text(out, j->url.https ? "HTTPS" : "HTTP");
        break;
    case URL:
        text(out, j->text);
        break;
    case URL_EFFECTIVE:
        text(out, h ? h->url : j->url.text);
        break;
    default: /* of other protocols */
        text(out, NULL);
        break;
    }
}

static void set_number(const struct get_job *j, const struct get_hop *h, enum variable v,
                       struct get_value *out)
{
    switch (v) {
    case EXITCODE:
        number(out, j->status);
        break;
    case HTTP_CODE:
    case RESPONSE_CODE:
        number(out, h ? h->status : 0);
        break;
    case HTTP_CONNECT:
        number(out, h ? h->tunnel_status : 0);
        break;
    case LOCAL_PORT:
        number(out, h && h->ready_ns ? h->local.port : 0);
        break;
    case REMOTE_PORT:
        number(out, h && h->ready_ns ? h->peer.port : 0);
        break;
    case NUM_CONNECTS:
        number(out, j->connects);
        break;
    case NUM_HEADERS:
        number(out, header_fields(h));
        break;
    case NUM_REDIRECTS:
        number(out, j->redirects);
        break;
    case NUM_RETRIES:
        number(out, j->retries);
        break;
    case SIZE_DOWNLOAD:
        number(out, h ? (int64_t)h->received : 0);
        break;
    case SIZE_HEADER:
        number(out, header_bytes(j));
        break;
    case SIZE_REQUEST:
        number(out, request_bytes(j));
        break;
    case SIZE_UPLOAD:
        number(out, h ? (int64_t)h->sent : 0);
        break;
    case SPEED_DOWNLOAD:
    case SPEED_UPLOAD:
        number(out, !h ? 0 : speed(j, v == SPEED_UPLOAD ? h->sent : h->received));
        break;
    case URLNUM:
        number(out, (int64_t)j->index);
        break;
    case SSL_VERIFY_RESULT: /* -k takes what would be refused: not 0, without curl's numbers */
        number(out, h && *h->tls_version && !h->tls.verified);
        break;
    default: /* a certificate of the proxy that was taken, or none */
        number(out, 0);
        break;
    }
}

bool get_value(const struct get_session *s, const struct get_job *j, const char *name, size_t n,
               struct get_value *out)
{
    const struct get_hop *h = get_last(j);
    int v = 0;
    while (v < VARIABLES && (strlen(names[v]) != n || memcmp(names[v], name, n) != 0))
        v++;
    if (v == VARIABLES)
        return false;
    memset(out, 0, sizeof *out);
    if (v >= TIME_APPCONNECT && v <= TIME_TOTAL) {
        out->kind = GET_TIME;
        out->number = time_of(j, h, (enum variable)v);
        return true;
    }
    switch (v) {
    case CONTENT_TYPE:
    case ERRORMSG:
    case FILENAME_EFFECTIVE:
    case FTP_ENTRY_PATH:
    case HTTP_VERSION:
    case LOCAL_IP:
    case METHOD:
    case REDIRECT_URL:
    case REFERER:
    case REMOTE_IP:
    case SCHEME:
    case URL:
    case URL_EFFECTIVE:
        set_text(s, j, h, (enum variable)v, out);
        return true;
    default:
        set_number(j, h, (enum variable)v, out);
        return true;
    }
}
