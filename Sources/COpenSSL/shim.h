/* Hashing for the sent log (libcrypto of OpenSSL 3). */
#ifndef GUARDD_COPENSSL_SHIM_H
#define GUARDD_COPENSSL_SHIM_H
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <openssl/crypto.h>
#endif
