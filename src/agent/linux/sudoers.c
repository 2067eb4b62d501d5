#include "agent/linux/sudoers.h"

#include "agent/linux/text.h"
#include "base/buf.h"
#include "base/fields.h"

enum { MAX_DEPTH = 16, MAX_ALIASES = 2000, MAX_LINE_BYTES = 64 << 10 };

enum alias_kind { ALIAS_USER, ALIAS_RUNAS, ALIAS_HOST, ALIAS_COMMAND, ALIAS_KINDS };
static const char *const alias_words[] = {"User_Alias", "Runas_Alias", "Host_Alias", "Cmnd_Alias", NULL};

struct alias {
    enum alias_kind kind;
    struct mln_str name;
    struct mln_sudo_list items;
};

struct parser {
    struct mln_tree *tree; /* NULL: includes are passed over */
    struct mln_arena *arena;
    struct mln_sudoers *out;
    MLN_VEC(struct alias) aliases;
    size_t files;
};

struct place { /* where the parser stands */
    struct mln_str file;
    uint32_t line;
};

static struct mln_result read_file(struct parser *p, struct mln_str path, int depth);

/* A failure of the arena is one of the whole reading; a line that is not understood is only listed. */
static struct mln_result not_understood(struct parser *p, const struct place *at)
{
    if (p->out->unparsed.n >= MLN_SUDOERS_MAX_RULES)
        return MLN_OK;
    return mln_vec_push(p->arena, &p->out->unparsed, {at->file, at->line});
}

/* ---- tokens ---- */

static void skip_blanks(struct mln_str *rest)
{
    while (rest->n && (rest->p[0] == ' ' || rest->p[0] == '\t'))
        *rest = mln_str_sub(*rest, 1, rest->n);
}

/* Takes text up to one of the stop characters that is neither quoted nor escaped; trimmed. */
static struct mln_str take_until(struct mln_str *rest, const char *stops)
{
    bool quoted = false;
    size_t i = 0;
    for (; i < rest->n; i++) {
        char c = rest->p[i];
        if (c == '\\' && i + 1 < rest->n)
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && c && strchr(stops, c))
            break;
    }
    if (i > rest->n)
        i = rest->n;
    struct mln_str taken = mln_str_trim(mln_str_sub(*rest, 0, i));
    *rest = mln_str_sub(*rest, i, rest->n);
    return taken;
}

static bool take_char(struct mln_str *rest, char c)
{
    skip_blanks(rest);
    if (!rest->n || rest->p[0] != c)
        return false;
    *rest = mln_str_sub(*rest, 1, rest->n);
    return true;
}

/* Cuts a list at its commas. */
static struct mln_result split_list(struct parser *p, struct mln_str list, struct mln_sudo_list *out)
{
    do {
        struct mln_str item = take_until(&list, ",");
        if (item.n && out->items.n < MLN_SUDOERS_MAX_ITEMS)
            MLN_TRY(mln_vec_push(p->arena, &out->items, mln_text_unquote(item)));
    } while (take_char(&list, ','));
    return MLN_OK;
}

static const struct alias *find_alias(const struct parser *p, enum alias_kind kind, struct mln_str name)
{
    for (size_t i = 0; i < p->aliases.n; i++)
        if (p->aliases.at[i].kind == kind && mln_str_eq(p->aliases.at[i].name, name))
            return &p->aliases.at[i];
    return NULL;
}

/* Writes the aliases of a list out; "!ALIAS" negates each of its items. No alias is empty, so that each step of the way
   leads to an item, and the limit on items bounds the work. */
