#include "access/rbac.h"

#include "base/map.h"
#include "base/snapshot.h"
#include "base/vec.h"
#include "model/arm_id.h"
#include "json/writer.h"

#include <pthread.h>

enum { TABLE_BUDGET_BYTES = 256 << 20, ROW_BYTES = 8192 };

struct row { /* of one principal; a list */
    struct mln_role_assignment assignment;
    const struct row *next;
};

struct table { /* immutable once published */
    struct mln_arena *arena;
    MLN_VEC(const struct row *) rows; /* by id */
    struct mln_map *by_principal;     /* lower-case principal id -> first row */
};

struct mln_rbac {
    struct mln_store *store;
    struct mln_snapshot *tables;
    pthread_mutex_t refreshing; /* read and publish are one step, so that an older moment never follows a newer one */
};

static void table_free(void *value)
{
    struct table *table = value;
    if (!table)
        return;
    mln_map_free(table->by_principal);
    mln_arena_free(table->arena);
    free(table);
}

/* "/" and "" both mean the tenant. */
static struct mln_str clean_scope(struct mln_str scope)
{
    return scope.n == 1 && scope.p[0] == '/' ? MLN_S("") : scope;
}

static bool holds_at(struct mln_str assigned, struct mln_str scope)
{
    return !assigned.n || mln_arm_id_below(scope, assigned);
}

/* ---- reading the store ---- */

static struct mln_str last_segment(struct mln_str id)
{
    size_t at = id.n;
    while (at > 0 && id.p[at - 1] != '/')
        at--;
    return mln_str_sub(id, at, id.n);
}

static struct mln_result read_assignment(struct mln_arena *arena, struct mln_str value, struct mln_role_assignment *out)
{
    const struct mln_json *json;
    MLN_TRY(mln_json_parse(arena, value, ROW_BYTES, &json));
    const struct mln_json *p = mln_json_get(json, MLN_S("properties"));
    struct mln_str none = {0};
    *out = (struct mln_role_assignment){
        .id = mln_json_str(mln_json_get(json, MLN_S("id")), none),
        .name = mln_json_str(mln_json_get(json, MLN_S("name")), none),
        .scope = clean_scope(mln_json_str(mln_json_get(p, MLN_S("scope")), none)),
        .principal_id = mln_json_str(mln_json_get(p, MLN_S("principalId")), none),
        .principal_type = mln_json_str(mln_json_get(p, MLN_S("principalType")), none),
        .created_by = mln_json_str(mln_json_get(p, MLN_S("createdBy")), none),
        .role = mln_role_find(last_segment(mln_json_str(mln_json_get(p, MLN_S("roleDefinitionId")), none))),
    };
    if (!out->id.n || !out->principal_id.n || !out->role || !out->scope.p)
        return mln_fail(MLN_E_CORRUPT, "a role assignment lacks its id, scope, principal or role");
    return mln_time_parse(mln_json_str(mln_json_get(p, MLN_S("createdOn")), none), &out->created_ms);
}

static struct mln_result add_row(void *context, struct mln_str key, struct mln_str value, int64_t revision, bool *stop)
{
    (void)revision, (void)stop;
    struct table *table = context;
    struct row *row;
    MLN_TRY_NEW(table->arena, row);
    struct mln_result r = read_assignment(table->arena, value, &row->assignment);
    if (!mln_ok(r))
        return mln_fail_at(r, "role assignment %.*s", MLN_FMT(key));
    union mln_map_value *first = mln_map_get(table->by_principal, row->assignment.principal_id);
    row->next = first ? first->p : NULL;
    MLN_TRY(mln_map_put(table->by_principal, row->assignment.principal_id, (union mln_map_value){.p = row}));
    return mln_vec_push(table->arena, &table->rows, row);
}

static struct mln_result load(struct mln_store *store, struct table *table)
{
    table->arena = mln_arena_new(TABLE_BUDGET_BYTES);
    table->by_principal = mln_map_new(true);
    if (!table->arena || !table->by_principal)
        return mln_fail(MLN_E_MEMORY, "no memory for the role assignments");
    MLN_CLEANUP(mln_store_read_end) struct mln_store_read *read = NULL;
    MLN_TRY(mln_store_read_begin(store, &read));
    return mln_store_scan(read, MLN_COLLECTION_ROLE_ASSIGNMENTS, &(struct mln_store_scan){0}, add_row, table);
}

