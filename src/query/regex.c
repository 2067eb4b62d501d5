/* Regular expressions by PCRE2, compiled once a run, with limits on backtracking so that no pattern runs away. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "query/ast.h"

#include <pcre2.h>

enum { MAX_PATTERNS = 256, MATCH_LIMIT = 200000, DEPTH_LIMIT = 2000, MAX_REPLACED_BYTES = 1 << 20 };

struct kql_regex {
    struct kql_regex *next;
    struct mln_str pattern;
    pcre2_code *code;
    pcre2_match_data *match;
    pcre2_match_context *limits;
    size_t count; /* of the list from here on */
};

static void free_one(struct kql_regex *r)
{
    pcre2_match_data_free(r->match);
    pcre2_match_context_free(r->limits);
    pcre2_code_free(r->code);
    free(r);
}

void kql_regexes_free(struct kql_regex *regexes)
{
    while (regexes) {
        struct kql_regex *next = regexes->next;
        free_one(regexes);
        regexes = next;
    }
}

static struct mln_result compile(struct kql_run *run, struct mln_str pattern, struct kql_regex **out)
{
    int error;
    PCRE2_SIZE at;
    if (run->regexes && run->regexes->count >= MAX_PATTERNS)
        return mln_fail(MLN_E_LIMIT, "more than %d different regular expressions", MAX_PATTERNS);
    struct kql_regex *r = calloc(1, sizeof *r + pattern.n);
    if (!r)
        return mln_fail(MLN_E_MEMORY, "no memory for a regular expression");
    if (pattern.n)
        memcpy(r + 1, pattern.p, pattern.n);
    r->pattern = (struct mln_str){(const char *)(r + 1), pattern.n};
    r->code =
        pcre2_compile((PCRE2_SPTR)r->pattern.p, pattern.n, PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C, &error, &at, NULL);
    if (!r->code) {
        char text[128];
        pcre2_get_error_message(error, (PCRE2_UCHAR *)text, sizeof text);
        free(r);
        return mln_fail(MLN_E_INVALID, "regular expression '%.*s': %s at %zu", MLN_FMT(mln_str_sub(pattern, 0, 80)),
                        text, at);
    }
    r->match = pcre2_match_data_create_from_pattern(r->code, NULL);
    r->limits = pcre2_match_context_create(NULL);
    if (!r->match || !r->limits) {
        free_one(r);
        return mln_fail(MLN_E_MEMORY, "no memory for a regular expression");
    }
    pcre2_set_match_limit(r->limits, MATCH_LIMIT);
    pcre2_set_depth_limit(r->limits, DEPTH_LIMIT);
    pcre2_jit_compile(r->code, PCRE2_JIT_COMPLETE); /* without JIT it is slower, not different */
    r->count = run->regexes ? run->regexes->count + 1 : 1;
    r->next = run->regexes;
    run->regexes = r;
    *out = r;
    return MLN_OK;
}

static struct mln_result find(struct kql_run *run, struct mln_str pattern, struct kql_regex **out)
{
    for (struct kql_regex *r = run->regexes; r; r = r->next)
        if (mln_str_eq(r->pattern, pattern)) {
            *out = r;
            return MLN_OK;
        }
    return compile(run, pattern, out);
}

static struct mln_result failed(struct mln_str pattern, int code)
{
    if (code == PCRE2_ERROR_MATCHLIMIT || code == PCRE2_ERROR_DEPTHLIMIT || code == PCRE2_ERROR_HEAPLIMIT ||
        code == PCRE2_ERROR_JIT_STACKLIMIT)
        return mln_fail(MLN_E_LIMIT, "regular expression '%.*s' takes too many steps",
                        MLN_FMT(mln_str_sub(pattern, 0, 80)));
    return mln_fail(MLN_E_INVALID, "regular expression '%.*s' cannot be used on this text (%d)",
                    MLN_FMT(mln_str_sub(pattern, 0, 80)), code);
}

struct mln_result kql_regex_match(struct kql_run *run, struct mln_str pattern, struct mln_str text, size_t n,
                                  struct mln_str *group)
{
    struct kql_regex *r;
    *group = (struct mln_str){NULL, 0};
    MLN_TRY(find(run, pattern, &r));
    const char *subject = text.p ? text.p : "";
    int code = pcre2_match(r->code, (PCRE2_SPTR)subject, text.n, 0, 0, r->match, r->limits);
    if (code == PCRE2_ERROR_NOMATCH)
        return MLN_OK;
    if (code < 0)
        return failed(pattern, code);
    const PCRE2_SIZE *offsets = pcre2_get_ovector_pointer(r->match);
    if (n < pcre2_get_ovector_count(r->match) && offsets[2 * n] != PCRE2_UNSET)
        *group = (struct mln_str){subject + offsets[2 * n], offsets[2 * n + 1] - offsets[2 * n]};
    return MLN_OK;
}

/* Kusto writes groups as \1, PCRE2 as $1. */
static struct mln_result replacement(struct kql_run *run, struct mln_str with, struct mln_str *out)
{
    char *p = mln_arena_alloc(run->scratch, with.n * 2 + 1);
    if (!p)
        return mln_arena_failure(run->scratch);
    size_t n = 0;
    for (size_t i = 0; i < with.n; i++) {
        if (with.p[i] == '\\' && i + 1 < with.n && with.p[i + 1] >= '0' && with.p[i + 1] <= '9') {
            p[n++] = '$';
            continue;
        }
        if (with.p[i] == '$')
            p[n++] = '$';
        p[n++] = with.p[i];
    }
    *out = (struct mln_str){p, n};
    return MLN_OK;
}

struct mln_result kql_regex_replace(struct kql_run *run, struct mln_str pattern, struct mln_str with,
                                    struct mln_str text, struct mln_str *out)
{
    struct kql_regex *r;
    struct mln_str groups;
    MLN_TRY(find(run, pattern, &r));
    MLN_TRY(replacement(run, with, &groups));
    PCRE2_SIZE size = text.n * 2 + 256;
    for (;;) {
        char *p = mln_arena_alloc(run->scratch, size);
        if (!p)
            return mln_arena_failure(run->scratch);
        PCRE2_SIZE n = size;
        int code = pcre2_substitute(r->code, (PCRE2_SPTR)(text.p ? text.p : ""), text.n, 0,
                                    PCRE2_SUBSTITUTE_GLOBAL | PCRE2_SUBSTITUTE_OVERFLOW_LENGTH |
                                        PCRE2_SUBSTITUTE_UNSET_EMPTY | PCRE2_SUBSTITUTE_UNKNOWN_UNSET,
                                    r->match, r->limits, (PCRE2_SPTR)groups.p, groups.n, (PCRE2_UCHAR *)p, &n);
        if (code >= 0) {
            *out = (struct mln_str){p, n};
            return MLN_OK;
        }
        if (code != PCRE2_ERROR_NOMEMORY || n <= size)
            return failed(pattern, code);
        if (n > MAX_REPLACED_BYTES)
            return mln_fail(MLN_E_LIMIT, "a text that is too long");
        size = n;
    }
}
