/* Many at once: puts of the same and of different resources, answers, reloads, and a disk that fails now and then. Run it with
   the thread sanitizer too. */
#include "check.h"

#include "estate.h"
#include "faulty.h"
#include "random.h"

enum { PUTTERS = 4, PUTS = 120, BOXES = 6 };

static struct estate estate;
static atomic_bool stop;

static int set_up(void **state)
{
    (void)state;
    estate_make(&estate);
    estate_make_faulty(&estate);
    atomic_store(&stop, false);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    estate_remove(&estate);
    return 0;
}

/* What one thread has put: per box of its own the last word that was acknowledged. */
struct putter {
    uint64_t dice;
    int number;
    const char *acknowledged[BOXES]; /* NULL: none, or deleted */
    int failed;
};

static void own_id(const struct putter *putter, uint32_t box_number, char id[256])
{
    snprintf(id, 256, BOX("own-%d-%u"), putter->number, box_number);
}

static struct mln_result put_at(struct mln_arena *arena, const char *id, const char *a, const char *b)
{
    mln_arena_reset(arena);
    return mln_posture_put(estate.posture, box(arena, id, WORDS(a, b, "ok", NULL)), MLN_POSTURE_ANY, MLN_S("t"), NULL,
                           NULL);
}

static void *put_on(void *context)
{
    static const char *const words[] = {"ok", "bad", "off"};
    struct putter *putter = context;
    struct mln_arena *arena = mln_arena_new(1 << 20);
    for (int i = 0; i < PUTS; i++) {
        char id[256];
        uint32_t number = roll(&putter->dice, BOXES);
        const char *word = words[roll(&putter->dice, 3)];
        own_id(putter, number, id);
        struct mln_result r;
        if (roll(&putter->dice, 8) == 0) {
            word = NULL;
            r = mln_posture_delete(estate.posture, mln_str_c(id), MLN_S("t"));
            if (r.code == MLN_E_NOT_FOUND)
                r = MLN_OK;
        } else {
            r = put_at(arena, id, word, "ok");
        }
        if (mln_ok(r))
            putter->acknowledged[number] = word;
        else
            putter->failed++;
        /* And one that all threads fight for. */
        snprintf(id, sizeof id, BOX("common-%u"), roll(&putter->dice, 2));
        r = roll(&putter->dice, 4) ? put_at(arena, id, words[roll(&putter->dice, 3)], "bad")
                                   : mln_posture_delete(estate.posture, mln_str_c(id), MLN_S("t"));
        if (!mln_ok(r) && r.code != MLN_E_NOT_FOUND)
            putter->failed++;
    }
    mln_arena_free(arena);
    return NULL;
}

static struct mln_result ignore_assessment(void *context, const struct mln_assessment *assessment, bool *stop_now)
{
    (void)stop_now;
    *(size_t *)context += assessment->rule->id.n;
    return MLN_OK;
}

static void *ask_on(void *context)
{
    size_t *asked = context;
    struct mln_arena *arena = mln_arena_new(16 << 20);
    while (!atomic_load(&stop)) {
        const struct mln_ruleset *rules;
        struct mln_posture_score score;
        struct mln_recommendation *list;
        struct mln_fix *fixes, fix = {.resource = MLN_S("")};
        struct mln_posture_query query = {.scope = MLN_S(GROUP)};
        size_t n;
        mln_arena_reset(arena);
        struct mln_snapshot_pin *pin = mln_posture_rules(estate.posture, &rules);
        fix.rule_key = rules->rules[0].key;
        assert_ok(mln_posture_score(estate.posture, rules, MLN_S(SUB), 0, arena, &score));
        assert_true(score.scope.current >= 0 && score.scope.current <= score.scope.max);
        assert_ok(mln_posture_recommendations(estate.posture, rules, MLN_S(SUB), arena, &list, &n));
        assert_ok(mln_posture_what_if(estate.posture, rules, MLN_S(SUB), &fix, 1, arena, &score));
        assert_ok(mln_posture_plan(estate.posture, rules, MLN_S(SUB), 0.9, arena, &fixes, &n, &score));
        assert_ok(mln_posture_assessments(estate.posture, rules, &query, ignore_assessment, asked));
        query.at_ms = 1000;
        assert_ok(mln_posture_assessments(estate.posture, rules, &query, ignore_assessment, asked));
        assert_ok(mln_posture_score(estate.posture, rules, MLN_S(SUB), 1000, arena, &score));
        mln_posture_unpin(estate.posture, pin);
        ++*asked;
    }
    mln_arena_free(arena);
    return NULL;
}

static void *reload_on(void *context)
{
    for (int i = 0; !atomic_load(&stop); i++) {
        write_rule(&estate, "a", "secure-management-ports", i % 2 ? "ok" : "bad", false);
        write_rule(&estate, "b", i % 3 ? "secure-management-ports" : "encrypt-data-in-transit", "ok", false);
        if (!mln_ok(mln_posture_reload(estate.posture, load_rules(&estate))))
            ++*(int *)context;
    }
    return NULL;
}

static void assert_acknowledged_is_there(const struct putter *putter)
{
    struct mln_store_read *read MLN_CLEANUP(mln_store_read_end) = place_read(&estate.place);
    for (uint32_t i = 0; i < BOXES; i++) {
        char id[256];
        struct mln_resource found;
        own_id(putter, i, id);
        struct mln_result r = mln_resource_get(read, mln_str_c(id), estate.arena, &found);
        if (!putter->acknowledged[i])
            assert_int_equal(r.code, MLN_E_NOT_FOUND);
        else
            assert_str(mln_json_str(mln_json_path(found.document, "properties.a"), MLN_S("-")),
                       putter->acknowledged[i]);
    }
}

