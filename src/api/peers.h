/*
 * The connections that are open, each with the moment by which it must have come further. A client that dribbles its
 * handshake, headers or body, or does not read its answer, never rests long enough for an idle timeout: its deadline is
 * absolute, and its socket is shut down when it comes. They are counted by network (an IPv4 address, a /64 of IPv6), so that
 * one customer's many addresses are not many customers. Thread-safe.
 */
#ifndef MLN_API_PEERS_H
#define MLN_API_PEERS_H

#include "base/result.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct mln_peer;
struct mln_peers;

/* most_of_a_network: how many connections at once. */
MLN_RESULT mln_peers_new(unsigned most_of_a_network, struct mln_peers **out);
void mln_peers_free(struct mln_peers *peers); /* all connections must be gone */
MLN_DEFINE_CLEANUP(struct mln_peers, mln_peers_free)

/* Whether there is room for one more from there. */
bool mln_peers_admit(struct mln_peers *peers, const struct sockaddr *from);
/* A new connection on socket fd, with a deadline in ms from now. NULL: no memory. */
struct mln_peer *mln_peers_add(struct mln_peers *peers, int fd, const struct sockaddr *from, int64_t deadline_ms);
/* Before the socket is closed. */
void mln_peers_remove(struct mln_peers *peers, struct mln_peer *peer);
/* A new deadline in ms from now; 0: none. */
void mln_peers_allow(struct mln_peers *peers, struct mln_peer *peer, int64_t deadline_ms);
/* Shuts down what is over its deadline; gives the number. Call it about once a second. */
size_t mln_peers_reap(struct mln_peers *peers);
size_t mln_peers_count(struct mln_peers *peers);

#endif
