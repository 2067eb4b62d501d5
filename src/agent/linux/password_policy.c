/* Section passwordPolicy: login.defs, and what the PAM modules for passwords are told to ask for. */
#include "agent/linux/facts.h"
#include "agent/linux/pam.h"
#include "agent/linux/text.h"

/* The services in which distributions put what holds for all others. */
static bool is_common(struct mln_str service)
{
    static const char *const names[] = {"common-auth", "common-account", "common-password", "common-session",
                                        "system-auth", "password-auth",  "passwd",          NULL};
    for (size_t i = 0; names[i]; i++)
        if (mln_str_eq(service, mln_str_c(names[i])))
            return true;
    return false;
}

/* The last entry of a module in the common services; NULL when none uses it. */
static const struct mln_pam_entry *find_module(const struct mln_pam *pam, const char *module, const char *type)
{
    const struct mln_pam_entry *found = NULL;
    for (size_t i = 0; i < pam->entries.n; i++) {
        const struct mln_pam_entry *entry = &pam->entries.at[i];
        if (is_common(entry->service) && mln_str_eq(entry->module, mln_str_c(module)) &&
            (!type || mln_str_eq(entry->type, mln_str_c(type))))
            found = entry;
    }
    return found;
}

static bool has_module(struct mln_facts *f, const char *module)
{
    static const char *const patterns[] = {"/lib/*/security/%s",     "/usr/lib/*/security/%s", "/lib64/security/%s",
                                           "/usr/lib64/security/%s", "/lib/security/%s",       "/usr/lib/security/%s"};
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        struct mln_str *paths, pattern = mln_str_c(patterns[i]);
        size_t n;
        pattern = mln_str_printf(f->arena, "%.*s%s", (int)pattern.n - 2, pattern.p, module);
        if (pattern.p && mln_ok(mln_tree_glob(f->tree, pattern, f->arena, &paths, &n)) && n)
            return true;
    }
    return false;
}

struct option_files { /* texts of "name = value" files, the later ones win */
    struct mln_str text[8];
    size_t n;
};

static struct mln_result add_file(struct mln_facts *f, struct option_files *files, const char *path)
{
    if (files->n == 8)
        return MLN_OK;
    MLN_TRY(mln_tree_read_if(f->tree, path, f->arena, &files->text[files->n]));
    files->n++;
    return MLN_OK;
}

/* What is in force for an option: the module's argument, else the last file that sets it; a bare name is "". */
static struct mln_str option(const struct mln_pam_entry *entry, const struct option_files *files, const char *name)
{
    struct mln_str found = entry ? mln_pam_argument(entry, name) : (struct mln_str){NULL, 0}, line, key, value;
    if (found.p)
        return found;
    for (size_t i = 0; i < files->n; i++) {
        for (struct mln_str text = files->text[i]; mln_text_setting(&text, &line, NULL);) {
            line = mln_text_uncomment(line);
            if (mln_str_eq(line, mln_str_c(name)))
                found = MLN_S("");
            else if (mln_text_pair(line, '=', &key, &value) && mln_str_eq(key, mln_str_c(name)))
                found = value.p ? value : MLN_S("");
        }
    }
    return found;
}

static void put_number(struct mln_json_writer *w, const struct mln_pam_entry *entry, const struct option_files *files,
                       const char *name)
{
    struct mln_str value = option(entry, files, name);
    int64_t number;
    if (mln_str_eq(value, MLN_S("never"))) /* faillock's word for 0 */
        mln_json_member_i64(w, name, 0);
    else if (value.p && mln_ok(mln_str_to_i64(value, &number)))
        mln_json_member_i64(w, name, number);
}

