#include "crypto/random.h"

#include "base/base64.h"
#include "crypto/digest.h"
#include "crypto/openssl.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>

enum { TOKEN_MAX_BYTES = 64 };

const struct mln_uuid mln_uuid_space_url = {
    {0x6b, 0xa7, 0xb8, 0x11, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8}};

struct mln_result mln_random_bytes(void *out, size_t n)
{
    if (RAND_priv_bytes_ex(NULL, out, n, 0) != 1)
        return mln_openssl_fail(MLN_E_INTERNAL, "random generator");
    return MLN_OK;
}

struct mln_result mln_random_token(size_t n, struct mln_buf *out)
{
    char bytes[TOKEN_MAX_BYTES];
    if (n > sizeof bytes)
        return mln_fail(MLN_E_LIMIT, "a token has at most %d bytes", TOKEN_MAX_BYTES);
    MLN_TRY(mln_random_bytes(bytes, n));
    struct mln_result r = mln_base64_encode(MLN_BASE64URL, (struct mln_str){bytes, n}, out);
    OPENSSL_cleanse(bytes, sizeof bytes);
    return r;
}

/* The version and the variant of RFC 9562 section 4 over whatever is there. */
static void set_version(struct mln_uuid *uuid, unsigned version)
{
    uuid->bytes[6] = (unsigned char)((uuid->bytes[6] & 0x0f) | version << 4);
    uuid->bytes[8] = (unsigned char)((uuid->bytes[8] & 0x3f) | 0x80);
}

struct mln_result mln_uuid_random(struct mln_uuid *out)
{
    MLN_TRY(mln_random_bytes(out->bytes, sizeof out->bytes));
    set_version(out, 4);
    return MLN_OK;
}

struct mln_result mln_uuid_from_name(const struct mln_uuid *space, struct mln_str name, struct mln_uuid *out)
{
    unsigned char digest[MLN_SHA1_BYTES]; /* RFC 9562 section 5.5 names SHA-1 */
    MLN_CLEANUP(EVP_MD_CTX_free) EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (!context || EVP_DigestInit_ex(context, EVP_sha1(), NULL) != 1 ||
        EVP_DigestUpdate(context, space->bytes, sizeof space->bytes) != 1 ||
        (name.n && EVP_DigestUpdate(context, name.p, name.n) != 1) || EVP_DigestFinal_ex(context, digest, NULL) != 1)
        return mln_openssl_fail(MLN_E_INTERNAL, "SHA-1");
    memcpy(out->bytes, digest, sizeof out->bytes);
    set_version(out, 5);
    return MLN_OK;
}

static bool hyphen_before(size_t byte)
{
    return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

struct mln_str mln_uuid_text(const struct mln_uuid *uuid, char out[MLN_UUID_TEXT])
{
    size_t at = 0;
    for (size_t i = 0; i < sizeof uuid->bytes; i++) {
        if (hyphen_before(i))
            out[at++] = '-';
        at += mln_hex_encode((struct mln_str){(const char *)&uuid->bytes[i], 1}, out + at).n;
    }
    return (struct mln_str){out, at};
}

struct mln_result mln_uuid_parse(struct mln_str text, struct mln_uuid *out)
{
    char digits[32];
    size_t n = 0;
    if (text.n != MLN_UUID_TEXT - 1)
        return mln_fail(MLN_E_SYNTAX, "a UUID has 36 characters");
    for (size_t i = 0; i < text.n; i++) {
        bool hyphen = n % 2 == 0 && hyphen_before(n / 2) && text.p[i - 1] != '-';
        if (hyphen != (text.p[i] == '-'))
            return mln_fail(MLN_E_SYNTAX, "not a UUID at offset %zu", i);
        if (!hyphen)
            digits[n++] = text.p[i];
    }
    return mln_hex_decode((struct mln_str){digits, n}, out->bytes, sizeof out->bytes);
}
