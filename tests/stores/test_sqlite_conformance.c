#include "store/conformance.h"
#include "stores/sqlite_test.h"

static const char *make_place(void)
{
    make_directory();
    return path;
}

int main(void)
{
    return conformance_run(&(struct conformance_backend){&mln_sqlite_ops, make_place, remove_directory});
}
