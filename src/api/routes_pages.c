/*
 * The pages by which people sign in: the console's sign-in, the authorization page of other programs, the approval of a
 * device code. Plain forms, no script. Every form carries a token: the session's, or, before there is a session, one that
 * also stands in a cookie of its own, so that no other site can post it.
 */
#include "access/signin.h"
#include "api/cookie.h"
#include "api/html.h"
#include "api/path.h"
#include "base/log.h"
#include "crypto/random.h"

enum { MAX_FIELDS = 24, FORM_BYTES = 16 << 10 };
#define LOOPBACK "http://localhost:* http://127.0.0.1:*"

/* The console's colours (web/app.css); a page of its own, since it must do without the console's files. */
static const char page_css[] =
    ":root{color-scheme:light dark;font:16px/1.5 system-ui,\"DejaVu Sans\",sans-serif}\n"
    "body{margin:0;display:grid;min-height:100vh;place-items:center;background:light-dark(#f5f6f8,#14171c);"
    "color:light-dark(#1b1f26,#e6e9ee)}\n"
    "main{width:min(22rem,92vw);box-sizing:border-box;padding:1.6rem 1.8rem;border-radius:8px;"
    "background:light-dark(#fff,#1d2128);border:1px solid light-dark(#d5d9e0,#363c47)}\n"
    "main::before{content:\"Merlon\";font-weight:650;color:light-dark(#1f5fc4,#7fb0ff)}\n"
    "h1{font-size:1.4rem;margin:.2rem 0 1rem}\n"
    "label{display:block;margin:0 0 1rem}\n"
    "input{display:block;width:100%;box-sizing:border-box;padding:.5rem "
    ".6rem;font:inherit;color:inherit;border-radius:5px;"
    "background:light-dark(#fff,#14171c);border:1px solid light-dark(#7c8696,#6c7686)}\n"
    "button{padding:.5rem 1.2rem;font:inherit;margin:0 .5rem .2rem 0;border-radius:5px;cursor:pointer;border:1px solid "
    "light-dark(#1f5fc4,#7fb0ff);background:none;color:light-dark(#1f5fc4,#7fb0ff)}\n"
    "button:first-of-type{background:light-dark(#1f5fc4,#7fb0ff);color:light-dark(#fff,#14171c)}\n"
    ":focus-visible{outline:2px solid light-dark(#1f5fc4,#7fb0ff);outline-offset:2px}\n"
    "[role=alert]{border-left:4px solid light-dark(#b3261e,#ff8a80);padding:.25rem .75rem}\n";

struct page {
    struct mln_request *request;
    struct mln_reply *reply;
    struct mln_pair fields[MAX_FIELDS]; /* of the form, or of the query */
    size_t n_fields;
    const char *title, *post_to;
    const char *const *kept; /* fields that go from page to page */
    struct mln_str path;     /* where the forms are posted to */
    struct mln_str principal_id;
};

static struct mln_str field(const struct page *page, const char *name)
{
    return mln_pair_find(page->fields, page->n_fields, name);
}

/* ---- tokens of forms ---- */

static struct mln_result put_kept(struct page *page)
{
    for (const char *const *name = page->kept; *name; name++)
        if (field(page, *name).p)
            MLN_TRY(mln_html_hidden(page->reply, *name, field(page, *name)));
    return MLN_OK;
}

static struct mln_str form_cookie(const struct mln_request *request)
{
    return mln_cookie_value(request, "__Host-merlon-form");
}

static struct mln_result set_form_cookie(struct page *page, struct mln_str *token)
{
    MLN_BUF_CLEANUP struct mln_buf random = MLN_BUF(64);
    struct mln_str cookie;
    MLN_TRY(mln_random_token(24, &random));
    MLN_TRY_STR(page->request->arena, *token, mln_str_dup(page->request->arena, mln_buf_str(&random)));
    MLN_TRY_STR(page->request->arena, cookie,
                mln_str_printf(page->request->arena,
                               "__Host-merlon-form=%.*s; Path=/; Secure; HttpOnly; SameSite=Strict", MLN_FMT(*token)));
    return mln_reply_header(page->request, page->reply, "Set-Cookie", cookie);
}

