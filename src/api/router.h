/*
 * From method and path to a route. All tables are compiled once into tries of path segments: one per provider, one for any
 * provider, one for paths without a provider; a literal segment goes before a capture, a capture before a rest.
 */
#ifndef MLN_API_ROUTER_H
#define MLN_API_ROUTER_H

#include "api/route.h"

struct mln_router;

/* The tables of the API, from routes.c. */
extern const struct mln_route_table *const mln_route_tables[];
extern const size_t mln_route_tables_count;

/* INTERNAL, naming the pattern, for one that does not follow the grammar of route.h or stands there twice. */
MLN_RESULT mln_router_new(const struct mln_route_table *const *tables, size_t n, struct mln_router **out);
void mln_router_free(struct mln_router *router);
MLN_DEFINE_CLEANUP(struct mln_router, mln_router_free)

enum mln_route_outcome {
    MLN_ROUTE_FOUND,
    MLN_ROUTE_OTHER_METHOD, /* the path exists, the method does not: *allowed has the methods */
    MLN_ROUTE_UNKNOWN,
};
/* Sets request->route and captures. The request has been located (path.h). */
enum mln_route_outcome mln_router_find(const struct mln_router *router, struct mln_request *request, uint32_t *allowed);

/* True when some table has routes of its own for this provider. */
bool mln_router_owns(const struct mln_router *router, struct mln_str provider);

/* Visits every route with its provider (p NULL: none; "*": any) and the resource type that its pattern names
   ("locations/alerts"), in table order. The slices live as long as the router. */
typedef struct mln_result (*mln_route_visit)(void *context, const struct mln_route *route, struct mln_str provider,
                                             struct mln_str type);
MLN_RESULT mln_router_visit(const struct mln_router *router, mln_route_visit visit, void *context);

#endif
