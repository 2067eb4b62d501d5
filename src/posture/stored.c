/*
 * A resource as the store has it. Rows that were written by earlier content are brought up to date while they are read: a
 * judgement is a pure function of document and rules, so it can be made good at any time. What it changes counts as having
 * happened when the content came into force.
 */
#include "posture/engine.h"

static struct mln_result judge_again(struct mln_store_read *read, const struct mln_content *content,
                                     const struct mln_clock *clock, int64_t since_ms, struct mln_str key,
                                     struct mln_arena *arena, struct mln_stored *out)
{
    struct mln_finding *findings;
    struct mln_row before = out->row;
    size_t n;
    if (!out->resource.document)
        MLN_TRY(mln_resource_get(read, key, arena, &out->resource));
    MLN_TRY(mln_assess(content->rules, out->resource.document, NULL, clock, arena, &findings, &n));
    MLN_TRY(mln_row_merge(arena, &before, content->rules, findings, n, since_ms, &out->row, &out->record));
    out->behind = true;
    return MLN_OK;
}

struct mln_result mln_stored_row(struct mln_store_read *read, const struct mln_content *content,
                                 const struct mln_clock *clock, int64_t since_ms, struct mln_str key,
                                 struct mln_str text, struct mln_arena *arena, struct mln_stored *out)
{
    struct mln_result r = mln_row_read(arena, text, &out->row);
    if (!mln_ok(r))
        return mln_fail_at(r, "%.*s", MLN_FMT(key));
    if (mln_str_eq(out->row.version, content->catalog->version) || !content->rules)
        return MLN_OK;
    return judge_again(read, content, clock, since_ms, key, arena, out);
}

struct mln_result mln_stored_read(struct mln_store_read *read, const struct mln_content *content,
                                  const struct mln_clock *clock, int64_t since_ms, struct mln_str key,
                                  struct mln_arena *arena, struct mln_stored *out)
{
    struct mln_str text;
    *out = (struct mln_stored){0};
    MLN_TRY(mln_resource_get(read, key, arena, &out->resource));
    struct mln_result r = mln_store_get(read, MLN_COLLECTION_ASSESSMENTS, key, arena, &text, NULL);
    if (r.code == MLN_E_NOT_FOUND)
        return mln_fail(MLN_E_CORRUPT, "the resource '%.*s' has no assessments", MLN_FMT(key));
    MLN_TRY(r);
    return mln_stored_row(read, content, clock, since_ms, key, text, arena, out);
}

/* Words that say "not assessed" of every rule. */
static struct mln_result new_statuses(const struct mln_catalog *catalog, uint32_t type, uint64_t **out)
{
    *out = NULL;
    size_t n = type == MLN_NO_TYPE ? 0 : mln_statuses_words(catalog->types[type].n_rules);
    if (n == 0)
        return MLN_OK;
    *out = malloc(n * sizeof **out);
    if (!*out)
        return mln_fail(MLN_E_MEMORY, "no memory for the statuses of a resource");
    memset(*out, 0xFF, n * sizeof **out);
    return MLN_OK;
}

struct mln_result mln_statuses_of_findings(const struct mln_catalog *catalog, uint32_t type,
                                           const struct mln_finding *findings, size_t n, uint64_t **out)
{
    MLN_TRY(new_statuses(catalog, type, out));
    for (uint32_t i = 0, at = 0; *out && i < catalog->types[type].n_rules; i++) {
        while (at < n && findings[at].rule < catalog->types[type].rules[i])
            at++;
        if (at < n && findings[at].rule == catalog->types[type].rules[i])
            mln_statuses_set(*out, i, findings[at].status);
    }
    return MLN_OK;
}

struct mln_result mln_statuses_of_row(const struct mln_catalog *catalog, uint32_t type, const struct mln_row *row,
                                      uint64_t **out)
{
    MLN_TRY(new_statuses(catalog, type, out));
    for (uint32_t i = 0, at = 0; *out && i < catalog->types[type].n_rules; i++) {
        struct mln_str id = catalog->rules[catalog->types[type].rules[i]].id;
        while (at < row->n && mln_str_cmp(row->findings[at].rule, id) < 0)
            at++;
        if (at < row->n && mln_str_eq(row->findings[at].rule, id))
            mln_statuses_set(*out, i, row->findings[at].status);
    }
    return MLN_OK;
}

struct mln_result mln_history_key(struct mln_arena *arena, struct mln_str of, char separator, struct mln_moment moment,
                                  struct mln_str *key)
{
    char *p;
    MLN_TRY_ARRAY(arena, p, of.n + 1 + MLN_MOMENT_KEY + 1);
    memcpy(p, of.p, of.n);
    p[of.n] = separator;
    mln_moment_key(moment, p + of.n + 1);
    *key = (struct mln_str){p, of.n + 1 + MLN_MOMENT_KEY};
    return MLN_OK;
}
