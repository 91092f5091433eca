/* test_socks.c - SOCKS byte by byte, and the words of a proxy's URL. */
#include "peer.h"

#include "proto/socks.h"

/* A conversation: what must be sent, what is answered, in turn; how it ends. */
struct step {
    const char *out;
    size_t out_len;
    const char *in;
    size_t in_len;
};
#define STEP(out, in)                                                                              \
    {                                                                                              \
        out, sizeof out - 1, in, sizeof in - 1                                                     \
    }

static int converse(enum hail_proxy_kind kind, const char *to, const char *user,
                    const char *password, const struct step *steps, size_t n, int *code)
{
    struct hail_socks s;
    struct hail_endpoint ep = endpoint(to);
    int rc = hail_socks_begin(&s, kind, &ep, user, password);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        assert_int_equal(s.out_len, steps[i].out_len);
        assert_memory_equal(s.out, steps[i].out, s.out_len);
        size_t at = 0;
        /* an answer may be taken in several pieces; the first of a step follows what was sent */
        while (rc == 0 && at < steps[i].in_len) {
            assert_true(s.need > 0 && s.need <= steps[i].in_len - at);
            size_t need = s.need;
            rc = hail_socks_take(&s, guarded(steps[i].in + at, need));
            at += need;
        }
        if (rc > 0)
            assert_int_equal(at, steps[i].in_len); /* nothing of the target's was taken */
    }
    *code = s.code;
    return rc;
}

#define CONVERSE(kind, to, user, password, ...)                                                    \
    ({                                                                                             \
        const struct step steps[] = {__VA_ARGS__};                                                 \
        converse(kind, to, user, password, steps, sizeof steps / sizeof *steps, &code);            \
    })

static void version_4(void **state)
{
    (void)state;
    int code;
    assert_int_equal(CONVERSE(HAIL_PROXY_SOCKS4, "127.0.0.1:80", "", "",
                              STEP("\4\1\0\120\177\0\0\1\0", "\0\132\0\0\0\0\0\0")),
                     1);
    assert_int_equal(CONVERSE(HAIL_PROXY_SOCKS4, "127.0.0.1:258", "me", "",
                              STEP("\4\1\1\2\177\0\0\1me\0", "\0\133\0\0\0\0\0\0")),
                     -ECONNREFUSED);
    assert_int_equal(code, 91);
    assert_int_equal(CONVERSE(HAIL_PROXY_SOCKS4A, "a.example:80", "", "",
                              STEP("\4\1\0\120\0\0\0\1\0a.example\0", "\0\132\0\0\0\0\0\0")),
                     1);
    assert_int_equal(CONVERSE(HAIL_PROXY_SOCKS4, "127.0.0.1:80", "", "",
                              STEP("\4\1\0\120\177\0\0\1\0", "\4\132\0\0\0\0\0\0")),
                     -EPROTO);
}

#define ASK_IPV4 "\5\1\0\1\177\0\0\1\0\120"
static void version_5(void **state)
{
    (void)state;
    int code;
    assert_int_equal(CONVERSE(HAIL_PROXY_SOCKS5, "127.0.0.1:80", "", "", STEP("\5\1\0", "\5\0"),
                              STEP(ASK_IPV4, "\5\0\0\1\1\2\3\4\5\6")),
                     1);
    assert_int_equal(CONVERSE(HAIL_PROXY_SOCKS5H, "a.example:80", "", "", STEP("\5\1\0", "\5\0"),
                              STEP("\5\1\0\3\11a.example\0\120", "\5\0\0\3\3abc\5\6")),
                     1);
    assert_int_equal(CONVERSE(HAIL_PROXY_SOCKS5, "[::1]:80", "", "", STEP("\5\1\0", "\5\0"),
                              STEP("\5\1\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\120",
                                   "\5\0\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\5\6")),
                     1);
    /* an empty name in the reply is the proxy's own affair */
    assert_int_equal(CONVERSE(HAIL_PROXY_SOCKS5, "127.0.0.1:80", "", "", STEP("\5\1\0", "\5\0"),
                              STEP(ASK_IPV4, "\5\0\0\3\0\5\6")),
                     1);
}

static void version_5_with_a_password(void **state)
{
    (void)state;
    int code;
    assert_int_equal(CONVERSE(HAIL_PROXY_SOCKS5, "127.0.0.1:80", "me", "pw",
                              STEP("\5\2\0\2", "\5\2"), STEP("\1\2me\2pw", "\1\0"),
                              STEP(ASK_IPV4, "\5\0\0\1\1\2\3\4\5\6")),
                     1);
    assert_int_equal(CONVERSE(HAIL_PROXY_SOCKS5, "127.0.0.1:80", "me", "pw",
                              STEP("\5\2\0\2", "\5\2"), STEP("\1\2me\2pw", "\1\1")),
                     -EACCES);
    assert_int_equal(CONVERSE(HAIL_PROXY_SOCKS5, "127.0.0.1:80", "me", "pw",
                              STEP("\5\2\0\2", "\5\0"), STEP(ASK_IPV4, "\5\0\0\1\1\2\3\4\5\6")),
                     1);
}

