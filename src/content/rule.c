/* One rule file: its members, its programs, what it needs, its examples. */
#include "content/loader.h"

#include "crypto/random.h"

enum { SLUG_MOST = 100, TITLE_MOST = 200, PROSE_MOST = 8000, NEEDS_MOST = 64 };

const struct mln_type_variables mln_type_variables[] = {
    {NULL, "resource", "", false},
    {NULL, "properties", "properties", false},
    {"Microsoft.HybridCompute/machines", "facts", "properties.facts", true},
};
const size_t mln_n_type_variables = sizeof mln_type_variables / sizeof mln_type_variables[0];

static const char *const categories[] = {"Compute", "Networking", "Data",        "IdentityAndAccess",
                                         "IoT",     "Container",  "AppServices", NULL};
static const char *const levels[] = {"Low", "Moderate", "High", NULL};

/* A rule while its file is read. */
struct draft {
    struct mln_rule rule;
    const struct mln_yaml *id, *applies, *healthy, *found, *examples;
    struct mln_expr_env *env;
};

static void memory(struct mln_loader *l, struct mln_result r)
{
    if (!mln_ok(r) && mln_ok(l->failed))
        l->failed = r;
}

/* ---- members ---- */

static bool is_slug(struct mln_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!(s.p[i] >= 'a' && s.p[i] <= 'z') && !(s.p[i] >= '0' && s.p[i] <= '9') && s.p[i] != '-' && s.p[i] != '.')
            return false;
    return s.n > 0;
}

static void read_id(struct mln_loader *l, const struct mln_yaml *value, void *into)
{
    struct draft *d = into;
    d->id = value;
    d->rule.id = mln_loader_text(l, value, SLUG_MOST);
    if (d->rule.id.p && !is_slug(d->rule.id))
        mln_loader_error(l, value, "an id has lower-case letters, digits, '-' and '.'");
}

static void read_key(struct mln_loader *l, const struct mln_yaml *value, void *into)
{
    struct draft *d = into;
    struct mln_uuid uuid;
    struct mln_str text = mln_loader_text(l, value, MLN_UUID_TEXT);
    char canonical[MLN_UUID_TEXT];
    if (!text.p)
        return;
    if (!mln_ok(mln_uuid_parse(text, &uuid)))
        mln_loader_error(l, value, "'%.*s' is not a UUID", MLN_FMT(text));
    else if (!(d->rule.key = mln_str_dup(l->arena, mln_uuid_text(&uuid, canonical))).p)
        memory(l, mln_arena_failure(l->arena));
}

static void read_title(struct mln_loader *l, const struct mln_yaml *value, void *into)
{
    ((struct draft *)into)->rule.title = mln_loader_text(l, value, TITLE_MOST);
}

static void read_description(struct mln_loader *l, const struct mln_yaml *value, void *into)
{
    ((struct draft *)into)->rule.description = mln_loader_text(l, value, PROSE_MOST);
}

static void read_remediation_text(struct mln_loader *l, const struct mln_yaml *value, void *into)
{
    ((struct draft *)into)->rule.remediation = mln_loader_text(l, value, PROSE_MOST);
}

static void read_commands(struct mln_loader *l, const struct mln_yaml *value, void *into)
{
    struct mln_rule *rule = &((struct draft *)into)->rule;
    rule->commands = mln_loader_texts(l, value, &rule->n_commands);
}

static void read_remediation(struct mln_loader *l, const struct mln_yaml *value, void *into)
{
    static const struct mln_yaml_member members[] = {
        {"text", true, read_remediation_text}, {"commands", false, read_commands}, {NULL, false, NULL}};
    mln_loader_members(l, value, members, into);
}

static void read_severity(struct mln_loader *l, const struct mln_yaml *value, void *into)
{
    int word = mln_loader_word(l, value, mln_severity_words);
    ((struct draft *)into)->rule.severity = word < 0 ? MLN_SEVERITY_LOW : (enum mln_severity)word;
}

