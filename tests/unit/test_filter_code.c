/* test_filter_code.c - the kernel's part of a filter (INET_DIAG_REQ_BYTECODE), run here as the
 * kernel runs it (net/ipv4/inet_diag.c), against random rows and random filters: it lets through
 * every row that fits, and no other when the filter holds only what the kernel decides. */
#include "diag/filter.h"

#include <hail/hail.h>

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define ROWS    40
#define FILTERS 4000

static struct hail_socket_info rows[ROWS];
static unsigned seed = 20261;

static unsigned below(unsigned n)
{
    return (unsigned)rand_r(&seed) % n;
}

#define PICK(list) (list)[below(sizeof(list) / sizeof *(list))]

/* --- the kernel's side --- */

static bool bits_match(const unsigned char *a, const unsigned char *b, unsigned bits)
{
    for (unsigned i = 0; i < bits; i++)
        if ((a[i / 8] ^ b[i / 8]) & 0x80 >> i % 8)
            return false;
    return true;
}

static const unsigned char *bytes_of(const struct hail_addr *a)
{
    return a->u.sa.sa_family == AF_INET ? (const void *)&a->u.in4.sin_addr
                                        : (const void *)&a->u.in6.sin6_addr;
}

static bool host_matches(const unsigned char *operand, const struct hail_socket_info *row,
                         const struct hail_addr *a)
{
    static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
    struct inet_diag_hostcond cond;
    memcpy(&cond, operand, sizeof cond);
    const unsigned char *wanted = operand + sizeof cond, *bytes = bytes_of(a);
    if (cond.port != -1 && cond.port != hail_addr_port(a))
        return false;
    if (cond.family != AF_UNSPEC && cond.family != row->family)
        return row->family == AF_INET6 && cond.family == AF_INET &&
               memcmp(bytes, mapped, sizeof mapped) == 0 &&
               bits_match(bytes + 12, wanted, cond.prefix_len);
    return bits_match(bytes, wanted, cond.prefix_len);
}

static bool holds(const struct inet_diag_bc_op *op, const unsigned char *operand,
                  const struct hail_socket_info *row)
{
    struct inet_diag_bc_op second;
    uint32_t index;
    memcpy(&second, operand, sizeof second);
    memcpy(&index, operand, sizeof index);
    unsigned sport = hail_addr_port(&row->local), dport = hail_addr_port(&row->peer);
    switch (op->code) {
    case INET_DIAG_BC_JMP:
        return false;
    case INET_DIAG_BC_S_GE:
        return sport >= second.no;
    case INET_DIAG_BC_S_LE:
        return sport <= second.no;
    case INET_DIAG_BC_D_GE:
        return dport >= second.no;
    case INET_DIAG_BC_D_LE:
        return dport <= second.no;
    case INET_DIAG_BC_S_COND:
        return host_matches(operand, row, &row->local);
    case INET_DIAG_BC_D_COND:
        return host_matches(operand, row, &row->peer);
    case INET_DIAG_BC_DEV_COND:
        return row->interface == index;
    default:
        fail_msg("an instruction that nobody writes: %d", op->code);
        return false;
    }
}

static bool run(const unsigned char *code, size_t n, const struct hail_socket_info *row)
{
    unsigned char padded[HAIL_BYTECODE_MAX + 8] = {0}; /* a jump at the end has no operand */
    long left = (long)n;
    memcpy(padded, code, n);
    for (const unsigned char *at = padded; left > 0;) {
        struct inet_diag_bc_op op;
        memcpy(&op, at, sizeof op);
        unsigned by = holds(&op, at + sizeof op, row) ? op.yes : op.no;
        assert_true(by >= sizeof op && by % 4 == 0);
        left -= by;
        at += by;
    }
    assert_true(left == 0 || left == -4);
    return left == 0;
}

/* The kernel's look at a program before it runs it: a jump leads to an instruction or the end. */
static bool leads(const unsigned char *code, long n, long to)
{
    long at = 0;
    while (at < n && at < to) {
        struct inet_diag_bc_op op;
        memcpy(&op, code + at, sizeof op);
        at += op.yes;
    }
    return at == to;
}

static void audit(const unsigned char *code, size_t n)
{
    struct inet_diag_bc_op op;
    for (size_t at = 0; at < n; at += op.yes) {
        memcpy(&op, code + at, sizeof op);
        size_t to = at + op.no;
        assert_true(op.yes >= 4 && op.yes % 4 == 0 && at + op.yes <= n);
        assert_true(op.no >= 4 && op.no % 4 == 0 && to <= n + 4);
        assert_true(to >= n || leads(code, (long)n, (long)to));
    }
}

/* --- random rows, random filters --- */

