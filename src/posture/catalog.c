#include "posture/catalog.h"

#include "json/writer.h"

enum {
    CATALOG_BYTES = 64 << 20,
    MAX_RULES = 65536,
    MAX_CONTROLS = 4096,
};

static struct mln_result new_catalog(struct mln_catalog **out)
{
    struct mln_arena *arena MLN_CLEANUP(mln_arena_free) = mln_arena_new(CATALOG_BYTES);
    if (!arena)
        return mln_fail(MLN_E_MEMORY, "no memory for a catalog");
    MLN_TRY_NEW(arena, *out);
    (*out)->arena = MLN_TAKE(arena);
    return MLN_OK;
}

void mln_catalog_free(struct mln_catalog *catalog)
{
    if (catalog)
        mln_arena_free(catalog->arena);
}

int mln_by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static struct mln_result copy_numbers(struct mln_arena *arena, const uint32_t *from, size_t n, uint32_t **out)
{
    MLN_TRY_ARRAY(arena, *out, n);
    if (n)
        memcpy(*out, from, n * sizeof *from);
    qsort(*out, n, sizeof **out, mln_by_number);
    return MLN_OK;
}

static struct mln_result copy_rule(struct mln_catalog *catalog, const struct mln_rule *from,
                                   struct mln_catalog_rule *rule)
{
    struct mln_arena *arena = catalog->arena;
    uint32_t *controls;
    if (from->n_controls > MLN_RULE_MAX_CONTROLS)
        return mln_fail(MLN_E_LIMIT, "the rule '%.*s' is in more than %d controls", MLN_FMT(from->id),
                        MLN_RULE_MAX_CONTROLS);
    rule->n_controls = from->preview ? 0 : (uint32_t)from->n_controls;
    MLN_TRY_STR(arena, rule->id, mln_str_dup(arena, from->id));
    MLN_TRY_STR(arena, rule->key, mln_str_dup(arena, from->key));
    MLN_TRY_STR(arena, rule->version, mln_str_dup(arena, from->version));
    MLN_TRY(copy_numbers(arena, from->controls, rule->n_controls, &controls));
    rule->controls = controls;
    rule->first_pair = catalog->n_pairs;
    catalog->n_pairs += rule->n_controls;
    return MLN_OK;
}

struct mln_result mln_catalog_of(const struct mln_ruleset *set, struct mln_catalog **out)
{
    struct mln_catalog *catalog MLN_CLEANUP(mln_catalog_free) = NULL;
    if (set->n_rules > MAX_RULES || set->n_controls > MAX_CONTROLS)
        return mln_fail(MLN_E_LIMIT, "a rule set may have %d rules and %d controls", MAX_RULES, MAX_CONTROLS);
    MLN_TRY(new_catalog(&catalog));
    struct mln_arena *arena = catalog->arena;
    struct mln_catalog_control *controls;
    struct mln_catalog_rule *rules;
    struct mln_catalog_type *types;
    MLN_TRY_ARRAY(arena, controls, set->n_controls);
    MLN_TRY_ARRAY(arena, rules, set->n_rules);
    MLN_TRY_ARRAY(arena, types, set->n_types);
    MLN_TRY_STR(arena, catalog->version, mln_str_dup(arena, set->version));
    for (size_t i = 0; i < set->n_controls; i++) {
        MLN_TRY_STR(arena, controls[i].id, mln_str_dup(arena, set->controls[i].id));
        controls[i].max_points = set->controls[i].max_points;
    }
    for (size_t i = 0; i < set->n_rules; i++)
        MLN_TRY(copy_rule(catalog, &set->rules[i], &rules[i]));
    for (size_t i = 0; i < set->n_types; i++) {
        uint32_t *numbers;
        MLN_TRY_STR(arena, types[i].name, mln_str_dup(arena, set->types[i].resource_type));
        MLN_TRY(copy_numbers(arena, set->types[i].rules, set->types[i].n_rules, &numbers));
        types[i].rules = numbers;
        types[i].n_rules = (uint32_t)set->types[i].n_rules;
    }
    catalog->controls = controls;
    catalog->rules = rules;
    catalog->types = types;
    catalog->n_controls = (uint32_t)set->n_controls;
    catalog->n_rules = (uint32_t)set->n_rules;
    catalog->n_types = (uint32_t)set->n_types;
    *out = MLN_TAKE(catalog);
    return MLN_OK;
}

