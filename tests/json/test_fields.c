#include "check_json.h"

#include "json/fields.h"

static const char *const mode_words[] = {"Enforce", "Audit", NULL};

struct plan {
    struct mln_str name;
    bool on;
    int64_t balance;
    uint32_t port;
    double share;
    int64_t since_ms;
    int mode;
};

#define FIELDS(F)                                                                                                      \
    F(name, "name", STR, REQUIRED, NULL, "what it is called")                                                          \
    F(on, "enabled", BOOL, OPTIONAL, NULL, "whether it runs")                                                          \
    F(balance, "balance", I64, OPTIONAL, NULL, "may be negative")                                                      \
    F(port, "port", U32, OPTIONAL, NULL, "TCP")                                                                        \
    F(share, "share", F64, OPTIONAL, NULL, "of all")                                                                   \
    F(since_ms, "since", TIME, OPTIONAL, NULL, "when it began")                                                        \
    F(mode, "mode", ENUM, OPTIONAL, mode_words, "what happens on a breach")

static const struct mln_field fields[] = {
#define F(member, json_name, KIND, NEED, words, doc) MLN_FIELD(struct plan, member, json_name, KIND, NEED, words, doc),
    FIELDS(F)
#undef F
};
enum { FIELD_COUNT = sizeof fields / sizeof fields[0] };

static struct mln_arena *arena;

static int set_up(void **state)
{
    (void)state;
    arena = mln_arena_new(1 << 20);
    return arena ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    mln_arena_free(arena);
    return 0;
}

static struct mln_result read_plan(const char *text, enum mln_json_unknown unknown, struct plan *plan)
{
    return mln_json_read_fields(check_json(arena, text), fields, FIELD_COUNT, unknown, plan);
}

static void assert_written(const struct plan *plan, const char *text)
{
    struct mln_buf out MLN_BUF_CLEANUP = MLN_BUF(4096);
    struct mln_json_writer w = mln_json_writer(&out);
    mln_json_begin_object(&w);
    mln_json_put_fields(&w, fields, FIELD_COUNT, plan);
    mln_json_end_object(&w);
    assert_ok(mln_json_writer_end(&w));
    assert_str(mln_buf_str(&out), text);
}

static void a_struct_is_read_and_written(void **state)
{
    (void)state;
    static const char text[] = "{\"name\":\"web\",\"enabled\":true,\"balance\":-5,\"port\":4294967295,\"share\":0.25,"
                               "\"since\":\"2026-11-24T14:05:00Z\",\"mode\":\"Audit\"}";
    struct plan plan = {0};
    assert_ok(read_plan(text, MLN_JSON_UNKNOWN_REFUSED, &plan));
    assert_str(plan.name, "web");
    assert_int_equal(plan.port, UINT32_MAX);
    assert_int_equal(plan.mode, 1);
    assert_written(&plan, text);
}

static void what_is_absent_or_null_keeps_its_default(void **state)
{
    (void)state;
    struct plan plan = {.on = true, .port = 443, .share = 1, .mode = 1};
    assert_ok(read_plan("{\"name\":\"web\",\"port\":null,\"balance\":7}", MLN_JSON_UNKNOWN_REFUSED, &plan));
    assert_true(plan.on);
    assert_int_equal(plan.port, 443);
    assert_int_equal(plan.balance, 7);
    assert_written(&plan,
                   "{\"name\":\"web\",\"enabled\":true,\"balance\":7,\"port\":443,\"share\":1.0,\"mode\":\"Audit\"}");
}

static void names_and_words_match_without_case(void **state)
{
    (void)state;
    struct plan plan = {0};
    assert_ok(read_plan("{\"NAME\":\"loose\",\"Mode\":\"aUDIT\",\"share\":3}", MLN_JSON_UNKNOWN_REFUSED, &plan));
    assert_str(plan.name, "loose");
    assert_int_equal(plan.mode, 1);
    assert_true(plan.share == 3);
    assert_ok(read_plan("{\"NAME\":\"loose\",\"name\":\"exact\",\"share\":18446744073709551615}",
                        MLN_JSON_UNKNOWN_REFUSED, &plan));
    assert_str(plan.name, "exact");
    assert_true(plan.share == 0x1p64);
}

static void unknown_members_pass_only_where_allowed(void **state)
{
    (void)state;
    struct plan plan = {0};
    assert_ok(read_plan("{\"name\":\"web\",\"prot\":1}", MLN_JSON_UNKNOWN_IGNORED, &plan));
    assert_fails(INVALID, read_plan("{\"name\":\"web\",\"prot\":1}", MLN_JSON_UNKNOWN_REFUSED, &plan));
    assert_error_has("prot: no such member");
}

static void errors_name_the_member(void **state)
{
    (void)state;
    static const struct {
        const char *text, *error;
    } cases[] = {
        {"[]", "must be an object, is array"},
        {"{}", "name: is required"},
        {"{\"name\":null}", "name: must be a string, is null"},
        {"{\"name\":5}", "name: must be a string, is integer"},
        {"{\"name\":\"\",\"enabled\":\"true\"}", "enabled: must be true or false, is string"},
        {"{\"name\":\"\",\"balance\":1.5}", "balance: must be a whole number of 64 bits, is real"},
        {"{\"name\":\"\",\"balance\":9223372036854775808}", "balance: must be a whole number"},
        {"{\"name\":\"\",\"port\":-1}", "port: must be a whole number from 0 to 4294967295"},
        {"{\"name\":\"\",\"port\":4294967296}", "port: must be"},
        {"{\"name\":\"\",\"port\":\"22\"}", "port: must be"},
        {"{\"name\":\"\",\"share\":[]}", "share: must be a number, is array"},
        {"{\"name\":\"\",\"since\":5}", "since: must be a time as a string, is integer"},
        {"{\"name\":\"\",\"since\":\"yesterday\"}", "since: 'yesterday' is not an RFC 3339 time"},
        {"{\"name\":\"\",\"mode\":\"Off\"}", "mode: must be one of Enforce, Audit"},
        {"{\"name\":\"\",\"mode\":0}", "mode: must be a string, is integer"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct plan plan = {0};
        assert_fails(INVALID, read_plan(cases[i].text, MLN_JSON_UNKNOWN_REFUSED, &plan));
        assert_error_has(cases[i].error);
    }
    struct plan plan;
    assert_fails(INVALID, mln_json_read_fields(NULL, fields, FIELD_COUNT, MLN_JSON_UNKNOWN_IGNORED, &plan));
    assert_error_has("is missing");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_struct_is_read_and_written),
        cmocka_unit_test(what_is_absent_or_null_keeps_its_default),
        cmocka_unit_test(names_and_words_match_without_case),
        cmocka_unit_test(unknown_members_pass_only_where_allowed),
        cmocka_unit_test(errors_name_the_member),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
