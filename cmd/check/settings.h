/* settings.h - what is asked of a target: by options, by a line of a targets file, by a module.
 *
 *   smtp://mail.example:25  starttls=require warn-days=14 name="the mail"
 *   ----- target ---------  ------------- settings ---------------------
 *
 * The settings of a line are the long options of the command, without the dashes, in one table
 * (settings.c), so that both mean the same. A line begins with its module's settings, and a module
 * with those of the command line.
 */
#ifndef HAIL_CHECK_SETTINGS_H
#define HAIL_CHECK_SETTINGS_H

#include "../cmd.h"

#include "proto/hello.h"

#define CHECK_STATUSES 16 /* ranges of --expect-status */
#define CHECK_LABELS   16 /* of a target */

/* Memory that is given out piece by piece and freed at once, with what was registered in it. */
struct check_pool;
struct check_pool *check_pool_new(void);
void check_pool_free(struct check_pool *pool); /* accepts NULL */
/* Memory as of malloc(3), and a copy, NUL-ended; NULL: there is none. */
void *check_pool_take(struct check_pool *pool, size_t n);
char *check_pool_text(struct check_pool *pool, const char *p, size_t n);
/* An expression to be compiled, which is freed with the pool once check_pool_compiled() was called;
 * an empty script. NULL: there is no memory. */
regex_t *check_pool_regex(struct check_pool *pool);
void check_pool_compiled(struct check_pool *pool);
struct hail_script *check_pool_script(struct check_pool *pool);

enum check_tls { CHECK_TLS_BY_PORT = 0, CHECK_TLS_OFF, CHECK_TLS_ON };

/* A value: copy it by check_derive(); what it points to is the pool's. */
struct check_settings {
    enum hail_hello_kind kind; /* HAIL_HELLO_KINDS: by the scheme or the port */
    bool protocol_tls;         /* what `kind` was called means TLS from the first byte on */
    uint16_t port;             /* of what it was called; 0: none */
    enum check_tls tls;        /* from the first byte on, whatever it is called */
    enum hail_hello_tls starttls;
    int family;
    bool all_addresses;
    int64_t timeout_ms;  /* of the whole check; default 10,000 */
    int64_t greeting_ms; /* for the first words; default 6,000 */
    int64_t every_ms;    /* between two checks, for --watch and --metrics; default 15,000 */
    int64_t warn_ms;     /* slower is a warning; 0: never */
    int warn_days;       /* fewer days left of a certificate is a warning; 0: never */
    /* TLS */
    const char *ca_file, *cert_file, *key_file, *servername, *alpn;
    bool insecure;
    /* HTTP */
    const char *method, *fields;
    const regex_t *body, *not_body;
    uint16_t status[CHECK_STATUSES][2];
    size_t nstatus;
    /* DNS */
    const char *query;
    uint16_t query_type;
    /* any other: --send, --expect, --reject in the order in which they were given */
    struct hail_script *script;
    bool own_script; /* ... was begun here, and goes on; else it was inherited */
    /* of a target in a file */
    const char *module; /* NULL: none */
    const char *name;   /* what people call it; NULL: the target itself */
    struct {
        const char *name, *value;
    } labels[CHECK_LABELS]; /* label.NAME=VALUE, for --metrics */
    size_t nlabels;
};

extern const struct check_settings check_defaults;

/* The settings of what is below `base`: all that it says, until something else is said. */
struct check_settings check_derive(const struct check_settings *base);

/* Sets `name` ("warn-days") to `value` (NULL: it was given without one). 0, or -EINVAL with what is
 * wrong in `why` ("a number of days, not 'x'"), -ENOENT: there is no such setting, -ENOMEM. */
#define CHECK_WHY 200
int check_set(struct check_settings *s, struct check_pool *pool, const char *name,
              const char *value, char why[CHECK_WHY]);

#endif
