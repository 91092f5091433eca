/* reply.c - follows the replies of a service line by line; see reply.h. */
#include "proto/reply.h"
#include "proto/reply_explain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LITERAL_MAX ((uint64_t)1 << 40) /* a larger number is none */

void hail_reply_init(struct hail_reply *r, enum hail_talk talk)
{
    *r = (struct hail_reply){.talk = talk, .over = true};
}

/* The number of {n} or {n+} at the end of a line, RFC 9051 section 4.3. */
static void follow_brace(struct hail_reply *r, const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        bool digit = p[i] >= '0' && p[i] <= '9';
        if (p[i] == '{') {
            r->brace = 1;
            r->literal = 0;
        } else if (r->brace == 1 && digit && r->literal < LITERAL_MAX) {
            r->literal = r->literal * 10 + (uint64_t)(p[i] - '0');
        } else if (r->brace == 1 && p[i] == '}') {
            r->brace = 2;
        } else if (!(r->brace == 1 && p[i] == '+') && !(r->brace == 2 && p[i] == '\r')) {
            r->brace = 0;
        }
    }
}

static void keep(struct hail_reply *r, const char *p, size_t n)
{
    size_t room = sizeof r->line - 1 - r->n;
    if (r->talk == HAIL_TALK_IMAP)
        follow_brace(r, p, n);
    if (n > room)
        n = room;
    memcpy(r->line + r->n, p, n);
    r->n += n;
    r->line[r->n] = '\0';
}

/* What was said first is answered; returns whether by a list. */
static bool answered(struct hail_reply *r)
{
    if (!r->greeted || !r->unanswered)
        return false;
    bool list = r->lists & 1;
    r->lists >>= 1;
    r->unanswered--;
    return list;
}

/* "250-...", "250 ...": the last line has a blank, or nothing, after the code. */
static bool coded(struct hail_reply *r, char *text)
{
    int code = hail_reply_number(r->line);
    char after = code ? r->line[3] : 'x';
    if (r->code[0] && (strncmp(r->line, r->code, 3) != 0 || after == '-'))
        return false;
    if (!r->code[0] && after == '-') {
        memcpy(r->code, r->line, 3);
        return false;
    }
    if (after != ' ' && after != '\0')
        return false;
    r->code[0] = '\0';
    if (r->talk == HAIL_TALK_FTP) {
        hail_reply_explain_ftp(r->line, text);
    } else {
        r->secret = r->secret && code == 334;
        hail_reply_explain_mail(r->line, text);
    }
    return true;
}

/* After a status line that a list follows, to its end. */
static bool list_over(struct hail_reply *r)
{
    if (strcmp(r->line, ".") != 0)
        return false;
    r->dotted = false;
    return true;
}

static void list_begins(struct hail_reply *r)
{
    r->dotted = true;
    snprintf(r->status, sizeof r->status, "%.*s", (int)sizeof r->status - 1, r->line);
}

static bool news(struct hail_reply *r, char *text)
{
    static const int lists[] = {100, 101, 215, 220, 221, 222, 224, 225, 230, 231, 282};
    if (r->dotted) {
        if (!list_over(r))
            return false;
        hail_reply_explain_news(r->status, text);
        return true;
    }
    int code = hail_reply_number(r->line);
    if (!code)
        return false;
    bool list = answered(r) && code == 211;
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        list = list || lists[i] == code;
    r->secret = r->secret && code == 383;
    if (list) {
        list_begins(r);
        return false;
    }
    hail_reply_explain_news(r->line, text);
    return true;
}

static bool post(struct hail_reply *r, char *text)
{
    if (r->dotted) {
        if (!list_over(r))
            return false;
        hail_reply_explain_pop3(r->status, text);
        return true;
    }
    bool ok = strncasecmp(r->line, "+OK", 3) == 0;
    if (!ok && strncasecmp(r->line, "-ERR", 4) != 0)
        return false;
    r->secret = false;
    if (answered(r) && ok) {
        list_begins(r);
        return false;
    }
    hail_reply_explain_pop3(r->line, text);
    return true;
}

static bool imap(struct hail_reply *r, char *text)
{
    char tag[64], state[16];
    if (r->brace == 2)
        r->skip = r->literal;
    const char *rest = hail_reply_next_word(r->line, "", tag, sizeof tag);
    hail_reply_next_word(rest, "", state, sizeof state);
    bool done = !strcasecmp(state, "OK") || !strcasecmp(state, "NO") || !strcasecmp(state, "BAD");
    bool last = done && strcmp(tag, "*") != 0;
    if (last)
        r->secret = false;
    if (last || tag[0] == '*' || tag[0] == '+')
        hail_reply_explain_imap(r->line, text);
    return last || text[0];
}

static bool http(struct hail_reply *r, char *text)
{
    if (r->head && r->n == 0) {
        r->head = false;
        hail_reply_explain_http(r->status, text);
        const char *code = strchr(r->status, ' ');
        r->body = !code || code[1] != '1'; /* 1xx: another head follows */
        return true;
    }
    if (!r->head && !r->body && strncmp(r->line, "HTTP/", 5) == 0) {
        r->head = true;
        snprintf(r->status, sizeof r->status, "%.*s", (int)sizeof r->status - 1, r->line);
    }
    return false;
}