struct mln_result mln_rbac_refresh(struct mln_rbac *rbac)
{
    struct table *table = calloc(1, sizeof *table);
    if (!table)
        return mln_fail(MLN_E_MEMORY, "no memory for the role assignments");
    pthread_mutex_lock(&rbac->refreshing);
    struct mln_result r = load(rbac->store, table);
    if (mln_ok(r))
        r = mln_snapshot_publish(rbac->tables, table);
    else
        table_free(table);
    pthread_mutex_unlock(&rbac->refreshing);
    return r;
}

struct mln_result mln_rbac_open(struct mln_store *store, struct mln_rbac **out)
{
    MLN_CLEANUP(mln_rbac_close) struct mln_rbac *rbac = calloc(1, sizeof *rbac);
    if (!rbac)
        return mln_fail(MLN_E_MEMORY, "no memory for access control");
    rbac->store = store;
    pthread_mutex_init(&rbac->refreshing, NULL);
    rbac->tables = mln_snapshot_new(table_free);
    if (!rbac->tables)
        return mln_fail(MLN_E_MEMORY, "no memory for access control");
    MLN_TRY(mln_rbac_refresh(rbac));
    *out = MLN_TAKE(rbac);
    return MLN_OK;
}

void mln_rbac_close(struct mln_rbac *rbac)
{
    if (!rbac)
        return;
    if (rbac->tables)
        mln_snapshot_free(rbac->tables);
    pthread_mutex_destroy(&rbac->refreshing);
    free(rbac);
}

/* ---- asking ---- */

static const struct row *rows_of(const struct table *table, const struct mln_caller *caller)
{
    union mln_map_value *first = caller->id.n ? mln_map_get(table->by_principal, caller->id) : NULL;
    return first ? first->p : NULL;
}

struct mln_result mln_access_check(struct mln_rbac *rbac, const struct mln_caller *caller, struct mln_str action,
                                   struct mln_str scope)
{
    scope = clean_scope(scope);
    void *value;
    struct mln_snapshot_pin *pin = mln_snapshot_pin(rbac->tables, &value);
    bool allowed = false;
    for (const struct row *row = rows_of(value, caller); row && !allowed; row = row->next)
        allowed = holds_at(row->assignment.scope, scope) && mln_role_allows(row->assignment.role, action);
    mln_snapshot_unpin(rbac->tables, pin);
    if (allowed)
        return MLN_OK;
    return mln_fail(MLN_E_FORBIDDEN,
                    "The client '%.*s' with object id '%.*s' does not have authorization to perform action '%.*s' over "
                    "scope '%.*s' or the scope is invalid.",
                    MLN_FMT(mln_str_sub(caller->name, 0, 128)), MLN_FMT(caller->id), MLN_FMT(action),
                    MLN_FMT(scope.n ? mln_str_sub(scope, 0, 200) : MLN_S("/")));
}

bool mln_access_somewhere(struct mln_rbac *rbac, const struct mln_caller *caller, struct mln_str action,
                          struct mln_str scope)
{
    scope = clean_scope(scope);
    void *value;
    struct mln_snapshot_pin *pin = mln_snapshot_pin(rbac->tables, &value);
    bool allowed = false;
    for (const struct row *row = rows_of(value, caller); row && !allowed; row = row->next)
        allowed = (holds_at(row->assignment.scope, scope) || holds_at(scope, row->assignment.scope)) &&
                  (!action.p || mln_role_allows(row->assignment.role, action));
    mln_snapshot_unpin(rbac->tables, pin);
    return allowed;
}

struct mln_result mln_rbac_visit(struct mln_rbac *rbac, struct mln_str scope, mln_role_assignment_visit visit,
                                 void *context)
{
    scope = clean_scope(scope);
    void *value;
    struct mln_snapshot_pin *pin = mln_snapshot_pin(rbac->tables, &value);
    const struct table *table = value;
    struct mln_result r = MLN_OK;
    for (size_t i = 0; i < table->rows.n && mln_ok(r); i++) {
        const struct mln_role_assignment *a = &table->rows.at[i]->assignment;
        if (holds_at(a->scope, scope) || holds_at(scope, a->scope))
            r = visit(context, a);
    }
    mln_snapshot_unpin(rbac->tables, pin);
    return r;
}

static struct mln_result copy(struct mln_arena *arena, const struct mln_role_assignment *from,
                              struct mln_role_assignment *out)
{
    *out = *from;
    MLN_TRY_STR(arena, out->id, mln_str_dup(arena, from->id));
    MLN_TRY_STR(arena, out->name, mln_str_dup(arena, from->name));
    MLN_TRY_STR(arena, out->scope, mln_str_dup(arena, from->scope));
    MLN_TRY_STR(arena, out->principal_id, mln_str_dup(arena, from->principal_id));
    MLN_TRY_STR(arena, out->principal_type, mln_str_dup(arena, from->principal_type));
    MLN_TRY_STR(arena, out->created_by, mln_str_dup(arena, from->created_by));
    return MLN_OK;
}

