/* Judges resources in a file, without a server: the same rules, engine and score. */
#include "merlon/output.h"
#include "merlon/rules.h"

#include "base/time.h"
#include "json/writer.h"
#include "posture/assess.h"
#include "score/score.h"

enum { INPUT_BYTES = 512 << 20, DOCUMENT_ARENA_BYTES = 64 << 20 };

static const struct mln_option options[] = {
    {"rules", 'r', "DIR", "the rules to use (MERLON_CONTENT, ./content, or the installed ones)", NULL, false},
    {"all", 'a', NULL, "also what passes and what does not apply", NULL, false},
    {"severity", 0, "LEVEL", "only this severity and above", "Low Medium High Critical", false},
};

struct judging {
    struct mln_invocation *in;
    const struct mln_ruleset *rules;
    struct mln_table table;
    struct mln_json_array json;
    struct mln_control_counts *counts; /* one a control */
    int64_t resources, healthy, unhealthy, not_applicable, weight;
    enum mln_severity least;
};

/* A resource that fails one rule of a control fails the control; NotApplicable when none of them applies. */
static void count(struct judging *j, const struct mln_finding *findings, size_t n)
{
    bool weighs = false;
    for (size_t c = 0; c < j->rules->n_controls; c++) {
        bool passed = false, failed = false, there = false;
        for (size_t i = 0; i < n; i++) {
            const struct mln_rule *rule = &j->rules->rules[findings[i].rule];
            for (size_t k = 0; k < rule->n_controls && !rule->preview; k++)
                if (rule->controls[k] == c) {
                    there = true;
                    passed |= findings[i].status == MLN_HEALTHY;
                    failed |= findings[i].status == MLN_UNHEALTHY;
                }
        }
        j->counts[c].unhealthy += failed;
        j->counts[c].healthy += !failed && passed;
        j->counts[c].not_applicable += there && !failed && !passed;
        weighs |= failed || passed;
    }
    j->weight += weighs;
}

static struct mln_result put_finding(struct judging *j, struct mln_str resource, const struct mln_finding *f)
{
    const struct mln_rule *rule = &j->rules->rules[f->rule];
    j->healthy += f->status == MLN_HEALTHY;
    j->unhealthy += f->status == MLN_UNHEALTHY;
    j->not_applicable += f->status == MLN_NOT_APPLICABLE;
    if (rule->severity < j->least || (f->status != MLN_UNHEALTHY && !mln_option_given(j->in, "all")))
        return MLN_OK;
    struct mln_str text = MLN_S("");
    if (f->text.n)
        MLN_TRY_STR(j->in->arena, text, mln_str_dup(j->in->arena, f->text));
    if (mln_option_given(j->in, "json")) {
        struct mln_json_object o = {0};
        struct mln_arena *arena = j->in->arena;
        MLN_TRY(mln_json_add(arena, &o, MLN_S("resourceId"), mln_json_of_str(resource)));
        MLN_TRY(mln_json_add(arena, &o, MLN_S("ruleId"), mln_json_of_str(rule->id)));
        MLN_TRY(mln_json_add(arena, &o, MLN_S("assessmentKey"), mln_json_of_str(rule->key)));
        MLN_TRY(mln_json_add(arena, &o, MLN_S("displayName"), mln_json_of_str(rule->title)));
        MLN_TRY(mln_json_add(arena, &o, MLN_S("severity"), mln_json_of_str(mln_str_c(mln_severity_words[rule->severity]))));
        MLN_TRY(mln_json_add(arena, &o, MLN_S("status"), mln_json_of_str(mln_str_c(mln_status_words[f->status]))));
        MLN_TRY(mln_json_add(arena, &o, MLN_S("cause"), mln_json_of_str(mln_str_c(mln_cause_words[f->cause]))));
        MLN_TRY(mln_json_add(arena, &o, MLN_S("description"), mln_json_of_str(text)));
        return mln_json_append(arena, &j->json, mln_json_object_done(&o));
    }
    size_t slash = resource.n;
    while (slash > 0 && resource.p[slash - 1] != '/')
        slash--;
    MLN_TRY(mln_table_cell(&j->table, mln_str_c(mln_status_words[f->status])));
    MLN_TRY(mln_table_cell(&j->table, mln_str_c(mln_severity_words[rule->severity])));
    MLN_TRY(mln_table_cell(&j->table, mln_str_sub(resource, slash, resource.n)));
    MLN_TRY(mln_table_cell(&j->table, rule->id));
    return mln_table_cell(&j->table, text.n ? text : rule->title);
}

static struct mln_result judge(struct judging *j, const struct mln_json *document)
{
    MLN_CLEANUP(mln_arena_free) struct mln_arena *arena = mln_arena_new(DOCUMENT_ARENA_BYTES);
    struct mln_finding *findings;
    size_t n;
    if (!arena)
        return mln_fail(MLN_E_MEMORY, "no memory to judge a resource");
    struct mln_str id = mln_output_text(document, "id");
    if (!id.n)
        id = mln_output_text(document, "name");
    if (!mln_output_text(document, "type").n)
        return mln_fail(MLN_E_INVALID, "resource %lld ('%.*s') has no type", (long long)j->resources + 1, MLN_FMT(id));
    j->resources++;
    MLN_TRY(mln_assess(j->rules, document, NULL, &mln_system_clock, arena, &findings, &n));
    count(j, findings, n);
    for (size_t i = 0; i < n; i++)
        MLN_TRY(put_finding(j, id, &findings[i]));
    return MLN_OK;
}

