/* What a command is given to read: files, standard input, and secrets, also from a terminal. */
#ifndef MLN_MERLON_INPUT_H
#define MLN_MERLON_INPUT_H

#include "base/buf.h"
#include "merlon/commands.h"

/* Appends a whole file to out, "-" being standard input; pipes and devices are read too. LIMIT at out's ceiling. */
MLN_RESULT mln_input_read(struct mln_invocation *invocation, struct mln_str name, struct mln_buf *out);

/* Appends the first line of a file ("-": standard input), or where file.p is NULL, what is typed on the terminal without
   being shown. what names it for people: "password". out must be made with MLN_BUF_SECRET. */
MLN_RESULT mln_input_secret(struct mln_invocation *invocation, struct mln_str file, const char *what,
                            struct mln_buf *out);

#endif
