/*
 * The small settings of a subscription: settings, security contacts, auto-provisioning, workspaces, advanced threat
 * protection of one resource. Each is a document; what nobody has set has a default where Azure has one.
 */
#include "api/documents.h"

static const char *const on_off[] = {"On", "Off", NULL};

/* ---- settings: a fixed list of switches ---- */

static const struct setting {
    const char *name, *kind;
} settings[] = {
    {"MCAS", "DataExportSettings"},
    {"WDATP", "DataExportSettings"},
    {"WDATP_EXCLUDE_LINUX_PUBLIC_PREVIEW", "DataExportSettings"},
    {"WDATP_UNIFIED_SOLUTION", "DataExportSettings"},
    {"Sentinel", "AlertSyncSettings"},
};

static struct mln_result setting_of(const struct mln_request *request, const struct setting **out)
{
    struct mln_str name = mln_request_capture(request, "setting");
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        if (mln_str_eq_nocase(name, mln_str_c(settings[i].name))) {
            *out = &settings[i];
            return MLN_OK;
        }
    return mln_fail(MLN_E_NOT_FOUND, "There is no setting '%.*s'.", MLN_FMT(mln_str_sub(name, 0, 60)));
}

static struct mln_result write_setting(struct mln_request *request, struct mln_json_writer *w,
                                       const struct setting *setting, bool enabled)
{
    struct mln_str id;
    MLN_TRY_STR(request->arena, id, mln_security_id(request, request->scope, "settings", mln_str_c(setting->name)));
    mln_envelope_begin(w, id, mln_str_c(setting->name), "Microsoft.Security/settings");
    mln_json_member_str(w, "kind", mln_str_c(setting->kind));
    mln_envelope_properties(w);
    mln_json_member_bool(w, "enabled", enabled);
    mln_envelope_end(w);
    return MLN_OK;
}

static struct mln_result put_setting(struct mln_request *request, struct mln_json_writer *w,
                                     const struct setting *setting)
{
    const struct mln_json *document = NULL;
    struct mln_str id;
    MLN_TRY_STR(request->arena, id, mln_security_id(request, request->scope, "settings", mln_str_c(setting->name)));
    struct mln_result r = mln_document_get(request, id, &document);
    if (!mln_ok(r) && r.code != MLN_E_NOT_FOUND)
        return r;
    return write_setting(request, w, setting,
                         mln_ok(r) && mln_json_bool(mln_json_path(document, "properties.enabled"), false));
}

static struct mln_result list_settings(struct mln_request *request, struct mln_reply *reply)
{
    struct mln_json_writer *w = mln_reply_list_begin(reply);
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        MLN_TRY(put_setting(request, w, &settings[i]));
    return mln_reply_list_end(request, reply, (struct mln_str){NULL, 0});
}

static struct mln_result get_setting(struct mln_request *request, struct mln_reply *reply)
{
    const struct setting *setting;
    MLN_TRY(setting_of(request, &setting));
    return put_setting(request, mln_reply_json(reply, 200), setting);
}

static struct mln_result update_setting(struct mln_request *request, struct mln_reply *reply)
{
    const struct setting *setting;
    const struct mln_json *body, *properties;
    struct mln_str kind;
    MLN_TRY(setting_of(request, &setting));
    MLN_TRY(mln_request_object(request, &body));
    MLN_TRY(mln_member_text(body, "kind", true, &kind));
    if (!mln_str_eq_nocase(kind, mln_str_c(setting->kind)))
        return mln_fail(MLN_E_INVALID, "the setting %s is of kind %s", setting->name, setting->kind);
    MLN_TRY(mln_request_properties(request, &properties));
    const struct mln_json *enabled = mln_json_get_nocase(properties, MLN_S("enabled"));
    if (!mln_json_is(enabled, MLN_JSON_BOOL))
        return mln_fail(MLN_E_INVALID, "'enabled' must be true or false");
    struct mln_json_writer *w = mln_reply_json(reply, 200);
    MLN_TRY(write_setting(request, w, setting, enabled->boolean));
    MLN_TRY(mln_json_writer_end(w));
    struct mln_str id;
    MLN_TRY_STR(request->arena, id, mln_security_id(request, request->scope, "settings", mln_str_c(setting->name)));
    return mln_document_put(request, id, mln_buf_str(&reply->body), NULL);
}

/* ---- the other kinds: named documents whose properties are checked by a function ---- */

typedef struct mln_result (*write_properties)(const struct mln_request *request, const struct mln_json *properties,
                                              struct mln_json_writer *w);

static struct mln_result copy_text(const struct mln_json *from, const char *name, bool required,
                                   struct mln_json_writer *w)
{
    struct mln_str text;
    MLN_TRY(mln_member_text(from, name, required, &text));
    mln_json_member_str(w, name, text);
    return MLN_OK;
}

