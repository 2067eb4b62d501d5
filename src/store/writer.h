/*
 * The one writer of a store: a bounded queue of batches and the thread that takes them in order, a group at a time,
 * into the back end's commit. Owns the tickets. It calls apply and idle of the back end and nothing else of it.
 */
#ifndef MLN_STORE_WRITER_H
#define MLN_STORE_WRITER_H

#include "store/ops.h"

struct mln_store_writer;

/* The options have no zero left in them. */
MLN_RESULT mln_store_writer_start(const struct mln_store_ops *ops, void *database,
                                  const struct mln_store_options *options, struct mln_store_writer **writer);
/* Applies what waits, then ends the thread and frees the writer. NULL is allowed. */
void mln_store_writer_stop(struct mln_store_writer *writer);
/* As mln_store_submit. */
MLN_RESULT mln_store_writer_submit(struct mln_store_writer *writer, struct mln_store_batch *batch,
                                   struct mln_store_ticket **ticket);
/* Fills batches, commits, failed, waiting and waiting_bytes. */
void mln_store_writer_stats(struct mln_store_writer *writer, struct mln_store_stats *stats);

#endif
