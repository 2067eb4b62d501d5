#include "expr/type.h"

#include "base/suggest.h"

#define PLAIN(k) [k] = {.kind = k}
const struct mln_type mln_types[MLN_TYPE_NUMBER + 1] = {
    PLAIN(MLN_JSON_NULL),
    PLAIN(MLN_JSON_BOOL),
    PLAIN(MLN_JSON_INT),
    PLAIN(MLN_JSON_UINT),
    PLAIN(MLN_JSON_REAL),
    PLAIN(MLN_JSON_STRING),
    PLAIN(MLN_JSON_ARRAY),
    [MLN_JSON_OBJECT] = {.kind = MLN_VALUE_MAP},
    PLAIN(MLN_VALUE_BYTES),
    PLAIN(MLN_VALUE_MAP),
    PLAIN(MLN_VALUE_TIMESTAMP),
    PLAIN(MLN_VALUE_DURATION),
    PLAIN(MLN_VALUE_TYPE),
    PLAIN(MLN_VALUE_OPTIONAL),
    PLAIN(MLN_VALUE_IP),
    PLAIN(MLN_VALUE_CIDR),
    [MLN_VALUE_ERROR] = {.kind = MLN_VALUE_DYN},
    PLAIN(MLN_VALUE_DYN),
    PLAIN(MLN_TYPE_NUMBER),
};

#define LETTER(i)                                                                                                      \
    {                                                                                                                  \
        .kind = MLN_TYPE_PARAMETER, .index = i                                                                         \
    }
const struct mln_type mln_type_letters[MLN_TYPE_LETTERS] = {
    LETTER(0),  LETTER(1),  LETTER(2),  LETTER(3),  LETTER(4),  LETTER(5),  LETTER(6),  LETTER(7),  LETTER(8),
    LETTER(9),  LETTER(10), LETTER(11), LETTER(12), LETTER(13), LETTER(14), LETTER(15), LETTER(16), LETTER(17),
    LETTER(18), LETTER(19), LETTER(20), LETTER(21), LETTER(22), LETTER(23), LETTER(24), LETTER(25)};

const struct mln_type *mln_type_with(struct mln_arena *arena, const struct mln_type *like,
                                     const struct mln_type *const *of, size_t n)
{
    struct mln_type *made = mln_arena_alloc(arena, sizeof *made);
    if (!made)
        return NULL;
    *made = *like;
    made->n = (uint32_t)n;
    made->depth = 0;
    for (size_t i = 0; i < n; i++) {
        made->of[i] = of[i]->depth + 1 < MLN_TYPE_DEPTH_MOST ? of[i] : &mln_types[MLN_VALUE_DYN];
        if (made->depth <= made->of[i]->depth)
            made->depth = made->of[i]->depth + 1;
    }
    return made;
}

const struct mln_type *mln_type_list(struct mln_arena *arena, const struct mln_type *item)
{
    return mln_type_with(arena, &mln_types[MLN_JSON_ARRAY], &item, 1);
}

const struct mln_type *mln_type_map(struct mln_arena *arena, const struct mln_type *key, const struct mln_type *value)
{
    const struct mln_type *of[] = {key, value};
    return mln_type_with(arena, &mln_types[MLN_VALUE_MAP], of, 2);
}

const struct mln_type *mln_type_optional(struct mln_arena *arena, const struct mln_type *value)
{
    return mln_type_with(arena, &mln_types[MLN_VALUE_OPTIONAL], &value, 1);
}

/* ---- from text ---- */

struct reader {
    struct mln_arena *arena;
    struct mln_str text;
    size_t at;
    bool of_signature;
};

static void skip_blanks(struct reader *r)
{
    while (r->at < r->text.n && r->text.p[r->at] == ' ')
        r->at++;
}

static bool take(struct reader *r, char sign)
{
    skip_blanks(r);
    bool there = r->at < r->text.n && r->text.p[r->at] == sign;
    r->at += there;
    return there;
}

