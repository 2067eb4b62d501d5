/*
 * From text to tree: the limits, and what simdjson leaves open. It says only that a text is bad, so a strict scan finds
 * where; and it refuses integers beyond 64 bits, so those are spelled as reals and the text is parsed once more.
 */
#include "json/text.h"

#include "base/buf.h"
#include "json/parse.h"

struct scan {
    struct mln_str text;
    size_t at;
    enum mln_code code; /* of the fault */
    const char *reason; /* set: at is the fault */
    size_t large_at;    /* the first number that may be beyond a double, SIZE_MAX for none */
    size_t depth;
    uint64_t in_object[MLN_JSON_MAX_DEPTH / 64 + 1];
};

static int peek(const struct scan *s)
{
    return s->at < s->text.n ? (unsigned char)s->text.p[s->at] : -1;
}

static void skip_blanks(struct scan *s)
{
    while (peek(s) == ' ' || peek(s) == '\t' || peek(s) == '\n' || peek(s) == '\r')
        s->at++;
}

static bool fault(struct scan *s, const char *reason)
{
    s->reason = s->at < s->text.n ? reason : "the text ends too early";
    return false;
}

/* Four hex digits, -1 if they are not there; s->at stays. */
static int hex4(const struct scan *s, size_t at)
{
    int value = 0;
    for (size_t i = at; i < at + 4; i++) {
        int c = i < s->text.n ? (unsigned char)s->text.p[i] : -1;
        int digit = c >= '0' && c <= '9'                     ? c - '0'
                    : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10
                                                             : -1;
        if (digit < 0)
            return -1;
        value = value << 4 | digit;
    }
    return value;
}

/* At the backslash. */
static bool scan_escape(struct scan *s)
{
    int c = s->at + 1 < s->text.n ? (unsigned char)s->text.p[s->at + 1] : -1;
    if (c > 0 && strchr("\"\\/bfnrt", c)) {
        s->at += 2;
        return true;
    }
    int unit = c == 'u' ? hex4(s, s->at + 2) : -1;
    if (unit < 0 || (unit & 0xFC00) == 0xDC00)
        return fault(s, "bad escape");
    if ((unit & 0xFC00) == 0xD800) {
        bool pair = mln_str_starts(mln_str_sub(s->text, s->at + 6, s->text.n), MLN_S("\\u"));
        if (!pair || (hex4(s, s->at + 8) & ~0x3FF) != 0xDC00)
            return fault(s, "half of a surrogate pair");
        s->at += 6;
    }
    s->at += 6;
    return true;
}

static bool scan_string(struct scan *s)
{
    if (peek(s) != '"')
        return fault(s, "a string is expected");
    s->at++;
    for (int c; (c = peek(s)) != '"';) {
        if (c < 0x20) /* also at the end */
            return fault(s, "control character in a string");
        if (c == '\\') {
            if (!scan_escape(s))
                return false;
        } else {
            s->at++;
        }
    }
    s->at++;
    return true;
}

static size_t scan_digits(struct scan *s)
{
    size_t from = s->at;
    while (peek(s) >= '0' && peek(s) <= '9')
        s->at++;
    return s->at - from;
}

static bool scan_number(struct scan *s)
{
    size_t from = s->at;
    if (peek(s) == '-')
        s->at++;
    bool zero = peek(s) == '0';
    size_t whole = scan_digits(s);
    if (whole == 0)
        return fault(s, "a digit is expected");
    if (zero && whole > 1) {
        s->at = from;
        return fault(s, "a number with a leading zero");
    }
    if (peek(s) == '.') {
        s->at++;
        if (scan_digits(s) == 0)
            return fault(s, "a digit is expected");
    }
    size_t exponent = 0;
    if (peek(s) == 'e' || peek(s) == 'E') {
        s->at++;
        if (peek(s) == '+' || peek(s) == '-')
            s->at++;
        exponent = scan_digits(s);
        if (exponent == 0)
            return fault(s, "a digit is expected");
    }
    if (s->large_at == SIZE_MAX && (exponent >= 3 || whole > 300))
        s->large_at = from;
    return true;
}

static bool scan_word(struct scan *s, struct mln_str word)
{
    for (size_t i = 0; i < word.n; i++, s->at++)
        if (peek(s) != word.p[i])
            return fault(s, "a value is expected");
    return true;
}

static bool scan_scalar(struct scan *s)
{
    switch (peek(s)) {
    case '"':
        return scan_string(s);
    case 't':
        return scan_word(s, MLN_S("true"));
    case 'f':
        return scan_word(s, MLN_S("false"));
    case 'n':
        return scan_word(s, MLN_S("null"));
    case '-':
    case '0' ... '9':
        return scan_number(s);
    default:
        return fault(s, "a value is expected");
    }
}

static bool inside_object(const struct scan *s)
{
    size_t level = s->depth - 1;
    return s->in_object[level / 64] >> (level % 64) & 1;
}

static bool scan_name(struct scan *s)
{
    if (!scan_string(s))
        return false;
    skip_blanks(s);
    if (peek(s) != ':')
        return fault(s, "':' is expected");
    s->at++;
    skip_blanks(s);
    return true;
}

/* At '[' or '{'. Goes in, and if it is empty out again: *value_done tells. */
static bool scan_open(struct scan *s, bool *value_done)
{
    if (s->depth == MLN_JSON_MAX_DEPTH) {
        s->code = MLN_E_LIMIT;
        return fault(s, "nested too deeply");
    }
    bool object = peek(s) == '{';
    uint64_t bit = UINT64_C(1) << (s->depth % 64);
    s->in_object[s->depth / 64] = (s->in_object[s->depth / 64] & ~bit) | (object ? bit : 0);
    s->depth++;
    s->at++;
    skip_blanks(s);
    *value_done = peek(s) == (object ? '}' : ']');
    if (*value_done) {
        s->at++;
        s->depth--;
        return true;
    }
    return !object || scan_name(s);
}