static struct mln_result put_pwquality(struct mln_facts *f, struct mln_json_writer *w, const struct mln_pam *pam)
{
    static const char *const numbers[] = {"minlen",    "minclass",  "dcredit",        "ucredit",     "lcredit",
                                          "ocredit",   "maxrepeat", "maxclassrepeat", "maxsequence", "difok",
                                          "enforcing", "dictcheck", "usercheck",      "gecoscheck",  "retry"};
    const struct mln_pam_entry *entry = find_module(pam, "pam_pwquality.so", "password");
    struct option_files files = {0};
    struct mln_str *paths;
    size_t n;
    MLN_TRY(mln_tree_glob(f->tree, MLN_S("/etc/security/pwquality.conf.d/*.conf"), f->arena, &paths, &n));
    for (size_t i = 0; i < n; i++)
        MLN_TRY(add_file(f, &files, paths[i].p));
    if (files.n == 8) /* the main file is read last and counts most */
        files.n--;
    MLN_TRY(add_file(f, &files, "/etc/security/pwquality.conf"));
    mln_json_name(w, MLN_S("pwquality"));
    mln_json_begin_object(w);
    mln_json_member_bool(w, "installed", has_module(f, "pam_pwquality.so"));
    mln_json_member_bool(w, "configured", entry != NULL);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        put_number(w, entry, &files, numbers[i]);
    mln_json_member_bool(w, "enforce_for_root", option(entry, &files, "enforce_for_root").p != NULL);
    mln_json_end_object(w);
    return MLN_OK;
}

static struct mln_result put_faillock(struct mln_facts *f, struct mln_json_writer *w, const struct mln_pam *pam)
{
    const struct mln_pam_entry *entry = find_module(pam, "pam_faillock.so", "auth");
    struct option_files files = {0};
    MLN_TRY(add_file(f, &files, "/etc/security/faillock.conf"));
    mln_json_name(w, MLN_S("faillock"));
    mln_json_begin_object(w);
    mln_json_member_bool(w, "configured", entry != NULL);
    put_number(w, entry, &files, "deny");
    put_number(w, entry, &files, "unlock_time");
    put_number(w, entry, &files, "fail_interval");
    put_number(w, entry, &files, "root_unlock_time");
    mln_json_member_bool(w, "even_deny_root", option(entry, &files, "even_deny_root").p != NULL);
    mln_json_end_object(w);
    return MLN_OK;
}

/* How many old passwords are refused: by pam_pwhistory, or by pam_unix itself. */
static struct mln_result put_history(struct mln_facts *f, struct mln_json_writer *w, const struct mln_pam *pam)
{
    const struct mln_pam_entry *entry = find_module(pam, "pam_pwhistory.so", "password");
    const struct mln_pam_entry *unix_entry = find_module(pam, "pam_unix.so", "password");
    struct option_files files = {0};
    if (entry)
        MLN_TRY(add_file(f, &files, "/etc/security/pwhistory.conf"));
    else if (unix_entry && mln_pam_argument(unix_entry, "remember").p)
        entry = unix_entry;
    mln_json_name(w, MLN_S("history"));
    mln_json_begin_object(w);
    mln_json_member_bool(w, "configured", entry != NULL);
    put_number(w, entry, &files, "remember");
    mln_json_member_bool(w, "enforce_for_root", entry && option(entry, &files, "enforce_for_root").p != NULL);
    mln_json_end_object(w);
    return MLN_OK;
}

/* The hash for new passwords: pam_unix's argument, else login.defs. */
static void put_encrypt_method(struct mln_json_writer *w, const struct mln_pam *pam, struct mln_str login_defs)
{
    static const char *const methods[] = {"yescrypt", "gost_yescrypt", "blowfish", "sha512",
                                          "sha256",   "md5",           "bigcrypt"};
    const struct mln_pam_entry *entry = find_module(pam, "pam_unix.so", "password");
    for (size_t i = 0; entry && i < sizeof methods / sizeof *methods; i++) {
        if (mln_pam_argument(entry, methods[i]).p) {
            mln_json_member_str(w, "encryptMethod", mln_str_c(methods[i]));
            return;
        }
    }
    struct mln_str line, key, word, method = {NULL, 0};
    while (mln_text_setting(&login_defs, &line, NULL))
        if (mln_text_word(&line, &key) && mln_str_eq(key, MLN_S("ENCRYPT_METHOD")) && mln_text_word(&line, &word))
            method = word;
    char lower[32];
    size_t n = method.n < sizeof lower ? method.n : 0;
    for (size_t i = 0; i < n; i++)
        lower[i] = (char)(method.p[i] >= 'A' && method.p[i] <= 'Z' ? method.p[i] | 0x20 : method.p[i]);
    if (n)
        mln_json_member_str(w, "encryptMethod", (struct mln_str){lower, n});
}

