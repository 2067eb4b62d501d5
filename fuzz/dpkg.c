/* dpkg's stanzas: the same packages wherever the text is cut; and the order of their versions is an order. */
#include "agent/linux/dpkg.h"
#include "agent/linux/version.h"

#include "base/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct mln_result note(void *context, const struct mln_dpkg_package *package)
{
    return mln_buf_append(context, (struct mln_str){(const char *)package, sizeof *package});
}

static void parse(struct mln_str text, size_t piece, struct mln_buf *out)
{
    struct mln_dpkg_stream stream = {.visit = note, .context = out};
    struct mln_result r = MLN_OK;
    for (; text.n && mln_ok(r); text = mln_str_sub(text, piece, text.n))
        r = mln_dpkg_feed(&stream, mln_str_sub(text, 0, piece));
    if (mln_ok(r))
        r = mln_dpkg_end(&stream);
    if (!mln_ok(r) && r.code != MLN_E_LIMIT)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mln_str text = {(const char *)data, size};
    struct mln_buf whole MLN_BUF_CLEANUP = MLN_BUF((size_t)16 << 20),
                         pieces MLN_BUF_CLEANUP = MLN_BUF((size_t)16 << 20);
    parse(text, size ? size : 1, &whole);
    parse(text, 1 + size % 7, &pieces);
    if (!mln_str_eq(mln_buf_str(&whole), mln_buf_str(&pieces)))
        abort();
    struct mln_str a = mln_str_sub(text, 0, size / 2), b = mln_str_sub(text, size / 2, size);
    int ab = mln_deb_version_cmp(a, b), ba = mln_deb_version_cmp(b, a);
    if ((ab > 0) != (ba < 0) || (ab < 0) != (ba > 0) || mln_deb_version_cmp(text, text))
        abort();
    return 0;
}
