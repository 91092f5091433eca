/* netlog.c - the trace of -n and `set tracefile`: options agreed on (`toggle options`), bytes from
 * and to the network (netdata) and the terminal (termdata).
 *
 * On standard output it is part of what the screen shows, in order, each line ended by CR LF.
 */
#include "session.h"

#include "proto/telnet_text.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NAME_MAX_SHOWN 256
#define PLAIN_BYTES    32 /* of a line of a dump */
#define PRETTY_BYTES   16

struct telnet_netlog {
    int fd; /* < 0: standard output */
    char name[NAME_MAX_SHOWN];
    struct hail_buf line;
};

static void close_file(struct telnet_netlog *log)
{
    if (log->fd >= 0)
        close(log->fd);
    log->fd = -1;
    snprintf(log->name, sizeof log->name, "(standard output)");
}

void telnet_netlog_open(struct telnet *t, const char *file)
{
    if (!t->log && !(t->log = calloc(1, sizeof *t->log)))
        return;
    struct telnet_netlog *log = t->log;
    if (!log->line.max) {
        hail_buf_init(&log->line, (size_t)1 << 20);
        log->fd = -1;
    }
    close_file(log);
    if (!file || strcmp(file, "-") == 0)
        return;
    log->fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (log->fd >= 0)
        snprintf(log->name, sizeof log->name, "%s", file);
    else
        telnet_complain("Cannot open %s.\n", file);
}

void telnet_netlog_free(struct telnet *t)
{
    if (!t->log)
        return;
    close_file(t->log);
    hail_buf_free(&t->log->line);
    free(t->log);
    t->log = NULL;
}

const char *telnet_netlog_name(const struct telnet *t)
{
    return t->log ? t->log->name : "(standard output)";
}

static void write_out(struct telnet *t)
{
    struct telnet_netlog *log = t->log;
    if (log->fd < 0)
        telnet_screen(t, log->line.p, log->line.len);
    else if (write(log->fd, log->line.p, log->line.len) < 0)
        close_file(log); /* a full disk: what follows is shown */
    hail_buf_clear(&log->line);
}

static const char *newline(const struct telnet *t)
{
    return t->log->fd >= 0 ? "\n" : "\r\n";
}

void telnet_netlog_dump(struct telnet *t, bool on, char direction, const void *p, size_t n)
{
    if (!on || !t->log)
        return;
    struct hail_buf *b = &t->log->line;
    size_t width = t->toggle.prettydump ? PRETTY_BYTES : PLAIN_BYTES;
    const uint8_t *bytes = p;
    for (size_t at = 0; at < n; at += width) {
        hail_buf_printf(b, "%c 0x%zx\t", direction, at);
        for (size_t i = at; i < n && i < at + width; i++) {
            if (t->toggle.prettydump)
                hail_buf_char(b, bytes[i] == HAIL_TELNET_IAC ? '*' : ' ');
            hail_buf_printf(b, "%.2x", bytes[i]);
        }
        hail_buf_str(b, newline(t));
    }
    if (b->len)
        write_out(t);
}

void telnet_netlog_event(struct telnet *t, const struct hail_telnet_event *e)
{
    if (!t->toggle.options || !t->log)
        return;
    hail_telnet_describe(&t->log->line, e, newline(t));
    if (t->log->line.len)
        write_out(t);
}