static void version_5_refuses(void **state)
{
    (void)state;
    int code;
    for (int reply = 1; reply < 256; reply++) {
        char in[] = "\5\0\0\1\0\0\0\0\0\0";
        in[1] = (char)reply;
        const struct step steps[] = {STEP("\5\1\0", "\5\0"), {ASK_IPV4, 10, in, 5}};
        assert_int_equal(converse(HAIL_PROXY_SOCKS5, "127.0.0.1:80", "", "", steps, 2, &code),
                         -ECONNREFUSED);
        assert_int_equal(code, reply);
        assert_non_null(hail_socks_reason(HAIL_PROXY_SOCKS5, code));
    }
    assert_int_equal(CONVERSE(HAIL_PROXY_SOCKS5, "127.0.0.1:80", "", "", STEP("\5\1\0", "\5\377")),
                     -EACCES);
    assert_int_equal(CONVERSE(HAIL_PROXY_SOCKS5, "127.0.0.1:80", "", "", STEP("\5\1\0", "\5\2")),
                     -EPROTO);
    assert_int_equal(CONVERSE(HAIL_PROXY_SOCKS5, "127.0.0.1:80", "", "", STEP("\5\1\0", "\4\0")),
                     -EPROTO);
    assert_int_equal(CONVERSE(HAIL_PROXY_SOCKS5, "127.0.0.1:80", "", "", STEP("\5\1\0", "\5\0"),
                              STEP(ASK_IPV4, "\5\0\0\2\0")),
                     -EPROTO);
    assert_string_equal(hail_socks_reason(HAIL_PROXY_SOCKS5, 5), "connection refused");
    assert_string_equal(hail_socks_reason(HAIL_PROXY_SOCKS4, 5), "unknown reply");
}

static void what_a_version_cannot_say(void **state)
{
    (void)state;
    int code;
    assert_int_equal(CONVERSE(HAIL_PROXY_SOCKS4, "[::1]:80", "", "", {0}), -EINVAL);
    assert_int_equal(CONVERSE(HAIL_PROXY_SOCKS4, "a.example:80", "", "", {0}), -EINVAL);
    assert_int_equal(CONVERSE(HAIL_PROXY_SOCKS4A, "[::1]:80", "", "", {0}), -EINVAL);
    assert_int_equal(CONVERSE(HAIL_PROXY_SOCKS5, "a.example:80", "", "", {0}), -EINVAL);
}

static void urls(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        int rc;
        enum hail_proxy_kind kind;
        const char *host;
        uint16_t port;
        const char *user, *password;
    } cases[] = {
        {"socks5://127.0.0.1:99", 0, HAIL_PROXY_SOCKS5, "127.0.0.1", 99, "", ""},
        {"SOCKS5H://proxy.example", 0, HAIL_PROXY_SOCKS5H, "proxy.example", 1080, "", ""},
        {"socks4://[::1]/", 0, HAIL_PROXY_SOCKS4, "::1", 1080, "", ""},
        {"socks4a://me@h", 0, HAIL_PROXY_SOCKS4A, "h", 1080, "me", ""},
        {"http://me:pa:ss@h:8080", 0, HAIL_PROXY_HTTP, "h", 8080, "me", "pa:ss"},
        {"https://m%65%40x:%3a%20@h", 0, HAIL_PROXY_HTTPS, "h", 3128, "me@x", ": "},
        {"http://me:p@ss@h", 0, HAIL_PROXY_HTTP, "h", 3128, "me", "p@ss"},
        {"ftp://h", -EINVAL, 0, NULL, 0, NULL, NULL},
        {"127.0.0.1:1080", -EINVAL, 0, NULL, 0, NULL, NULL},
        {"socks5://", -EINVAL, 0, NULL, 0, NULL, NULL},
        {"http://h/path", -EINVAL, 0, NULL, 0, NULL, NULL},
        {"http://me%4@h", -EINVAL, 0, NULL, 0, NULL, NULL},
        {"http://me%00@h", -EINVAL, 0, NULL, 0, NULL, NULL},
        {"http://me%zz@h", -EINVAL, 0, NULL, 0, NULL, NULL},
        {"http://h:99999", -EINVAL, 0, NULL, 0, NULL, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct hail_ctx ctx = HAIL_CTX_INIT;
        struct hail_proxy p;
        assert_int_equal(hail_proxy_parse(&ctx, cases[i].url, &p), cases[i].rc);
        if (cases[i].rc)
            continue;
        assert_int_equal(p.kind, cases[i].kind);
        assert_string_equal(p.at.host, cases[i].host);
        assert_int_equal(p.at.port, cases[i].port);
        assert_string_equal(p.user, cases[i].user);
        assert_string_equal(p.password, cases[i].password);
    }
}

static void a_password_is_never_shown(void **state)
{
    (void)state;
    struct hail_ctx ctx = HAIL_CTX_INIT;
    struct hail_proxy p;
    assert_int_equal(hail_proxy_parse(&ctx, "http://me:secret@h/path", &p), -EINVAL);
    assert_null(strstr(ctx.err.msg, "secret"));
    char long_word[600] = "http://";
    memset(long_word + 7, 'x', 400);
    memcpy(long_word + 407, "@h", 3);
    assert_int_equal(hail_proxy_parse(&ctx, long_word, &p), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(version_4),
        cmocka_unit_test(version_5),
        cmocka_unit_test(version_5_with_a_password),
        cmocka_unit_test(version_5_refuses),
        cmocka_unit_test(what_a_version_cannot_say),
        cmocka_unit_test(urls),
        cmocka_unit_test(a_password_is_never_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
