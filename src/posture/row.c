#include "posture/row.h"

#include "json/writer.h"

enum { MAX_FINDINGS = 65536, NO_STATUS = -1 };

/* ---- merging ---- */

static bool same_finding(const struct mln_row_finding *a, const struct mln_row_finding *b)
{
    return a->status == b->status && a->cause == b->cause && !a->text.p == !b->text.p && mln_str_eq(a->text, b->text);
}

struct merging {
    struct mln_row_change *changes;
    size_t n;
};

/* before or after NULL: it is not there. */
static void note_change(struct merging *m, const struct mln_row_finding *before, const struct mln_row_finding *after)
{
    if (before && after && same_finding(before, after))
        return;
    m->changes[m->n++] = (struct mln_row_change){
        .rule = after ? after->rule : before->rule,
        .before = before ? (int)before->status : NO_STATUS,
        .after = after ? (int)after->status : NO_STATUS,
        .cause = after ? after->cause : MLN_CAUSE_NONE,
        .text = after ? after->text : (struct mln_str){NULL, 0},
    };
}

struct mln_result mln_row_merge(struct mln_arena *arena, const struct mln_row *before, const struct mln_ruleset *set,
                                const struct mln_finding *findings, size_t n, int64_t now_ms, struct mln_row *after,
                                struct mln_row_record *record)
{
    static const struct mln_row nothing;
    const struct mln_row *old = before ? before : &nothing;
    struct merging m = {0};
    size_t at = 0;
    after->version = set->version;
    after->evaluated_ms = now_ms;
    after->n = n;
    MLN_TRY_ARRAY(arena, after->findings, n);
    MLN_TRY_ARRAY(arena, m.changes, n + old->n);
    for (size_t i = 0; i < n; i++) {
        struct mln_row_finding *new = &after->findings[i];
        *new = (struct mln_row_finding){
            set->rules[findings[i].rule].id, findings[i].status, findings[i].cause, findings[i].text, now_ms, now_ms};
        if (i > 0 && mln_str_cmp(after->findings[i - 1].rule, new->rule) >= 0)
            return mln_fail(MLN_E_INTERNAL, "findings out of order at the rule '%.*s'", MLN_FMT(new->rule));
        while (at < old->n && mln_str_cmp(old->findings[at].rule, new->rule) < 0)
            note_change(&m, &old->findings[at++], NULL);
        const struct mln_row_finding *was =
            at < old->n && mln_str_eq(old->findings[at].rule, new->rule) ? &old->findings[at++] : NULL;
        if (was) {
            new->first_ms = was->first_ms;
            new->changed_ms = was->status == new->status ? was->changed_ms : now_ms;
        }
        note_change(&m, was, new);
    }
    while (at < old->n)
        note_change(&m, &old->findings[at++], NULL);
    *record = (struct mln_row_record){after->id, after->type, after->version, now_ms, false, m.changes, m.n};
    return MLN_OK;
}

struct mln_result mln_row_removal(struct mln_arena *arena, const struct mln_row *before, int64_t now_ms,
                                  struct mln_row_record *record)
{
    struct merging m = {0};
    MLN_TRY_ARRAY(arena, m.changes, before->n);
    for (size_t i = 0; i < before->n; i++)
        note_change(&m, &before->findings[i], NULL);
    *record = (struct mln_row_record){before->id, before->type, before->version, now_ms, true, m.changes, m.n};
    return MLN_OK;
}

