#include "expr/cel_lex.h"

#include "expr/utf8.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool begins_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static int hex_value(char c)
{
    if (is_digit(c))
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The byte at an offset; NUL behind the end. */
static char peek(const struct mln_cel_lexer *l, size_t offset)
{
    return l->at + offset < l->source.n ? l->source.p[l->at + offset] : '\0';
}

static struct mln_result wrong(struct mln_cel_lexer *l, size_t at, const char *what)
{
    l->at = at;
    return mln_fail(MLN_E_SYNTAX, "%s", what);
}

static void skip_space(struct mln_cel_lexer *l)
{
    for (; l->at < l->source.n; l->at++) {
        if (peek(l, 0) == '/' && peek(l, 1) == '/') {
            while (l->at < l->source.n && peek(l, 0) != '\n')
                l->at++;
        }
        if (l->at >= l->source.n || !memchr(" \t\n\r\f", l->source.p[l->at], 5))
            return;
    }
}

/* ---- numbers ---- */

static struct mln_result hex_number(struct mln_cel_lexer *l, uint64_t *value)
{
    size_t start = l->at, digits = 0;
    *value = 0;
    for (l->at += 2; hex_value(peek(l, 0)) >= 0; l->at++, digits++) {
        if (*value >> 60)
            return wrong(l, start, "the number does not fit 64 bits");
        *value = *value << 4 | (uint64_t)hex_value(peek(l, 0));
    }
    return digits ? MLN_OK : wrong(l, start, "hexadecimal digits are expected after 0x");
}

static void skip_digits(struct mln_cel_lexer *l)
{
    while (is_digit(peek(l, 0)))
        l->at++;
}

/* Moves over "[digits][.digits][e[+-]digits]"; true when it is a double. */
static bool skip_number(struct mln_cel_lexer *l)
{
    bool real = false;
    skip_digits(l);
    if (peek(l, 0) == '.' && is_digit(peek(l, 1))) {
        real = true;
        l->at++;
        skip_digits(l);
    }
    size_t sign = peek(l, 1) == '+' || peek(l, 1) == '-';
    if ((peek(l, 0) == 'e' || peek(l, 0) == 'E') && is_digit(peek(l, 1 + sign))) {
        real = true;
        l->at += 1 + sign;
        skip_digits(l);
    }
    return real;
}

static struct mln_result lex_number(struct mln_cel_lexer *l, struct mln_cel_token *t)
{
    size_t start = l->at;
    uint64_t size = 0;
    bool real = false;
    if (peek(l, 0) == '0' && (peek(l, 1) == 'x' || peek(l, 1) == 'X')) {
        MLN_TRY(hex_number(l, &size));
    } else {
        real = skip_number(l);
        struct mln_str digits = mln_str_sub(l->source, start, l->at);
        char text[512];
        if (real && digits.n >= sizeof text)
            return wrong(l, start, "the number is too long");
        if (!real && !mln_ok(mln_str_to_u64(digits, &size)))
            return wrong(l, start, "the number does not fit 64 bits");
        if (real) {
            memcpy(text, digits.p, digits.n);
            text[digits.n] = '\0';
            t->kind = MLN_T_VALUE;
            t->value = mln_value_double(strtod(text, NULL));
        }
    }
    if (!real && (peek(l, 0) == 'u' || peek(l, 0) == 'U')) {
        l->at++;
        t->kind = MLN_T_VALUE;
        t->value = mln_value_uint(size);
    } else if (!real) {
        t->kind = MLN_T_INT;
        t->value = mln_value_uint(size);
    }
    return begins_name(peek(l, 0)) || is_digit(peek(l, 0)) ? wrong(l, l->at, "a letter right after a number") : MLN_OK;
}

/* ---- texts ---- */

struct text { /* being decoded: never longer than it is written */
    bool bytes;
    char *out;
    size_t n;
};

static struct mln_result code_point(struct mln_cel_lexer *l, struct text *t, size_t escape_at, size_t first,
                                    size_t digits)
{
    uint32_t value = 0;
    for (size_t i = 0; i < digits; i++) {
        int digit = hex_value(peek(l, first + i));
        if (digit < 0)
            return wrong(l, escape_at, "hexadecimal digits are missing in this escape");
        value = value << 4 | (uint32_t)digit;
    }
    l->at += first + digits;
    if (t->bytes && digits == 2)
        t->out[t->n++] = (char)value;
    else if (t->bytes)
        return wrong(l, escape_at, "bytes have no \\u and \\U escapes");
    else if (value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF))
        return wrong(l, escape_at, "this escape is no Unicode character");
    else
        t->n += mln_utf8_put(value, t->out + t->n);
    return MLN_OK;
}

static struct mln_result octal(struct mln_cel_lexer *l, struct text *t)
{
    size_t start = l->at;
    uint32_t value = 0;
    for (size_t i = 1; i <= 3; i++) {
        char c = peek(l, i);
        if (c < '0' || c > '7')
            return wrong(l, start, "an octal escape has three digits, \\000 to \\377");
        value = value << 3 | (uint32_t)(c - '0');
    }
    l->at += 4;
    if (t->bytes)
        t->out[t->n++] = (char)value;
    else
        t->n += mln_utf8_put(value, t->out + t->n);
    return MLN_OK;
}

