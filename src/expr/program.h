/*
 * Compiled predicates. A front end (cel.h) turns source text into a program; a program runs on one JSON tree.
 *
 * Programs are compiled in an environment, which names the variables and numbers the field paths ("slots") of all
 * programs compiled in it: for one document each slot is looked up once, whichever and however many programs use it.
 * Programs are immutable and may run in many threads at once, each with its own run.
 */
#ifndef MLN_EXPR_PROGRAM_H
#define MLN_EXPR_PROGRAM_H

#include "base/time.h"
#include "json/json.h"

struct mln_expr_env;
struct mln_program;
struct mln_expr_run;

enum mln_expr_mode {
    MLN_EXPR_RULES, /* an absent field is null, comparisons with null are false except == and != */
    MLN_EXPR_STRICT /* an absent field is an error, as the CEL specification has it */
};

/* An environment without variables. NULL: no memory. */
struct mln_expr_env *mln_expr_env_new(enum mln_expr_mode mode);
void mln_expr_env_free(struct mln_expr_env *env); /* after its programs */
MLN_DEFINE_CLEANUP(struct mln_expr_env, mln_expr_env_free)
/* Declares a variable that stands for a dotted path below the document ("" is the document itself): "facts" for
   "properties.facts". CONFLICT when the name is taken. */
MLN_RESULT mln_expr_env_variable(struct mln_expr_env *env, struct mln_str name, struct mln_str path);

/* The same with its type, "map(string, list(int))", which the checker goes by; programs look at the values in any case. The
   types are dyn, bool, int, uint, double, string, bytes, list(T), map(K, V), google.protobuf.Timestamp,
   google.protobuf.Duration. INVALID for any other. */
MLN_RESULT mln_expr_env_typed_variable(struct mln_expr_env *env, struct mln_str name, struct mln_str path,
                                       struct mln_str type);

/* Where a source text is wrong; line and column count from 1, column in code points. */
struct mln_expr_error {
    uint32_t line, column;
};

/* Compiles CEL. SYNTAX or INVALID (unknown name, wrong argument types) with the text "1:14: ..."; *error may be NULL. */
MLN_RESULT mln_cel_compile(struct mln_expr_env *env, struct mln_str source, struct mln_program **out,
                           struct mln_expr_error *error);
void mln_program_free(struct mln_program *program);
MLN_DEFINE_CLEANUP(struct mln_program, mln_program_free)

/* The field paths below the document that the program reads, dotted, as far as they are known at compile time
   ("properties.facts.sshd.effective"). Owned by the program. */
size_t mln_program_paths(const struct mln_program *program, const struct mln_str **paths);

/* The type of the program's value as far as it is known at compile time: "bool", "list(dyn)", "dyn". Owned by the program. */
const char *mln_program_type(const struct mln_program *program);

/* What a run may use. One run serves any number of programs of its environment on one document after another. */
struct mln_expr_limits {
    size_t arena_bytes; /* for values made while running */
    uint64_t cost;      /* steps; each item that a macro visits and each 64 bytes of string work is a step */
};
extern const struct mln_expr_limits mln_expr_default_limits;

struct mln_expr_run *mln_expr_run_new(const struct mln_expr_env *env, const struct mln_clock *clock,
                                      const struct mln_expr_limits *limits); /* NULL: no memory */
void mln_expr_run_free(struct mln_expr_run *run);
MLN_DEFINE_CLEANUP(struct mln_expr_run, mln_expr_run_free)
/* The document for the next tests; it must live until the next call. Forgets the slots of the last one. */
void mln_expr_run_document(struct mln_expr_run *run, const struct mln_json *document);

/* Runs a predicate. INVALID when it ends in an error or in something that is not a bool, LIMIT when it costs too much. */
MLN_RESULT mln_program_test(const struct mln_program *program, struct mln_expr_run *run, bool *out);
/* Runs a program for its value as JSON (timestamps and durations as text, bytes as base64), valid until the run's next
   document. */
MLN_RESULT mln_program_value(const struct mln_program *program, struct mln_expr_run *run, const struct mln_json **out);

#endif
