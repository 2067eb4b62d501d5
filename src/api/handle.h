/*
 * From the bytes of a request to an answer, without a socket: the order of checks that every request goes through, in one
 * place. Path, route, who is asking, api-version, rights, scope, body, handler, activity entry.
 *
 * A request comes in two steps, so that nobody is made to send, and nobody can make the server keep, a body that will not
 * be looked at: begin judges line and headers, finish takes the body.
 */
#ifndef MLN_API_HANDLE_H
#define MLN_API_HANDLE_H

#include "api/route.h"

enum {
    MLN_API_MAX_TARGET_BYTES = 8192,
    MLN_API_DEFAULT_BODY_BYTES = 1 << 20,
    MLN_API_SMALL_BODY_BYTES = 16 << 10, /* of public routes, GET and DELETE, where the route does not say otherwise */
    MLN_API_MAX_BODY_BYTES = 8 << 20,
    MLN_API_ARENA_BYTES = 96 << 20, /* of one request: body, tree, what the handler needs */
};

struct mln_raw_request {
    struct mln_str method, target;  /* "GET", "/path?query" as sent */
    const struct mln_pair *headers; /* names in lower case */
    size_t n_headers;
    struct mln_str address;            /* without port */
    struct mln_str client_certificate; /* DER; p NULL: none */
};

/* Judges line and headers; fills *request (zeroed by the caller) in the arena. True: go on with finish, the body being at
   most *max_body_bytes. False: *reply is the answer. raw's texts must live as long as the request. */
bool mln_api_begin(const struct mln_api *api, const struct mln_raw_request *raw, struct mln_arena *arena,
                   struct mln_request *request, struct mln_reply *reply, size_t *max_body_bytes);
/* Takes the body (n 0: none) and makes the answer. */
void mln_api_finish(struct mln_request *request, struct mln_str body, struct mln_reply *reply);
/* The answer to a body over its limit. */
void mln_api_too_large(struct mln_request *request, struct mln_reply *reply, size_t max_body_bytes);

/* Headers that every answer carries, in addition to the reply's own. */
size_t mln_api_common_headers(const struct mln_request *request, struct mln_reply_header out[8]);

/* The activity entry of a write with this status. */
struct mln_activity_entry mln_request_entry(const struct mln_request *request, int status);

#endif
