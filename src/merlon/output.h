/*
 * What people read: tables that fit the terminal, figures, colour where it is wanted; and JSON for programs. Whatever a
 * server or a file says goes through here on its way to a terminal, so that it gives that no orders.
 */
#ifndef MLN_MERLON_OUTPUT_H
#define MLN_MERLON_OUTPUT_H

#include "merlon/commands.h"
#include "json/json.h"

enum { MLN_MAX_COLUMNS = 40 };

struct mln_table {
    struct mln_invocation *invocation;
    const char *const *heads; /* NULL-terminated; one that begins with '>' is a column of figures, to the right */
    size_t n_columns;
    struct {
        struct mln_str *at;
        size_t n, cap;
    } cells;
};

/* Once, before anything is written: whether there is to be colour, and how wide letters are here. */
void mln_output_setup(struct mln_invocation *invocation);

/* heads must outlive the table. Cells are kept by reference. */
void mln_table_begin(struct mln_table *table, struct mln_invocation *invocation, const char *const *heads);
MLN_RESULT mln_table_cell(struct mln_table *table, struct mln_str text);
MLN_RESULT mln_table_number(struct mln_table *table, int64_t number);
/* Writes it. On a terminal, columns of text are cut so that lines fit it. Severities and states are coloured. */
MLN_RESULT mln_table_end(struct mln_table *table);

/* A list of objects: the JSON that it is where --json is given, else a table with a column for each head, whose cells are the
   members at paths. */
MLN_RESULT mln_output_list(struct mln_invocation *invocation, const struct mln_json *list, const char *const *heads,
                           const char *const *paths);

/* Pretty JSON on standard output. NULL: null. */
MLN_RESULT mln_output_json(struct mln_invocation *invocation, const struct mln_json *json);
/* What was done to a thing: as JSON an object with the thing as its one member, otherwise in words. */
MLN_RESULT mln_output_done(struct mln_invocation *invocation, const char *name, struct mln_str value,
                           const char *before, const char *after);

/* Formatted text on standard output, without control bytes but line ends; and on standard error. */
MLN_RESULT mln_output_printf(struct mln_invocation *invocation, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
MLN_RESULT mln_output_say(struct mln_invocation *invocation, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* "3.33", "<0.01" for what is smaller but not nothing, "0". */
MLN_RESULT mln_output_points(struct mln_invocation *invocation, double points, struct mln_str *out);
/* A JSON number as double, whatever its kind; otherwise for what is no number. */
double mln_output_number(const struct mln_json *json, double otherwise);
/* A member by dotted path as text, "" when it is not there. */
struct mln_str mln_output_text(const struct mln_json *json, const char *path);
/* The part of a resource id after its last slash. */
struct mln_str mln_output_name(struct mln_str id);
/* "" for one, "s" for any other number: "%lld resource%s". */
const char *mln_output_plural(int64_t n);

#endif
