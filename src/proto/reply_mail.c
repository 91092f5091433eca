/* reply_mail.c - the replies of SMTP and LMTP: RFC 5321 section 4.2, RFC 4954, RFC 7504, and the
 * enhanced status codes of RFC 3463 with IANA's registry of them. */
#include "proto/reply_explain.h"

#include <stdio.h>
#include <string.h>

static const struct hail_reply_code basic[] = {
    {211, "system status or help"},
    {214, "help"},
    {220, "the service is ready"},
    {221, "the service closes the connection"},
    {235, "authenticated"},
    {250, "done"},
    {251, "not a local user; it will be forwarded"},
    {252, "cannot verify the user, but will accept the message and try"},
    {334, "answer in base64; a single * cancels"},
    {354, "send the message, and end it by a line with a single dot"},
    {421, "the service is not available and closes the connection"},
    {432, "a password transition is needed"},
    {450, "mailbox unavailable: busy, or blocked for now"},
    {451, "a local error while processing"},
    {452, "not enough storage, or too many recipients"},
    {454, "not available for now: TLS, or authentication"},
    {455, "cannot take the parameters for now"},
    {500, "syntax error: no such command, or the line is too long"},
    {501, "syntax error in the arguments"},
    {502, "the command is not implemented"},
    {503, "the command comes in the wrong order"},
    {504, "the argument is not implemented"},
    {521, "the host takes no mail"},
    {530, "authentication, or STARTTLS, has to come first"},
    {534, "the mechanism is too weak"},
    {535, "wrong user or password"},
    {538, "the mechanism needs encryption"},
    {550, "mailbox unavailable"},
    {551, "not a local user; try where the text says"},
    {552, "out of storage for this mailbox"},
    {553, "mailbox name not allowed"},
    {554, "the transaction failed, or there is no SMTP service here"},
    {555, "the parameters are not known"},
    {556, "the domain takes no mail"},
};

/* Subject and detail, 100 to a subject. */
static const struct hail_reply_code enhanced[] = {
    {100, "something about the address"},
    {101, "no such mailbox"},
    {102, "no such host or domain for mail"},
    {103, "the recipient's address is malformed"},
    {104, "the recipient's address is ambiguous"},
    {105, "the recipient is valid"},
    {106, "the mailbox has moved"},
    {107, "the sender's address is malformed"},
    {108, "no such host or domain of the sender"},
    {109, "handed to a mailer that does not follow these codes"},
    {110, "the recipient's domain takes no mail (null MX)"},
    {200, "something about the mailbox"},
    {201, "the mailbox is disabled"},
    {202, "the mailbox is full"},
    {203, "the message is longer than the mailbox takes"},
    {204, "the mailing list could not be expanded"},
    {300, "something about the mail system"},
    {301, "the mail system is full"},
    {302, "the system takes no messages at present"},
    {303, "the system cannot do what was asked"},
    {304, "the message is too big for the system"},
    {305, "the system is misconfigured"},
    {306, "the priority was changed"},
    {400, "something about the network or routing"},
    {401, "the next host does not answer"},
    {402, "the connection broke"},
    {403, "the directory (DNS) failed"},
    {404, "no route to the domain"},
    {405, "the mail system is congested"},
    {406, "a routing loop"},
    {407, "the time for delivery has run out"},
    {500, "something about the protocol"},
    {501, "no valid command here"},
    {502, "syntax error"},
    {503, "too many recipients"},
    {504, "the arguments are not valid"},
    {505, "wrong version of the protocol"},
    {506, "the line of the authentication is too long"},
    {600, "something about the content"},
    {601, "the media type is not supported"},
    {602, "a conversion is needed and prohibited"},
    {603, "a conversion is needed and not supported"},
    {604, "converted with loss"},
    {605, "the conversion failed"},
    {606, "the content is not available"},
    {607, "addresses beyond ASCII are not permitted"},
    {608, "the reply would need UTF-8"},
    {609, "a message with UTF-8 headers cannot be passed on"},
    {610, "UTF-8 headers cannot be passed on"},
    {700, "refused by policy or security"},
    {701, "the sender is not authorised; refused"},
    {702, "the sender may not use the mailing list"},
    {703, "a secure conversion is needed and not possible"},
    {704, "the security feature is not supported"},
    {705, "encryption or signature failed"},
    {706, "the algorithm is not supported"},
    {707, "the message was altered"},
    {708, "the credentials are not valid"},
    {709, "the mechanism is too weak"},
    {710, "encryption is needed"},
    {711, "the mechanism needs encryption"},
    {712, "a password transition is needed"},
    {713, "the account is disabled"},
    {714, "trust in the client is required"},
    {715, "the priority is too low"},
    {716, "too big for this priority"},
    {717, "the mailbox has another owner now"},
    {718, "the domain has another owner now"},
    {719, "the owner cannot be checked"},
    {720, "no DKIM signature passes"},
    {721, "no DKIM signature is acceptable"},
    {722, "no DKIM signature is the author's"},
    {723, "SPF says no"},
    {724, "SPF could not be checked"},
    {725, "the address has no matching name (reverse DNS)"},
    {726, "several checks of the sender failed"},
    {727, "the sender's domain takes no mail (null MX)"},
    {728, "too much mail at once"},
    {729, "ARC says no"},
    {730, "the next host does not support REQUIRETLS"},
};

/* "5.7.26", with a blank or the end behind it: its text, and its length; NULL for none or a code
 * that says nothing (X.0.0). */
static const char *enhanced_text(const char *p, int class, size_t *len)
{
    unsigned is, subject, detail;
    int end = 0;
    size_t n = strspn(p, "0123456789.");
    *len = 0;
    if (sscanf(p, "%1u.%3u.%3u%n", &is, &subject, &detail, &end) != 3 || (int)is != class ||
        (size_t)end != n || (p[n] != ' ' && p[n] != '\0'))
        return NULL;
    *len = n;
    if (subject > 9 || detail > 99)
        return NULL;
    return hail_reply_code(enhanced, sizeof enhanced / sizeof *enhanced,
                           (int)(subject * 100 + detail));
}

void hail_reply_explain_mail(const char *line, char text[HAIL_REPLY_TEXT])
{
    int code = hail_reply_number(line);
    size_t len;
    if (!code)
        return;
    const char *what = hail_reply_code(basic, sizeof basic / sizeof *basic, code);
    const char *why = enhanced_text(line + 3 + (line[3] != '\0'), code / 100, &len);
    const char *class = code >= 500 ? "; permanent" : code >= 400 ? "; temporary" : "";
    if (code < 400) /* what went well needs no reason */
        why = NULL;
    if (!what)
        what = code >= 400 ? "refused" : code >= 300 ? "go on" : "done";
    snprintf(text, HAIL_REPLY_TEXT, "%d%s%.*s: %s%s%s%s%s", code, len ? " " : "", (int)len,
             line + 4, what, why ? " (" : "", why ? why : "", why ? ")" : "", class);
}
