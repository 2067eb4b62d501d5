#include "agent/linux/sshd_config.h"

#include "agent/linux/text.h"
#include "base/fields.h"

enum { MAX_DEPTH = 16, MAX_WORDS = 64 };

/* Algorithm lists: one word with commas; may begin with '+', '-' or '^' to change the default. */
static const char *const comma_lists[] = {"ciphers",
                                          "macs",
                                          "kexalgorithms",
                                          "hostkeyalgorithms",
                                          "pubkeyacceptedalgorithms",
                                          "casignaturealgorithms",
                                          "hostbasedacceptedalgorithms",
                                          "gssapikexalgorithms",
                                          NULL};
/* Keywords whose every mention adds to a list. */
static const char *const repeatable[] = {"allowusers",    "allowgroups", "denyusers", "denygroups", "port",
                                         "listenaddress", "hostkey",     "acceptenv", NULL};
static const char *const times[] = {"logingracetime", "clientaliveinterval", NULL};
/* A value that is the rest of the line. */
static const char *const whole_lines[] = {"subsystem",
                                          "authorizedkeysfile",
                                          "authenticationmethods",
                                          "ipqos",
                                          "permitopen",
                                          "permitlisten",
                                          "rekeylimit",
                                          "forcecommand",
                                          "authorizedkeyscommand",
                                          "authorizedprincipalscommand",
                                          "setenv",
                                          "logverbose",
                                          "pubkeyauthoptions",
                                          "maxstartups",
                                          NULL};

static const struct {
    const char *old, *now;
} renamed[] = {{"pubkeyacceptedkeytypes", "pubkeyacceptedalgorithms"},
               {"hostbasedacceptedkeytypes", "hostbasedacceptedalgorithms"},
               {"challengeresponseauthentication", "kbdinteractiveauthentication"},
               {"skeyauthentication", "kbdinteractiveauthentication"},
               {"keepalive", "tcpkeepalive"},
               {"dsaauthentication", "pubkeyauthentication"}};

struct parser {
    struct mln_tree *tree; /* NULL: includes are passed over */
    struct mln_arena *arena;
    struct mln_sshd_config *out;
    size_t files;
};

static struct mln_result read_file(struct parser *p, struct mln_str path, bool in_match, int depth);

static struct mln_sshd_option *find(const struct mln_sshd_config *config, struct mln_str keyword)
{
    for (size_t i = 0; i < config->options.n; i++)
        if (mln_str_eq(config->options.at[i].keyword, keyword))
            return &config->options.at[i];
    return NULL;
}

const struct mln_sshd_option *mln_sshd_find(const struct mln_sshd_config *config, const char *keyword)
{
    return find(config, mln_str_c(keyword));
}

static struct mln_result option_of(struct mln_sshd_config *config, struct mln_str keyword, struct mln_arena *arena,
                                   struct mln_sshd_option **out)
{
    *out = find(config, keyword);
    if (*out)
        return MLN_OK;
    if (config->options.n == MLN_SSHD_MAX_OPTIONS)
        return mln_fail(MLN_E_LIMIT, "sshd_config: more than %d keywords", MLN_SSHD_MAX_OPTIONS);
    bool list = mln_word_index(comma_lists, keyword) >= 0 || mln_word_index(repeatable, keyword) >= 0;
    MLN_TRY(mln_vec_push(arena, &config->options, {.keyword = keyword, .list = list}));
    *out = &config->options.at[config->options.n - 1];
    return MLN_OK;
}

static struct mln_result add_value(struct mln_sshd_option *option, struct mln_str value, struct mln_arena *arena)
{
    if (option->values.n == MLN_SSHD_MAX_VALUES)
        return MLN_OK;
    return mln_vec_push(arena, &option->values, value);
}

static struct mln_result add_comma_list(struct mln_sshd_option *option, struct mln_str text, struct mln_arena *arena)
{
    struct mln_str item;
    while (mln_str_cut(&text, ',', &item))
        if (item.n)
            MLN_TRY(add_value(option, item, arena));
    return MLN_OK;
}

