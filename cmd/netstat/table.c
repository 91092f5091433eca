/* table.c - the sockets as a table for people: it fits the terminal, cuts no address and splits no
 * row; netstat.h.
 *
 * The first rows are kept until there are enough to know how wide the columns are; then they and
 * all that follow go straight out, and a column that turns out wider than it was pushes its row's
 * rest. On a terminal that is too narrow the columns that help least are left out: age, unit, user;
 * then the process is cut.
 */
#include "netstat/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define KEPT_MAX    512 /* rows that decide the widths */
#define PROCESS_MIN 8   /* columns that a cut process keeps */

static const char *const titles[COLUMNS] = {"NETNS", "PROTO",   "STATE", "RCVQ", "SNDQ", "LOCAL",
                                            "PEER",  "PROCESS", "USER",  "UNIT", "AGE"};

/* The least helpful first. */
static const enum column droppable[] = {COLUMN_AGE, COLUMN_UNIT, COLUMN_USER};

/* Columns that a text takes on the terminal. */
static size_t width_of(const char *s)
{
    size_t width = 0;
    for (size_t n = strlen(s); n;) {
        uint32_t cp;
        size_t len = hail_utf8_next(s, n, &cp);
        width += len ? (size_t)hail_utf8_width(cp) : 1;
        s += len ? len : 1;
        n -= len ? len : 1;
    }
    return width;
}

/* --- cells --- */

static void state_cell(const struct hail_socket_info *info, char *out, size_t size)
{
    bool stateless = info->kind == HAIL_KIND_UDP || info->kind == HAIL_KIND_UDPLITE ||
                     info->kind == HAIL_KIND_RAW || info->kind >= HAIL_KIND_UNIX;
    snprintf(out, size, "%s",
             stateless && info->state == HAIL_CLOSE ? "-" : hail_socket_state_name(info->state));
}

char *netstat_holder_name(struct netstat *n, uint32_t inode, char *out, size_t size)
{
    struct hail_holder one, other;
    char name[160];
    out[0] = '\0';
    if (!n->holders || !hail_holder_get(n->holders, inode, 0, &one))
        return out;
    int pids = 1;
    for (size_t i = 1; hail_holder_get(n->holders, inode, i, &other); i++)
        pids += other.process != one.process;
    hail_text_safe_into(name, sizeof name, one.process->name, strlen(one.process->name));
    int at = snprintf(out, size, "%s[%d]", name, one.process->pid);
    if (pids > 1 && at > 0 && (size_t)at < size)
        snprintf(out + at, size - (size_t)at, " +%d", pids - 1);
    return out;
}

static void peer_cell(struct netstat *n, const struct hail_socket_info *info, char *out,
                      size_t size)
{
    netstat_endpoint(n, info, true, out, size);
    if (info->family == AF_UNIX && info->peer_inode) {
        char who[256];
        netstat_holder_name(n, info->peer_inode, who, sizeof who);
        if (*who)
            snprintf(out, size, "%s", who);
    }
}

/* Seconds since the machine came up. */
static double uptime(void)
{
    struct timespec t;
    return clock_gettime(CLOCK_BOOTTIME, &t) == 0 ? (double)t.tv_sec + (double)t.tv_nsec / 1e9 : 0;
}

char *netstat_duration(double s, char *out, size_t size)
{
    if (s < 120)
        snprintf(out, size, "%.0fs", s);
    else if (s < 7200)
        snprintf(out, size, "%.0fm", s / 60);
    else if (s < 172800)
        snprintf(out, size, "%.0fh", s / 3600);
    else
        snprintf(out, size, "%.0fd", s / 86400);
    return out;
}

/* How long the process that holds it has run: the socket is no older; its own age nobody keeps. */
static void age_cell(struct netstat *n, uint32_t inode, char *out, size_t size)
{
    struct hail_holder one;
    if (!n->holders || !hail_holder_get(n->holders, inode, 0, &one) || !one.process->started)
        return;
    double s = uptime() - (double)one.process->started / (double)sysconf(_SC_CLK_TCK);
    netstat_duration(s > 0 ? s : 0, out, size);
}