struct mln_result mln_rbac_get(struct mln_rbac *rbac, struct mln_str id, struct mln_arena *arena,
                               struct mln_role_assignment *out)
{
    void *value;
    struct mln_snapshot_pin *pin = mln_snapshot_pin(rbac->tables, &value);
    const struct table *table = value;
    struct mln_result r = {MLN_E_NOT_FOUND};
    for (size_t i = 0; i < table->rows.n; i++)
        if (mln_str_eq_nocase(table->rows.at[i]->assignment.id, id)) {
            r = copy(arena, &table->rows.at[i]->assignment, out);
            break;
        }
    mln_snapshot_unpin(rbac->tables, pin);
    return r.code == MLN_E_NOT_FOUND
               ? mln_fail(MLN_E_NOT_FOUND, "The role assignment '%.*s' could not be found.", MLN_FMT(id))
               : r;
}

/* ---- changing ---- */

static bool is_given(const struct table *table, const struct mln_role_assignment *wanted)
{
    for (size_t i = 0; i < table->rows.n; i++) {
        const struct mln_role_assignment *a = &table->rows.at[i]->assignment;
        if (a->role == wanted->role && mln_str_eq_nocase(a->principal_id, wanted->principal_id) &&
            mln_str_eq_nocase(a->scope, clean_scope(wanted->scope)) && !mln_str_eq_nocase(a->id, wanted->id))
            return true;
    }
    return false;
}

/* The subscription of a scope ("/subscriptions/{s}"), "" of others. */
static struct mln_str subscription_of(struct mln_str scope)
{
    struct mln_str start = MLN_S("/subscriptions/");
    return mln_str_starts_nocase(scope, start) ? mln_str_sub(scope, 0, mln_str_find(scope, MLN_S("/"), start.n))
                                               : MLN_S("");
}

static bool is_full(const struct table *table, const struct mln_role_assignment *wanted)
{
    size_t n = 0;
    for (size_t i = 0; i < table->rows.n; i++)
        n += mln_str_eq_nocase(subscription_of(table->rows.at[i]->assignment.scope), subscription_of(wanted->scope));
    return n >= MLN_ROLE_ASSIGNMENTS_OF_A_SUBSCRIPTION;
}

static struct mln_result write_assignment(const struct mln_role_assignment *a, struct mln_buf *out)
{
    struct mln_json_writer w = mln_json_writer(out);
    char definition[160];
    snprintf(definition, sizeof definition, "/providers/Microsoft.Authorization/roleDefinitions/%s", a->role->id);
    mln_json_begin_object(&w);
    mln_json_member_str(&w, "id", a->id);
    mln_json_member_str(&w, "name", a->name);
    mln_json_name(&w, MLN_S("properties"));
    mln_json_begin_object(&w);
    mln_json_member_str(&w, "roleDefinitionId", mln_str_c(definition));
    mln_json_member_str(&w, "principalId", a->principal_id);
    mln_json_member_str(&w, "principalType", a->principal_type);
    mln_json_member_str(&w, "scope", a->scope.n ? clean_scope(a->scope) : MLN_S("/"));
    mln_json_member_time(&w, "createdOn", a->created_ms);
    mln_json_member_str(&w, "createdBy", a->created_by);
    mln_json_end_object(&w);
    mln_json_end_object(&w);
    return mln_json_writer_end(&w);
}

static struct mln_result lower_key(struct mln_str id, struct mln_buf *out)
{
    MLN_TRY(mln_buf_append(out, id));
    for (size_t i = 0; i < out->n; i++)
        if (out->p[i] >= 'A' && out->p[i] <= 'Z')
            out->p[i] = (char)(out->p[i] + 32);
    return MLN_OK;
}

