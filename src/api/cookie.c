#include "api/cookie.h"

#define NAME "__Host-merlon"

struct mln_str mln_cookie_session(const struct mln_request *request)
{
    struct mln_str rest = mln_request_header(request, "cookie"), part;
    while (rest.n && mln_str_cut(&rest, ';', &part)) {
        part = mln_str_trim(part);
        if (mln_str_starts(part, MLN_S(NAME "=")))
            return mln_str_sub(part, sizeof NAME, part.n);
    }
    return (struct mln_str){0};
}

struct mln_result mln_cookie_set(struct mln_request *request, struct mln_reply *reply, struct mln_str value)
{
    struct mln_str text;
    MLN_TRY_STR(request->arena, text,
                mln_str_printf(request->arena, NAME "=%.*s; Path=/; Secure; HttpOnly; SameSite=Strict%s", MLN_FMT(value),
                               value.n ? "" : "; Max-Age=0"));
    return mln_reply_header(request, reply, "Set-Cookie", text);
}
