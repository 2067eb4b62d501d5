#include "content/loader.h"

#include "base/suggest.h"
#include "crypto/random.h"

#include <stdarg.h>

enum { ERRORS_MOST = 10000 };

static void fatal(struct mln_loader *l, struct mln_result r)
{
    if (mln_ok(l->failed))
        l->failed = r;
}

void mln_loader_error_at(struct mln_loader *l, struct mln_yaml_error place, const char *text)
{
    l->file_errors++;
    if (l->errors.n >= ERRORS_MOST)
        return;
    struct mln_rule_error error = {.file = l->file, .line = place.line, .column = place.column};
    error.text = mln_str_dup(l->arena, mln_str_c(text));
    if (!error.text.p)
        fatal(l, mln_arena_failure(l->arena));
    else
        fatal(l, mln_vec_push(l->arena, &l->errors, error));
}

void mln_loader_error(struct mln_loader *l, const struct mln_yaml *node, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    mln_loader_error_at(l, node ? (struct mln_yaml_error){node->line, node->column} : (struct mln_yaml_error){0, 0},
                        text);
}

static const struct mln_yaml_member *member_named(const struct mln_yaml_member *members, struct mln_str name)
{
    for (; members->name; members++)
        if (mln_str_eq(name, mln_str_c(members->name)))
            return members;
    return NULL;
}

static void unknown_member(struct mln_loader *l, const struct mln_yaml *key, const struct mln_yaml_member *members)
{
    struct mln_suggestion near = {.word = key->text};
    char text[MLN_SUGGEST_TEXT];
    for (; members->name; members++)
        mln_suggest(&near, mln_str_c(members->name));
    mln_loader_error(l, key, "unknown member '%.*s'%s", MLN_FMT(mln_str_sub(key->text, 0, 100)),
                     mln_suggest_text(&near, text));
}

void mln_loader_members(struct mln_loader *l, const struct mln_yaml *node, const struct mln_yaml_member *members,
                        void *into)
{
    if (node->kind != MLN_YAML_MAPPING) {
        mln_loader_error(l, node, "expected members such as '%s: ...'", members->name);
        return;
    }
    for (size_t i = 0; i < node->n; i++) {
        const struct mln_yaml_member *member = member_named(members, node->items[2 * i].text);
        if (member)
            member->read(l, &node->items[2 * i + 1], into);
        else
            unknown_member(l, &node->items[2 * i], members);
    }
    for (; members->name; members++)
        if (members->required && !mln_yaml_get(node, mln_str_c(members->name)))
            mln_loader_error(l, node, "the member '%s' is missing", members->name);
}

struct mln_str mln_loader_text(struct mln_loader *l, const struct mln_yaml *node, size_t most)
{
    struct mln_str text = {NULL, 0};
    if (node->kind != MLN_YAML_SCALAR) {
        mln_loader_error(l, node, "expected a text");
        return text;
    }
    struct mln_str trimmed = mln_str_trim(node->text);
    if (trimmed.n == 0)
        mln_loader_error(l, node, "the text is empty");
    else if (trimmed.n > most)
        mln_loader_error(l, node, "the text has %zu bytes, at most %zu are allowed", trimmed.n, most);
    else if (!(text = mln_str_dup(l->arena, trimmed)).p)
        fatal(l, mln_arena_failure(l->arena));
    return text;
}

const struct mln_str *mln_loader_texts(struct mln_loader *l, const struct mln_yaml *node, size_t *n)
{
    enum { ITEMS_MOST = 100, TEXT_MOST = 2000 };
    *n = 0;
    if (node->kind != MLN_YAML_SEQUENCE || node->n > ITEMS_MOST) {
        mln_loader_error(l, node, "expected a list of at most %d texts", ITEMS_MOST);
        return NULL;
    }
    struct mln_str *texts = mln_arena_array(l->arena, node->n, sizeof *texts);
    if (!texts) {
        fatal(l, mln_arena_failure(l->arena));
        return NULL;
    }
    for (size_t i = 0; i < node->n; i++)
        if ((texts[*n] = mln_loader_text(l, &node->items[i], TEXT_MOST)).p)
            ++*n;
    return texts;
}

int mln_loader_word(struct mln_loader *l, const struct mln_yaml *node, const char *const *words)
{
    struct mln_suggestion near = {.word = node->text};
    char text[MLN_SUGGEST_TEXT], all[200] = "";
    size_t used = 0;
    for (int i = 0; words[i]; i++) {
        struct mln_str word = mln_str_c(words[i]);
        if (node->kind == MLN_YAML_SCALAR && mln_str_eq(node->text, word))
            return i;
        mln_suggest(&near, word);
        if (used < sizeof all)
            used += (size_t)snprintf(all + used, sizeof all - used, "%s%s", i ? ", " : "", words[i]);
    }
    mln_loader_error(l, node, "found '%.*s', expected one of %s%s", MLN_FMT(mln_str_sub(node->text, 0, 60)), all,
                     mln_suggest_text(&near, text));
    return -1;
}

struct mln_result mln_loader_key(struct mln_arena *arena, const char *kind, struct mln_str id, struct mln_str *key)
{
    struct mln_uuid uuid;
    struct mln_str name;
    char text[MLN_UUID_TEXT];
    MLN_TRY_STR(arena, name, mln_str_printf(arena, "merlon:%s:%.*s", kind, MLN_FMT(id)));
    MLN_TRY(mln_uuid_from_name(&mln_uuid_space_url, name, &uuid));
    MLN_TRY_STR(arena, *key, mln_str_dup(arena, mln_uuid_text(&uuid, text)));
    return MLN_OK;
}
