/* Sections shell and banners. */
#include "agent/linux/facts.h"
#include "agent/linux/names.h"
#include "agent/linux/text.h"

struct profile {
    struct mln_str umask; /* the last one set */
    int64_t tmout;        /* -1: not set */
    bool tmout_readonly;
};

/* One command of a profile: "umask 027", "TMOUT=900", "readonly TMOUT", "declare -xr TMOUT=900". */
static void read_command(struct mln_str command, struct profile *p)
{
    struct mln_str word, value, key;
    bool readonly = false;
    command = mln_str_trim(command);
    if (!mln_text_word(&command, &word))
        return;
    if (mln_str_eq(word, MLN_S("umask")) && mln_text_word(&command, &value)) {
        uint32_t bits;
        if (mln_text_octal(value, &bits))
            p->umask = value;
        return;
    }
    do {
        if (mln_str_eq(word, MLN_S("readonly")))
            readonly = true;
        else if (word.n > 1 && word.p[0] == '-')
            readonly |= memchr(word.p, 'r', word.n) != NULL;
        else if (mln_text_pair(word, '=', &key, &value) && mln_str_eq(key, MLN_S("TMOUT")))
            p->tmout = mln_text_i64(mln_text_unquote(value), p->tmout), p->tmout_readonly |= readonly;
        else if (mln_str_eq(word, MLN_S("TMOUT")))
            p->tmout_readonly |= readonly;
    } while (mln_text_word(&command, &word));
}

static void read_profile(struct mln_str text, struct profile *p)
{
    struct mln_str line, command;
    while (mln_text_setting(&text, &line, NULL)) {
        line = mln_text_uncomment(line);
        while (mln_str_cut(&line, ';', &command))
            read_command(command, p);
    }
}

static struct mln_str login_def(struct mln_str text, const char *key)
{
    struct mln_str line, word, found = {NULL, 0};
    while (mln_text_setting(&text, &line, NULL))
        if (mln_text_word(&line, &word) && mln_str_eq(word, mln_str_c(key)))
            found = mln_str_trim(line);
    return found;
}

/* Three digits at least: "022" of "0022" and "22". */
static void put_umask(struct mln_json_writer *w, struct mln_str value)
{
    uint32_t bits;
    char text[16];
    if (!mln_text_octal(value, &bits))
        return;
    snprintf(text, sizeof text, "%03o", bits & 0777);
    mln_json_member_str(w, "umask", mln_str_c(text));
}

static const char *path_problem(struct mln_facts *f, struct mln_str entry)
{
    struct stat st;
    const char *path = mln_str_z(f->arena, entry);
    if (!entry.n)
        return "empty entry";
    if (!path || entry.p[0] != '/')
        return "not an absolute path";
    if (!mln_tree_stat(f->tree, path, true, &st))
        return NULL; /* not there: nothing can be run from it, and only root may make it */
    if (!S_ISDIR(st.st_mode))
        return "not a directory";
    if (st.st_mode & S_IWOTH)
        return "writable by others";
    if (st.st_mode & S_IWGRP && st.st_gid != 0)
        return "writable by a group";
    return st.st_uid != 0 ? "not owned by root" : NULL;
}

