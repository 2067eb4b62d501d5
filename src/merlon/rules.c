#include "merlon/rules.h"

#include "merlon/output.h"

#include <sys/stat.h>

static bool is_directory(const char *path)
{
    struct stat s;
    return path && *path && stat(path, &s) == 0 && S_ISDIR(s.st_mode);
}

static struct mln_result find(struct mln_invocation *in, struct mln_str *out)
{
    const char *places[] = {getenv("MERLON_CONTENT"), "content", MLN_CONTENT_DIR};
    *out = mln_option_value(in, "rules");
    for (size_t i = 0; !out->p && i < sizeof places / sizeof *places; i++)
        if (is_directory(places[i]))
            *out = mln_str_c(places[i]);
    return out->p ? MLN_OK : mln_fail(MLN_E_NOT_FOUND, "no rules found; say where with --rules DIR");
}

struct mln_result mln_rules_load(struct mln_invocation *in, struct mln_ruleset **out)
{
    struct mln_str directory;
    MLN_TRY(find(in, &directory));
    MLN_TRY(mln_ruleset_load(directory, out));
    for (size_t i = 0; i < (*out)->n_errors; i++) {
        const struct mln_rule_error *e = &(*out)->errors[i];
        MLN_TRY(mln_output_say(in, "%.*s/%.*s:%u:%u: %.*s\n", MLN_FMT(directory), MLN_FMT(e->file), e->line, e->column,
                               MLN_FMT(e->text)));
    }
    return MLN_OK;
}
