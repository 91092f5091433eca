/* telnet_names.c - the names of TELNET's commands, options and special characters, in the words
 * that telnets have shown since 4.3BSD. */
#include "proto/telnet.h"

const char *hail_telnet_option_name(unsigned option)
{
    static const char *const names[] = {"BINARY",
                                        "ECHO",
                                        "RCP",
                                        "SUPPRESS GO AHEAD",
                                        "NAME",
                                        "STATUS",
                                        "TIMING MARK",
                                        "RCTE",
                                        "NAOL",
                                        "NAOP",
                                        "NAOCRD",
                                        "NAOHTS",
                                        "NAOHTD",
                                        "NAOFFD",
                                        "NAOVTS",
                                        "NAOVTD",
                                        "NAOLFD",
                                        "EXTEND ASCII",
                                        "LOGOUT",
                                        "BYTE MACRO",
                                        "DATA ENTRY TERMINAL",
                                        "SUPDUP",
                                        "SUPDUP OUTPUT",
                                        "SEND LOCATION",
                                        "TERMINAL TYPE",
                                        "END OF RECORD",
                                        "TACACS UID",
                                        "OUTPUT MARKING",
                                        "TTYLOC",
                                        "3270 REGIME",
                                        "X.3 PAD",
                                        "NAWS",
                                        "TSPEED",
                                        "LFLOW",
                                        "LINEMODE",
                                        "XDISPLOC",
                                        "OLD-ENVIRON",
                                        "AUTHENTICATION",
                                        "ENCRYPT",
                                        "NEW-ENVIRON"};
    return option < sizeof names / sizeof *names ? names[option] : NULL;
}

const char *hail_telnet_command_name(unsigned command)
{
    static const char *const names[] = {"EOF", "SUSP", "ABORT", "EOR", "SE",   "NOP", "DMARK",
                                        "BRK", "IP",   "AO",    "AYT", "EC",   "EL",  "GA",
                                        "SB",  "WILL", "WONT",  "DO",  "DONT", "IAC"};
    unsigned i = command - HAIL_TELNET_EOF;
    return i < sizeof names / sizeof *names ? names[i] : NULL;
}

const char *hail_telnet_slc_name(unsigned function)
{
    static const char *const names[HAIL_TELNET_NSLC] = {
        "0",  "SYNCH", "BRK", "IP", "AO",    "AYT", "EOR",  "ABORT", "EOF",  "SUSP",
        "EC", "EL",    "EW",  "RP", "LNEXT", "XON", "XOFF", "FORW1", "FORW2"};
    return function < HAIL_TELNET_NSLC ? names[function] : NULL;
}
