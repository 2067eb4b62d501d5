#include "crypto/password.h"

#include "base/base64.h"
#include "crypto/digest.h"
#include "crypto/openssl.h"
#include "crypto/random.h"

#include <openssl/crypto.h>

enum {
    SALT_BYTES = 16,
    HASH_BYTES = 32,
    LOG_N_TODAY = 15,
    R_TODAY = 8,
    P_TODAY = 1,
    LOG_N_LEAST = 10,
    LOG_N_MOST = 17,
    WORK_MOST = 8, /* how much more than today's work a stored text may ask for */
    MEMORY_MOST = 128 * 1024 * 1024,
    MEMORY_SLACK = 1024 * 1024, /* OpenSSL counts its small buffers too */
};

struct stored {
    uint64_t log_n, r, p;
    unsigned char salt[SALT_BYTES], hash[HASH_BYTES];
};

static uint64_t work(const struct stored *stored)
{
    return (stored->r * stored->p) << stored->log_n;
}

static struct mln_result derive(struct mln_str secret, const struct stored *stored, unsigned char out[HASH_BYTES])
{
    if (EVP_PBE_scrypt(secret.p, secret.n, stored->salt, SALT_BYTES, UINT64_C(1) << stored->log_n, stored->r, stored->p,
                       MEMORY_MOST + MEMORY_SLACK, out, HASH_BYTES) != 1)
        return mln_openssl_fail(MLN_E_MEMORY, "scrypt");
    return MLN_OK;
}

struct mln_result mln_password_hash(struct mln_str secret, struct mln_buf *text)
{
    if (!secret.n)
        return mln_fail(MLN_E_INVALID, "the secret is empty");
    if (secret.n > MLN_PASSWORD_MAX_BYTES)
        return mln_fail(MLN_E_LIMIT, "a secret has at most %d bytes", MLN_PASSWORD_MAX_BYTES);
    struct stored stored = {.log_n = LOG_N_TODAY, .r = R_TODAY, .p = P_TODAY};
    MLN_TRY(mln_random_bytes(stored.salt, SALT_BYTES));
    MLN_TRY(derive(secret, &stored, stored.hash));
    MLN_TRY(mln_buf_printf(text, "$scrypt$ln=%d,r=%d,p=%d$", LOG_N_TODAY, R_TODAY, P_TODAY));
    MLN_TRY(mln_base64_encode(MLN_BASE64_BARE, (struct mln_str){(char *)stored.salt, SALT_BYTES}, text));
    MLN_TRY(mln_buf_byte(text, '$'));
    return mln_base64_encode(MLN_BASE64_BARE, (struct mln_str){(char *)stored.hash, HASH_BYTES}, text);
}

/* "name=123" at the start of the parameters, up to a comma or the end. */
static bool parameter(struct mln_str *rest, struct mln_str name, uint64_t *out)
{
    struct mln_str part;
    return mln_str_cut(rest, ',', &part) && mln_str_starts(part, name) &&
           mln_ok(mln_str_to_u64(mln_str_sub(part, name.n, part.n), out));
}

static bool bytes_field(struct mln_str text, unsigned char *out, size_t n)
{
    MLN_BUF_CLEANUP struct mln_buf bytes = MLN_BUF(n);
    if (!mln_ok(mln_base64_decode(MLN_BASE64_BARE, text, &bytes)) || bytes.n != n)
        return false;
    memcpy(out, bytes.p, n);
    return true;
}

static bool parse(struct mln_str text, struct stored *out)
{
    struct mln_str rest = text, before, scheme, parameters, salt, hash;
    if (text.n > MLN_PASSWORD_TEXT_MAX_BYTES || !mln_str_cut(&rest, '$', &before) || before.n ||
        !mln_str_cut(&rest, '$', &scheme) || !mln_str_eq(scheme, MLN_S("scrypt")) ||
        !mln_str_cut(&rest, '$', &parameters) || !mln_str_cut(&rest, '$', &salt) || !mln_str_cut(&rest, '$', &hash) ||
        rest.p)
        return false;
    return parameter(&parameters, MLN_S("ln="), &out->log_n) && parameter(&parameters, MLN_S("r="), &out->r) &&
           parameter(&parameters, MLN_S("p="), &out->p) && !parameters.p && bytes_field(salt, out->salt, SALT_BYTES) &&
           bytes_field(hash, out->hash, HASH_BYTES);
}

/* Whoever can write the stored text must not be able to make the server spend its memory or its time. */
static bool affordable(const struct stored *stored)
{
    if (stored->log_n < LOG_N_LEAST || stored->log_n > LOG_N_MOST || stored->r < 1 || stored->r > 32 || stored->p < 1 ||
        stored->p > 16)
        return false;
    struct stored today = {.log_n = LOG_N_TODAY, .r = R_TODAY, .p = P_TODAY};
    uint64_t memory = (128 * stored->r << stored->log_n) + 128 * stored->r * stored->p;
    return memory <= MEMORY_MOST && work(stored) <= WORK_MOST * work(&today);
}

struct mln_result mln_password_verify(struct mln_str secret, struct mln_str text)
{
    if (!secret.n || secret.n > MLN_PASSWORD_MAX_BYTES)
        return mln_fail(MLN_E_UNAUTHENTICATED, "the secret does not match");
    struct stored stored = {.log_n = LOG_N_TODAY, .r = R_TODAY, .p = P_TODAY};
    bool known = text.n > 0;
    if (known && (!parse(text, &stored) || !affordable(&stored)))
        return mln_fail(MLN_E_CORRUPT, "a stored secret is not in the form of this program");
    unsigned char hash[HASH_BYTES];
    MLN_TRY(derive(secret, &stored, hash));
    bool same = CRYPTO_memcmp(hash, stored.hash, HASH_BYTES) == 0;
    OPENSSL_cleanse(hash, sizeof hash);
    if (!same || !known)
        return mln_fail(MLN_E_UNAUTHENTICATED, "the secret does not match");
    return MLN_OK;
}

bool mln_password_is_outdated(struct mln_str text)
{
    struct stored stored, today = {.log_n = LOG_N_TODAY, .r = R_TODAY, .p = P_TODAY};
    return !parse(text, &stored) || !affordable(&stored) || work(&stored) < work(&today);
}
