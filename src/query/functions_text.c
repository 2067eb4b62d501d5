/* Scalar functions on text; functions.c has the table that names them. */
#include "query/functions.h"

KQL_FUNCTION(kql_change_case) /* 'l' or 'u' */
{
    (void)n;
    struct mln_str s;
    MLN_TRY(kql_text(run->scratch, args[0], &s));
    MLN_TRY_STR(run->scratch, s, mln_str_lower(run->scratch, s));
    if (expr->function->variant == 'u') {
        char *p = mln_arena_alloc(run->scratch, s.n + 1);
        if (!p)
            return mln_arena_failure(run->scratch);
        for (size_t i = 0; i < s.n; i++)
            p[i] = s.p[i] >= 'a' && s.p[i] <= 'z' ? (char)(s.p[i] - 'a' + 'A') : s.p[i];
        s.p = p;
    }
    *out = mln_json_of_str(s);
    return MLN_OK;
}

KQL_FUNCTION(kql_concat) /* strcat: variant 0; strcat_delim: 1, its first argument between the others */
{
    size_t first = expr->function->variant, total = 0;
    struct mln_str parts[KQL_MAX_ARGUMENTS];
    for (size_t i = 0; i < n; i++) {
        MLN_TRY(kql_text(run->scratch, args[i], &parts[i]));
        total += parts[i].n + (first ? parts[0].n : 0);
    }
    char *p = mln_arena_alloc(run->scratch, total + 1);
    if (!p)
        return mln_arena_failure(run->scratch);
    size_t at = 0;
    for (size_t i = first; i < n; i++) {
        if (first && i > 1 && parts[0].n)
            memcpy(p + at, parts[0].p, parts[0].n), at += parts[0].n;
        if (parts[i].n)
            memcpy(p + at, parts[i].p, parts[i].n), at += parts[i].n;
    }
    *out = mln_json_of_str((struct mln_str){p, at});
    return MLN_OK;
}

KQL_FUNCTION(kql_split)
{
    struct mln_str s, separator;
    MLN_TRY(kql_text(run->scratch, args[0], &s));
    MLN_TRY(kql_text(run->scratch, args[1], &separator));
    (void)expr;
    struct mln_json_array parts = {0};
    for (size_t from = 0;;) {
        size_t at = separator.n ? mln_str_find(s, separator, from) : SIZE_MAX;
        MLN_TRY(mln_json_append(run->scratch, &parts, mln_json_of_str(mln_str_sub(s, from, at))));
        if (at == SIZE_MAX)
            break;
        from = at + separator.n;
    }
    *out = mln_json_array_done(&parts);
    if (n > 2) { /* only the item with this number */
        bool there = args[2].kind == MLN_JSON_INT && args[2].i >= 0 && args[2].i < (int64_t)parts.n;
        *out = there ? (struct mln_json){.kind = MLN_JSON_ARRAY, .n = 1, .items = &parts.at[args[2].i]}
                     : (struct mln_json){.kind = MLN_JSON_ARRAY};
    }
    return MLN_OK;
}

KQL_FUNCTION(kql_replace) /* variant 0: plain text, 1: regular expression */
{
    struct mln_str s, what, with;
    (void)n;
    bool old_order = mln_str_eq_nocase(expr->name, MLN_S("replace")); /* replace(regex, with, text) */
    MLN_TRY(kql_text(run->scratch, args[old_order ? 2 : 0], &s));
    MLN_TRY(kql_text(run->scratch, args[old_order ? 0 : 1], &what));
    MLN_TRY(kql_text(run->scratch, args[old_order ? 1 : 2], &with));
    if (expr->function->variant) {
        MLN_TRY(kql_regex_replace(run, what, with, s, &s));
        *out = mln_json_of_str(s);
        return MLN_OK;
    }
    size_t hits = 0, at = 0, from = 0;
    for (size_t i = what.n ? mln_str_find(s, what, 0) : SIZE_MAX; i != SIZE_MAX; i = mln_str_find(s, what, i + what.n))
        hits++;
    size_t total;
    if (__builtin_mul_overflow(hits, with.n, &total) || __builtin_add_overflow(total, s.n + 1, &total))
        return mln_fail(MLN_E_LIMIT, "a text that is too long");
    char *p = mln_arena_alloc(run->scratch, total);
    if (!p)
        return mln_arena_failure(run->scratch);
    for (size_t hit = 0; hit <= hits; hit++) {
        size_t end = hit < hits ? mln_str_find(s, what, from) : s.n;
        if (end > from)
            memcpy(p + at, s.p + from, end - from), at += end - from;
        if (hit < hits && with.n)
            memcpy(p + at, with.p, with.n), at += with.n;
        from = end + what.n;
    }
    *out = mln_json_of_str((struct mln_str){p, at});
    return MLN_OK;
}

