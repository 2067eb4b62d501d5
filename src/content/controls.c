/* The controls of the secure score, from controls.yaml. */
#include "content/loader.h"

#include "crypto/random.h"

enum { SLUG_MOST = 100, TITLE_MOST = 200, DESCRIPTION_MOST = 4000, POINTS_MOST = 1000 };

static void read_slug(struct mln_loader *l, const struct mln_yaml *value, void *into)
{
    ((struct mln_control *)into)->slug = mln_loader_text(l, value, SLUG_MOST);
}

static void read_id(struct mln_loader *l, const struct mln_yaml *value, void *into)
{
    struct mln_control *control = into;
    struct mln_uuid uuid;
    control->id = mln_loader_text(l, value, MLN_UUID_TEXT);
    if (control->id.p && !mln_ok(mln_uuid_parse(control->id, &uuid)))
        mln_loader_error(l, value, "'%.*s' is not a UUID", MLN_FMT(control->id));
}

static void read_title(struct mln_loader *l, const struct mln_yaml *value, void *into)
{
    ((struct mln_control *)into)->title = mln_loader_text(l, value, TITLE_MOST);
}

static void read_description(struct mln_loader *l, const struct mln_yaml *value, void *into)
{
    ((struct mln_control *)into)->description = mln_loader_text(l, value, DESCRIPTION_MOST);
}

static void read_points(struct mln_loader *l, const struct mln_yaml *value, void *into)
{
    int64_t points;
    if (value->kind != MLN_YAML_SCALAR || !mln_ok(mln_str_to_i64(value->text, &points)) || points < 0 ||
        points > POINTS_MOST)
        mln_loader_error(l, value, "expected a whole number of points, 0 to %d", POINTS_MOST);
    else
        ((struct mln_control *)into)->max_points = (int32_t)points;
}

static const struct mln_yaml_member members[] = {
    {"slug", true, read_slug},
    {"id", true, read_id},
    {"title", true, read_title},
    {"maxPoints", true, read_points},
    {"description", false, read_description},
    {NULL, false, NULL},
};

static void read_control(struct mln_loader *l, const struct mln_yaml *node)
{
    struct mln_control control = {0};
    size_t errors = l->file_errors;
    mln_loader_members(l, node, members, &control);
    if (l->file_errors != errors)
        return;
    for (size_t i = 0; i < l->controls.n; i++)
        if (mln_str_eq(l->controls.at[i].slug, control.slug) || mln_str_eq_nocase(l->controls.at[i].id, control.id)) {
            mln_loader_error(l, node, "the control '%.*s' has the slug or id of another one", MLN_FMT(control.slug));
            return;
        }
    struct mln_result r = mln_vec_push(l->arena, &l->controls, control);
    if (!mln_ok(r) && mln_ok(l->failed))
        l->failed = r;
}

static void read_controls(struct mln_loader *l, const struct mln_yaml *value, void *into)
{
    (void)into;
    if (value->kind != MLN_YAML_SEQUENCE) {
        mln_loader_error(l, value, "expected a list of controls");
        return;
    }
    for (size_t i = 0; i < value->n; i++)
        read_control(l, &value->items[i]);
}

void mln_loader_controls(struct mln_loader *l, const struct mln_yaml *root)
{
    static const struct mln_yaml_member file_members[] = {{"controls", true, read_controls}, {NULL, false, NULL}};
    mln_loader_members(l, root, file_members, NULL);
}
