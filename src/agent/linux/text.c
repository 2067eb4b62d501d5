#include "agent/linux/text.h"

#include <fnmatch.h>

bool mln_text_line(struct mln_str *rest, struct mln_str *line, uint32_t *number)
{
    struct mln_str raw;
    if (!rest->n || !mln_str_cut(rest, '\n', &raw))
        return false;
    if (number)
        (*number)++;
    *line = mln_str_trim(raw);
    return true;
}

bool mln_text_setting(struct mln_str *rest, struct mln_str *line, uint32_t *number)
{
    while (mln_text_line(rest, line, number))
        if (line->n && line->p[0] != '#' && line->p[0] != ';')
            return true;
    return false;
}

bool mln_text_word(struct mln_str *rest, struct mln_str *word)
{
    while (rest->n && (rest->p[0] == ' ' || rest->p[0] == '\t'))
        rest->p++, rest->n--;
    size_t n = 0;
    while (n < rest->n && rest->p[n] != ' ' && rest->p[n] != '\t')
        n++;
    *word = mln_str_sub(*rest, 0, n);
    *rest = mln_str_sub(*rest, n, rest->n);
    return n > 0;
}

bool mln_text_pair(struct mln_str line, char separator, struct mln_str *key, struct mln_str *value)
{
    const char *at = line.n ? memchr(line.p, separator, line.n) : NULL;
    if (!at)
        return false;
    size_t n = (size_t)(at - line.p);
    *key = mln_str_trim(mln_str_sub(line, 0, n));
    *value = mln_str_trim(mln_str_sub(line, n + 1, line.n));
    return key->n > 0;
}

struct mln_str mln_text_unquote(struct mln_str value)
{
    if (value.n >= 2 && (value.p[0] == '"' || value.p[0] == '\'') && value.p[value.n - 1] == value.p[0])
        return mln_str_sub(value, 1, value.n - 1);
    return value;
}

struct mln_str mln_text_uncomment(struct mln_str line)
{
    char quote = 0;
    for (size_t i = 0; i < line.n; i++) {
        char c = line.p[i];
        if (quote)
            quote = c == quote ? 0 : quote;
        else if (c == '"' || c == '\'')
            quote = c;
        else if (c == '#')
            return mln_str_trim(mln_str_sub(line, 0, i));
    }
    return mln_str_trim(line);
}

bool mln_text_glob(struct mln_str pattern, struct mln_str name)
{
    char p[256], n[256];
    if (pattern.n >= sizeof p || name.n >= sizeof n)
        return false;
    snprintf(p, sizeof p, "%.*s", MLN_FMT(pattern));
    snprintf(n, sizeof n, "%.*s", MLN_FMT(name));
    return fnmatch(p, n, 0) == 0;
}

bool mln_text_true(struct mln_str value, bool otherwise)
{
    static const char *const yes[] = {"yes", "true", "on", "1", "enabled", "y", NULL};
    if (!value.p)
        return otherwise;
    for (size_t i = 0; yes[i]; i++)
        if (mln_str_eq_nocase(value, mln_str_c(yes[i])))
            return true;
    return false;
}

int64_t mln_text_i64(struct mln_str value, int64_t otherwise)
{
    int64_t number;
    return mln_ok(mln_str_to_i64(value, &number)) ? number : otherwise;
}

bool mln_text_octal(struct mln_str value, uint32_t *out)
{
    uint32_t number = 0;
    if (value.n == 0 || value.n > 7)
        return false;
    for (size_t i = 0; i < value.n; i++) {
        if (value.p[i] < '0' || value.p[i] > '7')
            return false;
        number = number * 8 + (uint32_t)(value.p[i] - '0');
    }
    *out = number;
    return true;
}

struct mln_str mln_text_ini(struct mln_str text, struct mln_str section, struct mln_str key)
{
    struct mln_str found = {NULL, 0}, line, name, value;
    bool inside = !section.p;
    while (mln_text_setting(&text, &line, NULL)) {
        if (line.p[0] == '[') {
            size_t end = mln_str_find(line, MLN_S("]"), 0);
            inside = !section.p || mln_str_eq_nocase(mln_str_sub(line, 1, end), section);
        } else if (inside && mln_text_pair(line, '=', &name, &value) && mln_str_eq_nocase(name, key)) {
            found = value.p ? value : MLN_S("");
        }
    }
    return found;
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

/* The length of a word at p that announces a secret, such as "--db-password" or "API_KEY"; 0 when it is none. */
static size_t secret_word(struct mln_str s)
{
    static const char *const signs[] = {"password", "passwd",     "secret",    "token",      "apikey", "api_key",
                                        "api-key",  "access_key", "accesskey", "credential", "pwd",    NULL};
    size_t n = 0;
    while (n < s.n && is_word(s.p[n]))
        n++;
    for (size_t at = 0; at < n; at++)
        for (size_t i = 0; signs[i]; i++)
            if (mln_str_starts_nocase(mln_str_sub(s, at, n), mln_str_c(signs[i])))
                return n;
    return 0;
}

/* The length of the credentials in "user:secret@", when s (what follows "://") begins with such; else 0. */
static size_t url_credentials(struct mln_str s)
{
    for (size_t i = 0; i < s.n && s.p[i] != ' ' && s.p[i] != '/'; i++)
        if (s.p[i] == '@')
            return i;
    return 0;
}

struct mln_str mln_text_mask(struct mln_arena *arena, struct mln_str command, size_t max_bytes)
{
    char *out = mln_arena_alloc(arena, max_bytes + 4);
    if (!out)
        return (struct mln_str){NULL, 0};
    size_t n = 0, i = 0;
    while (i < command.n && n < max_bytes) {
        struct mln_str here = mln_str_sub(command, i, command.n);
        size_t skip = 0, word = i == 0 || !is_word(command.p[i - 1]) ? secret_word(here) : 0;
        if (word && word < here.n && strchr("=: ", here.p[word])) {
            size_t end = word + 1;
            while (end < here.n && here.p[end] == ' ')
                end++;
            while (end < here.n && here.p[end] != ' ')
                end++;
            size_t keep = word + 1 < max_bytes - n ? word + 1 : max_bytes - n;
            memcpy(out + n, here.p, keep);
            n += keep;
            skip = end;
        } else if (mln_str_starts(here, MLN_S("://")) && url_credentials(mln_str_sub(here, 3, here.n))) {
            size_t keep = max_bytes - n < 3 ? max_bytes - n : 3;
            memcpy(out + n, here.p, keep);
            n += keep;
            skip = 3 + url_credentials(mln_str_sub(here, 3, here.n));
        }
        if (skip) {
            for (size_t k = 0; k < 3 && n < max_bytes; k++)
                out[n++] = '*';
            i += skip;
        } else {
            out[n++] = here.p[0];
            i++;
        }
    }
    return (struct mln_str){out, n};
}
