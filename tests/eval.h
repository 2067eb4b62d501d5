/* Expressions and what they give, for the tests of expr: a document, an environment of rules and a run of it. */
#ifndef MLN_TESTS_EVAL_H
#define MLN_TESTS_EVAL_H

#include "check.h"

#include "expr/program.h"
#include "json/writer.h"

static const char eval_document[] =
    "{\"id\":\"/subscriptions/s\",\"properties\":{\"facts\":{"
    "\"sshd\":{\"installed\":true,\"effective\":{\"permitrootlogin\":\"no\",\"port\":[22,2222],\"ciphers\":[\"aes256-"
    "ctr\"]}},"
    "\"services\":{\"ssh.service\":{\"active\":\"active\"}},"
    "\"users\":{\"root\":{\"uid\":0},\"bo\":{\"uid\":1000}},"
    "\"listeners\":[{\"port\":22,\"loopback\":false},{\"port\":5432,\"loopback\":true}],"
    "\"kernel\":{\"secureBoot\":null},\"big\":18446744073709551615,\"ratio\":0.5,\"text\":\"na\xC3\xAFve\"}}}";

struct eval {
    struct mln_arena *arena;
    struct mln_expr_env *env;
    struct mln_expr_run *run;
    int64_t now_ms;
    struct mln_clock clock;
};

static inline int open_eval(void **state)
{
    struct eval *b = calloc(1, sizeof *b);
    assert_non_null(b);
    b->arena = mln_arena_new(1 << 20);
    b->env = mln_expr_env_new(MLN_EXPR_RULES);
    b->now_ms = 1795529104123; /* 2026-11-24T14:05:04.123Z */
    b->clock = mln_fake_clock(&b->now_ms);
    assert_ok(mln_expr_env_variable(b->env, MLN_S("resource"), MLN_S("")));
    assert_ok(mln_expr_env_variable(b->env, MLN_S("facts"), MLN_S("properties.facts")));
    b->run = mln_expr_run_new(b->env, &b->clock, NULL);
    assert_non_null(b->run);
    const struct mln_json *json;
    assert_ok(mln_json_parse(b->arena, mln_str_c(eval_document), sizeof eval_document, &json));
    mln_expr_run_document(b->run, json);
    *state = b;
    return 0;
}

static inline int close_eval(void **state)
{
    struct eval *b = *state;
    mln_expr_run_free(b->run);
    mln_expr_env_free(b->env);
    mln_arena_free(b->arena);
    free(b);
    return 0;
}

/* The value of an expression as JSON text, or "error: ..." */
static inline const char *eval(struct eval *b, const char *source)
{
    static char text[1024];
    MLN_CLEANUP(mln_program_free) struct mln_program *program = NULL;
    const struct mln_json *json;
    struct mln_result r = mln_cel_compile(b->env, mln_str_c(source), &program, NULL);
    if (mln_ok(r))
        r = mln_program_value(program, b->run, &json);
    if (!mln_ok(r)) {
        snprintf(text, sizeof text, "%s: %.900s", mln_code_name(r.code), mln_error_text());
        return text;
    }
    MLN_BUF_CLEANUP struct mln_buf out = MLN_BUF(sizeof text - 1);
    assert_ok(mln_json_write(&out, json, false));
    snprintf(text, sizeof text, "%s", out.p);
    return text;
}

struct row {
    const char *source, *expected;
};

static inline void check_rows(struct eval *b, const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const char *got = eval(b, rows[i].source);
        if (strcmp(got, rows[i].expected) != 0)
            fail_msg("%s\n     gives %s\n  expected %s", rows[i].source, got, rows[i].expected);
    }
}
#define CHECK(b, rows) check_rows(b, rows, sizeof(rows) / sizeof((rows)[0]))

#define EVAL_TEST(name) cmocka_unit_test_setup_teardown(name, open_eval, close_eval)

#endif
