/* filter.c - the language of filters: recursive descent into a tree; diag/filter.h has the grammar.
 */
#include "diag/filter.h"
#include "base/error.h"
#include "base/text.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct parser {
    struct hail_ctx *ctx;
    struct hail_filter_lex lex;
    struct hail_socket_filter *f;
    int depth;
};

static const struct {
    const char *name;
    enum hail_filter_field field;
} fields[] = {
    {"src", HAIL_FIELD_SRC},
    {"dst", HAIL_FIELD_DST},
    {"sport", HAIL_FIELD_SPORT},
    {"dport", HAIL_FIELD_DPORT},
    {"recv-q", HAIL_FIELD_RECV_Q},
    {"send-q", HAIL_FIELD_SEND_Q},
    {"inode", HAIL_FIELD_INODE},
    {"pid", HAIL_FIELD_PID},
    {"state", HAIL_FIELD_STATE},
    {"exclude", HAIL_FIELD_STATE},
    {"dev", HAIL_FIELD_INTERFACE},
    {"interface", HAIL_FIELD_INTERFACE},
    {"user", HAIL_FIELD_USER},
    {"process", HAIL_FIELD_PROCESS},
    {"netns", HAIL_FIELD_NETNS},
    {"cgroup", HAIL_FIELD_CGROUP},
    {"fwmark", HAIL_FIELD_MARK},
    {"family", HAIL_FIELD_FAMILY},
    {"autobound", HAIL_FIELD_AUTOBOUND},
};

/* How a comparison reads: which of below, equal and above are true. */
enum { BELOW = 1, EQUAL = 2, ABOVE = 4 };

static const struct {
    const char *word;
    int holds;
} operators[] = {
    {"=", EQUAL},           {"==", EQUAL},          {"eq", EQUAL},         {"!=", BELOW | ABOVE},
    {"ne", BELOW | ABOVE},  {"neq", BELOW | ABOVE}, {">", ABOVE},          {"gt", ABOVE},
    {"<", BELOW},           {"lt", BELOW},          {">=", ABOVE | EQUAL}, {"ge", ABOVE | EQUAL},
    {"geq", ABOVE | EQUAL}, {"<=", BELOW | EQUAL},  {"le", BELOW | EQUAL}, {"leq", BELOW | EQUAL},
};

static int bad(struct parser *p, const char *what)
{
    return hail_filter_bad(p->ctx, &p->lex, "%s", what);
}

static int no_memory(struct hail_ctx *ctx)
{
    return hail_fail(ctx, HAIL_LAYER_LOCAL, ENOMEM, "filter", "filter: out of memory");
}

static bool at(const struct parser *p, const char *word)
{
    return hail_filter_is(&p->lex, word);
}

static int add(struct parser *p, struct hail_filter_node node)
{
    if (p->f->n == HAIL_FILTER_NODES_MAX) {
        free(node.term);
        return bad(p, "is one condition too many");
    }
    p->f->node[p->f->n] = node;
    return p->f->n++;
}

/* --- a condition --- */

/* The operator at hand: bits of BELOW, EQUAL and ABOVE, or 0 for none. */
static int operator_at(const struct parser *p)
{
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++)
        if (at(p, operators[i].word))
            return operators[i].holds;
    return 0;
}

/* From a value and an operator to a range and whether it is turned round. */
static int narrow(struct parser *p, struct hail_filter_term *t, int holds, uint64_t most)
{
    bool range = t->low != t->high;
    if (range && holds != EQUAL && holds != (BELOW | ABOVE))
        return bad(p, "is a range, which only = and != take");
    t->unequal = holds == (BELOW | ABOVE);
    if (holds == ABOVE || holds == (ABOVE | EQUAL)) {
        t->unequal = holds == ABOVE && t->low == most; /* nothing is above */
        t->low += holds == ABOVE && t->low < most;
        t->high = most;
        if (t->unequal)
            t->low = 0;
    } else if (holds == BELOW || holds == (BELOW | EQUAL)) {
        t->unequal = holds == BELOW && t->low == 0; /* nothing is below */
        t->high -= holds == BELOW && t->high > 0;
        t->low = 0;
        if (t->unequal)
            t->high = most;
    }
    return 0;
}

static int number_value(struct parser *p, struct hail_filter_term *t, int holds)
{
    int rc;
    bool port = t->field == HAIL_FIELD_SPORT || t->field == HAIL_FIELD_DPORT;
    if (port) {
        rc = hail_filter_port_value(p->ctx, &p->lex, &t->low, &t->high);
    } else {
        rc = hail_filter_number_value(p->ctx, &p->lex, &t->low);
        t->high = t->low;
    }
    return rc < 0 ? rc : narrow(p, t, holds, port ? UINT16_MAX : UINT32_MAX);
}

