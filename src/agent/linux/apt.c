#include "agent/linux/apt.h"

#include "agent/linux/text.h"

bool mln_apt_update_line(struct mln_str line, struct mln_update *out)
{
    struct mln_str word, origin;
    if (!mln_text_word(&line, &word) || !mln_str_eq(word, MLN_S("Inst")) || !mln_text_word(&line, &out->name) ||
        !mln_text_word(&line, &word) || word.p[0] != '[')
        return false;
    out->current = mln_str_sub(word, 1, word.p[word.n - 1] == ']' ? word.n - 1 : word.n);
    if (!mln_text_word(&line, &word) || word.p[0] != '(' || word.n < 2)
        return false;
    out->candidate = mln_str_sub(word, 1, word.n);
    origin = mln_str_sub(line, 0, mln_str_find(line, MLN_S("["), 0));
    out->security = mln_str_find(origin, MLN_S("-security"), 0) != SIZE_MAX ||
                    mln_str_find(origin, MLN_S("-Security:"), 0) != SIZE_MAX;
    return true;
}

/* The next token of apt.conf: a name, a quoted value, '{', '}' or ';'. */
static bool next_token(struct mln_str *rest, struct mln_str *token)
{
    for (;;) {
        while (rest->n && strchr(" \t\r\n", rest->p[0]))
            *rest = mln_str_sub(*rest, 1, rest->n);
        if (!rest->n)
            return false;
        const char *ends = NULL;
        if (rest->p[0] == '#' || mln_str_starts(*rest, MLN_S("//")))
            ends = "\n";
        else if (mln_str_starts(*rest, MLN_S("/*")))
            ends = "*/";
        if (!ends)
            break;
        size_t at = mln_str_find(*rest, mln_str_c(ends), 1);
        *rest = at == SIZE_MAX ? MLN_S("") : mln_str_sub(*rest, at + strlen(ends), rest->n);
    }
    size_t n = 1;
    if (rest->p[0] == '"') {
        size_t end = mln_str_find(*rest, MLN_S("\""), 1);
        n = end == SIZE_MAX ? rest->n : end + 1;
    } else if (!strchr("{};", rest->p[0])) {
        while (n < rest->n && !strchr(" \t\r\n{};\"", rest->p[n]))
            n++;
    }
    *token = mln_str_sub(*rest, 0, n);
    *rest = mln_str_sub(*rest, n, rest->n);
    return true;
}

/* True when scope parts and name together are the wanted name, "::" between them. */
static bool is_wanted(const struct mln_str *scopes, size_t depth, struct mln_str name, struct mln_str wanted)
{
    for (size_t i = 0; i <= depth; i++) {
        struct mln_str part = i < depth ? scopes[i] : name;
        if (!part.n)
            continue;
        if (!mln_str_starts_nocase(wanted, part))
            return false;
        wanted = mln_str_sub(wanted, part.n, wanted.n);
        if (wanted.n && !mln_str_starts(wanted, MLN_S("::")))
            return false;
        wanted = mln_str_sub(wanted, 2, wanted.n);
    }
    return wanted.n == 0;
}

struct mln_str mln_apt_setting(struct mln_str text, struct mln_str wanted)
{
    enum { MAX_DEPTH = 16 };
    struct mln_str scopes[MAX_DEPTH], token, name = {NULL, 0}, found = {NULL, 0};
    size_t depth = 0;
    while (next_token(&text, &token)) {
        switch (token.p[0]) {
        case '{':
            if (depth == MAX_DEPTH)
                return found;
            scopes[depth++] = name;
            name = (struct mln_str){NULL, 0};
            break;
        case '}':
            depth -= depth > 0;
            name = (struct mln_str){NULL, 0};
            break;
        case ';':
            name = (struct mln_str){NULL, 0};
            break;
        default:
            if (!name.p && token.p[0] != '"')
                name = token;
            else if (is_wanted(scopes, depth, name, wanted))
                found = mln_text_unquote(token);
        }
    }
    return found;
}

/* "deb [trusted=yes arch=amd64] http://host/debian bookworm main" */
static struct mln_result read_one_line(struct mln_str line, struct mln_arena *arena, struct mln_apt_sources *out)
{
    struct mln_str kind, options = MLN_S(""), uri;
    line = mln_text_uncomment(line);
    if (!mln_text_word(&line, &kind) || !mln_str_starts(kind, MLN_S("deb")))
        return MLN_OK;
    line = mln_str_trim(line);
    if (line.n && line.p[0] == '[') {
        size_t end = mln_str_find(line, MLN_S("]"), 0);
        options = mln_str_sub(line, 1, end);
        line = end == SIZE_MAX ? MLN_S("") : mln_str_sub(line, end + 1, line.n);
    }
    bool blind = mln_str_find(options, MLN_S("trusted=yes"), 0) != SIZE_MAX ||
                 mln_str_find(options, MLN_S("allow-insecure=yes"), 0) != SIZE_MAX;
    if (!blind || !mln_text_word(&line, &uri))
        return MLN_OK;
    MLN_TRY_STR(arena, uri, mln_text_mask(arena, uri, 200));
    return mln_vec_push(arena, &out->unsigned_uris, uri);
}

struct mln_result mln_apt_read_sources(struct mln_str text, bool deb822, struct mln_arena *arena,
                                       struct mln_apt_sources *out)
{
    struct mln_str line, key, value, uris = {NULL, 0};
    bool blind = false, more = true;
    while (more) {
        more = mln_text_line(&text, &line, NULL);
        if (more && !deb822) {
            MLN_TRY(read_one_line(line, arena, out));
        } else if (!more || !line.n) { /* the end of a stanza */
            if (blind && uris.n) {
                MLN_TRY_STR(arena, uris, mln_text_mask(arena, uris, 200));
                MLN_TRY(mln_vec_push(arena, &out->unsigned_uris, uris));
            }
            blind = false;
            uris = (struct mln_str){NULL, 0};
        } else if (line.p[0] != '#' && mln_text_pair(line, ':', &key, &value)) {
            if (mln_str_eq_nocase(key, MLN_S("URIs")))
                uris = value;
            else if (mln_str_eq_nocase(key, MLN_S("Trusted")) || mln_str_eq_nocase(key, MLN_S("Allow-Insecure")))
                blind |= mln_text_true(value, false);
        }
    }
    return MLN_OK;
}
