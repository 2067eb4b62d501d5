#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "model/arm_id.h"

#define VM "/subscriptions/s1/resourceGroups/web/providers/Microsoft.HybridCompute/machines/contoso-vm"

static struct mln_arm_id parsed(const char *text)
{
    struct mln_arm_id id;
    assert_true(mln_ok(mln_arm_id_parse(mln_str_c(text), &id)));
    return id;
}

static void assert_str(struct mln_str got, const char *expected)
{
    if (!expected) {
        assert_null(got.p);
        return;
    }
    assert_int_equal(got.n, strlen(expected));
    assert_memory_equal(got.p, expected, got.n);
}

static void a_subscription(void **state)
{
    (void)state;
    struct mln_arm_id id = parsed("/subscriptions/s1");
    assert_str(id.whole, "/subscriptions/s1");
    assert_str(id.subscription, "s1");
    assert_str(id.name, "s1");
    assert_str(id.group, NULL);
    assert_str(id.provider, NULL);
    assert_str(id.parent, NULL);
}

static void a_group_in_any_case(void **state)
{
    (void)state;
    struct mln_arm_id id = parsed("/SUBSCRIPTIONS/s1/resourcegroups/Web/");
    assert_str(id.whole, "/SUBSCRIPTIONS/s1/resourcegroups/Web");
    assert_str(id.group, "Web");
    assert_str(id.name, "Web");
    assert_str(id.parent, "/SUBSCRIPTIONS/s1");
}

static void a_resource(void **state)
{
    (void)state;
    struct mln_arm_id id = parsed(VM);
    assert_str(id.provider, "Microsoft.HybridCompute");
    assert_str(id.type_path, "machines/contoso-vm");
    assert_str(id.name, "contoso-vm");
    assert_str(id.parent, "/subscriptions/s1/resourceGroups/web");
}

static void a_child_resource(void **state)
{
    (void)state;
    struct mln_arm_id id = parsed(VM "/extensions/monitor");
    assert_str(id.type_path, "machines/contoso-vm/extensions/monitor");
    assert_str(id.name, "monitor");
    assert_str(id.parent, VM);
}

static void the_last_provider_counts(void **state)
{
    (void)state;
    struct mln_arm_id id = parsed(VM "/providers/Microsoft.Security/assessments/a1");
    assert_str(id.provider, "Microsoft.Security");
    assert_str(id.type_path, "assessments/a1");
    assert_str(id.parent, VM);
    assert_str(id.group, "web");
}

static void a_resource_of_a_subscription_and_of_the_tenant(void **state)
{
    (void)state;
    struct mln_arm_id id = parsed("/subscriptions/s1/providers/Microsoft.Security/pricings/VirtualMachines");
    assert_str(id.group, NULL);
    assert_str(id.parent, "/subscriptions/s1");
    id = parsed("/providers/Microsoft.Security/assessmentMetadata/a1");
    assert_str(id.subscription, NULL);
    assert_str(id.parent, NULL);
    assert_str(id.name, "a1");
}

static void a_name_may_be_the_word_providers(void **state)
{
    (void)state;
    struct mln_arm_id id = parsed("/subscriptions/s1/providers/A.B/things/providers");
    assert_str(id.name, "providers");
}

static void what_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "/",
        "//",
        "subscriptions/s1",
        "/subscriptions",
        "/subscriptions/",
        "/subscriptions//",
        "/subscriptions/s1//",
        "/subscriptions/s1/resourceGroups",
        "/subscriptions/s1/resourceGroups//providers/A.B/c/d",
        "/subscriptions/s1/things/x",
        "/subscriptions/s1/resourceGroups/g/things/x",
        "/subscriptions/s1/providers",
        "/subscriptions/s1/providers/A.B",
        "/subscriptions/s1/providers/A.B/c",
        "/subscriptions/s1/providers/A.B/c/d/e",
        "/subscriptions/s1/providers/A.B/providers/C.D/e/f",
        "/subscriptions/s1/providers/A.B/c/d/providers/C.D/e",
        "/subscriptions/../providers/A.B/c/d",
        "/subscriptions/./providers/A.B/c/d",
        "/subscriptions/s%2f1",
        "/subscriptions/s\\1",
        "/subscriptions/s1?x",
        "/subscriptions/s1#x",
        "/subscriptions/s\n1",
        "/subscriptions/s\x7f",
        "/subscriptions/\xc0\xaf",
        "/groups/s1",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct mln_arm_id id;
        struct mln_result r = mln_arm_id_parse(mln_str_c(bad[i]), &id);
        if (r.code != MLN_E_INVALID)
            fail_msg("accepted: %s", bad[i]);
    }
}

