/* Judges resources in files, without a server: the same rules, engine and score. */
#include "merlon/input.h"
#include "merlon/output.h"
#include "merlon/rules.h"

#include "base/time.h"
#include "posture/assess.h"
#include "posture/counts.h"

enum { INPUT_BYTES = 512 << 20, DOCUMENT_ARENA_BYTES = 64 << 20 };

static const struct mln_option options[] = {
    {.name = "rules",
     .letter = 'r',
     .value = "DIR",
     .takes = MLN_TAKES_DIRECTORY,
     .help = "the rules to use (MERLON_CONTENT, ./content, or the installed ones)"},
    {.name = "all", .letter = 'a', .help = "also what passes and what does not apply"},
    {.name = "severity", .value = "LEVEL", .words = "Low Medium High Critical", .help = "only this severity and above"},
};

struct judging {
    struct mln_invocation *in;
    const struct mln_ruleset *rules;
    struct mln_catalog *catalog;
    struct mln_counts *counts;
    struct mln_tally *tallies; /* scratch of the counts */
    struct mln_table table;
    struct mln_json_array json;
    int64_t resources, findings, without_rules, by_status[3]; /* by enum mln_status */
    enum mln_severity least;
    bool failing; /* something of the asked severity is unhealthy */
};

static void close_judging(struct judging *j)
{
    mln_counts_free(j->counts);
    mln_catalog_free(j->catalog);
}

static struct mln_result open_judging(struct judging *j)
{
    static const char *const heads[] = {"Status", "Severity", "Resource", "Rule", "Found", NULL};
    int least = mln_word_index(mln_severity_words, mln_option_value(j->in, "severity"));
    j->least = least < 0 ? MLN_SEVERITY_LOW : (enum mln_severity)least;
    MLN_TRY(mln_catalog_of(j->rules, &j->catalog));
    j->counts = mln_counts_new(j->catalog);
    if (!j->counts)
        return mln_fail(MLN_E_MEMORY, "no memory to count");
    MLN_TRY_ARRAY(j->in->arena, j->tallies, j->catalog->n_controls);
    mln_table_begin(&j->table, j->in, heads);
    return MLN_OK;
}

/* Counts a resource; findings are those of all rules of its type, in their order. */
static struct mln_result count(struct judging *j, uint32_t type, const struct mln_finding *findings, size_t n)
{
    uint64_t *statuses;
    MLN_TRY_ARRAY(j->in->arena, statuses, mln_statuses_words((uint32_t)n));
    for (uint32_t i = 0; i < n; i++)
        mln_statuses_set(statuses, i, (unsigned)findings[i].status);
    mln_counts_add(j->counts, j->catalog, &(struct mln_view){type, statuses}, j->tallies, 1);
    return MLN_OK;
}

static struct mln_result add_json(struct judging *j, struct mln_str resource, const struct mln_rule *rule,
                                  const struct mln_finding *f, struct mln_str text)
{
    const struct {
        const char *name;
        struct mln_str value;
    } members[] = {{"resourceId", resource},
                   {"ruleId", rule->id},
                   {"assessmentKey", rule->key},
                   {"displayName", rule->title},
                   {"severity", mln_str_c(mln_severity_words[rule->severity])},
                   {"status", mln_str_c(mln_status_words[f->status])},
                   {"cause", mln_str_c(mln_cause_words[f->cause])},
                   {"description", text}};
    struct mln_json_object object = {0};
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        MLN_TRY(mln_json_add(j->in->arena, &object, mln_str_c(members[i].name), mln_json_of_str(members[i].value)));
    return mln_json_append(j->in->arena, &j->json, mln_json_object_done(&object));
}