static struct mln_result copy_word(const struct mln_json *from, const char *name, const char *const *words,
                                   bool required, struct mln_json_writer *w)
{
    const char *word;
    MLN_TRY(mln_member_word(from, name, words, required, &word));
    mln_json_member_str(w, name, mln_str_c(word));
    return MLN_OK;
}

static struct mln_result write_auto_provisioning(const struct mln_request *request, const struct mln_json *properties,
                                                 struct mln_json_writer *w)
{
    (void)request;
    return copy_word(properties, "autoProvision", on_off, true, w);
}

static struct mln_result write_workspace(const struct mln_request *request, const struct mln_json *properties,
                                         struct mln_json_writer *w)
{
    (void)request;
    MLN_TRY(copy_text(properties, "workspaceId", true, w));
    return copy_text(properties, "scope", true, w);
}

static struct mln_result write_threat_protection(const struct mln_request *request, const struct mln_json *properties,
                                                 struct mln_json_writer *w)
{
    const struct mln_json *enabled = mln_json_get_nocase(properties, MLN_S("isEnabled"));
    (void)request;
    if (!mln_json_is(enabled, MLN_JSON_BOOL))
        return mln_fail(MLN_E_INVALID, "'isEnabled' must be true or false");
    mln_json_member_bool(w, "isEnabled", enabled->boolean);
    return MLN_OK;
}

static struct mln_result write_by_role(const struct mln_json *properties, struct mln_json_writer *w)
{
    const struct mln_json *by_role = mln_json_get_nocase(properties, MLN_S("notificationsByRole"));
    if (!mln_json_is(by_role, MLN_JSON_OBJECT))
        return MLN_OK;
    mln_json_name(w, MLN_S("notificationsByRole"));
    mln_json_begin_object(w);
    MLN_TRY(copy_word(by_role, "state", on_off, true, w));
    mln_json_member_tree(w, "roles", mln_json_get_nocase(by_role, MLN_S("roles")));
    mln_json_end_object(w);
    return MLN_OK;
}

/* Three shapes by version: 2017 email and two switches, 2020 emails and notifications, 2023 sources. */
static struct mln_result write_contact(const struct mln_request *request, const struct mln_json *properties,
                                       struct mln_json_writer *w)
{
    static const char *const severities[] = {"Low", "Medium", "High", NULL};
    MLN_TRY(copy_text(properties, "phone", false, w));
    if (!mln_request_version_from(request, "2020-01-01")) {
        MLN_TRY(copy_text(properties, "email", true, w));
        MLN_TRY(copy_word(properties, "alertNotifications", on_off, true, w));
        return copy_word(properties, "alertsToAdmins", on_off, true, w);
    }
    MLN_TRY(copy_text(properties, "emails", false, w));
    MLN_TRY(write_by_role(properties, w));
    const struct mln_json *notifications = mln_json_get_nocase(properties, MLN_S("alertNotifications"));
    if (mln_json_is(notifications, MLN_JSON_OBJECT)) {
        mln_json_name(w, MLN_S("alertNotifications"));
        mln_json_begin_object(w);
        MLN_TRY(copy_word(notifications, "state", on_off, false, w));
        MLN_TRY(copy_word(notifications, "minimalSeverity", severities, false, w));
        mln_json_end_object(w);
    }
    mln_json_member_tree(w, "notificationsSources", mln_json_get_nocase(properties, MLN_S("notificationsSources")));
    const struct mln_json *enabled = mln_json_get_nocase(properties, MLN_S("isEnabled"));
    if (mln_json_is(enabled, MLN_JSON_BOOL))
        mln_json_member_bool(w, "isEnabled", enabled->boolean);
    return MLN_OK;
}

static const struct kind {
    const char *collection, *type;
    write_properties write;
    const char *only_name;    /* NULL: any name */
    const char *otherwise;    /* properties as JSON while nobody has set it; NULL: it is not there then */
    const char *created_from; /* 201 for a new one from this api-version; NULL: always 200 */
} kinds[] = {
    {"autoProvisioningSettings", "Microsoft.Security/autoProvisioningSettings", write_auto_provisioning, "default",
     "{\"autoProvision\":\"Off\"}", NULL},
    {"workspaceSettings", "Microsoft.Security/workspaceSettings", write_workspace, NULL, NULL, NULL},
    {"securityContacts", "Microsoft.Security/securityContacts", write_contact, NULL, NULL, "2020-01-01"},
    {"advancedThreatProtectionSettings", "Microsoft.Security/advancedThreatProtectionSettings", write_threat_protection,
     "current", "{\"isEnabled\":false}", NULL},
};

/* The kind is the segment behind Microsoft.Security, which the route has matched. */
static const struct kind *kind_of(const struct mln_request *request)
{
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
        if (mln_str_eq_nocase(request->segments[request->tail], mln_str_c(kinds[k].collection)))
            return &kinds[k];
    return NULL;
}

