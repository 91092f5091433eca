/* transcript.c - --transcript FILE: transcript.h; the form is proto/script_write.c's. */
#include "transcript.h"

#include "base/text.h"
#include "proto/script.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define TEXT_MAX ((size_t)4 << 20) /* bytes that one read or one text becomes */

struct telnet_transcript {
    int fd;
    int errnum; /* of a write that failed: nothing more is written */
    int64_t begun;
    bool open; /* a connection is being written down */
    struct hail_buf text;
    struct hail_script_writer writer;
    bool cr; /* the last that was typed */
};

int telnet_transcript_open(struct telnet *t)
{
    const char *file = t->opt.transcript;
    if (!file)
        return 0;
    struct telnet_transcript *tr = calloc(1, sizeof *tr);
    if (!tr)
        return local_error("allocate", "the transcript", ENOMEM);
    tr->fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (tr->fd < 0) {
        int errnum = errno;
        free(tr);
        return local_error("open", file, errnum);
    }
    hail_buf_init(&tr->text, TEXT_MAX);
    hail_script_writer_init(&tr->writer, &tr->text);
    t->transcript = tr;
    return 0;
}

static void write_text(struct telnet_transcript *tr)
{
    const char *p = tr->text.p;
    size_t n = tr->text.len;
    if (tr->text.failed && !tr->errnum)
        tr->errnum = -tr->text.failed;
    while (n && !tr->errnum) {
        ssize_t done = write(tr->fd, p, n);
        if (done < 0 && errno != EINTR)
            tr->errnum = errno;
        p += done > 0 ? done : 0;
        n -= done > 0 ? (size_t)done : 0;
    }
    hail_buf_clear(&tr->text);
}

void telnet_transcript_begin(struct telnet *t)
{
    struct telnet_transcript *tr = t->transcript;
    char date[32] = "", host[HAIL_HOST_MAX + 1];
    time_t now = time(NULL);
    struct tm tm;
    if (!tr)
        return;
    if (gmtime_r(&now, &tm))
        strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%SZ", &tm);
    hail_text_safe_into(host, sizeof host, t->host, strnlen(t->host, sizeof t->host));
    hail_buf_printf(&tr->text, "# hail telnet %s", host);
    if (t->port)
        hail_buf_printf(&tr->text, " %u", t->port);
    hail_buf_printf(&tr->text, ", %s; seconds since the connection was made\n", date);
    tr->begun = hail_now();
    tr->open = true;
    tr->cr = false;
    write_text(tr);
}

void telnet_transcript_came(struct telnet *t, const void *p, size_t n)
{
    struct telnet_transcript *tr = t->transcript;
    if (!tr || !tr->open)
        return;
    hail_script_writer_came(&tr->writer, hail_now() - tr->begun, p, n);
    write_text(tr);
}

void telnet_transcript_said(struct telnet *t, const void *p, size_t n)
{
    struct telnet_transcript *tr = t->transcript;
    if (!tr || !tr->open)
        return;
    hail_script_writer_said(&tr->writer, hail_now() - tr->begun, p, n);
    write_text(tr);
}

void telnet_transcript_typed(struct telnet *t, const char *p, size_t n)
{
    struct telnet_transcript *tr = t->transcript;
    bool raw = t->engine.newline.raw || hail_telnet_ours(&t->engine, HAIL_TELOPT_BINARY);
    const char end = t->engine.newline.lines ? '\n' : '\r';
    if (!tr || !tr->open)
        return;
    for (size_t from = 0, i = 0; i < n; i++) {
        bool last = i + 1 == n;
        bool is_end = !raw && p[i] == end && !(end == '\n' && tr->cr);
        tr->cr = p[i] == '\r';
        if (is_end) {
            telnet_transcript_said(t, p + from, i - from);
            telnet_transcript_said(t, "\r\n", 2);
            from = i + 1;
        } else if (last) {
            telnet_transcript_said(t, p + from, n - from);
        }
    }
}

void telnet_transcript_end(struct telnet *t)
{
    struct telnet_transcript *tr = t->transcript;
    if (!tr || !tr->open)
        return;
    hail_script_writer_end(&tr->writer);
    write_text(tr);
    tr->open = false;
}

void telnet_transcript_close(struct telnet *t)
{
    struct telnet_transcript *tr = t->transcript;
    if (!tr)
        return;
    if (close(tr->fd) < 0 && !tr->errnum)
        tr->errnum = errno;
    if (tr->errnum)
        t->status = local_error("write", t->opt.transcript, tr->errnum);
    hail_script_writer_free(&tr->writer);
    hail_buf_free(&tr->text);
    free(tr);
    t->transcript = NULL;
}
