/*
 * Growable arrays of any type. MLN_VEC(struct x) declares one; zero is the empty vector. Memory comes from an arena, or
 * from the heap where the arena is NULL (then mln_vec_free gives it back).
 *
 *     MLN_VEC(struct mln_str) names = {0};
 *     MLN_TRY(mln_vec_push(arena, &names, MLN_S("web")));
 *     for (size_t i = 0; i < names.n; i++) use(names.at[i]);
 */
#ifndef MLN_BASE_VEC_H
#define MLN_BASE_VEC_H

#include "base/arena.h"

#define MLN_VEC(type)                                                                                                  \
    struct {                                                                                                           \
        type *at;                                                                                                      \
        size_t n, cap;                                                                                                 \
    }

/* Appends a copy of the value; LIMIT or MEMORY where there is no room, the vector then as before. */
#define mln_vec_push(arena, vec, ...)                                                                                  \
    ({                                                                                                                 \
        __typeof__(vec) mln_v_ = (vec);                                                                                \
        void *mln_p_ = mln_v_->at;                                                                                     \
        struct mln_result mln_r_ = MLN_OK;                                                                             \
        if (mln_v_->n == mln_v_->cap) {                                                                                \
            mln_r_ = mln_vec_grow_((arena), &mln_p_, &mln_v_->cap, mln_v_->n, sizeof *mln_v_->at);                     \
            mln_v_->at = mln_p_;                                                                                       \
        }                                                                                                              \
        if (mln_ok(mln_r_))                                                                                            \
            mln_v_->at[mln_v_->n++] = (__typeof__(*mln_v_->at))__VA_ARGS__;                                            \
        mln_r_;                                                                                                        \
    })

/* For a vector on the heap only. */
#define mln_vec_free(vec)                                                                                              \
    do {                                                                                                               \
        free((vec)->at);                                                                                               \
        (vec)->at = NULL;                                                                                              \
        (vec)->n = (vec)->cap = 0;                                                                                     \
    } while (0)

MLN_RESULT mln_vec_grow_(struct mln_arena *arena, void **at, size_t *cap, size_t n, size_t item_bytes);

#endif
