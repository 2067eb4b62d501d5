#include "api/handle.h"
#include "api/path.h"
#include "base/base64.h"

enum { PAGE_MOST = 1000 };

struct mln_str mln_request_capture(const struct mln_request *request, const char *name)
{
    if (request->provider.p && !strcmp(name, "namespace"))
        return request->provider;
    for (size_t i = 0; i < request->n_captures; i++)
        if (mln_str_eq(request->capture_names[i], mln_str_c(name)))
            return request->captures[i];
    return (struct mln_str){0};
}

struct mln_str mln_request_query(const struct mln_request *request, const char *name)
{
    for (size_t i = 0; i < request->n_query; i++)
        if (mln_str_eq_nocase(request->query[i].name, mln_str_c(name)))
            return request->query[i].value;
    return (struct mln_str){0};
}

struct mln_str mln_request_header(const struct mln_request *request, const char *name)
{
    return mln_pair_find(request->headers, request->n_headers, name);
}

struct mln_result mln_request_object(const struct mln_request *request, const struct mln_json **object)
{
    if (!mln_json_is(request->json, MLN_JSON_OBJECT))
        return mln_fail(MLN_E_SYNTAX, request->json ? "The request content is not a JSON object."
                                                    : "The request content is missing; a JSON object is expected.");
    *object = request->json;
    return MLN_OK;
}

bool mln_request_version_from(const struct mln_request *request, const char *date)
{
    return mln_str_cmp(mln_str_sub(request->api_version, 0, 10), mln_str_c(date)) >= 0;
}

struct mln_result mln_request_page(const struct mln_request *request, struct mln_page *page)
{
    *page = (struct mln_page){.limit = PAGE_MOST};
    struct mln_str top = mln_request_query(request, "$top"), token = mln_request_query(request, "$skipToken");
    if (top.p) {
        uint64_t wanted = 0;
        struct mln_result r = mln_str_to_u64(top, &wanted);
        if (!mln_ok(r) || wanted < 1)
            return mln_fail(MLN_E_INVALID, "$top must be a number from 1 to %d.", PAGE_MOST);
        page->limit = wanted < PAGE_MOST ? (size_t)wanted : PAGE_MOST;
    }
    if (token.p) {
        MLN_BUF_CLEANUP struct mln_buf key = MLN_BUF(MLN_STORE_MAX_KEY_BYTES);
        if (!mln_ok(mln_base64_decode(MLN_BASE64URL, token, &key)))
            return mln_fail(MLN_E_INVALID, "$skipToken is not one that this server gave out.");
        MLN_TRY_STR(request->arena, page->after, mln_str_dup(request->arena, mln_buf_str(&key)));
    }
    return MLN_OK;
}

struct mln_result mln_request_type(const struct mln_request *request, struct mln_str *type)
{
    MLN_BUF_CLEANUP struct mln_buf text = MLN_BUF(4096);
    MLN_TRY(mln_buf_append(&text, request->provider));
    for (size_t i = request->tail; i < request->n_segments; i += 2) {
        MLN_TRY(mln_buf_byte(&text, '/'));
        MLN_TRY(mln_buf_append(&text, request->segments[i]));
    }
    MLN_TRY_STR(request->arena, *type, mln_str_dup(request->arena, mln_buf_str(&text)));
    return MLN_OK;
}

struct mln_activity_entry mln_request_entry(const struct mln_request *request, int status)
{
    return (struct mln_activity_entry){
        .caller_id = request->caller.id,
        .caller_name = request->caller.name,
        .address = request->address,
        .action = request->action,
        .scope = request->id,
        .status = status < 400 ? MLN_S("Succeeded") : MLN_S("Failed"),
        .http_status = status,
        .correlation_id = request->request_id,
        .client_command = mln_request_header(request, "commandname"),
    };
}

struct mln_result mln_request_commit(struct mln_request *request, struct mln_store_batch *batch, int64_t *revision)
{
    struct mln_activity_entry entry = mln_request_entry(request, 200);
    MLN_TRY(mln_activity_commit(request->api->activity, batch, &entry, revision));
    request->recorded = true;
    return MLN_OK;
}
