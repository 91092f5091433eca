/* script.c - the options of a written conversation: script.h. */
#include "script.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What was wrong with an option's word; STATUS_USAGE, or STATUS_LOCAL without memory. */
static int complain(const struct hail_ctx *ctx, const char *option)
{
    if (ctx->err.layer == HAIL_LAYER_LOCAL)
        return local_error("allocate", "a script", ctx->err.errnum);
    return usage_error(&command_telnet, "%s%s%s", option ? option : "", option ? ": " : "",
                       ctx->err.msg);
}

int telnet_script_add(struct telnet_script *s, enum hail_script_verb verb, const char *text)
{
    static const char *const options[] = {"--expect", NULL, "--reject", "--send"};
    struct hail_ctx ctx = HAIL_CTX_INIT;
    if (hail_script_add(&ctx, &s->steps, verb, text, strlen(text)) < 0)
        return complain(&ctx, options[verb]);
    return 0;
}

/* All of a file. 0 or a positive errno. */
static int read_file(const char *file, struct hail_buf *b)
{
    int fd = open(file, O_RDONLY | O_CLOEXEC), errnum = 0;
    ssize_t n = 1;
    if (fd < 0)
        return errno;
    while (n > 0 && !errnum) {
        errnum = -hail_buf_reserve(b, b->len + 65536 < b->max ? 65536 : b->max - b->len);
        if (!errnum && b->len == b->max)
            errnum = EFBIG;
        if (errnum)
            break;
        n = read(fd, b->p + b->len, b->cap - b->len < 65536 ? b->cap - b->len : 65536);
        if (n < 0)
            errnum = errno;
        else
            b->len += (size_t)n;
    }
    close(fd);
    return errnum;
}

int telnet_script_read(struct telnet_script *s, const char *file)
{
    struct hail_ctx ctx = HAIL_CTX_INIT;
    struct hail_buf b;
    hail_buf_init(&b, HAIL_SCRIPT_FILE);
    int errnum = read_file(file, &b), status = 0;
    if (errnum)
        status = local_error("read", file, errnum);
    else if (s->file)
        status = usage_error(&command_telnet, "--script is given twice");
    else if (hail_script_parse(&ctx, &s->steps, file, b.p, b.len) < 0)
        status = complain(&ctx, NULL);
    else if (s->steps.n == 0)
        status = usage_error(&command_telnet, "%s: a script without a step", file);
    s->file = file;
    hail_buf_free(&b);
    return status;
}

int telnet_script_limit(struct telnet_script *s, const char *seconds)
{
    char *end;
    errno = 0;
    double value = strtod(seconds, &end);
    if (end == seconds || *end || errno || !isfinite(value) || value <= 0 || value > 1e6)
        return usage_error(&command_telnet, "--step-timeout wants seconds above 0, not '%s'",
                           seconds);
    s->step_ms = (int64_t)ceil(value * 1000);
    return 0;
}
