/* http_names.c - what HTTP calls things: errors, methods, statuses; and looking fields up. */
#include <hail/http.h>

#include <string.h>

struct error_row {
    int status;
    const char *rfc, *text;
};

static const struct error_row errors[HAIL_HTTP_NERRORS] = {
    [HAIL_HTTP_OK] = {200, "", "no error"},
    [HAIL_HTTP_BAD_METHOD] = {400, "RFC 9112 section 3.1", "the method is not a token"},
    [HAIL_HTTP_BAD_TARGET] = {400, "RFC 9112 section 3.2", "the request's target is malformed"},
    [HAIL_HTTP_BAD_VERSION] = {400, "RFC 9112 section 2.3", "the HTTP version is malformed"},
    [HAIL_HTTP_UNSUPPORTED_VERSION] = {505, "RFC 9110 section 15.6.6",
                                       "the HTTP version is not 1.x"},
    [HAIL_HTTP_BAD_STATUS] = {502, "RFC 9112 section 4", "the status is not three digits"},
    [HAIL_HTTP_BAD_REASON] = {502, "RFC 9112 section 4", "a control byte in the reason phrase"},
    [HAIL_HTTP_BARE_CR] = {400, "RFC 9112 section 2.2", "a CR without an LF"},
    [HAIL_HTTP_BARE_LF] = {400, "RFC 9112 section 2.2", "a line that ends with a bare LF"},
    [HAIL_HTTP_NUL] = {400, "RFC 9110 section 5.5", "a NUL byte"},
    [HAIL_HTTP_BAD_FIELD_NAME] = {400, "RFC 9110 section 5.1", "a field's name is not a token"},
    [HAIL_HTTP_SPACE_BEFORE_COLON] = {400, "RFC 9112 section 5.1",
                                      "white space between a field's name and the colon"},
    [HAIL_HTTP_NO_COLON] = {400, "RFC 9112 section 5", "a field line without a colon"},
    [HAIL_HTTP_BAD_FIELD_VALUE] = {400, "RFC 9110 section 5.5",
                                   "a control byte in a field's value"},
    [HAIL_HTTP_FOLDED_LINE] = {400, "RFC 9112 section 5.2", "a line that begins with white space"},
    [HAIL_HTTP_TARGET_TOO_LONG] = {414, "RFC 9112 section 3", "the request line is too long"},
    [HAIL_HTTP_LINE_TOO_LONG] = {431, "RFC 6585 section 5", "a line is too long"},
    [HAIL_HTTP_HEAD_TOO_LARGE] = {431, "RFC 6585 section 5", "the head is too large"},
    [HAIL_HTTP_TOO_MANY_FIELDS] = {431, "RFC 6585 section 5", "too many fields"},
    [HAIL_HTTP_TRAILER_TOO_LARGE] = {431, "RFC 6585 section 5", "the trailer section is too large"},
    [HAIL_HTTP_NO_HOST] = {400, "RFC 9112 section 3.2", "no Host field"},
    [HAIL_HTTP_TWO_HOSTS] = {400, "RFC 9112 section 3.2", "more than one Host field"},
    [HAIL_HTTP_BAD_HOST] = {400, "RFC 9112 section 3.2", "the Host field is not a host and port"},
    [HAIL_HTTP_BAD_LENGTH] = {400, "RFC 9110 section 8.6", "the Content-Length is not a number"},
    [HAIL_HTTP_TWO_LENGTHS] = {400, "RFC 9112 section 6.3", "more than one Content-Length"},
    [HAIL_HTTP_BAD_CODING] = {400, "RFC 9112 section 6.1", "the Transfer-Encoding is malformed"},
    [HAIL_HTTP_UNSUPPORTED_CODING] = {501, "RFC 9112 section 6.1",
                                      "a transfer coding other than chunked"},
    [HAIL_HTTP_CHUNKED_NOT_LAST] = {400, "RFC 9112 section 6.1",
                                    "the chunked coding is not the last, or applied twice"},
    [HAIL_HTTP_LENGTH_AND_CODING] = {400, "RFC 9112 section 6.1",
                                     "both Content-Length and Transfer-Encoding"},
    [HAIL_HTTP_CODING_IN_1_0] = {400, "RFC 9112 section 6.1", "Transfer-Encoding in HTTP/1.0"},
    [HAIL_HTTP_BAD_CHUNK_SIZE] = {400, "RFC 9112 section 7.1", "a chunk's size is not a number"},
    [HAIL_HTTP_CHUNK_TOO_LARGE] = {413, "RFC 9112 section 7.1", "a chunk's size is too large"},
    [HAIL_HTTP_BAD_CHUNK_EXTENSION] = {400, "RFC 9112 section 7.1.1",
                                       "a chunk's extension is malformed"},
    [HAIL_HTTP_CHUNK_EXTENSION_TOO_LONG] = {400, "RFC 9112 section 7.1.1",
                                            "a chunk's extensions are too long"},
    [HAIL_HTTP_BAD_CHUNK_END] = {400, "RFC 9112 section 7.1", "no CRLF after a chunk's data"},
    [HAIL_HTTP_BAD_TRAILER] = {400, "RFC 9110 section 6.5.1",
                               "a field in the trailer section that must not be there"},
    [HAIL_HTTP_TRUNCATED] = {400, "RFC 9112 section 8", "the message was cut short"},
};