static struct mln_result expand(struct parser *p, enum alias_kind kind, const struct mln_sudo_list *list, bool negated,
                                int depth, struct mln_sudo_list *out)
{
    for (size_t i = 0; i < list->items.n && out->items.n < MLN_SUDOERS_MAX_ITEMS; i++) {
        struct mln_str item = list->items.at[i];
        bool not = negated;
        while (item.n && item.p[0] == '!') {
            not = !not ;
            item = mln_str_trim(mln_str_sub(item, 1, item.n));
        }
        const struct alias *alias = depth < MAX_DEPTH ? find_alias(p, kind, item) : NULL;
        if (alias) {
            MLN_TRY(expand(p, kind, &alias->items, not, depth + 1, out));
            continue;
        }
        if (not )
            MLN_TRY_STR(p->arena, item, mln_str_printf(p->arena, "!%.*s", MLN_FMT(item)));
        MLN_TRY(mln_vec_push(p->arena, &out->items, item));
    }
    return MLN_OK;
}

static struct mln_result join(struct parser *p, enum alias_kind kind, struct mln_str text, struct mln_str *out)
{
    struct mln_sudo_list list = {0}, full = {0};
    MLN_BUF_CLEANUP struct mln_buf joined = MLN_BUF(MAX_LINE_BYTES);
    MLN_TRY(split_list(p, text, &list));
    MLN_TRY(expand(p, kind, &list, false, 0, &full));
    for (size_t i = 0; i < full.items.n; i++)
        MLN_TRY(mln_buf_printf(&joined, "%s%.*s", i ? ", " : "", MLN_FMT(full.items.at[i])));
    MLN_TRY_STR(p->arena, *out, mln_str_dup(p->arena, mln_buf_str(&joined)));
    return MLN_OK;
}

/* ---- lines ---- */

/* "User_Alias A = x, y : B = z" */
static struct mln_result read_aliases(struct parser *p, enum alias_kind kind, struct mln_str rest,
                                      const struct place *at)
{
    do {
        struct alias alias = {.kind = kind};
        alias.name = take_until(&rest, "=:");
        if (!alias.name.n || !take_char(&rest, '='))
            return not_understood(p, at);
        MLN_TRY(split_list(p, take_until(&rest, ":"), &alias.items));
        if (!alias.items.items.n)
            return not_understood(p, at);
        if (p->aliases.n < MAX_ALIASES)
            MLN_TRY(mln_vec_push(p->arena, &p->aliases, alias));
    } while (take_char(&rest, ':'));
    return MLN_OK;
}

/* "Defaults[@host|:user|!cmnd|>runas] name, !name, name=value, name+=value" */
static struct mln_result read_defaults(struct parser *p, struct mln_str rest, const struct place *at)
{
    struct mln_str scope = {NULL, 0};
    if (rest.n && strchr("@:!>", rest.p[0]))
        scope = take_until(&rest, " \t");
    else if (rest.n && rest.p[0] != ' ' && rest.p[0] != '\t')
        return not_understood(p, at);
    do {
        struct mln_sudo_default entry = {.scope = scope};
        struct mln_str item = take_until(&rest, ","), value;
        while (item.n && item.p[0] == '!') {
            entry.negated = !entry.negated;
            item = mln_str_trim(mln_str_sub(item, 1, item.n));
        }
        if (!item.n)
            return not_understood(p, at);
        entry.name = item;
        if (mln_text_pair(item, '=', &entry.name, &value)) {
            if (strchr("+-", entry.name.p[entry.name.n - 1]))
                entry.name = mln_str_trim(mln_str_sub(entry.name, 0, entry.name.n - 1));
            entry.value = mln_text_unquote(value);
        }
        if (p->out->defaults.n < MLN_SUDOERS_MAX_RULES)
            MLN_TRY(mln_vec_push(p->arena, &p->out->defaults, entry));
    } while (take_char(&rest, ','));
    return MLN_OK;
}

struct command_state { /* what carries over from one command of a list to the next */
    struct mln_str run_as;
    bool nopasswd;
};

