#include "agent/linux/netfilter.h"

#include "agent/linux/text.h"
#include "json/json.h"

enum { MAX_JSON_BYTES = 8 << 20 };

static struct mln_filter_chain *find(struct mln_filter *out, struct mln_str family, struct mln_str table,
                                     struct mln_str name)
{
    for (size_t i = 0; i < out->chains.n; i++) {
        struct mln_filter_chain *chain = &out->chains.at[i];
        if (mln_str_eq(chain->name, name) && mln_str_eq(chain->table, table) && mln_str_eq(chain->family, family))
            return chain;
    }
    return NULL;
}

static struct mln_result add_chain(struct mln_filter *out, struct mln_arena *arena, struct mln_filter_chain chain)
{
    if (out->chains.n < MLN_FILTER_MAX_CHAINS)
        return mln_vec_push(arena, &out->chains, chain);
    out->left_out++;
    return MLN_OK;
}

/* ---- nft -j ---- */

static struct mln_str member(const struct mln_json *object, const char *name)
{
    return mln_json_str(mln_json_get(object, mln_str_c(name)), (struct mln_str){NULL, 0});
}

/* {"match":{"op":"==","left":{"meta":{"key":"iifname"}},"right":"lo"}} */
static bool matches_loopback(const struct mln_json *statement)
{
    struct mln_str key = mln_json_str(mln_json_path(statement, "match.left.meta.key"), MLN_S(""));
    struct mln_str right = mln_json_str(mln_json_path(statement, "match.right"), MLN_S(""));
    return (mln_str_eq(key, MLN_S("iif")) || mln_str_eq(key, MLN_S("iifname"))) && mln_str_eq(right, MLN_S("lo")) &&
           mln_str_eq(mln_json_str(mln_json_path(statement, "match.op"), MLN_S("")), MLN_S("=="));
}

static void see_rule(struct mln_filter *out, const struct mln_json *rule)
{
    struct mln_filter_chain *chain = find(out, member(rule, "family"), member(rule, "table"), member(rule, "chain"));
    const struct mln_json *statements = mln_json_get(rule, MLN_S("expr"));
    out->rules++;
    if (!chain || !mln_json_is(statements, MLN_JSON_ARRAY))
        return;
    bool loopback = false, other = false;
    struct mln_str verdict = {NULL, 0};
    for (uint32_t i = 0; i < statements->n; i++) {
        const struct mln_json *statement = &statements->items[i];
        if (mln_json_get(statement, MLN_S("drop")))
            verdict = MLN_S("drop");
        else if (mln_json_get(statement, MLN_S("reject")))
            verdict = MLN_S("reject");
        else if (mln_json_get(statement, MLN_S("accept")))
            verdict = MLN_S("accept");
        else if (matches_loopback(statement))
            loopback = true;
        else if (!mln_json_get(statement, MLN_S("counter")) && !mln_json_get(statement, MLN_S("log")))
            other = true;
    }
    chain->rules++;
    chain->last = !loopback && !other ? verdict : (struct mln_str){NULL, 0};
    chain->accepts_loopback |= loopback && !other && mln_str_eq(verdict, MLN_S("accept"));
}

struct mln_result mln_filter_parse_nft_json(struct mln_str text, struct mln_arena *arena, struct mln_filter *out)
{
    const struct mln_json *json, *list;
    MLN_TRY(mln_json_parse(arena, text, MAX_JSON_BYTES, &json));
    list = mln_json_get(json, MLN_S("nftables"));
    for (uint32_t i = 0; mln_json_is(list, MLN_JSON_ARRAY) && i < list->n; i++) {
        const struct mln_json *chain = mln_json_get(&list->items[i], MLN_S("chain"));
        const struct mln_json *rule = mln_json_get(&list->items[i], MLN_S("rule"));
        if (chain)
            MLN_TRY(add_chain(out, arena,
                              (struct mln_filter_chain){.family = member(chain, "family"),
                                                        .table = member(chain, "table"),
                                                        .name = member(chain, "name"),
                                                        .hook = member(chain, "hook"),
                                                        .type = member(chain, "type"),
                                                        .policy = member(chain, "policy")}));
        if (rule)
            see_rule(out, rule);
    }
    return MLN_OK;
}

/* ---- nft's language ---- */

/* A statement (up to ';', a line's end, or a brace) of which only the words count. */
struct statement {
    struct mln_str words[32];
    size_t n;
    char end; /* '{', '}', ';', 0 at the end of the text */
};

