/* What the tests of access/ share: a store with principals, tokens and a clock that stands still. */
#ifndef MLN_TESTS_ACCESS_TEST_H
#define MLN_TESTS_ACCESS_TEST_H

#include "check.h"
#include "place.h"

#include "access/activity.h"
#include "access/rbac.h"
#include "access/signin.h"

#define TENANT "11111111-2222-4333-8444-555555555555"
#define ALICE "aaaaaaaa-0000-4000-8000-000000000001"
#define ROBOT "bbbbbbbb-0000-4000-8000-000000000002"
#define PASSWORD "a long enough password"
#define CLIENT "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
#define HERE "192.0.2.1"
#define MINUTE_MS INT64_C(60000)

struct world {
    struct place place;
    int64_t now_ms;
    struct mln_clock clock;
    struct mln_arena *arena;
    struct mln_principals *principals;
    struct mln_tokens *tokens;
    struct mln_rbac *rbac;
    struct mln_activity *activity;
    struct mln_signin *signin;
};

static inline void world_open_parts(struct world *w)
{
    assert_ok(mln_principals_open(w->place.store, &w->principals));
    assert_ok(mln_rbac_open(w->place.store, &w->rbac));
    assert_ok(mln_activity_open(w->place.store, &w->clock, &w->activity));
    struct mln_signin_setup setup = {
        .store = w->place.store, .clock = &w->clock, .principals = w->principals, .tokens = w->tokens};
    assert_ok(mln_signin_open(&setup, &w->signin));
}

static inline void world_close_parts(struct world *w)
{
    mln_signin_close(w->signin);
    mln_activity_close(w->activity);
    mln_rbac_close(w->rbac);
    mln_principals_close(w->principals);
}

static inline void world_use_new_key(struct world *w)
{
    MLN_CLEANUP(mln_key_free) struct mln_key *key = NULL;
    struct mln_jwt_keys *keys;
    assert_ok(mln_key_generate(&key));
    assert_ok(mln_jwt_keys_new(&keys));
    assert_ok(mln_jwt_keys_add(keys, key));
    assert_ok(mln_tokens_use_keys(w->tokens, keys));
}

static inline void world_make(struct world *w)
{
    *w = (struct world){.now_ms = INT64_C(1790000000000)};
    w->clock = mln_fake_clock(&w->now_ms);
    w->arena = mln_arena_new(64 << 20);
    place_make(&w->place);
    assert_ok(mln_tokens_new(&w->clock, mln_str_c(TENANT), &w->tokens));
    world_use_new_key(w);
    world_open_parts(w);
}

static inline void world_remove(struct world *w)
{
    world_close_parts(w);
    mln_tokens_free(w->tokens);
    mln_arena_free(w->arena);
    place_remove(&w->place);
}

static inline void world_put(struct world *w, const struct mln_principal *principal)
{
    struct mln_store_batch *batch = mln_store_batch_new();
    assert_ok(mln_principal_put(w->principals, batch, principal));
    assert_ok(mln_store_commit(w->place.store, batch, NULL));
    assert_ok(mln_principals_refresh(w->principals));
}

/* The user alice with PASSWORD. */
static inline struct mln_principal world_add_alice(struct world *w)
{
    struct mln_principal alice = {.id = mln_str_c(ALICE),
                                  .kind = MLN_PRINCIPAL_USER,
                                  .name = MLN_S("alice"),
                                  .display_name = MLN_S("Alice"),
                                  .generation = 1,
                                  .created_ms = w->now_ms};
    assert_ok(mln_signin_set_password(w->signin, &alice, mln_str_c(PASSWORD), w->arena));
    world_put(w, &alice);
    return alice;
}

static inline struct mln_caller world_caller(const char *id, const char *name)
{
    return (struct mln_caller){.kind = MLN_CALLER_USER, .id = mln_str_c(id), .name = mln_str_c(name)};
}

static inline void world_assign(struct world *w, const char *name, const char *scope, const char *principal,
                                const char *role)
{
    char id[512];
    snprintf(id, sizeof id, "%s/providers/Microsoft.Authorization/roleAssignments/%s", scope, name);
    struct mln_role_assignment assignment = {.id = mln_str_c(id),
                                             .name = mln_str_c(name),
                                             .scope = mln_str_c(scope),
                                             .principal_id = mln_str_c(principal),
                                             .principal_type = MLN_S("User"),
                                             .role = mln_role_find(mln_str_c(role)),
                                             .created_ms = w->now_ms,
                                             .created_by = mln_str_c(ALICE)};
    struct mln_store_batch *batch = mln_store_batch_new();
    assert_ok(mln_rbac_put(w->rbac, batch, &assignment));
    assert_ok(mln_store_commit(w->place.store, batch, NULL));
    assert_ok(mln_rbac_refresh(w->rbac));
}

/* A world for each test. */
static struct world w;
static int setup_world(void **state)
{
    (void)state;
    world_make(&w);
    return 0;
}
static int teardown_world(void **state)
{
    (void)state;
    world_remove(&w);
    return 0;
}
#define in_world(test) cmocka_unit_test_setup_teardown(test, setup_world, teardown_world)

#endif
