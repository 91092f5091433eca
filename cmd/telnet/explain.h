/* explain.h - replies explained in a plain conversation on a terminal. */
#ifndef HAIL_CMD_TELNET_EXPLAIN_H
#define HAIL_CMD_TELNET_EXPLAIN_H

#include "telnet.h"

void telnet_explain_begin(struct telnet *t);
/* What goes to the peer, whole lines. */
void telnet_explain_said(struct telnet *t, const char *p, size_t n);
/* Takes bytes from the peer up to the end of a reply, as hail_reply_take(); `text` is "" where
 * nothing is to be explained. */
size_t telnet_explain(struct telnet *t, const char *p, size_t n, char text[HAIL_REPLY_TEXT]);
/* Behind the reply, to what is shown. */
void telnet_explain_put(struct telnet *t, const char *text);

#endif