/* "1h30m" in seconds; p unchanged when it is no time. */
static struct mln_str in_seconds(struct mln_str value, struct mln_arena *arena)
{
    int64_t total = 0, number = 0;
    bool digits = false;
    for (size_t i = 0; i < value.n; i++) {
        static const struct {
            char unit;
            int64_t seconds;
        } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}};
        char c = value.p[i];
        if (c >= '0' && c <= '9' && number < 100000000) {
            number = number * 10 + (c - '0');
            digits = true;
            continue;
        }
        int64_t unit = 0;
        for (size_t k = 0; k < 5; k++)
            if ((c | 0x20) == units[k].unit)
                unit = units[k].seconds;
        if (!unit || !digits)
            return value;
        total += number * unit;
        number = 0;
        digits = false;
    }
    return mln_str_printf(arena, "%lld", (long long)(total + number));
}

/* The one form of a value that is a word. */
static struct mln_result normalise(struct mln_str keyword, struct mln_arena *arena, struct mln_str *value)
{
    static const char *const words[] = {"yes", "no", "none", "any", NULL};
    if (mln_word_index(times, keyword) >= 0 && value->n) {
        MLN_TRY_STR(arena, *value, in_seconds(*value, arena));
    } else if (mln_word_index(words, *value) >= 0) {
        MLN_TRY_STR(arena, *value, mln_str_lower(arena, *value));
    } else if (mln_str_eq(keyword, MLN_S("permitrootlogin")) &&
               (mln_str_eq_nocase(*value, MLN_S("without-password")) ||
                mln_str_eq_nocase(*value, MLN_S("prohibit-password")))) {
        *value = MLN_S("prohibit-password");
    } else if (mln_str_eq(keyword, MLN_S("loglevel")) || mln_str_eq(keyword, MLN_S("syslogfacility"))) {
        MLN_TRY_STR(arena, *value, mln_str_dup(arena, *value));
        for (size_t i = 0; i < value->n; i++)
            if (value->p[i] >= 'a' && value->p[i] <= 'z')
                ((char *)(uintptr_t)value->p)[i] = (char)(value->p[i] - 32);
    }
    return MLN_OK;
}

/* Cuts a line into words: quotes, a comment after blanks, '=' after the keyword. */
static size_t words_of(struct mln_str line, struct mln_str *words, size_t max)
{
    size_t n = 0;
    while (n < max) {
        while (line.n && (strchr(" \t", line.p[0]) || (n == 1 && line.p[0] == '=')))
            line = mln_str_sub(line, 1, line.n);
        if (!line.n || line.p[0] == '#')
            break;
        size_t end;
        if (line.p[0] == '"') {
            end = mln_str_find(line, MLN_S("\""), 1);
            words[n++] = mln_str_sub(line, 1, end);
            end = end == SIZE_MAX ? line.n : end + 1;
        } else {
            end = 0;
            while (end < line.n && !strchr(n == 0 ? " \t=" : " \t", line.p[end]))
                end++;
            words[n++] = mln_str_sub(line, 0, end);
        }
        line = mln_str_sub(line, end, line.n);
    }
    return n;
}

static struct mln_result join(const struct mln_str *words, size_t n, struct mln_arena *arena, struct mln_str *out)
{
    *out = words[0];
    for (size_t i = 1; i < n; i++)
        MLN_TRY_STR(arena, *out, mln_str_printf(arena, "%.*s %.*s", MLN_FMT(*out), MLN_FMT(words[i])));
    return MLN_OK;
}

/* Takes the values of one mention; of a keyword that is no list the first mention counts. */
static struct mln_result set(struct mln_sshd_config *config, struct mln_str keyword, const struct mln_str *values,
                             size_t n, struct mln_arena *arena)
{
    struct mln_sshd_option *option;
    struct mln_str value;
    MLN_TRY(option_of(config, keyword, arena, &option));
    if (mln_word_index(repeatable, keyword) >= 0) {
        for (size_t i = 0; i < n; i++)
            MLN_TRY(add_value(option, values[i], arena));
        return MLN_OK;
    }
    if (option->values.n)
        return MLN_OK;
    if (mln_word_index(comma_lists, keyword) >= 0)
        return add_comma_list(option, values[0], arena);
    value = values[0];
    if (mln_word_index(whole_lines, keyword) >= 0)
        MLN_TRY(join(values, n, arena, &value));
    MLN_TRY(normalise(keyword, arena, &value));
    return add_value(option, value, arena);
}

