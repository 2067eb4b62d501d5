#include "agent/linux/pam.h"

#include "agent/linux/text.h"
#include "base/buf.h"
#include "base/fields.h"

enum { MAX_LINE_BYTES = 16 << 10 };

static const char *const types[] = {"auth", "account", "password", "session", NULL};

/* A word, or everything in one pair of brackets. */
static bool take_word(struct mln_str *rest, struct mln_str *word)
{
    *rest = mln_str_trim(*rest);
    if (rest->n && rest->p[0] == '[') {
        size_t end = mln_str_find(*rest, MLN_S("]"), 0);
        size_t n = end == SIZE_MAX ? rest->n : end + 1;
        *word = mln_str_sub(*rest, 0, n);
        *rest = mln_str_sub(*rest, n, rest->n);
        return true;
    }
    return mln_text_word(rest, word);
}

static struct mln_str without_directory(struct mln_str path)
{
    size_t from = 0;
    for (size_t i = 0; i < path.n; i++)
        if (path.p[i] == '/')
            from = i + 1;
    return mln_str_sub(path, from, path.n);
}

static struct mln_result read_line(struct mln_str service, struct mln_str line, struct mln_arena *arena,
                                   struct mln_pam *out)
{
    struct mln_pam_entry entry = {.service = service};
    struct mln_str word;
    if (!take_word(&line, &entry.type))
        return MLN_OK;
    if (mln_str_eq(entry.type, MLN_S("@include"))) {
        entry.type = MLN_S("");
        entry.control = MLN_S("include");
    } else {
        if (entry.type.p[0] == '-') /* a module that is not there is then no error */
            entry.type = mln_str_sub(entry.type, 1, entry.type.n);
        MLN_TRY_STR(arena, entry.type, mln_str_lower(arena, entry.type));
        if (mln_word_index(types, entry.type) < 0 || !take_word(&line, &entry.control))
            return MLN_OK;
    }
    if (!take_word(&line, &word))
        return MLN_OK;
    entry.module = without_directory(word);
    while (take_word(&line, &word) && entry.arguments.n < MLN_PAM_MAX_ARGUMENTS) {
        if (word.p[0] == '[')
            word = mln_str_sub(word, 1, word.p[word.n - 1] == ']' ? word.n - 1 : word.n);
        MLN_TRY(mln_vec_push(arena, &entry.arguments, word));
    }
    if (out->entries.n < MLN_PAM_MAX_ENTRIES)
        return mln_vec_push(arena, &out->entries, entry);
    out->left_out++;
    return MLN_OK;
}

struct mln_result mln_pam_parse(struct mln_str service, struct mln_str text, struct mln_arena *arena,
                                struct mln_pam *out)
{
    struct mln_str line, whole;
    MLN_BUF_CLEANUP struct mln_buf joined = MLN_BUF(MAX_LINE_BYTES);
    while (mln_text_line(&text, &line, NULL)) {
        line = mln_str_sub(line, 0, mln_str_find(line, MLN_S("#"), 0));
        bool goes_on = line.n && line.p[line.n - 1] == '\\';
        MLN_TRY(mln_buf_append(&joined, mln_str_sub(line, 0, goes_on ? line.n - 1 : line.n)));
        if (goes_on && text.n) {
            MLN_TRY(mln_buf_byte(&joined, ' '));
            continue;
        }
        MLN_TRY_STR(arena, whole, mln_str_dup(arena, mln_buf_str(&joined)));
        mln_buf_clear(&joined);
        MLN_TRY(read_line(service, whole, arena, out));
    }
    return MLN_OK;
}

struct mln_str mln_pam_argument(const struct mln_pam_entry *entry, const char *name)
{
    struct mln_str found = {NULL, 0}, key, value;
    for (size_t i = 0; i < entry->arguments.n; i++) {
        struct mln_str argument = entry->arguments.at[i];
        if (mln_str_eq(argument, mln_str_c(name)))
            found = MLN_S("");
        else if (mln_text_pair(argument, '=', &key, &value) && mln_str_eq(key, mln_str_c(name)))
            found = value.p ? value : MLN_S("");
    }
    return found;
}