/* Whether the form that was posted is one of ours: its token is the session's, or the cookie's where there is none. */
static bool form_is_ours(const struct page *page)
{
    struct mln_str site = mln_request_header(page->request, "sec-fetch-site");
    struct mln_str expected = page->request->session_csrf.n ? page->request->session_csrf : form_cookie(page->request);
    return (!site.n || mln_str_eq(site, MLN_S("same-origin"))) && expected.n &&
           mln_secret_eq(field(page, "form_token"), expected);
}

/* ---- signing in on a page ---- */

static struct mln_result show_signin(struct page *page, struct mln_str message)
{
    struct mln_str token;
    MLN_TRY(mln_html_begin(page->request, page->reply, message.n ? 401 : 200, page->title, message, page->post_to));
    MLN_TRY(set_form_cookie(page, &token));
    MLN_TRY(mln_html_form(page->reply, page->path));
    MLN_TRY(put_kept(page));
    MLN_TRY(mln_html_hidden(page->reply, "form_token", token));
    MLN_TRY(mln_html_input(page->reply, "User name", "username", "text", "username", field(page, "username")));
    MLN_TRY(mln_html_input(page->reply, "Password", "password", "password", "current-password", MLN_S("")));
    MLN_TRY(mln_html_button(page->reply, "Sign in", "step", "signin"));
    MLN_TRY(mln_html_form_end(page->reply));
    return mln_html_end(page->reply);
}

/* Looks at name and password of the form. *in: signed in, the cookie is set; otherwise the reply is made. */
static struct mln_result sign_in(struct page *page, bool *in)
{
    struct mln_request *request = page->request;
    struct mln_principal principal = {0};
    MLN_BUF_CLEANUP struct mln_buf cookie = MLN_BUF_SECRET(64);
    *in = false;
    if (!form_is_ours(page))
        return show_signin(page, MLN_S("The form was too old, or not ours. Try again."));
    struct mln_result r = mln_signin_password(request->api->signin, field(page, "username"), field(page, "password"),
                                              request->address, request->arena, &principal);
    if (r.code == MLN_E_UNAUTHENTICATED || r.code == MLN_E_TOO_MANY) {
        struct mln_str why;
        MLN_TRY_STR(request->arena, why, mln_str_dup(request->arena, mln_str_c(mln_error_text())));
        mln_log(WARNING, "sign-in from %.*s refused: user %.*s: %.*s", MLN_FMT(request->address),
                MLN_FMT(mln_str_sub(field(page, "username"), 0, 128)), MLN_FMT(why));
        return show_signin(page, why);
    }
    MLN_TRY(r);
    MLN_TRY(
        mln_signin_session_start(request->api->signin, &principal, request->arena, &cookie, &request->session_csrf));
    MLN_TRY(mln_cookie_set(request, page->reply, mln_buf_str(&cookie)));
    page->principal_id = principal.id;
    *in = true;
    return MLN_OK;
}

/* Reads the form or query and the session. *in: somebody is signed in (and what was posted is ours, so *step says what
   to do); otherwise the reply is made. */
