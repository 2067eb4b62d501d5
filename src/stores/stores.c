#include "stores/stores.h"

#include "stores/backends.h"

/* One line a back end. */
static const struct mln_store_ops *const backends[] = {
    &mln_sqlite_ops,
};

struct mln_result mln_stores_open(const char *location, const struct mln_store_options *options,
                                  struct mln_store **store)
{
    struct mln_str rest = mln_str_c(location), scheme;
    mln_str_cut(&rest, ':', &scheme);
    if (!rest.p || rest.n == 0)
        return mln_fail(MLN_E_INVALID, "a store's location has the form sqlite:PATH, this is '%.200s'", location);
    for (size_t i = 0; i < sizeof backends / sizeof backends[0]; i++)
        if (mln_str_eq(scheme, mln_str_c(backends[i]->scheme)))
            return mln_store_open(backends[i], rest.p, options, store);
    return mln_fail(MLN_E_UNSUPPORTED, "this build has no store of the kind '%.*s'", MLN_FMT(scheme));
}
