/*
 * The HTTPS server, on libmicrohttpd: sockets, TLS, limits, threads. Requests go to handle.h; nothing here knows a route.
 *
 * A few threads move bytes (epoll); requests are judged and handled by workers of their own, so that one that waits for the
 * disk or a lock, or hashes a password, keeps nobody else waiting. Bounds: connections in all and per address, header and body sizes, body
 * bytes held at once, requests waiting for a worker, and an absolute time for every phase of a connection (peers.h).
 */
#ifndef MLN_API_SERVER_H
#define MLN_API_SERVER_H

#include "api/api.h"

struct mln_server_setup {
    const struct mln_api *api;       /* borrowed */
    struct mln_str address;          /* "127.0.0.1", "::", ... */
    uint16_t port;                   /* 0: any that is free */
    struct mln_str certificate;      /* PEM, the server's and then its authority's */
    struct mln_str key;              /* PEM */
    struct mln_str client_authority; /* PEM: whose client certificates are asked for, by name, so that others are not
                                        offered by browsers */
    unsigned workers;                /* 0: twice the processors, at least 8 */
    unsigned max_connections;        /* 0: 4096 */
    unsigned max_per_address;        /* 0: 256 */
    int64_t receive_ms;              /* 0: 20 s for handshake and headers, and again for a body (plus 1 s per 64 KiB) */
    int64_t idle_ms;                 /* 0: 75 s between two requests of a connection */
};

struct mln_server;

/* Listens and serves. CONFLICT when the address is in use. */
MLN_RESULT mln_server_start(const struct mln_server_setup *setup, struct mln_server **out);
uint16_t mln_server_port(const struct mln_server *server);
/* Takes no new connections, lets running requests end for at most grace_ms, then closes everything. */
void mln_server_stop(struct mln_server *server, int64_t grace_ms);

struct mln_server_stats {
    uint64_t requests, refused_busy, reaped; /* since the start */
    uint64_t connections, waiting;           /* now */
};
void mln_server_stats(struct mln_server *server, struct mln_server_stats *out);

#endif
