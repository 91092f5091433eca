/* filter_code.c - the kernel's part of a filter, as a program for INET_DIAG_REQ_BYTECODE;
 * diag/filter.h.
 *
 * A piece of code of n bytes is true when it runs to its end, and false when it jumps 4 bytes
 * behind it. So pieces join without knowing of each other:
 *
 *   a and b    a b                a's "behind the end" moves to b's
 *   a or b     a JMP(over b) b    behind a's end is b
 *   not a      a JMP(behind)      behind a's end is the end
 *
 * Negations are pushed down to the conditions first. Then one that the kernel cannot decide may be
 * taken as true wherever it stands, and the program lets through too much, never too little.
 */
#include "diag/filter.h"

#include <linux/inet_diag.h>
#include <string.h>

#define BEHIND 4 /* bytes behind the end: false */

struct code {
    unsigned char v[HAIL_BYTECODE_MAX];
    size_t n;
    bool full; /* it did not fit */
};

static void put(struct code *c, const void *data, size_t n)
{
    c->full |= c->n + n > sizeof c->v; /* and stays so: no smaller piece may follow a lost one */
    if (c->full)
        return;
    memcpy(c->v + c->n, data, n);
    c->n += n;
}

static void put_op(struct code *c, unsigned code, size_t yes, size_t no)
{
    struct inet_diag_bc_op op = {(unsigned char)code, (unsigned char)yes, (unsigned short)no};
    put(c, &op, sizeof op);
}

/* Every jump of the piece from `from` to its end that goes behind it goes `by` bytes further. */
static void move_exits(struct code *c, size_t from, size_t end, size_t by)
{
    while (from < end) {
        struct inet_diag_bc_op op;
        memcpy(&op, c->v + from, sizeof op);
        if (op.no == end - from + BEHIND) {
            op.no = (unsigned short)(op.no + by);
            memcpy(c->v + from, &op, sizeof op);
        }
        from += op.yes;
    }
}

static void negate(struct code *c)
{
    put_op(c, INET_DIAG_BC_JMP, 4, 8);
}

/* --- conditions --- */

static void port_op(struct code *c, unsigned code, uint64_t port)
{
    put_op(c, code, 8, 8 + BEHIND);
    put_op(c, INET_DIAG_BC_NOP, 0, port); /* the operand: a port in `no` */
}

static void ports(struct code *c, const struct hail_filter_term *t)
{
    bool source = t->field != HAIL_FIELD_DPORT;
    size_t from = c->n;
    port_op(c, source ? INET_DIAG_BC_S_GE : INET_DIAG_BC_D_GE, t->low);
    size_t middle = c->n;
    port_op(c, source ? INET_DIAG_BC_S_LE : INET_DIAG_BC_D_LE, t->high);
    move_exits(c, from, middle, c->n - middle);
}

static void host(struct code *c, const struct hail_filter_term *t)
{
    struct inet_diag_hostcond cond = {.family = (unsigned char)t->host.family,
                                      .prefix_len = (unsigned char)t->host.bits,
                                      .port = t->host.port};
    size_t size = t->host.family == AF_INET ? 4 : t->host.family == AF_INET6 ? 16 : 0;
    size_t n = sizeof cond + size;
    put_op(c, t->field == HAIL_FIELD_SRC ? INET_DIAG_BC_S_COND : INET_DIAG_BC_D_COND, 4 + n,
           4 + n + BEHIND);
    put(c, &cond, sizeof cond);
    put(c, t->host.bytes, size);
}

static void interface(struct code *c, const struct hail_filter_term *t)
{
    uint32_t index = (uint32_t)t->low;
    put_op(c, INET_DIAG_BC_DEV_COND, 8, 8 + BEHIND);
    put(c, &index, sizeof index);
}

static bool decides(const struct hail_filter_term *t)
{
    switch (t->field) {
    case HAIL_FIELD_SRC:
    case HAIL_FIELD_DST:
        return (!t->host.family || t->host.family == AF_INET || t->host.family == AF_INET6) &&
               !t->host.localhost;
    case HAIL_FIELD_SPORT:
    case HAIL_FIELD_DPORT:
    case HAIL_FIELD_AUTOBOUND:
    case HAIL_FIELD_INTERFACE:
        return true;
    default:
        return false;
    }
}

/* --- the tree --- */

/* Appends the node; false: nothing was appended, it may be true always. */
/* NOLINTNEXTLINE(misc-no-recursion): as deep as the tree, HAIL_FILTER_NODES_MAX at most */
static bool compile(struct code *c, const struct hail_socket_filter *f, int i, bool negated)
{
    const struct hail_filter_node *n = &f->node[i];
    size_t from = c->n;
    if (n->op == HAIL_FILTER_NOT)
        return compile(c, f, n->left, !negated);
    if (n->op == HAIL_FILTER_TERM) {
        if (!decides(n->term))
            return false;
        if (n->term->field == HAIL_FIELD_INTERFACE)
            interface(c, n->term);
        else if (n->term->field == HAIL_FIELD_SRC || n->term->field == HAIL_FIELD_DST)
            host(c, n->term);
        else
            ports(c, n->term);
        if (n->term->unequal != negated)
            negate(c);
        return true;
    }
    if ((n->op == HAIL_FILTER_AND) != negated) {
        bool left = compile(c, f, n->left, negated);
        size_t middle = c->n;
        bool right = compile(c, f, n->right, negated);
        if (left && right)
            move_exits(c, from, middle, c->n - middle);
        return left || right;
    }
    bool both = compile(c, f, n->left, negated);
    size_t jump = c->n;
    put_op(c, INET_DIAG_BC_JMP, 4, 4);
    both = both && compile(c, f, n->right, negated);
    if (!both) {
        c->n = from;
        return false;
    }
    unsigned short over = (unsigned short)(c->n - jump);
    if (!c->full)
        memcpy(c->v + jump + offsetof(struct inet_diag_bc_op, no), &over, sizeof over);
    return true;
}

size_t hail_filter_bytecode(const struct hail_socket_filter *filter, void *out, size_t size)
{
    struct code c = {.n = 0};
    if (filter->root < 0 || !compile(&c, filter, filter->root, false) || c.full || c.n > size)
        return 0;
    memcpy(out, c.v, c.n);
    return c.n;
}
