#include "api/path.h"

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

struct mln_result mln_percent_decode(struct mln_arena *arena, struct mln_str text, bool form, struct mln_str *out)
{
    char *p;
    MLN_TRY_ARRAY(arena, p, text.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c == '%') {
            int high = i + 2 < text.n ? hex_digit(text.p[i + 1]) : -1;
            int low = high >= 0 ? hex_digit(text.p[i + 2]) : -1;
            if (low < 0)
                return mln_fail(MLN_E_SYNTAX, "bad percent escape at byte %zu", i);
            c = (unsigned char)(high * 16 + low);
            i += 2;
        } else if (c == '+' && form) {
            c = ' ';
        }
        bool control = c < 0x20 || c == 0x7f;
        if (control && !(form && (c == '\t' || c == '\n' || c == '\r')))
            return mln_fail(MLN_E_SYNTAX, "control byte at byte %zu", i);
        p[n++] = (char)c;
    }
    *out = (struct mln_str){p, n};
    if (!mln_str_is_utf8(*out))
        return mln_fail(MLN_E_SYNTAX, "text is not UTF-8 after decoding");
    return MLN_OK;
}

struct mln_result mln_path_split(struct mln_arena *arena, struct mln_str path,
                                 struct mln_str segments[MLN_MAX_SEGMENTS], size_t *n)
{
    *n = 0;
    if (!path.n || path.p[0] != '/')
        return mln_fail(MLN_E_SYNTAX, "a path begins with '/'");
    while (path.n && path.p[0] == '/')
        path = mln_str_sub(path, 1, path.n);
    if (path.n && path.p[path.n - 1] == '/')
        path.n--;
    if (!path.n)
        return MLN_OK;
    struct mln_str part;
    while (mln_str_cut(&path, '/', &part)) {
        if (*n == MLN_MAX_SEGMENTS)
            return mln_fail(MLN_E_LIMIT, "more than %d path segments", MLN_MAX_SEGMENTS);
        struct mln_str *segment = &segments[*n];
        MLN_TRY(mln_percent_decode(arena, part, false, segment));
        if (!segment->n || mln_str_eq(*segment, MLN_S(".")) || mln_str_eq(*segment, MLN_S("..")))
            return mln_fail(MLN_E_SYNTAX, "path segment %zu is empty, '.' or '..'", *n + 1);
        ++*n;
    }
    return MLN_OK;
}

struct mln_result mln_form_parse(struct mln_arena *arena, struct mln_str text, struct mln_pair *pairs, size_t max,
                                 size_t *n)
{
    *n = 0;
    struct mln_str part;
    while (text.n && mln_str_cut(&text, '&', &part)) {
        if (!part.n)
            continue;
        if (*n == max)
            return mln_fail(MLN_E_LIMIT, "more than %zu parameters", max);
        struct mln_str name, value = part;
        if (!mln_str_cut(&value, '=', &name) || !value.p)
            value = MLN_S("");
        MLN_TRY(mln_percent_decode(arena, name, true, &pairs[*n].name));
        MLN_TRY(mln_percent_decode(arena, value, true, &pairs[*n].value));
        ++*n;
    }
    return MLN_OK;
}

struct mln_str mln_pair_find(const struct mln_pair *pairs, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (mln_str_eq(pairs[i].name, mln_str_c(name)))
            return pairs[i].value;
    return (struct mln_str){0};
}

struct mln_result mln_percent_encode(struct mln_buf *out, struct mln_str text)
{
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
                     c == '.' || c == '_' || c == '~';
        MLN_TRY(plain ? mln_buf_byte(out, (char)c) : mln_buf_printf(out, "%%%02X", c));
    }
    return MLN_OK;
}

/* Appends "/segment" at p + n; gives the new length. Room for three bytes a byte must be there. */
static size_t append_segment(char *p, size_t n, struct mln_str segment)
{
    static const char digits[] = "0123456789ABCDEF";
    p[n++] = '/';
    for (size_t i = 0; i < segment.n; i++) {
        char c = segment.p[i];
        if (c == '/' || c == '\\' || c == '%') {
            p[n++] = '%';
            p[n++] = digits[(unsigned char)c >> 4];
            p[n++] = digits[(unsigned char)c & 15];
        } else {
            p[n++] = c;
        }
    }
    return n;
}

struct mln_str mln_path_segment(struct mln_arena *arena, struct mln_str name)
{
    char *p = mln_arena_alloc(arena, 3 * name.n + 1);
    if (!p)
        return (struct mln_str){0};
    return (struct mln_str){p + 1, append_segment(p, 0, name) - 1};
}

static bool segment_is(const struct mln_request *request, size_t i, const char *word)
{
    return i < request->n_segments && mln_str_eq_nocase(request->segments[i], mln_str_c(word));
}

/* Walks "/providers/{ns}/{type}/{name}..." from segment i; gives the place of the last "providers", or SIZE_MAX. */
static size_t last_provider(struct mln_request *request, size_t i)
{
    size_t found = SIZE_MAX;
    while (segment_is(request, i, "providers") && i + 1 < request->n_segments) {
        if (found != SIZE_MAX)
            request->scope_kind = MLN_SCOPE_RESOURCE;
        found = i;
        for (i += 2; i < request->n_segments && !segment_is(request, i, "providers");)
            i += 2;
        if (i == found + 2)
            break; /* a provider right after a provider is nobody's scope */
    }
    return found;
}

struct mln_result mln_request_locate(struct mln_request *request)
{
    size_t room = 2;
    for (size_t i = 0; i < request->n_segments; i++)
        room += 1 + 3 * request->segments[i].n;
    char *id;
    MLN_TRY_ARRAY(request->arena, id, room);
    size_t n = 0, scope_bytes = 0, at = 0;
    request->scope_kind = MLN_SCOPE_TENANT;
    if (segment_is(request, 0, "subscriptions") && request->n_segments >= 2) {
        request->subscription = request->segments[1];
        request->scope_kind = MLN_SCOPE_SUBSCRIPTION;
        at = 2;
        if (segment_is(request, 2, "resourceGroups") && request->n_segments >= 4) {
            request->group = request->segments[3];
            request->scope_kind = MLN_SCOPE_GROUP;
            at = 4;
        }
    }
    size_t provider = last_provider(request, at);
    size_t scope_segments = provider == SIZE_MAX ? at : provider;
    for (size_t i = 0; i < request->n_segments; i++) {
        n = append_segment(id, n, request->segments[i]);
        if (i + 1 == scope_segments)
            scope_bytes = n;
    }
    request->id = request->n_segments ? (struct mln_str){id, n} : MLN_S("/");
    request->scope = (struct mln_str){id, scope_bytes};
    request->provider = provider == SIZE_MAX ? (struct mln_str){0} : request->segments[provider + 1];
    request->tail = (uint8_t)(provider == SIZE_MAX ? 0 : provider + 2);
    return MLN_OK;
}
