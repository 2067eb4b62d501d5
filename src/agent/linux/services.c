/* Sections services and timers. */
#include "agent/linux/text.h"
#include "agent/linux/units.h"

struct mln_result mln_collect_services(struct mln_facts *f, struct mln_json_writer *w)
{
    static const char *const suffixes[] = {".service", ".socket", NULL};
    struct mln_units units = {0};
    struct mln_str shown = mln_program_text(f->outputs, MLN_PROGRAM_UNITS);
    struct mln_str files = mln_program_text(f->outputs, MLN_PROGRAM_UNIT_FILES);
    if (shown.p && files.p) {
        MLN_TRY(mln_units_parse_show(shown, f->arena, &units));
        MLN_TRY(mln_units_parse_files(files, f->arena, &units));
    } else {
        MLN_TRY(mln_units_from_tree(f, suffixes, &units));
    }
    mln_json_begin_object(w);
    for (size_t i = 0; i < units.list.n; i++) {
        const struct mln_unit *unit = &units.list.at[i];
        mln_json_name(w, unit->name);
        mln_json_begin_object(w);
        mln_json_member_str(w, "load", unit->load);
        mln_json_member_str(w, "active", unit->active);
        mln_json_member_str(w, "sub", unit->sub);
        mln_json_member_str(w, "enabled", unit->enabled);
        mln_json_member_bool(w, "unitFile", unit->unit_file);
        mln_json_end_object(w);
    }
    mln_json_end_object(w);
    return MLN_OK;
}

struct mln_result mln_collect_timers(struct mln_facts *f, struct mln_json_writer *w)
{
    static const char *const suffixes[] = {".timer", NULL};
    struct mln_units units = {0};
    struct mln_str shown = mln_program_text(f->outputs, MLN_PROGRAM_TIMERS);
    if (shown.p)
        MLN_TRY(mln_units_parse_show(shown, f->arena, &units));
    else
        MLN_TRY(mln_units_from_tree(f, suffixes, &units));
    mln_json_begin_object(w);
    for (size_t i = 0; i < units.list.n; i++) {
        const struct mln_unit *unit = &units.list.at[i];
        int64_t seconds =
            unit->next.n > 1 && unit->next.p[0] == '@' ? mln_text_i64(mln_str_sub(unit->next, 1, unit->next.n), 0) : 0;
        mln_json_name(w, unit->name);
        mln_json_begin_object(w);
        mln_json_member_str(w, "active", unit->active);
        mln_json_member_str(w, "enabled", unit->enabled);
        if (seconds > 0)
            mln_json_member_time(w, "next", seconds * 1000);
        mln_json_end_object(w);
    }
    mln_json_end_object(w);
    return MLN_OK;
}