static void read_word(struct mln_loader *l, const struct mln_yaml *value, const char *const *words, struct mln_str *out)
{
    int word = mln_loader_word(l, value, words);
    if (word >= 0)
        *out = mln_str_c(words[word]);
}

static void read_category(struct mln_loader *l, const struct mln_yaml *value, void *into)
{
    read_word(l, value, categories, &((struct draft *)into)->rule.category);
}

static void read_effort(struct mln_loader *l, const struct mln_yaml *value, void *into)
{
    read_word(l, value, levels, &((struct draft *)into)->rule.effort);
}

static void read_user_impact(struct mln_loader *l, const struct mln_yaml *value, void *into)
{
    read_word(l, value, levels, &((struct draft *)into)->rule.user_impact);
}

static void read_threats(struct mln_loader *l, const struct mln_yaml *value, void *into)
{
    struct mln_rule *rule = &((struct draft *)into)->rule;
    rule->threats = mln_loader_texts(l, value, &rule->n_threats);
}

static void read_tactics(struct mln_loader *l, const struct mln_yaml *value, void *into)
{
    struct mln_rule *rule = &((struct draft *)into)->rule;
    rule->tactics = mln_loader_texts(l, value, &rule->n_tactics);
}

static void read_techniques(struct mln_loader *l, const struct mln_yaml *value, void *into)
{
    struct mln_rule *rule = &((struct draft *)into)->rule;
    rule->techniques = mln_loader_texts(l, value, &rule->n_techniques);
}

static void read_controls(struct mln_loader *l, const struct mln_yaml *value, void *into)
{
    struct mln_rule *rule = &((struct draft *)into)->rule;
    const char **slugs = mln_arena_array(l->scratch, l->controls.n + 1, sizeof *slugs);
    uint32_t *controls = mln_arena_array(l->arena, value->n, sizeof *controls);
    if (!slugs || !controls) {
        memory(l, mln_arena_failure(slugs ? l->arena : l->scratch));
        return;
    }
    if (value->kind != MLN_YAML_SEQUENCE || value->n == 0) {
        mln_loader_error(l, value, "expected a list of at least one control");
        return;
    }
    for (size_t i = 0; i < l->controls.n; i++)
        slugs[i] = l->controls.at[i].slug.p;
    for (size_t i = 0; i < value->n; i++) {
        int control = mln_loader_word(l, &value->items[i], slugs);
        if (control >= 0)
            controls[rule->n_controls++] = (uint32_t)control;
    }
    rule->controls = controls;
}

static void read_standards(struct mln_loader *l, const struct mln_yaml *value, void *into)
{
    struct mln_rule *rule = &((struct draft *)into)->rule;
    struct mln_rule_standard *standards = mln_arena_array(l->arena, value->n, sizeof *standards);
    if (!standards) {
        memory(l, mln_arena_failure(l->arena));
        return;
    }
    for (size_t i = 0; i < value->n; i++) {
        const struct mln_yaml *item = value->kind == MLN_YAML_SEQUENCE ? &value->items[i] : value;
        if (item->kind != MLN_YAML_MAPPING || item->n != 1 || value->kind != MLN_YAML_SEQUENCE) {
            mln_loader_error(l, item, "expected a list such as '- cis-debian-12: 5.1.20'");
            return;
        }
        struct mln_rule_standard *s = &standards[rule->n_standards];
        s->standard = mln_loader_text(l, &item->items[0], SLUG_MOST);
        s->control = mln_loader_text(l, &item->items[1], SLUG_MOST);
        rule->n_standards += s->standard.p && s->control.p;
    }
    rule->standards = standards;
}

static void read_resource_type(struct mln_loader *l, const struct mln_yaml *value, void *into)
{
    struct draft *d = into;
    d->rule.resource_type = mln_loader_text(l, value, TITLE_MOST);
    if (d->rule.resource_type.p && mln_str_find(d->rule.resource_type, MLN_S("/"), 0) == SIZE_MAX)
        mln_loader_error(l, value, "expected a resource type such as Microsoft.HybridCompute/machines");
}

