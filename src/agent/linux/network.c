/* Section network. */
#include "agent/linux/facts.h"
#include "agent/linux/text.h"

#include <sys/utsname.h>

enum { MAX_INTERFACES = 256, MAX_ADDRESSES = 64 };

/* Container engines make and drop these all the time; they say nothing about the machine. */
static bool is_passing(struct mln_str name)
{
    return mln_str_starts(name, MLN_S("veth")) || mln_str_starts(name, MLN_S("cali")) ||
           mln_str_starts(name, MLN_S("lxc"));
}

/* From `ip -j address`: the addresses of an interface with their prefix lengths. */
static void put_addresses(struct mln_json_writer *w, const struct mln_json *interfaces, struct mln_str name)
{
    mln_json_name(w, MLN_S("addresses"));
    mln_json_begin_array(w);
    for (uint32_t i = 0; mln_json_is(interfaces, MLN_JSON_ARRAY) && i < interfaces->n; i++) {
        const struct mln_json *one = &interfaces->items[i], *addresses = mln_json_get(one, MLN_S("addr_info"));
        if (!mln_str_eq(mln_json_str(mln_json_get(one, MLN_S("ifname")), MLN_S("")), name))
            continue;
        for (uint32_t k = 0; mln_json_is(addresses, MLN_JSON_ARRAY) && k < addresses->n && k < MAX_ADDRESSES; k++) {
            char text[96];
            struct mln_str local = mln_json_str(mln_json_get(&addresses->items[k], MLN_S("local")), MLN_S(""));
            snprintf(text, sizeof text, "%.*s/%lld", (int)(local.n > 64 ? 64 : local.n), local.p,
                     (long long)mln_json_i64(mln_json_get(&addresses->items[k], MLN_S("prefixlen")), 0));
            mln_json_put_str(w, mln_str_c(text));
        }
    }
    mln_json_end_array(w);
}

static struct mln_str attribute(struct mln_facts *f, struct mln_str name, const char *what)
{
    struct mln_str path = mln_str_printf(f->arena, "/sys/class/net/%.*s/%s", MLN_FMT(name), what);
    return path.p ? mln_tree_line(f->tree, path.p, f->arena) : path;
}

static bool has_attribute(struct mln_facts *f, struct mln_str name, const char *what)
{
    struct mln_str path = mln_str_printf(f->arena, "/sys/class/net/%.*s/%s", MLN_FMT(name), what);
    return path.p && mln_tree_exists(f->tree, path.p);
}

static struct mln_result put_interfaces(struct mln_facts *f, struct mln_json_writer *w, bool *any_wireless)
{
    struct mln_str *names, said = mln_program_text(f->outputs, MLN_PROGRAM_ADDRESSES);
    const struct mln_json *addresses = NULL;
    size_t n, shown = 0;
    if (said.n)
        MLN_TRY(mln_json_parse(f->arena, said, 1 << 20, &addresses));
    else
        mln_facts_note(f, "network.interfaces.addresses", "the program ip is not there or failed");
    MLN_TRY(mln_tree_list(f->tree, "/sys/class/net", f->arena, &names, &n));
    mln_json_name(w, MLN_S("interfaces"));
    mln_json_begin_object(w);
    for (size_t i = 0; i < n; i++) {
        if (is_passing(names[i]) || mln_str_eq(names[i], MLN_S("bonding_masters")) ||
            !mln_facts_room(f, shown, MAX_INTERFACES))
            continue;
        shown++;
        bool wireless = has_attribute(f, names[i], "wireless") || has_attribute(f, names[i], "phy80211");
        *any_wireless |= wireless;
        mln_json_name(w, names[i]);
        mln_json_begin_object(w);
        put_addresses(w, addresses, names[i]);
        struct mln_str state = attribute(f, names[i], "operstate"); /* loopback and tunnels say "unknown" */
        mln_json_member_bool(w, "up", mln_str_eq(state, MLN_S("up")) || mln_str_eq(state, MLN_S("unknown")));
        mln_json_member_bool(w, "wireless", wireless);
        mln_json_member_str(w, "mac", attribute(f, names[i], "address"));
        mln_json_end_object(w);
    }
    mln_json_end_object(w);
    return MLN_OK;
}

/* "nameserver" lines, and the first domain of "search" or "domain". */
static struct mln_result put_resolvers(struct mln_facts *f, struct mln_json_writer *w)
{
    struct mln_str text, line, word, value, domain = {NULL, 0};
    size_t n = 0;
    MLN_TRY(mln_tree_read_if(f->tree, "/etc/resolv.conf", f->arena, &text));
    mln_json_name(w, MLN_S("resolvers"));
    mln_json_begin_array(w);
    while (mln_text_setting(&text, &line, NULL)) {
        if (!mln_text_word(&line, &word) || !mln_text_word(&line, &value))
            continue;
        if (mln_str_eq(word, MLN_S("nameserver")) && mln_facts_room(f, n++, 32))
            mln_json_put_str(w, value);
        else if (mln_str_eq(word, MLN_S("search")) || mln_str_eq(word, MLN_S("domain")))
            domain = value;
    }
    mln_json_end_array(w);
    mln_json_member_str(w, "domain", domain);
    return MLN_OK;
}

struct mln_result mln_collect_network(struct mln_facts *f, struct mln_json_writer *w)
{
    struct utsname name;
    struct mln_str hostname = mln_tree_line(f->tree, "/etc/hostname", f->arena), *adapters;
    size_t n = 0;
    bool wireless = false;
    if (f->tree->live && uname(&name) == 0)
        hostname = mln_str_c(name.nodename);
    mln_json_begin_object(w);
    if (f->tree->live) {
        MLN_TRY(put_interfaces(f, w, &wireless));
        struct mln_str off = mln_tree_line(f->tree, "/proc/sys/net/ipv6/conf/all/disable_ipv6", f->arena);
        mln_json_member_bool(w, "ipv6", off.p && !mln_str_eq(off, MLN_S("1")));
        mln_json_member_bool(w, "wireless", wireless);
        MLN_TRY(mln_tree_list(f->tree, "/sys/class/bluetooth", f->arena, &adapters, &n));
        mln_json_member_bool(w, "bluetooth", n > 0);
    } else {
        mln_facts_note(f, "network.interfaces", "only the running machine can tell");
    }
    mln_json_member_str(w, "hostname", hostname);
    MLN_TRY(put_resolvers(f, w));
    mln_json_end_object(w);
    return MLN_OK;
}
