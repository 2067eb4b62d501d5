/*
 * Assessments, their metadata, and sub-assessments. The built-in ones come from posture/ and the rule set; those that
 * customers make themselves (CustomerManaged) are documents and count in no score.
 */
#include "api/documents.h"
#include "api/items.h"
#include "api/pinned.h"

#include "crypto/random.h"

#define METADATA_TYPE "Microsoft.Security/assessmentMetadata"

/* ---- metadata ---- */

static void put_words(struct mln_json_writer *w, const char *name, const struct mln_str *words, size_t n)
{
    if (n == 0)
        return;
    mln_json_name(w, mln_str_c(name));
    mln_json_begin_array(w);
    for (size_t i = 0; i < n; i++)
        mln_json_put_str(w, words[i]);
    mln_json_end_array(w);
}

/* The severities of the API's versions before 2025 end at High. */
static const char *severity_word(const struct mln_request *request, enum mln_severity severity)
{
    if (severity == MLN_SEVERITY_CRITICAL && !mln_request_version_from(request, "2025-01-01"))
        severity = MLN_SEVERITY_HIGH;
    return mln_severity_words[severity];
}

static void put_metadata_properties(const struct mln_request *request, struct mln_json_writer *w,
                                    const struct mln_rule *rule)
{
    mln_json_member_str(w, "displayName", rule->title);
    mln_json_member_str(w, "description", rule->description);
    mln_json_member_str(w, "remediationDescription", rule->remediation);
    mln_json_member_str(w, "severity", mln_str_c(severity_word(request, rule->severity)));
    mln_json_member_str(w, "assessmentType", MLN_S("BuiltIn"));
    put_words(w, "categories", &rule->category, rule->category.n ? 1 : 0);
    mln_json_member_str(w, "implementationEffort", rule->effort.n ? rule->effort : (struct mln_str){NULL, 0});
    mln_json_member_str(w, "userImpact", rule->user_impact.n ? rule->user_impact : (struct mln_str){NULL, 0});
    put_words(w, "threats", rule->threats, rule->n_threats);
    put_words(w, "tactics", rule->tactics, rule->n_tactics);
    put_words(w, "techniques", rule->techniques, rule->n_techniques);
    put_words(w, "remediationCommands", rule->commands, rule->n_commands);
    mln_json_member_str(w, "ruleId", rule->id);
    mln_json_member_str(w, "ruleVersion", rule->version);
    mln_json_member_bool(w, "preview", rule->preview);
}

static struct mln_result put_metadata(struct mln_request *request, struct mln_json_writer *w,
                                      const struct mln_rule *rule)
{
    struct mln_str id;
    MLN_TRY_STR(request->arena, id, mln_security_id(request, request->scope, "assessmentMetadata", rule->key));
    mln_envelope_begin(w, id, rule->key, METADATA_TYPE);
    mln_envelope_properties(w);
    put_metadata_properties(request, w, rule);
    mln_envelope_end(w);
    return MLN_OK;
}

static struct mln_result put_document(void *context, struct mln_str key, const struct mln_json *document, bool *stop)
{
    (void)key, (void)stop;
    mln_json_put_tree(context, document);
    return MLN_OK;
}

static struct mln_result list_metadata(struct mln_request *request, struct mln_reply *reply)
{
    MLN_PINNED struct mln_pinned_rules rules = mln_pin_rules(request);
    struct mln_json_writer *w = mln_reply_list_begin(reply);
    for (size_t i = 0; i < rules.set->n_rules; i++)
        MLN_TRY(put_metadata(request, w, &rules.set->rules[i]));
    if (request->subscription.p) {
        struct mln_str prefix;
        MLN_TRY_STR(request->arena, prefix, mln_security_id(request, request->scope, "assessmentMetadata", MLN_S("")));
        MLN_TRY(mln_document_list(request, prefix, (struct mln_str){NULL, 0}, put_document, w));
    }
    return mln_reply_list_end(request, reply, (struct mln_str){NULL, 0});
}

struct search {
    struct mln_request *request;
    struct mln_str key;
    const struct mln_json *found;
};

