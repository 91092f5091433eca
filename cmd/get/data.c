/* data.c - the data of -d and its like: joined by '&', from the command line or from files. */
#include "asked.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DATA_MAX ((size_t)1 << 30) /* bytes of all data together: -T has no bound */

int get_slurp(const char *path, struct hail_buf *out)
{
    bool standard = strcmp(path, "-") == 0;
    int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    const char *name = standard ? "standard input" : path;
    if (fd < 0)
        return local_error("open", name, errno);
    ssize_t n = 1;
    while (n > 0) {
        int rc = hail_buf_reserve(out, 65536);
        n = rc < 0 ? -1 : read(fd, out->p + out->len, 65536);
        errno = rc < 0 ? -rc : errno;
        out->len += n > 0 ? (size_t)n : 0;
        if (n < 0 && errno == EINTR && rc == 0)
            n = 1;
    }
    int errnum = errno;
    hail_buf_add(out, "", 0); /* its NUL */
    if (!standard)
        close(fd);
    return n < 0 ? local_error("read", name, errnum) : 0;
}

/* Without CR, LF and NUL, as form data typed into an editor would have it. */
void get_join_lines(struct hail_buf *b)
{
    size_t n = 0;
    for (size_t i = 0; i < b->len; i++)
        if (b->p[i] != '\r' && b->p[i] != '\n' && b->p[i] != '\0')
            b->p[n++] = b->p[i];
    b->len = n;
}

static void put_encoded(struct hail_buf *out, const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)p[i];
        bool plain = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
                     (c && strchr("-._~", c));
        if (plain || c == ' ')
            hail_buf_char(out, c == ' ' ? '+' : (char)c);
        else
            hail_buf_printf(out, "%%%02X", c);
    }
}

/* CONTENT, =CONTENT, NAME=CONTENT, @FILE, NAME@FILE: an '=' decides, wherever it is. */
static int urlencode(const char *value, struct hail_buf *out)
{
    size_t name = strcspn(value, strchr(value, '=') ? "=" : "@");
    char mark = value[name];
    if (mark != '@') {
        const char *content = mark ? value + name + 1 : value;
        if (mark && name)
            hail_buf_printf(out, "%.*s=", (int)name, value);
        put_encoded(out, content, strlen(content));
        return 0;
    }
    struct hail_buf file;
    hail_buf_init(&file, DATA_MAX);
    int status = get_slurp(value + name + 1, &file);
    if (status == 0 && name)
        hail_buf_printf(out, "%.*s=", (int)name, value);
    if (status == 0)
        put_encoded(out, file.p, file.len);
    hail_buf_free(&file);
    return status;
}

int get_data_add(int letter, const char *value)
{
    struct hail_buf *data = &get_asked.data, piece;
    int status = 0;
    if (!data->max)
        hail_buf_init(data, DATA_MAX);
    hail_buf_init(&piece, DATA_MAX);
    if (letter == OPT_DATA_URLENCODE) {
        status = urlencode(value, &piece);
    } else if (letter != OPT_DATA_RAW && *value == '@') {
        status = get_slurp(value + 1, &piece);
        if (letter == 'd')
            get_join_lines(&piece);
    } else {
        hail_buf_str(&piece, value);
    }
    if (get_asked.has_data)
        hail_buf_char(data, '&');
    hail_buf_add(data, piece.p, piece.len);
    get_asked.has_data = true;
    int failed = piece.failed ? piece.failed : data->failed;
    hail_buf_free(&piece);
    if (status == 0 && failed)
        status = local_error("keep", "the data", -failed);
    return status;
}

/* The query, with a '&' behind what it has. */
static struct hail_buf *further_query(void)
{
    struct hail_buf *query = &get_asked.query;
    if (!query->max)
        hail_buf_init(query, HAIL_URL_MAX);
    if (query->len)
        hail_buf_char(query, '&');
    return query;
}

int get_query_add(const char *value)
{
    struct hail_buf *query = further_query();
    if (*value != '+')
        return urlencode(value, query);
    hail_buf_str(query, value + 1);
    return 0;
}

void get_query_data(void)
{
    if (get_asked.data.len)
        hail_buf_add(further_query(), get_asked.data.p, get_asked.data.len);
}
