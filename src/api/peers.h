/*
 * The connections that are open, each with the moment by which it must have come further. A client that dribbles its
 * handshake, headers or body, or does not read its answer, never rests long enough for an idle timeout: its deadline is
 * absolute, and its socket is shut down when it comes. Thread-safe.
 */
#ifndef MLN_API_PEERS_H
#define MLN_API_PEERS_H

#include "base/result.h"

#include <stdint.h>

struct mln_peer;
struct mln_peers;

MLN_RESULT mln_peers_new(struct mln_peers **out);
void mln_peers_free(struct mln_peers *peers); /* all connections must be gone */
MLN_DEFINE_CLEANUP(struct mln_peers, mln_peers_free)

/* A new connection on socket fd, with a deadline in ms from now. NULL: no memory. */
struct mln_peer *mln_peers_add(struct mln_peers *peers, int fd, int64_t deadline_ms);
/* Before the socket is closed. */
void mln_peers_remove(struct mln_peers *peers, struct mln_peer *peer);
/* A new deadline in ms from now; 0: none. */
void mln_peers_allow(struct mln_peers *peers, struct mln_peer *peer, int64_t deadline_ms);
/* Shuts down what is over its deadline; gives the number. Call it about once a second. */
size_t mln_peers_reap(struct mln_peers *peers);
size_t mln_peers_count(struct mln_peers *peers);

#endif
