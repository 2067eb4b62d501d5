#include "agent/linux/rpm.h"

#include "agent/linux/text.h"

/* Cuts s before the last separator; after gets what follows. False without one. */
static bool cut_last(struct mln_str *s, char separator, struct mln_str *after)
{
    for (size_t i = s->n; i > 0; i--) {
        if (s->p[i - 1] == separator) {
            *after = mln_str_sub(*s, i, s->n);
            *s = mln_str_sub(*s, 0, i - 1);
            return true;
        }
    }
    return false;
}

/* Takes "-VERSION-RELEASE" off, which have no dash of their own. */
static bool cut_version(struct mln_str *name)
{
    struct mln_str part;
    return cut_last(name, '-', &part) && cut_last(name, '-', &part) && name->n > 0;
}

/* "openssl" of "openssl-3.0.7-1.el9.src.rpm"; a package that was made without a source is its own. */
static struct mln_str source_name(struct mln_str file, struct mln_str otherwise)
{
    return cut_version(&file) ? file : otherwise;
}

/* Fills wanted fields, which have tabs between them; false when there are more, fewer, or empty ones. */
static bool cut_fields(struct mln_str line, struct mln_str *fields, size_t wanted)
{
    size_t n = 0;
    while (n < wanted && mln_str_cut(&line, '\t', &fields[n]))
        if (!fields[n++].n)
            return false;
    return n == wanted && !line.p;
}

bool mln_rpm_installed_line(struct mln_str line, struct mln_rpm_package *out)
{
    struct mln_str fields[5];
    if (!cut_fields(line, fields, 5) || mln_str_eq(fields[0], MLN_S("gpg-pubkey")))
        return false;
    *out = (struct mln_rpm_package){fields[0], fields[1], fields[2], fields[3], source_name(fields[4], fields[0])};
    return true;
}

bool mln_dnf_update_line(struct mln_str line, struct mln_rpm_package *out)
{
    struct mln_str fields[4];
    if (!cut_fields(line, fields, 4))
        return false;
    *out = (struct mln_rpm_package){.name = fields[0], .epoch = fields[1], .version = fields[2], .arch = fields[3]};
    return true;
}

/* Takes "NAME.ARCH" apart; an arch has no dot. */
static bool cut_arch(struct mln_str word, struct mln_rpm_package *out)
{
    out->name = word;
    return cut_last(&out->name, '.', &out->arch) && out->name.n && out->arch.n;
}

static void cut_epoch(struct mln_str word, struct mln_rpm_package *out)
{
    size_t colon = mln_str_find(word, MLN_S(":"), 0);
    out->epoch = colon == SIZE_MAX ? MLN_S("0") : mln_str_sub(word, 0, colon);
    out->version = colon == SIZE_MAX ? word : mln_str_sub(word, colon + 1, word.n);
}

bool mln_yum_next_update(struct mln_str *rest, struct mln_rpm_package *out)
{
    struct mln_str line, words[3];
    size_t n = 0;
    while (mln_text_line(rest, &line, NULL)) {
        if (mln_str_starts(line, MLN_S("Obsoleting Packages"))) {
            *rest = MLN_S("");
            return false;
        }
        while (n < 3 && mln_text_word(&line, &words[n]))
            n++;
        *out = (struct mln_rpm_package){0};
        if (n && !cut_arch(words[0], out))
            n = 0; /* a message */
        if (n < 3)
            continue;
        n = 0;
        cut_epoch(words[1], out);
        if (mln_str_find(out->version, MLN_S("-"), 0) != SIZE_MAX)
            return true;
    }
    return false;
}

bool mln_yum_security_line(struct mln_str line, struct mln_rpm_package *out)
{
    struct mln_str advisory, severity, package;
    *out = (struct mln_rpm_package){0};
    return mln_text_word(&line, &advisory) && mln_text_word(&line, &severity) && mln_text_word(&line, &package) &&
           mln_str_ends(severity, MLN_S("/Sec.")) && cut_arch(package, out) && cut_version(&out->name);
}

struct mln_str mln_rpm_version(struct mln_arena *arena, const struct mln_rpm_package *package)
{
    if (mln_text_i64(package->epoch, 0) <= 0)
        return mln_str_dup(arena, package->version);
    return mln_str_printf(arena, "%.*s:%.*s", MLN_FMT(package->epoch), MLN_FMT(package->version));
}

/* ---- repositories ---- */

struct repository {
    struct mln_str id; /* p NULL: before the first section */
    bool enabled, checked;
};

static struct mln_result end_repository(const struct repository *repository, struct mln_str path,
                                        struct mln_arena *arena, struct mln_rpm_repositories *out)
{
    struct mln_str text;
    if (!repository->id.p || !repository->enabled || repository->checked ||
        mln_str_eq_nocase(repository->id, MLN_S("main")))
        return MLN_OK;
    MLN_TRY_STR(arena, text, mln_str_printf(arena, "%.*s (%.*s)", MLN_FMT(repository->id), MLN_FMT(path)));
    return mln_vec_push(arena, &out->unsigned_ids, text);
}

struct mln_result mln_rpm_read_repositories(struct mln_str text, struct mln_str path, bool otherwise,
                                            struct mln_arena *arena, struct mln_rpm_repositories *out)
{
    struct repository at = {{NULL, 0}, true, otherwise};
    struct mln_str line, key, value;
    while (mln_text_setting(&text, &line, NULL)) {
        if (line.p[0] == '[') {
            MLN_TRY(end_repository(&at, path, arena, out));
            at = (struct repository){mln_str_sub(line, 1, mln_str_find(line, MLN_S("]"), 0)), true, otherwise};
        } else if (mln_text_pair(line, '=', &key, &value)) {
            if (mln_str_eq_nocase(key, MLN_S("enabled")))
                at.enabled = mln_text_true(value, true);
            else if (mln_str_eq_nocase(key, MLN_S("gpgcheck")) || mln_str_eq_nocase(key, MLN_S("pkg_gpgcheck")))
                at.checked = mln_text_true(value, otherwise);
        }
    }
    return end_repository(&at, path, arena, out);
}