static struct mln_result put_finding(struct judging *j, struct mln_str resource, const struct mln_finding *f)
{
    const struct mln_rule *rule = &j->rules->rules[f->rule];
    struct mln_str text = MLN_S("");
    j->findings++;
    j->by_status[f->status]++;
    if (rule->severity < j->least)
        return MLN_OK;
    j->failing |= f->status == MLN_UNHEALTHY;
    if (f->status != MLN_UNHEALTHY && !mln_option_given(j->in, "all"))
        return MLN_OK;
    if (f->text.n)
        MLN_TRY_STR(j->in->arena, text, mln_str_dup(j->in->arena, f->text));
    if (mln_option_given(j->in, "json"))
        return add_json(j, resource, rule, f, text);
    MLN_TRY(mln_table_cell(&j->table, mln_str_c(mln_status_words[f->status])));
    MLN_TRY(mln_table_cell(&j->table, mln_str_c(mln_severity_words[rule->severity])));
    MLN_TRY(mln_table_cell(&j->table, mln_output_name(resource)));
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
    struct mln_str id = mln_output_text(document, "id"), type = mln_output_text(document, "type");
    if (!id.n)
        id = mln_output_text(document, "name");
    j->resources++;
    if (document->kind != MLN_JSON_OBJECT)
        return mln_fail(MLN_E_INVALID, "resource %lld is no object but: %s", (long long)j->resources,
                        mln_json_kind_name(document));
    if (!type.n)
        return mln_fail(MLN_E_INVALID, "resource %lld ('%.*s') has no type", (long long)j->resources, MLN_FMT(id));
    uint32_t known = mln_catalog_type(j->catalog, type);
    if (known == MLN_NO_TYPE) {
        j->without_rules++;
        return MLN_OK;
    }
    MLN_TRY(mln_assess(j->rules, document, NULL, &mln_system_clock, arena, &findings, &n));
    MLN_TRY(count(j, known, findings, n));
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
    if (tree->kind != MLN_JSON_ARRAY)
        return judge(j, tree);
    for (uint32_t i = 0; i < tree->n; i++)
        MLN_TRY(judge(j, &tree->items[i]));
    return MLN_OK;
}

/* ---- files ---- */

/* JSON lines: a document a line, empty lines left out. */
static struct mln_result judge_lines(struct judging *j, struct mln_str text)
{
    struct mln_str line;
    for (size_t number = 1; mln_str_cut(&text, '\n', &line); number++) {
        const struct mln_json *tree;
        if (!mln_str_trim(line).n)
            continue;
        struct mln_result r = mln_json_parse(j->in->arena, line, INPUT_BYTES, &tree);
        if (mln_ok(r))
            r = judge_tree(j, tree);
        if (!mln_ok(r))
            return mln_fail_at(r, "line %zu", number);
    }
    return MLN_OK;
}

static bool is_json_lines(struct mln_arena *arena, struct mln_str text)
{
    const struct mln_json *tree;
    struct mln_str first;
    mln_str_cut(&text, '\n', &first);
    return text.p && mln_str_trim(first).n && mln_ok(mln_json_parse(arena, first, INPUT_BYTES, &tree));
}

static struct mln_result judge_text(struct judging *j, struct mln_str text)
{
    const struct mln_json *tree;
    text = mln_str_trim(text);
    if (!text.n)
        return mln_fail(MLN_E_INVALID, "nothing is in it");
    struct mln_result r = mln_json_parse(j->in->arena, text, INPUT_BYTES, &tree);
    if (r.code == MLN_E_SYNTAX && is_json_lines(j->in->arena, text))
        return judge_lines(j, text);
    if (r.code == MLN_E_SYNTAX)
        r = mln_json_parse(j->in->arena, text, INPUT_BYTES,
                           &tree); /* for its text, which the look at the line replaced */
    MLN_TRY(r);
    return judge_tree(j, tree);
}

static struct mln_result judge_file(struct judging *j, struct mln_str name)
{
    MLN_BUF_CLEANUP struct mln_buf text = MLN_BUF(INPUT_BYTES);
    MLN_TRY(mln_input_read(j->in, name, &text)); /* its failures name the file */
    struct mln_result r = judge_text(j, mln_buf_str(&text));
    return mln_ok(r) ? r
                     : mln_fail_at(r, "%.*s", MLN_FMT(mln_str_eq(name, MLN_S("-")) ? MLN_S("standard input") : name));
}

