/* url_host.h - who is meant by a URL: what url.c and url_host.c share. */
#ifndef HAIL_PROTO_URL_HOST_H
#define HAIL_PROTO_URL_HOST_H

#include <hail/url.h>

/* The text being read, and where errors are told. */
struct hail_url_reader {
    struct hail_ctx *ctx;
    struct hail_slice whole; /* as it was given */
    size_t len;              /* of `text`: without the white space around, TAB, CR and LF */
    char text[HAIL_URL_MAX];
};

/* Who is meant: checked and decoded. */
struct hail_url_authority {
    struct hail_slice user; /* raw, with the password; p NULL: none */
    bool ipv6;
    uint16_t port; /* 0: the scheme's */
    char host[HAIL_URL_HOST_MAX + 1], zone[IF_NAMESIZE];
};

/* Fails at `at` of r->text, with the column of `whole`. Returns -errnum. */
int hail_url_bad(const struct hail_url_reader *r, int errnum, const char *at, const char *why);

/* Reads what stands from `p` to `end`: [ user "@" ] host [ ":" port ]. 0, or -errno told. */
int hail_url_authority(const struct hail_url_reader *r, const char *p, const char *end,
                       struct hail_url_authority *who);

#endif
