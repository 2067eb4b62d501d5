/* The stored forms of assessments: merging, the record of what changed, replay, text and back. */
#include "check.h"

#include "posture/row.h"
#include "random.h"

static struct mln_arena *arena;

static int set_up(void **state)
{
    (void)state;
    arena = mln_arena_new(64 << 20);
    return arena ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    mln_arena_free(arena);
    return 0;
}

static const struct mln_rule rules[] = {{.id = MLN_S("a")}, {.id = MLN_S("b")}, {.id = MLN_S("c")}, {.id = MLN_S("d")}};
static const struct mln_ruleset set = {.rules = rules, .n_rules = 4, .version = MLN_S("v1")};

#define HEALTHY(rule)                                                                                                  \
    {                                                                                                                  \
        rule, MLN_HEALTHY, MLN_CAUSE_NONE,                                                                             \
        {                                                                                                              \
            NULL, 0                                                                                                    \
        }                                                                                                              \
    }
#define UNHEALTHY(rule, text)                                                                                          \
    {                                                                                                                  \
        rule, MLN_UNHEALTHY, MLN_CAUSE_NONE, MLN_S(text)                                                               \
    }

/* The row after before was judged again; *record gets what changed. */
static struct mln_row judged(const struct mln_row *before, const struct mln_finding *findings, size_t n, int64_t now_ms,
                             struct mln_row_record *record)
{
    struct mln_row row = {.id = MLN_S("/x/Y"), .type = MLN_S("A.B/c")};
    assert_ok(mln_row_merge(arena, before, &set, findings, n, now_ms, &row, record));
    return row;
}

static void assert_same_row(const struct mln_row *a, const struct mln_row *b)
{
    assert_true(mln_str_eq(a->id, b->id) && mln_str_eq(a->type, b->type) && mln_str_eq(a->version, b->version));
    assert_int_equal(a->n, b->n);
    for (size_t i = 0; i < a->n; i++) {
        const struct mln_row_finding *x = &a->findings[i], *y = &b->findings[i];
        assert_true(mln_str_eq(x->rule, y->rule) && mln_str_eq(x->text, y->text));
        assert_int_equal(!x->text.p, !y->text.p);
        assert_int_equal(x->status, y->status);
        assert_int_equal(x->cause, y->cause);
        assert_int_equal(x->first_ms, y->first_ms);
        assert_int_equal(x->changed_ms, y->changed_ms);
    }
}

static void the_first_judgement_is_all_new(void **state)
{
    (void)state;
    const struct mln_finding findings[] = {HEALTHY(0), UNHEALTHY(2, "open")};
    struct mln_row_record record;
    struct mln_row row = judged(NULL, findings, 2, 100, &record);
    assert_int_equal(row.n, 2);
    assert_int_equal(row.evaluated_ms, 100);
    assert_int_equal(row.findings[1].first_ms, 100);
    assert_int_equal(row.findings[1].changed_ms, 100);
    assert_int_equal(record.n, 2);
    assert_int_equal(record.changes[0].before, -1);
    assert_int_equal(record.changes[0].after, MLN_HEALTHY);
    assert_int_equal(record.changes[1].after, MLN_UNHEALTHY);
}

static void the_same_judgement_records_nothing_and_keeps_the_times(void **state)
{
    (void)state;
    const struct mln_finding findings[] = {HEALTHY(0), UNHEALTHY(2, "open")};
    struct mln_row_record record;
    struct mln_row first = judged(NULL, findings, 2, 100, &record);
    struct mln_row second = judged(&first, findings, 2, 200, &record);
    assert_int_equal(record.n, 0);
    assert_int_equal(second.evaluated_ms, 200);
    second.evaluated_ms = first.evaluated_ms;
    assert_same_row(&first, &second);
}

static void a_changed_status_moves_its_time_and_a_changed_text_does_not(void **state)
{
    (void)state;
    const struct mln_finding before[] = {HEALTHY(0), UNHEALTHY(2, "one open")};
    const struct mln_finding after[] = {UNHEALTHY(0, "off"), UNHEALTHY(2, "two open")};
    struct mln_row_record record;
    struct mln_row first = judged(NULL, before, 2, 100, &record);
    struct mln_row second = judged(&first, after, 2, 200, &record);
    assert_int_equal(record.n, 2);
    assert_int_equal(record.changes[0].before, MLN_HEALTHY);
    assert_int_equal(record.changes[0].after, MLN_UNHEALTHY);
    assert_int_equal(record.changes[1].before, MLN_UNHEALTHY);
    assert_int_equal(second.findings[0].first_ms, 100);
    assert_int_equal(second.findings[0].changed_ms, 200);
    assert_int_equal(second.findings[1].changed_ms, 100);
    assert_true(mln_str_eq(second.findings[1].text, MLN_S("two open")));
}

static void rules_come_and_go(void **state)
{
    (void)state;
    const struct mln_finding before[] = {HEALTHY(0), HEALTHY(2)}, after[] = {HEALTHY(1), HEALTHY(3)};
    struct mln_row_record record;
    struct mln_row first = judged(NULL, before, 2, 100, &record);
    judged(&first, after, 2, 200, &record);
    assert_int_equal(record.n, 4);
    static const int after_of[] = {-1, MLN_HEALTHY, -1, MLN_HEALTHY};
    for (size_t i = 0; i < 4; i++) {
        assert_true(mln_str_eq(record.changes[i].rule, rules[i].id));
        assert_int_equal(record.changes[i].after, after_of[i]);
        assert_int_equal(record.changes[i].before, after_of[i] == -1 ? MLN_HEALTHY : -1);
    }
}

