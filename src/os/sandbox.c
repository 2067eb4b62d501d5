#include "os/sandbox.h"

#include <cap-ng.h>
#include <errno.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

enum { ACCOUNT_TEXT_BYTES = 16 * 1024 };

struct mln_result mln_sandbox_no_dumps(void)
{
    const struct rlimit none = {0, 0};
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) || setrlimit(RLIMIT_CORE, &none))
        return mln_fail_errno(errno, "turning core dumps off");
    return MLN_OK;
}

/* libcap-ng's idea of this process becomes: these capabilities, in these sets, and no others. */
static struct mln_result choose(const int *capabilities, size_t n, capng_type_t sets)
{
    capng_clear(CAPNG_SELECT_BOTH);
    for (size_t i = 0; i < n; i++)
        if (capng_update(CAPNG_ADD, sets, (unsigned)capabilities[i]))
            return mln_fail(MLN_E_INVALID, "%d is not a capability", capabilities[i]);
    return MLN_OK;
}

static bool is_kept(int capability, const int *capabilities, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (capabilities[i] == capability)
            return true;
    return false;
}

/* Asks the kernel what came of it. */
static struct mln_result check_capabilities(const int *capabilities, size_t n)
{
    if (capng_get_caps_process())
        return mln_fail(MLN_E_IO, "reading this process's capabilities");
    for (int i = 0; i <= CAP_LAST_CAP; i++) {
        bool has = capng_have_capability(CAPNG_PERMITTED, (unsigned)i);
        if (has && !is_kept(i, capabilities, n))
            return mln_fail(MLN_E_INTERNAL, "the capability %s is still there", capng_capability_to_name((unsigned)i));
        if (!has && is_kept(i, capabilities, n))
            return mln_fail(MLN_E_FORBIDDEN, "the capability %s is not to be had",
                            capng_capability_to_name((unsigned)i));
    }
    return MLN_OK;
}

static struct mln_result check_user(uid_t uid, gid_t gid, bool may_change)
{
    uid_t user[3];
    gid_t group[3];
    if (getresuid(&user[0], &user[1], &user[2]) || getresgid(&group[0], &group[1], &group[2]))
        return mln_fail_errno(errno, "reading this process's user");
    for (int i = 0; i < 3; i++)
        if (user[i] != uid || group[i] != gid)
            return mln_fail(MLN_E_INTERNAL, "the change of user was not complete");
    if (uid != 0 && !may_change && (setuid(0) == 0 || seteuid(0) == 0))
        return mln_fail(MLN_E_INTERNAL, "the change of user could be undone");
    return MLN_OK;
}

struct mln_result mln_sandbox_drop_to(uid_t uid, gid_t gid, const int *capabilities, size_t n)
{
    if (geteuid() != 0)
        return mln_fail(MLN_E_FORBIDDEN, "only root can become another user");
    MLN_TRY(choose(capabilities, n, CAPNG_EFFECTIVE | CAPNG_PERMITTED));
    int failed = capng_change_id((int)uid, (int)gid, CAPNG_DROP_SUPP_GRP | CAPNG_CLEAR_BOUNDING | CAPNG_CLEAR_AMBIENT);
    if (failed)
        return mln_fail(MLN_E_FORBIDDEN, "becoming user %u failed (step %d of libcap-ng)", (unsigned)uid, -failed);
    MLN_TRY(check_user(uid, gid, is_kept(CAP_SETUID, capabilities, n)));
    return check_capabilities(capabilities, n);
}

struct mln_result mln_sandbox_keep_capabilities(const int *capabilities, size_t n)
{
    if (capng_get_caps_process())
        return mln_fail(MLN_E_IO, "reading this process's capabilities");
    /* The bounding set, which bounds what can come back by executing, is lowered by those who may. */
    bool may_bound = capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP);
    MLN_TRY(choose(capabilities, n, CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_BOUNDING_SET));
    if (capng_apply(may_bound ? CAPNG_SELECT_BOTH : CAPNG_SELECT_CAPS))
        return mln_fail(MLN_E_FORBIDDEN, "these capabilities are not to be had");
    return check_capabilities(capabilities, n);
}

struct mln_result mln_sandbox_account(const char *name, uid_t *uid, gid_t *gid)
{
    char text[ACCOUNT_TEXT_BYTES];
    struct passwd account, *found = NULL;
    int error = getpwnam_r(name, &account, text, sizeof text, &found);
    if (error && error != ENOENT && error != ESRCH)
        return mln_fail_errno(error, "looking up the account %s", name);
    if (!found)
        return mln_fail(MLN_E_NOT_FOUND, "no account %s", name);
    *uid = account.pw_uid;
    *gid = account.pw_gid;
    return MLN_OK;
}

struct mln_result mln_sandbox_no_new_privileges(void)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        return mln_fail_errno(errno, "giving up new privileges");
    return MLN_OK;
}
