/* listing.h - a folder without an index, shown: as a page, or as a JSON document.
 *
 *      listing.c          the request, the task in a thread, the response
 *      folder.c           entries: read, searched, sorted
 *      listing_page.c     HTML; page/listing.css, page/listing.js by assets.c
 *      listing_json.c     hail.listing/1
 *      readme.c           the folder's README, below the entries
 *
 * All but the first runs in a thread, on memory of its own.
 */
#ifndef HAIL_CMD_SERVE_LISTING_H
#define HAIL_CMD_SERVE_LISTING_H

#include <hail/slice.h>

#include "base/buf.h"
#include "os/linux/root.h"

#include <sys/stat.h>
#include <time.h>

#define LISTING_ENTRIES 200000               /* of a folder; the rest is said to be missing */
#define LISTING_ROWS    10000                /* of one page */
#define LISTING_MAX     ((size_t)64 << 20)   /* bytes of a page or document */
#define LISTING_README  ((size_t)512 * 1024) /* bytes of a README that is shown */
#define LISTING_SEARCH  256

enum listing_sort { LISTING_BY_NAME, LISTING_BY_SIZE, LISTING_BY_MODIFIED, LISTING_SORTS };

struct listing_entry {
    char *name; /* owned */
    bool folder;
    uint64_t size;
    int64_t modified; /* seconds since 1970 */
};

/* What is asked for, and what was found. */
struct listing {
    struct hail_root root;
    const char *path; /* below it: "" or "a/b/" */
    bool hidden;      /* names with a dot in front, too */
    bool json;
    bool dev; /* the page is to be loaded again when something changes */
    enum listing_sort sort;
    bool down;
    char search[LISTING_SEARCH]; /* in names, whatever the case */
    size_t page;                 /* from 0 */
    char nonce[24];              /* of the page's style and script: Content Security Policy */

    struct listing_entry *v; /* owned */
    size_t n, cap;
    size_t folders;  /* of them, which come first */
    bool more;       /* entries beyond LISTING_ENTRIES are not in `v` */
    char readme[64]; /* its name; "" for none */
};

/* The words of the request's query: sort, order, q, page, json. What is unknown is passed over. */
void listing_query(struct listing *l, struct hail_slice query);
/* Reads the folder. 0 or -errno. */
int listing_read(struct listing *l);
void listing_free(struct listing *l);

/* 0, -ENOMEM, -EMSGSIZE. */
int listing_page(struct hail_buf *out, const struct listing *l);
int listing_json(struct hail_buf *out, const struct listing *l);
/* Nothing where there is no README, or it cannot be shown. */
void listing_readme(struct hail_buf *out, const struct listing *l);

/* assets.c */
extern const char serve_listing_css[] __attribute__((visibility("hidden")));
extern const char serve_listing_js[] __attribute__((visibility("hidden")));
extern const char serve_reload_js[] __attribute__((visibility("hidden")));

#endif