static void read_preview(struct mln_loader *l, const struct mln_yaml *value, void *into)
{
    static const char *const words[] = {"false", "true", NULL};
    ((struct draft *)into)->rule.preview = mln_loader_word(l, value, words) == 1;
}

static void read_applies(struct mln_loader *l, const struct mln_yaml *value, void *into)
{
    ((struct draft *)into)->applies = value;
    ((struct draft *)into)->rule.applies_source = mln_loader_text(l, value, PROSE_MOST);
}

static void read_healthy(struct mln_loader *l, const struct mln_yaml *value, void *into)
{
    ((struct draft *)into)->healthy = value;
    ((struct draft *)into)->rule.healthy_source = mln_loader_text(l, value, PROSE_MOST);
}

static void read_found(struct mln_loader *l, const struct mln_yaml *value, void *into)
{
    ((struct draft *)into)->found = value;
    ((struct draft *)into)->rule.found_source = mln_loader_text(l, value, PROSE_MOST);
}

static void read_needs(struct mln_loader *l, const struct mln_yaml *value, void *into)
{
    struct mln_rule *rule = &((struct draft *)into)->rule;
    rule->needs = mln_loader_texts(l, value, &rule->n_needs);
}

static void read_examples(struct mln_loader *l, const struct mln_yaml *value, void *into)
{
    ((struct draft *)into)->examples = value;
    if (value->kind != MLN_YAML_SEQUENCE)
        mln_loader_error(l, value, "expected a list of examples");
}

static const struct mln_yaml_member rule_members[] = {
    {"id", true, read_id},
    {"key", false, read_key},
    {"title", true, read_title},
    {"description", true, read_description},
    {"remediation", true, read_remediation},
    {"severity", true, read_severity},
    {"category", true, read_category},
    {"effort", false, read_effort},
    {"userImpact", false, read_user_impact},
    {"threats", false, read_threats},
    {"tactics", false, read_tactics},
    {"techniques", false, read_techniques},
    {"controls", true, read_controls},
    {"standards", false, read_standards},
    {"resourceType", true, read_resource_type},
    {"preview", false, read_preview},
    {"applies", false, read_applies},
    {"healthy", true, read_healthy},
    {"found", false, read_found},
    {"needs", false, read_needs},
    {"examples", true, read_examples},
    {NULL, false, NULL},
};

/* ---- programs ---- */

/* The environment of a resource type, made when it is new. NULL: no memory. */
static struct mln_expr_env *env_of(struct mln_loader *l, struct mln_str type)
{
    for (size_t i = 0; i < l->types.n; i++)
        if (mln_str_eq_nocase(l->types.at[i].resource_type, type))
            return l->types.at[i].env;
    struct mln_expr_env *env = mln_expr_env_new(MLN_EXPR_RULES);
    if (!env) {
        memory(l, mln_fail(MLN_E_MEMORY, "no memory for an environment"));
        return NULL;
    }
    struct mln_result r = mln_vec_push(l->arena, &l->types, {type, env});
    if (!mln_ok(r))
        mln_expr_env_free(env);
    for (size_t i = 0; i < mln_n_type_variables && mln_ok(r); i++)
        if (mln_type_has(&mln_type_variables[i], type))
            r = mln_expr_env_variable(env, mln_str_c(mln_type_variables[i].name),
                                      mln_str_c(mln_type_variables[i].path));
    memory(l, r);
    return mln_ok(r) ? env : NULL;
}

