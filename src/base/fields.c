#include "base/fields.h"

int mln_word_index(const char *const *words, struct mln_str word)
{
    for (int i = 0; words[i]; i++)
        if (mln_str_eq_nocase(mln_str_c(words[i]), word))
            return i;
    return -1;
}
