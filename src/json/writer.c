#include "json/writer.h"

#include "base/time.h"

#include <math.h>

struct mln_json_writer mln_json_writer(struct mln_buf *out)
{
    return (struct mln_json_writer){.out = out};
}

static void keep(struct mln_json_writer *w, struct mln_result r)
{
    if (mln_ok(w->failed))
        w->failed = r;
}

static void put(struct mln_json_writer *w, struct mln_str s)
{
    if (mln_ok(w->failed))
        keep(w, mln_buf_append(w->out, s));
}

static void misuse(struct mln_json_writer *w, const char *what)
{
    if (mln_ok(w->failed))
        keep(w, mln_fail(MLN_E_INTERNAL, "JSON writer: %s", what));
}

static bool bit(const uint64_t set[2], unsigned depth)
{
    return set[(depth - 1) / 64] >> ((depth - 1) % 64) & 1;
}

static void set_bit(uint64_t set[2], unsigned depth, bool to)
{
    uint64_t mask = UINT64_C(1) << ((depth - 1) % 64);
    set[(depth - 1) / 64] = (set[(depth - 1) / 64] & ~mask) | (to ? mask : 0);
}

static void new_line(struct mln_json_writer *w)
{
    put(w, MLN_S("\n"));
    for (unsigned i = 0; i < w->depth; i++)
        put(w, MLN_S("  "));
}

/* The comma and, when pretty, the line of one more item or member. */
static void separate(struct mln_json_writer *w)
{
    if (bit(w->has_items, w->depth))
        put(w, MLN_S(","));
    set_bit(w->has_items, w->depth, true);
    if (w->pretty)
        new_line(w);
}

/* Before each value. */
static void begin_value(struct mln_json_writer *w)
{
    if (w->depth == 0) {
        if (w->complete)
            misuse(w, "a second value after the document");
        w->complete = true;
    } else if (!bit(w->in_object, w->depth)) {
        separate(w);
    } else if (!w->after_name) {
        misuse(w, "a value without a name in an object");
    }
    w->after_name = false;
}

static void begin(struct mln_json_writer *w, bool object)
{
    begin_value(w);
    if (w->depth == MLN_JSON_MAX_DEPTH) {
        if (mln_ok(w->failed))
            keep(w, mln_fail(MLN_E_LIMIT, "JSON nested deeper than %d levels", MLN_JSON_MAX_DEPTH));
        return;
    }
    put(w, object ? MLN_S("{") : MLN_S("["));
    w->depth++;
    set_bit(w->in_object, w->depth, object);
    set_bit(w->has_items, w->depth, false);
}

static void end(struct mln_json_writer *w, bool object)
{
    if (!mln_ok(w->failed))
        return;
    if (w->depth == 0 || bit(w->in_object, w->depth) != object || w->after_name) {
        misuse(w, "an end that does not match its beginning");
        return;
    }
    bool had_items = bit(w->has_items, w->depth);
    w->depth--;
    if (w->pretty && had_items)
        new_line(w);
    put(w, object ? MLN_S("}") : MLN_S("]"));
}

void mln_json_begin_object(struct mln_json_writer *w)
{
    begin(w, true);
}

void mln_json_end_object(struct mln_json_writer *w)
{
    end(w, true);
}

void mln_json_begin_array(struct mln_json_writer *w)
{
    begin(w, false);
}

void mln_json_end_array(struct mln_json_writer *w)
{
    end(w, false);
}

static void put_escape(struct mln_json_writer *w, unsigned char c)
{
    static const char shorts[] = "\"\"\\\\\bb\ff\nn\rr\tt"; /* each byte and its letter */
    char text[8] = "\\";
    size_t n = 2;
    for (size_t i = 0; i + 1 < sizeof shorts; i += 2)
        if ((unsigned char)shorts[i] == c)
            text[1] = shorts[i + 1];
    if (!text[1])
        n = (size_t)snprintf(text, sizeof text, "\\u%04x", c);
    put(w, (struct mln_str){text, n});
}

static void put_text(struct mln_json_writer *w, struct mln_str s)
{
    put(w, MLN_S("\""));
    size_t at = 0;
    while (at < s.n) {
        size_t plain = at;
        while (plain < s.n && (unsigned char)s.p[plain] >= 0x20 && s.p[plain] != '"' && s.p[plain] != '\\')
            plain++;
        struct mln_str run = mln_str_sub(s, at, plain);
        size_t valid = mln_str_utf8_prefix(run);
        put(w, mln_str_sub(run, 0, valid));
        at += valid;
        if (valid < run.n) {
            put(w, MLN_S("\xEF\xBF\xBD")); /* U+FFFD */
            at++;
        } else if (at < s.n) {
            put_escape(w, (unsigned char)s.p[at++]);
        }
    }
    put(w, MLN_S("\""));
}

void mln_json_name(struct mln_json_writer *w, struct mln_str name)
{
    if (w->depth == 0 || !bit(w->in_object, w->depth) || w->after_name) {
        misuse(w, "a name where none belongs");
        return;
    }
    separate(w);
    put_text(w, name);
    put(w, w->pretty ? MLN_S(": ") : MLN_S(":"));
    w->after_name = true;
}

void mln_json_put_str(struct mln_json_writer *w, struct mln_str s)
{
    begin_value(w);
    put_text(w, s);
}

void mln_json_put_raw(struct mln_json_writer *w, struct mln_str json)
{
    begin_value(w);
    put(w, json);
}

void mln_json_put_i64(struct mln_json_writer *w, int64_t i)
{
    char text[24];
    int n = snprintf(text, sizeof text, "%lld", (long long)i);
    mln_json_put_raw(w, (struct mln_str){text, (size_t)n});
}

