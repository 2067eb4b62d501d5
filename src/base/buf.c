#include "base/buf.h"

#include <stdint.h>

void mln_buf_free(struct mln_buf *buf)
{
    if (buf->secret && buf->p)
        explicit_bzero(buf->p, buf->cap);
    free(buf->p);
    buf->p = NULL;
    buf->n = buf->cap = 0;
}

void mln_buf_clear(struct mln_buf *buf)
{
    if (buf->secret && buf->p)
        explicit_bzero(buf->p, buf->cap);
    buf->n = 0;
    if (buf->p)
        buf->p[0] = '\0';
}

struct mln_result mln_buf_reserve(struct mln_buf *buf, size_t more_bytes)
{
    if (more_bytes > buf->max_bytes || buf->n > buf->max_bytes - more_bytes)
        return mln_fail(MLN_E_LIMIT, "larger than the limit of %zu bytes", buf->max_bytes);
    size_t need = buf->n + more_bytes + 1;
    if (need <= buf->cap && need > buf->n)
        return MLN_OK;
    if (need <= buf->n || need > SIZE_MAX / 2)
        return mln_fail(MLN_E_MEMORY, "no memory for %zu bytes", more_bytes);
    size_t cap = buf->cap ? buf->cap : 64;
    while (cap < need)
        cap *= 2;
    char *p = malloc(cap); /* not realloc: a secret must not stay behind */
    if (!p)
        return mln_fail(MLN_E_MEMORY, "no memory for %zu bytes", cap);
    if (buf->p) {
        memcpy(p, buf->p, buf->n);
        if (buf->secret)
            explicit_bzero(buf->p, buf->cap);
        free(buf->p);
    }
    p[buf->n] = '\0';
    buf->p = p;
    buf->cap = cap;
    return MLN_OK;
}

struct mln_result mln_buf_append(struct mln_buf *buf, struct mln_str s)
{
    MLN_TRY(mln_buf_reserve(buf, s.n));
    if (s.n)
        memcpy(buf->p + buf->n, s.p, s.n);
    buf->n += s.n;
    buf->p[buf->n] = '\0';
    return MLN_OK;
}

struct mln_result mln_buf_byte(struct mln_buf *buf, char c)
{
    return mln_buf_append(buf, (struct mln_str){&c, 1});
}

struct mln_result mln_buf_vprintf(struct mln_buf *buf, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    struct mln_result r = n < 0 ? mln_fail(MLN_E_INTERNAL, "bad format") : mln_buf_reserve(buf, (size_t)n);
    if (mln_ok(r)) {
        vsnprintf(buf->p + buf->n, (size_t)n + 1, format, again);
        buf->n += (size_t)n;
    }
    va_end(again);
    return r;
}

struct mln_result mln_buf_printf(struct mln_buf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    struct mln_result r = mln_buf_vprintf(buf, format, args);
    va_end(args);
    return r;
}

struct mln_str mln_buf_str(const struct mln_buf *buf)
{
    return (struct mln_str){buf->p, buf->n};
}