/* Takes "(runas)" and the tags before a command. */
static bool read_prefix(struct mln_str *rest, struct command_state *state)
{
    static const char *const options[] = {
        "ROLE=",    "TYPE=", "PRIVS=",  "LIMITPRIVS=",       "NOTBEFORE=", "NOTAFTER=",
        "TIMEOUT=", "CWD=",  "CHROOT=", "APPARMOR_PROFILE=", NULL};
    if (take_char(rest, '(')) {
        state->run_as = take_until(rest, ")");
        if (!take_char(rest, ')'))
            return false;
    }
    for (;;) {
        skip_blanks(rest);
        size_t n = 0;
        while (n < rest->n && ((rest->p[n] >= 'A' && rest->p[n] <= 'Z') || rest->p[n] == '_'))
            n++;
        struct mln_str word = mln_str_sub(*rest, 0, n), after = mln_str_sub(*rest, n, rest->n);
        bool option = false;
        for (size_t i = 0; options[i] && !option; i++)
            option = mln_str_starts(*rest, mln_str_c(options[i]));
        if (option) {
            take_until(rest, " \t");
            continue;
        }
        skip_blanks(&after);
        if (!n || !after.n || after.p[0] != ':')
            return true;
        if (mln_str_eq(word, MLN_S("NOPASSWD")))
            state->nopasswd = true;
        else if (mln_str_eq(word, MLN_S("PASSWD")))
            state->nopasswd = false;
        *rest = mln_str_sub(after, 1, after.n);
    }
}

/* Takes one command with its arguments, and the digest before it ("sha256:... /bin/x"), whose colon ends nothing. */
static struct mln_str take_command(struct mln_str *rest)
{
    skip_blanks(rest);
    const char *from = rest->p;
    if (mln_str_starts(*rest, MLN_S("sha2")) || mln_str_starts(*rest, MLN_S("sha3")) ||
        mln_str_starts(*rest, MLN_S("sha5")))
        take_until(rest, " \t");
    take_until(rest, ",:");
    return mln_str_trim((struct mln_str){from, (size_t)(rest->p - from)});
}

static struct mln_result add_rule(struct parser *p, struct mln_sudo_rule *rule)
{
    struct mln_sudo_list full = {0};
    if (!rule->commands.items.n)
        return MLN_OK;
    MLN_TRY(expand(p, ALIAS_COMMAND, &rule->commands, false, 0, &full));
    struct mln_sudo_rule done = *rule;
    done.commands = full;
    rule->commands = (struct mln_sudo_list){0};
    if (done.run_as.p)
        MLN_TRY(join(p, ALIAS_RUNAS, done.run_as, &done.run_as));
    if (p->out->rules.n < MLN_SUDOERS_MAX_RULES)
        return mln_vec_push(p->arena, &p->out->rules, done);
    p->out->left_out++;
    return MLN_OK;
}

/* "who hosts = (runas) TAG: command, command : hosts = ..."; one rule for each run of commands with the same rights. */
static struct mln_result read_rule(struct parser *p, struct mln_str rest, const struct place *at)
{
    struct mln_str who;
    size_t end = 0;
    /* The list of users ends at the first blank that no comma stands beside. */
    for (struct mln_str left = rest;;) {
        take_until(&left, " \t,");
        bool comma = take_char(&left, ',');
        end = (size_t)(left.p - rest.p);
        skip_blanks(&left);
        if (!left.n || !(comma || left.p[0] == ','))
            break;
    }
    who = mln_str_trim(mln_str_sub(rest, 0, end));
    rest = mln_str_sub(rest, end, rest.n);
    if (!who.n)
        return not_understood(p, at);
    MLN_TRY(join(p, ALIAS_USER, who, &who));
    do {
        struct mln_sudo_rule rule = {.who = who, .file = at->file, .line = at->line};
        struct command_state state = {0};
        MLN_TRY(join(p, ALIAS_HOST, take_until(&rest, "=:"), &rule.hosts));
        if (!rule.hosts.n || !take_char(&rest, '='))
            return not_understood(p, at);
        do {
            struct command_state before = state;
            if (!read_prefix(&rest, &state))
                return not_understood(p, at);
            if (state.nopasswd != before.nopasswd || !mln_str_eq(state.run_as, before.run_as))
                MLN_TRY(add_rule(p, &rule));
            rule.run_as = state.run_as;
            rule.nopasswd = state.nopasswd;
            struct mln_str command = take_command(&rest);
            if (!command.n)
                return not_understood(p, at);
            if (rule.commands.items.n < MLN_SUDOERS_MAX_ITEMS)
                MLN_TRY(mln_vec_push(p->arena, &rule.commands.items, command));
        } while (take_char(&rest, ','));
        MLN_TRY(add_rule(p, &rule));
    } while (take_char(&rest, ':'));
    skip_blanks(&rest);
    return rest.n ? not_understood(p, at) : MLN_OK;
}

