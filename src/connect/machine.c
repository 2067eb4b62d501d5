#include "connect/machine.h"

#include "base/time.h"
#include "model/arm_id.h"

/* An object that is being built: the first failure stays, so that many members can be added in a row. */
struct builder {
    struct mln_arena *arena;
    struct mln_json_object object;
    struct mln_result failed;
};

static void add(struct builder *b, const char *name, struct mln_json value)
{
    if (mln_ok(b->failed))
        b->failed = mln_json_add(b->arena, &b->object, mln_str_c(name), value);
}

static void add_str(struct builder *b, const char *name, struct mln_str value)
{
    if (value.p)
        add(b, name, mln_json_of_str(value));
}

static struct mln_str text_at(const struct mln_json *root, const char *path)
{
    return mln_json_str(mln_json_path(root, path), (struct mln_str){NULL, 0});
}

/* "10.0.0.4/24" as Arc writes an address. */
static struct mln_result address(struct mln_arena *arena, struct mln_str text, struct mln_json *out)
{
    struct builder b = {.arena = arena, .failed = MLN_OK}, subnet = {.arena = arena, .failed = MLN_OK};
    struct mln_str host = text, prefix = {NULL, 0};
    size_t slash = mln_str_find(text, MLN_S("/"), 0);
    if (slash != SIZE_MAX) {
        host = mln_str_sub(text, 0, slash);
        prefix = mln_str_sub(text, slash, text.n);
    }
    bool six = mln_str_find(host, MLN_S(":"), 0) != SIZE_MAX;
    add_str(&b, "address", host);
    add_str(&b, "ipAddressVersion", six ? MLN_S("IPv6") : MLN_S("IPv4"));
    if (prefix.p) {
        struct mln_str range;
        MLN_TRY_STR(arena, range, mln_str_printf(arena, "%.*s%.*s", MLN_FMT(host), MLN_FMT(prefix)));
        add_str(&subnet, "addressPrefix", range);
        add(&b, "subnet", mln_json_object_done(&subnet.object));
    }
    MLN_TRY(subnet.failed);
    MLN_TRY(b.failed);
    *out = mln_json_object_done(&b.object);
    return MLN_OK;
}

static struct mln_result network_profile(struct mln_arena *arena, const struct mln_json *facts, struct builder *to)
{
    const struct mln_json *interfaces = mln_json_path(facts, "network.interfaces");
    struct mln_json_array list = {0};
    for (uint32_t i = 0; mln_json_is(interfaces, MLN_JSON_OBJECT) && i < interfaces->n; i++) {
        const struct mln_json_member *one = &interfaces->members[i];
        const struct mln_json *addresses = mln_json_get(&one->value, MLN_S("addresses"));
        struct builder b = {.arena = arena, .failed = MLN_OK};
        struct mln_json_array shown = {0};
        if (mln_str_eq(one->name, MLN_S("lo")) || !mln_json_is(addresses, MLN_JSON_ARRAY) || !addresses->n)
            continue;
        for (uint32_t k = 0; k < addresses->n; k++) {
            struct mln_json item;
            MLN_TRY(address(arena, mln_json_str(&addresses->items[k], MLN_S("")), &item));
            MLN_TRY(mln_json_append(arena, &shown, item));
        }
        add(&b, "ipAddresses", mln_json_array_done(&shown));
        MLN_TRY(b.failed);
        MLN_TRY(mln_json_append(arena, &list, mln_json_object_done(&b.object)));
    }
    struct builder profile = {.arena = arena, .failed = MLN_OK};
    add(&profile, "networkInterfaces", mln_json_array_done(&list));
    add(to, "networkProfile", mln_json_object_done(&profile.object));
    return profile.failed;
}