/* The byte offset of the i-th code point. */
static size_t code_point(struct mln_str s, int64_t i)
{
    size_t at = 0;
    for (; i > 0 && at < s.n; i--)
        for (at++; at < s.n && ((unsigned char)s.p[at] & 0xC0) == 0x80;)
            at++;
    return at;
}

KQL_FUNCTION(kql_substring)
{
    struct mln_str s;
    (void)expr;
    MLN_TRY(kql_text(run->scratch, args[0], &s));
    *out = mln_json_of_str(MLN_S(""));
    if (args[1].kind != MLN_JSON_INT || (n > 2 && args[2].kind != MLN_JSON_INT))
        return MLN_OK;
    size_t from = code_point(s, args[1].i);
    struct mln_str rest = mln_str_sub(s, from, s.n);
    *out = mln_json_of_str(n > 2 ? mln_str_sub(rest, 0, code_point(rest, args[2].i)) : rest);
    return MLN_OK;
}

KQL_FUNCTION(kql_length) /* strlen: in code points */
{
    UNUSED_RUN;
    struct mln_str s;
    MLN_TRY(kql_text(run->scratch, args[0], &s));
    int64_t count = 0;
    for (size_t i = 0; i < s.n; i++)
        count += ((unsigned char)s.p[i] & 0xC0) != 0x80;
    *out = mln_json_of_i64(count);
    return MLN_OK;
}

KQL_FUNCTION(kql_index_of)
{
    UNUSED_RUN;
    struct mln_str s, what;
    MLN_TRY(kql_text(run->scratch, args[0], &s));
    MLN_TRY(kql_text(run->scratch, args[1], &what));
    size_t at = mln_str_find(s, what, 0);
    int64_t count = 0;
    for (size_t i = 0; at != SIZE_MAX && i < at; i++)
        count += ((unsigned char)s.p[i] & 0xC0) != 0x80;
    *out = mln_json_of_i64(at == SIZE_MAX ? -1 : count);
    return MLN_OK;
}

KQL_FUNCTION(kql_trim) /* trim(regex, text); trim_start 's', trim_end 'e' */
{
    struct mln_str pattern, s, anchored, hit;
    (void)n;
    int how = expr->function->variant;
    MLN_TRY(kql_text(run->scratch, args[0], &pattern));
    MLN_TRY(kql_text(run->scratch, args[1], &s));
    if (how != 'e') {
        MLN_TRY_STR(run->scratch, anchored, mln_str_printf(run->scratch, "^(?:%.*s)+", MLN_FMT(pattern)));
        MLN_TRY(kql_regex_match(run, anchored, s, 0, &hit));
        s = mln_str_sub(s, hit.n, s.n);
    }
    if (how != 's') {
        MLN_TRY_STR(run->scratch, anchored, mln_str_printf(run->scratch, "(?:%.*s)+$", MLN_FMT(pattern)));
        MLN_TRY(kql_regex_match(run, anchored, s, 0, &hit));
        s = mln_str_sub(s, 0, s.n - hit.n);
    }
    *out = mln_json_of_str(s);
    return MLN_OK;
}

KQL_FUNCTION(kql_extract)
{
    UNUSED_RUN;
    struct mln_str pattern, s, group;
    MLN_TRY(kql_text(run->scratch, args[0], &pattern));
    MLN_TRY(kql_text(run->scratch, args[2], &s));
    size_t number = args[1].kind == MLN_JSON_INT && args[1].i >= 0 && args[1].i < 64 ? (size_t)args[1].i : 0;
    MLN_TRY(kql_regex_match(run, pattern, s, number, &group));
    *out = mln_json_of_str(group.p ? group : MLN_S(""));
    return MLN_OK;
}

KQL_FUNCTION(kql_matches_regex)
{
    UNUSED_RUN;
    struct mln_str pattern, s, group;
    MLN_TRY(kql_text(run->scratch, args[0], &s));
    MLN_TRY(kql_text(run->scratch, args[1], &pattern));
    MLN_TRY(kql_regex_match(run, pattern, s, 0, &group));
    *out = mln_json_of_bool(group.p != NULL);
    return MLN_OK;
}
