/*
 * A small estate for tests of the engine: a store, rules written to a directory, and boxes (Test.Kit/boxes) whose properties
 * a to d decide what the rules say: "ok", "bad", "off" (does not apply) or absent (not collected). Include after check.h.
 */
#ifndef MLN_TESTS_POSTURE_ESTATE_H
#define MLN_TESTS_POSTURE_ESTATE_H

#include "inventory/containers.h"
#include "place.h"
#include "posture/engine.h"

#include <sys/stat.h>

#define SUB "0f2c8a1e-1111-4222-8333-444455556666"
#define OTHER_SUB "0f2c8a1e-1111-4222-8333-444455557777"
#define GROUP "/subscriptions/" SUB "/resourceGroups/Boxes"
#define BOX(name) GROUP "/providers/Test.Kit/boxes/" name

struct estate {
    struct place place;
    struct mln_arena *arena; /* of the test */
    int64_t now_ms;
    struct mln_clock clock;
    struct mln_posture *posture;
    char rules[96];
};

/* Writes a rule over one property of a box; word makes versions differ. An empty word: takes the rule away. */
static inline void write_rule(struct estate *estate, const char *property, const char *controls, const char *word,
                              bool preview)
{
    char path[160];
    snprintf(path, sizeof path, "%s/box-%s.yaml", estate->rules, property);
    if (!*word) {
        unlink(path);
        return;
    }
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    fprintf(file,
            "id: box-%s\ntitle: Boxes should have %s right\ndescription: A property of a box.\n"
            "remediation:\n  text: Set it to %s.\nseverity: %s\ncategory: Compute\ncontrols: [%s]\n"
            "resourceType: Test.Kit/boxes\npreview: %s\napplies: properties.%s != \"off\"\n"
            "healthy: properties.%s == \"%s\"\nfound: '\"it is \" + properties.%s'\nneeds: [properties.%s]\n"
            "examples:\n  - {name: good, expect: Healthy, properties: {%s: %s}}\n"
            "  - {name: wrong, expect: Unhealthy, properties: {%s: bad}}\n",
            property, property, word, *property == 'a' ? "High" : "Low", controls, preview ? "true" : "false", property,
            property, word, property, property, property, word, property);
    fclose(file);
}

/* a and b in one control, b and c in another, d in preview. */
static inline void write_rules(struct estate *estate)
{
    write_rule(estate, "a", "secure-management-ports", "ok", false);
    write_rule(estate, "b", "secure-management-ports, encrypt-data-in-transit", "ok", false);
    write_rule(estate, "c", "encrypt-data-in-transit", "ok", false);
    write_rule(estate, "d", "apply-system-updates", "ok", true);
}

static inline struct mln_ruleset *load_rules(const struct estate *estate)
{
    struct mln_ruleset *set;
    assert_ok(mln_ruleset_load(mln_str_c(estate->rules), &set));
    for (size_t i = 0; i < set->n_errors; i++)
        fail_msg("%.*s:%u: %.*s", MLN_FMT(set->errors[i].file), set->errors[i].line, MLN_FMT(set->errors[i].text));
    return set;
}

static inline void estate_open(struct estate *estate)
{
    assert_ok(mln_posture_open(estate->place.store, &estate->clock, load_rules(estate), &estate->posture));
}

/* Store, subscription, group and rules, but no engine. */
static inline void estate_prepare(struct estate *estate)
{
    *estate = (struct estate){.now_ms = 1000, .arena = mln_arena_new((size_t)256 << 20)};
    estate->clock = mln_fake_clock(&estate->now_ms);
    place_make(&estate->place);
    snprintf(estate->rules, sizeof estate->rules, "%s/rules", estate->place.directory);
    assert_int_equal(mkdir(estate->rules, 0700), 0);
    write_rules(estate);
    assert_ok(mln_subscription_create(estate->place.store, &estate->clock, MLN_S(SUB), MLN_S("s")));
    assert_ok(mln_group_put(estate->place.store, &estate->clock, MLN_S(SUB), MLN_S("Boxes"), MLN_S("here"), NULL, NULL,
                            NULL, NULL));
}

static inline void estate_make(struct estate *estate)
{
    estate_prepare(estate);
    estate_open(estate);
}

static inline void estate_remove(struct estate *estate)
{
    mln_posture_close(MLN_TAKE(estate->posture));
    place_remove(&estate->place);
    mln_arena_free(estate->arena);
}

/* Everything again from the disk, as after a restart. */
static inline void estate_reopen(struct estate *estate)
{
    mln_posture_close(MLN_TAKE(estate->posture));
    mln_store_close(MLN_TAKE(estate->place.store));
    place_open(&estate->place);
    estate_open(estate);
}