/* The byte of a place that counts lines and code points from 1. */
static size_t offset_of(struct mln_str text, const struct mln_expr_error *place)
{
    size_t at = 0;
    for (uint32_t line = 1; line < place->line && at < text.n; line++) {
        size_t end = mln_str_find(text, MLN_S("\n"), at);
        at = end == SIZE_MAX ? text.n : end + 1;
    }
    for (uint32_t column = 1; column < place->column && at < text.n; column++)
        for (at++; at < text.n && ((unsigned char)text.p[at] & 0xC0) == 0x80;)
            at++;
    return at;
}

static struct mln_program *compile(struct mln_loader *l, struct draft *d, const struct mln_yaml *node)
{
    struct mln_program *program = NULL;
    struct mln_expr_error place = {0, 0};
    if (!node || node->kind != MLN_YAML_SCALAR || mln_str_trim(node->text).n == 0)
        return NULL;
    struct mln_result r = mln_cel_compile(d->env, node->text, &program, &place);
    if (mln_ok(r))
        return program;
    if (r.code == MLN_E_MEMORY) {
        memory(l, r);
        return NULL;
    }
    char prefix[32], text[512];
    int n = snprintf(prefix, sizeof prefix, "%u:%u: ", place.line, place.column);
    bool placed = strncmp(mln_error_text(), prefix, (size_t)n) == 0;
    snprintf(text, sizeof text, "%s", mln_error_text() + (placed ? n : 0));
    mln_loader_error_at(l, mln_yaml_place(node, l->text, offset_of(node->text, &place)), text);
    return NULL;
}

/* ---- needs ---- */

/* The section that a path lies in, where rules of the type need sections: "properties.facts.sshd". */
static bool section_of(struct mln_str path, struct mln_str type, struct mln_str *section)
{
    static const char *const about[] = {"errors", "collected", "agent", "truncated",
                                        NULL}; /* on the facts, none of them */
    for (size_t i = 0; i < mln_n_type_variables; i++) {
        const struct mln_type_variables *v = &mln_type_variables[i];
        struct mln_str base = mln_str_c(v->path);
        if (!v->needs_sections || !mln_type_has(v, type) || !mln_str_starts(path, base) || path.n <= base.n + 1 ||
            path.p[base.n] != '.')
            continue;
        struct mln_str rest = mln_str_sub(path, base.n + 1, path.n), name;
        mln_str_cut(&rest, '.', &name);
        for (size_t j = 0; about[j]; j++)
            if (mln_str_eq(name, mln_str_c(about[j])))
                return false;
        *section = mln_str_sub(path, 0, base.n + 1 + name.n);
        return true;
    }
    return false;
}

static void add_needs(struct mln_loader *l, struct mln_rule *rule, struct mln_str *needs,
                      const struct mln_program *program)
{
    const struct mln_str *paths;
    size_t n = program ? mln_program_paths(program, &paths) : 0;
    for (size_t i = 0; i < n; i++) {
        struct mln_str section;
        bool seen = !section_of(paths[i], rule->resource_type, &section) || rule->n_needs == NEEDS_MOST;
        for (size_t j = 0; j < rule->n_needs && !seen; j++)
            seen = mln_str_eq(needs[j], section);
        if (seen)
            continue;
        needs[rule->n_needs] = mln_str_dup(l->arena, section);
        if (needs[rule->n_needs].p)
            rule->n_needs++;
        else
            memory(l, mln_arena_failure(l->arena));
    }
}

static void derive_needs(struct mln_loader *l, struct mln_rule *rule)
{
    struct mln_str *needs = mln_arena_array(l->arena, NEEDS_MOST, sizeof *needs);
    if (!needs) {
        memory(l, mln_arena_failure(l->arena));
        return;
    }
    add_needs(l, rule, needs, rule->applies);
    add_needs(l, rule, needs, rule->healthy);
    rule->needs = needs;
}

/* ---- examples ---- */

struct example_draft {
    struct mln_rule_example example;
    const struct mln_yaml *resource, *properties, *facts;
};

static void read_example_name(struct mln_loader *l, const struct mln_yaml *value, void *into)
{
    ((struct example_draft *)into)->example.name = mln_loader_text(l, value, TITLE_MOST);
}