static struct mln_result match_metadata(void *context, struct mln_str key, const struct mln_json *document, bool *stop)
{
    struct search *search = context;
    struct mln_str name = mln_json_str(mln_json_get(document, MLN_S("name")), MLN_S(""));
    struct mln_str type = mln_json_str(mln_json_get(document, MLN_S("type")), MLN_S(""));
    (void)key;
    if (!mln_str_eq(type, MLN_S(METADATA_TYPE)) || !mln_str_eq_nocase(name, search->key) ||
        !mln_ok(mln_access_check(search->request->api->rbac, &search->request->caller,
                                 MLN_S("Microsoft.Security/assessmentMetadata/read"),
                                 mln_json_str(mln_json_get(document, MLN_S("id")), MLN_S("")))))
        return MLN_OK;
    search->found = document;
    *stop = true;
    return MLN_OK;
}

/* Metadata that a customer made, by key: of the subscription, and at tenant level of any that the caller may read, since
   az asks there only. */
static struct mln_result find_custom_metadata(struct mln_request *request, struct mln_str key,
                                              const struct mln_json **out)
{
    if (request->subscription.p) {
        struct mln_str id, subscription;
        MLN_TRY_STR(request->arena, subscription,
                    mln_str_printf(request->arena, "/subscriptions/%.*s", MLN_FMT(request->subscription)));
        MLN_TRY_STR(request->arena, id, mln_security_id(request, subscription, "assessmentMetadata", key));
        return mln_document_get(request, id, out);
    }
    struct search search = {.request = request, .key = key};
    MLN_TRY(mln_document_list(request, MLN_S("/subscriptions/"), (struct mln_str){NULL, 0}, match_metadata, &search));
    *out = search.found;
    return search.found ? MLN_OK : mln_fail(MLN_E_NOT_FOUND, "there is no assessment metadata '%.*s'", MLN_FMT(key));
}

static struct mln_result get_metadata(struct mln_request *request, struct mln_reply *reply)
{
    MLN_PINNED struct mln_pinned_rules rules = mln_pin_rules(request);
    struct mln_str key = mln_request_capture(request, "key");
    const struct mln_rule *rule = mln_ruleset_by_key(rules.set, key);
    if (rule)
        return put_metadata(request, mln_reply_json(reply, 200), rule);
    const struct mln_json *document;
    MLN_TRY(find_custom_metadata(request, key, &document));
    mln_json_put_tree(mln_reply_json(reply, 200), document);
    return MLN_OK;
}

static const char *const custom_types[] = {"CustomerManaged", NULL};
static const char *const levels[] = {"Low", "Moderate", "High", NULL};

/* Writes the members of a client's metadata that the API knows, checked. */
static struct mln_result write_custom_metadata(const struct mln_json *properties, struct mln_json_writer *w)
{
    static const char *const severities[] = {"Low", "Medium", "High", "Critical", NULL};
    static const char *const lists[] = {"categories", "threats", "tactics", "techniques", NULL};
    struct mln_str title, text;
    const char *severity, *type, *level;
    MLN_TRY(mln_member_text(properties, "displayName", true, &title));
    MLN_TRY(mln_member_word(properties, "severity", severities, true, &severity));
    MLN_TRY(mln_member_word(properties, "assessmentType", custom_types, true, &type));
    mln_json_member_str(w, "displayName", title);
    mln_json_member_str(w, "severity", mln_str_c(severity));
    mln_json_member_str(w, "assessmentType", mln_str_c(type));
    MLN_TRY(mln_member_text(properties, "description", false, &text));
    mln_json_member_str(w, "description", text);
    MLN_TRY(mln_member_text(properties, "remediationDescription", false, &text));
    mln_json_member_str(w, "remediationDescription", text);
    MLN_TRY(mln_member_word(properties, "userImpact", levels, false, &level));
    mln_json_member_str(w, "userImpact", mln_str_c(level));
    MLN_TRY(mln_member_word(properties, "implementationEffort", levels, false, &level));
    mln_json_member_str(w, "implementationEffort", mln_str_c(level));
    for (size_t i = 0; lists[i]; i++) {
        const struct mln_json *list = mln_json_get_nocase(properties, mln_str_c(lists[i]));
        if (list && list->kind != MLN_JSON_NULL && list->kind != MLN_JSON_ARRAY)
            return mln_fail(MLN_E_INVALID, "'%s' must be a list", lists[i]);
        if (mln_json_is(list, MLN_JSON_ARRAY))
            mln_json_member_tree(w, lists[i], list);
    }
    mln_json_member_bool(w, "preview", mln_json_bool(mln_json_get_nocase(properties, MLN_S("preview")), false));
    return MLN_OK;
}