static void netns_cell(const struct hail_netns *netns, char *out, size_t size)
{
    char name[200];
    if (!netns)
        return;
    hail_text_safe_into(name, sizeof name, netns->name, strlen(netns->name));
    if (*name)
        snprintf(out, size, "%s", name);
    else if (netns->own)
        snprintf(out, size, "(own)");
    else
        snprintf(out, size, "pid %d", netns->pid);
}

static void cells_of(struct table *t, const struct hail_socket_info *info, struct cells *c)
{
    struct netstat *n = t->n;
    char path[1024];
    memset(c->text, 0, sizeof c->text);
    c->state = info->state;
    netns_cell(t->n->netns ? info->netns : NULL, c->text[COLUMN_NETNS], CELL_MAX);
    snprintf(c->text[COLUMN_KIND], CELL_MAX, "%s%s", hail_socket_kind_name(info->kind),
             info->family == AF_INET6 ? "6" : "");
    state_cell(info, c->text[COLUMN_STATE], CELL_MAX);
    snprintf(c->text[COLUMN_RECV], CELL_MAX, "%u", info->recv_q);
    snprintf(c->text[COLUMN_SEND], CELL_MAX, "%u", info->send_q);
    netstat_endpoint(n, info, false, c->text[COLUMN_LOCAL], CELL_MAX);
    peer_cell(n, info, c->text[COLUMN_PEER], CELL_MAX);
    netstat_holder_name(n, info->inode, c->text[COLUMN_PROCESS], CELL_MAX);
    if (n->extend)
        hail_text_safe_into(c->text[COLUMN_USER], CELL_MAX, netstat_user(n, info->uid),
                            strlen(netstat_user(n, info->uid)));
    if (info->has & HAIL_HAS_CGROUP && hail_cgroup_path(info->cgroup, path, sizeof path) == 0) {
        char unit[256];
        hail_cgroup_unit(path, unit, sizeof unit);
        if (strcmp(unit, "/") != 0)
            hail_text_safe_into(c->text[COLUMN_UNIT], CELL_MAX, unit, strlen(unit));
    }
    age_cell(n, info->inode, c->text[COLUMN_AGE], CELL_MAX);
}

/* --- layout --- */

static bool is_number(enum column c)
{
    return c == COLUMN_RECV || c == COLUMN_SEND || c == COLUMN_AGE;
}

static const char *colour_of(enum hail_socket_state state)
{
    switch (state) {
    case HAIL_ESTABLISHED:
        return "32";
    case HAIL_LISTEN:
        return "36";
    case HAIL_CLOSE_WAIT:
    case HAIL_SYN_SENT:
        return "31";
    case HAIL_TIME_WAIT:
    case HAIL_CLOSE:
        return "2";
    default:
        return "33";
    }
}

static void see_widths(struct table *t, const struct cells *c)
{
    for (int i = 0; i < COLUMNS; i++) {
        size_t width = width_of(c->text[i]);
        if (width && t->width[i] < strlen(titles[i]))
            t->width[i] = strlen(titles[i]);
        if (t->width[i] < width)
            t->width[i] = width;
    }
}

static size_t whole_width(const struct table *t)
{
    size_t all = 0;
    for (int i = 0; i < COLUMNS; i++)
        all += t->width[i] ? t->width[i] + 2 : 0;
    return all ? all - 2 : 0;
}

/* Leaves out and cuts until it fits, if it can. */
static void fit(struct table *t)
{
    size_t most = t->n->c->terminal ? (size_t)t->n->c->columns : SIZE_MAX;
    for (size_t i = 0; i < sizeof droppable / sizeof *droppable && whole_width(t) > most; i++)
        t->width[droppable[i]] = 0;
    size_t all = whole_width(t), *process = &t->width[COLUMN_PROCESS];
    if (all > most && *process > PROCESS_MIN) {
        size_t over = all - most;
        t->cut = true;
        *process = *process - PROCESS_MIN > over ? *process - over : PROCESS_MIN;
    }
}

