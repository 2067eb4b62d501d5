/* Sections users, groups and accounts. */
#include "agent/linux/accounts.h"
#include "agent/linux/facts.h"
#include "agent/linux/names.h"
#include "agent/linux/text.h"

#include <fcntl.h>

enum { MAX_DOT_FILES = 64, MAX_KEYS_BYTES = 1 << 20 };

struct account_files {
    struct mln_str passwd, shadow, group; /* p NULL: there is no such file */
};

static struct mln_result read_files(struct mln_facts *f, bool with_shadow, struct account_files *out)
{
    *out = (struct account_files){0};
    MLN_TRY(mln_tree_read(f->tree, "/etc/passwd", f->arena, MLN_TREE_MAX_FILE_BYTES, &out->passwd));
    MLN_TRY(mln_tree_read_if(f->tree, "/etc/group", f->arena, &out->group));
    if (with_shadow)
        MLN_TRY(mln_tree_read_if(f->tree, "/etc/shadow", f->arena, &out->shadow));
    return MLN_OK;
}

/* Lines of a file that are neither empty nor a comment: the keys of an authorized_keys file. */
static int64_t count_keys(struct mln_facts *f, struct mln_str home)
{
    static const char *const files[] = {"authorized_keys", "authorized_keys2"};
    int64_t count = 0;
    for (size_t i = 0; i < 2; i++) {
        struct mln_str path = mln_str_printf(f->arena, "%.*s/.ssh/%s", MLN_FMT(home), files[i]), text, line;
        if (!path.p || !mln_ok(mln_tree_read(f->tree, path.p, f->arena, MAX_KEYS_BYTES, &text)))
            continue;
        while (mln_text_setting(&text, &line, NULL))
            count++;
    }
    return count;
}

static struct mln_result put_dot_files(struct mln_facts *f, struct mln_json_writer *w, struct mln_str home)
{
    const char *path = mln_str_z(f->arena, home);
    struct mln_str *names;
    size_t n, shown = 0;
    if (!path)
        return mln_arena_failure(f->arena);
    mln_json_name(w, MLN_S("dotFiles"));
    mln_json_begin_object(w);
    if (home.n > 1 && mln_ok(mln_tree_list(f->tree, path, f->arena, &names, &n))) {
        for (size_t i = 0; i < n; i++) {
            struct stat st;
            struct mln_str file = mln_str_printf(f->arena, "%s/%s", path, names[i].p);
            if (names[i].p[0] != '.' || !file.p || !mln_tree_stat(f->tree, file.p, false, &st) ||
                !S_ISREG(st.st_mode) || !mln_facts_room(f, shown, MAX_DOT_FILES))
                continue;
            shown++;
            mln_json_name(w, names[i]);
            mln_json_begin_object(w);
            mln_facts_member_octal(w, "mode", st.st_mode & 07777);
            mln_json_member_str(w, "owner", mln_names_user(f, st.st_uid));
            mln_json_end_object(w);
        }
    }
    mln_json_end_object(w);
    return MLN_OK;
}

static struct mln_result put_home(struct mln_facts *f, struct mln_json_writer *w, const struct mln_passwd *user)
{
    struct stat st;
    const char *home = mln_str_z(f->arena, user->home);
    if (!home)
        return mln_arena_failure(f->arena);
    bool exists = user->home.n && home[0] == '/' && mln_tree_stat(f->tree, home, true, &st) && S_ISDIR(st.st_mode);
    mln_json_member_str(w, "home", user->home);
    mln_json_member_bool(w, "homeExists", exists);
    if (exists) {
        mln_facts_member_octal(w, "homeMode", st.st_mode & 07777);
        mln_json_member_str(w, "homeOwner", mln_names_user(f, st.st_uid));
    }
    if (exists && mln_shell_is_login(user->shell)) {
        mln_json_member_i64(w, "authorizedKeys", count_keys(f, user->home));
        MLN_TRY(put_dot_files(f, w, user->home));
    }
    return MLN_OK;
}