struct mln_result mln_rbac_put(struct mln_rbac *rbac, struct mln_store_batch *batch,
                               const struct mln_role_assignment *assignment)
{
    void *value;
    struct mln_snapshot_pin *pin = mln_snapshot_pin(rbac->tables, &value);
    bool given = is_given(value, assignment), full = is_full(value, assignment);
    mln_snapshot_unpin(rbac->tables, pin);
    if (given)
        return mln_fail(MLN_E_CONFLICT, "The role assignment already exists.");
    if (full)
        return mln_fail(MLN_E_LIMIT, "No more role assignments can be created (at most %d in a subscription).",
                        MLN_ROLE_ASSIGNMENTS_OF_A_SUBSCRIPTION);
    MLN_BUF_CLEANUP struct mln_buf key = MLN_BUF(MLN_STORE_MAX_KEY_BYTES), text = MLN_BUF(ROW_BYTES);
    MLN_TRY(lower_key(assignment->id, &key));
    MLN_TRY(write_assignment(assignment, &text));
    return mln_store_put(batch, MLN_COLLECTION_ROLE_ASSIGNMENTS, mln_buf_str(&key), mln_buf_str(&text));
}

static bool is_tenant_owner(const struct mln_role_assignment *a)
{
    return !a->scope.n && a->role == &mln_roles[0];
}

/* CONFLICT unless somebody is an owner of the tenant and can sign in who is not this principal, and not by this
   assignment. */
static struct mln_result check_other_owner(const struct table *table, struct mln_principals *principals,
                                           struct mln_str assignment_id, struct mln_str principal_id)
{
    for (size_t i = 0; i < table->rows.n; i++) {
        const struct mln_role_assignment *a = &table->rows.at[i]->assignment;
        if (is_tenant_owner(a) && !mln_str_eq_nocase(a->id, assignment_id) &&
            !mln_str_eq_nocase(a->principal_id, principal_id) && mln_principal_can_sign_in(principals, a->principal_id))
            return MLN_OK;
    }
    return mln_fail(MLN_E_CONFLICT, "The last owner of the tenant cannot be taken away.");
}

static struct mln_result delete_row(const struct table *table, struct mln_principals *principals, const struct row *row,
                                    struct mln_str principal_id, struct mln_store_batch *batch)
{
    const struct mln_role_assignment *a = &row->assignment;
    if (is_tenant_owner(a))
        MLN_TRY(check_other_owner(table, principals, a->id, principal_id));
    MLN_BUF_CLEANUP struct mln_buf key = MLN_BUF(MLN_STORE_MAX_KEY_BYTES);
    MLN_TRY(lower_key(a->id, &key));
    return mln_store_delete(batch, MLN_COLLECTION_ROLE_ASSIGNMENTS, mln_buf_str(&key));
}

struct mln_result mln_rbac_delete(struct mln_rbac *rbac, struct mln_principals *principals,
                                  struct mln_store_batch *batch, struct mln_str id)
{
    void *value;
    struct mln_snapshot_pin *pin = mln_snapshot_pin(rbac->tables, &value);
    const struct table *table = value;
    struct mln_result r = {MLN_E_NOT_FOUND};
    for (size_t i = 0; i < table->rows.n && r.code == MLN_E_NOT_FOUND; i++)
        if (mln_str_eq_nocase(table->rows.at[i]->assignment.id, id))
            r = delete_row(table, principals, table->rows.at[i], MLN_S(""), batch);
    mln_snapshot_unpin(rbac->tables, pin);
    return r.code == MLN_E_NOT_FOUND
               ? mln_fail(MLN_E_NOT_FOUND, "The role assignment '%.*s' could not be found.", MLN_FMT(id))
               : r;
}

struct mln_result mln_rbac_delete_principal(struct mln_rbac *rbac, struct mln_principals *principals,
                                            struct mln_store_batch *batch, struct mln_str principal_id)
{
    void *value;
    struct mln_snapshot_pin *pin = mln_snapshot_pin(rbac->tables, &value);
    const struct table *table = value;
    struct mln_result r = MLN_OK;
    struct mln_caller gone = {.id = principal_id};
    for (const struct row *row = rows_of(table, &gone); row && mln_ok(r); row = row->next)
        r = delete_row(table, principals, row, principal_id, batch);
    mln_snapshot_unpin(rbac->tables, pin);
    return r;
}

struct mln_result mln_rbac_check_owner_left(struct mln_rbac *rbac, struct mln_principals *principals,
                                            struct mln_str principal_id)
{
    void *value;
    struct mln_snapshot_pin *pin = mln_snapshot_pin(rbac->tables, &value);
    const struct table *table = value;
    struct mln_result r = MLN_OK;
    struct mln_caller leaving = {.id = principal_id};
    for (const struct row *row = rows_of(table, &leaving); row && mln_ok(r); row = row->next)
        if (is_tenant_owner(&row->assignment))
            r = check_other_owner(table, principals, MLN_S(""), principal_id);
    mln_snapshot_unpin(rbac->tables, pin);
    return r;
}
