#include "content/yaml.h"

#include "base/map.h"
#include "base/vec.h"

#include <yaml.h>

struct reader {
    struct mln_arena *arena;
    yaml_parser_t parser;
    yaml_event_t event; /* the current one */
    bool has_event;
    int depth;
    struct mln_yaml_error *place;
};

static struct mln_yaml_error place_of(yaml_mark_t mark)
{
    return (struct mln_yaml_error){(uint32_t)mark.line + 1, (uint32_t)mark.column + 1};
}

static void done(struct reader *r)
{
    if (r->has_event)
        yaml_event_delete(&r->event);
    yaml_parser_delete(&r->parser);
}

static struct mln_result next(struct reader *r)
{
    if (r->has_event)
        yaml_event_delete(&r->event);
    r->has_event = yaml_parser_parse(&r->parser, &r->event) != 0;
    if (r->has_event) {
        *r->place = place_of(r->event.start_mark);
        return MLN_OK;
    }
    *r->place = place_of(r->parser.problem_mark);
    if (r->parser.error == YAML_MEMORY_ERROR)
        return mln_fail(MLN_E_MEMORY, "no memory for reading YAML");
    const char *problem = r->parser.problem ? r->parser.problem : "not YAML";
    if (r->parser.context)
        return mln_fail(MLN_E_SYNTAX, "%s, %s", r->parser.context, problem);
    return mln_fail(MLN_E_SYNTAX, "%s", problem);
}

static struct mln_result refuse_extras(const void *anchor, const void *tag)
{
    if (anchor)
        return mln_fail(MLN_E_UNSUPPORTED, "anchors are not supported");
    return tag ? mln_fail(MLN_E_UNSUPPORTED, "tags are not supported") : MLN_OK;
}

static MLN_RESULT read_node(struct reader *r, struct mln_yaml *out);

static struct mln_result read_scalar(struct reader *r, struct mln_yaml *out)
{
    const yaml_char_t *value = r->event.data.scalar.value;
    MLN_TRY(refuse_extras(r->event.data.scalar.anchor, r->event.data.scalar.tag));
    struct mln_str text = {(const char *)value, r->event.data.scalar.length};
    MLN_TRY_STR(r->arena, out->text, mln_str_dup(r->arena, text));
    yaml_scalar_style_t style = r->event.data.scalar.style;
    out->style = style == YAML_SINGLE_QUOTED_SCALAR_STYLE                                  ? MLN_YAML_QUOTED
                 : style == YAML_DOUBLE_QUOTED_SCALAR_STYLE                                ? MLN_YAML_DOUBLE_QUOTED
                 : style == YAML_LITERAL_SCALAR_STYLE || style == YAML_FOLDED_SCALAR_STYLE ? MLN_YAML_BLOCK
                                                                                           : MLN_YAML_PLAIN;
    return MLN_OK;
}

static struct mln_result read_sequence(struct reader *r, struct mln_yaml *out)
{
    MLN_VEC(struct mln_yaml) items = {0};
    out->kind = MLN_YAML_SEQUENCE;
    MLN_TRY(refuse_extras(r->event.data.sequence_start.anchor, r->event.data.sequence_start.tag));
    MLN_TRY(next(r));
    while (r->event.type != YAML_SEQUENCE_END_EVENT) {
        struct mln_yaml item;
        MLN_TRY(read_node(r, &item));
        MLN_TRY(mln_vec_push(r->arena, &items, item));
        MLN_TRY(next(r));
    }
    out->items = items.at;
    out->n = items.n;
    return MLN_OK;
}

static struct mln_result read_mapping(struct reader *r, struct mln_yaml *out)
{
    MLN_VEC(struct mln_yaml) items = {0};
    MLN_CLEANUP(mln_map_free) struct mln_map *seen = mln_map_new(false);
    if (!seen)
        return mln_fail(MLN_E_MEMORY, "no memory for reading YAML");
    out->kind = MLN_YAML_MAPPING;
    MLN_TRY(refuse_extras(r->event.data.mapping_start.anchor, r->event.data.mapping_start.tag));
    MLN_TRY(next(r));
    while (r->event.type != YAML_MAPPING_END_EVENT) {
        struct mln_yaml key, value;
        if (r->event.type != YAML_SCALAR_EVENT && r->event.type != YAML_ALIAS_EVENT)
            return mln_fail(MLN_E_UNSUPPORTED, "a key must be a plain or quoted text");
        MLN_TRY(read_node(r, &key));
        if (mln_map_get(seen, key.text))
            return mln_fail(MLN_E_INVALID, "the key '%.*s' is repeated", MLN_FMT(mln_str_sub(key.text, 0, 100)));
        MLN_TRY(mln_map_put(seen, key.text, (union mln_map_value){.u = 1}));
        MLN_TRY(next(r));
        MLN_TRY(read_node(r, &value));
        MLN_TRY(mln_vec_push(r->arena, &items, key));
        MLN_TRY(mln_vec_push(r->arena, &items, value));
        MLN_TRY(next(r));
    }
    out->items = items.at;
    out->n = items.n / 2;
    return MLN_OK;
}