/* su is restricted when pam_wheel must let the user pass. */
static void put_su(struct mln_json_writer *w, const struct mln_pam *pam)
{
    bool restricted = false;
    struct mln_str group = MLN_S("root");
    for (size_t i = 0; i < pam->entries.n; i++) {
        const struct mln_pam_entry *entry = &pam->entries.at[i];
        if (!mln_str_eq(entry->service, MLN_S("su")) || !mln_str_eq(entry->type, MLN_S("auth")) ||
            !mln_str_eq(entry->module, MLN_S("pam_wheel.so")) || mln_pam_argument(entry, "deny").p)
            continue;
        if (mln_str_eq(entry->control, MLN_S("required")) || mln_str_eq(entry->control, MLN_S("requisite"))) {
            restricted = true;
            struct mln_str named = mln_pam_argument(entry, "group");
            group = named.p ? named : MLN_S("wheel");
        }
    }
    mln_json_name(w, MLN_S("su"));
    mln_json_begin_object(w);
    mln_json_member_bool(w, "restricted", restricted);
    if (restricted)
        mln_json_member_str(w, "group", group);
    mln_json_end_object(w);
}

static void put_login_defs(struct mln_json_writer *w, struct mln_str text)
{
    struct mln_str line, key, value, seen = text;
    mln_json_name(w, MLN_S("loginDefs"));
    mln_json_begin_object(w);
    while (mln_text_setting(&seen, &line, NULL)) {
        if (!mln_text_word(&line, &key))
            continue;
        value = mln_text_unquote(mln_text_uncomment(line));
        mln_json_name(w, key);
        mln_json_put_str(w, value);
    }
    mln_json_end_object(w);
}

static void put_entries(struct mln_json_writer *w, const struct mln_pam *pam)
{
    mln_json_name(w, MLN_S("pam"));
    mln_json_begin_array(w);
    for (size_t i = 0; i < pam->entries.n; i++) {
        const struct mln_pam_entry *entry = &pam->entries.at[i];
        mln_json_begin_object(w);
        mln_json_member_str(w, "service", entry->service);
        mln_json_member_str(w, "type", entry->type);
        mln_json_member_str(w, "control", entry->control);
        mln_json_member_str(w, "module", entry->module);
        mln_facts_member_strings(w, "arguments", entry->arguments.at, entry->arguments.n);
        mln_json_end_object(w);
    }
    mln_json_end_array(w);
}

struct mln_result mln_collect_passwordPolicy(struct mln_facts *f, struct mln_json_writer *w)
{
    struct mln_pam pam = {0};
    struct mln_str *names, path, text, login_defs;
    size_t n;
    bool nullok = false;
    MLN_TRY(mln_tree_read_if(f->tree, "/etc/login.defs", f->arena, &login_defs));
    MLN_TRY(mln_tree_list(f->tree, "/etc/pam.d", f->arena, &names, &n));
    for (size_t i = 0; i < n; i++) {
        MLN_TRY_STR(f->arena, path, mln_str_printf(f->arena, "/etc/pam.d/%s", names[i].p));
        if (mln_ok(mln_tree_read(f->tree, path.p, f->arena, MLN_TREE_MAX_FILE_BYTES, &text)))
            MLN_TRY(mln_pam_parse(names[i], text, f->arena, &pam));
    }
    f->left_out += pam.left_out;
    for (size_t i = 0; i < pam.entries.n; i++)
        nullok |= mln_str_eq(pam.entries.at[i].module, MLN_S("pam_unix.so")) &&
                  mln_pam_argument(&pam.entries.at[i], "nullok").p;
    mln_json_begin_object(w);
    put_login_defs(w, login_defs);
    MLN_TRY(put_pwquality(f, w, &pam));
    MLN_TRY(put_faillock(f, w, &pam));
    MLN_TRY(put_history(f, w, &pam));
    put_entries(w, &pam);
    mln_json_member_bool(w, "nullok", nullok);
    put_encrypt_method(w, &pam, login_defs);
    put_su(w, &pam);
    mln_json_end_object(w);
    return MLN_OK;
}