static struct mln_result include(struct parser *p, const struct mln_str *patterns, size_t n, bool in_match, int depth)
{
    for (size_t i = 0; i < n && p->tree; i++) {
        struct mln_str pattern = patterns[i], *paths;
        size_t found;
        if (!pattern.n || pattern.p[0] != '/')
            MLN_TRY_STR(p->arena, pattern, mln_str_printf(p->arena, "/etc/ssh/%.*s", MLN_FMT(pattern)));
        MLN_TRY(mln_tree_glob(p->tree, pattern, p->arena, &paths, &found));
        for (size_t k = 0; k < found; k++)
            MLN_TRY(read_file(p, paths[k], in_match, depth + 1));
    }
    return MLN_OK;
}

static struct mln_result read_text(struct parser *p, struct mln_str text, bool in_match, int depth)
{
    struct mln_str line, words[MAX_WORDS], keyword, criteria;
    while (mln_text_setting(&text, &line, NULL)) {
        size_t n = words_of(line, words, MAX_WORDS);
        if (n < 2)
            continue;
        MLN_TRY_STR(p->arena, keyword, mln_str_lower(p->arena, words[0]));
        for (size_t i = 0; i < sizeof renamed / sizeof *renamed; i++)
            if (mln_str_eq(keyword, mln_str_c(renamed[i].old)))
                keyword = mln_str_c(renamed[i].now);
        if (mln_str_eq(keyword, MLN_S("match"))) { /* to the end of this file, or the next Match */
            in_match = !mln_str_eq_nocase(words[1], MLN_S("all"));
            MLN_TRY(join(words + 1, n - 1, p->arena, &criteria));
            if (in_match && p->out->matches.n < MLN_SSHD_MAX_VALUES)
                MLN_TRY(mln_vec_push(p->arena, &p->out->matches, criteria));
        } else if (mln_str_eq(keyword, MLN_S("include"))) {
            MLN_TRY(include(p, words + 1, n - 1, in_match, depth));
        } else if (!in_match) {
            MLN_TRY(set(p->out, keyword, words + 1, n - 1, p->arena));
        }
    }
    return MLN_OK;
}

static struct mln_result read_file(struct parser *p, struct mln_str path, bool in_match, int depth)
{
    struct mln_str text;
    if (depth > MAX_DEPTH || p->files++ >= MLN_SSHD_MAX_FILES)
        return mln_fail(MLN_E_LIMIT, "%.*s: too many includes", MLN_FMT(path));
    MLN_TRY(mln_tree_read(p->tree, path.p, p->arena, MLN_TREE_MAX_FILE_BYTES, &text));
    return read_text(p, text, in_match, depth);
}

struct mln_result mln_sshd_read(struct mln_tree *tree, const char *path, struct mln_arena *arena,
                                struct mln_sshd_config *out)
{
    struct parser p = {.tree = tree, .arena = arena, .out = out};
    *out = (struct mln_sshd_config){0};
    return read_file(&p, mln_str_c(path), false, 0);
}

struct mln_result mln_sshd_parse(struct mln_str text, struct mln_arena *arena, struct mln_sshd_config *out)
{
    struct parser p = {.arena = arena, .out = out};
    *out = (struct mln_sshd_config){0};
    return read_text(&p, text, false, 0);
}

struct mln_result mln_sshd_parse_effective(struct mln_str text, struct mln_arena *arena, struct mln_sshd_config *out)
{
    struct mln_str line, keyword;
    *out = (struct mln_sshd_config){0};
    while (mln_text_line(&text, &line, NULL)) {
        if (!mln_text_word(&line, &keyword))
            continue;
        struct mln_str value = mln_str_trim(line);
        MLN_TRY_STR(arena, keyword, mln_str_lower(arena, keyword));
        MLN_TRY(set(out, keyword, &value, 1, arena));
    }
    return MLN_OK;
}

