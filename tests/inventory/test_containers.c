/* Subscriptions and resource groups. */
#include "check.h"

#include "inventory/containers.h"
#include "place.h"

#include <pthread.h>

#define SUB "0f2c8a1e-1111-4222-8333-444455556666"
#define SUB_UPPER "0F2C8A1E-1111-4222-8333-444455556666"
#define OTHER "0f2c8a1e-1111-4222-8333-444455557777"

static struct place place;
static struct mln_arena *arena;
static int64_t now_ms;
static struct mln_clock test_clock;

static int set_up(void **state)
{
    (void)state;
    now_ms = 1000;
    test_clock = mln_fake_clock(&now_ms);
    arena = mln_arena_new(16 << 20);
    place_make(&place);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    place_remove(&place);
    mln_arena_free(arena);
    return 0;
}

static struct mln_result create(const char *id, const char *name)
{
    return mln_subscription_create(place.store, &test_clock, mln_str_c(id), mln_str_c(name));
}

static struct mln_result put_group(const char *name, const char *location, const struct mln_json *tags, bool *created,
                                   struct mln_group *out)
{
    return mln_group_put(place.store, &test_clock, MLN_S(SUB), mln_str_c(name), mln_str_c(location), tags, arena,
                         created, out);
}

static struct mln_result get_subscription(const char *id, struct mln_subscription *out)
{
    struct mln_store_read *read MLN_CLEANUP(mln_store_read_end) = place_read(&place);
    return mln_subscription_get(read, mln_str_c(id), arena, out);
}

static struct mln_result get_group(const char *name, struct mln_group *out)
{
    struct mln_store_read *read MLN_CLEANUP(mln_store_read_end) = place_read(&place);
    return mln_group_get(read, MLN_S(SUB), mln_str_c(name), arena, out);
}

static const struct mln_json *parse(const char *text)
{
    const struct mln_json *json;
    assert_ok(mln_json_parse(arena, mln_str_c(text), 1 << 20, &json));
    return json;
}

static void a_subscription_is_made_once(void **state)
{
    (void)state;
    struct mln_subscription found;
    assert_ok(create(SUB_UPPER, "Production"));
    assert_fails(CONFLICT, create(SUB, "again"));
    assert_ok(get_subscription(SUB_UPPER, &found));
    assert_str(found.id, SUB);
    assert_str(found.display_name, "Production");
    assert_int_equal(found.created_ms, 1000);
    assert_true(found.revision > 0);
    assert_fails(NOT_FOUND, get_subscription(OTHER, &found));
    assert_fails(NOT_FOUND, get_subscription("no guid", &found));
}

static void the_default_subscription_is_ensured_at_every_start(void **state)
{
    (void)state;
    struct mln_subscription found;
    assert_ok(mln_subscription_ensure(place.store, &test_clock, MLN_S(SUB), MLN_S("merlon")));
    mln_store_close(MLN_TAKE(place.store));
    place_open(&place);
    now_ms = 9000;
    assert_ok(mln_subscription_ensure(place.store, &test_clock, MLN_S(SUB), MLN_S("another name")));
    assert_ok(get_subscription(SUB, &found));
    assert_str(found.display_name, "merlon");
    assert_int_equal(found.created_ms, 1000);
}

static void a_subscription_needs_a_guid_and_a_name(void **state)
{
    (void)state;
    char long_name[200];
    memset(long_name, 'x', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    const char *const ids[] = {"", "x", SUB "0", "0f2c8a1e11114222833344445555666600000",
                               "0f2c8a1g-1111-4222-8333-444455556666"};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++)
        assert_fails(INVALID, create(ids[i], "name"));
    assert_fails(INVALID, create(SUB, ""));
    assert_fails(INVALID, create(SUB, long_name));
    assert_fails(INVALID, create(SUB, "a\nb"));
    assert_fails(INVALID, create(SUB, "\xFF"));
}

static void subscriptions_are_listed_by_id(void **state)
{
    (void)state;
    struct mln_subscription *list;
    size_t n;
    assert_ok(create(OTHER, "b"));
    assert_ok(create(SUB, "a"));
    struct mln_store_read *read MLN_CLEANUP(mln_store_read_end) = place_read(&place);
    assert_ok(mln_subscription_list(read, arena, &list, &n));
    assert_int_equal(n, 2);
    assert_str(list[0].id, SUB);
    assert_str(list[1].id, OTHER);
}

static void a_group_keeps_its_first_spelling_and_its_birth(void **state)
{
    (void)state;
    struct mln_group group;
    bool created;
    assert_ok(create(SUB, "s"));
    assert_ok(put_group("Web-Servers", "westeurope", NULL, &created, &group));
    assert_true(created);
    assert_str(group.id, "/subscriptions/" SUB "/resourceGroups/Web-Servers");
    now_ms = 2000;
    assert_ok(put_group("WEB-servers", "WestEurope", parse("{\"team\":\"red\"}"), &created, &group));
    assert_false(created);
    assert_ok(get_group("web-SERVERS", &group));
    assert_str(group.name, "Web-Servers");
    assert_str(group.subscription, SUB);
    assert_str(group.location, "westeurope");
    assert_int_equal(group.created_ms, 1000);
    assert_int_equal(group.modified_ms, 2000);
    assert_str(mln_json_str(mln_json_get(group.tags, MLN_S("team")), MLN_S("")), "red");
    assert_fails(CONFLICT, put_group("web-servers", "northeurope", NULL, NULL, NULL));
}

