/* The built-in role definitions: Azure's own, by its GUIDs and lists (learn.microsoft.com, "Azure built-in roles"). */
#include "access/rbac.h"

#define LIST(...)                                                                                                      \
    (const char *const[])                                                                                              \
    {                                                                                                                  \
        __VA_ARGS__ __VA_OPT__(, ) NULL                                                                                \
    }

const struct mln_role mln_roles[] = {
    {
        .id = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
        .name = "Owner",
        .description = "Grants full access to manage all resources, including the ability to assign roles.",
        .actions = LIST("*"),
        .not_actions = LIST(),
    },
    {
        .id = "b24988ac-6180-42a0-ab88-20f7382dd24c",
        .name = "Contributor",
        .description = "Grants full access to manage all resources, but does not allow you to assign roles.",
        .actions = LIST("*"),
        .not_actions =
            LIST("Microsoft.Authorization/*/Delete", "Microsoft.Authorization/*/Write",
                 "Microsoft.Authorization/elevateAccess/Action", "Microsoft.Blueprint/blueprintAssignments/write",
                 "Microsoft.Blueprint/blueprintAssignments/delete", "Microsoft.Compute/galleries/share/action",
                 "Microsoft.Purview/consents/write", "Microsoft.Purview/consents/delete",
                 "Microsoft.Resources/deploymentStacks/manageDenySetting/action"),
    },
    {
        .id = "acdd72a7-3385-48ef-bd42-f606fba81ae7",
        .name = "Reader",
        .description = "View all resources, but does not allow you to make any changes.",
        .actions = LIST("*/read"),
        .not_actions = LIST(),
    },
    {
        .id = "fb1c8493-542b-48eb-b624-b4c8fea62acd",
        .name = "Security Admin",
        .description =
            "View and update permissions for Defender for Cloud. Same permissions as the Security Reader role "
            "and can also update the security policy and dismiss alerts and recommendations.",
        .actions = LIST("Microsoft.Authorization/*/read", "Microsoft.Authorization/policyAssignments/*",
                        "Microsoft.Authorization/policyDefinitions/*", "Microsoft.Authorization/policyExemptions/*",
                        "Microsoft.Authorization/policySetDefinitions/*", "Microsoft.Insights/alertRules/*",
                        "Microsoft.Management/managementGroups/read", "Microsoft.operationalInsights/workspaces/*/read",
                        "Microsoft.Resources/deployments/*", "Microsoft.Resources/subscriptions/resourceGroups/read",
                        "Microsoft.Security/*", "Microsoft.IoTSecurity/*", "Microsoft.IoTFirmwareDefense/*",
                        "Microsoft.Support/*"),
        .not_actions = LIST(),
    },
    {
        .id = "39bc4728-0917-49c7-9d2c-d95423bc2eb4",
        .name = "Security Reader",
        .description =
            "View permissions for Defender for Cloud. Can view recommendations, alerts, a security policy, and "
            "security states, but cannot make changes.",
        .actions = LIST("Microsoft.Authorization/*/read", "Microsoft.Insights/alertRules/read",
                        "Microsoft.operationalInsights/workspaces/*/read", "Microsoft.Resources/deployments/*/read",
                        "Microsoft.Resources/subscriptions/resourceGroups/read", "Microsoft.Security/*/read",
                        "Microsoft.IoTSecurity/*/read", "Microsoft.Support/*/read",
                        "Microsoft.Security/iotDefenderSettings/packageDownloads/action",
                        "Microsoft.Security/iotDefenderSettings/downloadManagerActivation/action",
                        "Microsoft.Security/iotSensors/downloadResetPassword/action",
                        "Microsoft.IoTSecurity/defenderSettings/packageDownloads/action",
                        "Microsoft.IoTSecurity/defenderSettings/downloadManagerActivation/action",
                        "Microsoft.Management/managementGroups/read"),
        .not_actions = LIST(),
    },
};
const size_t mln_roles_count = sizeof mln_roles / sizeof *mln_roles;

const struct mln_role *mln_role_find(struct mln_str id_or_name)
{
    for (size_t i = 0; i < mln_roles_count; i++)
        if (mln_str_eq_nocase(id_or_name, mln_str_c(mln_roles[i].id)) ||
            mln_str_eq_nocase(id_or_name, mln_str_c(mln_roles[i].name)))
            return &mln_roles[i];
    return NULL;
}

static char fold(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

/* '*' for any run, all else by its letter without case; going back to the last star only keeps it quadratic at worst. */
static bool action_matches(struct mln_str pattern, struct mln_str action)
{
    size_t p = 0, a = 0, star = SIZE_MAX, mark = 0;
    while (a < action.n) {
        if (p < pattern.n && pattern.p[p] == '*') {
            star = p++;
            mark = a;
        } else if (p < pattern.n && fold(pattern.p[p]) == fold(action.p[a])) {
            p++;
            a++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            a = ++mark;
        } else {
            return false;
        }
    }
    while (p < pattern.n && pattern.p[p] == '*')
        p++;
    return p == pattern.n;
}

static bool list_matches(const char *const *patterns, struct mln_str action)
{
    for (; *patterns; patterns++)
        if (action_matches(mln_str_c(*patterns), action))
            return true;
    return false;
}

bool mln_role_allows(const struct mln_role *role, struct mln_str action)
{
    return list_matches(role->actions, action) && !list_matches(role->not_actions, action);
}