static struct mln_result check_key(struct mln_str key)
{
    struct mln_uuid uuid;
    if (mln_ok(mln_uuid_parse(key, &uuid)))
        return MLN_OK;
    return mln_fail(MLN_E_INVALID, "'%.*s' is not a GUID, which the name of an assessment must be",
                    MLN_FMT(mln_str_sub(key, 0, 60)));
}

static struct mln_result put_custom_metadata(struct mln_request *request, struct mln_reply *reply)
{
    MLN_PINNED struct mln_pinned_rules rules = mln_pin_rules(request);
    struct mln_str key = mln_request_capture(request, "key"), id;
    const struct mln_json *properties;
    MLN_TRY(check_key(key));
    if (mln_ruleset_by_key(rules.set, key))
        return mln_fail(MLN_E_CONFLICT, "'%.*s' is a built-in assessment; it cannot be replaced", MLN_FMT(key));
    MLN_TRY(mln_request_properties(request, &properties));
    MLN_TRY_STR(request->arena, id, mln_security_id(request, request->scope, "assessmentMetadata", key));
    struct mln_json_writer *w = mln_reply_json(reply, 200);
    mln_envelope_begin(w, id, key, METADATA_TYPE);
    mln_envelope_properties(w);
    MLN_TRY(write_custom_metadata(properties, w));
    mln_envelope_end(w);
    MLN_TRY(mln_json_writer_end(w));
    return mln_document_put(request, id, mln_buf_str(&reply->body), NULL);
}

static struct mln_result delete_custom_metadata(struct mln_request *request, struct mln_reply *reply)
{
    struct mln_str id;
    MLN_TRY_STR(request->arena, id,
                mln_security_id(request, request->scope, "assessmentMetadata", mln_request_capture(request, "key")));
    MLN_TRY(mln_document_delete(request, id, NULL));
    mln_reply_empty(reply, 200);
    return MLN_OK;
}

/* ---- assessments ---- */

static void put_status(struct mln_json_writer *w, const struct mln_assessment *a)
{
    mln_json_name(w, MLN_S("status"));
    mln_json_begin_object(w);
    mln_json_member_str(w, "code", mln_str_c(mln_status_words[a->status]));
    if (a->cause != MLN_CAUSE_NONE)
        mln_json_member_str(w, "cause", mln_str_c(mln_cause_words[a->cause]));
    mln_json_member_str(w, "description", a->text.n ? a->text : (struct mln_str){NULL, 0});
    mln_json_member_time(w, "firstEvaluationDate", a->first_evaluated_ms);
    mln_json_member_time(w, "statusChangeDate", a->changed_ms);
    mln_json_end_object(w);
}

static void put_links(const struct mln_request *request, struct mln_json_writer *w, struct mln_str rule_key)
{
    MLN_BUF_CLEANUP struct mln_buf link = MLN_BUF(4096);
    mln_json_name(w, MLN_S("links"));
    mln_json_begin_object(w);
    if (mln_ok(mln_buf_printf(&link, "%.*s/ui/recommendations/%.*s", MLN_FMT(request->base_url), MLN_FMT(rule_key))))
        mln_json_member_str(w, "azurePortalUri", mln_buf_str(&link));
    mln_json_end_object(w);
}

struct expand {
    bool metadata, links;
};

static struct expand read_expand(const struct mln_request *request)
{
    struct expand expand = {0};
    struct mln_str rest = mln_request_query(request, "$expand"), word;
    while (mln_str_cut(&rest, ',', &word)) {
        expand.metadata |= mln_str_eq_nocase(mln_str_trim(word), MLN_S("metadata"));
        expand.links |= mln_str_eq_nocase(mln_str_trim(word), MLN_S("links"));
    }
    return expand;
}