static void a_group_needs_its_subscription_and_proper_names(void **state)
{
    (void)state;
    char long_name[92];
    memset(long_name, 'x', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    assert_fails(NOT_FOUND, put_group("g", "l", NULL, NULL, NULL));
    assert_ok(create(SUB, "s"));
    const char *const names[] = {"", "a/b", "a b", "dot.", "\xC3\xA4", "a%41", long_name};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_fails(INVALID, put_group(names[i], "l", NULL, NULL, NULL));
    assert_fails(INVALID, put_group("g", "", NULL, NULL, NULL));
    const char *const tags[] = {"[]", "{\"a\":1}", "{\"\":\"x\"}"};
    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++)
        assert_fails(INVALID, put_group("g", "l", parse(tags[i]), NULL, NULL));
    assert_ok(put_group("a_b-c.(d)", "l", NULL, NULL, NULL));
    assert_ok(
        mln_group_put(place.store, &test_clock, MLN_S(SUB), MLN_S("no-arena"), MLN_S("l"), NULL, NULL, NULL, NULL));
    struct mln_group group;
    assert_fails(NOT_FOUND, get_group("absent", &group));
    assert_fails(NOT_FOUND, get_group("", &group));
}

static void groups_are_listed_page_by_page(void **state)
{
    (void)state;
    struct mln_group *page;
    size_t n;
    assert_ok(create(SUB, "s"));
    assert_ok(put_group("c", "l", NULL, NULL, NULL));
    assert_ok(put_group("A", "l", NULL, NULL, NULL));
    assert_ok(put_group("b", "l", NULL, NULL, NULL));
    struct mln_store_read *read MLN_CLEANUP(mln_store_read_end) = place_read(&place);
    assert_ok(mln_group_list(read, MLN_S(SUB), (struct mln_str){NULL, 0}, 2, arena, &page, &n));
    assert_int_equal(n, 2);
    assert_str(page[0].name, "A");
    assert_str(page[1].name, "b");
    assert_ok(mln_group_list(read, MLN_S(SUB_UPPER), MLN_S("B"), 2, arena, &page, &n));
    assert_int_equal(n, 1);
    assert_str(page[0].name, "c");
}

/* A resource that is simply there. */
static void plant(const char *key)
{
    struct mln_store_batch *batch = mln_store_batch_new();
    assert_ok(mln_store_put(batch, MLN_COLLECTION_RESOURCES, mln_str_c(key), MLN_S("{}")));
    assert_ok(mln_store_commit(place.store, batch, NULL));
}

static void only_what_is_empty_is_deleted(void **state)
{
    (void)state;
    struct mln_group group;
    assert_fails(NOT_FOUND, mln_subscription_delete(place.store, MLN_S(SUB)));
    assert_ok(create(SUB, "s"));
    assert_ok(put_group("g", "l", NULL, NULL, NULL));
    assert_ok(put_group("g2", "l", NULL, NULL, NULL));
    plant("/subscriptions/" SUB "/resourcegroups/g2/providers/a.b/c/d");
    assert_fails(CONFLICT, mln_subscription_delete(place.store, MLN_S(SUB)));
    assert_fails(CONFLICT, mln_group_delete(place.store, MLN_S(SUB), MLN_S("G2")));
    assert_ok(mln_group_delete(place.store, MLN_S(SUB), MLN_S("G")));
    assert_fails(NOT_FOUND, get_group("g", &group));
    assert_fails(NOT_FOUND, mln_group_delete(place.store, MLN_S(SUB), MLN_S("g")));
    assert_ok(create(OTHER, "t"));
    plant("/subscriptions/" OTHER "/providers/a.b/c/d");
    assert_fails(CONFLICT, mln_subscription_delete(place.store, MLN_S(OTHER)));
}

static void an_empty_subscription_goes(void **state)
{
    (void)state;
    struct mln_subscription found;
    assert_ok(create(SUB, "s"));
    assert_ok(put_group("g", "l", NULL, NULL, NULL));
    assert_ok(mln_group_delete(place.store, MLN_S(SUB), MLN_S("g")));
    assert_ok(mln_subscription_delete(place.store, MLN_S(SUB_UPPER)));
    assert_fails(NOT_FOUND, get_subscription(SUB, &found));
    assert_ok(create(SUB, "again"));
}

static void *delete_again_and_again(void *context)
{
    (void)context;
    for (int i = 0; i < 40; i++)
        MLN_IGNORE(mln_subscription_delete(place.store, MLN_S(SUB)));
    return NULL;
}

/* Whoever wins, no group is ever left in a subscription that is gone. */
static void a_group_and_the_end_of_its_subscription_do_not_both_succeed(void **state)
{
    (void)state;
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, delete_again_and_again, NULL), 0);
    for (int i = 0; i < 40; i++) {
        struct mln_subscription subscription;
        MLN_IGNORE(create(SUB, "s"));
        struct mln_result made = put_group("g", "l", NULL, NULL, NULL);
        if (mln_ok(made)) {
            assert_ok(get_subscription(SUB, &subscription));
            assert_ok(mln_group_delete(place.store, MLN_S(SUB), MLN_S("g")));
        } else {
            assert_true(made.code == MLN_E_NOT_FOUND || made.code == MLN_E_PRECONDITION);
        }
    }
    pthread_join(thread, NULL);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(a_subscription_is_made_once),
        CASE(the_default_subscription_is_ensured_at_every_start),
        CASE(a_subscription_needs_a_guid_and_a_name),
        CASE(subscriptions_are_listed_by_id),
        CASE(a_group_keeps_its_first_spelling_and_its_birth),
        CASE(a_group_needs_its_subscription_and_proper_names),
        CASE(groups_are_listed_page_by_page),
        CASE(only_what_is_empty_is_deleted),
        CASE(an_empty_subscription_goes),
        CASE(a_group_and_the_end_of_its_subscription_do_not_both_succeed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
