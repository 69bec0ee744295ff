/* OpenSSL 3: hashing for the sent log (libcrypto), TLS (libssl). Function-like macros do not reach Swift: each that is
   needed has a static inline twin here, and so has what would need a C callback of one line. */
#ifndef GUARDD_COPENSSL_SHIM_H
#define GUARDD_COPENSSL_SHIM_H
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <openssl/crypto.h>
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

/* --- contexts --- */

static inline int guardd_ctx_set_min_proto_version(SSL_CTX *ctx, int version) { return (int)SSL_CTX_set_min_proto_version(ctx, version); }

/* No renegotiation, no compression. A missing close_notify stays an error: SSL_OP_IGNORE_UNEXPECTED_EOF is not set. */
static inline void guardd_ctx_set_options(SSL_CTX *ctx) {
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_clear_options(ctx, SSL_OP_IGNORE_UNEXPECTED_EOF);
}

/* Buffers of idle connections are given back; a write takes a record at a time and may be repeated from elsewhere. */
static inline void guardd_ctx_set_mode(SSL_CTX *ctx) {
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(ctx, 1);
}

/* Parameters for DHE that fit the certificate's key, as smtpd(8) has some of its own: without any there is no DHE. */
static inline void guardd_ctx_set_dh_auto(SSL_CTX *ctx) { (void)SSL_CTX_set_dh_auto(ctx, 1); }

/* Sessions are kept by clients only, in tickets. */
static inline void guardd_ctx_set_no_cache(SSL_CTX *ctx) { SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF); }
static inline int guardd_ctx_add1_chain_cert(SSL_CTX *ctx, X509 *certificate) { return (int)SSL_CTX_add1_chain_cert(ctx, certificate); }
static inline void guardd_ctx_set_servername_callback(SSL_CTX *ctx, int (*callback)(SSL *, int *, void *), void *argument) {
    SSL_CTX_set_tlsext_servername_callback(ctx, callback);
    SSL_CTX_set_tlsext_servername_arg(ctx, argument);
}
static inline int guardd_set_host_name(SSL *ssl, const char *name) { return (int)SSL_set_tlsext_host_name(ssl, name); }

/* HMAC-SHA256 under the key, for session tickets. The parameters only borrow their names, which Swift's strings don't lend. */
static inline int guardd_set_ticket_mac(EVP_MAC_CTX *mac, const unsigned char *key, size_t size) {
    OSSL_PARAM parameters[3];
    parameters[0] = OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, (void *)key, size);
    parameters[1] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)"SHA256", 0);
    parameters[2] = OSSL_PARAM_construct_end();
    return EVP_MAC_CTX_set_params(mac, parameters);
}

/* --- certificates and keys from memory --- */

/* NULL at the end of the PEM blocks. */
static inline X509 *guardd_read_certificate(BIO *bio) { return PEM_read_bio_X509_AUX(bio, NULL, NULL, NULL); }

/* OpenSSL would ask the terminal for the passphrase of an encrypted key; nobody sits there. */
static inline int guardd_no_passphrase(char *buffer, int size, int writing, void *argument) {
    (void)buffer; (void)size; (void)writing; (void)argument;
    return -1;
}
static inline EVP_PKEY *guardd_read_key(BIO *bio) { return PEM_read_bio_PrivateKey(bio, NULL, guardd_no_passphrase, NULL); }

static inline GENERAL_NAMES *guardd_alternative_names(const X509 *certificate) {
    return (GENERAL_NAMES *)X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
}
static inline int guardd_names_count(const GENERAL_NAMES *names) { return sk_GENERAL_NAME_num(names); }
/* The octets of a dNSName, NULL for a name of another type. */
static inline const unsigned char *guardd_names_dns(const GENERAL_NAMES *names, int index, int *length) {
    const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, index);
    if (name->type != GEN_DNS) return NULL;
    *length = ASN1_STRING_length(name->d.dNSName);
    return ASN1_STRING_get0_data(name->d.dNSName);
}
static inline int guardd_common_name(const X509 *certificate, char *buffer, int size) {
    return X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, buffer, size);
}
/* Seconds since 1970; -1 for what is no time. */
static inline long long guardd_time(const ASN1_TIME *time) {
    int days = 0, seconds = 0;
    ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
    int known = epoch != NULL && ASN1_TIME_diff(&days, &seconds, epoch, time);
    ASN1_TIME_free(epoch);
    return known ? (long long)days * 86400 + seconds : -1;
}

/* --- errors --- */

/* A closed connection without close_notify. */
static inline int guardd_is_truncation(unsigned long error) {
    return ERR_GET_LIB(error) == ERR_LIB_SSL && ERR_GET_REASON(error) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
}
#endif