int mln_sshd_version(struct mln_str version)
{
    size_t colon = mln_str_find(version, MLN_S(":"), 0);
    if (colon != SIZE_MAX)
        version = mln_str_sub(version, colon + 1, version.n);
    int parts[2] = {0, 0};
    size_t at = 0;
    for (int i = 0; i < 2; i++) {
        size_t from = at;
        while (at < version.n && version.p[at] >= '0' && version.p[at] <= '9' && at - from < 3)
            parts[i] = parts[i] * 10 + (version.p[at++] - '0');
        if (at == from || (i == 0 && (at == version.n || version.p[at++] != '.')))
            return 0;
    }
    return parts[0] * 100 + parts[1];
}

/* ---- defaults ---- */

enum { RECENT = 902, ALWAYS = 0, EVER = 1 << 20 };

#define SSHD_KEYS                                                                                                      \
    "ssh-ed25519-cert-v01@openssh.com,ecdsa-sha2-nistp256-cert-v01@openssh.com,"                                       \
    "ecdsa-sha2-nistp384-cert-v01@openssh.com,ecdsa-sha2-nistp521-cert-v01@openssh.com,"                               \
    "sk-ssh-ed25519-cert-v01@openssh.com,sk-ecdsa-sha2-nistp256-cert-v01@openssh.com,"                                 \
    "rsa-sha2-512-cert-v01@openssh.com,rsa-sha2-256-cert-v01@openssh.com,ssh-ed25519,"                                 \
    "ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521,sk-ssh-ed25519@openssh.com,"                          \
    "sk-ecdsa-sha2-nistp256@openssh.com,rsa-sha2-512,rsa-sha2-256"
#define SSHD_ECDH "ecdh-sha2-nistp256,ecdh-sha2-nistp384,ecdh-sha2-nistp521"
#define SSHD_DH                                                                                                        \
    "diffie-hellman-group-exchange-sha256,diffie-hellman-group16-sha512,diffie-hellman-group18-sha512,"                \
    "diffie-hellman-group14-sha256"

