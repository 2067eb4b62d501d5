#include "posture/assess.h"

#include "json/writer.h"

enum { TEXT_MOST = 1000, REASON_MOST = 300 };

/* s, cut to at most `most` bytes between characters. */
static struct mln_str cut(struct mln_str s, size_t most)
{
    if (s.n <= most)
        return s;
    while (most > 0 && ((unsigned char)s.p[most] & 0xC0) == 0x80)
        most--;
    return mln_str_sub(s, 0, most);
}

static struct mln_result keep_text(struct mln_arena *arena, struct mln_str text, struct mln_finding *out)
{
    MLN_TRY_STR(arena, out->text, mln_str_dup(arena, cut(text, TEXT_MOST)));
    return MLN_OK;
}

static size_t last_dot(struct mln_str path)
{
    size_t at = path.n;
    while (at > 0 && path.p[at - 1] != '.')
        at--;
    return at;
}

/* Why a section is missing: what the collector left under `errors` beside it. Empty when it did not say. */
static struct mln_str reason_of(const struct mln_json *document, struct mln_str need)
{
    char path[512];
    size_t name = last_dot(need);
    struct mln_str section = mln_str_sub(need, name, need.n);
    int n = snprintf(path, sizeof path, "%.*serrors", MLN_FMT(mln_str_sub(need, 0, name)));
    if (n < 0 || (size_t)n >= sizeof path)
        return MLN_S("");
    return cut(mln_json_str(mln_json_get(mln_json_path(document, path), section), MLN_S("")), REASON_MOST);
}

/* Appends "sshd (permission denied)" for a section that is not there. */
static struct mln_result note_missing(const struct mln_json *document, struct mln_str need, struct mln_buf *text)
{
    struct mln_str reason = reason_of(document, need);
    MLN_TRY(mln_buf_append(text, text->n ? MLN_S(", ") : MLN_S("not collected: ")));
    MLN_TRY(mln_buf_append(text, mln_str_sub(need, last_dot(need), need.n)));
    return reason.n ? mln_buf_printf(text, " (%.*s)", MLN_FMT(reason)) : MLN_OK;
}

/* True when all that the rule needs is there; else *out says what is not. */
static struct mln_result has_needs(const struct mln_rule *rule, const struct mln_json *document,
                                   struct mln_arena *arena, struct mln_finding *out, bool *has)
{
    MLN_BUF_CLEANUP struct mln_buf text = MLN_BUF(64 << 10);
    for (size_t i = 0; i < rule->n_needs; i++) {
        const struct mln_json *found = mln_json_path(document, rule->needs[i].p);
        if (!found || mln_json_is(found, MLN_JSON_NULL))
            MLN_TRY(note_missing(document, rule->needs[i], &text));
    }
    *has = text.n == 0;
    if (*has)
        return MLN_OK;
    out->status = MLN_NOT_APPLICABLE;
    out->cause = MLN_CAUSE_NOT_COLLECTED;
    return keep_text(arena, mln_buf_str(&text), out);
}

/* A program that failed is a finding; only a machine without memory is a failure of the assessment. */
static struct mln_result rule_failed(struct mln_result r, const char *which, struct mln_arena *arena,
                                     struct mln_finding *out)
{
    if (r.code == MLN_E_MEMORY)
        return r;
    out->status = MLN_NOT_APPLICABLE;
    out->cause = MLN_CAUSE_RULE_FAILED;
    MLN_TRY_STR(arena, out->text, mln_str_printf(arena, "%s: %s", which, mln_error_text()));
    return MLN_OK;
}

/* What the rule says it found; text as it is, anything else as JSON. */
static struct mln_result describe(const struct mln_rule *rule, struct mln_expr_run *run, struct mln_arena *arena,
                                  struct mln_finding *out)
{
    const struct mln_json *value;
    if (!rule->found)
        return MLN_OK;
    struct mln_result r = mln_program_value(rule->found, run, &value);
    if (r.code == MLN_E_MEMORY)
        return r;
    if (!mln_ok(r)) {
        MLN_TRY_STR(arena, out->text, mln_str_printf(arena, "what was found cannot be shown: %s", mln_error_text()));
        return MLN_OK;
    }
    if (mln_json_is(value, MLN_JSON_STRING))
        return keep_text(arena, mln_json_str(value, MLN_S("")), out);
    MLN_BUF_CLEANUP struct mln_buf text = MLN_BUF(16 << 20);
    MLN_TRY(mln_json_write(&text, value, false));
    return keep_text(arena, mln_buf_str(&text), out);
}

struct mln_result mln_assess_rule(const struct mln_rule *rule, const struct mln_json *document,
                                  struct mln_expr_run *run, struct mln_arena *arena, struct mln_finding *out)
{
    bool has = false, yes = true;
    out->status = MLN_HEALTHY;
    out->cause = MLN_CAUSE_NONE;
    out->text = (struct mln_str){NULL, 0};
    MLN_TRY(has_needs(rule, document, arena, out, &has));
    if (!has)
        return MLN_OK;
    struct mln_result r = rule->applies ? mln_program_test(rule->applies, run, &yes) : MLN_OK;
    if (!mln_ok(r))
        return rule_failed(r, "applies", arena, out);
    if (!yes) {
        out->status = MLN_NOT_APPLICABLE;
        out->cause = MLN_CAUSE_OFF_BY_RULE;
        return MLN_OK;
    }
    r = mln_program_test(rule->healthy, run, &yes);
    if (!mln_ok(r))
        return rule_failed(r, "healthy", arena, out);
    if (yes)
        return MLN_OK;
    out->status = MLN_UNHEALTHY;
    return describe(rule, run, arena, out);
}

struct mln_result mln_assess(const struct mln_ruleset *set, const struct mln_json *document, struct mln_expr_run *run,
                             const struct mln_clock *clock, struct mln_arena *arena, struct mln_finding **findings,
                             size_t *n)
{
    *findings = NULL;
    *n = 0;
    const struct mln_rule_type *type =
        mln_ruleset_type(set, mln_json_str(mln_json_get(document, MLN_S("type")), MLN_S("")));
    if (!type)
        return MLN_OK;
    MLN_CLEANUP(mln_expr_run_free) struct mln_expr_run *own = NULL;
    if (!run)
        run = own = mln_expr_run_new(type->env, clock, &mln_expr_default_limits);
    if (!run)
        return mln_fail(MLN_E_MEMORY, "no memory for assessing a resource");
    MLN_TRY_ARRAY(arena, *findings, type->n_rules);
    mln_expr_run_document(run, document);
    for (size_t i = 0; i < type->n_rules; i++) {
        (*findings)[i].rule = type->rules[i];
        MLN_TRY(mln_assess_rule(&set->rules[type->rules[i]], document, run, arena, &(*findings)[i]));
    }
    *n = type->n_rules;
    return MLN_OK;
}
