/* fuzz_filter.c - any text as a filter: it is refused with a message, or it is compiled so that the
 * kernel takes the program, and answers for any row. */
#include "diag/filter.h"

#include <linux/inet_diag.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the kernel asks of a program before it runs it: every jump goes forward, by words, to an
 * instruction, to the end, or right behind the end. */
static void audit(const unsigned char *code, size_t n)
{
    static unsigned char begins[HAIL_BYTECODE_MAX + 8];
    memset(begins, 0, sizeof begins);
    struct inet_diag_bc_op op;
    for (size_t at = 0; at < n; at += op.yes) {
        if (n - at < sizeof op)
            abort();
        memcpy(&op, code + at, sizeof op);
        if (op.yes < sizeof op || op.yes % 4 || at + op.yes > n)
            abort();
        begins[at] = 1;
    }
    begins[n] = begins[n + 4] = 1;
    for (size_t at = 0; at < n; at += op.yes) {
        memcpy(&op, code + at, sizeof op);
        if (op.no < sizeof op || op.no % 4 || at + op.no > n + 4 || !begins[at + op.no])
            abort();
    }
}

static void ask(const struct hail_socket_filter *f)
{
    static unsigned char code[HAIL_BYTECODE_MAX];
    struct hail_socket_info row = {.family = AF_INET6, .state = HAIL_ESTABLISHED, .inode = 7};
    bool named;
    row.local.len = row.peer.len = sizeof row.local.u.in6;
    row.local.u.in6.sin6_family = row.peer.u.in6.sin6_family = AF_INET6;
    audit(code, hail_filter_bytecode(f, code, sizeof code));
    bool fits = hail_socket_filter_match(f, &row, NULL);
    if (fits && !(hail_socket_filter_states(f, &named) >> row.state & 1))
        abort();
    row = (struct hail_socket_info){
        .family = AF_UNIX, .state = HAIL_CLOSE, .name = "/run/x", .name_len = 6};
    hail_socket_filter_match(f, &row, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hail_ctx ctx = HAIL_CTX_INIT;
    struct hail_socket_filter *f;
    char *text = malloc(size + 1);
    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    if (hail_socket_filter_parse(&ctx, text, &f) == 0) {
        ask(f);
        hail_socket_filter_free(f);
    } else if (!strstr(ctx.err.msg, "filter, ")) {
        abort();
    }
    free(text);
    return 0;
}
