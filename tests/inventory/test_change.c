/* What a new document does to a stored resource, without a store. */
#include "check.h"

#include "inventory/inventory.h"

#define ID "/subscriptions/s1/resourceGroups/Web/providers/Microsoft.HybridCompute/machines/Host-1"
#define TYPE "Microsoft.HybridCompute/machines"

static struct mln_arena *arena;

static int set_up(void **state)
{
    (void)state;
    arena = mln_arena_new(64 << 20);
    return arena ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    mln_arena_free(arena);
    return 0;
}

static const struct mln_json *parse(const char *text)
{
    const struct mln_json *json;
    assert_ok(mln_json_parse(arena, mln_str_c(text), 64 << 20, &json));
    return json;
}

/* A document of the resource ID with the given members. */
static const struct mln_json *machine(const char *members)
{
    struct mln_str text = mln_str_printf(arena, "{\"id\":\"%s\",\"type\":\"%s\"%s}", ID, TYPE, members);
    return parse(mln_str_z(arena, text));
}

static struct mln_resource_change prepare(const struct mln_resource *before, const struct mln_json *document,
                                          int64_t now_ms, const char *actor)
{
    struct mln_resource_change change;
    assert_ok(mln_resource_prepare(arena, before, document, now_ms, mln_str_c(actor), &change));
    return change;
}

/* The resource that is there once the change was stored. */
static struct mln_resource stored(const struct mln_resource_change *change)
{
    char *text = mln_arena_array(arena, change->value.n + 1, 1);
    memcpy(text, change->value.p, change->value.n);
    return (struct mln_resource){.key = change->key,
                                 .id = change->id,
                                 .type = change->type,
                                 .name = change->name,
                                 .document = parse(text),
                                 .revision = 7};
}

static const char *text_at(const struct mln_json *json, const char *path)
{
    return mln_str_z(arena, mln_json_str(mln_json_path(json, path), MLN_S("(absent)")));
}

static void a_new_resource_keeps_its_spelling_and_gets_system_data(void **state)
{
    (void)state;
    struct mln_resource_change change = prepare(
        NULL, machine(",\"properties\":{\"osName\":\"linux\"},\"systemData\":{\"createdBy\":\"forged\"}"), 1000, "ada");
    assert_int_equal(change.kind, MLN_RESOURCE_CREATED);
    assert_int_equal(change.before_revision, 0);
    assert_string_equal(mln_str_z(arena, change.key),
                        "/subscriptions/s1/resourcegroups/web/providers/microsoft.hybridcompute/machines/host-1");
    assert_string_equal(mln_str_z(arena, change.id), ID);
    assert_string_equal(mln_str_z(arena, change.name), "Host-1");
    struct mln_resource resource = stored(&change);
    assert_string_equal(text_at(resource.document, "id"), ID);
    assert_string_equal(text_at(resource.document, "name"), "Host-1");
    assert_string_equal(text_at(resource.document, "properties.osName"), "linux");
    assert_string_equal(text_at(resource.document, "systemData.createdBy"), "ada");
    assert_string_equal(text_at(resource.document, "systemData.createdAt"), "1970-01-01T00:00:01Z");
    assert_string_equal(text_at(resource.document, "systemData.lastModifiedAt"), "1970-01-01T00:00:01Z");
    const struct mln_json *event = parse(mln_str_z(arena, change.event));
    assert_string_equal(text_at(event, "kind"), "created");
    assert_string_equal(text_at(event, "actor"), "ada");
    assert_null(mln_json_get(event, MLN_S("patch")));
}

static void the_same_document_again_changes_nothing(void **state)
{
    (void)state;
    struct mln_resource_change first = prepare(NULL, machine(",\"tags\":{\"a\":\"1\",\"b\":\"2\"}"), 1000, "ada");
    struct mln_resource before = stored(&first);
    struct mln_resource_change again = prepare(
        &before, machine(",\"tags\":{\"b\":\"2\",\"a\":\"1\"},\"systemData\":{\"createdBy\":\"x\"}"), 2000, "bob");
    assert_int_equal(again.kind, MLN_RESOURCE_UNCHANGED);
    assert_null(again.value.p);
    assert_null(again.event.p);
    assert_ptr_equal(again.document, before.document);
}