static int value(struct parser *p, struct hail_filter_term *t, int holds)
{
    struct hail_ctx *ctx = p->ctx;
    struct hail_filter_lex *l = &p->lex;
    t->unequal = holds == (BELOW | ABOVE);
    switch (t->field) {
    case HAIL_FIELD_SRC:
    case HAIL_FIELD_DST:
        return hail_filter_host_value(ctx, l, t);
    case HAIL_FIELD_STATE:
        p->f->named = true;
        return hail_filter_states_value(ctx, l, &t->states);
    case HAIL_FIELD_USER:
        return hail_filter_user_value(ctx, l, &t->low);
    case HAIL_FIELD_FAMILY:
        return hail_filter_family_value(ctx, l, &t->low);
    case HAIL_FIELD_MARK:
        p->f->wants |= HAIL_HAS_OPTIONS;
        return hail_filter_mark_value(ctx, l, t);
    case HAIL_FIELD_CGROUP:
        p->f->wants |= HAIL_HAS_CGROUP;
        return hail_filter_text_value(ctx, l, t);
    case HAIL_FIELD_PROCESS:
        p->f->wants_holders = true;
        return hail_filter_text_value(ctx, l, t);
    case HAIL_FIELD_INTERFACE: {
        int rc = hail_filter_text_value(ctx, l, t);
        t->low = rc < 0 ? 0 : if_nametoindex(t->text);
        return rc < 0 || t->low ? rc : bad(p, "is no interface here");
    }
    case HAIL_FIELD_NETNS:
        return hail_filter_text_value(ctx, l, t);
    case HAIL_FIELD_PID:
        p->f->wants_holders = true;
        return number_value(p, t, holds);
    default:
        return number_value(p, t, holds);
    }
}

/* Whether the operator may be left out: "src 10.0.0.0/8", "state listening". */
static bool bare(enum hail_filter_field field)
{
    return field == HAIL_FIELD_SRC || field == HAIL_FIELD_DST || field == HAIL_FIELD_STATE;
}

static bool ordered(enum hail_filter_field field)
{
    return field >= HAIL_FIELD_SPORT && field <= HAIL_FIELD_PID;
}

static int comparison(struct parser *p, struct hail_filter_term *t)
{
    int holds = operator_at(p);
    if (!holds && !bare(t->field))
        return bad(p, p->lex.len ? "stands where an operator belongs (=, !=, >, ...)"
                                 : "an operator is missing");
    if (holds && holds != EQUAL && holds != (BELOW | ABOVE) && !ordered(t->field))
        return bad(p, "does not go with this field: only = and != do");
    if (holds)
        hail_filter_next(&p->lex);
    if (p->lex.len == 0 || operator_at(p) || at(p, "(") || at(p, ")"))
        return bad(p, p->lex.len ? "stands where a value belongs" : "a value is missing");
    int rc = value(p, t, holds ? holds : EQUAL);
    if (rc == 0)
        hail_filter_next(&p->lex);
    return rc;
}

static int no_field(struct parser *p)
{
    const char *names[sizeof fields / sizeof *fields + 1] = {NULL};
    char typo[16];
    if (!p->lex.len)
        return bad(p, "a condition is missing");
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        names[i] = fields[i].name;
    snprintf(typo, sizeof typo, "%.*s", (int)p->lex.len, p->lex.word);
    const char *meant = hail_text_nearest(typo, names);
    if (meant)
        return hail_filter_bad(p->ctx, &p->lex, "is no field; did you mean '%s'?", meant);
    return bad(p, "is no field (src, dst, sport, dport, state, process, pid, user, cgroup, "
                  "interface, ...)");
}

static int condition(struct parser *p)
{
    size_t i = 0, n = sizeof fields / sizeof *fields;
    while (i < n && !at(p, fields[i].name))
        i++;
    if (i == n)
        return no_field(p);
    struct hail_filter_term *t = calloc(1, sizeof *t);
    if (!t)
        return no_memory(p->ctx);
    t->field = fields[i].field;
    hail_filter_next(&p->lex);
    int rc = 0;
    if (t->field == HAIL_FIELD_AUTOBOUND)
        hail_filter_autobound_value(t);
    else
        rc = comparison(p, t);
    if (rc < 0) {
        free(t);
        return rc;
    }
    if (strcmp(fields[i].name, "exclude") == 0)
        t->unequal = !t->unequal;
    return add(p, (struct hail_filter_node){.op = HAIL_FILTER_TERM, .term = t});
}

