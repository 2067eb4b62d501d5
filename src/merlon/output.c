#include "merlon/output.h"

#include "base/buf.h"
#include "base/vec.h"
#include "json/writer.h"

#include <locale.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

enum { JSON_MAX_BYTES = 256 << 20, TEXT_MAX_BYTES = 64 << 20, GAP = 2, LEAST_COLUMN = 12 };

void mln_output_setup(struct mln_invocation *in)
{
    const char *no_color = getenv("NO_COLOR"), *terminal = getenv("TERM");
    setlocale(LC_CTYPE, "");
    in->color = isatty(fileno(in->out)) && !mln_option_given(in, "no-color") && !(no_color && *no_color) &&
                !(terminal && strcmp(terminal, "dumb") == 0);
}

__attribute__((format(printf, 2, 0))) static struct mln_result put(FILE *out, const char *format, va_list args)
{
    MLN_BUF_CLEANUP struct mln_buf text = MLN_BUF(TEXT_MAX_BYTES);
    MLN_TRY(mln_buf_vprintf(&text, format, args));
    for (size_t from = 0, end; from < text.n; from = end + 1) {
        for (end = from; end < text.n && text.p[end] != '\n';)
            end++;
        mln_clean(text.p + from, end - from);
    }
    fwrite(text.p, 1, text.n, out);
    return MLN_OK;
}

struct mln_result mln_output_printf(struct mln_invocation *in, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    struct mln_result r = put(in->out, format, args);
    va_end(args);
    return r;
}

struct mln_result mln_output_say(struct mln_invocation *in, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    struct mln_result r = put(in->err, format, args);
    va_end(args);
    return r;
}

/* ---- tables ---- */

void mln_table_begin(struct mln_table *table, struct mln_invocation *invocation, const char *const *heads)
{
    *table = (struct mln_table){.invocation = invocation, .heads = heads};
    while (heads[table->n_columns])
        table->n_columns++;
}

struct mln_result mln_table_cell(struct mln_table *table, struct mln_str text)
{
    struct mln_arena *arena = table->invocation->arena;
    char *clean;
    MLN_TRY_ARRAY(arena, clean, text.n + 1);
    if (text.n)
        memcpy(clean, text.p, text.n);
    mln_clean(clean, text.n);
    return mln_vec_push(arena, &table->cells, (struct mln_str){clean, text.n});
}

struct mln_result mln_table_number(struct mln_table *table, int64_t number)
{
    char text[24];
    snprintf(text, sizeof text, "%lld", (long long)number);
    return mln_table_cell(table, mln_str_c(text));
}

/* The bytes of the character that begins s, and the columns that it takes on a terminal. */
static size_t character(struct mln_str s, size_t *columns)
{
    wchar_t wide;
    mbstate_t state = {0};
    size_t bytes = mbrtowc(&wide, s.p, s.n, &state);
    if (bytes == 0 || bytes > s.n) { /* the locale is not of UTF-8: a code point is taken for one column */
        for (bytes = 1; bytes < s.n && ((unsigned char)s.p[bytes] & 0xC0) == 0x80;)
            bytes++;
        *columns = 1;
        return bytes;
    }
    int width = wcwidth(wide);
    *columns = width < 0 ? 1 : (size_t)width;
    return bytes;
}

static size_t width_of(struct mln_str s)
{
    size_t n = 0, columns;
    for (size_t at = 0; at < s.n; n += columns)
        at += character(mln_str_sub(s, at, s.n), &columns);
    return n;
}

/* As much of s as fits into width columns. */
static struct mln_str cut(struct mln_str s, size_t width)
{
    size_t n = 0, columns, at = 0;
    while (at < s.n) {
        size_t bytes = character(mln_str_sub(s, at, s.n), &columns);
        if (n + columns > width)
            break;
        n += columns;
        at += bytes;
    }
    return mln_str_sub(s, 0, at);
}

static const char *color_of(struct mln_str cell)
{
    static const struct {
        const char *word, *color;
    } colors[] = {{"Critical", "\033[1;31m"}, {"High", "\033[31m"},         {"Medium", "\033[33m"},
                  {"Unhealthy", "\033[31m"},  {"Healthy", "\033[32m"},      {"Connected", "\033[32m"},
                  {"Failed", "\033[31m"},     {"Disconnected", "\033[33m"}, {"Expired", "\033[31m"}};
    for (size_t i = 0; i < sizeof colors / sizeof *colors; i++)
        if (mln_str_eq(cell, mln_str_c(colors[i].word)))
            return colors[i].color;
    return NULL;
}