/* From sshd_config(5) and the release notes: keyword, default, and the versions [from, before) that have it. */
static const struct {
    const char *keyword, *value;
    int from, before;
} defaults[] = {
    {"port", "22", ALWAYS, EVER},
    {"addressfamily", "any", ALWAYS, EVER},
    {"permitrootlogin", "prohibit-password", 700, EVER},
    {"permitrootlogin", "yes", ALWAYS, 700},
    {"pubkeyauthentication", "yes", ALWAYS, EVER},
    {"passwordauthentication", "yes", ALWAYS, EVER},
    {"permitemptypasswords", "no", ALWAYS, EVER},
    {"kbdinteractiveauthentication", "yes", ALWAYS, EVER},
    {"hostbasedauthentication", "no", ALWAYS, EVER},
    {"ignorerhosts", "yes", ALWAYS, EVER},
    {"ignoreuserknownhosts", "no", ALWAYS, EVER},
    {"gssapiauthentication", "no", ALWAYS, EVER},
    {"kerberosauthentication", "no", ALWAYS, EVER},
    {"usepam", "no", ALWAYS, EVER},
    {"strictmodes", "yes", ALWAYS, EVER},
    {"logingracetime", "120", ALWAYS, EVER},
    {"maxauthtries", "6", ALWAYS, EVER},
    {"maxsessions", "10", ALWAYS, EVER},
    {"maxstartups", "10:30:100", ALWAYS, EVER},
    {"clientaliveinterval", "0", ALWAYS, EVER},
    {"clientalivecountmax", "3", ALWAYS, EVER},
    {"loglevel", "INFO", ALWAYS, EVER},
    {"syslogfacility", "AUTH", ALWAYS, EVER},
    {"x11forwarding", "no", ALWAYS, EVER},
    {"x11uselocalhost", "yes", ALWAYS, EVER},
    {"allowtcpforwarding", "yes", ALWAYS, EVER},
    {"allowagentforwarding", "yes", ALWAYS, EVER},
    {"allowstreamlocalforwarding", "yes", ALWAYS, EVER},
    {"disableforwarding", "no", 704, EVER},
    {"gatewayports", "no", ALWAYS, EVER},
    {"permittunnel", "no", ALWAYS, EVER},
    {"permituserenvironment", "no", ALWAYS, EVER},
    {"permituserrc", "yes", ALWAYS, EVER},
    {"permittty", "yes", ALWAYS, EVER},
    {"printmotd", "yes", ALWAYS, EVER},
    {"printlastlog", "yes", ALWAYS, EVER},
    {"tcpkeepalive", "yes", ALWAYS, EVER},
    {"usedns", "no", 608, EVER},
    {"compression", "yes", 704, EVER},
    {"compression", "delayed", ALWAYS, 704},
    {"banner", "none", ALWAYS, EVER},
    {"forcecommand", "none", ALWAYS, EVER},
    {"chrootdirectory", "none", ALWAYS, EVER},
    {"fingerprinthash", "SHA256", 608, EVER},
    {"authorizedkeysfile", ".ssh/authorized_keys .ssh/authorized_keys2", ALWAYS, EVER},
    {"authenticationmethods", "any", ALWAYS, EVER},
    {"pubkeyauthoptions", "none", 802, EVER},
    {"requiredrsasize", "1024", 901, EVER},
    {"hostkey", "/etc/ssh/ssh_host_rsa_key", ALWAYS, EVER},
    {"hostkey", "/etc/ssh/ssh_host_ecdsa_key", ALWAYS, EVER},
    {"hostkey", "/etc/ssh/ssh_host_ed25519_key", ALWAYS, EVER},
    {"ciphers",
     "chacha20-poly1305@openssh.com,aes128-ctr,aes192-ctr,aes256-ctr,aes128-gcm@openssh.com,aes256-gcm@openssh.com",
     706, EVER},
    {"macs",
     "umac-64-etm@openssh.com,umac-128-etm@openssh.com,hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com,"
     "hmac-sha1-etm@openssh.com,umac-64@openssh.com,umac-128@openssh.com,hmac-sha2-256,hmac-sha2-512,hmac-sha1",
     704, EVER},
    {"kexalgorithms",
     "curve25519-sha256,curve25519-sha256@libssh.org," SSHD_ECDH "," SSHD_DH ",diffie-hellman-group14-sha1", 704, 802},
    {"kexalgorithms", "curve25519-sha256,curve25519-sha256@libssh.org," SSHD_ECDH "," SSHD_DH, 802, 900},
    {"kexalgorithms",
     "sntrup761x25519-sha512@openssh.com,curve25519-sha256,curve25519-sha256@libssh.org," SSHD_ECDH "," SSHD_DH, 900,
     909},
    {"kexalgorithms",
     "sntrup761x25519-sha512,sntrup761x25519-sha512@openssh.com,mlkem768x25519-sha256,curve25519-sha256,"
     "curve25519-sha256@libssh.org," SSHD_ECDH "," SSHD_DH,
     909, 1000},
    {"kexalgorithms",
     "mlkem768x25519-sha256,sntrup761x25519-sha512,sntrup761x25519-sha512@openssh.com,curve25519-sha256,"
     "curve25519-sha256@libssh.org," SSHD_ECDH,
     1000, EVER},
    {"hostkeyalgorithms", SSHD_KEYS, 808, EVER},
    {"pubkeyacceptedalgorithms", SSHD_KEYS, 808, EVER},
    {"hostbasedacceptedalgorithms", SSHD_KEYS, 808, EVER},
    {"allowusers", NULL, ALWAYS, EVER}, /* empty lists, so that a rule can ask their size */
    {"allowgroups", NULL, ALWAYS, EVER},
    {"denyusers", NULL, ALWAYS, EVER},
    {"denygroups", NULL, ALWAYS, EVER},
};

static bool matches(struct mln_str pattern_list, struct mln_str name)
{
    struct mln_str pattern;
    while (mln_str_cut(&pattern_list, ',', &pattern))
        if (mln_text_glob(pattern, name))
            return true;
    return false;
}