static void an_update_keeps_who_made_it_and_records_the_patch(void **state)
{
    (void)state;
    struct mln_resource_change first = prepare(NULL, machine(",\"properties\":{\"a\":1,\"b\":2}"), 1000, "ada");
    struct mln_resource before = stored(&first);
    struct mln_resource_change change = prepare(&before, machine(",\"properties\":{\"a\":1,\"c\":[3]}"), 2000, "bob");
    assert_int_equal(change.kind, MLN_RESOURCE_UPDATED);
    assert_int_equal(change.before_revision, 7);
    struct mln_resource after = stored(&change);
    assert_string_equal(text_at(after.document, "systemData.createdBy"), "ada");
    assert_string_equal(text_at(after.document, "systemData.createdAt"), "1970-01-01T00:00:01Z");
    assert_string_equal(text_at(after.document, "systemData.lastModifiedBy"), "bob");
    assert_string_equal(text_at(after.document, "systemData.lastModifiedAt"), "1970-01-01T00:00:02Z");
    const struct mln_json *event = parse(mln_str_z(arena, change.event));
    assert_true(mln_json_equal(mln_json_get(event, MLN_S("patch")), parse("{\"properties\":{\"b\":null,\"c\":[3]}}")));
}

static void when_it_was_looked_at_is_stored_but_not_recorded(void **state)
{
    (void)state;
    struct mln_resource_change first =
        prepare(NULL, machine(",\"properties\":{\"facts\":{\"collected\":\"t1\",\"os\":{\"id\":\"debian\"}}}"), 1, "a");
    struct mln_resource before = stored(&first);
    struct mln_resource_change change = prepare(
        &before, machine(",\"properties\":{\"facts\":{\"collected\":\"t2\",\"os\":{\"id\":\"debian\"}}}"), 2, "a");
    assert_int_equal(change.kind, MLN_RESOURCE_UPDATED);
    assert_non_null(change.value.p);
    assert_null(change.event.p);
    change = prepare(&before, machine(",\"properties\":{\"facts\":{\"collected\":\"t2\",\"os\":{\"id\":\"fedora\"}}}"),
                     2, "a");
    assert_non_null(change.event.p);
}

static void null_members_count_as_absent_in_the_record(void **state)
{
    (void)state;
    struct mln_resource_change first = prepare(NULL, machine(",\"properties\":{\"a\":1}"), 1, "a");
    struct mln_resource before = stored(&first);
    struct mln_resource_change change = prepare(&before, machine(",\"properties\":{\"a\":1,\"b\":null}"), 2, "a");
    assert_int_equal(change.kind, MLN_RESOURCE_UPDATED);
    const struct mln_json *patch = mln_json_get(parse(mln_str_z(arena, change.event)), MLN_S("patch"));
    assert_true(mln_json_is(patch, MLN_JSON_OBJECT));
    assert_int_equal(patch->n, 0);
    change = prepare(&before, machine(",\"properties\":{\"a\":null,\"c\":{\"d\":null,\"e\":2}}"), 2, "a");
    patch = mln_json_get(parse(mln_str_z(arena, change.event)), MLN_S("patch"));
    assert_true(mln_json_equal(patch, parse("{\"properties\":{\"a\":null,\"c\":{\"e\":2}}}")));
}

static void a_large_patch_is_recorded_as_paths(void **state)
{
    (void)state;
    struct mln_resource_change first = prepare(NULL, machine(",\"properties\":{\"x\":{}}"), 1, "a");
    struct mln_resource before = stored(&first);
    char *large = mln_arena_array(arena, 100 * 300, 1);
    size_t n = 0;
    for (int i = 0; i < 100; i++)
        n += (size_t)snprintf(large + n, 300, "%s\"m%d\":\"%0256d\"", i ? "," : "", i, i);
    char *document = mln_arena_array(arena, n + 400, 1);
    snprintf(document, n + 400, "{\"id\":\"%s\",\"type\":\"%s\",\"properties\":{\"x\":{%s}}}", ID, TYPE, large);
    struct mln_resource_change change = prepare(&before, parse(document), 2, "a");
    const struct mln_json *event = parse(mln_str_z(arena, change.event));
    assert_null(mln_json_get(event, MLN_S("patch")));
    const struct mln_json *paths = mln_json_get(event, MLN_S("changed"));
    assert_int_equal(paths->n, 64);
    assert_string_equal(mln_str_z(arena, mln_json_str(&paths->items[0], MLN_S(""))), "properties.x.m0");
}