static size_t terminal_width(const struct mln_invocation *in)
{
    struct winsize size;
    int fd = fileno(in->out);
    return isatty(fd) && ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

static bool is_figures(const struct mln_table *table, size_t column)
{
    return table->heads[column][0] == '>';
}

static struct mln_str head_of(const struct mln_table *table, size_t column)
{
    return mln_str_c(table->heads[column] + is_figures(table, column));
}

/* Takes columns away from the widest column of text until the line fits, or none is wide. */
static void fit(const struct mln_table *table, size_t *widths)
{
    size_t screen = terminal_width(table->invocation), n = table->n_columns, total = (n - 1) * GAP;
    for (size_t c = 0; c < n; c++)
        total += widths[c];
    while (screen && total > screen) {
        size_t widest = n;
        for (size_t c = 0; c < n; c++)
            if (!is_figures(table, c) && widths[c] > LEAST_COLUMN && (widest == n || widths[c] >= widths[widest]))
                widest = c;
        if (widest == n)
            return;
        widths[widest]--;
        total--;
    }
}

static void put_cell(const struct mln_table *table, struct mln_str cell, size_t column, size_t width, bool head)
{
    FILE *out = table->invocation->out;
    bool right = is_figures(table, column), last = column + 1 == table->n_columns;
    const char *color = !table->invocation->color ? NULL : head ? "\033[1m" : color_of(cell);
    cell = cut(cell, width);
    size_t pad = width - width_of(cell);
    if (right && (cell.n || !last))
        fprintf(out, "%*s", (int)pad, "");
    fputs(color ? color : "", out);
    fwrite(cell.p, 1, cell.n, out);
    fputs(color ? "\033[0m" : "", out);
    if (!last)
        fprintf(out, "%*s", (int)(GAP + (right ? 0 : pad)), "");
}

struct mln_result mln_table_end(struct mln_table *table)
{
    size_t widths[MLN_MAX_COLUMNS], n = table->n_columns;
    if (n == 0 || n > MLN_MAX_COLUMNS || table->cells.n % n)
        return mln_fail(MLN_E_INTERNAL, "a table of %zu cells in %zu columns", table->cells.n, n);
    for (size_t c = 0; c < n; c++) {
        widths[c] = width_of(head_of(table, c));
        for (size_t i = c; i < table->cells.n; i += n) {
            size_t width = width_of(table->cells.at[i]);
            widths[c] = width > widths[c] ? width : widths[c];
        }
    }
    fit(table, widths);
    for (size_t c = 0; c < n; c++)
        put_cell(table, head_of(table, c), c, widths[c], true);
    fputc('\n', table->invocation->out);
    for (size_t i = 0; i < table->cells.n; i++) {
        put_cell(table, table->cells.at[i], i % n, widths[i % n], false);
        if (i % n + 1 == n)
            fputc('\n', table->invocation->out);
    }
    return MLN_OK;
}

/* ---- JSON ---- */

/* The writer escapes what JSON must; DEL and the C1 controls, which it may leave, are escaped on their way out. */
static void put_json(struct mln_str text, FILE *out)
{
    size_t from = 0;
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i], next = i + 1 < text.n ? (unsigned char)text.p[i + 1] : 0;
        bool c1 = c == 0xC2 && next >= 0x80 && next < 0xA0;
        if (c != 0x7f && !c1)
            continue;
        fwrite(text.p + from, 1, i - from, out);
        fprintf(out, "\\u%04x", c1 ? next : c);
        i += c1;
        from = i + 1;
    }
    fwrite(text.p + from, 1, text.n - from, out);
}

struct mln_result mln_output_list(struct mln_invocation *invocation, const struct mln_json *list,
                                  const char *const *heads, const char *const *paths)
{
    struct mln_table table;
    if (mln_option_given(invocation, "json"))
        return mln_output_json(invocation, list);
    mln_table_begin(&table, invocation, heads);
    for (uint32_t i = 0; i < list->n; i++)
        for (size_t c = 0; c < table.n_columns; c++)
            MLN_TRY(mln_table_cell(&table, mln_output_text(&list->items[i], paths[c])));
    return mln_table_end(&table);
}

struct mln_result mln_output_json(struct mln_invocation *in, const struct mln_json *json)
{
    MLN_BUF_CLEANUP struct mln_buf text = MLN_BUF(JSON_MAX_BYTES);
    MLN_TRY(mln_json_write(&text, json ? json : &mln_json_null, true));
    put_json(mln_buf_str(&text), in->out);
    return MLN_OK;
}

struct mln_result mln_output_done(struct mln_invocation *in, const char *name, struct mln_str value, const char *before,
                                  const char *after)
{
    struct mln_json_object object = {0};
    if (!mln_option_given(in, "json"))
        return mln_output_printf(in, "%s%.*s%s\n", before, MLN_FMT(value), after);
    MLN_TRY(mln_json_add(in->arena, &object, mln_str_c(name), mln_json_of_str(value)));
    struct mln_json json = mln_json_object_done(&object);
    return mln_output_json(in, &json);
}

/* ---- values ---- */

struct mln_result mln_output_points(struct mln_invocation *in, double points, struct mln_str *out)
{
    double size = points < 0 ? -points : points;
    if (size > 0 && size < 0.005)
        *out = points > 0 ? MLN_S("<0.01") : MLN_S(">-0.01");
    else
        MLN_TRY_STR(in->arena, *out, mln_str_printf(in->arena, "%.2f", points));
    return MLN_OK;
}

double mln_output_number(const struct mln_json *json, double otherwise)
{
    if (mln_json_is(json, MLN_JSON_REAL))
        return json->real;
    if (mln_json_is(json, MLN_JSON_INT))
        return (double)json->i;
    return mln_json_is(json, MLN_JSON_UINT) ? (double)json->u : otherwise;
}

struct mln_str mln_output_text(const struct mln_json *json, const char *path)
{
    return mln_json_str(mln_json_path(json, path), MLN_S(""));
}

struct mln_str mln_output_name(struct mln_str id)
{
    size_t slash = id.n;
    while (slash > 0 && id.p[slash - 1] != '/')
        slash--;
    return mln_str_sub(id, slash, id.n);
}

const char *mln_output_plural(int64_t n)
{
    return n == 1 ? "" : "s";
}
