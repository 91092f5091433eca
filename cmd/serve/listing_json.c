/* listing_json.c - a folder as a JSON document, schema hail.listing/1. */
#include "listing.h"

#include <hail/url.h>

#include "base/json.h"

#include <string.h>

int listing_json(struct hail_buf *out, const struct listing *l)
{
    struct hail_json j = {.out = out};
    hail_json_object(&j, NULL);
    hail_json_str(&j, "schema", "hail.listing/1");
    hail_json_bytes(&j, "path", l->path, strlen(l->path));
    hail_json_int(&j, "folders", (int64_t)l->folders);
    hail_json_int(&j, "files", (int64_t)(l->n - l->folders));
    hail_json_bool(&j, "complete", !l->more);
    hail_json_array(&j, "entries");
    for (size_t i = 0; i < l->n && !out->failed; i++) {
        const struct listing_entry *e = &l->v[i];
        char href[1024] = "./", when[32];
        struct tm tm;
        time_t at = (time_t)e->modified;
        size_t n = strlen(e->name);
        hail_json_object(&j, NULL);
        hail_json_bytes(&j, "name", e->name, n);
        hail_json_str(&j, "kind", e->folder ? "folder" : "file");
        if (hail_url_encode_path((struct hail_slice){e->name, n}, href + 2, sizeof href - 3) >= 0)
            hail_json_str(&j, "href", e->folder ? strcat(href, "/") : href);
        if (!e->folder)
            hail_json_int(&j, "size", (int64_t)e->size);
        if (gmtime_r(&at, &tm)) {
            when[strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &tm)] = '\0';
            hail_json_str(&j, "modified", when);
        }
        hail_json_end_object(&j);
    }
    hail_json_end_array(&j);
    hail_json_end_object(&j);
    hail_buf_char(out, '\n');
    return out->failed;
}