static struct mln_result detected_properties(struct mln_arena *arena, const struct mln_json *facts, struct builder *to)
{
    struct builder b = {.arena = arena, .failed = MLN_OK};
    struct mln_str provider = text_at(facts, "cloud.provider"), number;
    int64_t processors = mln_json_i64(mln_json_path(facts, "hardware.processors"), 0);
    int64_t memory = mln_json_i64(mln_json_path(facts, "hardware.memoryBytes"), 0);
    add_str(&b, "cloudprovider", provider.p ? provider : MLN_S("N/A"));
    add_str(&b, "manufacturer", text_at(facts, "hardware.vendor"));
    add_str(&b, "model", text_at(facts, "hardware.model"));
    add_str(&b, "processorNames", text_at(facts, "hardware.processorModel"));
    if (processors > 0) {
        MLN_TRY_STR(arena, number, mln_str_printf(arena, "%lld", (long long)processors));
        add_str(&b, "logicalCoreCount", number);
    }
    if (memory > 0) {
        MLN_TRY_STR(arena, number, mln_str_printf(arena, "%lld", (long long)memory));
        add_str(&b, "totalPhysicalMemoryInBytes", number);
    }
    add(to, "detectedProperties", mln_json_object_done(&b.object));
    return b.failed;
}

static struct mln_result names(struct mln_arena *arena, const struct mln_json *facts, struct mln_str name,
                               struct builder *to)
{
    struct builder profile = {.arena = arena, .failed = MLN_OK};
    struct mln_str host = text_at(facts, "network.hostname"), domain = text_at(facts, "network.domain"), full;
    if (!host.n)
        host = name;
    full = host;
    if (domain.n && mln_str_find(host, MLN_S("."), 0) == SIZE_MAX)
        MLN_TRY_STR(arena, full, mln_str_printf(arena, "%.*s.%.*s", MLN_FMT(host), MLN_FMT(domain)));
    add_str(&profile, "computerName", host);
    add(to, "osProfile", mln_json_object_done(&profile.object));
    add_str(to, "displayName", name);
    add_str(to, "machineFqdn", full);
    add_str(to, "dnsFqdn", full);
    if (domain.n)
        add_str(to, "domainName", domain);
    return profile.failed;
}

static struct mln_result properties(const struct mln_machine *machine, struct mln_arena *arena, struct mln_str name,
                                    struct mln_json *out)
{
    struct builder b = {.arena = arena, .failed = MLN_OK};
    add_str(&b, "provisioningState", MLN_S("Succeeded"));
    add_str(&b, "status", machine->status);
    if (machine->last_status_change_ms) {
        char text[MLN_TIME_TEXT];
        struct mln_str time;
        MLN_TRY_STR(arena, time, mln_str_dup(arena, mln_time_text(machine->last_status_change_ms, text)));
        add_str(&b, "lastStatusChange", time);
    }
    add_str(&b, "agentVersion", machine->agent_version);
    add_str(&b, "vmId", machine->vm_id);
    MLN_TRY(names(arena, machine->facts, name, &b));
    add_str(&b, "osName", MLN_S("linux"));
    add_str(&b, "osType", MLN_S("linux"));
    add_str(&b, "osSku", text_at(machine->facts, "os.prettyName"));
    add_str(&b, "osVersion", text_at(machine->facts, "kernel.release"));
    MLN_TRY(detected_properties(arena, machine->facts, &b));
    MLN_TRY(network_profile(arena, machine->facts, &b));
    if (machine->facts)
        add(&b, "facts", *machine->facts);
    MLN_TRY(b.failed);
    *out = mln_json_object_done(&b.object);
    return MLN_OK;
}

struct mln_result mln_machine_document(const struct mln_machine *machine, struct mln_arena *arena, struct mln_json *out)
{
    struct builder b = {.arena = arena, .failed = MLN_OK};
    struct mln_arm_id id;
    struct mln_str type;
    struct mln_json inner;
    MLN_TRY(mln_arm_id_parse(machine->id, &id));
    MLN_TRY(mln_arm_id_type(&id, arena, &type));
    if (!mln_str_eq_nocase(type, MLN_S(MLN_MACHINE_TYPE)))
        return mln_fail(MLN_E_INVALID, "%.*s is not the id of a machine", MLN_FMT(machine->id));
    add_str(&b, "id", machine->id);
    add_str(&b, "name", id.name);
    add_str(&b, "type", MLN_S(MLN_MACHINE_TYPE));
    add_str(&b, "location", machine->location.p ? machine->location : MLN_S("onpremises"));
    if (machine->tags)
        add(&b, "tags", *machine->tags);
    MLN_TRY(properties(machine, arena, id.name, &inner));
    add(&b, "properties", inner);
    MLN_TRY(b.failed);
    *out = mln_json_object_done(&b.object);
    return MLN_OK;
}
