/* The controls of the secure score: read from controls.yaml, and the built-in ones for a directory that has none. */
#include "content/loader.h"

#include "crypto/random.h"

/* The same as content/controls.yaml, which a test holds against this. */
static const struct {
    const char *id, *slug, *title;
    int32_t max_points;
    const char *description;
} built_in[] = {
    {"20f6f7f1-9953-597d-a4ff-763246d695f0", "enable-mfa", "Enable MFA", 10,
     "A password alone is one theft away from a takeover; a second factor stops most of these attacks."},
    {"157688ff-b83b-5eed-8486-14de802ce721", "secure-management-ports", "Secure management ports", 8,
     "Remote shells and desktops that anybody can reach are what attackers try first: close them, or open "
     "them only for whom and as long as needed."},
    {"4e9e7a9c-12c5-519a-a0fa-b569d824079c", "apply-system-updates", "Apply system updates", 6,
     "Known holes in the operating system and its packages are closed by updates; each missing one is a "
     "hole with a manual."},
    {"074ec2e6-622a-58b5-9e2a-38be5e2a348c", "remediate-vulnerabilities", "Remediate vulnerabilities", 6,
     "Weaknesses found in machines, images and databases: fix what can be reached and what is being "
     "exploited first."},
    {"cd39eb69-b93b-5faa-bb40-5140da83528c", "remediate-security-configurations", "Remediate security configurations",
     4, "Settings of systems, containers and services that make an attack easier than it need be."},
    {"88685222-7011-5645-b30b-5224289d06b3", "manage-access-and-permissions", "Manage access and permissions", 4,
     "Nobody and nothing should be able to do more than its task asks for."},
    {"18ab0241-06ad-5af8-9620-be33fa0ed375", "encryption-at-rest", "Enable encryption at rest", 4,
     "Stored data that is encrypted is of no use to whoever takes the disk, the backup or the snapshot."},
    {"421343e4-817d-5b7a-82f0-5f0374a3e301", "encrypt-data-in-transit", "Encrypt data in transit", 4,
     "Data on the wire can be read and changed by everybody on the way, unless it is encrypted."},
    {"b80da0bf-c1b9-51f1-b1b6-b0af28358561", "restrict-network-access", "Restrict unauthorized network access", 4,
     "What cannot be reached cannot be attacked: let in only what must get in."},
    {"213eba1a-13a6-5121-8cde-c027f043509e", "adaptive-application-control", "Apply adaptive application control", 3,
     "A machine that runs only known programs does not run the attacker's."},
    {"ecc8749b-8466-5359-8186-3a4369883148", "ddos-protection", "Protect applications against DDoS attacks", 2,
     "Applications that the world can reach need protection from being flooded."},
    {"1b35df73-a370-5998-ab54-4ed9fd7435ba", "endpoint-protection", "Enable endpoint protection", 2,
     "Protection on the machine itself finds and stops malware that got past everything else."},
    {"32e82dcf-1006-52e0-a98b-52fc779d3388", "auditing-and-logging", "Enable auditing and logging", 1,
     "Without records nobody sees an attack, and nobody can tell afterwards what happened."},
    {"956cd1c6-8850-5403-8bde-5faed8362242", "enhanced-security-features", "Enable enhanced security features", 0,
     "The plans that watch machines, data and services for attacks have to be switched on."},
    {"360b95c8-f64b-53cb-b7c8-603bba8c0da0", "security-best-practices", "Implement security best practices", 0,
     "Measures that make a system safer but are not counted in the score."},
};

struct mln_result mln_loader_built_in_controls(struct mln_loader *l)
{
    for (size_t i = 0; i < sizeof built_in / sizeof built_in[0]; i++)
        MLN_TRY(mln_vec_push(l->arena, &l->controls,
                             {.id = mln_str_c(built_in[i].id),
                              .slug = mln_str_c(built_in[i].slug),
                              .title = mln_str_c(built_in[i].title),
                              .description = mln_str_c(built_in[i].description),
                              .max_points = built_in[i].max_points}));
    return MLN_OK;
}

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
