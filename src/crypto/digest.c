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

static bool form_is_url(enum mln_base64_form form)
{
    return form == MLN_BASE64URL || form == MLN_BASE64URL_PADDED;
}

static bool form_is_padded(enum mln_base64_form form)
{
    return form == MLN_BASE64 || form == MLN_BASE64URL_PADDED;
}

struct mln_result mln_base64_encode(enum mln_base64_form form, struct mln_str bytes, struct mln_buf *out)
{
    static const char common[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    const char *last_two = form_is_url(form) ? "-_" : "+/";
    if (bytes.n > SIZE_MAX / 2)
        return mln_fail(MLN_E_LIMIT, "too large for base64");
    size_t last = bytes.n % 3; /* bytes in a group of less than three */
    MLN_TRY(mln_buf_reserve(out, bytes.n / 3 * 4 + (last ? (form_is_padded(form) ? 4 : last + 1) : 0)));
    char *p = out->p + out->n;
    for (size_t i = 0; i < bytes.n; i += 3) {
        size_t group = bytes.n - i < 3 ? bytes.n - i : 3;
        uint32_t bits = 0;
        for (size_t k = 0; k < 3; k++)
            bits = bits << 8 | (k < group ? (unsigned char)bytes.p[i + k] : 0u);
        for (size_t k = 0; k < 4; k++) {
            uint32_t value = bits >> (18 - 6 * k) & 63;
            if (k <= group)
                *p++ = value < 62 ? common[value] : last_two[value - 62];
            else if (form_is_padded(form))
                *p++ = '=';
        }
    }
    *p = '\0';
    out->n = (size_t)(p - out->p);
    return MLN_OK;
}

static int base64_value(char c, bool url)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == (url ? '-' : '+'))
        return 62;
    return c == (url ? '_' : '/') ? 63 : -1;
}

/* The length of text without its padding; SYNTAX when the padding is not what the form has for it. */
static struct mln_result base64_digits(enum mln_base64_form form, struct mln_str text, size_t *digits)
{
    size_t n = text.n;
    if (form_is_padded(form)) {
        if (n % 4)
            return mln_fail(MLN_E_SYNTAX, "base64 without its padding");
        while (n > 0 && text.n - n < 2 && text.p[n - 1] == '=')
            n--; /* a third one stays and is no digit */
    }
    if (n % 4 == 1)
        return mln_fail(MLN_E_SYNTAX, "base64 of an impossible length");
    *digits = n;
    return MLN_OK;
}

struct mln_result mln_base64_decode(enum mln_base64_form form, struct mln_str text, struct mln_buf *out)
{
    size_t n = 0;
    MLN_TRY(base64_digits(form, text, &n));
    MLN_TRY(mln_buf_reserve(out, n / 4 * 3 + (n % 4 ? n % 4 - 1 : 0)));
    char *p = out->p + out->n;
    uint32_t bits = 0;
    unsigned held = 0; /* bits not written yet */
    for (size_t i = 0; i < n; i++) {
        int value = base64_value(text.p[i], form_is_url(form));
        if (value < 0) {
            out->p[out->n] = '\0';
            return mln_fail(MLN_E_SYNTAX, "not base64 at offset %zu", i);
        }
        bits = bits << 6 | (uint32_t)value;
        held += 6;
        if (held >= 8) {
            held -= 8;
            *p++ = (char)(bits >> held & 255);
        }
    }
    if (bits & ((1u << held) - 1)) {
        out->p[out->n] = '\0';
        return mln_fail(MLN_E_SYNTAX, "base64 with stray bits at its end");
    }
    *p = '\0';
    out->n = (size_t)(p - out->p);
    return MLN_OK;
}