uint32_t mln_catalog_type(const struct mln_catalog *catalog, struct mln_str name)
{
    for (uint32_t i = 0; i < catalog->n_types; i++)
        if (mln_str_eq_nocase(catalog->types[i].name, name))
            return i;
    return MLN_NO_TYPE;
}

/* ---- as text: {"version", "controls": [[id, max]], "rules": [[id, key, version, [control]]], "types": [[name, [rule]]]} ---- */

static void put_numbers(struct mln_json_writer *w, const uint32_t *numbers, uint32_t n)
{
    mln_json_begin_array(w);
    for (uint32_t i = 0; i < n; i++)
        mln_json_put_i64(w, numbers[i]);
    mln_json_end_array(w);
}

struct mln_result mln_catalog_write(const struct mln_catalog *catalog, struct mln_buf *out)
{
    struct mln_json_writer w = mln_json_writer(out);
    mln_json_begin_object(&w);
    mln_json_member_str(&w, "version", catalog->version);
    mln_json_name(&w, MLN_S("controls"));
    mln_json_begin_array(&w);
    for (uint32_t i = 0; i < catalog->n_controls; i++) {
        mln_json_begin_array(&w);
        mln_json_put_str(&w, catalog->controls[i].id);
        mln_json_put_i64(&w, catalog->controls[i].max_points);
        mln_json_end_array(&w);
    }
    mln_json_end_array(&w);
    mln_json_name(&w, MLN_S("rules"));
    mln_json_begin_array(&w);
    for (uint32_t i = 0; i < catalog->n_rules; i++) {
        mln_json_begin_array(&w);
        mln_json_put_str(&w, catalog->rules[i].id);
        mln_json_put_str(&w, catalog->rules[i].key);
        mln_json_put_str(&w, catalog->rules[i].version);
        put_numbers(&w, catalog->rules[i].controls, catalog->rules[i].n_controls);
        mln_json_end_array(&w);
    }
    mln_json_end_array(&w);
    mln_json_name(&w, MLN_S("types"));
    mln_json_begin_array(&w);
    for (uint32_t i = 0; i < catalog->n_types; i++) {
        mln_json_begin_array(&w);
        mln_json_put_str(&w, catalog->types[i].name);
        put_numbers(&w, catalog->types[i].rules, catalog->types[i].n_rules);
        mln_json_end_array(&w);
    }
    mln_json_end_array(&w);
    mln_json_end_object(&w);
    return mln_json_writer_end(&w);
}

static struct mln_result corrupt(const char *what)
{
    return mln_fail(MLN_E_CORRUPT, "the stored catalog of rules: %s", what);
}

/* The rows of a member: arrays of so many columns. */
static struct mln_result read_rows(const struct mln_json *json, const char *name, uint32_t columns, uint32_t most,
                                   const struct mln_json **rows)
{
    *rows = mln_json_get(json, mln_str_c(name));
    if (!mln_json_is(*rows, MLN_JSON_ARRAY) || (*rows)->n > most)
        return corrupt(name);
    for (uint32_t i = 0; i < (*rows)->n; i++)
        if ((*rows)->items[i].kind != MLN_JSON_ARRAY || (*rows)->items[i].n != columns)
            return corrupt(name);
    return MLN_OK;
}

static struct mln_result read_text(struct mln_arena *arena, const struct mln_json *json, struct mln_str *out)
{
    if (!mln_json_is(json, MLN_JSON_STRING))
        return corrupt("a text is missing");
    MLN_TRY_STR(arena, *out, mln_str_dup(arena, mln_json_str(json, MLN_S(""))));
    return MLN_OK;
}

/* Ascending numbers below end. */
static struct mln_result read_numbers(struct mln_arena *arena, const struct mln_json *json, uint32_t end,
                                      const uint32_t **out, uint32_t *n)
{
    uint32_t *numbers;
    if (!mln_json_is(json, MLN_JSON_ARRAY) || json->n > end)
        return corrupt("a list of numbers is missing or too long");
    MLN_TRY_ARRAY(arena, numbers, json->n);
    for (uint32_t i = 0; i < json->n; i++) {
        int64_t number = mln_json_i64(&json->items[i], -1);
        if (number < 0 || number >= end || (i > 0 && number <= numbers[i - 1]))
            return corrupt("a number is out of range or out of order");
        numbers[i] = (uint32_t)number;
    }
    *out = numbers;
    *n = json->n;
    return MLN_OK;
}

