/* asked.h - what the options of `hail get` ask for, and how they are read. */
#ifndef HAIL_CMD_GET_ASKED_H
#define HAIL_CMD_GET_ASKED_H

#include "cmd.h"

#include <sys/types.h>

#define GET_WORDS_MAX ((size_t)65536) /* of one option that may be given many times */

/* Words of an option that may be given many times; they belong to the command line. */
struct get_words {
    const char **v;
    size_t n, room;
};

/* A piece of a request's content: bytes, or a file that is read when it is sent. */
struct get_part {
    char *bytes; /* owned; NULL: a file */
    size_t n;
    const char *file; /* "-": standard input */
    uint64_t size;    /* of the file, once it is known */
    bool whole;       /* the file's size is not known before it was read */
};

struct get_parts {
    struct get_part *v;
    size_t n, room;
};

enum get_auth { GET_AUTH_BASIC = 1, GET_AUTH_DIGEST = 2, GET_AUTH_ANY = 3 };
enum get_netrc { GET_NETRC_NO, GET_NETRC_OPTIONAL, GET_NETRC_YES };

#define GET_RESUME_NO   (-1)
#define GET_RESUME_AUTO (-2)

/* All that the command line says; constant once it was read. */
struct get_asked {
    struct get_words urls, outputs, uploads; /* outputs: "" is -O */
    struct get_words kept;                   /* texts of its own, which others point into */

    /* the request */
    const char *method, *agent, *referer, *range, *target;
    struct get_words fields, forms, cookies;
    struct hail_buf data, query;
    struct get_parts body; /* of -d or -F */
    double expect_s;
    int64_t resume; /* -C: bytes, GET_RESUME_NO or GET_RESUME_AUTO */

    /* who is asking */
    const char *user, *bearer, *netrc_file, *jar;

    /* the way */
    const char *proxy, *proxy_user, *no_proxy, *interface, *unix_socket;
    struct get_words resolve, connect_to;
    const char *cacert, *capath, *cert, *key;

    /* limits, and trying again */
    double rate; /* bytes a second; 0: none */
    double max_s, connect_s, speed_s;
    int64_t max_size, speed; /* bytes; bytes a second */
    double ratio;            /* of decoded to received bytes; 0: no limit */
    double retry_delay, retry_max;

    /* output */
    const char *folder, *dump, *writeout, *checksum, *har, *stderr_file;
    const char *etag_save, *etag_compare;

    int auth;          /* enum get_auth */
    int netrc;         /* enum get_netrc */
    int max_redirects; /* negative: no limit */
    int proxy_kind;    /* enum hail_proxy_kind of --socks5 and its like; -1: --proxy says */
    int tls_version;
    int retry; /* -1: not said */
    int parallel_max;

    bool head, get, http10, compressed, path_as_is, form_escape, has_data, new_session;
    bool follow, trusted, keep_post[3]; /* --post301, 302, 303 */
    bool tunnel, insecure, proxy_insecure, retry_all, retry_refused;
    bool show_head, body_only, fail, fail_body, silent, show_error, verbose, disposition, create,
        remote_all, no_clobber, no_progress, timing, explain, dry_run, parallel;
    bool no_config;
    char form_type[96]; /* Content-Type of -F; empty: none */
};

extern struct get_asked get_asked; /* settings.c: filled while the command line is read */

/* options.c */
extern const struct option_row get_options[];
enum {
    OPT_DATA_BINARY = 256,
    OPT_DATA_RAW,
    OPT_DATA_URLENCODE,
    OPT_URL_QUERY,
    OPT_FORM_STRING,
    OPT_FORM_ESCAPE,
    OPT_MAX_REDIRS,
    OPT_LOCATION_TRUSTED,
    OPT_POST301,
    OPT_POST302,
    OPT_POST303,
    OPT_FAIL_BODY,
    OPT_SOCKS4,
    OPT_SOCKS4A,
    OPT_SOCKS5,
    OPT_SOCKS5_HOSTNAME,
    OPT_NOPROXY,
    OPT_CACERT,
    OPT_CAPATH,
    OPT_KEY,
    OPT_TLS12,
    OPT_TLS13,
    OPT_PROXY_INSECURE,
    OPT_RESOLVE,
    OPT_CONNECT_TO,
    OPT_INTERFACE,
    OPT_UNIX_SOCKET,
    OPT_LIMIT_RATE,
    OPT_CONNECT_TIMEOUT,
    OPT_RETRY,
    OPT_RETRY_ALL,
    OPT_RETRY_CONNREFUSED,
    OPT_RETRY_DELAY,
    OPT_RETRY_MAX_TIME,
    OPT_PARALLEL_MAX,
    OPT_COMPRESSED,
    OPT_HTTP11,
    OPT_DIGEST,
    OPT_BASIC,
    OPT_ANYAUTH,
    OPT_BEARER,
    OPT_NETRC_FILE,
    OPT_NETRC_OPTIONAL,
    OPT_OUTPUT_DIR,
    OPT_CREATE_DIRS,
    OPT_REMOTE_ALL,
    OPT_NO_CLOBBER,
    OPT_URL,
    OPT_REQUEST_TARGET,
    OPT_PATH_AS_IS,
    OPT_MAX_FILESIZE,
    OPT_MAX_RATIO,
    OPT_EXPECT_TIMEOUT,
    OPT_NO_PROGRESS,
    OPT_BODY,
    OPT_CHECKSUM,
    OPT_TIMING,
    OPT_HAR,
    OPT_EXPLAIN,
    OPT_DRY_RUN,
    OPT_ETAG_SAVE,
    OPT_ETAG_COMPARE,
    OPT_STDERR,
};

/* settings.c: one option; 0, or a status to stop with. What is left to be done when all were read:
 * the content of the request, checks of what does not go together. */
int get_option(int letter, const char *value);
int get_settle(void);
int get_words_add(struct get_words *w, const char *word);
int get_keep(char *text); /* takes what malloc(3) gave, until the end */
void get_forget(void);    /* frees all of it */

/* data.c: -d and its like into get_asked.data. 0, or a status. */
int get_data_add(int letter, const char *value);
int get_query_add(const char *value);
void get_query_data(void); /* -G: all of -d into the query */
/* A whole file ("-": standard input) into `out`; 0, or STATUS_LOCAL with a message. */
int get_slurp(const char *path, struct hail_buf *out);
/* Takes CR, LF and NUL out of a text. */
void get_join_lines(struct hail_buf *b);

/* multipart.c: -F into get_asked.body. 0, or a status. */
int get_forms(struct get_asked *asked);
int get_part_add(struct get_parts *parts, struct get_part part);

/* config.c: options from a file (-K, and hail's own unless -q comes first); 0, or a status. */
int get_config(const char *path, bool must);
int get_config_default(int argc, char **argv);

#endif
