#include "crypto/openssl.h"

#include <limits.h>
#include <openssl/err.h>

struct mln_result mln_openssl_fail(enum mln_code code, const char *what)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    ERR_clear_error();
    return reason ? mln_fail(code, "%s: %s", what, reason) : mln_fail(code, "%s failed", what);
}

struct mln_result mln_openssl_reader(struct mln_str text, size_t max_bytes, BIO **out)
{
    *out = NULL;
    if (text.n > max_bytes || text.n > INT_MAX)
        return mln_fail(MLN_E_LIMIT, "larger than %zu bytes", max_bytes);
    *out = BIO_new_mem_buf(text.n ? text.p : "", (int)text.n);
    if (!*out)
        return mln_openssl_fail(MLN_E_MEMORY, "memory BIO");
    return MLN_OK;
}

struct mln_result mln_openssl_take(BIO *bio, struct mln_buf *out)
{
    char *p = NULL;
    long n = BIO_get_mem_data(bio, &p);
    return mln_buf_append(out, (struct mln_str){p, n > 0 ? (size_t)n : 0});
}

int mln_openssl_no_passphrase(char *buf, int size, int writing, void *context)
{
    (void)buf, (void)size, (void)writing, (void)context;
    return -1;
}
