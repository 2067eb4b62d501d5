/* What rpm, dnf and yum print: slices stay within the text, a reader ends; and the order of rpm's versions is an order. */
#include "agent/linux/rpm.h"
#include "agent/linux/text.h"
#include "agent/linux/version.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_inside(struct mln_str whole, struct mln_str part)
{
    if (!part.n || part.p < whole.p || part.p + part.n > whole.p + whole.n)
        abort();
}

static void check_order(struct mln_str text)
{
    struct mln_str a = mln_str_sub(text, 0, text.n / 2), b = mln_str_sub(text, text.n / 2, text.n);
    int ab = mln_rpm_version_cmp(a, b), ba = mln_rpm_version_cmp(b, a);
    if ((ab > 0) != (ba < 0) || (ab < 0) != (ba > 0) || mln_rpm_version_cmp(text, text))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mln_arena *arena MLN_CLEANUP(mln_arena_free) = mln_arena_new((size_t)64 << 20);
    struct mln_str text = {(const char *)data, size}, rest = text, line;
    struct mln_rpm_package package;
    struct mln_rpm_repositories repositories = {0};
    while (mln_yum_next_update(&rest, &package)) {
        check_inside(text, package.name);
        check_inside(text, package.arch);
    }
    for (rest = text; mln_text_line(&rest, &line, NULL);) {
        if (mln_rpm_installed_line(line, &package))
            check_inside(line, package.source);
        if (mln_dnf_update_line(line, &package))
            check_inside(line, package.version);
        if (mln_yum_security_line(line, &package))
            check_inside(line, package.name);
        check_order(line);
        mln_kernel_flavour(line);
    }
    struct mln_result r = mln_rpm_read_repositories(text, MLN_S("x"), size & 1, arena, &repositories);
    if (!mln_ok(r) && r.code != MLN_E_LIMIT && r.code != MLN_E_MEMORY)
        abort();
    return 0;
}
