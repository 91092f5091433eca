/* fail.c - errors for people on standard error, and the exit status that tells a script. */
#include "cmd.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

int status_of(const struct hail_error *err)
{
    if (err->errnum == ETIMEDOUT)
        return STATUS_TIMEOUT;
    if (err->detail == HAIL_TRUNCATED)
        return STATUS_PROTO;
    switch (err->layer) {
    case HAIL_LAYER_USAGE:
        return STATUS_USAGE;
    case HAIL_LAYER_NAME:
        return STATUS_NAME;
    case HAIL_LAYER_CONNECT:
        return STATUS_CONNECT;
    case HAIL_LAYER_TLS:
        return STATUS_TLS;
    case HAIL_LAYER_STREAM:
    case HAIL_LAYER_PROTO:
        return STATUS_PROTO;
    case HAIL_LAYER_NONE:
    case HAIL_LAYER_LOCAL:
        break;
    }
    return STATUS_LOCAL;
}

int fail(struct common *c)
{
    const struct hail_error *err = &c->ctx.err;
    if (err->errnum == ECANCELED)
        return STATUS_LOCAL; /* main ends by the signal that cancelled */
    fflush(stdout);
    fprintf(stderr, "hail: %s\n", err->msg);
    if (*err->advice)
        fprintf(stderr, "  %s\n", err->advice);
    return status_of(err);
}

int usage_error(const struct command *cmd, const char *fmt, ...)
{
    char raw[512], text[1024];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(raw, sizeof raw, fmt, ap);
    va_end(ap);
    hail_text_safe_into(text, sizeof text, raw, strnlen(raw, n < 0 ? 0 : sizeof raw));
    if (cmd)
        fprintf(stderr, "hail: %s: %s\n  see: hail help %s\n", cmd->name, text, cmd->name);
    else
        fprintf(stderr, "hail: %s\n  see: hail --help\n", text);
    return STATUS_USAGE;
}

int local_error(const char *op, const char *what, int errnum)
{
    char text[512];
    hail_text_safe_into(text, sizeof text, what, strlen(what));
    fprintf(stderr, "hail: %s %s: %s\n", op, text, hail_errno_text(errnum));
    return STATUS_LOCAL;
}
