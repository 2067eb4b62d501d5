/* What types the operators take and give: see ops.h. */
#include "expr/ops.h"
#include "expr/signature.h"

#define OP(name, args, result)                                                                                         \
    {                                                                                                                  \
        MLN_OP_##name, false,                                                                                          \
        {                                                                                                              \
            args, result                                                                                               \
        }                                                                                                              \
    }
#define IN_RULES(name, args, result)                                                                                   \
    {                                                                                                                  \
        MLN_OP_##name, true,                                                                                           \
        {                                                                                                              \
            args, result                                                                                               \
        }                                                                                                              \
    }
#define ARITHMETIC(name, type) OP(name, ARGS(type, type), type)
#define RELATION(name, type) OP(name, ARGS(type, type), BOOL)
#define RELATIONS(name)                                                                                                \
    RELATION(name, BOOL), RELATION(name, NUMBER), RELATION(name, STRING), RELATION(name, BYTES), RELATION(name, TIME), \
        RELATION(name, DURATION)
#define EQUALITIES(name)                                                                                               \
    RELATION(name, A), RELATION(name, NUMBER), OP(name, ARGS(A, NULL_TYPE), BOOL), OP(name, ARGS(NULL_TYPE, A), BOOL)

const struct mln_op_line mln_op_lines[] = {
    OP(NOT, ARGS(BOOL), BOOL),
    OP(NEGATE, ARGS(INT), INT),
    OP(NEGATE, ARGS(DOUBLE), DOUBLE),
    ARITHMETIC(ADD, INT),
    ARITHMETIC(ADD, UINT),
    ARITHMETIC(ADD, DOUBLE),
    ARITHMETIC(ADD, STRING),
    ARITHMETIC(ADD, BYTES),
    ARITHMETIC(ADD, LIST_OF(A)),
    ARITHMETIC(ADD, DURATION),
    OP(ADD, ARGS(TIME, DURATION), TIME),
    OP(ADD, ARGS(DURATION, TIME), TIME),
    IN_RULES(ADD, ARGS(STRING, NULL_TYPE), STRING),
    IN_RULES(ADD, ARGS(NULL_TYPE, STRING), STRING),
    ARITHMETIC(SUBTRACT, INT),
    ARITHMETIC(SUBTRACT, UINT),
    ARITHMETIC(SUBTRACT, DOUBLE),
    ARITHMETIC(SUBTRACT, DURATION),
    OP(SUBTRACT, ARGS(TIME, DURATION), TIME),
    OP(SUBTRACT, ARGS(TIME, TIME), DURATION),
    ARITHMETIC(MULTIPLY, INT),
    ARITHMETIC(MULTIPLY, UINT),
    ARITHMETIC(MULTIPLY, DOUBLE),
    ARITHMETIC(DIVIDE, INT),
    ARITHMETIC(DIVIDE, UINT),
    ARITHMETIC(DIVIDE, DOUBLE),
    ARITHMETIC(MODULO, INT),
    ARITHMETIC(MODULO, UINT),
    EQUALITIES(EQUAL),
    EQUALITIES(NOT_EQUAL),
    RELATIONS(LESS),
    RELATIONS(LESS_EQUAL),
    RELATIONS(GREATER),
    RELATIONS(GREATER_EQUAL),
    OP(IN, ARGS(A, LIST_OF(A)), BOOL),
    OP(IN, ARGS(NUMBER, LIST_OF(NUMBER)), BOOL),
    OP(IN, ARGS(A, MAP_OF(A, B)), BOOL),
    OP(IN, ARGS(NUMBER, MAP_OF(NUMBER, B)), BOOL),
    OP(IN, ARGS(NULL_TYPE, LIST), BOOL),
    IN_RULES(IN, ARGS(ANY, NULL_TYPE), BOOL),
    OP(INDEX, ARGS(LIST_OF(A), NUMBER), A),
    OP(INDEX, ARGS(MAP_OF(A, B), A), B),
    OP(INDEX, ARGS(MAP_OF(NUMBER, B), NUMBER), B),
    OP(INDEX, ARGS(OPTIONAL_OF(LIST_OF(A)), NUMBER), OPTIONAL_OF(A)),
    OP(INDEX, ARGS(OPTIONAL_OF(MAP_OF(A, B)), A), OPTIONAL_OF(B)),
    IN_RULES(INDEX, ARGS(NULL_TYPE, ANY), NULL_TYPE),
    OP(OPTIONAL_INDEX, ARGS(LIST_OF(A), NUMBER), OPTIONAL_OF(A)),
    OP(OPTIONAL_INDEX, ARGS(MAP_OF(A, B), A), OPTIONAL_OF(B)),
    OP(OPTIONAL_INDEX, ARGS(MAP_OF(NUMBER, B), NUMBER), OPTIONAL_OF(B)),
    OP(OPTIONAL_INDEX, ARGS(OPTIONAL_OF(LIST_OF(A)), NUMBER), OPTIONAL_OF(A)),
    OP(OPTIONAL_INDEX, ARGS(OPTIONAL_OF(MAP_OF(A, B)), A), OPTIONAL_OF(B)),
    IN_RULES(OPTIONAL_INDEX, ARGS(NULL_TYPE, ANY), OPTIONAL_OF(A)),
};
const size_t mln_n_op_lines = sizeof mln_op_lines / sizeof mln_op_lines[0];
