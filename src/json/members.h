/*
 * Finding members of one object again and again: small objects are searched, larger ones get a map, so that hostile
 * objects with very many members stay linear. Private to the room.
 */
#ifndef MLN_JSON_MEMBERS_H
#define MLN_JSON_MEMBERS_H

#include "base/map.h"
#include "json/json.h"

struct mln_json_index {
    const struct mln_json_member *members;
    size_t n;
    struct mln_map *by_name; /* NULL: search (few members, or no memory for the map) */
};

/* Of json's members; of nothing when json is NULL or no object. */
struct mln_json_index mln_json_index(const struct mln_json *json);
void mln_json_index_done(struct mln_json_index *index);
#define MLN_JSON_INDEX_CLEANUP __attribute__((cleanup(mln_json_index_done)))

/* The last member with the name of like, or NULL. */
const struct mln_json_member *mln_json_index_find(const struct mln_json_index *index,
                                                  const struct mln_json_member *like);

#endif