static struct mln_result open_page(struct page *page, bool *in, struct mln_str *step)
{
    struct mln_request *request = page->request;
    bool post = request->method == MLN_POST;
    *in = false;
    *step = MLN_S("");
    page->path = request->target;
    if (post) {
        MLN_TRY(mln_form_parse(request->arena, request->body, page->fields, MAX_FIELDS, &page->n_fields));
    } else {
        page->n_fields = request->n_query < MAX_FIELDS ? request->n_query : MAX_FIELDS;
        memcpy(page->fields, request->query, page->n_fields * sizeof *page->fields);
    }
    if (post && mln_str_eq(field(page, "step"), MLN_S("signin")))
        return sign_in(page, in);
    struct mln_result r = mln_cookie_caller(request);
    if (r.code == MLN_E_UNAUTHENTICATED)
        return show_signin(page, MLN_S(""));
    MLN_TRY(r);
    page->principal_id = request->caller.id;
    if (post && !form_is_ours(page))
        return mln_reply_error(page->reply, 403, "Forbidden", "The form was not one of ours.");
    *step = post ? field(page, "step") : MLN_S("");
    *in = true;
    return MLN_OK;
}

/* ---- the console's sign-in ---- */

static const char *const nothing_kept[] = {NULL};

static struct mln_result console_page(struct mln_request *request, struct mln_reply *reply)
{
    struct page page = {.request = request, .reply = reply, .title = "Sign in", .post_to = "", .kept = nothing_kept};
    bool in;
    struct mln_str step;
    MLN_TRY(open_page(&page, &in, &step));
    if (!in)
        return MLN_OK;
    mln_reply_empty(reply, 303);
    return mln_reply_header(request, reply, "Location", MLN_S("/ui/"));
}

/* ---- authorization ---- */

static const char *const authorize_kept[] = {"client_id", "redirect_uri", "response_type",  "response_mode",
                                             "state",     "nonce",        "code_challenge", "code_challenge_method",
                                             NULL};

static struct mln_code_request code_request(const struct page *page)
{
    return (struct mln_code_request){.client_id = field(page, "client_id"),
                                     .redirect_uri = field(page, "redirect_uri"),
                                     .challenge = field(page, "code_challenge"),
                                     .nonce = field(page, "nonce")};
}

