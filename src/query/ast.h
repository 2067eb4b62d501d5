/* The parsed form of a query, shared by the files of this room only. */
#ifndef MLN_QUERY_AST_H
#define MLN_QUERY_AST_H

#include "base/buf.h"
#include "base/map.h"
#include "base/vec.h"

#include "query/kql.h"
#include <stdarg.h>

/* Values are JSON values plus two kinds; both hold milliseconds in i. */
enum { KQL_DATETIME = 16, KQL_TIMESPAN = 17 };

enum kql_expr_kind {
    KQL_LITERAL, /* value */
    KQL_NAME,    /* name: a column or a let */
    KQL_MEMBER,  /* args[0].name */
    KQL_INDEX,   /* args[0][args[1]] */
    KQL_CALL,    /* function(args); star for count(*) style */
    KQL_STAR,    /* * as an argument */
};

struct kql_function;
struct kql_aggregate;

struct kql_expr {
    enum kql_expr_kind kind;
    struct mln_str name; /* of NAME, MEMBER and CALL */
    struct mln_json value;
    struct kql_expr **args;
    size_t n_args;
    const struct kql_function *function;   /* CALL of a scalar function or operator */
    const struct kql_aggregate *aggregate; /* CALL of an aggregate, in summarize only */
    uint64_t bound_to;                     /* NAME: serial of the columns it was looked up in last, and where it was */
    size_t bound_at;
    uint32_t line, position;
};

struct kql_named { /* name = expr; the name is made up where the text gives none */
    struct mln_str name;
    struct kql_expr *expr;
    bool by_hand; /* the name was written */
};
typedef MLN_VEC(struct kql_named) kql_named_list;

struct kql_order {
    struct kql_expr *expr;
    bool ascending, nulls_first;
};

enum kql_join_kind {
    KQL_INNERUNIQUE,
    KQL_INNER,
    KQL_LEFTOUTER,
    KQL_RIGHTOUTER,
    KQL_FULLOUTER,
    KQL_LEFTANTI,
    KQL_LEFTSEMI
};

enum kql_stage_kind {
    KQL_WHERE,
    KQL_EXTEND,
    KQL_PROJECT,
    KQL_PROJECT_AWAY,
    KQL_PROJECT_KEEP,
    KQL_PROJECT_RENAME,
    KQL_PROJECT_REORDER,
    KQL_TAKE,
    KQL_MV_EXPAND,
    KQL_PARSE,
    KQL_SUMMARIZE,
    KQL_DISTINCT,
    KQL_SORT,
    KQL_TOP,
    KQL_COUNT,
    KQL_JOIN,
    KQL_UNION,
};

struct kql_pipeline;

struct kql_stage {
    enum kql_stage_kind kind;
    struct kql_expr *predicate; /* WHERE; the number of TAKE and TOP; the source of PARSE */
    kql_named_list columns;     /* EXTEND, PROJECT*, aggregates of SUMMARIZE, DISTINCT, MV_EXPAND, parts of PARSE */
    kql_named_list by;          /* SUMMARIZE */
    MLN_VEC(struct kql_order) order;
    MLN_VEC(struct kql_pipeline *) others; /* JOIN (one), UNION */
    MLN_VEC(struct mln_str) left_keys, right_keys;
    enum kql_join_kind join;
    bool star; /* DISTINCT * */
    uint32_t line, position;
};

struct kql_pipeline {
    struct mln_str table;       /* a table or a let; p NULL: source or union only */
    struct kql_pipeline *inner; /* ( pipeline ) */
    MLN_VEC(struct kql_stage) stages;
    uint32_t line, position;
};

struct kql_let {
    struct mln_str name;
    struct kql_expr *scalar;
    struct kql_pipeline *tabular;
};

struct mln_kql_query {
    struct mln_arena *arena;
    MLN_VEC(struct kql_let) lets;
    struct kql_pipeline *main;
    struct mln_kql_error *error; /* of the parse that is going on */
};

/* ---- lex.c ---- */

