/* test_resolve_order.c - the order of addresses, and the reasons, sources given: the published
 * examples of RFC 6724 section 10.2, and what it has no examples of. */
#include "addresses.h"
#include "net/resolve.h"

/* Flags by source, for the rules that ask for them. */
static unsigned flags_of(const struct hail_addr *from)
{
    const char *text = text_of(from);
    if (strcmp(text, "fe80::dead") == 0)
        return HAIL_OWN_DEPRECATED;
    if (strcmp(text, "2001:db8:1::a") == 0)
        return HAIL_OWN_HOME;
    return strcmp(text, "2001:db8:1::7") == 0 ? HAIL_OWN_TUNNEL : 0;
}

/* Destination and source of two or three, in the order that is right; and the rule that decides
 * between the first two. */
static const struct {
    const char *rule;
    const char *to[3], *from[3];
} orders[] = {
    /* RFC 6724 section 10.2 */
    {"rule 2", {"2001:db8:1::1", "198.51.100.121"}, {"2001:db8:1::2", "169.254.13.78"}},
    {"rule 2", {"198.51.100.121", "2001:db8:1::1"}, {"198.51.100.117", "fe80::1"}},
    {"rule 6", {"2001:db8:1::1", "10.1.2.3"}, {"2001:db8:1::2", "10.1.2.4"}},
    {"rule 8", {"fe80::1", "2001:db8:1::1"}, {"fe80::2", "2001:db8:1::2"}},
    {"rule 4", {"2001:db8:3::1", "fe80::1"}, {"2001:db8:1::a", "fe80::2"}},
    {"rule 3", {"2001:db8:1::1", "fe80::1"}, {"2001:db8:1::2", "fe80::dead"}},
    {"rule 9", {"2001:db8:1::1", "2001:db8:3ffe::1"}, {"2001:db8:1::2", "2001:db8:3f44::2"}},
    {"rule 5", {"2002:c633:6401::1", "2001:db8:1::1"}, {"2002:c633:6401::2", "2002:c633:6401::2"}},
    {"rule 6", {"2001:db8:1::1", "2002:c633:6401::1"}, {"2001:db8:1::2", "2002:c633:6401::2"}},
    /* and what it has no examples of */
    {"rule 1", {"192.0.2.1", "2001:db8:1::1"}, {"192.0.2.9", ""}},
    {"rule 1", {"fe80::1", "2001:db8::1", "192.0.2.1"}, {"fe80::2", "", ""}},
    {"rule 6", {"::1", "127.0.0.1"}, {"::1", "127.0.0.1"}},
    {"rule 7", {"2001:db8:2::1", "2001:db8:1::1"}, {"2001:db8:1::2", "2001:db8:1::7"}},
    {"rule 5", {"192.0.2.1", "2001:db8:1::1"}, {"10.0.0.1", "fd00::1"}},
    {"rule 6", {"fd00::1", "::192.0.2.1"}, {"fd00::2", "::192.0.2.2"}},
    {"rule 6", {"192.0.2.1", "2001::1"}, {"10.0.0.1", "2001::2"}},
    {"rule 2", {"ff02::1", "ff05::1"}, {"fe80::2", "2001:db8::2"}},
    {"rule 8", {"169.254.0.1", "192.0.2.1"}, {"169.254.0.2", "192.0.2.2"}},
};

static void test_order(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
        size_t n = orders[i].to[2] ? 3 : 2;
        for (int backwards = 0; backwards < 2; backwards++) {
            struct hail_address v[3] = {0};
            bool same = n == 3; /* the last two are equal: they keep the order they come in */
            for (size_t k = 0; k < n; k++) {
                size_t at = backwards && !same ? n - 1 - k : k;
                v[at].addr = addr_of(orders[i].to[k]);
                v[at].from = addr_of(orders[i].from[k]);
            }
            hail_order(v, n, flags_of);
            for (size_t k = 0; k < n; k++)
                assert_string_equal(text_of(&v[k].addr), orders[i].to[k]);
            assert_memory_equal(v[0].reason, orders[i].rule, 6);
            assert_memory_equal(v[1].reason, orders[i].rule, 6);
            assert_string_not_equal(v[0].reason, v[1].reason);
        }
    }
}

/* Equal addresses, and IPv4 whatever its bits, stay as the name server gave them. */
static void test_order_is_stable(void **state)
{
    (void)state;
    static const char *const given[] = {"203.0.113.9", "10.0.0.5", "203.0.113.1", "192.0.2.77"};
    struct hail_address v[4] = {0};
    for (size_t i = 0; i < 4; i++) {
        v[i].addr = addr_of(given[i]);
        v[i].from = addr_of("10.0.0.1");
    }
    hail_order(v, 4, flags_of);
    for (size_t i = 0; i < 4; i++) {
        assert_string_equal(text_of(&v[i].addr), given[i]);
        assert_string_equal(v[i].reason, "rule 10: as it was given");
    }
    hail_order(v, 1, NULL);
    assert_string_equal(v[0].reason, "the only address");
    hail_order(v, 0, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_order_is_stable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
