/* Microsoft.Authorization: role definitions (built in) and role assignments. */
#include "access/signin.h"
#include "api/odata.h"
#include "api/route.h"
#include "crypto/random.h"
#include "model/arm_id.h"

#define A "/providers/Microsoft.Authorization"
#define DEFINITION_VERSIONS "2018-01-01-preview 2022-04-01"
#define ASSIGNMENT_VERSIONS "2020-04-01-preview 2022-04-01"

/* ---- role definitions ---- */

static void put_actions(struct mln_json_writer *w, const char *name, const char *const *actions)
{
    mln_json_name(w, mln_str_c(name));
    mln_json_begin_array(w);
    for (; actions && *actions; actions++)
        mln_json_put_str(w, mln_str_c(*actions));
    mln_json_end_array(w);
}

static struct mln_result put_role(struct mln_request *request, struct mln_json_writer *w, const struct mln_role *role)
{
    struct mln_str id;
    MLN_TRY_STR(request->arena, id,
                mln_str_printf(request->arena, "%.*s" A "/roleDefinitions/%s", MLN_FMT(request->scope), role->id));
    mln_envelope_begin(w, id, mln_str_c(role->id), "Microsoft.Authorization/roleDefinitions");
    mln_envelope_properties(w);
    mln_json_member_str(w, "roleName", mln_str_c(role->name));
    mln_json_member_str(w, "type", MLN_S("BuiltInRole"));
    mln_json_member_str(w, "description", mln_str_c(role->description));
    mln_json_name(w, MLN_S("assignableScopes"));
    mln_json_begin_array(w);
    mln_json_put_str(w, MLN_S("/"));
    mln_json_end_array(w);
    mln_json_name(w, MLN_S("permissions"));
    mln_json_begin_array(w);
    mln_json_begin_object(w);
    put_actions(w, "actions", role->actions);
    put_actions(w, "notActions", role->not_actions);
    put_actions(w, "dataActions", NULL);
    put_actions(w, "notDataActions", NULL);
    mln_json_end_object(w);
    mln_json_end_array(w);
    mln_envelope_end(w);
    return MLN_OK;
}

/* roleName eq 'Reader', type eq 'BuiltInRole', atScopeAndBelow(), atScope(). */
static struct mln_result role_passes(const struct mln_odata_clause *clauses, size_t n, const struct mln_role *role,
                                     bool *passes)
{
    *passes = true;
    for (size_t i = 0; i < n; i++) {
        const struct mln_odata_clause *c = &clauses[i];
        if (!c->op.p)
            continue;
        if (!mln_str_eq_nocase(c->op, MLN_S("eq")))
            return mln_fail(MLN_E_INVALID, "$filter: only 'eq' is understood here.");
        if (mln_str_eq_nocase(c->name, MLN_S("roleName")))
            *passes &= mln_str_eq_nocase(c->value, mln_str_c(role->name));
        else if (mln_str_eq_nocase(c->name, MLN_S("type")))
            *passes &= mln_str_eq_nocase(c->value, MLN_S("BuiltInRole"));
        else
            return mln_fail(MLN_E_INVALID, "$filter: roleName and type are understood here.");
    }
    return MLN_OK;
}

static struct mln_result get_roles(struct mln_request *request, struct mln_reply *reply)
{
    struct mln_odata_clause clauses[MLN_ODATA_MAX_CLAUSES];
    size_t n;
    MLN_TRY(mln_odata_parse(request->arena, mln_request_query(request, "$filter"), clauses, &n));
    struct mln_json_writer *w = mln_reply_list_begin(reply);
    for (size_t i = 0; i < mln_roles_count; i++) {
        bool passes;
        MLN_TRY(role_passes(clauses, n, &mln_roles[i], &passes));
        if (passes)
            MLN_TRY(put_role(request, w, &mln_roles[i]));
    }
    return mln_reply_list_end(request, reply, (struct mln_str){0});
}