void mln_json_put_u64(struct mln_json_writer *w, uint64_t u)
{
    char text[24];
    int n = snprintf(text, sizeof text, "%llu", (unsigned long long)u);
    mln_json_put_raw(w, (struct mln_str){text, (size_t)n});
}

void mln_json_put_real(struct mln_json_writer *w, double d)
{
    if (!isfinite(d)) {
        mln_json_put_null(w);
        return;
    }
    char text[40];
    int n = 0;
    for (int digits = 15; digits <= 17; digits++) {
        n = snprintf(text, sizeof text - 2, "%.*g", digits, d);
        if (strtod(text, NULL) == d)
            break;
    }
    if (!strpbrk(text, ".e")) { /* a real stays one when it is read again */
        text[n++] = '.';
        text[n++] = '0';
    }
    mln_json_put_raw(w, (struct mln_str){text, (size_t)n});
}

void mln_json_put_bool(struct mln_json_writer *w, bool b)
{
    mln_json_put_raw(w, b ? MLN_S("true") : MLN_S("false"));
}

void mln_json_put_null(struct mln_json_writer *w)
{
    mln_json_put_raw(w, MLN_S("null"));
}

void mln_json_put_time(struct mln_json_writer *w, int64_t ms)
{
    char text[MLN_TIME_TEXT];
    mln_json_put_str(w, mln_time_text(ms, text));
}

static int by_name(const void *a, const void *b)
{
    const struct mln_json_member *const *left = a, *const *right = b;
    return mln_str_cmp((*left)->name, (*right)->name);
}

static void put_sorted(struct mln_json_writer *w, const struct mln_json *json)
{
    const struct mln_json_member **order = malloc((json->n + (size_t)1) * sizeof *order);
    if (!order) {
        if (mln_ok(w->failed))
            keep(w, mln_fail(MLN_E_MEMORY, "no memory to sort %u members", json->n));
        return;
    }
    for (size_t i = 0; i < json->n; i++)
        order[i] = &json->members[i];
    qsort(order, json->n, sizeof *order, by_name);
    for (size_t i = 0; i < json->n && mln_ok(w->failed); i++) {
        mln_json_name(w, order[i]->name);
        mln_json_put_tree(w, &order[i]->value);
    }
    free(order);
}

static void put_object(struct mln_json_writer *w, const struct mln_json *json)
{
    mln_json_begin_object(w);
    if (w->sorted)
        put_sorted(w, json);
    else
        for (size_t i = 0; i < json->n && mln_ok(w->failed); i++) {
            mln_json_name(w, json->members[i].name);
            mln_json_put_tree(w, &json->members[i].value);
        }
    mln_json_end_object(w);
}

void mln_json_put_tree(struct mln_json_writer *w, const struct mln_json *json)
{
    switch (json ? (enum mln_json_kind)json->kind : MLN_JSON_NULL) {
    case MLN_JSON_NULL:
        mln_json_put_null(w);
        break;
    case MLN_JSON_BOOL:
        mln_json_put_bool(w, json->boolean);
        break;
    case MLN_JSON_INT:
        mln_json_put_i64(w, json->i);
        break;
    case MLN_JSON_UINT:
        mln_json_put_u64(w, json->u);
        break;
    case MLN_JSON_REAL:
        mln_json_put_real(w, json->real);
        break;
    case MLN_JSON_STRING:
        mln_json_put_str(w, mln_json_str(json, MLN_S("")));
        break;
    case MLN_JSON_ARRAY:
        mln_json_begin_array(w);
        for (size_t i = 0; i < json->n && mln_ok(w->failed); i++)
            mln_json_put_tree(w, &json->items[i]);
        mln_json_end_array(w);
        break;
    case MLN_JSON_OBJECT:
        put_object(w, json);
        break;
    }
}

void mln_json_member_str(struct mln_json_writer *w, const char *name, struct mln_str s)
{
    if (!s.p)
        return;
    mln_json_name(w, mln_str_c(name));
    mln_json_put_str(w, s);
}

void mln_json_member_i64(struct mln_json_writer *w, const char *name, int64_t i)
{
    mln_json_name(w, mln_str_c(name));
    mln_json_put_i64(w, i);
}

void mln_json_member_bool(struct mln_json_writer *w, const char *name, bool b)
{
    mln_json_name(w, mln_str_c(name));
    mln_json_put_bool(w, b);
}

void mln_json_member_real(struct mln_json_writer *w, const char *name, double d)
{
    mln_json_name(w, mln_str_c(name));
    mln_json_put_real(w, d);
}

void mln_json_member_time(struct mln_json_writer *w, const char *name, int64_t ms)
{
    if (!ms)
        return;
    mln_json_name(w, mln_str_c(name));
    mln_json_put_time(w, ms);
}

void mln_json_member_tree(struct mln_json_writer *w, const char *name, const struct mln_json *json)
{
    if (!json)
        return;
    mln_json_name(w, mln_str_c(name));
    mln_json_put_tree(w, json);
}

struct mln_result mln_json_writer_end(struct mln_json_writer *w)
{
    if (w->depth > 0)
        misuse(w, "an object or array is still open");
    else if (!w->complete)
        misuse(w, "nothing was written");
    else if (w->pretty)
        put(w, MLN_S("\n"));
    return w->failed;
}

struct mln_result mln_json_write(struct mln_buf *out, const struct mln_json *json, bool pretty)
{
    struct mln_json_writer w = mln_json_writer(out);
    w.pretty = pretty;
    mln_json_put_tree(&w, json);
    return mln_json_writer_end(&w);
}

struct mln_result mln_json_write_canonical(struct mln_buf *out, const struct mln_json *json)
{
    struct mln_json_writer w = mln_json_writer(out);
    w.sorted = true;
    mln_json_put_tree(&w, json);
    return mln_json_writer_end(&w);
}
