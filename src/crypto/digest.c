#include "crypto/digest.h"

#include "crypto/openssl.h"

#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/hmac.h>

struct mln_sha256_stream {
    EVP_MD_CTX *context;
};

struct mln_result mln_sha256(struct mln_str data, struct mln_sha256 *out)
{
    if (EVP_Digest(data.n ? data.p : "", data.n, out->bytes, NULL, EVP_sha256(), NULL) != 1)
        return mln_openssl_fail(MLN_E_INTERNAL, "SHA-256");
    return MLN_OK;
}

struct mln_result mln_sha256_hex(struct mln_str data, char out[MLN_SHA256_HEX])
{
    struct mln_sha256 digest;
    MLN_TRY(mln_sha256(data, &digest));
    mln_hex_encode(mln_sha256_str(&digest), out);
    return MLN_OK;
}

static struct mln_result stream_begin(struct mln_sha256_stream *stream)
{
    if (EVP_DigestInit_ex(stream->context, EVP_sha256(), NULL) != 1)
        return mln_openssl_fail(MLN_E_INTERNAL, "SHA-256");
    return MLN_OK;
}

struct mln_result mln_sha256_stream_new(struct mln_sha256_stream **out)
{
    *out = NULL;
    MLN_CLEANUP(mln_sha256_stream_free) struct mln_sha256_stream *stream = calloc(1, sizeof *stream);
    if (!stream || !(stream->context = EVP_MD_CTX_new()))
        return mln_fail(MLN_E_MEMORY, "no memory for a digest");
    MLN_TRY(stream_begin(stream));
    *out = MLN_TAKE(stream);
    return MLN_OK;
}

struct mln_result mln_sha256_stream_add(struct mln_sha256_stream *stream, struct mln_str data)
{
    if (data.n && EVP_DigestUpdate(stream->context, data.p, data.n) != 1)
        return mln_openssl_fail(MLN_E_INTERNAL, "SHA-256");
    return MLN_OK;
}

struct mln_result mln_sha256_stream_finish(struct mln_sha256_stream *stream, struct mln_sha256 *out)
{
    if (EVP_DigestFinal_ex(stream->context, out->bytes, NULL) != 1)
        return mln_openssl_fail(MLN_E_INTERNAL, "SHA-256");
    return stream_begin(stream);
}

void mln_sha256_stream_free(struct mln_sha256_stream *stream)
{
    if (!stream)
        return;
    EVP_MD_CTX_free(stream->context);
    free(stream);
}

struct mln_result mln_hmac_sha256(struct mln_str key, struct mln_str data, struct mln_sha256 *out)
{
    if (key.n > INT_MAX)
        return mln_fail(MLN_E_LIMIT, "HMAC key too large");
    if (!HMAC(EVP_sha256(), key.n ? key.p : "", (int)key.n, (const unsigned char *)(data.n ? data.p : ""), data.n,
              out->bytes, NULL))
        return mln_openssl_fail(MLN_E_INTERNAL, "HMAC-SHA-256");
    return MLN_OK;
}

bool mln_secret_eq(struct mln_str a, struct mln_str b)
{
    return a.n == b.n && (!a.n || CRYPTO_memcmp(a.p, b.p, a.n) == 0);
}

struct mln_str mln_hex_encode(struct mln_str bytes, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < bytes.n; i++) {
        unsigned char byte = (unsigned char)bytes.p[i];
        out[2 * i] = digits[byte >> 4];
        out[2 * i + 1] = digits[byte & 15];
    }
    out[2 * bytes.n] = '\0';
    return (struct mln_str){out, 2 * bytes.n};
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

struct mln_result mln_hex_decode(struct mln_str text, unsigned char *out, size_t n)
{
    if (text.n / 2 != n || text.n % 2)
        return mln_fail(MLN_E_SYNTAX, "%zu hex digits expected, not %zu", 2 * n, text.n);
    for (size_t i = 0; i < n; i++) {
        int high = hex_value(text.p[2 * i]), low = hex_value(text.p[2 * i + 1]);
        if (high < 0 || low < 0)
            return mln_fail(MLN_E_SYNTAX, "not a hex digit at offset %zu", high < 0 ? 2 * i : 2 * i + 1);
        out[i] = (unsigned char)(high << 4 | low);
    }
    return MLN_OK;
}
