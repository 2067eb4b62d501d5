/*
 * Results of long-running operations, kept for the clients that poll for them: the last 1,000, in memory. Merlon does the
 * work before it answers; a result that is forgotten after a restart is answered with 404, and the client asks for the
 * thing itself. Thread-safe.
 */
#ifndef MLN_API_OPERATIONS_H
#define MLN_API_OPERATIONS_H

#include "base/buf.h"
#include "crypto/random.h"

struct mln_operations;

MLN_RESULT mln_operations_new(struct mln_operations **out);
void mln_operations_free(struct mln_operations *operations);
MLN_DEFINE_CLEANUP(struct mln_operations, mln_operations_free)

/* Keeps status and result (copied; LIMIT over 1 MiB) for the subscription; id gets the operation's name. */
MLN_RESULT mln_operations_add(struct mln_operations *operations, struct mln_str subscription, int status,
                              struct mln_str result, char id[MLN_UUID_TEXT]);
/* NOT_FOUND. The result is appended to out. */
MLN_RESULT mln_operations_find(struct mln_operations *operations, struct mln_str subscription, struct mln_str id,
                               int *status, struct mln_buf *out);

#endif
