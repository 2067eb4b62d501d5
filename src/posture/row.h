/*
 * The stored forms of assessments: all findings of one resource as one value (collection ASSESSMENTS), and what changed of
 * them at a moment (ASSESSMENT_CHANGES). docs/posture.md describes both. Pure: merging, comparing, text and back.
 *
 * The decoders take bytes from the store, which may be damaged: CORRUPT, never more.
 */
#ifndef MLN_POSTURE_ROW_H
#define MLN_POSTURE_ROW_H

#include "base/buf.h"
#include "posture/assess.h"
#include "store/store.h"

struct mln_row_finding {
    struct mln_str rule; /* its id */
    enum mln_status status;
    enum mln_cause cause;
    struct mln_str text; /* p NULL: none */
    int64_t first_ms;    /* first evaluated */
    int64_t changed_ms;  /* the status last changed */
};

struct mln_row {
    struct mln_str id, type; /* of the resource, as its owner wrote them */
    struct mln_str version;  /* of the content that judged it */
    int64_t evaluated_ms;
    struct mln_row_finding *findings; /* by rule id */
    size_t n;
};

/* One finding that became another one. */
struct mln_row_change {
    struct mln_str rule;
    int before;           /* status, -1: there was none */
    int after;            /* -1: there is none any more */
    enum mln_cause cause; /* of after */
    struct mln_str text;
};
/* What changed of a resource's findings. */
struct mln_row_record {
    struct mln_str id, type, version; /* afterwards */
    int64_t evaluated_ms;
    bool gone;                            /* the resource was deleted */
    const struct mln_row_change *changes; /* by rule id */
    size_t n;
};

/* The row after a new judgement: findings of mln_assess (by ascending rule number of set, which is by id) over the row
   before (NULL: none). Times go on where the status is the same. record lists what differs in status, cause or text; its n is
   0 when nothing does. Strings are shared with the inputs. */
MLN_RESULT mln_row_merge(struct mln_arena *arena, const struct mln_row *before, const struct mln_ruleset *set,
                         const struct mln_finding *findings, size_t n, int64_t now_ms, struct mln_row *after,
                         struct mln_row_record *record);
/* The record of a deleted resource. */
MLN_RESULT mln_row_removal(struct mln_arena *arena, const struct mln_row *before, int64_t now_ms,
                           struct mln_row_record *record);
/* Takes a row one record on, perhaps in its own findings: the replay of history. row starts as zero; strings are shared with
   the record. */
MLN_RESULT mln_row_apply(struct mln_arena *arena, struct mln_row *row, const struct mln_row_record *record);

MLN_RESULT mln_row_write(const struct mln_row *row, struct mln_buf *out);
MLN_RESULT mln_row_read(struct mln_arena *arena, struct mln_str text, struct mln_row *out);
MLN_RESULT mln_row_record_write(const struct mln_row_record *record, struct mln_buf *out);
MLN_RESULT mln_row_record_read(struct mln_arena *arena, struct mln_str text, struct mln_row_record *out);

#endif
