/* script.h - conversations that are written down: --expect, --send, --reject, --script.
 *
 *   script.c       the options, and the file
 *   script_run.c   holding the conversation
 *   script_tell.c  why it has ended
 *   transcript.c   --transcript: writing one down
 *
 * The form, and all that is not input or output, is in proto/script.h.
 */
#ifndef HAIL_CMD_TELNET_SCRIPT_H
#define HAIL_CMD_TELNET_SCRIPT_H

#include "telnet.h"

#include "proto/script.h"

struct telnet_script {
    struct hail_script steps;
    const char *file; /* of the steps that have a line; NULL: none */
    int64_t step_ms;  /* that a step may take */
};

/* One step of the command line. 0, or a status to end with, told. */
int telnet_script_add(struct telnet_script *s, enum hail_script_verb verb, const char *text);
/* The steps of a file. As above. */
int telnet_script_read(struct telnet_script *s, const char *file);
int telnet_script_limit(struct telnet_script *s, const char *seconds);

/* Why step `at` has ended the conversation, with what came instead, on standard error. */
void telnet_script_tell(const struct telnet_script *s, size_t at, const char *why,
                        const struct hail_expect *e);

/* Holds the conversation on t->stream by t->script, and ends it; sets `leave` and `status`. */
void telnet_script_run(struct telnet *t);

#endif
