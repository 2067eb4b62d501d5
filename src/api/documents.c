#include "api/documents.h"

#include "api/path.h"

struct mln_result mln_document_get(struct mln_request *request, struct mln_str id, const struct mln_json **document)
{
    MLN_CLEANUP(mln_store_read_end) struct mln_store_read *read = NULL;
    struct mln_str key, value;
    MLN_TRY_STR(request->arena, key, mln_str_lower(request->arena, id));
    MLN_TRY(mln_store_read_begin(request->api->store, &read));
    MLN_TRY(mln_store_get(read, MLN_COLLECTION_DOCUMENTS, key, request->arena, &value, NULL));
    return mln_json_parse(request->arena, value, MLN_STORE_MAX_VALUE_BYTES, document);
}

static struct mln_result exists(struct mln_request *request, struct mln_str id, bool *out)
{
    const struct mln_json *document;
    struct mln_result r = mln_document_get(request, id, &document);
    *out = mln_ok(r);
    return r.code == MLN_E_NOT_FOUND ? MLN_OK : r;
}

struct mln_result mln_document_put(struct mln_request *request, struct mln_str id, struct mln_str json, bool *created)
{
    bool existed;
    struct mln_str key;
    MLN_TRY_STR(request->arena, key, mln_str_lower(request->arena, id));
    MLN_TRY(exists(request, id, &existed));
    MLN_CLEANUP(mln_store_batch_free) struct mln_store_batch *batch = mln_store_batch_new();
    if (!batch)
        return mln_fail(MLN_E_MEMORY, "no memory for a batch");
    MLN_TRY(mln_store_put(batch, MLN_COLLECTION_DOCUMENTS, key, json));
    if (created)
        *created = !existed;
    return mln_request_commit(request, MLN_TAKE(batch), NULL);
}

struct mln_result mln_document_delete(struct mln_request *request, struct mln_str id, bool *existed)
{
    bool there;
    struct mln_str key;
    MLN_TRY_STR(request->arena, key, mln_str_lower(request->arena, id));
    MLN_TRY(exists(request, id, &there));
    if (existed)
        *existed = there;
    if (!there)
        return MLN_OK;
    MLN_CLEANUP(mln_store_batch_free) struct mln_store_batch *batch = mln_store_batch_new();
    if (!batch)
        return mln_fail(MLN_E_MEMORY, "no memory for a batch");
    MLN_TRY(mln_store_delete(batch, MLN_COLLECTION_DOCUMENTS, key));
    return mln_request_commit(request, MLN_TAKE(batch), NULL);
}

struct listing {
    struct mln_request *request;
    mln_document_visit visit;
    void *context;
};

static struct mln_result visit_value(void *context, struct mln_str key, struct mln_str value, int64_t revision,
                                     bool *stop)
{
    const struct listing *listing = context;
    const struct mln_json *document;
    (void)revision;
    MLN_TRY(mln_json_parse(listing->request->arena, value, MLN_STORE_MAX_VALUE_BYTES, &document));
    return listing->visit(listing->context, key, document, stop);
}

struct mln_result mln_document_list(struct mln_request *request, struct mln_str prefix, struct mln_str after,
                                    mln_document_visit visit, void *context)
{
    MLN_CLEANUP(mln_store_read_end) struct mln_store_read *read = NULL;
    struct mln_store_scan scan = {.after = after};
    struct listing listing = {request, visit, context};
    MLN_TRY_STR(request->arena, scan.prefix, mln_str_lower(request->arena, prefix));
    MLN_TRY(mln_store_read_begin(request->api->store, &read));
    return mln_store_scan(read, MLN_COLLECTION_DOCUMENTS, &scan, visit_value, &listing);
}

struct mln_str mln_security_id(struct mln_request *request, struct mln_str scope, const char *collection,
                               struct mln_str name)
{
    name = mln_path_segment(request->arena, name);
    if (!name.p)
        return name;
    return mln_str_printf(request->arena, "%.*s/providers/Microsoft.Security/%s/%.*s", MLN_FMT(scope), collection,
                          MLN_FMT(name));
}

struct mln_result mln_request_properties(const struct mln_request *request, const struct mln_json **properties)
{
    const struct mln_json *object;
    MLN_TRY(mln_request_object(request, &object));
    *properties = mln_json_get_nocase(object, MLN_S("properties"));
    if (!mln_json_is(*properties, MLN_JSON_OBJECT))
        return mln_fail(MLN_E_SYNTAX, "the body must have an object 'properties'");
    return MLN_OK;
}

struct mln_result mln_member_text(const struct mln_json *object, const char *name, bool required, struct mln_str *text)
{
    const struct mln_json *member = mln_json_get_nocase(object, mln_str_c(name));
    *text = (struct mln_str){NULL, 0};
    if (!member || member->kind == MLN_JSON_NULL)
        return required ? mln_fail(MLN_E_INVALID, "'%s' is required", name) : MLN_OK;
    if (member->kind != MLN_JSON_STRING)
        return mln_fail(MLN_E_INVALID, "'%s' must be a string, it is %s", name, mln_json_kind_name(member));
    *text = (struct mln_str){member->string, member->n};
    return MLN_OK;
}

struct mln_result mln_member_word(const struct mln_json *object, const char *name, const char *const *words,
                                  bool required, const char **word)
{
    struct mln_str text;
    *word = NULL;
    MLN_TRY(mln_member_text(object, name, required, &text));
    if (!text.p)
        return MLN_OK;
    int index = mln_word_index(words, text);
    if (index >= 0) {
        *word = words[index];
        return MLN_OK;
    }
    MLN_BUF_CLEANUP struct mln_buf list = MLN_BUF(512);
    for (size_t i = 0; words[i]; i++)
        MLN_TRY(mln_buf_printf(&list, "%s%s", i ? ", " : "", words[i]));
    return mln_fail(MLN_E_INVALID, "'%s' is '%.*s'; it must be one of %.*s", name, MLN_FMT(mln_str_sub(text, 0, 60)),
                    MLN_FMT(mln_buf_str(&list)));
}
