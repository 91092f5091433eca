/* values.h - values of settings as they are written: words, times, numbers, statuses. Each function
 * returns 0, or -EINVAL with what is wanted instead in `why`. */
#ifndef HAIL_CHECK_VALUES_H
#define HAIL_CHECK_VALUES_H

#include "settings.h"

/* Writes `why`. Returns -EINVAL. */
int check_wrong(char why[CHECK_WHY], const char *fmt, ...) HAIL_PRINTF(2, 3);

/* Returns which of `words` (ended by NULL) it is, in any case of letters. */
int check_read_word(const char *text, const char *const *words, char why[CHECK_WHY]);

/* "500ms", "2s", "1.5", "3m", "1h" in milliseconds, more than 0. */
int check_read_time(const char *text, int64_t *ms, char why[CHECK_WHY]);

/* A decimal number; `what` says of what. */
int check_read_number(const char *text, long first, long last, const char *what, long *out,
                      char why[CHECK_WHY]);

/* "200,300-399,2xx" as ranges. Left as they were on failure. */
int check_read_statuses(const char *text, uint16_t ranges[CHECK_STATUSES][2], size_t *n,
                        char why[CHECK_WHY]);

#endif
