/* reply_codes.c - the replies of FTP (RFC 959 section 4.2, RFC 2228, RFC 2428), NNTP (RFC 3977, RFC
 * 4642 to 4644) and HTTP (RFC 9110 section 15). */
#include "proto/reply_explain.h"

#include <hail/http.h>
#include <stdio.h>
#include <string.h>

static const struct hail_reply_code ftp[] = {
    {110, "restart marker"},
    {120, "ready in a few minutes"},
    {125, "the data connection is open; the transfer begins"},
    {150, "about to open the data connection"},
    {200, "done"},
    {202, "not needed here"},
    {211, "system status or help"},
    {212, "status of the directory"},
    {213, "status of the file"},
    {214, "help"},
    {215, "the system's type"},
    {220, "the service is ready; log in with USER"},
    {221, "the service closes the connection"},
    {225, "the data connection is open, nothing is in progress"},
    {226, "the transfer is complete; the data connection closes"},
    {227, "passive: connect to h1.h2.h3.h4, port p1*256+p2"},
    {229, "passive: connect to the port between the bars"},
    {230, "logged in"},
    {232, "logged in by the security exchange"},
    {234, "go on with the security exchange (TLS)"},
    {235, "the security exchange is done"},
    {250, "done"},
    {257, "the directory's name"},
    {331, "the user is known; PASS is needed"},
    {332, "ACCT is needed"},
    {334, "go on with the security exchange"},
    {335, "the security data is accepted, more is needed"},
    {350, "waits for the second command"},
    {421, "the service is not available and closes the connection"},
    {425, "the data connection cannot be opened"},
    {426, "the transfer was broken off"},
    {431, "the security service is not available"},
    {450, "the file is not available: busy"},
    {451, "a local error while processing"},
    {452, "not enough storage"},
    {500, "syntax error: no such command"},
    {501, "syntax error in the arguments"},
    {502, "the command is not implemented"},
    {503, "the command comes in the wrong order"},
    {504, "the argument is not implemented"},
    {522, "the network protocol is not supported; use one of those named"},
    {530, "not logged in"},
    {532, "an account is needed for storing files"},
    {533, "the protection level was refused by policy"},
    {534, "refused by policy"},
    {535, "the security check failed"},
    {536, "the protection level is not supported"},
    {537, "the protection level is not supported by the mechanism"},
    {550, "the file is not available: not found, or no access"},
    {551, "the page type is not known"},
    {552, "out of storage for this user"},
    {553, "the file's name is not allowed"},
};

static const struct hail_reply_code news[] = {
    {100, "help follows, up to a line with a single dot"},
    {101, "capabilities follow"},
    {111, "the server's date and time"},
    {200, "ready; posting is allowed"},
    {201, "ready; posting is not allowed"},
    {203, "streaming is on"},
    {205, "the service closes the connection"},
    {211, "the group is selected: how many, first, last, name"},
    {215, "a list follows"},
    {220, "the article follows"},
    {221, "headers follow"},
    {222, "the body follows"},
    {223, "the article exists and is selected"},
    {224, "overview follows"},
    {225, "headers follow"},
    {230, "new articles follow"},
    {231, "new groups follow"},
    {235, "the article is taken"},
    {238, "send it"},
    {239, "the article is taken"},
    {240, "the article is posted"},
    {281, "authenticated"},
    {283, "authenticated, with data"},
    {335, "send the article, and end it by a line with a single dot"},
    {340, "send the article to post, and end it by a line with a single dot"},
    {381, "the password is needed: AUTHINFO PASS"},
    {382, "go on with TLS"},
    {383, "answer in base64; a single * cancels"},
    {400, "the service is not available"},
    {401, "the server is in the wrong mode; the text names what to say first"},
    {403, "an internal fault"},
    {411, "no such group"},
    {412, "no group is selected"},
    {420, "no article is selected"},
    {421, "there is no next article"},
    {422, "there is no previous article"},
    {423, "no article with that number"},
    {430, "no article with that message-id"},
    {431, "try sending it again later"},
    {435, "the article is not wanted"},
    {436, "the transfer failed; try again later"},
    {437, "the transfer was refused; do not try again"},
    {438, "the article is not wanted"},
    {439, "the transfer was refused; do not try again"},
    {440, "posting is not allowed"},
    {441, "posting failed"},
    {480, "authentication has to come first"},
    {481, "wrong user or password"},
    {482, "the authentication commands came in the wrong order"},
    {483, "encryption, or a stronger mechanism, is needed"},
    {500, "no such command"},
    {501, "syntax error"},
    {502, "not permitted, or the service is unavailable for good"},
    {503, "the feature is not supported"},
    {504, "the base64 is malformed"},
    {580, "TLS cannot be begun"},
};