/* The node that begins with the current event; ends at its last event. */
static struct mln_result read_node(struct reader *r, struct mln_yaml *out)
{
    *out = (struct mln_yaml){.line = r->place->line, .column = r->place->column};
    if (r->event.type == YAML_SCALAR_EVENT)
        return read_scalar(r, out);
    if (r->event.type == YAML_ALIAS_EVENT)
        return mln_fail(MLN_E_UNSUPPORTED, "aliases are not supported");
    if (r->depth >= MLN_YAML_MAX_DEPTH)
        return mln_fail(MLN_E_LIMIT, "nested deeper than %d levels", MLN_YAML_MAX_DEPTH);
    r->depth++;
    struct mln_result result =
        r->event.type == YAML_SEQUENCE_START_EVENT ? read_sequence(r, out) : read_mapping(r, out);
    r->depth--;
    return result;
}

static struct mln_result read_document(struct reader *r, struct mln_yaml *out)
{
    MLN_TRY(next(r)); /* the stream's start */
    MLN_TRY(next(r));
    if (r->event.type == YAML_STREAM_END_EVENT) {
        *out = (struct mln_yaml){.line = 1, .column = 1, .text = MLN_S("")};
        return MLN_OK;
    }
    if (r->event.data.document_start.tag_directives.start != r->event.data.document_start.tag_directives.end)
        return mln_fail(MLN_E_UNSUPPORTED, "tags are not supported");
    MLN_TRY(next(r));
    MLN_TRY(read_node(r, out));
    MLN_TRY(next(r)); /* the document's end */
    MLN_TRY(next(r));
    return r->event.type == YAML_STREAM_END_EVENT
               ? MLN_OK
               : mln_fail(MLN_E_UNSUPPORTED, "a file holds one document, here begins "
                                             "another one");
}

struct mln_result mln_yaml_parse(struct mln_arena *arena, struct mln_str text, struct mln_yaml **out,
                                 struct mln_yaml_error *error)
{
    struct reader r = {.arena = arena, .place = error};
    *error = (struct mln_yaml_error){1, 1};
    if (text.n > MLN_YAML_MAX_BYTES)
        return mln_fail(MLN_E_LIMIT, "a file may have %d bytes, this one has %zu", MLN_YAML_MAX_BYTES, text.n);
    if (!mln_str_is_utf8(text))
        return mln_fail(MLN_E_SYNTAX, "the file is not UTF-8");
    MLN_TRY_NEW(arena, *out);
    if (!yaml_parser_initialize(&r.parser))
        return mln_fail(MLN_E_MEMORY, "no memory for reading YAML");
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)(text.n ? text.p : ""), text.n);
    struct mln_result result = read_document(&r, *out);
    done(&r);
    return result;
}

const struct mln_yaml *mln_yaml_get(const struct mln_yaml *mapping, struct mln_str key)
{
    for (size_t i = 0; mapping->kind == MLN_YAML_MAPPING && i < mapping->n; i++)
        if (mln_str_eq(mapping->items[2 * i].text, key))
            return &mapping->items[2 * i + 1];
    return NULL;
}

/* ---- JSON ---- */

static bool is_one_of(struct mln_str s, const char *const *words)
{
    for (size_t i = 0; words[i]; i++)
        if (mln_str_eq(s, mln_str_c(words[i])))
            return true;
    return false;
}

/* A whole number of the core schema: decimal, 0x or 0o. */
static bool whole_number(struct mln_str s, struct mln_json *out)
{
    int64_t i;
    uint64_t u;
    struct mln_str digits = s.n > 1 && s.p[0] == '+' && s.p[1] != '-' ? mln_str_sub(s, 1, s.n) : s;
    if (mln_ok(mln_str_to_i64(digits, &i))) {
        *out = mln_json_of_i64(i);
        return true;
    }
    if (mln_ok(mln_str_to_u64(digits, &u))) {
        *out = (struct mln_json){.kind = MLN_JSON_UINT, .u = u};
        return true;
    }
    bool hex = mln_str_starts(s, MLN_S("0x"));
    if ((!hex && !mln_str_starts(s, MLN_S("0o"))) || s.n < 3 || s.n > 17)
        return false;
    char *end;
    unsigned long long value = strtoull(s.p + 2, &end, hex ? 16 : 8);
    if (end != s.p + s.n || s.p[2] == '-' || s.p[2] == '+' || s.p[2] == ' ' || value > INT64_MAX)
        return false;
    *out = mln_json_of_i64((int64_t)value);
    return true;
}

