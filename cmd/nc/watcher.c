/* watcher.c - what passes, shown: --hexdump and --progress; session.h. */
#include "nc/session.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#define ROW 16 /* bytes of a line of the dump */

struct nc_watcher {
    FILE *dump;    /* NULL: none */
    bool progress; /* on standard error, a terminal */
    uint64_t bytes[2];
    int64_t began_ns, shown_ns;
};

int nc_watcher_new(struct nc *nc, struct hail_stream *s, struct nc_watcher **out)
{
    (void)s;
    bool progress = nc->o.progress && isatty(STDERR_FILENO);
    *out = NULL;
    if (!nc->o.hexdump && !progress)
        return 0;
    struct nc_watcher *w = calloc(1, sizeof *w);
    if (!w)
        return -ENOMEM;
    w->progress = progress;
    w->began_ns = hail_now();
    if (nc->o.hexdump)
        w->dump = nc->o.hexdump_file ? fopen(nc->o.hexdump_file, "ae") : stderr;
    if (nc->o.hexdump && !w->dump) {
        int errnum = errno;
        free(w);
        local_error("open", nc->o.hexdump_file, errnum);
        return -errnum;
    }
    *out = w;
    return 0;
}

static void show_progress(struct nc_watcher *w, bool last)
{
    int64_t now = hail_now();
    if (!last && now - w->shown_ns < 200000000)
        return;
    w->shown_ns = now;
    double s = (double)(now - w->began_ns) / 1e9;
    double out = (double)w->bytes[0], in = (double)w->bytes[1];
    fprintf(stderr, "\r\033[K%.1f MB out, %.1f MB in, %.1f MB/s, %.0f s%s", out / 1e6, in / 1e6,
            s > 0 ? (out + in) / 1e6 / s : 0, s, last ? "\n" : "");
}

void nc_watcher_free(struct nc_watcher *w)
{
    if (!w)
        return;
    if (w->progress)
        show_progress(w, true);
    if (w->dump && w->dump != stderr)
        fclose(w->dump);
    free(w);
}

/* "> 00000010  48 65 6c ... |Hel...|": direction, offset, bytes, text. */
static void dump_row(FILE *f, int flow, uint64_t at, const unsigned char *p, size_t n)
{
    fprintf(f, "%c %08" PRIx64 " ", flow == 0 ? '>' : '<', at);
    for (size_t i = 0; i < ROW; i++)
        if (i < n)
            fprintf(f, "%s%02x", i == ROW / 2 ? "  " : " ", p[i]);
        else
            fputs(i == ROW / 2 ? "    " : "   ", f);
    fputs("  |", f);
    for (size_t i = 0; i < n; i++)
        putc(p[i] >= 0x20 && p[i] < 0x7f ? p[i] : '.', f);
    fputs("|\n", f);
}

void nc_watch(struct nc_watcher *w, int flow, const char *data, size_t n)
{
    for (size_t i = 0; w->dump && i < n; i += ROW)
        dump_row(w->dump, flow, w->bytes[flow] + i, (const unsigned char *)data + i,
                 n - i < ROW ? n - i : ROW);
    if (w->dump && w->dump != stderr)
        fflush(w->dump);
    w->bytes[flow] += n;
    if (w->progress)
        show_progress(w, false);
}
