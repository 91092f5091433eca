/* tour.h - the guided run over real sockets of this machine.
 *
 *   tour.c          the command, its pages in order
 *   names.c         pages 1 and 2: names and addresses, services and ports
 *   conversation.c  pages 3 to 5: connection, request and response, what the kernel lists
 *   datagrams.c     page 6
 *   retrace.c       page 7: the same conversation as a trace
 *   index.c         the page of 48,823 bytes that is served
 *   show.c          how a page is shown, on a terminal, in a pipe and as JSON
 *
 * Every figure on the screen comes from the run itself.
 */
#ifndef HAIL_CMD_TOUR_H
#define HAIL_CMD_TOUR_H

#include "cmd.h"

#define TOUR_PAGE_BYTES 48823
#define TOUR_WIDTH      78
#define TOUR_ROWS_MAX   8

struct tour {
    struct common *c;
    bool slow;
    int page;
    struct hail_buf json; /* the document being written */
    struct hail_json j;

    struct hail_listener *listener;
    struct hail_stream *client, *server;
    struct hail_endpoint client_end, server_end; /* of the conversation, kept after the close */
    struct hail_buf index;                       /* the page that is served */
    int64_t response_ns;
    struct hail_socket_info open[TOUR_ROWS_MAX]; /* what the kernel listed while it was open */
    int nopen;
    struct hail_trace *trace; /* of the conversation, into... */
    int trace_fd;             /* ...memory */
};

/* show.c. In text, `tour_event` and what belongs to it write nothing; in JSON, the others do. */
void tour_page(struct tour *t, const char *title);
void tour_page_end(struct tour *t); /* with --slow: waits for Enter */
void tour_say(struct tour *t, const char *fmt, ...) HAIL_PRINTF(2, 3);  /* prose, wrapped */
void tour_fact(struct tour *t, const char *fmt, ...) HAIL_PRINTF(2, 3); /* a line of this run */
void tour_gap(struct tour *t);
/* What crossed the wire, one line of text a line, at most `lines`; then how much follows. */
void tour_wire(struct tour *t, bool to_server, const char *bytes, size_t n, int lines);
struct hail_json *tour_event(struct tour *t, const char *event);
void tour_event_end(struct tour *t);
void tour_endpoint(struct tour *t, const char *key, const struct hail_endpoint *ep);
const char *tour_ms(int64_t ns); /* "0.123 ms"; good until the call after the next */

/* index.c: 48,823 bytes of HTML about the registry's services. 0 or -errno. */
int tour_make_index(struct hail_buf *out);

/* The pages; each returns 0 or the exit status to stop with. */
int tour_names(struct tour *t);
int tour_ports(struct tour *t);
int tour_connection(struct tour *t);
int tour_request(struct tour *t);
int tour_kernel(struct tour *t);
int tour_datagrams(struct tour *t);
int tour_retrace(struct tour *t);

/* conversation.c: the kernel's rows of the conversation; how many, or -errno. */
int tour_list(struct tour *t, struct hail_socket_info *v, int max);
/* Closes whatever is still open. */
void tour_cleanup(struct tour *t);

#endif