/* What the password fields say, and nothing of what is in them. */
static void put_password(struct mln_json_writer *w, const struct mln_passwd *user, const struct mln_shadow *shadow)
{
    bool shadowed = mln_str_eq(user->password, MLN_S("x"));
    struct mln_str hash = shadowed ? (shadow ? shadow->hash : MLN_S("*")) : user->password;
    bool locked = mln_password_locked(hash);
    const char *algorithm = mln_password_algorithm(hash);
    mln_json_member_bool(w, "shadowed", shadowed);
    mln_json_member_bool(w, "locked", locked);
    mln_json_member_bool(w, "passwordSet", !locked && algorithm[0]);
    mln_json_member_bool(w, "passwordEmpty", hash.n == 0);
    if (algorithm[0])
        mln_json_member_str(w, "passwordAlgorithm", mln_str_c(algorithm));
    mln_facts_member_number(w, "lastChangeDays", shadow ? shadow->last_change : -1, -1);
    mln_facts_member_number(w, "minDays", shadow ? shadow->min : -1, -1);
    mln_facts_member_number(w, "maxDays", shadow ? shadow->max : -1, -1);
    mln_facts_member_number(w, "warnDays", shadow ? shadow->warn : -1, -1);
    mln_facts_member_number(w, "inactiveDays", shadow ? shadow->inactive : -1, -1);
    mln_facts_member_number(w, "expireDays", shadow ? shadow->expire : -1, -1);
}

/* Entries of a name; the system takes the first line of a name, and so do we. */
struct shadow_entries {
    MLN_VEC(struct mln_shadow) list;
};

static int by_name(const void *a, const void *b)
{
    const struct mln_shadow *x = a, *y = b;
    int order = mln_str_cmp(x->name, y->name);
    return order ? order : (x->name.p > y->name.p) - (x->name.p < y->name.p);
}

