#include "access_test.h"

static void test_a_principal_comes_back_whole(void **state)
{
    (void)state;
    struct mln_principal robot = {.id = mln_str_c(ROBOT),
                                  .kind = MLN_PRINCIPAL_SERVICE,
                                  .name = MLN_S("pipeline"),
                                  .generation = 3,
                                  .created_ms = w.now_ms,
                                  .created_by = mln_str_c(ALICE),
                                  .secrets = {{MLN_S("s1"), MLN_S("hash"), w.now_ms, w.now_ms + 1000}},
                                  .n_secrets = 1,
                                  .certificates = {{MLN_S("ABCD"), MLN_S("PEM"), MLN_S("cn"), w.now_ms}},
                                  .n_certificates = 1},
                         found;
    world_put(&w, &robot);
    world_close_parts(&w);
    world_open_parts(&w);
    assert_ok(mln_principal_get(w.principals, MLN_S("BBBBBBBB-0000-4000-8000-000000000002"), w.arena, &found));
    assert_str(found.name, "pipeline");
    assert_int_equal(found.kind, MLN_PRINCIPAL_SERVICE);
    assert_int_equal(found.generation, 3);
    assert_str(found.created_by, ALICE);
    assert_int_equal(found.n_secrets, 1);
    assert_str(found.secrets[0].hash, "hash");
    assert_int_equal(found.secrets[0].expires_ms, w.now_ms + 1000);
    assert_int_equal(found.n_certificates, 1);
    assert_str(found.certificates[0].thumbprint, "ABCD");
    assert_str(found.certificates[0].public_key, "PEM");
}

static void test_users_are_found_by_name_services_are_not(void **state)
{
    (void)state;
    struct mln_principal found, robot = {.id = mln_str_c(ROBOT), .kind = MLN_PRINCIPAL_SERVICE, .name = MLN_S("robot")};
    world_add_alice(&w);
    world_put(&w, &robot);
    assert_ok(mln_principal_by_name(w.principals, MLN_S("ALICE"), w.arena, &found));
    assert_str(found.id, ALICE);
    assert_fails(NOT_FOUND, mln_principal_by_name(w.principals, MLN_S("robot"), w.arena, &found));
    assert_fails(NOT_FOUND, mln_principal_get(w.principals, MLN_S("nobody"), w.arena, &found));
}

static void test_names_are_checked(void **state)
{
    (void)state;
    static char long_name[MLN_PRINCIPAL_NAME_BYTES + 1];
    memset(long_name, 'a', sizeof long_name);
    const struct mln_str bad[] = {MLN_S(""), MLN_S("a\nb"), MLN_S("\xff"), {long_name, sizeof long_name}};
    MLN_CLEANUP(mln_store_batch_free) struct mln_store_batch *batch = mln_store_batch_new();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct mln_principal p = {.id = mln_str_c(ROBOT), .name = bad[i]};
        assert_fails(INVALID, mln_principal_put(w.principals, batch, &p));
    }
    static char long_display[MLN_PRINCIPAL_DISPLAY_BYTES + 1];
    memset(long_display, 'a', sizeof long_display);
    struct mln_principal shown = {
        .id = mln_str_c(ROBOT), .name = MLN_S("r"), .display_name = {long_display, sizeof long_display}};
    assert_fails(INVALID, mln_principal_put(w.principals, batch, &shown));
    world_add_alice(&w);
    struct mln_principal second = {.id = mln_str_c(ROBOT), .kind = MLN_PRINCIPAL_USER, .name = MLN_S("Alice")};
    assert_fails(CONFLICT, mln_principal_put(w.principals, batch, &second));
    second.kind = MLN_PRINCIPAL_SERVICE;
    assert_ok(mln_principal_put(w.principals, batch, &second));
}

static struct mln_result check_order(void *context, const struct mln_principal *principal)
{
    struct mln_str *last = context;
    assert_true(!last->p || mln_str_cmp_nocase(*last, principal->name) < 0);
    *last = principal->name;
    return MLN_OK;
}

static void test_a_visit_is_by_name(void **state)
{
    (void)state;
    static const char *const names[] = {"zoe", "Bob", "adam"};
    for (size_t i = 0; i < 3; i++) {
        char id[64];
        snprintf(id, sizeof id, "id-%zu", i);
        struct mln_principal p = {.id = mln_str_c(id), .kind = MLN_PRINCIPAL_USER, .name = mln_str_c(names[i])};
        world_put(&w, &p);
    }
    struct mln_str last = {0};
    assert_ok(mln_principals_visit(w.principals, check_order, &last));
    assert_str(last, "zoe");
}

static void test_a_caller_is_known_by_generation(void **state)
{
    (void)state;
    struct mln_principal alice = world_add_alice(&w);
    struct mln_caller caller;
    assert_ok(mln_principal_caller(w.principals, alice.id, alice.generation, w.arena, &caller));
    assert_str(caller.name, "alice");
    assert_int_equal(caller.kind, MLN_CALLER_USER);
    assert_fails(UNAUTHENTICATED, mln_principal_caller(w.principals, alice.id, alice.generation + 1, w.arena, &caller));
    alice.disabled = true;
    world_put(&w, &alice);
    assert_fails(UNAUTHENTICATED, mln_principal_caller(w.principals, alice.id, alice.generation, w.arena, &caller));
    struct mln_store_batch *batch = mln_store_batch_new();
    assert_ok(mln_principal_delete(batch, alice.id));
    assert_ok(mln_store_commit(w.place.store, batch, NULL));
    assert_ok(mln_principals_refresh(w.principals));
    assert_fails(UNAUTHENTICATED, mln_principal_caller(w.principals, alice.id, alice.generation, w.arena, &caller));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_world(test_a_principal_comes_back_whole),
        in_world(test_users_are_found_by_name_services_are_not),
        in_world(test_names_are_checked),
        in_world(test_a_visit_is_by_name),
        in_world(test_a_caller_is_known_by_generation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
