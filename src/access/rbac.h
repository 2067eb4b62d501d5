/*
 * Role-based access control as Azure has it: role definitions (actions with wildcards, less notActions) given to
 * principals at a scope, inherited by everything below.
 *
 * Owns the built-in role definitions (data in roles.c) and, in memory, a snapshot of the role assignments of the store.
 * It does not know HTTP; whoever changes ROLE_ASSIGNMENTS in the store does it through here, so that the snapshot follows.
 */
#ifndef MLN_ACCESS_RBAC_H
#define MLN_ACCESS_RBAC_H

#include "access/principals.h"
#include "base/time.h"
#include "store/store.h"

struct mln_role {
    const char *id; /* GUID, the same as in Azure */
    const char *name, *description;
    const char *const *actions, *const *not_actions; /* NULL-terminated */
};
extern const struct mln_role mln_roles[];
extern const size_t mln_roles_count;
/* By GUID or by name, without case; NULL when there is no such role. */
const struct mln_role *mln_role_find(struct mln_str id_or_name);
/* True when the role's actions, less its notActions, cover the action. '*' stands for any run of characters. */
bool mln_role_allows(const struct mln_role *role, struct mln_str action);

struct mln_role_assignment {
    struct mln_str id;    /* whole ARM id, as written */
    struct mln_str name;  /* GUID */
    struct mln_str scope; /* "" (tenant), subscription, group or resource id */
    struct mln_str principal_id;
    struct mln_str principal_type; /* "User", "ServicePrincipal" */
    const struct mln_role *role;
    int64_t created_ms;
    struct mln_str created_by; /* principal id */
};

struct mln_rbac;
/* Reads the assignments of the store. */
MLN_RESULT mln_rbac_open(struct mln_store *store, struct mln_rbac **out);
void mln_rbac_close(struct mln_rbac *rbac);
MLN_DEFINE_CLEANUP(struct mln_rbac, mln_rbac_close)

/* May the principal do the action at the scope (an ARM id, "" for the tenant)? MLN_OK or FORBIDDEN with ARM's sentence.
   Reads a snapshot: no store access, no lock held while matching. */
MLN_RESULT mln_access_check(struct mln_rbac *rbac, const struct mln_caller *caller, struct mln_str action,
                            struct mln_str scope);
/* True when the action is allowed at the scope or anywhere below it: for lists of what a caller may see. action.p NULL:
   any role at all. */
bool mln_access_somewhere(struct mln_rbac *rbac, const struct mln_caller *caller, struct mln_str action,
                          struct mln_str scope);

typedef struct mln_result (*mln_role_assignment_visit)(void *context, const struct mln_role_assignment *assignment);
/* Visits the assignments that hold at scope: at it, above it and below it, by id. */
MLN_RESULT mln_rbac_visit(struct mln_rbac *rbac, struct mln_str scope, mln_role_assignment_visit visit, void *context);
/* One by its ARM id; the copy is in the arena. NOT_FOUND. */
MLN_RESULT mln_rbac_get(struct mln_rbac *rbac, struct mln_str id, struct mln_arena *arena,
                        struct mln_role_assignment *out);

/* As in Azure; also of those at the tenant itself. What is read at every start must fit. */
enum { MLN_ROLE_ASSIGNMENTS_OF_A_SUBSCRIPTION = 4000 };

/* Adds the change to the batch; after the batch is committed call mln_rbac_refresh. CONFLICT
   when the same principal has the same role at the same scope under another name. LIMIT: the subscription has as many as
   it may. */
MLN_RESULT mln_rbac_put(struct mln_rbac *rbac, struct mln_store_batch *batch,
                        const struct mln_role_assignment *assignment);
/* NOT_FOUND; CONFLICT for the last owner of the tenant who can sign in, whom nobody could replace. mln_principals_lock is
   held, here and in the two below. */
MLN_RESULT mln_rbac_delete(struct mln_rbac *rbac, struct mln_principals *principals, struct mln_store_batch *batch,
                           struct mln_str id);
/* The same for all assignments of a principal that goes away. */
MLN_RESULT mln_rbac_delete_principal(struct mln_rbac *rbac, struct mln_principals *principals,
                                     struct mln_store_batch *batch, struct mln_str principal_id);
/* CONFLICT when the tenant would have no owner who can sign in without this principal, who is one. */
MLN_RESULT mln_rbac_check_owner_left(struct mln_rbac *rbac, struct mln_principals *principals,
                                     struct mln_str principal_id);
/* Publishes a new snapshot of what the store holds. */
MLN_RESULT mln_rbac_refresh(struct mln_rbac *rbac);

#endif