static struct mln_result word_type(struct reader *r, struct mln_str word, const struct mln_type **out)
{
    uint32_t kind;
    if (r->of_signature && word.n == 1 && word.p[0] >= 'A' && word.p[0] <= 'Z') {
        *out = &mln_type_letters[word.p[0] - 'A'];
        return MLN_OK;
    }
    if (mln_str_eq(word, MLN_S("dyn")) || mln_value_type_named(word, &kind)) {
        *out = mln_str_eq(word, MLN_S("dyn")) ? &mln_types[MLN_VALUE_DYN] : mln_type_plain(kind);
        return MLN_OK;
    }
    if (!r->of_signature || word.n == 0) {
        struct mln_suggestion near = {.word = word};
        char text[MLN_SUGGEST_TEXT];
        for (uint32_t i = 0; i < MLN_VALUE_ERROR; i++)
            mln_suggest(&near, mln_str_c(mln_value_type_name(i)));
        return mln_fail(MLN_E_INVALID, "'%.*s' is not a type%s", MLN_FMT(mln_str_sub(word, 0, 60)),
                        mln_suggest_text(&near, text));
    }
    struct mln_type *made;
    MLN_TRY_NEW(r->arena, made);
    made->kind = MLN_TYPE_NAMED;
    made->name = mln_str_z(r->arena, word);
    *out = made;
    return made->name ? MLN_OK : mln_arena_failure(r->arena);
}

/* How many parameters a type has when it has any. */
static size_t parameters_of(const struct mln_type *type)
{
    switch (type->kind) {
    case MLN_JSON_ARRAY:
    case MLN_VALUE_OPTIONAL:
        return 1;
    case MLN_VALUE_MAP:
        return 2;
    default:
        return 0;
    }
}

static struct mln_result read_type(struct reader *r, size_t depth, const struct mln_type **out)
{
    const struct mln_type *of[MLN_TYPE_PARAMETERS_MOST];
    size_t n = 0, start;
    if (depth > MLN_TYPE_DEPTH_MOST)
        return mln_fail(MLN_E_LIMIT, "a type is nested deeper than %d levels", MLN_TYPE_DEPTH_MOST);
    skip_blanks(r);
    for (start = r->at; r->at < r->text.n && !memchr(" ,()", r->text.p[r->at], 4);)
        r->at++;
    MLN_TRY(word_type(r, mln_str_sub(r->text, start, r->at), out));
    if (!take(r, '('))
        return MLN_OK;
    do {
        if (n == MLN_TYPE_PARAMETERS_MOST)
            return mln_fail(MLN_E_INVALID, "a type has at most %d parameters", MLN_TYPE_PARAMETERS_MOST);
        MLN_TRY(read_type(r, depth + 1, &of[n++]));
    } while (take(r, ','));
    if (!take(r, ')') || ((*out)->kind != MLN_TYPE_NAMED && n != parameters_of(*out)))
        return mln_fail(MLN_E_INVALID, "'%.*s' is not a type: list(item), map(key, value), optional_type(value)",
                        MLN_FMT(mln_str_sub(r->text, 0, 100)));
    *out = mln_type_with(r->arena, *out, of, n);
    return *out ? MLN_OK : mln_arena_failure(r->arena);
}

struct mln_result mln_type_parse(struct mln_arena *arena, struct mln_str text, bool of_signature,
                                 const struct mln_type **out)
{
    struct reader r = {.arena = arena, .text = text, .of_signature = of_signature};
    MLN_TRY(read_type(&r, 0, out));
    skip_blanks(&r);
    if (r.at < text.n)
        return mln_fail(MLN_E_INVALID, "found '%.*s' behind a type", MLN_FMT(mln_str_sub(text, r.at, r.at + 60)));
    return MLN_OK;
}

/* ---- to text ---- */

static size_t put(char *out, size_t used, const char *text)
{
    int n = used < MLN_TYPE_TEXT ? snprintf(out + used, MLN_TYPE_TEXT - used, "%s", text) : 0;
    return used + (n > 0 ? (size_t)n : 0);
}

static size_t write_type(const struct mln_type *type, char *out, size_t used)
{
    const char letter[] = {(char)('A' + type->index % MLN_TYPE_LETTERS), '\0'};
    if (type->kind == MLN_TYPE_PARAMETER)
        return put(out, used, letter);
    if (type->kind == MLN_TYPE_NUMBER)
        return put(out, used, "number");
    used = put(out, used, type->kind == MLN_TYPE_NAMED ? type->name : mln_value_type_name(type->kind));
    for (size_t i = 0; i < type->n; i++) {
        used = put(out, used, i ? ", " : "(");
        used = write_type(type->of[i], out, used);
    }
    return type->n ? put(out, used, ")") : used;
}

const char *mln_type_text(const struct mln_type *type, char out[MLN_TYPE_TEXT])
{
    out[0] = '\0';
    if (write_type(type, out, 0) >= MLN_TYPE_TEXT)
        memcpy(out + MLN_TYPE_TEXT - 4, "...", 4);
    return out;
}
