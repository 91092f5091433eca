/* error.c - causes in words, and the error of a context. */
#include "base/error.h"

#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

HAIL_PRINTF(3, 0)
static void set_text(char *out, size_t size, const char *fmt, va_list ap)
{
    char raw[1024];
    int n = vsnprintf(raw, sizeof raw, fmt, ap);
    if (n < 0)
        n = 0;
    hail_text_safe_into(out, size, raw, (size_t)n < sizeof raw ? (size_t)n : sizeof raw - 1);
}

int hail_fail(struct hail_ctx *ctx, enum hail_layer layer, int errnum, const char *op,
              const char *fmt, ...)
{
    if (!ctx)
        return -errnum;
    ctx->err.layer = layer;
    ctx->err.errnum = errnum;
    ctx->err.detail = HAIL_DETAIL_NONE;
    ctx->err.op = op;
    ctx->err.advice[0] = '\0';
    va_list ap;
    va_start(ap, fmt);
    set_text(ctx->err.msg, sizeof ctx->err.msg, fmt, ap);
    va_end(ap);
    return -errnum;
}

void hail_advise(struct hail_ctx *ctx, const char *fmt, ...)
{
    if (!ctx)
        return;
    va_list ap;
    va_start(ap, fmt);
    set_text(ctx->err.advice, sizeof ctx->err.advice, fmt, ap);
    va_end(ap);
}

void hail_set_detail(struct hail_ctx *ctx, int detail)
{
    if (ctx)
        ctx->err.detail = detail;
}

const char *hail_errno_text(int errnum)
{
    switch (errnum) {
    case 0:
        return "done";
    case ECONNRESET:
        return "connection reset by peer";
    case ETIMEDOUT:
        return "timed out";
    case ECANCELED:
        return "cancelled";
    case ENETUNREACH:
        return "network is unreachable";
    case EHOSTUNREACH:
        return "host is unreachable";
    default:
        break;
    }
    static _Thread_local char text[64];
    const char *s = strerror_r(errnum, text, sizeof text);
    if (s != text)
        snprintf(text, sizeof text, "%s", s);
    if (isupper((unsigned char)text[0]) && islower((unsigned char)text[1]))
        text[0] = (char)tolower((unsigned char)text[0]);
    return text;
}

const char *hail_layer_name(enum hail_layer layer)
{
    static const char *const names[] = {"none",   "usage", "name",  "connect",
                                        "stream", "tls",   "proto", "local"};
    return (unsigned)layer < sizeof names / sizeof *names ? names[layer] : "none";
}
