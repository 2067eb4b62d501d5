#include "api/odata.h"

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '/' ||
           c == '.' || c == '-' || c == ':' || c == '$';
}

static void skip_blanks(struct mln_str *rest)
{
    while (rest->n && rest->p[0] == ' ')
        *rest = mln_str_sub(*rest, 1, rest->n);
}

static struct mln_str take_word(struct mln_str *rest)
{
    size_t n = 0;
    skip_blanks(rest);
    while (n < rest->n && is_word(rest->p[n]))
        n++;
    struct mln_str word = mln_str_sub(*rest, 0, n);
    *rest = mln_str_sub(*rest, n, rest->n);
    return word;
}

static struct mln_result take_quoted(struct mln_arena *arena, struct mln_str *rest, struct mln_str *out)
{
    char *p;
    size_t n = 0, i = 1;
    MLN_TRY_ARRAY(arena, p, rest->n + 1);
    for (;; i++) {
        if (i >= rest->n)
            return mln_fail(MLN_E_INVALID, "$filter: a quote is not closed.");
        if (rest->p[i] == '\'') {
            if (i + 1 >= rest->n || rest->p[i + 1] != '\'')
                break;
            i++;
        }
        p[n++] = rest->p[i];
    }
    *rest = mln_str_sub(*rest, i + 1, rest->n);
    *out = (struct mln_str){p, n};
    return MLN_OK;
}

static struct mln_result take_clause(struct mln_arena *arena, struct mln_str *rest, struct mln_odata_clause *clause)
{
    static const char *const operators[] = {"eq", "ne", "ge", "gt", "le", "lt", NULL};
    *clause = (struct mln_odata_clause){.name = take_word(rest)};
    if (!clause->name.n)
        return mln_fail(MLN_E_INVALID, "$filter: a name is expected.");
    if (mln_str_starts(*rest, MLN_S("()"))) {
        *rest = mln_str_sub(*rest, 2, rest->n);
        return MLN_OK;
    }
    clause->op = take_word(rest);
    bool known = false;
    for (size_t i = 0; operators[i]; i++)
        known |= mln_str_eq_nocase(clause->op, mln_str_c(operators[i]));
    if (!known)
        return mln_fail(MLN_E_INVALID, "$filter: one of eq, ne, ge, gt, le, lt is expected after '%.*s'.",
                        MLN_FMT(mln_str_sub(clause->name, 0, 64)));
    skip_blanks(rest);
    if (rest->n && rest->p[0] == '\'')
        return take_quoted(arena, rest, &clause->value);
    clause->value = take_word(rest);
    return clause->value.n ? MLN_OK : mln_fail(MLN_E_INVALID, "$filter: a value is expected.");
}

struct mln_result mln_odata_parse(struct mln_arena *arena, struct mln_str text, struct mln_odata_clause *clauses,
                                  size_t *n)
{
    struct mln_str rest = mln_str_trim(text);
    *n = 0;
    while (rest.n) {
        if (*n && !mln_str_eq_nocase(take_word(&rest), MLN_S("and")))
            return mln_fail(MLN_E_INVALID, "$filter: only comparisons joined by 'and' are understood.");
        if (*n == MLN_ODATA_MAX_CLAUSES)
            return mln_fail(MLN_E_INVALID, "$filter: more than %d comparisons.", MLN_ODATA_MAX_CLAUSES);
        MLN_TRY(take_clause(arena, &rest, &clauses[*n]));
        ++*n;
        rest = mln_str_trim(rest);
    }
    return MLN_OK;
}
