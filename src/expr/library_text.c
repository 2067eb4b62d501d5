/* Functions on strings. Positions and lengths count code points. */
#include "expr/format.h"
#include "expr/library.h"
#include "expr/utf8.h"

static struct mln_str text(const mln_value *v)
{
    return mln_value_str(*v);
}

mln_value mln_fn_contains(struct mln_expr_run *run, const mln_value *args)
{
    mln_run_charge_bytes(run, args[0].n);
    return mln_value_bool(mln_str_find(text(&args[0]), text(&args[1]), 0) != SIZE_MAX);
}

mln_value mln_fn_starts_with(struct mln_expr_run *run, const mln_value *args)
{
    mln_run_charge_bytes(run, args[1].n);
    return mln_value_bool(mln_str_starts(text(&args[0]), text(&args[1])));
}

mln_value mln_fn_ends_with(struct mln_expr_run *run, const mln_value *args)
{
    mln_run_charge_bytes(run, args[1].n);
    return mln_value_bool(mln_str_ends(text(&args[0]), text(&args[1])));
}

enum { PATTERN_STEPS = 64 }; /* of compiling a pattern while running */

mln_value mln_fn_matches(struct mln_expr_run *run, const mln_value *args)
{
    bool found = false;
    mln_run_charge_bytes(run, args[0].n);
    mln_run_charge(run, PATTERN_STEPS + args[1].n);
    if (!mln_ok(mln_regex_find_pattern(text(&args[1]), &run->regex, text(&args[0]), &found)))
        return mln_run_error(run, "matches(): %s", mln_error_text());
    return mln_value_bool(found);
}

static mln_value map_bytes(struct mln_expr_run *run, struct mln_str s, char first, char last)
{
    char *p = mln_run_alloc(run, s.n, 1);
    if (!p)
        return mln_value_null();
    for (size_t i = 0; i < s.n; i++)
        p[i] = s.p[i] >= first && s.p[i] <= last ? (char)(s.p[i] ^ 0x20) : s.p[i];
    mln_run_charge_bytes(run, s.n);
    return mln_value_string((struct mln_str){p, s.n});
}

mln_value mln_fn_lower_ascii(struct mln_expr_run *run, const mln_value *args)
{
    return map_bytes(run, text(args), 'A', 'Z');
}

mln_value mln_fn_upper_ascii(struct mln_expr_run *run, const mln_value *args)
{
    return map_bytes(run, text(args), 'a', 'z');
}

mln_value mln_fn_trim(struct mln_expr_run *run, const mln_value *args)
{
    struct mln_str s = text(args);
    mln_run_charge_bytes(run, s.n);
    size_t from = 0, to = s.n;
    while (from < to) {
        size_t next = from;
        if (!mln_utf8_is_space(mln_utf8_next(s, &next)))
            break;
        from = next;
    }
    while (to > from) {
        size_t at = mln_utf8_before(s, to), next = at;
        if (!mln_utf8_is_space(mln_utf8_next(s, &next)))
            break;
        to = at;
    }
    return mln_value_string(mln_str_sub(s, from, to));
}

/* The parts of s between separators, at most limit of them (negative: all). */
static mln_value split(struct mln_expr_run *run, struct mln_str s, struct mln_str separator, int64_t limit)
{
    if (limit == 0)
        return mln_value_list(NULL, 0);
    size_t most = 1, at = 0;
    if (separator.n == 0)
        most = mln_utf8_count(s);
    else
        while ((at = mln_str_find(s, separator, at)) != SIZE_MAX)
            most++, at += separator.n;
    if (limit > 0 && (uint64_t)limit < most)
        most = (size_t)limit;
    mln_run_charge(run, most + s.n / 64);
    mln_value *items = mln_run_alloc(run, most, sizeof *items);
    if (!items)
        return mln_value_null();
    at = 0;
    for (size_t i = 0; i < most; i++) {
        size_t end = s.n, next = s.n;
        if (i + 1 < most && separator.n == 0) {
            end = at;
            mln_utf8_next(s, &end);
            next = end;
        } else if (i + 1 < most) {
            end = mln_str_find(s, separator, at);
            next = end + separator.n;
        }
        items[i] = mln_value_string(mln_str_sub(s, at, end));
        at = next;
    }
    return mln_value_list(items, most);
}

mln_value mln_fn_split(struct mln_expr_run *run, const mln_value *args)
{
    return split(run, text(&args[0]), text(&args[1]), -1);
}

mln_value mln_fn_split_limit(struct mln_expr_run *run, const mln_value *args)
{
    return split(run, text(&args[0]), text(&args[1]), args[2].i);
}

