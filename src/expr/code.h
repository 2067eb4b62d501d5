/*
 * Compiled programs: flat code for a stack machine, with its constants.
 *
 * An error is a value: an operator with an error among its operands gives that error, AND and OR absorb it where the other
 * side decides. Loops have a frame of their own, with the range, the position and what has been gathered.
 */
#ifndef MLN_EXPR_CODE_H
#define MLN_EXPR_CODE_H

#include "base/map.h"
#include "expr/functions.h"
#include "expr/ops.h"

/* name, what it does; [x] is the stack's top before */
#define MLN_INSTRUCTIONS(I)                                                                                            \
    I(CONSTANT)      /* push constants[b] */                                                                           \
    I(SLOT)          /* push the document's value at slot b */                                                         \
    I(HAS_SLOT)      /* push whether slot b is there */                                                                \
    I(SLOT_IS)       /* push whether the value at slot b equals constants[c] */                                        \
    I(LOCAL)         /* push local b */                                                                                \
    I(SET_LOCAL)     /* [x] pop into local b */                                                                        \
    I(MEMBER)        /* [object] its member constants[b] */                                                            \
    I(HAS)           /* [object] whether it has member constants[b] */                                                 \
    I(OPERATOR)      /* [operands] operator a */                                                                       \
    I(EQUALS)        /* [x] whether it equals constants[b] */                                                          \
    I(IN_SET)        /* [x] whether it is in sets[b] */                                                                \
    I(CALL)          /* [arguments] calls[b] with a arguments */                                                       \
    I(MATCHES)       /* [text] whether regexes[b] occurs in it */                                                      \
    I(LIST)          /* [items] b of them; optionals[c] tells which may be without a value */                          \
    I(MAP)           /* [keys and values] b pairs; the same */                                                         \
    I(AND)           /* [x, y] x && y */                                                                               \
    I(OR)            /* [x, y] x || y */                                                                               \
    I(JUMP)          /* to b */                                                                                        \
    I(JUMP_IF_FALSE) /* [x] to b, keeping it, when it is false */                                                      \
    I(JUMP_IF_TRUE)  /* [x] to b, keeping it, when it is true */                                                       \
    I(BRANCH)        /* [x] pop; on when true, to b when false; else push an error, to c */                            \
    I(LOOP)          /* [range] pop into a new frame of kind a, first item into locals; to b when there is none */     \
    I(LOOP_IF)       /* [x] on when true, to b (the LOOP_NEXT) without a result when false */                          \
    I(LOOP_NEXT)     /* [x] pop and gather; next item and to b, or on */                                               \
    I(LOOP_END)      /* push what was gathered, drop the frame */                                                      \
    I(END)           /* [x] the result */

enum mln_instruction_code {
#define I(name) MLN_I_##name,
    MLN_INSTRUCTIONS(I)
#undef I
        MLN_INSTRUCTION_COUNT
};

struct mln_instruction {
    uint16_t code;
    uint16_t a;
    uint32_t b, c;
    uint32_t at; /* its place in the source */
};

enum mln_loop_kind {
    MLN_LOOP_ALL,
    MLN_LOOP_EXISTS,
    MLN_LOOP_EXISTS_ONE,
    MLN_LOOP_MAP,
    MLN_LOOP_FILTER,
    MLN_LOOP_TRANSFORM_MAP,     /* a map of the same keys (a list's indices) and new values */
    MLN_LOOP_TRANSFORM_ENTRIES, /* a map of the entries of the maps that the body gives */
};

enum { MLN_NO_LOCAL = 0xFFFF };

/* Of a LOOP: the locals of the item, or of key (index) and value. */
struct mln_loop_locals {
    uint16_t first, second; /* second: MLN_NO_LOCAL for one variable */
};

/* A list of constants made ready for `in`: strings by hash, everything else one by one. */
struct mln_constant_set {
    struct mln_map *strings; /* NULL: few, in others */
    const mln_value *others;
    size_t n_others;
};

/* The lines of the function that a CALL means. */
struct mln_call {
    const struct mln_function *rows;
    size_t n_rows;
};

enum {
    MLN_PROGRAM_CODE_MOST = 1 << 16,
    MLN_PROGRAM_STACK_MOST = 1 << 12,
    MLN_PROGRAM_LOCALS_MOST = 256,
    MLN_PROGRAM_LOOPS_MOST = 16, /* inside of one another */
};

struct mln_program {
    struct mln_arena *arena; /* owns everything below but regexes and sets */
    struct mln_str source;
    const struct mln_instruction *code;
    size_t n_code;
    const mln_value *constants;
    const struct mln_call *calls;
    const uint64_t *const *optionals; /* sets of items; the first is NULL, for lists and maps without any */
    struct mln_regex **regexes;
    size_t n_regexes;
    struct mln_constant_set *sets;
    size_t n_sets;
    const struct mln_loop_locals *loops; /* of each LOOP, by its c */
    const struct mln_str *paths;
    size_t n_paths;
    const char *type; /* of its value, as far as it is known */
    uint32_t stack_cells, locals, loop_depth;
};

/* "3:14", from 1, of a place in a source; column in code points. */
void mln_source_position(struct mln_str source, size_t at, uint32_t *line, uint32_t *column);

#endif
