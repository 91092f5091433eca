/* addresses.h - addresses as text, both ways, and small files, for the tests of names. */
#ifndef HAIL_TEST_ADDRESSES_H
#define HAIL_TEST_ADDRESSES_H

#include <hail/hail.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* The address of a text; "" is none. */
static inline struct hail_addr addr_of(const char *text)
{
    struct hail_addr a = {0};
    if (!*text)
        return a;
    a.u.sa.sa_family = strchr(text, ':') ? AF_INET6 : AF_INET;
    void *to = strchr(text, ':') ? (void *)&a.u.in6.sin6_addr : (void *)&a.u.in4.sin_addr;
    a.len = strchr(text, ':') ? sizeof a.u.in6 : sizeof a.u.in4;
    assert_int_equal(inet_pton(a.u.sa.sa_family, text, to), 1);
    return a;
}

/* The text of an address, in one static buffer. */
static inline const char *text_of(const struct hail_addr *a)
{
    static char text[INET6_ADDRSTRLEN];
    if (a->u.sa.sa_family == AF_INET)
        inet_ntop(AF_INET, &a->u.in4.sin_addr, text, sizeof text);
    else
        inet_ntop(AF_INET6, &a->u.in6.sin6_addr, text, sizeof text);
    return text;
}

/* Writes a file of its own; its name into `path`. */
static inline void temp_file(char path[64], const char *text, size_t n)
{
    snprintf(path, 64, "/tmp/hail-names-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, n), n);
    close(fd);
}

#endif
