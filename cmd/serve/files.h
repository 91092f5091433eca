/* files.h - the files of a site as `hail serve` keeps them: cache.c, watch.c, form.c, encode.c. */
#ifndef HAIL_CMD_SERVE_FILES_H
#define HAIL_CMD_SERVE_FILES_H

#include <hail/loop.h>

#include "proto/coding.h"
#include "proto/etag.h"
#include "proto/mime.h"

#include <sys/stat.h>

struct serve;
struct serve_conn;
struct serve_worker;

#define SERVE_CACHE_FILES 1024                 /* of a worker */
#define SERVE_CACHE_OPEN  256                  /* ... of them open, at most */
#define SERVE_CACHE_BYTES ((uint64_t)16 << 20) /* ... of their content in memory */
#define SERVE_FRESH_NS    1000000000LL         /* a file is looked at again after this */

/* Memory that several responses send from. */
struct serve_blob {
    unsigned refs;
    size_t n;
    char *p; /* owned, malloc'ed */
};

struct serve_blob *serve_blob_new(char *p, size_t n); /* takes over `p`; NULL: no memory, p freed */
struct serve_blob *serve_blob_ref(struct serve_blob *b);
void serve_blob_put(struct serve_blob *b); /* accepts NULL */

/* One representation of a file (RFC 9110 section 3.2), by its content coding. */
struct serve_form {
    enum serve_form_state {
        SERVE_FORM_ABSENT,
        SERVE_FORM_MAKING, /* a task compresses it */
        SERVE_FORM_READY,
        SERVE_FORM_USELESS, /* compressed it is no shorter */
    } state;
    bool beside; /* a file of its own: "app.js.gz" */
    int fd;      /* -1: the content is in `blob` */
    struct serve_blob *blob;
    uint64_t size;
    struct stat st; /* of the file that it is, or was made of */
    char etag[HAIL_ETAG_MAX];
    char *head; /* of the plain 200 response; NULL: not written yet */
    size_t head_len, date_at;
    struct serve_encoding *encoding; /* while it is made */
};

/* A file of the site, as it was when it was looked at. */
struct serve_file {
    struct serve_file *next;          /* of its bucket */
    struct serve_file *newer, *older; /* by last use */
    unsigned refs;                    /* the cache's, and one for each response under way */
    uint32_t hash;
    bool cached;         /* still in the table */
    bool compresses;     /* it is of a type that does */
    unsigned generation; /* of the cache, when it was looked at */
    int64_t seen_ns;     /* ... and the time */
    const char *cache_control;
    char type[HAIL_MIME_MAX];
    struct serve_form forms[HAIL_CODINGS]; /* by enum hail_coding */
    char path[];
};

/* A worker's files. */
struct serve_cache {
    struct serve_file *buckets[SERVE_CACHE_FILES];
    struct serve_file *newest, *oldest;
    unsigned n;
    int open; /* descriptors that are kept */
    uint64_t bytes;
    unsigned generation;    /* grows with every news of a change */
    struct hail_watch news; /* inotify(7); fd -1: none, and files are looked at by time alone */
    unsigned watched;
};

/* cache.c. The regular file at `path`, relative to the root, with a reference; or NULL and *rc the
 * negative errno: -EISDIR for a folder. */
struct serve_file *serve_cache_get(struct serve_worker *w, const char *path, int *rc);
void serve_file_put(struct serve_worker *w, struct serve_file *f); /* accepts NULL */
void serve_cache_free(struct serve_worker *w);
void serve_cache_account(struct serve_worker *w, int64_t bytes); /* of content in memory */
/* The value of Cache-Control for a file. */
const char *serve_cache_control(const struct serve *s, const struct serve_file *f);

/* watch.c: news of what is at `path` bring the cache's generation on. */
void serve_watch_begin(struct serve_worker *w);
void serve_watch_add(struct serve_worker *w, const char *path);
void serve_watch_end(struct serve_worker *w);

/* form.c. The whole content of a file, to be free()d; NULL if it is not as long as it was, or there
 * is no memory. */
char *serve_read_all(int fd, size_t size);
/* What of `st` tells whether a file is still the same. */
bool serve_same_file(const struct stat *a, const struct stat *b);
/* The content of the open file: read if it is small, else the descriptor is kept. */
void serve_form_load(struct serve_worker *w, struct serve_file *f, enum hail_coding c, int fd,
                     const struct stat *st);
void serve_form_free(struct serve_worker *w, struct serve_form *m);
/* Looks for files beside `f` that are it in a coding. False: one that was there changed. */
bool serve_forms_look(struct serve_worker *w, struct serve_file *f);
/* Whether the representation depends on the request. */
bool serve_is_negotiated(const struct serve_worker *w, const struct serve_file *f);
/* The one that the request likes best. */
enum hail_coding serve_choose(const struct serve_worker *w, const struct serve_file *f,
                              const struct hail_http_fields *fields);

/* encode.c: has the form made in a thread; the connection waits for it. False: it cannot be, and is
 * marked as useless. */
bool serve_encode(struct serve_conn *k, struct serve_file *f, enum hail_coding c);

#endif
