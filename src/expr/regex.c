#define PCRE2_CODE_UNIT_WIDTH 8
#include "expr/regex.h"

#include <pcre2.h>

enum { MATCH_STEPS_MOST = 1000000, MATCH_DEPTH_MOST = 10000, HEAP_KIB_MOST = 4096, JIT_STACK_MOST = 1 << 19 };

struct mln_regex {
    pcre2_code *code;
};

static struct mln_result refuse(size_t at, const char *what)
{
    return mln_fail(MLN_E_SYNTAX, "pattern, character %zu: %s", at + 1, what);
}

static bool is_re2_escape(char c)
{
    bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '1' && c <= '9');
    return !word || strchr("AabBdDEfnpPQrsStwWxz", c) != NULL;
}

static struct mln_result check_escape(struct mln_str p, size_t at)
{
    if (at + 1 < p.n && !is_re2_escape(p.p[at + 1]))
        return refuse(at, "this escape is not in RE2's syntax (no back references, no \\R, \\K, \\G, \\h, \\v)");
    return MLN_OK;
}

/* Checks a bracket class that begins at *at, and moves to its end. */
static struct mln_result check_class(struct mln_str p, size_t *at)
{
    size_t i = *at + 1;
    if (i < p.n && p.p[i] == '^')
        i++;
    if (i < p.n && p.p[i] == ']')
        i++;
    for (; i < p.n && p.p[i] != ']'; i++) {
        if (p.p[i] == '\\') {
            MLN_TRY(check_escape(p, i));
            i++;
        } else if (p.p[i] == '[' && i + 1 < p.n && p.p[i + 1] == ':') {
            size_t close = mln_str_find(p, MLN_S(":]"), i + 2);
            if (close != SIZE_MAX)
                i = close + 1;
        }
    }
    *at = i;
    return MLN_OK;
}

/* After "(?": RE2 knows flags, non-capturing groups and named groups. */
static bool is_re2_group(struct mln_str p, size_t at)
{
    struct mln_str rest = mln_str_sub(p, at, p.n);
    if (mln_str_starts(rest, MLN_S("P<")))
        return true;
    if (mln_str_starts(rest, MLN_S("<")))
        return rest.n > 1 && rest.p[1] != '=' && rest.p[1] != '!';
    size_t i = 0;
    while (i < rest.n && memchr("imsU-", rest.p[i], 5))
        i++;
    return i < rest.n && (rest.p[i] == ':' || (rest.p[i] == ')' && i > 0));
}

/* Refuses what PCRE2 knows and RE2 does not. */
static struct mln_result check_syntax(struct mln_str p)
{
    for (size_t i = 0; i < p.n; i++) {
        char c = p.p[i], next = i + 1 < p.n ? p.p[i + 1] : '\0';
        if (c == '\\' && next == 'Q') {
            size_t close = mln_str_find(p, MLN_S("\\E"), i + 2);
            i = close == SIZE_MAX ? p.n : close + 1;
        } else if (c == '\\') {
            MLN_TRY(check_escape(p, i));
            i++;
        } else if (c == '[') {
            MLN_TRY(check_class(p, &i));
        } else if (c == '(' && next == '*') {
            return refuse(i, "verbs (*...) are not in RE2's syntax");
        } else if (c == '(' && next == '?' && !is_re2_group(p, i + 2)) {
            return refuse(i, "this kind of group is not in RE2's syntax (no look-around, recursion, atomic groups)");
        } else if (memchr("*+?}", c, 4) && next == '+') {
            return refuse(i, "possessive repetition is not in RE2's syntax");
        }
    }
    return MLN_OK;
}