static struct mln_result find_kind(const struct mln_request *request, const struct kind **kind, struct mln_str *name)
{
    *kind = kind_of(request);
    *name = mln_request_capture(request, "name");
    if (!*kind)
        return mln_fail(MLN_E_INTERNAL, "a route without its kind");
    if ((*kind)->only_name && name->p && !mln_str_eq_nocase(*name, mln_str_c((*kind)->only_name)))
        return mln_fail(MLN_E_NOT_FOUND, "There is no '%.*s' here; the only name is '%s'.",
                        MLN_FMT(mln_str_sub(*name, 0, 60)), (*kind)->only_name);
    return MLN_OK;
}

static struct mln_result put_default(struct mln_request *request, struct mln_json_writer *w, const struct kind *kind)
{
    struct mln_str id, name = mln_str_c(kind->only_name);
    MLN_TRY_STR(request->arena, id, mln_security_id(request, request->scope, kind->collection, name));
    mln_envelope_begin(w, id, name, kind->type);
    mln_json_name(w, MLN_S("properties"));
    mln_json_put_raw(w, mln_str_c(kind->otherwise));
    mln_json_end_object(w);
    return MLN_OK;
}

struct list {
    struct mln_json_writer *w;
    size_t n;
};

static struct mln_result list_one(void *context, struct mln_str key, const struct mln_json *document, bool *stop)
{
    struct list *list = context;
    (void)key, (void)stop;
    mln_json_put_tree(list->w, document);
    list->n++;
    return MLN_OK;
}

static struct mln_result list_kind(struct mln_request *request, struct mln_reply *reply)
{
    const struct kind *kind;
    struct mln_str name, prefix;
    struct list list = {.w = mln_reply_list_begin(reply)};
    MLN_TRY(find_kind(request, &kind, &name));
    MLN_TRY_STR(request->arena, prefix, mln_security_id(request, request->scope, kind->collection, MLN_S("")));
    MLN_TRY(mln_document_list(request, prefix, (struct mln_str){NULL, 0}, list_one, &list));
    if (list.n == 0 && kind->otherwise)
        MLN_TRY(put_default(request, list.w, kind));
    return mln_reply_list_end(request, reply, (struct mln_str){NULL, 0});
}

static struct mln_result get_kind(struct mln_request *request, struct mln_reply *reply)
{
    const struct kind *kind;
    const struct mln_json *document;
    struct mln_str name, id;
    MLN_TRY(find_kind(request, &kind, &name));
    MLN_TRY_STR(request->arena, id, mln_security_id(request, request->scope, kind->collection, name));
    struct mln_result r = mln_document_get(request, id, &document);
    if (r.code == MLN_E_NOT_FOUND && kind->otherwise)
        return put_default(request, mln_reply_json(reply, 200), kind);
    if (r.code == MLN_E_NOT_FOUND)
        return mln_fail(MLN_E_NOT_FOUND, "'%.*s' was not found in %s.", MLN_FMT(mln_str_sub(name, 0, 60)),
                        kind->collection);
    MLN_TRY(r);
    mln_json_put_tree(mln_reply_json(reply, 200), document);
    return MLN_OK;
}

/* Stores these properties under the request's name and answers with the document. */
static struct mln_result store_kind(struct mln_request *request, struct mln_reply *reply, const struct kind *kind,
                                    struct mln_str name, const struct mln_json *properties)
{
    struct mln_str id;
    bool created;
    if (kind->only_name)
        name = mln_str_c(kind->only_name);
    MLN_TRY_STR(request->arena, id, mln_security_id(request, request->scope, kind->collection, name));
    struct mln_json_writer *w = mln_reply_json(reply, 200);
    mln_envelope_begin(w, id, name, kind->type);
    mln_envelope_properties(w);
    MLN_TRY(kind->write(request, properties, w));
    mln_envelope_end(w);
    MLN_TRY(mln_json_writer_end(w));
    MLN_TRY(mln_document_put(request, id, mln_buf_str(&reply->body), &created));
    if (created && kind->created_from && mln_request_version_from(request, kind->created_from))
        reply->status = 201;
    return MLN_OK;
}

static struct mln_result put_kind(struct mln_request *request, struct mln_reply *reply)
{
    const struct kind *kind;
    const struct mln_json *properties;
    struct mln_str name;
    MLN_TRY(find_kind(request, &kind, &name));
    MLN_TRY(mln_request_properties(request, &properties));
    return store_kind(request, reply, kind, name, properties);
}

