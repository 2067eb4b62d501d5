/* systemd units: what systemctl says about them, or what their files and links say where no systemd runs. */
#ifndef MLN_AGENT_LINUX_UNITS_H
#define MLN_AGENT_LINUX_UNITS_H

#include "agent/linux/facts.h"

struct mln_unit {
    struct mln_str name;
    struct mln_str load, active, sub; /* p NULL: not known */
    struct mln_str enabled;           /* "enabled", "disabled", "static", "masked", "indirect", "generated", ... */
    struct mln_str next;              /* of a timer: "@SECONDS"; p NULL otherwise */
    bool unit_file;
};
struct mln_units {
    MLN_VEC(struct mln_unit) list; /* sorted by name */
};

/* The blocks of `systemctl show` (Id=..., ActiveState=..., an empty line between units). */
MLN_RESULT mln_units_parse_show(struct mln_str text, struct mln_arena *arena, struct mln_units *out);
/* Adds units that only exist as files, from `systemctl list-unit-files`. */
MLN_RESULT mln_units_parse_files(struct mln_str text, struct mln_arena *arena, struct mln_units *out);
/* From the unit directories of the tree; suffixes: ".service", ".socket", NULL. */
MLN_RESULT mln_units_from_tree(struct mln_facts *f, const char *const *suffixes, struct mln_units *out);
/* Whether a unit is enabled by the links of the tree. */
bool mln_unit_is_enabled(struct mln_facts *f, const char *name);

#endif