/* The document of a box; words of a to d, NULL: absent. In the arena. */
static inline const struct mln_json *box(struct mln_arena *arena, const char *id, const char *const words[4])
{
    struct mln_buf text MLN_BUF_CLEANUP = MLN_BUF(4096);
    const struct mln_json *document;
    assert_ok(mln_buf_printf(&text, "{\"id\":\"%s\",\"type\":\"Test.Kit/boxes\",\"properties\":{\"size\":1", id));
    for (size_t i = 0; i < 4; i++)
        if (words[i])
            assert_ok(mln_buf_printf(&text, ",\"%c\":\"%s\"", (char)('a' + i), words[i]));
    assert_ok(mln_buf_append(&text, MLN_S("}}")));
    assert_ok(mln_json_parse(arena, mln_buf_str(&text), text.n, &document));
    return document;
}
#define WORDS(a, b, c, d) ((const char *const[4]){a, b, c, d})

static inline struct mln_result put_box(struct estate *estate, const char *id, const char *const words[4])
{
    return mln_posture_put(estate->posture, box(estate->arena, id, words), MLN_POSTURE_ANY, MLN_S("tester"), NULL,
                           NULL);
}

/* ---- what is answered, as text that can be compared ---- */

static inline struct mln_result note_assessment(void *context, const struct mln_assessment *a, bool *stop)
{
    (void)stop;
    return mln_buf_printf(context, "%.*s %.*s %s %s '%.*s' first %lld changed %lld\n", MLN_FMT(a->resource_name),
                          MLN_FMT(a->rule->id), mln_status_words[a->status], mln_cause_words[a->cause],
                          MLN_FMT(a->text), (long long)a->first_evaluated_ms, (long long)a->changed_ms);
}

/* All findings of the subscription at a moment (0: now), appended to out. */
static inline void findings_text(struct estate *estate, int64_t at_ms, struct mln_buf *out)
{
    const struct mln_ruleset *rules;
    struct mln_posture_query query = {.scope = MLN_S("/subscriptions/" SUB), .at_ms = at_ms};
    struct mln_snapshot_pin *pin = mln_posture_rules(estate->posture, &rules);
    assert_ok(mln_posture_assessments(estate->posture, rules, &query, note_assessment, out));
    mln_posture_unpin(estate->posture, pin);
}

static inline void print_score(const struct mln_posture_score *score, struct mln_buf *out)
{
    assert_ok(mln_buf_printf(out, "%lld of %lld weight %lld:", (long long)score->scope.current,
                             (long long)score->scope.max, (long long)score->scope.weight));
    for (size_t i = 0; i < score->n_controls; i++) {
        const struct mln_posture_control *c = &score->controls[i];
        if (c->counts.healthy || c->counts.unhealthy || c->counts.not_applicable)
            assert_ok(mln_buf_printf(out, " %.*s %lld/%lld/%lld", MLN_FMT(c->control->slug),
                                     (long long)c->counts.healthy, (long long)c->counts.unhealthy,
                                     (long long)c->counts.not_applicable));
    }
    assert_ok(mln_buf_append(out, MLN_S("\n")));
}

static inline void score_text(struct estate *estate, const char *subscription, int64_t at_ms, struct mln_buf *out)
{
    const struct mln_ruleset *rules;
    struct mln_posture_score score;
    struct mln_arena *arena MLN_CLEANUP(mln_arena_free) = mln_arena_new(1 << 20);
    struct mln_snapshot_pin *pin = mln_posture_rules(estate->posture, &rules);
    assert_ok(mln_posture_score(estate->posture, rules, mln_str_c(subscription), at_ms, arena, &score));
    print_score(&score, out);
    mln_posture_unpin(estate->posture, pin);
}

static inline void assert_score(struct estate *estate, const char *expected)
{
    struct mln_buf text MLN_BUF_CLEANUP = MLN_BUF(1 << 16);
    score_text(estate, SUB, 0, &text);
    assert_string_equal(text.p, expected);
}

/* ---- what must always hold ---- */

struct holding {
    struct estate *estate;
    struct mln_counts **anew;
    struct mln_arena *arena;
    size_t rows;
};

static inline struct mln_result recount_row(void *context, struct mln_str key, struct mln_str value, int64_t revision,
                                            bool *stop)
{
    (void)revision, (void)stop;
    struct holding *h = context;
    struct mln_posture *p = h->estate->posture;
    struct mln_row row;
    uint64_t *statuses;
    struct mln_tally tallies[64];
    mln_arena_reset(h->arena);
    assert_ok(mln_row_read(h->arena, value, &row));
    const union mln_map_value *found = mln_map_get(p->entries, key);
    assert_non_null(found);
    const struct mln_entry *entry = found->p;
    uint32_t type = mln_catalog_type(p->now->catalog, row.type);
    assert_true(entry->present && !entry->claimed);
    assert_int_equal(entry->type, type);
    assert_ok(mln_statuses_of_row(p->now->catalog, type, &row, &statuses));
    if (statuses)
        assert_memory_equal(statuses, entry->statuses,
                            mln_statuses_words(p->now->catalog->types[type].n_rules) * sizeof *statuses);
    mln_counts_add(h->anew[entry->scope], p->now->catalog, &(struct mln_view){type, statuses}, tallies, 1);
    free(statuses);
    h->rows++;
    return MLN_OK;
}