static const struct error_row *error_row(enum hail_http_error e)
{
    static const struct error_row unknown = {400, "", "unknown error"};
    return (unsigned)e < HAIL_HTTP_NERRORS ? &errors[e] : &unknown;
}

const char *hail_http_error_text(enum hail_http_error e)
{
    return error_row(e)->text;
}

const char *hail_http_error_rfc(enum hail_http_error e)
{
    return error_row(e)->rfc;
}

int hail_http_error_status(enum hail_http_error e)
{
    return error_row(e)->status;
}

static const char methods[][8] = {
    [HAIL_HTTP_OTHER] = "",          [HAIL_HTTP_GET] = "GET",         [HAIL_HTTP_HEAD] = "HEAD",
    [HAIL_HTTP_POST] = "POST",       [HAIL_HTTP_PUT] = "PUT",         [HAIL_HTTP_DELETE] = "DELETE",
    [HAIL_HTTP_CONNECT] = "CONNECT", [HAIL_HTTP_OPTIONS] = "OPTIONS", [HAIL_HTTP_TRACE] = "TRACE",
    [HAIL_HTTP_PATCH] = "PATCH",
};
enum { NMETHODS = sizeof methods / sizeof *methods };

enum hail_http_method hail_http_method(struct hail_slice token)
{
    for (int i = HAIL_HTTP_GET; i < NMETHODS; i++)
        if (hail_slice_is(token, methods[i]))
            return (enum hail_http_method)i;
    return HAIL_HTTP_OTHER;
}

const char *hail_http_method_name(enum hail_http_method m)
{
    return (unsigned)m < NMETHODS ? methods[m] : "";
}

/* The IANA registry of HTTP status codes. */
static const struct reason_row {
    int status;
    const char *reason;
} reasons[] = {
    {100, "Continue"},
    {101, "Switching Protocols"},
    {102, "Processing"},
    {103, "Early Hints"},
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {203, "Non-Authoritative Information"},
    {204, "No Content"},
    {205, "Reset Content"},
    {206, "Partial Content"},
    {207, "Multi-Status"},
    {208, "Already Reported"},
    {226, "IM Used"},
    {300, "Multiple Choices"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {305, "Use Proxy"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {402, "Payment Required"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {407, "Proxy Authentication Required"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {423, "Locked"},
    {424, "Failed Dependency"},
    {425, "Too Early"},
    {426, "Upgrade Required"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {451, "Unavailable For Legal Reasons"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
    {506, "Variant Also Negotiates"},
    {507, "Insufficient Storage"},
    {508, "Loop Detected"},
    {511, "Network Authentication Required"},
};

const char *hail_http_reason(int status)
{
    size_t low = 0, high = sizeof reasons / sizeof *reasons;
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (reasons[mid].status == status)
            return reasons[mid].reason;
        if (reasons[mid].status < status)
            low = mid + 1;
        else
            high = mid;
    }
    return "";
}

const struct hail_http_field *hail_http_field(const struct hail_http_fields *fields,
                                              const char *name, const struct hail_http_field *after)
{
    for (size_t i = after ? (size_t)(after - fields->v) + 1 : 0; i < fields->n; i++)
        if (hail_slice_is_nocase(fields->v[i].name, name))
            return &fields->v[i];
    return NULL;
}

/* Where the element that begins at `p` ends: a comma outside quotes, or `end`. */
static const char *element_end(const char *p, const char *end)
{
    bool quoted = false;
    for (; p < end && (quoted || *p != ','); p++) {
        if (*p == '"')
            quoted = !quoted;
        else if (*p == '\\' && quoted && p + 1 < end)
            p++;
    }
    return p;
}

bool hail_http_list_next(struct hail_slice *rest, struct hail_slice *item)
{
    const char *p = rest->p, *end = rest->n ? rest->p + rest->n : rest->p;
    while (p < end && (*p == ' ' || *p == '\t' || *p == ','))
        p++;
    if (p == end) {
        *rest = (struct hail_slice){end, 0};
        return false;
    }
    const char *stop = element_end(p, end), *last = stop;
    while (last > p && (last[-1] == ' ' || last[-1] == '\t'))
        last--;
    *item = (struct hail_slice){p, (size_t)(last - p)};
    *rest = (struct hail_slice){stop, (size_t)(end - stop)};
    return true;
}
