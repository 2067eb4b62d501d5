#include "base/result.h"

#include <errno.h>
#include <stdarg.h>

enum { TEXT_BYTES = 512 };

static _Thread_local char text[TEXT_BYTES];

static const struct {
    const char *name, *word, *doc;
    int http;
} codes[] = {
#define C(name, http, word, doc) {#name, word, doc, http},
    MLN_CODES(C)
#undef C
};

struct mln_result mln_fail(enum mln_code code, const char *format, ...)
{
    char fresh[TEXT_BYTES]; /* the arguments may point into the current text */
    va_list args;
    va_start(args, format);
    vsnprintf(fresh, sizeof fresh, format, args);
    va_end(args);
    memcpy(text, fresh, sizeof text);
    return (struct mln_result){code};
}

struct mln_result mln_fail_errno(int error, const char *format, ...)
{
    char fresh[TEXT_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(fresh, sizeof fresh, format, args);
    va_end(args);
    enum mln_code code = MLN_E_IO;
    if (error == ENOSPC || error == EDQUOT)
        code = MLN_E_FULL;
    else if (error == ENOENT)
        code = MLN_E_NOT_FOUND;
    else if (error == ENOMEM)
        code = MLN_E_MEMORY;
    else if (error == EACCES || error == EPERM)
        code = MLN_E_FORBIDDEN;
    return mln_fail(code, "%s: %s", fresh, strerrordesc_np(error) ? strerrordesc_np(error) : "unknown error");
}

struct mln_result mln_fail_at(struct mln_result r, const char *format, ...)
{
    char prefix[TEXT_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(prefix, sizeof prefix, format, args);
    va_end(args);
    return mln_fail(r.code, "%.200s: %s", prefix, text);
}

const char *mln_error_text(void)
{
    return text;
}

static enum mln_code known(enum mln_code code)
{
    return code < MLN_E_COUNT ? code : MLN_E_INTERNAL;
}

const char *mln_code_name(enum mln_code code)
{
    return codes[known(code)].name;
}

int mln_code_http(enum mln_code code)
{
    return codes[known(code)].http;
}

const char *mln_code_word(enum mln_code code)
{
    return codes[known(code)].word;
}

const char *mln_code_doc(enum mln_code code)
{
    return codes[known(code)].doc;
}