static void a_resource_that_is_too_large_is_refused(void **state)
{
    (void)state;
    size_t n = MLN_RESOURCE_MAX_BYTES;
    char *document = mln_arena_array(arena, n + 500, 1);
    int head = snprintf(document, 400, "{\"id\":\"%s\",\"type\":\"%s\",\"x\":\"", ID, TYPE);
    memset(document + head, 'x', n);
    memcpy(document + head + n, "\"}", 3);
    struct mln_resource_change change;
    assert_fails(LIMIT, mln_resource_prepare(arena, NULL, parse(document), 1, MLN_S("a"), &change));
}

static void a_deletion_is_recorded(void **state)
{
    (void)state;
    struct mln_resource_change first = prepare(NULL, machine(""), 1, "a"), gone;
    struct mln_resource before = stored(&first);
    assert_ok(mln_resource_prepare_delete(arena, &before, MLN_S("eve"), &gone));
    assert_int_equal(gone.kind, MLN_RESOURCE_DELETED);
    assert_int_equal(gone.before_revision, 7);
    assert_null(gone.value.p);
    assert_string_equal(text_at(parse(mln_str_z(arena, gone.event)), "kind"), "deleted");
    assert_string_equal(text_at(parse(mln_str_z(arena, gone.event)), "actor"), "eve");
}

static void what_is_no_resource_is_refused(void **state)
{
    (void)state;
    const char *const wrong[] = {
        "[]",
        "null",
        "{}",
        "{\"id\":7,\"type\":\"a/b\"}",
        "{\"id\":\"/subscriptions/s1\",\"type\":\"a/b\"}",
        "{\"id\":\"/subscriptions/s1/resourceGroups/g\",\"type\":\"a/b\"}",
        "{\"id\":\"/providers/A.B/c/d\",\"type\":\"a/b\"}",
        "{\"id\":\"/subscriptions/s1/providers/A.B/c/../d\",\"type\":\"a/b\"}",
        "{\"id\":\"/subscriptions/s1/providers/A.B/c/d\"}",
        "{\"id\":\"/subscriptions/s1/providers/A.B/c/d\",\"type\":\"\"}",
        "{\"id\":\"/subscriptions/s1/providers/A.B/c/d\",\"type\":\"A.B/c\",\"name\":\"e\"}",
        "{\"id\":\"/subscriptions/s1/providers/A.B/c/d\",\"type\":\"A.B/c\",\"name\":null}",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct mln_arm_id id;
        struct mln_str key;
        assert_fails(INVALID, mln_resource_check(parse(wrong[i]), arena, &id, &key));
    }
    struct mln_arm_id id;
    struct mln_str key;
    assert_fails(INVALID, mln_resource_check(NULL, arena, &id, &key));
    assert_ok(mln_resource_check(machine(",\"name\":\"HOST-1\""), arena, &id, &key));
}

static void scopes_become_keys(void **state)
{
    (void)state;
    struct mln_str key;
    assert_ok(mln_inventory_scope(MLN_S(""), arena, &key));
    assert_int_equal(key.n, 0);
    assert_ok(mln_inventory_scope(MLN_S("/Subscriptions/S1/"), arena, &key));
    assert_string_equal(mln_str_z(arena, key), "/subscriptions/s1");
    assert_fails(INVALID, mln_inventory_scope(MLN_S("subscriptions/s1"), arena, &key));
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(a_new_resource_keeps_its_spelling_and_gets_system_data),
        CASE(the_same_document_again_changes_nothing),
        CASE(an_update_keeps_who_made_it_and_records_the_patch),
        CASE(when_it_was_looked_at_is_stored_but_not_recorded),
        CASE(null_members_count_as_absent_in_the_record),
        CASE(a_large_patch_is_recorded_as_paths),
        CASE(a_resource_that_is_too_large_is_refused),
        CASE(a_deletion_is_recorded),
        CASE(what_is_no_resource_is_refused),
        CASE(scopes_become_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
