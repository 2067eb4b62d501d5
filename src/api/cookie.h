/* The browser session's cookie: `__Host-merlon`, HttpOnly, Secure, SameSite=Strict. */
#ifndef MLN_API_COOKIE_H
#define MLN_API_COOKIE_H

#include "api/route.h"

/* A cookie by its name; p NULL when the browser sent none. */
struct mln_str mln_cookie_value(const struct mln_request *request, const char *name);
/* The session's cookie that the browser sent; p NULL when it sent none. */
struct mln_str mln_cookie_session(const struct mln_request *request);
/* Fills request->caller and session_csrf from the cookie: for pages, which must know before they decide what to show.
   UNAUTHENTICATED without a session. */
MLN_RESULT mln_cookie_caller(struct mln_request *request);
/* A cookie is sent by the browser whoever wrote the page: for anything but reading, the page must be ours. True when the
   request carries what only our own pages can make a browser send. */
bool mln_cookie_from_our_page(const struct mln_request *request);
/* Sets it, or with an empty value takes it back. */
MLN_RESULT mln_cookie_set(struct mln_request *request, struct mln_reply *reply, struct mln_str value);

#endif
