/*
 * Addresses of IPv4 and IPv6 and networks of them (values of kind IP and CIDR): their texts and their arithmetic.
 * An IPv4 address is held as the IPv6 address that maps it, ::ffff:192.0.2.1; so written in hexadecimal it is that IPv4
 * address, and written with dots it is refused, as CEL's network extension has it.
 */
#ifndef MLN_EXPR_ADDRESS_H
#define MLN_EXPR_ADDRESS_H

#include "expr/value.h"

enum { MLN_ADDRESS_BYTES = 16, MLN_ADDRESS_TEXT = 48 };

struct mln_address {
    unsigned char bytes[MLN_ADDRESS_BYTES];
    uint32_t family; /* 4 or 6 */
    uint32_t bits;   /* of a network's prefix: 0 to 32 or 128; those of an address: all */
};

/* SYNTAX, with what is wrong, for anything else than an address, or an address, a slash and a number of bits. */
MLN_RESULT mln_address_parse(struct mln_str text, struct mln_address *out);
MLN_RESULT mln_network_parse(struct mln_str text, struct mln_address *out);

/* Its 4 or 16 bytes. */
static inline const unsigned char *mln_address_bytes(const struct mln_address *address)
{
    return address->bytes + (address->family == 4 ? MLN_ADDRESS_BYTES - 4 : 0);
}

/* RFC 5952's form. */
struct mln_str mln_address_text(const struct mln_address *address, char out[MLN_ADDRESS_TEXT]);
struct mln_str mln_network_text(const struct mln_address *network, char out[MLN_ADDRESS_TEXT]);

/* Whether both are of one family and the first bits of theirs are the same. */
bool mln_address_same_prefix(const struct mln_address *a, const struct mln_address *b, uint32_t bits);
/* With zeros behind the prefix. */
struct mln_address mln_network_masked(const struct mln_address *network);

/* Of a value, and as one, whose bytes must stay. */
struct mln_address mln_address_of(const mln_value *v);
mln_value mln_address_value(const struct mln_address *address, const unsigned char bytes[MLN_ADDRESS_BYTES],
                            bool network);

#endif