static mln_value join(struct mln_expr_run *run, const mln_value *list, struct mln_str separator)
{
    uint64_t bytes = list->n ? (uint64_t)(list->n - 1) * separator.n : 0;
    for (size_t i = 0; i < list->n; i++) {
        if (list->items[i].kind != MLN_JSON_STRING)
            return mln_run_error(run, "join(): item %zu is of type %s, all must be strings", i,
                                 mln_value_type_name(list->items[i].kind));
        bytes += list->items[i].n;
    }
    if (bytes > UINT32_MAX)
        return mln_run_error(run, "join(): the text would be too long");
    char *p = mln_run_alloc(run, bytes, 1);
    if (!p)
        return mln_value_null();
    mln_run_charge(run, list->n + bytes / 64);
    size_t n = 0;
    for (size_t i = 0; i < list->n; i++) {
        if (i && separator.n) {
            memcpy(p + n, separator.p, separator.n);
            n += separator.n;
        }
        if (list->items[i].n) {
            memcpy(p + n, list->items[i].string, list->items[i].n);
            n += list->items[i].n;
        }
    }
    return mln_value_string((struct mln_str){p, n});
}

mln_value mln_fn_join(struct mln_expr_run *run, const mln_value *args)
{
    return join(run, args, MLN_S(""));
}

mln_value mln_fn_join_with(struct mln_expr_run *run, const mln_value *args)
{
    return join(run, args, text(&args[1]));
}

/* Where the next replacement in s at or after *at is. An empty needle is before each character and at the end. */
static bool next_place(struct mln_str s, struct mln_str needle, size_t *at)
{
    size_t found = mln_str_find(s, needle, *at);
    if (found == SIZE_MAX)
        return false;
    *at = found;
    return true;
}

static mln_value replace(struct mln_expr_run *run, struct mln_str s, struct mln_str old, struct mln_str fresh,
                         int64_t limit)
{
    uint64_t most = limit < 0 ? UINT64_MAX : (uint64_t)limit, count = 0;
    for (size_t at = 0; count < most && at <= s.n && next_place(s, old, &at); count++) {
        if (old.n)
            at += old.n;
        else if (at < s.n)
            mln_utf8_next(s, &at);
        else
            at++;
    }
    uint64_t bytes = s.n - count * old.n + count * fresh.n;
    if (bytes > UINT32_MAX)
        return mln_run_error(run, "replace(): the text would be too long");
    mln_run_charge(run, count + (s.n + bytes) / 64);
    char *p = mln_run_alloc(run, bytes, 1);
    if (!p)
        return mln_value_null();
    size_t n = 0, from = 0;
    for (uint64_t i = 0; i < count; i++) {
        size_t at = from;
        if (i && old.n == 0)
            mln_utf8_next(s, &at);
        else
            next_place(s, old, &at);
        if (at > from)
            memcpy(p + n, s.p + from, at - from);
        n += at - from;
        if (fresh.n)
            memcpy(p + n, fresh.p, fresh.n);
        n += fresh.n;
        from = at + old.n;
    }
    if (s.n > from)
        memcpy(p + n, s.p + from, s.n - from);
    return mln_value_string((struct mln_str){p, bytes});
}

mln_value mln_fn_replace(struct mln_expr_run *run, const mln_value *args)
{
    return replace(run, text(&args[0]), text(&args[1]), text(&args[2]), -1);
}

mln_value mln_fn_replace_limit(struct mln_expr_run *run, const mln_value *args)
{
    return replace(run, text(&args[0]), text(&args[1]), text(&args[2]), args[3].i);
}

static mln_value outside(struct mln_expr_run *run, const char *function, int64_t index)
{
    return mln_run_error(run, "%s(): index %lld is out of range", function, (long long)index);
}

static mln_value index_of(struct mln_expr_run *run, const mln_value *args, int64_t from)
{
    struct mln_str s = text(&args[0]);
    mln_run_charge_bytes(run, s.n);
    size_t offset;
    if (from < 0 || !mln_utf8_offset(s, (uint64_t)from, &offset))
        return outside(run, "indexOf", from);
    size_t at = mln_str_find(s, text(&args[1]), offset);
    return mln_value_int(at == SIZE_MAX ? -1 : (int64_t)mln_utf8_count(mln_str_sub(s, 0, at)));
}

mln_value mln_fn_index_of(struct mln_expr_run *run, const mln_value *args)
{
    return index_of(run, args, 0);
}

