/* usage.c - netcat's help, on standard error as it prints it; nc.h. */
#include "nc/nc.h"

void nc_usage(void)
{
    fputs("usage: nc [-46CDdFhklNnrStUuvZz] [-I length] [-i interval] [-M ttl]\n"
          "\t  [-m minttl] [-O length] [-P proxy_username] [-p source_port]\n"
          "\t  [-q seconds] [-s sourceaddr] [-T keyword] [-V rtable] [-W recvlimit]\n"
          "\t  [-w timeout] [-X proxy_protocol] [-x proxy_address[:port]]\n"
          "\t  [destination] [port]\n",
          stderr);
}

void nc_help(void)
{
    static const struct {
        const char *option, *text;
    } lines[] = {
        {"4\t", "Use IPv4"},
        {"6\t", "Use IPv6"},
        {"b\t", "Allow broadcast"},
        {"C\t", "Send CRLF as line-ending"},
        {"D\t", "Enable the debug socket option"},
        {"d\t", "Detach from stdin"},
        {"F\t", "Pass socket fd"},
        {"h\t", "This help text"},
        {"I length", "TCP receive buffer length"},
        {"i interval", "Delay interval for lines sent, ports scanned"},
        {"k\t", "Keep inbound sockets open for multiple connects"},
        {"l\t", "Listen mode, for inbound connects"},
        {"M ttl\t", "Outgoing TTL / Hop Limit"},
        {"m minttl", "Minimum incoming TTL / Hop Limit"},
        {"N\t", "Shutdown the network socket after EOF on stdin"},
        {"n\t", "Suppress name/port resolutions"},
        {"O length", "TCP send buffer length"},
        {"P proxyuser", "Username for proxy authentication"},
        {"p port\t", "Specify local port for remote connects"},
        {"q secs\t", "quit after EOF on stdin and delay of secs"},
        {"r\t", "Randomize remote ports"},
        {"S\t", "Enable the TCP MD5 signature option"},
        {"s sourceaddr", "Local source address"},
        {"T keyword", "TOS value"},
        {"t\t", "Answer TELNET negotiation"},
        {"U\t", "Use UNIX domain socket"},
        {"u\t", "UDP mode"},
        {"V rtable", "Specify alternate routing table"},
        {"v\t", "Verbose"},
        {"W recvlimit", "Terminate after receiving a number of packets"},
        {"w timeout", "Timeout for connects and final net reads"},
        {"X proto", "Proxy protocol: \"4\", \"5\" (SOCKS) or \"connect\""},
        {"x addr[:port]", "Specify proxy address and port"},
        {"Z\t", "DCCP mode"},
        {"z\t", "Zero-I/O mode [used for scanning]"},
    };
    fputs("OpenBSD netcat (Debian patchlevel 1.219-1)\n", stderr);
    nc_usage();
    fputs("\tCommand Summary:\n", stderr);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        fprintf(stderr, "\t\t-%s\t%s\n", lines[i].option, lines[i].text);
    fputs("\tPort numbers can be individual or ranges: lo-hi [inclusive]\n", stderr);
}
