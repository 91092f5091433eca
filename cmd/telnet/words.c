/* words.c - the words of a line at the prompt, and words cut short.
 *
 *      send "a b" do\ nt   ->   send | a b | do nt
 *      ! ls -l             ->   ! | ls | -l        (the shell gets the line as it was)
 */
#include "prompt.h"

#include <ctype.h>
#include <string.h>

/* How `s` fits a word: 0 not, 1 it begins it, 2 it is it. The empty one fits any, entirely, as in
 * the telnets before. */
static int fits(const char *s, const char *word)
{
    size_t n = strlen(s);
    if (n == 0)
        return 2;
    if (strncasecmp(s, word, n) != 0)
        return 0;
    return word[n] ? 1 : 2;
}

bool telnet_is_prefix(const char *s, const char *word)
{
    return fits(s, word) != 0;
}

const void *telnet_find(const char *name, const void *table, size_t row, bool *ambiguous)
{
    const void *found = NULL;
    *ambiguous = false;
    for (const char *p = table;; p += row) {
        const char *word;
        memcpy(&word, p, sizeof word);
        if (!word)
            return found;
        int how = fits(name, word);
        if (how == 2)
            return p;
        if (how == 1 && found) {
            *ambiguous = true;
            return NULL;
        }
        if (how == 1)
            found = p;
    }
}

/* Takes quotes and backslashes out of the word at `p`, in place; returns what follows it. */
static char *cut_word(char *p)
{
    char *out = p, quote = 0;
    for (; *p; p++) {
        if (quote && *p == quote) {
            quote = 0;
        } else if (!quote && (*p == '"' || *p == '\'')) {
            quote = *p;
        } else if (!quote && isspace((unsigned char)*p)) {
            break;
        } else {
            if (!quote && *p == '\\' && !*++p)
                break;
            *out++ = *p;
        }
    }
    char *rest = *p ? p + 1 : p;
    *out = '\0';
    return rest;
}

int telnet_split(char *line, char *words[TELNET_WORDS])
{
    static char bang[] = "!";
    int n = 0;
    if (*line == '!') {
        words[n++] = bang;
        line++;
    }
    for (;;) {
        while (isspace((unsigned char)*line))
            line++;
        if (!*line)
            break;
        if (n + 1 >= TELNET_WORDS) {
            telnet_complain("Ignoring excess arguments.\n");
            break;
        }
        words[n++] = line;
        line = cut_word(line);
    }
    words[n] = NULL;
    return n;
}

cc_t telnet_char_of(const char *s)
{
    if (*s != '^')
        return (cc_t)*s;
    return s[1] == '?' ? 0x7F : (cc_t)(s[1] & 0x1F);
}

const char *telnet_char_name(cc_t c)
{
    static char text[5];
    if (c == TELNET_OFF)
        return "off";
    if (c == 0x7F)
        return "^?";
    if (c >= 0x80)
        snprintf(text, sizeof text, "\\%03o", c);
    else if (c >= 0x20)
        snprintf(text, sizeof text, "%c", c);
    else
        snprintf(text, sizeof text, "^%c", '@' + c);
    return text;
}