static const struct mln_shadow *find_shadow(const struct shadow_entries *entries, struct mln_str name)
{
    size_t low = 0, high = entries->list.n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (mln_str_cmp(entries->list.at[middle].name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < entries->list.n && mln_str_eq(entries->list.at[low].name, name) ? &entries->list.at[low] : NULL;
}

struct mln_result mln_collect_users(struct mln_facts *f, struct mln_json_writer *w)
{
    struct account_files files;
    struct shadow_entries shadows = {0};
    struct mln_shadow shadow;
    struct mln_passwd user;
    MLN_VEC(struct mln_str) seen = {0};
    MLN_TRY(read_files(f, true, &files));
    while (mln_shadow_next(&files.shadow, &shadow))
        MLN_TRY(mln_vec_push(f->arena, &shadows.list, shadow));
    if (shadows.list.n)
        qsort(shadows.list.at, shadows.list.n, sizeof *shadows.list.at, by_name);
    mln_json_begin_object(w);
    while (mln_passwd_next(&files.passwd, &user)) {
        bool again = false;
        for (size_t i = 0; i < seen.n && !again; i++)
            again = mln_str_eq(seen.at[i], user.name);
        if (again || !mln_facts_room(f, seen.n, MLN_FACTS_MAX_LIST))
            continue;
        MLN_TRY(mln_vec_push(f->arena, &seen, user.name));
        mln_json_name(w, user.name);
        mln_json_begin_object(w);
        mln_json_member_i64(w, "uid", user.uid);
        mln_json_member_i64(w, "gid", user.gid);
        mln_json_member_str(w, "shell", user.shell);
        mln_json_member_bool(w, "canLogin", mln_shell_is_login(user.shell));
        put_password(w, &user, find_shadow(&shadows, user.name));
        MLN_TRY(put_home(f, w, &user));
        mln_json_end_object(w);
    }
    mln_json_end_object(w);
    return MLN_OK;
}

static void put_members(struct mln_json_writer *w, struct mln_str members)
{
    struct mln_str member;
    while (members.n && mln_str_cut(&members, ',', &member)) {
        member = mln_str_trim(member);
        if (member.n)
            mln_json_put_str(w, member);
    }
}

struct mln_result mln_collect_groups(struct mln_facts *f, struct mln_json_writer *w)
{
    struct account_files files;
    struct mln_group group;
    size_t n = 0;
    MLN_TRY(read_files(f, false, &files));
    mln_json_begin_object(w);
    while (mln_group_next(&files.group, &group)) {
        if (!mln_facts_room(f, n, MLN_FACTS_MAX_LIST))
            continue;
        n++;
        mln_json_name(w, group.name);
        mln_json_begin_object(w);
        mln_json_member_i64(w, "gid", group.gid);
        mln_json_name(w, MLN_S("members"));
        mln_json_begin_array(w);
        put_members(w, group.members);
        mln_json_end_array(w);
        mln_json_end_object(w);
    }
    mln_json_end_object(w);
    return MLN_OK;
}

struct entry { /* a user or a group, for the comparisons below */
    struct mln_str name;
    uint32_t id;
};
struct entries {
    MLN_VEC(struct entry) list;
};

static int entry_by_id(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    return (x->id > y->id) - (x->id < y->id);
}

static int entry_by_name(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    return mln_str_cmp(x->name, y->name);
}

/* The ids, or names, that more than one entry has, each once. */
static void put_duplicates(struct mln_json_writer *w, const char *name, const struct entries *entries, bool ids)
{
    const struct entry *at = entries->list.at;
    if (entries->list.n)
        qsort(entries->list.at, entries->list.n, sizeof *at, ids ? entry_by_id : entry_by_name);
    mln_json_name(w, mln_str_c(name));
    mln_json_begin_array(w);
    for (size_t i = 1; i < entries->list.n; i++) {
        bool same = ids ? at[i].id == at[i - 1].id : mln_str_eq(at[i].name, at[i - 1].name);
        bool said = i > 1 && (ids ? at[i].id == at[i - 2].id : mln_str_eq(at[i].name, at[i - 2].name));
        if (!same || said)
            continue;
        if (ids)
            mln_json_put_i64(w, at[i].id);
        else
            mln_json_put_str(w, at[i].name);
    }
    mln_json_end_array(w);
}

/* The files that have a line which begins with '+': an open door for NIS. */
static void put_plus_entries(struct mln_json_writer *w, const struct account_files *files)
{
    const struct {
        const char *path;
        struct mln_str text;
    } all[] = {{"/etc/passwd", files->passwd}, {"/etc/shadow", files->shadow}, {"/etc/group", files->group}};
    mln_json_name(w, MLN_S("legacyPlusEntries"));
    mln_json_begin_array(w);
    for (size_t i = 0; i < 3; i++)
        if (mln_str_starts(all[i].text, MLN_S("+")) || mln_str_find(all[i].text, MLN_S("\n+"), 0) != SIZE_MAX)
            mln_json_put_str(w, mln_str_c(all[i].path));
    mln_json_end_array(w);
}

static void put_users_where(struct mln_json_writer *w, const char *name, struct mln_facts *f, struct mln_str passwd,
                            bool (*wanted)(struct mln_facts *f, const struct mln_passwd *user, uint32_t number),
                            uint32_t number)
{
    struct mln_passwd user;
    mln_json_name(w, mln_str_c(name));
    mln_json_begin_array(w);
    while (mln_passwd_next(&passwd, &user))
        if (wanted(f, &user, number))
            mln_json_put_str(w, user.name);
    mln_json_end_array(w);
}

static bool has_uid(struct mln_facts *f, const struct mln_passwd *user, uint32_t uid)
{
    (void)f;
    return user->uid == uid;
}

static bool has_no_group(struct mln_facts *f, const struct mln_passwd *user, uint32_t ignored)
{
    (void)ignored;
    return !mln_names_has_group(f, user->gid);
}

/* Who may read the password hashes: the members of group shadow, and those who have it as their primary group. */
static void put_shadow_group(struct mln_json_writer *w, struct mln_str groups, struct mln_str passwd)
{
    struct mln_group group;
    struct mln_passwd user;
    mln_json_name(w, MLN_S("shadowGroupMembers"));
    mln_json_begin_array(w);
    while (mln_group_next(&groups, &group)) {
        if (!mln_str_eq(group.name, MLN_S("shadow")))
            continue;
        put_members(w, group.members);
        for (struct mln_str rest = passwd; mln_passwd_next(&rest, &user);)
            if (user.gid == group.gid)
                mln_json_put_str(w, user.name);
    }
    mln_json_end_array(w);
}

struct mln_result mln_collect_accounts(struct mln_facts *f, struct mln_json_writer *w)
{
    struct account_files files;
    struct entries users = {0}, groups = {0};
    struct mln_passwd user;
    struct mln_group group;
    MLN_TRY(read_files(f, true, &files));
    for (struct mln_str rest = files.passwd; mln_passwd_next(&rest, &user);)
        MLN_TRY(mln_vec_push(f->arena, &users.list, {user.name, user.uid}));
    for (struct mln_str rest = files.group; mln_group_next(&rest, &group);)
        MLN_TRY(mln_vec_push(f->arena, &groups.list, {group.name, group.gid}));
    mln_json_begin_object(w);
    put_duplicates(w, "duplicateUids", &users, true);
    put_duplicates(w, "duplicateGids", &groups, true);
    put_duplicates(w, "duplicateNames", &users, false);
    put_duplicates(w, "duplicateGroupNames", &groups, false);
    put_users_where(w, "uidZero", f, files.passwd, has_uid, 0);
    put_users_where(w, "missingGroups", f, files.passwd, has_no_group, 0);
    put_plus_entries(w, &files);
    put_shadow_group(w, files.group, files.passwd);
    mln_json_end_object(w);
    return MLN_OK;
}
