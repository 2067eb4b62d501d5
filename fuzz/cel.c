/* Compiles and runs any text on a fixed document, in both modes: nothing but a value or an error may come of it. */
#include "expr/program.h"
#include "json/writer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char document[] =
    "{\"facts\":{\"sshd\":{\"installed\":true,\"effective\":{\"port\":[22,2222],\"permitrootlogin\":\"no\"}},"
    "\"users\":{\"root\":{\"uid\":0},\"bo\":{\"uid\":1000,\"shell\":null}},\"n\":-1,\"u\":18446744073709551615,\"d\":1."
    "5e300,"
    "\"text\":\"na\\u00efve \\ud83d\\ude00\",\"empty\":{},\"list\":[[],[1],\"a\",null,true]}}";

static void try_mode(enum mln_expr_mode mode, struct mln_str source)
{
    static int64_t now_ms = 1795529104123;
    const struct mln_clock clock = mln_fake_clock(&now_ms);
    const struct mln_expr_limits limits = {.arena_bytes = 1 << 20, .cost = 100000};
    MLN_CLEANUP(mln_arena_free) struct mln_arena *arena = mln_arena_new(1 << 20);
    MLN_CLEANUP(mln_expr_env_free) struct mln_expr_env *env = mln_expr_env_new(mode);
    MLN_CLEANUP(mln_program_free) struct mln_program *program = NULL;
    const struct mln_json *json, *value;
    struct mln_expr_error error = {0, 0};
    if (!mln_ok(mln_expr_env_variable(env, MLN_S("resource"), MLN_S(""))) ||
        !mln_ok(mln_expr_env_variable(env, MLN_S("facts"), MLN_S("facts"))) ||
        !mln_ok(mln_json_parse(arena, mln_str_c(document), sizeof document, &json)))
        abort();
    if (!mln_ok(mln_cel_compile(env, source, &program, &error))) {
        if (program || error.line == 0 || error.column == 0)
            abort();
        return;
    }
    MLN_CLEANUP(mln_expr_run_free) struct mln_expr_run *run = mln_expr_run_new(env, &clock, &limits);
    mln_expr_run_document(run, json);
    MLN_BUF_CLEANUP struct mln_buf out = MLN_BUF(8 << 20);
    if (!mln_ok(mln_program_value(program, run, &value)))
        return;
    struct mln_result written = mln_json_write(&out, value, false);
    if (!mln_ok(written) && written.code != MLN_E_LIMIT)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct mln_str source = {(const char *)data, size};
    try_mode(MLN_EXPR_RULES, source);
    try_mode(MLN_EXPR_STRICT, source);
    return 0;
}
