/* version.c - what the library is, and what it was built with. */
#include <hail/hail.h>

#include <ares.h>
#include <idn2.h>
#include <openssl/crypto.h>

const char *hail_version(void)
{
    return HAIL_VERSION;
}

const char *hail_library(int i, const char **version)
{
    switch (i) {
    case 0:
        *version = OpenSSL_version(OPENSSL_VERSION_STRING);
        return "OpenSSL";
    case 1:
        *version = ares_version(NULL);
        return "c-ares";
    case 2:
        *version = idn2_check_version(NULL);
        return "libidn2";
    default:
        return NULL;
    }
}