static struct mln_result get_role(struct mln_request *request, struct mln_reply *reply)
{
    struct mln_str id = mln_request_capture(request, "id");
    const struct mln_role *role = mln_role_find(id);
    if (!role)
        return mln_reply_error(reply, 404, "RoleDefinitionDoesNotExist",
                               "The specified role definition with ID '%.*s' does not exist.", MLN_FMT(id));
    struct mln_json_writer *w = mln_reply_json(reply, 200);
    MLN_TRY(put_role(request, w, role));
    return mln_json_writer_end(w);
}

/* ---- role assignments ---- */

static struct mln_result put_assignment(struct mln_arena *arena, struct mln_json_writer *w,
                                        const struct mln_role_assignment *a)
{
    struct mln_str definition;
    struct mln_str holder = mln_str_starts_nocase(a->scope, MLN_S("/subscriptions/")) ? a->scope : MLN_S("");
    size_t end = holder.n ? mln_str_find(holder, MLN_S("/"), sizeof "/subscriptions/" - 1) : 0;
    MLN_TRY_STR(
        arena, definition,
        mln_str_printf(arena, "%.*s" A "/roleDefinitions/%s", MLN_FMT(mln_str_sub(holder, 0, end)), a->role->id));
    mln_envelope_begin(w, a->id, a->name, "Microsoft.Authorization/roleAssignments");
    mln_envelope_properties(w);
    mln_json_member_str(w, "roleDefinitionId", definition);
    mln_json_member_str(w, "principalId", a->principal_id);
    mln_json_member_str(w, "principalType", a->principal_type);
    mln_json_member_str(w, "scope", a->scope.n ? a->scope : MLN_S("/"));
    mln_json_member_time(w, "createdOn", a->created_ms);
    mln_json_member_time(w, "updatedOn", a->created_ms);
    mln_json_member_str(w, "createdBy", a->created_by);
    mln_json_member_str(w, "updatedBy", a->created_by);
    mln_envelope_end(w);
    return MLN_OK;
}

struct assignment_list {
    struct mln_request *request;
    struct mln_json_writer *w;
    struct mln_odata_clause clauses[MLN_ODATA_MAX_CLAUSES];
    size_t n_clauses;
};

static struct mln_result list_assignment(void *context, const struct mln_role_assignment *a)
{
    struct assignment_list *list = context;
    for (size_t i = 0; i < list->n_clauses; i++) {
        const struct mln_odata_clause *c = &list->clauses[i];
        if (!c->op.p) { /* atScope(): at the scope and above, not below */
            if (mln_str_eq_nocase(c->name, MLN_S("atScope")) && a->scope.n > list->request->scope.n)
                return MLN_OK;
            continue;
        }
        bool principal =
            mln_str_eq_nocase(c->name, MLN_S("principalId")) || mln_str_eq_nocase(c->name, MLN_S("assignedTo"));
        if (!principal || !mln_str_eq_nocase(c->op, MLN_S("eq")))
            return mln_fail(MLN_E_INVALID, "$filter: atScope() and principalId eq '...' are understood here.");
        if (!mln_str_eq_nocase(c->value, a->principal_id))
            return MLN_OK;
    }
    return put_assignment(list->request->arena, list->w, a);
}

static struct mln_result get_assignments(struct mln_request *request, struct mln_reply *reply)
{
    struct assignment_list list = {.request = request};
    MLN_TRY(mln_odata_parse(request->arena, mln_request_query(request, "$filter"), list.clauses, &list.n_clauses));
    list.w = mln_reply_list_begin(reply);
    MLN_TRY(mln_rbac_visit(request->api->rbac, request->scope, list_assignment, &list));
    return mln_reply_list_end(request, reply, (struct mln_str){0});
}

static struct mln_result answer_assignment(struct mln_request *request, struct mln_reply *reply, int status,
                                           const struct mln_role_assignment *a)
{
    struct mln_json_writer *w = mln_reply_json(reply, status);
    MLN_TRY(put_assignment(request->arena, w, a));
    return mln_json_writer_end(w);
}

