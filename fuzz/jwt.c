/* Base64 and tokens: what decodes encodes to the same text again, and nothing that this set has not signed verifies. */
#include "crypto/jwt.h"
#include "base/base64.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct mln_jwt_keys *keys;
static struct mln_public_key *public_key;

static void setup(void)
{
    MLN_CLEANUP(mln_key_free) struct mln_key *key = NULL;
    if (!mln_ok(mln_key_generate(&key)) || !mln_ok(mln_jwt_keys_new(&keys)) || !mln_ok(mln_jwt_keys_add(keys, key)) ||
        !mln_ok(mln_key_public(key, &public_key)))
        abort();
}

static void base64(struct mln_str text, enum mln_base64_form form)
{
    MLN_BUF_CLEANUP struct mln_buf bytes = MLN_BUF(text.n), again = MLN_BUF(text.n);
    if (!mln_ok(mln_base64_decode(form, text, &bytes)))
        return;
    if (!mln_ok(mln_base64_encode(form, mln_buf_str(&bytes), &again)) || !mln_str_eq(mln_buf_str(&again), text))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mln_str text = {(const char *)data, size}, payload;
    if (!keys)
        setup();
    base64(text, MLN_BASE64);
    base64(text, MLN_BASE64_BARE);
    base64(text, MLN_BASE64URL);
    base64(text, MLN_BASE64URL_PADDED);
    MLN_CLEANUP(mln_arena_free) struct mln_arena *arena = mln_arena_new(1 << 18);
    struct mln_jwt jwt;
    if (mln_ok(mln_jwt_keys_verify(keys, text, arena, &payload)))
        abort();
    if (!mln_ok(mln_jwt_decode(text, arena, &jwt)))
        return 0;
    if (mln_ok(mln_jwt_verify(&jwt, MLN_S("ES256"), public_key)) ||
        mln_ok(mln_jwt_verify(&jwt, jwt.header, public_key)))
        abort();
    return 0;
}