void mln_put_assessment_properties(const struct mln_request *request, struct mln_json_writer *w,
                                   const struct mln_assessment *a, bool with_metadata, bool with_links)
{
    char when[MLN_TIME_TEXT];
    mln_json_member_str(w, "displayName", a->rule->title);
    put_status(w, a);
    mln_json_name(w, MLN_S("resourceDetails"));
    mln_json_begin_object(w);
    mln_json_member_str(w, "source", MLN_S("Azure"));
    mln_json_member_str(w, "id", a->resource_id);
    mln_json_end_object(w);
    mln_json_name(w, MLN_S("additionalData"));
    mln_json_begin_object(w);
    mln_json_member_str(w, "ruleId", a->rule->id);
    mln_json_member_str(w, "contentVersion", a->content_version);
    mln_json_member_str(w, "evaluated", mln_time_text(a->evaluated_ms, when));
    mln_json_end_object(w);
    if (with_links)
        put_links(request, w, a->rule->key);
    if (with_metadata) {
        mln_json_name(w, MLN_S("metadata"));
        mln_json_begin_object(w);
        put_metadata_properties(request, w, a->rule);
        mln_json_end_object(w);
    }
}

static struct mln_result put_one(struct mln_request *request, struct mln_json_writer *w, const struct mln_assessment *a,
                                 struct expand expand)
{
    struct mln_str id;
    MLN_TRY_STR(request->arena, id, mln_security_id(request, a->resource_id, "assessments", a->rule->key));
    mln_envelope_begin(w, id, a->rule->key, MLN_ASSESSMENT_TYPE);
    mln_envelope_properties(w);
    mln_put_assessment_properties(request, w, a, expand.metadata, expand.links);
    mln_envelope_end(w);
    return MLN_OK;
}

struct page_of_assessments {
    struct mln_request *request;
    struct mln_json_writer *w;
    struct expand expand;
    size_t left;
    struct mln_str last; /* id of the last resource that was written whole */
    struct mln_str current;
    bool more;
};

/* A page ends between two resources: once the limit is reached, the resource at hand is still written whole. */
static struct mln_result page_assessment(void *context, const struct mln_assessment *a, bool *stop)
{
    struct page_of_assessments *page = context;
    if (!mln_str_eq(page->current, a->resource_id)) {
        page->last = page->current;
        if (page->left == 0) {
            page->more = true;
            *stop = true;
            return MLN_OK;
        }
        MLN_TRY_STR(page->request->arena, page->current, mln_str_dup(page->request->arena, a->resource_id));
    }
    page->left -= page->left ? 1 : 0;
    return put_one(page->request, page->w, a, page->expand);
}

static struct mln_result list_custom(void *context, struct mln_str key, const struct mln_json *document, bool *stop)
{
    struct mln_str type = mln_json_str(mln_json_get(document, MLN_S("type")), MLN_S(""));
    (void)key, (void)stop;
    if (mln_str_eq(type, MLN_S(MLN_ASSESSMENT_TYPE)))
        mln_json_put_tree(context, document);
    return MLN_OK;
}

static struct mln_result list_assessments(struct mln_request *request, struct mln_reply *reply)
{
    MLN_PINNED struct mln_pinned_rules rules = mln_pin_rules(request);
    struct mln_page page;
    int64_t at_ms;
    struct mln_str prefix;
    MLN_TRY(mln_request_as_of(request, &at_ms));
    MLN_TRY(mln_request_page(request, &page));
    struct page_of_assessments state = {
        .request = request, .w = mln_reply_list_begin(reply), .expand = read_expand(request), .left = page.limit};
    if (!page.after.p && at_ms == 0) { /* the customer's own come first, with the first page */
        MLN_TRY_STR(request->arena, prefix, mln_str_printf(request->arena, "%.*s/", MLN_FMT(request->scope)));
        MLN_TRY(mln_document_list(request, prefix, (struct mln_str){NULL, 0}, list_custom, state.w));
    }
    const struct mln_posture_query query = {.scope = request->scope, .after = page.after, .at_ms = at_ms};
    MLN_TRY(mln_posture_assessments(request->api->posture, rules.set, &query, page_assessment, &state));
    return mln_reply_list_end(request, reply, state.more ? state.last : (struct mln_str){NULL, 0});
}

struct one_assessment {
    struct mln_request *request;
    struct mln_json_writer *w;
    struct expand expand;
    struct mln_str key;
    bool found;
};

