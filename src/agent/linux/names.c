#include "agent/linux/names.h"

#include "agent/linux/accounts.h"

struct named {
    uint32_t id;
    struct mln_str name;
};
struct mln_names {
    MLN_VEC(struct named) users, groups; /* sorted by id, then by the order of the file */
};

static int by_id(const void *a, const void *b)
{
    const struct named *x = a, *y = b;
    if (x->id != y->id)
        return x->id < y->id ? -1 : 1;
    return (x->name.p > y->name.p) - (x->name.p < y->name.p); /* slices of one text: the earlier line first */
}

static struct mln_result load(struct mln_facts *f, struct mln_names *names)
{
    struct mln_str text;
    struct mln_passwd user;
    struct mln_group group;
    MLN_TRY(mln_tree_read_if(f->tree, "/etc/passwd", f->arena, &text));
    while (mln_passwd_next(&text, &user))
        MLN_TRY(mln_vec_push(f->arena, &names->users, {user.uid, user.name}));
    MLN_TRY(mln_tree_read_if(f->tree, "/etc/group", f->arena, &text));
    while (mln_group_next(&text, &group))
        MLN_TRY(mln_vec_push(f->arena, &names->groups, {group.gid, group.name}));
    if (names->users.n)
        qsort(names->users.at, names->users.n, sizeof *names->users.at, by_id);
    if (names->groups.n)
        qsort(names->groups.at, names->groups.n, sizeof *names->groups.at, by_id);
    return MLN_OK;
}

/* Without files there are no names: ids then stand for themselves. */
static const struct mln_names *names_of(struct mln_facts *f)
{
    if (!f->names) {
        f->names = mln_arena_alloc(f->arena, sizeof *f->names);
        if (f->names && !mln_ok(load(f, f->names)))
            *f->names = (struct mln_names){0};
    }
    return f->names;
}

static const struct named *find(const struct named *at, size_t n, uint32_t id)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (at[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < n && at[low].id == id ? &at[low] : NULL;
}

static const struct named *user_of(struct mln_facts *f, uint32_t uid)
{
    const struct mln_names *names = names_of(f);
    return names ? find(names->users.at, names->users.n, uid) : NULL;
}

static const struct named *group_of(struct mln_facts *f, uint32_t gid)
{
    const struct mln_names *names = names_of(f);
    return names ? find(names->groups.at, names->groups.n, gid) : NULL;
}

struct mln_str mln_names_user(struct mln_facts *f, uint32_t uid)
{
    const struct named *user = user_of(f, uid);
    return user ? user->name : mln_str_printf(f->arena, "%u", uid);
}

struct mln_str mln_names_group(struct mln_facts *f, uint32_t gid)
{
    const struct named *group = group_of(f, gid);
    return group ? group->name : mln_str_printf(f->arena, "%u", gid);
}

bool mln_names_has_user(struct mln_facts *f, uint32_t uid)
{
    return user_of(f, uid) != NULL;
}

bool mln_names_has_group(struct mln_facts *f, uint32_t gid)
{
    return group_of(f, gid) != NULL;
}
