/* transcript.h - --transcript FILE: the conversation written down as it goes, in the form that
 * --script reads. What is said is in it as it was said, passwords as well: the file is its owner's
 * alone (mode 0600). */
#ifndef HAIL_CMD_TELNET_TRANSCRIPT_H
#define HAIL_CMD_TELNET_TRANSCRIPT_H

#include "telnet.h"

/* Makes the file that t->opt.transcript names, if it names one. 0 or a status to end with, told. */
int telnet_transcript_open(struct telnet *t);
/* A connection has been made: times count from here. */
void telnet_transcript_begin(struct telnet *t);
/* What came, and what was said, with TELNET undone. */
void telnet_transcript_came(struct telnet *t, const void *p, size_t n);
void telnet_transcript_said(struct telnet *t, const void *p, size_t n);
/* What was typed: its line ends are those that the engine makes of them. */
void telnet_transcript_typed(struct telnet *t, const char *p, size_t n);
/* The connection is over. */
void telnet_transcript_end(struct telnet *t);
/* Closes the file; when it could not be written, says so and makes t->status STATUS_LOCAL. */
void telnet_transcript_close(struct telnet *t);

#endif