static bool next_statement(struct mln_str *rest, struct statement *out)
{
    *out = (struct statement){0};
    while (rest->n) {
        char c = rest->p[0];
        if (c == '#') {
            size_t end = mln_str_find(*rest, MLN_S("\n"), 0);
            *rest = mln_str_sub(*rest, end, rest->n);
            continue;
        }
        if (strchr(" \t\r\\", c) && c) {
            *rest = mln_str_sub(*rest, 1, rest->n);
            continue;
        }
        if (c == '\n' || c == ';' || c == '{' || c == '}') {
            *rest = mln_str_sub(*rest, 1, rest->n);
            out->end = c == '\n' ? ';' : c;
            if (out->n || c == '{' || c == '}')
                return true;
            continue;
        }
        size_t n = 1;
        if (c == '"') {
            size_t end = mln_str_find(*rest, MLN_S("\""), 1);
            n = end == SIZE_MAX ? rest->n : end + 1;
        } else {
            while (n < rest->n && !strchr(" \t\r\n;{}#", rest->p[n]))
                n++;
        }
        if (out->n < 32)
            out->words[out->n++] = mln_text_unquote(mln_str_sub(*rest, 0, n));
        *rest = mln_str_sub(*rest, n, rest->n);
    }
    return out->n > 0;
}

static bool word_is(const struct statement *s, size_t i, const char *word)
{
    return i < s->n && mln_str_eq(s->words[i], mln_str_c(word));
}

/* "type filter hook input priority 0", "policy drop", or a rule. */
static void see_statement(struct mln_filter *out, struct mln_filter_chain *chain, const struct statement *s)
{
    if (word_is(s, 0, "type")) {
        for (size_t i = 0; i + 1 < s->n; i += 2) {
            if (word_is(s, i, "type"))
                chain->type = s->words[i + 1];
            if (word_is(s, i, "hook"))
                chain->hook = s->words[i + 1];
        }
        if (chain->hook.p && !chain->policy.p)
            chain->policy = MLN_S("accept");
        return;
    }
    if (word_is(s, 0, "policy") && s->n > 1) {
        chain->policy = s->words[1];
        return;
    }
    out->rules++;
    chain->rules++;
    bool loopback = (word_is(s, 0, "iif") || word_is(s, 0, "iifname")) && word_is(s, 1, "lo");
    struct mln_str last = s->words[s->n - 1], first = s->words[0];
    chain->accepts_loopback |= loopback && mln_str_eq(last, MLN_S("accept"));
    bool bare = mln_str_eq(first, MLN_S("drop")) || mln_str_eq(first, MLN_S("reject")) ||
                (mln_str_eq(first, MLN_S("accept")) && s->n == 1);
    chain->last = bare ? first : (struct mln_str){NULL, 0};
}

struct mln_result mln_filter_parse_nft(struct mln_str text, struct mln_arena *arena, struct mln_filter *out)
{
    struct statement s;
    struct mln_str family = {NULL, 0}, table = {NULL, 0};
    struct mln_filter_chain chain = {0};
    bool after_set = false;
    int depth = 0, in_chain = 0; /* the depth at which the chain's own statements stand; 0: in no chain */
    while (next_statement(&text, &s)) {
        if (s.end == '{') {
            depth++;
            if (depth == 1 && word_is(&s, 0, "table") && s.n > 1) {
                family = s.n > 2 ? s.words[1] : MLN_S("ip");
                table = s.words[s.n > 2 ? 2 : 1];
            } else if (depth == 2 && word_is(&s, 0, "chain") && s.n > 1) {
                chain = (struct mln_filter_chain){.family = family, .table = table, .name = s.words[1]};
                in_chain = depth;
            } else if (in_chain && depth == in_chain + 1 && s.n) { /* a rule with a set in it: "tcp dport { 22, 80 }" */
                out->rules++;
                chain.rules++;
                chain.last = (struct mln_str){NULL, 0};
            }
            continue;
        }
        if (in_chain && in_chain == depth && s.n && !after_set)
            see_statement(out, &chain, &s);
        after_set = s.end == '}' && in_chain && depth == in_chain + 1; /* the rest of a rule that was counted already */
        if (s.end == '}') {
            if (in_chain && depth == in_chain) {
                MLN_TRY(add_chain(out, arena, chain));
                in_chain = 0;
            }
            depth -= depth > 0;
        }
    }
    return MLN_OK;
}

/* ---- iptables-save ---- */

