/* Frames, and the document that is put together of them. */
#include "check.h"

#include "agent/report.h"
#include "check_json.h"

#include "arena.h"

static void frames_come_out_as_they_went_in(void **state)
{
    (void)state;
    MLN_BUF_CLEANUP struct mln_buf out = MLN_BUF(4096);
    struct mln_frame frame;
    bool whole;
    assert_ok(mln_frame_put(&out, MLN_FRAME_VALUE, MLN_SECTION_os, MLN_S("{}")));
    assert_ok(mln_frame_put(&out, MLN_FRAME_END, MLN_SECTION_cloud, MLN_S("")));
    for (size_t n = 0; n < MLN_FRAME_HEAD_BYTES + 2; n++) { /* no part of a frame is a frame */
        struct mln_str part = mln_str_sub(mln_buf_str(&out), 0, n);
        assert_ok(mln_frame_take(&part, &frame, &whole));
        assert_false(whole);
        assert_int_equal(part.n, n);
    }
    struct mln_str rest = mln_buf_str(&out);
    assert_ok(mln_frame_take(&rest, &frame, &whole));
    assert_true(whole);
    assert_int_equal(frame.kind, MLN_FRAME_VALUE);
    assert_int_equal(frame.section, MLN_SECTION_os);
    assert_str(frame.body, "{}");
    assert_ok(mln_frame_take(&rest, &frame, &whole));
    assert_int_equal(frame.section, MLN_SECTION_cloud);
    assert_int_equal(rest.n, 0);
}

static void frames_that_cannot_be_are_refused(void **state)
{
    (void)state;
    struct mln_frame frame;
    bool whole;
    static const char wrong[][MLN_FRAME_HEAD_BYTES] = {
        {MLN_FRAME_KINDS, 0, 0, 0, 0, 0, 0, 0},
        {(char)0xff, 0, 0, 0, 0, 0, 0, 0},
        {0, MLN_SECTION_COUNT, 0, 0, 0, 0, 0, 0},
        {0, 0, 0, 0, (char)0xff, (char)0xff, (char)0xff, (char)0xff},
    };
    for (size_t i = 0; i < 4; i++) {
        struct mln_str rest = {wrong[i], MLN_FRAME_HEAD_BYTES};
        assert_fails(CORRUPT, mln_frame_take(&rest, &frame, &whole));
    }
    MLN_BUF_CLEANUP struct mln_buf out = MLN_BUF(64);
    assert_fails(LIMIT, mln_frame_put(&out, MLN_FRAME_VALUE, 0, (struct mln_str){"", MLN_FRAME_MAX_BYTES + 1}));
}

static struct mln_report *report;

static int set_up(void **state)
{
    return arena_setup(state) || !mln_ok(mln_report_new(&report)) ? -1 : 0;
}

static int tear_down(void **state)
{
    mln_report_free(MLN_TAKE(report));
    return arena_teardown(state);
}

/* True when the frame said something new. */
static bool say(enum mln_frame_kind kind, enum mln_section section, struct mln_str body)
{
    bool changed = false;
    assert_ok(mln_report_frame(report, &(struct mln_frame){kind, section, body}, &changed));
    return changed;
}

static const struct mln_json *document(void)
{
    MLN_BUF_CLEANUP struct mln_buf out = MLN_BUF(1 << 20);
    assert_ok(mln_report_write(report, 1764000000000, MLN_SECTION_COUNT, &out));
    return check_json(arena, out.p);
}

static struct mln_str at(const char *path)
{
    return mln_json_str(mln_json_path(document(), path), MLN_S("(absent)"));
}

static void sections_are_put_together(void **state)
{
    (void)state;
    assert_true(say(MLN_FRAME_VALUE, MLN_SECTION_os, MLN_S("{\"id\":\"debian\"}")));
    assert_true(say(MLN_FRAME_REASON, MLN_SECTION_firewall, MLN_S("needs root")));
    say(MLN_FRAME_ABOUT, 0, MLN_S("{\"user\":\"nobody\"}"));
    assert_str(at("os.id"), "debian");
    assert_str(at("errors.firewall"), "needs root");
    assert_str(at("errors.sshd"), "not yet looked at");
    assert_str(at("errors.os"), "(absent)");
    assert_str(at("agent.user"), "nobody");
    assert_str(at("collected"), "2025-11-24T16:00:00Z");
}

