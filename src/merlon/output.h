/* What people read: tables that fit the terminal, figures, colour where it is wanted; and JSON for programs. */
#ifndef MLN_MERLON_OUTPUT_H
#define MLN_MERLON_OUTPUT_H

#include "json/json.h"
#include "merlon/command.h"

enum { MLN_MAX_COLUMNS = 12 };

struct mln_table {
    struct mln_invocation *invocation;
    const char *const *heads; /* NULL-terminated; one that begins with '>' is a column of figures, to the right */
    size_t n_columns;
    struct {
        struct mln_str *at;
        size_t n, cap;
    } cells;
};

/* heads must outlive the table. Cells are kept by reference. */
void mln_table_begin(struct mln_table *table, struct mln_invocation *invocation, const char *const *heads);
MLN_RESULT mln_table_cell(struct mln_table *table, struct mln_str text);
MLN_RESULT mln_table_cellf(struct mln_table *table, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Writes it. The last column is cut to the terminal's width, where there is one. Severities and states are coloured. */
MLN_RESULT mln_table_end(struct mln_table *table);

/* Pretty JSON on standard output. */
MLN_RESULT mln_output_json(struct mln_invocation *invocation, const struct mln_json *json);

/* "3.33", "<0.01" for what is smaller but not nothing, "0". */
MLN_RESULT mln_output_points(struct mln_invocation *invocation, double points, struct mln_str *out);
/* A JSON number as double, whatever its kind; otherwise for what is no number. */
double mln_output_number(const struct mln_json *json, double otherwise);
/* A member by dotted path as text, "" when it is not there. */
struct mln_str mln_output_text(const struct mln_json *json, const char *path);

/* Text without control bytes, for a terminal. */
MLN_RESULT mln_output_clean(struct mln_invocation *invocation, struct mln_str text, struct mln_str *out);

#endif
