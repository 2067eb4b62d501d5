/* Who is asking: what sign-in finds out and everything behind it relies on. */
#ifndef MLN_ACCESS_CALLER_H
#define MLN_ACCESS_CALLER_H

#include "base/str.h"

enum mln_caller_kind { MLN_CALLER_NOBODY, MLN_CALLER_USER, MLN_CALLER_SERVICE, MLN_CALLER_MACHINE };

struct mln_caller {
    enum mln_caller_kind kind;
    struct mln_str id;   /* the principal's or machine's GUID; p NULL for NOBODY */
    struct mln_str name; /* what the record shows: a user's name, a service principal's display name */
    struct mln_str how;  /* "bearer", "cookie", "certificate" */
};

#endif