static struct mln_row_finding *find_finding(const struct mln_row *row, struct mln_str rule)
{
    size_t from = 0, to = row->n;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        int order = mln_str_cmp(row->findings[middle].rule, rule);
        if (order == 0)
            return &row->findings[middle];
        if (order < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return NULL;
}

/* The finding after a change; was NULL: there was none. */
static struct mln_row_finding changed_finding(const struct mln_row_finding *was, const struct mln_row_change *change,
                                              int64_t now_ms)
{
    bool same_status = was && (int)was->status == change->after;
    return (struct mln_row_finding){
        .rule = change->rule,
        .status = (enum mln_status)change->after,
        .cause = change->cause,
        .text = change->text,
        .first_ms = was ? was->first_ms : now_ms,
        .changed_ms = same_status ? was->changed_ms : now_ms,
    };
}

/* Applies the record where each of its rules stays in the row, as most do: a long replay then takes no new memory. */
static bool apply_in_place(struct mln_row *row, const struct mln_row_record *record)
{
    for (size_t i = 0; i < record->n; i++)
        if (record->changes[i].after == NO_STATUS || !find_finding(row, record->changes[i].rule))
            return false;
    for (size_t i = 0; i < record->n; i++) {
        struct mln_row_finding *finding = find_finding(row, record->changes[i].rule);
        *finding = changed_finding(finding, &record->changes[i], record->evaluated_ms);
    }
    *row = (struct mln_row){record->id, record->type, record->version, record->evaluated_ms, row->findings, row->n};
    return true;
}

struct mln_result mln_row_apply(struct mln_arena *arena, struct mln_row *row, const struct mln_row_record *record)
{
    struct mln_row_finding *findings;
    size_t at = 0, n = 0;
    if (apply_in_place(row, record))
        return MLN_OK;
    MLN_TRY_ARRAY(arena, findings, row->n + record->n);
    for (size_t i = 0; i < record->n; i++) {
        const struct mln_row_change *change = &record->changes[i];
        while (at < row->n && mln_str_cmp(row->findings[at].rule, change->rule) < 0)
            findings[n++] = row->findings[at++];
        bool known = at < row->n && mln_str_eq(row->findings[at].rule, change->rule);
        const struct mln_row_finding *was = known ? &row->findings[at++] : NULL;
        if (change->after == NO_STATUS)
            continue;
        findings[n++] = changed_finding(was, change, record->evaluated_ms);
    }
    while (at < row->n)
        findings[n++] = row->findings[at++];
    *row = (struct mln_row){record->id, record->type, record->version, record->evaluated_ms, findings, n};
    return MLN_OK;
}

/* ---- as text ---- */

static void put_head(struct mln_json_writer *w, struct mln_str id, struct mln_str type, struct mln_str version,
                     int64_t evaluated_ms)
{
    mln_json_member_str(w, "i", id);
    mln_json_member_str(w, "y", type);
    mln_json_member_str(w, "v", version);
    mln_json_member_i64(w, "e", evaluated_ms);
}

/* The times of a row are few: each is written once, and the findings name its place. */
struct times {
    int64_t *at;
    size_t n;
};

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

static struct mln_result collect_times(const struct mln_row *row, struct mln_arena *arena, struct times *out)
{
    MLN_TRY_ARRAY(arena, out->at, row->n * 2);
    for (size_t i = 0; i < row->n; i++) {
        out->at[i * 2] = row->findings[i].first_ms;
        out->at[i * 2 + 1] = row->findings[i].changed_ms;
    }
    qsort(out->at, row->n * 2, sizeof *out->at, by_value);
    out->n = 0;
    for (size_t i = 0; i < row->n * 2; i++)
        if (out->n == 0 || out->at[out->n - 1] != out->at[i])
            out->at[out->n++] = out->at[i];
    return MLN_OK;
}

static int64_t place_of(const struct times *times, int64_t ms)
{
    const int64_t *found = bsearch(&ms, times->at, times->n, sizeof ms, by_value);
    return found - times->at;
}

struct mln_result mln_row_write(const struct mln_row *row, struct mln_buf *out)
{
    struct mln_arena *arena MLN_CLEANUP(mln_arena_free) = mln_arena_new(4 << 20);
    struct times times;
    if (!arena)
        return mln_fail(MLN_E_MEMORY, "no memory to write assessments");
    MLN_TRY(collect_times(row, arena, &times));
    struct mln_json_writer w = mln_json_writer(out);
    mln_json_begin_object(&w);
    put_head(&w, row->id, row->type, row->version, row->evaluated_ms);
    mln_json_name(&w, MLN_S("t"));
    mln_json_begin_array(&w);
    for (size_t i = 0; i < times.n; i++)
        mln_json_put_i64(&w, times.at[i]);
    mln_json_end_array(&w);
    mln_json_name(&w, MLN_S("f"));
    mln_json_begin_array(&w);
    for (size_t i = 0; i < row->n; i++) {
        const struct mln_row_finding *finding = &row->findings[i];
        mln_json_begin_array(&w);
        mln_json_put_str(&w, finding->rule);
        mln_json_put_i64(&w, finding->status);
        mln_json_put_i64(&w, finding->cause);
        mln_json_put_i64(&w, place_of(&times, finding->first_ms));
        mln_json_put_i64(&w, place_of(&times, finding->changed_ms));
        if (finding->text.p)
            mln_json_put_str(&w, finding->text);
        mln_json_end_array(&w);
    }
    mln_json_end_array(&w);
    mln_json_end_object(&w);
    return mln_json_writer_end(&w);
}

struct mln_result mln_row_record_write(const struct mln_row_record *record, struct mln_buf *out)
{
    struct mln_json_writer w = mln_json_writer(out);
    mln_json_begin_object(&w);
    put_head(&w, record->id, record->type, record->version, record->evaluated_ms);
    if (record->gone)
        mln_json_member_bool(&w, "gone", true);
    mln_json_name(&w, MLN_S("c"));
    mln_json_begin_array(&w);
    for (size_t i = 0; i < record->n; i++) {
        const struct mln_row_change *change = &record->changes[i];
        mln_json_begin_array(&w);
        mln_json_put_str(&w, change->rule);
        mln_json_put_i64(&w, change->before);
        mln_json_put_i64(&w, change->after);
        mln_json_put_i64(&w, change->cause);
        if (change->text.p)
            mln_json_put_str(&w, change->text);
        mln_json_end_array(&w);
    }
    mln_json_end_array(&w);
    mln_json_end_object(&w);
    return mln_json_writer_end(&w);
}

/* ---- and back ---- */

static struct mln_result corrupt(const char *what)
{
    return mln_fail(MLN_E_CORRUPT, "stored assessments: %s", what);
}

static struct mln_result read_head(struct mln_arena *arena, struct mln_str text, const struct mln_json **json,
                                   struct mln_str *id, struct mln_str *type, struct mln_str *version,
                                   int64_t *evaluated_ms)
{
    struct mln_result r = mln_json_parse(arena, text, MLN_STORE_MAX_VALUE_BYTES, json);
    if (r.code == MLN_E_MEMORY || r.code == MLN_E_LIMIT)
        return r;
    if (!mln_ok(r) || !mln_json_is(*json, MLN_JSON_OBJECT))
        return corrupt("not an object");
    *id = mln_json_str(mln_json_get(*json, MLN_S("i")), MLN_S(""));
    *type = mln_json_str(mln_json_get(*json, MLN_S("y")), MLN_S(""));
    *version = mln_json_str(mln_json_get(*json, MLN_S("v")), MLN_S(""));
    *evaluated_ms = mln_json_i64(mln_json_get(*json, MLN_S("e")), -1);
    if (!id->n || !type->n || !version->n || *evaluated_ms < 0)
        return corrupt("no id, type, version or time");
    return MLN_OK;
}

/* The items of one entry: so many columns, then perhaps a text. The first is a rule, after the one of the entry before. */
static struct mln_result read_columns(const struct mln_json *entry, uint32_t columns, struct mln_str *rule_before,
                                      struct mln_str *rule, struct mln_str *text)
{
    if (entry->kind != MLN_JSON_ARRAY || entry->n < columns || entry->n > columns + 1 ||
        entry->items[0].kind != MLN_JSON_STRING)
        return corrupt("an entry is not of the known form");
    for (uint32_t i = 1; i < columns; i++)
        if (entry->items[i].kind != MLN_JSON_INT)
            return corrupt("an entry is not of the known form");
    if (entry->n > columns && entry->items[columns].kind != MLN_JSON_STRING)
        return corrupt("a text is none");
    *rule = mln_json_str(&entry->items[0], MLN_S(""));
    *text = entry->n > columns ? mln_json_str(&entry->items[columns], MLN_S("")) : (struct mln_str){NULL, 0};
    if (rule_before->p && mln_str_cmp(*rule_before, *rule) >= 0)
        return corrupt("the rules are out of order");
    *rule_before = *rule;
    return MLN_OK;
}

static struct mln_result read_number(const struct mln_json *json, int64_t least, int64_t most, int *out)
{
    if (json->i < least || json->i > most)
        return corrupt("a number is out of range");
    *out = (int)json->i;
    return MLN_OK;
}

static struct mln_result read_place(const struct mln_json *json, const struct mln_json *times, int64_t *ms)
{
    if (json->i < 0 || json->i >= times->n || times->items[json->i].kind != MLN_JSON_INT)
        return corrupt("a time is missing");
    *ms = times->items[json->i].i;
    return MLN_OK;
}

static struct mln_result read_finding(const struct mln_json *entry, const struct mln_json *times,
                                      struct mln_str *rule_before, struct mln_row_finding *out)
{
    int status, cause;
    MLN_TRY(read_columns(entry, 5, rule_before, &out->rule, &out->text));
    MLN_TRY(read_number(&entry->items[1], MLN_HEALTHY, MLN_NOT_APPLICABLE, &status));
    MLN_TRY(read_number(&entry->items[2], MLN_CAUSE_NONE, MLN_CAUSE_EXEMPT, &cause));
    out->status = (enum mln_status)status;
    out->cause = (enum mln_cause)cause;
    MLN_TRY(read_place(&entry->items[3], times, &out->first_ms));
    return read_place(&entry->items[4], times, &out->changed_ms);
}

struct mln_result mln_row_read(struct mln_arena *arena, struct mln_str text, struct mln_row *out)
{
    const struct mln_json *json;
    *out = (struct mln_row){0};
    MLN_TRY(read_head(arena, text, &json, &out->id, &out->type, &out->version, &out->evaluated_ms));
    const struct mln_json *times = mln_json_get(json, MLN_S("t")), *findings = mln_json_get(json, MLN_S("f"));
    if (!mln_json_is(times, MLN_JSON_ARRAY) || !mln_json_is(findings, MLN_JSON_ARRAY) || findings->n > MAX_FINDINGS)
        return corrupt("no times or findings");
    struct mln_str rule_before = {NULL, 0};
    out->n = findings->n;
    MLN_TRY_ARRAY(arena, out->findings, findings->n);
    for (uint32_t i = 0; i < findings->n; i++)
        MLN_TRY(read_finding(&findings->items[i], times, &rule_before, &out->findings[i]));
    return MLN_OK;
}

struct mln_result mln_row_record_read(struct mln_arena *arena, struct mln_str text, struct mln_row_record *out)
{
    const struct mln_json *json;
    *out = (struct mln_row_record){0};
    MLN_TRY(read_head(arena, text, &json, &out->id, &out->type, &out->version, &out->evaluated_ms));
    out->gone = mln_json_bool(mln_json_get(json, MLN_S("gone")), false);
    const struct mln_json *entries = mln_json_get(json, MLN_S("c"));
    if (!mln_json_is(entries, MLN_JSON_ARRAY) || entries->n > MAX_FINDINGS * 2)
        return corrupt("no changes");
    struct mln_row_change *changes;
    struct mln_str rule_before = {NULL, 0};
    MLN_TRY_ARRAY(arena, changes, entries->n);
    for (uint32_t i = 0; i < entries->n; i++) {
        const struct mln_json *entry = &entries->items[i];
        int cause;
        MLN_TRY(read_columns(entry, 4, &rule_before, &changes[i].rule, &changes[i].text));
        MLN_TRY(read_number(&entry->items[1], NO_STATUS, MLN_NOT_APPLICABLE, &changes[i].before));
        MLN_TRY(read_number(&entry->items[2], NO_STATUS, MLN_NOT_APPLICABLE, &changes[i].after));
        MLN_TRY(read_number(&entry->items[3], MLN_CAUSE_NONE, MLN_CAUSE_EXEMPT, &cause));
        changes[i].cause = (enum mln_cause)cause;
    }
    out->changes = changes;
    out->n = entries->n;
    return MLN_OK;
}