static struct mln_result match_assessment(void *context, const struct mln_assessment *a, bool *stop)
{
    struct one_assessment *one = context;
    if (!mln_str_eq_nocase(a->rule->key, one->key) || !mln_str_eq_nocase(a->resource_id, one->request->scope))
        return MLN_OK;
    one->found = true;
    *stop = true;
    return put_one(one->request, one->w, a, one->expand);
}

static struct mln_result get_assessment(struct mln_request *request, struct mln_reply *reply)
{
    MLN_PINNED struct mln_pinned_rules rules = mln_pin_rules(request);
    int64_t at_ms;
    MLN_TRY(mln_request_as_of(request, &at_ms));
    struct one_assessment one = {.request = request,
                                 .w = mln_reply_json(reply, 200),
                                 .expand = read_expand(request),
                                 .key = mln_request_capture(request, "key")};
    const struct mln_posture_query query = {.scope = request->scope, .at_ms = at_ms};
    if (mln_ruleset_by_key(rules.set, one.key))
        MLN_TRY(mln_posture_assessments(request->api->posture, rules.set, &query, match_assessment, &one));
    if (one.found)
        return MLN_OK;
    const struct mln_json *document;
    struct mln_str id;
    MLN_TRY_STR(request->arena, id, mln_security_id(request, request->scope, "assessments", one.key));
    struct mln_result r = mln_document_get(request, id, &document);
    if (r.code == MLN_E_NOT_FOUND)
        return mln_fail(MLN_E_NOT_FOUND, "The assessment '%.*s' was not found at this scope.",
                        MLN_FMT(mln_str_sub(one.key, 0, 60)));
    MLN_TRY(r);
    mln_json_put_tree(one.w, document);
    return MLN_OK;
}

/* The parts of a client's own assessment. The resource is the one in the path; az sends its source only. */
static struct mln_result write_custom_assessment(struct mln_request *request, const struct mln_json *properties,
                                                 struct mln_str title, struct mln_json_writer *w)
{
    const struct mln_json *status = mln_json_get_nocase(properties, MLN_S("status"));
    const struct mln_json *data = mln_json_get_nocase(properties, MLN_S("additionalData"));
    const char *code;
    struct mln_str text;
    MLN_TRY(mln_member_word(status, "code", mln_status_words, true, &code));
    mln_json_member_str(w, "displayName", title);
    mln_json_name(w, MLN_S("status"));
    mln_json_begin_object(w);
    mln_json_member_str(w, "code", mln_str_c(code));
    MLN_TRY(mln_member_text(status, "cause", false, &text));
    mln_json_member_str(w, "cause", text);
    MLN_TRY(mln_member_text(status, "description", false, &text));
    mln_json_member_str(w, "description", text);
    mln_json_member_time(w, "firstEvaluationDate", request->now_ms);
    mln_json_member_time(w, "statusChangeDate", request->now_ms);
    mln_json_end_object(w);
    mln_json_name(w, MLN_S("resourceDetails"));
    mln_json_begin_object(w);
    mln_json_member_str(w, "source", MLN_S("Azure"));
    mln_json_member_str(w, "id", request->scope);
    mln_json_end_object(w);
    if (mln_json_is(data, MLN_JSON_OBJECT))
        mln_json_member_tree(w, "additionalData", data);
    return MLN_OK;
}

static struct mln_result put_assessment(struct mln_request *request, struct mln_reply *reply)
{
    MLN_PINNED struct mln_pinned_rules rules = mln_pin_rules(request);
    struct mln_str key = mln_request_capture(request, "key"), id;
    const struct mln_json *properties, *metadata;
    bool created;
    MLN_TRY(check_key(key));
    if (mln_ruleset_by_key(rules.set, key))
        return mln_fail(MLN_E_CONFLICT, "'%.*s' is a built-in assessment; its result comes from its rule",
                        MLN_FMT(key));
    MLN_TRY(mln_request_properties(request, &properties));
    struct mln_result r = find_custom_metadata(request, key, &metadata);
    if (r.code == MLN_E_NOT_FOUND)
        return mln_fail(MLN_E_INVALID,
                        "there is no metadata for the assessment '%.*s': create assessmentMetadata/%.*s first",
                        MLN_FMT(key), MLN_FMT(key));
    MLN_TRY(r);
    MLN_TRY_STR(request->arena, id, mln_security_id(request, request->scope, "assessments", key));
    struct mln_json_writer *w = mln_reply_json(reply, 200);
    mln_envelope_begin(w, id, key, MLN_ASSESSMENT_TYPE);
    mln_envelope_properties(w);
    MLN_TRY(write_custom_assessment(request, properties,
                                    mln_json_str(mln_json_path(metadata, "properties.displayName"), MLN_S("")), w));
    mln_envelope_end(w);
    MLN_TRY(mln_json_writer_end(w));
    MLN_TRY(mln_document_put(request, id, mln_buf_str(&reply->body), &created));
    reply->status = created ? 201 : 200;
    return MLN_OK;
}