/* "+a,b" adds behind the default, "^a,b" before it, "-a*,b" takes away from it. */
static struct mln_result change_default(struct mln_sshd_option *option, const char *list, struct mln_arena *arena)
{
    struct mln_sshd_option before = {.keyword = option->keyword}, after = {.keyword = option->keyword};
    char how = option->values.at[0].p[0];
    option->values.at[0] = mln_str_sub(option->values.at[0], 1, option->values.at[0].n);
    MLN_TRY(add_comma_list(&before, mln_str_c(list), arena));
    if (how == '^')
        for (size_t i = 0; i < option->values.n; i++)
            MLN_TRY(add_value(&after, option->values.at[i], arena));
    for (size_t i = 0; i < before.values.n; i++) {
        bool out = false;
        for (size_t k = 0; k < option->values.n; k++)
            out |= how == '-' ? matches(option->values.at[k], before.values.at[i])
                              : how == '^' && mln_str_eq(option->values.at[k], before.values.at[i]);
        if (!out)
            MLN_TRY(add_value(&after, before.values.at[i], arena));
    }
    if (how == '+')
        for (size_t i = 0; i < option->values.n; i++)
            MLN_TRY(add_value(&after, option->values.at[i], arena));
    option->values.at = after.values.at;
    option->values.n = after.values.n;
    option->values.cap = after.values.cap;
    return MLN_OK;
}

/* Addresses as sshd -T writes them, with their port; without any, all addresses. */
static struct mln_result complete_addresses(struct mln_sshd_config *config, struct mln_arena *arena)
{
    struct mln_sshd_option *option, full = {0};
    MLN_TRY(option_of(config, MLN_S("listenaddress"), arena, &option));
    const struct mln_sshd_option *ports = mln_sshd_find(config, "port");
    if (!option->values.n) {
        MLN_TRY(add_value(option, MLN_S("::"), arena));
        MLN_TRY(add_value(option, MLN_S("0.0.0.0"), arena));
    }
    for (size_t i = 0; i < option->values.n; i++) {
        struct mln_str address = option->values.at[i], text;
        size_t colon = mln_str_find(address, MLN_S(":"), 0);
        bool six = colon != SIZE_MAX && mln_str_find(address, MLN_S(":"), colon + 1) != SIZE_MAX;
        bool bracket = address.n && address.p[0] == '[';
        bool has_port = bracket ? mln_str_find(address, MLN_S("]:"), 0) != SIZE_MAX : colon != SIZE_MAX && !six;
        for (size_t k = 0; k < (has_port ? 1 : ports->values.n); k++) {
            if (has_port)
                text = address;
            else
                MLN_TRY_STR(arena, text,
                            mln_str_printf(arena, six && !bracket ? "[%.*s]:%.*s" : "%.*s:%.*s", MLN_FMT(address),
                                           MLN_FMT(ports->values.at[k])));
            MLN_TRY(add_value(&full, text, arena));
        }
    }
    option->values.at = full.values.at;
    option->values.n = full.values.n;
    option->values.cap = full.values.cap;
    return MLN_OK;
}

struct mln_result mln_sshd_add_defaults(struct mln_sshd_config *config, int version, struct mln_arena *arena)
{
    if (!version)
        version = RECENT;
    size_t set_before = config->options.n;
    for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i++) {
        if (version < defaults[i].from || version >= defaults[i].before)
            continue;
        struct mln_sshd_option *option;
        struct mln_str keyword = mln_str_c(defaults[i].keyword);
        MLN_TRY(option_of(config, keyword, arena, &option));
        bool is_set = (size_t)(option - config->options.at) < set_before && option->values.n;
        bool comma = mln_word_index(comma_lists, keyword) >= 0;
        if (is_set && comma && option->values.at[0].n && strchr("+-^", option->values.at[0].p[0]))
            MLN_TRY(change_default(option, defaults[i].value, arena));
        else if (!is_set && comma)
            MLN_TRY(add_comma_list(option, mln_str_c(defaults[i].value), arena));
        else if (!is_set && defaults[i].value)
            MLN_TRY(add_value(option, mln_str_c(defaults[i].value), arena));
    }
    return complete_addresses(config, arena);
}
