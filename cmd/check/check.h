/* check.h - the parts of `hail check`.
 *
 *      targets --run.c--> hail_check on the loop --result.c--> struct check_result
 *                                                                 |
 *              once.c: a line, details, JSON each, in order   <---+--->   watch.c: a live table
 *              until.c: until all are up, or down             <---+--->   fleet.c: OpenMetrics
 *
 *   check.c      options, and which of these
 *   settings.c   what is asked, by options and in files        targets.c   targets and their files
 *   run.c        starts checks, so many at once                result.c    what one came to
 *   show.c       a result as a line                            details.c   and with -v
 *   document.c   as JSON
 */
#ifndef HAIL_CHECK_CHECK_H
#define HAIL_CHECK_CHECK_H

#include "targets.h"

#include "loop/check.h"

/* Verdicts, as typed as the exit statuses. */
enum check_verdict {
    CHECK_OK = 0,
    CHECK_WARN,
    CHECK_NO,
    CHECK_NAME,
    CHECK_CONNECT,
    CHECK_TIMEOUT,
    CHECK_TLS,
    CHECK_PROTOCOL,
    CHECK_LOCAL,
};
const char *check_verdict_name(enum check_verdict v); /* "ok" */
int check_verdict_status(enum check_verdict v);

/* Times of a check, each from the end of the one before it. */
enum check_phase {
    CHECK_PHASE_NAME,
    CHECK_PHASE_CONNECT,
    CHECK_PHASE_TLS,
    CHECK_PHASE_GREETING, /* until the first words */
    CHECK_PHASE_COMMAND,  /* until it is known what it can do */
    CHECK_PHASES,
};
extern const char *const check_phase_names[CHECK_PHASES]; /* "name", ... */

#define CHECK_WHAT 200

/* What a check came to, as far as it is kept. */
struct check_result {
    enum check_verdict verdict;
    int64_t total_ns, phase_ns[CHECK_PHASES]; /* a phase that was not: -1 */
    int64_t not_after;                        /* of the chain's first to end; 0: none */
    int days_left;
    uint16_t http_status;
    uint8_t http_minor;
    uint8_t family; /* 4, 6; 0: none, or a Unix socket */
    uint8_t tls;    /* 12: TLS 1.2, 13; 0: none */
    bool mismatch;  /* an expression did not match */
};

struct check_tls_entry;

/* The command's life. */
struct check {
    struct common *c;
    struct hail_loop *loop;
    struct hail_checker *checker;
    struct check_targets targets;
    int parallel, running;
    bool at_once; /* checks end with the service's first words */
    bool filling;
    struct check_run *waiting, **last;
    struct check_run *active;      /* those that run */
    struct hail_opts dial4, dial6; /* one family alone */
    struct check_tls_entry *configs;
};

/* One run of a target. */
struct check_run {
    struct hail_check check;
    struct check *k;
    const struct check_target *target;
    struct check_result result;
    char what[CHECK_WHAT];               /* what answered, or why not; safe to show */
    char authority[HAIL_ENDPOINT_MAX];   /* of a Host field */
    void (*done)(struct check_run *run); /* `check` may be read; the run is freed afterwards */
    void *arg;
    bool one_of;                   /* an address of several, in place of the target's name */
    struct check_run *next, *prev; /* of those that wait, or run */
};

/* --- check.c --- */

/* What the command line asks of every target. */
const struct check_settings *check_base(void);
/* The targets of the files and the operands, into `all`; `files`, which outlives it, owns what was
 * read. Both are initialised. Lines that are not understood are told on standard error. 0, or the
 * exit status with a message. */
int check_gather(struct common *c, struct check_targets *files, struct check_targets *all);

/* --- run.c --- */

/* Checks `target`, at `at` (NULL: where it is). done() is called in the loop, maybe before this
 * returns. 0, or -ENOMEM. */
int check_begin(struct check *k, const struct check_target *target, const struct hail_endpoint *at,
                void (*done)(struct check_run *run), void *arg);
int check_open(struct check *k);
/* Runs the loop until it is stopped, or the command cancelled. 0 or -errno. */
int check_loop(struct check *k);
/* Ends all that wait and run: done() is called for none of them any more. */
void check_abandon(struct check *k);
void check_close(struct check *k);
/* How many may run at once: by the descriptors that this process may have. */
int check_parallel(void);

/* --- result.c --- */

/* Fills result and what. */
void check_result_of(struct check_run *run);
/* The certificate and the rest, if TLS came to stand. */
bool check_tls_info(const struct hail_check *c, struct hail_tls_info *info);

/* Whether none of the facts before the one that ends at `behind` has this name. */
bool check_first_fact(const struct hail_hello *h, size_t behind, const char *name);

/* --- show.c, details.c, document.c: append to `out` --- */

/* The target's name; with the address, where it is one of several. Safe to show. */
void check_label(const struct check_run *run, char *out, size_t size);
void check_put_time(struct hail_buf *out, int64_t ns); /* "12.3 ms" */
/* Verdict, target and time: the front of a line, in so many columns. */
void check_put_front(const struct check *k, struct hail_buf *out, const struct check_run *run,
                     int target_width);
int check_front_width(int target_width);
/* What answered, cut to the columns that there are. */
void check_put_what(struct hail_buf *out, const char *what, int columns);
/* The whole line. */
void check_put_line(const struct check *k, struct hail_buf *out, const struct check_run *run,
                    int target_width);
/* The columns that the longest target takes. */
int check_target_width(const struct check *k);
void check_put_details(const struct check *k, struct hail_buf *out, const struct check_run *run);
void check_put_document(struct hail_buf *out, const struct check_run *run);

/* --- the modes; each returns the exit status --- */

int check_once(struct check *k, bool verbose, bool quiet);
int check_watch(struct check *k);
int check_until(struct check *k, bool up, int64_t limit_ms, bool quiet);
int check_metrics(struct check *k, const char *endpoint); /* fleet.c */

#endif