/* After a value: leaves what closes here, up to the place of the next value. */
static bool scan_after(struct scan *s)
{
    for (;;) {
        skip_blanks(s);
        if (s->depth == 0)
            return true;
        bool object = inside_object(s);
        if (peek(s) == ',') {
            s->at++;
            skip_blanks(s);
            return !object || scan_name(s);
        }
        if (peek(s) != (object ? '}' : ']'))
            return fault(s, object ? "',' or '}' is expected" : "',' or ']' is expected");
        s->at++;
        s->depth--;
    }
}

struct mln_json_fault mln_json_find_fault(struct mln_str text)
{
    struct scan s = {.text = text, .code = MLN_E_SYNTAX, .large_at = SIZE_MAX};
    size_t valid = mln_str_utf8_prefix(text);
    skip_blanks(&s);
    do {
        bool value_done = true;
        bool open = peek(&s) == '[' || peek(&s) == '{';
        if (!(open ? scan_open(&s, &value_done) : scan_scalar(&s)) || (value_done && !scan_after(&s)))
            break;
    } while (s.depth > 0);
    if (!s.reason && s.at < text.n)
        s.reason = "text after the end of the document";
    if (valid < text.n && (!s.reason || valid <= s.at))
        return (struct mln_json_fault){MLN_E_SYNTAX, "not UTF-8", valid, SIZE_MAX};
    return (struct mln_json_fault){s.code, s.reason, s.at, s.large_at};
}

/* Whether a run of digits is a greater number than limit. */
static bool beyond(struct mln_str digits, struct mln_str limit)
{
    return digits.n > limit.n || (digits.n == limit.n && mln_str_cmp(digits, limit) > 0);
}

struct mln_result mln_json_widen_integers(struct mln_str text, struct mln_buf *out)
{
    bool in_string = false;
    size_t written = 0;
    for (size_t at = 0; at < text.n; at++) {
        char c = text.p[at];
        if (in_string && c == '\\')
            at++;
        else if (c == '"')
            in_string = !in_string;
        if (in_string || !((c >= '0' && c <= '9') || c == '-'))
            continue;
        bool negative = c == '-';
        size_t end = at + negative;
        while (end < text.n && text.p[end] >= '0' && text.p[end] <= '9')
            end++;
        bool integer = end == text.n || !strchr(".eE", text.p[end]) || !text.p[end];
        if (integer && beyond(mln_str_sub(text, at + negative, end),
                              negative ? MLN_S("9223372036854775808") : MLN_S("18446744073709551615"))) {
            MLN_TRY(mln_buf_append(out, mln_str_sub(text, written, end)));
            MLN_TRY(mln_buf_append(out, MLN_S("e0")));
            written = end;
        } else if (!integer) {
            /* The fraction and exponent are no integers of their own. */
            while (end < text.n && memchr("0123456789.eE+-", text.p[end], 15))
                end++;
        }
        at = end - 1;
    }
    return mln_buf_append(out, mln_str_sub(text, written, text.n));
}

static struct mln_result describe(struct mln_str text, enum mln_json_verdict verdict)
{
    struct mln_json_fault fault = mln_json_find_fault(text);
    if (fault.reason)
        return mln_fail(fault.code, "JSON at byte %zu: %s", fault.offset, fault.reason);
    if (verdict == MLN_JSON_BAD_NUMBER)
        return mln_fail(MLN_E_SYNTAX, "JSON at byte %zu: number out of range",
                        fault.large_number_at == SIZE_MAX ? 0 : fault.large_number_at);
    return mln_fail(MLN_E_SYNTAX, "JSON: the text does not follow its grammar");
}

struct mln_result mln_json_parse(struct mln_arena *arena, struct mln_str text, size_t max_bytes,
                                 const struct mln_json **out)
{
    if (text.n > max_bytes)
        return mln_fail(MLN_E_LIMIT, "JSON of %zu bytes, at most %zu are accepted", text.n, max_bytes);
    if (text.n == 0)
        return mln_fail(MLN_E_SYNTAX, "JSON at byte 0: the text is empty");
    struct mln_json *root;
    MLN_TRY_NEW(arena, root);
    enum mln_json_verdict verdict = mln_json_simd_parse(arena, text.p, text.n, root);
    if (verdict == MLN_JSON_BAD_NUMBER) {
        struct mln_buf wide MLN_BUF_CLEANUP = MLN_BUF(text.n + text.n / 4 + 2); /* an "e0" for at least 20 bytes */
        MLN_TRY(mln_json_widen_integers(text, &wide));
        if (wide.n > text.n)
            verdict = mln_json_simd_parse(arena, wide.p, wide.n, root);
    }
    switch (verdict) {
    case MLN_JSON_PARSED:
        *out = root;
        return MLN_OK;
    case MLN_JSON_BAD_TEXT:
    case MLN_JSON_BAD_NUMBER:
    case MLN_JSON_TOO_DEEP:
        return describe(text, verdict);
    case MLN_JSON_TOO_LONG:
        return mln_fail(MLN_E_LIMIT, "JSON of %zu bytes is more than the parser can hold", text.n);
    case MLN_JSON_NO_MEMORY:
        return mln_fail(MLN_E_MEMORY, "no memory to parse JSON of %zu bytes", text.n);
    case MLN_JSON_ARENA_FULL:
        return mln_arena_failure(arena);
    case MLN_JSON_BROKEN:
        break;
    }
    return mln_fail(MLN_E_INTERNAL, "the JSON parser contradicts itself");
}
