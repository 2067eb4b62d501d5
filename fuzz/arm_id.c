/* Whatever is accepted must read the same again, lie below its parent and subscription, and have parts inside the text. */
#include "model/arm_id.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void inside(struct mln_str part, struct mln_str whole)
{
    if (part.p && (part.p < whole.p || part.p + part.n > whole.p + whole.n || part.n == 0))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mln_arm_id id, again;
    if (!mln_ok(mln_arm_id_parse((struct mln_str){(const char *)data, size}, &id)))
        return 0;
    const struct mln_str parts[] = {id.subscription, id.group, id.provider, id.type_path, id.name, id.parent};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        inside(parts[i], id.whole);
    if (!mln_ok(mln_arm_id_parse(id.whole, &again)) || !mln_str_eq(id.whole, again.whole))
        abort();
    if (!mln_arm_id_below(id.whole, id.parent))
        abort();
    if (id.parent.p && !mln_ok(mln_arm_id_parse(id.parent, &again)))
        abort();
    MLN_CLEANUP(mln_arena_free) struct mln_arena *arena = mln_arena_new(1 << 16);
    struct mln_str type;
    if (id.provider.p && !mln_ok(mln_arm_id_type(&id, arena, &type)))
        abort();
    return 0;
}