static void read_expect(struct mln_loader *l, const struct mln_yaml *value, void *into)
{
    int word = mln_loader_word(l, value, mln_status_words);
    ((struct example_draft *)into)->example.expect = word < 0 ? MLN_HEALTHY : (enum mln_status)word;
}

static void read_resource(struct mln_loader *l, const struct mln_yaml *value, void *into)
{
    (void)l;
    ((struct example_draft *)into)->resource = value;
}

static void read_properties(struct mln_loader *l, const struct mln_yaml *value, void *into)
{
    (void)l;
    ((struct example_draft *)into)->properties = value;
}

static void read_facts(struct mln_loader *l, const struct mln_yaml *value, void *into)
{
    (void)l;
    ((struct example_draft *)into)->facts = value;
}

static const struct mln_yaml_member example_members[] = {
    {"name", true, read_example_name},      {"expect", true, read_expect}, {"resource", false, read_resource},
    {"properties", false, read_properties}, {"facts", false, read_facts},  {NULL, false, NULL},
};

/* Fills in what an example leaves out: id, name, type, and the objects around its part. */
static struct mln_result complete(struct mln_loader *l, const struct mln_rule *rule, const struct example_draft *d,
                                  struct mln_json *out)
{
    struct mln_json_object root = {0}, properties = {0};
    struct mln_json part;
    const struct mln_yaml *given = d->resource ? d->resource : d->properties ? d->properties : d->facts;
    MLN_TRY(mln_yaml_to_json(l->arena, given, &part));
    for (size_t i = 0; d->resource && i < part.n; i++)
        MLN_TRY(mln_json_add(l->arena, &root, part.members[i].name, part.members[i].value));
    if (!mln_json_get(d->resource ? &part : NULL, MLN_S("type")))
        MLN_TRY(mln_json_add(l->arena, &root, MLN_S("type"), mln_json_of_str(rule->resource_type)));
    if (!mln_json_get(d->resource ? &part : NULL, MLN_S("name")))
        MLN_TRY(mln_json_add(l->arena, &root, MLN_S("name"), mln_json_of_str(MLN_S("example"))));
    if (!mln_json_get(d->resource ? &part : NULL, MLN_S("id"))) {
        struct mln_str id, type = rule->resource_type;
        MLN_TRY_STR(
            l->arena, id,
            mln_str_printf(l->arena,
                           "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/examples/providers/"
                           "%.*s/example",
                           MLN_FMT(type)));
        MLN_TRY(mln_json_add(l->arena, &root, MLN_S("id"), mln_json_of_str(id)));
    }
    if (d->facts) {
        MLN_TRY(mln_json_add(l->arena, &properties, MLN_S("facts"), part));
        part = mln_json_object_done(&properties);
    }
    if (!d->resource)
        MLN_TRY(mln_json_add(l->arena, &root, MLN_S("properties"), part));
    *out = mln_json_object_done(&root);
    return MLN_OK;
}

static bool has_variable(struct mln_str type, const char *name)
{
    for (size_t i = 0; i < mln_n_type_variables; i++)
        if (mln_type_has(&mln_type_variables[i], type) && strcmp(mln_type_variables[i].name, name) == 0)
            return true;
    return false;
}

static bool read_example(struct mln_loader *l, const struct mln_rule *rule, const struct mln_yaml *node,
                         struct mln_rule_example *out)
{
    struct example_draft d = {.example.line = node->line};
    size_t errors = l->file_errors;
    mln_loader_members(l, node, example_members, &d);
    if (l->file_errors != errors)
        return false;
    const struct mln_yaml *given = d.resource ? d.resource : d.properties ? d.properties : d.facts;
    if (!!d.resource + !!d.properties + !!d.facts != 1 || given->kind != MLN_YAML_MAPPING) {
        mln_loader_error(l, node, "an example has one mapping: 'facts', 'properties' or 'resource'");
        return false;
    }
    if (d.facts && rule->resource_type.p && !has_variable(rule->resource_type, "facts")) {
        mln_loader_error(l, d.facts, "resources of type %.*s have no facts", MLN_FMT(rule->resource_type));
        return false;
    }
    struct mln_json *resource = mln_arena_alloc(l->arena, sizeof *resource);
    struct mln_result r = resource ? complete(l, rule, &d, resource) : mln_arena_failure(l->arena);
    memory(l, r);
    *out = d.example;
    out->resource = resource;
    return mln_ok(r);
}

