/* proc_pid.c - what the files of /proc/PID say, as text into values; diag/holders.h. */
#include "diag/holders.h"

#include <string.h>

static bool digits(const char *p, size_t n, uint32_t *v)
{
    uint64_t value = 0;
    if (n == 0 || n > 10)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (p[i] < '0' || p[i] > '9')
            return false;
        value = value * 10 + (unsigned)(p[i] - '0');
    }
    *v = (uint32_t)value;
    return value <= UINT32_MAX;
}

bool hail_socket_link(const char *link, size_t n, uint32_t *inode)
{
    static const char now[] = "socket:[", old[] = "[0000]:";
    if (n > sizeof now && memcmp(link, now, sizeof now - 1) == 0)
        return link[n - 1] == ']' && digits(link + sizeof now - 1, n - sizeof now, inode);
    if (n >= sizeof old && memcmp(link, old, sizeof old - 1) == 0)
        return digits(link + sizeof old - 1, n - sizeof old + 1, inode);
    return false;
}

size_t hail_program_name(const char *cmdline, size_t n, const char **from)
{
    size_t len = strnlen(cmdline, n);
    *from = cmdline;
    if (len == 0 || cmdline[0] != '/')
        return len;
    const char *slash = memrchr(cmdline, '/', len);
    *from = slash + 1;
    return len - (size_t)(*from - cmdline);
}

uint64_t hail_stat_started(const char *stat, size_t n)
{
    /* The name, in parentheses, may hold anything; field 3 is behind the last one. */
    const char *p = memrchr(stat, ')', n), *end = stat + n;
    uint64_t v = 0;
    for (int field = 2; p && field < 22; field++) {
        p = memchr(p, ' ', (size_t)(end - p));
        p = p ? p + 1 : NULL;
    }
    for (; p && p < end && *p >= '0' && *p <= '9'; p++)
        v = v * 10 + (unsigned)(*p - '0');
    return v;
}
