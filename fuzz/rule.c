/*
 * Any text as a rule file: it becomes a rule whose examples can be judged, or errors with places inside of the text. Any
 * YAML becomes JSON that can be written, and each place of each scalar lies in the file.
 */
#include "content/ruleset.h"
#include "content/yaml.h"
#include "json/writer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint32_t lines_of(struct mln_str text)
{
    uint32_t lines = 1;
    for (size_t i = 0; i < text.n; i++)
        lines += text.p[i] == '\n' || text.p[i] == '\r';
    return lines;
}

static void check_places(const struct mln_yaml *yaml, struct mln_str file, uint32_t lines)
{
    if (yaml->kind == MLN_YAML_SCALAR) {
        size_t middle = yaml->text.n / 2;
        struct mln_yaml_error place = mln_yaml_place(yaml, file, middle);
        if (place.line == 0 || place.column == 0 || place.line > lines)
            abort();
        return;
    }
    for (size_t i = 0; i < yaml->n * (yaml->kind == MLN_YAML_MAPPING ? 2 : 1); i++)
        check_places(&yaml->items[i], file, lines);
}

static void check_yaml(struct mln_str text)
{
    MLN_CLEANUP(mln_arena_free) struct mln_arena *arena = mln_arena_new(32 << 20);
    MLN_BUF_CLEANUP struct mln_buf out = MLN_BUF(32 << 20);
    struct mln_yaml *yaml;
    struct mln_yaml_error error;
    struct mln_json json;
    if (!mln_ok(mln_yaml_parse(arena, text, &yaml, &error))) {
        if (error.line == 0 || error.column == 0)
            abort();
        return;
    }
    check_places(yaml, text, lines_of(text));
    if (!mln_ok(mln_yaml_to_json(arena, yaml, &json)) || !mln_ok(mln_json_write(&out, &json, false)))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct mln_str text = {(const char *)data, size};
    MLN_CLEANUP(mln_ruleset_free) struct mln_ruleset *set = NULL;
    check_yaml(text);
    if (!mln_ok(mln_ruleset_parse(MLN_S("fuzz.yaml"), text, &set)))
        abort();
    if (set->n_rules + set->n_errors == 0)
        abort();
    for (size_t i = 0; i < set->n_errors; i++)
        if (set->errors[i].line == 0 || set->errors[i].column == 0)
            abort();
    for (size_t i = 0; i < set->n_rules; i++)
        if (!set->rules[i].healthy || set->rules[i].n_examples < 2 || set->rules[i].key.n != 36)
            abort();
    return 0;
}