/* One resource, a list of them, or an answer with a member value. */
static struct mln_result judge_tree(struct judging *j, const struct mln_json *tree)
{
    const struct mln_json *value = mln_json_get(tree, MLN_S("value"));
    if (mln_json_is(value, MLN_JSON_ARRAY) && !mln_json_get(tree, MLN_S("type")))
        tree = value;
    if (tree->kind == MLN_JSON_OBJECT)
        return judge(j, tree);
    if (tree->kind != MLN_JSON_ARRAY)
        return mln_fail(MLN_E_INVALID, "a resource is an object, this is %s", mln_json_kind_name(tree));
    for (uint32_t i = 0; i < tree->n; i++)
        MLN_TRY(judge(j, &tree->items[i]));
    return MLN_OK;
}

static struct mln_result read_input(struct mln_invocation *in, struct mln_str name, struct mln_buf *out)
{
    bool standard = mln_str_eq(name, MLN_S("-"));
    const char *path = mln_str_z(in->arena, name);
    FILE *file = standard ? stdin : path ? fopen(path, "re") : NULL;
    if (!file)
        return mln_fail(MLN_E_NOT_FOUND, "'%.*s' cannot be opened", MLN_FMT(name));
    struct mln_result r = MLN_OK;
    for (size_t got = 1; got && mln_ok(r);) {
        r = mln_buf_reserve(out, 1 << 16);
        got = mln_ok(r) ? fread(out->p + out->n, 1, 1 << 16, file) : 0;
        out->n += got;
    }
    if (mln_ok(r) && ferror(file))
        r = mln_fail(MLN_E_IO, "'%.*s' cannot be read", MLN_FMT(name));
    if (!standard)
        fclose(file);
    return r;
}

static struct mln_result put_score(struct judging *j, struct mln_scope_score *score)
{
    struct mln_control_score *controls;
    MLN_TRY_ARRAY(j->in->arena, controls, j->rules->n_controls);
    for (size_t c = 0; c < j->rules->n_controls; c++)
        controls[c] = mln_score_control(j->rules->controls[c].max_points, &j->counts[c]);
    *score = mln_score_scope(controls, j->rules->n_controls, j->weight);
    return MLN_OK;
}

static struct mln_result report(struct judging *j)
{
    struct mln_scope_score score;
    MLN_TRY(put_score(j, &score));
    if (!mln_option_given(j->in, "json")) {
        if (j->table.cells.n)
            MLN_TRY(mln_table_end(&j->table));
        fprintf(j->in->out, "%s%lld resources: %lld healthy, %lld unhealthy, %lld not applicable; secure score %.1f %%\n",
                j->table.cells.n ? "\n" : "", (long long)j->resources, (long long)j->healthy, (long long)j->unhealthy,
                (long long)j->not_applicable, 100 * score.percentage);
        return MLN_OK;
    }
    struct mln_json_object o = {0};
    struct mln_arena *arena = j->in->arena;
    MLN_TRY(mln_json_add(arena, &o, MLN_S("findings"), mln_json_array_done(&j->json)));
    MLN_TRY(mln_json_add(arena, &o, MLN_S("resources"), mln_json_of_i64(j->resources)));
    MLN_TRY(mln_json_add(arena, &o, MLN_S("healthy"), mln_json_of_i64(j->healthy)));
    MLN_TRY(mln_json_add(arena, &o, MLN_S("unhealthy"), mln_json_of_i64(j->unhealthy)));
    MLN_TRY(mln_json_add(arena, &o, MLN_S("notApplicable"), mln_json_of_i64(j->not_applicable)));
    MLN_TRY(mln_json_add(arena, &o, MLN_S("percentage"), mln_json_of_real(score.percentage)));
    MLN_TRY(mln_json_add(arena, &o, MLN_S("contentVersion"), mln_json_of_str(j->rules->version)));
    struct mln_json json = mln_json_object_done(&o);
    return mln_output_json(j->in, &json);
}

static struct mln_result run(struct mln_invocation *in, enum mln_exit *exit_code)
{
    static const char *const heads[] = {"Status", "Severity", "Resource", "Rule", "Found", NULL};
    MLN_CLEANUP(mln_ruleset_free) struct mln_ruleset *rules = NULL;
    MLN_BUF_CLEANUP struct mln_buf text = MLN_BUF(INPUT_BYTES);
    struct judging j = {.in = in};
    const struct mln_json *tree;
    MLN_TRY(mln_rules_load(in, &rules));
    j.rules = rules;
    int least = mln_word_index(mln_severity_words, mln_option_value(in, "severity"));
    j.least = least < 0 ? MLN_SEVERITY_LOW : (enum mln_severity)least;
    MLN_TRY_ARRAY(in->arena, j.counts, rules->n_controls);
    mln_table_begin(&j.table, in, heads);
    for (size_t i = 0; i < in->n_arguments; i++) {
        mln_buf_clear(&text);
        MLN_TRY(read_input(in, in->arguments[i], &text));
        struct mln_result r = mln_json_parse(in->arena, mln_buf_str(&text), INPUT_BYTES, &tree);
        if (mln_ok(r))
            r = judge_tree(&j, tree);
        if (!mln_ok(r))
            return mln_fail_at(r, "%.*s", MLN_FMT(in->arguments[i]));
    }
    *exit_code = j.unhealthy ? MLN_EXIT_FAILED : MLN_EXIT_OK;
    return report(&j);
}

const struct mln_command mln_command_assess = {
    .words = "assess",
    .arguments = "FILE|-...",
    .summary = "Judge resources in JSON files, without a server",
    .details = "A file holds one resource, a list, or an answer with a member \"value\". Exit status 1: something is unhealthy.\n\n"
               "Example:\n  merlon-agent resource | merlon assess -",
    .least = 1,
    .most = 255,
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .offline = true,
    .run = run};
