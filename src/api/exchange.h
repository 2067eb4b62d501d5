/*
 * One request on its way through the server: from its first line to the end of its answer. Owned by server.c's threads;
 * between submit and resume by one worker. Whatever may wait for a disk, a lock or a password hash is done by workers: the
 * threads that move bytes serve many connections each.
 */
#ifndef MLN_API_EXCHANGE_H
#define MLN_API_EXCHANGE_H

#include "api/handle.h"
#include "api/peers.h"
#include "base/queue.h"

#include <microhttpd.h>
#include <stdatomic.h>

enum { MLN_MAX_HEADERS = 64, MLN_MAX_BODIES_BYTES = 256 << 20, MLN_WAITING_REQUESTS = 512 };

struct mln_server {
    const struct mln_api *api;
    struct MHD_Daemon *daemon;
    struct mln_peers *peers;
    struct mln_queue *work; /* struct mln_exchange */
    struct mln_thread **workers, *reaper;
    unsigned n_workers;
    int64_t receive_ms, idle_ms;
    _Atomic uint64_t requests, refused_busy, reaped, body_bytes;
    _Atomic uint64_t running; /* requests from their first step at a worker to the end of their answer */
    _Atomic bool draining;    /* each connection ends with the answer at hand */
    _Atomic bool stopping;
    uint16_t port;
};

enum mln_exchange_step {
    MLN_STEP_LINE,  /* line and headers have come */
    MLN_STEP_JUDGE, /* at a worker: who is asking, and may they? Without a body all the rest too */
    MLN_STEP_BODY,  /* being received */
    MLN_STEP_WORK,  /* at a worker */
    MLN_STEP_ANSWER,
};

struct mln_exchange {
    struct mln_server *server;
    struct MHD_Connection *connection;
    struct mln_peer *peer;
    struct mln_arena *arena;
    enum mln_exchange_step step;
    struct mln_raw_request raw;
    struct mln_pair headers[MLN_MAX_HEADERS];
    struct mln_request request;
    struct mln_reply reply;
    struct mln_buf body;
    uint64_t announced_bytes; /* of the body */
    uint64_t held_bytes;      /* of the server's body_bytes */
    bool bad_headers, no_body;
    bool counted; /* as running */
    bool judged;  /* libmicrohttpd has been told that the body may come */
    bool dropped; /* the body was thrown away: the server held too many */
    bool last;    /* the connection ends with this answer */
};

/* libmicrohttpd's callbacks. */
void *mln_exchange_new(void *server, const char *uri, struct MHD_Connection *connection);
enum MHD_Result mln_exchange_step(void *server, struct MHD_Connection *connection, const char *url, const char *method,
                                  const char *version, const char *upload, size_t *upload_size, void **exchange);
void mln_exchange_done(void *server, struct MHD_Connection *connection, void **exchange,
                       enum MHD_RequestTerminationCode why);
/* On a worker: makes the answer and wakes the connection. */
void mln_exchange_work(struct mln_exchange *exchange);

#endif