/* --- expressions; each returns the place of its node, or -errno --- */

/* NOLINTBEGIN(misc-no-recursion): HAIL_FILTER_DEPTH_MAX bounds it */

static int expr(struct parser *p);

static int factor(struct parser *p)
{
    int node;
    if (++p->depth > HAIL_FILTER_DEPTH_MAX)
        return bad(p, "is nested too deeply");
    if (at(p, "not") || at(p, "!")) {
        hail_filter_next(&p->lex);
        node = factor(p);
        if (node >= 0)
            node = add(p, (struct hail_filter_node){.op = HAIL_FILTER_NOT, .left = (short)node});
    } else if (at(p, "(")) {
        hail_filter_next(&p->lex);
        node = expr(p);
        if (node >= 0 && !at(p, ")"))
            return bad(p, p->lex.len ? "stands where a ')' belongs" : "a ')' is missing");
        if (node >= 0)
            hail_filter_next(&p->lex);
    } else {
        node = condition(p);
    }
    p->depth--;
    return node;
}

static bool skip(struct parser *p, const char *word, const char *two, const char *one)
{
    bool there = at(p, word) || at(p, two) || at(p, one);
    if (there)
        hail_filter_next(&p->lex);
    return there;
}

static bool ends_term(const struct parser *p)
{
    return p->lex.len == 0 || at(p, ")") || at(p, "or") || at(p, "||") || at(p, "|");
}

/* "and" or "or", in any spelling. */
static bool joins(const struct parser *p)
{
    static const char *const words[] = {"and", "&&", "&", "or", "||", "|"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (at(p, words[i]))
            return true;
    return false;
}

static int term(struct parser *p)
{
    int left = factor(p);
    while (left >= 0 && (skip(p, "and", "&&", "&") || !ends_term(p))) {
        int right = factor(p);
        left = right < 0
                   ? right
                   : add(p, (struct hail_filter_node){
                                .op = HAIL_FILTER_AND, .left = (short)left, .right = (short)right});
    }
    return left;
}

static int expr(struct parser *p)
{
    int left = term(p);
    while (left >= 0 && skip(p, "or", "||", "|")) {
        int right = term(p);
        left = right < 0
                   ? right
                   : add(p, (struct hail_filter_node){
                                .op = HAIL_FILTER_OR, .left = (short)left, .right = (short)right});
    }
    return left;
}

/* NOLINTEND(misc-no-recursion) */

/* ss's words before the expression: "state a state b" is either, "exclude c" neither. */
static int states(struct parser *p)
{
    uint32_t with = 0, without = 0, bits;
    const struct hail_filter_lex first = p->lex;
    while (at(p, "state") || at(p, "exclude")) {
        bool exclude = at(p, "exclude");
        hail_filter_next(&p->lex);
        if (operator_at(p)) { /* "state = x" is a condition, and so are those before it */
            p->lex = first;
            return 0;
        }
        int rc = hail_filter_states_value(p->ctx, &p->lex, &bits);
        if (rc < 0)
            return rc;
        *(exclude ? &without : &with) |= bits;
        p->f->named = true;
        hail_filter_next(&p->lex);
        if (joins(p)) { /* part of an expression after all */
            p->lex = first;
            return 0;
        }
    }
    if (with || without)
        p->f->states = (with ? with : p->f->states) & ~without;
    return 0;
}

int hail_socket_filter_parse(struct hail_ctx *ctx, const char *text,
                             struct hail_socket_filter **out)
{
    struct parser p = {.ctx = ctx, .lex = {.text = text, .p = text}};
    p.f = calloc(1, sizeof *p.f);
    if (!p.f)
        return no_memory(ctx);
    p.f->root = -1;
    p.f->states = HAIL_STATES_ALL | 1u << HAIL_BOUND;
    hail_filter_next(&p.lex);
    int rc = states(&p);
    if (rc == 0 && p.lex.len)
        rc = p.f->root = expr(&p);
    if (rc >= 0 && p.lex.len)
        rc = bad(&p, "is one too many");
    if (rc < 0) {
        hail_socket_filter_free(p.f);
        return rc;
    }
    *out = p.f;
    return 0;
}

void hail_socket_filter_free(struct hail_socket_filter *filter)
{
    for (int i = 0; filter && i < filter->n; i++)
        free(filter->node[i].term);
    free(filter);
}
