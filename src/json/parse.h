/*
 * The seam to parse.cc, the only C++ of the tree: simdjson parses, the tree is built into the arena, no exception and no
 * C++ type crosses. Private to the room; mln_json_parse (text.c) adds the limits and finds where a bad text is at fault.
 */
#ifndef MLN_JSON_PARSE_H
#define MLN_JSON_PARSE_H

#include "json/json.h"

enum mln_json_verdict {
    MLN_JSON_PARSED,
    MLN_JSON_BAD_TEXT,
    MLN_JSON_BAD_NUMBER, /* out of range; simdjson says so of integers beyond 64 bits too */
    MLN_JSON_TOO_DEEP,
    MLN_JSON_TOO_LONG,
    MLN_JSON_NO_MEMORY,
    MLN_JSON_ARENA_FULL, /* the arena's failure says why */
    MLN_JSON_BROKEN,     /* simdjson contradicts itself */
};

#ifdef __cplusplus
extern "C" {
#endif

enum mln_json_verdict mln_json_simd_parse(struct mln_arena *arena, const char *text, size_t bytes,
                                          struct mln_json *out);

/* Of members with the same name only the last stays; returns how many are left. */
size_t mln_json_drop_repeated(struct mln_json_member *members, size_t n);

/* Fills in a member's name and numbers; the name is in the global table or copied to the arena. False: arena full. */
bool mln_json_name_member(struct mln_arena *arena, struct mln_json_member *member, const char *name, size_t bytes);

#ifdef __cplusplus
}
#endif

#endif