static void findings_out_of_order_are_a_broken_promise(void **state)
{
    (void)state;
    const struct mln_finding findings[] = {HEALTHY(2), HEALTHY(0)};
    struct mln_row row = {0};
    struct mln_row_record record;
    assert_fails(INTERNAL, mln_row_merge(arena, NULL, &set, findings, 2, 1, &row, &record));
}

static void a_removal_takes_every_finding(void **state)
{
    (void)state;
    const struct mln_finding findings[] = {HEALTHY(0), UNHEALTHY(2, "open")};
    struct mln_row_record record;
    struct mln_row row = judged(NULL, findings, 2, 100, &record);
    assert_ok(mln_row_removal(arena, &row, 300, &record));
    assert_true(record.gone);
    assert_int_equal(record.n, 2);
    assert_int_equal(record.changes[1].before, MLN_UNHEALTHY);
    assert_int_equal(record.changes[1].after, -1);
    assert_ok(mln_row_apply(arena, &row, &record));
    assert_int_equal(row.n, 0);
}

static void written_and_read(const struct mln_row *row, const struct mln_row_record *record, struct mln_row *row_back,
                             struct mln_row_record *record_back)
{
    struct mln_buf text MLN_BUF_CLEANUP = MLN_BUF(1 << 20);
    assert_ok(mln_row_write(row, &text));
    assert_ok(mln_row_read(arena, mln_buf_str(&text), row_back));
    mln_buf_clear(&text);
    assert_ok(mln_row_record_write(record, &text));
    assert_ok(mln_row_record_read(arena, mln_buf_str(&text), record_back));
}

/* Any history: the replay of the records as read back from their text is the row as read back from its text. */
static void replay_leads_to_the_row(void **state)
{
    (void)state;
    uint64_t dice = 4711;
    static const struct mln_str texts[] = {{NULL, 0}, {"", 0}, {"open \"22\"", 9}, {"\xC3\xA4", 2}};
    for (int i = 0; i < 30; i++) {
        struct mln_row row = {0}, replayed = {0};
        bool first = true;
        for (int64_t now = 100; now < 1000; now += 50) {
            struct mln_finding findings[4];
            size_t n = 0;
            for (uint32_t r = 0; r < 4; r++)
                if (roll(&dice, 4))
                    findings[n++] = (struct mln_finding){r, (enum mln_status)roll(&dice, 3),
                                                         (enum mln_cause)roll(&dice, 5), texts[roll(&dice, 4)]};
            struct mln_row_record record, record_back;
            struct mln_row after = judged(first ? NULL : &row, findings, n, now, &record), back;
            written_and_read(&after, &record, &back, &record_back);
            assert_same_row(&after, &back);
            assert_int_equal(back.evaluated_ms, now);
            if (record.n || first)
                assert_ok(mln_row_apply(arena, &replayed, &record_back));
            assert_same_row(&replayed, &back);
            row = back;
            first = false;
        }
    }
}

static void damaged_rows_are_corrupt(void **state)
{
    (void)state;
#define HEAD "\"i\":\"/x\",\"y\":\"A.B/c\",\"v\":\"v1\",\"e\":5"
    const char *const wrong[] = {
        "",
        "nonsense",
        "[]",
        "{}",
        "{\"i\":\"/x\",\"y\":\"A.B/c\",\"v\":\"v1\",\"e\":-5,\"t\":[],\"f\":[]}",
        "{" HEAD "}",
        "{" HEAD ",\"t\":[],\"f\":[1]}",
        "{" HEAD ",\"t\":[1],\"f\":[[\"a\",3,0,0,0]]}",
        "{" HEAD ",\"t\":[1],\"f\":[[\"a\",0,9,0,0]]}",
        "{" HEAD ",\"t\":[1],\"f\":[[\"a\",0,0,1,0]]}",
        "{" HEAD ",\"t\":[1],\"f\":[[\"a\",0,0,0,-1]]}",
        "{" HEAD ",\"t\":[\"1\"],\"f\":[[\"a\",0,0,0,0]]}",
        "{" HEAD ",\"t\":[1],\"f\":[[\"a\",0,0,0,0,7]]}",
        "{" HEAD ",\"t\":[1],\"f\":[[\"a\",0,0,0,0,\"x\",1]]}",
        "{" HEAD ",\"t\":[1],\"f\":[[\"a\",0,0,0,0],[\"a\",0,0,0,0]]}",
        "{" HEAD ",\"t\":[1],\"f\":[[\"a\",0.5,0,0,0]]}",
    };
    const char *const wrong_records[] = {
        "{" HEAD "}", "{" HEAD ",\"c\":[[\"a\",-2,0,0]]}", "{" HEAD ",\"c\":[[\"a\",0,3,0]]}",
        "{" HEAD ",\"c\":[[\"b\",0,1,0],[\"a\",0,1,0]]}", "{" HEAD ",\"c\":[[\"a\",0,1]]}"};
    struct mln_row row;
    struct mln_row_record record;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_fails(CORRUPT, mln_row_read(arena, mln_str_c(wrong[i]), &row));
    for (size_t i = 0; i < sizeof wrong_records / sizeof *wrong_records; i++)
        assert_fails(CORRUPT, mln_row_record_read(arena, mln_str_c(wrong_records[i]), &record));
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(the_first_judgement_is_all_new),
        CASE(the_same_judgement_records_nothing_and_keeps_the_times),
        CASE(a_changed_status_moves_its_time_and_a_changed_text_does_not),
        CASE(rules_come_and_go),
        CASE(findings_out_of_order_are_a_broken_promise),
        CASE(a_removal_takes_every_finding),
        CASE(replay_leads_to_the_row),
        CASE(damaged_rows_are_corrupt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