static void the_same_again_is_no_change(void **state)
{
    (void)state;
    assert_true(say(MLN_FRAME_VALUE, MLN_SECTION_os, MLN_S("{\"id\":\"a\"}")));
    assert_false(say(MLN_FRAME_VALUE, MLN_SECTION_os, MLN_S("{\"id\":\"a\"}")));
    assert_true(say(MLN_FRAME_VALUE, MLN_SECTION_os, MLN_S("{\"id\":\"b\"}")));
    assert_true(say(MLN_FRAME_REASON, MLN_SECTION_os, MLN_S("gone")));
    assert_false(say(MLN_FRAME_REASON, MLN_SECTION_os, MLN_S("gone")));
    assert_true(say(MLN_FRAME_VALUE, MLN_SECTION_os, MLN_S("{\"id\":\"b\"}")));
    assert_false(say(MLN_FRAME_WATCH_READ, MLN_SECTION_os, MLN_S("/etc/os-release")));
    assert_true(say(MLN_FRAME_ABOUT, 0, MLN_S("{}")));
    assert_false(say(MLN_FRAME_ABOUT, 0, MLN_S("{}")));
}

static void notes_and_counts_belong_to_a_value(void **state)
{
    (void)state;
    say(MLN_FRAME_VALUE, MLN_SECTION_listeners, MLN_S("[]"));
    say(MLN_FRAME_NOTE, MLN_SECTION_listeners, MLN_S("listeners.process\0not allowed"));
    say(MLN_FRAME_LEFT_OUT, MLN_SECTION_listeners, MLN_S("7"));
    assert_str(
        mln_json_str(mln_json_get(mln_json_get(document(), MLN_S("errors")), MLN_S("listeners.process")), MLN_S("")),
        "not allowed");
    assert_int_equal(mln_json_i64(mln_json_path(document(), "truncated.listeners"), 0), 7);
    say(MLN_FRAME_VALUE, MLN_SECTION_listeners, MLN_S("[1]"));
    assert_null(mln_json_get(mln_json_get(document(), MLN_S("errors")), MLN_S("listeners.process")));
    assert_null(mln_json_path(document(), "truncated.listeners"));
}

static void one_section_can_be_had_alone(void **state)
{
    (void)state;
    MLN_BUF_CLEANUP struct mln_buf out = MLN_BUF(4096);
    say(MLN_FRAME_VALUE, MLN_SECTION_os, MLN_S("{\"id\":\"a\"}"));
    say(MLN_FRAME_REASON, MLN_SECTION_sshd, MLN_S("cannot be read"));
    assert_ok(mln_report_write(report, 0, MLN_SECTION_os, &out));
    assert_str(mln_buf_str(&out), "{\"id\":\"a\"}");
    assert_fails(NOT_FOUND, mln_report_write(report, 0, MLN_SECTION_sshd, &out));
    assert_error_has("cannot be read");
}

static void it_is_ready_without_the_walks(void **state)
{
    (void)state;
    for (enum mln_section i = 0; i < MLN_SECTION_COUNT; i++) {
        if (mln_sections[i].cost == MLN_COST_WALK)
            continue;
        assert_false(mln_report_is_ready(report));
        say(MLN_FRAME_REASON, i, MLN_S("no"));
    }
    assert_true(mln_report_is_ready(report));
}

static void sections_have_names(void **state)
{
    (void)state;
    assert_int_equal(mln_section_find(MLN_S("sshd")), MLN_SECTION_sshd);
    assert_int_equal(mln_section_find(MLN_S("nonsense")), MLN_SECTION_COUNT);
    assert_true(MLN_SECTION_COUNT <= 64);
}

/* ---- this very machine ---- */

static void collect_into_report(struct mln_facts *f, enum mln_section section)
{
    MLN_BUF_CLEANUP struct mln_buf frames = MLN_BUF(2 * MLN_FRAME_MAX_BYTES);
    struct mln_frame frame;
    bool whole = true, changed = false, ended = false;
    assert_ok(mln_report_collect(f, section, true, &frames));
    for (struct mln_str rest = mln_buf_str(&frames); rest.n;) {
        assert_ok(mln_frame_take(&rest, &frame, &whole));
        assert_true(whole);
        assert_ok(mln_report_frame(report, &frame, &changed));
        ended = frame.kind == MLN_FRAME_END;
    }
    assert_true(ended);
}

/* null cannot be carried by a merge patch. */
static void assert_no_null(const struct mln_json *json)
{
    assert_false(mln_json_is(json, MLN_JSON_NULL));
    for (uint32_t i = 0; i < json->n && mln_json_is(json, MLN_JSON_OBJECT); i++)
        assert_no_null(&json->members[i].value);
    for (uint32_t i = 0; i < json->n && mln_json_is(json, MLN_JSON_ARRAY); i++)
        assert_no_null(&json->items[i]);
}

