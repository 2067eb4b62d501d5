#include "agent/linux/units.h"

#include "agent/linux/text.h"

static const char *const directories[] = {"/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system",
                                          "/usr/lib/systemd/system", "/lib/systemd/system"};
enum { DIRECTORIES = sizeof directories / sizeof *directories };

static int by_name(const void *a, const void *b)
{
    const struct mln_unit *x = a, *y = b;
    return mln_str_cmp(x->name, y->name);
}

static void sort(struct mln_units *units)
{
    if (units->list.n)
        qsort(units->list.at, units->list.n, sizeof *units->list.at, by_name);
}

static struct mln_unit *find(const struct mln_units *units, struct mln_str name, size_t among)
{
    size_t low = 0, high = among;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (mln_str_cmp(units->list.at[middle].name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < among && mln_str_eq(units->list.at[low].name, name) ? &units->list.at[low] : NULL;
}

static struct mln_result add(struct mln_units *out, struct mln_arena *arena, const struct mln_unit *unit)
{
    if (!unit->name.n || out->list.n == MLN_FACTS_MAX_LIST)
        return MLN_OK;
    return mln_vec_push(arena, &out->list, *unit);
}

struct mln_result mln_units_parse_show(struct mln_str text, struct mln_arena *arena, struct mln_units *out)
{
    struct mln_unit unit = {0};
    struct mln_str line, key, value;
    while (mln_text_line(&text, &line, NULL)) {
        if (!line.n) {
            MLN_TRY(add(out, arena, &unit));
            unit = (struct mln_unit){0};
        }
        if (!mln_text_pair(line, '=', &key, &value))
            continue;
        const struct {
            const char *key;
            struct mln_str *place;
        } places[] = {
            {"Id", &unit.name},      {"LoadState", &unit.load},        {"ActiveState", &unit.active},
            {"SubState", &unit.sub}, {"UnitFileState", &unit.enabled}, {"NextElapseUSecRealtime", &unit.next}};
        for (size_t i = 0; i < sizeof places / sizeof *places; i++)
            if (mln_str_eq(key, mln_str_c(places[i].key)))
                *places[i].place = value;
        unit.unit_file = unit.enabled.n > 0;
    }
    MLN_TRY(add(out, arena, &unit));
    sort(out);
    return MLN_OK;
}

struct mln_result mln_units_parse_files(struct mln_str text, struct mln_arena *arena, struct mln_units *out)
{
    struct mln_str line, name, state;
    size_t loaded = out->list.n;
    while (mln_text_line(&text, &line, NULL)) {
        if (!mln_text_word(&line, &name) || !mln_text_word(&line, &state))
            continue;
        struct mln_unit *known = find(out, name, loaded);
        if (known) {
            known->unit_file = true;
            if (!known->enabled.n)
                known->enabled = state;
            continue;
        }
        struct mln_unit unit = {.name = name, .enabled = state, .unit_file = true};
        unit.load = mln_str_starts(state, MLN_S("masked")) ? MLN_S("masked") : MLN_S("loaded");
        unit.active = MLN_S("inactive");
        unit.sub = MLN_S("dead");
        MLN_TRY(add(out, arena, &unit));
    }
    sort(out);
    return MLN_OK;
}

/* ---- from files ---- */

/* Units that a *.wants or *.requires directory of the administrator's tree links to, and aliases. */
struct links {
    struct mln_units found; /* only the names are set */
};

static struct mln_result find_links(struct mln_facts *f, struct links *links)
{
    static const char *const patterns[] = {"/etc/systemd/system/*.wants", "/etc/systemd/system/*.requires",
                                           "/run/systemd/system/*.wants"};
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        struct mln_str *wants, *names;
        size_t n_wants, n;
        MLN_TRY(mln_tree_glob(f->tree, mln_str_c(patterns[i]), f->arena, &wants, &n_wants));
        for (size_t k = 0; k < n_wants; k++) {
            MLN_TRY(mln_tree_list(f->tree, wants[k].p, f->arena, &names, &n));
            for (size_t j = 0; j < n; j++)
                MLN_TRY(add(&links->found, f->arena, &(struct mln_unit){.name = names[j]}));
        }
    }
    sort(&links->found);
    return MLN_OK;
}

/* "getty@.service" is meant by a link "getty@tty1.service". */
static bool is_linked(const struct links *links, struct mln_str name)
{
    size_t at = mln_str_find(name, MLN_S("@."), 0);
    if (at == SIZE_MAX)
        return find(&links->found, name, links->found.list.n) != NULL;
    for (size_t i = 0; i < links->found.list.n; i++) {
        struct mln_str link = links->found.list.at[i].name;
        if (mln_str_starts(link, mln_str_sub(name, 0, at + 1)) && mln_str_ends(link, mln_str_sub(name, at + 1, name.n)))
            return true;
    }
    return false;
}

static bool has_section(struct mln_str text, const char *section)
{
    struct mln_str line;
    while (mln_text_line(&text, &line, NULL))
        if (mln_str_eq(line, mln_str_c(section)))
            return true;
    return false;
}

static struct mln_result describe_file(struct mln_facts *f, const char *path, const struct links *links,
                                       struct mln_unit *unit)
{
    struct stat st;
    struct mln_str link = mln_tree_link(f->tree, path, f->arena), text = {NULL, 0};
    unit->unit_file = true;
    unit->load = MLN_S("loaded");
    bool empty = !link.p && mln_tree_stat(f->tree, path, false, &st) && S_ISREG(st.st_mode) && st.st_size == 0;
    if (empty || (link.p && mln_str_eq(link, MLN_S("/dev/null")))) {
        unit->load = MLN_S("masked");
        unit->enabled = MLN_S("masked");
        return MLN_OK;
    }
    struct mln_result r = mln_tree_read(f->tree, path, f->arena, 1 << 20, &text);
    if (!mln_ok(r) && r.code != MLN_E_NOT_FOUND && r.code != MLN_E_INVALID && r.code != MLN_E_FORBIDDEN)
        return r;
    if (is_linked(links, unit->name))
        unit->enabled = MLN_S("enabled");
    else if (link.p)
        unit->enabled = MLN_S("alias");
    else
        unit->enabled = has_section(text, "[Install]") ? MLN_S("disabled") : MLN_S("static");
    return MLN_OK;
}

struct mln_result mln_units_from_tree(struct mln_facts *f, const char *const *suffixes, struct mln_units *out)
{
    struct links links = {0};
    MLN_TRY(find_links(f, &links));
    for (size_t d = 0; d < DIRECTORIES; d++) { /* of the same name in several directories the first one counts */
        struct mln_str *names, path;
        size_t n, before = out->list.n;
        MLN_TRY(mln_tree_list(f->tree, directories[d], f->arena, &names, &n));
        for (size_t i = 0; i < n; i++) {
            bool wanted = false;
            for (size_t k = 0; suffixes[k]; k++)
                wanted |= mln_str_ends(names[i], mln_str_c(suffixes[k]));
            if (!wanted || find(out, names[i], before))
                continue;
            struct mln_unit unit = {.name = names[i]};
            MLN_TRY_STR(f->arena, path, mln_str_printf(f->arena, "%s/%s", directories[d], names[i].p));
            MLN_TRY(describe_file(f, path.p, &links, &unit));
            MLN_TRY(add(out, f->arena, &unit));
        }
        sort(out);
    }
    return MLN_OK;
}

bool mln_unit_is_enabled(struct mln_facts *f, const char *name)
{
    struct links links = {0};
    return mln_ok(find_links(f, &links)) && is_linked(&links, mln_str_c(name));
}