/* Lets everybody loose, then looks whether all is well. */
static void run(bool reloads, int fail_every)
{
    pthread_t threads[PUTTERS], asker, reloader;
    struct putter putters[PUTTERS];
    size_t asked = 0;
    int failed_reloads = 0;
    atomic_store(&faulty_every, fail_every);
    assert_int_equal(pthread_create(&asker, NULL, ask_on, &asked), 0);
    if (reloads)
        assert_int_equal(pthread_create(&reloader, NULL, reload_on, &failed_reloads), 0);
    for (int i = 0; i < PUTTERS; i++) {
        putters[i] = (struct putter){.dice = (uint64_t)i + 17, .number = i};
        assert_int_equal(pthread_create(&threads[i], NULL, put_on, &putters[i]), 0);
    }
    for (int i = 0; i < PUTTERS; i++)
        pthread_join(threads[i], NULL);
    atomic_store(&stop, true);
    pthread_join(asker, NULL);
    if (reloads)
        pthread_join(reloader, NULL);
    atomic_store(&faulty_every, 0);
    int failed = 0;
    for (int i = 0; i < PUTTERS; i++) {
        assert_acknowledged_is_there(&putters[i]);
        failed += putters[i].failed;
    }
    assert_int_equal(!fail_every, !failed);
    assert_true(fail_every || !failed_reloads);
    if (estate.posture->behind)
        assert_ok(mln_posture_reload(estate.posture, load_rules(&estate)));
    assert_memory_is_the_store(&estate);
    assert_changes_add_up(&estate, NULL);
    estate_reopen(&estate);
    assert_memory_is_the_store(&estate);
    assert_changes_add_up(&estate, NULL);
}

static void all_at_once(void **state)
{
    (void)state;
    run(false, 0);
}

static void all_at_once_while_the_content_changes(void **state)
{
    (void)state;
    run(true, 0);
}

static void all_at_once_on_a_disk_that_fails(void **state)
{
    (void)state;
    run(false, 5);
    assert_true(atomic_load(&faulty_failed) > 0);
}

static void all_at_once_with_everything_going_wrong(void **state)
{
    (void)state;
    run(true, 7);
}

static void *delete_group_on(void *context)
{
    (void)context;
    while (!atomic_load(&stop)) {
        if (mln_ok(mln_posture_delete_group(estate.posture, MLN_S(SUB), MLN_S("Boxes"))))
            MLN_IGNORE(mln_group_put(estate.place.store, &estate.clock, MLN_S(SUB), MLN_S("Boxes"), MLN_S("here"), NULL,
                                     NULL, NULL, NULL));
    }
    return NULL;
}

/* No resource is ever left in a group that is gone. */
static void a_group_is_deleted_only_when_nothing_enters(void **state)
{
    (void)state;
    pthread_t thread;
    struct mln_arena *arena = mln_arena_new(1 << 20);
    assert_int_equal(pthread_create(&thread, NULL, delete_group_on, NULL), 0);
    for (int i = 0; i < 100; i++) {
        struct mln_group group;
        struct mln_result r = put_at(arena, BOX("One"), "ok", "ok");
        if (mln_ok(r)) {
            struct mln_store_read *read MLN_CLEANUP(mln_store_read_end) = place_read(&estate.place);
            assert_ok(mln_group_get(read, MLN_S(SUB), MLN_S("Boxes"), arena, &group));
            assert_ok(mln_posture_delete(estate.posture, MLN_S(BOX("One")), MLN_S("t")));
        } else {
            assert_int_equal(r.code, MLN_E_NOT_FOUND);
        }
    }
    atomic_store(&stop, true);
    pthread_join(thread, NULL);
    mln_arena_free(arena);
}

static void a_full_disk_changes_nothing(void **state)
{
    (void)state;
    struct mln_buf before MLN_BUF_CLEANUP = MLN_BUF(1 << 16), after MLN_BUF_CLEANUP = MLN_BUF(1 << 16);
    assert_ok(put_box(&estate, BOX("One"), WORDS("ok", "bad", "ok", NULL)));
    findings_text(&estate, 0, &before);
    score_text(&estate, SUB, 0, &before);
    atomic_store(&faulty_pass, 0);
    assert_fails(FULL, put_box(&estate, BOX("One"), WORDS("bad", "ok", "ok", NULL)));
    assert_error_has("the disk is full");
    assert_fails(FULL, put_box(&estate, BOX("Two"), WORDS("bad", "ok", "ok", NULL)));
    assert_fails(FULL, mln_posture_delete(estate.posture, MLN_S(BOX("One")), MLN_S("t")));
    struct mln_store_batch *with = mln_store_batch_new();
    assert_fails(FULL,
                 mln_posture_put_with(estate.posture, box(estate.arena, BOX("Two"), WORDS("ok", "ok", "ok", NULL)),
                                      MLN_POSTURE_ANY, MLN_S("t"), with, NULL, NULL));
    findings_text(&estate, 0, &after);
    score_text(&estate, SUB, 0, &after);
    assert_string_equal(before.p, after.p);
    assert_memory_is_the_store(&estate);
    atomic_store(&faulty_pass, -1);
    assert_ok(put_box(&estate, BOX("Two"), WORDS("bad", "ok", "ok", NULL)));
    assert_memory_is_the_store(&estate);
    assert_int_equal(assert_changes_add_up(&estate, NULL), 2);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(a_full_disk_changes_nothing),
        CASE(all_at_once),
        CASE(all_at_once_while_the_content_changes),
        CASE(all_at_once_on_a_disk_that_fails),
        CASE(all_at_once_with_everything_going_wrong),
        CASE(a_group_is_deleted_only_when_nothing_enters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
