#include "expr/functions.h"

#include "expr/library.h"

#define G MLN_FUNCTION_GLOBAL
#define R MLN_FUNCTION_RECEIVER
#define CLOCK MLN_FUNCTION_CLOCK
#define PATTERN MLN_FUNCTION_PATTERN

/* name, style, types, result, if absent, flags, steps, implementation, doc */
const struct mln_function mln_functions[] = {
    {"size", G, "s", 'i', '0', 0, 1, mln_fn_size, "code points of a text"},
    {"size", G, "y", 'i', '0', 0, 1, mln_fn_size, "bytes"},
    {"size", G, "l", 'i', '0', 0, 1, mln_fn_size, "items of a list"},
    {"size", G, "m", 'i', '0', 0, 1, mln_fn_size, "entries of a map"},
    {"size", R, "s", 'i', '0', 0, 1, mln_fn_size, "code points of a text"},
    {"size", R, "y", 'i', '0', 0, 1, mln_fn_size, "bytes"},
    {"size", R, "l", 'i', '0', 0, 1, mln_fn_size, "items of a list"},
    {"size", R, "m", 'i', '0', 0, 1, mln_fn_size, "entries of a map"},

    {"contains", R, "ss", 'b', 'f', 0, 1, mln_fn_contains, "the text has the other in it"},
    {"startsWith", R, "ss", 'b', 'f', 0, 1, mln_fn_starts_with, "the text begins with the other"},
    {"endsWith", R, "ss", 'b', 'f', 0, 1, mln_fn_ends_with, "the text ends with the other"},
    {"matches", R, "ss", 'b', 'f', PATTERN, 4, mln_fn_matches, "the pattern (RE2's syntax) occurs in the text"},
    {"matches", G, "ss", 'b', 'f', PATTERN, 4, mln_fn_matches, "the pattern (RE2's syntax) occurs in the text"},
    {"charAt", R, "si", 's', 0, 0, 1, mln_fn_char_at, "the character at a position; \"\" at the end"},
    {"indexOf", R, "ss", 'i', 0, 0, 1, mln_fn_index_of, "the first position of the other text, or -1"},
    {"indexOf", R, "ssi", 'i', 0, 0, 1, mln_fn_index_of_from, "the same, from a position on"},
    {"lastIndexOf", R, "ss", 'i', 0, 0, 1, mln_fn_last_index_of, "the last position of the other text, or -1"},
    {"lastIndexOf", R, "ssi", 'i', 0, 0, 1, mln_fn_last_index_of_from, "the same, at or before a position"},
    {"join", R, "l", 's', 0, 0, 1, mln_fn_join, "the texts of a list, one after the other"},
    {"join", R, "ls", 's', 0, 0, 1, mln_fn_join_with, "the same, with a text between them"},
    {"lowerAscii", R, "s", 's', 0, 0, 1, mln_fn_lower_ascii, "A to Z as a to z"},
    {"upperAscii", R, "s", 's', 0, 0, 1, mln_fn_upper_ascii, "a to z as A to Z"},
    {"replace", R, "sss", 's', 0, 0, 1, mln_fn_replace, "each occurrence of the first text as the second"},
    {"replace", R, "sssi", 's', 0, 0, 1, mln_fn_replace_limit, "the same, at most so many; negative: all"},
    {"split", R, "ss", 'l', 0, 0, 1, mln_fn_split, "the parts between a separator; \"\": the characters"},
    {"split", R, "ssi", 'l', 0, 0, 1, mln_fn_split_limit, "the same, at most so many parts; negative: all"},
    {"substring", R, "si", 's', 0, 0, 1, mln_fn_substring_from, "from a position to the end"},
    {"substring", R, "sii", 's', 0, 0, 1, mln_fn_substring, "from a position up to another one"},
    {"strings.quote", G, "s", 's', 0, 0, 1, mln_fn_quote, "in double quotes, with escapes"},
    {"trim", R, "s", 's', 0, 0, 1, mln_fn_trim, "without white space at both ends"},

    {"reverse", R, "s", 's', 0, 0, 1, mln_fn_reverse_text, "the characters from the last to the first"},
    {"reverse", R, "l", 'l', 0, 0, 1, mln_fn_reverse_list, "the items from the last to the first"},
    {"sort", R, "l", 'l', 0, 0, 1, mln_fn_sort, "the items in order; all must be of one type that has an order"},
    {"distinct", R, "l", 'l', 0, 0, 1, mln_fn_distinct, "the first of equal items each"},
    {"slice", R, "lii", 'l', 0, 0, 1, mln_fn_slice, "the items from a position up to another one"},
    {"flatten", R, "l", 'l', 0, 0, 1, mln_fn_flatten, "the items of the lists in a list, one level"},

    {"math.greatest", G, "N*", 'N', 0, 0, 1, mln_fn_greatest, "the largest"},
    {"math.greatest", G, "l", 'N', 0, 0, 1, mln_fn_greatest, "the largest of a list of numbers"},
    {"math.least", G, "N*", 'N', 0, 0, 1, mln_fn_least, "the smallest"},
    {"math.least", G, "l", 'N', 0, 0, 1, mln_fn_least, "the smallest of a list of numbers"},
    {"math.abs", G, "i", 'i', 0, 0, 1, mln_fn_abs, "without sign; an error for -2^63"},
    {"math.abs", G, "u", 'u', 0, 0, 1, mln_fn_same, "itself"},
    {"math.abs", G, "d", 'd', 0, 0, 1, mln_fn_abs, "without sign"},
    {"math.sign", G, "i", 'i', 0, 0, 1, mln_fn_sign, "-1, 0 or 1"},
    {"math.sign", G, "u", 'u', 0, 0, 1, mln_fn_sign, "0 or 1"},
    {"math.sign", G, "d", 'd', 0, 0, 1, mln_fn_sign, "-1.0, 0.0 or 1.0; NaN for NaN"},
    {"math.ceil", G, "d", 'd', 0, 0, 1, mln_fn_ceil, "the next whole number upwards"},
    {"math.floor", G, "d", 'd', 0, 0, 1, mln_fn_floor, "the next whole number downwards"},
    {"math.round", G, "d", 'd', 0, 0, 1, mln_fn_round, "the nearest whole number, halves away from zero"},
    {"math.trunc", G, "d", 'd', 0, 0, 1, mln_fn_trunc, "the whole part"},
    {"math.sqrt", G, "N", 'd', 0, 0, 1, mln_fn_sqrt, "the square root; NaN below 0"},
    {"math.isNaN", G, "d", 'b', 0, 0, 1, mln_fn_is_nan, "not a number"},
    {"math.isInf", G, "d", 'b', 0, 0, 1, mln_fn_is_inf, "infinite"},
    {"math.isFinite", G, "d", 'b', 0, 0, 1, mln_fn_is_finite, "neither infinite nor NaN"},
    {"math.bitAnd", G, "ii", 'i', 0, 0, 1, mln_fn_bit_and, "bit by bit"},
    {"math.bitAnd", G, "uu", 'u', 0, 0, 1, mln_fn_bit_and, "bit by bit"},
    {"math.bitOr", G, "ii", 'i', 0, 0, 1, mln_fn_bit_or, "bit by bit"},
    {"math.bitOr", G, "uu", 'u', 0, 0, 1, mln_fn_bit_or, "bit by bit"},
    {"math.bitXor", G, "ii", 'i', 0, 0, 1, mln_fn_bit_xor, "bit by bit"},
    {"math.bitXor", G, "uu", 'u', 0, 0, 1, mln_fn_bit_xor, "bit by bit"},
    {"math.bitNot", G, "i", 'i', 0, 0, 1, mln_fn_bit_not, "bit by bit"},
    {"math.bitNot", G, "u", 'u', 0, 0, 1, mln_fn_bit_not, "bit by bit"},
    {"math.bitShiftLeft", G, "ii", 'i', 0, 0, 1, mln_fn_shift_left, "by so many bits; 0 from 64 on"},
    {"math.bitShiftLeft", G, "ui", 'u', 0, 0, 1, mln_fn_shift_left, "by so many bits; 0 from 64 on"},
    {"math.bitShiftRight", G, "ii", 'i', 0, 0, 1, mln_fn_shift_right, "by so many bits, filled with zeros"},
    {"math.bitShiftRight", G, "ui", 'u', 0, 0, 1, mln_fn_shift_right, "by so many bits, filled with zeros"},

    {"type", G, ".", 't', 0, 0, 1, mln_fn_type_of, "the type of a value"},
    {"dyn", G, ".", '.', 0, 0, 1, mln_fn_same, "the value, its type not checked beforehand"},
    {"bool", G, "b", 'b', 0, 0, 1, mln_fn_same, "itself"},
    {"bool", G, "s", 'b', 0, 0, 1, mln_fn_bool_of_text, "\"true\", \"t\", \"1\" and \"false\", \"f\", \"0\""},
    {"int", G, "i", 'i', 0, 0, 1, mln_fn_same, "itself"},
    {"int", G, "u", 'i', 0, 0, 1, mln_fn_int_of_uint, "an error above 2^63 - 1"},
    {"int", G, "d", 'i', 0, 0, 1, mln_fn_int_of_double, "towards zero"},
    {"int", G, "s", 'i', 0, 0, 1, mln_fn_int_of_text, "a decimal number"},
    {"int", G, "T", 'i', 0, 0, 1, mln_fn_int_of_timestamp, "seconds since 1970"},
    {"int", G, "D", 'i', 0, 0, 1, mln_fn_int_of_duration, "nanoseconds"},
    {"uint", G, "u", 'u', 0, 0, 1, mln_fn_same, "itself"},
    {"uint", G, "i", 'u', 0, 0, 1, mln_fn_uint_of_int, "an error below 0"},
    {"uint", G, "d", 'u', 0, 0, 1, mln_fn_uint_of_double, "towards zero"},
    {"uint", G, "s", 'u', 0, 0, 1, mln_fn_uint_of_text, "a decimal number"},
    {"double", G, "d", 'd', 0, 0, 1, mln_fn_same, "itself"},
    {"double", G, "i", 'd', 0, 0, 1, mln_fn_double_of_int, "the nearest"},
    {"double", G, "u", 'd', 0, 0, 1, mln_fn_double_of_uint, "the nearest"},
    {"double", G, "s", 'd', 0, 0, 1, mln_fn_double_of_text, "a decimal number, Infinity or NaN"},
    {"string", G, "s", 's', 0, 0, 1, mln_fn_same, "itself"},
    {"string", G, "b", 's', 0, 0, 1, mln_fn_string_of_bool, "true or false"},
    {"string", G, "i", 's', 0, 0, 1, mln_fn_string_of_int, "decimal"},
    {"string", G, "u", 's', 0, 0, 1, mln_fn_string_of_uint, "decimal"},
    {"string", G, "d", 's', 0, 0, 1, mln_fn_string_of_double, "the shortest that reads back"},
    {"string", G, "y", 's', 0, 0, 1, mln_fn_string_of_bytes, "the bytes must be UTF-8"},
    {"string", G, "T", 's', 0, 0, 1, mln_fn_string_of_timestamp, "RFC 3339, in UTC"},
    {"string", G, "D", 's', 0, 0, 1, mln_fn_string_of_duration, "seconds: \"90s\""},
    {"string", G, "n", 's', 0, 0, 1, mln_fn_string_of_null, "\"null\""},
    {"bytes", G, "y", 'y', 0, 0, 1, mln_fn_same, "itself"},
    {"bytes", G, "s", 'y', 0, 0, 1, mln_fn_bytes_of_text, "the text in UTF-8"},

    {"timestamp", G, "T", 'T', 0, 0, 1, mln_fn_same, "itself"},
    {"timestamp", G, "s", 'T', 0, 0, 1, mln_fn_timestamp_of_text, "RFC 3339"},
    {"timestamp", G, "i", 'T', 0, 0, 1, mln_fn_timestamp_of_int, "seconds since 1970"},
    {"duration", G, "D", 'D', 0, 0, 1, mln_fn_same, "itself"},
    {"duration", G, "s", 'D', 0, 0, 1, mln_fn_duration_of_text, "\"1h30m\", \"2.5s\"; units h, m, s, ms, us, ns"},
    {"now", G, "", 'T', 0, CLOCK, 1, mln_fn_now, "the time of the assessment"},
    {"getFullYear", R, "T", 'i', 0, 0, 1, mln_fn_full_year, "the year, in UTC"},
    {"getFullYear", R, "Ts", 'i', 0, 0, 1, mln_fn_full_year_in, "the year, in a zone such as \"+05:30\""},
    {"getMonth", R, "T", 'i', 0, 0, 1, mln_fn_month, "the month from 0, in UTC"},
    {"getMonth", R, "Ts", 'i', 0, 0, 1, mln_fn_month_in, "the month from 0, in a zone"},
    {"getDate", R, "T", 'i', 0, 0, 1, mln_fn_date, "the day of the month from 1, in UTC"},
    {"getDate", R, "Ts", 'i', 0, 0, 1, mln_fn_date_in, "the day of the month from 1, in a zone"},
    {"getDayOfMonth", R, "T", 'i', 0, 0, 1, mln_fn_day_of_month, "the day of the month from 0, in UTC"},
    {"getDayOfMonth", R, "Ts", 'i', 0, 0, 1, mln_fn_day_of_month_in, "the day of the month from 0, in a zone"},
    {"getDayOfWeek", R, "T", 'i', 0, 0, 1, mln_fn_day_of_week, "0 for Sunday to 6, in UTC"},
    {"getDayOfWeek", R, "Ts", 'i', 0, 0, 1, mln_fn_day_of_week_in, "0 for Sunday to 6, in a zone"},
    {"getDayOfYear", R, "T", 'i', 0, 0, 1, mln_fn_day_of_year, "the day of the year from 0, in UTC"},
    {"getDayOfYear", R, "Ts", 'i', 0, 0, 1, mln_fn_day_of_year_in, "the day of the year from 0, in a zone"},
    {"getHours", R, "T", 'i', 0, 0, 1, mln_fn_hours, "the hour, in UTC"},
    {"getHours", R, "Ts", 'i', 0, 0, 1, mln_fn_hours_in, "the hour, in a zone"},
    {"getHours", R, "D", 'i', 0, 0, 1, mln_fn_duration_hours, "all hours of a duration"},
    {"getMinutes", R, "T", 'i', 0, 0, 1, mln_fn_minutes, "the minute, in UTC"},
    {"getMinutes", R, "Ts", 'i', 0, 0, 1, mln_fn_minutes_in, "the minute, in a zone"},
    {"getMinutes", R, "D", 'i', 0, 0, 1, mln_fn_duration_minutes, "all minutes of a duration"},
    {"getSeconds", R, "T", 'i', 0, 0, 1, mln_fn_seconds, "the second, in UTC"},
    {"getSeconds", R, "Ts", 'i', 0, 0, 1, mln_fn_seconds_in, "the second, in a zone"},
    {"getSeconds", R, "D", 'i', 0, 0, 1, mln_fn_duration_seconds, "all seconds of a duration"},
    {"getMilliseconds", R, "T", 'i', 0, 0, 1, mln_fn_milliseconds, "the milliseconds of the second, in UTC"},
    {"getMilliseconds", R, "Ts", 'i', 0, 0, 1, mln_fn_milliseconds_in, "the milliseconds of the second, in a zone"},
    {"getMilliseconds", R, "D", 'i', 0, 0, 1, mln_fn_duration_milliseconds, "the milliseconds of the second"},
};
const size_t mln_n_functions = sizeof mln_functions / sizeof mln_functions[0];