static bool redis(struct hail_reply *r, char *text)
{
    char first = r->line[0];
    if (first == '$' || first == '=' || first == '!') {
        char *end;
        long long n = strtoll(r->line + 1, &end, 10);
        if (end > r->line + 1 && n >= 0 && (uint64_t)n < LITERAL_MAX)
            r->skip = (uint64_t)n + 2;
    }
    hail_reply_explain_redis(r->line, text);
    return text[0];
}

static bool memcached(struct hail_reply *r, char *text)
{
    unsigned long long bytes;
    if (sscanf(r->line, "VALUE %*s %*s %15llu", &bytes) == 1 ||
        sscanf(r->line, "VA %15llu", &bytes) == 1)
        r->skip = bytes + 2;
    if (strcmp(r->line, "END") != 0) {
        r->some = r->skip || strncmp(r->line, "STAT ", 5) == 0;
        hail_reply_explain_memcached(r->line, text);
    } else if (!r->some) {
        snprintf(text, HAIL_REPLY_TEXT, "END: nothing was found");
    } else {
        r->some = false;
    }
    return text[0];
}

/* A greeting of several lines may say in any of them what is spoken; it may come after something
 * was said, but then +OK is what others answer, too. */
static void recognise(struct hail_reply *r)
{
    enum hail_talk talk = hail_talk_of_greeting(r->line);
    if (talk != HAIL_TALK_POP3 || !r->said)
        r->talk = talk;
}

/* A line is complete; returns whether a reply is. */
static bool line_ends(struct hail_reply *r, char *text)
{
    static bool (*const follow[HAIL_TALK_N])(struct hail_reply *, char *) = {
        [HAIL_TALK_SMTP] = coded, [HAIL_TALK_LMTP] = coded,  [HAIL_TALK_FTP] = coded,
        [HAIL_TALK_POP3] = post,  [HAIL_TALK_IMAP] = imap,   [HAIL_TALK_NNTP] = news,
        [HAIL_TALK_HTTP] = http,  [HAIL_TALK_REDIS] = redis, [HAIL_TALK_MEMCACHED] = memcached,
    };
    if (r->n && r->line[r->n - 1] == '\r' && r->n < sizeof r->line - 1)
        r->line[--r->n] = '\0';
    r->over = true;
    if (r->talk == HAIL_TALK_GENERIC)
        recognise(r);
    bool whole = follow[r->talk] ? follow[r->talk](r, text) : false;
    r->greeted = r->greeted || whole;
    r->brace = 0;
    return whole;
}

size_t hail_reply_take(struct hail_reply *r, const char *p, size_t n, char text[HAIL_REPLY_TEXT])
{
    size_t i = 0;
    text[0] = '\0';
    while (i < n) {
        if (r->skip) {
            size_t now = r->skip < n - i ? (size_t)r->skip : n - i;
            r->skip -= now;
            i += now;
            continue;
        }
        if (r->over) {
            r->n = 0;
            r->line[0] = '\0';
        }
        r->over = false;
        const char *lf = memchr(p + i, '\n', n - i);
        size_t len = lf ? (size_t)(lf - (p + i)) : n - i;
        keep(r, p + i, len);
        i += len;
        if (lf) {
            i++;
            if (line_ends(r, text))
                break;
        }
    }
    return i;
}

/* The peer has asked for something, and not ended the line. */
static bool asked_for_password(const struct hail_reply *r)
{
    return !r->over && (strcasestr(r->line, "passw") || strcasestr(r->line, "passphrase") ||
                        strcasestr(r->line, "passcode"));
}

static void line_of(char line[HAIL_REPLY_LINE], const char *p, size_t n)
{
    n = n < HAIL_REPLY_LINE ? n : HAIL_REPLY_LINE - 1;
    memcpy(line, p, n);
    line[n] = '\0';
}

bool hail_reply_secret(const struct hail_reply *r, const char *line, size_t n)
{
    char text[HAIL_REPLY_LINE];
    line_of(text, line, n);
    return n >= sizeof text || r->secret || asked_for_password(r) || hail_talk_tells(text);
}

void hail_reply_said(struct hail_reply *r, const char *line, size_t n)
{
    char text[HAIL_REPLY_LINE];
    line_of(text, line, n);
    if (r->talk == HAIL_TALK_GENERIC)
        r->talk = hail_talk_of_command(text);
    r->said = true;
    r->body = false;
    if (!r->over && !r->dotted && r->n && r->line[r->n - 1] == ' ')
        r->over = true; /* a prompt was answered */
    if (r->secret)
        return;
    r->secret = hail_talk_asks(r->talk, text);
    if (r->unanswered < 32) {
        uint32_t list = hail_talk_lists(r->talk, text);
        r->lists |= list << r->unanswered++;
    }
}