/* Memory is what the rows in the store say, and the counts are those of the rows. Nobody else may be at work. */
static inline void assert_memory_is_the_store(struct estate *estate)
{
    struct mln_posture *p = estate->posture;
    struct holding h = {.estate = estate, .arena = mln_arena_new(16 << 20)};
    struct mln_store_read *read MLN_CLEANUP(mln_store_read_end) = place_read(&estate->place);
    h.anew = calloc(p->scopes.n + 1, sizeof(struct mln_counts *));
    for (size_t i = 0; i < p->scopes.n; i++)
        h.anew[i] = mln_counts_new(p->now->catalog);
    assert_ok(mln_store_scan(read, MLN_COLLECTION_ASSESSMENTS, &(struct mln_store_scan){0}, recount_row, &h));
    assert_int_equal(h.rows, mln_map_count(p->entries));
    for (size_t i = 0; i < p->scopes.n; i++) {
        assert_true(mln_counts_equal(p->now->catalog, h.anew[i], p->scopes.at[i]->now));
        mln_counts_free(h.anew[i]);
    }
    free(h.anew);
    mln_arena_free(h.arena);
    assert_int_equal(p->claims, 0);
    assert_null(p->first);
}

struct chain {
    struct estate *estate;
    struct mln_arena *arena;
    mln_nanopoints earlier; /* "before" of the change after this one */
    bool any;
    size_t changes, causes;
    struct mln_buf *kinds; /* what the causes say, newest change first; NULL: not wanted */
};

static inline mln_nanopoints nano(const struct mln_json *json)
{
    double points = mln_json_is(json, MLN_JSON_REAL) ? json->real : (double)mln_json_i64(json, 0);
    return (mln_nanopoints)(points * 1e9 + (points < 0 ? -0.5 : 0.5));
}

static inline struct mln_str word_of(const struct mln_json *json, const char *name)
{
    return mln_json_str(mln_json_get(json, mln_str_c(name)), MLN_S("-"));
}

static inline struct mln_result check_change(void *context, struct mln_str key, struct mln_str value, int64_t revision,
                                             bool *stop)
{
    (void)key, (void)revision, (void)stop;
    struct chain *chain = context;
    const struct mln_json *json;
    mln_arena_reset(chain->arena);
    assert_ok(mln_json_parse(chain->arena, value, 16 << 20, &json));
    mln_nanopoints before = nano(mln_json_path(json, "before.current")),
                   after = nano(mln_json_path(json, "after.current"));
    mln_nanopoints max = nano(mln_json_path(json, "after.max")) - nano(mln_json_path(json, "before.max"));
    if (chain->any)
        assert_int_equal(after, chain->earlier);
    const struct mln_json *causes = mln_json_get(json, MLN_S("causes"));
    for (uint32_t i = 0; i < causes->n; i++) {
        const struct mln_json *cause = &causes->items[i];
        before += nano(mln_json_get(cause, MLN_S("points")));
        max -= nano(mln_json_get(cause, MLN_S("max")));
        if (chain->kinds)
            assert_ok(mln_buf_printf(chain->kinds, "%.*s %.*s %.*s>%.*s %lld\n", MLN_FMT(word_of(cause, "kind")),
                                     MLN_FMT(word_of(cause, "ruleId")), MLN_FMT(word_of(cause, "from")),
                                     MLN_FMT(word_of(cause, "to")),
                                     (long long)nano(mln_json_get(cause, MLN_S("points")))));
        chain->causes++;
    }
    assert_int_equal(before, after);
    assert_int_equal(max, 0);
    chain->earlier = nano(mln_json_path(json, "before.current"));
    chain->any = true;
    chain->changes++;
    return MLN_OK;
}

/* The causes of each score change add up, and each change goes on where the one before it ended, from 0 to now. Returns the
   number of changes. */
static inline size_t assert_changes_add_up(struct estate *estate, struct mln_buf *kinds)
{
    struct chain chain = {.estate = estate, .arena = mln_arena_new(64 << 20), .kinds = kinds};
    const struct mln_ruleset *rules;
    struct mln_posture_score score;
    struct mln_snapshot_pin *pin = mln_posture_rules(estate->posture, &rules);
    assert_ok(mln_posture_score(estate->posture, rules, MLN_S(SUB), 0, estate->arena, &score));
    mln_posture_unpin(estate->posture, pin);
    chain.earlier = score.scope.current;
    chain.any = true;
    assert_ok(mln_posture_score_changes(estate->posture, MLN_S(SUB), 0, INT64_MAX, 0, check_change, &chain));
    assert_int_equal(chain.earlier, 0);
    mln_arena_free(chain.arena);
    return chain.changes;
}

#endif