static const char letters[MLN_VALUE_KINDS] = {
    [MLN_JSON_NULL] = 'n',   [MLN_JSON_BOOL] = 'b',    [MLN_JSON_INT] = 'i',        [MLN_JSON_UINT] = 'u',
    [MLN_JSON_REAL] = 'd',   [MLN_JSON_STRING] = 's',  [MLN_JSON_ARRAY] = 'l',      [MLN_JSON_OBJECT] = 'm',
    [MLN_VALUE_BYTES] = 'y', [MLN_VALUE_MAP] = 'm',    [MLN_VALUE_TIMESTAMP] = 'T', [MLN_VALUE_DURATION] = 'D',
    [MLN_VALUE_TYPE] = 't',  [MLN_VALUE_ERROR] = '\0',
};

const struct mln_function *mln_functions_named(struct mln_str name, enum mln_function_style style, size_t *n)
{
    *n = 0;
    const struct mln_function *first = NULL;
    for (size_t i = 0; i < mln_n_functions; i++) {
        const struct mln_function *f = &mln_functions[i];
        if (f->style != style || !mln_str_eq(name, mln_str_c(f->name))) {
            if (first)
                break;
            continue;
        }
        if (!first)
            first = f;
        ++*n;
    }
    return first;
}

static bool is_variadic(const struct mln_function *row)
{
    return row->types[0] && row->types[1] == '*';
}

