#include "access_test.h"

#define SUBSCRIPTION "/subscriptions/00000000-0000-4000-8000-00000000000a"
#define GROUP SUBSCRIPTION "/resourceGroups/Web"
#define VM GROUP "/providers/Microsoft.Compute/virtualMachines/vm1"

static bool allows(const char *role, const char *action)
{
    return mln_role_allows(mln_role_find(mln_str_c(role)), mln_str_c(action));
}

static void test_roles_allow_what_azure_says(void **state)
{
    (void)state;
    static const struct {
        const char *role, *action;
        bool allowed;
    } cases[] = {
        {"Owner", "Microsoft.Authorization/roleAssignments/write", true},
        {"Contributor", "Microsoft.Security/pricings/write", true},
        {"Contributor", "Microsoft.Authorization/roleAssignments/write", false},
        {"Contributor", "microsoft.authorization/ROLEASSIGNMENTS/delete", false},
        {"Contributor", "Microsoft.Authorization/roleAssignments/read", true},
        {"Reader", "Microsoft.Security/pricings/read", true},
        {"Reader", "Microsoft.Security/pricings/write", false},
        {"Reader", "Microsoft.Security/pricings/readAll", false},
        {"Security Reader", "Microsoft.Security/locations/alerts/read", true},
        {"Security Reader", "Microsoft.Security/locations/alerts/dismiss/action", false},
        {"Security Reader", "Microsoft.Compute/virtualMachines/read", false},
        {"Security Admin", "Microsoft.Security/locations/alerts/dismiss/action", true},
        {"Security Admin", "Microsoft.Authorization/principals/write", false},
        {"Security Admin", "Microsoft.Authorization/roleAssignments/read", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (allows(cases[i].role, cases[i].action) != cases[i].allowed)
            fail_msg("%s, %s: expected %d", cases[i].role, cases[i].action, cases[i].allowed);
}

static void test_a_star_stands_for_any_run(void **state)
{
    (void)state;
    static const char *const actions[] = {"a*b*c", NULL}, *const none[] = {NULL};
    struct mln_role role = {.actions = actions, .not_actions = none};
    assert_true(mln_role_allows(&role, MLN_S("abc")));
    assert_true(mln_role_allows(&role, MLN_S("aXbbYbc")));
    assert_false(mln_role_allows(&role, MLN_S("ab")));
    assert_false(mln_role_allows(&role, MLN_S("abcd")));
    assert_false(mln_role_allows(&role, MLN_S("")));
}

static void test_roles_are_found_by_id_and_name(void **state)
{
    (void)state;
    assert_ptr_equal(mln_role_find(MLN_S("reader")), mln_role_find(MLN_S("ACDD72A7-3385-48ef-bd42-f606fba81ae7")));
    assert_null(mln_role_find(MLN_S("Nobody")));
    assert_null(mln_role_find(MLN_S("")));
}

static void test_rights_hold_below_their_scope(void **state)
{
    (void)state;
    struct mln_caller alice = world_caller(ALICE, "alice");
    struct mln_str read = MLN_S("Microsoft.Compute/virtualMachines/read");
    assert_fails(FORBIDDEN, mln_access_check(w.rbac, &alice, read, MLN_S(VM)));
    assert_error_has("does not have authorization to perform action 'Microsoft.Compute/virtualMachines/read'");
    world_assign(&w, "10000000-0000-4000-8000-000000000001", GROUP, ALICE, "Reader");
    assert_ok(mln_access_check(w.rbac, &alice, read, MLN_S(VM)));
    assert_ok(mln_access_check(w.rbac, &alice, read, MLN_S(GROUP)));
    assert_ok(mln_access_check(w.rbac, &alice, read,
                               MLN_S("/SUBSCRIPTIONS/00000000-0000-4000-8000-00000000000A/resourcegroups/web")));
    assert_fails(FORBIDDEN, mln_access_check(w.rbac, &alice, read, MLN_S(SUBSCRIPTION)));
    assert_fails(FORBIDDEN, mln_access_check(w.rbac, &alice, read, MLN_S(GROUP "2")));
    assert_fails(FORBIDDEN, mln_access_check(w.rbac, &alice, read, MLN_S("")));
    assert_fails(FORBIDDEN,
                 mln_access_check(w.rbac, &alice, MLN_S("Microsoft.Compute/virtualMachines/write"), MLN_S(VM)));
}

static void test_an_id_with_an_escaped_slash_is_not_below(void **state)
{
    (void)state;
    struct mln_caller alice = world_caller(ALICE, "alice");
    world_assign(&w, "10000000-0000-4000-8000-000000000001", GROUP, ALICE, "Owner");
    assert_fails(FORBIDDEN,
                 mln_access_check(w.rbac, &alice, MLN_S("x/read"), MLN_S(SUBSCRIPTION "/resourceGroups/Web%2Fx")));
}

static void test_the_tenant_is_above_everything(void **state)
{
    (void)state;
    struct mln_caller alice = world_caller(ALICE, "alice"), nobody = {0};
    world_assign(&w, "10000000-0000-4000-8000-000000000001", "", ALICE, "Owner");
    assert_ok(mln_access_check(w.rbac, &alice, MLN_S("x/write"), MLN_S("")));
    assert_ok(mln_access_check(w.rbac, &alice, MLN_S("x/write"), MLN_S("/")));
    assert_ok(mln_access_check(w.rbac, &alice, MLN_S("x/write"), MLN_S(VM)));
    assert_fails(FORBIDDEN, mln_access_check(w.rbac, &nobody, MLN_S("x/read"), MLN_S(VM)));
}

static void test_somewhere_looks_up_and_down(void **state)
{
    (void)state;
    struct mln_caller alice = world_caller(ALICE, "alice");
    world_assign(&w, "10000000-0000-4000-8000-000000000001", GROUP, ALICE, "Reader");
    assert_true(mln_access_somewhere(w.rbac, &alice, MLN_S("x/read"), MLN_S(SUBSCRIPTION)));
    assert_true(mln_access_somewhere(w.rbac, &alice, MLN_S("x/read"), MLN_S(VM)));
    assert_true(mln_access_somewhere(w.rbac, &alice, (struct mln_str){0}, MLN_S(SUBSCRIPTION)));
    assert_false(mln_access_somewhere(w.rbac, &alice, MLN_S("x/write"), MLN_S(SUBSCRIPTION)));
    assert_false(mln_access_somewhere(w.rbac, &alice, MLN_S("x/read"), MLN_S("/subscriptions/other")));
}

static struct mln_result count(void *context, const struct mln_role_assignment *assignment)
{
    assert_non_null(assignment->role);
    ++*(int *)context;
    return MLN_OK;
}

static int visited(const char *scope)
{
    int n = 0;
    assert_ok(mln_rbac_visit(w.rbac, mln_str_c(scope), count, &n));
    return n;
}

static void test_assignments_are_kept_and_listed(void **state)
{
    (void)state;
    struct mln_role_assignment found;
    world_assign(&w, "10000000-0000-4000-8000-000000000001", "", ALICE, "Owner");
    world_assign(&w, "10000000-0000-4000-8000-000000000002", GROUP, ROBOT, "Reader");
    world_close_parts(&w);
    world_open_parts(&w);
    assert_int_equal(visited(SUBSCRIPTION), 2);
    assert_int_equal(visited("/subscriptions/other"), 1);
    assert_ok(mln_rbac_get(
        w.rbac, MLN_S(GROUP "/providers/microsoft.authorization/roleassignments/10000000-0000-4000-8000-000000000002"),
        w.arena, &found));
    assert_str(found.scope, GROUP);
    assert_str(found.principal_id, ROBOT);
    assert_int_equal(found.created_ms, w.now_ms);
    assert_fails(NOT_FOUND, mln_rbac_get(w.rbac, MLN_S("/x"), w.arena, &found));
}

static void test_the_same_right_is_given_once(void **state)
{
    (void)state;
    world_assign(&w, "10000000-0000-4000-8000-000000000001", GROUP, ALICE, "Reader");
    struct mln_role_assignment again = {.id = MLN_S("/other"),
                                        .name = MLN_S("other"),
                                        .scope = MLN_S(GROUP),
                                        .principal_id = mln_str_c(ALICE),
                                        .principal_type = MLN_S("User"),
                                        .role = mln_role_find(MLN_S("Reader"))};
    MLN_CLEANUP(mln_store_batch_free) struct mln_store_batch *batch = mln_store_batch_new();
    assert_fails(CONFLICT, mln_rbac_put(w.rbac, batch, &again));
}

static struct mln_result put_numbered(struct mln_store_batch *batch, int i)
{
    char name[40], id[256];
    snprintf(name, sizeof name, "20000000-0000-4000-8000-%012d", i);
    snprintf(id, sizeof id, GROUP "/providers/Microsoft.Authorization/roleAssignments/%s", name);
    struct mln_role_assignment assignment = {.id = mln_str_c(id),
                                             .name = mln_str_c(name),
                                             .scope = MLN_S(GROUP),
                                             .principal_id = mln_str_c(name),
                                             .principal_type = MLN_S("User"),
                                             .role = mln_role_find(MLN_S("Reader")),
                                             .created_ms = w.now_ms};
    return mln_rbac_put(w.rbac, batch, &assignment);
}

static void test_a_subscription_has_so_many_and_no_more(void **state)
{
    (void)state;
    struct mln_store_batch *batch = mln_store_batch_new();
    for (int i = 0; i < MLN_ROLE_ASSIGNMENTS_OF_A_SUBSCRIPTION; i++)
        assert_ok(put_numbered(batch, i));
    assert_ok(mln_store_commit(w.place.store, batch, NULL));
    assert_ok(mln_rbac_refresh(w.rbac));
    MLN_CLEANUP(mln_store_batch_free) struct mln_store_batch *more = mln_store_batch_new();
    assert_fails(LIMIT, put_numbered(more, MLN_ROLE_ASSIGNMENTS_OF_A_SUBSCRIPTION));
    world_assign(&w, "10000000-0000-4000-8000-000000000001", "", ALICE, "Owner"); /* the tenant's are its own */
    world_assign(&w, "10000000-0000-4000-8000-000000000002", "/subscriptions/other", ALICE, "Owner");
}

#define TENANT_ASSIGNMENT "/providers/Microsoft.Authorization/roleAssignments/10000000-0000-4000-8000-00000000000"

static void test_the_last_owner_stays(void **state)
{
    (void)state;
    world_add_alice(&w);
    world_assign(&w, "10000000-0000-4000-8000-000000000001", "", ALICE, "Owner");
    MLN_CLEANUP(mln_store_batch_free) struct mln_store_batch *batch = mln_store_batch_new();
    assert_fails(CONFLICT, mln_rbac_delete(w.rbac, w.principals, batch, MLN_S(TENANT_ASSIGNMENT "1")));
    assert_fails(CONFLICT, mln_rbac_delete_principal(w.rbac, w.principals, batch, mln_str_c(ALICE)));
    assert_fails(CONFLICT, mln_rbac_check_owner_left(w.rbac, w.principals, mln_str_c(ALICE)));
    assert_ok(mln_rbac_check_owner_left(w.rbac, w.principals, mln_str_c(ROBOT)));
    world_assign(&w, "10000000-0000-4000-8000-000000000002", "", ROBOT, "Owner");
    assert_fails(CONFLICT,
                 mln_rbac_delete_principal(w.rbac, w.principals, batch, mln_str_c(ALICE))); /* there is no robot */
    struct mln_principal robot = {.id = mln_str_c(ROBOT),
                                  .kind = MLN_PRINCIPAL_SERVICE,
                                  .name = MLN_S("robot"),
                                  .disabled = true,
                                  .n_secrets = 1};
    robot.secrets[0] = (struct mln_principal_secret){.id = MLN_S("1"), .hash = MLN_S("h")};
    world_put(&w, &robot);
    assert_fails(CONFLICT, mln_rbac_check_owner_left(w.rbac, w.principals, mln_str_c(ALICE)));
    robot.disabled = false;
    world_put(&w, &robot);
    assert_ok(mln_rbac_check_owner_left(w.rbac, w.principals, mln_str_c(ALICE)));
    assert_ok(mln_rbac_delete_principal(w.rbac, w.principals, batch, mln_str_c(ALICE)));
    assert_ok(mln_store_commit(w.place.store, MLN_TAKE(batch), NULL));
    assert_ok(mln_rbac_refresh(w.rbac));
    struct mln_caller alice = world_caller(ALICE, "alice");
    assert_fails(FORBIDDEN, mln_access_check(w.rbac, &alice, MLN_S("x/read"), MLN_S("")));
    assert_fails(NOT_FOUND, mln_rbac_delete(w.rbac, w.principals, batch, MLN_S(TENANT_ASSIGNMENT "9")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_roles_allow_what_azure_says),
        cmocka_unit_test(test_a_star_stands_for_any_run),
        cmocka_unit_test(test_roles_are_found_by_id_and_name),
        in_world(test_rights_hold_below_their_scope),
        in_world(test_an_id_with_an_escaped_slash_is_not_below),
        in_world(test_the_tenant_is_above_everything),
        in_world(test_somewhere_looks_up_and_down),
        in_world(test_assignments_are_kept_and_listed),
        in_world(test_the_same_right_is_given_once),
        in_world(test_a_subscription_has_so_many_and_no_more),
        in_world(test_the_last_owner_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
