/* trace_turn.c - which dissector a turn inside of TLS is for; see trace_turn.h. */
#include "net/trace_turn.h"

#include <stdbool.h>
#include <string.h>

#define FIRST_LINE_MAX 8192 /* bytes within which a request line ends */

/* Ports with and without TLS from the start: STARTTLS ends in the same conversation. */
static const struct {
    uint16_t port;
    const char *dissector;
} services[] = {
    {21, "ftp"},    {25, "smtp"},    {110, "pop"},   {119, "nntp"},   {143, "imap"},
    {389, "ldap"},  {465, "smtp"},   {563, "nntp"},  {587, "smtp"},   {636, "ldap"},
    {990, "ftp"},   {992, "telnet"}, {993, "imap"},  {995, "pop"},    {1883, "mqtt"},
    {5222, "xmpp"}, {5223, "xmpp"},  {5269, "xmpp"}, {5432, "pgsql"}, {8883, "mqtt"},
};

/* A status line, or a request line with its version. */
static bool is_http(const char *said, size_t n)
{
    if (n >= 7 && memcmp(said, "HTTP/1.", 7) == 0)
        return true;
    const char *lf = memchr(said, '\n', n < FIRST_LINE_MAX ? n : FIRST_LINE_MAX);
    return lf && said[0] >= 'A' && said[0] <= 'Z' &&
           memmem(said, (size_t)(lf - said), " HTTP/1.", 8) != NULL;
}

const char *hail_turn_dissector(const char *said, size_t n, uint16_t port)
{
    if (n && is_http(said, n))
        return "http";
    for (size_t i = 0; i < sizeof services / sizeof *services; i++)
        if (services[i].port == port)
            return services[i].dissector;
    return "data";
}