static void make_examples(struct mln_loader *l, struct mln_rule *rule, const struct mln_yaml *node)
{
    bool seen[MLN_NOT_APPLICABLE + 1] = {false};
    struct mln_rule_example *examples = mln_arena_array(l->arena, node->n, sizeof *examples);
    size_t errors = l->file_errors;
    if (!examples) {
        memory(l, mln_arena_failure(l->arena));
        return;
    }
    for (size_t i = 0; node->kind == MLN_YAML_SEQUENCE && i < node->n; i++)
        if (read_example(l, rule, &node->items[i], &examples[rule->n_examples]))
            seen[examples[rule->n_examples++].expect] = true;
    rule->examples = examples;
    if (l->file_errors == errors && (!seen[MLN_HEALTHY] || !seen[MLN_UNHEALTHY]))
        mln_loader_error(l, node, "at least one example must be Healthy and one Unhealthy");
}

/* ---- the whole ---- */

static void check_unique(struct mln_loader *l, const struct draft *d)
{
    const union mln_map_value *other = mln_map_get(l->ids, d->rule.id);
    if (other) {
        mln_loader_error(l, d->id, "the id '%.*s' is used by %.*s already", MLN_FMT(d->rule.id),
                         MLN_FMT(l->rules.at[other->u].file));
        return;
    }
    other = mln_map_get(l->keys, d->rule.key);
    if (other)
        mln_loader_error(l, d->id, "the key %.*s is used by %.*s already", MLN_FMT(d->rule.key),
                         MLN_FMT(l->rules.at[other->u].file));
}

static void keep(struct mln_loader *l, const struct mln_rule *rule)
{
    struct mln_result r = mln_vec_push(l->arena, &l->rules, *rule);
    if (mln_ok(r))
        r = mln_map_put(l->ids, rule->id, (union mln_map_value){.u = l->rules.n - 1});
    if (mln_ok(r))
        r = mln_map_put(l->keys, rule->key, (union mln_map_value){.u = l->rules.n - 1});
    memory(l, r);
}

void mln_loader_rule(struct mln_loader *l, const struct mln_yaml *root)
{
    struct draft d = {.rule = {.file = l->file, .version = l->version}};
    mln_loader_members(l, root, rule_members, &d);
    struct mln_rule *rule = &d.rule;
    if (rule->resource_type.p && mln_ok(l->failed))
        d.env = env_of(l, rule->resource_type);
    if (d.env) {
        rule->applies = compile(l, &d, d.applies);
        rule->healthy = compile(l, &d, d.healthy);
        rule->found = compile(l, &d, d.found);
        if (!rule->needs)
            derive_needs(l, rule);
    }
    if (d.examples)
        make_examples(l, rule, d.examples);
    if (rule->id.p && !rule->key.p && mln_ok(l->failed))
        memory(l, mln_loader_key(l->arena, "rule", rule->id, &rule->key));
    if (l->file_errors == 0 && mln_ok(l->failed))
        check_unique(l, &d);
    if (l->file_errors == 0 && mln_ok(l->failed)) {
        keep(l, rule);
        if (mln_ok(l->failed))
            return;
        l->rules.n -= l->rules.n > 0 && l->rules.at[l->rules.n - 1].id.p == rule->id.p;
    }
    mln_program_free(rule->applies);
    mln_program_free(rule->healthy);
    mln_program_free(rule->found);
}