/* The letter of argument i; NUL when the line does not take so many. */
static char letter_at(const struct mln_function *row, size_t i)
{
    return row->types[is_variadic(row) ? 0 : i];
}

static bool takes(const struct mln_function *row, size_t n)
{
    return is_variadic(row) ? n > 0 : strlen(row->types) == n;
}

static bool letter_fits(char letter, uint32_t kind)
{
    return letter == '.' || letter == letters[kind] || (letter == 'N' && mln_value_is_number(kind));
}

static bool fits(const struct mln_function *row, const mln_value *args, size_t n)
{
    if (!takes(row, n))
        return false;
    for (size_t i = 0; i < n; i++)
        if (!letter_fits(letter_at(row, i), args[i].kind))
            return false;
    return true;
}

mln_value mln_function_call(struct mln_expr_run *run, const struct mln_function *rows, size_t n_rows,
                            const mln_value *args, size_t n_args)
{
    bool null_argument = false;
    for (size_t i = 0; i < n_args; i++)
        null_argument |= args[i].kind == MLN_JSON_NULL;
    for (size_t i = 0; i < n_rows; i++) {
        if (fits(&rows[i], args, n_args)) {
            mln_value list = mln_value_list(args, n_args);
            mln_run_charge(run, rows[i].steps);
            return rows[i].run(run, is_variadic(&rows[i]) ? &list : args);
        }
    }
    if (null_argument && run->lenient && rows->if_absent)
        return rows->if_absent == 'f' ? mln_value_bool(false) : mln_value_int(0);
    return mln_run_no_overload(run, rows->name, args, n_args);
}

