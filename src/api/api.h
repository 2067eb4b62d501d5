/*
 * The API as a whole: what handlers reach through struct mln_request, and the one function that turns a request into an
 * answer. It owns no socket (server.h does) and no logic of an engine.
 */
#ifndef MLN_API_API_H
#define MLN_API_API_H

#include "access/activity.h"
#include "access/rbac.h"
#include "crypto/cert.h"
#include "posture/posture.h"
#include "store/store.h"

/* The one location that resources without a cloud of their own are in. */
#define MLN_LOCATION "local"

struct mln_hosts;
struct mln_signin;
struct mln_router;
struct mln_operations;

/* All pointers outlive the API. Set up by the program; handlers read it. */
struct mln_api {
    const struct mln_clock *clock;
    struct mln_store *store;
    struct mln_posture *posture;
    struct mln_rbac *rbac;
    struct mln_activity *activity;
    struct mln_signin *signin;
    struct mln_hosts *hosts;                   /* NULL: no machines can be enrolled */
    const struct mln_cert *const *authorities; /* that sign machines' certificates */
    size_t n_authorities;
    struct mln_operations *operations;
    const struct mln_router *router;
    struct mln_str tenant_id, tenant_name;
    struct mln_str base_url; /* "https://HOST:PORT", when the request names no host that the certificate covers */
    const struct mln_str *hosts_served; /* names and addresses of the certificate */
    size_t n_hosts_served;
};

#endif
