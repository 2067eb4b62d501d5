#include "expr/address.h"

#include <arpa/inet.h>

/* Where the bytes of an IPv4 address stand. */
enum { V4_AT = MLN_ADDRESS_BYTES - 4 };
static const unsigned char mapped[V4_AT] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

static struct mln_result refuse(struct mln_str text, const char *what)
{
    return mln_fail(MLN_E_SYNTAX, "'%.*s' is no address: %s", MLN_FMT(mln_str_sub(text, 0, 60)), what);
}

struct mln_result mln_address_parse(struct mln_str text, struct mln_address *out)
{
    char z[MLN_ADDRESS_TEXT];
    bool dots = memchr(text.p ? text.p : "", '.', text.n) != NULL;
    if (text.n && memchr(text.p, '%', text.n))
        return refuse(text, "zones are not allowed");
    if (text.n == 0 || text.n >= sizeof z || memchr(text.p, '\0', text.n))
        return refuse(text, "expected the form 192.0.2.1 or 2001:db8::1");
    memcpy(z, text.p, text.n);
    z[text.n] = '\0';
    *out = (struct mln_address){.family = 6, .bits = 128};
    memcpy(out->bytes, mapped, sizeof mapped);
    bool is_v4 = inet_pton(AF_INET, z, out->bytes + V4_AT) == 1;
    if (!is_v4 && inet_pton(AF_INET6, z, out->bytes) != 1)
        return refuse(text, "expected the form 192.0.2.1 or 2001:db8::1");
    bool is_mapped = memcmp(out->bytes, mapped, sizeof mapped) == 0;
    if (is_mapped && !is_v4 && dots)
        return refuse(text, "IPv4-mapped IPv6 addresses are not allowed");
    if (is_mapped) {
        out->family = 4;
        out->bits = 32;
    }
    return MLN_OK;
}

struct mln_result mln_network_parse(struct mln_str text, struct mln_address *out)
{
    size_t slash = mln_str_find(text, MLN_S("/"), 0);
    uint64_t bits;
    if (slash == SIZE_MAX)
        return refuse(text, "expected a network such as 192.0.2.0/24");
    struct mln_str address = mln_str_sub(text, 0, slash), length = mln_str_sub(text, slash + 1, text.n);
    MLN_TRY(mln_address_parse(address, out));
    if (out->family == 4 && memchr(address.p, ':', address.n))
        return refuse(text, "IPv4-mapped IPv6 addresses are not allowed");
    bool plain = length.n && length.n <= 3 && (length.p[0] != '0' || length.n == 1);
    if (!plain || !mln_ok(mln_str_to_u64(length, &bits)) || bits > out->bits)
        return refuse(text, "expected the bits of the prefix after the slash");
    out->bits = (uint32_t)bits;
    return MLN_OK;
}

/* The longest run of two or more zero groups, RFC 5952 section 4.2; n 0: none. */
static void longest_zeros(const unsigned groups[8], size_t *from, size_t *n)
{
    *from = *n = 0;
    for (size_t i = 0; i < 8; i++) {
        size_t end = i;
        while (end < 8 && groups[end] == 0)
            end++;
        if (end - i >= 2 && end - i > *n) {
            *from = i;
            *n = end - i;
        }
    }
}

static struct mln_str v6_text(const struct mln_address *a, char out[MLN_ADDRESS_TEXT])
{
    unsigned groups[8];
    size_t from, zeros, n = 0;
    for (size_t i = 0; i < 8; i++)
        groups[i] = (unsigned)a->bytes[2 * i] << 8 | a->bytes[2 * i + 1];
    longest_zeros(groups, &from, &zeros);
    for (size_t i = 0; i < 8;) {
        if (zeros && i == from) {
            n += (size_t)snprintf(out + n, MLN_ADDRESS_TEXT - n, "::");
            i += zeros;
        } else {
            bool colon = i > 0 && out[n - 1] != ':';
            n += (size_t)snprintf(out + n, MLN_ADDRESS_TEXT - n, "%s%x", colon ? ":" : "", groups[i++]);
        }
    }
    return (struct mln_str){out, n};
}

struct mln_str mln_address_text(const struct mln_address *a, char out[MLN_ADDRESS_TEXT])
{
    if (a->family == 6)
        return v6_text(a, out);
    const unsigned char *b = mln_address_bytes(a);
    int n = snprintf(out, MLN_ADDRESS_TEXT, "%u.%u.%u.%u", b[0], b[1], b[2], b[3]);
    return (struct mln_str){out, (size_t)n};
}

struct mln_str mln_network_text(const struct mln_address *network, char out[MLN_ADDRESS_TEXT])
{
    size_t n = mln_address_text(network, out).n;
    n += (size_t)snprintf(out + n, MLN_ADDRESS_TEXT - n, "/%u", network->bits);
    return (struct mln_str){out, n};
}

/* The bits of the 16 bytes that come before those of an address of its family. */
static uint32_t bits_before(const struct mln_address *a)
{
    return a->family == 4 ? 8 * V4_AT : 0;
}

bool mln_address_same_prefix(const struct mln_address *a, const struct mln_address *b, uint32_t bits)
{
    uint32_t all = bits_before(a) + bits, bytes = all / 8, rest = all % 8;
    if (a->family != b->family || memcmp(a->bytes, b->bytes, bytes) != 0)
        return false;
    return rest == 0 || (a->bytes[bytes] ^ b->bytes[bytes]) >> (8 - rest) == 0;
}

struct mln_address mln_network_masked(const struct mln_address *network)
{
    struct mln_address masked = *network;
    for (uint32_t bit = bits_before(network) + network->bits; bit < 8 * MLN_ADDRESS_BYTES; bit++)
        masked.bytes[bit / 8] &= (unsigned char)~(0x80u >> bit % 8);
    return masked;
}

struct mln_address mln_address_of(const mln_value *v)
{
    struct mln_address a = {.family = v->n & 0xFF, .bits = v->n >> 8};
    memcpy(a.bytes, v->string, sizeof a.bytes);
    if (v->kind == MLN_VALUE_IP)
        a.bits = a.family == 4 ? 32 : 128;
    return a;
}

mln_value mln_address_value(const struct mln_address *a, const unsigned char bytes[MLN_ADDRESS_BYTES], bool network)
{
    return (mln_value){.kind = network ? MLN_VALUE_CIDR : MLN_VALUE_IP,
                       .n = network ? a->family | a->bits << 8 : a->family,
                       .string = (const char *)bytes};
}
