/* SPDX-License-Identifier: MIT */
/*
 * openssl_test.c: digests and big numbers of OpenSSL in an arena.
 */
#include "tide_ambient_openssl.h"

#include <openssl/bn.h>
#include <openssl/evp.h>
#include <string.h>

#include "requests.h"

static EVP_MD *sha256; /* fetched once, outside of an arena */

static void digest(void)
{
    static const unsigned char start[] = {0xba, 0x78, 0x16, 0xbf}; /* of SHA-256("abc") */
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_DigestInit_ex(context, sha256, NULL);
    EVP_DigestUpdate(context, "abc", 3);
    EVP_DigestFinal_ex(context, bytes, &length);
    check_count(length, 32);
    check_that(!memcmp(bytes, start, sizeof(start)));
    check_that(!tide_ambient_entered() || tide_ambient_is_arena(context));
    EVP_MD_CTX_free(context);
}

static void request(void)
{
    BIGNUM *number = NULL;
    digest();
    BN_dec2bn(&number, "123456789012345678901234567890");
    char *text = BN_bn2hex(number);
    check_that(tide_ambient_is_arena(number) && tide_ambient_is_arena(text));
    check_that(!strcmp(text, "018EE90FF6C373E0EE4E3F0AD2"));
}

Test(ambient, openssl_needs_no_free_in_an_arena)
{
    check_count(tide_ambient_openssl_install(), 0);
    sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    digest();
    check_requests(request);
    EVP_MD_free(sha256);
}