enum kql_token_kind { KQL_END, KQL_WORD, KQL_NUMBER, KQL_TEXT, KQL_SPAN, KQL_PUNCT };

struct kql_token {
    enum kql_token_kind kind;
    struct mln_str text;   /* as written */
    struct mln_json value; /* of NUMBER, TEXT and SPAN */
    size_t offset;
    uint32_t line, position;
};

struct kql_lexer {
    struct mln_arena *arena;
    struct mln_str text;
    size_t at, line_start;
    uint32_t line;
};

MLN_RESULT kql_lex(struct kql_lexer *lexer, struct kql_token *out);
/* The text up to the parenthesis that closes the one just read, which is consumed: for datetime(...) and dynamic(...). */
MLN_RESULT kql_lex_raw(struct kql_lexer *lexer, struct mln_str *out);

/* ---- value.c ---- */

struct mln_json kql_null(void);
struct mln_json kql_span(int64_t ms);
struct mln_json kql_date(int64_t ms);
bool kql_truth(struct mln_json v);
bool kql_is_number(struct mln_json v);
double kql_number(struct mln_json v);
/* Three-way order for sort, min and max: null first, then bool, numbers, dates, spans, text, arrays, objects. */
int kql_order(struct mln_json a, struct mln_json b);
/* The comparison of == < and friends; false when the two cannot be compared (null, different kinds). */
bool kql_compare(struct mln_json a, struct mln_json b, int *order);
/* The text that tostring gives; arrays and objects as JSON. */
MLN_RESULT kql_text(struct mln_arena *arena, struct mln_json v, struct mln_str *out);
/* "[-][d.]hh:mm:ss[.fffffff]" */
MLN_RESULT kql_span_parse(struct mln_str text, int64_t *ms);
/* A copy that shares nothing with the original. */
MLN_RESULT kql_copy(struct mln_arena *arena, struct mln_json v, struct mln_json *out);
/* A key that is equal for equal lists of values, for grouping and joining. */
MLN_RESULT kql_key(struct mln_buf *out, const struct mln_json *values, size_t n);
/* Dates and spans as text, all else as it is. */
MLN_RESULT kql_plain(struct mln_arena *arena, struct mln_json v, struct mln_json *out);

/* ---- functions.c ---- */

struct kql_run;
struct kql_function {
    const char *name;
    uint8_t least, most; /* arguments */
    MLN_RESULT(*call)
    (struct kql_run *run, const struct kql_expr *expr, const struct mln_json *args, size_t n, struct mln_json *out);
    const char *help;
    int variant; /* for one implementation behind several names */
    enum kql_lazy { KQL_EAGER, KQL_LAZY_AND, KQL_LAZY_OR, KQL_LAZY_CASE } lazy; /* eval.c decides what is evaluated */
};
const struct kql_function *kql_function_find(struct mln_str name);

/* ---- aggregate.c ---- */

struct kql_aggregate {
    const char *name;
    uint8_t least, most;
    size_t state_bytes;
    MLN_RESULT(*add)
    (struct kql_run *run, const struct kql_expr *expr, void *state, const struct mln_json *args, size_t n);
    MLN_RESULT (*done)(struct kql_run *run, const struct kql_expr *expr, void *state, struct mln_json *out);
    const char *help;
    int variant;
};
const struct kql_aggregate *kql_aggregate_find(struct mln_str name);

/* ---- run.c ---- */

struct kql_schema { /* the columns of a table or of the rows between two operators */
    struct mln_str *names;
    size_t n;
    uint64_t serial; /* no two schemas of a process share one; 0 is never used */
};
extern const struct kql_schema kql_no_columns;

struct kql_table {
    const struct kql_schema *schema;
    MLN_VEC(struct mln_json *) rows; /* each schema->n cells */
};

struct kql_regex; /* patterns compiled during this run, found by their text */