static struct mln_result delete_assessment(struct mln_request *request, struct mln_reply *reply)
{
    struct mln_str id;
    bool existed;
    MLN_TRY_STR(request->arena, id,
                mln_security_id(request, request->scope, "assessments", mln_request_capture(request, "key")));
    MLN_TRY(mln_document_delete(request, id, &existed));
    mln_reply_empty(reply, existed ? 200 : 204);
    return MLN_OK;
}

/* ---- sub-assessments: what vulnerability assessment finds; nothing in this build makes any ---- */

static struct mln_result list_sub_assessments(struct mln_request *request, struct mln_reply *reply)
{
    mln_reply_list_begin(reply);
    return mln_reply_list_end(request, reply, (struct mln_str){NULL, 0});
}

static struct mln_result get_sub_assessment(struct mln_request *request, struct mln_reply *reply)
{
    (void)reply;
    return mln_fail(MLN_E_NOT_FOUND, "The sub-assessment '%.*s' was not found.",
                    MLN_FMT(mln_str_sub(mln_request_capture(request, "sub"), 0, 60)));
}

#define READ "Microsoft.Security/assessments/read"
#define WRITE "Microsoft.Security/assessments/write"
#define DELETE "Microsoft.Security/assessments/delete"
#define READ_METADATA "Microsoft.Security/assessmentMetadata/read"
#define WRITE_METADATA "Microsoft.Security/assessmentMetadata/write"
#define DELETE_METADATA "Microsoft.Security/assessmentMetadata/delete"
#define READ_SUB "Microsoft.Security/assessments/subAssessments/read"
#define VERSIONS "2021-06-01 2020-01-01 2025-05-04"
#define SUB_VERSIONS "2019-01-01-preview"

static const struct mln_route routes[] = {
    {MLN_GET, "{P}/assessmentMetadata", list_metadata, NULL, VERSIONS, 0, 0},
    {MLN_GET, "{P}/assessmentMetadata/{key}", get_metadata, NULL, VERSIONS, 0, 0},
    {MLN_GET, "{S}{P}/assessmentMetadata", list_metadata, READ_METADATA, VERSIONS, 0, 0},
    {MLN_GET, "{S}{P}/assessmentMetadata/{key}", get_metadata, READ_METADATA, VERSIONS, 0, 0},
    {MLN_PUT, "{S}{P}/assessmentMetadata/{key}", put_custom_metadata, WRITE_METADATA, VERSIONS, 0, 0},
    {MLN_DELETE, "{S}{P}/assessmentMetadata/{key}", delete_custom_metadata, DELETE_METADATA, VERSIONS, 0, 0},
    {MLN_GET, "{X}{P}/assessments", list_assessments, READ, VERSIONS, 0, 0},
    {MLN_GET, "{X}{P}/assessments/{key}", get_assessment, READ, VERSIONS, 0, 0},
    {MLN_PUT, "{X}{P}/assessments/{key}", put_assessment, WRITE, VERSIONS, 0, 0},
    {MLN_DELETE, "{X}{P}/assessments/{key}", delete_assessment, DELETE, VERSIONS, 0, 0},
    {MLN_GET, "{X}{P}/subAssessments", list_sub_assessments, READ_SUB, SUB_VERSIONS, 0, 0},
    {MLN_GET, "{X}{P}/assessments/{key}/subAssessments", list_sub_assessments, READ_SUB, SUB_VERSIONS, 0, 0},
    {MLN_GET, "{X}{P}/assessments/{key}/subAssessments/{sub}", get_sub_assessment, READ_SUB, SUB_VERSIONS, 0, 0},
};
const struct mln_route_table mln_routes_assessments = MLN_ROUTE_TABLE("assessments", routes);