/* ":INPUT DROP [0:0]" begins a chain, "-A INPUT -i lo -j ACCEPT" adds to it. */
static struct mln_result see_chain(struct mln_filter *out, struct mln_arena *arena, struct mln_str family,
                                   struct mln_str table, struct mln_str line)
{
    struct mln_str name, policy;
    if (!mln_text_word(&line, &name) || !mln_text_word(&line, &policy))
        return MLN_OK;
    struct mln_filter_chain chain = {.family = family, .table = table, .name = mln_str_sub(name, 1, name.n)};
    if (!mln_str_eq(policy, MLN_S("-"))) {
        MLN_TRY_STR(arena, chain.policy, mln_str_lower(arena, policy));
        MLN_TRY_STR(arena, chain.hook, mln_str_lower(arena, chain.name));
        chain.type = table;
    }
    return add_chain(out, arena, chain);
}

static struct mln_result see_append(struct mln_filter *out, struct mln_arena *arena, struct mln_str family,
                                    struct mln_str table, struct mln_str line)
{
    struct mln_str word, name, verdict = {NULL, 0};
    bool loopback = false, other = false;
    mln_text_word(&line, &word);
    if (!mln_text_word(&line, &name))
        return MLN_OK;
    out->rules++;
    while (mln_text_word(&line, &word)) {
        struct mln_str value;
        if (mln_str_eq(word, MLN_S("-j")) && mln_text_word(&line, &value)) {
            MLN_TRY_STR(arena, verdict, mln_str_lower(arena, value));
        } else if (mln_str_eq(word, MLN_S("-i")) && mln_text_word(&line, &value)) {
            loopback = mln_str_eq(value, MLN_S("lo"));
            other |= !loopback;
        } else if (mln_str_eq(word, MLN_S("--reject-with"))) {
            mln_text_word(&line, &value);
        } else if (mln_str_eq(word, MLN_S("--comment")) || mln_str_eq(word, MLN_S("comment"))) {
            break;
        } else if (!mln_str_eq(word, MLN_S("-m"))) {
            other = true;
        }
    }
    struct mln_filter_chain *chain = find(out, family, table, name);
    if (!chain)
        return MLN_OK;
    bool final = mln_str_eq(verdict, MLN_S("drop")) || mln_str_eq(verdict, MLN_S("reject")) ||
                 mln_str_eq(verdict, MLN_S("accept"));
    chain->rules++;
    chain->last = final && !loopback && !other ? verdict : (struct mln_str){NULL, 0};
    chain->accepts_loopback |= loopback && !other && mln_str_eq(verdict, MLN_S("accept"));
    return MLN_OK;
}

struct mln_result mln_filter_parse_iptables(struct mln_str text, struct mln_str family, struct mln_arena *arena,
                                            struct mln_filter *out)
{
    struct mln_str line, table = {NULL, 0};
    while (mln_text_setting(&text, &line, NULL)) {
        if (line.p[0] == '*')
            table = mln_str_sub(line, 1, line.n);
        else if (line.p[0] == ':')
            MLN_TRY(see_chain(out, arena, family, table, line));
        else if (mln_str_starts(line, MLN_S("-A ")))
            MLN_TRY(see_append(out, arena, family, table, line));
    }
    return MLN_OK;
}

/* ---- what it comes to ---- */

static bool is_filter_hook(const struct mln_filter_chain *chain, const char *hook)
{
    return chain->hook.p && mln_str_eq(chain->hook, mln_str_c(hook)) &&
           (!chain->type.p || mln_str_eq(chain->type, MLN_S("filter")));
}

struct mln_str mln_filter_policy(const struct mln_filter *filter, const char *hook)
{
    struct mln_str found = MLN_S("accept");
    for (size_t i = 0; i < filter->chains.n; i++) {
        const struct mln_filter_chain *chain = &filter->chains.at[i];
        if (!is_filter_hook(chain, hook))
            continue;
        struct mln_str own = chain->last.p ? chain->last : chain->policy;
        if (own.p && !mln_str_eq(own, MLN_S("accept"))) /* one chain that refuses is enough: all must accept */
            found = own;
    }
    return found;
}

bool mln_filter_accepts_loopback(const struct mln_filter *filter)
{
    for (size_t i = 0; i < filter->chains.n; i++) {
        if (!is_filter_hook(&filter->chains.at[i], "input"))
            continue;
        for (size_t k = 0; k < filter->chains.n; k++) {
            const struct mln_filter_chain *chain = &filter->chains.at[k];
            if (chain->accepts_loopback && mln_str_eq(chain->table, filter->chains.at[i].table) &&
                (k == i || !chain->hook.p))
                return true;
        }
    }
    return false;
}