static struct mln_result escape(struct mln_cel_lexer *l, struct text *t)
{
    static const char names[] = "\\?\"'`abfnrtv", values[] = "\\?\"'`\a\b\f\n\r\t\v";
    size_t start = l->at;
    char c = peek(l, 1);
    const char *known = c ? strchr(names, c) : NULL;
    if (known) {
        t->out[t->n++] = values[known - names];
        l->at += 2;
        return MLN_OK;
    }
    if (c == 'x' || c == 'X')
        return code_point(l, t, start, 2, 2);
    if (c == 'u')
        return code_point(l, t, start, 2, 4);
    if (c == 'U')
        return code_point(l, t, start, 2, 8);
    if (c >= '0' && c <= '3')
        return octal(l, t);
    return wrong(l, start, "unknown escape (in a raw text r'...' a backslash stands for itself)");
}

/* Where a text that begins at content ends: at its closing quote. SIZE_MAX when it does not. */
static size_t text_end(struct mln_str source, size_t content, char quote, bool triple, bool raw)
{
    for (size_t i = content; i < source.n; i++) {
        char c = source.p[i];
        if (c == '\\' && !raw)
            i++;
        else if (!triple && (c == '\n' || c == '\r'))
            return SIZE_MAX;
        else if (c == quote && (!triple || (i + 2 < source.n && source.p[i + 1] == quote && source.p[i + 2] == quote)))
            return i;
    }
    return SIZE_MAX;
}

/* At the first quote. A text without escapes is used where it lies. */
static struct mln_result lex_text(struct mln_cel_lexer *l, bool bytes, bool raw, struct mln_cel_token *token)
{
    char quote = peek(l, 0);
    bool triple = peek(l, 1) == quote && peek(l, 2) == quote;
    size_t start = l->at, content = start + (triple ? 3 : 1), end = text_end(l->source, content, quote, triple, raw);
    if (end == SIZE_MAX)
        return wrong(l, start, triple ? "the closing quotes are missing" : "the closing quote is missing on this line");
    struct mln_str s = mln_str_sub(l->source, content, end);
    if (!raw && memchr(s.p, '\\', s.n)) {
        struct text t = {.bytes = bytes};
        MLN_TRY_ARRAY(l->literals, t.out, s.n + 4);
        for (l->at = content; l->at < end;) {
            if (peek(l, 0) == '\\')
                MLN_TRY(escape(l, &t));
            else
                t.out[t.n++] = l->source.p[l->at++];
        }
        s = (struct mln_str){t.out, t.n};
    }
    l->at = end + (triple ? 3 : 1);
    token->kind = MLN_T_VALUE;
    token->value = bytes ? mln_value_bytes(s) : mln_value_string(s);
    return MLN_OK;
}

/* ---- names and signs ---- */

/* How many letters before a quote say how a text is to be read: r, b, br in any case. */
static size_t text_prefix(const struct mln_cel_lexer *l, bool *bytes, bool *raw)
{
    size_t n = 0;
    *bytes = peek(l, n) == 'b' || peek(l, n) == 'B';
    n += *bytes;
    *raw = peek(l, n) == 'r' || peek(l, n) == 'R';
    n += *raw;
    return peek(l, n) == '"' || peek(l, n) == '\'' ? n : SIZE_MAX;
}

static struct mln_result lex_quoted_name(struct mln_cel_lexer *l, struct mln_cel_token *t)
{
    size_t start = l->at, end = mln_str_find(l->source, MLN_S("`"), start + 1);
    if (end == SIZE_MAX || end == start + 1)
        return wrong(l, start, "a name in backquotes is empty or not closed");
    t->kind = MLN_T_QUOTED;
    t->text = mln_str_sub(l->source, start + 1, end);
    for (size_t i = 0; i < t->text.n; i++) {
        char c = t->text.p[i];
        if (!begins_name(c) && !is_digit(c) && !memchr(".-/ ", c, 4))
            return wrong(l, start + 1 + i, "a name in backquotes has letters, digits, '_', '.', '-', '/' and blanks");
    }
    l->at = end + 1;
    return MLN_OK;
}

static struct mln_result lex_sign(struct mln_cel_lexer *l, struct mln_cel_token *t)
{
    static const char *const pairs[] = {"<=", ">=", "==", "!=", "&&", "||"};
    char c = peek(l, 0);
    size_t n = memchr("()[]{}.,?:+-*/%!<>", c, 18) != NULL;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        if (c == pairs[i][0] && peek(l, 1) == pairs[i][1])
            n = 2;
    if (n == 0 && memchr("=&|", c, 3)) {
        char text[80];
        snprintf(text, sizeof text, "'%c' is not an operator, expected '%c%c'", c, c, c);
        return wrong(l, l->at, text);
    }
    if (n == 0)
        return wrong(l, l->at, "this character has no place in an expression");
    t->kind = MLN_T_SIGN;
    t->text = mln_str_sub(l->source, l->at, l->at + n);
    l->at += n;
    return MLN_OK;
}

struct mln_result mln_cel_lex(struct mln_cel_lexer *l, struct mln_cel_token *t)
{
    skip_space(l);
    size_t start = l->at;
    *t = (struct mln_cel_token){.kind = MLN_T_END, .at = (uint32_t)start};
    if (start >= l->source.n)
        return MLN_OK;
    char c = peek(l, 0);
    bool bytes, raw;
    size_t prefix = text_prefix(l, &bytes, &raw);
    if (prefix != SIZE_MAX) {
        l->at += prefix;
        MLN_TRY(lex_text(l, bytes, raw, t));
    } else if (is_digit(c) || (c == '.' && is_digit(peek(l, 1)))) {
        MLN_TRY(lex_number(l, t));
    } else if (begins_name(c)) {
        while (begins_name(peek(l, 0)) || is_digit(peek(l, 0)))
            l->at++;
        t->kind = MLN_T_NAME;
    } else if (c == '`') {
        return lex_quoted_name(l, t);
    } else {
        return lex_sign(l, t);
    }
    t->text = mln_str_sub(l->source, start, l->at);
    return MLN_OK;
}
