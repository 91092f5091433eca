/* session.h - what may look at the bytes of a session: lines (-C, -i), a watcher (--hexdump,
 * --progress); nc/nc.h. */
#ifndef HAIL_NC_SESSION_H
#define HAIL_NC_SESSION_H

#include "nc/nc.h"

#include <hail/pump.h>

/* lines.c: LF becomes CR LF (-C), and one line goes at a time (-i). NULL where neither is asked
 * for. */
struct nc_lines;
/* Appends bytes with a CR before every LF that has none; *after_cr is kept from piece to piece. */
int nc_crlf(struct hail_buf *out, const char *data, size_t n, bool *after_cr);
int nc_lines_new(struct nc *nc, struct nc_lines **out);
void nc_lines_free(struct nc_lines *l);
/* For flow 0's filter; n 0: the end. */
int nc_lines_put(struct nc_lines *l, struct hail_pump *p, const char *data, size_t n);
/* After a stop: puts the next line if one waits. Whether that was what the stop was for. */
bool nc_lines_go_on(struct nc_lines *l, struct hail_pump *p);

/* watcher.c: NULL where nothing is asked for. */
struct nc_watcher;
int nc_watcher_new(struct nc *nc, struct hail_stream *s, struct nc_watcher **out);
void nc_watcher_free(struct nc_watcher *w);
void nc_watch(struct nc_watcher *w, int flow, const char *data, size_t n);

#endif