mln_value mln_fn_index_of_from(struct mln_expr_run *run, const mln_value *args)
{
    return index_of(run, args, args[2].i);
}

/* The last place of the needle that begins at or before byte offset `from`. */
static mln_value last_index_of(struct mln_expr_run *run, const mln_value *args, size_t from)
{
    struct mln_str s = text(&args[0]), needle = text(&args[1]);
    mln_run_charge(run, s.n / 8);
    if (needle.n > s.n)
        return mln_value_int(-1);
    if (from > s.n - needle.n)
        from = s.n - needle.n;
    for (size_t at = from + 1; at-- > 0;)
        if (mln_str_eq(mln_str_sub(s, at, at + needle.n), needle))
            return mln_value_int((int64_t)mln_utf8_count(mln_str_sub(s, 0, at)));
    return mln_value_int(-1);
}

mln_value mln_fn_last_index_of(struct mln_expr_run *run, const mln_value *args)
{
    return last_index_of(run, args, args[0].n);
}

mln_value mln_fn_last_index_of_from(struct mln_expr_run *run, const mln_value *args)
{
    size_t offset;
    if (args[2].i < 0 || !mln_utf8_offset(text(&args[0]), (uint64_t)args[2].i, &offset))
        return outside(run, "lastIndexOf", args[2].i);
    return last_index_of(run, args, offset);
}

static mln_value substring(struct mln_expr_run *run, struct mln_str s, int64_t from, int64_t to)
{
    size_t start, end;
    mln_run_charge_bytes(run, s.n);
    if (from < 0 || !mln_utf8_offset(s, (uint64_t)from, &start))
        return outside(run, "substring", from);
    if (to < from || !mln_utf8_offset(s, (uint64_t)to, &end))
        return outside(run, "substring", to);
    return mln_value_string(mln_str_sub(s, start, end));
}

mln_value mln_fn_substring_from(struct mln_expr_run *run, const mln_value *args)
{
    size_t start;
    mln_run_charge_bytes(run, args[0].n);
    if (args[1].i < 0 || !mln_utf8_offset(text(&args[0]), (uint64_t)args[1].i, &start))
        return outside(run, "substring", args[1].i);
    return mln_value_string(mln_str_sub(text(&args[0]), start, args[0].n));
}

mln_value mln_fn_substring(struct mln_expr_run *run, const mln_value *args)
{
    return substring(run, text(&args[0]), args[1].i, args[2].i);
}

mln_value mln_fn_char_at(struct mln_expr_run *run, const mln_value *args)
{
    struct mln_str s = text(&args[0]);
    size_t start;
    mln_run_charge_bytes(run, s.n);
    if (args[1].i < 0 || !mln_utf8_offset(s, (uint64_t)args[1].i, &start))
        return outside(run, "charAt", args[1].i);
    size_t end = start;
    if (end < s.n)
        mln_utf8_next(s, &end);
    return mln_value_string(mln_str_sub(s, start, end));
}

mln_value mln_fn_reverse_text(struct mln_expr_run *run, const mln_value *args)
{
    struct mln_str s = text(args);
    char *p = mln_run_alloc(run, s.n, 1);
    if (!p)
        return mln_value_null();
    mln_run_charge_bytes(run, s.n);
    size_t n = 0;
    for (size_t to = s.n; to > 0;) {
        size_t at = mln_utf8_before(s, to);
        memcpy(p + n, s.p + at, to - at);
        n += to - at;
        to = at;
    }
    return mln_value_string((struct mln_str){p, n});
}

mln_value mln_fn_format(struct mln_expr_run *run, const mln_value *args)
{
    return mln_format(run, text(&args[0]), args[1].items, args[1].n);
}

mln_value mln_fn_quote(struct mln_expr_run *run, const mln_value *args)
{
    static const char plain[] = "\a\b\f\n\r\t\v\\\"", escaped[] = "abfnrtv\\\"";
    struct mln_str s = text(args);
    if (s.n > UINT32_MAX / 2 - 2)
        return mln_run_error(run, "quote(): the text would be too long");
    char *p = mln_run_alloc(run, 2 * s.n + 2, 1);
    if (!p)
        return mln_value_null();
    mln_run_charge_bytes(run, s.n);
    size_t n = 0;
    p[n++] = '"';
    for (size_t i = 0; i < s.n; i++) {
        const char *special = s.p[i] ? strchr(plain, s.p[i]) : NULL;
        if (special)
            p[n++] = '\\';
        p[n++] = special ? escaped[special - plain] : s.p[i];
    }
    p[n++] = '"';
    return mln_value_string((struct mln_str){p, n});
}
