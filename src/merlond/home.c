#include "merlond/home.h"

#include "inventory/containers.h"
#include "stores/stores.h"

enum { ARENA_BYTES = 4 << 20 };
#define DEFAULT_GROUP "default"
#define DEFAULT_LOCATION "local"

static struct mln_result make_containers(struct mln_home *home)
{
    MLN_CLEANUP(mln_arena_free) struct mln_arena *arena = mln_arena_new(ARENA_BYTES);
    struct mln_str subscription = mln_str_c(home->state.subscription_id);
    struct mln_group group;
    if (!arena)
        return mln_fail(MLN_E_MEMORY, "no memory to start");
    MLN_TRY(mln_subscription_ensure(home->store, home->clock, subscription, MLN_S("Default")));
    MLN_CLEANUP(mln_store_read_end) struct mln_store_read *read = NULL;
    MLN_TRY(mln_store_read_begin(home->store, &read));
    struct mln_result r = mln_group_get(read, subscription, MLN_S(DEFAULT_GROUP), arena, &group);
    if (r.code != MLN_E_NOT_FOUND || !home->state.created) /* who deleted it later wanted it gone */
        return r.code == MLN_E_NOT_FOUND ? MLN_OK : r;
    return mln_group_put(home->store, home->clock, subscription, MLN_S(DEFAULT_GROUP), MLN_S(DEFAULT_LOCATION), NULL,
                         arena, NULL, NULL);
}

static struct mln_result open_store(struct mln_home *home)
{
    char location[4096];
    snprintf(location, sizeof location, "sqlite:%s/merlon.db", home->state.directory);
    return mln_stores_open(location, NULL, &home->store);
}

static struct mln_result open_all(struct mln_home *home, const char *directory)
{
    struct mln_jwt_keys *keys;
    MLN_TRY(mln_state_open(directory, home->clock, &home->state));
    MLN_TRY(open_store(home));
    MLN_TRY(make_containers(home));
    MLN_TRY(mln_principals_open(home->store, &home->principals));
    MLN_TRY(mln_rbac_open(home->store, &home->rbac));
    MLN_TRY(mln_activity_open(home->store, home->clock, &home->activity));
    MLN_TRY(mln_tokens_new(home->clock, mln_str_c(home->state.tenant_id), &home->tokens));
    MLN_TRY(mln_state_signing_keys(&home->state, home->clock, &keys));
    MLN_TRY(mln_tokens_use_keys(home->tokens, keys));
    struct mln_signin_setup setup = {
        .store = home->store, .clock = home->clock, .principals = home->principals, .tokens = home->tokens};
    return mln_signin_open(&setup, &home->signin);
}

struct mln_result mln_home_open(const struct mln_daemon_options *options, const struct mln_clock *clock,
                                struct mln_home *out)
{
    *out = (struct mln_home){.clock = clock, .state = {.lock = -1}};
    struct mln_result r = open_all(out, options->state.p);
    if (!mln_ok(r))
        mln_home_close(out);
    return r;
}

void mln_home_close(struct mln_home *home)
{
    mln_signin_close(home->signin);
    mln_activity_close(home->activity);
    mln_rbac_close(home->rbac);
    mln_tokens_free(home->tokens);
    mln_principals_close(home->principals);
    if (home->store)
        mln_store_close(home->store);
    mln_state_close(&home->state);
    *home = (struct mln_home){.state = {.lock = -1}};
}

/* ---- the administrator ---- */

static struct mln_result count_principal(void *context, const struct mln_principal *principal)
{
    (void)principal;
    *(bool *)context = true;
    return MLN_OK;
}

struct mln_result mln_home_has_principals(struct mln_home *home, bool *has)
{
    *has = false;
    return mln_principals_visit(home->principals, count_principal, has);
}

static struct mln_result new_guid(struct mln_arena *arena, struct mln_str *out)
{
    struct mln_uuid uuid;
    char text[MLN_UUID_TEXT];
    MLN_TRY(mln_uuid_random(&uuid));
    MLN_TRY_STR(arena, *out, mln_str_dup(arena, mln_uuid_text(&uuid, text)));
    return MLN_OK;
}

/* Adds owner of the tenant, unless it is that already. */
static struct mln_result add_ownership(struct mln_home *home, struct mln_arena *arena, struct mln_store_batch *batch,
                                       const struct mln_principal *principal)
{
    struct mln_role_assignment a = {.scope = MLN_S(""),
                                    .principal_id = principal->id,
                                    .principal_type = mln_str_c(mln_principal_kind_words[principal->kind]),
                                    .role = mln_role_find(MLN_S("Owner")),
                                    .created_ms = mln_now_ms(home->clock),
                                    .created_by = principal->id};
    MLN_TRY(new_guid(arena, &a.name));
    MLN_TRY_STR(arena, a.id,
                mln_str_printf(arena, "/providers/Microsoft.Authorization/roleAssignments/%.*s", MLN_FMT(a.name)));
    struct mln_result r = mln_rbac_put(home->rbac, batch, &a);
    return r.code == MLN_E_CONFLICT ? MLN_OK : r;
}

static struct mln_result find_or_make(struct mln_home *home, struct mln_arena *arena, struct mln_str name,
                                      struct mln_principal *out)
{
    struct mln_result r = mln_principal_by_name(home->principals, name, arena, out);
    if (r.code != MLN_E_NOT_FOUND)
        return r;
    *out = (struct mln_principal){.kind = MLN_PRINCIPAL_USER,
                                  .name = name,
                                  .generation = mln_now_ms(home->clock),
                                  .created_ms = mln_now_ms(home->clock)};
    return new_guid(arena, &out->id);
}

struct mln_result mln_home_set_administrator(struct mln_home *home, struct mln_str name, struct mln_str password)
{
    MLN_CLEANUP(mln_arena_free) struct mln_arena *arena = mln_arena_new(ARENA_BYTES);
    MLN_CLEANUP(mln_store_batch_free) struct mln_store_batch *batch = mln_store_batch_new();
    struct mln_principal principal = {0};
    struct mln_str id;
    if (!arena || !batch)
        return mln_fail(MLN_E_MEMORY, "no memory for the administrator");
    MLN_TRY(find_or_make(home, arena, name, &principal));
    MLN_TRY(mln_signin_set_password(home->signin, &principal, password, arena));
    principal.disabled = false;
    MLN_TRY(mln_principal_put(home->principals, batch, &principal));
    MLN_TRY(add_ownership(home, arena, batch, &principal));
    MLN_TRY_STR(arena, id,
                mln_str_printf(arena, "/providers/Microsoft.Security/principals/%.*s", MLN_FMT(principal.id)));
    struct mln_activity_entry entry = {.caller_name = MLN_S("merlond, on this machine"),
                                       .action = MLN_S("Microsoft.Authorization/principals/write"),
                                       .scope = id,
                                       .status = MLN_S("Succeeded"),
                                       .http_status = 200};
    MLN_TRY(mln_activity_commit(home->activity, MLN_TAKE(batch), &entry, NULL));
    MLN_TRY(mln_principals_refresh(home->principals));
    return mln_rbac_refresh(home->rbac);
}

struct mln_result mln_home_new_password(struct mln_buf *out)
{
    return mln_random_token(15, out);
}