/* A path as an include writes it: relative ones start where the including file is. */
static struct mln_result include_path(struct parser *p, struct mln_str name, const struct place *at,
                                      struct mln_str *path)
{
    name = mln_text_unquote(mln_str_trim(name));
    size_t slash = 0;
    for (size_t i = 0; i < at->file.n; i++)
        if (at->file.p[i] == '/')
            slash = i + 1;
    struct mln_str base = name.n && name.p[0] == '/' ? MLN_S("") : mln_str_sub(at->file, 0, slash);
    MLN_TRY_STR(p->arena, *path, mln_str_printf(p->arena, "%.*s%.*s", MLN_FMT(base), MLN_FMT(name)));
    return MLN_OK;
}

static struct mln_result read_include(struct parser *p, struct mln_str name, bool directory, const struct place *at,
                                      int depth)
{
    struct mln_str path, file, *names;
    size_t n;
    if (!p->tree)
        return MLN_OK;
    MLN_TRY(include_path(p, name, at, &path));
    if (!directory) {
        struct mln_result r = read_file(p, path, depth + 1);
        return r.code == MLN_E_NOT_FOUND ? not_understood(p, at) : r;
    }
    MLN_TRY(mln_tree_list(p->tree, path.p, p->arena, &names, &n));
    for (size_t i = 0; i < n; i++) {
        if (mln_str_find(names[i], MLN_S("."), 0) != SIZE_MAX || mln_str_ends(names[i], MLN_S("~")))
            continue; /* left over by editors and package managers: sudo skips them too */
        MLN_TRY_STR(p->arena, file, mln_str_printf(p->arena, "%s/%s", path.p, names[i].p));
        struct mln_result r = read_file(p, file, depth + 1);
        if (r.code != MLN_E_NOT_FOUND && r.code != MLN_E_INVALID)
            MLN_TRY(r);
    }
    return MLN_OK;
}

/* True, with what follows the word, when the line begins with it. */
static bool starts_word(struct mln_str line, const char *word, struct mln_str *rest)
{
    if (!mln_str_starts(line, mln_str_c(word)))
        return false;
    *rest = mln_str_sub(line, strlen(word), line.n);
    return !rest->n || strchr(" \t", rest->p[0]);
}

static struct mln_result read_line(struct parser *p, struct mln_str line, const struct place *at, int depth)
{
    struct mln_str rest;
    static const char *const includes[] = {"@includedir", "#includedir", "@include", "#include"};
    line = mln_str_trim(line);
    for (size_t i = 0; i < 4; i++)
        if (starts_word(line, includes[i], &rest) && rest.n)
            return read_include(p, rest, i < 2, at, depth);
    if (!line.n)
        return MLN_OK;
    for (size_t i = 0; i < ALIAS_KINDS; i++)
        if (starts_word(line, alias_words[i], &rest))
            return read_aliases(p, (enum alias_kind)i, rest, at);
    if (mln_str_starts(line, MLN_S("Defaults")))
        return read_defaults(p, mln_str_sub(line, strlen("Defaults"), line.n), at);
    return read_rule(p, line, at);
}

