#include "agent/linux/dpkg.h"

#include <errno.h>
#include <unistd.h>

enum { PIECE_BYTES = 32 << 10 };

bool mln_dpkg_is_installed(const struct mln_dpkg_package *package)
{
    return mln_str_ends(mln_str_c(package->status), MLN_S(" installed"));
}

static void keep(char *place, size_t size, struct mln_str value)
{
    size_t n = value.n < size - 1 ? value.n : size - 1;
    if (n)
        memcpy(place, value.p, n);
    place[n] = 0;
}

static struct mln_result stanza_ends(struct mln_dpkg_stream *stream)
{
    struct mln_dpkg_package *package = &stream->package;
    struct mln_result r = MLN_OK;
    if (package->name[0]) {
        if (!package->source[0])
            keep(package->source, sizeof package->source, mln_str_c(package->name));
        r = stream->visit(stream->context, package);
    }
    *package = (struct mln_dpkg_package){0};
    return r;
}

static struct mln_result line_ends(struct mln_dpkg_stream *stream)
{
    struct mln_str line = {stream->line, stream->n}, rest = line, name;
    bool empty = !stream->cut && mln_str_trim(line).n == 0;
    stream->n = 0;
    stream->cut = false;
    if (empty)
        return stanza_ends(stream);
    if (line.p[0] == ' ' || line.p[0] == '\t' || !mln_str_cut(&rest, ':', &name) || !rest.p)
        return MLN_OK; /* a continuation, or no field */
    struct mln_dpkg_package *package = &stream->package;
    const struct {
        const char *name;
        char *place;
        size_t size;
    } fields[] = {
        {"Package", package->name, sizeof package->name},      {"Version", package->version, sizeof package->version},
        {"Architecture", package->arch, sizeof package->arch}, {"Source", package->source, sizeof package->source},
        {"Status", package->status, sizeof package->status},
    };
    struct mln_str value = mln_str_trim(rest);
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        if (!mln_str_eq_nocase(name, mln_str_c(fields[i].name)))
            continue;
        if (fields[i].place == package->source)
            value = mln_str_sub(value, 0, mln_str_find(value, MLN_S(" "), 0));
        keep(fields[i].place, fields[i].size, value);
    }
    return MLN_OK;
}

struct mln_result mln_dpkg_feed(struct mln_dpkg_stream *stream, struct mln_str piece)
{
    while (piece.n) {
        const char *end = memchr(piece.p, '\n', piece.n);
        size_t n = end ? (size_t)(end - piece.p) : piece.n, room = sizeof stream->line - stream->n;
        if (n > room)
            stream->cut = true;
        memcpy(stream->line + stream->n, piece.p, n < room ? n : room);
        stream->n += n < room ? n : room;
        piece = mln_str_sub(piece, end ? n + 1 : n, piece.n);
        if (end)
            MLN_TRY(line_ends(stream));
    }
    return MLN_OK;
}

struct mln_result mln_dpkg_end(struct mln_dpkg_stream *stream)
{
    if (stream->n)
        MLN_TRY(line_ends(stream));
    return stanza_ends(stream);
}

struct mln_result mln_dpkg_read(struct mln_tree *tree, const char *path, mln_dpkg_visit visit, void *context)
{
    MLN_FD_CLEANUP int fd = -1;
    MLN_TRY(mln_tree_fd(tree, path, 0, &fd));
    char *piece = malloc(PIECE_BYTES);
    if (!piece)
        return mln_fail(MLN_E_MEMORY, "no memory to read %s", path);
    struct mln_dpkg_stream stream = {.visit = visit, .context = context};
    struct mln_result r = MLN_OK;
    ssize_t got = 1;
    while (mln_ok(r) && got > 0) {
        got = read(fd, piece, PIECE_BYTES);
        if (got > 0)
            r = mln_dpkg_feed(&stream, (struct mln_str){piece, (size_t)got});
        else if (got < 0 && errno == EINTR)
            got = 1;
        else if (got < 0)
            r = mln_fail_errno(errno, "%s", path);
    }
    free(piece);
    return mln_ok(r) ? mln_dpkg_end(&stream) : r;
}

struct search {
    const char *name;
    struct mln_arena *arena;
    struct mln_str version;
};

static struct mln_result search_visit(void *context, const struct mln_dpkg_package *package)
{
    struct search *search = context;
    if (strcmp(package->name, search->name) == 0 && mln_dpkg_is_installed(package))
        MLN_TRY_STR(search->arena, search->version, mln_str_dup(search->arena, mln_str_c(package->version)));
    return MLN_OK;
}

struct mln_str mln_dpkg_version_of(struct mln_tree *tree, const char *name, struct mln_arena *arena)
{
    struct search search = {.name = name, .arena = arena};
    if (!mln_ok(mln_dpkg_read(tree, "/var/lib/dpkg/status", search_visit, &search)))
        return (struct mln_str){NULL, 0};
    return search.version;
}