struct kql_run {
    const struct mln_kql_query *query;
    const struct mln_kql_tables *tables;
    const struct mln_kql_limits *limits;
    struct mln_arena *keep;    /* rows and values that outlive a row */
    struct mln_arena *scratch; /* values of the row at hand */
    struct kql_regex *regexes;
    struct mln_map *distinct; /* what dcount and make_set have seen; keys in run->keep */
    int64_t now_ms;
    uint32_t steps, depth;
};

/* A failure with the place of a node: "2:14: ...". */
struct mln_result kql_wrong(uint32_t line, uint32_t position, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* TIMEOUT when the deadline has passed; cheap enough to call for every row. */
MLN_RESULT kql_tick(struct kql_run *run);
/* Runs source and operators; rows and cells are in run->keep. */
MLN_RESULT kql_pipeline_run(struct kql_run *run, const struct kql_pipeline *pipeline, struct kql_table *out);
/* Adds a row whose cells are in run->keep; LIMIT past max_rows. */
MLN_RESULT kql_add_row(struct kql_run *run, struct kql_table *table, struct mln_json *cells);
MLN_RESULT kql_schema_new(struct kql_run *run, size_t n, struct kql_schema **out);

/* ---- eval.c ---- */

/* The place of a column by its exact name, then without case; SIZE_MAX when it is not there. */
size_t kql_column(const struct kql_schema *schema, struct mln_str name);
/* The value of an expression on one row; what it makes is in run->scratch. */
MLN_RESULT kql_eval(struct kql_run *run, const struct kql_schema *schema, const struct mln_json *row,
                    struct kql_expr *expr, struct mln_json *out);
/* A member of a dynamic value by exact name, then without case; null when it is not there. */
struct mln_json kql_member(struct mln_json of, struct mln_str name);

/* ---- regex.c ---- */

/* Matches pattern in text: *group is the n-th group (p NULL when there is no match). INVALID for a bad pattern, LIMIT. */
MLN_RESULT kql_regex_match(struct kql_run *run, struct mln_str pattern, struct mln_str text, size_t n,
                           struct mln_str *group);
MLN_RESULT kql_regex_replace(struct kql_run *run, struct mln_str pattern, struct mln_str with, struct mln_str text,
                             struct mln_str *out);
void kql_regexes_free(struct kql_regex *regexes);

/* ---- rows.c: operators that look at one row at a time ---- */

bool kql_stage_is_rowwise(const struct kql_stage *stage);
/* The columns after a row-wise stage. */
MLN_RESULT kql_row_schema(struct kql_run *run, const struct kql_stage *stage, const struct kql_schema *in,
                          const struct kql_schema **out);
/* One row through it: *out cells in scratch (or the given ones), NULL when the row is dropped. */
MLN_RESULT kql_row_run(struct kql_run *run, const struct kql_stage *stage, const struct kql_schema *in_schema,
                       const struct kql_schema *out_schema, struct mln_json *in, struct mln_json **out);

/* ---- operators.c, group.c, join.c: operators that need the whole table ---- */

MLN_RESULT kql_stage_run(struct kql_run *run, const struct kql_stage *stage, struct kql_table *table);

/* summarize, distinct and count take rows one by one, so that they can stand right behind the table that is read: begin,
   add for every row (its cells may be in scratch, which add uses further), done; free in any case. */
struct kql_grouping;
bool kql_stage_groups(const struct kql_stage *stage);
MLN_RESULT kql_grouping_new(struct kql_run *run, const struct kql_stage *stage, const struct kql_schema *in,
                            struct kql_grouping **out);
MLN_RESULT kql_grouping_add(struct kql_grouping *grouping, struct mln_json *row);
MLN_RESULT kql_grouping_done(struct kql_grouping *grouping, struct kql_table *out);
void kql_grouping_free(struct kql_grouping *grouping);
MLN_DEFINE_CLEANUP(struct kql_grouping, kql_grouping_free)

MLN_RESULT kql_join(struct kql_run *run, const struct kql_stage *stage, struct kql_table *table);
MLN_RESULT kql_union(struct kql_run *run, const struct kql_stage *stage, struct kql_table *table);

#endif
