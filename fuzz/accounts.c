/* passwd(5), shadow(5), group(5): every line ends, and what is told of a hash is a word of ours. */
#include "agent/linux/accounts.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mln_str text = {(const char *)data, size}, rest;
    struct mln_passwd user;
    struct mln_shadow shadow;
    struct mln_group group;
    for (rest = text; mln_passwd_next(&rest, &user);)
        if (!user.name.n || mln_str_find(user.shell, MLN_S(":"), 0) != SIZE_MAX)
            abort();
    for (rest = text; mln_shadow_next(&rest, &shadow);)
        if (!shadow.name.n || strlen(mln_password_algorithm(shadow.hash)) > 16)
            abort();
    for (rest = text; mln_group_next(&rest, &group);)
        if (!group.name.n)
            abort();
    for (rest = text; mln_gshadow_next(&rest, &group);)
        if (!group.name.n)
            abort();
    mln_shell_is_login(text);
    return 0;
}