static void make_rows(void)
{
    static const char *const hosts[] = {"10.1.2.3",
                                        "10.200.0.1",
                                        "127.0.0.1",
                                        "0.0.0.0",
                                        "192.0.2.77",
                                        "::",
                                        "::1",
                                        "::ffff:10.1.2.3",
                                        "fd00::1",
                                        "2001:db8::a:b:c",
                                        "::ffff:127.0.0.1",
                                        "fe80::2"};
    static const uint16_t ports[] = {0, 22, 79, 80, 81, 443, 1023, 1024, 32768, 60999, 65535};
    for (size_t i = 0; i < ROWS; i++) {
        struct hail_socket_info *r = &rows[i];
        size_t v6 = below(2) ? 5 : 0, n = v6 ? 7 : 5;
        struct hail_addr *ends[] = {&r->local, &r->peer};
        r->family = v6 ? AF_INET6 : AF_INET;
        for (size_t k = 0; k < 2; k++) {
            const char *host = hosts[v6 + below((unsigned)n)];
            ends[k]->u.sa.sa_family = (sa_family_t)r->family;
            ends[k]->len = v6 ? sizeof ends[k]->u.in6 : sizeof ends[k]->u.in4;
            assert_int_equal(inet_pton(r->family, host, (void *)bytes_of(ends[k])), 1);
            hail_addr_set_port(ends[k], PICK(ports));
        }
        r->state = (enum hail_socket_state)(1 + below(HAIL_CLOSING));
        r->interface = below(2);
        r->uid = below(3);
        r->inode = below(1000);
    }
}

static void add(char *text, const char *word)
{
    strcat(text, " ");
    strcat(text, word);
}

static void add_condition(char *text, bool undecided)
{
    static const char *const fields[] = {"sport", "dport"};
    static const char *const operators[] = {"=", "!=", ">", "<", ">=", "<=", "ge", "neq"};
    static const char *const ports[] = {"0", ":22", "80", "https", "1024", "65535", "60999"};
    static const char *const ranges[] = {"= 22-80", "!= :80-1024", "= 0-65535", "= 1024-1024"};
    static const char *const ends[] = {"src", "dst", "src =", "dst !=", "src ne"};
    static const char *const hosts[] = {"*",
                                        "10.0.0.0/8",
                                        "10.1.2.3/32",
                                        "0.0.0.0/0",
                                        "[::]/0",
                                        "[fd00::]/7",
                                        "[::1]:443",
                                        "*:80",
                                        "127.0.0.1/9:22",
                                        "inet:*",
                                        "inet6:*:80",
                                        ":1024",
                                        "[::ffff:0.0.0.0]/96"};
    static const char *const other[] = {"user = 1",        "inode > 500",   "state = listening",
                                        "dst = localhost", "exclude close", "interface != lo",
                                        "family = inet",   "recv-q = 0",    "pid != 3"};
    unsigned kind = below(undecided ? 5 : 4);
    if (kind == 0) {
        add(text, PICK(fields));
        add(text, PICK(operators));
        add(text, PICK(ports));
    } else if (kind == 1) {
        add(text, PICK(fields));
        add(text, PICK(ranges));
    } else if (kind == 2) {
        add(text, PICK(ends));
        add(text, PICK(hosts));
    } else if (kind == 3) {
        add(text, below(2) ? "dev = lo" : "autobound");
    } else {
        add(text, PICK(other));
    }
}

/* NOLINTNEXTLINE(misc-no-recursion): `depth` bounds it */
static void add_expression(char *text, unsigned depth, bool undecided)
{
    static const char *const joins[] = {"and", "or", "&&", "||", ""};
    if (depth == 0 || below(5) == 0) {
        add_condition(text, undecided);
        return;
    }
    if (below(3) == 0)
        add(text, below(2) ? "not" : "!");
    add(text, "(");
    add_expression(text, depth - 1, undecided);
    add(text, PICK(joins));
    add_expression(text, depth - 1, undecided);
    add(text, ")");
}

struct counts {
    unsigned programs, fitting, passed;
};

static void compare(const char *text, bool undecided, struct counts *counts)
{
    struct hail_ctx ctx = HAIL_CTX_INIT;
    struct hail_socket_filter *f;
    unsigned char code[HAIL_BYTECODE_MAX];
    if (hail_socket_filter_parse(&ctx, text, &f) != 0)
        fail_msg("'%s': %s", text, ctx.err.msg);
    size_t n = hail_filter_bytecode(f, code, sizeof code);
    audit(code, n);
    counts->programs += n > 0;
    for (size_t i = 0; i < ROWS; i++) {
        bool named, fits = hail_socket_filter_match(f, &rows[i], NULL);
        bool in_mask = hail_socket_filter_states(f, &named) >> rows[i].state & 1;
        bool passed = run(code, n, &rows[i]);
        if (fits && !(passed && in_mask))
            fail_msg("'%s' loses row %zu", text, i);
        if (!undecided && passed != fits)
            fail_msg("'%s' lets row %zu through", text, i);
        counts->fitting += fits;
        counts->passed += passed;
    }
    hail_socket_filter_free(f);
}

