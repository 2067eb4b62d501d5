/* The tables of the API, one line a group. */
#include "api/router.h"

#define TABLES(T)                                                                                                      \
    T(meta)          /* health, cloud metadata */                                                                      \
    T(oauth)         /* tokens and discovery */                                                                        \
    T(pages)         /* sign-in, authorization and device pages */                                                     \
    T(subscriptions) /* tenants, subscriptions, locations, resource groups */                                          \
    T(providers)     /* resource providers, operations */                                                              \
    T(authorization) /* role definitions and assignments */                                                            \
    T(principals)    /* users and service principals */                                                                \
    T(activity)      /* the activity log */                                                                            \
    T(pricings)      /* Defender plans */                                                                              \
    T(scores)        /* secure scores, controls, recommendations, what-if */                                           \
    T(assessments)   /* assessments, metadata, sub-assessments */                                                      \
    T(settings)      /* settings, contacts, provisioning, workspaces, threat protection */                             \
    T(tasks)         /* tasks, locations */                                                                            \
    T(unbuilt)       /* groups that are not there yet */                                                               \
    T(graph)         /* Resource Graph */                                                                              \
    T(rules)         /* the rule set in force and its errors */                                                        \
    T(hosts)         /* enrolment tokens, the agent's calls */                                                         \
    T(resources)     /* resources of other providers */                                                                \
    T(ui)            /* the console's files, the browser's session */

#define T(group) extern const struct mln_route_table mln_routes_##group;
TABLES(T)
#undef T

const struct mln_route_table *const mln_route_tables[] = {
#define T(group) &mln_routes_##group,
    TABLES(T)
#undef T
};
const size_t mln_route_tables_count = sizeof mln_route_tables / sizeof *mln_route_tables;