static struct mln_result assignment_missing(struct mln_reply *reply, struct mln_str name)
{
    return mln_reply_error(reply, 404, "RoleAssignmentNotFound", "The role assignment '%.*s' is not found.",
                           MLN_FMT(name));
}

static struct mln_result get_assignment(struct mln_request *request, struct mln_reply *reply)
{
    struct mln_role_assignment a;
    struct mln_result r = mln_rbac_get(request->api->rbac, request->id, request->arena, &a);
    if (r.code == MLN_E_NOT_FOUND)
        return assignment_missing(reply, mln_request_capture(request, "name"));
    MLN_TRY(r);
    return answer_assignment(request, reply, 200, &a);
}

/* Fills principal and role from the body; *refused: the reply says what is wrong with them. */
static struct mln_result read_assignment(struct mln_request *request, struct mln_reply *reply,
                                         struct mln_role_assignment *a, bool *refused)
{
    const struct mln_json *body, *p;
    struct mln_principal principal;
    struct mln_str none = {0};
    MLN_TRY(mln_request_object(request, &body));
    p = mln_json_get_nocase(body, MLN_S("properties"));
    p = p ? p : body;
    struct mln_str definition = mln_json_str(mln_json_get_nocase(p, MLN_S("roleDefinitionId")), none);
    struct mln_str principal_id = mln_json_str(mln_json_get_nocase(p, MLN_S("principalId")), none);
    size_t slash = definition.n;
    while (slash > 0 && definition.p[slash - 1] != '/')
        slash--;
    a->role = mln_role_find(mln_str_sub(definition, slash, definition.n));
    *refused = true;
    if (!a->role)
        return mln_reply_error(reply, 400, "RoleDefinitionDoesNotExist",
                               "roleDefinitionId names no role of this server.");
    struct mln_result r =
        mln_principal_get(mln_signin_principals(request->api->signin), principal_id, request->arena, &principal);
    if (r.code == MLN_E_NOT_FOUND)
        return mln_reply_error(reply, 400, "PrincipalNotFound", "Principal %.*s does not exist in the directory.",
                               MLN_FMT(mln_str_sub(principal_id, 0, 64)));
    MLN_TRY(r);
    a->principal_id = principal.id;
    a->principal_type = mln_str_c(mln_principal_kind_words[principal.kind]);
    *refused = false;
    return MLN_OK;
}

static struct mln_result put_role_assignment(struct mln_request *request, struct mln_reply *reply)
{
    struct mln_role_assignment a = {0}, old;
    struct mln_uuid uuid;
    bool refused;
    MLN_CLEANUP(mln_principals_unlock)
    struct mln_principals *changing = mln_principals_lock(mln_signin_principals(request->api->signin));
    (void)changing; /* held to the end */
    MLN_TRY(read_assignment(request, reply, &a, &refused));
    if (refused)
        return MLN_OK;
    a.name = mln_request_capture(request, "name");
    if (!mln_ok(mln_uuid_parse(a.name, &uuid)))
        return mln_reply_error(reply, 400, "InvalidRoleAssignmentId", "The role assignment's name must be a GUID.");
    a.id = request->id;
    a.scope = request->scope;
    a.created_ms = request->now_ms;
    a.created_by = request->caller.id;
    struct mln_result r = mln_rbac_get(request->api->rbac, request->id, request->arena, &old);
    if (mln_ok(r)) {
        if (old.role != a.role || !mln_str_eq_nocase(old.principal_id, a.principal_id))
            return mln_reply_error(reply, 409, "RoleAssignmentUpdateNotPermitted",
                                   "Tenant ID, application ID, principal ID, and scope are not allowed to be updated.");
        return answer_assignment(request, reply, 200, &old);
    }
    if (r.code != MLN_E_NOT_FOUND)
        return r;
    MLN_CLEANUP(mln_store_batch_free) struct mln_store_batch *batch = mln_store_batch_new();
    if (!batch)
        return mln_fail(MLN_E_MEMORY, "no memory for the change");
    r = mln_rbac_put(request->api->rbac, batch, &a);
    if (r.code == MLN_E_CONFLICT)
        return mln_reply_error(reply, 409, "RoleAssignmentExists", "The role assignment already exists.");
    if (r.code == MLN_E_LIMIT)
        return mln_reply_error(reply, 400, "RoleAssignmentLimitExceeded", "%s", mln_error_text());
    MLN_TRY(r);
    MLN_TRY(mln_request_commit(request, MLN_TAKE(batch), NULL));
    MLN_TRY(mln_rbac_refresh(request->api->rbac));
    return answer_assignment(request, reply, 201, &a);
}