static struct mln_result read_controls(struct mln_catalog *catalog, const struct mln_json *json)
{
    const struct mln_json *rows;
    struct mln_catalog_control *controls;
    MLN_TRY(read_rows(json, "controls", 2, MAX_CONTROLS, &rows));
    MLN_TRY_ARRAY(catalog->arena, controls, rows->n);
    for (uint32_t i = 0; i < rows->n; i++) {
        int64_t max = mln_json_i64(&rows->items[i].items[1], -1);
        if (max < 0 || max > INT32_MAX)
            return corrupt("the points of a control");
        MLN_TRY(read_text(catalog->arena, &rows->items[i].items[0], &controls[i].id));
        controls[i].max_points = (int32_t)max;
    }
    catalog->controls = controls;
    catalog->n_controls = rows->n;
    return MLN_OK;
}

static struct mln_result read_rules(struct mln_catalog *catalog, const struct mln_json *json)
{
    const struct mln_json *rows;
    struct mln_catalog_rule *rules;
    MLN_TRY(read_rows(json, "rules", 4, MAX_RULES, &rows));
    MLN_TRY_ARRAY(catalog->arena, rules, rows->n);
    for (uint32_t i = 0; i < rows->n; i++) {
        const struct mln_json *column = rows->items[i].items;
        struct mln_catalog_rule *rule = &rules[i];
        MLN_TRY(read_text(catalog->arena, &column[0], &rule->id));
        MLN_TRY(read_text(catalog->arena, &column[1], &rule->key));
        MLN_TRY(read_text(catalog->arena, &column[2], &rule->version));
        MLN_TRY(read_numbers(catalog->arena, &column[3], catalog->n_controls, &rule->controls, &rule->n_controls));
        if (rule->n_controls > MLN_RULE_MAX_CONTROLS)
            return corrupt("a rule is in too many controls");
        if (i > 0 && mln_str_cmp(rules[i - 1].id, rule->id) >= 0)
            return corrupt("the rules are out of order");
        rule->first_pair = catalog->n_pairs;
        catalog->n_pairs += rule->n_controls;
    }
    catalog->rules = rules;
    catalog->n_rules = rows->n;
    return MLN_OK;
}

static struct mln_result read_types(struct mln_catalog *catalog, const struct mln_json *json)
{
    const struct mln_json *rows;
    struct mln_catalog_type *types;
    MLN_TRY(read_rows(json, "types", 2, MAX_RULES, &rows));
    MLN_TRY_ARRAY(catalog->arena, types, rows->n);
    for (uint32_t i = 0; i < rows->n; i++) {
        const struct mln_json *column = rows->items[i].items;
        MLN_TRY(read_text(catalog->arena, &column[0], &types[i].name));
        MLN_TRY(read_numbers(catalog->arena, &column[1], catalog->n_rules, &types[i].rules, &types[i].n_rules));
    }
    catalog->types = types;
    catalog->n_types = rows->n;
    return MLN_OK;
}

struct mln_result mln_catalog_read(struct mln_str text, struct mln_catalog **out)
{
    struct mln_catalog *catalog MLN_CLEANUP(mln_catalog_free) = NULL;
    struct mln_arena *scratch MLN_CLEANUP(mln_arena_free) = mln_arena_new(CATALOG_BYTES);
    const struct mln_json *json;
    if (!scratch)
        return mln_fail(MLN_E_MEMORY, "no memory to read a catalog");
    MLN_TRY(new_catalog(&catalog));
    if (!mln_ok(mln_json_parse(scratch, text, CATALOG_BYTES, &json)))
        return corrupt("it is no JSON");
    MLN_TRY(read_text(catalog->arena, mln_json_get(json, MLN_S("version")), &catalog->version));
    MLN_TRY(read_controls(catalog, json));
    MLN_TRY(read_rules(catalog, json));
    MLN_TRY(read_types(catalog, json));
    *out = MLN_TAKE(catalog);
    return MLN_OK;
}
