/*
 * The global table of member names. Readers take no lock: entries are never changed or removed, and a larger table is
 * put in place whole. Private to the room; others use mln_json_key.
 */
#ifndef MLN_JSON_KEYS_H
#define MLN_JSON_KEYS_H

#include "base/str.h"

struct mln_json_name {
    struct mln_str text;    /* lives as long as the process; p NULL for a name that is not in the table */
    uint32_t key, key_fold; /* as in struct mln_json_member */
};

struct mln_json_name mln_json_intern(struct mln_str name);

#endif
