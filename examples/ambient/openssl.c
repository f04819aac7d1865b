/* SPDX-License-Identifier: MIT */
/*
 * openssl.c: a big number that is never freed.
 */
#include <openssl/bn.h>
#include <stdio.h>
#include <tide_ambient_openssl.h>

int main(void)
{
    BIGNUM *number = NULL;
    if (tide_ambient_openssl_install())
        return 1;
    tide_arena *arena = tide_arena_create(&(tide_arena_config){.name = "request"});
    tide_ambient_enter(arena);
    BN_dec2bn(&number, "340282366920938463463374607431768211456");
    char *text = BN_bn2hex(number);
    if (text)
        puts(text);
    tide_ambient_enter(NULL);
    tide_arena_destroy(arena);
    return text ? 0 : 1;
}