static void every_section_of_a_machine_is_there_or_has_a_reason(void **state)
{
    (void)state;
    struct mln_program_output outputs[MLN_PROGRAM_COUNT] = {0};
    MLN_CLEANUP(mln_arena_free) struct mln_arena *work = mln_arena_new(MLN_FACTS_ARENA_BYTES);
    const char *const roots[] = {"/", getenv("MLN_SOURCE")}; /* a machine, and a directory that is none */
    for (size_t r = 0; r < 2 && roots[r]; r++) {
        struct mln_tree tree;
        assert_ok(mln_tree_open(roots[r], &tree));
        struct mln_facts f = {.tree = &tree, .arena = work, .clock = &mln_system_clock, .outputs = outputs};
        mln_facts_ask_clock(&f);
        for (enum mln_section i = 0; i < MLN_SECTION_COUNT; i++)
            if (mln_sections[i].cost != MLN_COST_WALK)
                collect_into_report(&f, i);
        mln_tree_close(&tree);
        const struct mln_json *facts = document(), *errors = mln_json_get(facts, MLN_S("errors"));
        assert_no_null(facts);
        for (enum mln_section i = 0; i < MLN_SECTION_COUNT; i++) {
            struct mln_str name = mln_str_c(mln_sections[i].name);
            if (!mln_json_get(facts, name) == !mln_json_get(errors, name))
                fail_msg("section %s", mln_sections[i].name);
        }
    }
}

/* No hash of a password may be in what leaves the machine. */
static void no_hash_leaves_the_machine(void **state)
{
    (void)state;
    struct mln_program_output outputs[MLN_PROGRAM_COUNT] = {0};
    MLN_CLEANUP(mln_arena_free) struct mln_arena *work = mln_arena_new(MLN_FACTS_ARENA_BYTES);
    static const enum mln_section sections[] = {MLN_SECTION_users, MLN_SECTION_groups, MLN_SECTION_accounts};
    char root[] = "/tmp/merlon-test-XXXXXX", path[64];
    static const struct {
        const char *name, *text;
    } files[] = {
        {"etc/passwd", "anna:x:1000:1000::/home/anna:/bin/bash\nold:$1$salt$SECRETHASH:1001:1001::/:/bin/sh\n"},
        {"etc/shadow", "anna:$6$salt$SECRETHASH:19000:0:99999:7:::\nold:!$6$x$SECRETHASH::::::\n"},
        {"etc/group", "users:SECRETHASH:1000:\n"}};
    assert_non_null(mkdtemp(root));
    snprintf(path, sizeof path, "%s/etc", root);
    assert_int_equal(mkdir(path, 0755), 0);
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s", root, files[i].name);
        FILE *file = fopen(path, "wb");
        assert_non_null(file);
        fputs(files[i].text, file);
        fclose(file);
    }
    struct mln_tree tree;
    assert_ok(mln_tree_open(root, &tree));
    struct mln_facts f = {.tree = &tree, .arena = work, .clock = &mln_system_clock, .outputs = outputs};
    for (size_t i = 0; i < 3; i++) {
        MLN_BUF_CLEANUP struct mln_buf frames = MLN_BUF(1 << 20);
        assert_ok(mln_report_collect(&f, sections[i], false, &frames));
        assert_int_equal(mln_str_find(mln_buf_str(&frames), MLN_S("SECRET"), 0), SIZE_MAX);
        assert_int_equal(mln_str_find(mln_buf_str(&frames), MLN_S("salt"), 0), SIZE_MAX);
        collect_into_report(&f, sections[i]);
    }
    assert_str(at("users.anna.passwordAlgorithm"), "sha512");
    assert_true(mln_json_bool(mln_json_path(document(), "users.anna.passwordSet"), false));
    assert_true(mln_json_bool(mln_json_path(document(), "users.old.passwordSet"), false)); /* in passwd itself */
    assert_false(mln_json_bool(mln_json_path(document(), "users.old.shadowed"), true));
    mln_tree_close(&tree);
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s", root, files[i].name);
        unlink(path);
    }
    snprintf(path, sizeof path, "%s/etc", root);
    rmdir(path);
    rmdir(root);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        with_arena(frames_come_out_as_they_went_in),
        with_arena(frames_that_cannot_be_are_refused),
        T(sections_are_put_together),
        T(the_same_again_is_no_change),
        T(notes_and_counts_belong_to_a_value),
        T(one_section_can_be_had_alone),
        T(it_is_ready_without_the_walks),
        T(sections_have_names),
        T(every_section_of_a_machine_is_there_or_has_a_reason),
        T(no_hash_leaves_the_machine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