static void random_filters(bool undecided)
{
    struct counts counts = {0};
    make_rows();
    for (int i = 0; i < FILTERS; i++) {
        char text[4096] = "";
        add_expression(text, 1 + below(4), undecided);
        compare(text, undecided, &counts);
    }
    /* neither nothing nor everything: the comparison was one */
    assert_true(counts.fitting > FILTERS && counts.fitting < FILTERS * (ROWS - 1));
    assert_true(counts.programs > FILTERS / 4);
    assert_true(undecided ? counts.passed > counts.fitting : counts.programs == FILTERS);
}

static void test_decided(void **state)
{
    (void)state;
    random_filters(false);
}

static void test_undecided(void **state)
{
    (void)state;
    random_filters(true);
}

/* What does not fit is no program at all, rather than a part of one. */
static void test_too_long(void **state)
{
    (void)state;
    struct hail_ctx ctx = HAIL_CTX_INIT;
    struct hail_socket_filter *f;
    unsigned char code[HAIL_BYTECODE_MAX];
    char text[8192] = "src [::1]";
    for (int i = 1; i < 128; i++)
        strcat(text, " or src != [::1]:80");
    assert_int_equal(hail_socket_filter_parse(&ctx, text, &f), 0);
    assert_int_equal(hail_filter_bytecode(f, code, sizeof code), 0);
    hail_socket_filter_free(f);
    assert_int_equal(hail_socket_filter_parse(&ctx, "sport = 1", &f), 0);
    size_t n = hail_filter_bytecode(f, code, sizeof code);
    assert_true(n > 0);
    assert_int_equal(hail_filter_bytecode(f, code, n), n);
    assert_int_equal(hail_filter_bytecode(f, code, n - 1), 0);
    hail_socket_filter_free(f);
}

/* --- the real kernel --- */

struct question {
    struct nlmsghdr h;
    struct inet_diag_req_v2 inet;
    struct nlattr a;
    unsigned char code[HAIL_BYTECODE_MAX];
};

/* Asks for the TCP sockets in no state at all: only the program is looked at. 0 or -errno. */
static int submit(int fd, const unsigned char *code, size_t n)
{
    struct question q = {.inet = {.sdiag_family = AF_INET, .sdiag_protocol = IPPROTO_TCP},
                         .a = {.nla_type = INET_DIAG_REQ_BYTECODE}};
    char answer[8192];
    q.a.nla_len = (uint16_t)(sizeof q.a + n);
    memcpy(q.code, code, n);
    q.h = (struct nlmsghdr){.nlmsg_len = (uint32_t)(offsetof(struct question, code) + n),
                            .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                            .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP};
    assert_int_equal(send(fd, &q, q.h.nlmsg_len, 0), q.h.nlmsg_len);
    ssize_t got = recv(fd, answer, sizeof answer, 0);
    struct nlmsghdr h;
    int rc;
    assert_true(got >= (ssize_t)(sizeof h + sizeof rc));
    memcpy(&h, answer, sizeof h);
    memcpy(&rc, answer + sizeof h, sizeof rc);
    assert_true(h.nlmsg_type == NLMSG_ERROR || h.nlmsg_type == NLMSG_DONE);
    return rc;
}

static void test_kernel_takes_it(void **state)
{
    (void)state;
    static const unsigned char nonsense[] = {INET_DIAG_BC_JMP, 4, 6, 0};
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    assert_true(fd >= 0);
    int rc = submit(fd, nonsense, sizeof nonsense);
    for (int i = 0; i < 500 && rc == -EINVAL; i++) {
        struct hail_ctx ctx = HAIL_CTX_INIT;
        struct hail_socket_filter *f;
        unsigned char code[HAIL_BYTECODE_MAX];
        char text[4096] = "";
        add_expression(text, 1 + below(4), true);
        assert_int_equal(hail_socket_filter_parse(&ctx, text, &f), 0);
        size_t n = hail_filter_bytecode(f, code, sizeof code);
        if (n > 0 && submit(fd, code, n) != 0)
            fail_msg("the kernel refuses '%s'", text);
        hail_socket_filter_free(f);
    }
    close(fd);
    if (rc != -EINVAL)
        skip(); /* this kernel has no inet_diag */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decided),
        cmocka_unit_test(test_undecided),
        cmocka_unit_test(test_too_long),
        cmocka_unit_test(test_kernel_takes_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