static void too_long_or_too_deep(void **state)
{
    (void)state;
    char text[MLN_ARM_ID_MAX_BYTES + 2];
    memset(text, 'x', sizeof text);
    memcpy(text, "/subscriptions/", 15);
    struct mln_arm_id id;
    assert_true(mln_ok(mln_arm_id_parse((struct mln_str){text, MLN_ARM_ID_MAX_BYTES}, &id)));
    assert_int_equal(mln_arm_id_parse((struct mln_str){text, MLN_ARM_ID_MAX_BYTES + 1}, &id).code, MLN_E_INVALID);

    size_t n = (size_t)snprintf(text, sizeof text, "/subscriptions/s/providers/p");
    for (int i = 0; i < 18; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "/t/n");
    assert_true(mln_ok(mln_arm_id_parse((struct mln_str){text, n}, &id)));
    n += (size_t)snprintf(text + n, sizeof text - n, "/t/n");
    assert_int_equal(mln_arm_id_parse((struct mln_str){text, n}, &id).code, MLN_E_INVALID);
}

static void the_type_of_an_id(void **state)
{
    (void)state;
    MLN_CLEANUP(mln_arena_free) struct mln_arena *arena = mln_arena_new(4096);
    struct mln_arm_id id = parsed(VM "/extensions/monitor");
    struct mln_str type;
    assert_true(mln_ok(mln_arm_id_type(&id, arena, &type)));
    assert_str(type, "Microsoft.HybridCompute/machines/extensions");

    id = parsed("/subscriptions/s1");
    assert_int_equal(mln_arm_id_type(&id, arena, &type).code, MLN_E_INVALID);

    MLN_CLEANUP(mln_arena_free) struct mln_arena *tiny = mln_arena_new(8);
    id = parsed(VM);
    assert_int_equal(mln_arm_id_type(&id, tiny, &type).code, MLN_E_LIMIT);
}

static void what_lies_below_a_scope(void **state)
{
    (void)state;
    struct mln_str vm = MLN_S(VM);
    assert_true(mln_arm_id_below(vm, vm));
    assert_true(mln_arm_id_below(vm, MLN_S("/Subscriptions/S1")));
    assert_true(mln_arm_id_below(vm, MLN_S("/subscriptions/s1/resourceGroups/WEB/")));
    assert_true(mln_arm_id_below(MLN_S("/subscriptions/s1/"), MLN_S("/subscriptions/s1")));
    assert_true(mln_arm_id_below(vm, MLN_S("/")));
    assert_true(mln_arm_id_below(vm, MLN_S("")));
    assert_false(mln_arm_id_below(vm, MLN_S("/subscriptions/s1/resourceGroups/we")));
    assert_false(mln_arm_id_below(vm, MLN_S("/subscriptions/s2")));
    assert_false(mln_arm_id_below(MLN_S("/subscriptions/s1"), vm));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_subscription),
        cmocka_unit_test(a_group_in_any_case),
        cmocka_unit_test(a_resource),
        cmocka_unit_test(a_child_resource),
        cmocka_unit_test(the_last_provider_counts),
        cmocka_unit_test(a_resource_of_a_subscription_and_of_the_tenant),
        cmocka_unit_test(a_name_may_be_the_word_providers),
        cmocka_unit_test(what_is_refused),
        cmocka_unit_test(too_long_or_too_deep),
        cmocka_unit_test(the_type_of_an_id),
        cmocka_unit_test(what_lies_below_a_scope),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
