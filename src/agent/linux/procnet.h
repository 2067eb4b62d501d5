/* /proc/net/{tcp,tcp6,udp,udp6}: the sockets that wait for strangers. */
#ifndef MLN_AGENT_LINUX_PROCNET_H
#define MLN_AGENT_LINUX_PROCNET_H

#include "base/str.h"
#include "base/vec.h"

struct mln_socket {
    bool udp;
    int family; /* 4 or 6; an IPv4 address in IPv6 form is 4 */
    unsigned char address[16];
    uint16_t port;
    uint32_t uid;
    uint64_t inode;
};
struct mln_sockets {
    MLN_VEC(struct mln_socket) list;
};

/* Appends the listening TCP sockets, respectively the UDP sockets without a fixed peer, of one of the files; at most max
   in the list. Lines that are not of the form are passed over. *left_out counts those without room. */
MLN_RESULT mln_procnet_read(struct mln_str text, bool udp, struct mln_arena *arena, size_t max, struct mln_sockets *out,
                            size_t *left_out);

bool mln_socket_is_loopback(const struct mln_socket *socket);
enum { MLN_ADDRESS_TEXT = 46 };
struct mln_str mln_socket_address(const struct mln_socket *socket, char out[MLN_ADDRESS_TEXT]);

/* Order of the section: protocol, port, family, address, inode. For qsort. */
int mln_socket_order(const void *a, const void *b);

#endif
