/* Resources and their changes, in a store. */
#include "check.h"

#include "inventory/inventory.h"
#include "place.h"

#define GROUP "/subscriptions/s1/resourceGroups/"
#define VM(group, name) GROUP group "/providers/Microsoft.Compute/virtualMachines/" name

static struct place place;
static struct mln_arena *arena;
static struct mln_moment moment;

static int set_up(void **state)
{
    (void)state;
    moment = (struct mln_moment){0};
    arena = mln_arena_new(64 << 20);
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

static struct mln_result get(const char *id, struct mln_resource *out)
{
    struct mln_store_read *read MLN_CLEANUP(mln_store_read_end) = place_read(&place);
    return mln_resource_get(read, mln_str_c(id), arena, out);
}

static void commit_change(const struct mln_resource_change *change, int64_t now_ms)
{
    struct mln_store_batch *batch = mln_store_batch_new();
    moment = mln_moment_after(moment, now_ms);
    assert_ok(mln_resource_add(batch, change, moment));
    assert_ok(mln_store_commit(place.store, batch, NULL));
}

/* Stores a resource of the id with one property. */
static void put(const char *id, const char *type, const char *property, int64_t now_ms)
{
    struct mln_resource before;
    struct mln_resource_change change;
    const struct mln_json *document;
    bool known = mln_ok(get(id, &before));
    struct mln_str text =
        mln_str_printf(arena, "{\"id\":\"%s\",\"type\":\"%s\",\"properties\":{\"p\":\"%s\"}}", id, type, property);
    assert_ok(mln_json_parse(arena, text, 1 << 20, &document));
    assert_ok(mln_resource_prepare(arena, known ? &before : NULL, document, now_ms, MLN_S("tester"), &change));
    commit_change(&change, now_ms);
}

static void put_vm(const char *id, const char *property, int64_t now_ms)
{
    put(id, "Microsoft.Compute/virtualMachines", property, now_ms);
}

static void erase(const char *id, int64_t now_ms)
{
    struct mln_resource before;
    struct mln_resource_change change;
    assert_ok(get(id, &before));
    assert_ok(mln_resource_prepare_delete(arena, &before, MLN_S("tester"), &change));
    commit_change(&change, now_ms);
}

/* What a walk visited, as text: one word for each, with blanks between. */
struct seen {
    char text[1024];
    size_t stop_after, n;
};

static void note(struct seen *seen, struct mln_str word)
{
    size_t n = strlen(seen->text);
    snprintf(seen->text + n, sizeof seen->text - n, "%s%.*s", n ? " " : "", MLN_FMT(word));
    seen->n++;
}

static struct mln_result see_resource(void *context, const struct mln_resource *resource, bool *stop)
{
    struct seen *seen = context;
    assert_true(mln_json_is(resource->document, MLN_JSON_OBJECT));
    note(seen, resource->name);
    *stop = seen->n == seen->stop_after;
    return MLN_OK;
}

static void assert_listed(const struct mln_resource_query *query, const char *expected)
{
    struct mln_store_read *read MLN_CLEANUP(mln_store_read_end) = place_read(&place);
    struct seen seen = {0};
    assert_ok(mln_resource_list(read, query, see_resource, &seen));
    assert_string_equal(seen.text, expected);
}

static void a_resource_is_found_whatever_the_case_of_its_id(void **state)
{
    (void)state;
    struct mln_resource found;
    put_vm(VM("Web", "Alpha"), "1", 10);
    assert_ok(get(VM("WEB", "alpha"), &found));
    assert_str(found.id, VM("Web", "Alpha"));
    assert_str(found.name, "Alpha");
    assert_str(found.type, "Microsoft.Compute/virtualMachines");
    assert_str(found.key, "/subscriptions/s1/resourcegroups/web/providers/microsoft.compute/virtualmachines/alpha");
    assert_true(found.revision > 0);
    assert_fails(NOT_FOUND, get(VM("web", "beta"), &found));
    assert_fails(NOT_FOUND, get("", &found));
    assert_fails(INVALID, get("nonsense", &found));
}

static void what_changed_meanwhile_is_not_overwritten(void **state)
{
    (void)state;
    struct mln_resource before;
    struct mln_resource_change change;
    put_vm(VM("web", "a"), "1", 10);
    assert_ok(get(VM("web", "a"), &before));
    put_vm(VM("web", "a"), "2", 20);
    assert_ok(mln_resource_prepare_delete(arena, &before, MLN_S("tester"), &change));
    struct mln_store_batch *batch = mln_store_batch_new();
    assert_ok(mln_resource_add(batch, &change, moment));
    assert_fails(PRECONDITION, mln_store_commit(place.store, batch, NULL));
}

static void lists_go_by_scope_and_type(void **state)
{
    (void)state;
    put_vm(VM("web", "b"), "1", 10);
    put_vm(VM("web", "a"), "1", 10);
    put_vm(VM("web2", "c"), "1", 10);
    put(VM("web", "a") "/extensions/x", "Microsoft.Compute/virtualMachines/extensions", "1", 10);
    put("/subscriptions/s10/providers/M.N/things/t", "M.N/things", "1", 10);
    assert_listed(&(struct mln_resource_query){0}, "a x b c t");
    assert_listed(&(struct mln_resource_query){.scope = MLN_S("/subscriptions/S1")}, "a x b c");
    assert_listed(&(struct mln_resource_query){.scope = MLN_S(GROUP "Web")}, "a x b");
    assert_listed(&(struct mln_resource_query){.scope = MLN_S(VM("web", "A"))}, "a x");
    assert_listed(&(struct mln_resource_query){.type = MLN_S("microsoft.compute/VIRTUALMACHINES")}, "a b c");
    assert_listed(&(struct mln_resource_query){.scope = MLN_S("/subscriptions/s2")}, "");
    struct mln_store_read *read MLN_CLEANUP(mln_store_read_end) = place_read(&place);
    struct seen seen = {.stop_after = 2};
    assert_ok(mln_resource_list(read, &(struct mln_resource_query){0}, see_resource, &seen));
    assert_string_equal(seen.text, "a x");
    assert_fails(INVALID,
                 mln_resource_list(read, &(struct mln_resource_query){.scope = MLN_S("web")}, see_resource, &seen));
}

static void pages_follow_each_other(void **state)
{
    (void)state;
    const char *const names[] = {"a", "b", "c", "d", "e"};
    struct mln_resource last;
    for (size_t i = 0; i < 5; i++)
        put_vm(mln_str_z(arena, mln_str_printf(arena, VM("web", "%s"), names[i])), "1", 10);
    struct mln_resource_query query = {.scope = MLN_S(GROUP "web"), .limit = 2};
    assert_listed(&query, "a b");
    assert_ok(get(VM("web", "b"), &last));
    query.after = last.key;
    assert_listed(&query, "c d");
    assert_ok(get(VM("web", "d"), &last));
    query.after = last.key;
    assert_listed(&query, "e");
    assert_ok(get(VM("web", "e"), &last));
    query.after = last.key;
    assert_listed(&query, "");
    /* A page may also go on behind the scope's own resource. */
    assert_ok(get(VM("web", "a"), &last));
    put(VM("web", "a") "/extensions/x", "Microsoft.Compute/virtualMachines/extensions", "1", 10);
    assert_listed(&(struct mln_resource_query){.scope = last.id, .after = last.key}, "x");
}

static struct mln_result see_event(void *context, const struct mln_resource_event *event, bool *stop)
{
    (void)stop;
    char word[64];
    struct mln_arm_id id;
    assert_ok(mln_arm_id_parse(event->id, &id));
    assert_true(mln_str_eq_nocase(event->id, event->key));
    assert_str(event->actor, "tester");
    assert_int_equal(event->patch != NULL, event->kind == MLN_RESOURCE_UPDATED);
    int n = snprintf(word, sizeof word, "%lld:%.*s:%s", (long long)event->moment.ms, MLN_FMT(id.name),
                     mln_resource_change_words[event->kind]);
    note(context, (struct mln_str){word, (size_t)n});
    return MLN_OK;
}

static void assert_events(const char *scope, int64_t from_ms, int64_t to_ms, size_t limit, const char *expected)
{
    struct mln_store_read *read MLN_CLEANUP(mln_store_read_end) = place_read(&place);
    struct seen seen = {0};
    assert_ok(mln_resource_events(read, mln_str_c(scope), from_ms, to_ms, limit, see_event, &seen));
    assert_string_equal(seen.text, expected);
}

static void what_happened_is_told_newest_first(void **state)
{
    (void)state;
    put_vm(VM("web", "a"), "1", 10);
    put_vm(VM("db", "b"), "1", 10);
    put_vm(VM("web", "a"), "2", 20);
    put_vm(VM("web", "a"), "2", 25); /* the same again */
    erase(VM("web", "a"), 30);
    assert_events("", 0, 100, 0, "30:a:deleted 20:a:updated 10:b:created 10:a:created");
    assert_events(GROUP "Web", 0, 100, 0, "30:a:deleted 20:a:updated 10:a:created");
    assert_events("", 20, 30, 0, "20:a:updated");
    assert_events("", 0, 100, 2, "30:a:deleted 20:a:updated");
    assert_events("", 50, 50, 0, "");
    struct mln_moment last;
    struct mln_store_read *read MLN_CLEANUP(mln_store_read_end) = place_read(&place);
    assert_ok(mln_resource_last_moment(read, &last));
    assert_int_equal(last.ms, 30);
}

static void a_new_store_has_no_last_moment(void **state)
{
    (void)state;
    struct mln_moment last = {7, 7};
    struct mln_store_read *read MLN_CLEANUP(mln_store_read_end) = place_read(&place);
    assert_ok(mln_resource_last_moment(read, &last));
    assert_int_equal(last.ms, 0);
    assert_events("", 0, INT64_MAX, 0, "");
}

static struct mln_result see_key(void *context, struct mln_str key, struct mln_str value, int64_t revision, bool *stop)
{
    (void)value, (void)revision, (void)stop;
    size_t slash = key.n;
    while (slash > 0 && key.p[slash - 1] != '/')
        slash--;
    note(context, mln_str_sub(key, slash, key.n));
    return MLN_OK;
}

static void a_scope_has_its_own_entries_and_those_below(void **state)
{
    (void)state;
    const char *const keys[] = {"/subscriptions/s/providers/a/b/c",        "/subscriptions/s/providers/a/b/c\t1",
                                "/subscriptions/s/providers/a/b/c\t2",     "/subscriptions/s/providers/a/b/c!\t1",
                                "/subscriptions/s/providers/a/b/c/d/e\t1", "/subscriptions/s/providers/a/b/c2\t1"};
    struct mln_store_batch *batch = mln_store_batch_new();
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        assert_ok(mln_store_put(batch, MLN_COLLECTION_DOCUMENTS, mln_str_c(keys[i]), MLN_S("{}")));
    assert_ok(mln_store_commit(place.store, batch, NULL));
    struct mln_store_read *read MLN_CLEANUP(mln_store_read_end) = place_read(&place);
    struct mln_str scope = mln_str_c(keys[0]);
    struct seen all = {0}, rest = {0}, below = {0};
    assert_ok(mln_inventory_scan(read, MLN_COLLECTION_DOCUMENTS, scope, (struct mln_str){NULL, 0}, see_key, &all));
    assert_string_equal(all.text, "c c\t1 c\t2 e\t1");
    assert_ok(mln_inventory_scan(read, MLN_COLLECTION_DOCUMENTS, scope, mln_str_c(keys[1]), see_key, &rest));
    assert_string_equal(rest.text, "c\t2 e\t1");
    assert_ok(mln_inventory_scan(read, MLN_COLLECTION_DOCUMENTS, scope, mln_str_c(keys[4]), see_key, &below));
    assert_string_equal(below.text, "");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(a_resource_is_found_whatever_the_case_of_its_id),
        CASE(what_changed_meanwhile_is_not_overwritten),
        CASE(lists_go_by_scope_and_type),
        CASE(pages_follow_each_other),
        CASE(what_happened_is_told_newest_first),
        CASE(a_new_store_has_no_last_moment),
        CASE(a_scope_has_its_own_entries_and_those_below),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