/* PATCH merges the sent properties into the stored ones. */
static struct mln_result patch_kind(struct mln_request *request, struct mln_reply *reply)
{
    const struct kind *kind;
    const struct mln_json *document, *patch, *merged;
    struct mln_str name, id;
    MLN_TRY(find_kind(request, &kind, &name));
    MLN_TRY(mln_request_properties(request, &patch));
    MLN_TRY_STR(request->arena, id, mln_security_id(request, request->scope, kind->collection, name));
    MLN_TRY(mln_document_get(request, id, &document));
    MLN_TRY(mln_json_merge_patch(request->arena, mln_json_get(document, MLN_S("properties")), patch, &merged));
    return store_kind(request, reply, kind, name, merged);
}

/* 204 whether it was there or not; the newer versions of contacts say 200 when it was. */
static struct mln_result delete_kind(struct mln_request *request, struct mln_reply *reply)
{
    const struct kind *kind;
    struct mln_str name, id;
    bool existed;
    MLN_TRY(find_kind(request, &kind, &name));
    MLN_TRY_STR(request->arena, id, mln_security_id(request, request->scope, kind->collection, name));
    MLN_TRY(mln_document_delete(request, id, &existed));
    bool says = kind->created_from && mln_request_version_from(request, kind->created_from);
    mln_reply_empty(reply, existed && says ? 200 : 204);
    return MLN_OK;
}

#define ACTION(kind, verb) "Microsoft.Security/" kind "/" verb
#define SETTINGS_VERSIONS "2022-05-01 2021-07-01 2021-06-01 2019-01-01"
#define CONTACT_VERSIONS "2017-08-01-preview 2020-01-01-preview 2023-12-01-preview"
#define OLD_VERSIONS "2017-08-01-preview"
#define ATP "advancedThreatProtectionSettings"

static const struct mln_route routes[] = {
    {MLN_GET, "{S}{P}/settings", list_settings, ACTION("settings", "read"), SETTINGS_VERSIONS, 0, 0},
    {MLN_GET, "{S}{P}/settings/{setting}", get_setting, ACTION("settings", "read"), SETTINGS_VERSIONS, 0, 0},
    {MLN_PUT, "{S}{P}/settings/{setting}", update_setting, ACTION("settings", "write"), SETTINGS_VERSIONS, 0, 0},
    {MLN_GET, "{S}{P}/securityContacts", list_kind, ACTION("securityContacts", "read"), CONTACT_VERSIONS, 0, 0},
    {MLN_GET, "{S}{P}/securityContacts/{name}", get_kind, ACTION("securityContacts", "read"), CONTACT_VERSIONS, 0, 0},
    {MLN_PUT, "{S}{P}/securityContacts/{name}", put_kind, ACTION("securityContacts", "write"), CONTACT_VERSIONS, 0, 0},
    {MLN_PATCH, "{S}{P}/securityContacts/{name}", patch_kind, ACTION("securityContacts", "write"), CONTACT_VERSIONS, 0,
     0},
    {MLN_DELETE, "{S}{P}/securityContacts/{name}", delete_kind, ACTION("securityContacts", "delete"), CONTACT_VERSIONS,
     0, 0},
    {MLN_GET, "{S}{P}/autoProvisioningSettings", list_kind, ACTION("autoProvisioningSettings", "read"), OLD_VERSIONS, 0,
     0},
    {MLN_GET, "{S}{P}/autoProvisioningSettings/{name}", get_kind, ACTION("autoProvisioningSettings", "read"),
     OLD_VERSIONS, 0, 0},
    {MLN_PUT, "{S}{P}/autoProvisioningSettings/{name}", put_kind, ACTION("autoProvisioningSettings", "write"),
     OLD_VERSIONS, 0, 0},
    {MLN_GET, "{S}{P}/workspaceSettings", list_kind, ACTION("workspaceSettings", "read"), OLD_VERSIONS, 0, 0},
    {MLN_GET, "{S}{P}/workspaceSettings/{name}", get_kind, ACTION("workspaceSettings", "read"), OLD_VERSIONS, 0, 0},
    {MLN_PUT, "{S}{P}/workspaceSettings/{name}", put_kind, ACTION("workspaceSettings", "write"), OLD_VERSIONS, 0, 0},
    {MLN_PATCH, "{S}{P}/workspaceSettings/{name}", patch_kind, ACTION("workspaceSettings", "write"), OLD_VERSIONS, 0,
     0},
    {MLN_DELETE, "{S}{P}/workspaceSettings/{name}", delete_kind, ACTION("workspaceSettings", "delete"), OLD_VERSIONS, 0,
     0},
    {MLN_GET, "{X}{P}/" ATP "/{name}", get_kind, ACTION(ATP, "read"), "2019-01-01", 0, 0},
    {MLN_PUT, "{X}{P}/" ATP "/{name}", put_kind, ACTION(ATP, "write"), "2019-01-01", 0, 0},
};
const struct mln_route_table mln_routes_settings = MLN_ROUTE_TABLE("settings", routes);
