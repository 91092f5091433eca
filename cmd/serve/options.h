/* options.h - what the command line of `hail serve` asks for; options.c reads it. */
#ifndef HAIL_CMD_SERVE_OPTIONS_H
#define HAIL_CMD_SERVE_OPTIONS_H

#include "cmd.h"

#define SERVE_LISTEN 16 /* endpoints */

/* How long a client may take, in seconds, and how many bytes a second it has to move at least. */
struct serve_times {
    int head_s;   /* a TLS handshake; a head, from its first byte */
    int idle_s;   /* between requests */
    int pace_s;   /* between two looks at the pace of content */
    int linger_s; /* to read the last response before the connection is closed */
    int drain_s;  /* for what is under way when the server is stopped */
    unsigned rate;
};

/* The forms of the access log. */
enum serve_log {
    SERVE_LOG_DEFAULT, /* LINE, but LIVE on a terminal and JSON with --json */
    SERVE_LOG_OFF,
    SERVE_LOG_LINE,
    SERVE_LOG_LIVE,
    SERVE_LOG_COMMON,
    SERVE_LOG_COMBINED,
    SERVE_LOG_JSON,
};

/* What the command line asks for. */
struct serve_options {
    const char *listen[SERVE_LISTEN];
    int nlisten;
    const char *cert, *key; /* PEM files; NULL: none */
    bool tls;               /* with a certificate by the local authority, if there is no `cert` */
    bool tell_authority;
    bool lan;         /* listen to the machine's networks, and show a QR Code */
    const char *spa;  /* the page for what is no file; NULL: none */
    bool clean_urls;  /* a page is found without its ".html" */
    bool listing;     /* a folder without an index is shown */
    bool hidden;      /* names that begin with a dot are served too */
    bool follow;      /* links that lead outside, too */
    bool compress;    /* text is compressed here */
    bool dev;         /* live reload, nothing cached */
    bool open;        /* in a browser */
    const char *cors; /* the origin that may read; NULL: none */
    bool sandbox;
    const char *user; /* to become; NULL: none */
    enum serve_log log;
    const char *log_file; /* NULL: standard error, or output with --json */
    const char *metrics;  /* endpoint; NULL: none */
    int cache_s;          /* seconds that clients may keep files; -1: they are to ask */
    int max_connections;  /* 0: what descriptors allow */
    int max_per_address;  /* 0: three quarters of that */
    int threads;          /* 0: one a core */
    struct serve_times times;
    char more[2048]; /* further field lines of each response, each with its CRLF */
};

extern const struct option_row serve_option_rows[];
int serve_option(int letter, const char *value);
const struct serve_options *serve_options(void);

#endif
