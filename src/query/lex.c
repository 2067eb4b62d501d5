/* From a query text to tokens. Owns nothing; values are made in the lexer's arena. */
#include "query/ast.h"

static struct mln_result unexpected(const struct kql_lexer *lexer, size_t at, const char *what)
{
    return kql_wrong(lexer->line, (uint32_t)(at - lexer->line_start), "%s", what);
}

static bool is_word_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static char peek(const struct kql_lexer *lexer, size_t ahead)
{
    return lexer->at + ahead < lexer->text.n ? lexer->text.p[lexer->at + ahead] : '\0';
}

static void skip_blanks(struct kql_lexer *lexer)
{
    while (lexer->at < lexer->text.n) {
        char c = lexer->text.p[lexer->at];
        if (c == '/' && peek(lexer, 1) == '/') {
            while (lexer->at < lexer->text.n && lexer->text.p[lexer->at] != '\n')
                lexer->at++;
        } else if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
            lexer->at++;
            if (c == '\n') {
                lexer->line++;
                lexer->line_start = lexer->at;
            }
        } else {
            break;
        }
    }
}

/* Words may hold a dash where it joins letters (project-away, mv-expand): only for the operators that have one. */
static void lex_word(struct kql_lexer *lexer)
{
    static const struct mln_str dashed[] = {
        {"project-away", 12},    {"project-keep", 12}, {"project-rename", 14},
        {"project-reorder", 15}, {"mv-expand", 9},     {"order-by", 8},
    };
    struct mln_str rest = mln_str_sub(lexer->text, lexer->at, lexer->text.n);
    for (size_t i = 0; i < sizeof dashed / sizeof *dashed; i++) {
        char next = rest.n > dashed[i].n ? rest.p[dashed[i].n] : ' ';
        if (mln_str_starts_nocase(rest, dashed[i]) && !is_word_start(next) && !is_digit(next)) {
            lexer->at += dashed[i].n;
            return;
        }
    }
    size_t start = lexer->at;
    while (is_word_start(peek(lexer, 0)) || is_digit(peek(lexer, 0)))
        lexer->at++;
    if (peek(lexer, 0) == '~' && mln_str_eq_nocase(mln_str_sub(lexer->text, start, lexer->at), MLN_S("in")))
        lexer->at++;
}

static struct mln_result lex_escape(struct kql_lexer *lexer, char *out, size_t *n)
{
    char c = peek(lexer, 0);
    static const char from[] = "nrt0\\'\"", to[] = "\n\r\t\0\\'\"";
    const char *at = c ? strchr(from, c) : NULL;
    if (at) {
        out[(*n)++] = to[at - from];
        lexer->at++;
        return MLN_OK;
    }
    int digits = c == 'u' ? 4 : c == 'x' ? 2 : 0;
    uint32_t code = 0;
    for (int i = 1; i <= digits; i++) {
        char h = peek(lexer, (size_t)i);
        int value = is_digit(h)            ? h - '0'
                    : h >= 'a' && h <= 'f' ? h - 'a' + 10
                    : h >= 'A' && h <= 'F' ? h - 'A' + 10
                                           : -1;
        if (value < 0)
            digits = 0;
        code = code * 16 + (uint32_t)value;
    }
    if (digits == 0 || (code >= 0xD800 && code <= 0xDFFF))
        return unexpected(lexer, lexer->at, "unknown escape in a string");
    lexer->at += (size_t)digits + 1;
    if (code < 0x80) {
        out[(*n)++] = (char)code;
    } else if (code < 0x800) {
        out[(*n)++] = (char)(0xC0 | code >> 6);
        out[(*n)++] = (char)(0x80 | (code & 0x3F));
    } else {
        out[(*n)++] = (char)(0xE0 | code >> 12);
        out[(*n)++] = (char)(0x80 | (code >> 6 & 0x3F));
        out[(*n)++] = (char)(0x80 | (code & 0x3F));
    }
    return MLN_OK;
}

/* At the opening quote. A verbatim string (@'...') knows no escape but the doubled quote. */
static struct mln_result lex_text(struct kql_lexer *lexer, bool verbatim, struct mln_json *out)
{
    size_t start = lexer->at, n = 0;
    char quote = lexer->text.p[lexer->at++], *text;
    MLN_TRY_ARRAY(lexer->arena, text, lexer->text.n - start + 4);
    for (;;) {
        if (lexer->at >= lexer->text.n || lexer->text.p[lexer->at] == '\n')
            return unexpected(lexer, start, "a string that does not end on its line");
        char c = lexer->text.p[lexer->at++];
        if (c == quote) {
            if (!verbatim || peek(lexer, 0) != quote)
                break;
            lexer->at++;
        } else if (c == '\\' && !verbatim) {
            MLN_TRY(lex_escape(lexer, text, &n));
            continue;
        }
        text[n++] = c;
    }
    *out = mln_json_of_str((struct mln_str){text, n});
    return MLN_OK;
}