/* Without what follows a '#' that begins a comment: not one in quotes, escaped, or before a user's number. */
static struct mln_str without_comment(struct mln_str line)
{
    bool quoted = false;
    struct mln_str rest;
    if (starts_word(mln_str_trim(line), "#include", &rest) || starts_word(mln_str_trim(line), "#includedir", &rest))
        return line;
    for (size_t i = 0; i < line.n; i++) {
        char c = line.p[i];
        if (c == '\\')
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (c == '#' && !quoted) {
            bool number = i + 1 < line.n && line.p[i + 1] >= '0' && line.p[i + 1] <= '9' &&
                          (i == 0 || strchr(" \t,%!(", line.p[i - 1]));
            if (!number)
                return mln_str_sub(line, 0, i);
        }
    }
    return line;
}

static struct mln_result read_text(struct parser *p, struct mln_str file, struct mln_str text, int depth)
{
    MLN_BUF_CLEANUP struct mln_buf joined = MLN_BUF(MAX_LINE_BYTES);
    struct place at = {.file = file};
    struct mln_str line, kept;
    while (text.n && mln_str_cut(&text, '\n', &line)) {
        at.line++;
        if (line.n && line.p[line.n - 1] == '\r')
            line.n--;
        struct mln_str code = without_comment(line);
        bool goes_on = code.n == line.n && line.n && line.p[line.n - 1] == '\\';
        mln_buf_clear(&joined);
        struct place start = at;
        while (goes_on) {
            MLN_TRY(mln_buf_append(&joined, mln_str_sub(line, 0, line.n - 1)));
            if (!text.n || !mln_str_cut(&text, '\n', &line))
                line = MLN_S("");
            at.line++;
            goes_on = line.n && line.p[line.n - 1] == '\\';
            code = line;
        }
        if (joined.n) {
            MLN_TRY(mln_buf_append(&joined, code));
            code = without_comment(mln_buf_str(&joined));
        }
        MLN_TRY_STR(p->arena, kept, mln_str_dup(p->arena, code));
        MLN_TRY(read_line(p, kept, &start, depth));
    }
    return MLN_OK;
}

static struct mln_result read_file(struct parser *p, struct mln_str path, int depth)
{
    struct mln_str text;
    if (depth > MAX_DEPTH || p->files++ >= MLN_SUDOERS_MAX_FILES)
        return mln_fail(MLN_E_LIMIT, "%.*s: too many includes", MLN_FMT(path));
    MLN_TRY(mln_tree_read(p->tree, path.p, p->arena, MLN_TREE_MAX_FILE_BYTES, &text));
    return read_text(p, path, text, depth);
}

/* A rule is without authentication where Defaults say so for all, or for exactly its users. */
static void apply_authenticate(struct mln_sudoers *out)
{
    for (size_t d = 0; d < out->defaults.n; d++) {
        const struct mln_sudo_default *entry = &out->defaults.at[d];
        if (!mln_str_eq(entry->name, MLN_S("authenticate")))
            continue;
        for (size_t i = 0; i < out->rules.n; i++) {
            struct mln_sudo_rule *rule = &out->rules.at[i];
            if (!entry->scope.p ||
                (entry->scope.p[0] == ':' && mln_str_eq(mln_str_sub(entry->scope, 1, entry->scope.n), rule->who)))
                rule->noauthenticate = entry->negated;
        }
    }
}

struct mln_result mln_sudoers_read(struct mln_tree *tree, const char *path, struct mln_arena *arena,
                                   struct mln_sudoers *out)
{
    struct parser p = {.tree = tree, .arena = arena, .out = out};
    *out = (struct mln_sudoers){0};
    MLN_TRY(read_file(&p, mln_str_c(path), 0));
    apply_authenticate(out);
    return MLN_OK;
}

struct mln_result mln_sudoers_parse(struct mln_str text, struct mln_arena *arena, struct mln_sudoers *out)
{
    struct parser p = {.arena = arena, .out = out};
    *out = (struct mln_sudoers){0};
    MLN_TRY(read_text(&p, MLN_S("sudoers"), text, 0));
    apply_authenticate(out);
    return MLN_OK;
}
