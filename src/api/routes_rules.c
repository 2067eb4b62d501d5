/* The rule set that is in force: `/providers/Microsoft.Security/ruleSets/current`, an extension of ours. */
#include "api/pinned.h"

static void put_errors(struct mln_json_writer *w, const struct mln_ruleset *set)
{
    mln_json_name(w, MLN_S("errors"));
    mln_json_begin_array(w);
    for (size_t i = 0; i < set->n_errors; i++) {
        mln_json_begin_object(w);
        mln_json_member_str(w, "file", set->errors[i].file);
        mln_json_member_i64(w, "line", set->errors[i].line);
        mln_json_member_i64(w, "column", set->errors[i].column);
        mln_json_member_str(w, "message", set->errors[i].text);
        mln_json_end_object(w);
    }
    mln_json_end_array(w);
}

static struct mln_result get_current(struct mln_request *request, struct mln_reply *reply)
{
    MLN_PINNED struct mln_pinned_rules rules = mln_pin_rules(request);
    struct mln_json_writer *w = mln_reply_json(reply, 200);
    mln_envelope_begin(w, request->id, MLN_S("current"), "Microsoft.Security/ruleSets");
    mln_envelope_properties(w);
    mln_json_member_str(w, "contentVersion", rules.set->version);
    mln_json_member_i64(w, "rules", (int64_t)rules.set->n_rules);
    mln_json_member_i64(w, "controls", (int64_t)rules.set->n_controls);
    put_errors(w, rules.set);
    mln_envelope_end(w);
    return mln_json_writer_end(w);
}

static const struct mln_route routes[] = {
    {MLN_GET, "{P}/ruleSets/current", get_current, NULL, "2026-11-01", 0, 0},
};
const struct mln_route_table mln_routes_rules = MLN_ROUTE_TABLE("rules", routes);