/* The path that login gives root (ENV_SUPATH), unless root's own profile sets another. */
static struct mln_result put_root_path(struct mln_facts *f, struct mln_json_writer *w, struct mln_str login_defs)
{
    static const char *const profiles[] = {"/root/.profile", "/root/.bash_profile", "/root/.bashrc"};
    struct mln_str path = login_def(login_defs, "ENV_SUPATH"), text, line, entry, problem;
    if (mln_str_starts(path, MLN_S("PATH=")))
        path = mln_str_sub(path, 5, path.n);
    for (size_t i = 0; i < 3; i++) {
        if (!mln_ok(mln_tree_read(f->tree, profiles[i], f->arena, 1 << 20, &text)))
            continue;
        while (mln_text_setting(&text, &line, NULL)) {
            if (mln_str_starts(line, MLN_S("export ")))
                line = mln_str_trim(mln_str_sub(line, 7, line.n));
            if (mln_str_starts(line, MLN_S("PATH=")) && mln_str_find(line, MLN_S("$"), 0) == SIZE_MAX)
                path = mln_text_unquote(mln_str_sub(line, 5, line.n));
        }
    }
    if (!path.n)
        path = MLN_S("/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    mln_json_name(w, MLN_S("rootPath"));
    mln_json_begin_object(w);
    mln_json_name(w, MLN_S("entries"));
    mln_json_begin_array(w);
    for (struct mln_str rest = path; mln_str_cut(&rest, ':', &entry);)
        mln_json_put_str(w, entry);
    mln_json_end_array(w);
    mln_json_name(w, MLN_S("problems"));
    mln_json_begin_array(w);
    for (struct mln_str rest = path; mln_str_cut(&rest, ':', &entry);) {
        const char *what = path_problem(f, entry);
        if (!what)
            continue;
        MLN_TRY_STR(f->arena, problem, mln_str_printf(f->arena, "%.*s: %s", MLN_FMT(entry), what));
        mln_json_put_str(w, problem);
    }
    mln_json_end_array(w);
    mln_json_end_object(w);
    return MLN_OK;
}

struct mln_result mln_collect_shell(struct mln_facts *f, struct mln_json_writer *w)
{
    static const char *const patterns[] = {"/etc/profile", "/etc/profile.d/*.sh", "/etc/bash.bashrc", "/etc/bashrc"};
    struct profile p = {.tmout = -1};
    struct mln_str *paths, text, login_defs, shells, line;
    size_t n;
    bool nologin = false;
    MLN_TRY(mln_tree_read_if(f->tree, "/etc/login.defs", f->arena, &login_defs));
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        MLN_TRY(mln_tree_glob(f->tree, mln_str_c(patterns[i]), f->arena, &paths, &n));
        for (size_t k = 0; k < n; k++) {
            MLN_TRY(mln_tree_read_if(f->tree, paths[k].p, f->arena, &text));
            read_profile(text, &p);
        }
    }
    MLN_TRY(mln_tree_read_if(f->tree, "/etc/shells", f->arena, &shells));
    while (mln_text_setting(&shells, &line, NULL))
        nologin |= mln_str_ends(line, MLN_S("/nologin"));
    mln_json_begin_object(w);
    put_umask(w, p.umask.p ? p.umask : login_def(login_defs, "UMASK"));
    mln_facts_member_number(w, "tmout", p.tmout, -1);
    mln_json_member_bool(w, "tmoutReadonly", p.tmout_readonly);
    MLN_TRY(put_root_path(f, w, login_defs));
    mln_json_member_bool(w, "nologinInShells", nologin);
    mln_json_end_object(w);
    return MLN_OK;
}

/* ---- banners ---- */

/* Escapes of agetty(8) that tell the system's kind and version, or the name of the distribution itself. */
static bool leaks_version(struct mln_str text, struct mln_str os_release)
{
    static const char *const escapes[] = {"\\m", "\\r", "\\s", "\\v", "\\S"};
    struct mln_str none = {NULL, 0};
    struct mln_str name = mln_text_unquote(mln_text_ini(os_release, none, MLN_S("NAME")));
    struct mln_str version = mln_text_unquote(mln_text_ini(os_release, none, MLN_S("VERSION_ID")));
    for (size_t i = 0; i < sizeof escapes / sizeof *escapes; i++)
        if (mln_str_find(text, mln_str_c(escapes[i]), 0) != SIZE_MAX)
            return true;
    bool named = name.n && mln_str_find(text, name, 0) != SIZE_MAX;
    return named && version.n && mln_str_find(text, version, 0) != SIZE_MAX;
}

static struct mln_result put_banner(struct mln_facts *f, struct mln_json_writer *w, const char *name, const char *path,
                                    struct mln_str os_release)
{
    struct mln_str text;
    struct mln_result r = mln_tree_read_if(f->tree, path, f->arena, &text);
    if (r.code != MLN_E_INVALID)
        MLN_TRY(r);
    mln_json_name(w, mln_str_c(name));
    mln_json_begin_object(w);
    mln_json_member_bool(w, "exists", text.p != NULL);
    mln_json_member_bool(w, "text", mln_str_trim(text).n > 0);
    mln_json_member_bool(w, "leaksVersion", leaks_version(text, os_release));
    mln_json_end_object(w);
    return MLN_OK;
}

struct mln_result mln_collect_banners(struct mln_facts *f, struct mln_json_writer *w)
{
    struct mln_str os_release;
    MLN_TRY(mln_tree_read_if(f->tree, "/etc/os-release", f->arena, &os_release));
    mln_json_begin_object(w);
    MLN_TRY(put_banner(f, w, "issue", "/etc/issue", os_release));
    MLN_TRY(put_banner(f, w, "issueNet", "/etc/issue.net", os_release));
    MLN_TRY(put_banner(f, w, "motd", "/etc/motd", os_release));
    mln_json_end_object(w);
    return MLN_OK;
}
