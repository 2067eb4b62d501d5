#include "base/address.h"

#include <arpa/inet.h>

_Static_assert(MLN_ADDRESS_TEXT >= INET6_ADDRSTRLEN, "room for every address");

struct mln_str mln_address_network(struct mln_str address, char out[MLN_ADDRESS_TEXT])
{
    struct in6_addr six;
    size_t n = address.n < MLN_ADDRESS_TEXT - 1 ? address.n : MLN_ADDRESS_TEXT - 1;
    memcpy(out, address.n ? address.p : "", n);
    out[n] = '\0';
    if (inet_pton(AF_INET6, out, &six) != 1 || IN6_IS_ADDR_V4MAPPED(&six))
        return (struct mln_str){out, n};
    memset(&six.s6_addr[8], 0, 8);
    inet_ntop(AF_INET6, &six, out, MLN_ADDRESS_TEXT);
    return mln_str_c(out);
}
