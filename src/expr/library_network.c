/* Functions on addresses and networks: CEL's network extension. */
#include "expr/address.h"
#include "expr/library.h"

/* The address as a value whose bytes are the run's. */
static mln_value made(struct mln_expr_run *run, const struct mln_address *a, bool network)
{
    unsigned char *bytes = mln_run_alloc(run, 1, MLN_ADDRESS_BYTES);
    if (!bytes)
        return mln_value_null();
    memcpy(bytes, a->bytes, MLN_ADDRESS_BYTES);
    return mln_address_value(a, bytes, network);
}

mln_value mln_fn_is_ip(struct mln_expr_run *run, const mln_value *args)
{
    struct mln_address a;
    (void)run;
    return mln_value_bool(mln_ok(mln_address_parse(mln_value_str(*args), &a)));
}

mln_value mln_fn_is_cidr(struct mln_expr_run *run, const mln_value *args)
{
    struct mln_address a;
    (void)run;
    return mln_value_bool(mln_ok(mln_network_parse(mln_value_str(*args), &a)));
}

mln_value mln_fn_ip_of_text(struct mln_expr_run *run, const mln_value *args)
{
    struct mln_address a;
    if (!mln_ok(mln_address_parse(mln_value_str(*args), &a)))
        return mln_run_error(run, "ip(): %s", mln_error_text());
    return made(run, &a, false);
}

mln_value mln_fn_cidr_of_text(struct mln_expr_run *run, const mln_value *args)
{
    struct mln_address a;
    if (!mln_ok(mln_network_parse(mln_value_str(*args), &a)))
        return mln_run_error(run, "cidr(): %s", mln_error_text());
    return made(run, &a, true);
}

mln_value mln_fn_ip_is_canonical(struct mln_expr_run *run, const mln_value *args)
{
    struct mln_address a;
    char text[MLN_ADDRESS_TEXT];
    if (!mln_ok(mln_address_parse(mln_value_str(*args), &a)))
        return mln_run_error(run, "ip.isCanonical(): %s", mln_error_text());
    return mln_value_bool(mln_str_eq(mln_address_text(&a, text), mln_value_str(*args)));
}

mln_value mln_fn_ip_family(struct mln_expr_run *run, const mln_value *args)
{
    (void)run;
    return mln_value_int(args->n);
}

static bool is_all(const unsigned char *bytes, size_t n, unsigned char value)
{
    for (size_t i = 0; i < n; i++)
        if (bytes[i] != value)
            return false;
    return true;
}

static bool is_unspecified(const struct mln_address *a)
{
    return is_all(mln_address_bytes(a), a->bits / 8, 0);
}

static bool is_loopback(const struct mln_address *a)
{
    const unsigned char *b = mln_address_bytes(a);
    return a->family == 4 ? b[0] == 127 : is_all(b, MLN_ADDRESS_BYTES - 1, 0) && b[MLN_ADDRESS_BYTES - 1] == 1;
}

static bool is_multicast(const struct mln_address *a)
{
    const unsigned char *b = mln_address_bytes(a);
    return a->family == 4 ? b[0] >> 4 == 0xE : b[0] == 0xFF;
}

static bool is_link_local_unicast(const struct mln_address *a)
{
    const unsigned char *b = mln_address_bytes(a);
    return a->family == 4 ? b[0] == 169 && b[1] == 254 : b[0] == 0xFE && (b[1] & 0xC0) == 0x80;
}

static bool is_link_local_multicast(const struct mln_address *a)
{
    const unsigned char *b = mln_address_bytes(a);
    return is_multicast(a) && (a->family == 4 ? b[0] == 224 && b[1] == 0 && b[2] == 0 : (b[1] & 0x0F) == 0x02);
}

static bool is_global_unicast(const struct mln_address *a)
{
    bool is_broadcast = a->family == 4 && is_all(mln_address_bytes(a), 4, 0xFF);
    return !is_unspecified(a) && !is_loopback(a) && !is_multicast(a) && !is_link_local_unicast(a) && !is_broadcast;
}

#define PROPERTY(name)                                                                                                 \
    mln_value mln_fn_ip_##name(struct mln_expr_run *run, const mln_value *args)                                        \
    {                                                                                                                  \
        (void)run;                                                                                                     \
        struct mln_address a = mln_address_of(args);                                                                   \
        return mln_value_bool(name(&a));                                                                               \
    }

PROPERTY(is_unspecified)
PROPERTY(is_loopback)
PROPERTY(is_global_unicast)
PROPERTY(is_link_local_multicast)
PROPERTY(is_link_local_unicast)

/* The address or network that a value is or says. */
static bool address_argument(const mln_value *v, bool network, struct mln_address *out)
{
    if (v->kind != MLN_JSON_STRING) {
        *out = mln_address_of(v);
        return true;
    }
    return mln_ok(network ? mln_network_parse(mln_value_str(*v), out) : mln_address_parse(mln_value_str(*v), out));
}

mln_value mln_fn_cidr_contains_ip(struct mln_expr_run *run, const mln_value *args)
{
    struct mln_address network = mln_address_of(args), a;
    if (!address_argument(&args[1], false, &a))
        return mln_run_error(run, "containsIP(): %s", mln_error_text());
    return mln_value_bool(mln_address_same_prefix(&network, &a, network.bits));
}

mln_value mln_fn_cidr_contains_cidr(struct mln_expr_run *run, const mln_value *args)
{
    struct mln_address network = mln_address_of(args), other;
    if (!address_argument(&args[1], true, &other))
        return mln_run_error(run, "containsCIDR(): %s", mln_error_text());
    return mln_value_bool(network.bits <= other.bits && mln_address_same_prefix(&network, &other, network.bits));
}

mln_value mln_fn_cidr_ip(struct mln_expr_run *run, const mln_value *args)
{
    (void)run;
    return (mln_value){.kind = MLN_VALUE_IP, .n = args->n & 0xFF, .string = args->string};
}

mln_value mln_fn_cidr_masked(struct mln_expr_run *run, const mln_value *args)
{
    struct mln_address network = mln_address_of(args), masked = mln_network_masked(&network);
    return made(run, &masked, true);
}

mln_value mln_fn_cidr_prefix_length(struct mln_expr_run *run, const mln_value *args)
{
    (void)run;
    return mln_value_int(args->n >> 8);
}

mln_value mln_fn_string_of_ip(struct mln_expr_run *run, const mln_value *args)
{
    char text[MLN_ADDRESS_TEXT];
    struct mln_address a = mln_address_of(args);
    return mln_run_string(run, mln_address_text(&a, text));
}

mln_value mln_fn_string_of_cidr(struct mln_expr_run *run, const mln_value *args)
{
    char text[MLN_ADDRESS_TEXT];
    struct mln_address a = mln_address_of(args);
    return mln_run_string(run, mln_network_text(&a, text));
}
