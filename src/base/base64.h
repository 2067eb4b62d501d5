/*
 * base64, in the four forms that RFC 4648 texts come in. The decoder is strict: one text for each value, no blanks, no
 * other alphabet, no stray bits, padding exactly where the form has it.
 */
#ifndef MLN_BASE_BASE64_H
#define MLN_BASE_BASE64_H

#include "base/buf.h"

/* RFC 4648 alphabets and whether the text carries padding. */
enum mln_base64_form {
    MLN_BASE64,           /* '+', '/', padded */
    MLN_BASE64_BARE,      /* '+', '/', without padding */
    MLN_BASE64URL,        /* '-', '_', without padding (JOSE) */
    MLN_BASE64URL_PADDED, /* '-', '_', padded */
};

/* Appends. LIMIT when out is full. */
MLN_RESULT mln_base64_encode(enum mln_base64_form form, struct mln_str bytes, struct mln_buf *out);
/* Appends the decoded bytes; SYNTAX for a text that the encoder could not have made (out is then unchanged). */
MLN_RESULT mln_base64_decode(enum mln_base64_form form, struct mln_str text, struct mln_buf *out);

/* The same for memory of the caller, without a NUL: characters that so many bytes take, writing exactly those; bytes that
   a text of so many characters has at most, reading them. */
size_t mln_base64_chars(enum mln_base64_form form, size_t bytes);
void mln_base64_write(enum mln_base64_form form, struct mln_str bytes, char *out);
static inline size_t mln_base64_bytes_most(size_t chars)
{
    return chars / 4 * 3 + 2;
}
MLN_RESULT mln_base64_read(enum mln_base64_form form, struct mln_str text, char *out, size_t *bytes);

#endif