/* ---- the report ---- */

static struct mln_result report_json(struct judging *j, double percentage)
{
    const struct {
        const char *name;
        int64_t value;
    } numbers[] = {{"resources", j->resources},
                   {"resourcesWithoutRules", j->without_rules},
                   {"healthy", j->by_status[MLN_HEALTHY]},
                   {"unhealthy", j->by_status[MLN_UNHEALTHY]},
                   {"notApplicable", j->by_status[MLN_NOT_APPLICABLE]}};
    struct mln_json_object o = {0};
    struct mln_arena *arena = j->in->arena;
    MLN_TRY(mln_json_add(arena, &o, MLN_S("findings"), mln_json_array_done(&j->json)));
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        MLN_TRY(mln_json_add(arena, &o, mln_str_c(numbers[i].name), mln_json_of_i64(numbers[i].value)));
    MLN_TRY(mln_json_add(arena, &o, MLN_S("percentage"), mln_json_of_real(percentage)));
    MLN_TRY(mln_json_add(arena, &o, MLN_S("contentVersion"), mln_json_of_str(j->rules->version)));
    struct mln_json json = mln_json_object_done(&o);
    return mln_output_json(j->in, &json);
}

static struct mln_result report(struct judging *j)
{
    struct mln_scope_score score = mln_counts_score(j->catalog, j->counts->controls, j->counts->weight);
    if (mln_option_given(j->in, "json"))
        return report_json(j, score.percentage);
    if (j->table.cells.n) {
        MLN_TRY(mln_table_end(&j->table));
        fputc('\n', j->in->out);
    }
    fprintf(j->in->out, "%lld resource%s, %lld finding%s: %lld healthy, %lld unhealthy, %lld not applicable",
            (long long)j->resources, mln_output_plural(j->resources), (long long)j->findings,
            mln_output_plural(j->findings), (long long)j->by_status[MLN_HEALTHY],
            (long long)j->by_status[MLN_UNHEALTHY], (long long)j->by_status[MLN_NOT_APPLICABLE]);
    if (score.weight)
        fprintf(j->in->out, "; secure score %.1f %%", 100 * score.percentage);
    fputc('\n', j->in->out);
    if (j->without_rules)
        fprintf(j->in->out, "%lld resource%s of a type that no rule is for\n", (long long)j->without_rules,
                mln_output_plural(j->without_rules));
    return MLN_OK;
}

static struct mln_result judge_all(struct judging *j)
{
    MLN_TRY(open_judging(j));
    for (size_t i = 0; i < j->in->n_arguments; i++)
        MLN_TRY(judge_file(j, j->in->arguments[i]));
    return report(j);
}

static struct mln_result run(struct mln_invocation *in, enum mln_exit *exit_code)
{
    MLN_CLEANUP(mln_ruleset_free) struct mln_ruleset *rules = NULL;
    MLN_TRY(mln_rules_load(in, &rules));
    struct judging j = {.in = in, .rules = rules};
    struct mln_result r = judge_all(&j);
    *exit_code = j.failing ? MLN_EXIT_FAILED : MLN_EXIT_OK;
    close_judging(&j);
    return r;
}

const struct mln_command mln_command_assess = {
    .words = "assess",
    .arguments = "FILE|-...",
    .summary = "Judge resources in JSON files, without a server",
    .details =
        "A file holds one resource, a list, an answer with a member \"value\", or such a document on each line.\n"
        "Exit status 1: something (of the severity asked for) is unhealthy.\n\n"
        "Example:\n  merlon-agent resource | merlon assess -",
    .kind = MLN_OFFLINE,
    .least = 1,
    .most = MLN_ANY_NUMBER,
    MLN_OPTIONS(options),
    .run = run};