struct mln_result mln_regex_compile(struct mln_str pattern, struct mln_regex **out)
{
    *out = NULL;
    if (pattern.n > MLN_REGEX_MAX_BYTES)
        return mln_fail(MLN_E_LIMIT, "a pattern may have %d bytes, this one has %zu", MLN_REGEX_MAX_BYTES, pattern.n);
    MLN_TRY(check_syntax(pattern));
    int code;
    PCRE2_SIZE at;
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    if (!context)
        return mln_fail(MLN_E_MEMORY, "no memory for a pattern");
    pcre2_set_parens_nest_limit(context, 50);
    pcre2_code *compiled =
        pcre2_compile((PCRE2_SPTR)(pattern.n ? pattern.p : ""), pattern.n,
                      PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C, &code, &at, context);
    pcre2_compile_context_free(context);
    if (!compiled) {
        PCRE2_UCHAR text[128] = "";
        pcre2_get_error_message(code, text, sizeof text);
        return refuse(at, (const char *)text);
    }
    pcre2_jit_compile(compiled, PCRE2_JIT_COMPLETE); /* without it matching is slower, not different */
    *out = calloc(1, sizeof **out);
    if (!*out) {
        pcre2_code_free(compiled);
        return mln_fail(MLN_E_MEMORY, "no memory for a pattern");
    }
    (*out)->code = compiled;
    return MLN_OK;
}

void mln_regex_free(struct mln_regex *regex)
{
    if (!regex)
        return;
    pcre2_code_free(regex->code);
    free(regex);
}

void mln_regex_scratch_done(struct mln_regex_scratch *scratch)
{
    pcre2_match_data_free(scratch->match_data);
    pcre2_match_context_free(scratch->context);
    pcre2_jit_stack_free(scratch->stack);
    mln_regex_free(scratch->last);
    free(scratch->last_pattern);
    *scratch = (struct mln_regex_scratch){0};
}

static struct mln_result prepare(struct mln_regex_scratch *scratch)
{
    if (scratch->match_data)
        return MLN_OK;
    if (!scratch->context && !(scratch->context = pcre2_match_context_create(NULL)))
        return mln_fail(MLN_E_MEMORY, "no memory for matching");
    if (!scratch->stack && !(scratch->stack = pcre2_jit_stack_create(1 << 15, JIT_STACK_MOST, NULL)))
        return mln_fail(MLN_E_MEMORY, "no memory for matching");
    pcre2_set_match_limit(scratch->context, MATCH_STEPS_MOST);
    pcre2_set_depth_limit(scratch->context, MATCH_DEPTH_MOST);
    pcre2_set_heap_limit(scratch->context, HEAP_KIB_MOST);
    pcre2_jit_stack_assign(scratch->context, NULL, scratch->stack);
    if (!(scratch->match_data = pcre2_match_data_create(1, NULL)))
        return mln_fail(MLN_E_MEMORY, "no memory for matching");
    return MLN_OK;
}

struct mln_result mln_regex_find(const struct mln_regex *regex, struct mln_regex_scratch *scratch, struct mln_str text,
                                 bool *found)
{
    MLN_TRY(prepare(scratch));
    int n = pcre2_match(regex->code, (PCRE2_SPTR)(text.n ? text.p : ""), text.n, 0, PCRE2_NO_UTF_CHECK,
                        scratch->match_data, scratch->context);
    *found = n >= 0;
    if (n >= 0 || n == PCRE2_ERROR_NOMATCH)
        return MLN_OK;
    if (n == PCRE2_ERROR_NOMEMORY)
        return mln_fail(MLN_E_MEMORY, "no memory for matching");
    return mln_fail(MLN_E_LIMIT, "matching the pattern takes too many steps");
}

struct mln_result mln_regex_find_pattern(struct mln_str pattern, struct mln_regex_scratch *scratch, struct mln_str text,
                                         bool *found)
{
    struct mln_str last = {scratch->last_pattern, scratch->last_pattern_n};
    if (!scratch->last || !mln_str_eq(last, pattern)) {
        mln_regex_free(MLN_TAKE(scratch->last));
        free(MLN_TAKE(scratch->last_pattern));
        MLN_TRY(mln_regex_compile(pattern, &scratch->last));
        scratch->last_pattern = malloc(pattern.n + 1);
        if (!scratch->last_pattern) {
            mln_regex_free(MLN_TAKE(scratch->last));
            return mln_fail(MLN_E_MEMORY, "no memory for a pattern");
        }
        if (pattern.n)
            memcpy(scratch->last_pattern, pattern.p, pattern.n);
        scratch->last_pattern_n = pattern.n;
    }
    return mln_regex_find(scratch->last, scratch, text, found);
}
