#include "merlon/output.h"

#include "base/buf.h"
#include "base/vec.h"
#include "json/writer.h"

#include <stdarg.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { JSON_MAX_BYTES = 256 << 20, GAP = 2, LEAST_LAST_COLUMN = 20 };

void mln_table_begin(struct mln_table *table, struct mln_invocation *invocation, const char *const *heads)
{
    *table = (struct mln_table){.invocation = invocation, .heads = heads};
    while (heads[table->n_columns])
        table->n_columns++;
}

struct mln_result mln_output_clean(struct mln_invocation *invocation, struct mln_str text, struct mln_str *out)
{
    char *p;
    MLN_TRY_ARRAY(invocation->arena, p, text.n + 1);
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        p[i] = c < 0x20 || c == 0x7f ? ' ' : (char)c;
    }
    *out = (struct mln_str){p, text.n};
    return MLN_OK;
}

struct mln_result mln_table_cell(struct mln_table *table, struct mln_str text)
{
    struct mln_str clean;
    MLN_TRY(mln_output_clean(table->invocation, text, &clean));
    return mln_vec_push(table->invocation->arena, &table->cells, clean);
}

struct mln_result mln_table_cellf(struct mln_table *table, const char *format, ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return mln_table_cell(table, mln_str_c(text));
}

/* Code points; wide characters count as one, which is near enough for names. */
static size_t width_of(struct mln_str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        n += ((unsigned char)s.p[i] & 0xC0) != 0x80;
    return n;
}

static struct mln_str cut(struct mln_str s, size_t width)
{
    size_t at = 0;
    for (size_t n = 0; at < s.n && n < width; n++)
        for (at++; at < s.n && ((unsigned char)s.p[at] & 0xC0) == 0x80;)
            at++;
    return mln_str_sub(s, 0, at);
}

static const char *color_of(struct mln_str cell)
{
    static const struct {
        const char *word, *color;
    } colors[] = {{"Critical", "\033[1;31m"}, {"High", "\033[31m"},     {"Medium", "\033[33m"},   {"Unhealthy", "\033[31m"},
                  {"Healthy", "\033[32m"},    {"Connected", "\033[32m"}, {"Failed", "\033[31m"}, {"Disconnected", "\033[33m"},
                  {"Expired", "\033[31m"}};
    for (size_t i = 0; i < sizeof colors / sizeof *colors; i++)
        if (mln_str_eq(cell, mln_str_c(colors[i].word)))
            return colors[i].color;
    return NULL;
}

static size_t terminal_width(const struct mln_invocation *invocation)
{
    struct winsize size;
    int fd = fileno(invocation->out);
    return isatty(fd) && ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col : 0;
}

static void put_cell(const struct mln_table *table, struct mln_str cell, size_t column, size_t width, bool head)
{
    FILE *out = table->invocation->out;
    bool right = table->heads[column][0] == '>', last = column + 1 == table->n_columns;
    size_t pad = width > width_of(cell) ? width - width_of(cell) : 0;
    const char *color = !table->invocation->color ? NULL : head ? "\033[1m" : color_of(cell);
    if (right)
        fprintf(out, "%*s", (int)pad, "");
    fprintf(out, "%s%.*s%s", color ? color : "", (int)cell.n, cell.p, color ? "\033[0m" : "");
    if (!last)
        fprintf(out, "%*s", (int)(GAP + (right ? 0 : pad)), "");
}

struct mln_result mln_table_end(struct mln_table *table)
{
    size_t widths[MLN_MAX_COLUMNS] = {0}, n = table->n_columns, used = 0, screen = terminal_width(table->invocation);
    if (n == 0 || n > MLN_MAX_COLUMNS || table->cells.n % n)
        return mln_fail(MLN_E_INTERNAL, "a table of %zu cells in %zu columns", table->cells.n, n);
    for (size_t c = 0; c < n; c++) {
        widths[c] = strlen(table->heads[c]) - (table->heads[c][0] == '>');
        for (size_t r = 0; r < table->cells.n / n; r++) {
            size_t width = width_of(table->cells.at[r * n + c]);
            widths[c] = width > widths[c] ? width : widths[c];
        }
        used += c + 1 < n ? widths[c] + GAP : 0;
    }
    size_t last = screen > used + LEAST_LAST_COLUMN ? screen - used : screen ? LEAST_LAST_COLUMN : SIZE_MAX;
    for (size_t c = 0; c < n; c++)
        put_cell(table, mln_str_c(table->heads[c] + (table->heads[c][0] == '>')), c, widths[c], true);
    fputc('\n', table->invocation->out);
    for (size_t i = 0; i < table->cells.n; i++) {
        bool is_last = i % n + 1 == n;
        put_cell(table, is_last ? cut(table->cells.at[i], last) : table->cells.at[i], i % n, widths[i % n], false);
        if (is_last)
            fputc('\n', table->invocation->out);
    }
    return MLN_OK;
}

struct mln_result mln_output_json(struct mln_invocation *invocation, const struct mln_json *json)
{
    MLN_BUF_CLEANUP struct mln_buf text = MLN_BUF(JSON_MAX_BYTES);
    MLN_TRY(mln_json_write(&text, json, true));
    fwrite(text.p, 1, text.n, invocation->out);
    return MLN_OK;
}

struct mln_result mln_output_points(struct mln_invocation *invocation, double points, struct mln_str *out)
{
    double size = points < 0 ? -points : points;
    if (size > 0 && size < 0.005)
        *out = points > 0 ? MLN_S("<0.01") : MLN_S(">-0.01");
    else
        MLN_TRY_STR(invocation->arena, *out, mln_str_printf(invocation->arena, "%.2f", points));
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