/* The names of clients that people know; others are shown by their id. */
static struct mln_str client_name(struct mln_str client_id)
{
    static const char *const known[][2] = {
        {"04b07795-8ddb-461a-bbee-02f9e1bf7b46", "Azure CLI"},
        {"1950a258-227b-4e31-a9cf-717495945fc2", "Azure PowerShell"},
        {"merlon", "the merlon command"},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (mln_str_eq_nocase(client_id, mln_str_c(known[i][0])))
            return mln_str_c(known[i][1]);
    return client_id;
}

/* Sends the browser back to the program that waits on this machine: by redirect, or by a form where it asked for one. */
static struct mln_result send_back(struct page *page, const char *name, struct mln_str value)
{
    struct mln_str redirect = field(page, "redirect_uri"), state = field(page, "state");
    if (mln_str_eq(field(page, "response_mode"), MLN_S("form_post"))) {
        MLN_TRY(mln_html_begin(page->request, page->reply, 200, page->title, MLN_S(""), page->post_to));
        MLN_TRY(mln_html_form(page->reply, redirect));
        MLN_TRY(mln_html_hidden(page->reply, name, value));
        if (state.p)
            MLN_TRY(mln_html_hidden(page->reply, "state", state));
        MLN_TRY(mln_buf_append(&page->reply->body, MLN_S("<button>Continue</button>\n")));
        MLN_TRY(mln_html_form_end(page->reply));
        return mln_html_end(page->reply);
    }
    MLN_BUF_CLEANUP struct mln_buf location = MLN_BUF(8192);
    bool has_query = mln_str_find(redirect, MLN_S("?"), 0) != SIZE_MAX;
    MLN_TRY(mln_buf_printf(&location, "%.*s%c%s=", MLN_FMT(redirect), has_query ? '&' : '?', name));
    MLN_TRY(mln_percent_encode(&location, value));
    if (state.p) {
        MLN_TRY(mln_buf_append(&location, MLN_S("&state=")));
        MLN_TRY(mln_percent_encode(&location, state));
    }
    mln_reply_empty(page->reply, 302);
    return mln_reply_header(page->request, page->reply, "Location", mln_buf_str(&location));
}

static struct mln_result show_consent(struct page *page)
{
    struct mln_str text;
    MLN_TRY_STR(page->request->arena, text,
                mln_str_printf(page->request->arena, "%.*s on this computer asks to act as %.*s.",
                               MLN_FMT(client_name(field(page, "client_id"))), MLN_FMT(page->request->caller.name)));
    MLN_TRY(mln_html_begin(page->request, page->reply, 200, page->title, MLN_S(""), page->post_to));
    MLN_TRY(mln_html_text(page->reply, text));
    MLN_TRY(mln_html_form(page->reply, page->path));
    MLN_TRY(put_kept(page));
    MLN_TRY(mln_html_hidden(page->reply, "form_token", page->request->session_csrf));
    MLN_TRY(mln_html_button(page->reply, "Allow", "step", "allow"));
    MLN_TRY(mln_html_button(page->reply, "Cancel", "step", "cancel"));
    MLN_TRY(mln_html_form_end(page->reply));
    return mln_html_end(page->reply);
}

static struct mln_result authorize_page(struct mln_request *request, struct mln_reply *reply)
{
    struct page page = {
        .request = request, .reply = reply, .title = "Sign in", .post_to = LOOPBACK, .kept = authorize_kept};
    bool in;
    struct mln_str step;
    MLN_TRY(open_page(&page, &in, &step));
    struct mln_code_request wanted = code_request(&page);
    struct mln_result r = mln_signin_code_check(&wanted);
    if (mln_ok(r) && (!mln_str_eq(field(&page, "response_type"), MLN_S("code")) ||
                      !mln_str_eq(field(&page, "code_challenge_method"), MLN_S("S256"))))
        r = mln_fail(MLN_E_INVALID, "response_type must be code and code_challenge_method S256.");
    if (!mln_ok(r) || !in) /* with a bad address to go back to, nobody is sent there */
        return r;
    if (mln_str_eq(step, MLN_S("cancel")))
        return send_back(&page, "error", MLN_S("access_denied"));
    bool just_signed_in = mln_str_eq(field(&page, "step"), MLN_S("signin"));
    if (!just_signed_in && !mln_str_eq(step, MLN_S("allow")))
        return show_consent(&page);
    MLN_BUF_CLEANUP struct mln_buf code = MLN_BUF_SECRET(64);
    MLN_TRY(mln_signin_code_start(request->api->signin, &wanted, page.principal_id, request->arena, &code));
    return send_back(&page, "code", mln_buf_str(&code));
}

/* ---- device codes ---- */

static const char *const device_kept[] = {"user_code", NULL};

static struct mln_result show_code_form(struct page *page, struct mln_str message)
{
    MLN_TRY(mln_html_begin(page->request, page->reply, 200, page->title, message, page->post_to));
    MLN_TRY(mln_html_form(page->reply, page->path));
    MLN_TRY(mln_html_hidden(page->reply, "form_token", page->request->session_csrf));
    MLN_TRY(mln_html_input(page->reply, "Code", "user_code", "text", "off", field(page, "user_code")));
    MLN_TRY(mln_html_button(page->reply, "Continue", "step", "find"));
    MLN_TRY(mln_html_form_end(page->reply));
    return mln_html_end(page->reply);
}

static struct mln_result show_decision(struct page *page, const struct mln_grant *grant)
{
    struct mln_str text;
    MLN_TRY_STR(
        page->request->arena, text,
        mln_str_printf(page->request->arena,
                       "%.*s at the address %.*s asks to act as %.*s. Allow this only if you started it yourself "
                       "and the code that it shows is the one you entered.",
                       MLN_FMT(client_name(grant->client_id)), MLN_FMT(grant->address),
                       MLN_FMT(page->request->caller.name)));
    MLN_TRY(mln_html_begin(page->request, page->reply, 200, page->title, MLN_S(""), page->post_to));
    MLN_TRY(mln_html_text(page->reply, text));
    MLN_TRY(mln_html_form(page->reply, page->path));
    MLN_TRY(put_kept(page));
    MLN_TRY(mln_html_hidden(page->reply, "form_token", page->request->session_csrf));
    MLN_TRY(mln_html_button(page->reply, "Allow", "step", "allow"));
    MLN_TRY(mln_html_button(page->reply, "Deny", "step", "deny"));
    MLN_TRY(mln_html_form_end(page->reply));
    return mln_html_end(page->reply);
}

static struct mln_result show_outcome(struct page *page, struct mln_str text)
{
    MLN_TRY(mln_html_begin(page->request, page->reply, 200, page->title, MLN_S(""), page->post_to));
    MLN_TRY(mln_html_text(page->reply, text));
    return mln_html_end(page->reply);
}

static struct mln_result device_page(struct mln_request *request, struct mln_reply *reply)
{
    struct page page = {
        .request = request, .reply = reply, .title = "Connect a program", .post_to = "", .kept = device_kept};
    bool in;
    struct mln_str step, code;
    MLN_TRY(open_page(&page, &in, &step));
    if (!in)
        return MLN_OK;
    code = field(&page, "user_code");
    bool decide = mln_str_eq(step, MLN_S("allow")) || mln_str_eq(step, MLN_S("deny"));
    if (!decide && !mln_str_eq(step, MLN_S("find")))
        return show_code_form(&page, MLN_S(""));
    struct mln_grant grant;
    bool allow = mln_str_eq(step, MLN_S("allow"));
    struct mln_result r =
        decide ? mln_signin_device_decide(request->api->signin, code, request->address, page.principal_id, allow,
                                          request->arena)
               : mln_signin_device_find(request->api->signin, code, request->address, request->arena, &grant);
    if (r.code == MLN_E_NOT_FOUND || r.code == MLN_E_TOO_MANY || r.code == MLN_E_UNAUTHENTICATED) {
        struct mln_str why;
        MLN_TRY_STR(request->arena, why, mln_str_dup(request->arena, mln_str_c(mln_error_text())));
        return show_code_form(&page, why);
    }
    MLN_TRY(r);
    if (!decide)
        return show_decision(&page, &grant);
    return show_outcome(&page, allow ? MLN_S("Done. You can close this page and go back to the program.")
                                     : MLN_S("Denied. The program gets nothing."));
}

static struct mln_result get_css(struct mln_request *request, struct mln_reply *reply)
{
    mln_reply_json(reply, 200);
    reply->content_type = "text/css; charset=utf-8";
    reply->fixed_body = (struct mln_str){page_css, sizeof page_css - 1};
    return mln_reply_header(request, reply, "Cache-Control", MLN_S("max-age=3600"));
}

#define FORM (MLN_ROUTE_PUBLIC | MLN_ROUTE_RAW)

static const struct mln_route routes[] = {
    {MLN_GET, "/adfs/page.css", get_css, NULL, NULL, MLN_ROUTE_PUBLIC, 0},
    {MLN_GET, "/ui/signin", console_page, NULL, NULL, FORM, 0},
    {MLN_POST, "/ui/signin", console_page, NULL, NULL, FORM, FORM_BYTES},
    {MLN_GET, "/adfs/oauth2/authorize", authorize_page, NULL, NULL, FORM, 0},
    {MLN_POST, "/adfs/oauth2/authorize", authorize_page, NULL, NULL, FORM, FORM_BYTES},
    {MLN_GET, "/adfs/oauth2/deviceauth", device_page, NULL, NULL, FORM, 0},
    {MLN_POST, "/adfs/oauth2/deviceauth", device_page, NULL, NULL, FORM, FORM_BYTES},
};
const struct mln_route_table mln_routes_pages = MLN_ROUTE_TABLE("pages", routes);
