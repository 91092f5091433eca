/* options.h - the command line of `hail telnet`. */
#ifndef HAIL_CMD_TELNET_OPTIONS_H
#define HAIL_CMD_TELNET_OPTIONS_H

#include "telnet.h"

extern const struct option_row telnet_option_rows[];
int telnet_option(int letter, const char *value);
/* As struct command wants it: -1 to go on, or a status to end with. */
int telnet_parse(struct common *c, int argc, char **argv);
/* What it found, into the session's state. */
void telnet_take_options(struct telnet *t);

#endif
