/* The resource of a machine, as Azure Arc has it. */
#include "check.h"

#include "check_json.h"
#include "connect/machine.h"

#define ID                                                                                                             \
    "/subscriptions/0f2c8a1e-1111-4222-8333-444455556666/resourceGroups/g/providers/Microsoft.HybridCompute/machines/" \
    "Web-1"

static struct mln_arena *arena;

static int set_up(void **state)
{
    (void)state;
    arena = mln_arena_new(1 << 20);
    return arena ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    mln_arena_free(arena);
    return 0;
}

static const struct mln_json *document(const struct mln_machine *machine)
{
    struct mln_json *out = mln_arena_alloc(arena, sizeof *out);
    assert_non_null(out);
    assert_ok(mln_machine_document(machine, arena, out));
    return out;
}

static void assert_text(const struct mln_json *root, const char *path, const char *text)
{
    assert_str(mln_json_str(mln_json_path(root, path), MLN_S("(absent)")), text);
}

static void facts_become_arcs_properties(void **state)
{
    (void)state;
    const struct mln_machine machine = {
        .id = MLN_S(ID),
        .vm_id = MLN_S("vm"),
        .status = MLN_S("Connected"),
        .agent_version = MLN_S("1"),
        .last_status_change_ms = 1764000000000,
        .tags = check_json(arena, "{\"team\":\"web\"}"),
        .facts =
            check_json(arena, "{\"os\":{\"prettyName\":\"Debian 12\"},\"kernel\":{\"release\":\"6.1.0\"},"
                              "\"hardware\":{\"processors\":2,\"memoryBytes\":4096,\"vendor\":\"V\",\"model\":\"M\","
                              "\"processorModel\":\"P\"},\"cloud\":{\"provider\":\"aws\"},"
                              "\"network\":{\"hostname\":\"web\",\"domain\":\"example.org\",\"interfaces\":{"
                              "\"lo\":{\"addresses\":[\"127.0.0.1/8\"]},\"eth1\":{\"addresses\":[]},"
                              "\"eth0\":{\"addresses\":[\"10.0.0.4/24\",\"fd00::4/64\",\"bare\"]}}}}"),
    };
    const struct mln_json *d = document(&machine), *p = mln_json_get(d, MLN_S("properties"));
    assert_text(d, "id", ID);
    assert_text(d, "name", "Web-1");
    assert_text(d, "type", "Microsoft.HybridCompute/machines");
    assert_text(d, "location", "onpremises");
    assert_text(d, "tags.team", "web");
    assert_text(p, "lastStatusChange", "2025-11-24T16:00:00Z");
    assert_text(p, "osSku", "Debian 12");
    assert_text(p, "osVersion", "6.1.0");
    assert_text(p, "osProfile.computerName", "web");
    assert_text(p, "machineFqdn", "web.example.org");
    assert_text(p, "domainName", "example.org");
    assert_text(p, "displayName", "Web-1");
    assert_text(p, "detectedProperties.cloudprovider", "aws");
    assert_text(p, "detectedProperties.logicalCoreCount", "2");
    assert_text(p, "detectedProperties.totalPhysicalMemoryInBytes", "4096");
    assert_text(p, "facts.os.prettyName", "Debian 12");
    const struct mln_json *interfaces = mln_json_path(p, "networkProfile.networkInterfaces");
    assert_int_equal(interfaces->n, 1);
    const struct mln_json *addresses = mln_json_get(&interfaces->items[0], MLN_S("ipAddresses"));
    assert_int_equal(addresses->n, 3);
    assert_text(&addresses->items[0], "address", "10.0.0.4");
    assert_text(&addresses->items[0], "subnet.addressPrefix", "10.0.0.4/24");
    assert_text(&addresses->items[1], "ipAddressVersion", "IPv6");
    assert_null(mln_json_get(&addresses->items[2], MLN_S("subnet")));
}

static void a_machine_without_facts_is_one_too(void **state)
{
    (void)state;
    const struct mln_json *d = document(&(struct mln_machine){.id = MLN_S(ID), .status = MLN_S("Connected")});
    assert_text(d, "properties.osProfile.computerName", "Web-1");
    assert_text(d, "properties.detectedProperties.cloudprovider", "N/A");
    assert_null(mln_json_path(d, "properties.facts"));
    assert_null(mln_json_path(d, "properties.lastStatusChange"));
    assert_null(mln_json_get(d, MLN_S("tags")));
}

static void only_machines_are_machines(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "", "/subscriptions/x", "/subscriptions/x/resourceGroups/g/providers/A.B/machines/m", ID "/extensions/e"};
    struct mln_json out;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_fails(INVALID, mln_machine_document(&(struct mln_machine){.id = mln_str_c(wrong[i])}, arena, &out));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(facts_become_arcs_properties, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_machine_without_facts_is_one_too, set_up, tear_down),
        cmocka_unit_test_setup_teardown(only_machines_are_machines, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