static bool last_column(const struct table *t, int column)
{
    for (int i = column + 1; i < COLUMNS; i++)
        if (t->width[i])
            return false;
    return true;
}

/* As many characters as fit `width`. */
static int bytes_of(const char *s, size_t width)
{
    const char *p = s;
    for (size_t n = strlen(s); n;) {
        uint32_t cp;
        size_t len = hail_utf8_next(p, n, &cp), one = len ? (size_t)hail_utf8_width(cp) : 1;
        if (one > width)
            break;
        width -= one;
        p += len ? len : 1;
        n -= len ? len : 1;
    }
    return (int)(p - s);
}

static void put_cells(const struct table *t, const struct cells *c)
{
    const struct common *o = t->n->c;
    bool first = true;
    for (int i = 0; i < COLUMNS; i++) {
        size_t width = t->width[i];
        if (!width)
            continue;
        const char *text = c->text[i];
        int bytes = (int)strlen(text);
        if (i == COLUMN_PROCESS && t->cut)
            bytes = bytes_of(text, width);
        size_t shown = bytes < (int)strlen(text) ? width : width_of(text);
        int pad = shown < width ? (int)(width - shown) : 0;
        fputs(first ? "" : "  ", stdout);
        first = false;
        if (is_number((enum column)i))
            printf("%*s%s", pad, "", text);
        else if (i == COLUMN_STATE && o->colour && c->state)
            printf("%s%s%s%*s", paint(o, colour_of(c->state)), text, paint(o, "0"), pad, "");
        else
            printf("%.*s%*s", bytes, text, last_column(t, i) ? 0 : pad, "");
    }
    putchar('\n');
}

static void put_titles(const struct table *t)
{
    struct cells c = {0};
    for (int i = 0; i < COLUMNS; i++)
        snprintf(c.text[i], CELL_MAX, "%s", titles[i]);
    fputs(paint(t->n->c, "1"), stdout);
    put_cells(t, &c);
    fputs(paint(t->n->c, "0"), stdout);
}

/* --- rows --- */

static void flush_kept(struct table *t)
{
    fit(t);
    put_titles(t);
    for (size_t i = 0; i < t->nkept; i++) {
        put_cells(t, &t->kept[i]);
        fputs(t->kept[i].details ? t->kept[i].details : "", stdout);
        free(t->kept[i].details);
    }
    t->nkept = 0;
    t->streaming = true;
}

static int put(void *arg, const struct hail_socket_info *info)
{
    struct table *t = arg;
    struct cells *c = &t->kept[t->nkept];
    struct hail_buf details;
    t->rows++;
    cells_of(t, info, c);
    hail_buf_init(&details, DETAILS_MAX);
    netstat_details(t->n, info, &details);
    if (t->streaming) {
        put_cells(t, c);
        if (details.len)
            fputs(details.p, stdout);
        hail_buf_free(&details);
        return ferror(stdout) ? STATUS_LOCAL : 0;
    }
    see_widths(t, c);
    c->details = details.len ? strdup(details.p) : NULL;
    hail_buf_free(&details);
    if (++t->nkept == KEPT_MAX)
        flush_kept(t);
    return 0;
}

int netstat_table(struct netstat *n)
{
    struct table t = {.n = n, .kept = calloc(KEPT_MAX, sizeof *t.kept)};
    if (!t.kept)
        return local_error("list", "the sockets", ENOMEM);
    n->programs = true;
    int rc = netstat_each(n, HAIL_HAS_CGROUP, put, &t);
    if (rc >= 0 && !t.streaming && t.rows)
        flush_kept(&t);
    if (rc >= 0 && !t.rows) {
        fflush(stdout);
        fputs("netstat: no sockets that fit\n", stderr);
    }
    free(t.kept);
    return rc < 0 ? fail(n->c) : rc;
}
