/* Addresses of the network, as texts. */
#ifndef MLN_BASE_ADDRESS_H
#define MLN_BASE_ADDRESS_H

#include "base/str.h"

enum { MLN_ADDRESS_TEXT = 46 };

/* What whoever has this address can be held to have: an IPv4 address itself, of an IPv6 address its network of 64 bits,
   in which a single customer has every address. Other texts stay as they are, cut to fit. A slice of out. */
struct mln_str mln_address_network(struct mln_str address, char out[MLN_ADDRESS_TEXT]);

#endif
