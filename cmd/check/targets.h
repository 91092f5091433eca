/* targets.h - the targets file of `hail check`: one target a line.
 *
 *   # a comment
 *   module NAME SETTING...          settings under a name
 *   default SETTING...              for the lines that follow
 *   allow PATTERN [module=NAME]     what /probe may check beside the targets here: an endpoint or
 *                                   URL in which * stands for anything (fnmatch(3))
 *   TARGET SETTING...               an endpoint or a URL, and what differs from the defaults
 *
 * A SETTING is name=value or name; a value with spaces is in double quotes, in which \" and \\ are
 * escaped. A line that ends in a backslash goes on in the next one.
 */
#ifndef HAIL_CHECK_TARGETS_H
#define HAIL_CHECK_TARGETS_H

#include "settings.h"

#define CHECK_TARGETS_FILE ((size_t)64 << 20) /* bytes of a file */
#define CHECK_TARGETS_LINE 16384              /* bytes of a line with those it goes on in */

/* A target: where it is and what is asked. All that it points to is the pool's, or outlives it. */
struct check_target {
    const char *text; /* as it was written: its name in output and metrics */
    const char *host; /* for SNI and the certificate; without a port */
    const char *path; /* of a URL: path and query; NULL: none */
    const char
        *where; /* the endpoint with its port, check_endpoint(): a tenth of the struct's size */
    const struct check_settings *set;
    enum hail_hello_kind kind; /* by the scheme, the settings, the port */
    bool tls;                  /* from the first byte on */
    bool bare;                 /* a host alone, without anything that says a port */
};

struct check_module {
    const char *name;
    const struct check_settings *set;
};

struct check_allow {
    const char *pattern, *module; /* module NULL: any */
};

/* All zero at first; check_targets_init(), check_targets_free() at the end. */
struct check_targets {
    struct check_pool *pool;
    struct check_target *v;
    size_t n, cap;
    struct check_module *modules;
    size_t nmodules, modules_cap;
    struct check_allow *allows;
    size_t nallows, allows_cap;
    size_t faults; /* lines that were not understood */
};
int check_targets_init(struct check_targets *t); /* 0 or -ENOMEM */
void check_targets_free(struct check_targets *t);
/* Where a target is; HAIL_UDP for DNS and NTP, but for tcp:. */
struct hail_endpoint check_endpoint(const struct check_target *t);
int check_targets_add(struct check_targets *t, const struct check_target *target);

/* Reads a target as it is written on the command line, or in a file: decides host, port, protocol
 * and TLS by the scheme, else by the setting, else by the port. `set` is kept. 0, or -EINVAL with
 * the reason in `why`, without a full stop, and *column (from 1) where it is, 0 if not known;
 * -ENOMEM. */
int check_target_parse(struct check_targets *t, const char *text, const struct check_settings *set,
                       struct check_target *out, char why[CHECK_WHY], size_t *column);

/* Reads a file's content. `base` are the command line's settings. Lines that are not understood are
 * told to `fault` ("FILE:LINE:COLUMN: ..." is made by the caller), counted, and left out: the rest
 * goes on. 0, or -ENOMEM, -EMSGSIZE. */
typedef void check_fault_fn(void *arg, size_t line, size_t column, const char *why);
int check_targets_parse(struct check_targets *t, const char *p, size_t n,
                        const struct check_settings *base, check_fault_fn *fault, void *arg);

/* The module of that name, or NULL. */
const struct check_module *check_find_module(const struct check_targets *t, const char *name);

/* Whether /probe may check `text` by `module` (NULL: none given): it is a target here, by its text
 * or name, or an allow line's pattern matches. *listed (may be NULL) gets the target that is here.
 */
bool check_allowed(const struct check_targets *t, const char *text, const char *module,
                   const struct check_target **listed);

#endif
