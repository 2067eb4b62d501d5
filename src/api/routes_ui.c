/* The console: its files, and the browser's session as an API (the sign-in page is in routes_pages.c). */
#include "access/signin.h"
#include "api/assets.h"
#include "api/cookie.h"
#include "base/log.h"

static const char policy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types merlon";

/* ---- files ---- */

static int by_path(const void *key, const void *item)
{
    const struct mln_str *path = key;
    const struct mln_asset *asset = item;
    return mln_str_cmp(*path, mln_str_c(asset->path));
}

static const struct mln_asset *find_asset(struct mln_str path)
{
    return bsearch(&path, mln_assets, mln_assets_count, sizeof *mln_assets, by_path);
}

static struct mln_result serve(struct mln_request *request, struct mln_reply *reply, const struct mln_asset *asset)
{
    struct mln_str etag = mln_str_c(asset->etag);
    mln_reply_json(reply, 200);
    reply->content_type = asset->type;
    MLN_TRY(mln_reply_header(request, reply, "ETag", etag));
    MLN_TRY(mln_reply_header(request, reply, "Cache-Control", MLN_S("no-cache")));
    MLN_TRY(mln_reply_header(request, reply, "Vary", MLN_S("Accept-Encoding")));
    MLN_TRY(mln_reply_header(request, reply, "Content-Security-Policy", mln_str_c(policy)));
    MLN_TRY(mln_reply_header(request, reply, "Referrer-Policy", MLN_S("no-referrer")));
    MLN_TRY(mln_reply_header(request, reply, "Cross-Origin-Opener-Policy", MLN_S("same-origin")));
    if (mln_str_find(mln_request_header(request, "if-none-match"), etag, 0) != SIZE_MAX) {
        reply->status = 304;
        return MLN_OK;
    }
    const unsigned char *from = asset->bytes, *to = asset->bytes_end;
    if (asset->gzip && mln_str_find(mln_request_header(request, "accept-encoding"), MLN_S("gzip"), 0) != SIZE_MAX) {
        from = asset->gzip;
        to = asset->gzip_end;
        MLN_TRY(mln_reply_header(request, reply, "Content-Encoding", MLN_S("gzip")));
    }
    reply->fixed_body = (struct mln_str){(const char *)from, (size_t)(to - from)};
    return MLN_OK;
}

static struct mln_result get_index(struct mln_request *request, struct mln_reply *reply)
{
    const struct mln_asset *index = find_asset(MLN_S("index.html"));
    return index ? serve(request, reply, index)
                 : mln_reply_error(reply, 404, "NotFound", "This build has no console; the API is there.");
}

/* A file; a path that has no dot is one of the console's own pages. */
static struct mln_result get_file(struct mln_request *request, struct mln_reply *reply)
{
    struct mln_str path = mln_request_capture(request, "path");
    const struct mln_asset *asset = find_asset(path);
    if (asset)
        return serve(request, reply, asset);
    if (mln_str_find(path, MLN_S("."), 0) == SIZE_MAX)
        return get_index(request, reply);
    return mln_reply_error(reply, 404, "NotFound", "The console has no such file.");
}

static struct mln_result redirect(struct mln_request *request, struct mln_reply *reply, int status, struct mln_str to)
{
    mln_reply_empty(reply, status);
    return mln_reply_header(request, reply, "Location", to);
}

static struct mln_result get_root(struct mln_request *request, struct mln_reply *reply)
{
    return redirect(request, reply, 302, MLN_S("/ui/"));
}

/* ---- the session ---- */

static struct mln_result answer_session(struct mln_request *request, struct mln_reply *reply, struct mln_str id,
                                        struct mln_str name)
{
    struct mln_json_writer *w = mln_reply_json(reply, 200);
    mln_json_begin_object(w);
    mln_json_member_str(w, "principalId", id);
    mln_json_member_str(w, "name", name);
    mln_json_member_str(w, "tenantId", request->api->tenant_id);
    mln_json_end_object(w);
    return mln_json_writer_end(w);
}

static struct mln_result get_session(struct mln_request *request, struct mln_reply *reply)
{
    MLN_TRY(mln_cookie_caller(request));
    return answer_session(request, reply, request->caller.id, request->caller.name);
}

static struct mln_result post_session(struct mln_request *request, struct mln_reply *reply)
{
    const struct mln_json *body;
    struct mln_principal principal = {0};
    struct mln_str none = {0};
    MLN_BUF_CLEANUP struct mln_buf cookie = MLN_BUF_SECRET(64);
    if (!mln_cookie_from_our_page(request)) /* another site must not sign its visitors in as somebody of its choice */
        return mln_fail(MLN_E_FORBIDDEN, "Signing in this way needs X-Merlon-Request: 1 from our own page.");
    MLN_TRY(mln_request_object(request, &body));
    struct mln_str user = mln_json_str(mln_json_get(body, MLN_S("user")), none);
    struct mln_result r =
        mln_signin_password(request->api->signin, user, mln_json_str(mln_json_get(body, MLN_S("password")), none),
                            request->address, request->arena, &principal);
    if (r.code == MLN_E_UNAUTHENTICATED || r.code == MLN_E_TOO_MANY)
        mln_log(WARNING, "sign-in from %.*s refused: user %.*s: %s", MLN_FMT(request->address),
                MLN_FMT(mln_str_sub(user, 0, 128)), mln_error_text());
    MLN_TRY(r);
    MLN_TRY(
        mln_signin_session_start(request->api->signin, &principal, request->arena, &cookie, &request->session_csrf));
    MLN_TRY(mln_cookie_set(request, reply, mln_buf_str(&cookie)));
    return answer_session(request, reply, principal.id, principal.name);
}

static struct mln_result end_session(struct mln_request *request, struct mln_reply *reply)
{
    struct mln_str cookie = mln_cookie_session(request);
    if (cookie.n)
        MLN_TRY(mln_signin_session_end(request->api->signin, cookie, request->arena));
    mln_reply_empty(reply, 204);
    return mln_cookie_set(request, reply, MLN_S(""));
}

/* The cookie is SameSite=Strict: it comes along only when our own page asks. */
static struct mln_result post_signout(struct mln_request *request, struct mln_reply *reply)
{
    MLN_TRY(end_session(request, reply));
    return redirect(request, reply, 303, MLN_S("/ui/signin"));
}

static const struct mln_route routes[] = {
    {MLN_GET, "/", get_root, NULL, NULL, MLN_ROUTE_PUBLIC, 0},
    {MLN_GET, "/ui", get_index, NULL, NULL, MLN_ROUTE_PUBLIC, 0},
    {MLN_GET, "/ui/{path*}", get_file, NULL, NULL, MLN_ROUTE_PUBLIC, 0},
    {MLN_GET, "/ui/session", get_session, NULL, NULL, MLN_ROUTE_PUBLIC, 0},
    {MLN_POST, "/ui/session", post_session, NULL, NULL, MLN_ROUTE_PUBLIC, 16 << 10},
    {MLN_DELETE, "/ui/session", end_session, NULL, NULL, MLN_ROUTE_PUBLIC, 0},
    {MLN_POST, "/ui/signout", post_signout, NULL, NULL, MLN_ROUTE_PUBLIC | MLN_ROUTE_RAW, 1024},
};
const struct mln_route_table mln_routes_ui = MLN_ROUTE_TABLE("ui", routes);