/* [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )? */
static bool real_number(struct mln_str s, struct mln_json *out)
{
    size_t digits = 0;
    if (s.n == 0 || s.n > 100)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        if (!memchr("0123456789.eE+-", s.p[i], 15))
            return false;
        digits += s.p[i] >= '0' && s.p[i] <= '9';
    }
    char *end;
    double d = strtod(s.p, &end);
    if (digits == 0 || end != s.p + s.n || d > 1.7976931348623157e308 || d < -1.7976931348623157e308)
        return false;
    *out = mln_json_of_real(d);
    return true;
}

static void plain_scalar(struct mln_str s, struct mln_json *out)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
    static const char *const yes[] = {"true", "True", "TRUE", NULL}, *const no[] = {"false", "False", "FALSE", NULL};
    if (is_one_of(s, nulls))
        *out = mln_json_null;
    else if (is_one_of(s, yes) || is_one_of(s, no))
        *out = mln_json_of_bool(is_one_of(s, yes));
    else if (!whole_number(s, out) && !real_number(s, out))
        *out = mln_json_of_str(s);
}

struct mln_result mln_yaml_to_json(struct mln_arena *arena, const struct mln_yaml *yaml, struct mln_json *out)
{
    struct mln_json_object object = {0};
    struct mln_json_array array = {0};
    struct mln_str text;
    if (yaml->kind == MLN_YAML_SCALAR) {
        MLN_TRY_STR(arena, text, mln_str_dup(arena, yaml->text));
        if (yaml->style == MLN_YAML_PLAIN)
            plain_scalar(text, out);
        else
            *out = mln_json_of_str(text);
        return MLN_OK;
    }
    for (size_t i = 0; i < yaml->n; i++) {
        struct mln_json value;
        bool is_mapping = yaml->kind == MLN_YAML_MAPPING;
        MLN_TRY(mln_yaml_to_json(arena, &yaml->items[is_mapping ? 2 * i + 1 : i], &value));
        if (!is_mapping) {
            MLN_TRY(mln_json_append(arena, &array, value));
            continue;
        }
        MLN_TRY_STR(arena, text, mln_str_dup(arena, yaml->items[2 * i].text));
        MLN_TRY(mln_json_add(arena, &object, text, value));
    }
    *out = yaml->kind == MLN_YAML_MAPPING ? mln_json_object_done(&object) : mln_json_array_done(&array);
    return MLN_OK;
}

/* ---- places ---- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static size_t line_end(struct mln_str file, size_t at)
{
    while (at < file.n && file.p[at] != '\n')
        at++;
    return at;
}

/* The byte where a node begins. */
static size_t start_of(const struct mln_yaml *node, struct mln_str file)
{
    size_t at = 0;
    for (uint32_t line = 1; line < node->line && at < file.n; line++)
        at = line_end(file, at) + 1;
    for (uint32_t column = 1; column < node->column && at < file.n; column++)
        for (at++; at < file.n && ((unsigned char)file.p[at] & 0xC0) == 0x80;)
            at++;
    return at < file.n ? at : file.n;
}

struct mln_yaml_error mln_yaml_place(const struct mln_yaml *scalar, struct mln_str file, size_t offset)
{
    /* Blanks are what folding and indentation change: the other characters are counted off in text and file. */
    size_t marks = 0, at = start_of(scalar, file);
    for (size_t i = 0; i < offset && i < scalar->text.n; i++)
        marks += !is_blank(scalar->text.p[i]);
    if (scalar->style == MLN_YAML_BLOCK)
        at = line_end(file, at) + 1; /* behind "|" or ">-" */
    else if (scalar->style != MLN_YAML_PLAIN)
        at++;
    bool at_end = offset >= scalar->text.n; /* right behind the last character, not at what follows */
    for (; at < file.n && (marks > 0 || (!at_end && is_blank(file.p[at]))); at++) {
        if (is_blank(file.p[at]))
            continue;
        marks--;
        bool pair = (scalar->style == MLN_YAML_QUOTED && file.p[at] == '\'') ||
                    (scalar->style == MLN_YAML_DOUBLE_QUOTED && file.p[at] == '\\');
        at += pair;
    }
    struct mln_yaml_error place = {1, 1};
    for (size_t i = 0; i < at && i < file.n; i++) {
        place.column += ((unsigned char)file.p[i] & 0xC0) != 0x80;
        if (file.p[i] == '\n')
            place = (struct mln_yaml_error){place.line + 1, 1};
    }
    return place;
}
