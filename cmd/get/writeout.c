/* writeout.c - -w: a line of the user's own about a job, curl's way.
 *
 *     %{http_code} %{json} %{header_json} %header{Name} %{stdout} %{stderr} %{onerror} %% \n \t \r
 */
#include "writeout.h"

#include "base/text.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

/* What a server may have written: a terminal gets it made safe, a program byte for byte. */
static void put_text(FILE *f, const char *p, size_t n)
{
    struct hail_buf b;
    if (!isatty(fileno(f))) {
        fwrite(p, 1, n, f);
        return;
    }
    hail_buf_init(&b, 4 << 20);
    if (hail_text_safe(&b, p, n, true) == 0 && b.len)
        fwrite(b.p, 1, b.len, f);
    hail_buf_free(&b);
}

/* Micro- as seconds, six digits. */
static void put_seconds(FILE *f, int64_t us)
{
    fprintf(f, "%" PRId64 ".%06" PRId64, us / 1000000, us % 1000000);
}

static void put_value(FILE *f, const char *name, const struct get_value *v)
{
    static const char *const codes[] = {"http_code", "response_code", "http_connect"};
    switch (v->kind) {
    case GET_TEXT:
        put_text(f, v->text ? v->text : "", v->text ? strlen(v->text) : 0);
        break;
    case GET_TIME:
        put_seconds(f, v->number);
        break;
    default:
        for (size_t i = 0; i < 3; i++)
            if (strncmp(name, codes[i], strlen(codes[i])) == 0) {
                fprintf(f, "%03" PRId64, v->number);
                return;
            }
        fprintf(f, "%" PRId64, v->number);
    }
}

/* --- %{json}, %{header_json}, %header{} --- */

static void put_all(FILE *f, const struct get_session *s, const struct get_job *j)
{
    struct hail_buf b;
    struct hail_json w = {.out = &b};
    struct get_value v;
    hail_buf_init(&b, 1 << 20);
    hail_json_object(&w, NULL);
    const char *name;
    for (size_t i = 0; (name = get_variable(i)); i++) {
        get_value(s, j, name, strlen(name), &v);
        if (v.kind == GET_NUMBER)
            hail_json_int(&w, name, v.number);
        else if (v.kind == GET_TIME)
            hail_json_seconds(&w, name, v.number * 1000);
        else if (v.text)
            hail_json_str(&w, name, v.text);
        else
            hail_json_null(&w, name);
    }
    hail_json_end_object(&w);
    if (!b.failed)
        fwrite(b.p, 1, b.len, f);
    hail_buf_free(&b);
}

/* The fields of the last response: parsed again from its bytes. */
static bool parse(const struct get_job *j, struct hail_http_head *head,
                  struct hail_http_field *rows)
{
    const struct get_hop *h = get_last(j);
    hail_http_head_init(head, rows, GET_FIELDS, NULL);
    return h && h->head &&
           hail_http_response_parse(head, hail_http_method(hail_slice(h->method)), h->head,
                                    h->head_size) > 0;
}

/* {"name":["value",...],...}, names in lower case, each once. */
static void put_headers(FILE *f, const struct get_job *j)
{
    struct hail_http_field rows[GET_FIELDS];
    struct hail_http_head head;
    struct hail_buf b;
    struct hail_json w = {.out = &b};
    hail_buf_init(&b, 4 << 20);
    hail_json_object(&w, NULL);
    bool there = parse(j, &head, rows);
    for (size_t i = 0; there && i < head.fields.n; i++) {
        char name[256];
        struct hail_slice n = rows[i].name;
        if (n.n >= sizeof name)
            continue;
        for (size_t k = 0; k < n.n; k++)
            name[k] = n.p[k] >= 'A' && n.p[k] <= 'Z' ? (char)(n.p[k] | 0x20) : n.p[k];
        name[n.n] = '\0';
        if (hail_http_field(&head.fields, name, NULL) != &rows[i])
            continue;
        hail_json_array(&w, name);
        for (const struct hail_http_field *v = &rows[i]; v;
             v = hail_http_field(&head.fields, name, v))
            hail_json_strn(&w, NULL, v->value.p, v->value.n);
        hail_json_end_array(&w);
    }
    hail_json_end_object(&w);
    if (!b.failed)
        fwrite(b.p, 1, b.len, f);
    hail_buf_free(&b);
}

static void put_header(FILE *f, const struct get_job *j, const char *name, size_t n)
{
    struct hail_http_field rows[GET_FIELDS];
    struct hail_http_head head;
    char text[256];
    if (n >= sizeof text || !parse(j, &head, rows))
        return;
    memcpy(text, name, n);
    text[n] = '\0';
    const struct hail_http_field *v = hail_http_field(&head.fields, text, NULL);
    if (v)
        put_text(f, v->value.p, v->value.n);
}

/* --- the format --- */

/* What "%{" names; *f is where it goes from then on. False: the format is over. */
static bool put_named(FILE **f, const struct get_session *s, const struct get_job *j,
                      const char *name, size_t n)
{
    struct hail_slice word = {name, n};
    struct get_value v;
    if (hail_slice_is(word, "json")) {
        put_all(*f, s, j);
    } else if (hail_slice_is(word, "header_json")) {
        put_headers(*f, j);
    } else if (hail_slice_is(word, "stdout") || hail_slice_is(word, "stderr")) {
        *f = word.p[3] == 'o' ? stdout : stderr;
    } else if (hail_slice_is(word, "onerror")) {
        return j->status != 0;
    } else if (get_value(s, j, name, n, &v)) {
        put_value(*f, name, &v);
    } else {
        fprintf(stderr, "hail: get: -w: there is no variable '%.*s'\n", (int)n, name);
    }
    return true;
}

static const char *escape(FILE *f, const char *p)
{
    switch (p[1]) {
    case 'n':
    case 'r':
    case 't':
        fputc(p[1] == 'n' ? '\n' : p[1] == 'r' ? '\r' : '\t', f);
        return p + 2;
    case '\0':
        fputc('\\', f);
        return p + 1;
    default:
        fputc('\\', f);
        fputc(p[1], f);
        return p + 2;
    }
}

static void put_format(const struct get_session *s, const struct get_job *j, const char *p)
{
    FILE *f = stdout;
    while (*p) {
        const char *close = strchr(p, '}');
        if (*p == '%' && p[1] == '%') {
            fputc('%', f);
            p += 2;
        } else if (*p == '%' && p[1] == '{' && close) {
            if (!put_named(&f, s, j, p + 2, (size_t)(close - p - 2)))
                return;
            p = close + 1;
        } else if (strncmp(p, "%header{", 8) == 0 && close) {
            put_header(f, j, p + 8, (size_t)(close - p - 8));
            p = close + 1;
        } else if (*p == '\\') {
            p = escape(f, p);
        } else {
            fputc(*p++, f);
        }
    }
}

/* A line of the file ends where it says \n, as with curl. */
int get_writeout_load(void)
{
    struct get_asked *a = &get_asked;
    struct hail_buf b;
    if (!a->writeout || *a->writeout != '@')
        return 0;
    hail_buf_init(&b, 1 << 20);
    int status = get_slurp(a->writeout + 1, &b);
    get_join_lines(&b);
    if (status == 0 && hail_buf_char(&b, '\0') < 0)
        status = local_error("read", a->writeout + 1, -b.failed);
    if (status) {
        hail_buf_free(&b);
        return status;
    }
    a->writeout = b.p;
    return get_keep(b.p);
}

void get_writeout(struct get_session *s, const struct get_job *j)
{
    put_format(s, j, s->asked->writeout);
    fflush(stdout);
}
