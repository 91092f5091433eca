/* reply_talk.c - which protocol is spoken, and what a line that is said means to the rest: answers
 * to come, passwords. */
#include "proto/reply.h"
#include "proto/reply_explain.h"

#include <string.h>
#include <strings.h>

const char *hail_talk_name(enum hail_talk talk)
{
    static const char *const names[HAIL_TALK_N] = {
        "", "smtp", "lmtp", "pop3", "imap", "ftp", "nntp", "http", "redis", "memcached",
    };
    return (unsigned)talk < HAIL_TALK_N ? names[talk] : "";
}

static const struct {
    const char *service;
    uint16_t port;
    enum hail_talk talk;
} known[] = {
    {"ftp", 21, HAIL_TALK_FTP},
    {"lmtp", 24, HAIL_TALK_LMTP},
    {"smtp", 25, HAIL_TALK_SMTP},
    {"mail", 25, HAIL_TALK_SMTP},
    {"http", 80, HAIL_TALK_HTTP},
    {"www", 80, HAIL_TALK_HTTP},
    {"pop3", 110, HAIL_TALK_POP3},
    {"pop-3", 110, HAIL_TALK_POP3},
    {"nntp", 119, HAIL_TALK_NNTP},
    {"news", 119, HAIL_TALK_NNTP},
    {"imap", 143, HAIL_TALK_IMAP},
    {"imap2", 143, HAIL_TALK_IMAP},
    {"imap4", 143, HAIL_TALK_IMAP},
    {"nnsp", 433, HAIL_TALK_NNTP},
    {"https", 443, HAIL_TALK_HTTP},
    {"submissions", 465, HAIL_TALK_SMTP},
    {"smtps", 465, HAIL_TALK_SMTP},
    {"nntps", 563, HAIL_TALK_NNTP},
    {"submission", 587, HAIL_TALK_SMTP},
    {"ftps", 990, HAIL_TALK_FTP},
    {"imaps", 993, HAIL_TALK_IMAP},
    {"pop3s", 995, HAIL_TALK_POP3},
    {"redis", 6379, HAIL_TALK_REDIS},
    {"http-alt", 8080, HAIL_TALK_HTTP},
    {"https-alt", 8443, HAIL_TALK_HTTP},
    {"memcache", 11211, HAIL_TALK_MEMCACHED},
    {"memcached", 11211, HAIL_TALK_MEMCACHED},
};

enum hail_talk hail_talk_of(const char *service, uint16_t port)
{
    for (size_t i = 0; service && i < sizeof known / sizeof *known; i++)
        if (strcasecmp(known[i].service, service) == 0)
            return known[i].talk;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].port == port)
            return known[i].talk;
    return HAIL_TALK_GENERIC;
}

enum hail_talk hail_talk_of_greeting(const char *line)
{
    static const struct {
        const char *front, *within;
        enum hail_talk talk;
    } greetings[] = {
        {"220", "LMTP", HAIL_TALK_LMTP},    {"220", "SMTP", HAIL_TALK_SMTP},
        {"220", "FTP", HAIL_TALK_FTP},      {"200", "news", HAIL_TALK_NNTP},
        {"200", "NNTP", HAIL_TALK_NNTP},    {"200", "posting", HAIL_TALK_NNTP},
        {"201", "news", HAIL_TALK_NNTP},    {"201", "NNTP", HAIL_TALK_NNTP},
        {"201", "posting", HAIL_TALK_NNTP}, {"+OK", "", HAIL_TALK_POP3},
        {"* OK", "", HAIL_TALK_IMAP},       {"* PREAUTH", "", HAIL_TALK_IMAP},
        {"* BYE", "", HAIL_TALK_IMAP},      {"HTTP/1.", "", HAIL_TALK_HTTP},
        {"-DENIED", "", HAIL_TALK_REDIS},
    };
    for (size_t i = 0; i < sizeof greetings / sizeof *greetings; i++)
        if (strncmp(line, greetings[i].front, strlen(greetings[i].front)) == 0 &&
            strcasestr(line, greetings[i].within))
            return greetings[i].talk;
    return HAIL_TALK_GENERIC;
}