static struct mln_result lex_number(struct kql_lexer *lexer, struct kql_token *token)
{
    static const struct {
        struct mln_str unit;
        double ms;
    } units[] = {{{"ms", 2}, 1},        {{"milliseconds", 12}, 1}, {{"seconds", 7}, 1000}, {{"minutes", 7}, 60000},
                 {{"hours", 5}, 3.6e6}, {{"days", 4}, 8.64e7},     {{"d", 1}, 8.64e7},     {{"h", 1}, 3.6e6},
                 {{"m", 1}, 60000},     {{"s", 1}, 1000}};
    size_t start = lexer->at;
    while (is_digit(peek(lexer, 0)))
        lexer->at++;
    bool real = peek(lexer, 0) == '.' && is_digit(peek(lexer, 1));
    if (real)
        for (lexer->at++; is_digit(peek(lexer, 0));)
            lexer->at++;
    size_t sign = peek(lexer, 1) == '-' || peek(lexer, 1) == '+';
    if ((peek(lexer, 0) == 'e' || peek(lexer, 0) == 'E') && is_digit(peek(lexer, 1 + sign))) {
        real = true;
        for (lexer->at += 1 + sign; is_digit(peek(lexer, 0));)
            lexer->at++;
    }
    struct mln_str digits = mln_str_sub(lexer->text, start, lexer->at);
    if (digits.n > 64)
        return unexpected(lexer, start, "a number that is too long");
    char text[72] = "";
    memcpy(text, digits.p, digits.n);
    double value = strtod(text, NULL);
    size_t word_end = lexer->at;
    while (word_end < lexer->text.n && is_word_start(lexer->text.p[word_end]))
        word_end++;
    struct mln_str word = mln_str_sub(lexer->text, lexer->at, word_end);
    for (size_t i = 0; i < sizeof units / sizeof *units && word.n; i++)
        if (mln_str_eq(word, units[i].unit)) {
            if (value * units[i].ms > 9e15)
                return unexpected(lexer, start, "a time span that is too long");
            lexer->at = word_end;
            token->kind = KQL_SPAN;
            token->value = kql_span((int64_t)(value * units[i].ms));
            return MLN_OK;
        }
    if (word.n)
        return unexpected(lexer, lexer->at, "letters behind a number");
    int64_t whole;
    token->kind = KQL_NUMBER;
    if (!real && mln_ok(mln_str_to_i64(digits, &whole)))
        token->value = mln_json_of_i64(whole);
    else
        token->value = mln_json_of_real(value);
    return MLN_OK;
}

static void lex_punctuation(struct kql_lexer *lexer)
{
    static const struct mln_str longer[] = {{"!in~", 4},
                                            {"!in", 3},
                                            {"!contains_cs", 12},
                                            {"!contains", 9},
                                            {"!has_cs", 7},
                                            {"!has", 4},
                                            {"!startswith_cs", 14},
                                            {"!startswith", 11},
                                            {"!endswith_cs", 12},
                                            {"!endswith", 9},
                                            {"!between", 8},
                                            {"==", 2},
                                            {"=~", 2},
                                            {"!=", 2},
                                            {"!~", 2},
                                            {"<=", 2},
                                            {">=", 2},
                                            {"<>", 2},
                                            {"..", 2}};
    struct mln_str rest = mln_str_sub(lexer->text, lexer->at, lexer->text.n);
    for (size_t i = 0; i < sizeof longer / sizeof *longer; i++)
        if (mln_str_starts_nocase(rest, longer[i])) {
            lexer->at += longer[i].n;
            return;
        }
    lexer->at++;
}

struct mln_result kql_lex(struct kql_lexer *lexer, struct kql_token *out)
{
    skip_blanks(lexer);
    *out = (struct kql_token){
        .offset = lexer->at, .line = lexer->line, .position = (uint32_t)(lexer->at - lexer->line_start)};
    if (lexer->at >= lexer->text.n)
        return MLN_OK;
    size_t start = lexer->at;
    char c = lexer->text.p[start], next = peek(lexer, 1);
    bool tagged = (c == '@' || c == 'h' || c == 'H') && (next == '\'' || next == '"');
    if (c == '\'' || c == '"' || tagged) {
        lexer->at += tagged;
        out->kind = KQL_TEXT;
        MLN_TRY(lex_text(lexer, c == '@', &out->value));
    } else if (is_digit(c)) {
        MLN_TRY(lex_number(lexer, out));
    } else if (is_word_start(c)) {
        out->kind = KQL_WORD;
        lex_word(lexer);
    } else if (strchr("|()[]{},.:;=<>!+-*/%", c) && c) {
        out->kind = KQL_PUNCT;
        lex_punctuation(lexer);
    } else {
        return unexpected(lexer, start, "a character that no query has");
    }
    out->text = mln_str_sub(lexer->text, start, lexer->at);
    return MLN_OK;
}

struct mln_result kql_lex_raw(struct kql_lexer *lexer, struct mln_str *out)
{
    size_t start = lexer->at, depth = 1;
    char quote = '\0';
    for (; lexer->at < lexer->text.n; lexer->at++) {
        char c = lexer->text.p[lexer->at];
        if (c == '\n') {
            lexer->line++;
            lexer->line_start = lexer->at + 1;
        }
        if (quote) {
            if (c == '\\')
                lexer->at++;
            else if (c == quote)
                quote = '\0';
        } else if (c == '"' || c == '\'') {
            quote = c;
        } else if (c == '(') {
            depth++;
        } else if (c == ')' && --depth == 0) {
            *out = mln_str_trim(mln_str_sub(lexer->text, start, lexer->at));
            lexer->at++;
            return MLN_OK;
        }
    }
    return unexpected(lexer, start, "a parenthesis that is not closed");
}
