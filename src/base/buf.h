/*
 * A growable byte buffer with a ceiling. It owns its memory. Over the ceiling every append fails with LIMIT and the
 * content stays as it was. Wiped before it is freed when made with mln_buf_secret.
 */
#ifndef MLN_BASE_BUF_H
#define MLN_BASE_BUF_H

#include "base/str.h"

#include <stdarg.h>

struct mln_buf {
    char *p;          /* always NUL-terminated once anything was appended */
    size_t n;         /* bytes in use, without the NUL */
    size_t cap;       /* bytes allocated */
    size_t max_bytes; /* ceiling for n */
    bool secret;
};

#define MLN_BUF(ceiling_bytes) ((struct mln_buf){.max_bytes = (ceiling_bytes)})
#define MLN_BUF_SECRET(ceiling_bytes) ((struct mln_buf){.max_bytes = (ceiling_bytes), .secret = true})

void mln_buf_free(struct mln_buf *buf);  /* the buffer can be used again afterwards */
void mln_buf_clear(struct mln_buf *buf); /* keeps the memory */
static inline void mln_buf_done_cleanup_(struct mln_buf *buf)
{
    mln_buf_free(buf);
}
#define MLN_BUF_CLEANUP __attribute__((cleanup(mln_buf_done_cleanup_)))

MLN_RESULT mln_buf_append(struct mln_buf *buf, struct mln_str s);
MLN_RESULT mln_buf_byte(struct mln_buf *buf, char c);
MLN_RESULT mln_buf_printf(struct mln_buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
MLN_RESULT mln_buf_vprintf(struct mln_buf *buf, const char *format, va_list args) __attribute__((format(printf, 2, 0)));
/* Room for more bytes at buf->p + buf->n; the caller adds what it used to n. */
MLN_RESULT mln_buf_reserve(struct mln_buf *buf, size_t more_bytes);
/* The content, valid until the next change. */
struct mln_str mln_buf_str(const struct mln_buf *buf);

#endif