static uint32_t kind_of_letter(char letter)
{
    for (uint32_t i = 0; i < MLN_VALUE_KINDS; i++)
        if (letters[i] == letter && i != MLN_JSON_OBJECT)
            return i;
    return MLN_VALUE_DYN;
}

bool mln_function_fits(const struct mln_function *row, const uint32_t *types, size_t n, bool lenient)
{
    if (!takes(row, n))
        return false;
    for (size_t i = 0; i < n; i++) {
        bool unknown = types[i] == MLN_VALUE_DYN;
        bool absent = lenient && row->if_absent && types[i] == MLN_JSON_NULL;
        if (!unknown && !absent && !letter_fits(letter_at(row, i), types[i]))
            return false;
    }
    return true;
}

uint32_t mln_function_result(const struct mln_function *row)
{
    return kind_of_letter(row->result);
}

static const char *letter_name(char letter)
{
    return letter == 'N' ? "number" : mln_value_type_name(kind_of_letter(letter));
}

struct mln_str mln_function_signature(const struct mln_function *row, char out[128])
{
    size_t receiver = row->style == MLN_FUNCTION_RECEIVER, n = 0;
    if (receiver)
        n += (size_t)snprintf(out, 128, "%s.", letter_name(row->types[0]));
    n += (size_t)snprintf(out + n, 128 - n, "%s(", row->name);
    for (size_t i = receiver; row->types[i]; i++)
        n += (size_t)snprintf(out + n, 128 - n, "%s%s", i > receiver ? ", " : "",
                              row->types[i] == '*' ? "..." : letter_name(row->types[i]));
    n += (size_t)snprintf(out + n, 128 - n, ") -> %s", letter_name(row->result));
    return (struct mln_str){out, n};
}
