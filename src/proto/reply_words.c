/* reply_words.c - replies that are words: POP3's and IMAP's response codes (RFC 2449, RFC 3206, RFC
 * 6856; RFC 9051 section 7.1, RFC 5530), Redis' error prefixes, memcached's answers. */
#include "proto/reply_explain.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define WORD(table, word) hail_reply_word(table, sizeof(table) / sizeof *(table), word)

const char *hail_reply_code(const struct hail_reply_code *t, size_t n, int code)
{
    for (size_t i = 0; i < n; i++)
        if (t[i].code == code)
            return t[i].text;
    return NULL;
}

const char *hail_reply_word(const struct hail_reply_word *t, size_t n, const char *word)
{
    for (size_t i = 0; i < n; i++)
        if (strcasecmp(t[i].word, word) == 0)
            return t[i].text;
    return NULL;
}

int hail_reply_number(const char *line)
{
    for (int i = 0; i < 3; i++)
        if (line[i] < '0' || line[i] > '9')
            return 0;
    return (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
}

const char *hail_reply_next_word(const char *p, const char *ends, char *word, size_t size)
{
    while (*p == ' ' || *p == '\t')
        p++;
    size_t n = 0;
    for (; *p && *p != ' ' && *p != '\t' && !strchr(ends, *p); p++)
        if (n + 1 < size)
            word[n++] = *p;
    word[n] = '\0';
    return p;
}

static const struct hail_reply_word pop3[] = {
    {"LOGIN-DELAY", "too soon after the last login; wait"},
    {"IN-USE", "another session has the mailbox open"},
    {"SYS/TEMP", "a fault of the system; temporary"},
    {"SYS/PERM", "a fault of the system that an administrator has to mend; permanent"},
    {"AUTH", "wrong user or password"},
    {"UTF8", "the mailbox needs UTF8 first"},
    {"EXPIRE", "how long messages are kept"},
};

static const struct hail_reply_word imap[] = {
    {"ALERT", "the text has to be shown to the user"},
    {"ALREADYEXISTS", "there is one by that name"},
    {"APPENDUID", "where the message is now: the mailbox's UIDVALIDITY and its UID"},
    {"AUTHENTICATIONFAILED", "wrong user or password"},
    {"AUTHORIZATIONFAILED", "the credentials are right, but not for the user asked for"},
    {"BADCHARSET", "the charset is not supported"},
    {"BADURL", "the URL is malformed"},
    {"CANNOT", "can never be done on this server"},
    {"CAPABILITY", "what the server can do"},
    {"CLIENTBUG", "the server thinks that the client is mistaken"},
    {"CLOSED", "the mailbox that was selected before is closed"},
    {"CONTACTADMIN", "an administrator has to help"},
    {"COPYUID", "where the copies are now: UIDVALIDITY, the old UIDs, the new"},
    {"CORRUPTION", "the mailbox is damaged"},
    {"EXPIRED", "the password or account has expired"},
    {"EXPUNGEISSUED", "some messages were deleted meanwhile"},
    {"HASCHILDREN", "there are mailboxes below it"},
    {"INUSE", "something else is using it; try again"},
    {"LIMIT", "a limit of the server is reached"},
    {"NONEXISTENT", "there is none by that name"},
    {"NOPERM", "no permission"},
    {"NOTSAVED", "the search's result was not kept"},
    {"OVERQUOTA", "over the quota"},
    {"PARSE", "a message could not be parsed"},
    {"PERMANENTFLAGS", "flags that can be changed for good"},
    {"PRIVACYREQUIRED", "encryption is needed first"},
    {"READ-ONLY", "the mailbox can only be read"},
    {"READ-WRITE", "the mailbox can be changed"},
    {"SERVERBUG", "the server knows that it is mistaken"},
    {"TRYCREATE", "there is no such mailbox; CREATE it first"},
    {"UIDNEXT", "the next message's UID"},
    {"UIDNOTSTICKY", "UIDs are not kept"},
    {"UIDVALIDITY", "the UIDs hold as long as this number"},
    {"UNAVAILABLE", "a part of the system is down; temporary"},
    {"UNKNOWN-CTE", "the content's encoding is not known"},
};

static const struct hail_reply_word states[] = {
    {"OK", "done"},
    {"NO", "failed"},
    {"BAD", "not understood: the command is unknown, malformed, or not valid now"},
    {"BYE", "the server closes the connection"},
    {"PREAUTH", "authenticated already"},
};

static const struct hail_reply_word redis[] = {
    {"ASK", "ask the node named, for this time (after ASKING)"},
    {"BUSY", "a script is running"},
    {"BUSYGROUP", "the consumer group exists already"},
    {"BUSYKEY", "the key exists already"},
    {"CLUSTERDOWN", "the cluster is down"},
    {"CROSSSLOT", "the keys are in different slots"},
    {"DENIED", "protected mode: only loopback is served without a password"},
    {"ERR", "an error; the text says which"},
    {"EXECABORT", "the transaction was discarded: a command in it was wrong"},
    {"INPROG", "a failover is in progress"},
    {"LOADING", "the data set is still being loaded"},
    {"MASTERDOWN", "the link to the master is down, and stale data is not served"},
    {"MISCONF", "snapshots fail, so that nothing may be written"},
    {"MOVED", "the key is at the node named, from now on"},
    {"NOAUTH", "AUTH has to come first"},
    {"NOGROUP", "there is no such key or consumer group"},
    {"NOPERM", "the user may not do that"},
    {"NOPROTO", "the protocol's version is not supported"},
    {"NOREPLICAS", "too few replicas to write"},
    {"NOSCRIPT", "no such script; EVAL or SCRIPT LOAD it"},
    {"OOM", "out of memory by maxmemory"},
    {"READONLY", "this is a replica: it can only be read"},
    {"TRYAGAIN", "the slot is being moved; try again"},
    {"UNBLOCKED", "a blocking command was ended by somebody else"},
    {"UNKILLABLE", "the script has written, and cannot be killed"},
    {"WRONGPASS", "wrong user or password"},
    {"WRONGTYPE", "the key holds another type of value"},
};

static const struct hail_reply_word memcached[] = {
    {"ERROR", "no such command"},
    {"CLIENT_ERROR", "the command is malformed"},
    {"SERVER_ERROR", "the server failed"},
    {"STORED", "stored"},
    {"NOT_STORED", "not stored: the condition (add, replace) does not hold"},
    {"EXISTS", "changed by somebody since the gets"},
    {"NOT_FOUND", "no such key"},
    {"DELETED", "deleted"},
    {"TOUCHED", "its time to live is set"},
    {"BUSY", "busy; try again"},
    {"BADCLASS", "no such class"},
    {"OK", "done"},
    {"EN", "no such key"},
    {"HD", "done"},
    {"NS", "not stored"},
    {"EX", "changed by somebody else"},
    {"NF", "no such key"},
};

/* The word in brackets that `p` may begin with. */
static bool bracketed(const char *p, char *word, size_t size)
{
    while (*p == ' ')
        p++;
    word[0] = '\0';
    if (*p != '[')
        return false;
    hail_reply_next_word(p + 1, "]", word, size);
    return word[0] != '\0';
}

void hail_reply_explain_pop3(const char *line, char text[HAIL_REPLY_TEXT])
{
    char state[8], code[32];
    const char *rest = hail_reply_next_word(line, "", state, sizeof state);
    bool failed = strcasecmp(state, "-ERR") == 0;
    const char *what = bracketed(rest, code, sizeof code) ? WORD(pop3, code) : NULL;
    if (what)
        snprintf(text, HAIL_REPLY_TEXT, "%s %s: %s", failed ? "-ERR" : "+OK", code, what);
    else if (failed)
        snprintf(text, HAIL_REPLY_TEXT, "-ERR: refused");
}

/* The answer to a command, or a state or code that comes by itself. */
void hail_reply_explain_imap(const char *line, char text[HAIL_REPLY_TEXT])
{
    char tag[64], state[16], code[32];
    const char *rest = hail_reply_next_word(line, "", tag, sizeof tag);
    rest = hail_reply_next_word(rest, "", state, sizeof state);
    const char *is = WORD(states, state);
    if (strcmp(tag, "+") == 0) {
        snprintf(text, HAIL_REPLY_TEXT, "+: go on");
    } else if (is) {
        const char *what = bracketed(rest, code, sizeof code) ? WORD(imap, code) : NULL;
        const char *bare = strcmp(tag, "*") == 0 && strcasecmp(state, "OK") == 0 ? "" : is;
        if (what)
            snprintf(text, HAIL_REPLY_TEXT, "%s %s: %s", state, code, what);
        else if (bare[0])
            snprintf(text, HAIL_REPLY_TEXT, "%s: %s", state, bare);
    }
}

void hail_reply_explain_redis(const char *line, char text[HAIL_REPLY_TEXT])
{
    char word[32];
    if ((line[0] == '$' || line[0] == '*') && strcmp(line + 1, "-1") == 0) {
        snprintf(text, HAIL_REPLY_TEXT, "%s: no such value (nil)", line);
    } else if (line[0] == '_' && !line[1]) {
        snprintf(text, HAIL_REPLY_TEXT, "_: no such value (nil)");
    } else if (line[0] == '-') {
        hail_reply_next_word(line + 1, "", word, sizeof word);
        const char *what = WORD(redis, word);
        if (what)
            snprintf(text, HAIL_REPLY_TEXT, "-%s: %s", word, what);
    }
}

void hail_reply_explain_memcached(const char *line, char text[HAIL_REPLY_TEXT])
{
    char word[32];
    hail_reply_next_word(line, "", word, sizeof word);
    const char *what = WORD(memcached, word);
    if (what)
        snprintf(text, HAIL_REPLY_TEXT, "%s: %s", word, what);
}
