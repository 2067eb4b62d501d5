#include "json/members.h"

#include "json/keys.h"
#include "json/parse.h"

enum { SEARCHED_AT_MOST = 16 };

static struct mln_json_index index_of(const struct mln_json_member *members, size_t n)
{
    struct mln_json_index index = {members, n, NULL};
    if (n <= SEARCHED_AT_MOST)
        return index;
    struct mln_map *map MLN_CLEANUP(mln_map_free) = mln_map_new(false);
    for (size_t i = 0; i < n; i++)
        if (!map || !mln_ok(mln_map_put(map, members[i].name, (union mln_map_value){.u = i})))
            return index;
    index.by_name = MLN_TAKE(map);
    return index;
}

struct mln_json_index mln_json_index(const struct mln_json *json)
{
    return mln_json_is(json, MLN_JSON_OBJECT) ? index_of(json->members, json->n) : (struct mln_json_index){0};
}

void mln_json_index_done(struct mln_json_index *index)
{
    mln_map_free(index->by_name);
    index->by_name = NULL;
}

const struct mln_json_member *mln_json_index_find(const struct mln_json_index *index,
                                                  const struct mln_json_member *like)
{
    if (index->by_name) {
        const union mln_map_value *at = mln_map_get(index->by_name, like->name);
        return at ? &index->members[at->u] : NULL;
    }
    for (size_t i = index->n; i-- > 0;) {
        const struct mln_json_member *member = &index->members[i];
        if (member->key == like->key && (like->key != MLN_JSON_KEY_OTHER || mln_str_eq(member->name, like->name)))
            return member;
    }
    return NULL;
}

size_t mln_json_drop_repeated(struct mln_json_member *members, size_t n)
{
    struct mln_json_index index MLN_JSON_INDEX_CLEANUP = index_of(members, n);
    size_t kept = 0;
    if (!index.by_name) {
        /* From the back, so that moving members up does not disturb those still to be looked at. */
        index.members = members + n;
        index.n = 0;
        for (size_t i = n; i-- > 0;)
            if (!mln_json_index_find(&index, &members[i])) {
                struct mln_json_member last = members[i];
                members[n - ++kept] = last;
                index.members = members + n - kept;
                index.n = kept;
            }
        memmove(members, members + n - kept, kept * sizeof *members);
        return kept;
    }
    for (size_t i = 0; i < n; i++)
        if (mln_map_get(index.by_name, members[i].name)->u == i)
            members[kept++] = members[i];
    return kept;
}

bool mln_json_name_member(struct mln_arena *arena, struct mln_json_member *member, const char *name, size_t bytes)
{
    struct mln_str text = {name, bytes};
    struct mln_json_name known = mln_json_intern(text);
    member->name = known.text.p ? known.text : mln_str_dup(arena, text);
    member->key = known.key;
    member->key_fold = known.key_fold;
    return member->name.p != NULL;
}
