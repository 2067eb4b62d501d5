/* merlon policy: rules on disk, without a server. */
#include "expr/functions.h"
#include "merlon/output.h"
#include "posture/examples.h"
#include "json/writer.h"

enum { REPORT_BYTES = 256 << 20 };

static struct mln_result run_test(struct mln_invocation *in, enum mln_exit *exit_code)
{
    MLN_BUF_CLEANUP struct mln_buf report = MLN_BUF(REPORT_BYTES);
    bool passed = false;
    MLN_TRY(mln_policy_test(in->arguments[0], mln_option_given(in, "json"), &report, &passed));
    MLN_TRY(mln_output_printf(in, "%.*s", MLN_FMT(mln_buf_str(&report))));
    *exit_code = passed ? MLN_EXIT_OK : MLN_EXIT_FAILED;
    return MLN_OK;
}

const struct mln_command mln_command_policy_test = {
    .words = "policy test",
    .arguments = "DIR",
    .summary = "Check the rules of a directory and judge their examples",
    .details = "Prints a line for each error (FILE:LINE:COLUMN) and for each example that is not judged as expected.\n"
               "Example:\n  merlon policy test content",
    .least = 1,
    .most = 1,
    .kind = MLN_OFFLINE,
    .run = run_test};

static struct mln_result functions_json(struct mln_buf *out)
{
    struct mln_json_writer w = mln_json_writer(out);
    char signature[128];
    mln_json_begin_array(&w);
    for (size_t i = 0; i < mln_n_functions; i++) {
        mln_json_begin_object(&w);
        mln_json_member_str(&w, "name", mln_str_c(mln_functions[i].name));
        mln_json_member_str(&w, "signature", mln_function_signature(&mln_functions[i], signature));
        mln_json_member_str(&w, "doc", mln_str_c(mln_functions[i].doc));
        mln_json_end_object(&w);
    }
    mln_json_end_array(&w);
    MLN_TRY(mln_json_writer_end(&w));
    return mln_buf_byte(out, '\n');
}

static struct mln_result functions_markdown(struct mln_buf *out)
{
    char signature[128];
    MLN_TRY(mln_buf_append(out, MLN_S("| function | gives |\n| --- | --- |\n")));
    for (size_t i = 0; i < mln_n_functions; i++)
        MLN_TRY(mln_buf_printf(out, "| `%.*s` | %s |\n", MLN_FMT(mln_function_signature(&mln_functions[i], signature)),
                               mln_functions[i].doc));
    return MLN_OK;
}

static struct mln_result functions_plain(struct mln_buf *out)
{
    char signature[128];
    for (size_t i = 0; i < mln_n_functions; i++)
        MLN_TRY(mln_buf_printf(out, "%-64.*s %s\n", MLN_FMT(mln_function_signature(&mln_functions[i], signature)),
                               mln_functions[i].doc));
    return MLN_OK;
}

static struct mln_result run_functions(struct mln_invocation *in, enum mln_exit *exit_code)
{
    MLN_BUF_CLEANUP struct mln_buf out = MLN_BUF(REPORT_BYTES);
    (void)exit_code;
    if (mln_option_given(in, "json"))
        MLN_TRY(functions_json(&out));
    else if (mln_option_given(in, "markdown"))
        MLN_TRY(functions_markdown(&out));
    else
        MLN_TRY(functions_plain(&out));
    fwrite(out.p, 1, out.n, in->out);
    return MLN_OK;
}

static const struct mln_option functions_options[] = {
    {.name = "markdown", .help = "as the table of docs/cel.md"},
};

const struct mln_command mln_command_policy_functions = {.words = "policy functions",
                                                         .summary = "The functions that conditions of rules may call",
                                                         MLN_OPTIONS(functions_options),
                                                         .kind = MLN_OFFLINE,
                                                         .run = run_functions};
