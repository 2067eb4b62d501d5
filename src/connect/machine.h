/*
 * The resource Microsoft.HybridCompute/machines as Azure Arc has it, made of what is known of a machine and its facts. The
 * server makes it of an agent's report, and the agent itself for judging a machine without a server.
 */
#ifndef MLN_CONNECT_MACHINE_H
#define MLN_CONNECT_MACHINE_H

#include "json/json.h"

struct mln_machine {
    struct mln_str id;       /* the resource id */
    struct mln_str location; /* p NULL: "onpremises" */
    struct mln_str vm_id;    /* the machine's own id */
    struct mln_str status;   /* "Connected", "Disconnected", "Expired" */
    struct mln_str agent_version;
    int64_t last_status_change_ms; /* 0: left out */
    const struct mln_json *tags;   /* object; NULL: none */
    const struct mln_json *facts;  /* object; NULL: none yet */
};

/* The document, in the arena, sharing tags and facts. INVALID when the id is not one of a machine. */
MLN_RESULT mln_machine_document(const struct mln_machine *machine, struct mln_arena *arena, struct mln_json *out);

#define MLN_MACHINE_TYPE "Microsoft.HybridCompute/machines"

#endif