static const struct hail_reply_code http[] = {
    {101, "the connection goes on with another protocol"},
    {200, "the answer follows"},
    {201, "something new was made; Location says where"},
    {202, "taken, to be done later"},
    {204, "done, and there is no content"},
    {206, "the part that was asked for"},
    {301, "it has moved for good; Location says where"},
    {302, "it is elsewhere for now; Location says where"},
    {303, "the answer is elsewhere: GET what Location says"},
    {304, "not changed since the copy you have"},
    {307, "it is elsewhere for now; Location says where, the method stays"},
    {308, "it has moved for good; Location says where, the method stays"},
    {400, "the server could not make sense of the request (is Host there?)"},
    {401, "credentials are needed; WWW-Authenticate says of what kind"},
    {403, "understood and refused"},
    {404, "there is nothing at this path"},
    {405, "the method is not allowed here; Allow says which are"},
    {406, "nothing fits what Accept asks for"},
    {407, "the proxy needs credentials"},
    {408, "the request took too long"},
    {409, "it conflicts with the present state"},
    {410, "it was here, and is gone for good"},
    {411, "Content-Length is missing"},
    {413, "the content is too large"},
    {414, "the path is too long"},
    {415, "the content's type is not supported"},
    {416, "the range is not within the content"},
    {421, "this server does not answer for that host"},
    {426, "another protocol has to be used; Upgrade says which"},
    {429, "too many requests; Retry-After may say when"},
    {431, "the header fields are too large"},
    {500, "the server failed"},
    {501, "the server does not know the method"},
    {502, "the server behind this one answered badly"},
    {503, "overloaded or down for now; Retry-After may say when"},
    {504, "the server behind this one did not answer in time"},
    {505, "the HTTP version is not supported"},
};

static void explain(const struct hail_reply_code *t, size_t n, const char *line, char *text)
{
    int code = hail_reply_number(line);
    const char *what = hail_reply_code(t, n, code);
    if (what)
        snprintf(text, HAIL_REPLY_TEXT, "%d: %s", code, what);
}

/* What 4yz and 5yz say about trying again: RFC 959 section 4.2.1. */
void hail_reply_explain_ftp(const char *line, char text[HAIL_REPLY_TEXT])
{
    explain(ftp, sizeof ftp / sizeof *ftp, line, text);
    size_t n = strlen(text);
    if (n && line[0] >= '4')
        snprintf(text + n, HAIL_REPLY_TEXT - n, "; %s", line[0] == '4' ? "temporary" : "permanent");
}

void hail_reply_explain_news(const char *line, char text[HAIL_REPLY_TEXT])
{
    explain(news, sizeof news / sizeof *news, line, text);
}

void hail_reply_explain_http(const char *line, char text[HAIL_REPLY_TEXT])
{
    const char *p = strchr(line, ' ');
    int code = p ? hail_reply_number(p + 1) : 0;
    const char *what = hail_reply_code(http, sizeof http / sizeof *http, code);
    const char *reason = hail_http_reason(code);
    if (what)
        snprintf(text, HAIL_REPLY_TEXT, "%d %s: %s", code, reason, what);
    else if (reason[0])
        snprintf(text, HAIL_REPLY_TEXT, "%d %s", code, reason);
}
