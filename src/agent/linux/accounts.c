#include "agent/linux/accounts.h"

#include "agent/linux/text.h"

enum { MAX_FIELDS = 9 };

/* Splits the next line that has between least and most fields; skips the others. */
static bool next_fields(struct mln_str *rest, size_t least, size_t most, struct mln_str fields[MAX_FIELDS], size_t *n)
{
    struct mln_str line, part;
    while (mln_text_line(rest, &line, NULL)) {
        *n = 0;
        bool fits = line.n && !strchr("#+-", line.p[0]);
        while (fits && mln_str_cut(&line, ':', &part)) {
            fits = *n < most;
            if (fits)
                fields[(*n)++] = part;
        }
        if (fits && *n >= least && fields[0].n)
            return true;
    }
    return false;
}

static bool id_of(struct mln_str text, uint32_t *id)
{
    uint64_t number;
    if (!mln_ok(mln_str_to_u64(text, &number)) || number > UINT32_MAX)
        return false;
    *id = (uint32_t)number;
    return true;
}

bool mln_passwd_next(struct mln_str *rest, struct mln_passwd *out)
{
    struct mln_str f[MAX_FIELDS];
    size_t n;
    while (next_fields(rest, 7, 7, f, &n)) {
        *out = (struct mln_passwd){.name = f[0], .password = f[1], .gecos = f[4], .home = f[5], .shell = f[6]};
        if (id_of(f[2], &out->uid) && id_of(f[3], &out->gid))
            return true;
    }
    return false;
}

bool mln_shadow_next(struct mln_str *rest, struct mln_shadow *out)
{
    struct mln_str f[MAX_FIELDS] = {0};
    size_t n;
    if (!next_fields(rest, 2, 9, f, &n))
        return false;
    for (; n < MAX_FIELDS; n++)
        f[n] = (struct mln_str){NULL, 0};
    *out = (struct mln_shadow){
        .name = f[0],
        .hash = f[1],
        .last_change = mln_text_i64(f[2], -1),
        .min = mln_text_i64(f[3], -1),
        .max = mln_text_i64(f[4], -1),
        .warn = mln_text_i64(f[5], -1),
        .inactive = mln_text_i64(f[6], -1),
        .expire = mln_text_i64(f[7], -1),
    };
    return true;
}

bool mln_group_next(struct mln_str *rest, struct mln_group *out)
{
    struct mln_str f[MAX_FIELDS];
    size_t n;
    while (next_fields(rest, 4, 4, f, &n)) {
        *out = (struct mln_group){.name = f[0], .password = f[1], .members = f[3]};
        if (id_of(f[2], &out->gid))
            return true;
    }
    return false;
}

bool mln_gshadow_next(struct mln_str *rest, struct mln_group *out)
{
    struct mln_str f[MAX_FIELDS];
    size_t n;
    if (!next_fields(rest, 4, 4, f, &n))
        return false;
    *out = (struct mln_group){.name = f[0], .password = f[1], .members = f[3]};
    return true;
}

bool mln_password_locked(struct mln_str hash)
{
    return hash.n && (hash.p[0] == '!' || hash.p[0] == '*');
}

const char *mln_password_algorithm(struct mln_str hash)
{
    static const struct {
        const char *prefix, *name;
    } kinds[] = {
        {"$y$", "yescrypt"}, {"$gy$", "gost-yescrypt"}, {"$7$", "scrypt"},  {"$6$", "sha512"},
        {"$5$", "sha256"},   {"$2a$", "bcrypt"},        {"$2b$", "bcrypt"}, {"$2x$", "bcrypt"},
        {"$2y$", "bcrypt"},  {"$sha1", "sha1"},         {"$md5", "sunmd5"}, {"$1$", "md5"},
        {"$3$", "nt"},       {"_", "bsdi-des"},
    };
    while (hash.n && hash.p[0] == '!') /* a locked account keeps its hash behind the mark */
        hash = mln_str_sub(hash, 1, hash.n);
    if (!hash.n || hash.p[0] == '*')
        return "";
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (mln_str_starts(hash, mln_str_c(kinds[i].prefix)))
            return kinds[i].name;
    if (hash.p[0] == '$')
        return "unknown";
    return hash.n == 13 ? "des" : "";
}

bool mln_shell_is_login(struct mln_str shell)
{
    static const char *const none[] = {"nologin", "false", "sync", "shutdown", "halt", "true", "git-shell", NULL};
    struct mln_str name = shell;
    for (size_t i = shell.n; i > 0; i--) {
        if (shell.p[i - 1] == '/') {
            name = mln_str_sub(shell, i, shell.n);
            break;
        }
    }
    return mln_str_eq(shell, MLN_S("")) || mln_word_index(none, name) < 0;
}
