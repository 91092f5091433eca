/* output.c - standard output: safe text, JSON lines, colour, and the check that it all arrived. */
#include "cmd.h"

#include <errno.h>
#include <string.h>

void put_safe(FILE *f, const char *s)
{
    char text[256];
    size_t n = strlen(s);
    /* in pieces that always fit: a byte is shown as at most 10 characters; cut between characters
     */
    while (n) {
        size_t piece = n < 24 ? n : 24;
        while (piece < n && piece > 20 && ((unsigned char)s[piece] & 0xC0) == 0x80)
            piece--;
        hail_text_safe_into(text, sizeof text, s, piece);
        fputs(text, f);
        s += piece;
        n -= piece;
    }
}

int put_json(struct hail_buf *b)
{
    int failed = b->failed;
    if (!failed) {
        fwrite(b->p, 1, b->len, stdout);
        putchar('\n');
    }
    hail_buf_clear(b);
    return failed ? local_error("write", "a JSON document", -failed) : 0;
}

const char *paint(const struct common *c, const char *sgr)
{
    static char escapes[4][16]; /* so that one printf can have several */
    static unsigned turn;
    if (!c->colour)
        return "";
    char *escape = escapes[turn++ % 4];
    snprintf(escape, sizeof escapes[0], "\033[%sm", sgr);
    return escape;
}

int finish_output(int status)
{
    errno = 0;
    bool failed = ferror(stdout) != 0;
    if (fflush(stdout) != 0 || failed)
        return local_error("write", "standard output", errno ? errno : EIO);
    return status;
}

void put_size(struct hail_buf *out, uint64_t bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    double size = (double)bytes;
    int i = 0;
    for (; size >= 1024 && i < 4; i++)
        size /= 1024;
    hail_buf_printf(out, i ? "%.1f %s" : "%.0f %s", size, units[i]);
}
