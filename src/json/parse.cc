// The only C++ of the tree: simdjson's document, copied into a tree of the arena. See parse.h.

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <simdjson.h>

extern "C" {
#include "json/parse.h"

#include "base/arena.h"
}

namespace
{

using simdjson::dom::element;
using simdjson::dom::element_type;

// A thread keeps its parser, and with it the padded copy of the input, up to this size.
constexpr size_t kept_bytes = size_t{1} << 20;
// simdjson's arrays and objects count their items in 24 bits; a full counter means "this many or more".
constexpr size_t counter_limit = 0xFFFFFF;

// simdjson counts the document as a level and empty containers not at all: it bounds its own work, the builder is exact.
constexpr size_t simdjson_depth = MLN_JSON_MAX_DEPTH + 2;

template <typename Container> size_t count_of(const Container &container)
{
    size_t n = container.size();
    if (n < counter_limit)
        return n;
    n = 0;
    for (auto item : container) {
        (void)item;
        n++;
    }
    return n;
}

class builder
{
  public:
    explicit builder(struct mln_arena *into) : arena(into)
    {
    }

    // depth: how many arrays and objects the value is in.
    enum mln_json_verdict value(element from, unsigned depth, struct mln_json *out)
    {
        switch (from.type()) {
        case element_type::NULL_VALUE:
            out->kind = MLN_JSON_NULL;
            return MLN_JSON_PARSED;
        case element_type::BOOL:
            out->kind = MLN_JSON_BOOL;
            return took(from.get_bool().get(out->boolean));
        case element_type::INT64:
            out->kind = MLN_JSON_INT;
            return took(from.get_int64().get(out->i));
        case element_type::UINT64:
            out->kind = MLN_JSON_UINT;
            return took(from.get_uint64().get(out->u));
        case element_type::DOUBLE:
            out->kind = MLN_JSON_REAL;
            return took(from.get_double().get(out->real));
        case element_type::STRING:
            return string(from, out);
        case element_type::ARRAY:
            return depth < MLN_JSON_MAX_DEPTH ? array(from, depth + 1, out) : MLN_JSON_TOO_DEEP;
        case element_type::OBJECT:
            return depth < MLN_JSON_MAX_DEPTH ? object(from, depth + 1, out) : MLN_JSON_TOO_DEEP;
        }
        return MLN_JSON_BROKEN;
    }

  private:
    struct mln_arena *arena;

    static enum mln_json_verdict took(simdjson::error_code error)
    {
        return error ? MLN_JSON_BROKEN : MLN_JSON_PARSED;
    }

    template <typename T> T *room(size_t n)
    {
        return static_cast<T *>(mln_arena_array(arena, n, sizeof(T)));
    }

    enum mln_json_verdict string(element from, struct mln_json *out)
    {
        std::string_view text;
        if (from.get_string().get(text))
            return MLN_JSON_BROKEN;
        char *copy = room<char>(text.size());
        if (!copy)
            return MLN_JSON_ARENA_FULL;
        std::memcpy(copy, text.data(), text.size());
        out->kind = MLN_JSON_STRING;
        out->n = static_cast<uint32_t>(text.size());
        out->string = copy;
        return MLN_JSON_PARSED;
    }

    enum mln_json_verdict array(element from, unsigned depth, struct mln_json *out)
    {
        simdjson::dom::array items;
        if (from.get_array().get(items))
            return MLN_JSON_BROKEN;
        size_t n = count_of(items), at = 0;
        auto *copy = room<struct mln_json>(n);
        if (!copy)
            return MLN_JSON_ARENA_FULL;
        for (element item : items) {
            enum mln_json_verdict verdict = value(item, depth, &copy[at++]);
            if (verdict != MLN_JSON_PARSED)
                return verdict;
        }
        out->kind = MLN_JSON_ARRAY;
        out->n = static_cast<uint32_t>(n);
        out->items = copy;
        return MLN_JSON_PARSED;
    }

    enum mln_json_verdict object(element from, unsigned depth, struct mln_json *out)
    {
        simdjson::dom::object members;
        if (from.get_object().get(members))
            return MLN_JSON_BROKEN;
        size_t n = count_of(members), at = 0;
        auto *copy = room<struct mln_json_member>(n);
        if (!copy)
            return MLN_JSON_ARENA_FULL;
        for (auto member : members) {
            if (!mln_json_name_member(arena, &copy[at], member.key.data(), member.key.size()))
                return MLN_JSON_ARENA_FULL;
            enum mln_json_verdict verdict = value(member.value, depth, &copy[at++].value);
            if (verdict != MLN_JSON_PARSED)
                return verdict;
        }
        out->kind = MLN_JSON_OBJECT;
        out->n = static_cast<uint32_t>(mln_json_drop_repeated(copy, n));
        out->members = copy;
        return MLN_JSON_PARSED;
    }
};

enum mln_json_verdict verdict_of(simdjson::error_code error)
{
    switch (error) {
    case simdjson::SUCCESS:
        return MLN_JSON_PARSED;
    case simdjson::CAPACITY:
        return MLN_JSON_TOO_LONG;
    case simdjson::MEMALLOC:
        return MLN_JSON_NO_MEMORY;
    case simdjson::DEPTH_ERROR:
        return MLN_JSON_TOO_DEEP;
    case simdjson::NUMBER_ERROR:
        return MLN_JSON_BAD_NUMBER;
    default:
        return MLN_JSON_BAD_TEXT;
    }
}

enum mln_json_verdict parse_with(simdjson::dom::parser &parser, struct mln_arena *arena, const char *text, size_t bytes,
                                 struct mln_json *out)
{
    if (parser.capacity() < bytes || parser.max_depth() != simdjson_depth) {
        simdjson::error_code error = parser.allocate(bytes, simdjson_depth);
        if (error)
            return verdict_of(error);
    }
    element root;
    simdjson::error_code error = parser.parse(text, bytes).get(root);
    return error ? verdict_of(error) : builder(arena).value(root, 0, out);
}

} // namespace

enum mln_json_verdict mln_json_simd_parse(struct mln_arena *arena, const char *text, size_t bytes, struct mln_json *out)
{
    static thread_local simdjson::dom::parser kept;
    if (bytes <= kept_bytes)
        return parse_with(kept, arena, text, bytes, out);
    simdjson::dom::parser large;
    return parse_with(large, arena, text, bytes, out);
}