static struct mln_result delete_assignment(struct mln_request *request, struct mln_reply *reply)
{
    struct mln_role_assignment a;
    MLN_CLEANUP(mln_principals_unlock)
    struct mln_principals *changing = mln_principals_lock(mln_signin_principals(request->api->signin));
    struct mln_result r = mln_rbac_get(request->api->rbac, request->id, request->arena, &a);
    if (r.code == MLN_E_NOT_FOUND) {
        mln_reply_empty(reply, 204);
        return MLN_OK;
    }
    MLN_TRY(r);
    MLN_CLEANUP(mln_store_batch_free) struct mln_store_batch *batch = mln_store_batch_new();
    if (!batch)
        return mln_fail(MLN_E_MEMORY, "no memory for the change");
    MLN_TRY(mln_rbac_delete(request->api->rbac, changing, batch, request->id));
    MLN_TRY(mln_request_commit(request, MLN_TAKE(batch), NULL));
    MLN_TRY(mln_rbac_refresh(request->api->rbac));
    return answer_assignment(request, reply, 200, &a);
}

#define ROLES "Microsoft.Authorization/roleDefinitions/"
#define ASSIGNMENTS "Microsoft.Authorization/roleAssignments/"

/* Twice each: at the tenant and at any scope below it. */
static const struct mln_route routes[] = {
    {MLN_GET, A "/roleDefinitions", get_roles, NULL, DEFINITION_VERSIONS, 0, 0},
    {MLN_GET, A "/roleDefinitions/{id}", get_role, NULL, DEFINITION_VERSIONS, 0, 0},
    {MLN_GET, "{X}" A "/roleDefinitions", get_roles, ROLES "read", DEFINITION_VERSIONS, 0, 0},
    {MLN_GET, "{X}" A "/roleDefinitions/{id}", get_role, ROLES "read", DEFINITION_VERSIONS, 0, 0},
    {MLN_GET, A "/roleAssignments", get_assignments, ASSIGNMENTS "read", ASSIGNMENT_VERSIONS, 0, 0},
    {MLN_GET, A "/roleAssignments/{name}", get_assignment, ASSIGNMENTS "read", ASSIGNMENT_VERSIONS, 0, 0},
    {MLN_PUT, A "/roleAssignments/{name}", put_role_assignment, ASSIGNMENTS "write", ASSIGNMENT_VERSIONS, 0, 0},
    {MLN_DELETE, A "/roleAssignments/{name}", delete_assignment, ASSIGNMENTS "delete", ASSIGNMENT_VERSIONS, 0, 0},
    {MLN_GET, "{X}" A "/roleAssignments", get_assignments, ASSIGNMENTS "read", ASSIGNMENT_VERSIONS, 0, 0},
    {MLN_GET, "{X}" A "/roleAssignments/{name}", get_assignment, ASSIGNMENTS "read", ASSIGNMENT_VERSIONS, 0, 0},
    {MLN_PUT, "{X}" A "/roleAssignments/{name}", put_role_assignment, ASSIGNMENTS "write", ASSIGNMENT_VERSIONS, 0, 0},
    {MLN_DELETE, "{X}" A "/roleAssignments/{name}", delete_assignment, ASSIGNMENTS "delete", ASSIGNMENT_VERSIONS, 0, 0},
};
const struct mln_route_table mln_routes_authorization = MLN_ROUTE_TABLE("authorization", routes);
