#include "posture/examples.h"

#include "base/vec.h"
#include "json/writer.h"

enum { REPORT_BYTES = 64 << 20 };

typedef MLN_VEC(struct mln_example_failure) failure_list;

static struct mln_result run_rule(const struct mln_rule *rule, struct mln_expr_run *run, struct mln_arena *arena,
                                  failure_list *failures)
{
    for (size_t i = 0; i < rule->n_examples; i++) {
        struct mln_finding got = {0};
        const struct mln_rule_example *example = &rule->examples[i];
        mln_expr_run_document(run, example->resource);
        MLN_TRY(mln_assess_rule(rule, example->resource, run, arena, &got));
        if (got.status != example->expect || got.cause == MLN_CAUSE_RULE_FAILED)
            MLN_TRY(mln_vec_push(arena, failures, {rule, example, got}));
    }
    return MLN_OK;
}

struct mln_result mln_examples_run(const struct mln_ruleset *set, struct mln_arena *arena, struct mln_examples *out)
{
    int64_t now_ms = MLN_EXAMPLES_AT_MS;
    const struct mln_clock clock = mln_fake_clock(&now_ms);
    failure_list failures = {0};
    *out = (struct mln_examples){0};
    for (size_t t = 0; t < set->n_types; t++) {
        const struct mln_rule_type *type = &set->types[t];
        MLN_CLEANUP(mln_expr_run_free)
        struct mln_expr_run *run = mln_expr_run_new(type->env, &clock, &mln_expr_default_limits);
        if (!run)
            return mln_fail(MLN_E_MEMORY, "no memory for judging examples");
        for (size_t i = 0; i < type->n_rules; i++) {
            const struct mln_rule *rule = &set->rules[type->rules[i]];
            out->run += rule->n_examples;
            MLN_TRY(run_rule(rule, run, arena, &failures));
        }
    }
    out->failures = failures.at;
    out->n_failures = failures.n;
    return MLN_OK;
}

/* ---- the report ---- */

static struct mln_result error_line(const struct mln_rule_error *e, struct mln_buf *out)
{
    MLN_TRY(mln_buf_append(out, e->file));
    if (e->line)
        MLN_TRY(mln_buf_printf(out, ":%u:%u", e->line, e->column));
    return mln_buf_printf(out, ": %.*s\n", MLN_FMT(e->text));
}

static struct mln_result failure_line(const struct mln_example_failure *f, struct mln_buf *out)
{
    MLN_TRY(mln_buf_printf(out, "%.*s:%u: %.*s: example '%.*s': expected %s, got %s", MLN_FMT(f->rule->file),
                           f->example->line, MLN_FMT(f->rule->id), MLN_FMT(f->example->name),
                           mln_status_words[f->example->expect], mln_status_words[f->got.status]));
    if (f->got.cause != MLN_CAUSE_NONE)
        MLN_TRY(mln_buf_printf(out, " (%s)", mln_cause_words[f->got.cause]));
    if (f->got.text.p)
        MLN_TRY(mln_buf_printf(out, ": %.*s", MLN_FMT(f->got.text)));
    return mln_buf_byte(out, '\n');
}

static const char *plural(size_t n)
{
    return n == 1 ? "" : "s";
}

static struct mln_result report_text(const struct mln_ruleset *set, const struct mln_examples *examples,
                                     struct mln_buf *out)
{
    for (size_t i = 0; i < set->n_errors; i++)
        MLN_TRY(error_line(&set->errors[i], out));
    for (size_t i = 0; i < examples->n_failures; i++)
        MLN_TRY(failure_line(&examples->failures[i], out));
    return mln_buf_printf(out, "%zu rule%s, %zu example%s: %zu error%s, %zu example%s failed\n", set->n_rules,
                          plural(set->n_rules), examples->run, plural(examples->run), set->n_errors,
                          plural(set->n_errors), examples->n_failures, plural(examples->n_failures));
}

static void write_error(struct mln_json_writer *w, const struct mln_rule_error *e)
{
    mln_json_begin_object(w);
    mln_json_member_str(w, "file", e->file);
    mln_json_member_i64(w, "line", e->line);
    mln_json_member_i64(w, "column", e->column);
    mln_json_member_str(w, "text", e->text);
    mln_json_end_object(w);
}

static void write_failure(struct mln_json_writer *w, const struct mln_example_failure *f)
{
    mln_json_begin_object(w);
    mln_json_member_str(w, "file", f->rule->file);
    mln_json_member_i64(w, "line", f->example->line);
    mln_json_member_str(w, "rule", f->rule->id);
    mln_json_member_str(w, "example", f->example->name);
    mln_json_member_str(w, "expected", mln_str_c(mln_status_words[f->example->expect]));
    mln_json_member_str(w, "got", mln_str_c(mln_status_words[f->got.status]));
    if (f->got.cause != MLN_CAUSE_NONE)
        mln_json_member_str(w, "cause", mln_str_c(mln_cause_words[f->got.cause]));
    mln_json_member_str(w, "text", f->got.text);
    mln_json_end_object(w);
}

static struct mln_result report_json(const struct mln_ruleset *set, const struct mln_examples *examples, bool passed,
                                     struct mln_buf *out)
{
    struct mln_json_writer w = mln_json_writer(out);
    mln_json_begin_object(&w);
    mln_json_member_bool(&w, "passed", passed);
    mln_json_member_i64(&w, "rules", (int64_t)set->n_rules);
    mln_json_member_i64(&w, "examples", (int64_t)examples->run);
    mln_json_member_str(&w, "version", set->version);
    mln_json_name(&w, MLN_S("errors"));
    mln_json_begin_array(&w);
    for (size_t i = 0; i < set->n_errors; i++)
        write_error(&w, &set->errors[i]);
    mln_json_end_array(&w);
    mln_json_name(&w, MLN_S("failures"));
    mln_json_begin_array(&w);
    for (size_t i = 0; i < examples->n_failures; i++)
        write_failure(&w, &examples->failures[i]);
    mln_json_end_array(&w);
    mln_json_end_object(&w);
    MLN_TRY(mln_json_writer_end(&w));
    return mln_buf_byte(out, '\n');
}

struct mln_result mln_policy_test(struct mln_str directory, bool json, struct mln_buf *out, bool *passed)
{
    MLN_CLEANUP(mln_ruleset_free) struct mln_ruleset *set = NULL;
    MLN_CLEANUP(mln_arena_free) struct mln_arena *arena = mln_arena_new(REPORT_BYTES);
    struct mln_examples examples;
    if (!arena)
        return mln_fail(MLN_E_MEMORY, "no memory for the report");
    MLN_TRY(mln_ruleset_load(directory, &set));
    MLN_TRY(mln_examples_run(set, arena, &examples));
    *passed = set->n_errors == 0 && examples.n_failures == 0;
    return json ? report_json(set, &examples, *passed, out) : report_text(set, &examples, out);
}
