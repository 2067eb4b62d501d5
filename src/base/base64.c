#include "base/base64.h"

static bool form_is_url(enum mln_base64_form form)
{
    return form == MLN_BASE64URL || form == MLN_BASE64URL_PADDED;
}

static bool form_is_padded(enum mln_base64_form form)
{
    return form == MLN_BASE64 || form == MLN_BASE64URL_PADDED;
}

size_t mln_base64_chars(enum mln_base64_form form, size_t bytes)
{
    size_t last = bytes % 3; /* bytes in a group of less than three */
    return bytes / 3 * 4 + (last ? (form_is_padded(form) ? 4 : last + 1) : 0);
}

void mln_base64_write(enum mln_base64_form form, struct mln_str bytes, char *out)
{
    static const char common[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    const char *last_two = form_is_url(form) ? "-_" : "+/";
    for (size_t i = 0; i < bytes.n; i += 3) {
        size_t group = bytes.n - i < 3 ? bytes.n - i : 3;
        uint32_t bits = 0;
        for (size_t k = 0; k < 3; k++)
            bits = bits << 8 | (k < group ? (unsigned char)bytes.p[i + k] : 0u);
        for (size_t k = 0; k < 4; k++) {
            uint32_t value = bits >> (18 - 6 * k) & 63;
            if (k <= group)
                *out++ = value < 62 ? common[value] : last_two[value - 62];
            else if (form_is_padded(form))
                *out++ = '=';
        }
    }
}

struct mln_result mln_base64_encode(enum mln_base64_form form, struct mln_str bytes, struct mln_buf *out)
{
    if (bytes.n > SIZE_MAX / 2)
        return mln_fail(MLN_E_LIMIT, "too large for base64");
    size_t chars = mln_base64_chars(form, bytes.n);
    MLN_TRY(mln_buf_reserve(out, chars));
    mln_base64_write(form, bytes, out->p + out->n);
    out->n += chars;
    out->p[out->n] = '\0';
    return MLN_OK;
}

static int value_of(char c, bool url)
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
static struct mln_result count_digits(enum mln_base64_form form, struct mln_str text, size_t *digits)
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

struct mln_result mln_base64_read(enum mln_base64_form form, struct mln_str text, char *out, size_t *bytes)
{
    size_t n = 0;
    MLN_TRY(count_digits(form, text, &n));
    char *p = out;
    uint32_t bits = 0;
    unsigned held = 0; /* bits not written yet */
    for (size_t i = 0; i < n; i++) {
        int value = value_of(text.p[i], form_is_url(form));
        if (value < 0)
            return mln_fail(MLN_E_SYNTAX, "not base64 at offset %zu", i);
        bits = bits << 6 | (uint32_t)value;
        held += 6;
        if (held >= 8) {
            held -= 8;
            *p++ = (char)(bits >> held & 255);
        }
    }
    if (bits & ((1u << held) - 1))
        return mln_fail(MLN_E_SYNTAX, "base64 with stray bits at its end");
    *bytes = (size_t)(p - out);
    return MLN_OK;
}

struct mln_result mln_base64_decode(enum mln_base64_form form, struct mln_str text, struct mln_buf *out)
{
    size_t n = 0, bytes = 0;
    MLN_TRY(count_digits(form, text, &n));
    MLN_TRY(mln_buf_reserve(out, n / 4 * 3 + (n % 4 ? n % 4 - 1 : 0)));
    struct mln_result r = mln_base64_read(form, text, out->p + out->n, &bytes);
    out->n += bytes;
    out->p[out->n] = '\0';
    return r;
}
