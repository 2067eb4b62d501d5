#include "api/cookie.h"

#include "access/signin.h"

#define NAME "__Host-merlon"

struct mln_str mln_cookie_value(const struct mln_request *request, const char *name)
{
    struct mln_str rest = mln_request_header(request, "cookie"), part, wanted = mln_str_c(name), key;
    while (rest.n && mln_str_cut(&rest, ';', &part)) {
        struct mln_str value = mln_str_trim(part);
        if (mln_str_cut(&value, '=', &key) && mln_str_eq(key, wanted))
            return value;
    }
    return (struct mln_str){0};
}

struct mln_str mln_cookie_session(const struct mln_request *request)
{
    return mln_cookie_value(request, NAME);
}

struct mln_result mln_cookie_caller(struct mln_request *request)
{
    struct mln_str cookie = mln_cookie_session(request);
    if (!cookie.n)
        return mln_fail(MLN_E_UNAUTHENTICATED, "Nobody is signed in.");
    return mln_signin_session(request->api->signin, cookie, request->arena, &request->caller, &request->session_csrf);
}

bool mln_cookie_from_our_page(const struct mln_request *request)
{
    return mln_str_eq(mln_request_header(request, "x-merlon-request"), MLN_S("1")) &&
           mln_str_eq(mln_request_header(request, "sec-fetch-site"), MLN_S("same-origin"));
}

struct mln_result mln_cookie_set(struct mln_request *request, struct mln_reply *reply, struct mln_str value)
{
    struct mln_str text;
    MLN_TRY_STR(request->arena, text,
                mln_str_printf(request->arena, NAME "=%.*s; Path=/; Secure; HttpOnly; SameSite=Strict%s",
                               MLN_FMT(value), value.n ? "" : "; Max-Age=0"));
    return mln_reply_header(request, reply, "Set-Cookie", text);
}