enum hail_talk hail_talk_of_command(const char *line)
{
    static const struct {
        const char *verb;
        enum hail_talk talk;
    } verbs[] = {
        {"EHLO", HAIL_TALK_SMTP},  {"HELO", HAIL_TALK_SMTP}, {"LHLO", HAIL_TALK_LMTP},
        {"CAPA", HAIL_TALK_POP3},  {"FEAT", HAIL_TALK_FTP},  {"CAPABILITIES", HAIL_TALK_NNTP},
        {"PING", HAIL_TALK_REDIS},
    };
    char word[32];
    const char *rest = hail_reply_next_word(line, "", word, sizeof word);
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        if (strcasecmp(verbs[i].verb, word) == 0)
            return verbs[i].talk;
    return strstr(rest, " HTTP/1.") ? HAIL_TALK_HTTP : HAIL_TALK_GENERIC;
}

bool hail_talk_asks(enum hail_talk talk, const char *line)
{
    char first[32], second[32];
    const char *rest = hail_reply_next_word(line, "", first, sizeof first);
    hail_reply_next_word(rest, "", second, sizeof second);
    switch (talk) {
    case HAIL_TALK_SMTP:
    case HAIL_TALK_LMTP:
    case HAIL_TALK_POP3:
        return strcasecmp(first, "AUTH") == 0 && second[0];
    case HAIL_TALK_IMAP:
        return strcasecmp(second, "AUTHENTICATE") == 0;
    case HAIL_TALK_NNTP:
        return strcasecmp(first, "AUTHINFO") == 0 && strcasecmp(second, "SASL") == 0;
    default:
        return false;
    }
}

bool hail_talk_tells(const char *line)
{
    static const char *const verbs[] = {
        "PASS", "AUTH", "AUTH2", "AUTHINFO", "AUTHENTICATE", "LOGIN",
        "APOP", "ACCT", "ADAT",  "SETUSER",  "MASTERAUTH",
    };
    static const char *const parts[] = {
        "passw", "requirepass", "secret", "token", "api-key", "apikey", "authorization:", "cookie:",
    };
    char word[32];
    const char *p = line;
    for (int k = 0; k < 16 && *p; k++) {
        p = hail_reply_next_word(p, "", word, sizeof word);
        if (strcasecmp(word, "AUTH") == 0 && k == 0) { /* FTP: the next word is a method */
            hail_reply_next_word(p, "", word, sizeof word);
            if (!strcasecmp(word, "TLS") || !strcasecmp(word, "SSL"))
                return false;
            return true;
        }
        for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
            if (strcasecmp(word, verbs[i]) == 0)
                return true;
    }
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (strcasestr(line, parts[i]))
            return true;
    return false;
}

bool hail_talk_lists(enum hail_talk talk, const char *line)
{
    static const struct {
        const char *verb;
        enum hail_talk talk;
        bool alone; /* only without an argument */
    } lists[] = {
        {"CAPA", HAIL_TALK_POP3, false},      {"LIST", HAIL_TALK_POP3, true},
        {"UIDL", HAIL_TALK_POP3, true},       {"RETR", HAIL_TALK_POP3, false},
        {"TOP", HAIL_TALK_POP3, false},       {"AUTH", HAIL_TALK_POP3, true},
        {"LISTGROUP", HAIL_TALK_NNTP, false},
    };
    char first[32], second[4];
    const char *rest = hail_reply_next_word(line, "", first, sizeof first);
    hail_reply_next_word(rest, "", second, sizeof second);
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        if (lists[i].talk == talk && strcasecmp(lists[i].verb, first) == 0)
            return !lists[i].alone || !second[0];
    return false;
}
